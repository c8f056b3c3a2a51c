"""Jobs that do not come, in real programs: scripts, beat, APScheduler. A test moves the clock of their state."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.programs import CREDENTIALS, ROOT, running, until
from wecom_logging._sandbox import Sandbox

from ..valkey_server import valkey

pytestmark = pytest.mark.slow

MOVED = """
import os, time
from pathlib import Path
from wecom_logging import _expect
from wecom_logging._jobs import expected, watch
from wecom_logging._state.jobs import Jobs
ahead, real = Path(os.environ["AHEAD"]), Jobs.time
Jobs.time = lambda self: real(self) + float(ahead.read_text())
watch.LOOK_S, watch.IDLE_S, expected.GAP_S = 1.0, 1.0, 1e6
_expect.REPORT_S = 20.0
"""
"""What a test says has passed has; nobody sleeps, so it is no gap in which nobody watched. No report is given up for
want of a processor."""

HANDLER = """
import logging
from wecom_logging import WeComHandler
handler = WeComHandler(service="shop", rate_limit=None)
logging.getLogger().addHandler(handler)
"""

SERVICE = f"""{MOVED}{HANDLER}
from wecom_logging.teams import expect
expect("对账", every="1h", grace="5m", max_runtime="2h")
print("ready", flush=True)
time.sleep(600)
"""

WATCH = f"""{MOVED}
from wecom_logging._cli import main
raise SystemExit(main(["watch"]))
"""


class Fleet:
    """Programs on one state."""

    def __init__(self, sandbox: Sandbox, folder: Path, state: str, stack: ExitStack) -> None:
        self._sandbox, self.folder, self._stack = sandbox, folder, stack
        self._ahead = folder / "ahead"
        self._seen = 0
        self.pass_time(0)
        self.settings = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WECOM_")},
            **CREDENTIALS,
            "WECOM_WEBHOOK": "",
            "WECOM_API_BASE": sandbox.url,
            "WECOM_STATE": state,
            "WECOM_TIMEZONE": "Asia/Shanghai",
            "WECOM_LANGUAGE": "en",
            "AHEAD": str(self._ahead),
            "PYTHONPATH": f"{ROOT}:{folder}",
            "C_FORCE_ROOT": "1",
        }

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A program that goes on; its output is in a folder of its own."""
        place = self.folder / f"{time.monotonic_ns()}"
        place.mkdir()
        process = self._stack.enter_context(running([sys.executable, *command], place, self.settings))
        process.place = place
        return process

    def ready(self, code: str) -> subprocess.Popen[bytes]:
        """A program that has said so."""
        process = self.start("-c", code)
        until(lambda: b"ready" in (process.place / "output").read_bytes(), 60)
        return process

    def run(self, *command: str, before: str = "") -> subprocess.CompletedProcess[str]:
        """``wecom-logging``, to its end."""
        code = f"{before}\n{MOVED}\nfrom wecom_logging._cli import main\nraise SystemExit(main({list(command)!r}))"
        return subprocess.run(
            [sys.executable, "-c", code], env=self.settings, capture_output=True, text=True, timeout=90
        )

    def pass_time(self, seconds: float) -> None:
        """It has passed, for all of them."""
        new = self._ahead.with_suffix(".new")
        new.write_text(str(seconds + (float(self._ahead.read_text()) if self._ahead.exists() else 0)))
        new.replace(self._ahead)

    def seen(self, name: str = "对账") -> dict[str, object]:
        """As the command line shows it, in the time of the state."""
        shown = self.run("--json", "jobs").stdout  # nothing where the state does not answer in time
        found = json.loads(shown)["jobs"] if shown else []
        return next((one for one in found if one["name"] == name), {})

    def told(self, number: int, within_s: float = 60.0) -> list[str]:
        """So many more messages, and no others."""
        until(lambda: len(self._sandbox.messages()) >= self._seen + number, within_s)
        found = [str(one["content"]) for one in self._sandbox.messages()[self._seen :]]
        self._seen += len(found)
        print(*found, sep="\n\n")
        assert len(found) == number, found
        return found

    def nothing_for(self, looks: float) -> None:
        """Whoever watches has looked so often, and told nothing."""
        ends = time.monotonic() + looks
        while time.monotonic() < ends:
            assert len(self._sandbox.messages()) == self._seen, self._sandbox.messages()[self._seen :]
            time.sleep(0.2)


