"""For decorators, hooks and integrations: `record_of` makes a record of an exception, `Teller` gives it to handlers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ._lines import line
from ._render.source import is_own
from ._render.words import ITS_TEXT_FAILED, NOT_FOUND_OUT
from ._runtime.warn import warn_once
from ._text.said import Phrase
from .errors import ConfigurationError
from .handlers import handler_named, live_handlers, were_closed


@dataclass(frozen=True, slots=True)
class Teller:
    """Gives records to a handler (or to that of its name, looked up when needed), or else to every live one of ours.

    ``who`` says on whose behalf, ``what`` is told. Raises `ConfigurationError`; telling raises no `Exception`.
    """

    handler: logging.Handler | str | None
    who: str
    what: str = "the exception"

    def __post_init__(self) -> None:
        is_name = isinstance(self.handler, str) and self.handler and "://" not in self.handler  # a URL has a bot's key
        if not (self.handler is None or is_name or isinstance(self.handler, logging.Handler)):
            raise ConfigurationError("handler", "not_a_handler")

    def tell(
        self, record: logging.LogRecord, *, but: Iterable[logging.Handler] = (), whatever_level: bool = False
    ) -> None:
        """Hand a record to those whose level it has, but for some who have it already."""
        try:
            for handler in self.handlers():
                if (whatever_level or record.levelno >= handler.level) and handler not in but:
                    handler.handle(record)
        except Exception as failure:  # telling must never get in the way of what it tells
            warn_once("notify", f"{self.who}: {line('not_told', error=type(failure).__name__)}")

    def handlers(self) -> list[logging.Handler]:
        """To whom records go now; said on stderr if there is none."""
        found = self.found()
        if not found:
            warn_once("notify", line("not_sent", who=self.who, why=self._missing(), what=self.what))
        return found

    def at_start(self) -> Teller:
        """Say on stderr, while a person still looks there, if there is no handler for records now."""
        if not self.found():
            why = self._missing("_so_far")
            warn_once(f"start {self.who}", line("not_sent_yet", who=self.who, why=why))
        return self

    def found(self) -> list[logging.Handler]:
        if isinstance(self.handler, logging.Handler):
            return [self.handler]
        if self.handler is None:
            return [*live_handlers()]
        named = handler_named(self.handler)
        return [] if named is None else [named]

    def _missing(self, when: str = "") -> str:
        if self.handler:
            from ._masking.redact import redact  # loaded where a handler is, and only then

            return line(f"no_handler_named{when}", name=redact(str(self.handler)))
        return line("all_closed" if were_closed else f"no_handler{when}")


def record_of(
    error: BaseException,
    message: Phrase,
    *names: object,
    level: int = logging.ERROR,
    logger: str = "",
    name: str = "",
    place: TracebackType | None = None,
    title: str | None = None,
    fields: Mapping[str, object] | None = None,
    ours: Iterable[str] | None = None,
) -> logging.LogRecord:
    """A record of an exception, made at ``place`` of its traceback (where it was raised), in the function ``name``.

    The ``message`` says what failed, by ``names``, and the exception by its own name and text. Without a ``logger`` it
    has the name of the module at ``place``, or of the program's own that is nearest to where the exception was raised:
    a library's says little of a program that ends.
    ``ours``: names of fields that are words of this package, all of them unless said otherwise.
    """
    speaks = place or innermost(error, own=True)
    place = place or innermost(error)
    frame = place.tb_frame if place is not None else None
    record = logging.LogRecord(
        logger or _module(speaks or place),
        level,
        frame.f_code.co_filename if frame else "",
        place.tb_lineno if place is not None else 0,
        message.en,
        (*names, *name_and_text(error)),
        (type(error), error, error.__traceback__),
        func=name or (frame.f_code.co_qualname if frame else "?"),
    )
    extra: dict[str, Any] = {}
    if title:
        extra["title"] = title
    if fields:
        extra["fields"] = dict(fields)
    if extra:
        record.wecom = extra
    in_our_words(record, message, (fields or ()) if ours is None else ours)
    return record


def record_saying(
    message: Phrase,
    *args: object,
    logger: str,
    fields: Mapping[str, object],
    level: int = logging.ERROR,
    path: str = "",
) -> logging.LogRecord:
    """A record of no exception; its ``path`` is what it is about."""
    record = logging.LogRecord(logger, level, path, 0, message.en, args, None)
    record.wecom = {"fields": fields}
    in_our_words(record, message, fields)
    return record


def in_our_words(record: logging.LogRecord, message: Phrase, fields: Iterable[str] = ()) -> None:
    """A record that says ``message``, in English: who sends it may have another language. So may names of fields."""
    record.wecom_words = (message.en, *fields)


def innermost(error: BaseException, *, own: bool = False) -> TracebackType | None:
    """Where an exception was raised, not where it was caught; ``own``: as far as the program's own code goes."""
    place, found = error.__traceback__, None
    while place is not None:
        code = place.tb_frame.f_code
        if not own or is_own(code.co_filename, code.co_qualname):
            found = place
        place = place.tb_next
    return found


def _module(place: TracebackType | None) -> str:
    name = str(place.tb_frame.f_globals.get("__name__", "")) if place is not None else ""
    return "__main__" if name == "__mp_main__" else name  # as multiprocessing names it in a child


def name_and_text(error: BaseException) -> tuple[str, str]:
    """The name of an exception's class, whatever its metaclass makes of it, and what it says.

    An ExceptionGroup says of those inside only how many they are: the first of them is named, too.
    """
    said = text_of(error)
    if issubclass(type(error), BaseExceptionGroup):
        inner: BaseException = error
        while issubclass(type(inner), BaseExceptionGroup):
            inner = _INSIDE.__get__(inner)[0]
        said = f"{said}: {_name(inner)}: {text_of(inner)}"
    return _name(error), said


def _name(error: BaseException) -> str:
    name: str = type.__dict__["__name__"].__get__(type(error))
    return name


_INSIDE = BaseExceptionGroup.__dict__["exceptions"]  # whatever a subclass has in its place


def text_of(value: object) -> str:
    """A value's text, whatever its own ``__str__`` does."""
    try:
        return str(value)
    except Exception as failure:
        return ITS_TEXT_FAILED.en % type(failure).__name__


def asked_of(ask: Callable[..., object], *args: object) -> object:
    """What a function of the program or of a framework gives; if it fails, that it does: the alert is worth more."""
    try:
        return ask(*args)
    except Exception as failure:
        return NOT_FOUND_OUT.en % type(failure).__name__


def handlers_of(record: logging.LogRecord) -> list[logging.Handler]:
    """All handlers that get what was just logged, found without logging's lock, which a ``dictConfig`` may hold."""
    found: list[logging.Handler] = []
    logger = logging.root.manager.loggerDict.get(record.name, logging.root)
    at: logging.Logger | None = logger if isinstance(logger, logging.Logger) else logging.root
    while at is not None:
        found += at.handlers
        at = at.parent if at.propagate else None
    return found
