"""Finds records that report a failure once more, and counts them with its alert: no second one is sent.

An exception that was captured bears a mark, by which decorators, hooks and later log calls find the tally that counted
it. The mark holds while that tally is open, and after the exit has closed it. An exception that cannot be marked is
merely sent again.

`Duplicates` finds a failure in other words: a library logs a traceback as text, and its caller raises the exception.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import weakref
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from .._render.traceback_text import COMPARED_FRAMES, outline
from .record import Reading
from .tally import Tally
from .texts import whole

# The same exception object: decorators, hooks and later log calls count it again and send no second alert.

TOLD = ("delivered", "handed_over")
"""How a message ends that a person gets."""

_MARK = "_wecom_logging_told"

_beside: dict[int, tuple[weakref.ref[BaseException], dict[int, object]]] = {}
"""Of exceptions that set attributes in their own way, by id: with one of ours they could not be copied any more."""

_about: dict[int, tuple[weakref.ref[logging.LogRecord], BaseException]] = {}
"""What records are about that hold no exception, by id. Not on the record: programs pickle those."""


def reported(error: BaseException, key: int, record: logging.LogRecord, *, at_exit: bool = False) -> Tally | None:
    """The tally of this pipeline that has the very same exception object, at least as severe as this record: an open
    one, or, ``at_exit``, where all are closed, one that was told."""
    tally = _marks(error).get(key)
    if type(tally) is not Tally or not (is_told(tally) or (at_exit and tally.ended in TOLD)):
        return None
    return tally if whole(record.levelno, logging.ERROR) <= tally.level else None


def is_told(tally: Tally) -> bool:
    """Whether a tally is open, and its last message was not refused."""
    return not tally.closed and (not tally.ended or tally.ended in TOLD)


def mark(error: BaseException, key: int, tally: Tally) -> None:
    """Remember on the exception that this pipeline has captured it."""
    try:
        marks = {**_marks(error), key: tally}
        if type(error).__setattr__ is BaseException.__setattr__:
            object.__setattr__(error, _MARK, marks)
        else:
            number = id(error)
            _beside[number] = weakref.ref(error, lambda _: _beside.pop(number, None)), marks
    except Exception:  # a class without room for attributes
        return


def is_the_same(error: BaseException, known: BaseException) -> None:
    """Two exception objects are one failure: an alert of the one is an alert of the other."""
    for key, tally in _marks(known).items():
        if isinstance(tally, Tally):
            mark(error, key, tally)


def is_about(record: logging.LogRecord, error: BaseException) -> None:
    """A record that holds no exception is about one all the same, or about something that an exception stands for."""
    number = id(record)
    _about[number] = weakref.ref(record, lambda _: _about.pop(number, None)), error


def about(record: logging.LogRecord) -> BaseException | None:
    found = _about.get(id(record)) if _about else None
    return found[1] if found is not None and found[0]() is record else None


def _marks(error: BaseException) -> dict[int, object]:
    """By pipeline. Copies and unpickled exceptions carry something empty in the tally's place (Tally.__reduce__)."""
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            known, found = _beside.get(id(error), (None, None))
            return found if known is not None and known() is error and found else {}
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    return found if type(found) is dict else {}


# The same failure in other words.

MOMENT_S = 2.0
"""How long after an alert something counts as said once more."""

_SAID_CHARACTERS = 256


class Thrown(NamedTuple):
    """An exception, also where it is a text: its type, and the frames that it passed, each with its line."""

    type: str
    frames: tuple[Hashable, ...]

    def is_like(self, other: Thrown) -> bool:
        """Whether both may be one failure: of that one may have passed more frames than the other, farther out."""
        common = min(len(self.frames), len(other.frames))
        return self.type == other.type and self.frames[-common:] == other.frames[-common:]


class Cause(NamedTuple):
    """An exception that was captured in ``tally``, with what it says."""

    tally: Tally
    thrown: Thrown
    said: str
    is_text: bool
    at: float


class _Told(threading.local):
    """Of each thread, what it told last."""

    cause: Cause | None = None


class Duplicates:
    """The last exception that each thread has captured, for one handler."""

    def __init__(self) -> None:
        self._told = _Told()

    def told(self, reading: Reading, tally: Tally) -> None:
        """Remember a record that may have an exception: the first of a tally, or one of a tally with duplicates."""
        thrown, said = _thrown(reading)
        if thrown is not None:
            self._told.cause = Cause(tally, thrown, said, reading.error is None, time.monotonic())

    def follows_text(self) -> bool:
        """Whether this thread has told an exception as a text, which the exception itself may follow."""
        cause = self._told.cause
        return cause is not None and cause.is_text

    def tally_of(self, reading: Reading) -> Tally | None:
        """The tally of what a record says once more: an exception after its text, or the other way round."""
        cause = self._told.cause
        if cause is None:
            return None
        if time.monotonic() - cause.at > MOMENT_S:
            self._told.cause = None
            return None
        if reading.recipients is not None or reading.mention is not None or (reading.error is None) is cause.is_text:
            return None
        if reading.values[0] > cause.tally.level or not is_told(cause.tally):
            return None
        thrown, said = _thrown(reading)
        return cause.tally if thrown is not None and thrown.is_like(cause.thrown) and said == cause.said else None


def _thrown(reading: Reading) -> tuple[Thrown | None, str]:
    """The exception of a record, the innermost frames of it, and what it says, if there is one."""
    if reading.error is not None:
        traces = reading.error.traces[-COMPARED_FRAMES:]
        codes = [(one.tb_frame.f_code, str(one.tb_lineno)) for one in traces]
        frames = _once((code.co_filename, line, code.co_name) for code, line in codes)
        return Thrown(reading.error.type, frames), _first_line(reading.error.text)
    if reading.is_plain:
        return None, ""
    text = reading.record.exc_text
    _, shape, end = outline(text if type(text) is str else reading.message)
    if not shape:
        return None, ""
    return Thrown(str(shape[0]), _once(shape[1:])), _first_line(end.partition(":")[2])


def _first_line(text: str) -> str:
    return text.partition("\n")[0].strip()[:_SAID_CHARACTERS]


def _once(frames: Iterable[Hashable]) -> tuple[Hashable, ...]:
    """Frames without those that are like the one before: of a recursion a text shows but some."""
    return tuple(frame for frame, _ in itertools.groupby(frames))
