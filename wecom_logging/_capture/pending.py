"""`PendingAlert`: a record as it was copied in the calling thread, before its arguments and traceback change.

User code runs here (``__str__`` of exceptions and fields, the user's formatter): with no lock held, each at most once,
and whatever it raises becomes part of the text. An `Alert` is made of it when one is asked for.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._lines import line
from .._render.headline import named
from .._render.source import placed
from .._render.traceback_text import AS_TEXT, HEAD_FRAMES, MAX_CHAIN, outline
from .._render.words import CHAIN_IS_A_CIRCLE, EXCEPTIONS_LEFT_OUT, MORE_EXCEPTIONS
from .._runtime.warn import warn_once
from .._text.cut import CAP_BYTES, cap
from ..model import Failure, Frame, Sample
from .context import fields_of_context, passed_by
from .exceptions import MAX_MEMBERS, Raised
from .identity import Identity
from .record import MAX_FIELDS, SMALL, Reading, Values, fields_of, picture_of
from .templates import template_frames
from .texts import name_of, own_of, text_of, type_name

if TYPE_CHECKING:
    from ..model import Alert, Digest, Recipients


_MAX_NAME = 256
_SAMPLE_BYTES = 1024
_MADE_BYTES = 4096
_MAX_MEMBER_CHAIN = 2
_MAX_NOTES = 32
_MAX_METHOD = 16
_END_OF_HOST = re.compile(r"[/?#]")


class Origin(NamedTuple):
    """What all alerts of a handler have in common."""

    service: str = ""
    environment: str = ""


class PendingAlert:
    """All that a message about a record needs, copied from it: arguments and traceback may change after the call.

    Each text is at most 64 KiB, about 256 in all. The alert is made and masked when it is asked for, once; what it is
    made of is forgotten then. ``digest``: another handler's. ``ticket``: where it is in the write-ahead file.
    """

    message = title = stack = fingerprint = ""
    failures: tuple[Failure, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    formatted: str | None = None
    recipients: Recipients | None = None
    mention: tuple[str, ...] | None = None
    passed: tuple[int, ...] = ()
    ours: tuple[str, ...] = ()
    picture = b""
    identity = Identity((), "")
    is_small = True
    depth = 0
    digest: Digest | None = None
    ticket: Any = None
    hides: Callable[[str], str] | None = None
    """Hides what was hidden when the alert was made."""
    make: Make
    _alert: Alert | None = None

    def __init__(self, values: Values, message: str) -> None:
        self.values = values
        self.message = message

    @property
    def alert(self) -> Alert:
        if (made := self._alert) is None:
            made = self.__dict__.setdefault("_alert", self.make(self))
            for name in _COPIES:  # another thread that makes it, too, makes it in vain
                self.__dict__.pop(name, None)
            self.values = (*self.values[:-1], "")
        return made

    @property
    def size(self) -> int:
        return len(self.picture) + (self.weigh() if self._alert is None else _MADE_BYTES)

    def weigh(self) -> int:
        """About how many bytes it takes in memory, without its picture, before the alert is made."""
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


Make = Callable[[PendingAlert], "Alert"]
_AS_THEY_ARE = (
    *("message", "title", "failures", "fields", "stack", "formatted", "fingerprint"),
    *("recipients", "mention", "passed", "ours"),
)
_COPIES = ("message", "title", "stack", "failures", "fields", "formatted", "identity", "is_small")


def snapshot(reading: Reading, formatter: logging.Formatter | None = None) -> PendingAlert:
    """Copy a record. Raises no `Exception`."""
    values = reading.values
    if len(values[-1]) > CAP_BYTES:  # of a long text that the program does not keep, too
        values = (*values[:-1], cap(values[-1]))
    made = PendingAlert(values, reading.message)
    if reading.is_plain:
        return made
    record, extra, error = reading.record, reading.extra, reading.error
    passed, around, words = passed_by.get(), fields_of_context(), _words(record)
    if error is None and not (record.exc_text or record.stack_info or extra or formatter or passed or around or words):
        made.is_small = len(made.message) <= SMALL
        return made
    made.is_small = False
    made.title = reading.text(extra.get("title", ""))
    if error is not None:
        made.failures = _failures(error, reading)
    elif record.exc_text:  # a traceback that is text already, as a queue or another process leaves it
        made.failures = (Failure(type=AS_TEXT, text=reading.text(record.exc_text)),)
    made.fields = (*fields_of(extra.get("fields"), reading.text), *fields_of(around, reading.text))
    made.stack = reading.text(record.stack_info or "")
    made.formatted = _formatted(record, formatter)
    made.fingerprint = text_of(extra.get("fingerprint", ""))
    made.picture = picture_of(extra.get("attach"))
    made.ours = _ours(words, around)
    made.recipients, made.mention, made.passed = reading.recipients, reading.mention, passed
    return made


def capture(made: PendingAlert, origin: Origin, kind: str = "") -> Alert:
    """The alert of a record that was copied. ``kind``: the digest of what makes it the same as others."""
    from ..model import Alert

    level, level_name, name, created, process, process_name, thread_name, path, line, function, module, msg = (
        made.values
    )
    return Alert(
        id=os.urandom(4).hex(),
        level=level,
        level_name=text_of(level_name),
        logger=text_of(name),
        template=text_of(msg),
        time=created,
        host=hostname(),
        process=process,
        process_name=text_of(process_name),
        thread_name=text_of(thread_name),
        place=placed(Frame(text_of(path), line, text_of(function))),
        module=text_of(module),
        service=origin.service,
        environment=origin.environment,
        kind=kind,
        **{name: getattr(made, name) for name in _AS_THEY_ARE},
    )


def sample(reading: Reading) -> Sample:
    """A later record of a group: its message, with what an exception says."""
    text = reading.message
    if (error := reading.error) is not None:
        text = named(text, error.type, cap(error.text, _SAMPLE_BYTES))
    elif (found := outline(text))[1]:  # nothing between them is shown, so no part of a secret is
        kind, _, said = found[2].partition(": ")
        text = named(found[0], kind, said) if found[0] else found[2]
    return Sample(reading.values[3], cap(text, _SAMPLE_BYTES))


def hostname() -> str:
    global _hostname
    if not _hostname:
        import socket

        _hostname = socket.gethostname().encode("utf-8", "replace").decode() or "?"
    return _hostname


_hostname = ""


def _formatted(record: logging.LogRecord, formatter: logging.Formatter | None) -> str | None:
    if formatter is None:
        return None
    try:
        made = formatter.format(record)
    except Exception as error:
        warn_once("formatter", line("formatter", error=name_of(type(error))))
        return None
    if not isinstance(made, str):
        warn_once("formatter", line("formatter_type", type=name_of(type(made))))
        return None
    return text_of(made)


def _words(record: logging.LogRecord) -> tuple[str, ...]:
    """What of a record of this package are its own words; a record from elsewhere may hold anything there."""
    words = getattr(record, "wecom_words", ())
    return words if type(words) is tuple and all(type(one) is str for one in words) else ()


def _ours(words: tuple[str, ...], around: Mapping[str, object]) -> tuple[str, ...]:
    """Those, and of a context all names."""
    if not (words or around):
        return ()
    names = (*(words or ("",)), *itertools.islice(around, MAX_FIELDS))
    return tuple(text_of(name, _MAX_NAME) for name in names[: 2 * MAX_FIELDS])


# Exceptions.


def _failures(error: Raised, reading: Reading, depth: int = 0) -> tuple[Failure, ...]:
    """An exception and what led to it, the oldest first; of a long chain the last ones and the first."""
    chain = error.chain
    ends = chain.ends
    most = _MAX_MEMBER_CHAIN if depth else MAX_CHAIN
    left_out = len(chain.ids) - most
    shown = ends if left_out <= 0 else ends[: most - 1]
    found = [_failure(reading.raised(failed), link, reading, depth) for link, failed in shown]
    if left_out > 0:
        (link, _), (last_link, last) = ends[-2:]
        found.append(Failure(EXCEPTIONS_LEFT_OUT.en % left_out, "", link=link))
        found.append(_failure(reading.raised(last), last_link, reading, depth))
    if chain.is_circle:
        found.append(Failure(CHAIN_IS_A_CIRCLE.en, "", link="context"))
    return tuple(reversed(found))


def _failure(raised: Raised, link: str, reading: Reading, depth: int) -> Failure:
    kept, omitted = raised.kept
    templates = template_frames(kept)
    return Failure(
        type=raised.type,
        text=reading.text(raised.text),
        frames=tuple(templates.get(place) or _frame(trace) for place, trace in enumerate(kept)),
        omitted=omitted,
        head=HEAD_FRAMES,
        notes=(*_notes(raised.error, reading), *_asked(raised.error)),
        link=link,
        members=_members(raised, reading, depth),
    )


def _frame(trace: TracebackType) -> Frame:
    code = trace.tb_frame.f_code
    return Frame(code.co_filename, trace.tb_lineno or 0, code.co_qualname)


def _notes(error: BaseException, reading: Reading) -> tuple[str, ...]:
    try:
        notes = getattr(error, "__notes__", ())
        return tuple(reading.text(note) for note in list(notes)[:_MAX_NOTES]) if isinstance(notes, list | tuple) else ()
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


def _members(raised: Raised, reading: Reading, depth: int) -> tuple[tuple[Failure, ...], ...]:
    if not raised.is_group or depth >= len(MAX_MEMBERS):
        return ()
    inside = raised.inside
    shown = [_failures(reading.raised(member), reading, depth + 1) for member in inside[: MAX_MEMBERS[depth]]]
    if more := len(inside) - len(shown):
        shown.append((Failure(MORE_EXCEPTIONS.en % more, ""),))
    return tuple(shown)
