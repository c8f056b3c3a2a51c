"""Every backend behind one rig: the tests of the contract run over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from wecom_logging.state.base import Claim, Count, State
from wecom_logging.state.sqlite import SqliteState

CHANNEL, WHO, HOST = "bot a", "me", "host-1"


class Rig:
    """One backend, and a time that passes when a test says so. ``again()`` opens the same state once more."""

    def __init__(self, opened: Callable[[Rig], State]) -> None:
        self._opened = opened
        self.now = 1_000_000.0
        self.dead: set[str] = set()
        self.state = self.again()

    def again(self) -> State:
        return self._opened(self)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def count(self, key: str, number: int = 1, *, entry: str = "entry", **more: Any) -> bool:
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


@pytest.fixture(params=["sqlite"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    yield from {"sqlite": _sqlite}[request.param](tmp_path)
