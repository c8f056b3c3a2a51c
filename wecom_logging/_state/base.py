"""The contract of a store: incidents, rate windows, tokens and facts; `DocumentStore` does it over a database.

A store keeps rows and order, and has no rule of its own: what a row becomes is decided by `_incidents.stored`. It makes
three things atomic: `add`, which commutes; `swap`, which replaces a row that is still as it was; and the rate windows
and the token lock. It trusts nothing that it finds: what is foreign, newer or broken is set aside. What it cannot do
now it says by `StateError`, within a second or so.

``now`` is in seconds on the clock of the caller, one for all processes of a machine (`time.monotonic`); a store with a
clock of its own (Redis) uses that, and gives times on the clock of the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from .._incidents import answered, life, stored
from .._incidents.incident import Count, Incident, Own, Related
from .._incidents.known import Verdict
from .._incidents.view import known
from ..errors import StateError as StateError  # a part of the contract
from ..model import Answer

Rules = Sequence[tuple[int, float]]
"""Numbers and seconds: at most so many in any span of so long."""

VERSION = 3
"""Of what a store keeps. Another one is refused, and left alone."""

MAX_OPEN = 200_000
"""Incidents that a store keeps: beyond that, those with nothing untold go first, then the least severe and oldest."""

PART = "#"
"""Ends the name of a process where a part of it numbers batches of its own: a handler."""

KEEP_S = 7 * 24 * 3600
"""For so long at least a store knows the number of a process's newest batch: longer than what was in it may wait."""

MINUTE_S, DAY_S = 60, 24 * 3600
"""`Taken` tells of a minute. No rule of a rate limit is longer than a day, and no token lives longer."""

LOCK_S = 15.0
"""For how long a process that asks WeCom for a token keeps the others from it."""


class InUseError(StateError):
    """This process itself was at work with it for too long, or until the caller's deadline. Nothing was done."""


class LateAnswerError(StateError):
    """No answer in time: what was asked for may have been done."""


@dataclass(frozen=True, slots=True)
class Added:
    """What `Incidents.add` answers.

    ``before`` is the number of the newest batch that the store had of this process, 0 for none. Less than was added so
    far shows that the store has lost something; no less than this batch's own that it had been added already. ``told``
    has of each count how many of its incident were told; None: it is not open, and was not opened either.
    """

    before: int
    told: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the incidents that are due are to be lent: at ``most`` so many.

    ``urgent`` ones are due now if something of them is untold, but for what an answer quietens (``held_until``). Those
    of ``blocked`` audiences are passed by; with ``audience``, only its own are given; with ``cause`` (and an audience)
    only those of that cause, those too that are due within `life.NEAR_S`.
    """

    most: int
    urgent: Collection[str] = ()
    blocked: Collection[str] = ()
    audience: str | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Swap:
    """A row that is to be replaced, if it is still that of ``before``: by its version, also where its lease has ended.

    The row becomes what `stored.merged` makes of ``after`` and of what was counted meanwhile, with a new version. It
    stands at `life.wake_at` where something of it is untold, else at `life.due_at`, and at `life.wake_at` again as soon
    as something is counted. What it has told more is booked as told.

    ``after`` None removes it: with a reason ``why`` in any case, without one only if nothing was counted since
    ``before``. With a reason, what would be booked as told (of a removed row all that is untold) becomes a dead letter.
    """

    before: Incident
    after: Incident | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a rate window answered: the seconds to wait (0: it is taken, as ``number``), and how full it is.

    ``ages``: by receiver, how many seconds ago each message of the last minute went. ``peers``: how many processes
    have used the state within the last minute.
    """

    wait_s: float
    number: str
    ages: Mapping[str, tuple[float, ...]]
    peers: int


@dataclass(frozen=True, slots=True)
class Fact:
    """A named document that is no incident: a text, its version, and when it ends, in seconds since the epoch.

    0: it does not end. Another text has another version, which is never 0.
    """

    text: str
    version: int
    ends: float = 0.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What waits to be sent (``why`` empty) or was given up for a reason, as it is shown to people.

    ``entry`` is the alert as `entries.dump` makes it, or whatever stands in its place. ``claimed``: it is being sent.
    """

    key: str
    short_id: str
    channel: str
    level: int
    count: int
    last: float
    entry: str
    why: str = ""
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class SharedCounters:
    """The store's own numbers, of all who share it: ``counted == told + waiting + given_up + discarded``."""

    counted: int
    told: int
    waiting: int
    given_up: int
    discarded: int


class Incidents(Protocol):
    """What every store does with incidents. ``who`` names a process, ``channel`` an app or a bot, without a secret.

    Incidents of two channels have nothing to do with each other. No two rows, and no two states of a row, ever have the
    same version, also where an older state of the store was put back.
    """

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        """Add to incidents, all or nothing.

        ``number`` is that of this batch, one more than the one before of this ``who``, which may name a part of a
        process (see `PART`): a batch that the store has already is not added again. Where an incident is not open,
        `stored.opened` opens it, with a short id that no other open one of the channel has (`short_ids`), unless there
        is no ``first`` or its number is 0; else it is counted
        as `stored.counted` does, where that takes the ``first`` with its ``event``. A shared store keeps how many hosts
        and processes have had it.
        """

    def begin(self, channel: str, incident: Incident, now: float) -> bool:
        """Open a row without a record, made by `stored.opened`; its short id and version are the store's.

        Whether it was opened: not where its key is open.
        """

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        """Lend what is due, or whose lease has ended: the highest rank first, of one rank the smallest ``untold_at``.

        Each is given as `stored.claimed` makes it.
        """

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        """Replace rows, each on its own.

        Of each: the records of this process's counters that have ended with it (`NOTHING` in a shared store), or None
        where it was not done.
        """

    def open(
        self,
        channel: str,
        most: int,
        keys: Collection[str] | None = None,
        now: float | None = None,
        short_id: str | None = None,
    ) -> list[Incident]:
        """Incidents that are open, or that a person has closed, the newest first: all, those of these keys, or that of
        a short id, however many are open.

        To be looked at: without ``now``, their times on the store's clock mean nothing.
        """

    def related(self, channel: str, audience: str, causes: Collection[str], now: float) -> list[Related]:
        """The incidents of an audience that are open and of these causes, of each the `life.MAX_RELATED` that were told
        or began last."""

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        """The number of the newest batch of this ``who``; which of these incidents have something untold; and which of
        those an answer quietens."""

    def next_due(self, channel: str, now: float) -> float:
        """Seconds until `claim` may have something; infinity if nothing is open."""


