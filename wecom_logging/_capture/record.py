"""`Reading`: a record while it is taken. Its values are copied, and what runs code of the user is asked for once."""

from __future__ import annotations

import contextvars
import itertools
import logging
import operator
import sys
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _config as config
from .._config import LARGEST
from .._lines import line
from .._render.traceback_text import is_text
from .._render.words import ARGUMENTS_DO_NOT_FIT
from .._runtime.warn import warn_once
from .._text import inert
from .._text.cut import CAP_BYTES, size
from ..errors import ConfigurationError
from ..model.captured import JPG, MAX_BOT_IMAGE_BYTES, PNG
from .exceptions import Raised
from .texts import MOST_S, instant, name_of, once, text_of, whole

if TYPE_CHECKING:
    from ..model import Recipients


_T = TypeVar("_T")
_WHO = ("users", "departments", "tags", "leader_of")
_KNOWN_EXTRAS = (*_WHO, "mention", "fingerprint", "title", "fields", "attach")
_MAX_EXTRAS, _SHOWN_EXTRAS = 64, 5
MAX_FIELDS = 32
_ALERT_BYTES = 256 * 1024
_LINE_BYTES = 64
_LEAST_BYTES = 192
SMALL = 1024
_NOTHING: Mapping[str, Any] = MappingProxyType({})
VALUES = operator.attrgetter(
    *("levelno", "levelname", "name", "created", "process", "processName"),
    *("threadName", "pathname", "lineno", "funcName", "module", "msg"),
)

_LEAST, _EARLIEST = -LARGEST, -MOST_S
_USUAL = (int, str, str, float, int, str, str, str, int, str, str, str)
"""The types of these values in almost all records. Some from elsewhere hold anything."""

_reads_text: contextvars.ContextVar[bool] = contextvars.ContextVar("wecom_logging_reads_text", default=False)
"""Whether an exception that is handled is asked for its text: what it logs then is not compared with it."""

Values = tuple[int, str, str, float, int | None, str, str, str, int, str, str, str]


class Reading:
    """A record while it is taken: its values, copied, and what runs user code, which is asked for once.

    ``is_usual``: its values have the types that almost all records have. ``is_plain``: it says no more than its text,
    and has let go of the record, which may change.
    """

    is_plain = False
    has_arguments = False
    error: Raised | None = None
    failure: BaseException | None = None
    """The exception that it is about, also where that stands in it as a text alone."""
    tells_in_words = False
    """Whether it tells what is handled, and is no line of its traceback."""
    extra: Mapping[str, Any] = _NOTHING
    recipients: Recipients | None = None
    mention: tuple[str, ...] | None = None
    _left: int | None = None
    """How much text its alert may still take: many long texts, or texts of many lines, cost the worker too much."""

    def __init__(self, record: logging.LogRecord, error: Raised | None = None, *, is_searched: bool = False) -> None:
        """``error``: its exception, where it was searched for one already."""
        self.record = record
        self.values = values = VALUES(record)
        self.is_usual = is_usual = _are_usual(values)
        if not is_usual:
            self.values = _made_usual(values)
        if record.args:
            self.has_arguments = True
        if (given := getattr(record, "wecom", None)) is not None and (extra := _extra_of(given)):
            self.extra, self.recipients, self.mention = extra, _recipients_of(extra), _mention_of(extra)
        if error is None and not is_searched and (found := exception_of(record)) is not None:
            error = Raised(found)
        if error is not None:
            self.error, self.failure = error, error.error
        elif (handled := sys.exception()) is not None and not _reads_text.get():
            self._read_handled(handled)

    def _read_handled(self, error: BaseException) -> None:
        """Of a record without an exception, the one that this thread handles: it is the record's if that tells it."""
        token = _reads_text.set(True)
        try:
            raised = Raised(error)
            is_piece = raised.has_line(self.message)
            if is_piece or any(one is error for one in named_in(self.record)) or raised.is_told_in(self.message):
                self.failure, self.tells_in_words = error, not is_piece
                if not (self.record.exc_text or is_text(self.message)):
                    self.error = raised
        finally:
            _reads_text.reset(token)

    def let_go(self) -> None:
        """Keep its values and its message, which was asked for, and not the record: it says no more than these."""
        self.is_plain = True
        del self.record

    @once
    def message(self) -> str:
        """The message with its arguments, at most 64 KiB."""
        record = self.record
        try:
            message = record.getMessage()
            return message if type(message) is str and len(message) <= SMALL else text_of(message)
        except Exception as error:
            text = text_of(record.msg)
            return f"{text} {ARGUMENTS_DO_NOT_FIT.en % name_of(type(error))}" if record.args else text

    def raised(self, error: BaseException) -> Raised:
        """An exception that is part of its own, each read once."""
        if self.error is not None and error is self.error.error:
            return self.error
        read: dict[int, Raised] = self.__dict__.setdefault("_read", {})
        if (found := read.get(id(error))) is None:
            found = read[id(error)] = Raised(error)
        return found

    def text(self, value: object) -> str:
        """A value as a capped string; all of an alert's texts together, the message among them, have a bound too."""
        if self._left is None:
            self._left = _ALERT_BYTES
            self.text(self.message)
        text = text_of(value, min(max(self._left, _LEAST_BYTES), CAP_BYTES))
        self._left -= len(text) if text.isascii() else size(text)
        self._left -= _LINE_BYTES * min(len(text.splitlines()), inert.MAX_LINES)
        return text


