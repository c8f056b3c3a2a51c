"""Redis and Valkey as a store: what goes wrong there is a `StateError` soon, shows no secret, and heals by itself."""

from __future__ import annotations

import ast
import contextlib
import inspect
import itertools
import json
import random
import re
import signal
import socket
import ssl
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
import redis
import redis.asyncio
import redis.sentinel
import valkey

from wecom_logging._incidents import life, stored
from wecom_logging._incidents.incident import Count, Incident
from wecom_logging._state import redis as backend
from wecom_logging._state import redis_client
from wecom_logging._state.base import SharedCounters, StateError, Swap, Wanted
from wecom_logging._state.redis import RedisStore
from wecom_logging._state.redis_server import HAS_VERSION, MANY, PREFIX
from wecom_logging.errors import ConfigurationError, MissingDependencyError
from wecom_logging.model import Sample

from ..certificates import make_certificate
from ..programs import ROOT, run, until
from ..proxy import Proxy
from ..secrets import ACCESS_TOKEN, all_that_an_error_tells, assert_no_secret
from ..valkey_server import Server
from .conftest import alert, first, later

own_timeout = pytest.mark.parametrize("timeout_s", [redis_client.TIMEOUT_S])
CHANNEL = "bot a"
PASSWORD = "canary:pass/word@%&5Xw2Kq8Tz"
MOST_S = 1.5
"""Documented is a second; the rest is for a busy machine, as are several tries."""
TRIES = 5

numbers = itertools.count(1)


def add(store: RedisStore, *counts: Count, who: str = "me", host: str = "host") -> tuple[int | None, ...]:
    """As the next batch of whoever it is."""
    return store.add(CHANNEL, who, host, next(numbers), counts, 0.0).told


def claim(store: RedisStore, most: int = 9, urgent: Sequence[str] = ()) -> list[Incident]:
    return store.claim(CHANNEL, "me", 0.0, 60, Wanted(most, urgent))


def sent(store: RedisStore, *claims: Incident) -> None:
    swaps = [Swap(one, life.sent(one, 0.0)) for one in claims]
    assert None not in store.swap(CHANNEL, swaps, 0.0)


def end(store: RedisStore, *claims: Incident, why: str = "rejected") -> None:
    assert None not in store.swap(CHANNEL, [Swap(one, None, why) for one in claims], 0.0)


def test_what_waits_for_longer_than_a_store_keeps_what_nobody_uses_is_found_then(server: Server) -> None:
    """The days off of a Spring Festival, in which nothing else happens."""
    days = 24 * 3600.0
    with contextlib.closing(RedisStore(server.url)) as store, server.client() as client:
        assert add(store, first("held", 3, cause="no bank")) == (0,)
        (one,) = claim(store)
        assert store.swap(CHANNEL, [Swap(one, life.quietened(one, 9 * days, time=1.0))], 0.0) != [None]
        assert add(store, first("other")) == (0,)  # which is told at once, and shares keys with it
        sent(store, *claim(store))
        gone = [key for key in client.scan_iter() if 0 <= client.ttl(key) < 9 * days]
        assert gone
        client.delete(*gone)
        store.offset_s = 9 * days + 60
        (held,) = claim(store)
        assert (held.key, held.untold, held.first.alert.message) == ("held", 3, "alert held")
        sent(store, held)


_GONE = stored.opened(first("gone"), short_id="0000", version=1, now=0.0)

EACH: dict[str, Callable[[RedisStore], object]] = {
    "add": lambda store: add(store, first("k")),
    "claim": claim,
    "swap": lambda store: store.swap(CHANNEL, [Swap(_GONE, life.sent(_GONE, 0.0))], 0.0),
    "begin": lambda store: store.begin(CHANNEL, _GONE, 0.0),
    "open": lambda store: store.open(CHANNEL, 9),
    "untold": lambda store: store.untold(CHANNEL, "me", ["k"]),
    "next_due": lambda store: store.next_due(CHANNEL, 0.0),
    "reserve": lambda store: store.reserve(CHANNEL, "me", [""], [(20, 60.0)], 0.0),
    "landed": lambda store: store.landed(CHANNEL, [""], "number", 0.0),
    "pause": lambda store: store.pause(CHANNEL, 1.0, 0.0),
    "token": lambda store: store.token("app", 0.0),
    "lock_token": lambda store: store.lock_token("app", "me", 0.0),
    "put_token": lambda store: store.put_token("app", "me", ACCESS_TOKEN, 7200, 0.0),
    "drop_token": lambda store: store.drop_token("app", ACCESS_TOKEN),
    "get": lambda store: store.get(CHANNEL, "quiet", 1.0),
    "put": lambda store: store.put(CHANNEL, "quiet", 0, "a text", 2.0, 1.0),
    "facts": lambda store: store.facts(CHANNEL, 1.0),
    "channels": lambda store: store.channels(),
    "held": lambda store: store.held(9),
    "again": lambda store: store.requeue((), 0.0),
    "discard": lambda store: store.discard(()),
    "counters": lambda store: store.counters(),
    "check": lambda store: store.check(),
}


def refused(store: RedisStore, *names: str) -> str:
    """That each call, or those named, is refused soon and without a secret; what the last one said."""
    text = ""
    for name in names or EACH:
        for _ in range(TRIES):
            began = time.monotonic()
            with pytest.raises(StateError) as caught:
                EACH[name](store)
            if (took_s := time.monotonic() - began) < MOST_S:
                break
        assert took_s < MOST_S, name
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert_no_secret(all_that_an_error_tells(caught.value), PASSWORD, ACCESS_TOKEN)
        text = str(caught.value)
    return text


