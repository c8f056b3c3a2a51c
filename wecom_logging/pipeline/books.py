"""The books: what became of every record. Counting takes no lock and can be interrupted anywhere."""

from __future__ import annotations

import itertools
from types import MappingProxyType

from ..model import Stats
from .inbox import Waiting

REASONS = ("queue_overflow", "rejected", "expired", "exit_timeout", "disabled", "closed")


class Tally:
    """A number that only rises. One increment is one call in C, so it is exact under threads and signals.

    ``add`` adds one and returns how many that makes; it needs no frame of the stack, which may be used up.
    """

    __slots__ = ("_count", "add")

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self.add = self._count.__next__

    @property
    def value(self) -> int:
        return int(repr(self._count)[6:-1]) - 1  # count(5): reading its state by __reduce__ warns from 3.12 on


class Books:
    """One handler's numbers. A record is accepted first and settled once."""

    def __init__(self) -> None:
        self.accepted = Tally()
        self.delivered = Tally()
        self.merged = Tally()
        self.handed_over = Tally()
        self.dropped = {reason: Tally() for reason in REASONS}
        self.alerts = Tally()  # what was put into the inbox, numbered by it …
        self.ended = Tally()  # … and what of that is settled

    def accept(self, waiting: Waiting) -> None:
        """A record becomes an alert, with the next number."""
        self.accepted.add()
        waiting.number = self.alerts.add()

    def refuse(self, reason: str) -> None:
        """A record that is lost at once."""
        self.accepted.add()
        self.dropped[reason].add()

    def sight(self, waiting: Waiting) -> None:
        """A further sighting of an exception: it is settled together with its first, or now if that is over."""
        self.accepted.add()
        waiting.sightings.append(None)
        if waiting.ended is not None:
            self._settle_sightings(waiting)

    def settle(self, waiting: Waiting, how: str) -> None:
        """How an alert and all sightings of it ended. Only the first call counts: the exit hook may be faster."""
        how = "delivered" if waiting.done else how  # a part of it stands in a message
        if waiting.end(how):
            self._tally(how).add()
            self.ended.add()
            self._settle_sightings(waiting)

    def _tally(self, how: str) -> Tally:
        return {"delivered": self.delivered, "handed_over": self.handed_over}.get(how) or self.dropped[how]

    def _settle_sightings(self, waiting: Waiting) -> None:
        """Each sighting is booked once, by whoever takes it out: the worker, or a thread that came too late for it."""
        assert waiting.ended is not None
        tally = self.merged if waiting.ended == "delivered" else self._tally(waiting.ended)
        while waiting.sightings:
            try:
                waiting.sightings.pop()
            except IndexError:  # another thread was faster
                return
            tally.add()

    def stats(self) -> Stats:
        """The numbers now. What is settled is read first, so that ``pending`` is never negative."""
        delivered, merged, handed_over = self.delivered.value, self.merged.value, self.handed_over.value
        dropped = {reason: tally.value for reason, tally in self.dropped.items() if tally.value}
        accepted = self.accepted.value
        return Stats(
            accepted=accepted,
            delivered=delivered,
            merged=merged,
            handed_over=handed_over,
            dropped=MappingProxyType(dropped),
            pending=accepted - delivered - merged - handed_over - sum(dropped.values()),
        )
