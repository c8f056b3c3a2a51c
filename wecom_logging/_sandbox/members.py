"""user/…, and batch/invite: what contacts-sync may do with members, and what is read of them: one, those of a
department, the ids of all page by page, and whose a number or id is.

Pages: create https://developer.work.weixin.qq.com/document/path/90195, update /90197, delete /90198,
batchdelete /90199, invite /90975; get /90196, simplelist /90200, list /90201, list_id /96067, getuserid /95402,
get_userid_by_email /95895, convert_to_openid /90202, openuserid_to_userid /101521; getcallbackip /90930 and
get_api_domain_ip /92520. A department that is not there is made by create and refused with 60123 by all others; a
member or a department out of the app's range is 60011. The lists hold a department's own members only: the page tells
to walk down the tree oneself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from .access import Answer, Asked, Family
from .aibot.state import all_open
from .corp import CREATOR, Corp
from .directory import MAX_NODES, ROOT, Department, Member
from .fields import Fields
from .media import APPS
from .profile import MOBILE_BYTES, check_user_id, read_departments, read_leads, read_member, read_orders, read_profile
from .refusal import Refusal, known, refuse_if
from .visibility import Sight, check_sizes, in_order, member_json

UNPLACED = "其他"
MAX_DELETED = 200


class Members(Family):
    def create(self, asked: Asked) -> Answer:
        return self.add(asked.body)

    def add(self, body: Fields) -> Answer:
        """The new member is not activated yet: status 4."""
        user_id = check_user_id(body.text("userid"))
        refuse_if(self._directory.member(user_id), 60102)
        fields = self._read(body)
        refuse_if(not fields.get("name"), 60112)
        asked = read_departments(body) or (0,)
        refuse_if(0 in asked and self._directory.sibling(ROOT, UNPLACED) in asked, 40066)
        orders = read_orders(body, len(asked))
        leads = read_leads(body, asked) if body.has("is_leader_in_dept") else frozenset()
        main = self._main(body, asked, asked[0])
        self._check_room(asked)
        member = Member(user_id, departments=(), activated=False, profile=read_profile(body), **fields)
        _check_reachable(member)
        self._directory.check_contacts(member)  # before departments are made: a refusal leaves nothing behind
        made = self._make_missing(asked)
        place = {id: id or self._unplaced(asked) for id in asked}
        self._directory.put_member(
            replace(
                member,
                departments=tuple(place[id] for id in asked),
                orders=orders,
                leads=frozenset(place[id] for id in leads),
                main_department=place[main],
            )
        )
        more = {"created_department_list": {"department_info": made}} if made else {}
        return {"errmsg": "created", **more}

    def update(self, asked: Asked) -> Answer:
        return self.change(asked.body)

    def change(self, body: Fields) -> Answer:
        """What is absent stays as it is. An active member's mobile is the member's own: ignored, and no word of it."""
        old = self._known(body.text("userid"))
        if body.text("new_userid") not in ("", old.user_id):
            raise Refusal(301036)  # only for ids that WeCom made up, and the sandbox makes none up
        if old.activated:
            body = body.without("mobile")
        member = replace(old, **self._read(body), profile={**old.profile, **read_profile(body)})
        if old.mobile or old.email:
            _check_reachable(member)
        self._directory.put_member(self._moved(member, body))
        return {"errmsg": "updated"}

    def delete(self, asked: Asked) -> Answer:
        self._remove([self._known(asked.text("userid"))])
        return {"errmsg": "deleted"}

    def batchdelete(self, asked: Asked) -> Answer:
        """One wrong id, and no member is deleted."""
        ids = asked.body.texts("useridlist")
        refuse_if(not ids, 40063)
        refuse_if(len(ids) > MAX_DELETED, 40032)
        found = {id.lower(): self._directory.member(id) for id in ids}
        members = [member for member in found.values() if member]
        refuse_if(not members or len(members) < len(found), 40031)
        self._remove(members)
        return {"errmsg": "deleted"}

    def invite(self, asked: Asked) -> Answer:
        """No invitation is sent; what is wrong in the lists is told as WeCom tells it, in arrays."""
        body = asked.body
        users, parties, tags = body.texts("user"), body.numbers("party"), body.numbers("tag")
        check_sizes(len(users), len(parties), len(tags))
        parties, tags = list(dict.fromkeys(parties)), list(dict.fromkeys(tags))
        users = list(dict.fromkeys(users))
        invalid: dict[str, Any] = {
            "invaliduser": [id for id in users if not asked.sight.member(id)],
            "invalidparty": [id for id in parties if not asked.sight.sees_department(id)],
            "invalidtag": [id for id in tags if not asked.sight.knows_tag(id)],
        }
        refuse_if(sum(map(len, invalid.values())) == len(users) + len(parties) + len(tags), 81013, **invalid)
        return invalid

    def _read(self, body: Fields) -> dict[str, Any]:
        fields = read_member(body)
        refuse_if(not all(self._directory.member(id) for id in fields.get("direct_leader", ())), 60111)
        if body.text("avatar_mediaid"):
            self._corp.media.find(body.text("avatar_mediaid"), "image", APPS)
        return fields

    def _known(self, user_id: str) -> Member:
        return known(self._directory.member(check_user_id(user_id)), 60111)

    def _remove(self, members: Iterable[Member]) -> None:
        refuse_if(any(member.user_id == CREATOR for member in members), 301005)
        for member in members:
            self._directory.remove_member(member)

    def _moved(self, member: Member, body: Fields) -> Member:
        """Orders count only together with departments (path/90197)."""
        departments, orders, leads = member.departments, member.orders, member.leads
        if body.has("department"):
            departments = read_departments(body)
            refuse_if(not departments, 40066)
            refuse_if(not all(id in self._directory.departments for id in departments), 60123)
            self._check_room(id for id in departments if id not in member.departments)
            orders = read_orders(body, len(departments))
            leads &= set(departments)
        if body.has("is_leader_in_dept"):
            leads = read_leads(body, departments)
        usual = member.main_department if member.main_department in departments else departments[0]
        main = self._main(body, departments, usual)
        return replace(member, departments=departments, orders=orders, leads=leads, main_department=main)

    def _main(self, body: Fields, departments: tuple[int, ...], usual: int) -> int:
        main = body.number("main_department") or usual
        refuse_if(main not in departments, 60123)
        return main

    def _check_room(self, departments: Iterable[int]) -> None:
        refuse_if(any(self._directory.node_count(id) >= MAX_NODES for id in departments), 81001)

    def _make_missing(self, departments: tuple[int, ...]) -> list[dict[str, Any]]:
        """Makes the departments that are not there below the one for those who have none (path/90195, 2024-05)."""
        missing = [id for id in departments if id and id not in self._directory.departments]
        made = [Department(id, f"部门 {id}", self._unplaced(departments)) for id in missing]
        for department in made:
            self._directory.put_department(department)
        return [{"id": department.id, "name": department.name} for department in made]

    def _unplaced(self, asked: Iterable[int]) -> int:
        """The department 其他; made where it is missing, with an id that is not asked for."""
        id = self._directory.sibling(ROOT, UNPLACED)
        if id is None:
            id = self._directory.free_department_id(asked)
            self._directory.put_department(Department(id, UNPLACED, ROOT))
        return id


def _check_reachable(member: Member) -> None:
    refuse_if(not member.mobile and not member.email, 60129)


MAX_PAGE = 10_000
WRONG_SHARE = 0.2
WRONG_AT_LEAST = 5
DAY_S = 24 * 3600
CHINA_S = 8 * 3600
EMAIL_KINDS = {1: ("biz_mail", 60148), 2: ("email", 60147)}
IP_LIST = ["127.0.0.1"]
MAX_OPEN_IDS = 1000
Place = tuple[int, int]
"""A row of ``user/list_id``: the member's number, and the how-manieth of its departments."""


