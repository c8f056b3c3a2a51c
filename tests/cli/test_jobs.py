"""`wecom-logging jobs`, `run --expect` and `watch`: with a state in a file, and programs of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._jobs import expected
from wecom_logging._jobs.job import NO_GAP, Job, Spec, Target
from wecom_logging._render.words import JOB_DID_NOT_RUN
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.base import Wanted
from wecom_logging._state.jobs import Jobs
from wecom_logging._state.shared import Shared
from wecom_logging._state.sqlite import SqliteStore

from ..programs import CREDENTIALS, ROOT
from .conftest import Command

CHANNEL = "app elsewhere"
SPEC = Spec(name="对账", cron="30 2 * * *", zone="Asia/Shanghai", targets=(Target(channel=CHANNEL),))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteStore:
    path = f"{tmp_path}/alerts.db"
    monkeypatch.setenv("WECOM_STATE", f"sqlite://{path}")
    monkeypatch.setenv("WECOM_TIMEZONE", "Asia/Shanghai")
    return SqliteStore(path)


@pytest.fixture
def jobs(store: SqliteStore) -> Jobs:
    found = Jobs(Shared("test", lambda _: store, None, lambda *_: True))
    found.change("对账", lambda job, now: Job(spec=SPEC, seen=expected.new(now)))
    return found


def soon(is_so: Callable[[], Any]) -> bool:
    ends = time.monotonic() + 20
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.02)
    return bool(is_so())


def test_jobs_are_listed_with_their_next_time_and_its_zone(command: Command, jobs: Jobs) -> None:
    said = command("jobs")
    assert said.err == (
        "wecom-logging: nobody has watched these jobs for 10 minutes: a program that goes on and has this state "
        "watches, or `wecom-logging watch`\n"
    )
    header, row = said.out.splitlines()
    assert header.split() == ["name", "schedule", "last_run", "took", "next", "running", "missed", "paused_until"]
    assert row.startswith("对账  30 2 * * * (At 02:30 every day)")
    assert row.endswith("02:30 Asia/Shanghai")
    (listed,) = command("--json", "jobs").json
    (shown,) = listed["jobs"]
    assert (shown["name"], shown["zone"], shown["last_run"], shown["runs"]) == ("对账", "Asia/Shanghai", "", 0)
    assert shown["next"].endswith("T02:30:00+08:00")


@pytest.mark.parametrize(("language", "word"), [("en", " (overdue)"), ("zh", "（已逾期）")])
def test_a_time_that_has_passed_is_overdue_not_next(
    command: Command, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, language: str, word: str
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    for name, ago in (("late", 7200), ("soon", 0)):
        spec = Spec(name=name, every_s=3600)
        jobs.change(name, lambda job, now: Job(spec=spec, seen=expected.new(now - ago)))  # noqa: B023 # at once
    rows = command("jobs").out.splitlines()
    assert {name: word in next(row for row in rows if row.startswith(name)) for name in ("late", "soon")} == {
        "late": True,
        "soon": False,
    }
    found = command("--json", "jobs").json[0]["jobs"]
    assert {one["name"]: one["overdue"] for one in found} == {"late": True, "soon": False, "对账": False}


def test_a_length_is_shown_as_it_was_given(command: Command, jobs: Jobs) -> None:
    for every_s in (60.0, 90.5, 3600.0, 7500.0):
        spec = Spec(name=f"a{every_s}", every_s=every_s)
        jobs.change(spec.name, lambda job, now: Job(spec=spec, seen=expected.new(now)))  # noqa: B023 # at once
    _, *rows, _ = command("jobs").out.splitlines()
    assert [re.split("  +", row)[1] for row in rows] == ["every 1 h", "every 1 min", "every 125 min", "every 90.5 s"]


def test_a_job_without_cron_is_listed_in_the_language_of_the_reader_and_for_programs_in_one(
    command: Command, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.change("月报", lambda job, now: Job(spec=Spec(name="月报", every_s=3600), seen=expected.new(now)))
    for language, words in (("en", "every 1 h"), ("zh", "每 1 小时")):
        monkeypatch.setenv("WECOM_LANGUAGE", language)
        assert words in command("jobs").out
        assert command("--json", "jobs").json[0]["jobs"][1]["schedule"] == "every 1 h"


def test_a_zone_that_this_machine_lacks_and_times_that_no_calendar_has_hide_no_other_job(
    command: Command, jobs: Jobs
) -> None:
    spec = Spec(name="there", every_s=3600, zone="Mars/Olympus")
    jobs.change("there", lambda job, now: Job(spec=spec, seen=expected.new(now)))
    jobs.change("odd", lambda job, now: Job(spec=SPEC, seen=expected.new(-1e300)))
    _, *rows = command("jobs").out.splitlines()
    assert [row.split()[0] for row in rows] == ["there", "对账"]
    assert "Olympus" not in rows[0]


def test_a_job_is_paused_with_an_end_and_goes_on(command: Command, jobs: Jobs) -> None:
    paused = command("jobs", "pause", "对账", "2d")
    (shown,) = command("--json", "jobs").json[0]["jobs"]
    assert shown["paused_until"]
    row = jobs.find("对账")
    assert row is not None
    assert 2 * 86400 - 60 < row.job.seen.paused_until - time.time() <= 2 * 86400
    until = datetime.fromtimestamp(row.job.seen.paused_until, ZoneInfo("Asia/Shanghai"))
    assert paused.out == f"对账: no run is expected until {until:%m-%d %H:%M} Asia/Shanghai\n"
    assert command("jobs", "pause", "对账", "0m").out == "对账 is expected as before\n"
    assert command("--json", "jobs").json[0]["jobs"][0]["paused_until"] == ""
    assert command("jobs", "pause", "对账", "soon").status == 2
    unknown = command("jobs", "pause", "nix", "1h")
    assert (unknown.status, unknown.err) == (1, "wecom-logging: no job nix is expected\n")


def test_a_job_that_is_forgotten_ends_its_incident(command: Command, jobs: Jobs, store: SqliteStore) -> None:
    from wecom_logging._incidents.incident import Count, Kept

    from ..state.conftest import alert

    first = Kept(alert("job 对账 did not run"))
    own = {"fingerprint": "job 对账", "logger": "对账", "template": JOB_DID_NOT_RUN.en}
    for field, value in own.items():
        object.__setattr__(first.alert, field, value)
    store.add(CHANNEL, "job 对账", "", 1, [Count(key="k", level=40, first=first)], time.monotonic())
    assert command("jobs", "forget", "对账").status == 0
    assert jobs.find("对账") is None
    (claimed,) = store.claim(CHANNEL, "me", time.monotonic(), 60.0, Wanted(9))
    assert claimed.answers.now is not None
    assert (claimed.answers.now.verb, claimed.answers.now.job) == ("done", "对账")
    assert command("jobs").out == "no job is expected\n"


def test_a_command_is_reported_as_a_job_and_keeps_its_exit_code(command: Command, jobs: Jobs) -> None:
    environment = {**os.environ, **CREDENTIALS, "PYTHONPATH": str(ROOT), "WECOM_ENABLED": "0"}
    run = [sys.executable, "-m", "wecom_logging._cli", "run", "--expect"]
    ended = subprocess.run([*run, "对账", "--", "sh", "-c", "exit 5"], env=environment, timeout=60)
    assert ended.returncode == 5
    row = jobs.find("对账")
    assert row is not None
    assert (row.job.seen.has_failed, row.job.seen.runs, row.job.seen.began > 0) == (True, (), True)
    ended = subprocess.run([*run, "对账", "--", "true"], env=environment, timeout=60)
    row = jobs.find("对账")
    assert row is not None
    assert (ended.returncode, row.job.seen.has_failed) == (0, False)
    long = subprocess.run(
        [*run, "x" * 200, "--", "sh", "-c", "exit 4"], env=environment, timeout=60, capture_output=True
    )
    assert long.returncode == 4
    assert b"name: it is longer than 100 bytes" in long.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "unknown", "close", "field"),
    [
        ("en", "no program has declared job 对帐: if it does not run, nobody is told", "; did you mean 对账?", "job: "),
        ("zh", "没有程序声明过任务“对帐”：它没有运行时不会有人收到告警", "；是否指对账？", "任务："),
    ],
)
def test_a_command_that_is_a_job_says_so_in_its_alert_and_where_nobody_has_declared_it(
    sandbox: Sandbox, command: Command, jobs: Jobs, language: str, unknown: str, close: str, field: str
) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))},
        **CREDENTIALS,
        "PYTHONPATH": str(ROOT),
        "WECOM_API_BASE": sandbox.url,
        "WECOM_LANGUAGE": language,
        "LANG": {"en": "en_US.UTF-8", "zh": "zh_CN.UTF-8"}[language],
    }

    def reported(name: str, code: int) -> str:
        run = [sys.executable, "-m", "wecom_logging._cli", "run", "--expect", name, "--", "sh", "-c", f"exit {code}"]
        ended = subprocess.run(run, env=environment, timeout=60, capture_output=True, text=True)
        assert ended.returncode == code
        return ended.stderr

    assert reported("对账", 5) == ""
    for told in sandbox.messages():  # to the app, and in a group
        assert f"{field}对账" in told["content"].replace("> ", "│ ").replace("│ ", "").split("\n")
    assert sandbox.messages()
    assert reported("对帐", 0) == f"wecom-logging: {unknown}{close}\n"
    assert reported("月报表", 0) == f"wecom-logging: {unknown.replace('对帐', '月报表')}\n"
    jobs.forget("对账")
    assert reported("对账", 0) == f"wecom-logging: {unknown.replace('对帐', '对账')}\n"


def test_watch_looks_tells_systemd_and_asks_the_heartbeat(
    sandbox: Sandbox, jobs: Jobs, tmp_path: Path, beats: list[str], beat_url: str
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"{tmp_path}/notify")
        systemd.settimeout(20)
        environment = {
            **os.environ,
            **CREDENTIALS,
            "WECOM_API_BASE": sandbox.url,
            "PYTHONPATH": str(ROOT),
            "WECOM_HEARTBEAT_URL": beat_url,
            "NOTIFY_SOCKET": f"{tmp_path}/notify",
        }
        command = [sys.executable, "-m", "wecom_logging._cli", "watch"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert systemd.recv(99) == b"READY=1"
            assert systemd.recv(99) == b"WATCHDOG=1"
            assert soon(jobs.watched)
            assert soon(lambda: beats)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "watching; Ctrl-C ends it\n")
    watched = jobs.watched()
    assert watched is not None
    assert abs(watched.at - time.time()) < 60


def test_the_doctor_warns_where_nobody_watches(command: Command, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    def findings() -> set[tuple[bool, bool]]:
        found = json.loads(command("--json", "doctor").out)["findings"]
        return {(one["ok"], one["warning"]) for one in found if one["check"] == "jobs"}

    assert findings() == {(False, True)}
    assert jobs.watch(jobs.watched(), time.time(), NO_GAP)
    assert findings() == {(True, False)}
