"""user/getuserid and user/get_userid_by_email: who has this number, this address.

https://developer.work.weixin.qq.com/document/path/95402 and /95895. Nobody: 60146 for a mobile, 60148 for the address
in the corp's own mail (``biz_mail``), 60147 for the other one. The older 46004 is in the list of codes too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from werkzeug.wrappers import Request

from .access import Access
from .corp import Corp
from .fields import parse
from .profile import MOBILE_BYTES
from .refusal import Refusal

WRONG_SHARE = 0.2
WRONG_AT_LEAST = 5
DAY_S = 24 * 3600
CHINA_S = 8 * 3600
EMAIL_KINDS = {1: ("biz_mail", 60148), 2: ("email", 60147)}

Answer = dict[str, Any]


class Lookups:
    """Who guesses is shut out: more wrong ones than a fifth of the corp, and the call is closed for the day (45009).

    The page counts from the corp's upper limit of members, which the sandbox does not have: it takes the members that
    are there, and bears five wrong ones even in a small corp. The one that is too many is answered with 45009 itself.
    Each of the two calls is counted on its own; the day is China's.
    """

    def __init__(self, corp: Corp, access: Access) -> None:
        self._corp = corp
        self._access = access
        self._wrong: defaultdict[tuple[str, int], int] = defaultdict(int)

    def by_mobile(self, request: Request) -> Answer:
        _, sight = self._access.reader(request)
        body = parse(request)
        mobile = body.text("mobile")
        self._check("mobile")
        if len(mobile.encode()) not in MOBILE_BYTES:
            raise Refusal(60103)
        member = self._corp.directory.owner_of("mobile", mobile)
        if member is None:
            raise self._miss("mobile", 60146)
        if not sight.sees_member(member):
            raise Refusal(60011)
        return {"userid": member.user_id}

    def by_email(self, request: Request) -> Answer:
        _, sight = self._access.reader(request)
        body = parse(request)
        kind = body.number("email_type", 1)
        if kind not in EMAIL_KINDS:
            raise body.wrong("email_type", "must be 1 or 2")
        self._check("email")
        if not body.text("email"):
            raise Refusal(60105)
        field, errcode = EMAIL_KINDS[kind]
        member = self._corp.directory.owner_of(field, body.text("email"))
        if member is None:
            raise self._miss("email", errcode)
        if not sight.sees_member(member):
            raise Refusal(60011)
        return {"userid": member.user_id}

    def _check(self, call: str) -> None:
        if self._wrong[call, self._day()] > self._borne():
            raise Refusal(45009)

    def _miss(self, call: str, errcode: int) -> Refusal:
        self._wrong[call, self._day()] += 1
        return Refusal(errcode if self._wrong[call, self._day()] <= self._borne() else 45009)

    def _borne(self) -> float:
        return max(WRONG_AT_LEAST, WRONG_SHARE * len(self._corp.directory.members))

    def _day(self) -> int:
        return int((self._corp.clock() + CHINA_S) // DAY_S)
