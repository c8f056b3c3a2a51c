"""APScheduler 3: jobs that fail, that were missed, and that had no room to run.

    from wecom_logging.integrations.apscheduler import listen
    listen(scheduler)

Source: https://apscheduler.readthedocs.io/en/3.x/userguide.html#scheduler-events
"""

from __future__ import annotations

import logging
from typing import Any

from .._render.words import JOB_FAILED, JOB_MISSED, JOB_STILL_RUNS
from .._telling import Teller, asked_of, handlers_of, in_our_words, name_and_text, record_of, text_of
from .._text.said import Phrase
from . import need

_MOST_JOBS = 1000

_logged: dict[str, tuple[str | None, list[logging.Handler]]] = {}
"""What APScheduler has just logged of jobs, by id, before it tells its listeners: the function, and who has heard it.

A listener must not ask the scheduler: a job may fail while `shutdown` waits for it and holds the lock of all jobs.
"""


def listen(scheduler: Any, *, handler: logging.Handler | str | None = None) -> None:
    """Send what goes wrong with a scheduler's jobs: errors at ERROR, missed and refused runs at WARNING.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. Raises
    `ConfigurationError`.
    """
    events: Any = need("apscheduler.events", "3.9.1", "APScheduler")
    teller = Teller(handler, "apscheduler").at_start()

    def tell(event: Any) -> None:
        function, heard = _logged.pop(event.job_id, (None, []))
        fields = _fields(event.job_id, function)
        if event.code == events.EVENT_JOB_ERROR:
            teller.tell(_failed(event.exception, fields))
        elif event.code == events.EVENT_JOB_MISSED:
            due = {"due": event.scheduled_run_time}
            teller.tell(_warning(JOB_MISSED, event.job_id, {**fields, **due}), but=heard)
        else:
            teller.tell(_warning(JOB_STILL_RUNS, event.job_id, fields), but=heard)

    def listen_to(alias: str) -> None:
        logging.getLogger(f"apscheduler.executors.{alias}").addFilter(_say_which)

    logging.getLogger("apscheduler.scheduler").addFilter(_say_which)
    for alias in {"default", *scheduler._executors}:
        listen_to(alias)
    scheduler.add_listener(lambda event: listen_to(event.alias), events.EVENT_EXECUTOR_ADDED)
    scheduler.add_listener(tell, events.EVENT_JOB_ERROR | events.EVENT_JOB_MISSED | events.EVENT_JOB_MAX_INSTANCES)


def _fields(job: str, function: str | None) -> dict[str, object]:
    return {"job": job} if function is None else {"job": job, "function": function}


def _say_which(record: logging.LogRecord) -> bool:
    """APScheduler logs what goes wrong before its listeners are told of it: that record says of which job, too."""
    job: Any = record.args[0] if isinstance(record.args, tuple) and record.args else None
    if record.levelno >= logging.WARNING and hasattr(job, "func_ref"):
        if len(_logged) >= _MOST_JOBS:
            _logged.clear()
        _logged[job.id] = job.func_ref, handlers_of(record)
        if not hasattr(record, "wecom"):
            one_text_for_all = record.levelno == logging.WARNING  # where there is no exception to tell jobs apart
            own = {"fingerprint": f"{record.msg} {job.id}"} if one_text_for_all else {}
            fields = _fields(job.id, job.func_ref)
            rest = record.args[1:] if isinstance(record.args, tuple) else ()
            title = asked_of(lambda: text_of(record.msg) % (_called(job), *rest))  # without its trigger and next run
            record.wecom, record.wecom_words = {"title": title, "fields": fields, **own}, ("", *fields)
    return True


def _called(job: Any) -> str:
    """Its id, or its name where APScheduler has made the id."""
    return text_of(job.name if len(job.id) == 32 and set(job.id) <= set("0123456789abcdef") else job.id)


def _failed(error: BaseException, fields: dict[str, object]) -> logging.LogRecord:
    return record_of(
        error,
        level=logging.ERROR,
        message=JOB_FAILED,
        args=(fields["job"], *name_and_text(error)),
        logger="apscheduler",
        fields=fields,
    )


def _warning(message: Phrase, job: str, fields: dict[str, object]) -> logging.LogRecord:
    record = logging.LogRecord("apscheduler", logging.WARNING, job, 0, message.en, (job,), None)
    record.wecom = {"fields": fields}
    in_our_words(record, message, fields)
    return record
