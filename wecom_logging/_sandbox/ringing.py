"""pstncc/… (紧急通知): WeCom calls members' phones, which reminds of what the app has sent: a call has no text.

Pages: call https://developer.work.weixin.qq.com/document/path/91627, getstates /91628.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .access import Answer, Asked
from .corp import Corp
from .limits import Limit, SlidingWindow
from .phones import ring_json
from .refusal import refuse_if
from .shapes import WrongField
from .visibility import Sight

LIMITS = (Limit(3, 8 * 60), Limit(8, 24 * 3600))
"""Of a person."""
REFUSED = {"not_linked": 301049, "not_enabled": 301050}
"""By the switch ``phone_calls``; without a balance no call begins, and what became of others is still told."""
UNKNOWN = 60111
NO_MOBILE = 60103


class Ringing:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._window = corp.rates["call"] = SlidingWindow(corp.clock, *LIMITS)

    def call(self, asked: Asked) -> Answer:
        """One state for each; of those who cannot be called it has another ``code`` than 0."""
        sight = self._allowed(asked)
        body = asked.body
        users = dict.fromkeys(body.texts("callee_userid"))
        body.missing_if(not users, "callee_userid")
        refuse_if(self._corp.phone_calls == "no_balance", 301051)
        return {"states": [self._begin(user_id, sight) for user_id in users]}

    def states(self, asked: Asked) -> Answer:
        """Of one call; the user id is a text here, and a list in ``call``."""
        self._allowed(asked)
        body = asked.body
        for name in ("callee_userid", "callid"):
            body.missing_if(not body.text(name), name)
        ring = self._corp.phones.find(body.text("callid"))
        if ring is None or ring.user_id.lower() != body.text("callee_userid").lower():
            raise body.wrong("callid", "is that of no call to this member in seven days")
        return ring.state(self._corp.clock())

    def _allowed(self, asked: Asked) -> Sight:
        refuse_if(self._corp.phone_calls in REFUSED, REFUSED.get(self._corp.phone_calls, 0))
        return asked.sight

    def _begin(self, user_id: str, sight: Sight) -> Answer:
        member = sight.member(user_id)
        if member is None:
            return {"code": UNKNOWN, "callid": "", "userid": user_id}
        if not member.mobile:
            return {"code": NO_MOBILE, "callid": "", "userid": user_id}
        ring = self._corp.phones.ring(member.user_id, too_often=not self._window.admits(member.key))
        return {"code": 0, "callid": ring.id, "userid": member.user_id}


def list_rings(corp: Corp) -> list[Answer]:
    return [ring_json(ring, corp.clock()) for ring in corp.phones.newest()]


def answer_ring(corp: Corp, wish: Mapping[str, Any]) -> None:
    member = corp.directory.member(wish["user_id"])
    if member is None:
        raise WrongField("user_id", "there is no such member")
    corp.phones.do(member.user_id, wish["how"])
