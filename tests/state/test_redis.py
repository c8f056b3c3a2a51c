"""Redis and Valkey as a state: what goes wrong there is a `StateError` soon, shows no secret, and heals by itself."""

from __future__ import annotations

import ast
import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
import redis.asyncio
import redis.sentinel
import valkey

from wecom_logging.errors import ConfigurationError, MissingDependencyError
from wecom_logging.state import redis as backend
from wecom_logging.state import redis_client
from wecom_logging.state.base import Count, SharedBooks, StateError
from wecom_logging.state.redis import PREFIX, RedisState

from ..programs import ROOT, run, until
from ..proxy import Proxy
from ..secrets import ACCESS_TOKEN, all_that_an_error_tells, assert_no_secret
from ..valkey_server import Server

own_timeout = pytest.mark.parametrize("timeout_s", [redis_client.TIMEOUT_S])
CHANNEL = "bot a"
PASSWORD = "canary:pass/word@%&5Xw2Kq8Tz"
MOST_S = 1.5
"""Documented is a second; the rest is for a busy machine, as are several tries."""
TRIES = 5

EACH: dict[str, Callable[[RedisState], object]] = {
    "count": lambda state: state.count(CHANNEL, "me", "host", [Count("k", 1, 1.0, "entry")], 0.0),
    "claim": lambda state: state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9),
    "told": lambda state: state.told(CHANNEL, [], 0.0, forced=False),
    "release": lambda state: state.release(CHANNEL, [], 0.0, 1.0),
    "give_up": lambda state: state.give_up(CHANNEL, [], "rejected", 0.0),
    "untold": lambda state: state.untold(CHANNEL, ["k"]),
    "born": lambda state: state.born(CHANNEL),
    "next_due": lambda state: state.next_due(CHANNEL, 0.0),
    "reserve": lambda state: state.reserve(CHANNEL, "me", [""], [(20, 60.0)], 0.0),
    "landed": lambda state: state.landed(CHANNEL, [""], "number", 0.0),
    "pause": lambda state: state.pause(CHANNEL, 1.0, 0.0),
    "token": lambda state: state.token("app", 0.0),
    "lock_token": lambda state: state.lock_token("app", "me", 0.0),
    "put_token": lambda state: state.put_token("app", "me", ACCESS_TOKEN, 7200, 0.0),
    "drop_token": lambda state: state.drop_token("app", ACCESS_TOKEN),
    "held": lambda state: state.held(9),
    "again": lambda state: state.again((), 0.0),
    "discard": lambda state: state.discard(()),
    "books": lambda state: state.books(),
    "check": lambda state: state.check(),
}


def refused(state: RedisState, *names: str) -> str:
    """That each call, or those named, is refused soon and without a secret; what the last one said."""
    text = ""
    for name in names or EACH:
        for _ in range(TRIES):
            began = time.monotonic()
            with pytest.raises(StateError) as caught:
                EACH[name](state)
            if (took_s := time.monotonic() - began) < MOST_S:
                break
        assert took_s < MOST_S, name
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert_no_secret(all_that_an_error_tells(caught.value), PASSWORD, ACCESS_TOKEN)
        text = str(caught.value)
    return text


def works(state: RedisState) -> None:
    """One group's whole life, the limits and the token, whatever was there before."""
    state.discard(())
    before = state.books()

    def count(number: int, *, entry: str = "entry") -> None:
        sample = ((1.0, "样本"),)
        one = Count("键", number, 2.0, entry, level=40, window_s=60.0, samples=sample)
        assert all(state.count(CHANNEL, "me", "host", [one], 0.0))

    def claim() -> Any:
        (claim,) = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9, forced=["键"])
        return claim

    count(1)
    first = claim()
    assert (first.key, first.entry, first.level, first.count, first.samples) == ("键", "entry", 40, 1, ((1.0, "样本"),))
    state.told(CHANNEL, [first], 0.0, forced=False)
    count(4, entry="")
    state.release(CHANNEL, [claim()], 0.0, 0.0)
    digest = claim()
    assert (digest.count, digest.total, digest.hosts, digest.is_first) == (4, 5, 1, False)
    state.give_up(CHANNEL, [digest], "rejected", 0.0)
    assert [(one.key, one.why, one.count) for one in state.held(9)] == [("键", "rejected", 4)]
    assert state.again(["键"], 0.0) == 1
    assert state.next_due(CHANNEL, 0.0) == 0
    assert state.discard(()) == 1
    assert moved(before, state.books()) == SharedBooks(counted=5, told=1, waiting=0, given_up=0, discarded=4)
    taken = state.reserve("another", "me", ["甲", ""], [(20, 60.0)], 0.0)
    assert (taken.wait_s, set(taken.ages)) == (0, {"甲", ""})
    state.landed("another", ["甲"], taken.number, 0.0)
    assert state.lock_token("app", "me", 0.0)
    state.put_token("app", "me", ACCESS_TOKEN, 7200, 0.0)
    assert state.token("app", 0.0) == (ACCESS_TOKEN, pytest.approx(7200, abs=60))
    state.drop_token("app", ACCESS_TOKEN)
    assert state.token("app", 0.0) is None
    assert state.check()


