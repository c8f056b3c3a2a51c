"""The incidents of a process's memory, and in which order they go. All but the rows can be made anew of them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

from .._incidents import answered, life, stored
from .._incidents.incident import Count, Incident
from .._incidents.short_id import short_ids
from .rows import Broken, Find

Key = tuple[str, str]
"""Channel and key."""

_ROW_BYTES = 2560
_SAMPLE_BYTES = 512
_BY_TURN, _BY_CHANGE = attrgetter("turn"), attrgetter("changed")
_numbers = itertools.count(1)


class Row:
    """An incident, and by what it is found.

    The incident is made of what opened it when it is asked for: a calling thread may have put that here.
    """

    __slots__ = ("_made", "audience", "cause", "changed", "due", "is_told", "leaves", "number", "size", "turn")

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
        rank = stored.rank(count.level, crowded=count.crowded)
        self.audience, self.cause = count.audience, count.cause
        self.size, self.due, self.is_told = size_of(count), now, False
        self.turn, self.changed, self.leaves = (-rank, now), -now, (rank, now)

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
        self.audience, self.cause = one.audience, one.cause
        self.size, self.due, self.is_told = size_of(one), life.due_at(one), one.told > 0
        self.turn, self.changed = (-one.rank, one.untold_at), -max(one.told_at, one.untold_at)
        is_held = one.held_until > 0 and not one.quiet_since  # by a person
        self.leaves = None if one.told or one.owner or is_held else (one.rank, one.untold_at)


class _Heap:
    """Rows by their place, the least first. One that has another place by now leaves it when it is looked at."""

    def __init__(self, rows: dict[Key, Row], place: Callable[[Row], Any]) -> None:
        """``place`` of a row; None: it has none."""
        self._rows = rows
        self._place = place
        self._entries: list[tuple[Any, int, Key]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, key: Key, row: Row) -> None:
        heapq.heappush(self._entries, (self._place(row), row.number, key))
        if len(self._entries) > 4 * len(self._rows) + 64:
            self._entries = sorted({one for one in self._entries if self._stands(one)})

    def first(self) -> tuple[Key, Row] | None:
        while self._entries:
            if self._stands(self._entries[0]):
                key = self._entries[0][2]
                return key, self._rows[key]
            self.pop()
        return None

    def pop(self) -> None:
        heapq.heappop(self._entries)

    def _stands(self, entry: tuple[Any, int, Key]) -> bool:
        row = self._rows.get(entry[2])
        return row is not None and row.number == entry[1] and self._place(row) == entry[0]


class _Turns:
    """Of one channel: which row is due when, and of those that are due by now, which goes first."""

    def __init__(self, rows: dict[Key, Row]) -> None:
        self._rows = rows
        self._later = _Heap(rows, attrgetter("due"))
        self._ready: dict[str, _Heap] = {}  # by audience
        self._now = float("-inf")

    def push(self, key: Key, row: Row) -> None:
        self._later.push(key, row)

    def ready(self, find: Find, now: float) -> list[Row]:
        """The first of those that are due, of the audiences that are asked for."""
        self._now = max(self._now, now)
        while (found := self._later.first()) is not None and found[1].due <= now:
            self._later.pop()
            self._heap_of(found[1].audience).push(*found)
        wanted = [name for name in self._ready if name not in find.but and find.audience in (None, name)]
        fronts = [front for name in wanted if (front := self._front(name))]
        heapq.heapify(fronts)
        taken = dict[Key, tuple[Row, str]]()
        while fronts and len(taken) < find.most:
            _, _, name, key = fronts[0]
            taken[key] = self._rows[key], name
            self._ready[name].pop()
            if front := self._front(name):  # which may be the same once more
                heapq.heapreplace(fronts, front)
            else:
                heapq.heappop(fronts)
        for key, (row, name) in taken.items():
            self._ready[name].push(key, row)  # they stay
        return [row for row, _ in taken.values()]

    def _front(self, audience: str) -> tuple[Any, int, str, Key] | None:
        """The first of those of an audience that are due."""
        found = self._ready[audience].first()
        return None if found is None else (found[1].turn, found[1].number, audience, found[0])

    def next_due(self) -> float:
        for name, heap in list(self._ready.items()):
            if (found := heap.first()) is not None:
                return found[1].due
            del self._ready[name]
        return found[1].due if (found := self._later.first()) is not None else float("inf")

    def _heap_of(self, audience: str) -> _Heap:
        if audience not in self._ready:
            self._ready[audience] = _Heap(self._rows, lambda row: row.turn if row.due <= self._now else None)
        return self._ready[audience]


class MemoryRows:
    """These ``rows``, of several channels, as `rows.Rows` says."""

    def __init__(self, rows: dict[Key, Row]) -> None:
        self.rows = rows
        self.waiting = self.waiting_bytes = 0
        """Those of which nothing was told."""
        self.leaving = _Heap(rows, attrgetter("leaves"))
        """Those that wait and were never told: of the lowest rank the oldest is first."""
        self._turns: dict[str, _Turns] = {}
        self._causes: dict[tuple[str, str, object], dict[Key, None]] = {}
        """By channel, audience and cause; what was told or began last stands last."""
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
        elif find.cause is not None:
            keys = reversed(self._causes.get((channel, find.audience or "", find.cause), {}))
            found = self._of(itertools.islice(keys, find.most) if find.order == "cause" else keys)
        elif due is not None:
            return [row.incident for row in self._turns_of(channel).ready(find, due)]
        else:
            found = [row for (of, _), row in self.rows.items() if of == channel]
        found = [
            row
            for row in found
            if row.audience not in find.but
            and find.audience in (None, row.audience)
            and find.cause in (None, row.cause)
            and (due is None or (row.due <= due and (row.due <= find.by or not row.incident.owner)))
            and not (find.is_untold and not row.incident.untold)
        ]
        order = {"turn": _BY_TURN, "cause": _BY_CHANGE}.get(find.order, lambda row: find.place(row.incident))
        return [row.incident for row in heapq.nsmallest(find.most, found, order)]

    def write(self, channel: str, row: Incident, before: Incident | None) -> None:
        key = channel, row.key
        there = self.rows.get(key)
        if there is None:
            there = self.rows[key] = Row(row)
            self.came(key, there)
        else:
            self._count(there, -1)
            was, there.incident = (there.due, there.turn, there.leaves, there.changed, there.cause), row
            self._count(there, 1)
            self._stand(key, there, was)
        if row.short_id:
            self._names[channel, row.short_id] = row.key

    def remove(self, channel: str, key: str) -> None:
        self.left((channel, key), self.rows.pop((channel, key)))

    def next_due(self, channel: str) -> float:
        return self._turns_of(channel).next_due()

    def size(self, channel: str) -> int:
        return sum(of == channel for of, _ in self.rows)

    def ahead(self, now: float) -> float:
        return 0.0

    # Of memory alone.

    def of(self, channel: str) -> Iterator[Incident]:
        """All of a channel, the oldest first."""
        return (row.incident for (of, _), row in self.rows.items() if of == channel)

    def early(self, channel: str, now: float) -> list[str]:
        """The keys of those of which something is untold that is not due yet, but may be told if it is asked for."""
        late = [(key, row) for (of, key), row in self.rows.items() if of == channel and row.due > now]
        return [key for key, row in late if life.may_go_early(row.incident)]

    def came(self, key: Key, row: Row) -> None:
        """A row is there."""
        self._count(row, 1)
        self._stand(key, row, (None,) * 5)

    def left(self, key: Key, row: Row) -> None:
        """A row is there no more."""
        self._count(row, -1)
        self._leave(key, row.audience, row.cause)
        name = key[0], row.incident.short_id
        if self._names.get(name) == key[1]:
            del self._names[name]

    def _leave(self, key: Key, audience: str, cause: object) -> None:
        """A row is of this cause no more."""
        keys = self._causes.get(where := (key[0], audience, cause), {})
        keys.pop(key, None)
        if not keys:
            self._causes.pop(where, None)

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

    def _turns_of(self, channel: str) -> _Turns:
        if channel not in self._turns:
            self._turns[channel] = _Turns(self.rows)
        return self._turns[channel]

    def _stand(self, key: Key, row: Row, was: tuple[object, ...]) -> None:
        """A row may have other places than before."""
        due, turn, leaves, *change = was
        if (row.due, row.turn) != (due, turn):
            self._turns_of(key[0]).push(key, row)
        if row.leaves not in (None, leaves):
            self.leaving.push(key, row)
        if [row.changed, row.cause] == change:
            return
        self._leave(key, row.audience, change[1])
        if row.cause:  # it is known when the alert is made
            keys = self._causes.setdefault((key[0], row.audience, row.cause), {})
            keys.pop(key, None)
            keys[key] = None

    def _count(self, row: Row, number: int) -> None:
        if not row.is_told:
            self.waiting += number
            self.waiting_bytes += number * row.size


def size_of(one: Incident | Count) -> int:
    """About how many bytes of memory it takes."""
    assert one.first is not None
    return _ROW_BYTES + one.first.size + _SAMPLE_BYTES * len(one.samples)
