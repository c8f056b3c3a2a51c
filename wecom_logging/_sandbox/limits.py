"""What is let through: so many in so many seconds for each key, the addresses that are trusted, who guesses no secrets;
and of what is kept, so many.

Limits: https://developer.work.weixin.qq.com/document/path/90312 (members of an app), /99110 (bots). Whether WeCom's
windows slide or stand is not written anywhere; sliding is the stricter of the two.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from .refusal import Refusal

WRONG_SECRETS = 5
BAN_S = 3600


@dataclass(frozen=True, slots=True)
class Limit:
    count: int
    period_s: float


class SlidingWindow:
    """Several limits that must all allow. What they refuse does not count."""

    def __init__(self, clock: Callable[[], float], *limits: Limit) -> None:
        self._clock = clock
        self.usual = limits
        self.limits = limits
        """None at all is no limit."""
        self._times: defaultdict[Hashable, deque[float]] = defaultdict(deque)

    def fill(self, most: int) -> list[tuple[Hashable, list[tuple[Limit, int]]]]:
        """The keys that were used last, each with how many of each limit are taken."""
        now = self._clock()
        keys = sorted((key for key in self._times if self._times[key]), key=lambda key: -self._times[key][-1])
        return [
            (key, [(limit, sum(t > now - limit.period_s for t in self._times[key])) for limit in self.limits])
            for key in keys[:most]
        ]

    def clear(self) -> None:
        """Counting begins anew for each key."""
        self._times.clear()

    def reset(self) -> None:
        self.limits = self.usual
        self.clear()

    def admits(self, key: Hashable) -> bool:
        """Counts one more for ``key`` and says yes, or counts nothing and says no."""
        now = self._clock()
        times = self._times[key]
        while times and times[0] <= now - max((limit.period_s for limit in self.limits), default=0):
            times.popleft()
        if any(sum(t > now - limit.period_s for t in times) >= limit.count for limit in self.limits):
            return False
        times.append(now)
        return True


class SecretGuard:
    """Several wrong secrets close ``gettoken`` to an address for an hour, right secrets included (path/90313, 45009).

    The page says "several"; here it is five within an hour, and the hour counts from the fifth.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WRONG_SECRETS))

    def check(self, ip: str) -> None:
        wrong = self._wrong.get(ip, deque())
        if len(wrong) == WRONG_SECRETS and wrong[-1] - wrong[0] < BAN_S and self._clock() < wrong[-1] + BAN_S:
            raise Refusal(45009)

    def note(self, ip: str) -> None:
        self._wrong[ip].append(self._clock())


K = TypeVar("K")
V = TypeVar("V")


class Newest(dict[K, V]):
    """So many entries, the newest of them."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        self.pop(key, None)
        super().__setitem__(key, value)
        if len(self) > self._most:
            del self[next(iter(self))]
