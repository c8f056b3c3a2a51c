"""The sandbox's time: the real one, or a test's, and as far ahead of it as one wants."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Tokens, limits, messages and hints live by it; connections do not."""

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return self._base() + self.ahead_s

    def advance(self, seconds: float) -> None:
        """ValueError for a step back."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"seconds must be zero or more, and finite, not {seconds!r}")
        self.ahead_s += seconds

    def reset(self) -> None:
        self.ahead_s = 0.0
