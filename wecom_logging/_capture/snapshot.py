"""Copies a `LogRecord` in the calling thread, before its arguments and traceback change, and makes an `Alert` of it.

User code runs here (``__str__`` of arguments and exceptions, the user's formatter): with no lock held, each at most
once, and whatever it raises becomes part of the text.
"""

from __future__ import annotations

import itertools
import logging
import math
import operator
import os
import re
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar

from .. import config
from .._render import inert
from .._render.cut import CAP_BYTES, cap, size
from .._render.headline import named
from .._render.redact import redact
from .._render.traceback_text import AS_TEXT, HEAD_FRAMES, MAX_CHAIN, TAIL_FRAMES, outline
from .._render.words import (
    ARGUMENTS_DO_NOT_FIT,
    CHAIN_IS_A_CIRCLE,
    EXCEPTIONS_LEFT_OUT,
    MORE_EXCEPTIONS,
    NO_TEXT_OF,
)
from .._runtime.random_numbers import chance
from .._runtime.warn import warn_once
from ..errors import ConfigurationError
from ..model import Alert, Failure, Frame, Recipients, Sample
from ..model.message import JPG, MAX_BOT_IMAGE_BYTES, PNG
from .carried import passed_by
from .context import fields_of_context
from .identity import Identity
from .templates import own_of, template_frames

_T = TypeVar("_T")

_PACKAGE = os.path.dirname(os.path.dirname(__file__))
BETWEEN = (os.path.join(_PACKAGE, "decorators.py"), os.path.join(_PACKAGE, "integrations", ""))
"""Files whose frames stand between a program's own and say nothing."""

_MAX_MEMBER_CHAIN = 2
_MAX_WALK = 100_000
MAX_MEMBERS = (8, 4, 2, 1)
"""Of an ExceptionGroup, of one inside it, and so on: 64 at the deepest."""
_MAX_FIELDS = 32
_MAX_NAME = 256
_MAX_METHOD = 16
_END_OF_HOST = re.compile(r"[/?#]")
_ALERT_BYTES = 256 * 1024
_LINE_BYTES = 64
_SMALL = 1024
_LEAST_BYTES = 192
_SAMPLE_BYTES = 1024
_WHO = ("users", "departments", "tags", "leader_of")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_MOST_PICTURE = f"at most {MAX_BOT_IMAGE_BYTES >> 20} MiB; it is left out"
_KNOWN_EXTRAS = (*_WHO, "mention", "fingerprint", "title", "fields", "attach")
_MAX_EXTRAS, _SHOWN_EXTRAS = 64, 5


@dataclass(frozen=True, slots=True)
class Origin:
    """What all alerts of a handler have in common."""

    service: str = ""
    environment: str = ""


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


class Reading:
    """A record while it is taken: its values, copied, and what runs user code, which is asked for once."""

    recipients: Recipients | None = None
    mention: tuple[str, ...] | None = None
    _message: str | None = None
    _room: _Room | None = None

    def __init__(self, record: logging.LogRecord) -> None:
        self.record = record
        self.values = values = _VALUES(record)
        self.is_plain = tuple(map(type, values)) == _PLAIN
        if not self.is_plain:
            self.values = _made_plain(values)
        given = getattr(record, "wecom", None)
        self.extra = extra = _NOTHING if given is None else _extra(given)
        if extra:
            self.recipients, self.mention = _recipients(extra), _mention(extra)

    def message(self) -> str:
        """The message with its arguments, at most 64 KiB."""
        if self._message is None:
            self._message = _message(self.record)
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

    def text(self, value: object) -> str:
        """A value as a capped string; all of an alert's texts together, the message among them, have a bound too."""
        if self._room is None:
            self._room = _Room()
            self._room.text(self.message())
        return self._room.text(value)


_VALUES = operator.attrgetter(
    *("levelno", "levelname", "name", "created", "process", "processName"),
    *("threadName", "pathname", "lineno", "funcName", "module", "msg"),
)
_PLAIN = (int, str, str, float, int, str, str, str, int, str, str, str)
"""The types of these values in almost all records. Some from elsewhere hold anything."""

