"""Rate limits as sliding windows: how long a message to a receiver has to wait. Nothing here sleeps.

A bot has one log of its messages. An app has a log for each member and one for everybody (departments, tags and
``@all``, whose members are not known here); a member's use is both together. WeCom discards what a member gets beyond
its limit without an error, so these logs are the only protection.

Source: https://developer.work.weixin.qq.com/document/path/90312 (app), …/99110 (bot)
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..model.recipients import EVERYBODY_LOG
from . import forks

FLOOD = "flood "
"""Begins the name of a log that counts the floods that were told, and no messages."""

ANSWER = "answer "
"""Begins the name of a log of what a receiver was answered: it fills the limit, but alerts keep their own pace."""

UNLIMITED = (20, 60.0)
"""Number and seconds by which messages are shared where there is no limit."""

Rules = Sequence[tuple[int, float]]
"""Numbers and seconds: at most so many in any span of so long."""


class Windows:
    """The times of what one channel (a bot, or an app) sent lately. Shared by all handlers of a process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._logs: dict[str, deque[float]] = {}
        self._paused_until = float("-inf")
        self._longest_s = 0.0

    def wait(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        """Seconds until a message to these receivers may go; 0 for now."""
        with self._lock:
            wait = max(self._paused_until - now, 0.0)
            for times in self._times(receivers):
                for number, period in rules:
                    if len(times) >= number:
                        wait = max(wait, times[-number] + period - now)
            return wait

    def reserve(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        """Take one message of each receiver, or of none: the seconds to wait instead."""
        with self._lock:
            wait = self.wait(receivers, rules, now)
            if wait <= 0:
                for receiver in receivers:
                    self._logs.setdefault(receiver, deque()).append(now)
                # Handlers of one channel may have rules of their own: the longest decides what is remembered.
                self._longest_s = max([self._longest_s, UNLIMITED[1], *[period for _, period in rules]])
                self.forget(now - self._longest_s)
            return wait

    def pace(self, receivers: tuple[str, ...], rules: Rules, now: float) -> tuple[bool, float]:
        """Whether messages to these receivers are to be shared, and the seconds until the next one then.

        A quarter of a limit goes at once, each alert in a message of its own; the rest is spread evenly over the time
        that is left. Without a limit nothing has to wait, and five a minute go on their own.
        """
        shares, wait = False, 0.0
        with self._lock:
            for times in self._times(receivers, answers=False):
                for number, period in rules or (UNLIMITED,):
                    quarter = -(-number // 4)  # rounded up: of thirty, seven are still fewer
                    if len(times) - bisect_right(times, now - period) >= quarter:
                        shares = True
                        if rules:
                            wait = max(wait, times[-1] + period / max(number - quarter, 1) - now)
        return shares, wait

    def use(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        """How much of the limit went out lately, of the receiver that got most: 1 is all."""
        used = 0.0
        with self._lock:
            for times in self._times(receivers):
                for number, period in rules or (UNLIMITED,):
                    used = max(used, (len(times) - bisect_right(times, now - period)) / number)
        return used

    def landed(self, receivers: tuple[str, ...], reserved: Iterable[float], now: float) -> None:
        """Move reservations to the time of WeCom's answer: WeCom counted them at some time before it, not earlier."""
        with self._lock:
            for time in reserved:
                for receiver in receivers:
                    log = self._logs.get(receiver)
                    if log is not None and time in log:
                        log.remove(time)
                        log.append(now)

    def last(self, receiver: str) -> float:
        """When the newest of a log was, as far as is known here."""
        with self._lock:
            return max(self._logs.get(receiver, ()), default=float("-inf"))

    def record(self, receiver: str, at: float) -> None:
        """Count what was sent to a receiver then, by whomever."""
        with self._lock:
            self._logs.setdefault(receiver, deque()).append(at)

    def ages(self, now: float, most_s: float) -> dict[str, tuple[float, ...]]:
        """How long ago each message to each receiver went, of those that are younger than ``most_s``."""
        with self._lock:
            ages = {name: tuple(now - at for at in log if now - at < most_s) for name, log in self._logs.items()}
        return {name: found for name, found in ages.items() if found}

    def replace(self, ages: Mapping[str, tuple[float, ...]], now: float, most_s: float) -> None:
        """Know from others what went within the last ``most_s`` seconds."""
        with self._lock:
            for name in {*self._logs, *ages}:
                old = [at for at in self._logs.get(name, ()) if at <= now - most_s]
                self._logs[name] = deque([*old, *sorted(now - age for age in ages.get(name, ()))])

    def pause(self, wait_s: float, now: float) -> None:
        """Leave the channel alone for so long, as WeCom asked."""
        with self._lock:
            self._paused_until = max(self._paused_until, now + wait_s)

    def forget(self, before: float) -> None:
        """What went before that."""
        for name in list(self._logs):
            log = self._logs[name]
            while log and log[0] <= before:
                log.popleft()
            if not log:
                del self._logs[name]

    def reset_after_fork(self) -> None:
        """In a forked child: the thread that held the lock is not here. What the parent sent counts here too."""
        self._lock = threading.RLock()

    def _times(self, receivers: tuple[str, ...], *, answers: bool = True) -> list[list[float]]:
        """What each receiver got lately, in order; with its ``answers``."""
        logs, found = self._logs, list[list[float]]()
        everybody = logs.get(EVERYBODY_LOG, ())
        for receiver in receivers:
            if receiver.startswith(FLOOD):
                found.append(sorted(logs.get(receiver, ())))
                continue
            # A message to everybody has to fit beside the fullest member.
            for name in list(logs) if receiver == EVERYBODY_LOG else [receiver.removeprefix(ANSWER)]:
                if name.startswith(FLOOD):
                    continue
                own = logs.get(name, ()) if name != EVERYBODY_LOG else ()
                answered = logs.get(f"{ANSWER}{name}", ()) if answers else ()
                found.append(sorted([*own, *everybody, *answered]))
        return found


_kept: dict[tuple[str, str], Windows] = {}


def kept(channel: str, state: str = "", make: Callable[[], Windows] = Windows) -> Windows:
    """Those of this process for a channel, by its identity, and for a state, by its name; made where there are none."""
    return _kept.get((channel, state)) or _kept.setdefault((channel, state), make())


def _after_fork_in_child() -> None:
    for found in _kept.values():
        found.reset_after_fork()


forks.in_child(_after_fork_in_child)
