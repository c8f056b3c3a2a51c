"""How far a long command is, on standard error: one line rewritten in place on a terminal, few lines elsewhere."""

from __future__ import annotations

import sys

from ..printing import say

EVERY = 100


class Progress:
    """``total`` is None where nobody knows it. ``every`` so many steps there is a line where there is no terminal."""

    def __init__(self, what: str, total: int | None = None, *, every: int = EVERY) -> None:
        self.done = 0
        self._what = what
        self._total = "" if total is None else f"/{total}"
        self._every = every
        self._stream = sys.stderr
        self._terminal = self._stream.isatty()
        self._open = False

    def step(self, note: str = "", *, quietly: bool = False) -> None:
        """One more is done; ``quietly`` where the rows themselves are seen."""
        self.done += 1
        if quietly:
            return
        text = f"{self._what} {self.done}{self._total}{note}"
        if self._terminal:
            self._print(f"\r{text}\x1b[K", end="")
            self._open = True
        elif self.done % self._every == 0:
            self._print(text)

    def say(self, text: str) -> None:
        """A line of its own."""
        self.end()
        say(text)

    def end(self) -> None:
        """What is printed next begins on a line of its own."""
        if self._open:
            self._print("\r\x1b[K", end="")
            self._open = False

    def _print(self, text: str, end: str = "\n") -> None:
        try:
            print(text, end=end, file=self._stream, flush=True)
        except OSError:  # whoever read it has gone: no reason to end the work
            pass
