"""A server that is away in the middle of a run, and may come back empty: no alert is lost by it, none waits for it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.rig import GETTOKEN, PUSH
from tests.programs import Clock, until
from tests.proxy import Proxy
from tests.scripted import TOKEN, ScriptedWeCom, after, ok
from tests.valkey_server import Server
from wecom_logging._state.redis import RedisStore
from wecom_logging._state.shared import BACK_OFF_S, Shared
from wecom_logging._wecom.http import Transport
from wecom_logging._wecom.token import TokenSource
from wecom_logging.model import Secret

from .test_processes import together, told_in_all

LATE_S = 2.0
"""Documented is a second; the rest is for a busy machine, as are several rounds."""

ROUNDS = 3
MOST_S = 60.0
Harm = Callable[[Server, Proxy], AbstractContextManager[None]]

CROWD = """
import json, logging, sys, threading, time
from wecom_logging._state import failover as commons
from wecom_logging._state import shared
shared.BACK_OFF_S = (0.5, 1.5)
from wecom_logging._incidents import limits
limits.MESSAGES = 10**9  # each is to have a text of its own, in whatever message
commons.LET_GO_S = 2.0  # with the timeout, a lease of ten seconds: a stall may swallow a claim
from pathlib import Path
from tests.programs import until, word
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=20, timeout=2, window=1, rate_limit={limit!r})
log = logging.getLogger("shop")
log.addHandler(handler)
process, threads, folder = int(sys.argv[1]), 4, Path({folder!r})
made, over = [], threading.Event()

def work(thread):
    number = thread
    while not over.is_set():
        name = word(10_000_000 * (process + 1) + number)
        made.append((name, time.monotonic()))
        log.error(f"disk {{name}} full")
        log.warning("stock %d is low", number)
        number += threads
        time.sleep({pause})

running = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
for thread in running:
    thread.start()
try:
    until(lambda: handler.state_is_up() is False, {most_s})
    (folder / f"away {{process}}").touch()
    until(lambda: (folder / "over").exists() and handler.state_is_up(), {most_s})
finally:
    over.set()
for thread in running:
    thread.join()
