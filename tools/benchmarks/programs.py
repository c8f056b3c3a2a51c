"""What each process runs: one function for each workload, which gives its raw figures as JSON.

A function gets the peer's name, the server's URL, how many calls to make and a folder of its own, and bounds itself:
a slow peer makes fewer calls, and says how many.
"""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from . import calls
from .fleet import claim as claim
from .fleet import fleet as fleet
from .fleet import least_of
from .frameworks import FRAMEWORKS
from .measure import percentile
from .peers import BY_NAME, LOGSTASH, logger_with, logstash, ours
from .server import Probe, mark

SETTLE_S = 0.3
LONGEST_WAIT_S = 10.5
"""After a flood: a CRITICAL that is later than this is too late anyway."""
DEFAULT_LIMIT = "20/minute"

Result = dict[str, Any]


# What a single call costs.


def cost(*, folder: Path, peer: str, url: str, call: str, n: int, budget_s: float, turns: int = 1) -> Result:
    """A call site of `calls` in a tight loop: seconds a call, thread CPU and wall, and the floor's."""
    shop = calls.load(folder, braces=BY_NAME[peer].braces)
    floor_cpu, floor_wall, _ = _least(getattr(_plain(folder), call), _floor(), n, budget_s, turns)
    log = _start(peer, url, shop)
    once = getattr(shop, call)
    once(log, 5)
    time.sleep(SETTLE_S)
    cpu, wall, made = _least(once, log, n, budget_s, turns)
    return {"cpu": cpu, "wall": wall, "calls": made, "floor_cpu": floor_cpu, "floor_wall": floor_wall}


def threads(*, folder: Path, peer: str, url: str, n: int, budget_s: float) -> Result:
    """The repeated call from four threads at once: seconds for all, over all calls: wall, and CPU of the four."""
    shop = calls.load(folder, braces=BY_NAME[peer].braces)
    floor_cpu, floor_wall, _ = _four(_plain(folder).repeat, _floor(), n, budget_s)
    log = _start(peer, url, shop)
    shop.repeat(log, 5)
    time.sleep(SETTLE_S)
    cpu, wall, made = _four(shop.repeat, log, n, budget_s)
    return {"cpu": cpu, "wall": wall, "calls": made, "floor_cpu": floor_cpu, "floor_wall": floor_wall}


def distinct(*, folder: Path, peer: str, url: str, n: int, budget_s: float, args: bool = True) -> Result:
    """Each call site once, each with a template of its own, or, without ``args``, a text: as `cost`."""
    shop = calls.load(folder, braces=BY_NAME[peer].braces, distinct=n, args=args)
    plain = calls.load(folder / "plain", braces=False, distinct=n, args=args)
    floor_cpu, floor_wall, _ = _loop(partial(_each, iter(plain.DISTINCT)), _floor(), n, budget_s)
    log = _start(peer, url, shop)
    cpu, wall, made = _loop(partial(_each, iter(shop.DISTINCT)), log, n, budget_s)
    return {"cpu": cpu, "wall": wall, "calls": made, "floor_cpu": floor_cpu, "floor_wall": floor_wall}


def _each(lines: Iterator[Callable[[Any], None]], log: Any, n: int) -> None:
    for line in islice(lines, n):
        line(log)


def kept(*, folder: Path, peer: str, url: str, state: str, n: int, budget_s: float) -> Result:
    """The same where each alert is kept: ``state`` is ours, or the path of logstash's database."""
    shop = calls.load(folder, braces=False, distinct=n)
    floor = _floor()
    for line in calls.load(folder / "plain", braces=False, distinct=n).DISTINCT:
        line(floor)
    start = logstash if peer == LOGSTASH.name else ours
    log = start(url, DEFAULT_LIMIT, state.format(folder=folder))
    shop.warm_up(log)
    for handler in log.handlers:
        handler.flush()
    time.sleep(SETTLE_S)
    spent: list[float] = []
    began_cpu, began = time.thread_time(), time.perf_counter()
    for line in shop.DISTINCT:
        before = time.perf_counter()
        line(log)
        spent.append(time.perf_counter() - before)
        if spent[-1] + before - began > budget_s:
            break
    cpu = (time.thread_time() - began_cpu) / len(spent)
    return {"cpu": cpu, "wall": sum(spent) / len(spent), "p99": percentile(spent, 0.99), "calls": len(spent)}


