"""What waits in memory, bounded by number and bytes, across the one thread boundary.

A new alert is put down by one step that nothing can interrupt, so that a signal handler, a ``__del__`` or another
thread may log at any instant and waits for nobody. Whoever has a moment then sorts it into its lane: one for each level
and recipients, the oldest in front, so that the worker finds what may go now without walking over what may not. Where
others of its call site wait already, it goes into a second lane: a flood from one line lets all other lines go first.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

from ..model import Alert, Digest, Failure, Recipients
from ..state.base import Claim
from ..state.journal import Ticket
from .capture import Snapshot
from .groups import Group

T = TypeVar("T")
Site = tuple[str, int]
Lane = tuple[int, Recipients | None, bool]
MAX_UNSORTED = 1024
"""Small alerts: 3 to 7 MiB of them."""

PATIENCE = 3
"""Rounds after which an alert lets others go first: WeCom, or something before it, may refuse just this one."""

_BYTES = 2560
_STUCK_S = 2.0
"""Nobody sorts that long: whoever holds the section was torn out of it by an exception, such as Ctrl-C."""


class Waiting:
    """A message, or a part of a shared one, on its way to ``recipients`` (None: those of the channel).

    It begins with a ``snapshot`` that was captured, or with a ``group`` of which more was counted, or both. When it is
    its turn it becomes a ``digest``, with ``counted`` records besides those ``captured``: ``same`` of them repeats
    (None until they are taken), the rest further sightings. ``parts`` is what was made of it and of the ``others`` that
    share the message, ``done`` how many of those were sent. A ``picture`` goes after them. ``ended`` says how it was
    settled, None before. It is ``crowded`` if others of its call site waited when it came, None before it is sorted in.

    With a durable state the ``alert`` is made at once, and ``ticket`` is where that is written. What a shared state
    gave to be told has a ``claim``, and its numbers stand in nobody's books here.
    """

    snapshot: Snapshot | None = None
    digest: Digest | None = None
    captured = 1
    counted = 0
    same: int | None = None
    number = size = depth = rounds = done = 0
    quiet_s = 0.0
    forced = alone = inside = False
    crowded: bool | None = None
    parts: tuple[Any, ...] = ()
    picture = b""
    others: tuple[Waiting, ...] = ()
    losses: Mapping[str, int] = MappingProxyType({})
    ended: str | None = None
    alert: Alert | None = None
    ticket: Ticket | None = None
    claim: Claim | None = None

    def __init__(self, level: int, recipients: Recipients | None, group: Group | None, accepted_at: float) -> None:
        self.level = level
        self.recipients = recipients
        self.group = group
        self.accepted_at = accepted_at

    @property
    def lane(self) -> Lane:
        return (self.level, self.recipients, bool(self.crowded))

    @property
    def lost_with_its_first(self) -> str:
        """Why it cannot be told, if the first of its group has not been and never will be."""
        return self.group.lost if self.group is not None and not self.captured else ""

    @property
    def site(self) -> Site:
        """The line of the program that made it."""
        if self.group is not None:
            return self.group.site
        return ("", 0) if self.digest is None else (self.digest.alert.place.file, self.digest.alert.place.line)

    @property
    def together(self) -> tuple[Waiting, ...]:
        """This one and those that share its message."""
        return (self, *self.others)

    def end(self, how: str) -> bool:
        """Settle it, once: False if somebody has done it already."""
        mine = [how]
        if self.__dict__.setdefault("_ending", mine) is not mine:
            return False
        self.ended = how
        return True

    def weigh(self) -> int:
        """About how many bytes it takes in memory, with its group."""
        weight = _BYTES + len(self.picture)
        if (made := self.snapshot) is not None:
            weight += sys.getsizeof(made.message) + sys.getsizeof(made.values[-1])
            if not made.is_small:
                texts = [made.stack, made.title, made.formatted or ""]
                weight += _texts(texts, made.fields, made.failures)
        elif self.digest is not None:
            alert = self.digest.alert
            texts = [alert.message, alert.stack, alert.title, alert.formatted or ""]
            weight += _texts(texts, alert.fields, alert.failures)
        return weight


def _texts(texts: list[str], fields: Iterable[tuple[str, str]], chain: Iterable[Failure]) -> int:
    texts += [text for pair in fields for text in pair]
    failures = list(chain)
    weight = 0
    while failures:
        failure = failures.pop()
        texts += [failure.text, *failure.notes]
        weight += 256 + 128 * len(failure.frames)
        failures += [member for chain in failure.members for member in chain]
    return weight + sum(map(sys.getsizeof, texts))


def popped(queue: deque[T]) -> Iterator[T]:
    """Each that stands in a queue, once, while others may take some of them too."""
    while True:
        try:
            first = queue.popleft()
        except IndexError:
            return
        yield first


def _rank(lane: Lane) -> tuple[int, bool]:
    """The most severe first."""
    level, _, crowded = lane
    return -level, crowded


class Inbox:
    """Lanes of waiting alerts, and the one that is on its way. ``overflow`` gets each that had to leave for another."""

    def __init__(self, max_number: int, max_bytes: int, overflow: Callable[[Waiting], None]) -> None:
        self._max_number = max_number
        self._max_unsorted = min(max_number, MAX_UNSORTED)
        self._max_bytes = max_bytes
        self._overflow = overflow
        self._arrivals: deque[tuple[Any, ...]] = deque()  # each with its number
        self._torn = False
        self._pushed_out: deque[Waiting] = deque()
        self._section = threading.Lock()
        self._lanes: dict[Lane, deque[Waiting]] = {}
        self._sites: Counter[tuple[int, Recipients | None, Site]] = Counter()  # how many of each wait
        self._leaving: dict[int, deque[Waiting]] = {}  # by level, who leaves first in front, with some who have left
        self._leaving_number = 0
        self._number = 0
        self._bytes = 0
        self.on_its_way: Waiting | None = None

    def __len__(self) -> int:
        return self._number + len(self._arrivals)

    # Any thread, at any instant.

    def put(self, numbered: Iterable[tuple[Any, ...]]) -> None:
        """Put down an alert that comes with its number. Nothing can interrupt it if all that gives it is in C."""
        self._arrivals.extend(numbered)

    def relieve(self) -> None:
        """Sort what was put down if that is much; else the worker will do it, when it looks."""
        try:
            newest = self._arrivals[-1][0].snapshot if self._arrivals else None
        except IndexError:  # somebody has sorted it at this instant
            return
        if len(self._arrivals) > self._max_unsorted or not getattr(newest, "is_small", True):
            self.admit()

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

    def take_others(self, recipients: Recipients | None, most: int) -> tuple[Waiting, ...]:
        """Those that may share a message to these recipients, the most severe first."""
        found: list[Waiting] = []
        with self._sorted():
            for lane in sorted((lane for lane in self._lanes if lane[1] == recipients), key=_rank):
                fitting = (waiting for waiting in self._lanes[lane] if not (waiting.alone or waiting.parts))
                found += list(islice(fitting, most - len(found)))
            for waiting in found:
                self._remove(waiting)
        return tuple(found)

    def put_back(self, *several: Waiting) -> None:
        """Return those whose round failed: to the front, or behind the others once one has failed often."""
        with self._sorted():
            self.on_its_way = None
            self._return(several)

    def return_others(self, others: Iterable[Waiting]) -> None:
        """Return those for whom there was no room."""
        with self._sorted():
            self._return(others)

    def _return(self, several: Iterable[Waiting]) -> None:
        for waiting in reversed(tuple(several)):
            if waiting.ended is None:
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
            waiting = [waiting for lane in self._lanes.values() for waiting in lane]
            if self.on_its_way is not None:
                waiting.append(self.on_its_way)
            return min((one.number for each in waiting for one in each.together), default=float("inf"))

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
        for waiting in popped(self._pushed_out):
            self._overflow(waiting)

    def _sort_in(self) -> None:
        if self._torn:
            self._mend()
        try:
            for _ in range(len(self._arrivals)):
                self._sort(self._arrivals[0])
            while self._number > self._max_number or (self._bytes > self._max_bytes and self._number > 1):
                level = min(self._leaving)
                waiting = self._leaving[level].popleft()
                if not self._leaving[level]:
                    del self._leaving[level]
                self._leaving_number -= 1
                if waiting.inside:
                    self._pushed_out.append(waiting)
                    self._remove(waiting)
        except BaseException:  # Ctrl-C, or no stack left, amid a change
            self._torn = True
            raise

    def _sort(self, first: tuple[Any, ...]) -> None:
        """Sort an arrival in: it must not fall between the two."""
        waiting, waiting.number, *_ = first
        if not waiting.inside:
            self._insert(waiting, front=False)
        try:
            self._arrivals.remove(first)
        except ValueError:  # another thread took this one for stuck, and has done it
            return

    def _mend(self) -> None:
        """Count anew what is in the lanes, after a change that was not finished."""
        leave = {id(waiting) for waiting in self._pushed_out}
        stay = [one for lane in self._lanes.values() for one in dict.fromkeys(lane)]
        stay = [waiting for waiting in stay if waiting.ended is None and id(waiting) not in leave]
        self._lanes, self._sites, self._leaving = {}, Counter(), {}
        self._leaving_number = self._number = self._bytes = 0
        self._torn = False
        for waiting in stay:
            self._insert(waiting, front=False)

    def _turn(self, lane: Lane) -> tuple[int, tuple[int, bool], int]:
        first = self._lanes[lane][0]
        return (first.rounds // PATIENCE, _rank(lane), first.number)

    def _insert(self, waiting: Waiting, *, front: bool) -> None:
        waiting.size = waiting.size or waiting.weigh()
        site = (waiting.level, waiting.recipients, waiting.site)
        if waiting.crowded is None:
            waiting.crowded = site in self._sites
        lane = self._lanes.setdefault(waiting.lane, deque())
        (lane.appendleft if front else lane.append)(waiting)
        waiting.inside = True
        self._sites[site] += 1
        self._number += 1
        self._bytes += waiting.size
        leaving = self._leaving.setdefault(waiting.level, deque())
        (leaving.appendleft if front else leaving.append)(waiting)
        self._leaving_number += 1
        if self._leaving_number > 2 * self._number + 64:
            self._tidy()

    def _tidy(self) -> None:
        """Forget those who have left, and second entries of those who have come back."""
        kept = {
            level: deque(dict.fromkeys(waiting for waiting in leaving if waiting.inside))
            for level, leaving in self._leaving.items()
        }
        self._leaving = {level: leaving for level, leaving in kept.items() if leaving}
        self._leaving_number = sum(map(len, self._leaving.values()))

    def _remove(self, waiting: Waiting) -> Waiting:
        lane = self._lanes[waiting.lane]
        lane.remove(waiting)  # almost always the first
        if not lane:
            del self._lanes[waiting.lane]
        waiting.inside = False
        site = (waiting.level, waiting.recipients, waiting.site)
        self._sites[site] -= 1
        if self._sites[site] <= 0:
            del self._sites[site]
        self._number -= 1
        self._bytes -= waiting.size
        return waiting
