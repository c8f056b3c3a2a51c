"""What is promised whatever becomes of a state: each alert is told, soon, and the program goes on as without us."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3  # a backup is made by it
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.rig import PUSH
from tests.programs import run, until, word
from tests.scripted import ScriptedWeCom, hold, status
from tests.valkey_server import Server
from wecom_logging import WeComBotHandler

from .test_outage import LATE_S

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
    return {name: sum(f"disk of {name} is" in text for text in texts) for name in NAMES}


# What is put back, and what ends.


def save(own: Server, path: Path, kind: str) -> None:
    if kind == "valkey":
        with own.client() as client:
            client.save()
        return
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(f"{path}.backup")) as backup:
        db.backup(backup)


def put_back(own: Server, path: Path, kind: str) -> None:
    if kind == "valkey":
        own.kill()
        own.start()
        return
    for beside in ("-wal", "-shm", "-journal"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    shutil.copyfile(f"{path}.backup", path)


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_an_older_copy_that_is_put_back_costs_no_alert(
    own: Server, wecom: ScriptedWeCom, path: Path, kind: str
) -> None:
    """And a flush is not true before all are told."""
    wecom.always(PUSH, status(502))
    url = own.url if kind == "valkey" else f"sqlite://{path}"
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=wecom.url, state=url, rate_limit=None)
    log = logging.Logger("shop")
    log.addHandler(handler)
    names = NAMES[:40]
    try:
        for name in names:
            log.error(f"the disk of {name} is full")
            if name == names[19]:
                until(lambda: handler.stats().pending == 0)  # all are handed over
                save(own, path, kind)
        until(lambda: handler.stats().pending == 0)
        put_back(own, path, kind)
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
    log.error(f"the disk of {{name}} is full")
"""


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_what_ends_before_wecom_answers_is_told_by_who_comes_next(
    own: Server, wecom: ScriptedWeCom, path: Path, kind: str
) -> None:
    url = own.url if kind == "valkey" else f"sqlite://{path}"
    wecom.always(PUSH, hold())
    ended = run(STALLED.format(names=NAMES), url=wecom.url, WECOM_STATE=url, WECOM_RATE_LIMIT="off")
    assert (ended.status, json.loads(ended.out)) == (0, [53]), ended.err
    assert "waits in the state" in ended.err
    assert "lost" not in ended.err
    wecom.mend()
    wecom.forget()
    next_start = WeComBotHandler(webhook="sandbox-bot", api_base=wecom.url, state=url, rate_limit=None)
    try:
        until(lambda: all(told(wecom).values()), within_s=15)  # nobody waits for the end of a lease
    finally:
        next_start.close()
    assert told(wecom) == dict.fromkeys(NAMES, 1)


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
log.error("the disk of {name} is full")
flushed = handler.flush({flush})
print(json.dumps([made, flushed, random.random(), handler.stats().pending]), flush=True)
"""
AFTER_SEED_42 = 0.6394267984578837


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


def test_where_no_name_is_found_what_is_lost_is_said(wecom: ScriptedWeCom) -> None:
    wecom.always(PUSH, hold())
    ended = run(NO_NAME.format(flush=0, name=NAMES[0]), url=wecom.url, WECOM_STATE="redis://redis.test")
    assert "1 alert was not sent within exit_timeout (2 s) and lost" in ended.err
