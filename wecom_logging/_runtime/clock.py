"""The clock of all handlers, by when what this thread does has to end, and how long to wait at random.

The clocks are the system's, and ahead of them where a test has let time pass.
"""

from __future__ import annotations

import contextvars
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

_ahead_s = 0.0


def now() -> float:
    """Seconds, as `time.monotonic` counts them."""
    return time.monotonic() + _ahead_s


def wall() -> float:
    """Seconds since the epoch, as the same clock has them."""
    return time.time() + _ahead_s


def advance(seconds: float) -> None:
    """Let so many seconds pass."""
    global _ahead_s
    _ahead_s += seconds


def between(least_s: float, most_s: float) -> float:
    """A random time, not of the program's generator: that must give what it gives without us, and two processes may
    have seeded theirs alike."""
    return least_s + (most_s - least_s) * int.from_bytes(os.urandom(4)) / 2**32


_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("wecom_logging_deadline", default=float("inf"))


@contextmanager
def within(deadline: float) -> Iterator[None]:
    """Requests made here end by then (``time.monotonic()``), or by an earlier deadline around this one."""
    outer = _deadline.set(min(deadline, _deadline.get()))
    try:
        yield
    finally:
        _deadline.reset(outer)


def seconds_left() -> float:
    """Until the deadline; negative behind it, infinity without one."""
    return _deadline.get() - time.monotonic()


def time_left() -> float:
    """The same for a socket's timeout: raises `TimeoutError` where nothing is left."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
