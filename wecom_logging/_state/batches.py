"""What this process has added to the shared store: each batch once, and again what the store has lost of it.

It is remembered until it is known to be told. Where the store's number of this process's batches went back, the store
was emptied, or put back to an older state.

What stands in memory and in the shared store at once (taken back while that is away, or of a lost answer) is here too:
what memory tells of it is told back to the shared store, so that no process tells it again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from .._incidents import life, limits
from .._incidents.incident import NO_ANSWERS, NOTHING, Count, First, Incident
from .base import PART, Added, LateAnswerError, Store, Swap, swap_lent
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
        samples=tuple(sample for count in counts for sample in count.samples)[: limits.MAX_SAMPLES],
    )


@dataclass(slots=True)
class _Both:
    """How many of an incident in memory are in the shared store, too, as ``key``; how many of the doubtful batch."""

    key: str
    sure: int = 0
    doubtful: int = 0
    doubtful_told: int = 0
    last: float = 0.0


@dataclass(slots=True)
class _ToldBack:
    """So many that the shared store has were told from memory, the newest of them ``last``.

    ``tried``: the version of the row that was told so; the answer was lost.
    """

    number: int = 0
    last: float = 0.0
    tried: int | None = None


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A batch whose answer was lost. ``pairs``: of each count the incident in memory that it was."""

    number: int
    counts: Sequence[Count]
    pairs: Sequence[tuple[Incident, Count]]


class Reconciled:
    """Of one handler. What uses the store raises `StateError`."""

    def __init__(self, channel: str, shared: Shared, batches: Batches) -> None:
        self._channel = channel
        self._shared = shared
        self._batches = batches
        self._both: dict[str, _Both] = {}  # by key in memory
        self._told_back: dict[str, _ToldBack] = {}  # by key in the shared store
        self._doubt: _Doubt | None = None

    def of(self, key: str) -> tuple[str, int]:
        """The key in the shared store of an incident in memory, and how many of it are there for sure."""
        both = self._both.get(key)
        return (key, 0) if both is None else (both.key, both.sure)

    def forget(self, key: str) -> None:
        """It is in memory no more."""
        self._both.pop(key, None)

    def take_back(self, but: Collection[str]) -> list[Count]:
        """For memory: alerts but of these keys, which may be lost with the store, and which no process has told."""
        back = self._batches.untold_but({*but, *(both.key for both in self._both.values())})
        self._both.update((count.key, _Both(count.key, sure=1)) for count in back)
        return back

    # A lost answer.

    def doubt(self, counts: Sequence[Count], pairs: Sequence[tuple[Incident, Count]]) -> None:
        """Whether the newest batch came through is found out later; until then memory has it."""
        self._doubt = _Doubt(self._batches.number, counts, pairs)
        for incident, count in pairs:
            self._both.setdefault(incident.key, _Both(count.key)).doubtful += count.number

    def resolve(self, newest: int, now: float) -> None:
        """What was in doubt must be neither lost nor counted twice; ``newest`` batch that the store has."""
        if (doubt := self._doubt) is None:
            return
        is_there = newest >= doubt.number
        if is_there:  # to add it once more changes nothing, but tells what became of each
            added = self._batches.add_as(doubt.number, doubt.counts, now).told
        else:
            self._batches.number = doubt.number - 1
            added = (None,) * len(doubt.pairs)
        self._doubt = None
        for (incident, count), sent, told in zip(doubt.pairs, doubt.counts, added, strict=True):
            both = self._both.get(incident.key, _Both(count.key))
            if told is not None or (is_there and sent.first is not None):  # else it is over since
                self._batches.remember(doubt.number, count, incident.first, (told or 0) + both.doubtful_told)
                both.sure += both.doubtful
                self._tell_back(both, both.doubtful_told)
            both.doubtful = both.doubtful_told = 0

    # What memory tells of it.

    def settle(self, swap: Swap) -> None:
        """What memory told or gave up: the shared store is told, or tries what was refused itself."""
        key, before, after = swap.before.key, swap.before, swap.after
        if (both := self._both.get(key)) is None:
            return
        if after is None:
            del self._both[key]
            return
        number = after.told - before.told
        sure = min(both.sure, number)
        doubtful = min(both.doubtful, number - sure)
        both.sure -= sure
        both.doubtful -= doubtful
        both.last = before.last
        if sure:
            self._batches.was_told(both.key)
        if not swap.why:
            both.doubtful_told += doubtful
            self._tell_back(both, sure)
        if not (both.sure or both.doubtful or both.doubtful_told):
            del self._both[key]

    def _tell_back(self, both: _Both, number: int) -> None:
        """Say later that so many of what the shared store has were told."""
        if number:
            told_back = self._told_back.setdefault(both.key, _ToldBack())
            told_back.number += number
            told_back.last = both.last
            self._batches.was_told(both.key, number)

    def report(self, in_hand: Collection[tuple[str, int]], now: float) -> None:
        """Say it; but for rows that are ``in_hand``, by key and version."""
        while keys := list(islice(self._told_back, MOST)):
            swaps = []
            for row in self._shared.call(lambda store: store.open(self._channel, len(keys), keys, now)):
                told = self._told_back[row.key]
                if (row.key, row.version) not in in_hand and self._may_mark(row, told):
                    told.tried = row.version
                    swaps.append(Swap(row, _marked(row, told.number, now)))
            if swaps:
                self._shared.call(lambda store: swap_lent(store, self._channel, swaps, now))  # noqa: B023 # called at once
            for key in keys:
                del self._told_back[key]

    def _may_mark(self, row: Incident, told: _ToldBack) -> bool:
        """Whether it has those in it still; else others tell them, or have told them, and they are told twice."""
        is_free = row.owner in ("", self._shared.who)
        return bool(row.untold) and is_free and row.began <= told.last and told.tried in (None, row.version)


def _marked(row: Incident, number: int, now: float) -> Incident | None:
    """What a row becomes of which so many were told."""
    after = life.sent(replace(row, count=min(row.told + number, row.count), answers=NO_ANSWERS), now)
    if after is not None:  # what people did is not told by that
        after = replace(after, answers=row.answers, held_until=row.held_until)
    return after
