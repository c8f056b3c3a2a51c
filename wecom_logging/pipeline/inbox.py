"""What waits in memory, bounded by number and bytes, across the one thread boundary.

A new alert is put down by one step that nothing can interrupt, so that a signal handler, a ``__del__`` or another
thread may log at any instant and waits for nobody. Whoever has a moment then sorts it into its lane: one for each level
and recipients, the oldest in front, so that the worker finds what may go now without walking over what may not.
"""

from __future__ import annotations

import heapq
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..model import Alert, Recipients

Lane = tuple[int, Recipients | None]
PATIENCE = 3
"""Rounds after which an alert lets others go first: WeCom, or something before it, may refuse just this one."""

_STUCK_S = 2.0
"""Nobody sorts that long: whoever holds the section was torn out of it by an exception, such as Ctrl-C."""


@dataclass(slots=True, eq=False)
class Waiting:
    """An alert on its way to ``recipients`` (None: those of the channel).

    ``parts`` is what the worker made of it, ``done`` how many of those were sent.
    ``sightings`` has an entry for each further record about the very same exception object. ``ended`` says how the
    alert was settled, None before.
    """

    alert: Alert | None
    size: int
    recipients: Recipients | None = None
    number: int = 0
    accepted_at: float = 0.0
    rounds: int = 0
    parts: tuple[Any, ...] = ()
    done: int = 0
    inside: bool = False
    depth: int = 0
    ended: str | None = None
    sightings: deque[None] = field(default_factory=deque)
    level: int = field(init=False)
    lane: Lane = field(init=False)
    _open: list[None] = field(default_factory=lambda: [None])

    def __post_init__(self) -> None:
        assert self.alert is not None
        self.level = self.alert.level
        self.lane = (self.level, self.recipients)

    def end(self, how: str) -> bool:
        """Settle it, once: False if somebody has done it already."""
        try:
            self._open.pop()
        except IndexError:
            return False
        self.ended = how
        return True

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
    """Lanes of waiting alerts, and the one that is on its way. ``overflow`` gets each that had to leave for another."""

    def __init__(self, max_number: int, max_bytes: int, overflow: Callable[[Waiting], None]) -> None:
        self._max_number = max_number
        self._max_bytes = max_bytes
        self._overflow = overflow
        self._arrivals: deque[Waiting] = deque()
        self._pushed_out: deque[Waiting] = deque()
        self._section = threading.Lock()
        self._lanes: dict[Lane, deque[Waiting]] = {}
        self._leaving: list[tuple[int, int, Waiting]] = []  # a heap: who leaves first, with some who have left
        self._number = 0
        self._bytes = 0
        self.on_its_way: Waiting | None = None

    def __len__(self) -> int:
        return self._number + len(self._arrivals)

    # Any thread, at any instant.

    def put(self, waiting: Waiting) -> None:
        """Put an alert down. Nothing can interrupt it, and it waits for nothing."""
        self._arrivals.append(waiting)

    def admit(self) -> None:
        """Sort what was put down into lanes. If somebody is at it, he finds the new ones before he goes."""
        while self._arrivals and self._section.acquire(blocking=False):
            self._leave()

    # The worker, or whoever stands in for it.

    def take(self, wait_for: Callable[[Recipients | None], float]) -> tuple[Waiting | None, float]:
        """The most severe alert that may go now, else None and the seconds until one may (infinity: none waits)."""
        with self._sorted():
            shortest = float("inf")
            for lane in sorted(self._lanes, key=self._turn):
                wait = wait_for(lane[1])
                if wait <= 0:
                    self.on_its_way = self._remove(self._lanes[lane][0])
                    return self.on_its_way, 0.0
                shortest = min(shortest, wait)
            return None, shortest

    def put_back(self, waiting: Waiting) -> None:
        """Return the alert whose round failed: to the front, or behind the others once it has failed often."""
        with self._sorted():
            self.on_its_way = None
            self._insert(waiting, front=waiting.rounds % PATIENCE != 0 or not waiting.rounds)

    def arrived(self) -> None:
        """The alert that was on its way is settled."""
        self.on_its_way = None

    def take_if(self, leaves: Callable[[Waiting], bool]) -> list[Waiting]:
        """Remove and return all for which ``leaves`` is true."""
        with self._sorted():
            gone = [waiting for lane in self._lanes.values() for waiting in lane if leaves(waiting)]
            return [self._remove(waiting) for waiting in gone]

    def oldest_number(self) -> float:
        """The smallest number of all that wait or are on their way; infinity if none is."""
        with self._sorted():
            numbers = [waiting.number for lane in self._lanes.values() for waiting in lane]
            if self.on_its_way is not None:
                numbers.append(self.on_its_way.number)
            return min(numbers, default=float("inf"))

    @contextmanager
    def _sorted(self) -> Iterator[None]:
        """The section in which lanes change: one thread at a time, with nothing left to be sorted."""
        self._section.acquire(timeout=_STUCK_S)
        try:
            self._sort_in()
            yield
        finally:
            self._leave()
            self.admit()

    def _leave(self) -> None:
        """Sort in what came meanwhile, leave the section, and only then tell who was pushed out."""
        try:
            self._sort_in()
        finally:
            if self._section.locked():
                self._section.release()
        while self._pushed_out:
            self._overflow(self._pushed_out.popleft())

    def _sort_in(self) -> None:
        for _ in range(len(self._arrivals)):
            waiting = self._arrivals.popleft()
            try:
                self._insert(waiting, front=False)
            except BaseException:  # Ctrl-C, or no stack left: it must not fall between the two
                if not waiting.inside:
                    self._arrivals.appendleft(waiting)
                raise
        while self._number > self._max_number or (self._bytes > self._max_bytes and self._number > 1):
            *_, waiting = heapq.heappop(self._leaving)
            if waiting.inside:
                self._pushed_out.append(self._remove(waiting))

    def _turn(self, lane: Lane) -> tuple[int, int, int]:
        first = self._lanes[lane][0]
        return (first.rounds // PATIENCE, -first.level, first.number)

    def _insert(self, waiting: Waiting, *, front: bool) -> None:
        lane = self._lanes.setdefault(waiting.lane, deque())
        (lane.appendleft if front else lane.append)(waiting)
        waiting.inside = True
        self._number += 1
        self._bytes += waiting.size
        heapq.heappush(self._leaving, (waiting.level, waiting.number, waiting))
        if len(self._leaving) > 2 * self._number + 64:
            self._leaving = [entry for entry in set(self._leaving) if entry[2].inside]
            heapq.heapify(self._leaving)

    def _remove(self, waiting: Waiting) -> Waiting:
        lane = self._lanes[waiting.lane]
        lane.remove(waiting)  # almost always the first
        if not lane:
            del self._lanes[waiting.lane]
        waiting.inside = False
        self._number -= 1
        self._bytes -= waiting.size
        return waiting
