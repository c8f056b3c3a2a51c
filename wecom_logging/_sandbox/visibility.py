"""What an app sees, how WeCom writes that, and whom of it a message reaches; contacts-sync sees everything.

https://developer.work.weixin.qq.com/document/path/90227 shows a range, /90665 says that contacts-sync has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .directory import ROOT, Department, Directory, Member, Tag
from .refusal import Refusal, refuse_if

SECRET = ("mobile", "gender", "email", "biz_mail", "avatar", "thumb_avatar", "qr_code", "address")
"""What apps made since 2022-06-20 are never told (https://developer.work.weixin.qq.com/document/path/90196)."""
Json = dict[str, Any]
MAX_USERS = 1000
MAX_PARTIES = 100
MAX_TAGS = 100
MAX_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Range:
    """The visible range (可见范围) that an administrator gave to an app. It may name what is not there (yet)."""

    users: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As ``agent/get`` writes it."""
        return {
            "allow_userinfos": {"user": [{"userid": user} for user in self.users]},
            "allow_partys": {"partyid": list(self.departments)},
            "allow_tags": {"tagid": list(self.tags)},
        }


WHOLE = Range(departments=(ROOT,))


class Sight:
    """A range, applied to the directory as it is at the time of one call."""

    def __init__(self, directory: Directory, visible: Range) -> None:
        self._directory = directory
        self._range = visible
        tags = [directory.tags[id] for id in visible.tags if id in directory.tags]
        self._users = {user.lower() for user in visible.users}.union(*(tag.users for tag in tags))
        self._tops = set(visible.departments).union(*(tag.departments for tag in tags))

    def sees_department(self, id: int) -> bool:
        """Whether it is there and in range; an unknown one is not."""
        return any(above in self._tops for above in self._directory.line(id))

    def sees_member(self, member: Member) -> bool:
        return member.key in self._users or any(self.sees_department(id) for id in member.departments)

    def member(self, user_id: str) -> Member | None:
        """The one of that id, where it is in range."""
        found = self._directory.member(user_id)
        return found if found and self.sees_member(found) else None

    def sees_tag(self, tag: Tag) -> bool:
        """An app may write to a tag that is in its range, or that has a member there."""
        if ROOT in self._tops or tag.id in self._range.tags or any(map(self.sees_department, tag.departments)):
            return True
        return any(self.sees_member(self._directory.members[key]) for key in tag.users)

    def knows_tag(self, id: int) -> bool:
        tag = self._directory.tags.get(id)
        return tag is not None and self.sees_tag(tag)

    def departments(self) -> Iterator[Department]:
        """All that are visible, each parent before its children."""
        for top in self._tops & self._directory.departments.keys():
            if not self.sees_department(self._directory.departments[top].parent_id):
                yield from (self._directory.departments[id] for id in self._directory.subtree(top))

    def keys(self) -> set[str]:
        return self.keys_below(self._tops) | (self._users & self._directory.members.keys())

    def keys_below(self, departments: Iterable[int]) -> set[str]:
        """The members of departments and of all below them, without asking who may see them."""
        keys: set[str] = set()
        for top in departments:
            for id in self._directory.subtree(top):
                keys |= self._directory.people(id).keys()
        return keys


def department_json(directory: Directory, department: Department, sight: Sight) -> Json:
    """``department_leader`` follows from the members' ``is_leader_in_dept`` (path/95351)."""
    leaders = [leader.user_id for leader in directory.leaders(department.id) if sight.sees_member(leader)]
    return {
        "id": department.id,
        "name": department.name,
        "name_en": department.name_en,
        "department_leader": leaders,
        "parentid": department.parent_id,
        "order": department.order,
    }


def member_json(directory: Directory, member: Member, sight: Sight, *, secret: bool) -> Json:
    """``user/get`` (path/90196); departments and leaders out of range are left out, and what is ``secret`` too."""
    shown = [i for i, id in enumerate(member.departments) if sight.sees_department(id)]
    bosses = [boss for id in member.direct_leader if (boss := directory.member(id)) and sight.sees_member(boss)]
    fields: Json = {
        "userid": member.user_id,
        "name": member.name,
        "department": [member.departments[i] for i in shown],
        "order": [member.orders[i] for i in shown],
        "is_leader_in_dept": [int(member.departments[i] in member.leads) for i in shown],
        "direct_leader": [boss.user_id for boss in bosses],
        "position": "",
        "mobile": member.mobile,
        "gender": "0",
        "email": member.email,
        "biz_mail": member.biz_mail,
        "avatar": "",
        "thumb_avatar": "",
        "qr_code": "",
        "address": "",
        "telephone": "",
        "alias": "",
        "extattr": {"attrs": []},
        "status": member.status,
        **member.profile,
    }
    if sight.sees_department(member.main_department):
        fields["main_department"] = member.main_department
    return fields if secret else {name: value for name, value in fields.items() if name not in SECRET}


def tag_json(directory: Directory, tag: Tag, sight: Sight) -> Json:
    """``tag/get`` (path/90213)."""
    members = [member for member in in_order(directory, tag.users) if sight.sees_member(member)]
    return {
        "tagname": tag.name,
        "userlist": [{"userid": member.user_id, "name": member.name} for member in members],
        "partylist": [id for id in sorted(tag.departments) if sight.sees_department(id)],
    }


def in_order(directory: Directory, keys: Iterable[str]) -> list[Member]:
    return sorted((directory.members[key] for key in keys), key=lambda member: member.number)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a message reaches, and the ids that reach no member, lower-cased, in the order of the request."""

    receivers: tuple[str, ...]
    invaliduser: tuple[str, ...] = ()
    invalidparty: tuple[str, ...] = ()
    invalidtag: tuple[str, ...] = ()

    def invalid(self) -> dict[str, Any]:
        """The three fields of WeCom's answer: ids joined by ``|``; a list without any is left out."""
        lists = {"invaliduser": self.invaliduser, "invalidparty": self.invalidparty, "invalidtag": self.invalidtag}
        return {name: "|".join(ids) for name, ids in lists.items() if ids}


def find_audience(directory: Directory, sight: Sight, touser: str, toparty: str, totag: str) -> Audience:
    """Resolves the three lists. 82001 where all are empty, 81013 where nothing in them exists or may be seen."""
    if touser.strip() == "@all":
        return Audience(_in_order(directory, sight.keys()))
    users, parties, tags = _ids(touser), _ids(toparty), _ids(totag)
    check_sizes(len(users), len(parties), len(tags))
    seen = {id for id in users if sight.member(id)}
    departments = {id: number for id in parties if (number := _number(id)) and sight.sees_department(number)}
    known = {id: tag for id in tags if (tag := directory.tags.get(_number(id))) and sight.sees_tag(tag)}
    tagged = set().union(*(tag.users for tag in known.values()))
    tagged |= sight.keys_below({id for tag in known.values() for id in tag.departments})
    # The members of tags that are out of range get nothing, and the answer does not say so.
    tagged = {key for key in tagged if sight.sees_member(directory.members[key])}
    keys = seen | sight.keys_below(departments.values()) | tagged
    audience = Audience(
        _in_order(directory, keys),
        tuple(id for id in users if id not in seen),
        tuple(id for id in parties if id not in departments),
        tuple(id for id in tags if id not in known),
    )
    if (audience.invaliduser, audience.invalidparty, audience.invalidtag) == (users, parties, tags):
        raise Refusal(81013, **audience.invalid())
    return audience


def check_sizes(users: int, parties: int, tags: int) -> None:
    """The three lists of a message, or of an invitation."""
    refuse_if(not (users or parties or tags), 82001)
    refuse_if(users > MAX_USERS, 40032)
    refuse_if(parties > MAX_PARTIES, 82002)
    refuse_if(tags > MAX_TAGS, 82003)


def _in_order(directory: Directory, keys: set[str]) -> tuple[str, ...]:
    return tuple(member.user_id for member in in_order(directory, keys))


def _ids(joined: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id.strip().lower() for id in joined.split("|") if id.strip()))


def _number(id: str) -> int:
    """Of "7"; -1 for what is no id, as "x" and "07" are not."""
    plain = id.isascii() and id.isdigit() and len(id) <= MAX_DIGITS
    return int(id) if plain and str(int(id)) == id else -1