handler.flush(20)
stats = handler.stats()
print(json.dumps([made, stats.accepted, stats.delivered + stats.merged + stats.handed_over, dict(stats.dropped)]))
"""
PROCESSES = 3


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(save="")
    yield server
    server.close()


@contextmanager
def killed(server: Server, proxy: Proxy) -> Iterator[None]:
    server.kill()
    yield
    server.start()


@contextmanager
def stalled(server: Server, proxy: Proxy) -> Iterator[None]:
    proxy.stalled = True
    yield
    proxy.stalled = False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "limit", "pause", "late_s"),
    [
        pytest.param(killed, None, 0.05, LATE_S, marks=pytest.mark.case("F02"), id="killed"),
        pytest.param(killed, "40/minute", 0.3, float("inf"), marks=pytest.mark.case("F02"), id="killed, a limit"),
        pytest.param(stalled, None, 0.05, LATE_S, marks=pytest.mark.case("F03"), id="stalled"),
    ],
)
def test_away_amid_alerts_it_costs_none_and_delays_none(
    server: Server, tmp_path: Path, harm: Harm, limit: str | None, pause: float, late_s: float
) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        latest_s, apart_s = one_run(server, folder, harm, limit, pause)
        if latest_s < late_s and (limit or apart_s < 5):
            return
    pytest.fail(f"an alert came after {latest_s:.1f} s, and counts were shared again after {apart_s:.1f} s")


def one_run(server: Server, folder: Path, harm: Harm, limit: str | None, pause: float) -> tuple[float, float]:
    """After how many seconds the latest alert came, and after how many the processes shared their counts again."""
    with ScriptedWeCom() as wecom, Proxy(server.port) as proxy:
        code = CROWD.format(limit=limit, pause=pause, folder=str(folder), most_s=MOST_S)
        url = f"redis://127.0.0.1:{proxy.port}"
        with together(code, PROCESSES, WECOM_STATE=url, WECOM_API_BASE=wecom.url) as processes:
            until(lambda: len(wecom.bodies(PUSH)) >= 11, MOST_S)
            with harm(server, proxy):
                until(lambda: len(list(folder.glob("away *"))) == PROCESSES, MOST_S)
                time.sleep(1)  # an outage goes on after it was noticed
            back = time.monotonic()
            if limit is None:
                until(lambda: shared_again(wecom, back), MOST_S)
            (folder / "over").touch()
            ended = [process.communicate(timeout=MOST_S) for process in processes]
        told, apart_s = told_by(wecom), min(shared_again(wecom, back), default=float("inf")) - back
    first_told: dict[str, float] = {}
    for at, text in told:
        for name in re.findall("disk (x[a-z]+) full", text):
            first_told.setdefault(name, at)
    in_all, latest_s = 0, 0.0
    for out, err in ended:
        made, accepted, settled, dropped = json.loads(out)
        assert (accepted, settled, dropped) == (2 * len(made), accepted, {}), err
        assert [name for name, _ in made if name not in first_told] == []
        latest_s = max(latest_s, *(first_told[name] - at for name, at in made))
        assert ["again" in line for line in err.splitlines() if "state: " in line] == [False, True]
        in_all += accepted
    assert told_in_all([text for _, text in told]) >= in_all
    return latest_s, apart_s


def told_by(wecom: ScriptedWeCom) -> list[tuple[float, str]]:
    return [(request.time, request.json["markdown"]["content"]) for request in wecom.requests]


def shared_again(wecom: ScriptedWeCom, back: float) -> list[float]:
    """When a count of all processes was told after that."""
    return [at for at, text in told_by(wecom) if at > back and f"in {PROCESSES} processes" in text]


FLEET = 50


@pytest.mark.case("F13")
def test_after_ten_minutes_a_fleet_comes_back_bit_by_bit_and_asks_for_one_token(server: Server, clock: Clock) -> None:
    server.kill()
    said: list[str] = []

    def say(cause: str, text: str) -> None:
        said.append(cause)

    fleet = [Shared(server.url, lambda _: RedisStore(server.url), None, say, clock) for _ in range(FLEET)]
    sources = [TokenSource("corp", Secret("secret")) for _ in fleet]
    back: dict[int, float] = {}
    tried: list[float] = []

    def come_back(number: int) -> None:
        if fleet[number].try_call(lambda state: state.check(), ""):
            back[number] = clock.now
            assert sources[number].get(transport).reveal() == TOKEN

    with ScriptedWeCom() as wecom, ThreadPoolExecutor(8) as pool, closing(Transport(wecom.url)) as transport:
        for source, shared in zip(sources, fleet, strict=True):
            source.share(shared, wecom.url)
        wecom.script(GETTOKEN, after(0.2, ok(access_token=TOKEN, expires_in=7200)))
        ends = clock.now + 600
        while len(back) < FLEET:
            if ends <= clock.now < ends + 0.5:
                server.start()
                ends = float("inf")
                began = clock.now
            ready = [number for number, shared in enumerate(fleet) if shared.is_up and number not in back]
            tried += [clock.now] * len(ready)
            assert list(pool.map(come_back, ready)) == [None] * len(ready)
            clock.now += 0.5
        assert wecom.paths() == ["gettoken"]
    for shared in fleet:
        shared.close()
    assert max(back.values()) - began <= BACK_OFF_S[1]
    times = sorted(back.values())
    assert all(sum(at <= other < at + 1 for other in times) <= FLEET * 0.4 for at in times)
    assert len(tried) < FLEET * (600 + BACK_OFF_S[1]) / BACK_OFF_S[0]
    assert (said.count("state"), said.count("state again")) == (FLEET, FLEET)
