"""What comes with a record from around it: the context of a request or task, an event of structlog, a digest.

``context`` holds a function that gives fields by name, such as method and route; integrations set it. It is called only
for a record that is captured, so that a request that does not fail costs one variable, set and reset.
"""

from __future__ import annotations

import contextvars
import copy
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .._text.cut import CAP_BYTES

if TYPE_CHECKING:
    from ..model import Digest

context: contextvars.ContextVar[Callable[[], Mapping[str, object]] | None] = contextvars.ContextVar(
    "wecom_logging_context", default=None
)

passed_by: contextvars.ContextVar[tuple[int, ...]] = contextvars.ContextVar("wecom_logging_passed_by", default=())
"""Whom an alert has passed that this thread is handing over: what another kind of handler logs then is about it."""

_CARRIED = "_wecom_logging_digest"
_KNOWN = ("event", "exc_info", "exception", "level", "logger", "stack", "stack_info", "timestamp", "wecom")


def fields_of_context() -> Mapping[str, object]:
    """What there is to say now; nothing if it cannot be found out."""
    make = context.get()
    return {} if make is None else fields_of(make)


def fields_of(make: Callable[[], Mapping[str, object]]) -> Mapping[str, object]:
    """What a function of an integration gives; nothing if it fails."""
    try:
        return make()
    except Exception:  # a framework that is not as it was: the alert is worth more than its context
        return {}


# A handler gives what it could not deliver to its ``fallback``: in a record that carries the digest.


def carry(record: logging.LogRecord, digest: Digest) -> None:
    record.__dict__[_CARRIED] = digest


def carried(record: logging.LogRecord) -> Digest | None:
    """What another handler of ours gave, else None."""
    digest = record.__dict__.get(_CARRIED)
    if digest is None:
        return None
    from ..model import Digest

    return digest if type(digest) is Digest else None


# An event of structlog: a text, an exception and other values, a mapping that may come as JSON in a record.


def unwrapped(record: logging.LogRecord) -> logging.LogRecord:
    """A record of which an event is the whole message, as one that says its text; any other as it is."""
    msg: Any = record.msg
    if type(msg) is str and msg[:1] == "{" and '"event"' in msg and len(msg) <= CAP_BYTES and not record.args:
        import json

        try:
            msg = json.loads(msg)
        except (ValueError, RecursionError):
            return record
    if type(msg) is not dict or type(msg.get("event")) is not str:
        return record
    made = copy.copy(record)
    made.msg = msg["event"]
    made.exc_info = record.exc_info or exc_info_of(msg.get("exc_info") or type(msg.get("exception")) is list)
    fill(made, msg)
    return made


def fill(record: logging.LogRecord, event: Mapping[str, Any]) -> None:
    """Put into a record what an event says beside its text: an exception that is a text, and values as fields."""
    exception = event.get("exception")
    if isinstance(exception, str):
        record.exc_text = exception
    bound = {key: value for key, value in event.items() if key not in _KNOWN and not key.startswith("_")}
    if extra := with_fields(event.get("wecom"), bound):
        record.wecom = extra


def with_fields(own: object, bound: Mapping[str, object]) -> dict[str, Any]:
    """What ``extra={"wecom": …}`` is, from a value ``wecom`` of another logger, and its other values as fields."""
    extra = dict(own) if isinstance(own, Mapping) else {}
    fields = extra.get("fields")
    if bound and isinstance(fields, Mapping | None):
        extra["fields"] = {**bound, **(fields or {})}
    return extra


def exc_info_of(value: Any) -> Any:
    """An event's ``exc_info`` as that of a record."""
    if isinstance(value, BaseException):
        return (type(value), value, value.__traceback__)
    if isinstance(value, tuple):
        return value
    return sys.exc_info() if value and sys.exc_info()[0] is not None else None
