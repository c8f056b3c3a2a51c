"""`Claims`: what one process may send of what is due in the store, and what policy has to know of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from .._capture.collector import Collector
from .._duty.moment import Moment, what_holds
from .._incidents import life, policy
from .._incidents.escalation import also_told
from .._incidents.fingerprint import audience_of, recipients_of
from .._incidents.incident import Related
from .._incidents.limits import SUMMARY_S
from .._incidents.policy import Rules
from .._state.base import Wanted
from .._state.failover import Claim, FailoverStore
from ..model import Recipients
from .duties import Duties
from .ledger import Ledger
from .outbox import Outbox
from .sender import Senders

MAX_SHARED = 100
"""So many incidents are claimed at once, or share a message."""


@dataclass(eq=False, repr=False)
class Claims:
    """Those of one handler. Who claims holds the lock of the turn.

    ``given`` is whom the names of audiences mean, as this handler was given them.
    """

    _collector: Collector
    _store: FailoverStore
    _ledger: Ledger
    _outbox: Outbox
    _senders: Senders
    _duties: Duties
    _given: Mapping[str, Recipients | None]

    def __post_init__(self) -> None:
        self._telling: dict[str, float] = {}
        """What this process tells for all, and since when."""

    def due(
        self, now: float, most: int, audience: str | None = None, cause: str = "", urgent: Sequence[str] = ()
    ) -> list[Claim]:
        """What is due, the most severe first."""
        wanted = Wanted(most, urgent, self._outbox.blocked, audience, cause)
        return [self._after_hand_over(one) for one in self._store.claim(now, wanted, draining=self.is_draining)]

    def _after_hand_over(self, claim: Claim) -> Claim:
        """Who has heard of it and is on call no more is one of those told too."""
        if not claim.incident.heard:
            return claim
        now = self._duties.known(self.recipients(claim), claim.incident) or Recipients()
        known = {who for one in (now, *policy.told_by_steps(claim.incident)) for who in one.users}
        before = tuple(who for who in claim.incident.heard if who not in known)
        return replace(claim, incident=also_told(claim.incident, audience_of(Recipients(before)))) if before else claim

    def sharing(self, lead: Claim, now: float, cause: str = "") -> list[Claim]:
        """What is due of its audience and may share a message with it; the others are released."""
        claims = self.free(self.due(now, MAX_SHARED - 1, lead.incident.audience, cause), now)
        apart = {one.key for one in claims if self.stands_alone(one, now) or not self.goes_with(lead, one)}
        self._ledger.release([one for one in claims if one.key in apart], now)
        return [one for one in claims if one.key not in apart]

    def along(self, claim: Claim, now: float) -> list[Claim]:
        """Where a digest goes, or an end, others that will be due soon go in the same message."""
        mark, draining = self._store.mark(), self.is_draining
        urgent, along = [*mark.here, *mark.shared][: MAX_SHARED - 1], []
        found = self.due(now, MAX_SHARED - 1, claim.incident.audience, urgent=urgent)
        for one in self.free(found, now):
            may = one.key not in self._ledger.refused and self.goes_with(claim, one)
            if may and policy.may_go_along(one.incident, now, draining=draining):
                along.append(replace(one, incident=life.going_along(one.incident, now)))
            else:
                self._ledger.hold(one, one.incident.not_before, now)
        return along

    def together(self, lead: Claim, now: float) -> list[Claim]:
        """Those of its audience whose steps do now what its step does, or whose line is the same; the others are
        released."""
        if lead.key in self._ledger.refused or policy.of_step(lead.incident, now) is None:
            return []
        claims = self.free(self.due(now, MAX_SHARED - 1, lead.incident.audience), now)
        found = {one.key for one in claims if self.are_together(lead, one, now)}
        self._ledger.release([one for one in claims if one.key not in found], now)
        return [one for one in claims if one.key in found]

    def are_together(self, lead: Claim, claim: Claim, now: float) -> bool:
        of_step = policy.of_step(lead.incident, now)
        is_same = of_step is not None and of_step == policy.of_step(claim.incident, now)
        return is_same and claim.key not in self._ledger.refused

    def tells_for_all(self, claim: Claim, now: float, wait_s: float, what: str = "") -> bool:
        """Whether this process tells now what all processes want to tell at this moment.

        The one does that takes it for its audience (``what``: apart from summaries), ``wait_s`` later, when the others
        have put back what they had. Else the claim is put back.
        """
        audience = claim.incident.audience
        if not claim.is_shared or self.is_draining:
            return True
        name = f"{what}{audience}"
        self._telling = {one: at for one, at in self._telling.items() if now < at + SUMMARY_S}
        if name not in self._telling and self._senders.take_summary(name, 2 * wait_s if what else SUMMARY_S):
            self._telling[name] = now
        until = self._telling.get(name, now + wait_s) + wait_s
        if until > now:
            self._outbox.gather(audience, until)
            self._ledger.release([claim], now)
            return False
        del self._telling[name]
        return True

    def free(self, claims: list[Claim], now: float) -> list[Claim]:
        """Those that no quiet hours and no maintenance hold; the others wait for their end."""
        held = [(one, by) for one in claims if (by := what_holds(one.incident.level, self.moment(one))) is not None]
        if held:
            self._store.quieten(held, now)
        waits = {claim.key for claim, _ in held}
        return [claim for claim in claims if claim.key not in waits]

    def ends(self, claim: Claim, now: float) -> bool:
        return policy.ends(claim.incident, now, closed=self._collector.closed)

    def without_ended(self, claims: Sequence[Claim], now: float) -> list[Claim]:
        """Those that do not end without a message; the others end."""
        ended = {claim.key for claim in claims if self.ends(claim, now)}
        self._ledger.end([claim for claim in claims if claim.key in ended], now)
        return [claim for claim in claims if claim.key not in ended]

    # What holds of one of them now.

    def stands_alone(self, claim: Claim, now: float) -> bool:
        return policy.stands_alone(claim.incident, now, refused=claim.key in self._ledger.refused)

    def goes_with(self, lead: Claim, claim: Claim) -> bool:
        """Whether a message about both goes to the same people."""
        return self._duties.are_for_same(self.recipients(lead), lead.incident, claim.incident)

    def related(self, claim: Claim, now: float, causes: Collection[str] = ()) -> Sequence[Related]:
        """The open incidents of its audience and cause."""
        return self._store.related(claim, causes or [claim.incident.cause], now)

    def moment(self, claim: Claim) -> Moment:
        is_closing = (self._collector.closed or self._store.batches.ends) and not claim.is_shared
        return self._duties.moment(claim.incident, is_closing=is_closing)

    def rules(self, claim: Claim, now: float) -> Rules:
        """What holds for a claim and its audience now."""
        audience = claim.incident.audience
        recipients = self._duties.known(self.recipients(claim), claim.incident)
        return Rules(
            room_at=now + self._senders.wait(recipients),
            shares=self._senders.room(recipients)[1],
            refused=claim.key in self._ledger.refused,
            draining=self.is_draining,
            summary_at=self._senders.summary_at(audience),
            gathers_until=self._outbox.gathering.get(audience, float("-inf")),
            no_files_until=self._senders.no_files_until,
        )

    def recipients(self, claim: Claim) -> Recipients | None:
        """Those whom its audience names; names of members are looked up when it is sent. None: those of the channel."""
        audience = claim.incident.audience
        if audience in self._given:
            return self._given[audience]
        found = recipients_of(audience)
        return found if found is None or found else claim.incident.first.alert.recipients  # whom it means stands there

    @property
    def is_draining(self) -> bool:
        """Whether all that is untold is due."""
        return self._senders.draining or self._collector.closed


def alone(claim: Claim, now: float) -> Claim:
    """As it is where its message is about nothing else."""
    return replace(claim, incident=life.alone(claim.incident, now))
