"""What makes two records the same, in the calling thread and within this process. Across processes: `fingerprint`."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Hashable
from types import CodeType
from typing import Any

from .capture import TRACE, text_of
from .fingerprint import ends, has_own_word, without_what_changes

MAX_FRAMES = 32
_MAX_OWN = 256

Spot = tuple[Hashable, ...]
"""Where a record comes from: logger, level, call site, recipients and mention, exception and the way that it took."""

NO_TEMPLATE, BY_FINGERPRINT = object(), object()


def constant_of(record: logging.LogRecord) -> tuple[Hashable, ...] | None:
    """What is equal for all records of one call that logs a constant, with whatever arguments, and no exception.

    Its process, too: in a child that was forked without hooks no record finds a group of the parent. None for a record
    from elsewhere that has odd values.
    """
    values = (record.msg, record.lineno, record.levelno, record.name, record.pathname)
    if not all(type(value) in (str, int) for value in values):
        return None
    return (*values, record.process, record.exc_info, record.exc_text)


def bounded(fingerprint: str) -> str:
    """A user's fingerprint, of any length, as a short and exact string."""
    text = str.__str__(fingerprint)
    return text if len(text) <= _MAX_OWN else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def spot_of(
    record: logging.LogRecord, level: int, way: Hashable, error: BaseException | None
) -> tuple[Spot, tuple[CodeType, ...]]:
    """Where a record comes from, and what has to be kept alive as long as that is remembered."""
    codes, path = _path(error) if error is not None else ((), ())
    text = record.exc_text if error is None else None  # a traceback that was made into text by somebody else
    shown = pattern_of(text) if type(text) is str else None
    values = (record.lineno, record.name, record.pathname)
    plain = values if all(type(value) in (str, int) for value in values) else tuple(map(text_of, values))
    return (*plain, level, way, path, shown), codes


def _path(error: BaseException) -> tuple[tuple[CodeType, ...], tuple[Hashable, ...]]:
    """The type of an exception with the instructions that it passed, the innermost 32."""
    passed: deque[Any] = deque(maxlen=MAX_FRAMES)
    trace = TRACE.__get__(error)
    while trace is not None:
        passed.append(trace)
        trace = trace.tb_next
    codes = tuple([trace.tb_frame.f_code for trace in passed])
    return codes, (type(error), *map(id, codes), *[trace.tb_lasti for trace in passed])


def template_of(record: logging.LogRecord) -> object:
    """The template of a record, if that says something of its own, else `NO_TEMPLATE`."""
    msg = record.msg
    return msg if type(msg) is str and has_own_word(msg) else NO_TEMPLATE


def pattern_of(text: str) -> str:
    """A text without what changes from one failure to the next: the first and the last 256 characters of it."""
    return without_what_changes(ends(text))
