"""Real handlers log to a sandbox over one state; each two seconds one is killed, each minute one is stopped for 20 s:
``python -m tools.kills STATE [--seconds 3600] [--processes 8] [--seed N] [--amid] [--harm NAME]``.

STATE is a URL; ``valkey`` is a server, ``tmpfs`` a file on a disk of 16 MiB (for root), that is made for this run. Of
the faults 40 % hit who sent last, and one in five waits for a request that is on its way. Half of the processes have a
clock that is an hour off. With ``--amid`` people answer, steps of escalations are due, jobs are
expected, and maintenances are begun and ended meanwhile. ``--harm`` does something to such a state at half the time.

A line of truth is written after the log call has returned, and one more when `Stats.pending` says that all was taken.
What was taken must be told, exactly: no fewer, and no more than was begun. Messages that come twice are at
most one for each fault that hit a request.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.programs import CREDENTIALS, app_handler, word
from tests.valkey_server import Server
from wecom_logging.teams import expect, maintenance

from .arrived import FORK, Arrived, wecom

NEW_S, OPEN = 1.5, 20
"""So often there is a new incident, and so many of the newest are logged."""
WINDOW_S = 10
FAULT_S, STOP_EACH_S, STOP_S = 2.0, 60.0, 20.0
LEADER, AMID_A_REQUEST = 0.4, 0.2
SLOW_S = 0.05
"""How late the sandbox answers to the request that is hit."""
HOUR = 3600.0
REST_S = 150.0
"""For what is counted until it is told at the latest, once all have ended."""
STEP_S, JOB_S = 60.0, 60.0
NEVER, RUNS = "xnever", "xruns"
"""Jobs: one that nobody runs, one that all do."""
NAME = r"(?:the disk of|job) (x[a-z]+) "
wall = time.time
"""The machine's clock, whatever a process of ours is made to see."""

AWAY_S = 12.0
SERVER_HARMS = {"empty": (False, 0.0, 1.0), "behind": (True, 3.0, 1.0), "away": (True, 0.0, AWAY_S)}
"""Whether it has saved, so many seconds before its death, and how long it is away."""
HARMS = {"valkey": (*SERVER_HARMS,), "tmpfs": ("removed", "full", "read-only")}


@dataclass
class Truth:
    """What the processes say that they have done, for one incident."""

    begun: int = 0
    taken: int = 0
    logged: int = 0
    first: float = float("inf")
    is_critical: bool = False
    held: float = float("inf")
    freed: float = float("inf")


@dataclass
class Found:
    """Figures, and the names of incidents that are wrong."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    incidents: int = 0
    logged: int = 0
    surely: int = 0
    told: int = 0
    twice: int = 0
    answers: int = 0
    stderr: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    fewer: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    """All that was told of what is wrong."""

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Nothing, if all is well."""
        names = ("lost", "fewer", "more", "unheard", "steps", "jobs", "inside")
        found = {name: getattr(self, name) for name in names if getattr(self, name)}
        if self.twice > self.faults["hit a request"]:
            found["twice"] = [f"{self.twice}, and {self.faults['hit a request']} faults hit a request"]
        if count := self.faults["ended by itself"]:
            found["ended by itself"] = [str(count)]
        return found


