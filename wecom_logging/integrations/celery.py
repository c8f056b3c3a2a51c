"""Celery: a task that failed for the last time, with its arguments; the process of the task sends it.

    from wecom_logging.integrations.celery import connect, expect_beat
    connect()
    expect_beat(app)  # what beat does not start is told, too

Source: https://docs.celeryq.dev/en/stable/userguide/signals.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._capture.context import context
from .._capture.duplicates import is_about, is_the_same
from .._capture.record import exception_of
from .._render.words import TASK_FAILED
from .._telling import Teller, record_of, text_of
from .._text.cut import cap
from ..handlers import live_handlers
from . import need

if TYPE_CHECKING:
    from .._expect import Expectation
    from ._schedules import Times

_MAX_BYTES = 1024
_kept: list[Any] = []
_JOB = "wecom_job"
"""The header of a task that says which entry of the schedule it is."""

_expected: dict[str, Expectation] = {}


def connect(handler: logging.Handler | str | None = None) -> None:
    """Send tasks that fail, and add the task to every alert of it.

    Celery's worker empties the root logger when it sets up logging: handlers that exist by then are added again, those
    of Django's ``LOGGING`` too, which are made after the project's ``celery.py`` was imported. A task that is tried
    again is sent once its retries are used up, with their number. ``handler``: a handler or its name in
    the logging config; without it every live WeCom handler. Raises `ConfigurationError`.
    """
    signals: Any = need("celery.signals", "5.2", "celery")
    teller = Teller(handler, "celery")
    ours: list[logging.Handler] = []

    def remember(**_: object) -> None:
        found = list(live_handlers())
        ours.extend(one for one in found if one in logging.getLogger().handlers and one not in ours)
        _kept.extend(found)  # logging knows them weakly, and the root is about to forget them

    remember()
    lost: tuple[str, BaseException] | None = None

    def know_again(record: logging.LogRecord) -> bool:
        """The main process logs a task whose process is lost after its signal: with the exception of the signal inside
        another, or, after a hard time limit, with the task's id alone.
        """
        error = exception_of(record)
        inner = getattr(error, "exc", None)
        if error is not None and isinstance(inner, BaseException):
            is_the_same(error, inner)
        elif error is None and lost is not None and isinstance(record.args, tuple) and lost[0] in record.args:
            is_about(record, lost[1])
        return True

    logging.getLogger("celery.worker.request").addFilter(know_again)

    def after_setup(logger: logging.Logger, **_: object) -> None:
        for one in ours:
            if one not in logger.handlers:
                logger.addHandler(one)

    def started(**_: object) -> None:
        teller.at_start()

    def begin(task: Any, task_id: str, args: Any, kwargs: Any, **_: object) -> None:
        request = task.request
        request._wecom_token = context.set(lambda: _fields(task, request, task_id, args, kwargs))

    def end(task: Any, **_: object) -> None:
        token = getattr(task.request, "_wecom_token", None)
        if token is not None:
            try:
                context.reset(token)
            except ValueError:  # another greenlet's or thread's
                context.set(None)

    def failed(sender: Any, task_id: str, exception: BaseException, args: Any, kwargs: Any, **_: object) -> None:
        if isinstance(exception, sender.throws):  # the program expects it: Celery logs it at INFO
            return
        if not context.get():  # the worker's main process, which gives this signal twice for one hard time limit
            nonlocal lost
            if lost is not None and lost[0] == task_id and type(lost[1]) is type(exception):
                is_the_same(exception, lost[1])
            lost = task_id, exception
        fields = None if context.get() else _fields(sender, sender.request, task_id, args, kwargs)
        teller.tell(record_of(exception, TASK_FAILED, sender.name, logger="celery", fields=fields))

    for signal, receiver in (
        (signals.celeryd_init, remember),
        (signals.after_setup_logger, after_setup),
        (signals.celeryd_after_setup, started),
        (signals.task_prerun, begin),
        (signals.task_postrun, end),
        (signals.task_failure, failed),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"wecom_logging.{receiver.__name__}")


def expect_beat(
    app: Any,
    *,
    grace: str = "5m",
    max_runtime: str | None = None,
    level: int | str = logging.ERROR,
    handler: logging.Handler | str | None = None,
) -> None:
    """Say that each task of ``app.conf.beat_schedule`` has to run when it is due, and send an alert if it does not.

    Call it in the module of the app, which beat and workers load, when the schedule is set: it is read once. It puts a
    header into each entry, so that a worker knows again what beat has sent; a task that somebody else sends is no run.
    With a shared state, workers notice that beat has died. What is due by the sun, more often than once a minute, or by
    days of the month and of the week at once, is left out, which a line on stderr says. The options are those of
    `expect`. Raises `ConfigurationError`.
    """
    schedules: Any = need("celery.schedules", "5.2", "celery")
    signals: Any = need("celery.signals", "5.2", "celery")
    from ._schedules import expect_each

    _expected.update(expect_each("celery", "beat", _times(app, schedules), grace, max_runtime, level, handler))
    entries = app.conf.beat_schedule
    for name in _expected.keys() & entries.keys():
        given = dict(entries[name])
        options = given.get("options") or {}
        headers = {**(options.get("headers") or {}), _JOB: name}
        entries[name] = {**given, "options": {**options, "headers": headers}}

    def begin_run(task: Any, **_: object) -> None:
        if (job := _expected.get(str(task.request.get(_JOB)))) is not None:
            task.request._wecom_run = job, job.began()

    def end_run(task: Any, state: str | None = None, **_: object) -> None:
        if (found := getattr(task.request, "_wecom_run", None)) is not None:
            job, run = found
            job.ended(run, has_failed=state in ("FAILURE", "RETRY"))

    signals.task_prerun.connect(begin_run, weak=False, dispatch_uid="wecom_logging.begin_run")
    signals.task_postrun.connect(end_run, weak=False, dispatch_uid="wecom_logging.end_run")


def _times(app: Any, schedules: Any) -> Iterator[tuple[str, Times]]:
    from ._schedules import Times, crontab

    for name, entry in app.conf.beat_schedule.items():
        due = schedules.maybe_schedule(dict(entry)["schedule"], app=app)
        text = str(due)
        if isinstance(due, schedules.crontab):
            cron = crontab(due.minute, due.hour, due.day_of_month, due.month_of_year, due.day_of_week)
            yield name, Times(text=text, cron=cron, zone=str(app.timezone))
        else:  # one by the sun has no length
            every = getattr(due, "run_every", None)
            yield name, Times(text=text, every_s=every.total_seconds() if every is not None else 0.0)


def _fields(task: Any, request: Any, task_id: str, args: Any, kwargs: Any) -> Mapping[str, object]:
    """Arguments as Celery shows them, where their sender hides some of them (``argsrepr``, ``kwargsrepr``)."""
    found: dict[str, object] = {"task": task.name, "id": task_id}
    if request.id != task_id:  # in another process than the task's: nothing says what may be shown
        return found
    for name, values in (("args", args), ("kwargs", kwargs)):
        if values:
            found[name] = cap(text_of(request.get(f"{name}repr") or values), _MAX_BYTES)
    if request.retries:
        found["retries"] = request.retries
    return found
