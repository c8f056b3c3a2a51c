"""The rate windows of each channel, shared by all handlers of the process, and by all that have the same store."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .._runtime import forks
from .._state.base import Rules, StateError, Store
from .._state.shared import Shared
from .._state.windows import Windows

_KNOWN_S = 60.0
"""What others sent within so long is known after each reservation."""


class SharedWindows(Windows):
    """Windows that all processes with the same shared store use. Where that is away, this one keeps to its share."""

    def __init__(self, channel: str, shared: Shared) -> None:
        super().__init__()
        self._channel = channel
        self._shared = shared
        self._peers = 1
        self._numbers: dict[float, str] = {}
        self._not_before: dict[tuple[str, ...], float] = {}

    def wait(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        return max(super().wait(receivers, self._share(rules), now), self._not_before.get(receivers, now) - now)

    def pace(self, receivers: tuple[str, ...], rules: Rules, now: float) -> tuple[bool, float]:
        return super().pace(receivers, self._share(rules), now)

    def reserve(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        wait = self.wait(receivers, rules, now)
        if wait > 0 or not rules:
            return wait if wait > 0 else super().reserve(receivers, rules, now)
        try:
            taken = self._shared.call(
                lambda state: state.reserve(self._channel, self._shared.who, receivers, rules, now)
            )
        except StateError:
            return super().reserve(receivers, self._share(rules), now)
        self._peers = taken.peers
        self.replace(taken.ages, now, _KNOWN_S)
        if taken.wait_s > 0:
            self._not_before = {receivers: now + taken.wait_s}
            return taken.wait_s
        self._numbers = {now: taken.number}
        return 0.0

    def landed(self, receivers: tuple[str, ...], reserved: Iterable[float], now: float) -> None:
        times = list(reserved)
        super().landed(receivers, times, now)
        for time in times:
            number = self._numbers.pop(time, "")
            if number and now > time:
                self._shared.try_call(partial(_landed, self._channel, receivers, number, now), None)

    def pause(self, wait_s: float, now: float) -> None:
        super().pause(wait_s, now)
        self._shared.try_call(lambda state: state.pause(self._channel, wait_s, now), None)

    def _share(self, rules: Rules) -> Rules:
        """All of the limit, or this process's part of it while the others cannot be asked."""
        if self._shared.is_up:
            return rules
        return tuple((max(number // self._peers, 1), period * max(self._peers / number, 1)) for number, period in rules)


def _landed(channel: str, receivers: tuple[str, ...], number: str, now: float, state: Store) -> None:
    state.landed(channel, receivers, number, now)


_channels: dict[tuple[str, str], Windows] = {}


def windows(channel: str, shared: Shared) -> Windows:
    """This process's windows of a channel, by its identity."""
    return _channels.setdefault((channel, shared.name), SharedWindows(channel, shared))


def _after_fork_in_child() -> None:
    """The thread that held a lock is not here."""
    for found in _channels.values():
        found.reset_after_fork()


forks.in_child(_after_fork_in_child)
