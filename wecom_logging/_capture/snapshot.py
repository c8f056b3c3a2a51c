"""Copies a `LogRecord` in the calling thread, before its arguments and traceback change, and makes an `Alert` of it.

User code runs here (``__str__`` of arguments and exceptions, the user's formatter): with no lock held, each at most
once, and whatever it raises becomes part of the text.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._render.headline import named
from .._render.source import placed
from .._render.traceback_text import outline
from .._runtime.warn import warn_once
from .._text.cut import cap
from ..model import Frame, Sample
from .context import fields_of_context, passed_by
from .extra import MAX_FIELDS, fields_of, picture_of
from .failures import failure_of_text, failures
from .identity import Identity
from .reading import SMALL, Reading, Values, exception_of, message_of
from .texts import instant, name_of, text_of, type_name

if TYPE_CHECKING:
    from ..model import Alert, Digest, Failure, Recipients


_MAX_NAME = 256
_SAMPLE_BYTES = 1024
_MADE_BYTES = 4096


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
_COPIES = ("message", "title", "stack", "failures", "fields", "formatted", "identity", "is_small")


def snapshot(reading: Reading, formatter: logging.Formatter | None = None) -> PendingAlert:
    """Copy a record. Raises no `Exception`."""
    record, extra = reading.record, reading.extra
    made = PendingAlert(reading.values, reading.message())
    passed, around = passed_by.get(), fields_of_context()
    words, error = _words(record), exception_of(record)
    if error is None and not (record.exc_text or record.stack_info or extra or formatter or passed or around or words):
        made.is_small = len(made.message) <= SMALL
        return made
    made.is_small = False
    made.title = reading.text(extra.get("title", ""))
    made.failures = failures(error, reading) or failure_of_text(reading)
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
        message=made.message,
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
        kind=kind,
    )


def sample(record: logging.LogRecord) -> Sample:
    """A later record of a group: its message, with what an exception says."""
    text = message_of(record)
    if (error := exception_of(record)) is not None:
        text = named(text, type_name(type(error)), text_of(error, _SAMPLE_BYTES))
    elif (found := outline(text))[1]:  # nothing between them is shown, so no part of a secret is
        kind, _, said = found[2].partition(": ")
        text = named(found[0], kind, said) if found[0] else found[2]
    return Sample(instant(record.created, 0.0), cap(text, _SAMPLE_BYTES))


def hostname() -> str:
    """This machine's name."""
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
        warn_once("formatter", f"the handler's formatter raised {name_of(type(error))}; the plain text is sent")
        return None
    if not isinstance(made, str):
        warn_once(
            "formatter", f"the handler's formatter returned a {name_of(type(made))}, not a str; the plain text is sent"
        )
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