def moved(before: SharedBooks, after: SharedBooks) -> SharedBooks:
    return SharedBooks(*(getattr(after, name) - getattr(before, name) for name in SharedBooks.__slots__))


def fill(state: RedisState) -> None:
    """Something under every kind of key."""
    for number in range(4):
        state.count(CHANNEL, "me", "host", [Count(f"k{number}", 1, 1.0, "entry", samples=((1.0, "s"),))], 0.0)
    claims = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=3)
    state.told(CHANNEL, claims[:1], 0.0, forced=False)
    state.give_up(CHANNEL, claims[1:2], "rejected", 0.0)
    state.reserve(CHANNEL, "me", ["", "u"], [(1, 60.0)], 0.0)
    state.pause(CHANNEL, 60, 0.0)
    state.lock_token("app", "me", 0.0)
    state.put_token("app", "me", ACCESS_TOKEN, 7200, 0.0)
    state.check()


@pytest.fixture
def state(server: Server) -> Iterator[RedisState]:
    state = RedisState.from_url(server.url)
    yield state
    state.close()


@pytest.fixture
def own() -> Iterator[Server]:
    """A server that may be killed and misused."""
    server = Server(enable_debug_command="yes", enable_protected_configs="yes", busy_reply_threshold=50)
    yield server
    server.close()


# Clients.


@pytest.mark.parametrize("kind", ["redis-py", "valkey-py", "valkey://", "decoding", "RESP3", "blocking pool"])
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
    state = RedisState(client)
    works(state)
    assert "Valkey 9" in state.check()
    state.close()
    works(state)
    state.close()
    if not isinstance(client, str):
        assert client.ping()
        client.close()


def test_it_works_over_a_unix_socket(tmp_path: Path) -> None:
    server = Server(unixsocket=str(tmp_path / "socket"))
    try:
        state = RedisState.from_url(f"unix://{tmp_path}/socket?db=3")
        works(state)
        state.close()
    finally:
        server.close()


def test_it_works_in_a_cluster() -> None:
    server = Server(cluster_enabled="yes")
    try:
        with server.client() as node:
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            until(lambda: b"cluster_state:ok" in node.execute_command("CLUSTER", "INFO"))
            node.config_set("requirepass", "canary-2")
        client = redis.RedisCluster(host="127.0.0.1", port=server.port, password="canary-2")
        state = RedisState(client)
        assert state.secrets == {"canary-2"}
        works(state)
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
        RedisState.from_url(url)
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
    assert RedisState.from_url(url).secrets == secrets
    assert RedisState(redis.Redis.from_url(url)).secrets == secrets


def test_the_passwords_of_sentinels_are_secrets_too() -> None:
    sentinel = redis.sentinel.Sentinel([], sentinel_kwargs={"password": "canary-1"}, password="canary-2")
    assert RedisState(sentinel.master_for("shop")).secrets == {"canary-1", "canary-2"}


def test_what_is_no_client_is_refused(server: Server) -> None:
    for wrong in (None, object(), redis.asyncio.Redis(port=server.port)):
        with pytest.raises(ConfigurationError, match="give a URL, or a client"):
            RedisState(wrong)