class Store(Incidents, Protocol):
    """A store that processes share."""

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        """Take one message of each receiver, or of none.

        `windows.Windows` has the rule. The longest rule of all who ask decides what is remembered; the receiver
        `EVERYBODY_LOG` counts for all. ``Taken.peers`` are those of the whole store.
        """

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        """Move a reservation to now: WeCom has answered."""

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        """No process sends anything through the channel for so long: WeCom asked for it."""

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        """The token of an app and the seconds that are left of it."""

    def lock_token(self, app: str, who: str, now: float) -> bool:
        """Whether the caller is to ask WeCom for it, for at most `LOCK_S`; who has the lock may take it again."""

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        """Keep a token for all, and unlock; not if the lock has ended and another has a newer one. "" only unlocks."""

    def drop_token(self, app: str, value: str) -> None:
        """Forget it, if it is still this one."""

    def get(self, channel: str, name: str, time: float) -> Fact | None:
        """A fact that has not ended. ``time``: as `time` says."""

    def put(self, channel: str, name: str, version: int, text: str, ends: float, time: float) -> bool:
        """Make it another, if it is still of this version; 0: if there is none. "" forgets it. Whether it was done."""

    def facts(self, channel: str, time: float) -> dict[str, Fact]:
        """All of a channel that have not ended, by their names."""

    def time(self) -> float:
        """Seconds since the epoch, the same for all who share the store: when people do something."""

    def channels(self) -> list[str]:
        """The channels of which something is known."""

    def held(self, most: int) -> list[DeadLetter]:
        """What waits and what was given up, for people, the newest first; ``count`` is what is untold."""

    def requeue(self, keys: Collection[str], now: float) -> int:
        """Let what was given up wait again, also where it is open anew; how many letters that were. Empty: all."""

    def discard(self, keys: Collection[str]) -> int:
        """Forget what waits, claimed or not, or was given up, counted as discarded; how many that were. Empty: all."""

    def counters(self) -> SharedCounters:
        """The numbers now."""

    def check(self) -> str:
        """Try it, reading and writing: what it is, in words. Raises `StateError`."""

    def close(self) -> None:
        """Let go of files and connections; the next call opens them again."""


# What is done with a store of any kind.

_TRIES = 20
"""Each time it was lent or answered since it was read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An incident as it is now. ``other``: what a person did that is in the way; ``is_busy``: it changes all the time.
    In both cases nothing was changed."""

    incident: Incident
    other: Answer | None = None
    is_busy: bool = False


def answer(
    store: Incidents,
    channel: str,
    key: str,
    become: Callable[[Incident], Incident],
    in_the_way: Callable[[Incident], Answer | None],
    now: float,
) -> Answered | None:
    """Let an incident become another by a function of `answered`, lent or not. None: it is not open any more.

    Where that gives the very incident, nothing is changed. Raises `StateError`.
    """
    for _ in range(_TRIES):
        found = store.open(channel, 1, [key], now)
        if not found:
            return None
        (before,) = found
        if (other := in_the_way(before)) is not None:
            return Answered(before, other)
        after = become(before)
        if after is before:
            return Answered(before)
        if store.swap(channel, [Swap(before, after)], now) != [None]:
            return Answered(after)
    return Answered(before, is_busy=True)


def answer_to(
    store: Incidents, channel: str, key: str, answered_so: Answer, now: float, *, is_seen: bool
) -> Verdict | None:
    """The same with a person's answer; ``is_seen``: no message has to say it."""

    def become(one: Incident) -> Incident:
        after = answered.become(one, answered_so, now)
        return answered.said(after) if is_seen else after

    found = answer(store, channel, key, become, lambda one: answered.refused_by(one, answered_so), now)
    return None if found is None else Verdict(known(found.incident), found.other, found.is_busy)


def swap_lent(store: Incidents, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
    """`Incidents.swap` for what was lent, also where a person did something with it meanwhile: that stays.

    What was to be removed as over, and of which something came meanwhile, is released.
    """
    found = store.swap(channel, swaps, now)
    late = {one.before.key: at for at, one in enumerate(swaps) if found[at] is None and one.before.owner}
    for there in store.open(channel, len(late), list(late), now) if late else ():
        one = swaps[late[there.key]]
        after = stored.answered_meanwhile(there, one.before, one.after)
        if after is not None:
            before = replace(one.before, version=there.version)
            again = Swap(before, None if one.why and one.after is None else after, one.why)
            (found[late[there.key]],) = store.swap(channel, [again], now)
    moved = [one for one, own in zip(swaps, found, strict=True) if own is None and one.after is None and not one.why]
    if moved:
        swap_lent(store, channel, [Swap(one.before, life.released(one.before, now)) for one in moved], now)
    return found