def _are_usual(values: tuple[Any, ...]) -> bool:
    """Whether they are of the types that almost all records have, and no number among them is huge."""
    if tuple(map(type, values)) != _USUAL:
        return False
    level, created, process, line = values[0], values[3], values[4], values[8]
    found: bool = _LEAST < level < LARGEST and _LEAST < process < LARGEST and _LEAST < line < LARGEST
    return found and _EARLIEST < created < MOST_S


def _made_usual(values: tuple[Any, ...]) -> Values:
    level, level_name, name, created, process, process_name, thread_name, path, line, function, module, msg = values
    return (
        whole(level, logging.ERROR),
        text_of(level_name),
        text_of(name),
        instant(created, time.time()),
        whole(process, None),
        text_of(process_name or ""),
        text_of(thread_name or ""),
        text_of(path),
        whole(line, 0),
        text_of(function or ""),
        text_of(module),
        msg if type(msg) is str else "",
    )


def exception_of(record: logging.LogRecord) -> BaseException | None:
    """The exception that a record holds: as itself, with its type and traceback, or as an argument."""
    info: Any = record.exc_info
    if not info:
        return None
    error = info[1] if issubclass(type(info), tuple) and len(info) == 3 else info
    return error if isinstance(error, BaseException) else None


def named_in(record: logging.LogRecord) -> list[BaseException]:
    """Exceptions that a record names in its text: `log.error("sync failed: %s", error)`."""
    msg, args = record.msg, record.args
    named: tuple[Any, ...] = (msg, *args) if type(args) is tuple else (msg,)
    return [one for one in named if issubclass(type(one), BaseException)]


# What the user gives with one record, as ``extra={"wecom": …}``, checked: a mistake is a line on stderr.


def _extra_of(extra: object) -> Mapping[str, Any]:
    """What of it has a name that is known."""
    if not isinstance(extra, Mapping):
        warn_once("extra", line("extra_type", type=name_of(type(extra))))
        return {}
    try:
        names = list(itertools.islice(extra, _MAX_EXTRAS))  # it may be endless
        known = {name: extra[name] for name in names if type(name) is str and name in _KNOWN_EXTRAS}
        if len(known) == len(names):
            return known
        from .._masking.redact import redact  # much, for a mistake

        strange = [name for name in names if name not in known][:_SHOWN_EXTRAS]
        unknown = [redact(text_of(name, 200))[:40] for name in strange]
    except Exception as error:
        warn_once("extra", line("extra_unreadable", error=name_of(type(error))))
        return {}
    warn_once("extra", line("extra_unknown", names=unknown, known=", ".join(_KNOWN_EXTRAS)))
    return known


def _recipients_of(extra: Mapping[str, Any]) -> Recipients | None:
    """Who gets it; None: no recipient is named, or not rightly."""
    given = [extra.get(name) for name in _WHO]
    if all(value is None for value in given):
        return None
    return _checked(
        lambda: config.recipients(*(() if value is None else value for value in given)),
        None,
        "extra_recipients",
    )


def _mention_of(extra: Mapping[str, Any]) -> tuple[str, ...] | None:
    """None: what the handler is configured to mention; an empty list: no member."""
    given = extra.get("mention")
    if given is None:
        return None
    return _checked(lambda: config.ids("mention", given), None, "extra_mention")


def fields_of(value: object, text: Callable[[object], str]) -> tuple[tuple[str, str], ...]:
    """Names and values as ``text`` makes them."""
    if not isinstance(value, Mapping):
        return () if value is None else (("fields", text(value)),)
    return _checked(
        lambda: tuple((text(name), text(item)) for name, item in itertools.islice(value.items(), MAX_FIELDS)),
        (),
        "extra_fields",
    )


def picture_of(value: object) -> bytes:
    """The bytes of a JPG or PNG that both an app and a bot can send."""
    if value is None:
        return b""
    if type(value) is not bytes or not value.startswith((JPG, PNG)) or len(value) > MAX_BOT_IMAGE_BYTES:
        warn_once("attach", line("bad_picture"))
        return b""
    return value


def _checked(make: Callable[[], _T], otherwise: _T, row: str) -> _T:
    """What ``make`` makes of something in ``extra``, or one line on stderr."""
    try:
        return make()
    except Exception as error:  # a configuration error, or what a strange list does when it is read
        why = str(error) if isinstance(error, ConfigurationError) else name_of(type(error))
        warn_once("extra", line(row, why=why))
        return otherwise