def test_without_a_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "valkey", None)
    with pytest.raises(MissingDependencyError, match=r"wecom-logging\[redis\]"):
        RedisState.from_url("redis://h")


def test_no_library_is_loaded_before_it_is_needed(server: Server) -> None:
    ended = run(
        """
        import sys
        from wecom_logging.state.redis import RedisState
        state = RedisState.from_url(sys.argv[1])
        print(sorted({"redis", "valkey"} & set(sys.modules)))
        state.check()
        print(sorted({"redis", "valkey"} & set(sys.modules)))
        """.replace("sys.argv[1]", repr(server.url))
    )
    assert (ended.out.split("\n")[:2], ended.err) == (["[]", "['redis']"], "")


# Bounds.


def test_all_that_is_kept_ends_some_day(server: Server, state: RedisState) -> None:
    fill(state)
    with server.client() as client:
        keys = list(client.scan_iter())
        kinds = {
            key.removeprefix(PREFIX.encode()).split(b":")[-2 if b":g:" in key or b":x:" in key else -1] for key in keys
        }
        assert {b"g", b"x", b"ready", b"later", b"quiet", b"untold", b"given", b"books", b"limits", b"token"} <= kinds
        assert [key for key in keys if not 0 < client.ttl(key) <= 8 * 24 * 3600] == []
        assert [key for key in keys if not key.startswith(PREFIX.encode())] == []


def test_beyond_the_most_groups_what_is_told_goes_first_then_the_least(
    state: RedisState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "MAX_TALLIES", 3)

    def count(key: str, level: int) -> None:
        state.count(CHANNEL, "me", "h", [Count(key, 2, 1.0, "entry", level)], 0.0)

    count("told", 50)
    state.told(CHANNEL, state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9), 0.0, forced=False)
    for level in (30, 10, 20):
        count(f"at {level}", level)
    assert state.books() == SharedBooks(counted=8, told=2, waiting=6, given_up=0, discarded=0)
    count("at 40", 40)
    assert state.books() == SharedBooks(counted=10, told=2, waiting=6, given_up=0, discarded=2)
    assert [one.key for one in state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9)] == ["at 40", "at 30", "at 20"]


def test_of_thousands_of_sources_a_thousand_are_counted(state: RedisState) -> None:
    for number in range(1010):
        state.count(CHANNEL, f"p{number}", f"h{number % 7}", [Count("k", 1, 1.0, "entry")], 0.0)
    (claim,) = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9)
    assert (claim.count, claim.hosts, claim.processes) == (1010, 7, 1000)


def test_what_was_never_told_expires_after_a_day(state: RedisState) -> None:
    state.count(CHANNEL, "me", "h", [Count("k", 3, 1.0, "entry")], 0.0)
    state.release(CHANNEL, state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9), 0.0, 2 * 24 * 3600.0)
    state.offset_s = 24 * 3600 + 1
    assert state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9) == []
    assert [(one.key, one.count, one.why) for one in state.held(9)] == [("k", 3, "expired")]


def test_of_what_was_given_up_the_newest_thousand_stay(state: RedisState) -> None:
    for start in range(0, 1100, 100):
        counts = [Count(f"k{number}", 1, float(number), "entry") for number in range(start, start + 100)]
        state.count(CHANNEL, "me", "h", counts, 0.0)
        claims = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=100)
        state.give_up(CHANNEL, claims, "rejected", 0.0)
    assert state.books() == SharedBooks(counted=1100, told=0, waiting=0, given_up=1000, discarded=100)
    assert min(one.last for one in state.held(2000)) == 100
    assert state.again((), 0.0) == 1000
    assert state.books() == SharedBooks(counted=1100, told=0, waiting=1000, given_up=0, discarded=100)
    assert state.discard(()) == 1000


def test_ten_thousand_that_wait_hold_nobody_up(server: Server, state: RedisState) -> None:
    for start in range(0, 10_000, 500):
        counts = [Count(f"k{at}", 1, float(at), "e", level=10 * (at % 5)) for at in range(start, start + 500)]
        state.count(CHANNEL, "me", "h", counts, 0.0)
    state.count(CHANNEL, "me", "h", [Count("bad", 1, 1.0, "e", level=50)], 0.0)
    with server.client() as client:
        client.config_resetstat()
        claims = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=3)
        assert [claim.key for claim in claims] == ["bad", "k9999", "k9994"]
        calls = {name: found["calls"] for name, found in client.info("commandstats").items()}
        assert sum(calls.values()) < 200, calls
    assert state.books().waiting == 10_001


