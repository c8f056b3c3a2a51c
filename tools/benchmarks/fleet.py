"""What Redis is for: many processes that tell each failure once. Each of them is simulated here by a client of its own,
with connections of its own, that asks for what a process asks for."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wecom_logging._incidents import life
from wecom_logging._incidents.incident import Count, Incident, Kept
from wecom_logging._state.base import Swap, Wanted
from wecom_logging._state.redis import RedisStore
from wecom_logging.model import Alert, Failure, Frame

Result = dict[str, Any]

CHANNEL = "bot"
OPEN = 50
"""Incidents that are open in each process: one half is everybody's, the other is its own."""
A_SECOND = 100
"""Records of each process."""
CLAIM_S, UNTOLD_S = 3.0, 5.0
LEASE_S = 60.0


def least_of(calls: dict[str, Callable[[], object]], n: int) -> dict[str, float]:
    """Seconds that one of each takes, in the best of many pieces, in turns: other programs disturb all alike."""
    found = dict.fromkeys(calls, float("inf"))
    for _ in range(max(n // 20, 1)):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(20):
                call()
            found[name] = min(found[name], (time.perf_counter() - began) / 20)
    return found


def first(key: str, number: int = 1, level: int = 40) -> Count:
    """An alert of a usual size, with a traceback of ten frames."""
    frames = tuple(Frame(f"/srv/shop/orders/module_{at}.py", 100 + at, f"function_{at}", code="…") for at in range(10))
    alert = Alert(
        id="cafe0001",
        level=level,
        level_name="ERROR",
        logger="shop.orders",
        message=f"could not send the order of {key}",
        template="could not send the order of %s",
        time=time.time(),
        host="web-1",
        process=1,
        process_name="MainProcess",
        thread_name="MainThread",
        place=frames[-1],
        module="orders",
        failures=(Failure("ConnectionError", "connection refused", frames),),
    )
    return Count(key=key, number=number, level=level, last=time.time(), first=Kept(alert))


def claim(*, folder: Path, state: str, n: int) -> Result:
    """Seconds that one claim takes where one incident is due and where none is, and one PING, by the same library; and
    the server's memory for one incident."""
    import redis

    numbers, lent = itertools.count(1), []
    with ExitStack() as stack:
        store = stack.enter_context(closing(RedisStore(state)))
        plain = stack.enter_context(redis.Redis.from_url(state))

        def add() -> None:
            number = next(numbers)
            store.add(CHANNEL, "me", "host", number, [first(f"key {number}")], 0.0)

        def one() -> None:
            (found,) = store.claim(CHANNEL, "me", 0.0, 600, Wanted(1))
            lent.append(found)

        def none() -> None:
            assert not store.claim("quiet", "me", 0.0, 600, Wanted(9))

        def tell() -> None:
            found = lent.pop()
            assert store.swap(CHANNEL, [Swap(found, life.sent(found, 0.0))], 0.0) != [None]

        store.add("quiet", "me", "host", 1, [first("key")], 0.0)
        (quiet,) = store.claim("quiet", "me", 0.0, 600, Wanted(1))
        store.swap("quiet", [Swap(quiet, life.sent(quiet, 0.0))], 0.0)
        spent = least_of({"once": plain.ping, "add": add, "one": one, "tell": tell, "none": none}, n)
        before = int(plain.info("memory")["used_memory"])
        for _ in range(n):
            add()
        memory = (int(plain.info("memory")["used_memory"]) - before) / n
        return {"calls": n, "memory": memory, **spent}


@dataclass
class _Process:
    """One of the fleet: counts its records, and adds them once a second."""

    who: str
    host: str
    store: RedisStore
    keys: list[str]
    number: int = 0
    told: dict[str, int] = field(default_factory=dict)

    def add(self, counts: list[Count]) -> int:
        """How many of them the store has taken; those of incidents that are not open any more open them again."""
        self.number += 1
        added = self.store.add(CHANNEL, self.who, self.host, self.number, counts, time.monotonic()).told
        gone = [first(one.key, one.number, one.level) for one, told in zip(counts, added, strict=True) if told is None]
        taken = sum(one.number for one, told in zip(counts, added, strict=True) if told is not None)
        return taken + (self.add(gone) if gone else 0)


def fleet(*, folder: Path, state: str, processes: int, seconds: float) -> Result:
    """The server's time on its core, how long a fresh incident waits until somebody has sent it, and the numbers."""
    import redis

    everybody = [f"everybody's {at}" for at in range(OPEN // 2)]
    members = [
        _Process(
            f"{at}-process",
            f"host-{at // 8}",
            RedisStore(state),
            [*everybody, *(f"of {at}: {own}" for own in range(OPEN - OPEN // 2))],
        )
        for at in range(processes)
    ]
    fresh: dict[str, float] = {}
    waits: list[float] = []
    added = told = late = 0
    plain = redis.Redis.from_url(state)

    def send(member: _Process) -> None:
        """What is due, each as if WeCom answered at once."""
        nonlocal told
        while found := member.store.claim(CHANNEL, member.who, now := time.monotonic(), LEASE_S, Wanted(20)):
            done = member.store.swap(CHANNEL, [Swap(one, life.sent(one, now)) for one in found], time.monotonic())
            for one, own in zip(found, done, strict=True):
                if own is not None:
                    told += one.untold
                    _seen(one)

    def _seen(one: Incident) -> None:
        if (began := fresh.pop(one.key, None)) is not None:
            waits.append(time.monotonic() - began)

    def add(member: _Process, at: float) -> None:
        nonlocal added
        counts = [Count(key=key, number=A_SECOND // OPEN, level=40, last=time.time()) for key in member.keys]
        added += member.add(counts)

    for member in members:
        added += member.add([first(key) for key in member.keys])
        send(member)
    cpu, began = _cpu_s(plain), time.monotonic()
    turns: list[tuple[float, int, str]] = []
    for at in range(processes):
        share = at / processes
        for verb, every in (("add", 1.0), ("claim", CLAIM_S), ("untold", UNTOLD_S)):
            heapq.heappush(turns, (began + share * every, at, verb))
    every_s = {"add": 1.0, "claim": CLAIM_S, "untold": UNTOLD_S}
    new = itertools.count(1)
    next_fresh = began
    while (now := time.monotonic()) < began + seconds:
        due, at, verb = turns[0]
        if due > now:
            time.sleep(min(due - now, 0.01))
            continue
        heapq.heapreplace(turns, (due + every_s[verb], at, verb))
        late = max(late, now - due)
        member = members[at]
        if verb == "add":
            add(member, now)
            if now >= next_fresh:  # one a second, somewhere: whoever has it adds it and looks for what is due
                next_fresh += 1.0
                one = first(f"fresh {next(new)}", level=50)
                fresh[one.key] = time.monotonic()
                added += member.add([one])
                send(member)
        elif verb == "claim":
            send(member)
        else:
            member.store.untold(CHANNEL, member.who, member.keys)
    took = time.monotonic() - began
    cpu = _cpu_s(plain) - cpu
    memory = int(plain.info("memory")["used_memory"])
    incidents = len(members[0].store.open(CHANNEL, 100_000))
    for member in members:
        member.store.offset_s = 2 * life.MAX_WAIT_S
    send(members[0])
    books = members[0].store.counters()
    for member in members:
        member.store.close()
    plain.close()
    return {
        "cpu": cpu / took,
        "waits": waits,
        "missing": len(fresh),
        "late": late,
        "added": added,
        "told": told,
        "counted": books.counted,
        "books": [books.told, books.waiting, books.given_up, books.discarded],
        "incidents": incidents,
        "memory": memory,
        "seconds": took,
    }


def _cpu_s(client: Any) -> float:
    found = client.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])
