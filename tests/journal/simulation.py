"""``python -m tests.journal.simulation STORE SEEDS [FAULTS] [RULE]``: runs seeds, says what was lost.

A run is repeated by its seed: same store, faults, rule left out.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from .folder import Disk, FolderModel
from .member import Member, Truth
from .server import Data, Server, ServerModel
from .world import Process, World

ALL = {
    "folder": ("stop", "kill", "fork", "exit", "full"),
    "server": ("stop", "kill", "fork", "exit", "late", "away", "lease"),
}


@dataclass
class Result:
    seed: int
    steps: int
    wrong: list[str]
    logged: int
    messages: int
    twice: int
    hits: int
    lost: int
    latency_s: float
    begins_s: float
    """From the first record of all to the first message."""
    faults: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


class Simulation:
    def __init__(self, store: str, seed: int, kinds: tuple[str, ...], without: frozenset[str] = frozenset()) -> None:
        self.world = World(seed, without)
        self.store, self.seed, self.kinds = store, seed, kinds
        self.disk, self.server, self.truth = Disk(self.world), Server(self.world), Truth()
        self.members: list[Member] = []
        self.names = itertools.count()

    def add(self, parent: Member | None = None) -> None:
        process = Process(self.world, f"p{next(self.names):03}")
        if parent is not None:
            journal = parent.journal.in_child(process)
        elif self.store == "folder":
            journal = FolderModel(self.disk, process)
        else:
            journal = ServerModel(self.server, process)
        member = Member(self.world, process, journal, self.truth)
        self.members.append(member)
        member.begin(2 if self.store == "folder" else 1, 1.0)

    def living(self) -> list[Member]:
        self.members = [one for one in self.members if not one.process.is_dead]
        return self.members

    def leader(self) -> Member | None:
        return next((one for one in self.living() if one.journal.is_leading()), None)

    def fault(self) -> None:
        world, kind = self.world, self.world.random.choice(self.kinds)
        one = world.random.choice(self.living())
        if world.random.random() < 0.5 and (leader := self.leader()) is not None:
            one = leader
        world.faults[kind] += 1
        world.note("fault", kind, one.process.name)
        match kind:
            case "stop":
                world.stop(one.process, world.random.choice((1.0, 7.0, 20.0)))
            case "kill":
                for batch in one.unsure():
                    for key in map(str, batch.entries):
                        self.truth.maybe[key] = self.truth.maybe.get(key, 0) + 1
                world.kill(one.process)
                self.add()
            case "fork":
                self.add(one)
                if len(self.living()) > 5:
                    self.members[0].is_exiting = True
            case "exit":
                if not ("empty" in self.kinds and one.journal.is_leading()):
                    one.is_exiting = True
                    self.add()
            case "full":
                world.hits += sum(each.process.is_sending for each in self.living())
                self.disk.is_full = not self.disk.is_full
            case "late":
                self.server.late[one.process.name] = world.now + 2.0
            case "away":
                world.hit(one.process)
                self.server.away[one.process.name] = world.now + world.random.choice((1.0, 8.0))
            case "lease":
                world.hits += sum(each.process.is_sending for each in self.living())
                self.server.data.lease = ""
            case "empty" if self.leader() is not None:
                self.server.data = Data()
            case "back" if self.leader() is not None:
                self.server.data = self.server.snapshots[0]
                self.server.keep()

    def run(self, steps: int = 1500) -> Result:
        world = self.world
        for _ in range(3):
            self.add()
        for step in range(steps):
            if step % 300 == 0:
                self.server.keep()
            if self.kinds and world.random.random() < 0.01:
                self.fault()
            world.step()
        self.calm()
        return self.judged()

    def calm(self) -> None:
        """Every fault ends, nobody logs any more, and the processes that live have a minute."""
        self.disk.is_full = False
        self.server.away.clear()
        self.server.late.clear()
        if self.server.data.lease and self.leader() is None:
            self.server.data.ends = self.world.now
        for one in self.living():
            one.process.stopped_until = 0.0
            one.is_quiet = True
        ends = self.world.now + 60.0
        for thread in self.world.threads:
            thread.wakes = min(thread.wakes, self.world.now)
        while self.world.now < ends and self.world.threads:
            self.world.step()

    def judged(self) -> Result:
        truth, wrong = self.truth, []
        leader = self.leader()
        rows: dict[str, list[int]] = getattr(leader.book, "rows", {}) if leader is not None else {}
        if leader is None:
            wrong.append("nobody leads at the end")
        less, twice, goes_back = 0, 0, bool({"empty", "back"} & set(self.kinds))
        for key, all_of in truth.logged.items():
            count, sent = rows.get(key, [0, 0])
            lowest = len(all_of) - truth.maybe.get(key, 0)
            if count < lowest:
                less += lowest - count
                if not goes_back:
                    wrong.append(f"{key}: {count} counted of {len(all_of)}, at least {lowest} are certain")
            if count > len(all_of) and not goes_back:
                wrong.append(f"{key}: {count} counted of {len(all_of)}")
            if sent != count:
                wrong.append(f"{key}: {sent} of {count} sent")
            reached = 0
            for message in truth.sent.get(key, []):
                twice += message.first < reached
                reached = max(reached, message.last)
        if less > truth.lost:
            wrong.append(f"{less} lost, {truth.lost} of them said")
        if twice > self.world.hits and not goes_back:
            wrong.append(f"{twice} messages twice, {self.world.hits} faults hit a request")
        waits = [at - truth.logged[key][0][1] for key, at in truth.first_sent.items()]
        logged = sum(map(len, truth.logged.values()))
        begins_s = min(truth.first_sent.values(), default=0.0) - min(all_of[0][1] for all_of in truth.logged.values())
        return Result(
            *(self.seed, self.world.steps, wrong, logged, truth.messages, twice, self.world.hits, truth.lost),
            *(max(waits, default=0.0), begins_s, self.world.faults, list(self.world.trace)),
        )


def run(store: str, seed: int, kinds: tuple[str, ...], without: str = "", steps: int = 1500) -> Result:
    return Simulation(store, seed, kinds, frozenset({without} - {""})).run(steps)


def main(store: str, seeds: str, kinds: str = "", without: str = "") -> None:
    began, steps, total = time.perf_counter(), 0, Counter[str]()
    low, _, high = seeds.rpartition("-")
    for seed in range(int(low or 0), int(high)):
        result = run(store, seed, tuple(kinds.split("+")) if kinds else ALL[store], without)
        steps += result.steps
        total.update(logged=result.logged, messages=result.messages, twice=result.twice, hits=result.hits)
        total.update(lost=result.lost, red=bool(result.wrong), faults=result.faults.total())
        if result.wrong and total["red"] < 4:
            print(f"seed {seed}:", *result.wrong[:4], sep="\n  ")
    took = time.perf_counter() - began
    print(
        store,
        kinds or "all",
        f"without {without!r}" if without else "",
        dict(total),
        f"{steps} steps, {steps / took:.0f}/s",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
