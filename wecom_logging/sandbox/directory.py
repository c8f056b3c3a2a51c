"""Who works here: departments, members and tags, and who of them a message reaches.

https://developer.work.weixin.qq.com/document/path/90236 (recipients) and /90195 (user ids ignore case).
The app sees the root department, so it sees everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .refusal import Refusal

ROOT = 1
MAX_USERS = 1000
MAX_PARTIES = 100
MAX_TAGS = 100


@dataclass(frozen=True, slots=True)
class Department:
    id: int
    name: str
    parent_id: int


@dataclass(frozen=True, slots=True)
class Member:
    user_id: str
    name: str
    departments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tag:
    id: int
    name: str
    users: frozenset[str]
    departments: frozenset[int]


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a message reaches, and the ids that exist for nobody, lower-cased, in the order of the request."""

    receivers: tuple[str, ...]
    invaliduser: tuple[str, ...] = ()
    invalidparty: tuple[str, ...] = ()
    invalidtag: tuple[str, ...] = ()

    def invalid(self) -> dict[str, str]:
        """The three fields of WeCom's answer: ids joined by ``|``; a list without any is left out."""
        lists = {"invaliduser": self.invaliduser, "invalidparty": self.invalidparty, "invalidtag": self.invalidtag}
        return {name: "|".join(ids) for name, ids in lists.items() if ids}


class Directory:
    def __init__(self) -> None:
        self.departments = {ROOT: Department(ROOT, "沙箱公司", 0)}
        self.members: dict[str, Member] = {}
        self.tags: dict[int, Tag] = {}

    def add_department(self, id: int, name: str, parent_id: int) -> None:
        self.departments[id] = Department(id, name, parent_id)

    def add_member(self, user_id: str, name: str, departments: Iterable[int]) -> None:
        """Departments that do not exist yet are made below the root, as ``user/create`` does (path/90195)."""
        ids = tuple(departments)
        for id in ids:
            if id not in self.departments:
                self.add_department(id, f"部门 {id}", ROOT)
        self.members[user_id.lower()] = Member(user_id, name, ids)

    def add_tag(self, id: int, name: str, users: Iterable[str], departments: Iterable[int]) -> None:
        self.tags[id] = Tag(id, name, frozenset(user.lower() for user in users), frozenset(departments))

    def audience(self, touser: str, toparty: str, totag: str) -> Audience:
        """Resolves the three lists. 82001 where all are empty, 81013 where nothing in them exists."""
        if touser.strip() == "@all":
            return Audience(tuple(member.user_id for member in self.members.values()))
        users, parties, tags = _ids(touser), _ids(toparty), _ids(totag)
        _check_sizes(users, parties, tags)
        departments = {str(id): id for id in self.departments}
        known_tags = {str(id): tag for id, tag in self.tags.items()}
        audience = Audience(
            self._members_of(
                {id for id in users if id in self.members},
                {departments[id] for id in parties if id in departments},
                [known_tags[id] for id in tags if id in known_tags],
            ),
            tuple(id for id in users if id not in self.members),
            tuple(id for id in parties if id not in departments),
            tuple(id for id in tags if id not in known_tags),
        )
        if (audience.invaliduser, audience.invalidparty, audience.invalidtag) == (users, parties, tags):
            raise Refusal(81013, **audience.invalid())
        return audience

    def _members_of(self, users: set[str], departments: set[int], tags: list[Tag]) -> tuple[str, ...]:
        for tag in tags:
            users = users | tag.users
            departments = departments | tag.departments
        return tuple(
            member.user_id
            for id, member in self.members.items()
            if id in users or any(above in departments for own in member.departments for above in self._line(own))
        )

    def _line(self, department: int) -> Iterator[int]:
        """The department and those above it; a message to one of them reaches its whole tree."""
        seen: set[int] = set()
        while department in self.departments and department not in seen:
            seen.add(department)
            yield department
            department = self.departments[department].parent_id


def _ids(joined: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id.strip().lower() for id in joined.split("|") if id.strip()))


def _check_sizes(users: tuple[str, ...], parties: tuple[str, ...], tags: tuple[str, ...]) -> None:
    if not (users or parties or tags):
        raise Refusal(82001)
    if len(users) > MAX_USERS:
        raise Refusal(40032)
    if len(parties) > MAX_PARTIES:
        raise Refusal(82002)
    if len(tags) > MAX_TAGS:
        raise Refusal(82003)
