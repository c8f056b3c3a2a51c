"""What is special to the store of ``sqlite:///…``: its file, attacked, broken, foreign, old; forks; how large it is."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3  # it is what these tests are about
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._incidents import life
from wecom_logging._incidents.incident import Count, Incident, Kept
from wecom_logging._incidents.short_id import short_ids
from wecom_logging._runtime.clock import within
from wecom_logging._state.base import StateError, Swap, Wanted
from wecom_logging._state.shared import sqlite_state
from wecom_logging._state.sqlite import SqliteStore
from wecom_logging._state.sqlite_file import APPLICATION_ID, SCHEMA_VERSION
from wecom_logging.model import Alert, Frame

from .planted import THINGS

ROOT = Path(__file__).parents[2]
BOT, ME, HOST = "bot", "me", "host"


def alert(text: str = "the lamp is off") -> Alert:
    return Alert(
        id="cafe0001",
        level=40,
        level_name="ERROR",
        logger="shop",
        message=text,
        template=text,
        time=1e9,
        host=HOST,
        process=1,
        process_name="MainProcess",
        thread_name="MainThread",
        place=Frame("shop.py", 1, "sell"),
        module="shop",
    )


def run(code: str) -> str:
    """What a program prints that forks with threads; it says nothing else, and ends well."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


