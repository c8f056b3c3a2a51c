"""What each loop over incidents costs: ``python -m tools.loops [--number 20000] [--stores memory] [--kinds over]``.

So many incidents of a kind are put into a store, each combination in a process of its own with the time handed in. It
prints seconds of processor, MB, messages, turns, and for how long one step kept the other threads of the program away.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.programs import ROOT, word
from tests.state.conftest import first, later
from tests.state.test_one_cause import Time, states
from tests.storms import BOT_RULES, Recorder, pipeline
from tests.valkey_server import Server
from wecom_logging._answers.command import Command
from wecom_logging._answers.desk import Desk
from wecom_logging._answers.place import SharedPlace
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._incidents import answered, life
from wecom_logging._incidents.incident import Count
from wecom_logging._state.base import Swap, Wanted
from wecom_logging._state.shared import alone

KINDS = ("new", "told", "over", "held", "taken")
STORES = ("memory", "sqlite", "redis")
STEPS = (("incidents", "click", "due", "idle", "flush"), ("exit",))
"""Those of one process, one after the other."""
_PART = 100
_EXIT_S = 5.0


class Crowd:
    """A process with so many incidents of a kind."""

    def __init__(self, kind: str, number: int, job: Pipeline, channel: Recorder, clock: Time) -> None:
        self.job = job
        self.channel = channel
        self.clock = clock
        self.shared = job.options.shared
        place = job.place if self.shared is alone else SharedPlace(self.shared)
        self._desk = Desk(lambda: [place], time_s=clock)
        self._number = number
        self._batch = 0
        self.began = 0.0
        self._fill(kind)

    def _fill(self, kind: str) -> None:
        for start in range(0, self._number, _PART):
            keys = [f"~{at}" for at in range(start, min(start + _PART, self._number))]
            counts = [first(key, text=f"{word(int(key[1:]))} broke") for key in keys]
            more = [later(key) for key in keys] if kind == "held" else []
            if kind in ("new", "held") or self.shared is alone:
                self._fill_here(kind, counts, more)
            else:
                self.shared.call(lambda store: self._fill_there(kind, store, counts))  # noqa: B023 # called at once
        if kind == "over":
            self.clock.go(life.QUIET_WINDOWS * 60.0 + 1.0)

    def _fill_here(self, kind: str, counts: list[Count], more: list[Count]) -> None:
        """As this process does."""
        store, now = self.job._turn.store, self.clock()
        store.add(counts, now)
        store.hand_over(now)
        if kind != "new":
            found = store.claim(now, Wanted(_PART), draining=True)
            self.job._turn.ledger.sent(found, "delivered", now)
            keys = [claim.key for claim in found]
            if self.shared is alone:
                self._answer(kind, store.memory, keys)
            else:
                self.shared.call(lambda shared: self._answer(kind, shared, keys))
            store.add(more, now)
            store.hand_over(now)

    def _fill_there(self, kind: str, store: Any, counts: list[Count]) -> None:
        """As another process did."""
        now, name = self.clock(), self.job._turn.store.channel
        self._batch += 1
        store.add(name, "another", "host", self._batch, counts, now)
        found = store.claim(name, "another", now, 60.0, Wanted(_PART))
        store.swap(name, [Swap(one, life.sent(one, now)) for one in found], now)
        self._answer(kind, store, [one.key for one in found])

    def _answer(self, kind: str, store: Any, keys: list[str]) -> None:
        """Somebody takes or silences them, as all have seen."""
        now, name = self.clock(), self.job._turn.store.channel
        if kind in ("held", "taken"):
            rows = store.open(name, len(keys), keys, now)
            if kind == "held":
                after = [answered.silenced(row, "Li", "chat", 3600.0, now=now, time=now) for row in rows]
            else:
                after = [answered.taken(row, "Li", "chat", now=now, time=now) for row in rows]
            store.swap(name, [Swap(row, answered.said(one)) for row, one in zip(rows, after, strict=True)], now)

    def due(self) -> int:
        """All that may be done now."""
        turns = 1
        while self.job.turn() <= 0:
            turns += 1
        return turns

    def idle(self) -> int:
        """A minute in which nothing is due."""
        for _ in range(60):
            self.clock.go(1.0)
            self.job.turn()
        return 60

    def incidents(self) -> int:
        return len(self.job.incidents())

    def click(self) -> int:
        name = self.job.incidents()[-1].short_id
        self._begin()
        self._desk.do(Command("take", name), "Li", "chat")
        return 1

    def flush(self) -> int:
        self._wait()
        return self._drain(lambda: False)

    def _begin(self) -> None:
        """What was done before is not counted."""
        self.began = time.process_time()

    def _wait(self) -> None:
        """A tenth more, which wait to be sent."""
        counts = [first(f"~more {at}", text=f"{word(at)} fails") for at in range(self._number // 10)]
        self.job._turn.store.add(counts, self.clock())

    def exit(self) -> int:
        self._wait()
        ends = time.monotonic() + _EXIT_S
        self.job.close()
        self.job.end()
        turns = self._drain(lambda: time.monotonic() > ends)
        self.job.give_up()
        return turns

    def _drain(self, is_late: Callable[[], bool]) -> int:
        self.job.draining = True
        mark, turns = self.job.waits_for(), 0
        while not is_late() and not (mark is not None and self.job.is_told(mark)):
            self.clock.go(self.job.turn())
            turns += 1
        self.job.draining = False
        return turns


@contextmanager
def watched() -> Iterator[list[float]]:
    """How much this thread did at most before another one could run."""
    gaps, ended = [0.0], threading.Event()
    mine = time.pthread_getcpuclockid(threading.get_ident())

    def watch() -> None:
        before = time.clock_gettime(mine)
        while not ended.is_set():
            time.sleep(0.0002)
            now = time.clock_gettime(mine)
            gaps[0] = max(gaps[0], now - before)
            before = now

    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)  # or each gap would be as long as that
    thread = threading.Thread(target=watch)
    thread.start()
    yield gaps
    ended.set()
    thread.join()
    sys.setswitchinterval(interval)


def _memory_mb(name: str) -> float:
    with open("/proc/self/status") as lines:
        return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def measure(store: str, kind: str, number: int, steps: Iterable[str]) -> Iterator[dict[str, Any]]:
    """These steps, in this process."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        servers: list[Server] = []

        def server() -> Server:
            servers.append(Server(save="", slowlog_log_slower_than=1000, slowlog_max_len=10_000))
            stack.callback(servers[0].close)
            return servers[0]

        clock = Time(time.monotonic())
        shared = stack.enter_context(states(store, Path(folder), clock, server))[0]
        stack.enter_context(patch.object(shared, "time_s", clock))  # or its time goes by leaps
        channel = Recorder(clock)
        bounds = {"max_pending": 10 * number, "max_pending_bytes": 1 << 34}
        job = pipeline(channel, clock, rules=BOT_RULES, shared=shared, **bounds)
        crowd = Crowd(kind, number, job, channel, clock)
        client = servers[0].client() if servers else None
        calls = _calls(shared)
        for step in steps:
            gc.collect()
            gc.disable()  # a pass over all objects of the program would be the longest gap
            Path("/proc/self/clear_refs").write_text("5")
            told, mb, calls[0], cpu = len(channel.told), _memory_mb("VmRSS"), 0, _server_seconds(client)
            if client is not None:
                client.slowlog_reset()
            with watched() as gaps:
                crowd.began = time.process_time()
                turns = getattr(crowd, step)()
                seconds = time.process_time() - crowd.began
            gc.enable()
            found = {"s": seconds, "MB": _memory_mb("VmHWM") - mb, "messages": len(channel.told) - told}
            found |= {"turns": turns, "calls": calls[0], "longest ms": gaps[0] * 1000}
            if client is not None:
                slowest = max([one["duration"] for one in client.slowlog_get(10_000)] or [0]) / 1000
                found |= {"server s": _server_seconds(client) - cpu, "its longest ms": slowest}
            yield {"step": step, **found}


def _calls(shared: Any) -> list[int]:
    """How often the shared store is asked from now on."""
    found, call = [0], shared.call

    def counted(use: Any) -> Any:
        found[0] += 1
        return call(use)

    if shared is not alone:
        shared.call = counted
    return found


def _server_seconds(client: Any) -> float:
    if client is None:
        return 0.0
    found = client.info("cpu")
    return float(found["used_cpu_user"] + found["used_cpu_sys"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.loops", description=__doc__)
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--stores", nargs="+", default=STORES)
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--steps", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.steps:
        for found in measure(options.stores[0], options.variants[0], options.number, options.steps):
            step = found.pop("step")
            rest = (f"{name} {one:.3g}" if isinstance(one, float) else f"{name} {one}" for name, one in found.items())
            print(f"{options.stores[0]:7} {options.variants[0]:6} {step:10} {'  '.join(rest)}", flush=True)
        return
    for store, kind, steps in itertools.product(options.stores, options.variants, STEPS):
        command = [sys.executable, "-m", "tools.loops", "--number", str(options.number), "--stores", store]
        subprocess.run([*command, "--kinds", kind, "--steps", *steps], cwd=ROOT, check=False)


if __name__ == "__main__":
    main()
