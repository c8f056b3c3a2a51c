"""The incidents of one handler: in the memory of this process, and in the store that processes share while that is up.

What is added waits in memory first, and is handed over to the shared store when that can be used (`batches`). While it
cannot, this process tells what no process has told yet, from memory (`batches.Reconciled`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from .._incidents import answered, escalation, life, stored
from .._incidents.incident import NOTHING, Count, Incident, Own, Related
from .._incidents.scopes import Scopes
from .._lines import line
from .._runtime.clock import seconds_left
from ..errors import StateError
from ..model.duty import Held
from .base import Swap, Wanted, swap_lent
from .batches import MOST, Batches, Reconciled
from .memory import MemoryStore
from .scopes import wake, woken
from .shared import Shared
from .takeover import taken_over

LET_GO_S = 20.0
"""What could not be sent for so long, other processes may try."""

_TRIES = 4
"""How many requests one claim may cost that is on its way by then: a round, and a token."""

_LOOK_S = 5.0
_ASK_S = 1.0
DRAIN_S = 0.2
"""How soon it is looked again what others have sent, while a thread waits for that."""
_GIVE_S = 0.5
"""For so long alerts are made, which a redact may hold up; then the shared store gets what is made."""
_LEAP_S = 5.0
"""The clock on the wall was set where it went so much more than ours within a turn, or less."""
_HERE = "here"
"""What this process is called in its own memory."""


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
    """What is to be sent: how many of each incident in memory; those added to the shared store until a batch. What is
    known to be told leaves it."""

    here: dict[str, int]
    shared: set[str]
    newest: int


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
    ) -> None:
        self.channel = channel
        self.memory = memory
        self.shared = shared
        self._host = host
        self.batches = Batches(channel, shared, host)
        self._both = Reconciled(channel, shared, self.batches)
        self._lease_s = LET_GO_S + _TRIES * timeout_s
        self._publish = publish
        self._handed = handed
        self._warn_once = warn_once
        self._next_look = float("-inf")
        self._number = self._failures = 0
        self._in_hand: dict[tuple[str, int], Incident] = {}  # claimed in the shared store
        self._unreported: list[Swap] = []
        self._has_looked = not shared.has_backlog()
        self._scopes: Scopes = ()
        self._ahead_s = float("nan")
        """By how much the clock on the wall was ahead of ours in the last turn."""

    # In.

    def add(self, counts: Sequence[Count], now: float) -> None:
        """Add to this process's memory."""
        if counts:
            self._number += 1
            self.memory.add(self.channel, _HERE, self._host, self._number, counts, now)

    def hand_over(self, now: float) -> None:
        """Give what waits in memory to the shared store, if that is up, until the deadline of this thread."""
        if not self.shared.is_up:  # what nobody has told may be lost with it
            self.add(self._both.take_back([key for key, _ in self._in_hand]), now)
            return
        try:
            self._catch_up(now)
            self._report(now)
            while seconds_left() > 0:
                wanted = Wanted(MOST, self._early(now))
                claims = self.memory.claim(self.channel, _HERE, now, self._lease_s, wanted)
                if not claims:
                    break
                self._give(claims, now)
        except StateError:  # said already; what is here stays here
            return

    def _catch_up(self, now: float) -> None:
        """After the store was away: add what it has lost."""
        if (failures := self.shared.failures) == self._failures:
            return
        newest = self.batches.newest()
        self._both.resolve(newest, now)
        self.batches.add_again(newest, self.batches.number + 1, now)
        self._next_look = float("-inf")
        self._failures = failures

    def _give(self, claims: Sequence[Incident], now: float) -> None:
        pairs, ends = list[tuple[Incident, Count]](), time.monotonic() + _GIVE_S
        try:
            for at, incident in enumerate(claims):
                if min(seconds_left(), ends - time.monotonic()) <= 0:
                    self._release_here(claims[at:], now)
                    break
                key, is_there = self._both.of(incident.key)
                number = incident.untold - is_there
                if number <= 0:  # it is over, or the shared store has it already
                    self._carry_steps(incident, now)
                    self._drop(incident, key, "handed_over", now)
                    continue
                try:
                    pairs.append((incident, replace(self._publish(incident), number=number)))
                except BaseException as error:  # of the user's redact, or a defect of ours: it costs one alert
                    self._drop(incident, "", "rejected", now)
                    self._warn_once("defect", line("not_given", error=type(error).__name__))
                    if not isinstance(error, Exception):
                        raise
            pairs = self._among_others(pairs, now)
            # First without the alerts of what is open there, as far as is known.
            left = self._batch(pairs, {*self.batches.keys(), *(one.among for _, one in pairs)}, now)
            self._batch(left, (), now)
        except BaseException:
            self._release_here(claims, now)  # but for those that were dropped
            raise

    def _carry_steps(self, incident: Incident, now: float) -> None:
        """Its escalation goes on in the shared store, of what this process has told while that was away."""
        if escalation.step_due_at(incident) < float("inf"):
            count = self._publish(incident)
            row = replace(stored.unclaimed(incident), key=count.key, first=count.first or incident.first, own=NOTHING)
            self.shared.call(lambda store: store.begin(self.channel, row, now))

    def _among_others(self, pairs: list[tuple[Incident, Count]], now: float) -> list[tuple[Incident, Count]]:
        """Where other processes have told an incident that a first alert is a variant of, it counts in that."""
        if not (asked := {one.among for _, one in pairs if one.among}):
            return pairs
        rows = self.shared.call(lambda store: store.open(self.channel, len(asked), asked, now))
        there = {row.key for row in rows if row.told and answered.is_open(row)}
        found = []
        for incident, one in pairs:
            if one.among in there:
                one = replace(one, key=one.among, event="")
            elif one.among:
                one = replace(one, among="", variants=())
            found.append((incident, one))
        return found

    def _batch(
        self, pairs: Sequence[tuple[Incident, Count]], known: Collection[str], now: float
    ) -> list[tuple[Incident, Count]]:
        """Add to the shared store, exactly once; of what is ``known`` to be open there without its first alert. Returns
        those that have to be added with it."""
        if not pairs:
            return []
        counts = [replace(one, first=None) if one.key in known and not one.event else one for _, one in pairs]
        try:
            added = self.batches.add(counts, now)
        except StateError:
            self._both.doubt(counts, pairs)
            raise
        number = self.batches.number
        for (incident, count), told in zip(pairs, added.told, strict=True):
            if told is not None:
                self.batches.remember(number, count, incident.first, told)
                self._drop(incident, count.key, "handed_over", now)
        self._next_look = float("-inf")
        self.batches.add_again(added.before, number, now)
        return [pair for pair, told in zip(pairs, added.told, strict=True) if told is None]

    def _release_here(self, incidents: Sequence[Incident], now: float) -> None:
        self.memory.swap(self.channel, [Swap(one, life.released(one, now)) for one in incidents], now)

    def _drop(self, incident: Incident, key: str, how: str, now: float) -> None:
        """It is no more for this process's memory; what came meanwhile is."""
        self._both.forget(incident.key)
        told = life.sent(incident, now) if incident.untold else None
        (own,) = self.memory.swap(self.channel, [Swap(incident, None)], now)
        if own is None and told is not None:
            (own,) = self.memory.swap(self.channel, [Swap(incident, told)], now)
        if own is not None:
            self._handed(incident, key, how, own)

    def _early(self, now: float) -> list[str]:
        """What memory gives only where it is urgent: something of it is untold that is not due yet."""
        rows = self.memory.rows(self.channel)
        return [one.key for one in rows if life.due_at(one) > now and life.may_go_early(one)]

    # Out.

    def claim(self, now: float, wanted: Wanted, *, draining: bool = False) -> list[Claim]:
        """What this process is to send now, the most severe first; when ``draining``, all that is untold is urgent."""
        if not self.shared.is_up:
            if draining:
                wanted = replace(wanted, urgent=self._early(now))
            found = self.memory.claim(self.channel, _HERE, now, float("inf"), wanted)
            return [Claim(incident, False, now) for incident in found]
        if now < self._next_look and not (draining or wanted.urgent):
            return []
        try:
            self._look(now, draining=draining)
            if draining:
                wanted = replace(wanted, urgent=self.batches.urgent())
            found = self.shared.call(
                lambda store: store.claim(self.channel, self.shared.who, now, self._lease_s, wanted)
            )
            if not found and not wanted.cause:
                self._has_looked = self._has_looked or wanted.audience is None
                due = self.shared.call(lambda store: store.next_due(self.channel, now))
                self._next_look = now + min(max(due, DRAIN_S), DRAIN_S if draining else _LOOK_S)
        except StateError:
            return []
        self._in_hand.update(((incident.key, incident.version), incident) for incident in found)
        if draining and self.batches.ends and (early := [one for one in found if life.is_early(one, now)]):
            self._swap_there([Swap(one, life.released(one, now)) for one in early], now)
            found = [one for one in found if one not in early]
            if not found:  # the next turn asks for others
                self._next_look = now + DRAIN_S
        return [Claim(self.batches.with_own_first(incident), True, now) for incident in found]

    def related(self, claim: Claim, causes: Collection[str], now: float) -> list[Related]:
        """Others of these causes where a claim comes from."""
        audience = claim.incident.audience
        if not claim.is_shared:
            return self.memory.related(self.channel, audience, causes, now)
        return self.shared.try_call(lambda store: store.related(self.channel, audience, causes, now), [])

    def look(self, now: float, *, draining: bool) -> None:
        """See what others have sent, where this process may send nothing now."""
        if self.batches.keys() and self.shared.is_up:
            with suppress(StateError):  # said already
                self._look(now, draining=draining)

    def _look(self, now: float, *, draining: bool) -> None:
        for channel, count in taken_over(self.shared, now, self._say_taken_over):
            if channel == self.channel and count.first is not None:
                self.batches.remember(0, count, count.first, 0)
                self._next_look = float("-inf")
        self.batches.look(now, DRAIN_S if draining else _ASK_S)

    def _say_taken_over(self, cause: str, text: str) -> None:
        self._warn_once(cause, line("sent_now", text=text) if cause == "taken over" else text)

    def swap(self, swaps: Sequence[tuple[Claim, Incident | None, str]], now: float) -> list[Own | None]:
        """What became of claims. Of each: the records of this process that have ended with it; None: it was late."""
        asked = [(claim.is_shared, Swap(claim.incident, after, why)) for claim, after, why in swaps]
        here = iter(self._swap_here([one for is_shared, one in asked if not is_shared], now))
        there = iter(self._swap_there([one for is_shared, one in asked if is_shared], now))
        return [next(there if is_shared else here) for is_shared, _ in asked]

    def quieten(self, held: Sequence[tuple[Claim, Held]], now: float) -> None:
        """Each waits for the end of what holds it, which is a time of the wall: see `wake`."""
        time_s = self.shared.time_s()
        swaps = []
        for claim, by in held:
            until = now + by.until - time_s
            swaps.append((claim, life.quietened(claim.incident, until, time=time_s, by=by.scope, why=by.why), ""))
        self.swap(swaps, now)

    def _swap_here(self, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        found = swap_lent(self.memory, self.channel, swaps, now)
        for swap, own in zip(swaps, found, strict=True):
            if own is not None:
                self._both.settle(swap)
        return found

    def _swap_there(self, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        if not swaps:
            return []
        for one in swaps:
            self._in_hand.pop((one.before.key, one.before.version), None)
            if one.after is None or one.after.told > one.before.told:
                self.batches.was_told(one.before.key)
            if self.batches.ends and one.after is not None and life.is_early(one.after, now):
                self.batches.let_wait([one.before.key])
        self._next_look = float("-inf")
        try:
            return self._swap_shared(swaps, now)
        except StateError:
            self._unreported += [one for one in swaps if one.why or (one.after and _tells(one.before, one.after))]
            return [NOTHING] * len(swaps)

    def _swap_shared(self, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        return self.shared.call(lambda store: swap_lent(store, self.channel, swaps, now))

    def _report(self, now: float) -> None:
        """Mark in the store what was sent while it was away."""
        while self._unreported:
            self._swap_shared(self._unreported[:MOST], now)
            del self._unreported[:MOST]
        self._both.report(self._in_hand.keys(), now)

    def wake(self, scopes: Scopes, now: float) -> None:
        """What a maintenance holds that is over before its time is due now: who has ended it could wake what was held
        by then, and a process that heard of that later held more. Where the clock on the wall was set, or the machine
        slept, all that is held is judged anew."""
        time_s = self.shared.time_s()
        has_leapt = abs(time_s - now - self._ahead_s) > _LEAP_S
        self._ahead_s = time_s - now
        if has_leapt or self._scopes != scopes:
            held_by = None if has_leapt else scopes
            self.memory.swap(self.channel, woken(self.memory.rows(self.channel), held_by, now, time_s), now)
            self._next_look = float("-inf")
            with suppress(StateError):  # said already, and the next turn tries it again
                wake(self.shared, self.channel, held_by, now)
                self._scopes = scopes

    def let_go(self, now: float) -> None:
        """At exit: what is claimed here is free at once, for the process that opens the shared store next."""
        self._release_here([one for one in self.memory.rows(self.channel) if one.owner], now)
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
        return min(due, max(self.shared.seconds_to_next_try, DRAIN_S))

    def mark(self) -> Mark:
        """What is to be sent now of all that this process has added."""
        rows = self.memory.rows(self.channel)
        here = {one.key: one.count for one in rows if one.untold}
        return Mark(here, set(self.batches.keys()), self.batches.number)

    def is_told(self, mark: Mark, *, handed_over_is_enough: bool = False) -> bool:
        """Whether nothing of it waits any more; ``handed_over_is_enough``: another process sends what it gets."""
        while mark.here:
            key, count = mark.here.popitem()
            found = self.memory.open(self.channel, 1, [key])
            if any(incident.told < count and not incident.quiet_since for incident in found):
                mark.here[key] = count
                return False
        if handed_over_is_enough and self.shared.is_up:
            return True
        return not self.batches.waits(mark.shared, mark.newest)

    def has_untold(self) -> bool:
        """Whether others may wait for something that this process has to do in the shared store."""
        unreported = self._unreported and self.shared.is_up
        return self.batches.leaves_untold() or bool(self._in_hand or unreported) or not self._has_looked

    def is_held_here(self, key: str) -> bool:
        """Whether quiet hours hold the end of an incident of memory."""
        found = self.memory.open(self.channel, 1, [key])
        return bool(found) and found[0].quiet_since > 0

    def incidents(self, most: int) -> list[Incident]:
        """What is open: with a shared store that of all, else that of this process."""
        there: list[Incident] = self.shared.try_call(lambda store: store.open(self.channel, most), [])
        known = {incident.key for incident in there}
        return [*there, *(one for one in self.memory.open(self.channel, most) if one.key not in known)][:most]


def _tells(before: Incident, after: Incident) -> bool:
    """Whether a message of it was sent: a count is told, or a step."""
    return after.told > before.told or (before.stepping_at != 0 and not after.stepping_at)
