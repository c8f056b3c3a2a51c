"""Step 3, in the calling thread: from a `LogRecord` to an immutable `Alert`, before arguments and traceback change.

User code runs here (``__str__`` of arguments and exceptions, the user's formatter): with no lock held, each at most
once, and whatever it raises becomes part of the text.
"""

from __future__ import annotations

import logging
import os
import random
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from .. import config
from ..errors import ConfigurationError
from ..model import Alert, Failure, Frame, Recipients
from ..render.cut import cap
from .complaints import complain

DECORATORS_FILE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "decorators.py")
"""Its frames stand between a program's own and say nothing."""

_HEAD_FRAMES = 16
_TAIL_FRAMES = 48
_MAX_CHAIN = 10
_MAX_MEMBERS = 8
_MAX_DEPTH = 4
_MAX_FIELDS = 32
_KNOWN_EXTRAS = ("users", "departments", "tags", "mention", "fingerprint", "title", "fields")


@dataclass(frozen=True, slots=True)
class Origin:
    """What all alerts of a handler have in common."""

    service: str = ""
    environment: str = ""


def capture(record: logging.LogRecord, origin: Origin, formatter: logging.Formatter | None = None) -> Alert:
    """Everything that a message about ``record`` needs, each text at most 64 KiB. Never raises an `Exception`."""
    extra = _extra(record)
    return Alert(
        id=f"{random.getrandbits(32):08x}",
        level=record.levelno,
        level_name=_text(record.levelname),
        logger=_text(record.name),
        message=_message(record),
        template=_text(record.msg) if type(record.msg) is str else "",
        time=record.created,
        host=hostname(),
        process=record.process,
        process_name=_text(record.processName or ""),
        thread_name=_text(record.threadName or ""),
        place=Frame(_text(record.pathname), record.lineno, _text(record.funcName or "")),
        module=_text(record.module),
        service=origin.service,
        environment=origin.environment,
        title=_text(extra.get("title", "")),
        fields=_fields(extra.get("fields")),
        stack=_text(record.stack_info or ""),
        failures=failures(_exception(record)) or _failure_from_text(record),
        formatted=_formatted(record, formatter),
        fingerprint=_text(extra.get("fingerprint", "")),
        recipients=_recipients(extra),
        mention=_mention(extra),
    )


def hostname() -> str:
    """This machine's name."""
    global _hostname
    if not _hostname:
        _hostname = socket.gethostname() or "?"
    return _hostname


_hostname = ""


def _text(value: object) -> str:
    """A value as an exact, capped string, whatever its own ``__str__`` does."""
    try:
        text = value if type(value) is str else str(value)
        return cap(text if type(text) is str else str.__str__(text))
    except Exception as error:
        return f"(a {type(value).__name__} whose text cannot be made: {type(error).__name__})"


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
        return _text(message)
    except Exception as error:
        return f"{_text(record.msg)} (its arguments do not fit: {type(error).__name__})"


def _formatted(record: logging.LogRecord, formatter: logging.Formatter | None) -> str | None:
    if formatter is None:
        return None
    try:
        made = formatter.format(record)
    except Exception as error:
        complain("formatter", f"the handler's formatter failed with {type(error).__name__}; a plain text is sent")
        return None
    return _text(made)


def _extra(record: logging.LogRecord) -> Mapping[str, Any]:
    extra = getattr(record, "wecom", None)
    if extra is None:
        return {}
    if not isinstance(extra, Mapping):
        complain("extra", f'extra={{"wecom": …}} must be a mapping, not a {type(extra).__name__}; it is left out')
        return {}
    unknown = [str(name)[:40] for name in extra if name not in _KNOWN_EXTRAS]
    if unknown:
        complain("extra", f'extra={{"wecom": …}} has unknown names {unknown}; known: {", ".join(_KNOWN_EXTRAS)}')
    return extra


