"""What is promised whatever becomes of a state: each alert is told, soon, and the program goes on as without us."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3  # a backup is made by it
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.rig import PUSH
from tests.programs import Clock, Ended, run, until, word
from tests.proxy import Proxy
from tests.scripted import ScriptedWeCom, hold, status
from tests.valkey_server import Server
from wecom_logging import WeComBotHandler
from wecom_logging._incidents import life
from wecom_logging._incidents.incident import Count, Incident, Kept
from wecom_logging._state import redis_client, shared
from wecom_logging._state.base import StateError, Wanted
from wecom_logging._state.failover import FailoverStore
from wecom_logging._state.memory import MemoryStore
from wecom_logging._state.shared import Shared
from wecom_logging._state.sqlite import SqliteStore

from .conftest import SHARED, alert
from .test_outage import LATE_S
from .test_processes import told_in_all

NAMES = [word(1000 + number) for number in range(53)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@pytest.fixture
def own() -> Iterator[Server]:
    server = Server(save="")
    yield server
    server.close()


@pytest.fixture
def wecom() -> Iterator[ScriptedWeCom]:
    with ScriptedWeCom() as server:
        yield server


def told(wecom: ScriptedWeCom) -> dict[str, int]:
    """In how many messages each name is."""
    texts = [body.decode() for body in wecom.bodies(PUSH)]
    return {name: sum(f"disk {name} full" in text for text in texts) for name in NAMES}


def contents(wecom: ScriptedWeCom) -> list[str]:
    return [request.json["markdown"]["content"] for request in wecom.requests]


# What is put back, and what ends.


def save(path: Path, own: Server | None = None) -> None:
    if own is not None:
        with own.client() as client:
            client.save()
        return
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(f"{path}.backup")) as backup:
        db.backup(backup)


def put_back(path: Path, own: Server | None = None) -> None:
    if own is not None:
        own.kill()
        own.start()
        return
    for beside in ("-wal", "-shm", "-journal"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    shutil.copyfile(f"{path}.backup", path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHARED)
def test_an_older_copy_that_is_put_back_costs_no_alert(
    own: Server, wecom: ScriptedWeCom, path: Path, kind: str
) -> None:
    """And a flush is not true before all are told."""
    wecom.always(PUSH, status(502))
    url = own.url if kind == "redis" else f"sqlite://{path}"
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=wecom.url, state=url, rate_limit=None)
    log = logging.Logger("shop")
    log.addHandler(handler)
    names = NAMES[:40]
    try:
        for name in names:
            log.error(f"disk {name} full")
            if name == names[19]:
                until(lambda: handler.stats().pending == 0)  # all are handed over
                save(path, own if kind == "redis" else None)
        until(lambda: handler.stats().pending == 0)
        put_back(path, own if kind == "redis" else None)
        assert not handler.flush(0.2)
        wecom.mend()
        wecom.forget()
        assert handler.flush(30)
        assert [name for name, number in told(wecom).items() if name in names and not number] == []
        assert {one.count for one in handler.incidents()} == {1}
    finally:
        handler.close()


STALLED = """
import atexit, json, logging
atexit.register(lambda: print(json.dumps([*handler.stats().dropped.items(), handler.stats().handed_over])))
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=1)
log = logging.getLogger("shop")
log.addHandler(handler)
for name in {names}:
    log.error(f"disk {{name}} full")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHARED)
def test_what_ends_before_wecom_answers_is_told_by_who_comes_next(
    own: Server, wecom: ScriptedWeCom, path: Path, kind: str
) -> None:
    url = own.url if kind == "redis" else f"sqlite://{path}"
    wecom.always(PUSH, hold())
    ended = run(STALLED.format(names=NAMES), url=wecom.url, WECOM_STATE=url, WECOM_RATE_LIMIT="off")
    assert (ended.status, json.loads(ended.out)) == (0, [53]), ended.err
    assert "wait in the state" in ended.err
    assert "lost" not in ended.err
    wecom.mend()
    wecom.forget()
    next_start = WeComBotHandler(webhook="sandbox-bot", api_base=wecom.url, state=url, rate_limit=None)
    try:
        until(lambda: all(told(wecom).values()), within_s=15)  # nobody waits for the end of a lease
    finally:
        next_start.close()
    assert told(wecom) == dict.fromkeys(NAMES, 1)


# A state of another version.

