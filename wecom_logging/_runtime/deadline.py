"""By when what this thread does has to end, whatever it calls."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager

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
    left = seconds_left()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