def _recipients(extra: Mapping[str, Any]) -> Recipients | None:
    given = [extra.get(name) for name in ("users", "departments", "tags")]
    if not any(given):
        return None
    try:
        return config.recipients(*(value or () for value in given))
    except ConfigurationError as error:
        complain("extra", f'extra={{"wecom": …}}: {error}; the handler\'s own recipients are told')
        return None


def _mention(extra: Mapping[str, Any]) -> tuple[str, ...] | None:
    try:
        return config.ids("mention", extra["mention"]) if extra.get("mention") else None
    except ConfigurationError as error:
        complain("extra", f'extra={{"wecom": …}}: {error}; nobody is mentioned')
        return None


def _fields(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        return () if value is None else (("fields", _text(value)),)
    return tuple((_text(name), _text(item)) for name, item in list(value.items())[:_MAX_FIELDS])


def _exception(record: logging.LogRecord) -> BaseException | None:
    info = record.exc_info
    error = info[1] if isinstance(info, tuple) and len(info) == 3 else info
    return error if isinstance(error, BaseException) else None


def _failure_from_text(record: logging.LogRecord) -> tuple[Failure, ...]:
    """A traceback that is text already, as a queue or another process leaves it."""
    return (Failure(type="Traceback", text=_text(record.exc_text)),) if record.exc_text else ()


def failures(error: BaseException | None, depth: int = 0) -> tuple[Failure, ...]:
    """An exception and what led to it, the oldest first; at most ten, each once."""
    chain: list[Failure] = []
    seen: set[int] = set()
    link = ""
    while error is not None and id(error) not in seen and len(chain) < _MAX_CHAIN:
        seen.add(id(error))
        chain.append(_failure(error, link, depth))
        link, error = _earlier(error)
    return tuple(reversed(chain))


def _earlier(error: BaseException) -> tuple[str, BaseException | None]:
    if error.__cause__ is not None:
        return "cause", error.__cause__
    return "context", None if error.__suppress_context__ else error.__context__


def _failure(error: BaseException, link: str, depth: int) -> Failure:
    frames, omitted = _frames(error.__traceback__)
    return Failure(
        type=_type_name(type(error)),
        text=_text(error),
        frames=frames,
        omitted=omitted,
        head=_HEAD_FRAMES,
        notes=_notes(error),
        link=link,
        members=_members(error, depth),
    )


def _type_name(kind: type) -> str:
    """``ValueError``, ``requests.exceptions.ConnectionError``"""
    module = kind.__module__ if type(kind.__module__) is str else ""
    name = _text(kind.__qualname__)
    return name if module in ("builtins", "__main__", "") else _text(f"{module}.{name}")


def _frames(trace: TracebackType | None) -> tuple[tuple[Frame, ...], int]:
    first: list[TracebackType] = []
    last: deque[TracebackType] = deque(maxlen=_TAIL_FRAMES)
    count = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename != DECORATORS_FILE:
            (first if count < _HEAD_FRAMES else last).append(trace)
            count += 1
        trace = trace.tb_next
    kept = [*first, *last]
    return tuple(_frame(trace) for trace in kept), count - len(kept)


def _frame(trace: TracebackType) -> Frame:
    code = trace.tb_frame.f_code
    return Frame(code.co_filename, trace.tb_lineno or 0, code.co_qualname)


def _notes(error: BaseException) -> tuple[str, ...]:
    try:
        notes = getattr(error, "__notes__", ())
        return tuple(_text(note) for note in list(notes)[:_MAX_FIELDS]) if isinstance(notes, list | tuple) else ()
    except Exception:  # a property that raises: the exception itself is still told
        return ()


def _members(error: BaseException, depth: int) -> tuple[tuple[Failure, ...], ...]:
    if not isinstance(error, BaseExceptionGroup) or depth >= _MAX_DEPTH:
        return ()
    return tuple(failures(member, depth + 1) for member in error.exceptions[:_MAX_MEMBERS])
