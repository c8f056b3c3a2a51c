"""The incidents of one handler: in the memory of this process, and in the store that processes share while that is up.

What is added waits in memory first, and is handed over to the shared store when that can be used. What was handed over
is remembered until it is known to be told. Where the store has lost it (its number of this process's batches went
back), it is added again; while the store cannot be used, this process tells what nobody has told yet, from memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from .._incidents import life
from .._incidents.incident import NO_ANSWERS, NOTHING, Count, First, Incident, Kin, Own
from .._runtime.deadline import seconds_left, within
from ..errors import StateError
from .adopt import adopted
from .answering import swap_all
from .base import PART, Added, Swap
from .memory import MemoryStore, Queue
from .shared import Shared

LET_GO_S = 20.0
"""What could not be sent for so long, other processes may try."""

_TRIES = 4
"""How many requests one claim may cost that is on its way by then: a round, and a token."""

_LOOK_S = 5.0
_ASK_S = 1.0
DRAIN_S = 0.2
"""How soon it is looked again what others have sent, while somebody waits for that."""
_GIVE_S = 0.5
"""For so long alerts are made, which a redact may hold up; then the shared store gets what is made."""
_MOST = 100
_HERE = "here"
"""What this process is called in its own memory."""

_MAX_MINE = 10_000
_MAX_MINE_BYTES = 16 * 1024 * 1024
_MAX_BATCHES = 8


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of this process to send an incident until its lease ends; ``is_shared``: the shared store lent it."""

    incident: Incident
    is_shared: bool
    claimed_at: float

    @property
    def key(self) -> str:
        return self.incident.key


@dataclass(frozen=True, slots=True)
class Mark:
    """How many of each incident were there, by key: in memory, and, by the number of the batch, in the shared store."""

    here: Mapping[str, int]
    shared: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one batch had of an incident. ``number`` is the batch's, ``began`` that with which it was added first."""

    number: int
    began: int
    count: Count


@dataclass(slots=True)
class _Mine:
    """What this process has handed over of one incident, the oldest first."""

    first: First
    batches: list[_Batch] = field(default_factory=list)
    is_untold: bool = True
    """Whether no process may have sent anything of it."""


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


def _whole(counts: Sequence[Count]) -> Count:
    """All of them as one."""
    return replace(
        counts[0],
        number=sum(count.number for count in counts),
        last=max(count.last for count in counts),
        samples=tuple(sample for count in counts for sample in count.samples)[: life.MAX_SAMPLES],
    )


Publish = Callable[[Incident], Count]
"""An incident of memory as others get it: masked, by its group key, with those who are meant. The user's redact may
raise anything in it."""

Handed = Callable[[Incident, str, str, Own], None]
"""An incident of memory, the key that it has in the shared store, how it ended here, and the records that did."""


