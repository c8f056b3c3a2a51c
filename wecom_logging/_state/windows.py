"""What a channel has sent lately, as the processes that share a Redis know it."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence

from .._runtime.windows import Windows
from .base import DAY_S, MINUTE_S, Rules
from .entries import pack, unpack


class Sent:
    """What a channel has sent lately, as one process knows it from Redis, by the server's clock.

    Redis keeps an event for each message and receiver, for each pause, and for how long events have to stay, in the
    order of its clock. A process knows all of them up to one, and may add others only where that is the newest. Hold
    its ``lock`` for what has to be whole.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._begin()

    def _begin(self) -> None:
        self.newest = 0.0
        self.longest_s: float = MINUTE_S
        self._longest_at = 0.0
        self._windows = Windows()
        self._times: dict[str, float] = {}

    def may_at(self, receivers: Sequence[str], rules: Rules) -> float:
        """From when on a message to these may go."""
        return self._windows.wait(tuple(receivers), rules, 0.0)

    def ages(self, now: float) -> dict[str, tuple[float, ...]]:
        """By receiver, how many seconds ago each message of the last minute went."""
        found = self._windows.ages(now, MINUTE_S)
        return {name: tuple([max(age, 0.0) for age in ages]) for name, ages in found.items()}

    def messages(self, receivers: Sequence[str], number: str, rules: Rules = ()) -> list[str]:
        """The events of one message. Handlers of one channel may have rules of their own: the longest decides."""
        events = [f"sent {number} {pack(name)}" for name in receivers]
        longest_s = max((period for _, period in rules), default=0.0)
        is_old = self.newest - self._longest_at > longest_s / 2
        if longest_s > self.longest_s or (longest_s == self.longest_s > MINUTE_S and is_old):
            events.append(f"longest {longest_s!r}")
        return events

    def learn(self, events: Iterable[tuple[str, float]], now: float) -> None:
        """New ones, or the same at another time, in their order. What is none is passed by."""
        if self.newest > now + MINUTE_S:  # the server's clock was put back
            self._begin()
        for event, at in events:
            self.newest = max(self.newest, at)
            try:
                self._learn(event, at)
            except (ValueError, IndexError):  # not written by us
                continue
        while self._times and self._times[event := next(iter(self._times))] <= now - self.longest_s:
            del self._times[event]
        self._windows.forget(now - self.longest_s)

    def _learn(self, event: str, at: float) -> None:
        kind, text, *rest = event.split(" ", 2)
        if kind == "pause":
            self._windows.pause(_seconds(text), at)
        elif kind == "longest":
            self.longest_s, self._longest_at = max(self.longest_s, _seconds(text)), at
        elif kind == "sent":
            name, before = unpack(rest[0]), self._times.pop(event, None)
            if before is None:
                self._windows.record(name, at)
            else:
                self._windows.landed((name,), (before,), at)
            self._times[event] = at


def _seconds(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError("no number of seconds")
    return min(max(found, 0.0), DAY_S)
