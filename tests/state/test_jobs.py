"""Jobs that are expected to run, over every store, with a time that passes when a test says so.

The cases J1 to J13 are what users of such tools complain about; each test is named after one.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._capture.pending import Origin
from wecom_logging._delivery.options import Looks, Options
from wecom_logging._delivery.stored_jobs import StoredRows
from wecom_logging._incidents import answered, life
from wecom_logging._jobs import declared as declared_here
from wecom_logging._jobs import watch as watch_module
from wecom_logging._jobs.declared import Declared
from wecom_logging._jobs.expected import due_at
from wecom_logging._jobs.job import Spec, Target
from wecom_logging._jobs.schedule import schedule_of
from wecom_logging._jobs.watch import LOOK_S, Watch
from wecom_logging._state.base import Swap, Wanted
from wecom_logging._state.jobs import Jobs
from wecom_logging._state.shared import Shared
from wecom_logging.errors import StateError
from wecom_logging.model import Recipients
from wecom_logging.model.alert import BY_RUN

from .conftest import CHANNEL, Rig, rig_of

SHANGHAI = "Asia/Shanghai"
STATES = ["sqlite", "redis"]
"""What holds in memory stands in `tests/cases/jobs.txt` and `tests/jobs`."""


class World:
    """A fleet of watchers over one store, and jobs that report. ``time`` is what the store's clock shows."""

    def __init__(self, rig: Rig, watchers: int = 1) -> None:
        self.rig = rig
        self.zone = SHANGHAI
        self.time = 0.0
        self.away = False
        self.shared = Shared("test", self._open, None, lambda *_: True, lambda: self.rig.now)
        self.watchers = [self.watcher() for _ in range(watchers)]
        self.jobs = Jobs(self.shared, lambda: self.time)

    def _open(self, shared: Shared) -> Any:
        world = self

        class Away:
            def __getattr__(self, name: str) -> Any:
                if world.away:
                    raise StateError("the state is away")
                return getattr(world.rig.store, name)

        return Away()

    def watcher(self) -> Watch:
        options = Options(
            name="WeComHandler",
            origin=Origin("shop", "prod"),
            looks=Looks(markdown=False, zone=ZoneInfo(SHANGHAI)),
            mask=str,
            shared=self.shared,
        )
        rows, jobs = StoredRows(CHANNEL, self.shared, lambda: self.rig.now), Jobs(self.shared, lambda: self.time)
        return Watch(rows, jobs, options, lambda name, level, given: given, lambda: self.rig.now)

    def at(self, text: str) -> World:
        """Set the clock, as an administrator does: no time passes."""
        self.time = self.epoch(text)
        return self

    def epoch(self, text: str, fold: int = 0) -> float:
        return datetime.fromisoformat(text).replace(fold=fold, tzinfo=ZoneInfo(self.zone)).timestamp()

    def declare(self, name: str = "对账", **more: Any) -> None:
        spec = Spec(**{"name": name, "cron": "" if "every_s" in more else "30 2 * * *", "zone": self.zone, **more})
        declared_here.declared.append(Declared(spec, lambda: {CHANNEL}, os.getpid()))
        self.look()

    def look(self) -> None:
        for watcher in self.watchers:
            watcher.turn(self.rig.now)

    def until(self, text: str, step_s: float = 240.0, *, watched: bool = True, fold: int = 0) -> None:
        """Let time pass to there; somebody looks every four minutes, if ``watched``."""
        end = self.epoch(text, fold)
        assert end >= self.time
        if not watched:
            step_s = end - self.time
        while self.time < end:
            step = min(step_s, end - self.time)
            self.time += step
            self.rig.pass_time(step)
            if watched:
                self.look()

    def began(self, run: str = "a", name: str = "对账") -> None:
        self.jobs.began(name, run)

    def ended(self, run: str = "a", name: str = "对账", *, has_failed: bool = False) -> None:
        self.jobs.ended(name, run, has_failed=has_failed)

    def runs(self, run: str = "a", name: str = "对账") -> None:
        self.began(run, name)
        self.ended(run, name)

    def told(self) -> list[tuple[str, int]]:
        """What has been sent since this was asked last: what each message says, and how many."""
        self.look_now()
        found = []
        while claims := self.rig.store.claim(CHANNEL, "sender", self.rig.now, 60.0, Wanted(99)):
            for one in claims:
                news = answered.news(one)
                if news is not None:
                    found.append((f"{news.verb} by {news.who}" if news.where != BY_RUN else f"{news.who} ran again", 0))
                elif one.untold:
                    found.append((one.first.alert.message, one.untold))
                after = life.sent(one, self.rig.now, ends=life.is_over(one, self.rig.now))
                assert self.rig.store.swap(CHANNEL, [Swap(one, after)], self.rig.now) != [None]
        return found

    def look_now(self) -> None:
        """Somebody looks at this moment."""
        for watcher in self.watchers:
            watcher._next = float("-inf")
        if (watched := self.jobs.watched()) is not None:
            self.jobs.watch(watched, min(watched.at, self.time - 2 * LOOK_S), watched.gap)
        self.look()