def works(store: RedisStore) -> None:
    """One incident's whole life, the limits and the token, whatever was there before."""
    store.discard(())
    before = store.counters()
    sample = Sample(1.0, "样本")
    assert add(store, first("键", text="磁盘满了", level=40, window_s=60.0)) == (0,)
    (one,) = claim(store, urgent=["键"])
    assert (one.key, one.first.alert, one.level, one.count) == ("键", alert("磁盘满了"), 40, 1)
    sent(store, one)
    assert add(store, later("键", 4, samples=(sample,)), later("never seen")) == (1, None)
    assert store.untold(CHANNEL, "me", ["键", "never seen"])[1] == ["键"]
    (one,) = claim(store, urgent=["键"])
    assert store.swap(CHANNEL, [Swap(one, life.released(one, 0.0))], 0.0) != [None]
    (digest,) = claim(store, urgent=["键"])
    assert (digest.untold, digest.count, digest.hosts, digest.samples) == (4, 5, 1, (sample,))
    assert digest.short_id == one.short_id
    end(store, digest)
    assert [(one.key, one.why, one.count) for one in store.held(9)] == [("键", "rejected", 4)]
    assert store.requeue(["键"], 0.0) == 1
    assert store.next_due(CHANNEL, 0.0) == 0
    assert store.discard(()) == 1
    assert moved(before, store.counters()) == SharedCounters(counted=5, told=1, waiting=0, given_up=0, discarded=4)
    taken = store.reserve("another", "me", ["甲", ""], [(20, 60.0)], 0.0)
    assert (taken.wait_s, set(taken.ages)) == (0, {"甲", ""})
    store.landed("another", ["甲"], taken.number, 0.0)
    assert store.lock_token("app", "me", 0.0)
    store.put_token("app", "me", ACCESS_TOKEN, 7200, 0.0)
    assert store.token("app", 0.0) == (ACCESS_TOKEN, pytest.approx(7200, abs=60))
    store.drop_token("app", ACCESS_TOKEN)
    assert store.token("app", 0.0) is None
    fact = store.get("another", "安静", 1.0)
    assert store.put("another", "安静", fact.version if fact else 0, "从现在起", 3.0, 1.0)
    assert (found := store.get("another", "安静", 1.0))
    assert (found.text, found.ends) == ("从现在起", 3.0)
    assert store.facts("another", 1.0) == {"安静": found}
    assert store.check()


def moved(before: SharedCounters, after: SharedCounters) -> SharedCounters:
    return SharedCounters(*(getattr(after, name) - getattr(before, name) for name in SharedCounters.__slots__))


def fill(store: RedisStore) -> None:
    """Something under every kind of key."""
    add(store, *(first(f"k{number}", samples=(Sample(1.0, "s"),)) for number in range(4)))
    told, given_up, *_ = claim(store, most=3)
    sent(store, told)
    end(store, given_up)
    store.reserve(CHANNEL, "me", ["", "u"], [(1, 60.0)], 0.0)
    store.pause(CHANNEL, 60, 0.0)
    store.lock_token("app", "me", 0.0)
    store.put_token("app", "me", ACCESS_TOKEN, 7200, 0.0)
    store.check()


@pytest.fixture
def store(server: Server) -> Iterator[RedisStore]:
    store = RedisStore(server.url)
    yield store
    store.close()


@pytest.fixture
def own() -> Iterator[Server]:
    """A server that may be killed and misused."""
    server = Server(enable_debug_command="yes", enable_protected_configs="yes", busy_reply_threshold=50)
    yield server
    server.close()


# Clients.


RESP3 = ["RESP3"] * ("protocol" in inspect.signature(redis.Redis).parameters)  # from redis-py 5 on


@pytest.mark.parametrize("kind", ["redis-py", "valkey-py", "valkey://", "decoding", "blocking pool", *RESP3])
def test_it_works_by_every_client(server: Server, kind: str) -> None:
    made: dict[str, Callable[[], Any]] = {
        "redis-py": lambda: redis.Redis(port=server.port),
        "valkey-py": lambda: valkey.Valkey(port=server.port),
        "valkey://": lambda: server.url.replace("redis", "valkey"),
        "decoding": lambda: redis.Redis(port=server.port, decode_responses=True, encoding="gbk"),
        "RESP3": lambda: redis.Redis(port=server.port, protocol=3),
        "blocking pool": lambda: redis.Redis(connection_pool=redis.BlockingConnectionPool(port=server.port)),
    }
    client = made[kind]()
    store = RedisStore(client)
    works(store)
    assert "Valkey 9" in store.check()
    store.close()
    works(store)
    store.close()
    if not isinstance(client, str):
        assert client.ping()
        client.close()


def test_it_works_over_a_unix_socket(tmp_path: Path) -> None:
    server = Server(unixsocket=str(tmp_path / "socket"))
    try:
        store = RedisStore(f"unix://{tmp_path}/socket?db=3")
        works(store)
        store.close()
    finally:
        server.close()


