"""What a released version has left in a file or a server is taken over: nothing is lost, nothing is told twice.

``data/`` has what that version made of `fill`: the file as SQL, the server's keys as JSON.
"""

from __future__ import annotations

import base64
import json
import sqlite3  # it is what these tests are about
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._incidents import answered, life
from wecom_logging._incidents.incident import Incident
from wecom_logging._state.base import SharedCounters, Store, Swap, Wanted
from wecom_logging._state.redis import RedisStore
from wecom_logging._state.sqlite import SqliteStore
from wecom_logging._state.sqlite_schema import _boot
from wecom_logging.model import Sample, Variant

from ..valkey_server import Server
from .conftest import CHANNEL, first, later

DATA = Path(__file__).parent / "data"
BEGIN = 1_000_000.0
"""On the clock of the file."""

MADE = 1_796_000_000.0
"""On the server's clock: about when its keys were made."""

LEASE_S = 700.0
"""Longer than what is claimed there is."""


def fill(store: Store, now: float) -> list[Incident]:
    """One of each kind. Answers what is claimed, as a process knows it that is about to send it."""
    samples, kinds = (Sample(7.0, "样本"), Sample(8.0, "another")), (Variant("amy", 2, "text of amy", 9.0, True),)
    urgent = ["told", "more", "answered", "done", "silenced", "quiet", "rejected", "over"]
    counts = [first(key, 2, level=30, audience="x", cause="refused", event=f"event {key}", last=10.0) for key in urgent]
    store.add(CHANNEL, "old#1", "host-1", 1, counts, now)
    for _ in range(2):
        store.add(
            CHANNEL, "old#1", "host-1", 2, [later("more", 3, last=11.0)], now
        )  # the second time it is passed over
    claims = {one.key: one for one in store.claim(CHANNEL, "old", now, 60.0, Wanted(99))}
    ended = [claims.pop(key) for key in ("rejected", "over")]
    swaps = [Swap(one, life.sent(one, now)) for one in claims.values()]
    store.swap(CHANNEL, [*swaps, Swap(ended[0], None, "rejected"), Swap(ended[1], None, "expired")], now)
    store.add(CHANNEL, "new#1", "host-2", 4, [later("more", 5, samples=samples, variants=kinds, last=12.0)], now)

    def answer(key: str, become: Callable[[Incident], Incident]) -> None:
        (one,) = store.open(CHANNEL, 1, [key], now)
        assert store.swap(CHANNEL, [Swap(one, become(one))], now) != [None]

    answer("answered", lambda one: answered.taken(one, "Li", "here", now=now, time=1000.0))
    answer("done", lambda one: answered.done(one, "Wang", "a chat", now=now, time=1000.0))
    for key in ("silenced", "quiet"):
        answer(key, lambda one: answered.silenced(one, "Li", "here", 4000.0, now=now, time=1000.0))
    for one in store.claim(CHANNEL, "old", now, 60.0, Wanted(99)):  # what people did is told
        store.swap(CHANNEL, [Swap(one, life.sent(one, now))], now)
    store.add(CHANNEL, "new#1", "host-2", 5, [later("silenced", 4), later("answered")], now)
    store.add(CHANNEL, "new#1", "host-2", 6, [first("claimed", 6, level=50), first("later", 1, level=20)], now)
    held = store.claim(CHANNEL, "gone", now, 600.0, Wanted(1))
    (late,) = store.claim(CHANNEL, "old", now, 60.0, Wanted(1))
    store.swap(CHANNEL, [Swap(late, life.released(late, now, 900.0, failed=1))], now)
    store.add(CHANNEL, "new#1", "host-2", 7, [later("claimed", 1), first("new", 3)], now)
    assert not store.reserve(CHANNEL, "old", ["u"], [(1, 600.0)], now).wait_s
    assert store.lock_token("app", "old", now)
    store.put_token("app", "old", "a token", 7000.0, now)
    return held


def seen(store: Store, now: float) -> dict[str, Any]:
    """All that a program can see of it; times from now."""

    def row(one: Incident) -> tuple[Incident, int, int]:
        times = ("told_at", "counted_at", "untold_at", "not_before", "until", "held_until")
        away = {name: round(getattr(one, name) - now, -2) if getattr(one, name) else 0.0 for name in times}
        away["untold_at"] *= bool(one.untold)
        alone: dict[str, Any] = {
            "version": 0,
            "lent": 0,
            "rates": (sum(one.rates),),
            "places": (),
            "first": one.first.alert,
        }
        return replace(one, **alone, **away), one.hosts, one.processes

    keys = ["told", "more", "answered", "done", "silenced", "quiet", "over", "claimed", "later", "new", "rejected"]
    return {
        "rows": {one.key: row(one) for one in store.open(CHANNEL, 99, now=now)},
        "letters": sorted((one.key, one.why, one.count, one.claimed) for one in store.held(99)),
        "counters": store.counters(),
        "untold": [
            [number, sorted(some), sorted(held)] for number, some, held in [store.untold(CHANNEL, "new#1", keys)]
        ],
        "related": sorted(one.key for one in store.related(CHANNEL, "x", ["refused"], now)),
        "wait": round(store.reserve(CHANNEL, "other", ["u"], [(1, 600.0)], now).wait_s, -2),
        "token": (store.token("app", now) or [""])[0],
        "channels": store.channels(),
    }


