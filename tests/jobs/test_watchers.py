"""Many jobs and watchers that are killed, in small: ``python -m tools.watchers`` is the same with a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.kills import state_of
from tools.watchers import storm


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_whoever_of_those_that_watch_is_killed_each_miss_is_told_once(kind: str, tmp_path: Path) -> None:
    with state_of(f"sqlite://{tmp_path}/alerts.db" if kind == "sqlite" else kind) as (url, _):
        found = storm(url, jobs=20, watchers=3, seconds=140.0, seed=3, every_s=60.0)
    assert found.is_well, found
    assert found.kills > 10
    assert found.told >= 10
