"""`Delivery`: a message on its way, with the claims that it sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .._incidents import stored
from .._state.failover import LET_GO_S, Claim
from ..model import EVERYBODY, Digest, File, Outcome, Recipients
from ..model.duty import Called, Held
from ..model.recipients import MAX_SENT_IDS
from .message_builder import Part


@dataclass(slots=True, eq=False)
class Delivery:
    """A message on its way to ``recipients`` (None: those of the channel), with the claims that it tells.

    ``parts`` is what was made of them, ``done`` how many of these were sent, ``rounds`` how many rounds have failed.
    """

    claims: list[Claim]
    digests: list[Digest]
    recipients: Recipients | None
    parts: tuple[Part, ...] = ()
    done: int = 0
    rounds: int = 0
    named: Recipients | None = None
    """Where a rota is named among them: those who are, as given. Who is on call is asked when it goes."""
    nobody: tuple[str, ...] = ()
    """Rotas by which nobody is on call, which its first line says."""
    failed: bool = False
    """Whether who is on call could not be found out."""
    is_step: bool = False
    """Whether it is that of a step of an escalation, to whom that tells."""
    phoned: str = ""
    """Of a step that calls its people: that they were called, or why not."""
    cause: str = ""
    """What all claims have in common, where that is why they share a message."""
    summarized: int = 0
    """Of a flood: how many of the first claims stand in its summary, too; all stand in its file."""
    held: Held | None = None
    """What all claims have waited for, where that is why they share a message."""
    sent_ids: tuple[str, ...] = ()
    """The user ids of those who got it."""
    uploads: dict[str, File] = field(default_factory=dict)
    """Its file, by the channel to which it was uploaded: a bot sends no other's."""
    losses: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def address(self, named: Recipients, found: Called) -> None:
        """It goes to those whom this names now; its text is made anew where its first line changes."""
        if found.nobody != self.nobody:
            self.parts, self.summarized = (), 0
        self.named, self.recipients, self.nobody, self.failed = named, found.recipients, found.nobody, found.failed

    @property
    def heard(self) -> tuple[str, ...]:
        """The persons who got it in the place of a rota, and beside them."""
        return self.recipients.users if self.named is not None and self.recipients is not None else ()

    def reached(self, known: Recipients, outcome: Outcome) -> None:
        """It went to those who are ``known`` by id, but for whom WeCom has left out."""
        left_out = {EVERYBODY, *map(str.lower, (*outcome.invalid_users, *outcome.unlicensed_users))}
        self.sent_ids = tuple(user for user in known.users if user.lower() not in left_out)[:MAX_SENT_IDS]

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