@pytest.fixture
def fleet(sandbox: Sandbox, tmp_path: Path) -> Iterator[Fleet]:
    with valkey() as server, ExitStack() as stack:
        yield Fleet(sandbox, tmp_path, server.connection_url, stack)


MISSED = "🔴 ERROR shop 对账: job 对账 did not run: it was due "


def test_a_script_of_cron_that_is_started_no_more_is_told_by_whoever_watches(fleet: Fleet) -> None:
    service = fleet.ready(SERVICE)
    for _ in range(2):
        fleet.pass_time(3600)
        ended = fleet.run("run", "--expect", "对账", "--", sys.executable, "-c", "print('done')")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
    fleet.ready(WATCH.replace("raise", "print('ready', flush=True)\nraise"))
    service.send_signal(signal.SIGKILL)  # who has declared it need not be there
    fleet.pass_time(3600 + 301)
    (missed,) = fleet.told(1)
    assert missed.startswith(MISSED)
    assert "schedule: every 1 h" in missed
    assert fleet.run("run", "--expect", "对账", "--", "true").returncode == 0
    (again,) = fleet.told(1)
    assert again.startswith("✅ shop 对账: #")
    assert "ran again" in again


def test_a_script_that_hangs_is_told_though_the_next_one_ends(fleet: Fleet) -> None:
    fleet.ready(SERVICE)
    script = fleet.start("-c", f"{MOVED}\nfrom wecom_logging.teams import expect\nwith expect('对账'): time.sleep(600)")
    until(lambda: fleet.seen().get("runs") == 1, 60)
    fleet.pass_time(3500)
    fleet.run("run", "--expect", "对账", "--", "true")
    fleet.pass_time(3800)
    (over,) = fleet.told(1)
    assert "job 对账 is still running, or was killed: it began " in over
    assert "and may take 2 h" in over
    script.kill()


def test_a_deploy_that_restarts_all_within_a_grace_tells_nothing(fleet: Fleet) -> None:
    programs = [fleet.ready(SERVICE) for _ in range(2)]
    fleet.run("run", "--expect", "对账", "--", "true")
    fleet.pass_time(3600)
    for one in programs:
        one.send_signal(signal.SIGKILL)
        one.wait(20)
    fleet.pass_time(200)
    for _ in range(2):
        fleet.ready(SERVICE)
    fleet.nothing_for(3)
    fleet.run("run", "--expect", "对账", "--", "true")
    fleet.pass_time(3800)
    fleet.nothing_for(3)
    fleet.pass_time(150)
    (missed,) = fleet.told(1)
    assert missed.startswith(MISSED)


def test_a_host_whose_clock_is_an_hour_behind_is_in_time(fleet: Fleet) -> None:
    fleet.ready(SERVICE)
    behind = "import time\nshown = time.time\ntime.time = lambda: shown() - 3600\n"
    for _ in range(3):
        fleet.pass_time(3600)
        assert fleet.run("run", "--expect", "对账", "--", "true", before=behind).returncode == 0
    fleet.nothing_for(3)


CELERY = f"""{MOVED}{HANDLER}
import celery
from celery.schedules import schedule
from wecom_logging.integrations.celery import connect, expect_beat
connect()
class Hourly(schedule):  # its hour is a second
    def is_due(self, last_run_at):
        return schedule(1, app=self.app).is_due(last_run_at)
app = celery.Celery("shop", broker=os.environ["WECOM_STATE"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
app.conf.beat_schedule = {{"对账": {{"task": "shop.reconcile", "schedule": Hourly(3600)}}}}
@app.task(bind=True, max_retries=1, default_retry_delay=0)
def reconcile(self):
    with open(os.environ["AHEAD"] + ".runs", "a") as runs:
        runs.write(f"{{self.request.get('wecom_job')}} ")
expect_beat(app)
"""


