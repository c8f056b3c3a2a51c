"""What stands in memory and in the shared store at once: taken back while that is away, or of a lost answer.

What memory tells of it is told back to the shared store, so that nobody tells it again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from .._incidents import life
from .._incidents.incident import NO_ANSWERS, Count, Incident
from .answering import swap_lent
from .base import Swap
from .batches import MOST, Batches
from .shared import Shared


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


class InBoth:
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
        """For memory: alerts but of these keys, which may be lost with the store, and which nobody has told."""
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
