"""`Ledger`: what became of each alert: in the counters and tallies, in the store, on stderr, and for ``on_outcome``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from .._capture.intake import Intake
from .._incidents import escalation, life
from .._incidents.incident import Incident, Kept, Own
from .._incidents.limits import MAX_TOLD_TOO
from .._lines import line
from .._render.mask import slim
from .._state.failover import Claim, FailoverStore
from .delivery import Delivery
from .options import Options
from .reports import Reports


class Ledger:
    """That of one handler. It outlives no fork: the child has counters of its own.

    What takes claims is called with the lock of the turn held.
    """

    store: FailoverStore
    """Where the claims come from; it is made after this, and says here what ends in it."""

    def __init__(self, intake: Intake, options: Options, clock: Callable[[], float]) -> None:
        self._intake = intake
        self._options = options
        self._clock = clock
        self._expired = 0
        self.refused: set[str] = set()
        """Keys of incidents that WeCom refused in a shared message: each is judged alone."""
        self.left_behind = 0
        """How many alerts the write-ahead file keeps for the next process."""
        self.reports = Reports(intake.counters, options)

    # What becomes of claims.

    def release(self, claims: Sequence[Claim], now: float, *, failed: int = 0) -> None:
        """Not sent now; after so many rounds that failed."""
        self.store.swap([(claim, life.released(claim.incident, now, failed=failed), "") for claim in claims], now)

    def hold(self, claim: Claim, until: float, now: float) -> None:
        """Not sent before then."""
        self.store.swap([(claim, life.released(claim.incident, now, until - now), "")], now)

    def become(self, claims: Iterable[Claim], after: Callable[[Incident], Incident], now: float) -> None:
        """Nothing was told of them: each is another one."""
        self.store.swap([(claim, after(claim.incident), "") for claim in claims], now)

    def sent(self, claims: Sequence[Claim], how: str, now: float, why: str = "", by: Delivery | None = None) -> None:
        """They were sent, here (``by`` a message) or by the fallback, or refused: the counters, the tallies, when they
        are due again."""
        after = [_after(claim, now, why, by) for claim in claims]
        ended = self.store.swap([(claim, new, why) for claim, new in zip(claims, after, strict=True)], now)
        for claim, new, own in zip(claims, after, ended, strict=True):
            if own is not None:
                self._count(how, own)
            if new is None or new.ended:
                self._over(claim)
            elif (tally := self._intake.of(claim.key)) is not None:
                tally.first = new.first
                self._intake.settled(tally, how, now, life.quiet_s(new))
            self._close(claim)

    def reject(self, claims: Sequence[Claim], now: float) -> None:
        """WeCom refuses them for good, or they cannot be made into a message."""
        made = [claim for claim in claims if _is_made(claim)]
        self.sent(made, "rejected", now, "rejected")
        self.give_up([claim for claim in claims if claim not in made], "rejected", now)

    def give_up(self, claims: Sequence[Claim], why: str, now: float) -> None:
        """They are lost, with all that was counted of them."""
        for claim in claims:
            self._lose(claim.incident, why)
        ended = self.store.swap([(claim, None, why) for claim in claims], now)
        for claim, own in zip(claims, ended, strict=True):
            if own is not None:
                self._count(why, own)
            self._close(claim)

    def end(self, claims: Sequence[Claim], now: float) -> None:
        """No message any more: what is untold of them has waited for too long, the others are over in silence."""
        if expired := [claim for claim in claims if claim.incident.untold]:
            self.give_up(expired, "expired", now)
            self._expired += sum(claim.incident.untold for claim in expired)
            row = "expired_kept" if any(claim.is_shared for claim in expired) else "expired"
            self._options.warn_once("expired", line(row, count=self._expired))
        over = [(claim, life.ended(claim.incident, now), "") for claim in claims if not claim.incident.untold]
        self.store.swap(over, now)
        for claim, _, _ in over:
            self._over(claim)

    def _over(self, claim: Claim) -> None:
        """What comes now is new."""
        if (tally := self._intake.of(claim.key)) is not None:
            self._intake.end(tally)

    def leave(self, incidents: Sequence[Incident]) -> None:
        """At exit: what is written ahead is left for the next process that opens the store; the rest is lost."""
        for incident in incidents:
            ticket = getattr(incident.first, "ticket", None)
            is_left = ticket is not None and ticket.is_written
            self._lose(incident, "exit_timeout")
            if (own := self.store.memory.remove(self.store.channel, incident.key)) is not None:
                self.left_behind += own.captured if is_left else 0
                self._count("handed_over" if is_left else "exit_timeout", own)

    # What the store says.

    def left_memory(self, key: str, reason: str, own: Own) -> Iterator[object]:
        """An incident had to leave memory for another (any thread may find that), or what was sent was
        reported again."""
        if reason != "delivered" and (tally := self._intake.of(key)) is not None:
            self._intake.lost(tally, reason)
        return self._intake.counters.settling(reason, own.captured, own.counted, own.seen) if reason else iter(())

    def handed_over(self, incident: Incident, key: str, how: str, own: Own) -> None:
        """It has left this process's memory, for the shared store, where its key is ``key``, or for good."""
        self._count(how, own)
        tally = self._intake.of(incident.key)
        if how != "handed_over":
            self._lose(incident, how)
        elif tally is not None:
            tally.first = _slim_first(incident.first)
            self._intake.settled(tally, how, self._clock(), life.quiet_s(incident))
            self._intake.rename(tally, key)
        _release_ticket(incident.first)

    # Of one alert.

    def _count(self, how: str, own: Own) -> None:
        """Records of this process have ended."""
        self._intake.counters.settle(how, own.captured, own.counted, own.seen)

    def _lose(self, incident: Incident, why: str) -> None:
        """What is still counted of it is lost with it."""
        if (tally := self._intake.of(incident.key)) is not None:
            self._intake.lost(tally, why)

    def _close(self, claim: Claim) -> None:
        self.refused.discard(claim.key)
        _release_ticket(claim.incident.first)


def _after(claim: Claim, now: float, why: str, by: Delivery | None) -> Incident | None:
    ends = life.is_over(claim.incident, claim.claimed_at)
    after = (life.refused if why else life.sent)(claim.incident, now, ends=ends)
    if after is None:
        return None
    after = replace(after, first=_slim_first(claim.incident.first))
    if by is None:
        return after
    heard = tuple(dict.fromkeys((*after.heard, *by.people)))[-MAX_TOLD_TOO:]
    return replace(after, heard=heard, sent_ids=escalation.with_ids(after, by.sent_ids))


def _is_made(claim: Claim) -> bool:
    """Whether its alert can be made: a later message needs it."""
    try:
        return bool(claim.incident.first.alert)
    except BaseException:  # of the user's redact, or a defect of ours
        return False


def _slim_first(first: object) -> Kept:
    """Of a first alert what later messages need."""
    return first if isinstance(first, Kept) else Kept(slim(first.alert))  # type: ignore[attr-defined] # a First


def _release_ticket(first: object) -> None:
    """A first alert need not be kept past this process any more."""
    ticket, holder = getattr(first, "ticket", None), first
    if ticket is not None:
        holder.ticket = None  # type: ignore[attr-defined] # it has one
        ticket.done()
