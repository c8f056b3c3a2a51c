"""Many jobs and watchers that are killed, in small: ``python -m tools.watchers`` is the same with a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.watchers import storm

from .valkey_server import Server


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_whoever_of_those_that_watch_is_killed_each_miss_is_told_once(kind: str, tmp_path: Path) -> None:
    server = Server() if kind == "redis" else None
    try:
        url = f"sqlite://{tmp_path}/alerts.db" if server is None else server.url
        found = storm(url, jobs=60, watchers=4, seconds=20.0, speed=30.0)
    finally:
        if server is not None:
            server.close()
    assert found.wrong == [[]] * 5, found
    assert found.told > 60
    assert found.kills > 10
    assert found.runs > 60
