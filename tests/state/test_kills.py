"""Processes of one state that are killed, in small: ``python -m tools.kills`` is the same for an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.kills import run, state_of


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_whoever_is_killed_what_was_taken_is_told_and_counted(kind: str, tmp_path: Path) -> None:
    with state_of(f"sqlite://{tmp_path}/alerts.db" if kind == "sqlite" else kind) as (url, _):
        found = run(url, seconds=30.0, processes=4, seed=3)
    assert not found.wrong, found
    assert found.faults["kills"] > 5
    assert found.incidents > 10
