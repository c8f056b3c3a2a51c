"""The incidents of a process's memory, and in which order they go. All but the rows can be made anew of them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator

from .._incidents import answered, life, stored
from .._incidents.incident import Count, Incident
from .._incidents.short_id import short_ids
from .rows import Broken, Find

Key = tuple[str, str]
"""Channel and key."""

_ROW_BYTES = 2560
_SAMPLE_BYTES = 512
_numbers = itertools.count(1)


class Row:
    """An incident, and by what it is found.

    The incident is made of what opened it when it is asked for: a calling thread may have put that here.
    """

    __slots__ = ("_made", "audience", "due", "is_told", "leaves", "number", "size")

    def __init__(self, made: Incident | tuple[Count, str, int, float]) -> None:
        """``made``, or of what it is to be made: a count, its short id, its version and when it came."""
        self.number = next(_numbers)
        self._made = made
        self.leaves: tuple[int, float] | None
        """Which has to leave first for another, the least of all; None: it stays."""
        if isinstance(made, Incident):
            self._place(made)
            return
        count, _, _, now = made
        self.audience, self.size, self.due, self.is_told = count.audience, size_of(count), now, False
        self.leaves = stored.rank(count.level, crowded=count.crowded), now

    @property
    def incident(self) -> Incident:
        made = self._made
        if isinstance(made, tuple):
            count, short_id, version, now = made
            made = self._made = stored.opened(count, short_id=short_id, version=version, now=now)
        return made

    @incident.setter
    def incident(self, one: Incident) -> None:
        self._made = one
        self._place(one)

    def _place(self, one: Incident) -> None:
        self.audience = one.audience
        self.size, self.due, self.is_told = size_of(one), life.due_at(one), one.told > 0
        self.leaves = None if one.told or one.owner else (one.rank, one.untold_at)


class MemoryRows:
    """These ``rows``, of several channels, as `rows.Rows` says."""

    def __init__(self, rows: dict[Key, Row]) -> None:
        self.rows = rows
        self.waiting = self.waiting_bytes = 0
        """Those of which nothing was told."""
        self._leaving: list[tuple[tuple[int, float], int, Key]] = []
        """A heap of those that wait and were never told. One that has another place by now leaves it when it is looked
        at."""
        self._names: dict[Key, str] = {}
        for key, row in rows.items():
            self.came(key, row)
            if row.incident.short_id:
                self._names[key[0], row.incident.short_id] = key[1]

    # As of any store.

    def find(self, channel: str, find: Find, broken: Broken) -> list[Incident]:
        due = find.due
        if find.short_id is not None:
            found = self._of([(channel, self._names.get((channel, find.short_id), ""))])
        elif find.keys is not None:
            found = self._of((channel, key) for key in {*find.keys})
        else:
            found = [row for (of, _), row in self.rows.items() if of == channel]
        incidents = [
            row.incident
            for row in found
            if (due is None or (row.due <= due and (row.due <= find.by or not row.incident.owner)))
            and row.audience not in find.but
            and find.audience in (None, row.audience)
            and find.cause in (None, row.incident.cause)
            and not (find.is_untold and not row.incident.untold)
        ]
        return heapq.nsmallest(find.most, incidents, find.place)

    def write(self, channel: str, row: Incident, before: Incident | None) -> None:
        key = channel, row.key
        there = self.rows.get(key)
        if there is None:
            there = self.rows[key] = Row(row)
            self.came(key, there)
        else:
            self._count(there, -1)
            leaves, there.incident = there.leaves, row
            self._count(there, 1)
            if there.leaves != leaves:
                self._push(key, there)
        if row.short_id:
            self._names[channel, row.short_id] = row.key

    def remove(self, channel: str, key: str) -> None:
        self.left((channel, key), self.rows.pop((channel, key)))

    def next_due(self, channel: str) -> float:
        return min((row.due for (of, _), row in self.rows.items() if of == channel), default=float("inf"))

    def size(self, channel: str) -> int:
        return sum(of == channel for of, _ in self.rows)

    def ahead(self, now: float) -> float:
        return 0.0

    # Of memory alone.

    def of(self, channel: str) -> Iterator[Incident]:
        """All of a channel, the oldest first."""
        return (row.incident for (of, _), row in self.rows.items() if of == channel)

    def first_to_leave(self) -> tuple[Key, Row] | None:
        """Of those that wait and were never told: of the lowest rank the oldest."""
        while self._leaving:
            leaves, number, key = self._leaving[0]
            row = self.rows.get(key)
            if row is not None and (row.leaves, row.number) == (leaves, number):
                return key, row
            heapq.heappop(self._leaving)
        return None

    def came(self, key: Key, row: Row) -> None:
        """A row is there."""
        self._count(row, 1)
        self._push(key, row)

    def left(self, key: Key, row: Row) -> None:
        """A row is there no more."""
        self._count(row, -1)
        name = key[0], row.incident.short_id
        if self._names.get(name) == key[1]:
            del self._names[name]

    def told(self) -> list[tuple[Key, Row]]:
        """Those of which nothing is untold, the one that was told first in front."""
        found = [(key, row) for key, row in self.rows.items() if row.is_told and not row.incident.untold]
        return sorted(found, key=lambda one: one[1].incident.told_at)

    def free_name(self, channel: str, key: str, of: str) -> str:
        """A short id that no other open incident of the channel has."""
        for name in short_ids(of):
            row = self.rows.get((channel, self._names.get((channel, name), key)))
            if row is None or row.incident.key == key or answered.is_closed(row.incident):
                break
        return name

    def _of(self, keys: Iterable[Key]) -> list[Row]:
        return [row for key in keys if (row := self.rows.get(key)) is not None]

    def _push(self, key: Key, row: Row) -> None:
        if row.leaves is None:
            return
        heapq.heappush(self._leaving, (row.leaves, row.number, key))
        if len(self._leaving) > 4 * len(self.rows) + 64:
            places = ((one.leaves, one.number, key) for key, one in self.rows.items() if one.leaves is not None)
            self._leaving = sorted(places)

    def _count(self, row: Row, number: int) -> None:
        if not row.is_told:
            self.waiting += number
            self.waiting_bytes += number * row.size


def size_of(one: Incident | Count) -> int:
    """About how many bytes of memory it takes."""
    assert one.first is not None
    return _ROW_BYTES + one.first.size + _SAMPLE_BYTES * len(one.samples)
