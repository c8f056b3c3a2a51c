"""What makes two records the same, in the calling thread and within this process. Across processes: `fingerprint`."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Hashable
from types import CodeType

from .capture import TRACE
from .fingerprint import ends, has_own_word, without_what_changes

MAX_FRAMES = 32
_MAX_OWN = 256

Spot = tuple[Hashable, ...]
"""Where a record comes from: logger, level, call site, recipients and mention, exception and the way that it took."""

NO_TEMPLATE, BY_FINGERPRINT = object(), object()


def constant_of(record: logging.LogRecord) -> tuple[Hashable, ...]:
    """What is equal for all records of one call that logs a constant, with whatever arguments, and no exception.

    Its process, too: in a child that was forked without hooks no record finds a group of the parent.
    """
    return (
        *(record.msg, record.lineno, record.levelno, record.name, record.pathname),
        *(record.process, record.exc_info, record.exc_text),
    )


def bounded(fingerprint: str) -> str:
    """A user's fingerprint, of any length, as a short and exact string."""
    text = str.__str__(fingerprint)
    return text if len(text) <= _MAX_OWN else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def path_of(error: BaseException) -> tuple[Hashable, ...]:
    """The type of an exception, and the instructions that it passed: the innermost 32, each code object by its id."""
    passed: list[int] = []
    trace = TRACE.__get__(error)
    while trace is not None:
        passed.append(id(trace.tb_frame.f_code))
        passed.append(trace.tb_lasti)
        trace = trace.tb_next
    return (type(error), *passed[-2 * MAX_FRAMES :])


def trace_text(record: logging.LogRecord) -> str | None:
    """A traceback that somebody else has made into text, without what changes."""
    text = record.exc_text
    return pattern_of(text) if type(text) is str else None


def codes_of(error: BaseException | None) -> tuple[CodeType, ...]:
    """The code objects of a path, which must live as long as their ids are remembered."""
    codes: deque[CodeType] = deque(maxlen=MAX_FRAMES)
    trace = TRACE.__get__(error) if error is not None else None
    while trace is not None:
        codes.append(trace.tb_frame.f_code)
        trace = trace.tb_next
    return tuple(codes)


def template_of(msg: object) -> object:
    """The template of a record, if that says something of its own, else `NO_TEMPLATE`."""
    return msg if type(msg) is str and has_own_word(msg) else NO_TEMPLATE


def pattern_of(text: str) -> str:
    """A text without what changes from one failure to the next: the first and the last 256 characters of it."""
    return without_what_changes(ends(text))