@pytest.mark.slow
def test_it_works_in_a_cluster() -> None:
    server = Server(cluster_enabled="yes")
    try:
        with server.client() as node:
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            until(lambda: b"cluster_state:ok" in node.execute_command("CLUSTER", "INFO"))
            node.config_set("requirepass", "canary-2")
        client = redis.RedisCluster(host="127.0.0.1", port=server.port, password="canary-2")
        store = RedisStore(client)
        assert store.secrets == {"canary-2"}
        works(store)
        client.close()
    finally:
        server.close()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (f"http://u:{PASSWORD}@h", "give redis://"),
        ("redis://u:canary-2@h:port/0", "cannot be read"),
        ("redis://u:canary-2#word@h:6379/0", "cannot be read"),
        ("redis://:12#canary-2@h:6379/0", "cannot be read"),
        ("redis://:12?canary-2@h:6379/0", "is not known"),
        ("redis://u:canary-2@h:6379/name", "number of a database"),
        ("redis://u:canary-2@h:6379/0?colour=red", "is not known"),
        ("unix://", "the path of the socket"),
    ],
)
def test_a_wrong_url_is_refused_when_it_is_given(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        RedisStore(url)
    error = caught.value  # without the local variables: this test's own has the URL
    assert (error.__cause__, error.__context__) == (None, None)
    told = f"{error!r} {error} {error.args} {vars(error)}"
    assert_no_secret(told, PASSWORD, "canary-2")


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("redis://default:canary-2@h", {"canary-2"}),
        ("redis://h?username=shop&password=canary%2F2", {"canary/2", "canary%2F2"}),
        ("redis://canary-2@h", {"canary-2"}),  # where people forget the colon
        ("redis://h", set()),
    ],
)
def test_a_password_is_a_secret_and_the_name_of_a_user_is_not(url: str, secrets: set[str]) -> None:
    assert RedisStore(url).secrets == secrets
    assert RedisStore(redis.Redis.from_url(url)).secrets == secrets


def test_the_passwords_of_sentinels_are_secrets_too() -> None:
    sentinel = redis.sentinel.Sentinel([], sentinel_kwargs={"password": "canary-1"}, password="canary-2")
    assert RedisStore(sentinel.master_for("shop")).secrets == {"canary-1", "canary-2"}


def test_what_a_client_raises_shows_no_password() -> None:
    class Client:
        connection_pool = SimpleNamespace(connection_kwargs={"password": "canary-1"})
        register_script = None

        def execute_command(self, *command: object) -> None:
            raise OSError("no way to host as user:canary-1")

    with pytest.raises(StateError, match=r"no way to host as user:\*\*\* \(OSError\)") as raised:
        RedisStore(Client()).check()
    assert_no_secret(all_that_an_error_tells(raised.value), "canary-1")


def test_what_is_no_client_is_refused(server: Server) -> None:
    for wrong in (None, object(), redis.asyncio.Redis(port=server.port)):
        with pytest.raises(ConfigurationError, match="give a URL, or a client"):
            RedisStore(wrong)


def test_without_a_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "valkey", None)
    with pytest.raises(MissingDependencyError, match=r"\[redis\]'"):
        RedisStore("redis://h")


def test_no_library_is_loaded_before_it_is_needed(server: Server) -> None:
    ended = run(
        """
        import sys
        from wecom_logging._state.redis import RedisStore
        store = RedisStore(sys.argv[1])
        print(sorted({"redis", "valkey"} & set(sys.modules)))
        store.check()
        print(sorted({"redis", "valkey"} & set(sys.modules)))
        """.replace("sys.argv[1]", repr(server.url))
    )
    assert (ended.out.split("\n")[:2], ended.err) == (["[]", "['redis']"], "")


# Bounds.


def test_all_that_is_kept_ends_some_day(server: Server, store: RedisStore) -> None:
    fill(store)
    with server.client() as client:
        keys = list(client.scan_iter())
        kinds = {key.removeprefix(PREFIX.encode()).partition(b":")[2].partition(b":")[0] for key in keys}
        assert {
            b"i",
            b"d",
            b"m",
            b"ready",
            b"later",
            b"open",
            b"names",
            b"dead",
            b"books",
            b"sent",
            b"token",
        } <= kinds
        assert [key for key in keys if not 0 < client.ttl(key) <= 8 * 24 * 3600] == []
        assert {key for key in keys if not key.startswith(PREFIX.encode())} == {HAS_VERSION.encode()}


def test_beyond_the_most_incidents_what_is_told_goes_first_then_the_least(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "MAX_OPEN", 3)
    add(store, first("told", 2, level=50))
    sent(store, *claim(store))
    for level in (30, 10, 20):
        add(store, first(f"at {level}", 2, level=level))
    assert store.counters() == SharedCounters(counted=8, told=2, waiting=6, given_up=0, discarded=0)
    add(store, first("at 40", 2, level=40))
    assert store.counters() == SharedCounters(counted=10, told=2, waiting=6, given_up=0, discarded=2)
    assert [one.key for one in claim(store)] == ["at 40", "at 30", "at 20"]


def test_of_thousands_of_sources_a_thousand_are_counted(store: RedisStore) -> None:
    for number in range(1010):
        add(store, first("k"), who=f"p{number}", host=f"h{number % 7}")
    (one,) = claim(store)
    assert (one.count, one.hosts, one.processes) == (1010, 7, 1000)


def test_of_what_was_given_up_the_newest_thousand_stay(store: RedisStore) -> None:
    for start in range(0, 1100, 100):
        add(store, *(first(f"k{number}", last=float(number)) for number in range(start, start + 100)))
        end(store, *claim(store, most=100))
    assert store.counters() == SharedCounters(counted=1100, told=0, waiting=0, given_up=1000, discarded=100)
    assert min(one.last for one in store.held(2000)) == 100
    assert store.requeue((), 0.0) == 1000
    assert store.counters() == SharedCounters(counted=1100, told=0, waiting=1000, given_up=0, discarded=100)
    assert store.discard(()) == 1000


@pytest.mark.slow
def test_ten_thousand_that_wait_hold_nobody_up(server: Server, store: RedisStore) -> None:
    for start in range(0, 10_000, 500):
        add(store, *(first(f"k{at}", level=10 * (at % 5)) for at in range(start, start + 500)))
    add(store, first("bad", level=50))
    with server.client() as client:
        client.config_resetstat()
        assert [one.key for one in claim(store, most=3)] == ["bad", "k4", "k9"]
        calls = {name: found["calls"] for name, found in client.info("commandstats").items()}
        assert sum(calls.values()) < 200, calls
    assert store.counters().waiting == 10_001


