"""An event of structlog as logging means a record: the event as its message, the exception, and the rest as fields.

Under ``ProcessorFormatter.wrap_for_formatter`` it is the whole ``msg`` of a record.
Source: https://www.structlog.org/en/stable/standard-library.html
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from .traceback_text import LINKS, START

_NO_FIELDS = (
    *("event", "exc_info", "exception", "level", "logger", "stack", "stack_info", "timestamp", "wecom"),
    *("positional_args",),
)
_ORIGINAL = "_wecom_logging_original"
_WORDS = {link: words for words, link in LINKS.items()}


def plain(record: logging.LogRecord) -> logging.LogRecord:
    """A record whose ``msg`` is an event of structlog as one that says the same; any other as it is."""
    event = record.msg
    if not isinstance(event, dict) or "event" not in event or not hasattr(record, "_name"):
        return record
    made = logging.LogRecord.__new__(logging.LogRecord)
    made.__dict__.update(record.__dict__)
    made.msg, made.args = event["event"], None
    say(made, event)
    made.__dict__[_ORIGINAL] = record
    return made


def original(record: logging.LogRecord) -> logging.LogRecord:
    """What a formatter and a fingerprint of the user's expect."""
    found = record.__dict__.get(_ORIGINAL)
    return found if isinstance(found, logging.LogRecord) else record


def say(record: logging.LogRecord, event: Mapping[str, Any]) -> None:
    """Put exception, stack and bound values of an event where a record has them."""
    record.exc_info = _exc_info(event.get("exc_info")) or record.exc_info
    record.exc_text = _exc_text(event.get("exception")) or record.exc_text
    stack = event.get("stack")
    record.stack_info = stack if isinstance(stack, str) else record.stack_info
    own = event.get("wecom", getattr(record, "wecom", None))
    extra = dict(own) if isinstance(own, Mapping) else {}
    bound = {key: value for key, value in event.items() if key not in _NO_FIELDS and not str(key).startswith("_")}
    if bound:
        fields = extra.get("fields")
        extra["fields"] = {**bound, **(fields if isinstance(fields, Mapping) else {})}
    if extra:
        record.wecom = extra


def _exc_info(value: Any) -> Any:
    if isinstance(value, BaseException):
        return (type(value), value, value.__traceback__)
    if isinstance(value, tuple):
        return value
    return sys.exc_info() if value and sys.exc_info()[0] is not None else None


def _exc_text(value: Any) -> str | None:
    """Text as it is; of ``dict_tracebacks`` what Python would print, without the values of variables."""
    if isinstance(value, str):
        return value
    try:
        return _printed(value) if value else None
    except Exception:  # another library's tracebacks
        return None


def _printed(stacks: Any) -> str:
    """The newest exception comes first; each of the others says whether it was the cause of the one before it."""
    lines: list[str] = []
    for number, stack in reversed(list(enumerate(stacks))):
        lines.append(START)
        for frame in stack["frames"]:
            lines.append(f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}')
        lines.append(f"{stack['exc_type']}: {stack['exc_value']}")
        if number:
            lines += ["", _WORDS["cause" if stack["is_cause"] else "context"], ""]
    return "\n".join(lines)