class Use:
    """A process with the store, and the number of its batches."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.store = SqliteStore(str(path), **more)
        self.number = int(time.monotonic() * 1e6)

    def add(self, *counts: Count, now: float = 1.0, who: str = ME, host: str = HOST) -> tuple[int | None, ...]:
        self.number += 1
        return self.store.add(BOT, who, host, self.number, counts, now).told

    def open(self, *keys: str, now: float = 1.0, number: int = 1, **more: Any) -> None:
        self.add(*(first(key, number=number, **more) for key in keys), now=now)

    def claim(self, now: float = 1.0, *, who: str = ME, most: int = 9, **more: Any) -> list[Incident]:
        return self.store.claim(BOT, who, now, 60.0, Wanted(most, **more))

    def tell(self, now: float = 1.0, *, most: int = 9) -> list[str]:
        """Claim and send what is due; the keys."""
        found = self.claim(now, most=most)
        self.store.swap(BOT, [Swap(one, life.sent(one, now)) for one in found], now)
        return [one.key for one in found]

    def give_up(self, now: float = 1.0, why: str = "rejected", most: int = 9) -> None:
        self.store.swap(BOT, [Swap(one, None, why) for one in self.claim(now, most=most)], now)

    def balanced(self) -> tuple[int, int, int, int, int]:
        """The numbers, once it is seen that they balance: counted, told, waiting, given up, discarded."""
        books = self.store.counters()
        numbers = (books.counted, books.told, books.waiting, books.given_up, books.discarded)
        assert numbers[0] == sum(numbers[1:])
        assert min(numbers) >= 0
        return numbers


def first(key: str, *, text: str = "", **more: Any) -> Count:
    return Count(**{"key": key, "level": 40, "last": 1.0, "first": Kept(alert(text or key)), **more})


def more(key: str, number: int = 1, **others: Any) -> Count:
    return Count(key=key, number=number, last=2.0, **others)


def harm(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@pytest.fixture
def use(path: Path) -> Iterator[Use]:
    made = Use(path)
    yield made
    made.store.close()


# What lies there already.


def foreign(path: Path, *, application: int = 0, version: int = 1, wal: bool = False) -> None:
    with closing(sqlite3.connect(path)) as db:
        if wal:
            db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA application_id={application}")
        db.execute(f"PRAGMA user_version={version}")
        db.execute("CREATE TABLE invoices (number INTEGER, text TEXT)")
        db.execute("INSERT INTO invoices VALUES (1, 'due')")
        db.commit()
    path.chmod(0o600)


def state_of(path: Path) -> tuple[str, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), stat.S_IMODE(path.stat().st_mode)


@pytest.mark.case("S12")
@pytest.mark.parametrize(
    "kind",
    [
        {"version": 0},
        {"version": 1},
        {"version": 7, "wal": True},
        {"application": 252006675},
        {"application": APPLICATION_ID, "version": SCHEMA_VERSION - 1},
        {"application": APPLICATION_ID, "version": SCHEMA_VERSION + 1},
        {"application": APPLICATION_ID, "version": SCHEMA_VERSION + 1, "wal": True},
    ],
)
def test_the_database_of_another_program_or_version_stays_as_it_is(path: Path, kind: dict[str, Any]) -> None:
    foreign(path, **kind)
    before = state_of(path)
    with pytest.raises(StateError, match="choose another path"):
        SqliteStore(str(path)).check()
    assert state_of(path) == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.case("S07")
@pytest.mark.parametrize("thing", THINGS)
def test_what_lies_at_the_path_is_refused_and_unchanged(
    path: Path, tmp_path: Path, thing: Callable[[Path, Path], None]
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine alone" * 500)
    victim.chmod(0o600)
    before = state_of(victim)
    thing(victim, path)
    with pytest.raises(StateError) as refused:
        SqliteStore(str(path)).check()
    assert str(path) in str(refused.value)
    assert state_of(victim) == before


@pytest.mark.case("S07")
def test_a_file_that_others_may_read_is_refused_and_an_empty_one_made_private(path: Path) -> None:
    path.touch(mode=0o644)
    store = SqliteStore(str(path))
    store.check()
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(StateError, match="chmod 600"):
        SqliteStore(str(path)).check()


@pytest.mark.case("S12")
def test_a_newer_version_that_takes_the_file_over_while_it_is_open_is_left_alone(use: Use, path: Path) -> None:
    use.open("before")
    harm(path, f"PRAGMA user_version={SCHEMA_VERSION + 1}", "ALTER TABLE rows RENAME TO documents")
    before = state_of(path)
    for _ in range(2):
        with pytest.raises(StateError, match="is of another version"):
            use.open("after")
    assert state_of(path) == before


def test_a_file_that_is_damaged_is_set_aside(path: Path) -> None:
    use = Use(path)
    use.open("k")
    use.store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size))
    with pytest.raises(StateError, match="is damaged"):
        use.open("k")
    use.open("k")
    assert use.balanced() == (1, 0, 1, 0, 0)
    use.store.close()


# Others that use it.


def test_a_reader_that_stays_leaves_no_transaction_open(use: Use, path: Path) -> None:
    use.open("a")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM rows").fetchall()
        with pytest.raises(StateError):
            use.open("b")
        reader.execute("COMMIT")
        reader.execute("BEGIN IMMEDIATE")  # nobody is in the way
        reader.execute("ROLLBACK")
    use.open("b")
    assert use.balanced() == (2, 0, 2, 0, 0)


def test_processes_that_open_a_new_file_at_once_all_use_it(path: Path) -> None:
    def check() -> None:
        try:
            barrier.wait(10)
            stores.append(store := SqliteStore(str(path)))
            found.append(store.check())
        except StateError as error:
            wrong.append(error)

    for _ in range(5):
        path.unlink(missing_ok=True)
        barrier, stores, found, wrong = threading.Barrier(6), list[SqliteStore](), list[str](), list[StateError]()
        threads = [threading.Thread(target=check) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for store in stores:  # `close` leaves open what another thread uses for long
            store.close()
        assert (len(found), wrong) == (6, [])


@pytest.mark.case("S14")
def test_it_needs_no_shared_memory(path: Path) -> None:
    store = SqliteStore(str(path))
    assert "truncate" in store.check()
    store.close()
    harm(path, "PRAGMA journal_mode=WAL")  # somebody's well-meant change
    again = SqliteStore(str(path))
    assert "truncate" in again.check()
    assert not [name for name in os.listdir(path.parent) if name.endswith(("-wal", "-shm"))]
    again.close()


FORKS = """
import gc, os, sys, threading, time
from wecom_logging._incidents.incident import Count, Kept
from wecom_logging._state.shared import sqlite_state
from wecom_logging._state.sqlite import SqliteStore
from tests.state.test_sqlite_store import first
store = SqliteStore({path!r})
over = False

def add(key, who, number):
    store.add("bot", who, "host", number, [first(key, text="x" * 1000)], 1.0)

