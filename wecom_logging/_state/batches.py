"""What this process has added to the shared store: each batch once, and again what the store has lost of it.

It is remembered until it is known to be told. Where the store's number of this process's batches went back, the store
was emptied, or put back to an older state.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from .._incidents import life
from .._incidents.incident import NOTHING, Count, First, Incident
from .base import PART, Added, LateAnswerError, Store
from .shared import Shared

MOST = 100
"""Incidents of one batch."""
_MAX_KEPT = 10_000
_MAX_KEPT_BYTES = 16 * 1024 * 1024
_MAX_BATCHES = 8
_ASKED = 200
"""Of so many incidents a store is asked at once, to hold it for milliseconds; of the others next time."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one batch had of an incident. ``number`` is the batch's, ``began`` that with which it was added first."""

    number: int
    began: int
    count: Count


@dataclass(slots=True)
class _Mine:
    """What this process has added of one incident, the oldest first."""

    first: First
    batches: list[_Batch] = field(default_factory=list)
    is_untold: bool = True
    """Whether no process may have sent anything of it."""

    def whole(self) -> Count:
        return _whole([one.count for one in self.batches])


class _Round:
    """Goes through keys, at most `_ASKED` at a time, for ever."""

    def __init__(self) -> None:
        self._left: list[str] = []

    def next(self, keys: Collection[str]) -> list[str]:
        if len(keys) <= _ASKED:
            return list(keys)
        self._left = self._left or list(keys)
        some = self._left[-_ASKED:]
        del self._left[-_ASKED:]
        return [key for key in some if key in keys]