def test_a_beat_that_dies_is_told_by_a_worker(fleet: Fleet) -> None:
    (fleet.folder / "shop.py").write_text(CELERY, encoding="utf-8")
    runs = fleet.folder / "ahead.runs"
    fleet.start("-m", "celery", "-A", "shop", "worker", "-l", "ERROR", "-c", "2", "--without-mingle")
    beat = ("-m", "celery", "-A", "shop", "beat", "-l", "ERROR")
    first = fleet.start(*beat)
    until(lambda: runs.exists() and runs.read_text().count("对账") >= 3, 90)
    fleet.nothing_for(1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait(20)
    until(lambda: fleet.seen().get("runs") == 0, 60)
    by_hand = "import shop; shop.reconcile.delay()"  # what somebody else sends is no run
    subprocess.run([sys.executable, "-c", by_hand], env=fleet.settings, check=True, timeout=60)
    until(lambda: "None" in runs.read_text(), 60)
    fleet.pass_time(3600 + 301)
    (missed,) = fleet.told(1)
    assert missed.startswith(MISSED)
    fleet.start(*beat)
    (again,) = fleet.told(1, 90)
    assert "ran again" in again


APSCHEDULER = f"""{MOVED}{HANDLER}
from datetime import datetime
from apscheduler.schedulers.background import BackgroundScheduler
from wecom_logging.integrations.apscheduler import expect_scheduler, listen
scheduler = BackgroundScheduler(timezone="Asia/Shanghai")
scheduler.add_job(time.sleep, "interval", [0.1], hours=1, id="对账")
listen(scheduler)
expect_scheduler(scheduler)
scheduler.start()
ahead = Path(os.environ["AHEAD"])
(ahead.parent / "commands").touch()
print("ready", flush=True)
done = 0
while True:
    commands = (ahead.parent / "commands").read_text().splitlines()
    for command in commands[done:]:
        exec(command)
    done = len(commands)
    time.sleep(0.05)
"""


def test_a_scheduler_that_is_paused_runs_nothing_and_that_is_told(fleet: Fleet) -> None:
    process = fleet.ready(APSCHEDULER)

    def do(command: str) -> None:
        with (fleet.folder / "commands").open("a") as commands:
            commands.write(f"{command}\n")

    at_once = "scheduler.modify_job('对账', next_run_time=datetime.now(scheduler.timezone))"
    do(at_once)
    until(lambda: (seen := fleet.seen()).get("last_run") and not seen["runs"], 60)
    do("scheduler.pause()")
    fleet.pass_time(3600 + 301)
    (missed,) = fleet.told(1)
    assert missed.startswith(MISSED)
    do("scheduler.resume()")
    do(at_once)
    (again,) = fleet.told(1)
    assert "ran again" in again
    do("raise SystemExit")
    assert process.wait(30) == 0


LOOP = f"""{HANDLER}
import asyncio, os, time
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from wecom_logging.integrations.apscheduler import expect_scheduler
async def job():
    await asyncio.sleep(0)
async def main():
    scheduler = AsyncIOScheduler(timezone="Asia/Shanghai")
    scheduler.add_job(job, "interval", hours=1, id="对账")
    expect_scheduler(scheduler)
    scheduler.start()
    scheduler.modify_job("对账", next_run_time=scheduler.get_job("对账").next_run_time.now(scheduler.timezone))
    longest, before, ends = 0.0, time.monotonic(), time.monotonic() + float(os.environ["FOR_S"])
    while time.monotonic() < ends:
        await asyncio.sleep(0.02)
        longest, before = max(longest, time.monotonic() - before), time.monotonic()
    print(longest < 1, flush=True)
asyncio.run(main())
"""


def test_an_event_loop_waits_for_no_state(fleet: Fleet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and says nothing
        settings = {**fleet.settings, "WECOM_STATE": f"redis://127.0.0.1:{silent.getsockname()[1]}/0", "FOR_S": "4"}
        ended = subprocess.run([sys.executable, "-c", LOOP], env=settings, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr
    assert "a run of job 对账 could not be reported" in ended.stderr


def test_what_ran_just_before_the_program_exits_is_reported(fleet: Fleet) -> None:
    settings = {**fleet.settings, "FOR_S": "0.3"}
    ended = subprocess.run([sys.executable, "-c", LOOP], env=settings, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    seen = fleet.seen()
    assert (bool(seen["last_run"]), seen["runs"]) == (True, 0)