NEWER = """
from wecom_logging._state import base, sqlite_file
base.VERSION += 1
sqlite_file.SCHEMA_VERSION += 1
"""
"""Makes a program one of the next version."""
LOGS = """
import json, logging
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=1)
log = logging.getLogger("shop")
log.addHandler(handler)
for name in {names}:
    log.error(f"disk {{name}} full")
print(json.dumps([handler.flush({flush}), handler.stats().delivered]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHARED)
def test_the_state_of_another_version_is_left_alone_and_alerts_go_on_in_memory(
    own: Server, wecom: ScriptedWeCom, path: Path, kind: str
) -> None:
    def stored() -> object:
        with own.client() as client:
            return {key: client.dump(key) for key in client.scan_iter()} if kind == "redis" else path.read_bytes()

    def runs(text: str, names: list[str], flush: int) -> Ended:
        return run(text.format(names=names, flush=flush), url=wecom.url, WECOM_STATE=url, WECOM_RATE_LIMIT="off")

    url = own.url if kind == "redis" else f"sqlite://{path}"
    waiting, *names = NAMES[:3]
    wecom.always(PUSH, hold())
    assert runs(NEWER + LOGS, [waiting], 0).status == 0
    before = stored()
    wecom.mend()
    wecom.forget()
    ended = runs(LOGS, names, 10)
    assert json.loads(ended.out) == [True, 2]
    assert ended.err.count("is of another version of wecom_logging; use that one") == len(ended.err.splitlines()) == 1
    assert stored() == before
    assert json.loads(runs(NEWER + LOGS, [], 10).out)[0]
    assert {name for name, number in told(wecom).items() if number} == {waiting, *names}


# A state that is away.

NO_NAME = """
import json, logging, random, socket, threading, time
look_up = socket.getaddrinfo
def look(host, *given, **more):
    if host == "redis.test" and not more.get("flags"):
        threading.Event().wait()
    return look_up(host, *given, **more)
socket.getaddrinfo = look
random.seed(42)
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=2)
log = logging.getLogger("shop")
log.addHandler(handler)
made = time.monotonic()
log.error("disk {name} full")
flushed = handler.flush({flush})
print(json.dumps([made, flushed, random.random(), handler.stats().pending]), flush=True)
"""
AFTER_SEED_42 = 0.6394267984578837


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "problem"),
    [("redis://redis.test", "its name is not found in time"), ("redis://127.0.0.1:1", "Connection refused")],
)
def test_a_state_that_is_away_delays_no_alert_and_changes_no_random_number(
    wecom: ScriptedWeCom, url: str, problem: str
) -> None:
    """Also where its name is looked up without end."""
    ended = run(NO_NAME.format(flush=20, name=NAMES[0]), url=wecom.url, WECOM_STATE=url)
    made, flushed, number, pending = json.loads(ended.out)
    assert (ended.status, flushed, number, pending) == (0, True, AFTER_SEED_42, 0)
    (request,) = wecom.requests
    assert NAMES[0] in request.body.decode()
    assert request.time - made < LATE_S
    assert problem in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.slow
def test_where_no_name_is_found_what_is_lost_is_said(wecom: ScriptedWeCom) -> None:
    wecom.always(PUSH, hold())
    ended = run(NO_NAME.format(flush=0, name=NAMES[0]), url=wecom.url, WECOM_STATE="redis://redis.test")
    assert "1 alert was not sent within exit_timeout (2 s): it is lost" in ended.err


FORKS = """
import logging, os, sys, threading, time
at = threading.Event()

def hook(name, arguments):
    if name == {event!r} and {named!r} in (arguments[0], "") and not at.is_set():
        at.set()
        time.sleep(0.1)  # while this thread is at it, the program forks

from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=20)
log = logging.getLogger("shop")
log.addHandler(handler)
sys.addaudithook(hook)
log.error("the parent")
assert at.wait(20)
child = os.fork()
if child == 0:
    log.error("the child")
    os._exit(0 if handler.flush(20) else 1)
