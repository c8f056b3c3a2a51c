"""`expect`: declared in one program, reported in another, told by whoever watches; through real programs and states."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sqlite3  # another program at the file of a state
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging import _expect
from wecom_logging._answers.command import Command
from wecom_logging._answers.desk import Desk
from wecom_logging._delivery.leader_pipeline import LeaderPipeline
from wecom_logging._jobs import declared as declared_here
from wecom_logging._jobs.declared import Declared
from wecom_logging._jobs.job import Job
from wecom_logging._runtime import clock
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError, MissingDependencyError
from wecom_logging.handlers import AlertHandler
from wecom_logging.teams import expect

from .programs import ROOT, app_handler, run

SHANGHAI = ZoneInfo("Asia/Shanghai")


def watch_of(pipeline: Any) -> Any:
    return pipeline.watch if isinstance(pipeline, LeaderPipeline) else pipeline._turn.watch


class Service:
    """A program that goes on, whose clock shows what a test says."""

    def __init__(self, handler: AlertHandler, sandbox: Sandbox) -> None:
        assert handler._pipeline is not None
        self.handler, self.pipeline, self._sandbox = handler, handler._pipeline, sandbox
        self._seen = 0
        self.jobs = self.pipeline.jobs
        self.time = time.time()
        self.jobs._time_s = lambda: self.time

    def at(self, text: str) -> None:
        self.time = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()

    def until(self, text: str) -> None:
        end = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()
        while self.time < end:
            step = min(240.0, end - self.time)
            self.time += step
            clock.advance(step)
            self.looks()

    def looks(self) -> None:
        """Its worker has looked."""
        watch = watch_of(self.pipeline)
        before, watch._next = watch._heard, float("-inf")
        self.pipeline.look()
        assert soon(lambda: watch._next > float("-inf")), before

    def job(self, name: str = "对账") -> Job:
        row = self.jobs.find(name)
        assert row is not None
        return row.job

    def told(self, number: int) -> list[str]:
        """So many more messages, as they come."""
        assert soon(lambda: len(self._sandbox.messages()) >= self._seen + number)
        found = [str(message["content"]) for message in self._sandbox.messages()[self._seen :]]
        self._seen += len(found)
        return found


def soon(is_so: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 20
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.01)
    return is_so()


@pytest.fixture(params=["memory", "sqlite"])
def service(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Iterator[Service]:
    state = "memory://" if request.param == "memory" else f"sqlite://{tmp_path}/alerts.db"
    handler = app_handler(sandbox.url, state=state, timezone="Asia/Shanghai", service="shop", rate_limit=None)
    yield Service(handler, sandbox)
    handler.close()


def test_a_job_that_does_not_come_is_told_and_its_next_run_closes_it(service: Service) -> None:
    service.at("2026-11-29T12:00")
    job = expect("对账", cron="30 2 * * *", grace="20m", max_runtime="2h", level="CRITICAL")
    assert soon(lambda: service.jobs.find("对账") is not None)
    service.until("2026-11-30T02:55")
    (missed,) = service.told(1)
    assert missed.split("\n")[:3] == [
        "🚨 CRITICAL shop 对账: job 对账 did not run: it was due 11-30 02:30 Asia/Shanghai",
        "│ last run: (none)",
        "│ schedule: 30 2 * * * (Asia/Shanghai)",
    ]
    with job:
        service.until("2026-11-30T03:05")
    (ran,) = service.told(1)
    assert ran.startswith("✅ shop 对账: #")
    assert re.search(r" ran again (11-30 )?02:55\n", ran)  # the date stands there on another day
    assert (service.job().seen.took_s, service.job().seen.has_failed, service.job().seen.runs) == (600, False, ())


@pytest.mark.parametrize(
    ("fails", "sign", "en", "zh"),
    [
        (
            False,
            "✅",
            "the run of 04:50 has ended, 50 s (at most 30 s)",
            "04:50 开始的运行已结束，耗时 50 秒（最长 30 秒）",
        ),
        (
            True,
            "🟠",
            "the run of 04:50 has failed, 50 s (at most 30 s)",
            "04:50 开始的运行已失败，耗时 50 秒（最长 30 秒）",
        ),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_that_ends_after_its_longest_time_says_how_long_it_took(
    sandbox: Sandbox, language: str, fails: bool, sign: str, en: str, zh: str
) -> None:
    service = late_service(sandbox, language)
    with suppress(ValueError), expect("对账"):
        service.until("2026-11-30T04:50:50")
        service.looks()  # what a look has found goes with the next turn
        (over,) = service.told(1)
        assert {"en": "is still running, or was killed", "zh": "仍在运行或已被终止"}[language] in over
        if fails:
            raise ValueError("the books differ")
    told = service.told(fails)
    service.until("2026-11-30T04:51:50")
    service.looks()
    (ended,) = service.told(1)
    assert [("ValueError" in one) for one in told] == [True] * fails
    said = ended.replace("11-30 ", "", 1).split("\n")[0]  # the date stands there on another day
    assert (
        re.sub(r"#\w+", "#k7f2", said)
        == {"en": f"{sign} shop 对账: #k7f2 {en}", "zh": f"{sign} shop 对账：#k7f2 {zh}"}[language]
    )
    service.handler.close()


@pytest.mark.parametrize(
    ("fails", "sign", "en", "zh"),
    [
        (False, "✅", "ran again 07:00", "07:00 已再次运行"),
        (True, "🟠", "ran again 07:00, and failed", "07:00 已再次运行，但失败了"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_that_closes_a_miss_and_fails_is_no_good_news(
    sandbox: Sandbox, language: str, fails: bool, sign: str, en: str, zh: str
) -> None:
    service = late_service(sandbox, language)
    service.until("2026-11-30T07:00")
    (missed,) = service.told(1)
    assert {"en": "did not run", "zh": "没有运行"}[language] in missed
    with suppress(ValueError), expect("对账"):
        if fails:
            raise ValueError("the books differ")
    service.until("2026-11-30T07:01")
    service.looks()
    (ran,) = (one for one in service.told(1 + fails) if "ValueError" not in one)
    said = ran.replace("11-30 ", "", 1).split("\n")[0]
    assert (
        re.sub(r"#\w+", "#k7f2", said)
        == {"en": f"{sign} shop 对账: #k7f2 {en}", "zh": f"{sign} shop 对账：#k7f2 {zh}"}[language]
    )
    service.handler.close()


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)  # in memory a case of tests/cases/jobs.txt holds it
def test_a_miss_after_a_run_that_took_too_long_is_another_incident(service: Service) -> None:
    service.at("2026-11-30T04:50")
    job = expect("对账", every="1h", max_runtime="30s")
    assert soon(lambda: service.jobs.find("对账") is not None)
    with job:
        service.until("2026-11-30T04:51")
        service.looks()
        (over,) = service.told(1)
    service.until("2026-11-30T04:52")
    service.looks()
    (ended,) = service.told(1)
    service.until("2026-11-30T06:30")
    (missed,) = service.told(1)
    missed = missed.split("\n")[0]
    assert "may take 30 s" in over
    assert "has ended, 1 min 0 s (at most 30 s)" in ended
    assert missed == "🔴 ERROR shop 对账: job 对账 did not run: it was due 11-30 05:50 Asia/Shanghai"


def late_service(sandbox: Sandbox, language: str) -> Service:
    """Of a job that may take 30 seconds, at ten to five."""
    handler = app_handler(sandbox.url, language=language, timezone="Asia/Shanghai", service="shop", rate_limit=None)
    service = Service(handler, sandbox)
    service.at("2026-11-30T04:50")
    expect("对账", every="1h", max_runtime="30s")
    assert soon(lambda: service.jobs.find("对账") is not None)
    return service


@pytest.mark.parametrize(
    ("language", "ends", "again"),
    [
        (
            "en",
            "🚫 shop 对账: #k7f2 张三 stopped watching job 对账 TIME",
            "✋ shop 对账: #k7f2 张三 watches job 对账 again TIME",
        ),
        (
            "zh",
            "🚫 shop 对账：#k7f2 张三于 TIME 停止监视任务“对账”",
            "✋ shop 对账：#k7f2 张三于 TIME 恢复监视任务“对账”",
        ),
    ],
)
def test_all_who_got_it_read_that_a_person_stopped_watching_a_job_and_an_undo_restores_the_watch(
    sandbox: Sandbox, language: str, ends: str, again: str
) -> None:
    service = late_service(sandbox, language)
    desk = Desk(lambda: [service.pipeline.place], time_s=lambda: service.time)
    service.until("2026-11-30T06:00")
    service.told(1)
    (incident,) = service.handler.incidents()
    spec = service.job().spec
    for verb, said in (("forget", ends), ("undo", again)):
        assert desk.do(Command(verb, incident.short_id), "张三", "chat x").why == ""
        assert (service.jobs.find("对账") is None) == (verb == "forget")
        service.until("2026-11-30T06:20" if verb == "forget" else "2026-11-30T06:25")
        service.looks()
        (line,) = service.told(1)
        first = re.sub(r"#\w+", "#k7f2", line.split("\n")[0].replace("11-30 ", ""))
        assert re.sub(r"\d\d:\d\d", "TIME", first.partition("；现")[0].partition("; nobody")[0]) == said
    assert service.job().spec == spec
    with expect("对账"):  # what the run closes is as before
        pass
    service.until("2026-11-30T06:26")
    service.looks()
    assert {"en": "ran again", "zh": "已再次运行"}[language] in service.told(1)[0]
    service.handler.close()


def test_of_a_time_in_which_nobody_watched_each_job_is_named_once(service: Service) -> None:
    service.at("2026-11-29T12:00")
    for name, level, grace in (("对账", "ERROR", "5m"), ("备份", "CRITICAL", "5m"), ("报表", "ERROR", "20m")):
        expect(name, cron="30 2 * * *", level=level, grace=grace)
    assert soon(lambda: len(service.jobs.all()[0]) == 3)
    service.until("2026-11-30T02:00")
    service.at("2026-11-30T03:10")
    clock.advance(70 * 60)
    service.until("2026-11-30T03:24")
    told = service.told(1)
    service.until("2026-11-30T03:50")
    told += service.told(1)
    service.handler.flush(20)
    told += service.told(0)
    text = "shop jobs: nobody watched from 11-30 02:00 Asia/Shanghai to 11-30 03:14 Asia/Shanghai"
    heads = [one.split("\n")[0] for one in told]
    names = "jobs that may not have run: "
    assert heads == [f"🟠 WARNING × 2 {text}; {names}备份, 对账", f"🟠 WARNING {text}; {names}报表"]


@pytest.mark.parametrize("is_shared", [False, True])
def test_what_is_declared_before_there_is_a_handler_is_watched_by_it(
    sandbox: Sandbox, tmp_path: Path, is_shared: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    expect("对账", every="1h")
    assert "until there is one, nothing is sent" in capsys.readouterr().err
    handler = app_handler(sandbox.url, state=f"sqlite://{tmp_path}/alerts.db" if is_shared else "memory://")
    assert soon(lambda: Service(handler, sandbox).jobs.find("对账") is not None)
    handler.close()


def test_a_failed_run_is_the_incident_of_its_exception(service: Service) -> None:
    expect("对账", every="1h")
    assert soon(lambda: service.jobs.find("对账") is not None)

    @expect("对账")
    def reconcile() -> None:
        raise ValueError("the books differ")

    with pytest.raises(ValueError, match="the books differ"):
        reconcile()
    assert service.job().seen.has_failed
    (text,) = service.told(1)
    assert "ValueError: the books differ" in text
    assert "wecom_logging/_expect.py" not in text
    assert len(service.handler.incidents()) == 1


def test_coroutines_and_methods_report_and_keep_what_they_give(service: Service) -> None:
    class Books:
        @staticmethod
        @expect("对账")
        async def reconcile(number: int) -> int:
            await asyncio.sleep(0)
            return number + 1

        @expect("报表")
        def report(self) -> str:
            return "done"

    assert asyncio.run(Books.reconcile(1)) == 2
    assert Books().report() == "done"
    assert Books.report.__name__ == "report"
    assert [service.job(name).seen.ended > 0 for name in ("对账", "报表")] == [True, True]
    with pytest.raises(SystemExit), expect("对账"):
        raise SystemExit(0)
    assert not service.job().seen.has_failed
    with pytest.raises(KeyboardInterrupt), expect("对账"):
        raise KeyboardInterrupt
    assert service.job().seen.has_failed
    with pytest.raises(TypeError, match="expect decorates functions"):
        expect("对账")(int)


def test_a_coroutine_waits_for_no_other_thread_of_its_loop(service: Service) -> None:
    free = threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, free.wait)
        loop.call_later(10, free.set)
        assert await expect("对账")(asyncio.sleep)(0, 5) == 5
        assert not free.is_set()
        free.set()
        assert await busy

    asyncio.run(main())
    assert service.job().seen.ended


@pytest.mark.parametrize(("language", "field"), [("en", "│ schedule: every 90 min"), ("zh", "│ 计划：每 90 分钟")])
def test_an_alert_reads_in_the_language_of_its_handler(sandbox: Sandbox, language: str, field: str) -> None:
    service = Service(app_handler(sandbox.url, language=language, timezone="Asia/Shanghai"), sandbox)
    service.at("2026-11-29T12:00")
    expect("对账", every="90m")
    assert soon(lambda: service.jobs.find("对账") is not None)
    service.until("2026-11-29T13:40")
    (text,) = service.told(1)
    assert field in text.split("\n")
    service.handler.close()


def test_what_is_declared_in_a_loop_is_declared_once_and_another_schedule_takes_its_place(service: Service) -> None:
    for _ in range(100):
        with expect("对账", every="1h"):
            pass
    expect("对账", every="2h")
    assert len(declared_here.declared) == 2
    service.looks()
    first = service.job()
    assert first.spec.every_s == 7200
    watch_of(service.pipeline)._heard = 0  # as in a process that is forked, or for a handler that is made anew
    service.looks()
    assert service.job() == first


def test_thousands_of_jobs_are_declared_at_the_cost_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    place = Declared.place.fget
    assert place is not None

    def counted(one: Declared) -> tuple[str, object]:
        nonlocal asked
        asked += 1
        return place(one)

    monkeypatch.setattr(Declared, "place", property(counted))
    for number in range(300):
        expect(f"job {number}", every="1h")
    assert (len(declared_here.declared), asked) == (300, 600)


def test_who_gets_the_alert_and_at_which_level_is_as_it_was_declared(service: Service) -> None:
    expect("对账", every="1h", users=["li"], level="WARNING")
    assert soon(lambda: service.jobs.find("对账") is not None)
    spec = service.job().spec
    (target,) = spec.targets
    assert target.recipients is not None
    assert (target.recipients.users, target.service, spec.level, spec.zone) == (("li",), "shop", 30, "Asia/Shanghai")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"cron": "0 0 31 2 *"},
            "cron: it is no line of a crontab that is ever due (there is no such day). Give cron=",
        ),
        ({"cron": "* * * * * *"}, "cron: it is no line of a crontab that is ever due (6 fields). Give cron="),
        ({"cron": "0 0 * * *", "timezone": None}, "timezone: not set. Give timezone='Asia/Shanghai' or set"),
        ({"cron": "0 0 * * *", "every": "1h"}, "every: give it or cron, not both"),
        ({"cron": "0 0 * * *", "timezone": "Mars/Base"}, "timezone: there is no such time zone"),
        ({"every": "soon"}, 'every: a number with its unit is needed, such as "90s"'),
        ({"every": 5}, 'every: a bare number has no unit; give "5s", "5m" or "5h"'),
        ({"every": "3600"}, 'every: a bare number has no unit; give "3600s", "3600m" or "3600h"'),
        ({"every": "5s"}, "every: at least 60"),
        ({"every": "1h", "grace": "x"}, "grace: a number with its unit is needed"),
        ({"every": "1h", "grace": 20}, "grace: a bare number has no unit"),
        ({"every": "1h", "max_runtime": 30.5}, 'max_runtime: a bare number has no unit; give "30.5s"'),
        ({"every": "1h", "max_runtime": -1}, "max_runtime: a number with its unit"),
        ({"every": "1h", "level": "LOUD"}, "level: that is not a level ('LOUD'); give"),
        ({"every": "1h", "users": [""]}, "users: "),
        ({"every": "1h", "handler": ""}, "handler: a handler, or its name"),
    ],
)
def test_what_is_wrong_is_said_with_field_and_remedy(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        expect("对账", **{"timezone": "Asia/Shanghai", **options})
    assert str(raised.value).startswith(text)
    assert declared_here.declared == []


@pytest.mark.parametrize("name", [None, "", "two\nlines", "x" * 101])
def test_a_name_is_needed(name: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^name: "):
        expect(name)


def test_without_cronsim_a_cron_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(MissingDependencyError, match=r"cron: it needs cronsim: pip install .*\[jobs\]"):
        expect("对账", cron="1 2 3 4 5", timezone="UTC")


SCRIPT = """
import sys
import threading
from wecom_logging import _expect
from wecom_logging.teams import expect
from wecom_logging._answers.command import Command
from wecom_logging._answers.desk import Desk

