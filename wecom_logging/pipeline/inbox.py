"""What waits in memory, bounded by number and bytes, across the one thread boundary.

Alerts stand in lanes, one for each level and recipients, the oldest in front. A lane is cheap to look at, so the worker
finds what may go now without walking over what may not. The lock is re-entrant and held for a few steps in which no
user code runs: a signal handler or a ``__del__`` that logs here waits for nothing.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..model import Alert, Recipients

Lane = tuple[int, Recipients | None]
PATIENCE = 3
"""Rounds after which an alert lets others go first: WeCom, or something before it, may refuse just this one."""


@dataclass(slots=True, eq=False)
class Waiting:
    """An alert on its way. ``parts`` is what the worker made of it, ``done`` how many of those were sent.

    ``sightings`` counts further records about the very same exception object; ``told`` is how it ended, None before.
    """

    alert: Alert | None
    size: int
    accepted_at: float = 0.0
    number: int = 0
    rounds: int = 0
    parts: tuple[Any, ...] = ()
    done: int = 0
    sightings: int = 0
    told: bool | None = None
    level: int = field(init=False)
    lane: Lane = field(init=False)

    def __post_init__(self) -> None:
        assert self.alert is not None
        self.level = self.alert.level
        self.lane = (self.level, self.alert.recipients)

    def __reduce__(self) -> tuple[object, ...]:
        return (dict, ())  # it marks exceptions, which programs pickle and copy: the mark does not travel


def weigh(alert: Alert) -> int:
    """About how many bytes an alert takes in memory."""
    texts = [alert.message, alert.template, alert.stack, alert.title, alert.formatted or ""]
    texts += [text for pair in alert.fields for text in pair]
    failures = list(alert.failures)
    weight = 1024
    while failures:
        failure = failures.pop()
        texts += [failure.text, *failure.notes]
        weight += 256 + 128 * len(failure.frames)
        failures += [member for chain in failure.members for member in chain]
    return weight + sum(map(sys.getsizeof, texts))


class Inbox:
    """Lanes of waiting alerts."""

    def __init__(self, max_number: int, max_bytes: int) -> None:
        self.lock = threading.RLock()
        self._max_number = max_number
        self._max_bytes = max_bytes
        self._lanes: dict[Lane, deque[Waiting]] = {}
        self._number = 0
        self._bytes = 0

    def __len__(self) -> int:
        return self._number

    def put(self, waiting: Waiting) -> list[Waiting]:
        """Add an alert behind those of its lane; return what had to leave for it, the lowest level first."""
        with self.lock:
            self._insert(waiting, front=False)
            pushed_out = []
            while self._number > self._max_number or (self._bytes > self._max_bytes and self._number > 1):
                lane = min(self._lanes, key=lambda lane: (lane[0], self._lanes[lane][0].number))
                pushed_out.append(self._remove(lane, 0))
            return pushed_out

    def put_back(self, waiting: Waiting) -> None:
        """Return an alert whose round failed: to the front, or behind the others once it has failed often."""
        with self.lock:
            self._insert(waiting, front=waiting.rounds % PATIENCE != 0)

    def take(self, wait_for: Callable[[Recipients | None], float]) -> tuple[Waiting | None, float]:
        """The most severe alert that may go now, else None and the seconds until one may (infinity: none waits)."""
        with self.lock:
            shortest = float("inf")
            for lane in sorted(self._lanes, key=self._turn):
                wait = wait_for(lane[1])
                if wait <= 0:
                    return self._remove(lane, 0), 0.0
                shortest = min(shortest, wait)
            return None, shortest

    def take_if(self, leaves: Callable[[Waiting], bool]) -> list[Waiting]:
        """Remove and return all for which ``leaves`` is true."""
        with self.lock:
            gone: list[Waiting] = []
            for lane in list(self._lanes):
                kept: deque[Waiting] = deque()
                for waiting in self._lanes[lane]:
                    (gone if leaves(waiting) else kept).append(waiting)
                self._lanes[lane] = kept
                if not kept:
                    del self._lanes[lane]
            self._number -= len(gone)
            self._bytes -= sum(waiting.size for waiting in gone)
            return gone

    def oldest_number(self) -> float:
        """The smallest number of all that wait; infinity if none does."""
        with self.lock:
            return min((waiting.number for lane in self._lanes.values() for waiting in lane), default=float("inf"))

    def _turn(self, lane: Lane) -> tuple[int, int, int]:
        first = self._lanes[lane][0]
        return (first.rounds // PATIENCE, -first.level, first.number)

    def _insert(self, waiting: Waiting, *, front: bool) -> None:
        lane = self._lanes.setdefault(waiting.lane, deque())
        (lane.appendleft if front else lane.append)(waiting)
        self._number += 1
        self._bytes += waiting.size

    def _remove(self, lane: Lane, place: int) -> Waiting:
        waiting = self._lanes[lane][place]
        del self._lanes[lane][place]
        if not self._lanes[lane]:
            del self._lanes[lane]
        self._number -= 1
        self._bytes -= waiting.size
        return waiting
