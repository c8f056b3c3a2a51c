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

from .access import Answer, Asked
from .aibot.state import all_open
from .corp import Corp
from .directory import Member
from .fields import Fields
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
Place = tuple[int, int]
"""A row of ``user/list_id``: the member's number, and the how-manieth of its departments."""


class Roster:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._directory = corp.directory
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
        rows = list(islice(self._rows(_read_cursor(body)), limit + 1))
        more = len(rows) > limit
        page = [{"userid": member.user_id, "department": member.departments[i]} for member, i in rows[:limit]]
        member, i = rows[limit - 1] if more else (None, 0)
        return {"next_cursor": _cursor((member.number, i)) if member else "", "dept_user": page}

    def _people(self, asked: Asked) -> list[Member]:
        id = known(asked.number("department_id"), 60123)
        refuse_if(id not in self._directory.departments, 60123)
        refuse_if(not asked.sight.sees_department(id), 60011)
        return in_order(self._directory, self._directory.people(id))

    def _rows(self, after: Place) -> Iterator[tuple[Member, int]]:
        for member in self._directory.members.values():
            for i in range(len(member.departments)):
                if (member.number, i) > after:
                    yield member, i

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
