"""The contract of a shared state: groups that are told once for all, rate windows, tokens. Every backend keeps it.

A backend trusts nothing that it finds: an entry that is foreign, newer, or broken is set aside. What it cannot do now
it says by `StateError`, within a second or so; who asks goes on with its own memory. ``now`` is in seconds on the clock
of whoever asks, one for all processes of a machine (`time.monotonic`); a backend with a clock of its own uses that.
Times of records are seconds since the epoch, to be shown and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import StateError as StateError  # a part of the contract: whoever keeps it, or asks, finds it here

Rules = Sequence[tuple[int, float]]
"""Numbers and seconds: at most so many in any span of so long."""

VERSION = 1
MAX_WAIT_S = 3600.0
QUIET_WINDOWS = 10
LEAST_DIGESTS = 2
"""After so many a closing line says that it is over."""

SPANS = 8
"""Into which the wait between two digests is divided, for the curve of the rate."""
MAX_SAMPLES = 8
MAX_GROUPS = 200_000
EXPIRES_S = 24 * 3600.0
LOCK_S = 15.0
"""For how long a process that asks WeCom for a token keeps the others from it."""


@dataclass(frozen=True, slots=True)
class Count:
    """So many more of one group. ``entry`` is the alert, as text, if the group is to be opened where it is not.

    ``event`` is the id of a single alert that may have been counted before the process that did so ended: where it is
    the one that has opened the group, it is not counted again.
    """

    key: str
    number: int
    last: float
    entry: str = ""
    level: int = 0
    window_s: float = 60.0
    samples: tuple[tuple[float, str], ...] = ()
    event: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A group that is told by whoever has this claim, until its lease ends.

    ``count`` is new since the last message, ``total`` all; ``is_first``: nothing was told before. ``since`` and
    ``last`` are the first and the newest record that are new. ``quiet_s`` more than 0: nothing is new, it is over.
    """

    key: str
    number: int
    """Of this claim: one that has ended is not mistaken for another."""
    entry: str
    level: int
    count: int
    total: int
    since: float
    last: float
    hosts: int
    processes: int
    is_first: bool
    quiet_s: float = 0.0
    rates: tuple[int, ...] = ()
    samples: tuple[tuple[float, str], ...] = ()


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
class Held:
    """A group, as it is shown to people: waiting to be told, or given up for a reason."""

    key: str
    channel: str
    level: int
    count: int
    last: float
    entry: str
    why: str = ""
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class SharedBooks:
    """The state's own books, of all who share it: ``counted == told + waiting + given_up + discarded``."""

    counted: int
    told: int
    waiting: int
    given_up: int
    discarded: int


class State(Protocol):
    """What every backend can do. ``who`` names a process, ``channel`` an app or a bot, both without a secret."""

    def count(self, channel: str, who: str, host: str, counts: Sequence[Count], now: float) -> list[int]:
        """Add to groups, all or nothing. Of each: 2 if nothing of it was told yet, else 1.

        0: it is not open, and came without an entry.
        """

    def claim(
        self, channel: str, who: str, now: float, *, lease_s: float, most: int, forced: Collection[str] = ()
    ) -> list[Claim]:
        """Groups that are due, or whose claim has ended without a word, the most severe first.

        Those in ``forced`` are due as soon as something is untold.
        """

    def told(self, channel: str, claims: Sequence[Claim], now: float, *, forced: bool) -> None:
        """WeCom has them. A forced digest changes no wait."""

    def release(self, channel: str, claims: Sequence[Claim], now: float, wait_s: float) -> None:
        """They could not be told: whoever comes next may, but not before the wait is over."""

    def give_up(self, channel: str, claims: Sequence[Claim], why: str, now: float) -> None:
        """They can never be told: kept for people to look at, and counted as lost."""

    def untold(self, channel: str, keys: Collection[str]) -> list[str]:
        """Which of these groups have something that was not told yet, whoever is about to."""

    def born(self, channel: str) -> str:
        """When what is kept of a channel began: another one where all that was there is gone."""

    def next_due(self, channel: str, now: float) -> float:
        """Seconds until `claim` may have something; infinity if nothing waits."""

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        """Take one message of each receiver, or of none."""

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        """Move a reservation to now: WeCom has answered."""

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        """Nobody sends anything through the channel for so long: WeCom asked for it."""

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        """The token of an app and the seconds that are left of it."""

    def lock_token(self, app: str, who: str, now: float) -> bool:
        """Whether the caller is the one that asks WeCom for it, for at most `LOCK_S`."""

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        """Keep a token for all, and unlock; not if the lock has ended and another has a newer one. "" only unlocks."""

    def drop_token(self, app: str, value: str) -> None:
        """Forget it, if it is still this one."""

    def held(self, most: int) -> list[Held]:
        """What waits and what was given up, for people, the newest first."""

    def again(self, keys: Collection[str], now: float) -> int:
        """Let what was given up wait again; how many groups that were. Empty: all."""

    def discard(self, keys: Collection[str]) -> int:
        """Forget what waits or was given up, counted as discarded; how many groups that were. Empty: all."""

    def books(self) -> SharedBooks:
        """The numbers now."""

    def check(self) -> str:
        """Try it, reading and writing: what it is, in words. Raises `StateError`."""

    def close(self) -> None:
        """Let go of files and connections; the next call opens them again."""
