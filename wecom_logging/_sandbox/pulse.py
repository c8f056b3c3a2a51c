"""How much came, second by second, for the last two minutes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SPAN_S = 120


@dataclass(slots=True)
class Beat:
    """One second: messages that were delivered, calls that failed, receivers to whom a message was not shown."""

    second: int
    delivered: int = 0
    failed: int = 0
    discarded: int = 0


class Pulse:
    """``discarded`` counts receivers that WeCom leaves out without a word; whoever leaves one out adds to it."""

    def __init__(self) -> None:
        self._beats: deque[Beat] = deque(maxlen=SPAN_S)
        self.discarded = 0
        self.delivered = 0
        self.failed = 0

    def note(self, now: float, *, delivered: int = 0, failed: int = 0, discarded: int = 0) -> None:
        self.delivered += delivered
        self.failed += failed
        if not self._beats or self._beats[-1].second != int(now):
            self._beats.append(Beat(int(now)))
        beat = self._beats[-1]
        beat.delivered += delivered
        beat.failed += failed
        beat.discarded += discarded

    def beats(self, now: float) -> list[Beat]:
        return [beat for beat in self._beats if now - SPAN_S < beat.second <= now]
