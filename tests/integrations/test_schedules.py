"""Schedules of Celery and APScheduler as lines of a crontab: when frameworks themselves say that a task is due."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import celery
import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from celery import signals
from celery.schedules import BaseSchedule, crontab

from tests.programs import app_handler, run
from tests.test_expect import soon
from wecom_logging import WeComHandler
from wecom_logging._jobs import declared as declared_here
from wecom_logging._jobs.job import Spec
from wecom_logging._jobs.schedule import Cron
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError, MissingDependencyError
from wecom_logging.integrations import celery as ours
from wecom_logging.integrations.apscheduler import expect_scheduler
from wecom_logging.integrations.celery import expect_beat


@pytest.fixture(autouse=True)
def handler(sandbox: Sandbox) -> Iterator[WeComHandler]:
    """That of the process; nothing is expected after a test."""
    made = app_handler(sandbox.url, timezone="Asia/Shanghai")
    yield made
    made.close()
    declared_here.declared.clear()
    declared_here.newest.clear()
    ours._expected.clear()


def declared() -> dict[str, Spec]:
    return {one.spec.name: one.spec for one in declared_here.declared}


def of_cron(line: str, zone: str, begin: datetime, end: datetime) -> list[datetime]:
    cron, found, at = Cron(line, ZoneInfo(zone)), [], begin.timestamp()
    while (at := cron.after(at)) < end.timestamp():
        found.append(datetime.fromtimestamp(at, UTC))
    return found


def of_apscheduler(trigger: CronTrigger, begin: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    now = begin + timedelta(microseconds=1)
    while (due := trigger.get_next_fire_time(found[-1] if found else None, now)) and due.timestamp() < end.timestamp():
        found.append(due)
        now = due
    return [one.astimezone(UTC).replace(second=0) for one in found]


def of_celery(due: crontab, begin: datetime, end: datetime) -> list[datetime]:
    """As beat asks: when the last is run it says how long it waits."""
    found, last = [], begin
    while True:
        due.nowfun = lambda now=last: now
        last = last + due.remaining_estimate(last)
        if last >= end:
            return found
        found.append(last)


APSCHEDULER: list[dict[str, Any]] = [
    {"hour": 2, "minute": 30},
    {"hour": "9-17", "day_of_week": "mon-fri"},
    {"day_of_week": "0,6", "hour": 5, "minute": 5, "second": 30},
    {"minute": "*/15"},
    {"minute": "10-50/20", "hour": "*/6"},
    {"month": "jan,mar-jun", "day": "1-7,31", "hour": 4},
    {"day": "last", "hour": 3, "minute": 15},
    {"day": "2nd tue", "hour": 1},
    {"day": "last fri", "hour": 1},
    {"hour": 0, "day_of_week": "sat-sun"},
]


@pytest.mark.parametrize("given", APSCHEDULER, ids=str)
def test_a_trigger_of_apscheduler_is_due_as_it_says(given: dict[str, Any]) -> None:
    scheduler = BackgroundScheduler(timezone="Asia/Shanghai")
    trigger = CronTrigger(timezone="Asia/Shanghai", **given)
    scheduler.add_job(print, trigger, id="job")
    expect_scheduler(scheduler)
    spec = declared()["job"]
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 5, tzinfo=UTC)
    if given.get("minute") == "*/15":
        end = datetime(2026, 1, 20, tzinfo=UTC)
    times = of_cron(spec.cron, spec.zone, begin, end)
    assert len(times) > 4
    assert times == of_apscheduler(trigger, begin, end)


CELERY: list[dict[str, Any]] = [
    {"hour": 2, "minute": 30},
    {"minute": "*/15"},
    {"minute": "*/20", "hour": "8-10,22"},
    {"minute": 0, "hour": 6, "day_of_week": "mon,fri"},
    {"minute": 0, "hour": 6, "day_of_week": "0,6"},
    {"minute": 5, "hour": 1, "day_of_month": "1,15,31"},
    {"minute": 5, "hour": 1, "day_of_month": "2-10/3", "month_of_year": "*/2"},
]


@pytest.mark.parametrize("given", CELERY, ids=str)
def test_an_entry_of_beat_is_due_as_it_says(given: dict[str, Any]) -> None:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.timezone = "Asia/Shanghai"
    due = crontab(app=app, **given)
    app.conf.beat_schedule = {"job": {"task": "shop.job", "schedule": due}}
    expect_beat(app)
    spec = declared()["job"]
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 5, tzinfo=UTC)
    if given == {"minute": "*/15"}:
        end = datetime(2026, 1, 20, tzinfo=UTC)
    times = of_cron(spec.cron, spec.zone, begin, end)
    assert len(times) > 4
    assert times == of_celery(due, begin, end)


def test_where_clocks_change_a_framework_runs_what_is_left_out_later_than_cron() -> None:
    """Within the hour, twice a year, and not in China: a grace of a little more is enough."""
    begin, end = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    (due,) = of_cron("30 2 * * *", "Europe/Berlin", begin, end)
    app = celery.Celery("shop", set_as_current=False)
    app.conf.timezone = "Europe/Berlin"
    half_an_hour = [due + timedelta(minutes=30)]
    assert of_celery(crontab(app=app, hour=2, minute=30), begin, end) == half_an_hour
    assert of_apscheduler(CronTrigger(hour=2, minute=30, timezone="Europe/Berlin"), begin, end) == half_an_hour
    begin, end = datetime(2026, 10, 25, 0, 5, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC)
    due = of_cron("0 * * * *", "Europe/Berlin", begin, end)[0]  # 2:00 for the second time
    assert of_celery(crontab(app=app, minute=0), begin, end)[0] - due == timedelta(hours=1)


def test_jobs_have_names_lengths_and_options(sandbox: Sandbox) -> None:
    app = celery.Celery("shop", set_as_current=False)
    options = {"queue": "books", "headers": {"trace": "7"}}
    app.conf.beat_schedule = {
        "对账": {"task": "shop.reconcile", "schedule": 3600, "options": options},
        "报表": {"task": "shop.report", "schedule": timedelta(days=1)},
    }
    app.add_periodic_task(120.0, celery.signature("shop.sweep", app=app), name="清理")
    expect_beat(app, grace="10m", max_runtime="2h", level="CRITICAL")
    found = declared()
    assert {name: one.every_s for name, one in found.items()} == {"对账": 3600, "报表": 86400, "清理": 120}
    assert {(one.grace_s, one.max_runtime_s, one.level) for one in found.values()} == {(600, 7200, logging.CRITICAL)}
    entries = app.conf.beat_schedule
    headers = {"trace": "7", "wecom_job": "对账"}
    assert entries["对账"]["options"] == {"queue": "books", "headers": headers}
    assert options == {"queue": "books", "headers": {"trace": "7"}}
    assert entries["报表"]["options"]["headers"] == {"wecom_job": "报表"}


def test_a_job_of_apscheduler_has_its_id_or_its_function_as_name_and_its_jitter_as_grace() -> None:
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(print, "interval", hours=1, jitter=90, id="prices")
    scheduler.add_job(print, CronTrigger(hour=3, timezone="Asia/Shanghai"))
    scheduler.add_job(print, "date", run_date="2999-01-01", id="once")
    expect_scheduler(scheduler)
    found = declared()
    assert {name: (one.cron, one.every_s, one.zone, one.grace_s) for name, one in found.items()} == {
        "prices": ("", 3600, "Asia/Shanghai", 390),
        "print": ("0 3 * * *", 0, "Asia/Shanghai", 300),
    }


@pytest.mark.parametrize(("state", "has_failed"), [("SUCCESS", False), ("FAILURE", True), ("RETRY", True)])
def test_a_run_of_a_task_is_from_its_start_in_a_worker_to_its_end(
    handler: WeComHandler, state: str, has_failed: bool
) -> None:
    app = celery.Celery("shop", set_as_current=False)

    @app.task(name="shop.reconcile")
    def task() -> None:
        pass

    app.conf.beat_schedule = {"对账": {"task": "shop.reconcile", "schedule": 3600}}
    expect_beat(app)
    assert handler._pipeline is not None
    jobs = handler._pipeline.jobs
    assert soon(lambda: jobs.find("对账") is not None)
    for name, is_run in (("another's", False), ("对账", True)):
        task.push_request(id="7", wecom_job=name)
        signals.task_prerun.send(sender=task, task=task, task_id="7", args=(), kwargs={})
        row = jobs.find("对账")
        assert row is not None
        assert len(row.job.seen.runs) == is_run
        signals.task_postrun.send(sender=task, task=task, task_id="7", args=(), kwargs={}, retval=None, state=state)
        task.pop_request()
    row = jobs.find("对账")
    assert row is not None
    assert (row.job.seen.runs, row.job.seen.ended > 0, row.job.seen.has_failed) == ((), True, has_failed)


def of_beat(entries: dict[str, Any]) -> None:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.beat_schedule = {name: {"task": "shop.job", "schedule": one} for name, one in entries.items()}
    expect_beat(app)


def of_scheduler(triggers: dict[str, Any]) -> None:
    scheduler = BackgroundScheduler(timezone="UTC")
    for name, one in triggers.items():
        scheduler.add_job(print, one, id=name)
    expect_scheduler(scheduler)


class Dawn(BaseSchedule):
    """As `solar` is, which needs more packages."""

    def __repr__(self) -> str:
        return "<solar: sunrise>"


LATER = datetime(2999, 1, 1, tzinfo=UTC)
LEFT_OUT: list[tuple[Callable[[dict[str, Any]], None], dict[str, Any]]] = [
    (
        of_beat,
        {
            "tick": 5,
            "dawn": Dawn(),
            "first monday": crontab(hour=6, minute=0, day_of_week="mon", day_of_month="1-7"),
            "x" * 101: 3600,
        },
    ),
    (
        of_scheduler,
        {
            "tick": IntervalTrigger(seconds=5, timezone="UTC"),
            "first monday": CronTrigger(hour=6, day="1-7", day_of_week="mon", timezone="UTC"),
            "often": CronTrigger(second="*/10", timezone="UTC"),
            "one year": CronTrigger(year=2998, timezone="UTC"),
            "even weeks": CronTrigger(week="*/2", day_of_week="mon", timezone="UTC"),
            "first or last": CronTrigger(day="1,last", timezone="UTC"),
            "ends": CronTrigger(hour=3, end_date=LATER, timezone="UTC"),
            "begins": CronTrigger(hour=3, start_date=LATER, timezone="UTC"),
            "begins, too": IntervalTrigger(hours=3, start_date=LATER, timezone="UTC"),
            "either": OrTrigger([CronTrigger(hour=3, timezone="UTC"), CronTrigger(hour=5, timezone="UTC")]),
        },
    ),
]


@pytest.mark.parametrize(("expects", "given"), LEFT_OUT, ids=["celery", "apscheduler"])
def test_what_no_line_of_a_crontab_says_is_left_out_and_named(
    expects: Callable[[dict[str, Any]], None], given: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    hourly = IntervalTrigger(hours=1, timezone="UTC") if expects is of_scheduler else 3600
    expects({**given, "hourly": hourly})
    assert set(declared()) == {"hourly"}
    said = capsys.readouterr().err
    assert "when these are due cannot be watched, all others are: " in said
    assert [name for name in given if f"{name} (" not in said] == []
    assert "hourly" not in said


def test_what_is_wrong_for_all_is_an_error_at_start() -> None:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.beat_schedule = {"job": {"task": "shop.job", "schedule": 3600}}
    for options, field in (
        ({"grace": "soon"}, "grace"),
        ({"max_runtime": "x"}, "max_runtime"),
        ({"level": "X"}, "level"),
    ):
        with pytest.raises(ConfigurationError, match=rf"^{field}: "):
            expect_beat(app, **options)
    assert declared() == {}


def test_without_cronsim_a_schedule_with_times_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(MissingDependencyError, match=r"cron: it needs cronsim: pip install .*\[jobs\]"):
        of_beat({"job": crontab(hour=11, minute=37)})


def test_who_expects_nothing_of_a_framework_loads_nothing_and_starts_nothing_for_it() -> None:
    ended = run(
        """
        import sys, threading
        from apscheduler.schedulers.background import BackgroundScheduler
        import wecom_logging
        from wecom_logging.integrations.apscheduler import listen
        from wecom_logging.integrations.celery import connect
        handler = wecom_logging.WeComBotHandler(webhook="key", api_base="http://127.0.0.1:1", exit_timeout=0)
        connect()
        listen(BackgroundScheduler(timezone="UTC"))
        ours = ("_jobs.watch", "_state.jobs", "_expect", "_jobs.schedule", "integrations._schedules")
        print([name for name in ours if f"wecom_logging.{name}" in sys.modules], "cronsim" in sys.modules)
        print([thread.name for thread in threading.enumerate()])
        """
    )
    assert (ended.out, ended.err) == ("[] False\n['MainThread']\n", "")
