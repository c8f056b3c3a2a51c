"""`Delivery`: a message on its way, with the claims that it sends."""

from __future__ import annotations

from dataclasses import dataclass

from .._incidents import stored
from .._state.failover import LET_GO_S, Claim
from .message import Outgoing


@dataclass(slots=True, eq=False)
class Delivery(Outgoing):
    """A message with the claims that it tells."""

    claims: list[Claim]
    phoned: str = ""
    """Of a step that calls its people: that they were called, or why not."""

    @property
    def level(self) -> int:
        return max(claim.incident.level for claim in self.claims)

    @property
    def rank(self) -> int:
        """That of the highest; behind all others once rounds have failed often: WeCom may refuse just this one."""
        return max(stored.rank_of(claim.incident, self.rounds) for claim in self.claims)

    def waits_too_long(self, now: float) -> bool:
        """Whether other processes are to try."""
        since = max(claim.claimed_at for claim in self.claims)
        return not self.done and any(claim.is_shared for claim in self.claims) and now - since > LET_GO_S