with expect("对账"):
    sys.exit({code})
"""


def script(state: str, code: object = 7) -> subprocess.CompletedProcess[str]:
    """A script of cron, of a program of its own."""
    environment = {**os.environ, "WECOM_STATE": state, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT.format(code=code)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_j11_the_report_of_a_short_script_is_there_when_it_has_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    state = f"sqlite://{tmp_path}/alerts.db"
    handler = app_handler(sandbox.url, state=state, timezone="Asia/Shanghai")
    service = Service(handler, sandbox)
    expect("对账", cron="30 2 * * *")
    assert soon(lambda: service.jobs.find("对账") is not None)
    ended = script(state)
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "", "")
    seen = service.job().seen
    assert (seen.began > 0, seen.ended >= seen.began, seen.has_failed, seen.runs) == (True, True, True, ())
    assert script(state, 0).returncode == 0
    assert not service.job().seen.has_failed
    handler.close()


def test_where_the_state_does_not_answer_the_job_runs_on_and_stderr_says_so(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = script("redis://127.0.0.1:1/0")
    assert (ended.returncode, ended.stdout) == (7, "")
    assert "wecom_logging: a run of job 对账 could not be reported: 127.0.0.1:1: " in ended.stderr
    assert time.monotonic() - began < 8
    ended = script("memory://")
    assert (ended.returncode, ended.stderr.count("\n")) == (7, 1)
    assert "Set WECOM_STATE" in ended.stderr


def test_a_state_that_does_not_answer_keeps_no_other_from_a_report(
    sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dead = app_handler(sandbox.url, state="redis://127.0.0.1:1/0")
    well = app_handler(sandbox.url, state=f"sqlite://{tmp_path}/alerts.db")
    assert well._pipeline is not None
    jobs = well._pipeline.jobs
    with expect("对账"):
        pass
    row = jobs.find("对账")
    assert row is not None
    assert row.job.seen.ended > 0
    assert "a run of job 对账 could not be reported: 127.0.0.1:1: " in capfd.readouterr().err
    for handler in (dead, well):
        handler.close()


def test_a_report_takes_no_longer_than_was_promised_whatever_the_lock_of_a_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Somebody writes for a while, and then reads without an end: what waits for both waits once."""
    path = tmp_path / "alerts.db"
    monkeypatch.setenv("WECOM_STATE", f"sqlite://{path}")
    monkeypatch.setattr(_expect, "REPORT_S", 0.6)
    job = expect("对账")
    with job:
        pass
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        reads = other.execute("SELECT name FROM sqlite_master")
        reads.fetchone()
        timer = threading.Timer(0.4, other.execute, ["COMMIT"])  # what still reads keeps the lock of a reader
        timer.start()
        began = time.monotonic()
        job.began()
        took_s = time.monotonic() - began
        timer.join()
    assert 0.4 < took_s < 1.2
    assert "a run of job 对账 could not be reported" in capfd.readouterr().err