def work():
    number = 1
    while not over:
        number += 1
        add(f"parent {{number}}", "parent", number)
        time.sleep(0.002)
    print(number)
    sys.stdout.flush()

add("first", "parent", 1)
thread = threading.Thread(target=work)
thread.start()
for number in range(20):
    if os.fork() == 0:
        gc.collect()
        if number % 4 == 0:
            add(f"child {{number}}", f"child {{number}}", 1)
        os._exit(0) if number % 2 else sys.exit(0)
    os.wait()
over = True
thread.join()
"""


@pytest.mark.slow
def test_forked_children_leave_their_parents_connection_alone(path: Path) -> None:
    printed = run(FORKS.format(path=str(path)))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    use = Use(path)
    assert use.balanced()[0] == 5 + int(printed.split()[-1])
    use.store.close()


OPENS_AND_FORKS = """
import os, sys, threading, time
from wecom_logging._runtime import forks
from wecom_logging._state.shared import sqlite_state
from wecom_logging._state.sqlite import SqliteStore
stop = False

def work():
    while not stop:
        store = SqliteStore({path!r})
        store.check()
        store.close()

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
try:
    for number in range(60):
        child = os.fork()
        if child == 0:
            SqliteStore({path!r}).check()
            os._exit(0)
        ends = time.monotonic() + 20
        while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > ends:
                os.kill(child, 9)
                sys.exit("a child hangs")
            time.sleep(0.001)
        assert done[1] == 0
finally:
    stop = True
    for thread in threads:
        thread.join()
