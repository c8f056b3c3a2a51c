"""user/…, what is read: one member, a department's members, the ids of all page by page, and whose a number or id is.

Pages: get https://developer.work.weixin.qq.com/document/path/90196, simplelist /90200, list /90201, list_id /96067,
getuserid /95402, get_userid_by_email /95895, convert_to_openid /90202, openuserid_to_userid /101521; getcallbackip
/90930 and get_api_domain_ip /92520. A department that is not there is 60123; a member or a department out of the app's
range is 60011. The lists hold a department's own members only: the page tells to walk down the tree oneself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any

from werkzeug.wrappers import Request

from .access import Access
from .aibot.state import all_open
from .corp import Corp
from .directory import Member
from .fields import Fields, in_address, parse
from .profile import MOBILE_BYTES, check_user_id
from .refusal import Refusal, known, refuse_if
from .visibility import Sight, in_order, member_json

MAX_PAGE = 10_000
WRONG_SHARE = 0.2
WRONG_AT_LEAST = 5
DAY_S = 24 * 3600
CHINA_S = 8 * 3600
EMAIL_KINDS = {1: ("biz_mail", 60148), 2: ("email", 60147)}
IP_LIST = ["127.0.0.1"]
MAX_OPEN_IDS = 1000

Answer = dict[str, Any]
Place = tuple[int, int]
"""A row of ``user/list_id``: the member's number, and the how-manieth of its departments."""


class Roster:
    def __init__(self, corp: Corp, access: Access) -> None:
        self._corp = corp
        self._directory = corp.directory
        self._access = access
        self._wrong: defaultdict[tuple[str, int], int] = defaultdict(int)

    def get(self, request: Request) -> Answer:
        grant, sight = self._access.reader(request, details=True)
        member = known(self._directory.member(check_user_id(request.args.get("userid", ""))), 60111)
        refuse_if(not sight.sees_member(member), 60011)
        return member_json(self._directory, member, sight, secret=grant.agent_id is None)

    def list_names(self, request: Request) -> Answer:
        _, sight = self._access.reader(request, details=True)
        return {"userlist": [_short(member, sight) for member in self._people(request, sight)]}

    def list_details(self, request: Request) -> Answer:
        grant, sight = self._access.reader(request, details=True)
        secret = grant.agent_id is None
        people = self._people(request, sight)
        return {"userlist": [member_json(self._directory, member, sight, secret=secret) for member in people]}

    def list_id(self, request: Request) -> Answer:
        """For contacts-sync alone. ``next_cursor`` is empty on the last page."""
        self._access.contacts(request)
        body = parse(request)
        limit = body.number("limit", MAX_PAGE)
        body.refuse_if(not 1 <= limit <= MAX_PAGE, "limit", f"must be from 1 to {MAX_PAGE}")
        rows = list(islice(self._rows(_read_cursor(body)), limit + 1))
        more = len(rows) > limit
        page = [{"userid": member.user_id, "department": member.departments[i]} for member, i in rows[:limit]]
        member, i = rows[limit - 1] if more else (None, 0)
        return {"next_cursor": _cursor((member.number, i)) if member else "", "dept_user": page}

    def _people(self, request: Request, sight: Sight) -> list[Member]:
        id = in_address(request, "department_id")
        if id is None or id not in self._directory.departments:
            raise Refusal(60123)
        refuse_if(not sight.sees_department(id), 60011)
        return in_order(self._directory, self._directory.people(id))

    def _rows(self, after: Place) -> Iterator[tuple[Member, int]]:
        number, index = after
        for member in self._directory.members_after(number - 1):
            first = index + 1 if member.number == number else 0
            for i in range(first, len(member.departments)):
                yield member, i

    def by_mobile(self, request: Request) -> Answer:
        _, sight = self._access.reader(request)
        body = parse(request)
        self._check("mobile")
        refuse_if(len(body.text("mobile").encode()) not in MOBILE_BYTES, 60103)
        return self._owner("mobile", "mobile", body.text("mobile"), 60146, sight)

    def by_email(self, request: Request) -> Answer:
        _, sight = self._access.reader(request)
        body = parse(request)
        kind = body.number("email_type", 1)
        body.refuse_if(kind not in EMAIL_KINDS, "email_type", "must be 1 or 2")
        self._check("email")
        refuse_if(not body.text("email"), 60105)
        field, errcode = EMAIL_KINDS[kind]
        return self._owner("email", field, body.text("email"), errcode, sight)

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
        refuse_if(self._wrong[call, self._day()] > self._borne(), 45009)

    def _borne(self) -> float:
        return max(WRONG_AT_LEAST, WRONG_SHARE * len(self._directory.members))

    def _day(self) -> int:
        return int((self._corp.clock() + CHINA_S) // DAY_S)

    def ip_list(self, request: Request) -> Answer:
        """Nothing calls back from the sandbox, and it is reached on this machine."""
        self._access.grant(request)
        return {"ip_list": IP_LIST}

    def openid(self, request: Request) -> Answer:
        _, sight = self._access.reader(request)
        member = self._directory.member(check_user_id(parse(request).text("userid")))
        if member is None or not sight.sees_member(member):
            raise Refusal(60111)
        return {"openid": _openid(member)}

    def userid(self, request: Request) -> Answer:
        self._access.reader(request)
        wanted = parse(request).text("openid")
        for member in self._directory.members.values():
            if _openid(member) == wanted:
                return {"userid": member.user_id}
        raise Refusal(43004)

    def open_userids(self, request: Request) -> Answer:
        """The members behind the AI bot's encrypted ids, as far as the app sees them; plain ids are invalid here."""
        _, sight = self._access.reader(request)
        ids = parse(request).texts("open_userid_list")
        refuse_if(not 1 <= len(ids) <= MAX_OPEN_IDS, 40032)
        found: list[dict[str, str]] = []
        members = all_open(self._directory)
        for id in ids:
            member = self._directory.member(members.get(id, ""))
            if member and sight.sees_member(member):
                found.append({"userid": member.user_id, "open_userid": id})
        known = {one["open_userid"] for one in found}
        return {"userid_list": found, "invalid_open_userid_list": [id for id in ids if id not in known]}


def _openid(member: Member) -> str:
    """A made-up one; the same member has always the same."""
    return "o" + hashlib.sha256(member.key.encode()).hexdigest()[:27]


def _short(member: Member, sight: Sight) -> Answer:
    departments = [id for id in member.departments if sight.sees_department(id)]
    return {"userid": member.user_id, "name": member.name, "department": departments}


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode()


def _read_cursor(body: Fields) -> Place:
    text = body.text("cursor")
    if not text:
        return 0, -1
    try:
        number, index = base64.b64decode(text, altchars=b"-_", validate=True).decode().split(".")
        return int(number), int(index)
    except (ValueError, binascii.Error):
        raise body.wrong("cursor", "is not one that WeCom gave") from None