class Batches:
    """The batches of one handler. What uses the store raises `StateError`."""

    def __init__(self, channel: str, shared: Shared, host: str) -> None:
        self._channel = channel
        self._shared = shared
        self._host = host
        self._part = next(shared.parts)
        self.number = 0
        """That of the newest batch."""
        self.quietened: set[str] = set()
        """Incidents that an answer quietens: they are meant to wait."""
        self.ends = False
        self._early: set[str] = set()
        """Of a program that ends: what is meant to wait, too."""
        self._mine: dict[str, _Mine] = {}
        self._bytes = 0
        self._asked_at = float("-inf")
        self._asked, self._urgent = _Round(), _Round()

    @property
    def _writer(self) -> str:
        """Whose batches these are: each handler of a process numbers its own."""
        return f"{self._shared.who}{PART}{self._part}"

    # In the store.

    def add(self, counts: Sequence[Count], now: float) -> Added:
        """Add one more."""
        self.number += 1
        return self.add_as(self.number, counts, now)

    def add_as(self, number: int, counts: Sequence[Count], now: float) -> Added:
        """Add the batch of this number, which may be there already. Where the answer is late, it is sent once more."""

        def add(store: Store) -> Added:
            try:
                return store.add(self._channel, self._writer, self._host, number, counts, now)
            except LateAnswerError:
                return store.add(self._channel, self._writer, self._host, number, counts, now)

        return self._shared.call(add)

    def newest(self) -> int:
        """The number of the newest batch that the store has."""
        return self._untold(())[0]

    def add_again(self, before: int, until: int, now: float) -> None:
        """Add what the store has lost of the batches after ``before`` and before ``until``."""
        if before >= until - 1:
            return
        found = [
            (mine, lost)
            for mine in self._mine.values()
            if (lost := [one for one in mine.batches if before < one.number < until])
        ]
        batches: list[tuple[int, list[Count]]] = []
        for start in range(0, len(found), MOST):  # numbered before any is added: what fails now is missing then, too
            self.number += 1
            batches.append((self.number, []))
            for mine, lost in found[start : start + MOST]:
                count = _whole([one.count for one in lost])
                mine.batches = [one for one in mine.batches if one not in lost]
                mine.batches.append(_Batch(self.number, min(one.began for one in lost), count))
                batches[-1][1].append(count)
        for number, counts in batches:
            self.add_as(number, counts, now)

    def look(self, now: float, every_s: float) -> None:
        """Forget what is told by now, but ask no sooner than so long after the last time."""
        if not self._mine or now < self._asked_at + every_s:
            return
        self._asked_at = now
        asked = self._asked.next(self._mine.keys())
        newest, left, quietened = self._untold(asked)
        self.quietened.difference_update(asked)
        self.quietened.update(quietened)
        if newest < self.number:
            self.add_again(newest, self.number + 1, now)
            return
        for key in {*asked} - {*left}:
            self.forget(key)
            self.quietened.discard(key)
        if self.ends and left:
            rows = self._shared.call(lambda store: store.open(self._channel, len(left), left, now))
            self.let_wait([row.key for row in rows if life.is_early(row, now)])

    def _untold(self, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        return self._shared.call(lambda store: store.untold(self._channel, self._writer, keys))

    # In this process.

    def end(self) -> None:
        """The program ends: see now which counts may wait."""
        self.ends, self._asked_at = True, float("-inf")

    def keys(self) -> Collection[str]:
        """The incidents of which something is not known to be told."""
        return self._mine.keys()

    def urgent(self) -> list[str]:
        """Some of them, others each time; of a program that ends those that are not meant to wait."""
        keys = [key for key in self._mine if not self._may_wait(key)] if self.ends else self._mine.keys()
        return self._urgent.next(keys)

    def _may_wait(self, key: str) -> bool:
        if key in self.quietened or key in self._early:
            return True
        return self.ends and not self._shared.is_up and not self._mine[key].is_untold  # nobody can ask, or send it

    def remember(self, number: int, count: Count, first: First, told: int) -> None:
        """A batch is in the store, where so many of the incident were told."""
        mine = self.forget(count.key) or _Mine(first, is_untold=bool(count.event))
        mine.is_untold = mine.is_untold and not told
        mine.batches.append(_Batch(number, number, count))
        self._early.discard(count.key)
        if len(mine.batches) > _MAX_BATCHES:
            old, new = mine.batches[:2]
            mine.batches[:2] = [replace(new, count=_whole([old.count, new.count]))]
        self._mine[count.key] = mine
        self._bytes += mine.first.size
        while len(self._mine) > _MAX_KEPT or (self._bytes > _MAX_KEPT_BYTES and len(self._mine) > 1):
            self.forget(next(iter(self._mine)))

    def forget(self, key: str) -> _Mine | None:
        """All of it is told."""
        mine = self._mine.pop(key, None)
        if mine is not None:
            self._bytes = max(self._bytes - mine.first.size, 0)
        return mine

    def was_told(self, key: str, number: int = 0) -> None:
        """So many of it were told at least. It need not be taken back any more."""
        if (mine := self._mine.get(key)) is not None:
            mine.is_untold = False
            if mine.whole().number <= number:
                self.forget(key)

    def with_own_first(self, incident: Incident) -> Incident:
        """What this process has itself captured it sends by the object that it has, with its picture."""
        mine = self._mine.get(incident.key)
        return incident if mine is None or incident.told or not mine.is_untold else replace(incident, first=mine.first)

    def untold_but(self, keys: Collection[str]) -> list[Count]:
        """Alerts but of these, of which no process may have sent anything."""
        return [
            replace(mine.whole(), number=1, first=mine.first, own=NOTHING)
            for key, mine in self._mine.items()
            if mine.is_untold and key not in keys
        ]

    def let_wait(self, keys: Collection[str]) -> None:
        """Of a program that ends: what is untold of these are counts of what was told, which are not due yet."""
        for key in keys:
            self.was_told(key)
        self._early.update(keys)

    def waits(self, keys: set[str], newest: int) -> bool:
        """Whether something of these is not known to be told that was first added with that batch or before it. What
        waits for nothing leaves them."""
        while keys:
            key = keys.pop()
            mine = self._mine.get(key)
            if mine is not None and not self._may_wait(key) and any(one.began <= newest for one in mine.batches):
                keys.add(key)
                return True
        return False

    def leaves_untold(self) -> bool:
        """At exit: whether something is left to others that is not meant to wait."""
        return not all(map(self._may_wait, list(self._mine)))


def _whole(counts: Sequence[Count]) -> Count:
    """All of them as one."""
    return replace(
        counts[0],
        number=sum(count.number for count in counts),
        last=max(count.last for count in counts),
        samples=tuple(sample for count in counts for sample in count.samples)[: life.MAX_SAMPLES],
    )
