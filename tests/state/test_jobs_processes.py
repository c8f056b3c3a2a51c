"""Jobs and those who watch them as processes of their own, killed at random, while time passes forty times as fast."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest

from wecom_logging._incidents.job import Job, Spec, Target
from wecom_logging._incidents.policy import expected
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.base import Store
from wecom_logging._state.jobs import Jobs, Report
from wecom_logging._state.redis import RedisStore
from wecom_logging._state.shared import Shared

from ..programs import CREDENTIALS, ROOT
from ..valkey_server import Server

FAST = 40
PERIOD_S, GRACE_S = 300, 180
BEGIN = 1_800_000_000 + 30
OCCURRENCES, JOBS, WATCHERS = 3, 40, 4

WATCHER = f"""
import sys, time
from wecom_logging import WeComHandler
from wecom_logging._runtime import clock
began = float(sys.argv[1])
handler = WeComHandler(rate_limit=None)
handler._pipeline.jobs._time_s = lambda: {BEGIN} + (time.time() - began) * {FAST}
while True:
    time.sleep(0.05)
    clock.advance(0.05 * {FAST - 1})
    handler._pipeline.look()
"""


@pytest.mark.slow
def test_each_miss_is_counted_once_though_whoever_watches_is_killed_at_any_moment(
    server: Server, sandbox: Sandbox
) -> None:
    chance, began = random.Random(7), time.time()
    store: Store = RedisStore(server.url)

    def now() -> float:
        return BEGIN + (time.time() - began) * FAST

    def until(at: float) -> None:
        time.sleep(max((at - now()) / FAST, 0.0))

    first = (BEGIN // PERIOD_S + 1) * PERIOD_S
    jobs = Jobs(Shared("test", lambda _: store, None, lambda *_: True), now)
    names = [f"job {number}" for number in range(JOBS)]
    environment = {
        **os.environ,
        **CREDENTIALS,
        "WECOM_API_BASE": sandbox.url,
        "WECOM_STATE": server.url,
        "PYTHONPATH": str(ROOT),
    }
    channel = f"app {sandbox.url} {CREDENTIALS['WECOM_CORP_ID']} {CREDENTIALS['WECOM_AGENT_ID']}"
    spec = Spec(name="", cron="*/5 * * * *", zone="UTC", grace_s=GRACE_S, targets=(Target(channel=channel),))
    for name in names:
        jobs.change(name, lambda job, at, name=name: Job(spec=replace(spec, name=name), seen=expected.new(at)))

    def watcher() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", WATCHER, repr(began)], env=environment)

    watchers, missed, deaths = [watcher() for _ in range(WATCHERS)], Counter[str](), 0
    try:
        for number in range(OCCURRENCES):
            due = first + number * PERIOD_S
            until(due + 5)
            for name in names:
                if chance.random() < 0.7:
                    run = Report(name, f"run {number}")
                    run.began(jobs)
                    run.ended(jobs, has_failed=False)
                else:
                    missed[name] += 1
            assert now() < due + GRACE_S, "the machine is too slow for this test"
            while now() < due + PERIOD_S - 30:
                time.sleep(0.8)
                place = chance.randrange(WATCHERS)
                watchers[place].kill()
                watchers[place].wait()
                watchers[place] = watcher()
                deaths += 1
        until(first + OCCURRENCES * PERIOD_S - 10)
        found = Counter({one.first.alert.logger: one.count for one in store.open(channel, 1000)})
    finally:
        for one in watchers:
            one.kill()
            one.wait()
    assert deaths > 8
    assert found - Counter(jobs=found["jobs"]) <= missed  # none twice, and none that was none
    if not found["jobs"]:  # else all watchers were dead for longer than a grace, and a line said so
        assert found == missed
    assert sandbox.messages()
