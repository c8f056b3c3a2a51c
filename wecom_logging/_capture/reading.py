"""`Reading`: a record while it is taken. Its values are copied, and its user code is run at most once."""

from __future__ import annotations

import logging
import operator
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._config import LARGEST
from .._render.words import ARGUMENTS_DO_NOT_FIT
from .._text import inert
from .._text.cut import CAP_BYTES, size
from .exceptions import Chain, chain_of
from .extra import extra_of, mention_of, recipients_of
from .texts import MOST_S, instant, name_of, text_of, whole

if TYPE_CHECKING:
    from ..model import Recipients

_ALERT_BYTES = 256 * 1024
_LINE_BYTES = 64
_LEAST_BYTES = 192
SMALL = 1024
_NOTHING: Mapping[str, Any] = MappingProxyType({})
VALUES = operator.attrgetter(
    *("levelno", "levelname", "name", "created", "process", "processName"),
    *("threadName", "pathname", "lineno", "funcName", "module", "msg"),
)

_PLAIN = (int, str, str, float, int, str, str, str, int, str, str, str)
"""The types of these values in almost all records. Some from elsewhere hold anything."""

Values = tuple[int, str, str, float, int | None, str, str, str, int, str, str, str]


class Reading:
    """A record while it is taken: its values, copied, and what runs user code, which is asked for once."""

    recipients: Recipients | None = None
    mention: tuple[str, ...] | None = None
    _message: str | None = None
    _room: _Room | None = None

    def __init__(self, record: logging.LogRecord) -> None:
        self.record = record
        self.values = values = VALUES(record)
        self.is_plain = is_plain(values)
        if not self.is_plain:
            self.values = _made_plain(values)
        given = getattr(record, "wecom", None)
        self.extra = extra = _NOTHING if given is None else extra_of(given)
        if extra:
            self.recipients, self.mention = recipients_of(extra), mention_of(extra)

    def message(self) -> str:
        """The message with its arguments, at most 64 KiB."""
        if self._message is None:
            self._message = message_of(self.record)
        return self._message

    def chain(self, error: BaseException | None) -> Chain:
        """As `chain_of`, which may have to go a long way, once."""
        chains: dict[int, Chain] = self.__dict__.setdefault("_chains", {})
        if (found := chains.get(id(error))) is None:
            found = chains[id(error)] = chain_of(error)
        return found

    def said(self, error: BaseException) -> str:
        """The text of an exception, which is asked for once."""
        texts = self.__dict__.setdefault("_said", {})
        if (text := texts.get(id(error))) is None:
            text = texts[id(error)] = text_of(error)
        return str(text)

    def heard(self, error: BaseException, text: str) -> None:
        """What an exception says was asked for already."""
        self.__dict__.setdefault("_said", {})[id(error)] = text

    def text(self, value: object) -> str:
        """A value as a capped string; all of an alert's texts together, the message among them, have a bound too."""
        if self._room is None:
            self._room = _Room()
            self._room.text(self.message())
        return self._room.text(value)


class _Room:
    """How much text one alert may still take: many long texts, or texts of many lines, cost the worker too much."""

    def __init__(self) -> None:
        self._left = _ALERT_BYTES

    def text(self, value: object) -> str:
        """A value as an exact string that is capped to what there is room for."""
        text = text_of(value, min(max(self._left, _LEAST_BYTES), CAP_BYTES))
        self._left -= len(text) if text.isascii() else size(text)
        self._left -= _LINE_BYTES * min(len(text.splitlines()), inert.MAX_LINES)
        return text


def is_plain(values: tuple[Any, ...]) -> bool:
    """Whether they are of the types that almost all records have, and no number among them is huge."""
    if tuple(map(type, values)) != _PLAIN:
        return False
    level, created, process, line = values[0], values[3], values[4], values[8]
    found: bool = -LARGEST < level < LARGEST and -LARGEST < process < LARGEST and -LARGEST < line < LARGEST
    return found and -MOST_S < created < MOST_S


def _made_plain(values: tuple[Any, ...]) -> Values:
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


def message_of(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
        return message if type(message) is str and len(message) <= SMALL else text_of(message)
    except Exception as error:
        text = text_of(record.msg)
        return f"{text} {ARGUMENTS_DO_NOT_FIT.en % name_of(type(error))}" if record.args else text


CAUGHT = "Caught exception in "
"""So paho-mqtt begins to say what a callback has raised, before it raises it again: with the exception as a text."""


def _caught(record: logging.LogRecord) -> object:
    msg, args = record.msg, record.args
    return args[-1] if type(msg) is str and msg.startswith(CAUGHT) and type(args) is tuple and args else None


def exception_of(record: logging.LogRecord) -> BaseException | None:
    """The exception that a record is about, however it holds it."""
    info: Any = record.exc_info or _caught(record)
    error = info[1] if issubclass(type(info), tuple) and len(info) == 3 else info
    return error if isinstance(error, BaseException) else None