# Faults.


@pytest.mark.case("F01")
def test_it_is_down_and_then_it_comes(own: Server) -> None:
    own.kill()
    state = RedisState.from_url(own.url)
    assert "refused" in refused(state).lower()
    own.start()
    works(state)


@pytest.mark.case("F02")
def test_it_is_killed_and_comes_back_empty(own: Server) -> None:
    state = RedisState.from_url(own.url)
    fill(state)
    own.kill()
    refused(state)
    own.start()
    assert state.count(CHANNEL, "me", "host", [Count("k0", 1, 1.0)], 0.0) == [0]
    assert state.books() == SharedBooks(0, 0, 0, 0, 0)
    assert state.token("app", 0.0) is None
    works(state)


@pytest.mark.case("F02", "F05")
def test_that_it_has_lost_everything_can_be_seen(server: Server, state: RedisState) -> None:
    born = state.born(CHANNEL)
    fill(state)
    state.close()
    assert state.born(CHANNEL) == born
    with server.client() as client:
        client.flushall()
    assert state.born(CHANNEL) != born


@pytest.mark.case("F03")
@pytest.mark.parametrize("timeout_s", [4 * redis_client.TIMEOUT_S])
def test_it_is_slow(server: Server, timeout_s: float) -> None:
    with Proxy(server.port) as proxy:
        state = RedisState.from_url(f"redis://127.0.0.1:{proxy.port}")
        proxy.latency_s = timeout_s / 4
        EACH["count"](state)
        assert state.next_due(CHANNEL, 0.0) == 0


@pytest.mark.case("F03")
@own_timeout
def test_it_stalls_with_a_connection_and_without(server: Server) -> None:
    with Proxy(server.port) as proxy:
        state = RedisState.from_url(f"redis://127.0.0.1:{proxy.port}")
        EACH["count"](state)
        proxy.stalled = True
        for name in ("count", "reserve", "token", "check"):
            refused(state, name)
        proxy.stalled = False
        works(state)


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
            refused(RedisState(client), "count")
            proxy.stalled = False
            client.close()


@pytest.mark.case("F04")
def test_every_tenth_command_is_reset(server: Server) -> None:
    with Proxy(server.port) as proxy:
        state = RedisState.from_url(f"redis://127.0.0.1:{proxy.port}")
        EACH["count"](state)
        proxy.reset_every = 10
        done = 1
        for _ in range(100):
            with contextlib.suppress(StateError):
                EACH["count"](state)
                done += 1
        assert 70 < done < 95
        proxy.reset_every = 0
        assert state.books().counted == done
        works(state)


@pytest.mark.case("F05")
def test_any_key_may_be_evicted(server: Server, state: RedisState) -> None:
    with server.client() as client:
        fill(state)
        keys = sorted(client.scan_iter())
        assert len(keys) > 12
        for key in keys:
            client.flushall()
            fill(state)
            client.delete(key)
            state.count(CHANNEL, "me", "host", [Count(f"k{at}", 1, 1.0, "entry") for at in range(4)], 0.0)
            state.offset_s += 10_000
            assert {one.key for one in state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9)} == {
                "k0",
                "k1",
                "k2",
                "k3",
            }, key
            works(state)
            assert state.books().waiting == 0


@pytest.mark.case("F05")
def test_what_was_evicted_is_counted_as_discarded(server: Server, state: RedisState) -> None:
    state.count(CHANNEL, "me", "host", [Count("gone", 5, 1.0, "entry"), Count("there", 1, 1.0, "entry")], 0.0)
    with server.client() as client:
        for key in client.scan_iter("*:g:=gone"):
            client.delete(key)
    for claim in state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9):
        state.told(CHANNEL, [claim], 0.0, forced=False)
    state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9)
    assert state.books() == SharedBooks(counted=6, told=1, waiting=0, given_up=0, discarded=5)


