"""The incidents that are open here, as the calling thread sees them: a record of one is one increment.

Any thread may be interrupted anywhere, by a signal handler that logs too: nothing here takes a lock. What a calling
thread does to a table is one call in C; what it counts is one call in C; and it looks after counting whether the tally
wants attention, while the worker says that it does before it reads the count.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from types import CodeType
from typing import Any

from .._incidents.incident import First
from .._incidents.life import MAX_SAMPLES
from .._runtime.counters import Number, reading
from ..model import Recipients, Sample
from .spot import NO_TEMPLATE, Spot, pattern_of

MAX_TALLIES = 2048


class Tally:
    """Counts the records of one incident, from its first to its end.

    ``add`` counts one of them, ``see`` a further sighting of an exception that was counted, each in the counters too.
    ``attention`` is true where a calling thread must do more than count: a sample is wanted (``room``), the worker
    wants to be woken (``watched``), or the tally is ``closed`` and the record has to be counted elsewhere.
    """

    attention = True
    room = MAX_SAMPLES
    watched = closed = False
    begun = False
    """Whether its first record was put down for the worker; another thread may be at that."""
    depth = 0  # of the records in it: how deep in masking they were made
    codes: tuple[CodeType | type, ...] = ()
    spot: Spot = ()
    path, line = "", 0  # of its first
    template: object = NO_TEMPLATE
    text = ""  # as much of it as is compared
    constant: object = NO_TEMPLATE  # a template whose records are counted without a look at anything else of them
    has_echoes = False
    """Whether its records were said once more, in other words: then each is looked at."""
    _pattern: str | None = None
    _table: dict[Any, Tally] | None = None
    _key: object = None
    # The worker's own:
    key = ""  # of its incident
    lane = ""
    first: First | None = None
    ended = ""  # how its last message ended; empty before
    lost = ""  # why nothing of it can be told any more
    crowded = crowds = False  # whether others of its line wait, and whether it is one of them
    told_at = counted_at = room_at = float("-inf")
    _taken = _taken_seen = 0
    _counted: itertools.count[int] | None = None
    _seen: itertools.count[int] | None = None

    def __init__(self, level: int, recipients: Recipients | None, accepted: Number, began: float) -> None:
        self.level = level
        self.recipients = recipients
        self._accepted = accepted.count
        self.last = began  # the newest

    @cached_property
    def samples(self) -> deque[Sample]:
        return deque(maxlen=MAX_SAMPLES)

    def add(self) -> object:
        """Count one of them, in one step in C. It is made with the second of them: most incidents have but one."""
        counted = self.__dict__.setdefault("_counted", itertools.count(1))
        return self.__dict__.setdefault("add", zip(self._accepted, counted, strict=False).__next__)()

    def see(self) -> object:
        """Count a further sighting, in one step like `add`."""
        seen = self.__dict__.setdefault("_seen", itertools.count(1))
        return self.__dict__.setdefault("see", zip(self._accepted, seen, strict=False).__next__)()

    def __reduce__(self) -> tuple[object, ...]:
        return (dict, ())  # it marks exceptions, which programs pickle and copy: the mark does not travel

    def pattern(self) -> str:
        """Its text, without what changes."""
        if self._pattern is None:
            self._pattern = pattern_of(self.text)
        return self._pattern

    def stand_in(self, table: dict[Any, Tally], key: object) -> bool:
        """Be found in a table until it closes; False where another stands there already."""
        self._table, self._key = table, key
        return table.setdefault(key, self) is self

    def close(self) -> None:
        """Be found no more. A thread that has found it already, and counts, sees that it is closed."""
        self.closed = True
        self.attention = True
        if self._table is not None and self._table.get(self._key) is self:
            self._table.pop(self._key, None)

    def attend(self) -> tuple[bool, bool]:
        """In a calling thread that has counted: whether a sample is wanted, and whether the worker is."""
        sample, wake = self.room > 0, self.watched or self.closed
        self.watched = False
        if sample:
            self.room -= 1
        if self.room <= 0:
            self.attention = False
            if self.closed or self.watched:  # said meanwhile
                self.attention = True
        return sample, wake

    # The worker.

    def watch(self) -> bool:
        """Be woken by the next record. False if there is one already."""
        self.watched = True
        self.attention = True
        return self.has_all_taken

    @property
    def has_all_taken(self) -> bool:
        """Whether nothing is counted that was not taken."""
        return _number(self._counted) == self._taken and _number(self._seen) == self._taken_seen

    def take(self) -> tuple[int, int]:
        """Take what was counted: those that are the same, and further sightings. Each is given once."""
        counted, seen = _number(self._counted), _number(self._seen)
        found = counted - self._taken, seen - self._taken_seen
        self._taken, self._taken_seen = counted, seen
        return found

    def take_samples(self) -> tuple[Sample, ...]:
        samples = self.__dict__.get("samples")
        return tuple(samples.popleft() for _ in range(len(samples))) if samples else ()

    def open_room(self) -> None:
        """Ask for samples of what comes now."""
        self.room = MAX_SAMPLES
        self.attention = True


def _number(count: itertools.count[int] | None) -> int:
    return 0 if count is None else reading(count)


class Tallies:
    """All that are open, a bounded number of them: the ones opened first make room."""

    def __init__(self) -> None:
        self.spots: dict[Any, Tally] = {}  # the first of each spot
        self._patterns: dict[Any, Tally] = {}  # the others, by spot and text
        self._varied: dict[Spot, None] = {}  # spots that have had others: their first may be over before those
        self.closed: deque[Tally] = deque()  # for the worker: what they have counted is still to be taken
        self.shut = False

    def __iter__(self) -> Iterator[Tally]:
        return iter([*self.spots.values(), *self._patterns.values()])

    def __len__(self) -> int:
        return len(self.spots) + len(self._patterns)

    def find(self, spot: Spot, template: object, text: Callable[[], str]) -> tuple[Tally | None, str | None]:
        """The open tally of a record, if there is one; else the pattern under which it is to be opened.

        None: it is the first of its spot. Only from the second text of a spot on are texts compared.
        """
        first = self.spots.get(spot)
        if first is None:
            other = self._patterns.get((spot, pattern_of(text()))) if spot in self._varied else None
            return other, None
        if template is first.template and template is not NO_TEMPLATE:
            return first, None
        pattern = pattern_of(text())
        if pattern == first.pattern():
            return first, None
        return self._patterns.get((spot, pattern)), pattern

    def open(self, tally: Tally, pattern: str | None) -> bool:
        """Open one; False where another thread was faster. Where there are too many, the oldest is closed."""
        table, key = (self.spots, tally.spot) if pattern is None else (self._patterns, (tally.spot, pattern))
        if not tally.stand_in(table, key):
            return False
        if pattern is not None:
            if len(self._varied) > MAX_TALLIES:
                self._varied.clear()  # at worst a first is told twice
            self._varied[tally.spot] = None
        while len(table) > MAX_TALLIES:
            try:
                self.close(next(iter(table.values())))
            except (RuntimeError, StopIteration):  # another thread opened or closed one at this instant
                continue
        if self.shut:
            self.close(tally)
        return True

    def successor(self, tally: Tally) -> Tally | None:
        """The open tally of the records that this one has counted, if there is one."""
        for table, key in ((self.spots, tally.spot), (self._patterns, (tally.spot, tally.pattern()))):
            found = table.get(key)
            if found is not None and not found.closed and found.pattern() == tally.pattern():
                return found
        return None

    def close(self, tally: Tally) -> None:
        """End one; the worker takes what it has counted."""
        tally.close()
        if not tally.has_all_taken:
            self.closed.append(tally)

    def shut_all(self) -> None:
        """End all, and each that still comes at once."""
        self.shut = True
        for tally in self:
            self.close(tally)
