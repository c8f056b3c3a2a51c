"""Many jobs over one state, and many processes that watch them and are killed, one each few seconds:
``python -m tools.watchers STATE [--seconds 900] [--jobs 1000] [--watchers 20] [--seed N]``.

STATE is a URL, or ``valkey`` for a server of its own. Half of the jobs never run; of the others some stop
for one to three runs, and come again. At the end the messages must have told of so many misses as there were: none left
out, none invented, and none twice but by a kill.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs import word
from wecom_logging.teams import expect

from .arrived import FORK, Arrived, wecom
from .kills import REST_S, Killer, Program, state_of, wall

GRACE_S = 5.0
LOOK_S = 45.0
"""Somebody looks so often at least, also where who did is killed. What was due for a shorter time may be unseen."""
LATE_S = GRACE_S + LOOK_S + 15.0
"""A job that has stopped comes again so long after its last miss was due: far from the next."""
KILL_S = 5.0
NAME = r"job (x[a-z]+) "


class Watcher(Program):
    """It has a handler, and nothing else to do."""

    def acts(self, number: int) -> None:
        pass


class Runner(Program):
    """Declares all jobs, and runs those that run. It is not killed."""

    jobs, every_s = 0, 0.0

    def begins(self) -> None:
        self.due = dict[str, float]()
        for at in range(self.jobs):
            name = word(at)
            self.writes("before", name)
            expect(name, every=f"{self.every_s:.0f}s", grace=f"{GRACE_S:.0f}s")
            self.writes("after", name)
            if at % 2:
                self.due[name] = wall() + self.chance.uniform(0.1, 0.9) * self.every_s
            time.sleep(0.8 * self.every_s / self.jobs)  # so that they are not due all at once

    def acts(self, number: int) -> None:
        for name, at in self.due.items():
            if at > wall():
                continue
            self.writes("before", name)
            began = wall()
            with expect(name):
                pass
            self.writes("after", name)
            is_late = self.chance.random() < 0.1
            stops = self.chance.randrange(1, 4) * self.every_s + LATE_S if is_late else 0.8 * self.every_s
            self.due[name] = began + stops


@dataclass
class Truth:
    """When a job was declared, and when it ran: before and after each call."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    def missed(self, every_s: float, ended: float, now: float) -> tuple[int, int]:
        """At least, when the watchers began to end, and at most, now."""
        least = most = 0
        for since, at in zip(self.after, [*self.before[1:], ended], strict=True):
            least += max(int((at - LOOK_S - GRACE_S - since) // every_s), 0)
        for since, at in zip(self.before, [*self.after[1:], now], strict=True):
            most += max(int((at - GRACE_S - since) // every_s), 0)
        return least, most


@dataclass
class Found:
    """Figures, and the jobs that are wrong."""

    seed: int
    jobs: int
    kills: int = 0
    runs: int = 0
    told: int = 0
    twice: int = 0
    stderr: Counter[str] = field(default_factory=Counter)
    untold: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.untold and not self.invented and self.twice <= self.kills


def storm(state: str, jobs: int, watchers: int, seconds: float, seed: int, every_s: float = 120.0) -> Found:
    chance, found = random.Random(seed), Found(seed, jobs)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        reads, writes = os.pipe()
        for end in (reads, writes):
            os.set_blocking(end, False)
            stack.callback(os.close, end)
        url = stack.enter_context(wecom())
        killer = Killer(Watcher(folder, url, state, wall(), amid=False, requests=writes), watchers, reads, chance, url)
        stack.callback(killer.end)
        runner = Runner(folder, url, state, wall(), amid=False, requests=writes)
        runner.jobs, runner.every_s = jobs, every_s
        running = FORK.Process(target=runner.live, args=(0, 0.0))
        running.start()
        stack.callback(running.kill)
        for _ in range(watchers):
            killer.start()
        arrived, ends, next_kill = Arrived(url, NAME), wall() + seconds, wall() + KILL_S
        while (now := wall()) < ends:
            time.sleep(0.05)
            if now > next_kill:
                next_kill = now + chance.uniform(0, 2 * KILL_S)
                killer.strike(stops=False)
        running.terminate()
        running.join(60)
        truths = read_truth(folder / "truth-0")
        ended = wall()
        rest = ended + REST_S
        while True:
            arrived.read()
            missed = {name: truth.missed(every_s, ended, wall()) for name, truth in truths.items()}
            if wall() > rest or all(arrived.found[name].count >= least for name, (least, _) in missed.items()):
                break
            time.sleep(1)
        killer.end()
        arrived.read()
        found.kills, found.twice = killer.faults["kills"], arrived.twice
        found.runs = sum(len(truth.after) - 1 for truth in truths.values())
        for name, truth in truths.items():
            heard, (least, most) = arrived.found[name], truth.missed(every_s, ended, wall())
            found.told += heard.count
            found.untold += [f"{name}: {heard.count} of {least}"] * (heard.count < least)
            found.invented += [f"{name}: {heard.count} of {most}"] * (heard.count > most)
        found.stderr.update(re.sub(r"\d+", "N", line)[:200] for line in (folder / "stderr").read_text().splitlines())
    return found


def read_truth(path: Path) -> dict[str, Truth]:
    truths: dict[str, Truth] = {}
    for line in path.read_text().splitlines():
        what, name, at, _ = line.split()
        if what in ("before", "after"):
            getattr(truths.setdefault(name, Truth()), what).append(float(at))
    return truths


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.watchers", description=__doc__)
    parser.add_argument("state", metavar="STATE", help="a URL, or valkey")
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--watchers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with state_of(given.state) as (url, _):
        found = storm(url, given.jobs, given.watchers, given.seconds, given.seed)
    print(found)
    return 0 if found.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
