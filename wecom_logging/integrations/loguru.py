"""loguru: a sink for ``logger.add``, with bound values as fields; also with ``enqueue=True``.

    from wecom_logging.integrations.loguru import WeComSink
    logger.add(WeComSink(), level="ERROR")

loguru's own traceback shows values of variables and is never sent: ours is made from the exception. With ``enqueue``
loguru keeps no frames of it, only its type and text.

Source: https://loguru.readthedocs.io/en/stable/api/logger.html#loguru._logger.Logger.add
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from .._capture.context import with_fields
from .._telling import Teller
from . import need


class WeComSink:
    """A sink that sends loguru's messages.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler.
    ``logger.bind(wecom={…})`` is what ``extra={"wecom": {…}}`` is for logging. Raises `ConfigurationError`.
    """

    def __init__(self, handler: logging.Handler | str | None = None) -> None:
        need("loguru", "0.7", "loguru")
        self._teller = Teller(handler, "loguru").at_start()

    def __call__(self, message: Any) -> None:
        self._teller.tell(_record(message.record))


def _record(said: Mapping[str, Any]) -> logging.LogRecord:
    failed = said["exception"]
    record = logging.LogRecord(
        said["name"] or "",
        said["level"].no,
        said["file"].path,
        said["line"],
        said["message"],
        None,
        None if failed is None else (failed.type, failed.value, failed.traceback),
        func=said["function"],
    )
    if failed is not None and failed.value is None and failed.type is not None:  # it could not go through the queue
        record.exc_text = failed.type.__qualname__
    record.levelname = said["level"].name
    record.created = said["time"].timestamp()
    record.threadName, record.processName = said["thread"].name, said["process"].name
    bound = dict(said["extra"])
    extra = with_fields(bound.pop("wecom", None), bound)
    if extra:
        record.wecom = extra
    return record
