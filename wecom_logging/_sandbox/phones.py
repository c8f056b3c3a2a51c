"""The phones of members: which of them WeCom calls, and what became of it. Times are those of the sandbox's clock."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

RING_S = 45
TALK_S = 10
"""How long the voice speaks."""
KEPT_S = 7 * 24 * 3600
KEPT = 1000

ENDED, RINGS, TALKING = 0, 1, 3
REASONS = {"no_answer": 4, "refuse": 7, "off": 8, "too_often": 13, "busy": 16}
HOW = ("answer", "refuse", "no_answer", "off")
"""What a member can do."""


@dataclass(slots=True)
class Ring:
    """One call. ``how`` it went is empty while it rings; ``at`` is the time of that."""

    id: str
    user_id: str
    began: float
    how: str = ""
    at: float = 0.0

    def state(self, now: float) -> dict[str, Any]:
        """As ``pstncc/getstates`` tells it."""
        how = self.how or ("no_answer" if now - self.began >= RING_S else "")
        if how == "answer":
            talks = now - self.at < TALK_S
            talked, reason = (int(now - self.at), TALKING) if talks else (TALK_S, ENDED)
        else:
            talked, reason = 0, REASONS.get(how, RINGS)
        return {
            "istalked": int(how == "answer"),
            "calltime": int(self.began),
            "talktime": talked,
            "reason": reason,
        }


class Phones:
    """What a member does ahead of a call holds for the next one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rings: deque[Ring] = deque(maxlen=KEPT)
        self._ahead: dict[str, str] = {}

    def ring(self, user_id: str, *, too_often: bool) -> Ring:
        now = self._clock()
        how = "busy" if self._ringing(user_id) else "too_often" if too_often else self._ahead.pop(user_id, "")
        ring = Ring(f"6-{int(now)}-{secrets.token_hex(8)}-out", user_id, now, how, now)
        self._rings.append(ring)
        return ring

    def do(self, user_id: str, how: str) -> None:
        """With the call that rings, or, where none does, with the next one."""
        ring = self._ringing(user_id)
        if ring is None:
            self._ahead[user_id] = how
        else:
            ring.how, ring.at = how, self._clock()

    def find(self, id: str) -> Ring | None:
        """Of the last seven days."""
        since = self._clock() - KEPT_S
        return next((ring for ring in self._rings if ring.id == id and ring.began >= since), None)

    def newest(self, most: int = KEPT) -> list[Ring]:
        """The newest first."""
        return list(reversed(self._rings))[:most]

    def _ringing(self, user_id: str) -> Ring | None:
        now = self._clock()
        rings = (ring for ring in reversed(self._rings) if ring.user_id == user_id)
        return next((ring for ring in rings if ring.state(now)["reason"] == RINGS), None)


def ring_json(ring: Ring, now: float) -> dict[str, Any]:
    return {"callid": ring.id, "user_id": ring.user_id, **ring.state(now)}
