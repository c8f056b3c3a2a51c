"""Incidents in the memory of this process, bounded by number and bytes. What it has is the objects themselves.

Its lock is held for moments, and by no thread that the program waits for: a calling thread that wants to add tries it once.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ..incidents import life
from ..incidents.incident import NOTHING, Count, Incident, Own
from ..incidents.short_id import short_id, short_ids
from .base import Added, Swap

UNNAMED = "~"
"""What the key of an incident begins with that has no group key yet: it is known when its alert is made."""

MAX_TOLD = 4096
"""Incidents of which nothing is untold: the ones told first make room."""

_STUCK_S = 2.0
"""Nobody holds the lock for so long: whoever has it was torn out of it by an exception, such as Ctrl-C."""

_ROW_BYTES = 2560
_SAMPLE_BYTES = 512

Lane = tuple[int, str]
"""Rank and lane."""

_Key = tuple[str, str]


class _Row:
    """An incident and where it stands: ``ready`` in a lane, ``told`` with nothing untold, or neither."""

    __slots__ = ("crowded", "due", "incident", "lane", "number", "size")

    def __init__(self, incident: Incident, number: int) -> None:
        self.incident = incident
        self.number = number
        self.size = _size(incident)
        self.lane: Lane | None = None
        self.due = float("inf")


class MemoryStore:
    """The incidents of one process. ``ended(key, reason, own)``: records of its counters have ended without a message.

    Where more waits than ``max_number`` and ``max_bytes`` allow, the lowest rank leaves first, of one rank the oldest.
    """

    def __init__(
        self,
        ended: Callable[[str, str, Own], None],
        max_number: int = 10_000,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self._ended = ended
        self._max_number = max_number
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._rows: dict[_Key, _Row] = {}
        self._ready: dict[str, dict[Lane, dict[str, _Row]]] = {}
        self._told: dict[_Key, None] = {}
        self._later: list[tuple[float, int, _Key]] = []
        self._untold_number = self._untold_bytes = 0
        self._names: dict[str, _Key] = {}
        self._marks: dict[tuple[str, str], int] = {}
        self._numbers = itertools.count(1)
        self._evicted: list[tuple[str, Own]] = []

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

    def claim(
        self,
        channel: str,
        who: str,
        now: float,
        *,
        lease_s: float,
        most: int,
        urgent: Collection[str] = (),
        busy: Collection[str] = (),
        lane: str | None = None,
    ) -> list[Incident]:
        with self._locked():
            for key in urgent:
                row = self._rows.get((channel, key))
                if row is not None and row.incident.untold and not row.incident.owner:
                    self._stand_ready((channel, key), row)
            while self._next_later() <= now:
                _, _, key = heapq.heappop(self._later)
                row = self._rows[key]
                if row.incident.owner:
                    row.incident = replace(row.incident, owner="")
                self._stand_ready(key, row)
            found = []
            for row in list(itertools.islice(self._in_order(channel, busy, lane), most)):
                self._leave((channel, row.incident.key), row)
                row.incident = life.claimed(row.incident, owner=who, until=now + lease_s, version=next(self._numbers))
                self._stand_later((channel, row.incident.key), row, row.incident.until)
                found.append(row.incident)
            return found

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        with self._locked():
            return [self._swap_one((channel, one.before.key), one) for one in swaps]

    def open(self, channel: str, most: int, keys: Collection[str] | None = None) -> list[Incident]:
        with self._locked():
            rows = [row for (of, key), row in self._rows.items() if of == channel and (keys is None or key in keys)]
            rows.sort(key=lambda row: row.incident.last, reverse=True)
            return [row.incident for row in rows[:most]]

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str]]:
        with self._locked():
            rows = {key: self._rows.get((channel, key)) for key in keys}
            return self._marks.get((channel, who), 0), [
                key for key, row in rows.items() if row is not None and row.incident.untold
            ]

    def next_due(self, channel: str, now: float) -> float:
        with self._locked():
            if self._ready.get(channel):
                return 0.0
            return max(self._next_later() - now, 0.0)

    # What only memory can do.

    def __len__(self) -> int:
        """How many incidents have something untold."""
        return self._untold_number

    def try_add(self, channel: str, counts: Callable[[], Sequence[Count]], now: float) -> bool:
        """Add what ``counts()`` gives, from a calling thread: only where that need not wait."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            for one in counts():
                self._add_one((channel, one.key), one, now)
        finally:
            self._leave_lock()
        return True

    def name(self, channel: str, key: str, group_key: str) -> str:
        """Give an open incident its short id, by its group key."""
        with self._locked():
            row = self._rows.get((channel, key))
            if row is None:
                return short_id(group_key)
            if not row.incident.short_id:
                row.incident = replace(row.incident, short_id=self._free_name((channel, key), group_key))
            return row.incident.short_id

    def untold_keys(self, channel: str) -> list[str]:
        """The incidents that have something untold, claimed or not."""
        with self._locked():
            return [key for (of, key), row in self._rows.items() if of == channel and row.incident.untold]

    def take(self, channel: str, most: int) -> list[Incident]:
        """Remove and return incidents that have something untold and that nobody has claimed, the oldest first."""
        with self._locked():
            rows = [
                (key, row)
                for key, row in self._rows.items()
                if key[0] == channel and row.incident.untold and not row.incident.owner
            ]
            rows.sort(key=lambda pair: pair[1].number)
            for key, row in rows[:most]:
                self._remove(key, row)
            return [row.incident for _, row in rows[:most]]

    # Rows. The lock is held.

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._lock.acquire(timeout=_STUCK_S)
        try:
            yield
        finally:
            self._leave_lock()

    def _leave_lock(self) -> None:
        """Only then say who had to leave: that is somebody else's code."""
        evicted, self._evicted = self._evicted, []
        if self._lock.locked():
            self._lock.release()
        for key, reason, own in evicted:
            self._ended(key, reason, own)

    def _add_one(self, key: _Key, count: Count, now: float) -> int | None:
        row = self._rows.get(key)
        if row is None:
            if count.first is None:
                return None
            name = "" if count.key.startswith(UNNAMED) else self._free_name(key, count.key)
            incident = life.opened(count, short_id=name, version=next(self._numbers), now=now)
            row = self._rows[key] = _Row(incident, next(self._numbers))
            self._count_untold(row, 1)
            self._stand_ready(key, row)
            self._make_room()
            return 0
        if not count.number and not row.incident.untold and not row.incident.owner:
            self._evicted.append((count.key, "delivered", count.own))  # a further sighting of what is told
            return row.incident.told
        before = row.incident
        row.incident = life.counted(before, count, now)
        if row.incident.untold and not before.untold:
            self._told.pop(key, None)
            self._count_untold(row, 1)
            if not before.owner:
                self._stand_later(key, row, life.wake_at(row.incident))
        self._make_room()
        return row.incident.told

    def _swap_one(self, key: _Key, swap: Swap) -> Own | None:
        row, before, after = self._rows.get(key), swap.before, swap.after
        if row is None or row.incident.version != before.version:
            return None
        now_there = row.incident
        moved = now_there.count != before.count
        if after is None:
            if moved and not swap.why:
                return None
            self._remove(key, row)
            return now_there.own
        self._leave(key, row)
        if now_there.untold:
            self._count_untold(row, -1)
        row.incident = replace(
            after,
            version=next(self._numbers),
            short_id=now_there.short_id,
            count=now_there.count,
            last=now_there.last,
            counted_at=now_there.counted_at,
            untold_at=now_there.counted_at if moved and after.told == before.count else after.untold_at,
            samples=now_there.samples[len(before.samples) :] if after.told != before.told else now_there.samples,
            rates=() if after.told != before.told else now_there.rates,
            own=now_there.own - before.own if after.told != before.told else now_there.own,
        )
        row.size = _size(row.incident)
        if row.incident.untold:
            self._count_untold(row, 1)
            self._stand_later(key, row, life.wake_at(row.incident))
        else:
            self._told[key] = None
            self._stand_later(key, row, life.due_at(row.incident))
            self._forget_told()
        return before.own if after.told != before.told else NOTHING

    def _in_order(self, channel: str, busy: Collection[str], only: str | None) -> Iterator[_Row]:
        lanes = self._ready.get(channel, {})
        for lane in sorted(lanes, key=lambda lane: (-lane[0], next(iter(lanes[lane].values())).number)):
            if lane[1] not in busy and (only is None or lane[1] == only):
                yield from lanes[lane].values()

    def _stand_ready(self, key: _Key, row: _Row) -> None:
        self._leave(key, row)
        row.lane = (row.incident.rank, row.incident.lane)
        self._ready.setdefault(key[0], {}).setdefault(row.lane, {})[key[1]] = row
        row.due = float("-inf")

    def _stand_later(self, key: _Key, row: _Row, due: float) -> None:
        self._leave(key, row)
        row.due = due
        heapq.heappush(self._later, (due, row.number, key))
        if len(self._later) > 4 * len(self._rows) + 64:
            self._later = [(row.due, row.number, key) for key, row in self._rows.items() if row.lane is None]
            heapq.heapify(self._later)

    def _next_later(self) -> float:
        while self._later:
            due, number, key = self._later[0]
            row = self._rows.get(key)
            if row is not None and row.number == number and row.due == due and row.lane is None:
                return due
            heapq.heappop(self._later)
        return float("inf")

    def _leave(self, key: _Key, row: _Row) -> None:
        if row.lane is None:
            return
        lanes = self._ready[key[0]]
        lanes[row.lane].pop(key[1], None)
        if not lanes[row.lane]:
            del lanes[row.lane]
            if not lanes:
                del self._ready[key[0]]
        row.lane = None

    def _remove(self, key: _Key, row: _Row) -> None:
        self._leave(key, row)
        del self._rows[key]
        self._told.pop(key, None)
        if row.incident.untold:
            self._count_untold(row, -1)
        if self._names.get(row.incident.short_id) == key:
            del self._names[row.incident.short_id]

    def _count_untold(self, row: _Row, number: int) -> None:
        self._untold_number += number
        self._untold_bytes += number * row.size

    def _make_room(self) -> None:
        while self._untold_number > self._max_number or (
            self._untold_bytes > self._max_bytes and self._untold_number > 1
        ):
            lanes = [(lane, of, channel) for channel, of in self._ready.items() for lane in of]
            if not lanes:
                return
            lane, of, channel = min(lanes, key=lambda one: one[0][0])
            key, row = next(iter(of[lane].items()))
            self._remove((channel, key), row)
            self._evicted.append((key, "queue_overflow", row.incident.own))

    def _forget_told(self) -> None:
        while len(self._told) > MAX_TOLD:
            key = next(iter(self._told))
            row = self._rows[key]
            self._remove(key, row)
            self._evicted.append((key[1], "", row.incident.own))

    def _free_name(self, key: _Key, of: str) -> str:
        """A short id that no other open incident has."""
        for name in short_ids(of):
            if self._names.setdefault(name, key) == key:
                break
        return name


def _size(incident: Incident) -> int:
    return _ROW_BYTES + incident.first.size + _SAMPLE_BYTES * len(incident.samples)
