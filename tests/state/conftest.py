"""Every store behind one rig: the tests of the contract, and its model, run over all of them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._incidents import life
from wecom_logging._incidents.incident import NOTHING, Count, Incident, Kept, Own
from wecom_logging._state import redis_client
from wecom_logging._state.base import Added, Swap, Wanted
from wecom_logging._state.memory import MemoryStore
from wecom_logging._state.redis import RedisStore
from wecom_logging._state.sqlite import SqliteStore
from wecom_logging.model import Alert, Frame

from ..valkey_server import Server

CHANNEL, WHO, HOST = "bot a", "me", "host-1"
BEGIN = 1_000_000.0


def alert(text: str = "disk full", level: int = 40) -> Alert:
    return Alert(
        id="cafe0001",
        level=level,
        level_name="ERROR",
        logger="shop",
        message=text,
        template=text,
        time=1.0,
        host=HOST,
        process=1,
        process_name="MainProcess",
        thread_name="MainThread",
        place=Frame("shop.py", 1, "sell"),
        module="shop",
    )


def first(key: str, number: int = 1, *, text: str = "", level: int = 40, **more: Any) -> Count:
    """A count that opens its incident where that is not open."""
    kept = Kept(alert(text or f"alert {key}", level))
    return Count(**{"key": key, "number": number, "level": level, "last": 1.0, "first": kept, **more})


def later(key: str, number: int = 1, **more: Any) -> Count:
    """A count of an incident that is thought to be open."""
    return Count(**{"key": key, "number": number, "level": 40, "last": 2.0, **more})


class Rig:
    """One store, and a time that passes when a test says so. ``again()`` opens what is stored there once more."""

    grain_s = 1.0
    """So much before its time nothing happens."""

    def __init__(self, opened: Callable[[Rig], Any], *, is_shared: bool = True) -> None:
        self._opened = opened
        self._numbers: dict[tuple[str, str], int] = {}
        self.is_shared = is_shared
        self.now = BEGIN
        self.dead: set[str] = set()
        self.left: list[tuple[str, str, Own]] = []
        self.store = self.again()

    def leave(self, key: str, reason: str, own: Own) -> Iterator[object]:
        self.left.append((key, reason, own))
        return iter(())

    def again(self) -> Any:
        return self._opened(self)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def near(self, seconds: Any) -> Any:
        """Equal to these seconds, or to several."""
        return pytest.approx(seconds, abs=1e-6)

    def batch(
        self,
        *counts: Count,
        who: str = WHO,
        number: int = 0,
        channel: str = CHANNEL,
        host: str = HOST,
        store: Any = None,
    ) -> Added:
        """Add one batch: that which comes next, unless it is said which."""
        number = number or self._numbers.get((channel, who), 0) + 1
        self._numbers[channel, who] = max(number, self._numbers.get((channel, who), 0))
        added = (store or self.store).add(channel, who, host, number, counts, self.now)
        assert isinstance(added, Added)
        return added

    def add(self, *counts: Count, **more: Any) -> tuple[int | None, ...]:
        """The same: how many of each had been told."""
        return self.batch(*counts, **more).told

    def claim(
        self,
        who: str = WHO,
        *,
        most: int = 9,
        lease_s: float = 60.0,
        channel: str = CHANNEL,
        store: Any = None,
        **more: Any,
    ) -> list[Incident]:
        found: list[Incident] = (store or self.store).claim(channel, who, self.now, lease_s, Wanted(most, **more))
        return found

    def swap(self, *swaps: Swap) -> list[Own | None]:
        found: list[Own | None] = self.store.swap(CHANNEL, swaps, self.now)
        return found

    def sent(self, *incidents: Incident) -> list[bool]:
        """They were told; of each, whether that was in time."""
        return self._swapped(*(Swap(one, life.sent(one, self.now)) for one in incidents))

    def release(self, *incidents: Incident, wait_s: float = 0.0, failed: int = 0) -> list[bool]:
        return self._swapped(*(Swap(one, life.released(one, self.now, wait_s, failed=failed)) for one in incidents))

    def refuse(self, *incidents: Incident) -> list[bool]:
        """A message of them was refused for good."""
        return self._swapped(*(Swap(one, life.refused(one, self.now), "rejected") for one in incidents))

    def end(self, *incidents: Incident, why: str = "") -> list[bool]:
        return self._swapped(*(Swap(one, None, why) for one in incidents))

    def tell(self, **more: Any) -> list[Incident]:
        """Claim and tell what is due."""
        found = self.claim(**more)
        assert all(self.sent(*found))
        return found

    def _swapped(self, *swaps: Swap) -> list[bool]:
        owns = self.swap(*swaps)
        assert not self.is_shared or all(own in (None, NOTHING) for own in owns)
        return [own is not None for own in owns]

    def due(self) -> float:
        seconds: float = self.store.next_due(CHANNEL, self.now)
        return seconds

    def counters(self) -> tuple[int, int, int, int, int]:
        """Counted, told, waiting, given up and discarded: they balance."""
        books = self.store.counters()
        numbers = (books.counted, books.told, books.waiting, books.given_up, books.discarded)
        assert books.counted == sum(numbers[1:]), books
        assert min(numbers) >= 0
        return numbers


class _Passing(Rig):
    """Its server has a clock of its own: beside the time that a test lets pass, that of the test passes."""

    grain_s = 10.0

    def __init__(self, opened: Callable[[Rig], Any], stores: list[RedisStore]) -> None:
        self._stores = stores
        self._began = time.monotonic()
        super().__init__(opened)

    def near(self, seconds: Any) -> Any:
        return pytest.approx(seconds, abs=time.monotonic() - self._began + 1e-3)

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        for store in self._stores:
            store.offset_s = self.now - BEGIN


@contextmanager
def memory_rig() -> Iterator[Rig]:
    """Who opens it again has the same memory."""
    made: list[MemoryStore] = []

    def again(rig: Rig) -> MemoryStore:
        made[:] = made or [MemoryStore(rig.leave)]
        return made[0]

    yield Rig(again, is_shared=False)


@contextmanager
def sqlite_rig(directory: Path) -> Iterator[Rig]:
    opened: list[SqliteStore] = []

    def again(rig: Rig) -> SqliteStore:
        opened.append(SqliteStore(str(directory / "alerts.db"), is_alive=lambda who: who not in rig.dead))
        return opened[-1]

    yield Rig(again)
    for store in opened:
        store.close()


@contextmanager
def redis_rig(server: Server, client: Any = None) -> Iterator[Rig]:
    opened: list[RedisStore] = []

    def again(rig: Rig) -> RedisStore:
        opened.append(RedisStore(client or server.url))
        opened[-1].offset_s = rig.now - BEGIN
        return opened[-1]

    yield _Passing(again, opened)
    for store in opened:
        store.close()


def rig_of(kind: str, server: Callable[[], Server]) -> AbstractContextManager[Rig]:
    """A rig over an empty store of a kind."""
    return {"memory": memory_rig, "sqlite": _in_a_folder(sqlite_rig)}.get(kind, lambda: redis_rig(server()))()


def _in_a_folder(rig: Callable[[Path], AbstractContextManager[Rig]]) -> Callable[[], AbstractContextManager[Rig]]:
    @contextmanager
    def made() -> Iterator[Rig]:
        with tempfile.TemporaryDirectory() as folder, rig(Path(folder)) as found:
            yield found

    return made


@pytest.fixture
def timeout_s() -> float:
    """For an answer of Redis: long, so that a busy machine is no fault. Tests of faults have the package's own."""
    return 10.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch, timeout_s: float) -> None:
    monkeypatch.setattr(redis_client, "TIMEOUT_S", timeout_s)


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections end with the test, however that ends, and not in another, where the collector finds them."""
    made, begin = list[RedisStore](), RedisStore.__init__

    def remember(store: RedisStore, *args: Any, **options: Any) -> None:
        begin(store, *args, **options)
        made.append(store)

    monkeypatch.setattr(RedisStore, "__init__", remember)
    yield
    for store in made:
        store.close()


@pytest.fixture(scope="session")
def _valkey() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(_valkey: Server) -> Server:
    """A Valkey that is empty and well."""
    with _valkey.client() as client:
        client.flushall()
    return _valkey


STORES = ("memory", "sqlite", "redis")
"""The one list of all stores, which every test takes that is of each of them."""

SHARED = [kind for kind in STORES if kind != "memory"]


def opened(kind: str, folder: Path, url: Callable[[], str], clock: Callable[[], float]) -> Any:
    """A store of a kind that processes share."""
    return SqliteStore(str(folder / "alerts.db"), clock=clock) if kind == "sqlite" else RedisStore(url())


@pytest.fixture(params=STORES)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Every store, as to incidents."""
    with rig_of(request.param, lambda: request.getfixturevalue("server")) as made:
        yield made


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Every store that processes share."""
    with rig_of(request.param, lambda: request.getfixturevalue("server")) as made:
        yield made
