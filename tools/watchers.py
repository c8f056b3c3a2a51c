"""``python -m tools.watchers [--state sqlite|redis]``: many jobs in one state, and many watchers that are killed.

Jobs run, stop, and come again, on a clock of the state that goes ten times as fast; processes watch, and one after the
other is killed at a random moment and replaced. At the end of each job so many misses must have been told as were seen:
none left out, none twice. And so many must have been seen as it has had before a look that nobody cut off: none left
out, none invented. ``--cost`` kills nobody, on a clock that goes as it does, and prints what a watcher costs.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from tests.state.conftest import CHANNEL
from tests.valkey_server import Server
from wecom_logging._build import shared_state
from wecom_logging._capture.pending import Origin
from wecom_logging._delivery.options import Looks, Options
from wecom_logging._delivery.watch import LOOK_S, Watch
from wecom_logging._incidents import answered, life
from wecom_logging._incidents.job import Job, Spec, Target
from wecom_logging._incidents.policy import expected
from wecom_logging._state.base import Swap, Wanted
from wecom_logging._state.jobs import Jobs
from wecom_logging._state.memory import MemoryStore
from wecom_logging._state.shared import Shared
from wecom_logging.errors import StateError

EVERY_S, GRACE_S = 240.0, 30.0
LATE_S = 130.0
"""A job that has stopped comes again so long after its last miss was due: far from the next."""

POLL_S = 0.5

KILL_S = 5.0
"""One is killed so often, on the average. Of twenty it is who looks each hundred seconds."""

T = TypeVar("T")


class Store:
    """As a `FailoverStore` shows a watch its own channel."""

    channel = CHANNEL

    def __init__(self) -> None:
        self.memory = MemoryStore(lambda *_: None)  # type: ignore[arg-type, return-value] # nothing comes here


def watch_of(url: str, clock: Callable[[], float] | None) -> Watch:
    """That of a process of its own."""
    shared = shared_state(url, lambda cause, text: print(text, file=sys.stderr))
    options = Options(
        name="WeComHandler", origin=Origin("shop", ""), looks=Looks(markdown=False), mask=str, shared=shared
    )
    store: Any = Store()
    return Watch(store, Jobs(shared, clock), options, lambda *_: None, time.monotonic)


@dataclass
class Fleet:
    """Watchers, each a process, which can be killed."""

    url: str
    clock: Callable[[], float] | None
    pids: list[int] = field(default_factory=list)
    kills: int = 0
    _looks: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    """A line of each look, written by whoever has looked; it is read once."""

    def start(self) -> None:
        if pid := os.fork():
            self.pids.append(pid)
            return
        try:
            watch, parent = watch_of(self.url, self.clock), os.getppid()
            while os.getppid() == parent:
                before = watch._last
                wait = watch.turn(time.monotonic())
                if self.clock is None:
                    time.sleep(wait)
                else:  # the watch waits by a clock that is slower than the state's
                    if wait == LOOK_S and watch._last != before:
                        os.write(self._looks.fileno(), f"{watch._last} {self.clock()}\n".encode())
                    watch._next = float("-inf")
                    time.sleep(random.uniform(0, 2 * POLL_S))
        finally:
            os._exit(1)

    def kill(self) -> None:
        pid = self.pids.pop(random.randrange(len(self.pids)))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.kills += 1

    def looks(self) -> list[tuple[float, float]]:
        """Of each look that nobody cut off: the time of which it was, and when it had ended."""
        self._looks.seek(0)
        with self._looks as lines:
            found = [line.split() for line in lines]
        return [(float(at), float(ended)) for at, ended in found]

    def seconds(self) -> list[float]:
        """What each has had of a processor."""
        found = []
        for pid in self.pids:
            found.append(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9)
        return found


def patient(use: Callable[[], T]) -> T:
    """Again, where the state was held by others."""
    while True:
        try:
            return use()
        except StateError:
            time.sleep(0.05)


@dataclass
class Truth:
    """What a job has done, and how many misses that makes. ``seen``: those that stood in its row when it ran."""

    base: float
    starts: list[float] = field(default_factory=list)
    seen: int = 0

    def missed(self, now: float, looks: list[tuple[float, float]]) -> tuple[int, int]:
        """At least and at most: a run that comes before anybody has looked closes what nobody has seen."""
        least, most, since = 0, 0, self.base
        for at in [*self.starts, now]:
            looked = max((when for when, ended in looks if ended <= at), default=since)
            least += max(int((looked - GRACE_S - since) // EVERY_S), 0)
            most += max(int((at - GRACE_S - since) // EVERY_S), 0)
            since = at
        return least, most


@dataclass
class Figures:
    """What was found."""

    jobs: int
    kills: int
    runs: int
    told: int
    untold: list[str]
    told_too_often: list[str]
    unseen: list[str]
    invented: list[str]
    ends: int
    open_wrongly: list[str]

    @property
    def wrong(self) -> list[list[str]]:
        """Five empty lists, if all is well."""
        return [self.untold, self.told_too_often, self.unseen, self.invented, self.open_wrongly]


def declare(jobs: Jobs, number: int) -> dict[str, Truth]:
    truths: dict[str, Truth] = {}
    for at in range(number):
        spec = Spec(name=f"job {at}", every_s=EVERY_S, grace_s=GRACE_S, targets=(Target(channel=CHANNEL),))
        truths[spec.name] = Truth(patient(lambda spec=spec: _declared(jobs, spec)))  # type: ignore[misc]
    return truths


def _declared(jobs: Jobs, spec: Spec) -> float:
    job = jobs.change(spec.name, lambda job, now: Job(spec=spec, seen=expected.new(now)))
    assert job is not None
    return job.seen.base


class Sender:
    """Tells what waits, as the workers of handlers do, and counts it by job."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.told: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()

    def turn(self) -> int:
        now = time.monotonic()
        claims = patient(
            lambda: self._shared.call(lambda store: store.claim(CHANNEL, "sender", now, 60.0, Wanted(100)))
        )
        for one in claims:
            name = one.first.alert.logger
            self.told[name] += one.untold
            self.ends[name] += answered.news(one) is not None
        swaps = [Swap(one, life.sent(one, now, ends=life.is_over(one, now))) for one in claims]
        if swaps:
            done = patient(lambda: self._shared.call(lambda store: store.swap(CHANNEL, swaps, now)))
            assert None not in done
        return len(claims)

    def rest(self) -> tuple[Counter[str], set[str]]:
        """What is counted and waits for its digest; and whose incident is open."""
        now = time.monotonic()
        rows = patient(lambda: self._shared.call(lambda store: store.open(CHANNEL, 10_000, None, now)))
        counted = Counter({one.first.alert.logger: one.untold for one in rows})
        return counted, {one.first.alert.logger for one in rows if answered.is_open(one)}


