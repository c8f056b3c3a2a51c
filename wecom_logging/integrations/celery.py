"""Celery: a task that failed for the last time, with its arguments; the process of the task sends it.

    from wecom_logging.integrations.celery import connect, expect_beat
    connect()  # also for handlers that do not stand on the root logger, which are wired without it
    expect_beat(app)  # what beat does not start is told, too

Source: https://docs.celeryq.dev/en/stable/userguide/signals.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from .._capture.context import context
from .._capture.duplicates import is_about, is_the_same
from .._capture.record import exception_of
from .._render.words import TASK_FAILED
from .._runtime.standing import standing
from .._telling import Teller, record_of, text_of
from .._text.cut import cap
from ..handlers import live_handlers
from . import need

if TYPE_CHECKING:
    from .._expect import Expectation
    from ..handlers import AlertHandler
    from ._schedules import Times

_MAX_BYTES = 1024
_TASKS = "celery.task"
_EMPTIED = ("", "celery", _TASKS, "celery.redirected")
"""The loggers whose handlers a worker takes away (``worker_hijack_root_logger``), by their names."""
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
    _receivers().obey(Teller(handler, "celery"))


def connect_by_itself() -> None:
    """Do what `connect` does for the handlers that Celery takes from its loggers, but for those whose option says no.

    Called in a worker or beat, unasked: a handler that stands on a logger of the program alone gets what is logged
    there.
    """
    if any(handler.wires_celery for handler in live_handlers()):
        _receivers().remember()
    signals: Any = need("celery.signals", "5.2", "celery")
    for are_set_up in (signals.celeryd_after_setup, signals.beat_init):
        are_set_up.connect(_say_who_is_missed, weak=False, dispatch_uid="wecom_logging.missed")


def _say_who_is_missed(**_: object) -> None:
    standing.tell(taken_s=0, others_s=0)


@cache
def _receivers() -> _Receivers:
    """The receivers of this process, connected once."""
    signals: Any = need("celery.signals", "5.2", "celery")
    receivers = _Receivers()
    logging.getLogger("celery.worker.request").addFilter(receivers.know_again)
    for signal, receiver in (
        (signals.celeryd_init, receivers.remember),
        (signals.after_setup_logger, receivers.after_setup),
        (signals.after_setup_task_logger, receivers.after_setup_of_tasks),
        (signals.celeryd_after_setup, receivers.started),
        (signals.task_prerun, receivers.begin),
        (signals.task_postrun, receivers.end),
        (signals.task_failure, receivers.failed),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"wecom_logging.{receiver.__name__}")
    return receivers


class _Receivers:
    """Receives the signals of a worker. Without a teller, nobody has called `connect`."""

    def __init__(self) -> None:
        self._teller: Teller | None = None
        self._stood: dict[str, list[AlertHandler]] = {}
        """The handlers of the loggers that a worker empties, by the names of these."""
        self._kept: list[AlertHandler] = []
        """Logging knows them weakly, and the root is about to forget them."""
        self._lost: tuple[str, BaseException] | None = None

    def obey(self, teller: Teller) -> None:
        """From now on, tell what fails to whom it says."""
        self._teller = teller
        self.remember()

    def remember(self, **_: object) -> None:
        for handler in live_handlers():
            if self._teller is None and not handler.wires_celery:
                continue
            self._kept.append(handler)
            for name in _EMPTIED:
                stood = self._stood.setdefault(name, [])
                if handler in logging.getLogger(name).handlers and handler not in stood:
                    stood.append(handler)

    def after_setup(self, **_: object) -> None:
        for name in _EMPTIED:
            if name != _TASKS:  # Celery gives that one no console if it has a handler by now
                self._put_back(name, name)

    def after_setup_of_tasks(self, logger: logging.Logger, **_: object) -> None:
        self._put_back(_TASKS, _TASKS)
        if not logger.propagate:  # what `get_task_logger` gives no longer reaches the root
            self._put_back("", _TASKS)

    def _put_back(self, name: str, to: str) -> None:
        logger = logging.getLogger(to)
        for handler in self._stood.get(name, ()):
            if handler not in logger.handlers:
                logger.addHandler(handler)

    def know_again(self, record: logging.LogRecord) -> bool:
        """The main process logs a task whose process is lost after its signal: with the exception of the signal inside
        another, or, after a hard time limit, with the task's id alone.
        """
        error = exception_of(record)
        inner = getattr(error, "exc", None)
        if error is not None and isinstance(inner, BaseException):
            is_the_same(error, inner)
        elif error is None and self._lost is not None and isinstance(record.args, tuple):
            task_id, lost = self._lost
            if task_id in record.args:
                is_about(record, lost)
        return True

    def started(self, **_: object) -> None:
        if self._teller is not None:
            self._teller.at_start()

    def begin(self, task: Any, task_id: str, args: Any, kwargs: Any, **_: object) -> None:
        request = task.request
        request._wecom_token = context.set(lambda: _fields(task, request, task_id, args, kwargs))

    def end(self, task: Any, **_: object) -> None:
        token = getattr(task.request, "_wecom_token", None)
        if token is not None:
            try:
                context.reset(token)
            except ValueError:  # another greenlet's or thread's
                context.set(None)

    def failed(self, sender: Any, task_id: str, exception: BaseException, args: Any, kwargs: Any, **_: object) -> None:
        if isinstance(exception, sender.throws):  # the program expects it: Celery logs it at INFO
            return
        if not context.get():  # the worker's main process, which gives this signal twice for one hard time limit
            lost = self._lost
            if lost is not None and lost[0] == task_id and type(lost[1]) is type(exception):
                is_the_same(exception, lost[1])
            self._lost = task_id, exception
        fields = None if context.get() else _fields(sender, sender.request, task_id, args, kwargs)
        record = record_of(exception, TASK_FAILED, sender.name, logger="celery", fields=fields)
        if self._teller is not None:
            self._teller.tell(record)
            return
        for handler in {id(one): one for stood in self._stood.values() for one in stood}.values():
            Teller(handler, "celery").tell(record)


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