def reserve(*, folder: Path, state: str, n: int) -> Result:
    """Seconds that one message of a bot's window takes, and one INSERT, or one PING, by the same library."""
    from wecom_logging._state.redis import RedisStore
    from wecom_logging._state.sqlite import SqliteStore

    now = 1e6
    with ExitStack() as stack:
        if state == "sqlite":
            window: Any = SqliteStore(str(folder / "alerts.db"))
            db = stack.enter_context(closing(sqlite3.connect(folder / "plain.db", isolation_level=None)))
            for statement in (
                "PRAGMA journal_mode=TRUNCATE",
                "PRAGMA synchronous=NORMAL",
                "CREATE TABLE sent (at REAL)",
            ):
                db.execute(statement)

            def once() -> object:
                return db.execute("INSERT INTO sent VALUES (1.0)")
        else:
            window = RedisStore(state)
            import redis

            once = stack.enter_context(redis.Redis.from_url(state)).ping

        def take() -> None:
            nonlocal now
            now += 3.0  # as many as the limit lets through
            window.offset_s = now - 1e6
            assert not window.reserve("bot", "me", [""], [(20, 60.0)], now).wait_s

        stack.enter_context(closing(window))
        return {"calls": n, **least_of({"reserve": take, "once": once}, n)}


def _start(peer: str, url: str, shop: ModuleType, rate_limit: str | None = DEFAULT_LIMIT) -> Any:
    """Set the peer up, and let it load what it loads with its first records."""
    log = BY_NAME[peer].start(url, rate_limit)
    shop.warm_up(log)
    for handler in getattr(log, "handlers", ()):
        handler.flush()
    time.sleep(SETTLE_S)
    return log


def _floor() -> logging.Logger:
    return logger_with(logging.NullHandler(), "floor")


def _plain(folder: Path) -> ModuleType:
    """The calls as logging wants them, whatever the peer wants."""
    return calls.load(folder / "plain", braces=False)


def _loop(once: Callable[[Any, int], None], log: Any, n: int, budget_s: float) -> tuple[float, float, int]:
    """Thread CPU and wall seconds a call, and how many calls were made, as the budget allows."""
    made, piece = 0, 1
    began_cpu, began = time.thread_time(), time.perf_counter()
    while made < n and time.perf_counter() - began < budget_s:
        now = min(piece, n - made)
        once(log, now)
        made += now
        piece = min(piece * 2, 1_000)
    ended, ended_cpu = time.perf_counter(), time.thread_time()
    return (ended_cpu - began_cpu) / made, (ended - began) / made, made