def storm(url: str, jobs: int, watchers: int, seconds: float, speed: float, seed: int = 1) -> Figures:
    """``seconds`` by the clock of the wall."""
    chance = random.Random(seed)
    began = time.time()

    def clock() -> float:
        return began + (time.time() - began) * speed

    shared = shared_state(url, lambda cause, text: print(text, file=sys.stderr))
    rows, sender = Jobs(shared, clock), Sender(shared)
    truths = declare(rows, jobs)
    fleet = Fleet(url, clock)
    for _ in range(watchers):
        fleet.start()
    events: list[tuple[float, int, str]] = [(clock(), -1, "kill"), (clock(), -2, "send")]
    ends = clock() + seconds * speed
    for at, (name, truth) in enumerate(truths.items()):
        if at % 2:  # the others never run
            heapq.heappush(events, (truth.base + chance.uniform(0, EVERY_S), at, name))
    stopped: dict[str, int] = {}
    while events and (now := clock()) < ends:
        due, at, name = events[0]
        if due > now:
            time.sleep(min((due - now) / speed, 0.05))
            continue
        heapq.heappop(events)
        if name == "kill":
            fleet.kill()
            fleet.start()
            due = now + chance.uniform(0, 2 * KILL_S)
        elif name == "send":
            sender.turn()
            due = now + speed
        else:
            report(rows, truths[name])(name)
            if at % 4 == 1 and name not in stopped and chance.random() < 0.5:
                stopped[name] = 1 + chance.randrange(3)
                due = truths[name].starts[-1] + stopped[name] * EVERY_S + LATE_S
            else:
                due = truths[name].starts[-1] + 0.8 * EVERY_S
        heapq.heappush(events, (due, at, name))
    while fleet.pids:
        fleet.kill()
    last = clock()
    final = watch_of(url, lambda: last + 60.0)  # so that it is time to look
    while True:
        final._next = float("-inf")
        final.turn(time.monotonic())
        watched = patient(final.jobs.watched)
        if watched is not None and watched.at == last + 60.0 and not final._has_more:
            break
        time.sleep(0.05)
    while sender.turn():
        pass
    rest, are_open = sender.rest()
    found = sender.told + rest
    end = last + 60.0
    looks = [*fleet.looks(), (end, end)]
    misses = {name: truth.missed(end, looks) for name, truth in truths.items()}
    since = {name: Truth((truth.starts or [truth.base])[-1]).missed(end, looks)[1] for name, truth in truths.items()}
    seen = {name: truths[name].seen + row.job.seen.missed for name, row in patient(rows.all)[0].items()}
    return Figures(
        jobs=jobs,
        kills=fleet.kills - watchers,
        runs=sum(len(truth.starts) for truth in truths.values()),
        told=found.total(),
        untold=[name for name in truths if found[name] < seen[name]],
        told_too_often=[name for name in truths if found[name] > seen[name]],
        unseen=[name for name, (least, _) in misses.items() if seen[name] < least],
        invented=[name for name, (_, most) in misses.items() if seen[name] > most],
        ends=sum(sender.ends.values()),
        open_wrongly=[name for name, number in since.items() if (name in are_open) != (number > 0)],
    )


