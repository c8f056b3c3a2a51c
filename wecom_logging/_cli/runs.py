"""What the state knows of earlier runs of a command: a job that fails each hour is one failure, and ends in green.

It is a fact of the state, which holds counts, times, and digests of the lines that the command has written.
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from .._incidents.codec import MAX_CHARACTERS, as_line, read, typed
from .._incidents.pattern import pattern
from .._render.times import local_time
from .._render.words import FAILED_ONCE, FAILED_TIMES, NEW_LINES
from .._state.base import Store
from .._state.shared import Shared
from .._text.said import Language

_CHANNEL = "runs"
_KEPT_S = 32 * 86400.0
"""So long after its last run a command is known; 32 days, for what runs once a month."""
_LONGEST_S = 20 * 3600.0
"""A failure is told after so long in any case: what fails each night is told each night."""
_MOST_LINES = 256
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Runs:
    """``failures`` in a row, the first of them at ``since``; times in seconds since the epoch, 0 for never.

    ``why`` and ``lines`` are digests of what the last failure has said; ``told_at`` is when one was last told.
    """

    failures: int = 0
    since: float = 0.0
    worked: float = 0.0
    told_at: float = 0.0
    why: str = ""
    lines: tuple[str, ...] = ()

    def failed(self, now: float, why: str, lines: Sequence[str]) -> Runs:
        """After one more failure, for this reason, with this output."""
        after = replace(
            self,
            failures=self.failures + 1,
            since=self.since if self.failures else now,
            why=_digest(why),
            lines=tuple(dict.fromkeys(map(_digest, lines[-_MOST_LINES:]))),
        )
        is_power_of_two = after.failures & (after.failures - 1) == 0
        is_news = is_power_of_two or after.why != self.why or now >= self.told_at + _LONGEST_S
        return replace(after, told_at=now) if is_news else after

    def succeeded(self, now: float) -> Runs:
        return Runs(worked=now)

    def is_told(self, before: Runs) -> bool:
        """Whether a message tells it: the 1st, 2nd, 4th, 8th … in a row; one with another reason; after 20 h."""
        return self.told_at != before.told_at

    def facts(self, before: Runs, language: Language) -> dict[str, str]:
        """What a message says of the runs before, by the name of a field. That of a record is English."""
        if self.failures == 1:
            return {}
        new = len(set(self.lines) - set(before.lines))
        worked = {"last worked": f"{local_time(self.worked, language):%m-%d %H:%M}"} if self.worked else {}
        return {"failed": self.times(language), **worked, "new output": NEW_LINES.en.format(new, len(self.lines))}

    def times(self, language: Language) -> str:
        """``8 times since 11-28 22:00``"""
        since = f"{local_time(self.since, language):%m-%d %H:%M}"
        words = FAILED_ONCE if self.failures == 1 else FAILED_TIMES
        return words.within(language).format(self.failures, time=since)


class EarlierRuns:
    """Those of a command, for one service, on this host, in a state. Where that cannot be used, nothing is known."""

    def __init__(self, shared: Shared, service: str | None, command: Sequence[str]) -> None:
        self._shared = shared
        what = json.dumps([service or "", socket.gethostname(), *command])
        self._name = hashlib.sha256(what.encode()).hexdigest()[:32]

    def failed(self, why: str, lines: Sequence[str]) -> tuple[Runs, Runs] | None:
        """Note a failure: what was known before, and what is known now."""
        return self._note(lambda runs, now: runs.failed(now, why, lines))

    def succeeded(self) -> Runs | None:
        noted = self._note(Runs.succeeded)
        return None if noted is None else noted[0]

    def _note(self, change: Callable[[Runs, float], Runs]) -> tuple[Runs, Runs] | None:
        return self._shared.try_call(lambda store: _noted(store, self._name, change), None)


def _noted(store: Store, name: str, change: Callable[[Runs, float], Runs]) -> tuple[Runs, Runs]:
    now = store.time()
    for _ in range(_TRIES):  # another run of the same command may end at the same moment
        there = store.get(_CHANNEL, name, now)
        before = Runs() if there is None else _read(there.text)
        after = change(before, now)
        text = as_line(asdict(after))
        if store.put(_CHANNEL, name, 0 if there is None else there.version, text, now + _KEPT_S, now):
            break
    return before, after


def _read(text: str) -> Runs:
    try:
        found: Runs = typed(read(text, MAX_CHARACTERS), Runs)
        return found
    except ValueError:  # another hand has been at it
        return Runs()


def _digest(line: str) -> str:
    """The same for lines that differ in numbers, times and ids alone."""
    return hashlib.sha256(pattern(line.strip()).encode("utf-8", "replace")).hexdigest()[:8]
