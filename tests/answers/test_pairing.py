"""The code that tells the id of a chat, between two processes of a state."""

from __future__ import annotations

from pathlib import Path

from wecom_logging._answers.pairing import Pairing
from wecom_logging._state.shared import sqlite_state


def test_who_has_the_connection_knows_that_another_process_waits_for_a_code(tmp_path: Path) -> None:
    states = [sqlite_state(str(tmp_path / "alerts.db"), lambda cause, text: None) for _ in range(2)]
    terminal, service = (Pairing("bot", state) for state in states)
    assert not service.is_waiting()
    code = terminal.ask()
    assert service.is_waiting()
    assert not service.heard("22222222", "ops", "li", is_group=True)
    assert service.heard(code.upper(), "ops", "li", is_group=True)
    found = terminal.look()
    assert found is not None
    assert (found.chat, found.user, found.is_group) == ("ops", "li", True)
    assert [one.is_waiting() for one in (service, terminal)] == [False, False]
    terminal.ask()
    assert service.is_waiting()