@pytest.mark.case("F05")
def test_its_memory_is_full_and_it_evicts_anything(own: Server) -> None:
    state = RedisState.from_url(own.url)
    with own.client() as client:
        client.config_set("maxmemory-policy", "allkeys-random")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 3_000_000)
        for number in range(600):
            with contextlib.suppress(StateError, redis.OutOfMemoryError):
                client.set(f"filler {number}", "x" * 10_000)
                state.count(CHANNEL, "me", "host", [Count(f"k{number}", 1, 1.0, "x" * 500)], 0.0)
                claims = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=1)
                state.told(CHANNEL, claims, 0.0, forced=False)
        assert client.info("stats")["evicted_keys"] > 100
        client.config_set("maxmemory", 0)
    works(state)


@pytest.mark.case("F05")
def test_all_is_flushed(server: Server, state: RedisState) -> None:
    fill(state)
    with server.client() as client:
        client.flushall()
        client.script_flush()
    assert state.token("app", 0.0) is None
    assert state.reserve(CHANNEL, "me", ["u"], [(1, 60.0)], 0.0).wait_s == 0
    works(state)


@pytest.mark.case("F06")
def test_it_becomes_a_replica_and_a_primary_again(own: Server) -> None:
    state = RedisState.from_url(own.url)
    fill(state)
    with own.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", 1)
        assert "it is a replica" in refused(state, "count", "claim", "reserve", "lock_token", "check")
        client.execute_command("REPLICAOF", "NO", "ONE")
    works(state)


@pytest.mark.case("F07")
def test_it_loads_its_data(own: Server) -> None:
    state = RedisState.from_url(own.url)
    fill(state)
    with own.client() as client:
        for number in range(1000):
            client.set(f"filler {number}", "x")
        client.save()
    own.kill()
    own.config |= {"key-load-delay": 4000, "loading-process-events-interval-bytes": 1024}
    starting = threading.Thread(target=own.start)
    starting.start()

    def is_loading() -> bool:
        return "it is reading its data" in refused(state, "count")

    until(is_loading)
    with own.client() as client:
        client.config_set("key-load-delay", 0)
    starting.join()
    assert state.token("app", 0.0) is not None
    works(state)


@pytest.mark.case("F07")
def test_it_is_busy_with_a_script_of_others(own: Server) -> None:
    state = RedisState.from_url(own.url)
    works(state)
    spin = own.client(socket_timeout=30)

    def run_for_ever() -> None:
        with contextlib.suppress(redis.RedisError):
            spin.eval("while true do end", 0)

    spinning = threading.Thread(target=run_for_ever)
    spinning.start()

    def is_busy() -> bool:
        try:
            EACH["count"](state)
        except StateError as error:
            return "keeps it busy" in str(error)
        return False

    until(is_busy)
    refused(state)
    with own.client() as client:
        client.script_kill()
    spinning.join()
    spin.close()
    works(state)


@pytest.mark.case("F07")
def test_it_cannot_save(own: Server) -> None:
    state = RedisState.from_url(own.url)
    fill(state)
    (own.directory / "dump.rdb").mkdir()
    with own.client() as client:
        client.bgsave()
        client.config_set("save", "3600 1")  # only then, and not soon: it would begin to save by itself
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        assert "cannot save" in refused(state, "count", "reserve", "lock_token", "check")
        client.config_set("save", "")
    works(state)


@pytest.mark.case("F07")
def test_its_memory_is_full(own: Server) -> None:
    state = RedisState.from_url(own.url)
    fill(state)
    before = state.books()
    with own.client() as client:
        client.config_set("maxmemory", 1)
        assert "memory is full" in refused(state, "count", "reserve", "pause", "lock_token", "check")
        client.config_set("maxmemory", 0)
    assert state.books() == before
    works(state)


