"""``python -m tests.journal.simulation STORE SEEDS [FAULTS] [RULE]``: runs seeds, says what was lost.

STORE: memory, folder, server. SEEDS: ``1000`` or ``200-300``. FAULTS: ``kill+stop`` or ``all``. RULE is left out, or
several with a + between them. A run is repeated by its seed: same store, faults, rule.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from .book import ToyBook, Truth
from .folder import Disk, FolderModel
from .member import Member
from .memory import MemoryModel
from .server import Data, Server, ServerModel
from .world import Process, World

ALL = {
    "memory": ("stop", "kill", "fork", "exit", "slow"),
    "folder": ("stop", "kill", "fork", "exit", "full"),
    "server": ("stop", "kill", "fork", "exit", "late", "away", "lease"),
}
LOSES = {"empty", "back"}
LEADERLESS_S = {"memory": 1.0, "folder": 2.5, "server": 7.0}


@dataclass
class Result:
    """``wrong``: each begins with the name of a symptom, as ``lost: …``."""

    seed: int
    steps: int
    wrong: list[str]
    totals: Counter[str]
    faults: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)

    def symptoms(self) -> set[str]:
        return {one.partition(":")[0] for one in self.wrong}


class Simulation:
    def __init__(self, store: str, seed: int, kinds: tuple[str, ...], without: frozenset[str] = frozenset()) -> None:
        self.world = World(seed, without, 0.01 if "slow" in kinds else 0.0)
        self.store, self.seed = store, seed
        self.kinds = tuple(kind for kind in kinds if kind not in ("slow", "lone"))
        self.disk, self.server, self.truth = Disk(self.world), Server(self.world), Truth()
        self.members: list[Member] = []
        self.books: list[Member] = []  # memory: all that ever were
        self.names = itertools.count()
        self.leaderless_since, self.leaderless_s, self.is_lone = self.world.now, 0.0, "lone" in kinds
        self.asks = not {"leap", "lone", *LOSES} & set(kinds)

    def add(self, parent: Member | None = None) -> None:
        process = Process(self.world, f"p{next(self.names):03}")
        journal: MemoryModel | FolderModel | ServerModel
        if parent is not None:
            journal = parent.journal.in_child(process)
        elif self.store == "memory":
            journal = MemoryModel(process)
        elif self.store == "folder":
            journal = FolderModel(self.disk, process)
        else:
            journal = ServerModel(self.server, process)
        member = Member(self.world, process, journal, self.truth, asks=self.asks)
        self.members.append(member)
        self.books += [member] if self.store == "memory" else []
        member.begin(1 if self.store == "server" else 2, 1.0)

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
                self.kill(one)
            case "fork":
                self.add(one)
                if len(self.living()) > 5:
                    self.members[0].is_exiting = True
            case "exit":
                one.is_exiting = True
                self.add()
            case "full":
                self.hit_all()
                self.disk.is_full = not self.disk.is_full
            case "late":
                self.server.late[one.process.name] = world.now + 2.0
            case "away":
                world.hit(one.process)
                self.server.away[one.process.name] = world.now + world.random.choice((1.0, 8.0))
            case "lease":
                self.hit_all()
                self.server.data.lease = ""
            case "leap":
                world.leap += world.random.choice((-3600.0, 3600.0))
            case "empty" if self.is_known():
                self.server.data = Data()
            case "back" if self.is_known():
                self.server.data = self.server.snapshots[0]
                self.server.keep()

    def is_known(self) -> bool:
        """Whether a process has the book that the server has: else nobody can say how much a loss has taken."""
        version = self.server.data.version
        return any(
            one.book is not None and version not in ("", None) and one.version == version for one in self.living()
        )

    def hit_all(self) -> None:
        for one in self.living():
            self.world.hit(one.process)

    def kill(self, one: Member) -> None:
        self.truth.unsure |= one.only_here()
        if self.store == "memory":
            mine = {id for id, (name, _, _) in self.truth.logged.items() if name == one.process.name}
            self.truth.unsure |= mine
        self.world.kill(one.process)
        self.add()

    def run(self, steps: int = 1500) -> Result:
        world = self.world
        for _ in range(1 if self.is_lone else 3):
            self.add()
        for step in range(steps):
            if step % 300 == 0:
                self.server.keep()
            if self.kinds and world.random.random() < 0.01:
                self.fault()
            world.step()
            if self.leader() is not None or not any(one.journal.is_keen() for one in self.living()):
                self.leaderless_since = world.now
            self.leaderless_s = max(self.leaderless_s, world.now - self.leaderless_since)
        self.calm()
        return self.judged()

    def calm(self) -> None:
        """Every fault ends, nobody logs any more, and the processes that live have a minute."""
        self.disk.is_full, self.world.slow = False, 0.0
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
        truth, wrong, leader = self.truth, list(self.truth.wrong), self.leader()
        if leader is None and self.living():
            wrong.append("leaderless: nobody leads at the end")
        books = [one.book for one in (self.books or [leader]) if one is not None and one.book is not None]
        counted = Counter(id for book in books for row in book.rows.values() for id in row.ids)
        lost = [id for id in truth.logged if not counted[id] and id not in truth.unsure]
        unsent = [id for id in truth.logged if counted[id] and not truth.sent[id] and id not in truth.unsure]
        double = [id for id, times in counted.items() if times > 1]
        loses = bool(LOSES & set(self.kinds))
        if len(lost) > truth.lost:
            wrong.append(f"lost: {self.named(lost)}, {truth.lost} of them said")
        if double and not loses:
            wrong.append(f"double: {self.named(double)}")
        if unsent or any(row.sent < len(row.ids) for book in self.open_books(books) for row in book.rows.values()):
            wrong.append(f"unsent: {self.named(unsent)}")
        if truth.twice > self.world.hits and not loses:
            wrong.append(f"twice: {truth.twice} messages, {self.world.hits} faults hit a request")
        if set(self.kinds) <= {"kill", "fork", "exit"} and not self.world.slow:
            if self.leaderless_s > LEADERLESS_S[self.store]:
                wrong.append(f"leaderless: for {self.leaderless_s:.1f} s")
            if not self.kinds and truth.first_at - min(at for _, _, at in truth.logged.values()) > 0.7:
                wrong.append("late: the first message of all")
        totals = Counter(logged=len(truth.logged), messages=truth.messages, twice=truth.twice, hits=self.world.hits)
        totals.update(lost=truth.lost, flushes=truth.flushes, answers=truth.answers, holds=len(truth.holds))
        return Result(self.seed, self.world.steps, wrong, totals, self.world.faults, list(self.world.trace))

    def open_books(self, books: list[ToyBook]) -> list[ToyBook]:
        """In memory the book of a dead process is of no use to anybody."""
        return books if not self.books else [one.book for one in self.living() if one.book is not None]

    def named(self, ids: list[int]) -> str:
        return f"{len(ids)} records, " + ", ".join(f"{id}:{'/'.join(self.truth.logged[id][:2])}" for id in ids[:4])


def kinds_of(store: str, kinds: str) -> tuple[str, ...]:
    return ALL[store] if kinds in ("", "all") else tuple(kinds.split("+"))


def run(store: str, seed: int, kinds: str = "", without: str = "", steps: int = 1500) -> Result:
    return Simulation(store, seed, kinds_of(store, kinds), frozenset(without.split("+"))).run(steps)


def main(store: str, seeds: str, kinds: str = "", without: str = "") -> None:
    began, steps, total, symptoms = time.perf_counter(), 0, Counter[str](), Counter[str]()
    low, _, high = seeds.rpartition("-")
    for seed in range(int(low or 0), int(high)):
        result = run(store, seed, kinds, without)
        steps += result.steps
        total.update(result.totals)
        total.update(red=bool(result.wrong), faults=result.faults.total())
        symptoms.update(result.symptoms())
        if result.wrong and total["red"] < 4:
            print(f"seed {seed}:", *result.wrong[:4], sep="\n  ")
    took = time.perf_counter() - began
    print(store, kinds or "all", f"without {without!r}" if without else "", dict(total), dict(symptoms))
    print(f"{steps} steps in {took:.0f} s, {steps / took:.0f}/s")


if __name__ == "__main__":
    main(*sys.argv[1:])