def test_where_handlers_are_switched_off_a_program_runs_as_ever_and_says_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WECOM_ENABLED", "0")
    handler = app_handler(sandbox.url, timezone="Asia/Shanghai")
    expect("对账", cron="30 2 * * *")
    assert expect("对账")(lambda: 5)() == 5
    handler.close()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("state", ["memory://", "sqlite"])
def test_a_program_that_does_not_use_it_loads_nothing_of_it(state: str, tmp_path: Path) -> None:
    state = f"sqlite://{tmp_path}/alerts.db" if state == "sqlite" else state
    ended = run(
        f"""
        import logging, sys
        import wecom_logging
        options = dict(api_base="http://127.0.0.1:1", exit_timeout=0, state={state!r})
        handler = wecom_logging.WeComBotHandler(webhook="key", **options)
        logging.getLogger().addHandler(handler)
        logging.error("x")
        handler.flush(1)
        names = ("_jobs.watch", "_state.jobs", "_expect", "_jobs.schedule")
        print([name for name in names if f"wecom_logging.{{name}}" in sys.modules], "cronsim" in sys.modules)
        """
    )
    assert ended.out == "[] False\n"


def test_what_another_program_declares_is_watched_within_five_minutes(sandbox: Sandbox, tmp_path: Path) -> None:
    state = f"sqlite://{tmp_path}/alerts.db"
    handler = app_handler(sandbox.url, state=state)
    assert handler._pipeline is not None
    turn = handler._pipeline._turn
    assert soon(lambda: turn._jobs_asked._next > float("-inf"))
    assert "watch" not in turn.__dict__
    assert script(state).returncode == 7
    clock.advance(300)
    handler._pipeline.look()
    assert soon(lambda: "watch" in turn.__dict__ and turn.watch.jobs.watched())
    handler.close()


