"""The counters: what became of every record. Counting takes no lock and can be interrupted anywhere."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

from ..model import Stats

REASONS = ("queue_overflow", "rejected", "expired", "exit_timeout", "disabled", "closed")
_PIECE = 100_000
"""Counted in one go, about a millisecond in which no other thread runs."""


class Number:
    """A number that only rises. One increment is one call in C, so it is exact under threads and signals.

    ``add`` adds one and returns how many that makes; it needs no frame of the stack, which may be used up. ``count``
    is what it calls, for counting in several numbers at once.
    """

    __slots__ = ("add", "count")

    def __init__(self) -> None:
        self.count = itertools.count(1)
        self.add = self.count.__next__

    def add_many(self, number: int) -> None:
        """Add a number, in pieces, each as exact as ``add``."""
        use_up(itertools.islice(self.count, number))

    @property
    def value(self) -> int:
        return reading(self.count)


def reading(count: itertools.count[int]) -> int:
    """How often a counter that begins with 1 has counted."""
    return int(repr(count)[6:-1]) - 1  # count(5): reading its state by __reduce__ warns from 3.12 on


def use_up(counting: Iterator[object]) -> None:
    """Count on, in pieces: who is torn away goes on later where it was."""
    while deque(itertools.islice(counting, _PIECE), maxlen=1):
        pass


class Counters:
    """One handler's numbers. A record is accepted first and settled once."""

    def __init__(self) -> None:
        self.accepted = Number()
        self.delivered = Number()
        self.merged = Number()
        self.handed_over = Number()
        self.dropped = {reason: Number() for reason in REASONS}

    def refuse(self, reason: str) -> None:
        """A record that is lost at once."""
        next(zip(self.accepted.count, self.dropped[reason].count, strict=False))

    def merge(self) -> None:
        """A record that says once more what another process has told."""
        next(zip(self.accepted.count, self.merged.count, strict=False))

    def settle(self, how: str, captured: int, counted: int, seen: int) -> None:
        """How records ended: ``captured`` with a text of their own, ``counted`` without.

        What was ``seen`` before is no alert of its own: of one that is lost it is not lost once more.
        """
        use_up(self.settling(how, captured, counted, seen))

    def settling(self, how: str, captured: int, counted: int, seen: int) -> Iterator[object]:
        """What does the same when it is used up."""
        if how == "handed_over":
            return itertools.islice(self.handed_over.count, captured + counted + seen)
        alerts = self.delivered if how == "delivered" else self.dropped[how]
        repeats = self.merged if how == "delivered" else alerts
        return itertools.chain(
            itertools.islice(alerts.count, captured),
            itertools.islice(repeats.count, counted),
            itertools.islice(self.merged.count, seen),
        )

    def losses(self) -> dict[str, int]:
        """What was lost so far, by reason."""
        return {reason: number for reason, tally in self.dropped.items() if (number := tally.value)}

    def stats(self) -> Stats:
        """The numbers now. What is settled is read first, so that ``pending`` is never negative."""
        delivered, merged, handed_over = self.delivered.value, self.merged.value, self.handed_over.value
        dropped = self.losses()
        accepted = self.accepted.value
        return Stats(
            accepted=accepted,
            delivered=delivered,
            merged=merged,
            handed_over=handed_over,
            dropped=dropped,
            pending=accepted - delivered - merged - handed_over - sum(dropped.values()),
        )
