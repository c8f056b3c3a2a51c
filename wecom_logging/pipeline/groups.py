"""Step 2: the groups of records that are the same. A record whose group is open is one increment.

Any thread may be interrupted anywhere, by a signal handler that logs too: nothing here takes a lock. What a calling
thread does to a table is one call in C; what it counts is one call in C; and it looks after counting whether the group
wants attention, while the worker says that it does before it reads the count.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, Any

from ..model import Alert, Recipients, Sample
from ..state.base import MAX_SAMPLES
from .books import Tally, reading
from .keys import NO_TEMPLATE, Spot, pattern_of

if TYPE_CHECKING:
    from .inbox import Waiting

MAX_GROUPS = 2048


class Life:
    """A group's times, on the worker's clock: see `Schedule`."""

    wait_s = told_at = due = quiet_since = 0.0
    looks_at = float("inf")
    news = 0
    followed = False

    def __init__(self) -> None:
        self.rates: list[int] = []


class Group:
    """Records that are the same, from the first to the closing.

    ``add`` counts one of them, ``see`` a further sighting of an exception that was counted, each in the books too.
    ``attention`` is true where a calling thread must do more than count: a sample is wanted (``room``), the worker
    wants to be woken (``watched``), or the group is ``closed`` and the record has to be counted elsewhere.
    """

    attention = True
    room = MAX_SAMPLES
    watched = closed = False
    depth = 0  # of the records in it, as in `Waiting`
    codes: tuple[CodeType | type, ...] = ()
    spot: Spot = ()
    site = ("", 0)  # the file and line of its first
    template: object = NO_TEMPLATE
    text = ""  # as much of it as is compared
    constant: object = NO_TEMPLATE  # a template whose records are counted without a look at anything else of them
    _pattern: str | None = None
    _table: dict[Any, Group] | None = None
    _key: object = None
    # The worker's own:
    common = ""  # its key in a shared state
    alert: Alert | None = None  # the first, masked and slim
    waiting: Waiting | None = None  # what will tell all that is counted until it is rendered
    flying = 0  # how many of its messages are rendered, but not settled
    ended: str | None = None  # how its last message ended
    lost = ""  # why nothing of it can be told any more
    total = digests = _told = _told_seen = 0

    def __init__(self, level: int, recipients: Recipients | None, accepted: Tally, began: float) -> None:
        self.level = level
        self.recipients = recipients
        self._accepted = accepted.count
        self.since = self.last = began  # when the count of the next message begins, and the newest

    @cached_property
    def life(self) -> Life:
        return Life()

    @cached_property
    def samples(self) -> deque[Sample]:
        return deque(maxlen=MAX_SAMPLES)

    def add(self) -> object:
        """Count one of them, in one step in C. It is made with the second of them: most groups have but one."""
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

    def stand_in(self, table: dict[Any, Group], key: object) -> bool:
        """Be found in a table until it closes; False where another stands there already."""
        self._table, self._key = table, key
        return table.setdefault(key, self) is self

    def close(self) -> None:
        """Be found no more. Whoever has found it already, and counts, sees that it is closed."""
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

    def watch(self) -> bool:
        """By the worker: be woken by the next record. False if there is one already."""
        self.watched = True
        self.attention = True
        return self.news == 0

    @property
    def news(self) -> int:
        """How many were counted since the last message about it was rendered."""
        return self._number("_counted") - self._told

    def _number(self, counter: str) -> int:
        count = self.__dict__.get(counter)
        return 0 if count is None else reading(count)

    @property
    def has_begun(self) -> bool:
        """Whether its first record has been captured; another thread may be at that."""
        return self.alert is not None or self.flying > 0 or self.waiting is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is counted that was not claimed."""
        return self.news == 0 and self._number("_seen") == self._told_seen

    def claim(self) -> tuple[int, int]:
        """Take what is counted: those that are the same, and further sightings. Each is given once."""
        counted, seen = self._number("_counted"), self._number("_seen")
        found = counted - self._told, seen - self._told_seen
        self._told, self._told_seen = counted, seen
        self.total += found[0]
        return found

    def claim_sightings(self) -> int:
        """Take the further sightings alone."""
        seen = self._number("_seen")
        found, self._told_seen = seen - self._told_seen, seen
        return found

    def inherit(self, number: int) -> None:
        """Count what was counted, too late, in a group that this one follows."""
        self._told -= number

    def open_room(self) -> None:
        """Ask for samples of what comes now."""
        self.room = MAX_SAMPLES
        self.attention = True


class Groups:
    """All open groups, a bounded number of them: the ones opened first make room."""

    def __init__(self) -> None:
        self.spots: dict[Any, Group] = {}  # the first group of each spot
        self._patterns: dict[Any, Group] = {}  # the others, by spot and text
        self._varied: dict[Spot, None] = {}  # spots that have had others: their first may be over before those
        self.closed: deque[Group] = deque()  # for the worker: what they have counted is still to be told
        self.shut = False

    def __iter__(self) -> Iterator[Group]:
        return iter([*self.spots.values(), *self._patterns.values()])

    def __len__(self) -> int:
        return len(self.spots) + len(self._patterns)

    def find(self, spot: Spot, template: object, text: Callable[[], str]) -> tuple[Group | None, str | None]:
        """The open group of a record, if there is one; else the pattern under which it is to be opened.

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

    def open(self, group: Group, pattern: str | None) -> bool:
        """Open a group; False where another thread was faster. Where there are too many, the oldest is closed."""
        table, key = (self.spots, group.spot) if pattern is None else (self._patterns, (group.spot, pattern))
        if not group.stand_in(table, key):
            return False
        if pattern is not None:
            if len(self._varied) > MAX_GROUPS:
                self._varied.clear()  # at worst a first is told twice
            self._varied[group.spot] = None
        while len(table) > MAX_GROUPS:
            try:
                self.close(next(iter(table.values())))
            except (RuntimeError, StopIteration):  # another thread opened or closed one at this instant
                continue
        if self.shut:
            self.close(group)
        return True

    def successor(self, group: Group) -> Group | None:
        """The open group of the records that this one has counted, if there is one."""
        for table, key in ((self.spots, group.spot), (self._patterns, (group.spot, group.pattern()))):
            found = table.get(key)
            if found is not None and not found.closed and found.pattern() == group.pattern():
                return found
        return None

    def close(self, group: Group) -> None:
        """End a group; the worker gets it for what is counted, unless something waits that will tell that."""
        group.close()
        if group.waiting is None and not group.is_settled:
            self.closed.append(group)

    def shut_all(self) -> None:
        """End all, and each that still comes at once."""
        self.shut = True
        for group in self:
            self.close(group)
