"""What makes two records the same, in the calling thread and within this process. Across processes: `fingerprint`."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Hashable
from types import CodeType

from .._incidents.fingerprint import ends, without_what_changes
from .._render.traceback_text import outline
from .snapshot import INSIDE, MAX_MEMBERS, TRACE, Reading

MAX_FRAMES = 32
_MAX_OWN = 256

Spot = tuple[Hashable, ...]
"""Where a record comes from: logger, level, call site, recipients and mention, exception and the way that it took."""

NO_TEMPLATE = object()


def spot_of(reading: Reading, error: BaseException | None, pid: int) -> Spot:
    """Where a record comes from. Of one of this process that has nothing special it is what `AlertHandler.handle` looks
    for. This process is in it: no child that was forked without hooks finds a parent's group. A record's own is not:
    short-lived processes may all send theirs here, by a queue or a socket.
    """
    record = reading.record
    if reading.is_plain and record.exc_info is None is record.exc_text:
        spot: Spot = (record.lineno, record.levelno, record.name, record.pathname, pid, None, None)
    else:
        level, _, logger, _, _, _, _, path, line, *_ = reading.values
        spot = (line, level, logger, path, pid, path_of(error), trace_text(record) if error is None else None)
    if reading.recipients is None and reading.mention is None:
        return spot
    return (*spot, reading.recipients, reading.mention)


def bounded(fingerprint: str) -> str:
    """A user's fingerprint, of any length, as a short and exact string."""
    text = str.__str__(fingerprint)
    return text if len(text) <= _MAX_OWN else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def path_of(error: BaseException | None, depth: int = 0) -> Hashable:
    """The type of an exception, and the lines that it passed: the innermost 32. Types and code objects by id: what a
    metaclass says about their equality is none of it. No instructions: they have other places once they are fast.

    Of an ExceptionGroup also the paths of those inside it, in whatever order and number: its own says little.
    """
    if error is None:
        return None
    passed: list[int] = []
    trace = TRACE.__get__(error)
    while trace is not None:
        passed.append(id(trace.tb_frame.f_code))
        passed.append(trace.tb_lineno)
        trace = trace.tb_next
    path = (id(type(error)), *passed[-2 * MAX_FRAMES :])
    members = _members(error, depth)
    return (*path, frozenset(path_of(member, depth + 1) for member in members)) if members else path


def _members(error: BaseException, depth: int) -> tuple[BaseException, ...]:
    """The exceptions inside an ExceptionGroup, as many as are shown."""
    if not issubclass(type(error), BaseExceptionGroup) or depth >= len(MAX_MEMBERS):
        return ()
    inside: tuple[BaseException, ...] = INSIDE.__get__(error)
    return inside[: MAX_MEMBERS[depth]]


def trace_text(record: logging.LogRecord) -> Hashable:
    """A traceback that another library has made into text: its exception and frames, or it without what changes."""
    text = record.exc_text
    return (outline(text)[1] or pattern_of(text)) if type(text) is str else None


def codes_of(error: BaseException | None, depth: int = 0) -> tuple[CodeType | type, ...]:
    """The types and code objects of a path, which must live as long as their ids are remembered."""
    if error is None:
        return ()
    codes: deque[CodeType] = deque(maxlen=MAX_FRAMES)
    trace = TRACE.__get__(error)
    while trace is not None:
        codes.append(trace.tb_frame.f_code)
        trace = trace.tb_next
    return (type(error), *codes, *(code for member in _members(error, depth) for code in codes_of(member, depth + 1)))


def pattern_of(text: str) -> str:
    """A text without what changes from one failure to the next: as much of it as is compared."""
    return without_what_changes(ends(text))
