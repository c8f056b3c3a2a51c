"""Incidents in the memory of this process, bounded by number and bytes. What it has is the objects themselves.

Its lock is held for moments, and by no thread that the program waits for: a calling thread that wants to add tries it
once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from itertools import starmap
from operator import itemgetter
from typing import Protocol

from .._incidents import stored
from .._incidents.incident import Count, First, Incident, Own, Place
from .._incidents.short_id import short_id
from .._runtime.counters import use_up
from .memory_rows import Key, MemoryRows, Row
from .rows import Find, RowStore, new_version

UNNAMED = "~"
"""What the key of an incident begins with that has no group key yet: it is known when its alert is made."""

MAX_TOLD = 4096
"""Incidents of which nothing is untold: those that were sent first make room."""

_STUCK_S = 2.0
"""No thread holds the lock for so long: its owner was torn out of it by an exception, such as Ctrl-C."""

_PART = 256
"""How much of a queue a turn sorts in: some ten milliseconds."""

_FIRST = itemgetter(0)


class _Left:
    """Records of this process that have ended, until they are counted."""

    def __init__(self, key: str, why: str, own: Own) -> None:
        self.key = key
        self.why = why
        self.own = own


class Queue(Protocol):
    """New alerts, the oldest first."""

    def waiting(self) -> int:
        """How many there are."""

    def first(self) -> tuple[Count, Callable[[], object]] | None:
        """The oldest, and what takes it out of the queue, in one step in C; ValueError if it is there no more."""


class MemoryStore(RowStore[MemoryRows]):
    """The incidents of one process. ``ended(key, reason, own)``: records of its counters have ended without a message;
    it may be called again, and returns what counts them when it is used up, once.

    Ctrl-C may tear a calling thread away at any line, and a signal handler may hold it up there. What must be neither
    lost nor done twice is therefore one step in C: an alert leaves the queue as its row comes, and a row leaves as it
    is put down as ended. All else can be made anew from the rows.

    Where more waits than ``max_number`` and ``max_bytes`` allow, the lowest rank leaves first, of one rank the oldest.
    """

    def __init__(
        self,
        ended: Callable[[str, str, Own], Iterator[object]],
        max_number: int = 10_000,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self._ended = ended
        self._max_number = max_number
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._rows = MemoryRows({})
        self._left: deque[tuple[_Left, *tuple[object, ...]]] = deque()
        self._inside: object = None  # whoever has the lock, also if it was torn away
        self._overtaken = False
        self._marks: dict[tuple[str, str], int] = {}

    # As a `RowStore`.

    def step(self) -> AbstractContextManager[MemoryRows]:
        self._lock.acquire(timeout=_STUCK_S)
        return self._entered()

    def _mark(self, step: MemoryRows, channel: str, who: str, number: int = 0, now: float = 0.0) -> int:
        before = self._marks.get((channel, who), 0)
        self._marks[channel, who] = max(before, number)
        return before

    def _first(self, one: Count | Incident) -> First:
        """The object itself."""
        assert one.first is not None
        return one.first

    def _added(
        self, step: MemoryRows, channel: str, there: Incident | None, count: Count, now: float, place: Place | None
    ) -> Incident | None:
        is_heard = there is not None and not (there.untold or there.owner or stored.is_more(there, count))
        if is_heard or (there is None and not count.number):  # duplicate reports of what is told
            self._left.append((_Left(count.key, "delivered", count.own),))
            return there
        return super()._added(step, channel, there, count, now, None)

    def _free_name(self, step: MemoryRows, channel: str, key: str) -> str:
        return "" if key.startswith(UNNAMED) else step.free_name(channel, key, key)

    def _kept(self, row: Incident, there: Incident) -> Incident:
        """Of what was told the beginning of the alert is enough."""
        return row

    def _make_room(self, step: MemoryRows, channel: str) -> None:
        while step.waiting > self._max_number or (step.waiting_bytes > self._max_bytes and step.waiting > 1):
            if (found := step.first_to_leave()) is None:
                return
            self._end(step, *found, "queue_overflow")

    def _settled(self, step: MemoryRows) -> None:
        if len(step.rows) - step.waiting > MAX_TOLD:
            told = step.told()
            for key, row in told[: max(len(told) - MAX_TOLD, 0)]:
                self._end(step, key, row, "")

    # What only memory can do.

    def pull(self, channel: str, queue: Queue, now: float, *, all_of_it: bool) -> None:
        """Add what is queued now, or a part: each leaves the queue when it is here. The next turn goes on.

        Not until it is empty: in a storm it never is, and while the lock is held no calling thread can relieve it.
        """
        with self.step() as rows:
            self._take_in(rows, channel, queue, queue.waiting() if all_of_it else _PART, now)

    def relieve(self, channel: str, queue: Queue, number: int, now: float) -> None:
        """The same with so many of the oldest, in a calling thread, where it need not wait for that."""
        if not self._lock.acquire(blocking=False):
            return
        with self._entered() as rows:
            self._take_in(rows, channel, queue, number, now)

    def name(self, channel: str, key: str, group_key: str) -> str:
        """Give an open incident its short id, by its group key."""
        with self.step() as rows:
            found = self._find(rows, channel, Find(keys=[key]))
            if not found:
                return short_id(group_key)
            (one,) = found
            if not one.short_id:
                rows.write(channel, one := replace(one, short_id=rows.free_name(channel, key, group_key)), one)
            return one.short_id

    def rows(self, channel: str) -> list[Incident]:
        """All that are open, or that a person has closed."""
        with self.step() as rows:
            return list(rows.of(channel))

    def remove(self, channel: str, key: str) -> Own | None:
        """Forget an incident, claimed or not: the records of this process's counters that end with it."""
        with self.step() as rows:
            for one in self._find(rows, channel, Find(keys=[key])):
                rows.remove(channel, key)
                return one.own
            return None

    # The lock is held.

    @contextmanager
    def _entered(self) -> Iterator[MemoryRows]:
        me, is_right = object(), False
        try:
            is_torn, self._inside = self._overtaken or self._inside is not None, me
            if is_torn:  # a change was not finished
                self._overtaken, self._rows = False, MemoryRows(self._rows.rows)
            yield self._rows
            self._end_left()
            is_right = True
        finally:
            if self._inside is not me:  # it took so long that another thread took it for torn, and has the lock now
                self._overtaken = True
            else:
                if is_right:
                    self._inside = None
                if self._lock.locked():
                    self._lock.release()

    def _end_left(self) -> None:
        for left in list(self._left):  # another thread may overtake this one, and do the same
            one = left[0]
            use_up(one.__dict__.setdefault("counting", self._ended(one.key, one.why, one.own)))
            with suppress(ValueError):
                self._left.remove(left)

    def _take_in(self, rows: MemoryRows, channel: str, queue: Queue, number: int, now: float) -> None:
        for _ in range(number):
            if (first := queue.first()) is None:
                return
            count, take = first
            key, row = (channel, count.key), Row((count, "", new_version(), now))
            try:
                pairs = zip((row,), starmap(take, ((),)), strict=False)
                rows.rows.update(zip((key,), map(_FIRST, pairs), strict=False))
            except ValueError:  # another thread has taken it
                continue
            rows.came(key, row)
            self._make_room(rows, channel)

    def _end(self, rows: MemoryRows, key: Key, row: Row, why: str) -> None:
        """Remove a row whose records end with it."""
        left = _Left(key[1], why, row.incident.own)
        self._left.extend(zip((left,), map(rows.rows.pop, (key,)), strict=False))
        rows.left(key, row)
