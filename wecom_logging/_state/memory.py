"""Incidents in the memory of this process, bounded by number and bytes. What it has is the objects themselves.

Its lock is held for moments, and by no thread that the program waits for: a calling thread that wants to add tries it
once.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import starmap
from operator import itemgetter
from typing import Protocol

from .._incidents import life
from .._incidents.incident import Count, Incident, Kin, Own
from .._incidents.short_id import short_id
from .._runtime.counters import use_up
from .base import Added, Swap, Wanted
from .memory_order import Key, Order, Row, audience_of, size_of

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


class MemoryStore:
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
        self._rows: dict[Key, Row] = {}
        self._order = Order(self._rows)
        self._left: deque[tuple[_Left, *tuple[object, ...]]] = deque()
        self._inside: object = None  # whoever has the lock, also if it was torn away
        self._overtaken = False
        self._marks: dict[tuple[str, str], int] = {}
        self._numbers = itertools.count(1)

    # The contract.

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        with self._locked():
            before = self._marks.get((channel, who), 0)
            if before < number:
                self._marks[channel, who] = number
                told = tuple(self._add_one((channel, one.key), one, now) for one in counts)
            else:
                rows = [self._rows.get((channel, one.key)) for one in counts]
                told = tuple(None if row is None else row.incident.told for row in rows)
            return Added(before, told)

    def begin(self, channel: str, incident: Incident, now: float) -> bool:
        key = (channel, incident.key)
        with self._locked():
            if key in self._rows:
                return False
            name, version = self._order.free_name(key, incident.key), next(self._numbers)
            row = Row(replace(incident, short_id=name, version=version), size_of(incident), next(self._numbers))
            self._rows[key] = row
            self._order.stand(key, row)
            self._make_room()
            return True

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        with self._locked():
            for name in wanted.urgent:
                row = self._rows.get((channel, name))
                if row is None or row.audience is not None or wanted.audience not in (None, row.incident.audience):
                    continue  # it is ready; or would stay so, and be told before its time
                if life.may_go_early(row.incident):
                    self._order.stand_ready((channel, name), row, audience_of(row.incident))
            self._order.let_come(channel, now)
            if wanted.cause:
                rows = iter(self._order.near(channel, wanted.audience or "", wanted.cause, now))
            else:
                rows = iter(lambda: self._order.next_ready(channel, wanted.busy, wanted.audience), None)
            return [
                self._lend((channel, row.incident.key), row, who, now + lease_s)
                for row in itertools.islice(rows, wanted.most)
            ]

    def kin(self, channel: str, audience: str, causes: Collection[str], now: float) -> list[Kin]:
        with self._locked():
            return [
                Kin(cause, one.key, one.told_at if one.told else 0.0, one.untold_at)
                for cause in causes
                for key in self._order.of_cause(channel, audience, cause)[-life.MAX_KIN :]
                for one in (self._rows[channel, key].incident,)
            ]

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        with self._locked():
            return [self._swap_one((channel, one.before.key), one) for one in swaps]

    def open(
        self,
        channel: str,
        most: int,
        keys: Collection[str] | None = None,
        now: float | None = None,
        short_id: str | None = None,
    ) -> list[Incident]:
        with self._locked():
            if short_id is not None:
                keys = self._order.of_name(channel, short_id)
            if keys is None:
                found = [row.incident for (of, _), row in self._rows.items() if of == channel]
            else:
                found = [row.incident for key in {*keys} if (row := self._rows.get((channel, key))) is not None]
            return sorted(found, key=lambda one: one.last, reverse=True)[:most]

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        with self._locked():
            rows = {key: row.incident for key in keys if (row := self._rows.get((channel, key))) is not None}
            untold = [key for key, incident in rows.items() if incident.untold]
            return self._marks.get((channel, who), 0), untold, [key for key in untold if rows[key].held_until]

    def next_due(self, channel: str, now: float) -> float:
        with self._locked():
            if self._order.next_ready(channel) is not None:
                return 0.0
            return max(self._order.next_later(channel) - now, 0.0)

    # What only memory can do.

    def pull(self, channel: str, queue: Queue, now: float, *, all_of_it: bool) -> None:
        """Add what is queued now, or a part: each leaves the queue when it is here. The next turn goes on.

        Not until it is empty: in a storm it never is, and while the lock is held no calling thread can relieve it.
        """
        with self._locked():
            self._take_in(channel, queue, queue.waiting() if all_of_it else _PART, now)

    def relieve(self, channel: str, queue: Queue, number: int, now: float) -> None:
        """The same with so many of the oldest, in a calling thread, where it need not wait for that."""
        if not self._lock.acquire(blocking=False):
            return
        with self._entered():
            self._take_in(channel, queue, number, now)

    def name(self, channel: str, key: str, group_key: str) -> str:
        """Give an open incident its short id, by its group key."""
        with self._locked():
            row = self._rows.get((channel, key))
            if row is None:
                return short_id(group_key)
            if not row.incident.short_id:
                row.incident = replace(row.incident, short_id=self._order.free_name((channel, key), group_key))
            return row.incident.short_id

    def rows(self, channel: str) -> list[Incident]:
        """All that are open, or that a person has closed."""
        with self._locked():
            return [row.incident for (of, _), row in self._rows.items() if of == channel]

    def early(self, channel: str) -> list[str]:
        """The incidents that `claim` gives only where they are urgent: what is untold of them is not due yet."""
        with self._locked():
            return self._order.early(channel)

    def untold_counts(self, channel: str) -> dict[str, int]:
        """The incidents that have something untold, claimed or not, and how many of each came in all; without what an
        answer quietens."""
        with self._locked():
            return {
                key: row.incident.count
                for (of, key), row in self._rows.items()
                if of == channel and row.incident.untold and not row.incident.held_until
            }

    def remove(self, channel: str, key: str) -> Own | None:
        """Forget an incident, claimed or not: the records of this process's counters that end with it."""
        with self._locked():
            row = self._rows.get((channel, key))
            if row is None:
                return None
            self._remove((channel, key), row)
            return row.incident.own

    # Rows. The lock is held.

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._lock.acquire(timeout=_STUCK_S)
        with self._entered():
            yield

    @contextmanager
    def _entered(self) -> Iterator[None]:
        me, is_right = object(), False
        try:
            is_torn, self._inside = self._overtaken or self._inside is not None, me
            if is_torn:
                self._mend()
            yield
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

    def _mend(self) -> None:
        """Sort everything anew, after a change that was not finished."""
        self._overtaken = False
        self._order = Order(self._rows)

    def _end_left(self) -> None:
        for left in list(self._left):  # another thread may overtake this one, and do the same
            one = left[0]
            use_up(one.__dict__.setdefault("counting", self._ended(one.key, one.why, one.own)))
            with suppress(ValueError):
                self._left.remove(left)

    def _take_in(self, channel: str, queue: Queue, number: int, now: float) -> None:
        for _ in range(number):
            if (first := queue.first()) is None:
                return
            count, take = first
            self._open((channel, count.key), count, now, take)

    def _add_one(self, key: Key, count: Count, now: float) -> int | None:
        row = self._rows.get(key)
        if row is None:
            if count.number:
                return None if count.first is None else self._open(key, count, now)
            self._leave(count)
            return None
        before = row.incident
        if not (before.untold or before.owner or life.is_more(before, count)):
            self._leave(count)
            return before.told
        after = row.incident = life.counted(before, count, now)
        if after.untold and not before.untold:
            self._order.told.pop(key, None)
            if not before.owner:
                self._order.stand_later(key, row, life.due_at(after))
        return after.told

    def _leave(self, count: Count) -> None:
        """Further sightings of what is told."""
        self._left.append((_Left(count.key, "delivered", count.own),))

    def _open(self, key: Key, count: Count, now: float, take: Callable[[], object] = bool) -> int:
        """A new row, as ``take`` takes its alert from where it was."""
        name = "" if count.key.startswith(UNNAMED) else self._order.free_name(key, count.key)
        row = Row((count, name, next(self._numbers), now), size_of(count), next(self._numbers))
        try:
            pairs = zip((row,), starmap(take, ((),)), strict=False)
            self._rows.update(zip((key,), map(_FIRST, pairs), strict=False))
        except ValueError:  # another thread has taken it
            return 0
        self._order.count_waiting(row, 1)
        if count.cause:
            self._order.stand_by_cause(key, row.incident)
        self._order.stand_ready(key, row, (life.rank(count.level, crowded=count.crowded), count.audience))
        self._make_room()
        return 0

    def _lend(self, key: Key, row: Row, who: str, until: float) -> Incident:
        row.incident = life.claimed(row.incident, owner=who, until=until, version=next(self._numbers))
        self._order.stand_later(key, row, until)
        return row.incident

    def _swap_one(self, key: Key, swap: Swap) -> Own | None:
        row = self._rows.get(key)
        if row is None or row.incident.version != swap.before.version:
            return None
        there = row.incident
        moved = life.moved(there, swap.before, swap.after, swap.why, self._numbers.__next__)
        if moved is None:
            return None
        if moved.row is None:
            self._remove(key, row)
            return there.own
        self._order.count_waiting(row, -1)
        row.incident = moved.row
        row.size = size_of(row.incident)
        self._order.count_waiting(row, 1)
        self._order.stand_by_cause(key, row.incident)
        self._order.stand_later(key, row, life.due_at(row.incident))
        if not row.incident.untold:
            self._order.told[key] = None
            self._forget_told()
        return there.own - row.incident.own

    def _remove(self, key: Key, row: Row) -> None:
        del self._rows[key]
        self._order.leave(key, row)

    def _end(self, key: Key, row: Row, why: str) -> None:
        """Remove a row whose records end with it."""
        left = _Left(key[1], why, row.incident.own)
        self._left.extend(zip((left,), map(self._rows.pop, (key,)), strict=False))
        self._order.leave(key, row)

    def _make_room(self) -> None:
        order = self._order
        while order.waiting > self._max_number or (order.waiting_bytes > self._max_bytes and order.waiting > 1):
            if (found := order.first_to_leave()) is None:
                return
            self._end(*found, "queue_overflow")

    def _forget_told(self) -> None:
        while len(self._order.told) > MAX_TOLD:
            key = next(iter(self._order.told))
            self._end(key, self._rows[key], "")