def report(rows: Jobs, truth: Truth) -> Callable[[str], None]:
    def run(name: str) -> None:
        missed = 0

        def starts(job: Job | None, now: float) -> Job:
            nonlocal missed
            assert job is not None
            missed = max(missed, job.seen.missed)  # it is asked again where others have changed it
            return Job(
                spec=job.spec, seen=expected.ended(expected.started(job.seen, "a", now), "a", now, has_failed=False)
            )

        job = patient(lambda: rows.change(name, starts))
        assert job is not None
        truth.starts.append(job.seen.began)
        truth.seen += missed

    return run


def cost(url: str, jobs: int, watchers: int, seconds: float, requests: Callable[[], int]) -> dict[str, float]:
    """Of one watcher a minute: who looks, and who only asks."""
    shared = shared_state(url, lambda cause, text: print(text, file=sys.stderr))
    declare(Jobs(shared), jobs)
    fleet = Fleet(url, None)
    for _ in range(watchers):
        fleet.start()
    time.sleep(60.0)  # who looks has read all rows by then
    before, asked, began = fleet.seconds(), requests(), time.monotonic()
    time.sleep(seconds)
    minutes = (time.monotonic() - began) / 60
    each = sorted((after - one) * 1000 / minutes for one, after in zip(before, fleet.seconds(), strict=True))
    number = (requests() - asked) / minutes / watchers
    while fleet.pids:
        fleet.kill()
    return {
        "ms a minute, who looks": round(each[-1], 1),
        "ms a minute, the others": round(sum(each[:-1]) / max(len(each) - 1, 1), 1),
        "requests a minute, each": round(number, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.watchers", description=__doc__)
    parser.add_argument("--state", choices=["sqlite", "redis"], default="redis")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--watchers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--cost", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url, requests = f"sqlite://{folder}/alerts.db", lambda: 0
        if options.state == "redis":
            server = Server()
            stack.callback(server.close)
            url = server.url
            client = server.client()
            requests = lambda: int(client.info("stats")["total_commands_processed"])  # noqa: E731
        if options.cost:
            print(json.dumps(cost(url, options.jobs, options.watchers, options.seconds, requests)))
            return 0
        found = storm(url, options.jobs, options.watchers, options.seconds, options.speed)
        print(found)
        return 1 if any(found.wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