"""


@pytest.mark.slow
def test_a_child_that_is_forked_while_sqlite_opens_a_file_can_use_it(path: Path) -> None:
    run(OPENS_AND_FORKS.format(path=str(path)))


def test_a_dead_owners_claims_are_free_at_once(path: Path) -> None:
    dead: set[str] = set()
    use = Use(path, is_alive=lambda who: who not in dead)
    use.open("k", "l")
    held = use.claim(1.0, who="other")
    assert (len(held), use.claim(2.0), use.store.next_due(BOT, 2.0)) == (2, [], 59.0)
    dead.add("other")
    assert use.store.next_due(BOT, 2.0) == 0.0
    assert len(use.claim(2.0)) == 2
    assert use.store.swap(BOT, [Swap(one, life.sent(one, 2.0)) for one in held], 2.0) == [None, None]
    use.store.close()


# Its clock.


def test_after_a_new_start_of_the_machine_its_clock_begins_anew(path: Path) -> None:
    use = Use(path)
    use.open("told", now=9e6 - 30)
    use.tell(9e6 - 30)
    use.open("old", now=9e6 - life.EXPIRES_S)
    use.open("claimed", now=9e6)
    assert len(use.claim(9e6)) == 2
    assert use.store.reserve(BOT, ME, [""], [(1, 60.0)], 9e6).wait_s == 0
    use.store.pause(BOT, 3600.0, 9e6)
    assert use.store.lock_token("app", ME, 9e6)
    use.store.put_token("app", ME, "token", 7200.0, 9e6)
    use.store.close()
    harm(path, "UPDATE boot SET id='of another start'")
    again = Use(path, clock=lambda: 5.0)
    found = {one.key: life.is_expired(one, 5.0) for one in again.claim(5.0, who="you")}
    assert found == {"claimed": False, "old": True}  # how long something waited does not begin anew
    (told,) = again.store.open(BOT, 9, ["told"])
    assert (told.told_at, again.store.next_due(BOT, 5.0)) == (-25.0, 60.0)
    assert again.store.reserve(BOT, "you", [""], [(1, 60.0)], 5.0).wait_s == 0
    assert again.store.token("app", 5.0) is None
    again.store.close()


def test_a_clock_on_the_wall_that_is_put_right_expires_nothing(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1e9)
    use.open("k", last=1e9)
    monkeypatch.setattr(time, "time", lambda: 1e9 + 3 * 86_400)
    (found,) = use.claim(2.0)
    assert not life.is_expired(found, 2.0)
    assert use.balanced() == (1, 0, 1, 0, 0)


def test_a_version_of_a_claim_in_hand_never_comes_back(use: Use, path: Path) -> None:
    use.open("k")
    use.store.close()
    shutil.copyfile(path, f"{path}.backup")
    (held,) = use.claim()
    use.store.close()
    os.replace(f"{path}.backup", path)
    path.chmod(0o600)
    (other,) = use.claim(who="other")
    assert use.store.swap(BOT, [Swap(held, life.sent(held, 1.0))], 1.0) == [None]
    assert use.store.swap(BOT, [Swap(other, life.sent(other, 1.0))], 1.0) != [None]
    assert use.balanced() == (1, 1, 0, 0, 0)


def test_claims_in_hand_of_what_people_took_away_change_no_number(use: Use) -> None:
    use.open("a", "b", number=3)
    held = use.claim()
    assert use.store.discard(["a"]) == 1
    use.store.swap(BOT, [Swap(held[1], None, "rejected")], 1.0)
    use.open("a", "b")
    assert use.store.swap(BOT, [Swap(one, life.sent(one, 1.0)) for one in held], 1.0) == [None, None]
    assert use.store.swap(BOT, [Swap(one, None, "rejected") for one in held], 1.0) == [None, None]
    assert use.balanced() == (8, 0, 2, 3, 3)


def test_a_batch_is_added_once_and_a_file_that_went_back_says_so(use: Use, path: Path) -> None:
    store = use.store
    assert store.add(BOT, ME, HOST, 1, [first("k")], 1.0).before == 0
    store.close()
    shutil.copyfile(path, f"{path}.backup")
    for _ in range(2):
        found = store.add(BOT, ME, HOST, 2, [more("k", 5), more("unknown")], 1.0)
    assert (found.before, found.told, use.balanced()[0]) == (2, (0, None), 6)
    store.close()
    os.replace(f"{path}.backup", path)
    path.chmod(0o600)
    assert store.untold(BOT, ME, ["k"]) == (1, ["k"], [])
    assert store.add(BOT, ME, HOST, 3, [more("k", 5)], 1.0).before == 1


# What cannot be read, or written.


@pytest.mark.case("S11")
def test_a_row_that_cannot_be_read_is_set_aside_and_the_others_are_told(use: Use, path: Path) -> None:
    use.open("alert", "document", "good")
    harm(
        path,
        "UPDATE firsts SET entry='{' WHERE key='alert'",
        "UPDATE rows SET document='[1]' WHERE key='document'",
    )
    found = {one.key: one for one in use.claim(2.0)}
    assert set(found) == {"alert", "good"}
    with pytest.raises(ValueError, match=r".*"):  # who sends it gives it up
        assert found["alert"].first.alert
    assert [(held.key, held.why) for held in use.store.held(9) if held.why] == [("document", "unreadable")]


"""They are claimed: a process that sends one gives it up."""


def test_an_alert_that_cannot_be_written_is_claimed_without_it(use: Use) -> None:
    class Broken:
        size = 1

        @property
        def alert(self) -> Alert:
            raise ValueError("a lazy object of the program")

    use.add(Count(key="k", number=2, first=Broken()), first("good"))
    found = {one.key: one for one in use.claim()}
    with pytest.raises(ValueError, match="Expecting"):
        assert found["k"].first.alert
    assert use.balanced() == (3, 0, 3, 0, 0)


def test_an_alert_that_is_too_long_is_refused(use: Use) -> None:
    with pytest.raises(StateError, match="too long"):
        use.open("k", text="x" * 3_000_000)
    assert use.balanced() == (0, 0, 0, 0, 0)


def test_names_that_are_no_unicode_are_taken(use: Use) -> None:
    use.add(first("k", audience="to \ud800"), host="host \udcff")
    assert use.claim(blocked=["to \ud800"]) == []
    assert [one.key for one in use.claim(audience="to \ud800")] == ["k"]


# How large it becomes.


@pytest.mark.slow
@pytest.mark.case("S13")
def test_the_file_gives_space_back_when_it_is_drained(use: Use, path: Path) -> None:
    use.add(*(first(f"k{number}", text="x" * 2000) for number in range(2000)))
    full, now = path.stat().st_size, 2.0
    while use.tell(now, most=500):
        continue
    now += 601
    while over := use.claim(now, most=500):
        assert all(life.is_told(one) and not life.has_closing_line(one) for one in over)
        use.store.swap(BOT, [Swap(one, None) for one in over], now)
    assert use.balanced() == (2000, 2000, 0, 0, 0)
    assert full > 8_000_000
    assert path.stat().st_size < 200_000
    assert Path(f"{path}-journal").stat().st_size == 0


@pytest.mark.case("S13")
def test_what_was_given_up_is_bounded_and_counted(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wecom_logging._state.documents.MAX_DEAD", 100)
    for start in range(0, 500, 50):
        use.open(*(f"k{start + number}" for number in range(50)), number=2)
        use.give_up(most=99)
    assert len(use.store.held(1000)) == 100
    assert use.balanced() == (1000, 0, 0, 200, 800)


@pytest.mark.case("S13")
def test_too_many_incidents_cost_those_that_are_told_then_the_least_severe(
    use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._state.rows.MAX_OPEN", 200)
    use.open("told", level=50)
    use.tell()
    use.open("worst", level=50)
    use.open("least", level=30)
    use.open(*(f"k{number}" for number in range(198)), now=2.0)
    assert {one.key for one in use.store.open(BOT, 999)} == {"worst", *(f"k{number}" for number in range(1, 198))}
    use.open(*(f"more {number}" for number in range(500)), now=3.0)
    assert 195 <= len(use.store.held(1000)) <= 200
    assert use.claim(4.0)[0].key == "worst"
    counted, told, waiting, _, discarded = use.balanced()
    assert (counted, told, waiting + discarded) == (701, 1, 700)


def test_many_processes_are_counted_up_to_a_bound(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wecom_logging._incidents.stored.MAX_PLACES", 20)
    for number in range(30):
        use.add(first("k"), who=f"process {number}", host=f"host {number % 3}")
    (found,) = use.claim()
    assert (found.hosts, found.processes, found.count) == (3, 20, 30)


@pytest.mark.slow
def test_a_hundred_thousand_that_wait_do_not_slow_a_claim(use: Use, path: Path) -> None:
    use.open("k0", now=1.0)
    use.store.close()
    columns = "channel, short_id, due, rank, audience, cause, owner, untold, untold_at, changed_at, last"
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n+1 FROM numbers WHERE n<100000)"
    document = """replace(document, '"k0"', '"k' || n || '"')"""
    harm(
        path,
        f"{numbers} INSERT INTO rows (key, {columns}, document)"
        f" SELECT 'k' || n, {columns}, {document} FROM rows, numbers",
        "INSERT INTO firsts SELECT i.channel, i.key, f.entry FROM rows i, firsts f WHERE i.key!='k0'",
    )
    use.open("fire", level=50, now=2.0)
    began = time.perf_counter()
    assert use.claim(3.0, most=1)[0].key == "fire"
    assert use.claim(3.0, most=1)[0].key == "k0"
    assert use.claim(3.0, most=1, blocked=[""]) == []
    assert time.perf_counter() - began < 5.0


def test_two_incidents_of_one_short_id_have_another(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    use.open("k")
    monkeypatch.setattr("wecom_logging._state.rows.short_ids", lambda _: short_ids("k"))
    use.open("other", "third")
    found = {one.key: one.short_id for one in use.store.open(BOT, 9)}
    assert sorted(len(name) for name in found.values()) == [4, 5, 6]
    assert len({name[:4] for name in found.values()}) == 1


def test_that_this_process_alone_has_the_file_in_use_is_said_to_nobody(tmp_path: Path) -> None:
    """A thread that may wait but briefly, as at the exit, finds another in the middle of a step: that is no trouble."""
    said: list[str] = []
    shared = sqlite_state(str(tmp_path / "alerts.db"), lambda cause, text: said.append(text))
    with closing(shared), shared.call(lambda store: store)._file.transaction():
        found: list[Exception] = []

        def asks() -> None:
            with within(time.monotonic() + 0.05), pytest.raises(StateError, match="in use by another thread") as error:
                shared.call(lambda store: store.channels())
            found.append(error.value)

        asking = threading.Thread(target=asks)
        asking.start()
        asking.join()
    assert len(found) == 1
    assert (said, shared.is_up, shared.is_well) == ([], True, True)
