"""An event of structlog: a mapping of a text, an exception and other values, which may come as JSON in a record."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Mapping
from typing import Any

from .._text.cut import CAP_BYTES

_KNOWN = ("event", "exc_info", "exception", "level", "logger", "stack", "stack_info", "timestamp", "wecom")


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