# Of other versions.


@pytest.mark.case("F08")
@pytest.mark.parametrize("other", ["2", "4"])
def test_what_another_version_keeps_is_left_alone(server: Server, store: RedisStore, other: str) -> None:
    fill(store)
    with server.client() as client:
        assert client.get(HAS_VERSION) == b"3"
        client.set(HAS_VERSION, other)
        before = {key: client.dump(key) for key in client.scan_iter()}
        assert "it is of another version of wecom_logging; use that one, or choose another server" in refused(store)
        assert {key: client.dump(key) for key in client.scan_iter()} == before
        client.delete(HAS_VERSION)
        works(store)
        assert client.get(HAS_VERSION) == b"3"


def test_a_host_whose_name_is_not_found_in_time_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the program's own random numbers are what they would be without us."""
    asked, goes_on = [], threading.Event()

    def look(host: str, *given: Any, flags: int = 0, **more: Any) -> Any:
        if host == "redis.test" and not flags:
            asked.append(threading.current_thread())
            goes_on.wait(60)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(redis_client, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", look)
    numbers = random.getstate()
    try:
        for client in ("redis://redis.test", "valkey://redis.test", redis.Redis("redis.test")):
            store = RedisStore(client)
            assert "its name is not found in time" in refused(store, "add", "claim")
        assert (len(asked), asked[0] is not threading.current_thread(), asked[0].daemon) == (1, True, True)
    finally:
        goes_on.set()
    asked[0].join()
    assert "Name or service not known" in refused(RedisStore("redis://redis.test"), "add")
    assert random.getstate() == numbers


# Faults.


@pytest.mark.case("F01")
def test_it_is_down_and_then_it_comes(own: Server) -> None:
    own.kill()
    store = RedisStore(own.url)
    assert "refused" in refused(store).lower()
    own.start()
    works(store)


@pytest.mark.case("F02")
def test_it_is_killed_and_comes_back_empty(own: Server) -> None:
    store = RedisStore(own.url)
    fill(store)
    own.kill()
    refused(store)
    own.start()
    assert add(store, later("k0")) == (None,)
    assert store.counters() == SharedCounters(0, 0, 0, 0, 0)
    assert store.token("app", 0.0) is None
    works(store)


@pytest.mark.case("F02", "F05")
def test_that_it_has_lost_something_can_be_seen(server: Server, store: RedisStore) -> None:
    store.add(CHANNEL, "me", "host", 7, [first("k")], 0.0)
    store.close()
    assert store.untold(CHANNEL, "me", ["k", "never seen"]) == (7, ["k"], [])
    with server.client() as client:
        client.flushall()
    assert store.untold(CHANNEL, "me", ["k"]) == (0, [], [])
    assert store.add(CHANNEL, "me", "host", 8, [later("k")], 0.0).before == 0


@pytest.mark.case("F02")
def test_an_older_copy_that_comes_back_gives_no_claim_the_number_of_another(own: Server) -> None:
    store = RedisStore(own.url)
    add(store, first("k"))
    with own.client() as client:
        client.save()
    (late,) = claim(store)
    own.kill()
    own.start()
    (anew,) = claim(store)
    assert late.version != anew.version
    assert store.swap(CHANNEL, [Swap(late, life.sent(late, 0.0))], 0.0) == [None]
    sent(store, anew)


@pytest.mark.case("F03")
@pytest.mark.parametrize("timeout_s", [4 * redis_client.TIMEOUT_S])
def test_it_is_slow(server: Server, timeout_s: float) -> None:
    with Proxy(server.port) as proxy:
        store = RedisStore(f"redis://127.0.0.1:{proxy.port}")
        proxy.latency_s = timeout_s / 4
        EACH["add"](store)
        assert store.next_due(CHANNEL, 0.0) == 0


@pytest.mark.case("F03")
@own_timeout
def test_it_stalls_with_a_connection_and_without(server: Server) -> None:
    with Proxy(server.port) as proxy:
        store = RedisStore(f"redis://127.0.0.1:{proxy.port}")
        EACH["add"](store)
        proxy.stalled = True
        for name in ("add", "reserve", "token", "check"):
            refused(store, name)
        proxy.stalled = False
        works(store)


@pytest.mark.case("F03")
@own_timeout
def test_a_client_without_timeouts_gets_ours(server: Server) -> None:
    with Proxy(server.port) as proxy:
        clients = (
            redis.Redis(port=proxy.port, socket_timeout=None),
            valkey.Valkey(port=proxy.port),
            type("Own", (redis.Redis,), {"__module__": "shop"})(port=proxy.port),
        )
        for client in clients:
            proxy.stalled = True
            refused(RedisStore(client), "add")
            proxy.stalled = False
            client.close()


@pytest.mark.case("F04")
def test_every_tenth_command_is_reset(server: Server) -> None:
    with Proxy(server.port) as proxy:
        store = RedisStore(f"redis://127.0.0.1:{proxy.port}")
        EACH["add"](store)
        proxy.reset_every = 10
        done = 1
        for _ in range(100):
            with contextlib.suppress(StateError):
                EACH["add"](store)
                done += 1
        assert 70 < done < 95
        proxy.reset_every = 0
        assert store.counters().counted == done
        works(store)


@pytest.mark.case("F05")
def test_any_key_may_be_evicted(server: Server, store: RedisStore) -> None:
    with server.client() as client:
        fill(store)
        keys = sorted(client.scan_iter())
        assert len(keys) > 12
        for key in keys:
            client.flushall()
            fill(store)
            client.delete(key)
            add(store, *(first(f"k{at}") for at in range(4)))
            store.offset_s += 10_000
            found = {one.key for _ in range(4) for one in claim(store)}
            assert found == {"k0", "k1", "k2", "k3"}, key
            works(store)
            assert claim(store) == []
            assert store.counters().waiting == 0, key


def test_of_very_many_one_script_moves_a_hundred(server: Server, store: RedisStore) -> None:
    add(store, *(first(f"k{number}") for number in range(250)))
    found = claim(store, most=250)
    with patch.object(store._server, "run", wraps=store._server.run) as runs:
        sent(store, *found)
    changes = [json.loads(call.args[-1]) for call in runs.call_args_list if call.args[0] == "apply"]
    assert [len(some) for some in changes] == [100, 100, 50]
    assert store.counters().told == 250


@pytest.mark.case("F05")
def test_short_ids_that_were_evicted_are_known_again_when_their_incidents_are_told(
    server: Server, store: RedisStore
) -> None:
    add(store, first("k"))
    (one,) = claim(store)
    with server.client() as client:
        assert [client.delete(key) for key in client.scan_iter("*:names")] == [1]
    assert store.open(CHANNEL, 1, short_id=one.short_id) == []
    sent(store, one)
    assert [row.key for row in store.open(CHANNEL, 1, short_id=one.short_id)] == ["k"]


@pytest.mark.case("F05")
def test_what_was_evicted_is_counted_as_discarded(server: Server, store: RedisStore) -> None:
    add(store, first("gone", 5), first("there"))
    with server.client() as client:
        for key in client.scan_iter("*:i:=gone"):
            client.delete(key)
    sent(store, *claim(store))
    while store.next_due(CHANNEL, 0.0) == 0:
        assert claim(store) == []
    assert claim(store) == []
    assert store.counters() == SharedCounters(counted=6, told=1, waiting=0, given_up=0, discarded=5)


@pytest.mark.slow
@pytest.mark.case("F05")
def test_its_memory_is_full_and_it_evicts_anything(own: Server) -> None:
    store = RedisStore(own.url)
    with own.client() as client:
        client.config_set("maxmemory-policy", "allkeys-random")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 3_000_000)
        for number in range(600):
            with contextlib.suppress(StateError, redis.OutOfMemoryError):
                client.set(f"filler {number}", "x" * 10_000)
                add(store, first(f"k{number}", text="x" * 500))
                store.swap(CHANNEL, [Swap(one, life.sent(one, 0.0)) for one in claim(store, most=1)], 0.0)
        assert client.info("stats")["evicted_keys"] > 100
        client.config_set("maxmemory", 0)
    works(store)


