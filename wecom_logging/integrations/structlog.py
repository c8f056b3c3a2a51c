"""structlog: a processor that sends events, with their bound values as fields, and changes nothing.

    from wecom_logging.integrations.structlog import WeComProcessor
    structlog.configure(processors=[..., WeComProcessor(), structlog.processors.JSONRenderer()])

Put it before the renderer and before ``format_exc_info``, which makes text of the exception.

Source: https://www.structlog.org/en/stable/processors.html
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from types import FrameType
from typing import Any

from ..telling import Teller, extra_of
from ._need import need

_LEVELS = {"exception": logging.ERROR, "fatal": logging.CRITICAL, "warn": logging.WARNING}
_NOT_THE_CALLER = ("structlog", "wecom_logging")
_OURS = ("event", "exc_info", "exception", "level", "logger", "stack", "stack_info", "timestamp", "wecom")


class WeComProcessor:
    """A processor that sends events, and passes them on unchanged.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. A bound value
    ``wecom={…}`` is what ``extra={"wecom": {…}}`` is for logging. Raises `ConfigurationError`.
    """

    def __init__(self, handler: logging.Handler | str | None = None) -> None:
        bound: Any = need("structlog.contextvars", "22.1", "structlog")
        self._awaiting = getattr(bound, "_ASYNC_CALLING_STACK", None)  # since 23.3: of await log.aerror(…)
        self._teller = Teller(handler, "structlog").at_start()

    def __call__(self, logger: Any, method_name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        level = _LEVELS.get(method_name) or logging.getLevelName(method_name.upper())
        if isinstance(level, int) and any(level >= handler.level for handler in self._teller.handlers()):
            awaiting = None if self._awaiting is None else self._awaiting.get(None)
            self._teller.tell(_record(level, event, _caller(awaiting or sys._getframe(1))))
        return event


def _record(level: int, event: MutableMapping[str, Any], frame: FrameType | None) -> logging.LogRecord:
    name = event.get("logger") or (frame.f_globals.get("__name__", "") if frame else "")
    record = logging.LogRecord(
        str(name),
        level,
        frame.f_code.co_filename if frame else "",
        frame.f_lineno if frame else 0,
        event.get("event", ""),
        None,
        _exc_info(event.get("exc_info")),
        func=frame.f_code.co_name if frame else None,
    )
    if isinstance(event.get("exception"), str):
        record.exc_text = event["exception"]
    bound = {key: value for key, value in event.items() if key not in _OURS and not key.startswith("_")}
    extra = extra_of(event.get("wecom"), bound)
    if extra:
        record.wecom = extra
    return record


def _exc_info(value: Any) -> Any:
    if isinstance(value, BaseException):
        return (type(value), value, value.__traceback__)
    if isinstance(value, tuple):
        return value
    return sys.exc_info() if value and sys.exc_info()[0] is not None else None


def _caller(frame: FrameType | None) -> FrameType | None:
    """Who has logged: the first frame that is neither ours nor structlog's."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_THE_CALLER:
        frame = frame.f_back
    return frame