@pytest.mark.case("F08")
@pytest.mark.parametrize("junk", ["list", "string", "hash", "zset", "50 MB", "stream"])
def test_junk_under_any_key_is_replaced(server: Server, state: RedisState, junk: str) -> None:
    put: dict[str, Callable[[redis.Redis, bytes], object]] = {
        "list": lambda client, key: client.lpush(key, "x"),
        "string": lambda client, key: client.set(key, '{"v": 99}'),
        "hash": lambda client, key: client.hset(key, mapping=dict.fromkeys(HASH_FIELDS, "nan")),
        "zset": lambda client, key: client.zadd(
            key, {"junk": 1e300, "=x\n1": float("inf"), "=k1": float("-inf"), "j{": 5}
        ),
        "50 MB": lambda client, key: client.setrange(key, 50_000_000, "x"),
        "stream": lambda client, key: client.xadd(key, {"a": "b"}),
    }
    with server.client() as client:
        fill(state)
        for key in sorted(client.scan_iter()):
            client.flushall()
            fill(state)
            client.delete(key)
            put[junk](client, key)
            for name in EACH:
                EACH[name](state)
            state.offset_s += 10_000
            state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9)
            state.drop_token("app", ACCESS_TOKEN)
            state.put_token("app", "me", "", 0, 0.0)
            works(state)


HASH_FIELDS = ["state", "entry", "value", "ends", "owner", "locked", "key", "why", "s1"]


@pytest.mark.case("F08")
@pytest.mark.parametrize("field", ["entry", "state", "s1"])
def test_a_huge_or_broken_field_of_a_group_never_comes_over_the_wire(
    server: Server, state: RedisState, field: str
) -> None:
    with server.client() as client:
        for value in ("x" * 50_000_000, "0x7f", "nan " * 15, "1 -2 " * 9, "1e999 " * 15):
            state.count(CHANNEL, "me", "h", [Count("k", 1, 1.0, "entry", samples=((1.0, "s"),))], 0.0)
            (key,) = client.scan_iter("*:g:=k")
            client.hset(key, field, value)
            client.config_resetstat()
            claims = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9)
            state.held(9)
            assert client.info("stats")["total_net_output_bytes"] < 100_000
            assert len(claims) == (field == "s1" or (field == "entry" and len(value) < 1000)), value[:20]
            state.told(CHANNEL, claims, 0.0, forced=False)
            state.discard(())
            client.delete(key)
        works(state)


@pytest.mark.case("F08")
def test_samples_that_are_none_are_left_out(server: Server, state: RedisState) -> None:
    junk = ["[", "7", '["a", "b"]', '[{}, "a"]', f'[1{"0" * 400}, "a"]', "[" * 5000, '[NaN, "a time that is none"]']
    state.count(CHANNEL, "me", "h", [Count("k", 1, 1.0, "entry", samples=((1.0, "s"),) * 8)], 0.0)
    with server.client() as client:
        (key,) = client.scan_iter("*:g:=k")
        client.hset(key, mapping={f"s{number}": text for number, text in enumerate(junk, 1)})
    (claim,) = state.claim(CHANNEL, "me", 0.0, lease_s=60, most=9)
    assert claim.samples == ((0.0, "a time that is none"), (1.0, "s"))


@pytest.mark.case("F08")
def test_junk_of_a_token_is_none(server: Server, state: RedisState) -> None:
    fill(state)
    with server.client() as client:
        (key,) = client.scan_iter("*:token")
        good = client.hgetall(key)
        for field, value in (
            ("value", "x" * 50_000_000),
            ("value", "j{"),
            ("ends", "inf"),
            ("ends", "1e14"),
            ("ends", "x"),
        ):
            client.hset(key, mapping=good | {field: value})
            assert state.token("app", 0.0) is None
        client.hset(key, mapping={"owner": "somebody", "locked": "8e15"})
        assert state.lock_token("app", "me", 0.0)


@pytest.mark.case("F08")
def test_what_another_version_keeps_is_left_alone(server: Server, state: RedisState) -> None:
    with server.client() as client:
        other = PREFIX.replace(":1:", ":2:") + "channels"
        client.set(other, "of the future")
        works(state)
        assert client.get(other) == b"of the future"


@pytest.mark.case("F09")
def test_the_password_is_missing_or_wrong(own: Server) -> None:
    with own.client() as client:
        client.config_set("requirepass", PASSWORD)
        assert "wants a password" in refused(RedisState.from_url(own.url), "count", "check")
        wrong = own.url.replace("//", f"//:{quote(PASSWORD + 'x', safe='')}@")
        assert "refuses the user or the password" in refused(RedisState.from_url(wrong), "count", "check")
        given = redis.Redis(port=own.port, password=PASSWORD + "x")
        assert "refuses the user or the password" in refused(RedisState(given), "count", "check")
        right = RedisState.from_url(own.url.replace("//", f"//:{quote(PASSWORD, safe='')}@"))
        works(right)
        assert_no_secret(f"{right.check()} {right!r} {right.place}", PASSWORD)