@pytest.mark.case("F05")
def test_all_is_flushed(server: Server, store: RedisStore) -> None:
    fill(store)
    with server.client() as client:
        client.flushall()
        client.script_flush()
    assert store.token("app", 0.0) is None
    assert store.reserve(CHANNEL, "me", ["u"], [(1, 60.0)], 0.0).wait_s > 0, "what this process has sent it knows"
    assert RedisStore(server.url).reserve(CHANNEL, "another", ["u"], [(1, 60.0)], 0.0).wait_s == 0
    works(store)


@pytest.mark.case("F06")
def test_it_becomes_a_replica_and_a_primary_again(own: Server) -> None:
    store = RedisStore(own.url)
    fill(store)
    with own.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", 1)
        assert "it is a replica" in refused(store, "add", "claim", "reserve", "lock_token", "check")
        client.execute_command("REPLICAOF", "NO", "ONE")
    works(store)


@pytest.mark.case("F07")
def test_it_loads_its_data(own: Server) -> None:
    store = RedisStore(own.url)
    fill(store)
    with own.client() as client:
        for number in range(1000):
            client.set(f"filler {number}", "x")
        client.save()
    own.kill()
    own.config |= {"key-load-delay": 4000, "loading-process-events-interval-bytes": 1024}
    starting = threading.Thread(target=own.start)
    starting.start()

    def is_loading() -> bool:
        return "it is reading its data" in refused(store, "add")

    until(is_loading)
    with own.client() as client:
        client.config_set("key-load-delay", 0)
    starting.join()
    assert store.token("app", 0.0) is not None
    works(store)


@pytest.mark.case("F07")
def test_it_is_busy_with_a_script_of_others(own: Server) -> None:
    store = RedisStore(own.url)
    works(store)
    spin = own.client(socket_timeout=30)

    def run_for_ever() -> None:
        with contextlib.suppress(redis.RedisError):
            spin.eval("while true do end", 0)

    spinning = threading.Thread(target=run_for_ever)
    spinning.start()

    def is_busy() -> bool:
        try:
            EACH["add"](store)
        except StateError as error:
            return "keeps it busy" in str(error)
        return False

    until(is_busy)
    refused(store)
    with own.client() as client:
        client.script_kill()
    spinning.join()
    spin.close()
    works(store)


@pytest.mark.case("F07")
def test_it_cannot_save(own: Server) -> None:
    store = RedisStore(own.url)
    fill(store)
    (own.directory / "dump.rdb").mkdir()
    with own.client() as client:
        client.bgsave()
        client.config_set("save", "3600 1")  # only then, and not soon: it would begin to save by itself
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        assert "cannot save" in refused(store, "add", "reserve", "lock_token", "check")
        client.config_set("save", "")
    works(store)


@pytest.mark.case("F07")
def test_its_memory_is_full(own: Server) -> None:
    store = RedisStore(own.url)
    fill(store)
    before = store.counters()
    with own.client() as client:
        client.config_set("maxmemory", 1)
        assert "memory is full" in refused(store, "add", "reserve", "pause", "lock_token", "check")
        client.config_set("maxmemory", 0)
    assert store.counters() == before
    works(store)


