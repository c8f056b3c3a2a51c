"""Requests of several who watch, and of jobs that report, in any order; at each of them whoever makes it may be killed,
or the clock set back.

What was written into the row of a job as missed, over its time or unwatched must have been counted once in the end, and
its incident must be open or closed as its row says.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wecom_logging._incidents import answered, life
from wecom_logging._jobs import declared as declared_here
from wecom_logging._jobs import watch as watch_module
from wecom_logging._jobs.declared import Declared
from wecom_logging._jobs.job import ENDED, RAN, UNWATCHED, Job, Row
from wecom_logging._state.base import Swap, Wanted
from wecom_logging._state.jobs import Jobs

from .conftest import CHANNEL, rig_of
from .test_jobs import World

NAMES = ["a", "b"]


class Killed(BaseException):
    """In place of SIGKILL."""


class Order:
    """Threads of which one runs at a time, from one request to its next."""

    def __init__(self) -> None:
        self.running = ""
        self.alive: dict[str, bool] = {}
        """By name; False: it is killed at its next request."""
        self._turn = threading.Condition()

    def start(self, name: str, work: Callable[[], object]) -> None:
        def run() -> None:
            try:
                self.request()
                work()
            except Killed:
                pass
            finally:
                with self._turn:
                    del self.alive[name]
                    self._yield()

        self.alive[name] = True
        threading.Thread(target=run, name=name, daemon=True).start()

    def request(self) -> None:
        """Wait for one's turn."""
        name = threading.current_thread().name
        if name not in self.alive:  # the test itself
            return
        with self._turn:
            if self.running == name:
                self._yield()
            self._turn.wait_for(lambda: self.running == name)
            if not self.alive[name]:
                raise Killed

    def let(self, name: str, *, live: bool = True) -> None:
        """One goes on to its next request, or ends."""
        with self._turn:
            self.alive[name], self.running = live, name
            self._turn.notify_all()
            self._turn.wait_for(lambda: not self.running)

    def _yield(self) -> None:
        self.running = ""
        self._turn.notify_all()


@pytest.fixture(params=["sqlite", "redis"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    nothing: list[Declared] = []
    monkeypatch.setattr(declared_here, "declared", nothing)
    monkeypatch.setattr(watch_module, "declared", nothing)
    with rig_of(request.param, lambda: request.getfixturevalue("server")) as rig:
        yield World(rig)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_requests_come_all_that_is_written_is_told_once(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, order, numbers = random.Random(seed), Order(), itertools.count()
    written, told = dict[tuple[str, int], tuple[str, int]](), Counter[str]()
    swap, call = Jobs.swap, world.shared.call

    def swapped(jobs: Jobs, name: str, before: Row | None, job: Job | None) -> bool:
        is_done = swap(jobs, name, before, job)
        for news in job.seen.news if is_done and job is not None else ():
            number = 0 if news.kind in (RAN, ENDED) else news.number
            written[name, news.serial] = ("jobs" if news.kind == UNWATCHED else name, number)
        return is_done

    def called(use: Any) -> Any:
        order.request()
        return call(use)

    def watches() -> None:
        watcher = world.watcher()
        while True:
            order.request()
            watcher._next = float("-inf")
            watcher.turn(world.rig.now)

    def runs() -> None:
        name, run = chance.choice(NAMES), f"run {next(numbers)}"
        world.began(run, name)
        for _ in range(chance.randrange(12)):
            order.request()
        world.ended(run, name)

    def sends() -> None:
        for one in world.rig.store.claim(CHANNEL, "sender", world.rig.now, 60.0, Wanted(99)):
            goes = life.alone(one, world.rig.now)
            told[one.first.alert.logger] += goes.untold
            after = life.sent(goes, world.rig.now, ends=life.is_over(goes, world.rig.now))
            assert world.rig.store.swap(CHANNEL, [Swap(one, after)], world.rig.now) != [None]

    monkeypatch.setattr(Jobs, "swap", swapped)
    world.at("2026-11-29T12:00")
    for name in NAMES:
        world.declare(name, every_s=600, grace_s=60, max_runtime_s=300)
    monkeypatch.setattr(world.shared, "call", called)
    for _ in range(3):
        order.start(f"watcher {next(numbers)}", watches)
    for _ in range(700):
        world.time += 0.01
        kinds = {"time": 250, "send": 30, "run": 15, "kill": 25, "gap": 2, "request": 700, "back": 3}
        (what,) = chance.choices([*kinds], [*kinds.values()])
        passes = {"time": [5, 20, 40, 80], "gap": [310, 900]}.get(what)
        if passes is not None:
            step = chance.choice(passes)
            world.time += step
            world.rig.pass_time(step)
        elif what == "back":  # the clock is set back
            world.time -= chance.choice([600, 900, 3600])
        elif what == "send":
            sends()
        elif what == "run":
            order.start(f"job {next(numbers)}", runs)
        else:
            name = chance.choice(sorted(order.alive))
            order.let(name, live=what != "kill")
            if what == "kill" and name.startswith("watcher"):
                order.start(f"watcher {next(numbers)}", watches)
    for name in sorted(order.alive):
        order.let(name, live=False)
    world.watchers = [world.watcher()]
    world.look_now()
    sends()
    found = world.rig.store.open(CHANNEL, 9, None, world.rig.now)
    for row in found:
        told[row.first.alert.logger] += row.untold
    open_now = {row.first.alert.logger for row in found if answered.is_open(row)}
    expected = Counter[str]()
    for name, number in written.values():
        expected[name] += number
    assert +told == +expected != Counter()
    for name, there in world.jobs.all()[0].items():
        assert (name in open_now) == bool(there.job.seen.missed or there.job.seen.over), name