@pytest.mark.case("F09")
@pytest.mark.parametrize("command", ["zadd", "hset", "evalsha", "expire", "unlink", "time"])
def test_some_commands_are_not_allowed(own: Server, command: str) -> None:
    with own.client() as client:
        client.acl_setuser("we", enabled=True, nopass=True, keys=["wecom-logging:*"], commands=["+@all", f"-{command}"])
        state = RedisState.from_url(own.url.replace("//", "//we:x@"))
        assert "its ACL refuses" in refused(state, "count")
        assert state.books() == SharedBooks(0, 0, 0, 0, 0) if command not in ("time", "evalsha") else True
        client.acl_setuser("we", enabled=True, nopass=True, commands=["+@all"])
        works(state)


@pytest.mark.case("F09")
def test_our_keys_are_all_that_it_needs(own: Server) -> None:
    with own.client() as client:
        client.acl_setuser("we", enabled=True, nopass=True, keys=["wecom-logging:*"], commands=["+@all", "-@dangerous"])
        works(RedisState.from_url(own.url.replace("//", "//we:x@")))


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
        text = refused(RedisState.from_url(f"redis://user:canary-3@127.0.0.1:{port}"), "count", "token", "check")
        assert kind != "http" or "no Redis and no Valkey" in text
        assert_no_secret(text, "canary-3")
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for one in kept:
            one.close()


@pytest.mark.case("F10")
@own_timeout
def test_tls_is_spoken_to_a_server_without_it(server: Server) -> None:
    refused(RedisState.from_url(server.url.replace("redis", "rediss")), "count", "token", "check")


@pytest.mark.case("F11")
def test_the_clock_of_a_host_says_nothing(state: RedisState) -> None:
    early, late = 1000.0, 1000.0 + 7200
    assert state.lock_token("app", "a", late)
    assert not state.lock_token("app", "b", early)
    state.put_token("app", "a", "token", 100, late)
    assert state.token("app", early) == ("token", pytest.approx(100, abs=30))
    assert state.reserve(CHANNEL, "a", [""], [(1, 60.0)], late).wait_s == 0
    assert state.reserve(CHANNEL, "b", [""], [(1, 60.0)], early).wait_s == pytest.approx(60, abs=30)
    state.count(CHANNEL, "a", "h", [Count("k", 1, 1.0, "entry")], late)
    (claim,) = state.claim(CHANNEL, "b", early, lease_s=60, most=9)
    assert state.claim(CHANNEL, "a", late, lease_s=60, most=9) == []
    state.told(CHANNEL, [claim], early, forced=False)
    assert state.next_due(CHANNEL, late) == pytest.approx(600, abs=30)


