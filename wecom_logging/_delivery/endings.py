"""`Endings`: what became of incidents, in the counters and tallies of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from .._capture.intake import Intake
from .._incidents.incident import Incident, Kept, Own
from .._render.mask import slim


class Endings:
    """Writes down how incidents ended. It outlives no fork: the child has counters of its own."""

    def __init__(self, intake: Intake, clock: Callable[[], float]) -> None:
        self._intake = intake
        self._clock = clock
        self.losses_told: Mapping[str, int] = MappingProxyType({})
        """What the last delivered message said of alerts that are lost."""

    def losses(self) -> Mapping[str, int]:
        """How many alerts are lost so far, by reason."""
        return self._intake.counters.losses()

    def count(self, how: str, own: Own) -> None:
        """Records of this process have ended."""
        self._intake.counters.settle(how, own.captured, own.counted, own.seen)

    def told(self, before: Incident, after: Incident | None, how: str, own: Own | None, now: float) -> None:
        """A message about it was delivered, handed over or refused; ``after``: it lives on. ``own``: as of a swap."""
        if own is not None:
            self.count(how, own)
        if (tally := self._intake.of(before.key)) is not None:
            if after is None:
                self._intake.end(tally)
            else:
                tally.first = after.first
                self._intake.settled(tally, how, now)
        release_ticket(before.first)

    def given_up(self, incident: Incident, why: str) -> None:
        """What is still counted of it is lost with it."""
        if (tally := self._intake.of(incident.key)) is not None:
            self._intake.lost(tally, why)

    def over(self, incident: Incident) -> None:
        """It was quiet for so long that what comes now is new."""
        if (tally := self._intake.of(incident.key)) is not None:
            self._intake.end(tally)

    def left_memory(self, key: str, reason: str, own: Own) -> Iterator[object]:
        """An incident had to leave memory for another (any thread may find that), or a further sighting was told."""
        if reason != "delivered" and (tally := self._intake.of(key)) is not None:
            self._intake.lost(tally, reason)
        return self._intake.counters.settling(reason, own.captured, own.counted, own.seen) if reason else iter(())

    def handed_over(self, incident: Incident, key: str, how: str, own: Own) -> None:
        """It has left this process's memory, for the shared store, where its key is ``key``, or for good."""
        self.count(how, own)
        tally = self._intake.of(incident.key)
        if how != "handed_over":
            self.given_up(incident, how)
        elif tally is not None:
            tally.first = slim_first(incident.first)
            self._intake.settled(tally, how, self._clock())
            self._intake.rename(tally, key)
        release_ticket(incident.first)


def slim_first(first: object) -> Kept:
    """Of a first alert what later messages need."""
    return first if isinstance(first, Kept) else Kept(slim(first.alert))  # type: ignore[attr-defined] # a First


def release_ticket(first: object) -> None:
    """A first alert need not be kept past this process any more."""
    ticket, holder = getattr(first, "ticket", None), first
    if ticket is not None:
        holder.ticket = None  # type: ignore[attr-defined] # it has one
        ticket.done()