@pytest.fixture(autouse=True)
def _nothing_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: list[Declared] = []
    monkeypatch.setattr(declared_here, "declared", nothing)
    monkeypatch.setattr(watch_module, "declared", nothing)


@pytest.fixture(params=STATES)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with rig_of(request.param, lambda: request.getfixturevalue("server")) as rig:
        yield World(rig, watchers=3)


MISSED = "job 对账 did not run: it was due 11-30 02:30 Asia/Shanghai"


def test_j1_a_run_that_starts_a_minute_early_serves_its_time(world: World) -> None:
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:28:40")
    world.runs()
    world.until("2026-11-30T12:00")
    assert world.told() == []
    world.until("2026-12-01T02:28")
    world.runs()
    world.until("2026-12-01T02:36")
    assert world.told() == [("job 对账 did not run: it was due 12-01 02:30 Asia/Shanghai", 1)]


def test_j2_start_is_judged_by_grace_and_length_by_max_runtime(world: World) -> None:
    world.at("2026-11-29T12:00").declare(grace_s=1200, max_runtime_s=7200)
    world.until("2026-11-30T02:45")
    world.began()
    world.until("2026-11-30T04:44")
    assert world.told() == []
    world.until("2026-11-30T04:46")
    text = "job 对账 is still running, or was killed: it began 11-30 02:45 Asia/Shanghai, and may take 2 h"
    assert world.told() == [(text, 1)]
    world.until("2026-11-30T05:00")
    world.ended()
    assert world.told() == [("对账 ran again", 0)]