class FailoverStore:
    """Keeps the incidents of one ``channel`` for one handler. The worker uses it, and the exit hook."""

    def __init__(
        self,
        channel: str,
        memory: MemoryStore,
        shared: Shared,
        *,
        host: str,
        timeout_s: float,
        publish: Publish,
        handed: Handed,
        warn_once: Callable[[str, str], object],
        clock: Callable[[], float],
    ) -> None:
        self.channel = channel
        self.memory = memory
        self.shared = shared
        self._host = host
        self._lease_s = LET_GO_S + _TRIES * timeout_s
        self._publish = publish
        self._handed = handed
        self._warn_once = warn_once
        self._clock = clock
        self._part = next(shared.parts)
        self._next_look = self._asked_at = float("-inf")
        self._number = self._shared_number = 0
        self._mine: dict[str, _Mine] = {}
        self._mine_bytes = 0
        self._quietened: frozenset[str] = frozenset()  # of those, what an answer quietens
        self._in_both: dict[str, _Both] = {}  # by key in memory
        self._doubt: _Doubt | None = None
        self._failures = 0
        self._in_hand: dict[tuple[str, int], Incident] = {}  # claimed in the shared store
        self._unreported: list[Swap] = []
        self._told_back: dict[str, _ToldBack] = {}  # by key in the shared store
        self._has_looked = not shared.has_backlog()

    # In.

    def add(self, counts: Sequence[Count], now: float) -> None:
        """Add to this process's memory."""
        if counts:
            self._number += 1
            self.memory.add(self.channel, _HERE, self._host, self._number, counts, now)

    def pull(self, queue: Queue, now: float, *, all_of_it: bool) -> None:
        """Add what is queued to this process's memory."""
        self.memory.pull(self.channel, queue, now, all_of_it=all_of_it)

    def relieve(self, queue: Queue, number: int, now: float) -> None:
        """The same in a calling thread, with so many of the oldest."""
        self.memory.relieve(self.channel, queue, number, now)

    def hand_over(self, now: float) -> None:
        """Give what waits in memory to the shared store, if that is up, until the deadline of this thread."""
        if not self.shared.is_up:
            self._take_back(now)
            return
        try:
            self._catch_up(now)
            self._report(now)
            while seconds_left() > 0 and (
                claims := self.memory.claim(
                    self.channel,
                    _HERE,
                    now,
                    lease_s=self._lease_s,
                    most=_MOST,
                    urgent=self.memory.untold_keys(self.channel),
                )
            ):
                with within(time.monotonic() + _GIVE_S):
                    self._give(claims, now)
        except StateError:  # said already; what is here stays here
            return

    def _give(self, claims: Sequence[Incident], now: float) -> None:
        published: list[tuple[Incident, Count]] = []
        for at, incident in enumerate(claims):
            if seconds_left() <= 0:
                self._release_here(claims[at:], now)
                break
            both = self._in_both.get(incident.key, _Both(incident.key))
            number = incident.untold - both.sure
            if number <= 0:  # it is over, or the shared store has it already
                self._drop(incident, both.key, "handed_over", now)
                continue
            try:
                published.append((incident, replace(self._publish(incident), number=number)))
            except BaseException as error:  # of the user's redact, or a defect of ours: it costs one alert
                self._drop(incident, "", "rejected", now)
                self._warn_once("defect", f"an alert could not be given to the state ({type(error).__name__})")
                if not isinstance(error, Exception):
                    self._release_here([*(one for one, _ in published), *claims[at + 1 :]], now)
                    raise
        # First without the alerts of what is open there, as far as is known.
        left = self._batch(published, [one.key in self._mine and not one.event for _, one in published], now)
        if left:
            self._batch(left, [False] * len(left), now)

    def _batch(
        self, pairs: Sequence[tuple[Incident, Count]], light: Sequence[bool], now: float
    ) -> list[tuple[Incident, Count]]:
        """Add to the shared store, exactly once. Returns those that have to be added with their first alert."""
        if not pairs:
            return []
        self._shared_number += 1
        number = self._shared_number
        counts = [
            replace(one, first=None) if is_light else one for (_, one), is_light in zip(pairs, light, strict=True)
        ]
        try:
            added = self._add_shared(number, counts, now)
        except StateError:
            # Whether it came through is found out later; until then these are sent from here.
            self._doubt = _Doubt(number, counts, pairs)
            for incident, count in pairs:
                self._in_both.setdefault(incident.key, _Both(count.key)).doubtful += count.number
            self._release_here([one for one, _ in pairs], now)
            raise
        for (incident, count), told in zip(pairs, added.told, strict=True):
            if told is not None:
                self._remember(number, count, incident.first, told)
                self._drop(incident, count.key, "handed_over", now)
        left = [pair for pair, told in zip(pairs, added.told, strict=True) if told is None]
        if added.before < number - 1:
            try:
                self._add_again(added.before, number, now)
            except StateError:
                self._release_here([one for one, _ in left], now)
                raise
        return left

    def _release_here(self, incidents: Sequence[Incident], now: float) -> None:
        self.memory.swap(self.channel, [Swap(one, life.released(one, now)) for one in incidents], now)

    def _add_shared(self, number: int, counts: Sequence[Count], now: float) -> Added:
        return self.shared.call(lambda store: store.add(self.channel, self._writer, self._host, number, counts, now))

    @property
    def _writer(self) -> str:
        """Whose batches these are: each handler of a process numbers its own."""
        return f"{self.shared.who}{PART}{self._part}"

    def _drop(self, incident: Incident, key: str, how: str, now: float) -> None:
        """It is no more for this process's memory; what came meanwhile is."""
        self._in_both.pop(incident.key, None)
        told = life.sent(incident, now) if incident.untold else None
        (own,) = self.memory.swap(self.channel, [Swap(incident, None)], now)
        if own is None and told is not None:
            (own,) = self.memory.swap(self.channel, [Swap(incident, told)], now)
        if own is not None:
            self._handed(incident, key, how, own)

    def _remember(self, number: int, count: Count, first: First, told: int) -> None:
        mine = self._forget(count.key) or _Mine(first, is_untold=bool(count.event))
        mine.is_untold = mine.is_untold and not told
        mine.batches.append(_Batch(number, number, count))
        if len(mine.batches) > _MAX_BATCHES:
            old, new = mine.batches[:2]
            mine.batches[:2] = [replace(new, count=_whole([old.count, new.count]))]
        self._mine[count.key] = mine
        self._mine_bytes += mine.first.size
        self._next_look = float("-inf")
        while len(self._mine) > _MAX_MINE or (self._mine_bytes > _MAX_MINE_BYTES and len(self._mine) > 1):
            self._forget(next(iter(self._mine)))

    def _forget(self, key: str) -> _Mine | None:
        mine = self._mine.pop(key, None)
        if mine is not None:
            self._mine_bytes = max(self._mine_bytes - mine.first.size, 0)
        return mine

    def _catch_up(self, now: float) -> None:
        """After the store was away: add what it has lost. What was in doubt must be neither lost nor counted twice."""
        if (failures := self.shared.failures) == self._failures:
            return
        newest, *_ = self._untold(())
        if self._doubt is not None:
            self._resolve(self._doubt, newest, now)
        if newest < self._shared_number:
            self._add_again(newest, self._shared_number + 1, now)
        self._failures = failures

    def _resolve(self, doubt: _Doubt, newest: int, now: float) -> None:
        is_there = newest >= doubt.number
        if is_there:  # to add it once more changes nothing, but tells what became of each
            added = self._add_shared(doubt.number, doubt.counts, now).told
        else:
            self._shared_number = doubt.number - 1
            added = (None,) * len(doubt.pairs)
        self._doubt = None
        for (incident, count), sent, told in zip(doubt.pairs, doubt.counts, added, strict=True):
            both = self._in_both.get(incident.key, _Both(count.key))
            if told is not None or (is_there and sent.first is not None):  # else it is over since
                self._remember(doubt.number, count, incident.first, (told or 0) + both.doubtful_told)
                both.sure += both.doubtful
                self._tell_back(both, both.doubtful_told)
            both.doubtful = both.doubtful_told = 0

    def _untold(self, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        return self.shared.call(lambda store: store.untold(self.channel, self._writer, keys))

    def _add_again(self, before: int, until: int, now: float) -> None:
        """The store has lost what came after the batch ``before``: it was emptied, or put back to an older state."""
        found = [
            (mine, lost)
            for mine in self._mine.values()
            if (lost := [one for one in mine.batches if before < one.number < until])
        ]
        batches: list[tuple[int, list[Count]]] = []
        for start in range(0, len(found), _MOST):  # numbered before any is added: what fails now is missing then, too
            self._shared_number += 1
            batches.append((self._shared_number, []))
            for mine, lost in found[start : start + _MOST]:
                count = _whole([one.count for one in lost])
                mine.batches = [one for one in mine.batches if one not in lost]
                mine.batches.append(_Batch(self._shared_number, min(one.began for one in lost), count))
                batches[-1][1].append(count)
        for number, counts in batches:
            self._add_shared(number, counts, now)

    # Out.

    def claim(
        self,
        now: float,
        *,
        most: int,
        busy: Collection[str] = (),
        lane: str | None = None,
        cause: str = "",
        urgent: Collection[str] = (),
        draining: bool = False,
    ) -> list[Claim]:
        """What this process is to send now, the most severe first; of what is ``urgent``, what is untold too."""
        if not self.shared.is_up:
            urgent = self.memory.untold_keys(self.channel) if draining else urgent
            found = self.memory.claim(
                self.channel,
                _HERE,
                now,
                lease_s=float("inf"),
                most=most,
                urgent=urgent,
                busy=busy,
                lane=lane,
                cause=cause,
            )
            return [Claim(incident, False, now) for incident in found]
        if now < self._next_look and not (draining or urgent):
            return []
        try:
            self._look(now, draining=draining)
            found = self.shared.call(
                lambda store: store.claim(
                    self.channel,
                    self.shared.who,
                    now,
                    lease_s=self._lease_s,
                    most=most,
                    urgent=tuple(self._mine) if draining else urgent,
                    busy=busy,
                    lane=lane,
                    cause=cause,
                )
            )
            if not found and not cause:
                self._has_looked = self._has_looked or lane is None
                due = self.shared.call(lambda store: store.next_due(self.channel, now))
                self._next_look = now + min(max(due, DRAIN_S), DRAIN_S if draining else _LOOK_S)
        except StateError:
            return []
        self._in_hand.update(((incident.key, incident.version), incident) for incident in found)
        return [Claim(self._with_own_first(incident), True, now) for incident in found]

    def kin(self, claim: Claim, causes: Collection[str], now: float) -> list[Kin]:
        """Others of these causes where a claim comes from."""
        lane = claim.incident.lane
        if not claim.is_shared:
            return self.memory.kin(self.channel, lane, causes, now)
        return self.shared.try_call(lambda store: store.kin(self.channel, lane, causes, now), [])

    def look(self, now: float, *, draining: bool) -> None:
        """See what others have sent, where this process may send nothing now."""
        if self._mine and self.shared.is_up:
            with suppress(StateError):  # said already
                self._look(now, draining=draining)

    def _with_own_first(self, incident: Incident) -> Incident:
        """What this process has itself captured it sends by the object that it has, with its picture."""
        mine = self._mine.get(incident.key)
        return incident if mine is None or incident.told or not mine.is_untold else replace(incident, first=mine.first)

    def _look(self, now: float, *, draining: bool) -> None:
        for channel, count in adopted(self.shared, now, self._say_adopted):
            if channel == self.channel and count.first is not None:
                self._remember(0, count, count.first, 0)
        if not self._mine or now < self._asked_at + (DRAIN_S if draining else _ASK_S):
            return
        self._asked_at = now
        asked = tuple(self._mine)
        number, left, quietened = self._untold(asked)
        self._quietened = frozenset(quietened)
        if number < self._shared_number:
            self._add_again(number, self._shared_number + 1, now)
            return
        for key in {*asked} - {*left}:
            self._forget(key)

    def _say_adopted(self, cause: str, text: str) -> None:
        self._warn_once(cause, f"{text}, which this process sends now" if cause == "adopted" else text)

    def swap(self, swaps: Sequence[tuple[Claim, Incident | None, str]], now: float) -> list[Own | None]:
        """What became of claims. Of each: the records of this process that have ended with it; None: it was late."""
        pairs = [(claim, Swap(claim.incident, after, why)) for claim, after, why in swaps]
        here = iter(self._swap_here([pair for pair in pairs if not pair[0].is_shared], now))
        there = iter(self._swap_there([pair for pair in pairs if pair[0].is_shared], now))
        return [next(there if claim.is_shared else here) for claim, _ in pairs]

    def _swap_here(self, pairs: Sequence[tuple[Claim, Swap]], now: float) -> list[Own | None]:
        found = _swap_moved(partial(swap_all, self.memory, self.channel), [swap for _, swap in pairs], now)
        for (claim, swap), own in zip(pairs, found, strict=True):
            both = self._in_both.get(claim.key)
            if both is None or own is None:
                continue
            if swap.after is None:
                del self._in_both[claim.key]
            else:
                both.last = swap.before.last
                self._settle_both(claim.key, both, swap.after.told - swap.before.told, is_told=not swap.why)
        return found

    def _settle_both(self, key: str, both: _Both, number: int, *, is_told: bool) -> None:
        """So many of what both have are settled here: the shared store is told, or tries what was refused itself."""
        sure = min(both.sure, number)
        doubtful = min(both.doubtful, number - sure)
        both.sure -= sure
        both.doubtful -= doubtful
        if is_told:
            both.doubtful_told += doubtful
            self._tell_back(both, sure)
        if sure:
            self._has_been_told(both.key)
        if not (both.sure or both.doubtful or both.doubtful_told):
            del self._in_both[key]

    def _has_been_told(self, key: str) -> None:
        """It need not be taken back any more."""
        if (mine := self._mine.get(key)) is not None:
            mine.is_untold = False

    def _tell_back(self, both: _Both, number: int) -> None:
        """Say later that so many of what the shared store has were told."""
        if number:
            told_back = self._told_back.setdefault(both.key, _ToldBack())
            told_back.number += number
            told_back.last = both.last
            mine = self._mine.get(both.key)
            if mine is not None and sum(one.count.number for one in mine.batches) <= number:
                self._forget(both.key)

    def _swap_there(self, pairs: Sequence[tuple[Claim, Swap]], now: float) -> list[Own | None]:
        if not pairs:
            return []
        swaps = [swap for _, swap in pairs]
        for claim, swap in pairs:
            self._in_hand.pop((claim.key, swap.before.version), None)
            if swap.after is None or swap.after.told > swap.before.told:
                self._has_been_told(claim.key)
        self._next_look = float("-inf")
        try:
            return _swap_moved(self._swap_shared, swaps, now)
        except StateError:
            self._unreported += [one for one in swaps if one.why or (one.after and one.after.told > one.before.told)]
            return [NOTHING] * len(swaps)

    def _swap_shared(self, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        return self.shared.call(lambda store: swap_all(store, self.channel, swaps, now))

    def _report(self, now: float) -> None:
        """Mark in the store what was sent while it was away."""
        while self._unreported:
            self._swap_shared(self._unreported[:1], now)
            self._unreported.pop(0)
        for key, told in list(self._told_back.items()):
            for row in self.shared.call(lambda store: store.open(self.channel, 1, [key], now)):  # noqa: B023 # called at once
                if self._may_mark(row, told):
                    told.tried = row.version
                    after = life.sent(
                        replace(row, count=min(row.told + told.number, row.count), answers=NO_ANSWERS), now
                    )
                    if after is not None:  # what people did is not told by that
                        after = replace(after, answers=row.answers, held_until=row.held_until)
                    self._swap_shared([Swap(row, after)], now)
            del self._told_back[key]

    def _may_mark(self, row: Incident, told: _ToldBack) -> bool:
        """Whether it has those in it still; else others tell them, or have told them, and they are told twice."""
        is_free = row.owner in ("", self.shared.who) and (row.key, row.version) not in self._in_hand
        return bool(row.untold) and is_free and row.began <= told.last and told.tried in (None, row.version)

    def _take_back(self, now: float) -> None:
        """Alerts that the store has, of which no process may have sent anything, and which may be lost with it."""
        held = {key for key, _ in self._in_hand} | {both.key for both in self._in_both.values()}
        back = [
            replace(_whole([one.count for one in mine.batches]), number=1, first=mine.first, own=NOTHING)
            for key, mine in self._mine.items()
            if mine.is_untold and mine.batches and key not in held
        ]
        self._in_both.update((count.key, _Both(count.key, sure=1)) for count in back)
        self.add(back, now)

    def hear_all(self, now: float) -> None:
        """At exit: what an answer holds back in memory is due now. In a shared store it waits for its time."""
        held = [one for one in self.memory.open(self.channel, _MAX_MINE) if one.held_until and one.untold]
        self.memory.swap(self.channel, [Swap(one, life.hastened(one)) for one in held if not one.owner], now)

    def let_go(self, now: float) -> None:
        """At exit: what is claimed here is free at once, for whoever opens the shared store next."""
        here = [one for one in self.memory.open(self.channel, _MAX_MINE) if one.owner]
        self.memory.swap(self.channel, [Swap(one, life.released(one, now)) for one in here], now)
        there = [Swap(one, life.released(one, now)) for one in list(self._in_hand.values())]
        if there:
            with suppress(StateError):  # its leases end by themselves
                self._swap_shared(there, now)

    # What others ask.

    def seconds_to_next_look(self, now: float) -> float:
        """Until `claim` may have something."""
        due = self.memory.next_due(self.channel, now)
        if self.shared.is_up:
            return max(self._next_look - now, 0.0)
        if self.shared.seconds_to_next_try == float("inf"):
            return due
        return min(due, max(self.shared.seconds_to_next_try, DRAIN_S))

    def mark(self) -> Mark:
        """What is to be sent now of all that this process has added."""
        here = {key: count for key, count in self.memory.untold_counts(self.channel).items() if count}
        return Mark(here, dict.fromkeys(list(self._mine), self._shared_number))

    def is_told(self, mark: Mark, *, handed_over_is_enough: bool = False) -> bool:
        """Whether nothing of it waits any more; ``handed_over_is_enough``: another process sends what it gets."""
        here = self.memory.open(self.channel, len(mark.here), mark.here) if mark.here else ()
        if any(incident.told < mark.here[incident.key] for incident in here):
            return False
        if handed_over_is_enough and self.shared.is_up:
            return True
        shared = {key: number for key, number in mark.shared.items() if key not in self._quietened}
        mine = ((self._mine.get(key), number) for key, number in shared.items())
        return not any(one.began <= number for mine, number in mine if mine for one in mine.batches)

    def has_untold(self) -> bool:
        """Whether others may wait for something that this process has to do in the shared store."""
        unreported = self._unreported and self.shared.is_up
        return self.leaves_untold() or bool(self._in_hand or unreported) or not self._has_looked

    def is_answered_here(self, key: str) -> bool:
        """Whether a person did something with an incident of memory, which is in force."""
        found = self.memory.open(self.channel, 1, [key])
        return bool(found) and found[0].answers.now is not None

    def leaves_untold(self) -> bool:
        """At exit: whether something that was handed over is left to others; but what an answer quietens is meant to
        wait."""
        return not self._mine.keys() <= self._quietened

    def incidents(self, most: int) -> list[Incident]:
        """What is open: with a shared store that of all, else that of this process."""
        here = self.memory.open(self.channel, most)
        try:
            there = self.shared.call(lambda store: store.open(self.channel, most)) if self.shared.is_up else []
        except StateError:
            there = []
        known = {incident.key for incident in there}
        return [*there, *(incident for incident in here if incident.key not in known)][:most]


def _swap_moved(
    swap: Callable[[Sequence[Swap], float], list[Own | None]], swaps: Sequence[Swap], now: float
) -> list[Own | None]:
    """Rows that were to be removed as over, of which something came meanwhile, stay."""
    found = swap(swaps, now)
    moved = [one for one, own in zip(swaps, found, strict=True) if own is None and one.after is None and not one.why]
    if moved:
        swap([Swap(one.before, life.released(one.before, now)) for one in moved], now)
    return found
