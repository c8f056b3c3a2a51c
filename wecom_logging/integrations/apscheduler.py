"""APScheduler 3: jobs that fail, that were missed, and that had no room to run.

    from wecom_logging.integrations.apscheduler import expect_scheduler, listen
    listen(scheduler)
    expect_scheduler(scheduler)  # what it does not run is told, too

Source: https://apscheduler.readthedocs.io/en/3.x/userguide.html#scheduler-events
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._lines import line
from .._render.words import JOB_FAILED, JOB_MISSED, JOB_STILL_RUNS
from .._runtime.warn import warn_once
from .._telling import Teller, asked_of, handlers_of, record_of, record_saying, text_of
from .._text.said import Phrase
from . import need

if TYPE_CHECKING:
    from .._expect import Expectation
    from ._schedules import Times

_MOST_JOBS = 1000
_MOST_REPORTS = 10_000
_EXIT_S = 2.0
_LAST = 5
"""The place of "last" among those that a weekday of a month may have."""

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
            record = record_of(event.exception, JOB_FAILED, fields["job"], logger="apscheduler", fields=fields)
            teller.tell(record)
        elif event.code == events.EVENT_JOB_MISSED:
            warn(JOB_MISSED, event.job_id, {**fields, "due": event.scheduled_run_time}, heard)
        else:
            warn(JOB_STILL_RUNS, event.job_id, fields, heard)

    def warn(message: Phrase, job: str, fields: dict[str, object], heard: list[logging.Handler]) -> None:
        record = record_saying(message, job, logger="apscheduler", fields=fields, level=logging.WARNING, path=job)
        teller.tell(record, but=heard)

    def listen_to(alias: str) -> None:
        logging.getLogger(f"apscheduler.executors.{alias}").addFilter(_say_which)

    logging.getLogger("apscheduler.scheduler").addFilter(_say_which)
    for alias in {"default", *scheduler._executors}:
        listen_to(alias)
    scheduler.add_listener(lambda event: listen_to(event.alias), events.EVENT_EXECUTOR_ADDED)
    scheduler.add_listener(tell, events.EVENT_JOB_ERROR | events.EVENT_JOB_MISSED | events.EVENT_JOB_MAX_INSTANCES)


def expect_scheduler(
    scheduler: Any,
    *,
    grace: str = "5m",
    max_runtime: str | None = None,
    level: int | str = logging.ERROR,
    handler: logging.Handler | str | None = None,
) -> None:
    """Say that each job of a scheduler has to run when it is due, and send an alert if it does not.

    Call it once the jobs are there: their triggers are read once. A job has the name of its id, or of its function
    where APScheduler has made the id. With a shared state, other processes notice that this one has died. What has an
    end or begins later, is due more often than once a minute, by weeks or years, or by days of the month and of the
    week at once, is left out, which a line on stderr says; so is a job that is paused now, without a line. The options
    are those of `expect`. Raises `ConfigurationError`.
    """
    events: Any = need("apscheduler.events", "3.9.1", "APScheduler")
    from ._schedules import expect_each

    ids: dict[str, str] = {}
    for job in scheduler.get_jobs():
        ids.setdefault(_called(job), job.id)
    expected = expect_each("apscheduler", "APScheduler", _times(scheduler), grace, max_runtime, level, handler)
    jobs = {ids[name]: job for name, job in expected.items()}
    running: dict[tuple[str, object], tuple[Expectation, list[str]]] = {}
    reports = _Reports()

    def note(event: Any) -> None:
        """Of several times that are run at once the last is the run."""
        if event.code == events.EVENT_JOB_SUBMITTED:
            if event.job_id in jobs:
                job, run = jobs[event.job_id], list[str]()
                running[event.job_id, event.scheduled_run_times[-1]] = job, run
                reports.put(lambda: run.append(job.began()))
        elif (found := running.pop((event.job_id, event.scheduled_run_time), None)) is not None:
            job, run = found
            has_failed = event.code != events.EVENT_JOB_EXECUTED
            reports.put(lambda: job.ended(run[0], has_failed=has_failed))

    ends = events.EVENT_JOB_EXECUTED | events.EVENT_JOB_ERROR | events.EVENT_JOB_MISSED
    scheduler.add_listener(note, events.EVENT_JOB_SUBMITTED | ends)


class _Reports:
    """Made one after the other in a thread: a listener is called in the scheduler's own, or in an event loop."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, report: Callable[[], object]) -> None:
        if self._waiting.qsize() >= _MOST_REPORTS:
            warn_once("reports", line("not_reported", name="…", why=f"> {_MOST_REPORTS}"))
            return
        self._waiting.put(report)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._make, name="wecom_logging reports", daemon=True)
            self._thread.start()
            atexit.register(self._end)

    def _make(self) -> None:
        while (report := self._waiting.get()) is not None:
            report()

    def _end(self) -> None:
        """The program exits: what has run has said so by then."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(_EXIT_S)


def _times(scheduler: Any) -> Iterator[tuple[str, Times]]:
    from ._schedules import Times

    cron: Any = need("apscheduler.triggers.cron", "3.9.1", "APScheduler")
    interval: Any = need("apscheduler.triggers.interval", "3.9.1", "APScheduler")
    once: Any = need("apscheduler.triggers.date", "3.9.1", "APScheduler")
    for job in scheduler.get_jobs():
        trigger, is_paused = job.trigger, getattr(job, "next_run_time", job) is None
        if is_paused or isinstance(trigger, once.DateTrigger):
            continue
        text, late_s = str(trigger), float(getattr(trigger, "jitter", None) or 0)
        cron_line, every_s, zone = "", 0.0, ""
        if isinstance(trigger, interval.IntervalTrigger):
            begins = datetime.now(UTC) + trigger.interval
            is_endless = trigger.end_date is None and trigger.start_date <= begins
            every_s = trigger.interval_length if is_endless else 0.0
        elif isinstance(trigger, cron.CronTrigger):
            begins = datetime.now(UTC)
            is_endless = trigger.end_date is None and (trigger.start_date is None or trigger.start_date <= begins)
            cron_line, zone = _crontab(trigger) if is_endless else "", str(trigger.timezone)
        yield _called(job), Times(text=text, cron=cron_line, zone=zone, every_s=every_s, late_s=late_s)


def _crontab(trigger: Any) -> str:
    """The line that says when a trigger is due; none if there is none. Its Monday is 0, that of a crontab is 1."""
    from ._schedules import crontab

    found = {field.name: field for field in trigger.fields}
    second, day, weekday = found["second"], found["day"], found["day_of_week"]
    if str(found["year"]) != "*" or str(found["week"]) != "*" or len(_values(second)) != 1:
        return ""
    minutes, hours, months = (_values(found[name]) for name in ("minute", "hour", "month"))
    weekdays = {(number + 1) % 7 for number in _values(weekday)}
    if days := _values(day):
        return crontab(minutes, hours, days, months, weekdays)
    if len(day.expressions) > 1 or len(weekdays) < 7:
        return ""
    minute, hour, _, month, _ = crontab(minutes, hours, range(1, 32), months, range(7)).split()
    (one,) = day.expressions
    if not hasattr(one, "option_num"):
        return f"{minute} {hour} L {month} *"
    which = "L" if one.option_num == _LAST else f"#{one.option_num + 1}"
    return f"{minute} {hour} * {month} {(one.weekday + 1) % 7}{which}"


def _values(field: Any) -> Collection[int]:
    """All that a field asks for; none where one of its expressions depends on the month, as "last" does."""
    fields: Any = need("apscheduler.triggers.cron.fields", "3.9.1", "APScheduler")
    least, most = fields.MIN_VALUES[field.name], fields.MAX_VALUES[field.name]
    found: set[int] = set()
    for one in field.expressions:
        if hasattr(one, "option_num") or str(one) == "last":
            return ()
        first, last = getattr(one, "first", least), getattr(one, "last", most)
        found.update(range(first, (most if last is None else last) + 1, one.step or 1))
    return found


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
