"""Every backend behind one rig: the tests of the contract run over all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from wecom_logging.state import redis_client
from wecom_logging.state.base import Claim, Count, State
from wecom_logging.state.redis import RedisState
from wecom_logging.state.sqlite import SqliteState

from ..valkey_server import Server

CHANNEL, WHO, HOST = "bot a", "me", "host-1"


class Rig:
    """One backend, and a time that passes when a test says so. ``again()`` opens the same state once more."""

    grain_s = 1.0
    """So much before its time nothing happens."""

    def __init__(self, opened: Callable[[Rig], State]) -> None:
        self._opened = opened
        self.now = 1_000_000.0
        self.dead: set[str] = set()
        self.state = self.again()

    def again(self) -> State:
        return self._opened(self)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def near(self, seconds: Any) -> Any:
        """Equal to these seconds, or to several."""
        return pytest.approx(seconds, abs=1e-6)

    def count(self, key: str, number: int = 1, *, entry: str = "entry", **more: Any) -> int:
        host, who = more.pop("host", HOST), more.pop("who", WHO)
        one = Count(key, number, more.pop("last", 1.0), entry, **more)
        return self.state.count(CHANNEL, who, host, [one], self.now)[0]

    def claim(self, who: str = WHO, *, most: int = 9, lease_s: float = 60, forced: Sequence[str] = ()) -> list[Claim]:
        return self.state.claim(CHANNEL, who, self.now, lease_s=lease_s, most=most, forced=forced)

    def told(self, *claims: Claim, forced: bool = False) -> None:
        self.state.told(CHANNEL, claims, self.now, forced=forced)


def _sqlite(tmp_path: Path) -> Iterator[Rig]:
    opened: list[SqliteState] = []

    def again(rig: Rig) -> State:
        opened.append(SqliteState(str(tmp_path / "alerts.db"), is_alive=lambda who: who not in rig.dead))
        return opened[-1]

    yield Rig(again)
    for state in opened:
        state.close()


def _redis(server: Server, client: Any = None) -> Iterator[Rig]:
    opened: list[RedisState] = []

    class Passing(Rig):
        """Its server has a clock of its own: beside the time that a test lets pass, that of the test passes."""

        grain_s = 10.0
        began = time.monotonic()

        def near(self, seconds: Any) -> Any:
            return pytest.approx(seconds, abs=time.monotonic() - self.began)

        def pass_time(self, seconds: float) -> None:
            super().pass_time(seconds)
            for state in opened:
                state.offset_s = self.now - 1_000_000.0

    def again(rig: Rig) -> State:
        opened.append(RedisState(client or server.url))
        opened[-1].offset_s = rig.now - 1_000_000.0
        return opened[-1]

    yield Passing(again)
    for state in opened:
        state.close()


@pytest.fixture
def timeout_s() -> float:
    """For an answer of Redis: long, so that a busy machine is no fault. Tests of faults have the package's own."""
    return 10.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch, timeout_s: float) -> None:
    monkeypatch.setattr(redis_client, "TIMEOUT_S", timeout_s)


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


@pytest.fixture(params=["sqlite", "redis"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "sqlite":
        yield from _sqlite(tmp_path)
    else:
        yield from _redis(request.getfixturevalue("server"))