class Program:
    """One process: it logs, and writes what is true, until SIGTERM."""

    def __init__(self, folder: Path, url: str, state: str, began: float, *, amid: bool, requests: int) -> None:
        self.folder, self.url, self.state, self.began, self.amid = folder, url, state, began, amid
        self.requests = requests

    def live(self, number: int, shift_s: float, acts: bool = True) -> None:
        """The whole of its life. Who acts not sends what others have left."""
        ends: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, frame: ends.append(number))
        os.dup2(os.open(self.folder / "stderr", os.O_CREAT | os.O_APPEND | os.O_WRONLY), 2)
        self.lines = os.open(self.folder / f"truth-{number}", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self.chance = random.Random(number)
        if shift_s:
            time.time = lambda: wall() + shift_s
            time.time_ns = lambda real=time.time_ns: real() + int(shift_s) * 10**9
        sys.addaudithook(self._sees)
        steps = {"escalation": [{"after": f"{STEP_S:.0f}s", "users": ["lisi"]}]} if self.amid else {}
        self.handler = app_handler(
            self.url, state=self.state, service="shop", language="en", timezone="Asia/Shanghai", window=WINDOW_S,
            rate_limit=None, timeout=5, exit_timeout=30, **steps,
        )  # fmt: skip
        for name in ("shop", "moved"):
            logging.getLogger(name).addHandler(self.handler)
            logging.getLogger(name).propagate = False
        self.begins()
        while not ends:
            self._says_what_is_taken()
            if acts:
                self.acts(number)
            time.sleep(self.chance.uniform(0, 0.2))
        self.handler.flush(30)
        self._says_what_is_taken()

    def begins(self) -> None:
        if self.amid:
            expect(NEVER, every=f"{JOB_S:.0f}s", grace="1s")
            expect(RUNS, every=f"{JOB_S:.0f}s", grace="30s")

    def acts(self, number: int) -> None:
        newest = int((wall() - self.began) / NEW_S)
        at = max(newest - self.chance.randrange(OPEN), 0)
        is_critical = self.amid and at % 25 == 0
        self._logs(word(at), logging.getLogger("shop"), logging.CRITICAL if is_critical else logging.ERROR)
        if self.amid and self.chance.random() < 0.005:
            with expect(RUNS):
                pass
        if self.amid and self.chance.random() < 0.002:
            name = f"{word(number)}x{word(newest)}"
            with maintenance(f"moved.{name}", "1m"):
                self.writes("held", name)
                for _ in range(3):
                    self._logs(name, logging.getLogger(f"moved.{name}"), logging.ERROR)
                time.sleep(2)
                self.writes("freed", name)

    def _logs(self, name: str, log: logging.Logger, level: int) -> None:
        self.writes("begun", name, level)
        log.log(level, "the disk of %s is full", name, extra={"wecom": {"fingerprint": name}})
        self.writes("logged", name)

    def _says_what_is_taken(self) -> None:
        if not self.handler.stats().pending:
            self.writes("taken", "-")

    def writes(self, what: str, name: str, level: int = 0) -> None:
        os.write(self.lines, f"{what} {name} {wall()} {level}\n".encode())

    def _sees(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "http.client.send" and isinstance(args[1], bytes) and b"/message/send" in args[1][:100]:
            with suppress(BlockingIOError):
                os.write(self.requests, struct.pack("qd", os.getpid(), time.monotonic()))


class Killer:
    """All the processes, and what is done to them.

    It knows of a request by an audit event of Python's own ``http.client``, which a process tells by a pipe.
    """

    def __init__(self, program: Program, processes: int, reads: int, chance: random.Random, url: str) -> None:
        self.program, self.chance, self.url, self._reads = program, chance, url, reads
        self.living: dict[int, Any] = {}
        self.number = 0
        self.stopped: dict[int, float] = {}
        self.asked: dict[int, float] = {}
        self.last = 0
        self.faults: Counter[str] = Counter()
        self.shifts = [0.0]
        self.processes = processes

    def start(self, acts: bool = True) -> None:
        self.number += 1
        process = FORK.Process(target=self.program.live, args=(self.number, self.chance.choice(self.shifts), acts))
        process.start()
        self.living[process.pid or 0] = process

    def look(self) -> int:
        """Who has begun a request since the last look; 0: nobody."""
        newest = 0
        with suppress(BlockingIOError):
            while found := os.read(self._reads, 16):
                newest, at = struct.unpack("qd", found)
                self.last, self.asked[newest] = newest, at
        return newest

    def strike(self, *, stops: bool) -> None:
        self.look()
        for pid in [pid for pid, process in self.living.items() if process.exitcode is not None]:
            self.faults["ended by itself"] += 1
            del self.living[pid]
            self.start()
        running = [pid for pid in self.living if pid not in self.stopped]
        pid = self.last if self.last in running and self.chance.random() < LEADER else self.chance.choice(running)
        if self.chance.random() < AMID_A_REQUEST:
            put_fault(self.url, delay_s=SLOW_S)
            ends = time.monotonic() + FAULT_S
            while not (found := self.look()) and time.monotonic() < ends:
                time.sleep(0.001)
            pid = found if found in running else pid
            time.sleep(self.chance.uniform(0, SLOW_S))
        os.kill(pid, signal.SIGSTOP if stops else signal.SIGKILL)
        self.look()
        self.faults["stops" if stops else "kills"] += 1
        self.faults["of who sent last"] += pid == self.last
        self.faults["hit a request"] += time.monotonic() - self.asked.get(pid, 0.0) < 2 * SLOW_S
        if stops:
            self.stopped[pid] = time.monotonic() + STOP_S
        else:
            self.living.pop(pid).join()
            self.start()

    def wake(self, *, everybody: bool = False) -> None:
        for pid in [pid for pid, until in self.stopped.items() if everybody or time.monotonic() > until]:
            os.kill(pid, signal.SIGCONT)
            del self.stopped[pid]

    def end(self) -> None:
        self.wake(everybody=True)
        for process in self.living.values():
            process.terminate()
        for process in self.living.values():
            process.join(60)
            self.faults["hung"] += process.is_alive()
            process.kill()
        self.living.clear()


def put_fault(url: str, **fault: object) -> None:
    import requests

    body = {"path": "/cgi-bin/message/send", "times": 1, **fault}
    requests.post(f"{url}/sandbox/faults", json=body, timeout=10).raise_for_status()


class People:
    """They answer by the command line, each under a name of its own."""

    def __init__(self, url: str, state: str, chance: random.Random) -> None:
        self._environment = {**os.environ, **CREDENTIALS, "WECOM_API_BASE": url, "WECOM_STATE": state}
        self._chance, self._running, self.accepted = chance, list[tuple[str, Any]](), list[str]()
        self.asked = dict[str, str]()
        self._count = 0

    def answer(self, short_id: str) -> None:
        self._count += 1
        who, verb = f"li{word(self._count)}", self._chance.choice([["done"], ["quiet"]])
        command = [str(Path(sys.executable).parent / "wecom-logging"), "incidents", *verb, short_id]
        command += ["1m"] if verb == ["quiet"] else []
        self.asked[who] = short_id
        started = subprocess.Popen([*command, "--as", who], env=self._environment, stdout=-3, stderr=-3)
        self._running.append((who, started))

    def look(self, *, wait: bool = False) -> None:
        for one in list(self._running):
            who, process = one
            if (process.wait(30) if wait else process.poll()) is not None:
                self._running.remove(one)
                self.accepted += [who] * (process.returncode == 0)


def run(
    state: str,
    seconds: float,
    processes: int,
    seed: int,
    *,
    amid: bool = False,
    harm: Callable[[], None] | None = None,
    rest_s: float = REST_S,
) -> Found:
    """``harm`` is done once, at half the time. What is wrong is in what is returned."""
    chance, found = random.Random(seed), Found(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        reads, writes = os.pipe()
        for end in (reads, writes):
            os.set_blocking(end, False)
            stack.callback(os.close, end)
        url = stack.enter_context(wecom())
        began = wall()
        killer = Killer(Program(folder, url, state, began, amid=amid, requests=writes), processes, reads, chance, url)
        stack.callback(killer.end)
        if not amid or state.startswith(("redis", "valkey")):  # a server's clock is everybody's
            killer.shifts = [0.0, 0.0, HOUR, -HOUR]
        arrived, people = Arrived(url, NAME), People(url, state, chance)
        for _ in range(processes):
            killer.start()
        harmed = (float("inf"), float("inf"))
        next_fault, next_stop, next_answer = wall() + FAULT_S, wall() + STOP_EACH_S / 2, wall() + 10
        while (now := wall()) < began + seconds:
            time.sleep(0.05)
            killer.wake()
            if now > next_fault:
                next_fault = now + FAULT_S
                stops = now > next_stop
                next_stop += STOP_EACH_S * stops
                killer.strike(stops=stops)
            if amid and now > next_answer:
                next_answer = now + 5
                arrived.read()
                open_now = [word(at) for at in range(int((now - began) / NEW_S)) if at % 25][-OPEN:]
                people.answer(chance.choice([arrived.found[name].short_id for name in open_now]) or "none")
                people.look()
            if harm is not None and now > began + seconds / 2:
                harm()
                harmed, harm = (now - 1, wall() + 1), None
        killer.end()
        people.look(wait=True)
        killer.shifts = [0.0]
        killer.start(acts=False)  # who tells what the killed ones have left
        truths = read_truth(folder, harmed)
        ends = wall() + rest_s
        while wall() < ends and any(arrived.found[name].count < one.taken for name, one in truths.items()):
            time.sleep(1)
            arrived.read()
        killer.end()
        arrived.read()
        judge(found, truths, arrived, people, began + seconds, amid=amid)
        found.faults = killer.faults
        found.stderr.update(re.sub(r"\d+", "N", line)[:200] for line in (folder / "stderr").read_text().splitlines())
    return found


def read_truth(folder: Path, harmed: tuple[float, float]) -> dict[str, Truth]:
    """What was logged while the state was harmed, or in the second before, is not known to be taken."""
    truths: dict[str, Truth] = {}
    for path in folder.glob("truth-*"):
        logged: list[str] = []
        for line in path.read_text().splitlines():
            what, name, at, level = line.split()
            if what == "taken":
                for one in logged:
                    truths[one].taken += 1
                logged.clear()
                continue
            truth = truths.setdefault(name, Truth())
            if what == "begun":
                truth.begun += 1
                truth.is_critical = int(level) >= logging.CRITICAL
            elif what == "logged":
                truth.logged += 1
                truth.first = min(truth.first, float(at))
                if not harmed[0] <= float(at) <= harmed[1]:
                    logged.append(name)
            else:
                setattr(truth, what, float(at))
    return truths


def judge(
    found: Found, truths: dict[str, Truth], arrived: Arrived, people: People, ended: float, *, amid: bool
) -> None:
    """By what arrived, and the lines of truth."""
    for name, truth in truths.items():
        heard = arrived.found[name]
        found.lost += [name] * bool(truth.taken and not heard.count)
        found.fewer += [f"{name}: {heard.count} of {truth.taken}"] * (0 < heard.count < truth.taken)
        found.more += [f"{name}: {heard.count} of {truth.begun}"] * (heard.count > truth.begun)
        found.inside += [name] * any(truth.held < at < truth.freed < float("inf") for at, _ in heard.parts)
        if truth.is_critical and truth.taken and truth.first < ended - 2 * STEP_S and not heard.steps:
            found.steps.append(f"{name}: no step")
        found.twice += max(heard.steps - 1, 0)
        found.told += heard.count
        found.logged += truth.logged
        found.surely += truth.taken
    found.incidents = len(truths)
    found.twice += arrived.twice
    found.more += [f"{name}: nobody logged it" for name in arrived.found.keys() - truths.keys() - {NEVER, RUNS}
                   if arrived.found[name].count]  # fmt: skip
    everything = "\n".join(arrived.texts)
    found.answers = len(people.accepted)
    last = {people.asked[who]: who for who in people.accepted}  # by the incident: an earlier one may be unheard of
    found.unheard = [who for who in last.values() if not re.search(rf"by {who}\b", everything)]
    found.evidence = {
        name: [f"{at - ended:.1f} {text.strip()}" for at, text in arrived.found[name].parts]
        for name in {one.split(":")[0] for names in found.wrong.values() for one in names} & arrived.found.keys()
    }
    for who in found.unheard:
        heard = next(one for one in arrived.found.values() if one.short_id == people.asked[who])
        found.evidence[who] = [f"{at - ended:.1f} {text.strip()}" for at, text in heard.parts]
    if amid:
        found.jobs += ["a job that runs is told"] * any(at < ended for at, _ in arrived.found[RUNS].parts)
        found.jobs += ["a job that never runs is not told"] * (not arrived.found[NEVER].count)


@contextmanager
def state_of(given: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Its URL, and what can be done to it: to one of ours only, so that nothing else comes to harm."""
    with ExitStack() as stack:
        if given == "valkey":
            server = Server(save="")
            stack.callback(server.close)
            yield server.url, lambda name: harm_server(server, *SERVER_HARMS[name])
        elif given == "tmpfs":  # a disk of its own
            disk = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "kills", disk], check=True)
            stack.callback(lambda: subprocess.run(["umount", "--lazy", disk], check=True))
            (disk / "alerts").mkdir()
            yield f"sqlite://{disk}/alerts/alerts.db", lambda name: harm_disk(name, disk)
        else:
            yield given, lambda name: None


def harm_server(server: Server, saves: bool, before_s: float, away_s: float) -> None:
    if saves:
        with server.client() as client:
            client.save()
    time.sleep(before_s)
    server.kill()
    time.sleep(away_s)
    server.start()


def harm_disk(name: str, disk: Path) -> None:
    if name == "removed":
        shutil.rmtree(disk / "alerts")
    elif name == "full":
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass
        time.sleep(AWAY_S)
        (disk / "filler").unlink()
    else:  # what is open for writing keeps a disk from becoming read-only by itself
        subprocess.run(["mount", "-o", "bind", disk, disk], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)
        time.sleep(AWAY_S)
        subprocess.run(["umount", "--lazy", disk], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.kills", description=__doc__)
    parser.add_argument("state", metavar="STATE", help="a URL, or valkey, or tmpfs")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--amid", action="store_true")
    parser.add_argument("--harm", help="; ".join(f"of {state}: {', '.join(names)}" for state, names in HARMS.items()))
    given = parser.parse_args()
    if given.harm and given.harm not in HARMS.get(given.state, ()):
        parser.error(f"--harm: {given.state} has no {given.harm!r}")
    print(f"seed {given.seed}", flush=True)
    with state_of(given.state) as (url, harm):
        harmful = partial(harm, given.harm) if given.harm else None
        found = run(url, given.seconds, given.processes, given.seed, amid=given.amid, harm=harmful)
    for name, parts in found.evidence.items():
        print(name, *parts, sep="\n  ")
    found.evidence = {}
    print(found)
    return bool(found.wrong)


if __name__ == "__main__":
    sys.exit(main())
