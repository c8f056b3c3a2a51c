"""The clock of all handlers: the system's, monotonic, and ahead of it where a test has let time pass."""

from __future__ import annotations

import time

_ahead_s = 0.0


def now() -> float:
    """Seconds, as `time.monotonic` counts them."""
    return time.monotonic() + _ahead_s


def advance(seconds: float) -> None:
    """Let so many seconds pass."""
    global _ahead_s
    _ahead_s += seconds
