"""Where the incidents of a process's memory stand, and which of them goes next. It can be made anew from them."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

from .._incidents import life
from .._incidents.incident import Count, Incident
from .._incidents.short_id import short_ids

Key = tuple[str, str]
"""Channel and key."""

Audience = tuple[int, str]
"""Rank and audience."""

_ROW_BYTES = 2560
_SAMPLE_BYTES = 512


class Row:
    """An incident and where it stands: ready in a ``audience``, or to be ``due`` later.

    The incident is made of what opened it when somebody asks for it: a calling thread may have put that here.
    """

    __slots__ = ("_made", "audience", "due", "entry", "leaves", "number", "size")

    def __init__(self, made: Incident | tuple[Count, str, int, float], size: int, number: int) -> None:
        """``made``, or of what it is to be made: a count, its short id, its version and when it came."""
        self._made = made
        self.number = number
        self.size = size
        self.audience: Audience | None = None
        self.entry: tuple[Audience, tuple[float, int]] | None = None
        """Where among those that are ready it was put last, if it is there still: it may be lent meanwhile."""
        self.leaves: tuple[int, tuple[float, int]] | None = None
        """The same among those that may have to leave for another."""
        self.due = float("inf")

    @property
    def incident(self) -> Incident:
        made = self._made
        if isinstance(made, tuple):
            count, short_id, version, now = made
            made = self._made = life.opened(count, short_id=short_id, version=version, now=now)
        return made

    @incident.setter
    def incident(self, incident: Incident) -> None:
        self._made = incident

    @property
    def told(self) -> int:
        made = self._made
        return 0 if isinstance(made, tuple) else made.told

    @property
    def age(self) -> tuple[float, int]:
        """Whose is the least is the oldest."""
        made = self._made
        return made[3] if isinstance(made, tuple) else made.untold_at, self.number


class Order:
    """The order of these ``rows``, of several channels. What changes a row says where it stands then."""

    def __init__(self, rows: Mapping[Key, Row]) -> None:
        self._rows = rows
        self._ready: dict[
            str, dict[Audience, list[tuple[tuple[float, int], str]]]
        ] = {}  # heaps, with some who have left
        self._leaving: list[tuple[int, tuple[float, int], Key]] = []  # a heap, too, of all audiences and channels
        self._later: dict[str, list[tuple[float, int, Key]]] = {}
        self._early: dict[str, dict[str, None]] = {}  # keys of those that stand later, and may go early
        self._causes: dict[tuple[str, str, str], dict[str, None]] = {}  # keys, by channel, audience and cause
        self._names: dict[Key, str] = {}
        self.told: dict[Key, None] = {}
        """Those of which nothing is untold, the one that was told first in front."""
        self.waiting = self.waiting_bytes = 0
        """Those of which nothing was told."""
        for key, row in rows.items():
            row.entry = row.leaves = None
            self.stand(key, row)
            if row.incident.short_id:
                self._names[key[0], row.incident.short_id] = key[1]

    # Where one stands.

    def stand(self, key: Key, row: Row) -> None:
        """A row that stands nowhere yet."""
        one = row.incident
        self.count_waiting(row, 1)
        if not one.untold:
            self.told[key] = None
        self.stand_by_cause(key, one)
        if one.owner or one.told or one.not_before or one.held_until:
            self.stand_later(key, row, life.due_at(one))
        else:  # it may have to leave for another
            self.stand_ready(key, row, audience_of(one))

    def stand_ready(self, key: Key, row: Row, audience: Audience) -> None:
        """It is due."""
        row.audience = audience
        row.due = float("-inf")
        self._early.get(key[0], {}).pop(key[1], None)
        age = row.age
        if row.entry != (audience, age):
            row.entry = audience, age
            heapq.heappush(self._ready.setdefault(key[0], {}).setdefault(audience, []), (age, key[1]))
        if not row.told and row.leaves != (audience[0], age):
            row.leaves = audience[0], age
            heapq.heappush(self._leaving, (*row.leaves, key))

    def stand_later(self, key: Key, row: Row, due: float) -> None:
        """It is due then."""
        row.audience = None
        row.due = due
        early = self._early.setdefault(key[0], {})
        early.pop(key[1], None)
        if life.may_go_early(row.incident):
            early[key[1]] = None
        later = self._later.setdefault(key[0], [])
        heapq.heappush(later, (due, row.number, key))
        if len(later) > 4 * len(self._rows) + 64:
            rows = ((key, row) for key, row in self._rows.items() if row.audience is None)
            later[:] = sorted((row.due, row.number, other) for other, row in rows if other[0] == key[0])

    def stand_by_cause(self, key: Key, incident: Incident) -> None:
        """What was told last stands last."""
        if incident.cause:
            keys = self._causes.setdefault((key[0], incident.audience, incident.cause), {})
            keys.pop(key[1], None)
            keys[key[1]] = None

    def count_waiting(self, row: Row, number: int) -> None:
        """Before a row is changed, -1, and after it, 1."""
        if not row.told:
            self.waiting += number
            self.waiting_bytes += number * row.size

    def leave(self, key: Key, row: Row) -> None:
        """A row is there no more."""
        row.audience = None
        self.told.pop(key, None)
        self._early.get(key[0], {}).pop(key[1], None)
        self.count_waiting(row, -1)
        cause = (key[0], row.incident.audience, row.incident.cause)
        if (keys := self._causes.get(cause)) is not None:
            keys.pop(key[1], None)
            if not keys:
                del self._causes[cause]
        if self._names.get((key[0], row.incident.short_id)) == key[1]:
            del self._names[key[0], row.incident.short_id]

    def free_name(self, key: Key, of: str) -> str:
        """Take a short id that no other open incident of the channel has."""
        for name in short_ids(of):
            row = self._rows.get((key[0], self._names.get((key[0], name), key[1])))
            if row is None or row.incident.key == key[1] or life.is_closed(row.incident):
                break
        self._names[key[0], name] = key[1]
        return name

    def of_name(self, channel: str, name: str) -> list[str]:
        """The key of what has this short id, if it was given one."""
        key = self._names.get((channel, name))
        return [] if key is None else [key]

    # Which goes next.

    def early(self, channel: str) -> list[str]:
        """The keys of those of which something is untold that is not due yet, but may be told if somebody asks."""
        return list(self._early.get(channel, ()))

    def let_come(self, channel: str, now: float) -> None:
        """What is due by now stands ready."""
        while self.next_later(channel) <= now:
            _, _, key = heapq.heappop(self._later[channel])
            self.stand_ready(key, self._rows[key], audience_of(self._rows[key].incident))
        if len(self._leaving) > 4 * len(self._rows) + 64:
            rows = self._rows.items()
            self._leaving = sorted((*row.leaves, key) for key, row in rows if row.leaves and not row.told)

    def next_later(self, channel: str) -> float:
        """When the next will be due that stands not ready; infinite where none will."""
        later = self._later.get(channel, [])
        while later:
            due, number, key = later[0]
            row = self._rows.get(key)
            if row is not None and row.number == number and row.due == due and row.audience is None:
                return due
            heapq.heappop(later)
        return float("inf")

    def next_ready(self, channel: str, busy: Collection[str] = (), only: str | None = None) -> Row | None:
        """The one of the highest rank, of one rank the oldest."""
        best: tuple[int, tuple[float, int], Row] | None = None
        for audience in list(self._ready.get(channel, ())):
            if audience[1] in busy or (only is not None and audience[1] != only) or (best and -audience[0] > best[0]):
                continue
            row = self._top(channel, audience)
            if row is not None and (best is None or (-audience[0], row.age) < best[:2]):
                best = -audience[0], row.age, row
        return None if best is None else best[2]

    def near(self, channel: str, audience: str, cause: str, now: float) -> list[Row]:
        """What is due of a cause, or nearly; the highest rank first."""
        rows = [self._rows[channel, key] for key in self.of_cause(channel, audience, cause)]
        rows = [row for row in rows if row.due <= now + (0.0 if row.incident.owner else life.NEAR_S)]
        return sorted(rows, key=lambda row: (-row.incident.rank, row.age))

    def of_cause(self, channel: str, audience: str, cause: str) -> list[str]:
        """The keys of an audience and cause; what was told last stands last."""
        return list(self._causes.get((channel, audience, cause), ()))

    def first_to_leave(self) -> tuple[Key, Row] | None:
        """Of those that wait and were never told: of the lowest rank the oldest."""
        heap = self._leaving
        while heap:
            rank, age, key = heap[0]
            row = self._rows.get(key)
            if (
                row is not None
                and not row.told
                and row.audience is not None
                and (row.audience[0], row.age) == (rank, age)
            ):
                return key, row
            heapq.heappop(heap)
            if row is not None and row.leaves == (rank, age):
                row.leaves = None
        return None

    def _top(self, channel: str, audience: Audience) -> Row | None:
        """The oldest of an audience; an empty audience is forgotten."""
        heap = self._ready[channel][audience]
        while heap:
            age, key = heap[0]
            row = self._rows.get((channel, key))
            if row is not None and row.age == age and row.audience == audience:
                return row
            heapq.heappop(heap)
            if row is not None and row.entry == (audience, age):
                row.entry = None
        del self._ready[channel][audience]
        return None


def audience_of(incident: Incident) -> Audience:
    return incident.rank, incident.audience


def size_of(one: Incident | Count) -> int:
    """About how many bytes of memory it takes."""
    assert one.first is not None
    return _ROW_BYTES + one.first.size + _SAMPLE_BYTES * len(one.samples)