@pytest.mark.case("F08")
def test_a_row_that_cannot_be_read_is_set_aside_and_the_others_are_told(server: Server, store: RedisStore) -> None:
    add(store, first("k"), first("good"))
    with server.client() as client:
        (key,) = client.scan_iter("*:i:=k")
        client.hset(key, "document", "j{")
    assert [one.key for one in claim(store)] == ["good"]
    books = store.counters()
    assert (books.waiting, books.discarded) == (1, 1)


def test_of_very_many_counts_no_more_than_some_wait_to_be_written(server: Server, store: RedisStore) -> None:
    add(store, first("k"))
    with server.client() as client:
        for _ in range(2 * MANY + 10):
            add(store, later("k", 2))
        assert client.llen("".join(key.decode() for key in client.scan_iter("*:a:=k"))) <= MANY
    (one,) = claim(store)
    assert one.count == 1 + 2 * (2 * MANY + 10)
    sent(store, one)
    assert store.counters().told == one.count


def test_what_is_counted_while_a_row_is_written_is_written_the_next_time(store: RedisStore) -> None:
    """Between reading a row and writing it, another process counts."""
    add(store, first("k", 2))
    (one,) = claim(store)
    run = store._server.run

    def counts_meanwhile(name: str, *arguments: Any) -> Any:
        if name == "apply" and not asked:
            asked.append(name)
            add(store, later("k", 5), who="another")
        return run(name, *arguments)

    asked: list[str] = []
    with patch.object(store._server, "run", counts_meanwhile):
        sent(store, one)
    (row,) = store.open(CHANNEL, 9)
    assert (asked, row.count, row.told, row.untold) == (["apply"], 7, 2, 5)
    assert store.counters() == SharedCounters(counted=7, told=2, waiting=5, given_up=0, discarded=0)


@pytest.mark.case("F09")
def test_the_password_is_missing_or_wrong(own: Server) -> None:
    with own.client() as client:
        client.config_set("requirepass", PASSWORD)
        assert "needs a password" in refused(RedisStore(own.url), "add", "check")
        wrong = own.url.replace("//", f"//:{quote(PASSWORD + 'x', safe='')}@")
        assert "refuses the user or the password" in refused(RedisStore(wrong), "add", "check")
        given = redis.Redis(port=own.port, password=PASSWORD + "x")
        assert "refuses the user or the password" in refused(RedisStore(given), "add", "check")
        right = RedisStore(own.url.replace("//", f"//:{quote(PASSWORD, safe='')}@"))
        works(right)
        assert_no_secret(f"{right.check()} {right!r} {right.place}", PASSWORD)


@pytest.mark.case("F09")
@pytest.mark.parametrize("command", ["zadd", "hset", "evalsha", "expire", "unlink", "time"])
def test_some_commands_are_not_allowed(own: Server, command: str) -> None:
    with own.client() as client:
        client.acl_setuser("we", enabled=True, nopass=True, keys=["wecom-logging:*"], commands=["+@all", f"-{command}"])
        store = RedisStore(own.url.replace("//", "//we:x@"))
        assert "its ACL refuses" in refused(store, "add")
        assert store.counters() == SharedCounters(0, 0, 0, 0, 0) if command not in ("time", "evalsha") else True
        client.acl_setuser("we", enabled=True, nopass=True, commands=["+@all"])
        works(store)


@pytest.mark.case("F09")
def test_our_keys_are_all_that_it_needs(own: Server) -> None:
    with own.client() as client:
        client.acl_setuser("we", enabled=True, nopass=True, keys=["wecom-logging:*"], commands=["+@all", "-@dangerous"])
        works(RedisStore(own.url.replace("//", "//we:x@")))


@pytest.mark.case("F10")
@own_timeout
@pytest.mark.parametrize("kind", ["http", "silent", "closes", "nobody accepts"])
def test_the_port_is_no_redis(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0 if kind == "nobody accepts" else 9) as listener:
        kept: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    kept.append(client)
                    if kind == "http":
                        client.recv(1000)
                        client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    elif kind == "closes":
                        client.close()

        port = listener.getsockname()[1]
        if kind == "nobody accepts":
            for _ in range(3):
                kept.append(socket.socket())
                kept[-1].setblocking(False)
                kept[-1].connect_ex(("127.0.0.1", port))
        else:
            threading.Thread(target=serve, daemon=True).start()
        text = refused(RedisStore(f"redis://user:canary-3@127.0.0.1:{port}"), "add", "token", "check")
        assert kind != "http" or "no Redis and no Valkey" in text
        assert_no_secret(text, "canary-3")
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for one in kept:
            one.close()


@contextmanager
def odd_server(*pieces: bytes, every_s: float = 0.0) -> Iterator[int]:
    """The port of one that greets as Redis does, and answers what is asked with the pieces, the last without end."""
    ends = threading.Event()

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):  # the client went away
            while b"EVALSHA" not in (asked := client.recv(65536)):
                if not asked:
                    return
                client.sendall(b"+OK\r\n" * len(re.findall(rb"\*\d+\r\n", asked)))
            for piece in itertools.chain(pieces, itertools.repeat(pieces[-1])):
                client.sendall(piece)
                if ends.wait(every_s):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as threads:

        def accept() -> None:
            with contextlib.suppress(OSError):  # the end
                while True:
                    threads.submit(serve, listener.accept()[0])

        threads.submit(accept)
        yield listener.getsockname()[1]
        ends.set()
        listener.shutdown(socket.SHUT_RDWR)


ENDLESS = {
    "a text of 300 MB": (b"$300000000\r\n", bytes(65536)),
    "a line": (b"+", b"x" * 65536),
    "a list": (b"*300000000\r\n", b"+ab\r\n" * 10_000),
    "lists in lists": (b"*1\r\n" * 10_000,),
}


