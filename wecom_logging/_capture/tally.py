"""`Tally` counts the records of an open incident in the calling thread, without a lock; `Tallies` finds it by identity.

Any thread may be interrupted anywhere, by a signal handler that logs too: nothing here takes a lock. What a calling
thread does to a table is one call in C; what it counts is one call in C; and it looks after counting whether the tally
wants attention, while the worker says that it does before it reads the count.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .._incidents.limits import MAX_SAMPLES, MAX_VARIANTS
from .._runtime.counters import Number, reading
from .collapse import Collapse, Collapses, Form
from .identity import NO_TEMPLATE, CallSite, Identity
from .texts import instant, once

if TYPE_CHECKING:
    from .._incidents.incident import First
    from ..model import Sample, Variant

MAX_TALLIES = 2048
MAX_CALL_SITES = 16
"""Lines of a function that say the same."""


class Tally:
    """Counts the records of one incident, from its first to its end.

    ``add`` counts one of them, ``see`` a duplicate report of an exception that was counted, each in the counters too.
    ``attention`` is true where a calling thread must do more than count: a sample is wanted (``room``), the worker
    wants to be woken (``watched``), or the tally is ``closed`` and the record has to be counted elsewhere.
    """

    attention = True
    room = MAX_SAMPLES
    watched = closed = False
    begun = False
    """Whether its first record was put down for the worker; another thread may be at that."""
    depth = 0  # of the records in it: how deep in masking they were made
    path, line = "", 0  # of its first
    constant: object = NO_TEMPLATE  # a template whose records are counted without a look at anything else of them
    has_duplicates = False
    """Whether its records were said once more, in other words: then each is looked at."""
    variants: dict[str, Seen] | None = None
    """Of one that stands for many variants, those that were seen, by their text."""
    form: Form | None = None
    call_sites: tuple[CallSite, ...] = ()
    """Where it is found without a further look."""
    # The worker's own:
    key = ""  # of its incident
    first: First | None = None
    hides: Callable[[str], str] | None = None  # what was hidden in its first alert
    ended = ""  # how its last message ended; empty before
    lost = ""  # why nothing of it can be told any more
    crowded = crowds = False  # whether others of its line wait, and whether it is one of them
    told_at = counted_at = room_at = float("-inf")
    quiet_s = 0.0  # after which its incident is over
    _taken = _taken_seen = 0
    _counted: itertools.count[int] | None = None
    _seen: itertools.count[int] | None = None

    def __init__(self, level: int, audience: str, accepted: Number, began: float, identity: Identity) -> None:
        self.identity = identity
        self.level = level
        self.audience = audience
        self._accepted = accepted.count
        self.newest: object = began
        """When the newest of them came, as its record says, which may be anything."""

    @property
    def last(self) -> float:
        return instant(self.newest, time.time())

    @once
    def samples(self) -> deque[Sample]:
        return deque(maxlen=MAX_SAMPLES)

    @once
    def shown(self) -> dict[str, float]:
        """The forms of samples that a digest has shown, each with the time of its sample."""
        return {}

    def add(self) -> object:
        """Count one of them, in one step in C. It is made with the second of them: most incidents have but one."""
        counted = self.__dict__.setdefault("_counted", itertools.count(1))
        return self.__dict__.setdefault("add", zip(self._accepted, counted, strict=False).__next__)()

    def see(self) -> object:
        """Count a duplicate report, in one step like `add`."""
        seen = self.__dict__.setdefault("_seen", itertools.count(1))
        return self.__dict__.setdefault("see", zip(self._accepted, seen, strict=False).__next__)()

    def add_queued(self, leave: Iterator[object]) -> None:
        """Count one that was accepted before, as it leaves where it was: both, in one step in C, or nothing."""
        next(zip(leave, self.__dict__.setdefault("_counted", itertools.count(1)), strict=False))

    def __reduce__(self) -> tuple[object, ...]:
        return (dict, ())  # it marks exceptions, which programs pickle and copy: the mark does not travel

    def close(self) -> None:
        """A thread that has found it already, and counts, sees that it is closed."""
        self.closed = True
        self.attention = True

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
        """Take what was counted: those that are the same, and duplicate reports. Each is given once."""
        counted, seen = _number(self._counted), _number(self._seen)
        found = counted - self._taken, seen - self._taken_seen
        self._taken, self._taken_seen = counted, seen
        return found

    def take_samples(self) -> tuple[Sample, ...]:
        samples = self.__dict__.get("samples")
        return tuple(samples.popleft() for _ in range(len(samples))) if samples else ()

    def take_variants(self) -> tuple[Variant, ...]:
        seen = list(self.variants.values()) if self.variants else ()
        return tuple(variant for one in seen if (variant := one.take()) is not None)

    def open_room(self) -> None:
        """Ask for samples of what comes now."""
        self.room = MAX_SAMPLES
        self.attention = True


def _number(count: itertools.count[int] | None) -> int:
    return 0 if count is None else reading(count)


class Seen:
    """One variant of those that were collapsed: what it is called, its first text, and how many came."""

    __slots__ = ("_counted", "_taken", "is_masked", "is_new", "name", "tally", "text", "time")

    def __init__(self, tally: Tally, name: str, text: str, time: float, *, is_new: bool) -> None:
        self.tally = tally
        self.name = name
        self.text = text
        self.time = time
        self.is_new = is_new
        self.is_masked = False
        self._counted = itertools.count(1)
        self._taken = 0

    def add(self) -> None:
        next(self._counted)

    def take(self) -> Variant | None:
        """In the worker: what was counted since it was asked last."""
        number = reading(self._counted)
        if number == self._taken:
            return None
        from ..model import Variant

        found = Variant(self.name, number - self._taken, self.text, self.time, self.is_new)
        self._taken, self.is_new = number, False
        return found


class Tallies:
    """All that are open, a bounded number of them: the ones opened first make room."""

    def __init__(self) -> None:
        self.call_sites: dict[CallSite, Tally] = {}
        """Where records come from whose template says all: `AlertHandler.handle` looks here, and at nothing else."""
        self._open: dict[CallSite, Tally] = {}
        self._seen: dict[CallSite, Seen] = {}
        self._collapses = Collapses()
        self.closed: deque[Tally] = deque()  # for the worker: what they have counted is still to be taken
        self.shut = False

    def __iter__(self) -> Iterator[Tally]:
        return iter([*self._open.values()])

    def __len__(self) -> int:
        return len(self._open)

    def find(self, identity: Identity, now: float) -> tuple[Tally | None, Seen | None, Collapse | None]:
        """The open tally of a record, and its variant, where that stands for many; and a new collapse."""
        key = identity.key
        if (tally := self._open.get(key)) is not None:
            return tally, None, None
        if (seen := self._seen.get(key)) is not None and not seen.tally.closed:
            return seen.tally, seen, None
        if not identity.is_free:
            return None, None, None
        place = identity.whom, identity.place
        collapse = self._collapses.collapse(place, identity.text, now, is_failure=identity.is_failure)
        return None if collapse is None else self._open.get((*place, collapse.form.text)), None, collapse

    def see(self, tally: Tally, identity: Identity, name: str, text: str, time: float, *, is_new: bool) -> Seen | None:
        """The variant of a record among those that a tally stands for; None: there are too many to name."""
        variants = tally.variants
        if variants is None or (len(variants) >= MAX_VARIANTS and identity.text not in variants):
            return None
        seen = variants.setdefault(identity.text, Seen(tally, name, text, time, is_new=is_new))
        if len(self._seen) >= MAX_TALLIES:
            self._seen.clear()  # they are found again
        self._seen[identity.key] = seen
        return seen

    def open(self, tally: Tally) -> bool:
        """Open one; False where another thread was faster. Where there are too many, the oldest is closed."""
        key = tally.identity.key
        if self._open.setdefault(key, tally) is not tally:
            return False
        while len(self._open) > MAX_TALLIES:
            try:
                self.close(next(iter(self._open.values())))
            except (RuntimeError, StopIteration):  # another thread opened or closed one at this instant
                continue
        if self.shut:
            self.close(tally)
        return True

    def stand_for(self, tally: Tally, identity: Identity, collapse: Collapse) -> None:
        """Let a tally that was opened for a record of this identity stand for all variants of it from now on."""
        tally.form, tally.variants = collapse.form, {}
        collapse.form.at = float("inf")
        self.see(tally, identity, collapse.name, identity.text, tally.last, is_new=False)
        for other in self:
            mine = other.identity
            if not mine.is_free or (mine.whom, mine.place) != (identity.whom, identity.place):
                continue
            if (name := collapse.form.name_in(mine.text)) is not None:  # a message has told it
                collapse.form.is_new(mine.text)
                self.see(tally, mine, name, mine.text, other.last, is_new=False)
                self.close(other)

    def count_here(self, tally: Tally, call_site: CallSite) -> None:
        """Find it from now on by where its records come from, without a further look."""
        if (
            call_site
            and not tally.closed
            and len(tally.call_sites) < MAX_CALL_SITES
            and self.call_sites.get(call_site) is not tally
        ):
            if len(self.call_sites) >= 2 * MAX_TALLIES:
                self.call_sites.clear()  # they are found again
            self.call_sites[call_site] = tally
            tally.call_sites = (*tally.call_sites, call_site)

    def successor(self, tally: Tally) -> Tally | None:
        """The open tally of the records that this one has counted, if there is one."""
        found = self._open.get(tally.identity.key)
        return found if found is not None and not found.closed else None

    def close(self, tally: Tally) -> None:
        """End one; the worker takes what it has counted."""
        tally.close()
        if self._open.get(tally.identity.key) is tally:
            self._open.pop(tally.identity.key, None)
            if tally.form is not None:
                tally.form.at = tally.last
        for call_site in tally.call_sites:
            if self.call_sites.get(call_site) is tally:
                self.call_sites.pop(call_site, None)
        if not tally.has_all_taken:
            self.closed.append(tally)

    def shut_all(self) -> None:
        """End all, and each that still comes at once."""
        self.shut = True
        for tally in self:
            self.close(tally)
