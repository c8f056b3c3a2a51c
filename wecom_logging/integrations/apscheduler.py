"""APScheduler 3: jobs that fail, that were missed, and that had no room to run.

    from wecom_logging.integrations.apscheduler import listen
    listen(scheduler)

Source: https://apscheduler.readthedocs.io/en/3.x/userguide.html#scheduler-events
"""

from __future__ import annotations

import logging
from typing import Any

from ..telling import Teller, asked_of, name_and_text, record_of
from ._need import need


def listen(scheduler: Any, *, handler: logging.Handler | str | None = None) -> None:
    """Tell what goes wrong with a scheduler's jobs: errors at ERROR, missed and refused runs at WARNING.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. Raises
    `ConfigurationError`.
    """
    events: Any = need("apscheduler.events", "3.9.1", "APScheduler")
    teller = Teller(handler, "apscheduler").at_start()

    def tell(event: Any) -> None:
        job = asked_of(scheduler.get_job, event.job_id, event.jobstore)  # it may be over, and its store may be away
        fields = _fields(job) if hasattr(job, "func_ref") else {"job": event.job_id}
        if event.code == events.EVENT_JOB_ERROR:
            teller.tell(_failed(event.exception, fields))
        elif event.code == events.EVENT_JOB_MISSED:
            teller.tell(_warning("job %s missed its run", event.job_id, {**fields, "due": event.scheduled_run_time}))
        else:
            teller.tell(_warning("job %s still runs: too many instances", event.job_id, fields))

    def listen_to(alias: str) -> None:
        logging.getLogger(f"apscheduler.executors.{alias}").addFilter(_say_which)

    for alias in {"default", *scheduler._executors}:
        listen_to(alias)
    scheduler.add_listener(lambda event: listen_to(event.alias), events.EVENT_EXECUTOR_ADDED)
    scheduler.add_listener(tell, events.EVENT_JOB_ERROR | events.EVENT_JOB_MISSED | events.EVENT_JOB_MAX_INSTANCES)


def _fields(job: Any) -> dict[str, object]:
    return {"job": job.id, "function": job.func_ref}


def _say_which(record: logging.LogRecord) -> bool:
    """The executor logs a failure before anybody is told of it: that record says of which job, too."""
    job = record.args[0] if isinstance(record.args, tuple) and record.args else None
    if hasattr(job, "func_ref") and not hasattr(record, "wecom"):
        record.wecom = {"fields": _fields(job)}
    return True


def _failed(error: BaseException, fields: dict[str, object]) -> logging.LogRecord:
    return record_of(
        error,
        level=logging.ERROR,
        message="job %s failed: %s: %s",
        args=(fields["job"], *name_and_text(error)),
        logger="apscheduler",
        fields=fields,
    )


def _warning(message: str, job: str, fields: dict[str, object]) -> logging.LogRecord:
    record = logging.LogRecord("apscheduler", logging.WARNING, job, 0, message, (job,), None)
    record.wecom = {"fields": fields}
    return record