def test_j3_a_deploy_and_another_schedule_are_no_misses_but_a_job_that_never_ran_is(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.at("2026-11-30T02:31").declare()
    world.until("2026-11-30T03:00")
    world.declare()  # a deploy
    world.until("2026-11-30T12:00")
    assert (world.told(), capfd.readouterr().err) == ([], "")
    world.declare(cron="0 11 * * *")
    (said,) = capfd.readouterr().err.splitlines()
    assert "job 对账 is due by another schedule" in said
    assert "0 11 * * * (Asia/Shanghai), not 30 2 * * * (Asia/Shanghai)" in said
    world.until("2026-12-01T10:00")
    assert world.told() == []
    world.declare(cron="0 11 * * *")
    world.until("2026-12-01T11:08")
    assert world.told() == [("job 对账 did not run: it was due 12-01 11:00 Asia/Shanghai", 1)]


@pytest.mark.parametrize(
    ("cron", "begin", "runs", "end", "missed"),
    [
        ("30 2 * * *", "2026-03-28T12:00", ["2026-03-29T03:00"], "2026-03-29T12:00", []),
        ("30 2 * * *", "2026-10-24T12:00", ["2026-10-25T02:30"], "2026-10-25T12:00", []),
        ("30 2 * * *", "2026-10-24T12:00", [], "2026-10-25T12:00", ["10-25 02:30 Europe/Berlin"]),
        ("*/15 2 * * *", "2026-10-24T12:00", ["2026-10-25T02:45"], "2026-10-25T02:46", ["10-25 02:00 Europe/Berlin"]),
    ],
)
def test_j4_where_clocks_change_it_is_due_as_cron_runs_it(
    world: World, cron: str, begin: str, runs: list[str], end: str, missed: list[str]
) -> None:
    world.zone = "Europe/Berlin"
    world.at(begin).declare(cron=cron)
    for one in runs:
        world.until(one)
        world.runs()
    world.until(end, fold=1)
    told = [text for text, _ in world.told() if "ran again" not in text]
    assert [text.partition("due ")[2] for text in told] == missed


def test_j5_a_schedule_with_hours_is_not_late_at_night(world: World) -> None:
    world.at("2026-11-29T21:00").declare(cron="0 9-22 * * *")
    for hour in ("22:00",):
        world.until(f"2026-11-29T{hour}")
        world.runs()
    world.until("2026-11-30T09:04")
    assert world.told() == []
    world.until("2026-11-30T09:06")
    assert world.told() == [("job 对账 did not run: it was due 11-30 09:00 Asia/Shanghai", 1)]


def test_j6_the_alert_says_in_which_zone_it_was_due(world: World) -> None:
    world.zone = "America/New_York"
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:36")
    assert world.told() == [("job 对账 did not run: it was due 11-30 02:30 America/New_York", 1)]


def test_j7_words_of_a_crontab_are_taken_and_read_back(world: World) -> None:
    world.at("2026-11-29T12:00").declare(cron="@daily")
    world.until("2026-11-30T00:06")
    assert world.told() == [("job 对账 did not run: it was due 11-30 00:00 Asia/Shanghai", 1)]


def test_j8_starts_alone_hide_no_hang(world: World) -> None:
    world.at("2026-11-29T12:00").declare(cron="0 * * * *", max_runtime_s=5400)
    for hour in range(13, 16):
        world.until(f"2026-11-29T{hour}:00")
        world.began(f"run {hour}")
    assert world.told() == [
        ("job 对账 is still running, or was killed: it began 11-29 13:00 Asia/Shanghai, and may take 90 min", 1)
    ]
    row = world.jobs.find("对账")
    assert row is not None
    assert [run.id for run in row.job.seen.runs] == ["run 13", "run 14", "run 15"]


def test_the_alert_of_a_job_without_a_schedule_names_none(world: World) -> None:
    world.at("2026-11-30T12:00").declare(cron="", max_runtime_s=5400)
    world.began()
    world.until("2026-11-30T13:34")
    assert [text for text, _ in world.told()] == [
        "job 对账 is still running, or was killed: it began 11-30 12:00 Asia/Shanghai, and may take 90 min"
    ]
    (row,) = world.rig.store.open(CHANNEL, 9, None, world.rig.now)
    assert row.first.alert.fields == (("schedule", "(none)"),)


def test_j8_without_a_longest_time_the_ninth_open_run_tells_of_the_oldest(world: World) -> None:
    world.at("2026-11-29T12:00").declare(every_s=3600)
    for number in range(9):
        world.began(f"killed {number}")
        world.until(f"2026-11-29T12:{5 * (number + 1):02}")
    at = "began 11-29 12:00 Asia/Shanghai, and 8 times since"
    assert world.told() == [(f"job 对账 is still running, or was killed: it {at}", 1)]
    world.runs("whole")
    assert world.told() == [("对账 ran again", 0)]


def test_j9_nights_without_a_run_are_one_incident_with_a_count(world: World) -> None:
    world.at("2026-11-29T12:00").declare()
    told = []
    for day in ("2026-11-30", "2026-12-01", "2026-12-02"):
        world.until(f"{day}T02:40")
        told += world.told()
    (first, *more) = told
    assert first == (MISSED, 1)
    assert [number for _, number in more] == [1, 1]
    (row,) = world.rig.store.open(CHANNEL, 9)
    assert (row.count, answered.is_open(row)) == (3, True)
    world.until("2026-12-02T10:00")
    world.began()
    assert world.told() == [("对账 ran again", 0)]
    world.ended(has_failed=True)
    assert world.told() == []


def test_j10_when_nobody_watched_one_line_says_so(world: World) -> None:
    world.at("2026-11-29T12:00")
    for name in ("对账", "报表", "清理"):
        world.declare(name)
    world.until("2026-11-30T02:00")
    world.until("2026-11-30T03:10", watched=False)
    world.look()
    world.runs(name="清理")
    world.until("2026-11-30T03:14")
    assert world.told() == []
    world.until("2026-11-30T03:20")
    text = "nobody watched from 11-30 02:00 Asia/Shanghai to 11-30 03:10 Asia/Shanghai; jobs that may not have run: "
    assert world.told() == [(text + "对账, 报表", 2)]
    world.until("2026-12-01T02:36")
    assert sorted(number for _, number in world.told()) == [1, 1, 1]


def test_j11_a_run_that_was_killed_did_not_finish_and_the_next_one_closes_it(world: World) -> None:
    world.at("2026-11-29T12:00").declare(max_runtime_s=600)
    world.until("2026-11-30T02:30")
    world.began("killed")
    world.until("2026-11-30T02:42")
    assert [text.startswith("job 对账 is still running, or was killed") for text, _ in world.told()] == [True]
    world.until("2026-12-01T02:30")
    world.began("next")
    assert world.told() == []
    world.ended("next")
    assert world.told() == [("对账 ran again", 0)]


def test_j10_what_nobody_watched_is_told_although_something_was_missed_behind_it(world: World) -> None:
    world.at("2026-11-30T02:00").declare(cron="*/10 * * * *")
    world.until("2026-11-30T02:05")
    world.until("2026-11-30T02:19", watched=False)
    world.look()
    world.until("2026-11-30T02:23:30")
    world.until("2026-11-30T02:25:30", watched=False)  # both are over their time
    missed, unwatched = sorted(world.told())
    assert missed == ("job 对账 did not run: it was due 11-30 02:20 Asia/Shanghai", 1)
    assert unwatched[0].startswith("nobody watched from 11-30 02:05 Asia/Shanghai to 11-30 02:19 Asia/Shanghai; jobs ")
    assert unwatched[1] == 1


@pytest.mark.parametrize(
    "other", [{"level": 50}, {"targets": (Target(channel="", recipients=Recipients(users=("lisi",))),)}]
)
def test_a_run_closes_what_was_told_before_the_job_was_declared_otherwise(world: World, other: dict[str, Any]) -> None:
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:40")
    assert world.told() == [(MISSED, 1)]
    for given in (other, {}, other):
        world.declare(**given)
    world.until("2026-12-01T02:40")
    assert world.told() == [(MISSED.replace("11-30", "12-01"), 1)]
    world.runs()
    assert world.told() == [("对账 ran again", 0)] * 2
    assert not any(map(answered.is_open, world.rig.store.open(CHANNEL, 9)))
    row = world.jobs.find("对账")
    assert row is not None
    assert row.job.seen.left == ()


@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_missed_again_before_anybody_has_heard_that_it_ran_is_an_alert(world: World, is_told: bool) -> None:
    """As in quiet hours, which hold both."""
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:40")
    first = world.told() if is_told else []
    world.until("2026-11-30T22:30")
    world.runs()
    world.until("2026-12-01T08:00")
    due = "12-01" if is_told else "11-30"
    again = [(f"job 对账 did not run: it was due {due} 02:30 Asia/Shanghai", 1 if is_told else 2)]
    assert first + world.told() == ([(MISSED, 1)] if is_told else []) + again
    (row,) = world.rig.store.open(CHANNEL, 9)
    assert answered.is_open(row)
    world.runs()
    assert world.told() == [("对账 ran again", 0)]


@pytest.mark.parametrize("jump", [600, 3600, 3 * 86400])
@pytest.mark.parametrize("way", [1, -1])
def test_j12_a_clock_that_jumps_neither_hides_nor_invents_a_run(world: World, jump: int, way: int) -> None:
    world.at("2026-11-28T12:00").declare(cron="0 * * * *", max_runtime_s=3000)
    for number in range(3):
        world.until(f"2026-11-28T{13 + number}:00")
        world.runs(str(number))
    world.until("2026-11-28T15:30")
    world.began("runs amid it")
    world.time += way * jump
    world.look()
    world.ended("runs amid it")
    # What would have run in hours that were left out is no alert.
    world.rig.pass_time(600)
    world.time += 600
    world.look_now()
    assert [text for text, _ in world.told() if text.startswith("job ")] == []
    hour = (int(world.time) // 3600 + 1) * 3600
    for number in range(2):
        while world.time < hour + 3600 * number:
            world.rig.pass_time(100)
            world.time += 100
            world.look()
        world.time = hour + 3600 * number
        world.runs(f"after {number}")
    assert [text for text, _ in world.told() if text.startswith("job ")] == []
    hour += 7200
    while world.time < hour + 400:
        world.rig.pass_time(100)
        world.time += 100
        world.look()
    due = f"{datetime.fromtimestamp(hour, ZoneInfo(SHANGHAI)):%m-%d %H:%M}"
    assert [text for text, _ in world.told()] == [f"job 对账 did not run: it was due {due} Asia/Shanghai"]


def test_j12_a_clock_that_is_set_back_hides_no_miss_of_a_job_that_does_not_come(world: World) -> None:
    world.at("2026-11-28T12:00").declare()
    world.until("2026-11-29T02:30")
    world.runs()
    world.until("2026-11-29T12:00")
    world.at("2026-11-26T12:00").look()
    world.until("2026-11-27T02:36")
    assert world.told() == [("job 对账 did not run: it was due 11-27 02:30 Asia/Shanghai", 1)]


def test_j12_a_run_closes_what_was_missed_although_the_clock_was_set_back_meanwhile(world: World) -> None:
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:40")
    assert world.told() == [(MISSED, 1)]
    world.at("2026-11-29T22:00").look()
    world.until("2026-11-29T22:30")
    world.runs()
    assert world.told() == [("对账 ran again", 0)]


def test_j12_a_run_closes_what_was_missed_at_a_later_time_of_a_clock_that_was_set_back(world: World) -> None:
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:36")
    assert world.told() == [(MISSED, 1)]
    world.at("2026-11-30T02:30").look()
    world.until("2026-11-30T02:33")
    world.runs()
    world.until("2026-11-30T02:37", watched=False)
    assert world.told() == [("对账 ran again", 0)]


def test_j13_a_paused_job_stays_paused_though_it_runs(world: World) -> None:
    world.at("2026-11-29T12:00").declare()
    end = world.epoch("2026-12-01T12:00")
    world.jobs.change("对账", lambda job, now: replace(job, seen=replace(job.seen, paused_until=end)))
    world.until("2026-11-30T02:30")
    world.runs()
    world.until("2026-12-01T13:00")
    assert world.told() == []
    world.until("2026-12-02T02:36")
    assert world.told() == [("job 对账 did not run: it was due 12-02 02:30 Asia/Shanghai", 1)]


def test_a_silenced_one_stays_silent_though_it_is_missed_again(world: World) -> None:
    world.at("2026-11-29T12:00").declare(every_s=7200)
    world.until("2026-11-29T14:06")
    assert len(world.told()) == 1
    (row,) = world.rig.store.open(CHANNEL, 9, None, world.rig.now)
    silenced = answered.silenced(row, "Li", "here", 8 * 3600, now=world.rig.now, time=world.time)
    world.rig.store.swap(CHANNEL, [Swap(row, answered.said(silenced))], world.rig.now)
    world.until("2026-11-29T20:00")
    assert world.told() == []


def test_every_counts_from_the_last_start(world: World) -> None:
    world.at("2026-11-29T12:00").declare(every_s=3600)
    world.until("2026-11-29T12:40")
    world.runs()
    world.until("2026-11-29T13:44")
    assert world.told() == []
    world.until("2026-11-29T13:48")
    assert world.told() == [("job 对账 did not run: it was due 11-29 13:40 Asia/Shanghai", 1)]


def test_a_person_who_closes_it_hears_of_the_next_miss_and_no_line_of_the_run(world: World) -> None:
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:40")
    assert world.told() == [(MISSED, 1)]
    (row,) = world.rig.store.open(CHANNEL, 9, None, world.rig.now)
    after = answered.said(answered.done(row, "Li", "here", now=world.rig.now, time=world.time))
    world.rig.store.swap(CHANNEL, [Swap(row, after)], world.rig.now)
    world.until("2026-11-30T10:00")
    world.runs()
    assert world.told() == []
    world.until("2026-12-01T02:40")
    assert world.told() == [("job 对账 did not run: it was due 12-01 02:30 Asia/Shanghai", 1)]


def test_where_the_state_was_away_it_did_not_report(world: World) -> None:
    world.at("2026-11-29T12:00").declare()
    world.until("2026-11-30T02:28")
    world.away = True
    world.until("2026-11-30T02:31", step_s=30)
    with pytest.raises(StateError):
        world.began()
    world.away = False
    world.until("2026-11-30T02:36", step_s=60)
    text = "job 对账 did not report: it was due 11-30 02:30 Asia/Shanghai, the state was away meanwhile"
    assert world.told() == [(text, 1)]


def test_a_report_is_stamped_by_the_clock_of_the_store(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a short script on a host whose clock is an hour behind."""
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: right - 3600)
    with rig_of("redis", lambda: server) as rig:
        jobs = Jobs(Shared("test", lambda _: rig.store, None, lambda *_: True))
        jobs.began("对账", "a")
        row = jobs.find("对账")
        assert row is not None
        assert abs(row.job.seen.began - right) < 60


def test_alerts_do_not_wait_until_thousands_of_jobs_are_declared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.at("2026-11-29T12:00")
    monkeypatch.setattr(watch_module, "_MOST_S", 0.0)  # as if each took so long
    for number in range(3):
        spec = Spec(name=f"job {number}", every_s=600)
        declared_here.declared.append(Declared(spec, lambda: {CHANNEL}, os.getpid()))
    for number in range(1, 4):
        assert world.watchers[0].turn(world.rig.now) == 0.0
        assert len(world.jobs.all()[0]) == number


def plant_odd_rows(world: World) -> None:
    put: Any = world.jobs._use
    odd = {
        "zone": {"spec": {"every_s": 600.0, "zone": "Mars/Olympus"}, "seen": {"base": world.time}},
        "cron": {"spec": {"cron": "30 2 * * *", "zone": "Mars/Olympus"}, "seen": {"base": world.time}},
        "late": {"spec": {"cron": "30 2 * * *", "zone": SHANGHAI}, "seen": {"base": world.time, "began": -1e300}},
    }
    for name, document in odd.items():
        document["spec"] |= {"name": name, "targets": [{"channel": CHANNEL}]}
        assert put(lambda store: store.put("jobs", f"job {name}", 0, json.dumps(document), 0.0, world.time))  # noqa: B023 # at once


def test_a_zone_that_this_machine_lacks_and_a_row_that_makes_no_sense_hold_up_no_other_job(world: World) -> None:
    world.at("2026-11-29T12:00").declare(every_s=600)
    plant_odd_rows(world)
    world.until("2026-11-29T12:17", step_s=60)
    at = "did not run: it was due 11-29 12:10 Asia/Shanghai"
    assert sorted(world.told()) == [(f"job zone {at}", 1), (f"job 对账 {at}", 1)]


def killed_after(number: int) -> Callable[..., Any]:
    """Requests of a process that is killed after so many."""
    left = [number]

    def call(use: Callable[..., Any], store: Any) -> Any:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return use(store)

    return call


@pytest.mark.slow
@pytest.mark.parametrize("number", range(16))
def test_whoever_is_killed_at_any_request_no_miss_is_untold_and_none_told_twice(world: World, number: int) -> None:
    world.watchers = world.watchers[:2]
    world.at("2026-11-30T02:00").declare()
    world.until("2026-11-30T02:34")
    world.time = world.epoch("2026-11-30T02:36")
    first, second = world.watchers
    whole, killed = world.shared.call, killed_after(number)
    try:
        world.shared.call = lambda use: whole(lambda store: killed(use, store))
        first._next = float("-inf")
        first.turn(world.rig.now)
    except KeyboardInterrupt:
        pass
    finally:
        world.shared.call = whole
    world.watchers = [second]
    world.until("2026-11-30T03:00")
    assert world.told() == [(MISSED, 1)]
    world.runs()
    assert world.told() == [("对账 ran again", 0)]
    (row,) = world.rig.store.open(CHANNEL, 9)
    assert row.count == 1


def test_a_job_that_nobody_declared_is_known_and_never_missed(world: World) -> None:
    world.at("2026-11-29T12:00").runs(name="another")
    world.until("2026-11-30T12:00")
    assert world.told() == []
    row = world.jobs.find("another")
    assert row is not None
    spec, seen = row.job.spec, row.job.seen
    assert due_at(spec, seen, schedule_of(spec.cron, spec.zone)) == float("inf")
    assert world.jobs.swap("another", row, None)
    assert world.jobs.find("another") is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1))
def test_a_fleet_whose_processes_are_killed_at_random_tells_each_miss_once(world: World, seed: int) -> None:
    """Two days of jobs that run or do not, of some watchers that are killed at any request, and start again."""
    chance = random.Random(seed)
    world.watchers = world.watchers[:2]
    names = [f"job {number}" for number in range(12)]
    world.at("2026-11-29T00:00")
    for name in names:
        world.declare(name, cron="0 */3 * * *", grace_s=600)
    whole, missed, told, deaths = world.shared.call, list[str](), list[str](), 0

    def killed(use: Any) -> Any:
        if chance.random() < 0.03:
            raise KeyboardInterrupt
        return whole(use)

    for hour in range(3, 45, 3):
        world.until(f"2026-11-{29 + hour // 24}T{hour % 24:02}:00")
        late = [name for name in names if chance.random() < 0.3]
        for name in names:
            if name not in late:
                world.runs(name=name)
        missed += late
        end = world.time + 1300
        while world.time < end:
            world.time += 20
            world.rig.pass_time(20)
            for place, watcher in enumerate(world.watchers):
                try:
                    world.shared.call = killed
                    watcher.turn(world.rig.now)
                except KeyboardInterrupt:
                    world.watchers[place] = world.watcher()
                    deaths += 1
                finally:
                    world.shared.call = whole
        found = world.told()
        told += [text.split(" did")[0].removeprefix("job ") for text, number in found for _ in range(number)]
        assert sorted(told) == sorted(missed), hour
    assert deaths > 20


def test_a_thousand_jobs_cost_the_fleet_one_look_in_half_a_minute(server: Any) -> None:
    with rig_of("redis", lambda: server) as rig:
        world = World(rig, watchers=20)
        world.at("2026-11-29T12:00")
        spec = Spec(name="", cron="30 2 * * *", zone=SHANGHAI)
        for number in range(1000):
            world.jobs.change(
                f"job {number}",
                lambda job, now, number=number: watch_module.Job(
                    spec=replace(spec, name=f"job {number}", targets=(watch_module.Target(channel=CHANNEL),)),
                    seen=watch_module.expected.new(now),
                ),
            )
        world.look()
        requests = list[str]()
        run = rig.store._server.run
        rig.store._server.run = lambda name, *more: requests.append(f"{name} {more[3:5]}") or run(name, *more)
        world.until("2026-11-29T12:10", step_s=5.0)
        rig.store._server.run = run
        whole = [one for one in requests if "HGETALL" in one]
        assert 9 <= len(whole) <= 21
        assert len(requests) <= 20 * 2 * 10 * 1.5 + 3 * 21
