"""The file of a process's own beside the database: attacked, and full."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wecom_logging._state import write_ahead as module
from wecom_logging._state.base import StateError
from wecom_logging._state.entries import VERSION
from wecom_logging._state.write_ahead import Line, Ticket, WriteAhead

from .planted import THINGS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@pytest.fixture
def write_ahead(path: Path) -> Iterator[WriteAhead]:
    made = WriteAhead(str(path))
    yield made
    made.reset_after_fork()  # what a test that fails leaves open is not to be found in another


def append(write_ahead: WriteAhead, entry: str = "entry") -> Ticket:
    ticket = Ticket(write_ahead)
    write_ahead.append(ticket, Line("bot", "k", 40, 60.0, "host", entry))
    return ticket


def left_in(path: Path) -> list[str]:
    """What the next process takes over."""
    return [line.entry for lines, _ in WriteAhead(str(path)).orphans() for line in lines]


def lines_of(path: Path) -> list[Line]:
    return [line for lines, _ in WriteAhead(str(path)).orphans() for line in lines]


def test_a_forked_child_has_files_of_its_own(path: Path, write_ahead: WriteAhead) -> None:
    append(write_ahead, "of the parent").done()
    child = os.fork()
    if child == 0:
        write_ahead.reset_after_fork()
        append(write_ahead, "of the child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert left_in(path) == ["of the child"]
    write_ahead.close()


# What else may become of its files.


@pytest.mark.case("S07")
@pytest.mark.parametrize("end", ["1-cafe.lock", "1-cafe.000001.log"])
@pytest.mark.parametrize("thing", THINGS)
def test_what_lies_at_its_names_is_left_alone(
    path: Path, tmp_path: Path, thing: Callable[[Path, Path], None], end: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text(json.dumps([VERSION, 0, "bot", "k", 40, 60.0, "host", "forged"]) + "\n")
    victim.chmod(0o600)
    before = victim.read_bytes()
    thing(victim, tmp_path / f"alerts.db.own-{end}")
    write_ahead = WriteAhead(str(path))
    assert list(write_ahead.orphans()) == []
    assert not write_ahead.is_alive("nobody")
    assert victim.read_bytes() == before
    append(write_ahead, "mine").done()
    write_ahead.close()


@pytest.mark.case("S13")
def test_it_is_bounded_and_its_files_go_when_they_are_done(path: Path) -> None:
    now = 1.0
    write_ahead = WriteAhead(str(path), lambda: now)
    tickets, text = [], "x" * 200_000
    for _ in range(module.MAX_BYTES // len(text) + 1):
        tickets.append(append(write_ahead, text))
        write_ahead.tidy()
    with pytest.raises(StateError, match="MiB of alerts wait"):
        append(write_ahead, text)
    assert sum(one.stat().st_size for one in path.parent.iterdir()) < module.MAX_BYTES * 1.01
    for ticket in tickets:
        ticket.done()
    now += 11
    write_ahead.tidy()
    assert sum(one.stat().st_size for one in path.parent.iterdir()) < 1_000_000
    append(write_ahead, text).done()
    write_ahead.close()
    assert os.listdir(path.parent) == []


def test_the_first_records_of_many_threads_share_one_file(path: Path) -> None:
    for _ in range(10):
        write_ahead, barrier = WriteAhead(str(path)), threading.Barrier(8)
        tickets: list[Ticket] = []

        def write(
            write_ahead: WriteAhead = write_ahead, barrier: threading.Barrier = barrier, into: list[Ticket] = tickets
        ) -> None:
            barrier.wait(10)
            into.append(append(write_ahead))

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tickets) == 8
        assert [name for name in os.listdir(path.parent) if name.endswith(".lock")] == [
            f"alerts.db.own-{write_ahead.who}.lock"
        ]
        for ticket in tickets:
            ticket.done()
        write_ahead.close()
        assert os.listdir(path.parent) == []


def test_a_log_whose_lock_is_gone_is_taken_over(path: Path) -> None:
    left = WriteAhead(str(path))
    append(left)
    (path.parent / f"alerts.db.own-{left.who}.lock").unlink()
    left.reset_after_fork()
    assert left_in(path) == ["entry"]
    assert os.listdir(path.parent) == []
