"""`expect`: a job that has to run. It is declared where somebody watches, and reports itself where it runs."""

from __future__ import annotations

import functools
import inspect
import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from . import _config as config
from ._build import shared_state
from ._delivery.pipeline import Pipeline
from ._jobs.declared import Declared, declared, newest
from ._jobs.job import MAX_NAME, Spec, Target
from ._jobs.schedule import schedule_of
from ._lines import explained, line
from ._runtime.clock import within
from ._runtime.version import with_extra
from ._runtime.warn import warn_once
from ._state.jobs import Jobs as SharedJobs
from ._state.shared import Shared, alone
from ._telling import Teller
from .decorators import Notifier
from .errors import ConfigurationError, MissingDependencyError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from ._jobs.base import Jobs

F = TypeVar("F", bound=Callable[..., Any])
Ids = str | int | Iterable[str | int]

REPORT_S = 1.8
"""So long a state is waited for before a job begins, and after it has ended: with all the rest it is 2 s at most."""

_MOST_REPORTERS = 8

_scheduler: ContextVar[str] = ContextVar("wecom_logging_scheduler", default="")

_LINE = "Give cron='30 2 * * *' (minute, hour, day, month, day of the week), '@daily', or every='1h'"
_ZONE = "Give timezone='Asia/Shanghai' or set WECOM_TIMEZONE: a time of the day says nothing without one"