class Roster(Family):
    def __init__(self, corp: Corp) -> None:
        super().__init__(corp)
        self._wrong: defaultdict[tuple[str, int], int] = defaultdict(int)

    def get(self, asked: Asked) -> Answer:
        member = known(self._directory.member(check_user_id(asked.text("userid"))), 60111)
        refuse_if(not asked.sight.sees_member(member), 60011)
        return member_json(self._directory, member, asked.sight, secret=asked.agent_id is None)

    def list_names(self, asked: Asked) -> Answer:
        found = []
        for member in self._people(asked):
            departments = [id for id in member.departments if asked.sight.sees_department(id)]
            found.append({"userid": member.user_id, "name": member.name, "department": departments})
        return {"userlist": found}

    def list_details(self, asked: Asked) -> Answer:
        secret = asked.agent_id is None
        people = self._people(asked)
        return {"userlist": [member_json(self._directory, member, asked.sight, secret=secret) for member in people]}

    def list_id(self, asked: Asked) -> Answer:
        """For contacts-sync alone. ``next_cursor`` is empty on the last page."""
        body = asked.body
        limit = body.number("limit", MAX_PAGE)
        body.refuse_if(not 1 <= limit <= MAX_PAGE, "limit", f"must be from 1 to {MAX_PAGE}")
        after, members = _read_cursor(body), self._directory.members.values()
        places = ((member, i) for member in members for i in range(len(member.departments)))
        rows = list(islice(((member, i) for member, i in places if (member.number, i) > after), limit + 1))
        more = len(rows) > limit
        page = [{"userid": member.user_id, "department": member.departments[i]} for member, i in rows[:limit]]
        member, i = rows[limit - 1] if more else (None, 0)
        cursor = base64.urlsafe_b64encode(f"{member.number}.{i}".encode()).decode() if member else ""
        return {"next_cursor": cursor, "dept_user": page}

    def _people(self, asked: Asked) -> list[Member]:
        id = known(asked.number("department_id"), 60123)
        refuse_if(id not in self._directory.departments, 60123)
        refuse_if(not asked.sight.sees_department(id), 60011)
        return in_order(self._directory, self._directory.people(id))

    def by_mobile(self, asked: Asked) -> Answer:
        mobile = asked.body.text("mobile")
        self._check("mobile")
        refuse_if(len(mobile.encode()) not in MOBILE_BYTES, 60103)
        return self._owner("mobile", "mobile", mobile, 60146, asked.sight)

    def by_email(self, asked: Asked) -> Answer:
        body = asked.body
        kind = body.number("email_type", 1)
        body.refuse_if(kind not in EMAIL_KINDS, "email_type", "must be 1 or 2")
        self._check("email")
        refuse_if(not body.text("email"), 60105)
        field, errcode = EMAIL_KINDS[kind]
        return self._owner("email", field, body.text("email"), errcode, asked.sight)

    def _owner(self, call: str, field: str, value: str, errcode: int, sight: Sight) -> Answer:
        """``errcode`` where no member has it. The older 46004 is in the list of codes too."""
        member = self._directory.owner_of(field, value)
        if member is None:
            self._wrong[call, self._day()] += 1
            self._check(call)
            raise Refusal(errcode)
        refuse_if(not sight.sees_member(member), 60011)
        return {"userid": member.user_id}

    def _check(self, call: str) -> None:
        """A caller that guesses is shut out: more wrong ones than a fifth of the corp, and the call is closed for the
        day (45009), the one that is too many included.

        The page counts from the corp's upper limit of members, which the sandbox does not have: it takes the members
        that are there, and bears five wrong ones even in a small corp. Each call is counted on its own; the day is
        China's.
        """
        borne = max(WRONG_AT_LEAST, WRONG_SHARE * len(self._directory.members))
        refuse_if(self._wrong[call, self._day()] > borne, 45009)

    def _day(self) -> int:
        return int((self._corp.clock() + CHINA_S) // DAY_S)

    def ip_list(self, asked: Asked) -> Answer:
        """Nothing calls back from the sandbox, and it is reached on this machine."""
        return {"ip_list": IP_LIST}

    def openid(self, asked: Asked) -> Answer:
        return {"openid": _openid(known(asked.sight.member(check_user_id(asked.body.text("userid"))), 60111))}

    def userid(self, asked: Asked) -> Answer:
        wanted = asked.body.text("openid")
        for member in self._directory.members.values():
            if _openid(member) == wanted:
                return {"userid": member.user_id}
        raise Refusal(43004)

    def open_userids(self, asked: Asked) -> Answer:
        """The members behind the AI bot's encrypted ids, as far as the app sees them; plain ids are invalid here."""
        ids = asked.body.texts("open_userid_list")
        refuse_if(not 1 <= len(ids) <= MAX_OPEN_IDS, 40032)
        found: list[dict[str, str]] = []
        members = all_open(self._directory)
        for id in ids:
            if member := asked.sight.member(members.get(id, "")):
                found.append({"userid": member.user_id, "open_userid": id})
        told = {one["open_userid"] for one in found}
        return {"userid_list": found, "invalid_open_userid_list": [id for id in ids if id not in told]}


def _openid(member: Member) -> str:
    """A made-up one; the same member has always the same."""
    return "o" + hashlib.sha256(member.key.encode()).hexdigest()[:27]


def _read_cursor(body: Fields) -> Place:
    text = body.text("cursor")
    if not text:
        return 0, -1
    try:
        number, index = base64.b64decode(text, altchars=b"-_", validate=True).decode().split(".")
        return int(number), int(index)
    except (ValueError, binascii.Error):
        raise body.wrong("cursor", "is not one that WeCom gave") from None