def goes_on(store: Store, now: float, pass_time: Callable[[float], float]) -> None:
    """What came before is told once, and what was added before is passed over. ``pass_time`` gives ``now``."""
    books = store.counters()
    (held,) = store.open(CHANNEL, 1, ["claimed"], now)
    assert (held.owner, held.count) == ("gone", 7)
    opened = store.add(CHANNEL, "another", "host-3", 1, [first("told", 9, event="event told"), later("more")], now).told
    assert opened == (2, 5)
    assert store.counters().counted == books.counted + 1
    assert store.swap(CHANNEL, [Swap(held, life.sent(held, now))], now) != [None]
    told = 0
    for wait in (0.0, 30.0, 900.0, 3100.0, 9000.0):
        later_on = pass_time(wait)
        while found := store.claim(CHANNEL, "me", later_on, 1.0, Wanted(9)):
            told += sum(one.untold for one in found)
            assert None not in store.swap(CHANNEL, [Swap(one, life.sent(one, later_on)) for one in found], later_on)
    after = store.counters()
    assert (after.waiting, after.given_up, after.discarded) == (0, 4, 0)
    assert after.told == books.told + 7 + told == after.counted - 4
    assert store.requeue((), now) == 2
    assert store.counters().waiting == 4


def sql(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        pragmas = [f"PRAGMA {name}={db.execute(f'PRAGMA {name}').fetchone()[0]};" for name in PRAGMAS]
        return "\n".join([*pragmas, *db.iterdump()]) + "\n"


PRAGMAS = ("application_id", "user_version")


def put_file(path: Path, text: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(text)
        db.execute("UPDATE boot SET id=?", (_boot(),))
        db.commit()
    path.chmod(0o600)


def keys(server: Server) -> dict[str, Any]:
    """Each key of a server, with its kind and what is in it."""

    def text(value: bytes) -> str:
        return base64.b64encode(value).decode()

    read: dict[bytes, Callable[[Any, bytes], Any]] = {
        b"hash": lambda client, key: [[text(name), text(value)] for name, value in client.hgetall(key).items()],
        b"string": lambda client, key: text(client.get(key)),
        b"set": lambda client, key: [text(one) for one in client.smembers(key)],
        b"list": lambda client, key: [text(one) for one in client.lrange(key, 0, -1)],
        b"zset": lambda client, key: [[text(one), at] for one, at in client.zrange(key, 0, -1, withscores=True)],
    }
    with server.client() as client:
        return {
            key.decode(): [client.type(key).decode(), read[client.type(key)](client, key)]
            for key in sorted(client.scan_iter())
        }


def put_keys(server: Server, found: dict[str, Any]) -> None:
    bytes_of = base64.b64decode
    with server.client() as client:
        put: dict[str, Callable[[str, Any], Any]] = {
            "hash": lambda key, rows: client.hset(key, mapping={bytes_of(name): bytes_of(row) for name, row in rows}),
            "string": lambda key, value: client.set(key, bytes_of(value)),
            "set": lambda key, members: client.sadd(key, *map(bytes_of, members)),
            "list": lambda key, values: client.rpush(key, *map(bytes_of, values)),
            "zset": lambda key, members: client.zadd(key, {bytes_of(one): at for one, at in members}),
        }
        for key, (kind, value) in found.items():
            put[kind](key, value)


def make() -> None:
    """Of the version of today, for the one after it: ``python -m tests.state.test_taken_over``."""
    import tempfile

    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alerts.db"
        store = SqliteStore(str(path), clock=lambda: BEGIN)
        fill(store, BEGIN)
        store.close()
        (DATA / "sqlite.sql").write_text(sql(path), encoding="utf-8")
    server = Server()
    redis = RedisStore(server.url)
    redis.offset_s = MADE - time.time()
    fill(redis, time.monotonic())
    redis.close()
    (DATA / "redis.json").write_text(json.dumps(keys(server), indent=0) + "\n", encoding="utf-8")
    server.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Callable[[str], SqliteStore]]:
    stores: list[SqliteStore] = []

    def made(name: str) -> SqliteStore:
        stores.append(SqliteStore(str(tmp_path / name), clock=lambda: BEGIN, is_alive=lambda who: True))
        return stores[-1]

    put_file(tmp_path / "old.db", (DATA / "sqlite.sql").read_text(encoding="utf-8"))
    yield made
    for store in stores:
        store.close()


def test_a_file_of_the_version_before_is_seen_as_one_of_today_and_goes_on(
    file: Callable[[str], SqliteStore],
) -> None:
    old, new = file("old.db"), file("new.db")
    fill(new, BEGIN)
    assert seen(old, BEGIN) == seen(new, BEGIN)
    again = old.add(CHANNEL, "new#1", "host-2", 7, [later("claimed", 1), first("new", 3)], BEGIN)
    assert (again.before, again.told) == (7, (0, 0))
    goes_on(old, BEGIN, lambda wait: BEGIN + wait)


def test_a_server_of_the_version_before_is_seen_as_one_of_today_and_goes_on(server: Server) -> None:
    """By two processes at once. What a process of that version is sending is taken over when its lease ends."""

    def pass_time(wait: float) -> float:
        for store, began in ((new, time.time()), *((one, MADE) for one in old)):
            store.offset_s = began - time.time() + wait + LEASE_S
        return now

    new = RedisStore(server.url)
    now, said = time.monotonic(), list[str]()
    fill(new, now)
    old = [RedisStore(server.url, said.append) for _ in range(2)]
    pass_time(0.0)
    meant = seen(new, now)
    new.close()
    with server.client() as client:
        client.flushall()
    put_keys(server, json.loads((DATA / "redis.json").read_text(encoding="utf-8")))
    old[0].offset_s -= LEASE_S
    old[0].channels()
    assert old[0].open(CHANNEL, 9, ["claimed"], now) == []
    with server.client() as client:
        assert [key.rpartition(b":")[2] for key in client.scan_iter("wecom-logging:2:*:i:*")] == [b"=claimed"]
    pass_time(0.0)
    old[0]._looks_at = 0.0
    with ThreadPoolExecutor() as pool:
        list(pool.map(RedisStore.channels, old))
    found = seen(old[0], now)
    for name in ("counters", "untold", "token"):  # those of its processes are no more
        del found[name], meant[name]
    assert found == meant
    assert old[0].counters() == SharedCounters(counted=25, told=0, waiting=21, given_up=4, discarded=0)
    assert {text.partition(" held ")[2] for text in said} >= {
        "18 alerts of version 2 of the state; they are of this version now"
    }
    with server.client() as client:
        left = {key.rpartition(b":")[2] for key in client.scan_iter("wecom-logging:2:*") if client.type(key) == b"hash"}
    assert left == {b"books", b"token", b"names"}
    goes_on(old[0], now, pass_time)
    for store in old:
        store.close()


def test_what_a_process_of_the_version_before_adds_later_is_counted_where_it_is_open(server: Server) -> None:
    left = json.loads((DATA / "redis.json").read_text(encoding="utf-8"))
    store = RedisStore(server.url)
    store.offset_s = MADE - time.time() + LEASE_S
    for _ in range(2):
        put_keys(server, left)
        store._looks_at = 0.0
        store.channels()
    rows = {one.key: (one.count, one.told) for one in store.open(CHANNEL, 99)}
    assert {name: rows[name] for name in ("told", "more", "new", "claimed")} == {
        "told": (2, 2),
        "more": (10 + 5, 5),
        "new": (6, 0),
        "claimed": (14, 0),
    }
    assert store.counters() == SharedCounters(counted=50, told=0, waiting=42, given_up=8, discarded=0)
    store.close()


def test_what_people_did_holds_for_a_process_whose_first_call_counts(server: Server) -> None:
    put_keys(server, json.loads((DATA / "redis.json").read_text(encoding="utf-8")))
    store, now = RedisStore(server.url), time.monotonic()
    store.offset_s = MADE - time.time()
    added = store.add(CHANNEL, "another", "host-1", 1, [first("quiet", 1, level=30), first("more", 1, level=30)], now)
    assert added.told == (2, 5)
    (more,) = store.open(CHANNEL, 1, ["more"], now)
    assert (more.hosts, more.processes) == (2, 3)
    (quiet,) = store.open(CHANNEL, 1, ["quiet"], now)
    assert (quiet.count, quiet.told, quiet.held_until > now) == (3, 2, True)
    assert "quiet" not in [one.key for one in store.claim(CHANNEL, "me", now, 1.0, Wanted(99))]
    store.close()


if __name__ == "__main__":
    make()
