"""RQ: a job that failed and is not tried again, and what jobs log.

    from wecom_logging.integrations.rq import WeComWorker
    worker = WeComWorker(queues)

Source: https://python-rq.org/docs/workers/#custom-worker-classes, https://python-rq.org/docs/exceptions/
"""

from __future__ import annotations

import logging
import os
import re
import signal
from types import TracebackType
from typing import Any

from .._render.words import JOB_FAILED, JOB_PROCESS_ENDED, JOB_PROCESS_KILLED
from .._runtime.worker import end_all
from .._telling import Teller, asked_of, record_of, record_saying
from . import need

_rq: Any = need("rq", "2.0", "rq")


_DEATH = re.compile("Work[- ]horse (?:killed|terminated)")


def _is_ours_to_tell(record: logging.LogRecord) -> bool:
    """RQ itself logs each failed try, with the exception as a text: the job is sent once, when it is tried no more."""
    return not (record.name == "rq.worker" and hasattr(record, "job_id"))


def _is_no_death(record: logging.LogRecord) -> bool:
    """RQ itself warns of a process that has died, once or twice: `WeComWorker` sends it."""
    return record.name != "rq.worker" or _DEATH.search(record.getMessage()) is None


class WeComExceptionHandler:
    """An exception handler of RQ: it sends the failure, and lets the next handler run. `WeComWorker` has one.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. RQ's own records
    about a failed job are kept from handlers that exist already. The job's process, RQ's work horse, ends by
    ``os._exit``: it waits until the alert has arrived, at most ``exit_timeout``. Raises `ConfigurationError`.
    """

    def __init__(self, handler: logging.Handler | str | None = None) -> None:
        self._teller = Teller(handler, "rq").at_start()
        for found in self._teller.found():
            found.addFilter(_is_ours_to_tell)

    def __call__(self, job: Any, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> bool:
        if not _is_tried_again(job):
            self._tell(job, error)
            for handler in self._teller.handlers():
                handler.flush()
        return True

    def _tell(self, job: Any, error: BaseException) -> None:
        fields = _fields(job)
        self._teller.tell(record_of(error, JOB_FAILED, fields["function"], logger="rq", fields=fields))


class WeComWorker(_rq.Worker):
    """RQ's worker: it sends failures of jobs, also where their process has died, and all that jobs log.

    RQ ends the process of a job by ``os._exit``: before that it does what any program does at its end, at most for
    ``exit_timeout``. ``handler``: as for `WeComExceptionHandler`; all else is as for RQ's own ``Worker``. Raises
    `ConfigurationError`.
    """

    def __init__(self, *args: Any, handler: logging.Handler | str | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._wecom = WeComExceptionHandler(handler)
        for found in self._wecom._teller.found():
            found.addFilter(_is_no_death)

    def handle_exception(self, job: Any, *exc_info: Any) -> None:
        """What RQ calls for a job that has raised."""
        if not _is_tried_again(job):
            self._wecom._tell(job, exc_info[1])
        super().handle_exception(job, *exc_info)

    def perform_job(self, *args: Any, **more: Any) -> bool:
        """What RQ calls in the process of a job."""
        try:
            done: bool = super().perform_job(*args, **more)
        finally:
            if self.is_horse:
                end_all()
        return done

    def handle_work_horse_killed(self, job: Any, pid: int, status: int | None, usage: Any) -> None:
        """What RQ calls where the process of a job has died."""
        super().handle_work_horse_killed(job, pid, status, usage)
        if not _is_tried_again(job):
            self._wecom._teller.tell(_death_of(job, status or signal.SIGKILL))  # RQ has none of one that it kills


def _is_tried_again(job: Any) -> bool:
    return (job.retries_left or 0) > 0


def _fields(job: Any) -> dict[str, object]:
    function = asked_of(lambda: job.func_name)  # which reads what the queue holds; that may be the failure
    return {"job": job.id, "function": function, "queue": job.origin, "args": asked_of(job.get_call_string)}


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        return str(number)


def _death_of(job: Any, status: int) -> logging.LogRecord:
    fields, code = _fields(job), os.waitstatus_to_exitcode(status)
    said, how = (JOB_PROCESS_ENDED, str(code)) if code >= 0 else (JOB_PROCESS_KILLED, _signal(-code))
    function = str(fields["function"])
    return record_saying(said, function, how, logger="rq", fields=fields, path=function)