@pytest.mark.case("F12")
def test_who_holds_the_lock_is_killed(server: Server, state: RedisState) -> None:
    ended = run(
        f"""
        import os, signal
        from wecom_logging.state.redis import RedisState
        assert RedisState.from_url({server.url!r}).lock_token("app", "killed", 0.0)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert ended.status == -signal.SIGKILL
    assert not state.lock_token("app", "next", 0.0)
    state.offset_s = 15.1
    assert state.lock_token("app", "next", 0.0)
    state.put_token("app", "killed", "old", 7200, 0.0)
    assert state.token("app", 0.0) is None
    assert not state.lock_token("app", "third", 0.0)
    state.put_token("app", "next", "new", 7200, 0.0)
    assert state.token("app", 0.0) == ("new", pytest.approx(7200, abs=60))


@pytest.mark.case("F14")
def test_redis_sees_a_token_in_one_value_and_no_other_secret(own: Server) -> None:
    with own.client() as client, own.client() as watching, watching.monitor() as monitor:
        client.acl_setuser("we", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all"])
        state = RedisState.from_url(own.url.replace("//", f"//we:{quote(PASSWORD, safe='')}@"))
        works(state)
        fill(state)
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
        values = [client.hgetall(key) if client.type(key) == b"hash" else client.zrange(key, 0, -1) for key in keys]
        assert_no_secret(repr(values), PASSWORD)
        assert repr(values).count(ACCESS_TOKEN) == 1
        assert b"pickle" not in repr(values).encode()


FORKS = """
import os, sys
sys.path.insert(0, {root!r})
import redis, valkey
from wecom_logging.state import redis_client
from wecom_logging.state.base import Count
from wecom_logging.state.redis import RedisState
url, kind = {url!r}, {kind!r}
port = int(url.split(":")[2].split("/")[0])
made = {{"url": lambda: url, "redis-py": lambda: redis.Redis(port=port), "valkey-py": lambda: valkey.Valkey(port=port)}}
state = RedisState(made[kind]())
redis_client.TIMEOUT_S = 10.0

def talk(name):
    for number in range(30):
        app = f"{{name}} {{number % 7}}"
        assert state.lock_token(app, name, 0.0)
        state.put_token(app, name, f"token of {{app}}", 7200, 0.0)
        assert state.token(app, 0.0)[0] == f"token of {{app}}", app
        assert all(state.count("bot", name, "host", [Count(name, 1, 1.0, "entry")], 0.0))

talk("parent")
children = []
for number in range(4):
    child = os.fork()
    if not child:
        talk(f"child {{number}}")
        os._exit(0)
    children.append(child)
talk("parent")
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
talk("parent")
print({{claim.key: claim.count for claim in state.claim("bot", "parent", 0.0, lease_s=60, most=9)}})
"""


@pytest.mark.case("F15")
@pytest.mark.parametrize("kind", ["url", "redis-py", "valkey-py"])
def test_a_fork_with_a_live_connection(server: Server, kind: str) -> None:
    ended = run(FORKS.format(root=str(ROOT), url=server.url, kind=kind))
    assert ended.status == 0, ended.err
    expected = {"parent": 90, **{f"child {number}": 30 for number in range(4)}}
    assert ast.literal_eval(ended.out) == expected


@pytest.mark.case("F15")
@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_a_fork_while_another_thread_is_in_a_call(server: Server, scheme: str) -> None:
    ended = run(
        f"""
        import os, threading, time, warnings
        warnings.simplefilter("ignore")
        from wecom_logging.state.base import Count
        from wecom_logging.state import redis_client
        from wecom_logging.state.redis import RedisState
        redis_client.TIMEOUT_S = 10.0
        state = RedisState.from_url({server.url.replace("redis", scheme)!r})
        ends = threading.Event()
        def talk():
            while not ends.is_set():
                state.count("bot", "thread", "host", [Count("k", 1, 1.0, "entry")], 0.0)
        threads = [threading.Thread(target=talk, daemon=True) for _ in range(3)]
        [thread.start() for thread in threads]
        for _ in range(20):
            child = os.fork()
            if not child:
                os._exit(0 if all(state.count("bot", "child", "host", [Count("c", 1, 1.0, "entry")], 0.0)) else 1)
            assert os.waitpid(child, 0)[1] == 0
        ends.set()
        [thread.join() for thread in threads]
        print({{claim.key: claim.count for claim in state.claim("bot", "p", 0.0, lease_s=60, most=9)}}["c"])
        """
    )
    assert (ended.out.strip(), ended.status) == ("20", 0), ended.err


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_a_signal_handler_that_asks_in_the_middle_of_an_answer(server: Server, scheme: str) -> None:
    ended = run(
        f"""
        import signal
        from wecom_logging.state.base import Count, StateError
        from wecom_logging.state import redis_client
        from wecom_logging.state.redis import RedisState
        redis_client.TIMEOUT_S = 10.0
        state = RedisState.from_url({server.url.replace("redis", scheme)!r})
        one, refused, done = [Count("k", 1, 1.0, "entry")], 0, 0
        def handler(*_):
            global refused, done
            try:
                state.count("bot", "me", "host", one, 0.0)
                done += 1
            except StateError:
                refused += 1
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
        for _ in range(500):
            state.count("bot", "me", "host", one, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(refused > 5, state.books().counted - 500 - done)
        """
    )
    assert (ended.out.split(), ended.status) == (["True", "0"], 0), ended.err