@pytest.mark.parametrize("named", ["", "memory", "state"])
def test_where_one_handler_has_a_state_and_another_none_a_job_is_watched_by_the_state_unless_one_is_named(
    sandbox: Sandbox, tmp_path: Path, named: str
) -> None:
    options = {"timezone": "Asia/Shanghai", "rate_limit": None}
    handlers = {
        "memory": app_handler(sandbox.url, state="memory://", service="a", **options),
        "state": app_handler(sandbox.url, state=f"sqlite://{tmp_path}/alerts.db", service="b", **options),
    }
    job = expect("对账", every="1h", handler=handlers[named] if named else None)
    with job:
        pass
    jobs = {name: one._pipeline.jobs for name, one in handlers.items() if one._pipeline is not None}
    assert soon(lambda: jobs[named or "state"].find("对账") is not None)
    found = {name: one.find("对账") for name, one in jobs.items()}
    assert [name for name, row in found.items() if row is not None and row.job.seen.ended] == [named or "state"]
    for handler in handlers.values():
        handler.close()


@pytest.mark.parametrize("service", ["memory", "sqlite"], indirect=True)
def test_a_secret_in_the_name_of_a_job_stands_in_no_message(service: Service) -> None:
    service.at("2026-11-29T12:00")
    name = "backup password=hunter2hunter2"
    job = expect(name, every="1h")
    assert soon(lambda: service.jobs.find(name) is not None)
    service.until("2026-11-29T13:10")
    told = service.told(1)
    with job:
        pass
    service.until("2026-11-29T13:12")
    service.looks()
    told += service.told(1)
    assert "did not run" in told[0]
    assert "ran again" in told[1]
    assert "hunter2" not in f"{told} {service.handler.incidents()}"


def test_a_report_logs_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), expect("对账"):
        pass
    assert caplog.records == []
