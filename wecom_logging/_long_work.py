"""`progress`: messages that long work goes on, how it ended, and how far it came."""

from __future__ import annotations

import contextlib
import io
import logging
import operator
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import Token
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar, overload

from . import _config as config
from ._capture.context import context
from ._lines import line
from ._render import words
from ._render.times import lasting_short, local_time, spark
from ._runtime import clock
from ._runtime.warn import warn_once
from ._telling import Teller, in_our_words, record_of
from ._text.said import Phrase
from .model.captured import JPG, MAX_BOT_IMAGE_BYTES, PNG

T = TypeVar("T")
Fields = Callable[[], Mapping[str, object]]
_BARS = 16


@dataclass(eq=False, repr=False)
class Progress(Generic[T]):
    """Work that goes on in steps; what `progress` returns.

    Call it at each step, with what is worth telling: ``step()``, ``step(64)``, ``step(loss=0.12)``. ``done`` is how
    many there were. ``attach`` is a picture for the last message: the bytes of a PNG or JPG, its path, or an object
    with ``savefig``, such as a figure of matplotlib.
    """

    _items: Iterable[T] | None
    _title: str
    _place: tuple[str, str, int, str]
    _every_s: float
    _total: int | None
    _start: bool
    _teller: Teller
    attach: object

    def __post_init__(self) -> None:
        self.done: int = 0
        self._values: dict[str, object] = {}
        self._began: float | None = None
        self._ended: float | None = None
        self._telling = [None]  # the thread that takes it out counts spans and tells; several threads may step
        self._token: Token[Fields | None] | None = None
        self._around: Fields | None = None

    def __call__(self, number: int = 1, /, **values: object) -> None:
        """So many steps are done; ``values`` are shown until others of their names come."""
        number = int(number)
        self.done += number  # with no call in between, or a step of another thread could be lost
        if values:
            self._values.update(values)
        now = clock.now()
        if now >= self._rates.ends or now >= self._due:
            self._go_on(now, self.done - number)

    def __enter__(self) -> Progress[T]:
        """Begin: what is logged from now on in this context says how far the work has come."""
        self._begin()
        self._around = context.get()
        self._token = context.set(self._fields_for_others)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            with contextlib.suppress(ValueError):  # it ends in another context than it began
                context.reset(self._token)
        self._end(error)

    def __iter__(self) -> Iterator[T]:
        """The items, each a step once the next one is asked for. Without ``with`` it also begins and ends."""
        if self._items is None:
            raise TypeError(f"progress({self._title!r}) has no items; give them: progress(items, {self._title!r})")
        if self._began is not None:
            yield from self._stepping(self._items)
            return
        self._begin()
        try:
            yield from self._stepping(self._items)
        except BaseException as error:
            self._end(error)
            raise
        self._end(None)

    def _stepping(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            yield item
            self()

    def _begin(self) -> None:
        if self._began is not None:
            raise RuntimeError(f"progress({self._title!r}) has begun already; make a new one for each run")
        now = self._began = clock.now()
        self._rates = _Rates(now)
        self._due = now + self._every_s
        if self._start:
            steps = {} if self._total is None else {"steps": self._total}
            self._tell(words.STARTED, (self._title,), steps)

    def _go_on(self, now: float, before: int) -> None:
        try:
            self._telling.pop()
        except IndexError:  # another thread is at it
            return
        try:
            if now >= self._rates.ends:
                self._rates.roll(now, before)
            if now >= self._due and self._ended is None:
                self._due = now + self._every_s
                self._tell(words.STILL_RUNNING, (self._title, self._so_far(now)), self._facts(now))
        finally:
            self._telling.append(None)

    def _end(self, error: BaseException | None) -> None:
        now = self._ended = clock.now()
        so_far, facts, picture = self._so_far(now), self._facts(now), _picture(self.attach, self._title)
        if error is None:
            self._tell(words.DONE, (self._title, so_far), facts, picture=picture)
        elif isinstance(error, Exception):
            self._fail(error, so_far, facts, picture)
        else:
            left = isinstance(error, GeneratorExit)
            args = (self._title, so_far) if left else (self._title, type(error).__name__, so_far)
            self._tell(words.LEFT_EARLY if left else words.STOPPED, args, facts, level=logging.WARNING, picture=picture)

    def _tell(
        self,
        message: Phrase,
        args: tuple[object, ...],
        fields: Mapping[str, object],
        *,
        level: int = logging.INFO,
        picture: bytes = b"",
    ) -> None:
        """A message of its own: no two of them are the same, so that none is only counted."""
        logger, path, line, function = self._place
        record = logging.LogRecord(logger, level, path, line, message.en, args, None, func=function)
        mark = f"progress {self._title} {os.urandom(8).hex()}"
        record.wecom = {"fingerprint": mark, "fields": dict(fields)}
        in_our_words(record, message, fields.keys() - self._values.keys())
        self._hand_over(record, picture)

    def _fail(self, error: Exception, so_far: str, fields: Mapping[str, object], picture: bytes) -> None:
        place = error.__traceback__
        while place is not None and place.tb_next is not None and place.tb_frame.f_code.co_filename == __file__:
            place = place.tb_next
        record = record_of(
            error,
            words.WORK_FAILED,
            self._title,
            so_far,
            logger=self._place[0],
            place=place,
            fields=fields,
            ours=fields.keys() - self._values.keys(),
        )
        self._hand_over(record, picture)

    def _hand_over(self, record: logging.LogRecord, picture: bytes) -> None:
        if picture:
            record.wecom = {**getattr(record, "wecom", {}), "attach": picture}
        token = context.set(self._around if self._token is not None else context.get())
        try:
            self._teller.tell(record, whatever_level=True)
        finally:
            context.reset(token)

    def _fields_for_others(self) -> Mapping[str, object]:
        """What an alert says that is made meanwhile."""
        around = self._around() if self._around is not None else {}
        return {**around, self._title: self._so_far(clock.now())}

    def _so_far(self, now: float) -> str:
        """``17 of 100 (17 %) in 3 h``"""
        took = lasting_short(now - (self._began or 0.0), "en")
        if self._total:
            return words.SO_FAR_OF.en.format(self.done, self._total, 100 * self.done // self._total, span=took)
        return words.SO_FAR.en.format(self.done, span=took) if self.done else took

    def _facts(self, now: float) -> dict[str, object]:
        passed = now - (self._began or 0.0)
        facts: dict[str, object] = {}
        if self.done and passed >= 1:
            bars = f" {spark(self._rates.bars(self.done))}".rstrip()
            facts["rate"] = _rate(self.done / passed, bars)
        if self._total and self._ended is None and 0 < self.done < self._total:
            left = passed / self.done * (self._total - self.done)
            end = f"{local_time(time.time() + left, config.reader_if_right()):%m-%d %H:%M}"
            facts["left"] = words.LEFT.en.format(span=lasting_short(left, "en"), time=end)
        return {**facts, **self._values}


class _Rates:
    """How much was done in equal spans of time, at most sixteen of them: where there are more, two become one."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._width = 1.0
        self._counts = [0]
        self._before = 0
        self.ends = now + self._width

    def roll(self, now: float, done: int) -> None:
        """A span has ended, in which this much was done in all."""
        self._counts[-1] += done - self._before
        self._before = done
        while now - self._began >= _BARS * self._width:
            if len(self._counts) % 2:
                self._counts.append(0)
            self._counts = [sum(pair) for pair in zip(self._counts[::2], self._counts[1::2], strict=True)]
            self._width *= 2
        span = int((now - self._began) / self._width)
        self._counts += [0] * (span + 1 - len(self._counts))
        self.ends = self._began + (span + 1) * self._width

    def bars(self, done: int) -> list[int]:
        """The spans, without the last one, which is not over, where there are enough."""
        counts = [*self._counts[:-1], self._counts[-1] + done - self._before]
        return counts[:-1] if len(counts) > 3 else counts


def _rate(each_second: float, bars: str) -> str:
    for seconds, unit in ((1, words.A_SECOND), (60, words.A_MINUTE)):
        if each_second * seconds >= 1:
            return unit.en.format(f"{each_second * seconds:.3g}", rest=bars)
    return words.AN_HOUR.en.format(f"{each_second * 3600:.3g}", rest=bars)


def _picture(value: object, title: str) -> bytes:
    """Its bytes; where they cannot be had, one line on stderr."""
    if value is None:
        return b""
    try:
        found = _bytes_of(value)
    except Exception as error:
        warn_once("attach", line("no_picture", title=title, error=type(error).__name__))
        return b""
    if not found.startswith((PNG, JPG)) or len(found) > MAX_BOT_IMAGE_BYTES:
        warn_once("attach", line("big_picture", title=title))
        return b""
    return found


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if hasattr(value, "savefig"):
        made = io.BytesIO()
        value.savefig(made, format="png")
        return made.getvalue()
    if not stat.S_ISREG(os.stat(value).st_mode):  # a pipe may never end
        raise OSError("it is no file")
    with open(value, "rb") as file:
        return file.read(MAX_BOT_IMAGE_BYTES + 1)


def _length(items: object) -> int | None:
    try:
        return operator.length_hint(items) or None
    except Exception:  # the loop itself will tell what is wrong
        return None


def _every(every: object) -> float:
    return float("inf") if every is None else config.duration("every", every, least=1)


@overload
def progress(
    title: str,
    /,
    *,
    every: str | None = "30m",
    total: int | None = None,
    start: bool = False,
    handler: logging.Handler | str | None = None,
    attach: object = None,
) -> Progress[Any]: ...
@overload
def progress(
    items: Iterable[T],
    title: str,
    /,
    *,
    every: str | None = "30m",
    total: int | None = None,
    start: bool = False,
    handler: logging.Handler | str | None = None,
    attach: object = None,
) -> Progress[T]: ...
def progress(
    items: Any,
    title: str | None = None,
    /,
    *,
    every: str | None = "30m",
    total: int | None = None,
    start: bool = False,
    handler: logging.Handler | str | None = None,
    attach: object = None,
) -> Progress[Any]:
    """Send messages about long work: ``with progress("training") as step:``, and a call of ``step`` for each step.

    Also ``for item in progress(items, "training"):``, where every item is a step. The last message has the time and
    the rate. At most one message comes in each period of ``every`` (``"90s"``, ``"30m"``, ``"2h"``; None
    for none), with the estimated end where the length is known (``total``, or that of the items; 0 is nothing to do).
    ``start`` sends one more at the start. The work looks at the clock when it steps: without a step, no message.

    An exception is one alert, at ERROR, that says how far the work had come, and is raised again. A ``for`` loop alone
    does not see the exceptions of its body: Python does not show them to what is looped over. It only sends a WARNING
    that it was left. ``with progress(items, "training") as steps: for item in steps:`` sees them. SIGKILL, and SIGTERM
    without a handler that raises, send nothing. Records that are logged inside ``with`` say how far the work has come.

    The messages go to ``handler`` (a handler or its name; without it every live WeCom handler), whatever its level;
    its filters apply. ``attach`` is a picture that follows the last message: the bytes of a PNG or JPG (at most
    2 MiB), its path, or an object with ``savefig``; nothing in it is masked. Raises `ConfigurationError`.
    """
    only_title = title is None and isinstance(items, str)
    name = config.text("title", items if only_title else title, remedy='Give progress(items, "what is done")')
    frame = sys._getframe(1)
    place = (
        str(frame.f_globals.get("__name__", "")),
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_code.co_qualname,
    )
    if total is None:
        length = None if only_title else _length(items)
    else:
        length = config.whole("total", total, least=0) or None
    teller = Teller(handler, "progress", "it")
    return Progress(None if only_title else items, name, place, _every(every), length, start, teller, attach)