ends = time.monotonic() + 30
while (done := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < ends:
    time.sleep(0.01)
if done == (0, 0):
    os.kill(child, 9)
print(done[1] if done[0] else "it hangs", handler.flush(20), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("event", "named"), [("import", "sqlite3"), ("sqlite3.connect", "")])
def test_a_child_of_the_first_fork_tells_whatever_the_worker_is_at(
    wecom: ScriptedWeCom, path: Path, event: str, named: str
) -> None:
    ended = run(FORKS.format(event=event, named=named), url=wecom.url, fresh=True, WECOM_STATE=f"sqlite://{path}")
    assert (ended.status, ended.out) == (0, "0 True\n"), ended.err
    assert sorted("the child" in text for text in contents(wecom)) == [False, True]


# Answers of a state that are lost.


@pytest.mark.slow
@pytest.mark.parametrize("timeout_s", [redis_client.TIMEOUT_S])
def test_a_count_whose_answer_was_lost_counts_once(
    own: Server, wecom: ScriptedWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is told from memory meanwhile or not."""
    monkeypatch.setattr(shared, "BACK_OFF_S", (1.0, 1.5))
    with Proxy(own.port) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}"
        handler = WeComBotHandler(webhook="sandbox-bot", api_base=wecom.url, state=url, rate_limit=None, window=1)
        log = logging.Logger("shop")
        log.addHandler(handler)
        try:
            for is_told_meanwhile in (False, True, False):
                log.error("the disk of atlas is full")
                log.error("the lamp is off")
                assert handler.flush(20)
                proxy.mute = True
                for _ in range(10):
                    log.error("the disk of atlas is full")
                log.error("the door is open")
                until(lambda: not handler.state_is_up())
                assert not is_told_meanwhile or handler.flush(0.5)
                proxy.mute = False
                until(handler.state_is_up)
            assert handler.flush(20)
        finally:
            handler.close()
    assert told_in_all(contents(wecom)) == 3 * (2 + 11)


@pytest.mark.slow
def test_two_handlers_of_one_bot_share_a_state_and_lose_no_count(wecom: ScriptedWeCom, path: Path) -> None:
    handlers = [
        WeComBotHandler(webhook="sandbox-bot", api_base=wecom.url, state=f"sqlite://{path}", rate_limit=None)
        for _ in range(2)
    ]
    logs = [logging.Logger("shop"), logging.Logger("shop")]
    for log, handler in zip(logs, handlers, strict=True):
        log.addHandler(handler)
    try:
        for _ in range(6):
            for log, handler, name in zip(logs, handlers, NAMES, strict=False):
                log.error(f"disk {name} full")
                assert handler.flush(20)
    finally:
        for handler in handlers:
            handler.close()
    assert told_in_all(contents(wecom)) == 12


SEEDS = 12


class Torn:
    """A store behind a bad network: a request or an answer may be lost, or all of them for a while."""

    def __init__(self, store: SqliteStore, chance: Random) -> None:
        self.store = store
        self.lost = 0.1
        self.is_down = False
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **more: Any) -> Any:
            if self.is_down or self._chance.random() < self.lost / 2:
                raise StateError("the request is lost")
            found = getattr(self.store, name)(*given, **more)
            if self._chance.random() < self.lost:
                raise StateError("the answer is lost")
            return found

        return call


class Teller:
    """A process with few failures, which counts what it logs and tells."""

    def __init__(self, path: Path, chance: Random, clock: Clock) -> None:
        self.clock, self.chance = clock, chance
        self.logged: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.torn = Torn(SqliteStore(str(path), clock=clock), chance)
        self._keys: dict[str, str] = {}
        self.store = FailoverStore(
            "bot",
            MemoryStore(lambda key, reason, own: None),
            Shared("a state", lambda _: self.torn, None, lambda cause, text: None, clock),
            host="host",
            timeout_s=1.0,
            publish=self._publish,
            handed=lambda incident, key, how, own: self._keys.update({incident.first.alert.message: key}),
            warn_once=lambda cause, text: pytest.fail(text),
        )

    @staticmethod
    def _publish(incident: Incident) -> Count:
        alert = incident.first.alert
        event = alert.id if incident.key.startswith("~") and not incident.told else ""
        return Count(key=alert.message, number=incident.untold, level=40, window_s=5, first=incident.first, event=event)

    def log(self, name: str, number: int) -> None:
        self.logged[name] += number
        is_new = name not in self._keys
        key = self._keys.setdefault(name, f"~{sum(self.logged.values())}")
        first = Kept(replace(alert(name), id=f"{name}{key}" if is_new else "cafe0001"))
        self.store.add([Count(key=key, number=number, level=40, window_s=5, first=first)], self.clock())

    def turn(self) -> None:
        now = self.clock()
        self.store.hand_over(now)
        for claim in self.store.claim(now, Wanted(1)):
            incident = life.alone(claim.incident, now)
            after: Incident | None = life.released(incident, now, failed=1)
            if life.is_told(incident):
                after = None
                if not claim.is_shared:
                    del self._keys[incident.first.alert.message]
            elif self.chance.random() < 0.9:
                after = life.sent(incident, now)
                self.told[incident.first.alert.message] += incident.untold
            self.store.swap([(replace(claim, incident=incident), after, "")], now)


def teller(folder: Path, seed: int, *, puts_back: bool) -> Teller:
    """One that has logged, with a state that is torn and perhaps put back, and then told all."""
    chance, clock = Random(seed), Clock()
    path = folder / f"{seed}.db"
    made = Teller(path, chance, clock)
    for step in range(120):
        match chance.randrange(20):
            case 0 | 1:
                clock.now += chance.choice([0.1, 1.0, 3.0, 8.0, 16.0])
            case 2:
                made.torn.is_down = not made.torn.is_down
            case 3 if puts_back and path.exists():
                made.torn.store.close()
                (put_back if step % 2 and Path(f"{path}.backup").exists() else save)(path)
            case event if event < 10:
                made.log(chance.choice("abcd"), chance.choice([1, 1, 2, 5]))
            case _:
                made.turn()
    made.torn.is_down, made.torn.lost = False, 0.0
    ends = clock.now + 200
    while clock.now < ends and made.store.seconds_to_next_look(clock.now) < float("inf"):
        clock.now += 1.0
        made.turn()
    made.torn.store.close()
    assert not made.store.batches.leaves_untold()
    return made


@pytest.mark.slow
def test_whatever_answer_is_lost_each_record_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(SEEDS):
        monkeypatch.setattr(shared, "between", Random(seed).uniform)
        made = teller(tmp_path, seed, puts_back=False)
        assert made.told == made.logged, seed


@pytest.mark.slow
def test_whatever_is_put_back_each_record_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(SEEDS):
        monkeypatch.setattr(shared, "between", Random(seed).uniform)
        made = teller(tmp_path, seed, puts_back=True)
        assert made.told >= made.logged, seed
