"""A night of many processes over one Valkey, in accelerated time, with SIGKILL at random: ``python -m tools.night
[--processes 20] [--kills 40] [--clusters 3]``.

Real handlers, each in a process of its own, send to a real sandbox. All of them, the sandbox and the server live by one
clock, which is put ahead: by much while nothing is due, by seconds while an escalation goes on. At the end each first
message, step and call must have come exactly once, or it was said that it is lost; and the counters of the store must
be exact. What has waited stands in one morning message, and in one more for each process that was killed while it had a
part of it: what WeCom had just taken of such a process may come twice, as any message that is no step's. So may what is
sent from memory while the server does not answer, which stderr says.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests

from tests.one_clock import Ahead, command_line, end, load_all, look, one_clock, wecom
from tests.programs import app_handler, word
from tests.valkey_server import Server

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE, HOUR = 60.0, 3600.0
NIGHT = (0.5 * HOUR, 10.5 * HOUR)
"""Quiet hours, 22:00 to 08:00, counted from the begin at 21:30."""
LASTS = 12 * HOUR
CLUSTERS = (1.7 * HOUR, 4.7 * HOUR, 8.2 * HOUR)
"""About when something critical happens, twice within some minutes."""
CLUSTER = 18 * MINUTE
STEPS = (6 * MINUTE, 12 * MINUTE)
DONE = 3 * MINUTE
"""After so long a person closes one of two."""
FAR, NEAR = 600.0, 15.0
"""By how much the clock is put ahead at once."""
TICK_S = 0.1
ERRORS = 6
WITNESSES = 3
"""So many processes log each of them."""
LINES = {
    "first": re.compile(r"🚨 CRITICAL (?!×|none)"),
    "step 1": re.compile(r"⏫ Escalation 1/2"),
    "step 2": re.compile(r"⏫ Escalation 2/2"),
    "line": re.compile(r"⏫ (?!Escalation)"),
    "end": re.compile(r"✅ "),
}
CALL = re.compile(r"\(phone: ")


@dataclass(frozen=True)
class Failing:
    """What happens ``at`` a time of the night, in seconds, and which processes log it; a person closes it or not."""

    name: str
    at: float
    level: int
    places: tuple[int, ...]
    is_closed: bool = False


@dataclass
class Found:
    """What came of it: faults, and figures."""

    processes: int
    kills: int
    seconds: float
    logged: int
    store: dict[str, int]
    """The counters of the state, as the command line says them."""
    incidents: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stderr: Counter[str] = field(default_factory=Counter)


def plan(processes: int, clusters: int, chance: random.Random) -> list[Failing]:
    places = range(processes)
    found = []
    for number in range(2 * clusters):
        at = CLUSTERS[number // 2] + chance.uniform(0, 3 * MINUTE) + 4 * MINUTE * (number % 2)
        seen_by = tuple(chance.sample(places, min(WITNESSES, processes)))
        found.append(Failing(f"pump {word(number)}", at, logging.CRITICAL, seen_by, number % 4 == 3))
    for number in range(ERRORS):
        at = chance.uniform(NIGHT[0] + HOUR, NIGHT[1] - HOUR)
        seen_by = tuple(chance.sample(places, min(WITNESSES, processes)))
        found.append(Failing(f"lamp {word(number)}", at, logging.ERROR, seen_by))
    return sorted(found, key=lambda one: one.at)


class Night:
    """The processes, and the clock of all. The clock shows 21:30 when it begins."""

    def __init__(self, folder: Path, server: Server, url: str, ahead: Ahead, processes: int) -> None:
        self.folder, self.server, self.url, self.ahead = folder, server, url, ahead
        evening = datetime.now(ZONE).replace(hour=21, minute=30, second=0, microsecond=0) + timedelta(days=1)
        ahead.advance(evening.timestamp() - time.time())
        self.began = ahead()
        self.processes = processes
        self.turn_s = max(0.1, processes / 80)
        self.pids = [0] * processes
        self.kills: list[float] = []

    @property
    def now(self) -> float:
        return self.ahead() - self.began

    def command(self, *arguments: str) -> Any:
        return command_line(self.ahead, self.server.url, *arguments)

    def start(self, place: int, mine: list[Failing]) -> None:
        pid = os.fork()
        if not pid:
            status = 1
            try:
                self._live(place, mine)
                status = 0
            finally:
                os._exit(status)
        self.pids[place] = pid

    def kill(self, place: int, how: int = signal.SIGKILL) -> None:
        os.kill(self.pids[place], how)
        if how == signal.SIGKILL:
            os.waitpid(self.pids[place], 0)
            self.kills.append(self.now)

    def _live(self, place: int, mine: list[Failing]) -> None:
        """A program: logs what it sees fail at its time, until SIGTERM; then it writes its numbers."""
        os.nice(5)  # the servers of all come first
        ends: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, frame: ends.append(number))
        err = os.open(self.folder / "stderr", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.dup2(err, 2)
        handler = program_handler(self.url, self.server.url)
        log = logging.getLogger("shop")
        log.propagate = False
        log.addHandler(handler)
        written = os.open(self.folder / "logged", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        while not ends:
            for one in [one for one in mine if one.at <= self.now]:
                mine.remove(one)
                log.log(one.level, f"{one.name} broke", extra={"wecom": {"fingerprint": one.name}})
                os.write(written, f"{place} {one.name}\n".encode())
            look()
            time.sleep(self.turn_s * random.uniform(0.5, 1.5))
        handler.flush(10)
        stats = handler.stats()
        settled = stats.delivered + stats.merged + stats.handed_over + sum(stats.dropped.values())
        numbers = {"accepted": stats.accepted, "settled": settled, "dropped": dict(stats.dropped)}
        (self.folder / f"stats-{place}").write_text(json.dumps(numbers))


def program_handler(url: str, state: str) -> Any:
    return app_handler(
        url,
        state=state,
        service="shop",
        language="en",
        timezone=ZONE.key,
        timeout=5,
        quiet_hours="22:00-08:00",
        escalation=[
            {"after": f"{STEPS[0]:.0f}s", "users": ["lisi"], "how": "call"},
            {"after": f"{STEPS[1]:.0f}s", "users": ["wangwu"]},
        ],
    )


def run(processes: int, kills: int, clusters: int, seed: int, say: Callable[[str], object] = str) -> Found:
    """One night. What is wrong is in its `faults`."""
    chance, ahead = random.Random(seed), Ahead()
    failing = plan(processes, clusters, chance)
    real = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(closing(Server()))
        stack.enter_context(one_clock(ahead))
        load_all()
        url = stack.enter_context(wecom(ahead, ("lisi", "wangwu")))["WECOM_API_BASE"]
        night = Night(folder, server, url, ahead, processes)
        stack.callback(lambda: [*map(end, filter(None, night.pids))])
        for place in range(processes):
            night.start(place, [one for one in failing if place in one.places])
        say(f"{processes} processes after {time.monotonic() - real:.0f} s")
        _let_pass(night, failing, kills, chance, say)
        for place in range(processes):
            night.kill(place, signal.SIGTERM)
        for pid in night.pids:
            os.waitpid(pid, 0)
        night.pids.clear()
        say(f"ended after {time.monotonic() - real:.0f} s")
        return _judged(night, failing, time.monotonic() - real)


def _let_pass(
    night: Night, failing: list[Failing], kills: int, chance: random.Random, say: Callable[[str], object]
) -> None:
    """From evening to morning. Most of the kills are at the times at which something is due."""
    closed: set[str] = set()
    critical = [one for one in failing if one.level >= logging.CRITICAL]
    busy = [(one.at - MINUTE, one.at + CLUSTER) for one in critical]
    busy += [(NIGHT[1] - MINUTE, NIGHT[1] + 9 * MINUTE)]
    is_busy = [any(begin <= at < end for begin, end in busy) for at in range(int(LASTS))]
    jumps = sum(is_busy) / NEAR
    while (now := int(night.now)) < LASTS:
        to_busy = [*is_busy[now : now + int(FAR)], True].index(True)
        night.ahead.advance(to_busy or NEAR)
        if not to_busy and chance.random() < kills / jumps:
            place = chance.randrange(night.processes)
            night.kill(place)
            night.start(place, [one for one in failing if place in one.places and one.at > night.now])
        for one in critical:
            if one.is_closed and one.name not in closed and night.now >= one.at + DONE:
                rows = night.command("incidents", "--limit", "99")["incidents"]
                ids = [row["id"] for row in rows if f"{one.name} broke" in row["text"]]
                if ids and night.command("incidents", "done", ids[0], "--as", "boss"):
                    closed.add(one.name)
        time.sleep(max(night.turn_s / 4, TICK_S))
    say(f"{len(closed)} closed by a person")


def _judged(night: Night, failing: list[Failing], seconds: float) -> Found:
    counters = night.command("pending")["counters"]
    logged = Counter(line.split(" ", 1)[1] for line in (night.folder / "logged").read_text().splitlines())
    found = Found(night.processes, len(night.kills), seconds, logged.total(), counters)
    written = (night.folder / "stderr").read_text(encoding="utf-8", errors="replace").splitlines()
    found.stderr.update(re.sub(r"\d+", "N", line)[:200] for line in written)
    was_away = any("keeps its alerts in memory" in line for line in written)
    contents = [message["content"] for message in _get(night.url, "messages")]
    rings = Counter(ring["user_id"] for ring in _get(night.url, "rings"))
    said = 0
    for one in failing:
        texts = [text for text in contents if f"{one.name} broke" in text]
        if one.level < logging.CRITICAL:
            mornings = [text for text in texts if "quiet hours" in text.split("\n", 1)[0]]
            _once(
                found, f"{one.name}: morning message", len(mornings), wanted=bool(logged[one.name]), may_be_twice=True
            )
            if len(texts) > len(mornings):
                found.faults.append(f"{one.name} did not wait: {len(texts)} messages")
            continue
        counts = {kind: sum(bool(line.match(text)) for text in texts) for kind, line in LINES.items()}
        lines = [text for text in texts if LINES["line"].match(text)]
        said += sum(bool(CALL.search(text)) for text in lines)
        is_closed = one.is_closed and not counts["step 1"]
        for kind in ("first", "step 1", "step 2"):
            wanted = bool(logged[one.name]) and not (is_closed and kind != "first")
            _once(found, f"{one.name}: {kind}", counts[kind], wanted=wanted, may_be_twice=was_away)
        found.incidents.update({kind: count for kind, count in counts.items() if count})
    mornings = [text for text in contents if "quiet hours" in text.split("\n", 1)[0]]
    found.incidents["morning messages"] = len(mornings)
    found.incidents["calls"], found.incidents["calls said"] = rings.total(), said
    killed = sum(NIGHT[1] - MINUTE < at < NIGHT[1] + 9 * MINUTE for at in night.kills)
    if not 1 <= len(mornings) <= 1 + killed:
        found.faults.append(f"{len(mornings)} morning messages:")
        found.faults += [f"  | {line}" for text in mornings for line in text.splitlines()]
    if said < rings.total():
        found.faults.append(f"{rings.total()} calls, of which {said} are said")
    if counters["waiting"] or counters["given_up"] or counters["counted"] != counters["told"]:
        found.faults.append(f"counters: {counters}")
    found.incidents["logged, and in no store"] = logged.total() - counters["counted"]
    for path in night.folder.glob("stats-*"):
        stats = json.loads(path.read_text())
        if stats["accepted"] != stats["settled"]:
            found.faults.append(f"{path.name}: {stats}")
    return found


def _once(found: Found, what: str, count: int, *, wanted: bool, may_be_twice: bool) -> None:
    if count == int(wanted):
        return
    of_them = found.lost if not count else found.twice if wanted and may_be_twice else found.faults
    of_them.append(f"{what}: {count} times")


def _get(url: str, what: str) -> Any:
    return requests.get(f"{url}/sandbox/{what}", timeout=30).json()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.night", description=__doc__)
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--clusters", type=int, default=3, choices=range(len(CLUSTERS) + 1))
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    found = run(options.processes, options.kills, options.clusters, options.seed, lambda text: print(text, flush=True))
    print(f"{found.processes} processes, {found.kills} kills, {found.seconds:.0f} s; {found.logged} log calls")
    print(", ".join(f"{count} {name}" for name, count in found.store.items()))
    for part in (found.incidents, found.stderr):
        for name, count in sorted(part.items()):
            print(f"  {count:5} {name}")
    for name in ("lost", "twice", "faults"):
        print(f"{name}:", *getattr(found, name), sep="\n  ")
    return bool(found.faults)


if __name__ == "__main__":
    sys.exit(main())
