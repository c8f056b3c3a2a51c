"""The file of a process's own beside the database: attacked, full, and on a disk that does not answer."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._runtime.bounded import BOUND_S
from wecom_logging._state import disk
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


def append_in_the_end(write_ahead: WriteAhead, entry: str) -> Ticket:
    """The same where the disk has so much to do that it may be late."""
    ticket = Ticket(write_ahead)
    with suppress(StateError):
        write_ahead.append(ticket, Line("bot", "k", 40, 60.0, "host", entry))
    until(lambda: ticket.is_written)
    return ticket


def left_in(path: Path) -> list[str]:
    """What the next process takes over."""
    return [line.entry for lines, _ in WriteAhead(str(path)).orphans() for line in lines]


def lines_of(path: Path) -> list[Line]:
    return [line for lines, _ in WriteAhead(str(path)).orphans() for line in lines]


# A disk that does not answer.


class Disk:
    """A file whose writes go through a pipe, which blocks in the kernel while it is full: as on a file system that is
    frozen. ``thaw`` lets them pass."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._out, self._in = os.pipe()
        os.set_blocking(self._in, False)
        try:
            while True:
                os.write(self._in, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(self._in, True)

    def write(self, data: bytes) -> int:
        os.write(self._in, b"x" * 4096)
        written: int = self._file.write(data)
        return written

    def thaw(self) -> None:
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        while os.read(self._out, 65536):
            continue

    def close(self) -> None:
        self._file.close()
        os.close(self._in)


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.005)


def frozen(write_ahead: WriteAhead) -> Disk:
    """From now on, for what is written."""
    assert write_ahead._current is not None
    disk = write_ahead._current.file = Disk(write_ahead._current.file)
    return disk


def refuse(write_ahead: WriteAhead, entry: str = "entry") -> Ticket:
    """That the disk does not answer is found out while it is frozen; its thaw is not waited for."""
    ticket = Ticket(write_ahead)
    with pytest.raises(StateError, match="the disk does not answer"):
        write_ahead.append(ticket, Line("bot", "k", 40, 60.0, "host", entry))
    return ticket


def test_a_disk_that_does_not_answer_holds_up_nobody_and_is_used_again(path: Path, write_ahead: WriteAhead) -> None:
    append(write_ahead, "before")
    disk = frozen(write_ahead)
    began = time.monotonic()
    for number in range(500):
        refuse(write_ahead, f"during {number}")
    assert time.monotonic() - began < 500 * BOUND_S / 2  # after the first nobody waits
    disk.thaw()
    until(lambda: not write_ahead._bounded.is_late)
    append(write_ahead, "after")
    write_ahead.reset_after_fork()
    assert left_in(path) == ["before", "during 0", "after"]


@pytest.mark.parametrize("when", ["while it is frozen", "after that"])
def test_what_such_a_disk_takes_late_is_left_until_it_is_done(path: Path, write_ahead: WriteAhead, when: str) -> None:
    append(write_ahead, "before").done()
    disk, ticket = frozen(write_ahead), refuse(write_ahead, "late")
    assert not ticket.is_written
    if when == "while it is frozen":
        ticket.done()
    disk.thaw()
    until(lambda: not write_ahead._bounded.is_late)
    assert ticket.is_written
    assert write_ahead._current is not None
    if when == "after that":
        assert len(write_ahead._current.undone) == 1
        ticket.done()
    assert not write_ahead._current.undone
    write_ahead.reset_after_fork()
    assert left_in(path) == []


def test_such_a_disk_holds_up_none_of_many_threads_and_not_the_worker(path: Path, write_ahead: WriteAhead) -> None:
    before = append(write_ahead, "before")
    disk, refused = frozen(write_ahead), list[str]()

    def log(number: int) -> None:
        refuse(write_ahead, f"{number}")
        refused.append(f"{number}")

    threads = [threading.Thread(target=log, args=(number,), daemon=True) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    before.done()
    assert sorted(refused) == ["0", "1", "2", "3"]
    disk.thaw()
    until(lambda: not write_ahead._bounded.is_late)
    write_ahead.reset_after_fork()
    left = left_in(path)
    assert left[0] == "before"  # it was done: that could not be said
    assert len(left) == 2


def test_a_disk_that_does_not_answer_when_the_first_file_is_made(
    path: Path, write_ahead: WriteAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    thawed, make = threading.Event(), disk.make

    def made(name: str) -> Any:
        thawed.wait(60)
        return make(name)

    monkeypatch.setattr(disk, "make", made)
    ticket = refuse(write_ahead)
    thawed.set()
    until(lambda: not write_ahead._bounded.is_late)
    append(write_ahead, "after").done()
    ticket.done()
    write_ahead.close()
    assert os.listdir(path.parent) == []


@contextmanager
def threads_that_compute(number: int) -> Iterator[None]:
    over = False

    def compute() -> None:
        while not over:
            sum(range(1000))

    threads = [threading.Thread(target=compute) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over = True
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_threads_that_compute_do_not_look_like_a_disk_that_does_not_answer(path: Path, write_ahead: WriteAhead) -> None:
    with threads_that_compute(8):
        for number in range(20):
            append(write_ahead, f"{number}")
    write_ahead.reset_after_fork()
    assert left_in(path) == [f"{number}" for number in range(20)]


@pytest.mark.slow
def test_nor_does_such_a_disk_hold_up_the_log_call_of_a_program_that_computes(
    path: Path, write_ahead: WriteAhead
) -> None:
    append(write_ahead, "before")
    disk = frozen(write_ahead)
    with threads_that_compute(8):
        refuse(write_ahead)
    disk.thaw()
    until(lambda: not write_ahead._bounded.is_late)


def test_a_forked_child_has_a_thread_of_its_own(path: Path, write_ahead: WriteAhead) -> None:
    append(write_ahead, "of the parent").done()
    child = os.fork()
    if child == 0:
        write_ahead.reset_after_fork()
        began = time.monotonic()
        append(write_ahead, "of the child")
        os._exit(time.monotonic() - began > 5)
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
        tickets.append(append_in_the_end(write_ahead, text))
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
