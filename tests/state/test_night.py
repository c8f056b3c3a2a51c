"""A night of several processes over one Valkey, in accelerated time, with SIGKILL at random."""

from __future__ import annotations

import pytest

from tools.night import run


@pytest.mark.slow
def test_a_night_of_processes_that_are_killed_tells_each_step_call_and_morning_message_once() -> None:
    found = run(processes=6, kills=10, clusters=1, seed=3)
    assert (found.faults, found.lost, dict(found.stderr)) == ([], [], {})
    assert found.kills
    assert found.incidents["step 1"] == found.incidents["step 2"] == 2
    assert found.incidents["line"] == 4
    assert found.store["counted"] == found.store["told"] == found.logged