class Expectation:
    """A decorator and a context manager that reports runs of a job; what `expect` returns."""

    def __init__(self, name: str, teller: Teller, notifier: Notifier) -> None:
        self._name = name
        self._teller = teller
        self._notifier = notifier
        self._has_failed = False
        self._open: ContextVar[tuple[str, ...]] = ContextVar("wecom_logging_runs", default=())

    def __call__(self, function: F) -> F:
        """Wrap a function, a coroutine function, or a static or class method: each call is a run."""
        if isinstance(function, staticmethod | classmethod):
            return type(function)(self(function.__func__))
        is_generator = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        if not callable(function) or isinstance(function, type) or is_generator:
            raise TypeError(f"expect decorates functions and coroutine functions, not {function!r}")
        wrap = self._coroutine if inspect.iscoroutinefunction(function) else self._plain
        return wrap(function)  # type: ignore[return-value] # a wrapper with the function's signature

    def __enter__(self) -> None:
        run = _new_run()
        self._open.set((*self._open.get(), run))
        self._begin(run)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        *others, run = self._open.get() or (_new_run(),)
        self._open.set(tuple(others))
        self._end(run, error)

    def _plain(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            run = _new_run()
            try:
                self._begin(run)
                value = function(*args, **kwargs)
            except BaseException as error:
                self._end(run, error, function)
                raise
            self._end(run, None)
            return value

        return wrapper

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            run = _new_run()
            try:
                await _beside(self._begin, run)
                value = await function(*args, **kwargs)
            except BaseException as error:
                await _beside(self._end, run, error, function)
                raise
            await _beside(self._end, run, None)
            return value

        return wrapper

    def _begin(self, run: str) -> None:
        self._report(lambda jobs: jobs.began(self._name, run))

    def began(self) -> str:
        """A run begins, of a command or a task: what it is called."""
        self._begin(run := _new_run())
        return run

    def if_unknown(self) -> list[str] | None:
        """The names of all jobs that programs have declared, where this is none of them; None: it is, or no report got
        through."""
        names: list[str] | None = None

        def look(jobs: Jobs) -> None:
            nonlocal names
            names = [*(names or []), *(name for name, row in jobs.all()[0].items() if row.job.spec.targets)]

        if not self._has_failed:
            self._report(look)
        return None if self._has_failed or names is None or self._name in names else names

    def ended(self, run: str, *, has_failed: bool) -> None:
        """It has ended, and whoever ran it tells why if it failed."""
        self._report(lambda jobs: jobs.ended(self._name, run, has_failed=has_failed))

    def _end(self, run: str, error: BaseException | None, function: Callable[..., Any] | None = None) -> None:
        has_failed = error is not None and not (isinstance(error, SystemExit) and not error.code)
        self.ended(run, has_failed=has_failed)
        if isinstance(error, Exception):
            self._notifier.tell(error, function)

    def _report(self, report: Callable[[Jobs], None]) -> None:
        """In each state that the handlers have. It raises no `Exception`, and takes `REPORT_S` at most."""
        with within(time.monotonic() + REPORT_S), self._told():
            for jobs in self._places():
                with self._told():  # another state may have it
                    report(jobs)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong is a line on stderr."""
        try:
            yield
        except Exception as error:
            from ._masking.redact import redact

            self._has_failed = True
            why = explained(error) or type(error).__name__
            warn_once(f"expect {self._name}", line("not_reported", name=redact(self._name), why=why))

    def _places(self) -> Iterator[Jobs]:
        found = _pipelines(self._teller)
        shared = {id(one.options.shared): one for one in found if one.options.shared is not alone}
        if shared or found:
            yield from (one.jobs for one in shared.values() or found)
        elif (state := shared_state(None)) is not alone:  # a script that logs nothing
            yield _jobs_of(state)
        elif not _switched_off(self._teller):
            raise ConfigurationError("state", "missing", "Set WECOM_STATE, or give a handler of the program state=…")


def _pipelines(teller: Teller) -> list[Pipeline]:
    found = [getattr(handler, "_pipeline", None) for handler in teller.found()]
    return [one for one in found if isinstance(one, Pipeline) and not one.closed()]


def _switched_off(teller: Teller) -> list[Mapping[str, Any]]:
    """Options of handlers that are there, and send nothing."""
    found = [getattr(handler, "_given", None) for handler in teller.found()]
    return [one for one in found if one is not None]


@functools.lru_cache(8)
def _jobs_of(shared: Shared) -> SharedJobs:
    return SharedJobs(shared)


def _new_run() -> str:
    return os.urandom(6).hex()


async def _beside(report: Callable[..., None], *args: Any) -> None:
    """No loop waits for a state."""
    import asyncio

    try:
        job = functools.partial(copy_context().run, report, *args)
        done = asyncio.get_running_loop().run_in_executor(_reporters(os.getpid()), job)
    except RuntimeError:  # a loop that is not asyncio's, or no thread can be started any more
        report(*args)
    else:
        await asyncio.shield(done)


@functools.lru_cache(1)
def _reporters(pid: int) -> ThreadPoolExecutor:
    """Threads of a process that report: those of a loop may all be busy for long."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_MOST_REPORTERS, "wecom_logging reports")


def expect(
    name: str,
    /,
    *,
    cron: str | None = None,
    every: str | None = None,
    grace: str = "5m",
    max_runtime: str | None = None,
    level: int | str = logging.ERROR,
    timezone: str | None = None,
    handler: logging.Handler | str | None = None,
    users: Ids | None = None,
    departments: Ids | None = None,
    tags: Ids | None = None,
    leader_of: Ids | None = None,
) -> Expectation:
    """Say that a job has to run, and send an alert if it does not.

    ``expect("backup", cron="30 2 * * *", max_runtime="2h")`` in a program that goes on declares it, to all that share
    its state: any of them tells. ``@expect("backup")`` on a function, or ``with expect("backup"):``, in the job reports
    that it starts and ends; an exception is one alert and is raised again. Both may be in one program or in two. A
    command is reported by ``wecom-logging run --expect backup -- ./backup.sh``.

    ``cron`` is a line of a crontab in ``timezone`` (WECOM_TIMEZONE, or that of a handler), with the extra ``jobs``;
    ``every`` counts from start to start. A run may start ``grace`` late (5 minutes), and take ``max_runtime``; lengths
    are texts with a unit, such as ``"20m"``, ``"2h"``. What was missed again and again is one incident, which the next
    run closes. ``level``, ``users``, ``departments``, ``tags``, ``leader_of``: those of the alert. ``handler``: which
    handler tells it, or its name; without it every live WeCom handler that has a state, else each alone.

    A report waits 2 s at most for the state, and costs the job no exception. It lasts until ``wecom-logging jobs
    forget``. Raises `ConfigurationError`.
    """
    name = config.text("name", name, remedy='Give expect("what has to run", …)')
    if len(name.encode()) > MAX_NAME:
        raise ConfigurationError("name", "too_long", most=str(MAX_NAME))
    teller, at_level = Teller(handler, "expect", "its report"), config.level("level", level)
    who = None
    if (given := [users, departments, tags, leader_of]) != [None] * 4:
        who = config.recipients(*(() if one is None else one for one in given))
    grace_s = config.duration("grace", grace, least=0, most=30 * 86_400)
    longest_s = 0.0 if max_runtime is None else config.duration("max_runtime", max_runtime)
    every_s = 0.0 if every is None else config.duration("every", every, least=60)
    if cron is not None and every is not None:
        raise ConfigurationError("every", "given_twice", other="cron")
    if cron is not None or every_s or longest_s:
        zone = _zone(timezone, teller, is_needed=cron is not None)
        spec = Spec(
            name=name,
            cron="" if cron is None else _line(cron, zone),
            every_s=every_s,
            zone=zone,
            grace_s=grace_s,
            max_runtime_s=longest_s,
            level=at_level,
            scheduler=_scheduler.get(),
            targets=() if who is None else (Target(channel="", recipients=who),),
        )
        _declare(spec, teller)
    return Expectation(name, teller, Notifier(handler, name, level, (), False))


@contextmanager
def started_by(scheduler: str) -> Iterator[None]:
    """Names, by a word, the scheduler that starts all jobs which are declared within it."""
    before = _scheduler.set(scheduler)
    try:
        yield
    finally:
        _scheduler.reset(before)


def _line(cron: object, zone: str) -> str:
    given = config.text("cron", cron, remedy=_LINE)
    try:
        schedule_of(given, zone)
    except ImportError:
        raise MissingDependencyError("cron", "needs_package", package="cronsim", install=with_extra("jobs")) from None
    except ValueError as error:
        why = str(error)
    else:
        return given
    raise ConfigurationError("cron", "not_a_cron", _LINE, why=why)


def _zone(given: str | None, teller: Teller, *, is_needed: bool) -> str:
    """The name of the zone of a job: it is never guessed."""
    zones = [config.timezone(given), *(one.options.looks.zone for one in _pipelines(teller))]
    zones += [config.timezone(options.get("timezone")) for options in _switched_off(teller)]
    found = next((str(zone) for zone in zones if zone is not None), "")
    if is_needed and not found:
        raise ConfigurationError("timezone", "missing", _ZONE)
    return found


def _declare(spec: Spec, teller: Teller) -> None:
    """Let the workers of the handlers know it; those of handlers that come later, too."""

    def channels() -> Collection[str]:
        found = _pipelines(teller)
        with_state = [one for one in found if one.options.shared is not alone]
        return {one.channel_id for one in with_state or found}

    new = Declared(spec, channels, os.getpid(), teller.handler)
    before = newest.get(new.place)
    if before is not None and (before.spec, before.pid) == (spec, new.pid):  # as with each turn of a loop
        return
    newest[new.place] = new
    declared.append(new)
    teller.at_start()
    for one in _pipelines(teller):
        one.look()