Values = tuple[int, str, str, float, int | None, str, str, str, int, str, str, str]


def _made_plain(values: tuple[Any, ...]) -> Values:
    level, level_name, name, created, process, process_name, thread_name, path, line, function, module, msg = values
    return (
        int(finite(level, logging.ERROR)),
        text_of(level_name),
        text_of(name),
        finite(created, time.time()),
        process if isinstance(process, int) else None,
        text_of(process_name or ""),
        text_of(thread_name or ""),
        text_of(path),
        int(finite(line, 0)),
        text_of(function or ""),
        text_of(module),
        msg if type(msg) is str else "",
    )


class Snapshot:
    """All that a message about a record needs, copied from it: arguments and traceback may change after the call.

    Each text is at most 64 KiB, about 256 in all. `capture` makes an alert of it, in the worker.
    """

    title = stack = fingerprint = ""
    failures: tuple[Failure, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    formatted: str | None = None
    recipients: Recipients | None = None
    mention: tuple[str, ...] | None = None
    passed: tuple[int, ...] = ()
    ours: tuple[str, ...] = ()
    picture = b""
    is_small = True
    identity: Identity

    def __init__(self, values: Values, message: str) -> None:
        self.values = values
        self.message = message

    def weigh(self) -> int:
        """About how many bytes it takes in memory."""
        weight = sys.getsizeof(self.message) + sys.getsizeof(self.values[-1])
        if self.is_small:
            return weight
        texts = [self.stack, self.title, self.formatted or "", *(text for pair in self.fields for text in pair)]
        failures = list(self.failures)
        while failures:
            failure = failures.pop()
            texts += [failure.text, *failure.notes]
            weight += 256 + 128 * len(failure.frames)
            failures += [member for chain in failure.members for member in chain]
        return weight + sum(map(sys.getsizeof, texts))


def snapshot(reading: Reading, formatter: logging.Formatter | None = None) -> Snapshot:
    """Copy a record. Raises no `Exception`."""
    record, extra = reading.record, reading.extra
    made = Snapshot(reading.values, reading.message())
    passed, around = passed_by.get(), fields_of_context()
    words = _words(record)
    if not (record.exc_info or record.exc_text or record.stack_info or extra or formatter or passed or around or words):
        made.is_small = len(made.message) <= _SMALL
        return made
    made.is_small = False
    made.title = reading.text(extra.get("title", ""))
    made.failures = failures(exception_of(record), reading) or _failure_from_text(record, reading)
    made.fields = (*_fields(extra.get("fields"), reading), *_fields(around, reading))
    made.stack = reading.text(record.stack_info or "")
    made.formatted = _formatted(record, formatter)
    made.fingerprint = text_of(extra.get("fingerprint", ""))
    made.picture = _picture(extra.get("attach"))
    made.ours = _ours(words, around)
    made.recipients, made.mention, made.passed = reading.recipients, reading.mention, passed
    return made


def capture(made: Snapshot, origin: Origin) -> Alert:
    """The alert of a record that was copied."""
    level, level_name, name, created, process, process_name, thread_name, path, line, function, module, msg = (
        made.values
    )
    return Alert(
        id=f"{chance.getrandbits(32):08x}",
        level=level,
        level_name=text_of(level_name),
        logger=text_of(name),
        message=made.message,
        template=text_of(msg),
        time=finite(created, time.time()),
        host=hostname(),
        process=process,
        process_name=text_of(process_name),
        thread_name=text_of(thread_name),
        place=Frame(text_of(path), line, text_of(function)),
        module=text_of(module),
        service=origin.service,
        environment=origin.environment,
        title=made.title,
        failures=made.failures,
        fields=made.fields,
        stack=made.stack,
        formatted=made.formatted,
        fingerprint=made.fingerprint,
        recipients=made.recipients,
        mention=made.mention,
        passed=made.passed,
        ours=made.ours,
    )


def sample(record: logging.LogRecord) -> Sample:
    """A later record of a group: its message, with what an exception says."""
    text = _message(record)
    if (error := exception_of(record)) is not None:
        text = named(text, type_name(type(error)), text_of(error, _SAMPLE_BYTES))
    elif (found := outline(text))[1]:  # nothing between them is shown, so no part of a secret is
        kind, _, said = found[2].partition(": ")
        text = named(found[0], kind, said) if found[0] else found[2]
    return Sample(finite(record.created, 0.0), cap(text, _SAMPLE_BYTES))


def hostname() -> str:
    """This machine's name."""
    global _hostname
    if not _hostname:
        _hostname = socket.gethostname().encode("utf-8", "replace").decode() or "?"
    return _hostname


_hostname = ""


def finite(value: object, otherwise: float) -> float:
    """A number, also where a record that came from elsewhere has something different."""
    try:
        return value if isinstance(value, int | float) and math.isfinite(value) else otherwise
    except OverflowError:  # an int that no float can hold
        return otherwise


def text_of(value: object, most: int = CAP_BYTES) -> str:
    """A value as an exact, capped string, whatever its own ``__str__`` does."""
    try:
        text = value if type(value) is str else str(value)
        return cap(text if type(text) is str else str.__str__(text), most)
    except Exception as error:
        return NO_TEXT_OF.en % (_name(type(value)), _name(type(error)))


def _name(kind: type) -> str:
    """The name of a class, whatever its metaclass makes of it."""
    return str(type.__dict__["__qualname__"].__get__(kind))


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
        return message if type(message) is str and len(message) <= _SMALL else text_of(message)
    except Exception as error:
        text = text_of(record.msg)
        return f"{text} {ARGUMENTS_DO_NOT_FIT.en % _name(type(error))}" if record.args else text


def _formatted(record: logging.LogRecord, formatter: logging.Formatter | None) -> str | None:
    if formatter is None:
        return None
    try:
        made = formatter.format(record)
    except Exception as error:
        warn_once("formatter", f"the handler's formatter raised {_name(type(error))}; the plain text is sent")
        return None
    if not isinstance(made, str):
        warn_once(
            "formatter", f"the handler's formatter returned a {_name(type(made))}, not a str; the plain text is sent"
        )
        return None
    return text_of(made)


def _extra(extra: object) -> Mapping[str, Any]:
    if not isinstance(extra, Mapping):
        warn_once("extra", f'extra={{"wecom": …}} must be a mapping, not a {_name(type(extra))}; it is ignored')
        return {}
    try:
        names = list(itertools.islice(extra, _MAX_EXTRAS))  # it may be endless
        known = {name: extra[name] for name in names if type(name) is str and name in _KNOWN_EXTRAS}
        strange = [name for name in names if name not in known][:_SHOWN_EXTRAS]
        unknown = [redact(text_of(name, 200))[:40] for name in strange]
    except Exception as error:
        warn_once("extra", f'extra={{"wecom": …}} cannot be read ({_name(type(error))}); it is ignored')
        return {}
    if unknown:
        warn_once("extra", f'extra={{"wecom": …}} has unknown names {unknown}; known: {", ".join(_KNOWN_EXTRAS)}')
    return known


def _checked(make: Callable[[], _T], otherwise: _T, consequence: str) -> _T:
    """What ``make`` makes of something in ``extra``, or one line on stderr."""
    try:
        return make()
    except Exception as error:  # a configuration error, or what a strange list does when it is read
        reason = str(error) if isinstance(error, ConfigurationError) else _name(type(error))
        warn_once("extra", f'extra={{"wecom": …}}: {reason}; {consequence}')
        return otherwise


def _recipients(extra: Mapping[str, Any]) -> Recipients | None:
    given = [extra.get(name) for name in _WHO]
    if all(value is None for value in given):
        return None
    return _checked(
        lambda: config.recipients(*(() if value is None else value for value in given)),
        None,
        "the handler's own recipients are told",
    )


def _mention(extra: Mapping[str, Any]) -> tuple[str, ...] | None:
    """None: what the handler is configured to mention; an empty list: nobody."""
    given = extra.get("mention")
    if given is None:
        return None
    return _checked(lambda: config.ids("mention", given), None, "it is left out")


def _fields(value: object, room: Reading) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        return () if value is None else (("fields", room.text(value)),)
    return _checked(
        lambda: tuple(
            (room.text(name), room.text(item)) for name, item in itertools.islice(value.items(), _MAX_FIELDS)
        ),
        (),
        "the fields are left out",
    )


def _words(record: logging.LogRecord) -> tuple[str, ...]:
    """What of a record of this package are its own words; a record from elsewhere may hold anything there."""
    words = getattr(record, "wecom_words", ())
    return words if type(words) is tuple and all(type(one) is str for one in words) else ()


def _ours(words: tuple[str, ...], around: Mapping[str, object]) -> tuple[str, ...]:
    """Those, and of a context all names."""
    if not (words or around):
        return ()
    names = (*(words or ("",)), *itertools.islice(around, _MAX_FIELDS))
    return tuple(text_of(name, _MAX_NAME) for name in names[: 2 * _MAX_FIELDS])


def _picture(value: object) -> bytes:
    """The bytes of a JPG or PNG that both an app and a bot can send."""
    if value is None:
        return b""
    if type(value) is not bytes or not value.startswith((JPG, PNG)) or len(value) > MAX_BOT_IMAGE_BYTES:
        warn_once("attach", f'extra={{"wecom": {{"attach": …}}}} must be the bytes of a JPG or PNG, {_MOST_PICTURE}')
        return b""
    return value


def exception_of(record: logging.LogRecord) -> BaseException | None:
    """The exception that a record is about, however it holds it."""
    info = record.exc_info
    error = info[1] if isinstance(info, tuple) and len(info) == 3 else info
    return error if isinstance(error, BaseException) else None


def _failure_from_text(record: logging.LogRecord, room: Reading) -> tuple[Failure, ...]:
    """A traceback that is text already, as a queue or another process leaves it."""
    return (Failure(type=AS_TEXT, text=room.text(record.exc_text)),) if record.exc_text else ()


def failures(error: BaseException | None, room: Reading, depth: int = 0) -> tuple[Failure, ...]:
    """An exception and what led to it, the oldest first; of a long chain the last ones and the first."""
    chain = room.chain(error)
    ends = chain.ends
    most = _MAX_MEMBER_CHAIN if depth else MAX_CHAIN
    left_out = chain.length - most
    shown = ends if left_out <= 0 else ends[: most - 1]
    found = [_failure(failed, link, room, depth) for link, failed in shown]
    if left_out > 0:
        (link, _), (last_link, last) = ends[-2:]
        found.append(Failure(EXCEPTIONS_LEFT_OUT.en % left_out, "", link=link))
        found.append(_failure(last, last_link, room, depth))
    if chain.is_circle:
        found.append(Failure(CHAIN_IS_A_CIRCLE.en, "", link="context"))
    return tuple(reversed(found))


CHAIN_END = 16
"""So many exceptions of each end of a chain are looked at."""


@dataclass(frozen=True, slots=True)
class Chain:
    """An exception and what led to it. ``ends``: each with its link to the next, the newest first, without the middle
    of a long chain. ``ids``: of all of them. Nothing here is an object for each link, which the program's garbage
    collector would have to look through."""

    ends: list[tuple[str, BaseException]]
    ids: set[int]
    is_circle: bool

    @property
    def length(self) -> int:
        return len(self.ids)


def chain_of(error: BaseException | None) -> Chain:
    """What led to an exception."""
    newest: list[tuple[str, BaseException]] = []
    oldest: deque[tuple[str, BaseException]] = deque(maxlen=CHAIN_END)
    seen: set[int] = set()
    link = ""
    while error is not None and id(error) not in seen and len(seen) < _MAX_WALK:
        (newest if len(seen) < CHAIN_END else oldest).append((link, error))
        seen.add(id(error))
        link, error = _earlier(error)
    return Chain([*newest, *oldest], seen, error is not None and id(error) in seen)


# Read as the interpreter itself reads it: a subclass may have put something else in the place of these attributes.
_CAUSE, _CONTEXT, _SUPPRESS, TRACE = (
    BaseException.__dict__[name] for name in ("__cause__", "__context__", "__suppress_context__", "__traceback__")
)


def is_chained(error: BaseException) -> bool:
    """Whether another exception led to it."""
    return _earlier(error)[1] is not None


def _earlier(error: BaseException) -> tuple[str, BaseException | None]:
    if (cause := _CAUSE.__get__(error)) is not None:
        return "cause", cause
    return "context", None if _SUPPRESS.__get__(error) else _CONTEXT.__get__(error)


def _failure(error: BaseException, link: str, room: Reading, depth: int) -> Failure:
    frames, omitted = _frames(TRACE.__get__(error))
    return Failure(
        type=type_name(type(error)),
        text=room.text(room.said(error)),
        frames=frames,
        omitted=omitted,
        head=HEAD_FRAMES,
        notes=(*_notes(error, room), *_asked(error)),
        link=link,
        members=_members(error, room, depth),
    )


def type_name(kind: type) -> str:
    """``ValueError``, ``requests.exceptions.ConnectionError``"""
    try:
        module, name = kind.__module__, kind.__qualname__
    except Exception:  # a metaclass can do anything
        module, name = "", _name(kind)
    if type(module) is not str or module in ("builtins", "__main__", ""):
        return text_of(name)
    return text_of(f"{module}.{name}")


def _frames(trace: TracebackType | None) -> tuple[tuple[Frame, ...], int]:
    kept, omitted = frames_kept(trace)
    templates = template_frames(kept)
    return tuple(templates.get(place) or _frame(trace) for place, trace in enumerate(kept)), omitted


def frames_kept(trace: TracebackType | None) -> tuple[list[TracebackType], int]:
    """Both ends of a traceback, without what stands between a program's own frames; and how many are left out."""
    first: list[TracebackType] = []
    last: deque[TracebackType] = deque(maxlen=TAIL_FRAMES)
    count = 0
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(BETWEEN):
            (first if count < HEAD_FRAMES else last).append(trace)
            count += 1
        trace = trace.tb_next
    return [*first, *last], max(count - len(first) - len(last), 0)


def _frame(trace: TracebackType) -> Frame:
    code = trace.tb_frame.f_code
    return Frame(code.co_filename, trace.tb_lineno or 0, code.co_qualname)


def _notes(error: BaseException, room: Reading) -> tuple[str, ...]:
    try:
        notes = getattr(error, "__notes__", ())
        return tuple(room.text(note) for note in list(notes)[:_MAX_FIELDS]) if isinstance(notes, list | tuple) else ()
    except Exception:  # a property that raises: the exception itself is still captured
        return ()


def _asked(error: BaseException) -> tuple[str, ...]:
    """Which host was asked: httpx says it beside its exceptions, not in their texts."""
    asked = own_of(own_of(error).get("_request"))
    method, url = asked.get("method"), asked.get("url")
    if type(method) is not str or type_name(type(url)) != "httpx.URL":
        return ()
    scheme, _, rest = text_of(url).partition("://")
    return (f"{method[:_MAX_METHOD]} {scheme}://{_END_OF_HOST.split(rest, 1)[0].rpartition('@')[2]}",)


def _members(error: BaseException, room: Reading, depth: int) -> tuple[tuple[Failure, ...], ...]:
    if not isinstance(error, BaseExceptionGroup) or depth >= len(MAX_MEMBERS):
        return ()
    inside: tuple[BaseException, ...] = INSIDE.__get__(error)
    shown = [failures(member, room, depth + 1) for member in inside[: MAX_MEMBERS[depth]]]
    if more := len(inside) - len(shown):
        shown.append((Failure(MORE_EXCEPTIONS.en % more, ""),))
    return tuple(shown)


INSIDE = BaseExceptionGroup.__dict__["exceptions"]
