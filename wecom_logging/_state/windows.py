"""Rate limits as sliding windows: how long a message to a receiver has to wait. Nothing here sleeps.

A bot has one log of its messages. An app has a log for each member and one for everybody (departments, tags and
``@all``, whose members are not known here); a member's use is both together. WeCom discards what a member gets beyond
its limit without an error, so these logs are the only protection.

Source: https://developer.work.weixin.qq.com/document/path/90312 (app), …/99110 (bot)
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..model.recipients import EVERYBODY_LOG
from .base import DAY_S, MINUTE_S, Rules
from .entries import pack, unpack

FLOOD = "flood "
"""Begins the name of a log that counts the floods that were told, and no messages."""

ANSWER = "answer "
"""Begins the name of a log of what a receiver was answered: it fills the limit, but alerts keep their own pace."""

UNLIMITED = (20, 60.0)
"""Number and seconds by which messages are shared where there is no limit."""


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
            return max(self._paused_until - now, self._wait(receivers, rules, now), 0.0)

    def reserve(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        """Take one message of each receiver, or of none: the seconds to wait instead."""
        with self._lock:
            wait = self.wait(receivers, rules, now)
            if wait <= 0:
                for receiver in receivers:
                    self._logs.setdefault(receiver, deque()).append(now)
                # Handlers of one channel may have rules of their own: the longest decides what is remembered.
                self._longest_s = max(self._longest_s, *(period for _, period in rules), UNLIMITED[1])
                self.forget(now - self._longest_s)
            return wait

    def pace(self, receivers: tuple[str, ...], rules: Rules, now: float) -> tuple[bool, float]:
        """Whether messages to these receivers are to be shared, and the seconds until the next one then.

        A quarter of a limit goes at once, each alert in a message of its own; the rest is spread evenly over the time
        that is left. Without a limit nothing has to wait, and five a minute go on their own.
        """
        with self._lock:
            paces = [self._pace(times, rules, now) for times in self._times(receivers, answers=False)]
        return any(shared for shared, _ in paces), max((wait for _, wait in paces), default=0.0)

    @staticmethod
    def _pace(times: list[float], rules: Rules, now: float) -> tuple[bool, float]:
        shared, wait = False, 0.0
        for number, period in rules or (UNLIMITED,):
            quarter = -(-number // 4)  # rounded up: of thirty, seven are still fewer
            if sum(time > now - period for time in times) >= quarter:
                shared = True
                if rules:
                    wait = max(wait, times[-1] + period / max(number - quarter, 1) - now)
        return shared, wait

    def use(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        """How much of the limit went out lately, of the receiver that got most: 1 is all."""
        with self._lock:
            return max(
                (
                    sum(time > now - period for time in times) / number
                    for times in self._times(receivers)
                    for number, period in rules or (UNLIMITED,)
                ),
                default=0.0,
            )

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

    def reset_after_fork(self) -> None:
        """In a forked child: the thread that held the lock is not here. What the parent sent counts here too."""
        self._lock = threading.RLock()

    def _wait(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        return max((_wait_for(times, rules, now) for times in self._times(receivers)), default=0.0)

    def _times(self, receivers: tuple[str, ...], *, answers: bool = True) -> Iterator[list[float]]:
        """What each receiver got lately, in order; with its ``answers``."""
        everybody = self._logs.get(EVERYBODY_LOG, ())
        for receiver in receivers:
            if receiver.startswith(FLOOD):
                yield sorted(self._logs.get(receiver, ()))
                continue
            # A message to everybody has to fit beside the fullest member.
            for name in list(self._logs) if receiver == EVERYBODY_LOG else [receiver.removeprefix(ANSWER)]:
                if name.startswith(FLOOD):
                    continue
                own = self._logs.get(name, ()) if name != EVERYBODY_LOG else ()
                answered = self._logs.get(f"{ANSWER}{name}", ()) if answers else ()
                yield sorted([*own, *everybody, *answered])

    def forget(self, before: float) -> None:
        """What went before that."""
        for name in list(self._logs):
            log = self._logs[name]
            while log and log[0] <= before:
                log.popleft()
            if not log:
                del self._logs[name]


def _wait_for(times: list[float], rules: Rules, now: float) -> float:
    return max((times[-number] + period - now for number, period in rules if len(times) >= number), default=0.0)


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
