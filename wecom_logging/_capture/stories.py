"""`Stories`: a library that logs one failure in several lines, as it goes up through its layers: one alert.

The lines come from one library, in one thread, right after each other. They have one exception object in common, in
whatever others it is, or one says the reason that another's exception has. What says none, or another, is told.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from .._render.source import is_own
from .duplicates import MOMENT_S, is_told, mark, reported
from .exceptions import Raised
from .record import Reading, named_in
from .tally import Tally

_LEAST_REASON, _MOST_REASON = 10, 256
"""A shorter text stands elsewhere by chance; a longer one is a story itself."""

_MOST_WORDS = 4096
_MAX_ERRORS = 16


class Story(NamedTuple):
    """The alert of it, with what the lines say and why."""

    tally: Tally
    package: str
    lines: tuple[object, ...]
    """Where each was logged: the second from one line is another failure."""
    words: str
    reasons: frozenset[str]
    at: float


class _Told(threading.local):
    story: Story | None = None


class Stories:
    """The one that each thread tells, for one handler; ``key`` is that of its marks on exceptions."""

    def __init__(self, key: int) -> None:
        self._told = _Told()
        self._key = -1 - key  # the other marks say that an exception itself was told

    def begin(self, reading: Reading, tally: Tally) -> None:
        """A record was counted in this thread: the first of a tally, or one of a tally that goes on with others."""
        if not (package := _package_of(reading)):
            return
        story, line, found = self._alive(), _line(reading), _innermost(reading)
        if story is not None and story.package == package and line not in story.lines and (story.reasons or not found):
            return  # it may go on behind this one
        story = Story(tally, package, (), _words(reading), frozenset(), time.monotonic())
        self._tell(story, line, found)

    def goes_on(self, reading: Reading) -> Tally | None:
        """The tally of the story that a record goes on with, if it does."""
        if (story := self._alive()) is None or not reading.values[2].startswith(story.package):
            return None
        if reading.values[0] > story.tally.level or reading.recipients is not None or reading.mention is not None:
            return None
        if _package_of(reading) != story.package or (line := _line(reading)) in story.lines:
            return None
        found = _innermost(reading)
        if not any(reported(one.error, self._key, reading.record) is story.tally for one in found):
            reasons = [one.reason for one in found]
            if not story.reasons.isdisjoint(reasons):  # another exception that says the same: another failure
                return None
            if not (_stand_in(story.reasons, _words(reading)) or _stand_in(filter(_is_reason, reasons), story.words)):
                return None
        self._tell(story, line, found)
        return story.tally

    def _alive(self) -> Story | None:
        """The story, if it may go on."""
        story = self._told.story
        if story is not None and (time.monotonic() - story.at > MOMENT_S or not is_told(story.tally)):
            story = self._told.story = None
        return story

    def _tell(self, story: Story, line: object, found: list[Raised]) -> None:
        for one in found:
            mark(one.error, self._key, story.tally)
        reasons = story.reasons.union(filter(_is_reason, (one.reason for one in found)))
        self._told.story = story._replace(lines=(*story.lines, line), reasons=reasons)


def _package_of(reading: Reading) -> str:
    """The first part of a logger's name, where code of a library has used it."""
    _, _, logger, _, _, _, _, path, _, function, *_ = reading.values
    return "" if reading.is_plain or is_own(path, function) else logger.partition(".")[0]


def _line(reading: Reading) -> object:
    return reading.values[7], reading.values[8]


def _words(reading: Reading) -> str:
    said = "" if reading.error is None else reading.error.text
    return f"{reading.message[:_MOST_WORDS]}\n{said[:_MOST_WORDS]}"


def _is_reason(said: str) -> bool:
    return _LEAST_REASON <= len(said) <= _MOST_REASON


def _stand_in(reasons: Iterable[str], words: str) -> bool:
    return any(reason in words for reason in reasons)


def _innermost(reading: Reading) -> list[Raised]:
    """The exceptions of a record that neither another has led to nor carries one."""
    named = named_in(reading.record)
    errors = deque(named if reading.error is None else (reading.error.error, *named))
    seen: dict[int, BaseException] = {}
    found: list[Raised] = []
    while errors and len(seen) < _MAX_ERRORS:
        error = errors.popleft()
        if seen.setdefault(id(error), error) is error:
            raised = reading.raised(error)
            inside = [one for one in raised.carried if one is not error]
            errors += inside
            found += [] if inside else [raised]
    return found