@pytest.mark.case("F10")
@pytest.mark.parametrize("scheme", ["redis", "valkey"])
@pytest.mark.parametrize("kind", ENDLESS)
def test_an_answer_without_end_takes_little_memory(kind: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_client, "MAX_ANSWER_BYTES", 256 * 1024)
    with odd_server(*ENDLESS[kind]) as port:
        store = RedisStore(f"{scheme}://127.0.0.1:{port}")
        refused(store, "add")  # the first loads the library
        tracemalloc.start()
        try:
            refused(store, "add")
            assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
        finally:
            tracemalloc.stop()
    store.close()


@pytest.mark.case("F10")
@pytest.mark.parametrize("scheme", ["redis", "valkey"])
@pytest.mark.parametrize("start", [b"$1000\r\n", b"+", b"*1000\r\n$"])
def test_an_answer_that_drips_ends_in_time(start: bytes, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_client, "ANSWER_S", 0.3)
    with odd_server(start, b"1", every_s=0.05) as port:
        store = RedisStore(f"{scheme}://127.0.0.1:{port}")
        assert "Timeout" in refused(store, "add")
        store.close()


@pytest.mark.parametrize("code", ["MOVED", "ASK"])
def test_no_server_sends_us_to_another(code: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        with odd_server(f"-{code} 1 127.0.0.1:{elsewhere.getsockname()[1]}\r\n".encode()) as port:
            store = RedisStore(f"redis://127.0.0.1:{port}")
            assert "it belongs to a cluster" in refused(store, "add")
            store.close()
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
@pytest.mark.parametrize("name", ["IP:127.0.0.1", "DNS:other.test"])
def test_tls_is_for_the_host_that_was_named_with_a_certificate_that_is_trusted(
    scheme: str, name: str, tmp_path: Path
) -> None:
    files = make_certificate(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):  # the end
                while True:
                    client = listener.accept()[0]
                    with contextlib.suppress(OSError), context.wrap_socket(client, server_side=True) as found:
                        heard.append(found.recv(1000))

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"{scheme}://user:{quote(PASSWORD, safe='')}@127.0.0.1:{listener.getsockname()[1]}"
        refused(RedisStore(url), "add")
        assert not any(heard)
        refused(RedisStore(f"{url}?ssl_ca_certs={files[0]}"), "add")
        assert any(heard) == name.startswith("IP")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.case("F10")
@own_timeout
def test_tls_is_spoken_to_a_server_without_it(server: Server) -> None:
    refused(RedisStore(server.url.replace("redis", "rediss")), "add", "token", "check")


@pytest.mark.case("F11")
def test_the_clock_of_a_host_says_nothing(store: RedisStore) -> None:
    early, late = 1000.0, 1000.0 + 7200
    assert store.lock_token("app", "a", late)
    assert not store.lock_token("app", "b", early)
    store.put_token("app", "a", "token", 100, late)
    assert store.token("app", early) == ("token", pytest.approx(100, abs=30))
    assert store.reserve(CHANNEL, "a", [""], [(1, 60.0)], late).wait_s == 0
    assert store.reserve(CHANNEL, "b", [""], [(1, 60.0)], early).wait_s == pytest.approx(60, abs=30)
    store.add(CHANNEL, "a", "h", 1, [first("k")], late)
    (one,) = store.claim(CHANNEL, "b", early, 60, Wanted(9))
    assert store.claim(CHANNEL, "a", late, 60, Wanted(9)) == []
    assert (one.until, one.untold_at) == (pytest.approx(early + 60), pytest.approx(early, abs=30))
    store.swap(CHANNEL, [Swap(one, life.sent(one, early))], early)
    assert store.next_due(CHANNEL, late) == pytest.approx(600, abs=30)


@pytest.mark.case("F11")
def test_the_clock_of_the_server_is_put_back(store: RedisStore, server: Server) -> None:
    rules, other = [(1, 60.0)], RedisStore(server.url)
    store.offset_s = other.offset_s = 7200.0
    assert store.reserve(CHANNEL, "a", [""], rules, 0.0).wait_s == 0
    assert other.reserve(CHANNEL, "b", [""], rules, 0.0).wait_s > 0
    store.offset_s = other.offset_s = 0.0
    waits = [one.reserve(CHANNEL, who, [""], rules, 0.0).wait_s for who in "ab" for one in (store, other)]
    assert (waits[0], all(0 < wait <= 60 for wait in waits[1:])) == (0, True)


def test_many_at_once_take_exactly_what_the_limit_has(server: Server) -> None:
    stores = [RedisStore(server.url) for _ in range(8)]

    def take(store: RedisStore) -> int:
        answers = [store.reserve(CHANNEL, "me", ["u"], [(20, 600.0), (100, 3600.0)], 0.0) for _ in range(10)]
        return sum(answer.wait_s == 0 for answer in answers)

    with ThreadPoolExecutor(len(stores)) as pool:
        assert sum(pool.map(take, stores)) == 20


@pytest.mark.case("F12")
def test_who_holds_the_lock_is_killed(server: Server, store: RedisStore) -> None:
    ended = run(
        f"""
        import os, signal
        from wecom_logging._state.redis import RedisStore
        assert RedisStore({server.url!r}).lock_token("app", "killed", 0.0)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert ended.status == -signal.SIGKILL
    assert not store.lock_token("app", "next", 0.0)
    store.offset_s = 15.1
    assert store.lock_token("app", "next", 0.0)
    store.put_token("app", "killed", "old", 7200, 0.0)
    assert store.token("app", 0.0) is None
    assert not store.lock_token("app", "third", 0.0)
    store.put_token("app", "next", "new", 7200, 0.0)
    assert store.token("app", 0.0) == ("new", pytest.approx(7200, abs=60))


@pytest.mark.case("F14")
def test_redis_sees_a_token_in_one_value_and_no_other_secret(own: Server) -> None:
    with own.client() as client, own.client() as watching, watching.monitor() as monitor:
        client.acl_setuser("we", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all"])
        store = RedisStore(own.url.replace("//", f"//we:{quote(PASSWORD, safe='')}@"))
        works(store)
        fill(store)
        client.echo("the end")
        seen = []
        for command in monitor.listen():
            if "the end" in command["command"]:
                break
            if "SETUSER" not in command["command"]:
                seen.append(repr(command))
        assert len(seen) > 50
        assert_no_secret("\n".join(seen), PASSWORD)
        keys = list(client.scan_iter())
        assert_no_secret(repr(keys), PASSWORD, ACCESS_TOKEN)
        read = {
            b"hash": client.hgetall,
            b"string": client.get,
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"list": lambda key: client.lrange(key, 0, -1),
        }
        values = [read[client.type(key)](key) for key in keys]
        assert_no_secret(repr(values), PASSWORD)
        assert repr(values).count(ACCESS_TOKEN) == 1
        assert b"pickle" not in repr(values).encode()


FORKS = """
import os, sys
sys.path.insert(0, {root!r})
import redis, valkey
from tests.state.conftest import first
from wecom_logging._state import redis_client
from wecom_logging._state.base import Wanted
from wecom_logging._state.entries import dump, pack
from wecom_logging._state.redis import RedisStore
from wecom_logging._state.redis_rows import digest
url, kind = {url!r}, {kind!r}
port = int(url.split(":")[2].split("/")[0])
made = {{"url": lambda: url, "redis-py": lambda: redis.Redis(port=port), "valkey-py": lambda: valkey.Valkey(port=port)}}
store = RedisStore(made[kind]())
redis_client.TIMEOUT_S = 10.0

def talk(name, begin=1):
    for number in range(begin, begin + 30):
        app = f"{{name}} {{number % 7}}"
        assert store.lock_token(app, name, 0.0)
        store.put_token(app, name, f"token of {{app}}", 7200, 0.0)
        assert store.token(app, 0.0)[0] == f"token of {{app}}", app
        assert store.add("bot", name, "host", number, [first(name)], 0.0).told == (0,)

talk("parent")
children = []
for number in range(4):
    child = os.fork()
    if not child:
        talk(f"child {{number}}")
        os._exit(0)
    children.append(child)
talk("parent", 31)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
talk("parent", 61)
print({{one.key: one.count for one in store.claim("bot", "parent", 0.0, 60, Wanted(9))}})
"""


@pytest.mark.slow
@pytest.mark.case("F15")
@pytest.mark.parametrize("kind", ["url", "redis-py", "valkey-py"])
def test_a_fork_with_a_live_connection(server: Server, kind: str) -> None:
    ended = run(FORKS.format(root=str(ROOT), url=server.url, kind=kind))
    assert ended.status == 0, ended.err
    expected = {"parent": 90, **{f"child {number}": 30 for number in range(4)}}
    assert ast.literal_eval(ended.out) == expected


@pytest.mark.slow
@pytest.mark.case("F15")
@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_a_fork_while_another_thread_is_in_a_call(server: Server, scheme: str) -> None:
    ended = run(
        f"""
        import itertools, os, sys, threading, time, warnings
        warnings.simplefilter("ignore")
        sys.path.insert(0, {str(ROOT)!r})
        from tests.state.conftest import first
        from wecom_logging._state import redis_client
        from wecom_logging._state.base import Wanted
        from wecom_logging._state.redis import RedisStore
        redis_client.TIMEOUT_S = 10.0
        store = RedisStore({server.url.replace("redis", scheme)!r})
        ends = threading.Event()
        def talk(name):
            for number in itertools.count(1):
                if ends.is_set():
                    return
                store.add("bot", name, "host", number, [first("k")], 0.0)
        threads = [threading.Thread(target=talk, args=(name,), daemon=True) for name in "abc"]
        [thread.start() for thread in threads]
        for number in range(1, 21):
            child = os.fork()
            if not child:
                os._exit(0 if store.add("bot", "child", "host", number, [first("c")], 0.0).told == (0,) else 1)
            assert os.waitpid(child, 0)[1] == 0
        ends.set()
        [thread.join() for thread in threads]
        print({{one.key: one.count for one in store.claim("bot", "p", 0.0, 60, Wanted(9))}}["c"])
        """
    )
    assert (ended.out.strip(), ended.status) == ("20", 0), ended.err


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_a_signal_handler_that_asks_in_the_middle_of_an_answer(server: Server, scheme: str) -> None:
    ended = run(
        f"""
        import itertools, signal, sys
        sys.path.insert(0, {str(ROOT)!r})
        from tests.state.conftest import first
        from wecom_logging._state.base import StateError
        from wecom_logging._state import redis_client
        from wecom_logging._state.redis import RedisStore
        redis_client.TIMEOUT_S = 10.0
        store = RedisStore({server.url.replace("redis", scheme)!r})
        one, refused, done, numbers = [first("k")], 0, 0, itertools.count(1)
        def handler(*_):
            global refused, done
            try:
                store.add("bot", f"handler {{next(numbers)}}", "host", 1, one, 0.0)
                done += 1
            except StateError:
                refused += 1
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
        for number in range(1, 501):
            store.add("bot", "me", "host", number, one, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(refused > 5, store.counters().counted - 500 - done)
        """
    )
    assert (ended.out.split(), ended.status) == (["True", "0"], 0), ended.err