def _least(once: Callable[[Any, int], None], log: Any, n: int, budget_s: float, turns: int) -> tuple[float, float, int]:
    """The same, in several turns, of which the least counts."""
    cpu, wall, made = zip(*(_loop(once, log, n // turns, budget_s / turns) for _ in range(turns)), strict=True)
    return min(cpu), min(wall), sum(made)


def _four(once: Callable[[Any, int], None], log: Any, n: int, budget_s: float) -> tuple[float, float, int]:
    done: list[tuple[float, int]] = []
    at_once = threading.Barrier(5)

    def run() -> None:
        at_once.wait()
        cpu, _, made = _loop(once, log, n // 4, budget_s)
        done.append((cpu * made, made))

    running = [threading.Thread(target=run) for _ in range(4)]
    for thread in running:
        thread.start()
    at_once.wait()
    began = time.perf_counter()
    for thread in running:
        thread.join()
    spent, made = time.perf_counter() - began, sum(each for _, each in done)
    return sum(cpu for cpu, _ in done) / made, spent / made, made


def request(*, folder: Path, framework: str, url: str, n: int, rounds: int) -> Result:
    """Requests that do not fail, in turns with and without us: the least seconds of CPU for one, of all rounds."""
    logging.getLogger().addHandler(BY_NAME["wecom_logging"].start(url, DEFAULT_LIMIT).handlers[0])
    ask = {watched: FRAMEWORKS[framework](watched=watched) for watched in (False, True)}
    least = dict.fromkeys(ask, float("inf"))
    for _ in range(rounds):
        for watched, once in ask.items():
            began = time.thread_time()
            for _ in range(n):
                once()
            least[watched] = min(least[watched], (time.thread_time() - began) / n)
    return {"plain": least[False], "watched": least[True], "calls": n * rounds}


def variable(*, folder: Path, n: int) -> Result:
    """One context variable, set and reset: seconds of CPU, without the loop."""
    found: contextvars.ContextVar[object] = contextvars.ContextVar("found")
    least = {"once": float("inf"), "nothing": float("inf")}
    for _ in range(20):
        began = time.thread_time()
        for _ in range(n):
            found.reset(found.set(found))
        between = time.thread_time()
        for _ in range(n):
            pass
        ended = time.thread_time()
        least = {
            "once": min(least["once"], (between - began) / n),
            "nothing": min(least["nothing"], (ended - between) / n),
        }
    return {"cpu": least["once"] - least["nothing"]}


# How a storm and a flood are told.


class Memory:
    """How much more resident memory this process took than when this began; its peak, where Linux tells."""

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        except OSError:  # not Linux: the whole process's peak
            pass
        self._began = self._read("VmRSS:")

    def peak_mib(self) -> float | None:
        peak = self._read("VmHWM:")
        return None if peak is None or self._began is None else (peak - self._began) / 1024

    @staticmethod
    def _read(name: str) -> int | None:
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:  # no /proc here: no figure
            return None
        return int(status.split(name)[1].split()[0])


class Books:
    """Our handler's books, beside what was really logged. Only public names."""

    def __init__(self, log: logging.Logger) -> None:
        self.handler: Any
        (self.handler,) = (each for each in log.handlers if hasattr(each, "stats"))
        self.wrong: list[str] = []
        self._before = self._read()

    def _read(self) -> dict[str, Any]:
        stats = self.handler.stats()
        names = [field.name for field in dataclasses.fields(stats)]
        return {name: getattr(stats, name) for name in names} | {"dropped": dict(stats.dropped)}

    def check(self) -> dict[str, Any]:
        """Read them; note what does not balance or went backwards."""
        now = self._read()
        told = now["delivered"] + now["merged"] + now["handed_over"] + sum(now["dropped"].values())
        if now["accepted"] != told + now["pending"] or now["pending"] < 0:
            self.wrong.append(f"they do not balance: {now}")
        if any(now[name] < self._before[name] for name in ("accepted", "delivered", "merged")):
            self.wrong.append(f"a number fell: {self._before}, then {now}")
        self._before = now
        return now


def storm(*, folder: Path, peer: str, url: str, n: int, budget_s: float, flush_s: float) -> Result:
    """Identical errors from one call site, then a flush: messages, memory, books."""
    shop = calls.load(folder, braces=BY_NAME[peer].braces)
    log, server, ours = BY_NAME[peer].start(url, None), Probe(url), peer == "wecom_logging"
    shop.warm_up(log)
    books = Books(log) if ours else None
    if books:
        books.handler.flush(30)
    time.sleep(SETTLE_S)
    server.reset()
    before = books.check()["accepted"] if books else 0
    memory, made, began = Memory(), 0, time.perf_counter()
    while made < n and time.perf_counter() - began < budget_s:
        shop.equal(log, min(1_000, n - made))
        made += min(1_000, n - made)
        if books and not made % 50_000:
            books.check()
    calls_s = time.perf_counter() - began
    if books:
        books.handler.flush(flush_s)
    else:
        time.sleep(1)
    seen = server.look()
    result: Result = {"calls": made, "calls_s": calls_s, "messages": seen.messages, "rss": memory.peak_mib()}
    if books:
        now = books.check()
        result |= {"accepted": now["accepted"] - before, "books": now, "wrong": books.wrong[:1]}
    return result


def flood(*, folder: Path, peer: str, url: str, seconds: float, a_second: int) -> Result:
    """Texts that all differ, at a steady pace; now and then a CRITICAL from a call site that was silent so far."""
    shop = calls.load(folder, braces=BY_NAME[peer].braces)
    log, server = BY_NAME[peer].start(url, DEFAULT_LIMIT), Probe(url)
    shop.warm_up(log)
    books = Books(log) if peer == "wecom_logging" else None
    time.sleep(1.0)
    memory, made, began = Memory(), 0, time.perf_counter()
    before = books.check()["accepted"] if books else 0
    due = [share * seconds for share in (0.3, 0.6, 0.9)]
    asked_at: list[float] = []
    while (now := time.perf_counter() - began) < seconds:
        for _ in range(min(int(now * a_second) - made, a_second // 100)):
            shop.text(log, "shelf" + mark(made)[3:])
            made += 1
        if len(asked_at) < len(due) and now >= due[len(asked_at)]:
            asked_at.append(time.monotonic())
            shop.CRITICAL[len(asked_at) - 1](log)
            if books:
                books.check()
        time.sleep(0.002)
    spent = time.perf_counter() - began
    ends = time.monotonic() + LONGEST_WAIT_S
    waits = [_wait_for(server, mark(900_000 + i), at, ends) for i, at in enumerate(asked_at)]
    result = {"calls": made + len(asked_at), "seconds": spent, "waits": waits, "rss": memory.peak_mib()}
    if books:
        now_books = books.check()
        result |= {"accepted": now_books["accepted"] - before, "books": now_books, "wrong": books.wrong[:1]}
    return result


def _wait_for(server: Probe, word: str, asked_at: float, ends: float) -> float | None:
    """Seconds from the log call until the server had it; None if it did not come."""
    while (seen_at := server.seen_at(word)) is None:
        if time.monotonic() > ends:
            return None
        time.sleep(0.05)
    return seen_at - asked_at


def first(*, folder: Path, peer: str | None, url: str, busy: int) -> Result:
    """The first alert of a program whose threads are all busy: seconds that the call took. No peer: Thread.start()."""
    shop = calls.load(folder, braces=False)
    log = BY_NAME[peer].start(url, DEFAULT_LIMIT) if peer else None
    plain = threading.Thread(target=int, daemon=True)
    go = threading.Event()

    def spin() -> None:
        go.wait()
        turns = 0
        while go.is_set():
            turns += 1

    for _ in range(busy):
        threading.Thread(target=spin, daemon=True).start()
    go.set()
    time.sleep(0.2)  # and now it is this thread's turn, with the interpreter's whole switch interval before it
    began = time.perf_counter()
    if log is None:
        plain.start()
    else:
        shop.equal(log, 1)
    spent = time.perf_counter() - began
    go.clear()
    return {"seconds": spent}


def prompt(*, folder: Path, kind: str, url: str, n: int) -> Result:
    """Alerts one by one, while nothing else waits: seconds from the log call until the server has each of them."""
    from wecom_logging import WeComHandler

    server = Probe(url)
    if kind == "app":
        given: dict[str, Any] = {"corp_id": "b", "agent_id": 1, "secret": "benchmarks", "users": "b", "api_base": url}
        log = logger_with(WeComHandler(rate_limit=None, **given))
    else:
        log = ours(url, None, "memory://" if kind == "bot" else f"sqlite://{folder}/alerts.db")
    asked_at: list[float] = []
    for i in range(n + 1):
        shop = log.getChild(mark(i))  # each of another logger: texts that differ in a word alone become one incident
        asked_at.append(time.monotonic())
        shop.error(f"an order failed: {mark(i)}")
        time.sleep(0.05 if i else 1.0)
    ends = time.monotonic() + LONGEST_WAIT_S
    waits = [_wait_for(server, mark(i), at, ends) for i, at in enumerate(asked_at)]
    return {"first": waits[0], "warm": waits[1:]}


# How fast what waits is told.


def drain(*, folder: Path, peer: str, url: str, n: int, rate_limit: str | None, at_most_s: float) -> Result:
    """Distinct records at once, then wait: seconds until the server has them all (ours: until nothing is pending)."""
    shop = calls.load(folder, braces=BY_NAME[peer].braces, distinct=n)
    log, server = BY_NAME[peer].start(url, rate_limit), Probe(url)
    books = Books(log) if peer == "wecom_logging" else None
    time.sleep(SETTLE_S)
    began = time.perf_counter()
    for line in shop.DISTINCT:
        line(log)
    calls_s = time.perf_counter() - began
    done = False
    while not done and time.perf_counter() - began < at_most_s:
        time.sleep(0.02)
        done = books.handler.stats().pending == 0 if books else server.look().marks >= n
    ended = time.perf_counter() - began
    seen = server.look()
    result = {"calls": n, "calls_s": calls_s, "seconds": ended, "done": done, **dataclasses.asdict(seen)}
    if books:
        result |= {"books": books.check(), "wrong": books.wrong[:1]}
    return result


def digest(*, folder: Path, url: str, n: int) -> Result:
    """Equal records, then flush(): messages at the server."""
    shop = calls.load(folder, braces=False)
    log, server = BY_NAME["wecom_logging"].start(url, None), Probe(url)
    books = Books(log)
    shop.equal(log, n)
    flushed = books.handler.flush(30)
    return {"messages": server.look().messages, "flushed": flushed, "books": books.check(), "wrong": books.wrong[:1]}
