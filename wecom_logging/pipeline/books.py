"""The books: what became of every record. Counting takes no lock and can be interrupted anywhere."""

from __future__ import annotations

import itertools
from types import MappingProxyType

from ..model import Stats

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
        self.dropped = {reason: Tally() for reason in REASONS}

    def stats(self) -> Stats:
        """The numbers now. What is settled is read first, so that ``pending`` is never negative."""
        delivered, merged = self.delivered.value, self.merged.value
        dropped = {reason: tally.value for reason, tally in self.dropped.items() if tally.value}
        accepted = self.accepted.value
        return Stats(
            accepted=accepted,
            delivered=delivered,
            merged=merged,
            dropped=MappingProxyType(dropped),
            pending=accepted - delivered - merged - sum(dropped.values()),
        )
