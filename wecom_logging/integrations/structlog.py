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

from .._capture.context import exc_info_of, fill
from .._telling import Teller
from . import need

_LEVELS = {"exception": logging.ERROR, "fatal": logging.CRITICAL, "warn": logging.WARNING}
_NOT_THE_CALLER = ("structlog", "wecom_logging")


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
        exc_info_of(event.get("exc_info")),
        func=frame.f_code.co_name if frame else None,
    )
    fill(record, event)
    return record


def _caller(frame: FrameType | None) -> FrameType | None:
    """Who has logged: the first frame that is neither ours nor structlog's."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_THE_CALLER:
        frame = frame.f_back
    return frame
