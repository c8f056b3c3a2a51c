"""RQ: a job that failed and is not tried again.

    from wecom_logging.integrations.rq import WeComExceptionHandler
    Worker(queues, exception_handlers=[WeComExceptionHandler()])

Source: https://python-rq.org/docs/exceptions/
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any

from .._render.words import JOB_FAILED
from ..telling import Teller, asked_of, name_and_text, record_of
from ._need import need


def _is_ours_to_tell(record: logging.LogRecord) -> bool:
    """RQ itself logs each failed try, with the exception as a text: the job is sent once, when it is tried no more."""
    return not (record.name == "rq.worker" and hasattr(record, "job_id"))


class WeComExceptionHandler:
    """An exception handler of RQ: it sends the failure, and lets the next handler run.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. RQ's own records
    about a failed job are kept from handlers that exist already. The job's process, RQ's work horse, ends by
    ``os._exit``: it waits until the alert has arrived, at most ``exit_timeout``. Raises `ConfigurationError`.
    """

    def __init__(self, handler: logging.Handler | str | None = None) -> None:
        need("rq", "2.0", "rq")
        self._teller = Teller(handler, "rq").at_start()
        for found in self._teller.found():
            found.addFilter(_is_ours_to_tell)

    def __call__(self, job: Any, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> bool:
        if (job.retries_left or 0) > 0:
            return True
        function = asked_of(lambda: job.func_name)  # which reads what the queue holds; that may be the failure
        fields = {"job": job.id, "function": function, "queue": job.origin, "args": asked_of(job.get_call_string)}
        self._teller.tell(
            record_of(
                error,
                level=logging.ERROR,
                message=JOB_FAILED,
                args=(function, *name_and_text(error)),
                logger="rq",
                fields=fields,
            )
        )
        for handler in self._teller.handlers():
            handler.flush()
        return True
