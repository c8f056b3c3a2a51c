"""`Intake`: what the worker takes of what the calling threads have queued and counted, and when counting is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from logging import CRITICAL
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .._lines import line
from .._runtime.counters import Counters
from .options import CaptureOptions
from .pending import PendingAlert
from .plain import Plain, PlainRecords, Queues
from .tally import Tallies, Tally

if TYPE_CHECKING:
    from .._incidents.incident import Count, Own

MAX_QUEUED = 1024
"""Small alerts: 3 to 7 MiB of them. Beyond that the calling thread puts them into the store, where there is a bound."""

MAX_QUEUED_LARGE = 16
"""Of others: each may take a quarter of a MiB."""

_HUGE = 256 * 1024
"""One of so many bytes does not stay in the queue."""

READ_EVERY_S = 1.0
"""How old what is counted here may become before the store has it."""

_AT_A_FIRST_S = 0.02
"""After so long the worker looks again whether another thread has queued its first."""

_CLOSE_STEP_S = 0.05
"""Where thousands end one after the other, all are looked through no more often than this."""

_T = TypeVar("_T")


class Taken(NamedTuple):
    """What was counted in the incident of a tally since it was taken last: records that are the same, and duplicate
    reports."""

    tally: Tally
    same: int
    seen: int


def _oldest(queue: deque[_T]) -> _T | None:
    try:
        return queue[0]
    except IndexError:  # none is queued
        return None


def _taken(queue: deque[tuple[_T, int]]) -> _T | None:
    try:
        return queue.popleft()[0]
    except IndexError:  # as above, also where another thread was faster
        return None


def _firsts(queue: deque[tuple[Tally, int]]) -> list[PendingAlert]:
    return [first for tally, _ in queue.copy() if isinstance(first := tally.first, PendingAlert)]


def _excess(queue: deque[tuple[Tally, int]]) -> int:
    """How many more are queued than are to wait for the worker, which may be in a request."""
    try:
        newest = queue[-1][0].first
    except IndexError:  # it is empty, or another thread has taken it at this instant
        return 0
    if isinstance(newest, PendingAlert) and not newest.is_small:
        return len(queue) - (MAX_QUEUED_LARGE if newest.size < _HUGE else 0)
    return len(queue) - MAX_QUEUED


class Identified:
    """The new alerts of which no record is to be identified: a calling thread may put these into the store."""

    def __init__(self, queues: Queues[tuple[Tally, int]], opening: Callable[[Tally, int], Count]) -> None:
        self._queues = queues
        self._opening = opening

    def waiting(self) -> int:
        return sum(map(len, self._queues))

    def oldest(self) -> tuple[Tally, int, Callable[[], object]] | None:
        """The tally of the one that opens an incident next, its number, and what takes it out of its queue."""
        for queue in self._queues:
            if queue and (one := _oldest(queue)) is not None:
                return *one, partial(queue.remove, one)
        return None

    def first(self) -> tuple[Count, Callable[[], object]] | None:
        """The same as a count of a store."""
        if (found := self.oldest()) is None:
            return None
        tally, number, leave = found
        return self._opening(tally, number), leave


class Intake:
    """Of one handler. The worker uses it, or the thread that stands in for it; a forked child has another.

    The calling threads write to ``queues`` and ``woken``.
    """

    def __init__(self, options: CaptureOptions, counters: Counters, tallies: Tallies, plain: PlainRecords) -> None:
        self.counters = counters
        self.queues: Queues[tuple[Tally, int]] = deque(), deque()
        """The new alerts, each with its number."""
        self.identified = Identified(self.queues, self._opening)
        self.plain = plain
        """The records that are to be identified."""
        self.woken: dict[Tally, object] = {}
        """What the worker is to look at in its next turn."""
        self.next_close = float("inf")
        """When the first tally may be quiet for so long that it is over."""
        self._options = options
        self._tallies = tallies
        self._active: dict[Tally, None] = {}
        self._next_read = float("-inf")
        self._bytes = 0
        """What is queued takes about so much, or less."""
        self._full_at = inf
        """While so many are queued, a large one finds no room."""
        self._overflow_told = 0
        self._by_key: dict[str, Tally] = {}
        self._sites: dict[tuple[int, str, str, int], int] = {}

    def waiting(self) -> int:
        """How many new alerts are queued, and records that may be."""
        return self.identified.waiting() + sum(map(len, self.plain.queues))

    def first(self) -> tuple[Count, Callable[[], object]] | None:
        """What `oldest` gives as a count of a store."""
        if (found := self.oldest()) is None:
            return None
        tally, number, leave = found
        return self._opening(tally, number), leave

    def oldest(self) -> tuple[Tally, int, Callable[[], object]] | None:
        """The tally of the new alert that opens an incident next, its number, and what takes it out of its queue: the
        oldest of what is critical, else the oldest. Records that are to be identified, and are older, are counted where
        they are no new alert."""
        for records, queue in zip(self.plain.queues, self.queues, strict=True):
            while records and (one := _oldest(records)) is not None and one[1] < (_oldest(queue) or (None, inf))[1]:
                if (tally := self._opened_by(one, records)) is not None:
                    return tally, one[1], partial(records.remove, one)
            if queue:
                break
        return self.identified.oldest()

    def excess(self) -> int:
        """In a calling thread: how many more are queued than are to wait for the worker, which may be in a request."""
        urgent, others = self.queues
        return max(_excess(urgent), _excess(others)) if urgent or others else 0

    def is_full(self, level: int, made: PendingAlert) -> bool:
        """True if so much is queued, because threads log faster than the worker can sort, that a new alert is lost."""
        queued, most = sum(map(len, self.queues)), self._options.max_pending_bytes
        if len(self.queues[level < CRITICAL]) >= max(self._options.max_pending, 2 * MAX_QUEUED):
            return True
        if made.is_small or queued < MAX_QUEUED_LARGE:
            return False
        if queued >= self._full_at:
            return True
        self._full_at = inf
        weight = made.weigh()
        self._bytes += weight
        if self._bytes > most:  # what has left is still in this sum
            self._bytes = weight + sum(one.size - len(one.picture) for queue in self.queues for one in _firsts(queue))
            if self._bytes > most * 7 // 8:  # all is weighed seldom: when much has come, or gone
                self._full_at = queued * 7 // 8
        return queued >= self._full_at

    def has_room_for(self, picture: bytes) -> bool:
        """True if the pictures that are queued leave room for one more."""
        queued = sum(len(one.picture) for queue in self.queues for one in _firsts(queue))
        return queued + len(picture) <= self._options.max_pending_bytes

    def tell_overflow(self, *, in_all: bool = False) -> None:
        """Say what the calling threads had to push out."""
        lost, row = self.counters.dropped["queue_overflow"].value, "overflow_in_all" if in_all else "overflow"
        if lost > self._overflow_told and self._options.warn_once(row, line(row, count=lost)):
            self._overflow_told = lost

    def _opened_by(self, one: tuple[Plain, int], records: deque[tuple[Plain, int]]) -> Tally | None:
        """The tally that a record has opened; None where it was counted in another."""
        plain, leave = one[0], map(records.remove, (one,))
        with suppress(ValueError):  # another thread has taken it
            try:
                while (tally := plain.tally) is None:  # or another thread gives up at this instant what it had found
                    self.plain.identify(plain)
            except Exception as error:  # unforeseen: no memory
                next(zip(leave, self.counters.dropped["rejected"].count, strict=False))
                place = f"{plain.reading.values[7]}:{plain.reading.values[8]}"
                self._options.warn_once("rejected", line("not_captured", place=place, error=type(error).__name__))
                return None
            if plain.has_opened(tally):
                return tally
            tally.add_queued(leave)
            self.woken[tally] = None
            if plain.variant is not None:
                plain.variant.add()
            tally.newest = max(tally.last, plain.reading.values[3])
        return None

    def counted(self, now: float, *, at_once: bool = False) -> list[Count]:
        """What `taken` gives as counts of a store."""
        return [self._counted(*one) for one in self.taken(now, at_once=at_once)]

    def taken(self, now: float, *, at_once: bool = False) -> Iterator[Taken]:
        """What was counted since it was taken last, of incidents whose first was taken.

        Of one that was quiet before at once, of the others once a second, or ``at_once`` too.
        """
        woken = dict.fromkeys(self.woken)
        for tally in woken:
            self.woken.pop(tally, None)  # before it is read: who counts from now on wakes it again
        if at_once:
            self._active.update((tally, None) for tally in self._tallies if not tally.has_all_taken)
        self._active.update(woken)
        if at_once or now >= self._next_read:
            self._next_read = now + READ_EVERY_S
            woken = self._active
        for tally in list(woken):
            if (found := self._read(tally, now)) is not None:
                yield found
        for tally in self._closed():
            if (found := self._rest_of(tally)) is not None:
                yield found

    def seconds_to_next_read(self, now: float) -> float:
        """Until `counted` has something, as far as is known now: a record that comes then says so itself."""
        if self.waiting() or self.woken:
            return 0.0
        if self._tallies.closed:  # a thread is at a first
            return _AT_A_FIRST_S
        return max(self._next_read - now, 0.0) if self._active else float("inf")

    def of(self, key: str) -> Tally | None:
        return self._by_key.get(key)

    def rename(self, tally: Tally, key: str) -> None:
        """Count for the incident of this key from now on."""
        if self._by_key.get(tally.key) is tally:
            del self._by_key[tally.key]
        tally.key = key
        self._by_key[key] = tally

    def crowds(self, tally: Tally) -> bool:
        """Whether others of its line wait; until `leave_site` it is one of them."""
        if not tally.crowds:
            site = (tally.level, tally.audience, tally.path, tally.line)
            waiting = self._sites.get(site, 0)
            tally.crowded, tally.crowds = waiting > 0, True
            self._sites[site] = waiting + 1
        return tally.crowded

    def settled(self, tally: Tally, how: str, now: float, quiet_s: float) -> None:
        """A message about its incident has ended, or the store has that; it is over after ``quiet_s``."""
        from .._incidents import life

        tally.told_at = now
        tally.ended = how
        tally.quiet_s = quiet_s
        self.next_close = min(self.next_close, life.quiet_at(now, now, quiet_s, self._options.window_s))
        self.leave_site(tally)
        if now - tally.room_at >= self._options.window_s:
            tally.room_at = now
            tally.open_room()

    def lost(self, tally: Tally, why: str) -> None:
        """It was given up: what it has counted goes with it."""
        tally.lost = tally.lost or why
        self.end(tally)

    def give_up(self, why: str) -> None:
        """All that is queued and counted is lost."""
        for records in self.plain.queues:
            while (plain := _taken(records)) is not None:
                self.counters.settle(why, 1, 0, 0)
                if (tally := plain.tally) is not None and plain.has_opened(tally):
                    self.lost(tally, why)
        for queue in self.queues:
            while (tally := _taken(queue)) is not None:
                self.counters.settle(why, 1, 0, 0)
                self.lost(tally, why)
        deque(self.taken(0.0, at_once=True), maxlen=0)

    def end(self, tally: Tally) -> None:
        """Its incident is over: what comes now is new."""
        self.leave_site(tally)
        self._active.pop(tally, None)
        self._tallies.close(tally)
        if self._by_key.get(tally.key) is tally:  # last: who was torn away finds it again
            self._by_key.pop(tally.key, None)

    def close_quiet(self, now: float, is_answered: Callable[[str], bool]) -> None:
        """End those of which nothing was counted or told for so long that a record would be a new incident.

        ``is_answered``: whether a person did something with the incident of a key, which is in force, or its end waits.
        """
        if now < self.next_close:
            return
        from .._incidents import life

        self.next_close = float("inf")
        for tally in dict.fromkeys([*self._by_key.values(), *self._tallies]):  # several may count for one key
            if not tally.ended:
                continue
            ends = life.quiet_at(tally.told_at, tally.counted_at, tally.quiet_s, self._options.window_s)
            if now >= ends and is_answered(tally.key):
                ends = now + self._options.window_s
            if now >= ends:
                self.end(tally)
            else:
                self.next_close = min(self.next_close, ends)
        self.next_close = max(self.next_close, now + min(_CLOSE_STEP_S, self._options.window_s / 100))

    def is_at_a_first(self) -> bool:
        """Whether something is counted of which the first is not queued yet: another thread is at that."""
        return any(not (tally.begun or tally.lost or tally.has_all_taken) for tally in self._tallies)

    def _opening(self, tally: Tally, number: int) -> Count:
        from .._incidents.incident import Own

        if not tally.key:
            key = f"~{number}"
            tally.begun = True
            self.crowds(tally)
            if not tally.closed:
                self._by_key[key] = tally
                if not tally.watch():
                    self.woken[tally] = None
            tally.key = key  # last: who was torn away begins again
        return self._count(
            tally,
            Own(1),
            crowded=tally.crowded,
            duty=self._options.duty,
            steps=self._options.steps(tally.level),
        )

    def _closed(self) -> Iterator[Tally]:
        """Each tally that was closed by now, once, while another thread may take some of them too."""
        for _ in range(len(self._tallies.closed)):
            try:
                tally = self._tallies.closed.popleft()
            except IndexError:  # another thread has taken the rest
                return
            yield tally

    def _read(self, tally: Tally, now: float) -> Taken | None:
        if tally.closed:
            self._active.pop(tally, None)
            return self._rest_of(tally)
        if not tally.key:  # its first is not in the store yet
            return None
        same, seen = tally.take()
        if not (same or seen):
            if tally.watch():
                self._active.pop(tally, None)
            return None
        if same:
            tally.counted_at = now
        return Taken(tally, same, seen)

    def _rest_of(self, tally: Tally) -> Taken | None:
        """What a closed one has counted too late: it counts in the next, or opens its incident once more."""
        successor = None if tally.lost else self._tallies.successor(tally)
        if not (tally.begun or tally.lost) or (successor is not None and not successor.key):
            self._tallies.closed.append(tally)  # another thread is at a first
            return None
        same, seen = tally.take()
        if tally.lost:
            self.counters.settle(tally.lost, 0, same, seen)
            return None
        if not (same or seen):
            return None
        if successor is None and tally.ended and not same:
            self.counters.settle(tally.ended, 0, 0, seen)
            return None
        return Taken(successor or tally, same, seen)

    def _counted(self, tally: Tally, same: int, seen: int) -> Count:
        from .._incidents.incident import Own

        samples, variants = tally.take_samples(), tally.take_variants()
        return self._count(tally, Own(0, same, seen), number=same, samples=samples, variants=variants)

    def _count(self, tally: Tally, own: Own, **more: Any) -> Count:
        from .._incidents.incident import Count

        return Count(
            key=tally.key,
            level=tally.level,
            window_s=self._options.window_s,
            last=tally.last,
            first=tally.first,
            audience=tally.audience,
            own=own,
            **more,
        )

    def leave_site(self, tally: Tally) -> None:
        if tally.crowds:
            tally.crowds = False
            site = (tally.level, tally.audience, tally.path, tally.line)
            if (left := self._sites.pop(site, 0) - 1) > 0:
                self._sites[site] = left
