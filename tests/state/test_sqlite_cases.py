"""The file of ``state="sqlite:///…"``: attacked, broken, full, locked, foreign; with real disks, rights and kills."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3  # it is what these tests are about
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.programs import CREDENTIALS, ROOT, Ended, app_handler, run, word
from tests.secrets import BOT_KEY, CORP_SECRET, assert_no_secret
from tests.storms import record
from wecom_logging._delivery import inbox
from wecom_logging._incidents.incident import Count, Kept
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.entries import dump
from wecom_logging._state.sqlite import SqliteStore
from wecom_logging.model import Alert

from .test_sqlite_store import alert

AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount, give files away and drop rights")
NOBODY = 65534
BEGINS = """
import json, logging, os, sys, threading, time
from wecom_logging._state import shared
shared.BACK_OFF_S = (0.05, 0.1)
from wecom_logging import WeComBotHandler, WeComHandler
handler = WeComBotHandler(rate_limit=None, exit_timeout=10)
logger = logging.getLogger("shop")
logger.addHandler(handler)
took = []

def log(text, level=logging.ERROR):
    began = time.perf_counter()
    logger.log(level, text)
    took.append(time.perf_counter() - began)
"""
ENDS = """
flushed = handler.flush(10)
ends = time.monotonic() + 30
while handler.stats().pending and time.monotonic() < ends:
    time.sleep(0.01)
flushed = flushed or handler.flush(10)
stats = handler.stats()
print(json.dumps([flushed, stats.accepted, stats.delivered, stats.handed_over, stats.pending]))
# What the machine does not let run takes longer; who waits for a lock of the file takes two seconds.
assert os.environ.get("SLOW") or len(took) < 2 or min(took) < 0.05 and max(took) < 1.5, took
"""
NOT_TOLD = "wecom_logging: state: "


def program(sandbox: Sandbox, path: Path | str, body: str, **more: Any) -> Ended:
    """A program with a bot's handler and its state there; ``body`` is between the first lines and the last."""
    return run(BEGINS + body + ENDS, url=sandbox.url, WECOM_STATE=f"sqlite://{path}", **more)


def opens(sandbox: Sandbox, path: Path) -> Ended:
    """A program that logs nothing and tells what others have left."""
    return program(sandbox, path, "")


def messages(sandbox: Sandbox) -> list[str]:
    return [message["content"] for message in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]


def told(sandbox: Sandbox, text: str) -> int:
    return sum(text in message for message in messages(sandbox))


def entry(text: str) -> str:
    return dump(alert(text))


def integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        found: str = db.execute("PRAGMA integrity_check").fetchone()[0]
        return found


def balanced(path: Path) -> tuple[int, int, int, int]:
    """The state's books, once it is seen that they balance: counted, told, waiting, given up."""
    state = SqliteStore(str(path))
    books = state.counters()
    state.close()
    assert books.counted == books.told + books.waiting + books.given_up + books.discarded
    return books.counted, books.told, books.waiting, books.given_up


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB of this test's own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mount is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


# Disks that do not do what they should.


@AS_ROOT
@pytest.mark.case("S01")
def test_a_full_disk_means_memory_and_room_means_the_file_again(sandbox: Sandbox, disk: Path) -> None:
    body = f"""
log("the lamp is off")
handler.flush(10)
filler = open({str(disk / "filler")!r}, "wb", buffering=0)
try:
    while True:
        filler.write(b"x" * 4096)
except OSError:
    log("the door is open " + "and so is the gate " * 1000)
handler.flush(10)
filler.truncate(0)
time.sleep(0.2)
while handler.stats().handed_over < 2:
    log("the roof leaks")
    handler.flush(10)
"""
    ended = program(sandbox, disk / "alerts.db", body)
    assert ended.status == 0, ended.err
    flushed, accepted, delivered, handed_over, pending = json.loads(ended.out)
    assert (flushed, accepted, pending) == (True, delivered + handed_over, 0)
    assert (told(sandbox, "the lamp is off"), told(sandbox, "the door is open")) == (1, 1)
    assert [line.startswith(NOT_TOLD) for line in ended.err.splitlines()] == [True, True]
    assert "can be used again" in ended.err.splitlines()[1]
    assert integrity(disk / "alerts.db") == "ok"
    balanced(disk / "alerts.db")


@AS_ROOT
@pytest.mark.case("S05")
def test_remounted_read_only_and_writable_again(sandbox: Sandbox, disk: Path) -> None:
    body = f"""
log("the lamp is off")
handler.flush(10)
os.system("mount -o remount,ro {disk}")
log("the door is open")
handler.flush(10)
os.system("mount -o remount,rw {disk}")
time.sleep(0.2)
log("the roof leaks")
"""
    ended = program(sandbox, disk / "alerts.db", body)
    assert (ended.status, json.loads(ended.out)[0]) == (0, True), ended.err
    assert [told(sandbox, text) for text in ("the lamp", "the door", "the roof")] == [1, 1, 1]
    assert len(ended.err.splitlines()) == 2


@pytest.mark.slow
@pytest.mark.case("S02", "S03")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(("call", "error"), [("fdatasync", "EIO"), ("pwrite64", "ENOSPC")])
@pytest.mark.parametrize("first", [1, 4, 12])
def test_calls_of_the_disk_that_fail_from_the_nth_on(
    sandbox: Sandbox, path: Path, call: str, error: str, first: int
) -> None:
    code = BEGINS + 'log("the lamp is off")\nhandler.flush(10)\nlog("the door is open")\n' + ENDS
    code = code.replace("flush(10)", "flush(2)").replace("exit_timeout=10", "exit_timeout=1")
    inject = [*("strace", "-f", "-qq", "--seccomp-bpf", "-o", os.devnull), "-e", f"trace={call}"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    done = subprocess.run(
        [*inject, "-e", f"inject={call}:error={error}:when={first}+", os.path.realpath(sys.executable), "-c", code],
        env={
            **clean,
            **CREDENTIALS,
            "WECOM_API_BASE": sandbox.url,
            "WECOM_STATE": f"sqlite://{path}",
            "SLOW": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        },
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    flushed, accepted, delivered, handed_over, pending = json.loads(done.stdout)
    assert (accepted, pending) == (delivered + handed_over, 0)
    lines = done.stderr.splitlines()
    assert [line.startswith(NOT_TOLD) for line in lines] == [True] + [False] * (len(lines) - 1)
    # What was handed over in the moment before is told by whoever can use the disk again.
    assert flushed or "wait in the state" in lines[-1]
    assert opens(sandbox, path).status == 0
    for text in ("the lamp is off", "the door is open"):
        numbers = [re.search(r"#[0-9a-z]{4,}", message) for message in messages(sandbox) if text in message]
        assert 1 <= len(numbers) <= 2
        assert len({found and found[0] for found in numbers}) == 1
    balanced(path)


def no_parent(tmp_path: Path) -> str:
    return str(tmp_path / "missing" / "alerts.db")


def a_directory(tmp_path: Path) -> str:
    (tmp_path / "alerts.db").mkdir()
    return str(tmp_path / "alerts.db")


def too_long(tmp_path: Path) -> str:
    return str(tmp_path / ("x" * 300))


def removed(tmp_path: Path) -> str:
    (tmp_path / "gone").mkdir()
    return str(tmp_path / "gone" / "alerts.db")


@pytest.mark.case("S06")
@pytest.mark.parametrize("made", [no_parent, a_directory, too_long])
def test_a_path_that_can_never_be_a_file(sandbox: Sandbox, tmp_path: Path, made: Callable[[Path], str]) -> None:
    ended = program(sandbox, made(tmp_path), 'log("the lamp is off")\nlog("the door is open")\n')
    assert (ended.status, json.loads(ended.out)) == (0, [True, 2, 2, 0, 0]), ended.err
    assert (told(sandbox, "the lamp is off"), told(sandbox, "the door is open")) == (1, 1)
    assert [line.startswith(NOT_TOLD) for line in ended.err.splitlines()] == [True]


@pytest.mark.case("S06")
def test_a_limit_on_the_size_of_files(sandbox: Sandbox, path: Path) -> None:
    body = """
import resource, signal
log("the lamp is off")
handler.flush(10)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
log("the door is open")
"""
    ended = program(sandbox, path, body)
    assert (ended.status, json.loads(ended.out)[0]) == (0, True), ended.err
    assert (told(sandbox, "the lamp is off"), told(sandbox, "the door is open")) == (1, 1)
    assert [line.startswith(NOT_TOLD) for line in ended.err.splitlines()] == [True]


@AS_ROOT
@pytest.mark.case("S04", "P29")
@pytest.mark.parametrize("when", ["before", "after"])
def test_without_the_right_to_write(sandbox: Sandbox, tmp_path: Path, when: str) -> None:
    closed = [folder for folder in (ROOT, *ROOT.parents) if not folder.stat().st_mode & 0o001]
    if when == "before" and closed:
        pytest.skip(f"who has no rights of root's cannot read the package: {closed[0]} is closed to others")
    place = tmp_path / "private"
    place.mkdir(mode=0o700)
    loads = "import encodings.utf_8_sig\nhandler._pipeline.prepare()\nimport requests\n"  # the library is root's alone
    loads += "requests.get(os.environ['WECOM_API_BASE'])\n"
    drops = f"{loads}os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    first = 'log("the lamp is off")\nhandler.flush(10)\n'
    body = (drops + first if when == "before" else first + drops) + 'log("the door is open")\n'
    ended = program(sandbox, place / "alerts.db", body)
    assert (ended.status, json.loads(ended.out)[0]) == (0, True), ended.err
    assert (told(sandbox, "the lamp is off"), told(sandbox, "the door is open")) == (1, 1)
    assert [line.startswith(NOT_TOLD) for line in ended.err.splitlines()] == [True], ended.err


@pytest.mark.case("P29")
def test_a_directory_that_is_removed_under_it(sandbox: Sandbox, tmp_path: Path) -> None:
    place = removed(tmp_path)
    body = f"""
import re
import shutil
os.chdir({os.path.dirname(place)!r})
log("the lamp is off")
handler.flush(10)
shutil.rmtree(os.getcwd())
log("the door is open")
"""
    ended = program(sandbox, place, body)
    assert (ended.status, json.loads(ended.out)[0]) == (0, True), ended.err
    assert (told(sandbox, "the lamp is off"), told(sandbox, "the door is open")) == (1, 1)
    assert [line.startswith(NOT_TOLD) for line in ended.err.splitlines()] == [True]


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["truncated", "removed", "replaced", "overwritten", "a hole in the middle"])
def test_a_file_that_is_harmed_while_it_is_used(sandbox: Sandbox, path: Path, harm: str) -> None:
    body = f"""
for name in ("the lamp", "the cat", "the fork"):
    log(name + " is off")
handler.flush(10)
path, harm = {str(path)!r}, {harm!r}
size = os.path.getsize(path)
if harm == "truncated":
    os.truncate(path, 5000)
elif harm == "removed":
    os.remove(path)
elif harm == "replaced":
    open(path + ".new", "wb").write(b"not a database" * 1000)
    os.chmod(path + ".new", 0o600)
    os.replace(path + ".new", path)
else:
    with open(path, "r+b") as file:
        file.seek(0 if harm == "overwritten" else 4096)
        file.write(os.urandom(size))
log("the door is open")
handler.flush(10)
time.sleep(0.2)
log("the roof leaks")
"""
    ended = program(sandbox, path, body)
    assert (ended.status, json.loads(ended.out)[0]) == (0, True), ended.err
    assert (told(sandbox, "the door is open"), told(sandbox, "the roof leaks")) == (1, 1)
    again = opens(sandbox, path)  # SQLite may have known a page that was harmed
    lines = ended.err.splitlines()
    assert all(line.startswith(NOT_TOLD) for line in lines)
    assert len(lines) <= 2
    if harm not in ("removed", "replaced"):
        assert "is damaged" in ended.err + again.err
        assert [one.name for one in path.parent.iterdir() if ".broken-" in one.name]
    if harm == "replaced":
        assert path.read_bytes() == b"not a database" * 1000


# What somebody else has put there.


@pytest.mark.case("S08")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_every_file_is_its_owners_alone(sandbox: Sandbox, path: Path, umask: int) -> None:
    body = f"""
os.umask({umask})
log("the lamp is off")
handler.flush(10)
log("the door is open")
os.kill(os.getpid(), 9)
"""
    assert program(sandbox, path, body).status == -9
    modes = {one.name.split(".")[-1]: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert modes == dict.fromkeys(["db", "db-journal", "lock", "log"], 0o600)


# Others that use it.


@pytest.mark.slow
@pytest.mark.case("S09")
def test_a_lock_that_stays_holds_up_no_log_call_and_nothing_is_told_twice(sandbox: Sandbox, path: Path) -> None:
    balanced(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ended = program(sandbox, path, "".join(f'log("the {name} is off")\n' for name in ("lamp", "oven", "fan")))
        assert (ended.status, json.loads(ended.out)) == (0, [True, 3, 3, 0, 0]), ended.err
        other.execute("ROLLBACK")
    assert [line.startswith(NOT_TOLD) for line in ended.err.splitlines()] == [True]
    assert opens(sandbox, path).status == 0
    assert [told(sandbox, f"the {name} is off") for name in ("lamp", "oven", "fan")] == [1, 1, 1]
    assert balanced(path) == (0, 0, 0, 0)


def test_an_app_and_a_bot_share_one_file(sandbox: Sandbox, path: Path) -> None:
    body = """
both = WeComHandler(rate_limit=None, exit_timeout=10)
logger.addHandler(both)
log("the lamp is off")
assert both.flush(10)
"""
    ended = program(sandbox, path, body)
    assert (ended.status, ended.err) == (0, "")
    assert told(sandbox, "the lamp is off") == 2
    assert balanced(path) == (2, 2, 0, 0)


# What waits in it.


def fill(path: Path, number: int, *, channel: str, age_s: float = 0.0) -> None:
    """So many incidents of one alert each, as others may have left them."""
    state = SqliteStore(str(path))
    now = time.monotonic() - age_s
    one = Count(key="k1", last=time.time() - age_s, level=40, first=Kept(alert("it waits")))
    state.add(channel, "gone", "host", 1, [one], now)
    state.close()
    with closing(sqlite3.connect(path)) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(rows)")]
        document = """replace(document, '"k1"', '"k' || n || '"')"""
        chosen = ",".join({"key": "'k' || n", "document": document}.get(name, name) for name in columns)
        db.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n+1 FROM numbers WHERE n<?)"
            f" INSERT INTO rows SELECT {chosen} FROM rows, numbers WHERE key='k1'",
            (number,),
        )
        db.execute("INSERT INTO firsts SELECT i.channel, i.key, f.entry FROM rows i, firsts f WHERE i.key!='k1'")
        db.execute("UPDATE notes SET number=? WHERE kind='book' AND name='counted'", (number,))
        db.commit()


def bots_channel(sandbox: Sandbox, path: Path) -> str:
    """What the bot's channel is called in the file."""
    assert program(sandbox, path, 'log("find me")\n').status == 0
    with closing(sqlite3.connect(path)) as db:
        channel: str = db.execute("SELECT channel FROM rows").fetchone()[0]
    path.unlink()
    requests.delete(f"{sandbox.url}/sandbox/messages", timeout=10)
    return channel


GIVEN_UP = """
def given_up():
    return not AGE or handler._pipeline.options.shared.call(lambda store: store.counters()).given_up >= 1000
"""


@pytest.mark.slow
@pytest.mark.case("S10")
@pytest.mark.parametrize("age_s", [0.0, 90_000.0])
def test_with_100_000_that_wait_a_fresh_critical_is_seen_soon(sandbox: Sandbox, path: Path, age_s: float) -> None:
    fill(path, 100_000, age_s=age_s, channel=bots_channel(sandbox, path))
    code = """
    import logging, os, time
    from wecom_logging import WeComBotHandler
    began = time.process_time()
    handler = WeComBotHandler()
    cost = time.process_time() - began
    logging.getLogger("shop").addHandler(handler)
    logging.getLogger("shop").critical("the house is on fire")
    import requests
    told, ends = os.environ["WECOM_API_BASE"] + "/sandbox/messages", time.monotonic() + 40
    while time.monotonic() < ends and "on fire" not in requests.get(told).text:
        time.sleep(0.2)
    while time.monotonic() < ends and not given_up():
        time.sleep(0.2)
    print(cost, flush=True)
    os._exit(0)
    """
    ended = run(f"AGE = {age_s}\n{GIVEN_UP}{textwrap.dedent(code)}", url=sandbox.url, WECOM_STATE=f"sqlite://{path}")
    assert ended.status == 0
    assert ("could not be sent within 24 hours" in ended.err) is bool(age_s)
    assert float(ended.out) < 2.5  # of CPU, to build the handler: without a look at all that waits
    found = requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()
    (place,) = (number for number, message in enumerate(found) if "the house is on fire" in message["content"])
    assert place <= 5  # what could be told before it came; all the others come later
    counted, _, _, given_up = balanced(path)
    assert counted == 100_001
    assert given_up >= bool(age_s) * 1000  # which are too old to be told


@pytest.mark.slow
@pytest.mark.case("S10")
def test_more_that_waits_than_fits_into_memory_is_told_all_the_same(sandbox: Sandbox, path: Path) -> None:
    fill(path, 60, channel=bots_channel(sandbox, path))
    body = """
handler = WeComBotHandler(exit_timeout=10, max_pending=5)
logger.addHandler(handler)
log("the lamp is off")
from wecom_logging._state.sqlite import SqliteStore
state = SqliteStore(os.environ["WECOM_STATE"].removeprefix("sqlite://"))
ends = time.monotonic() + 60
while state.counters().waiting and time.monotonic() < ends:
    handler.flush(1)
"""
    body = body.replace("logger.add", "logger.handlers.clear()\nlogger.add")
    ended = program(sandbox, path, body)
    assert (ended.status, ended.err) == (0, "")
    assert balanced(path) == (61, 61, 0, 0)


@pytest.mark.slow
@pytest.mark.case("S11")
def test_lines_that_are_broken_are_set_aside_and_the_others_told(sandbox: Sandbox, path: Path) -> None:
    channel = bots_channel(sandbox, path)
    (path.parent / "alerts.db.own-1-cafe.lock").touch(mode=0o600)
    log = path.parent / "alerts.db.own-1-cafe.000001.log"
    good = [[2, number, channel, f"k{number}", 40, 60.0, "host", entry(f"good {word(number)}")] for number in range(3)]
    bad: list[Any] = [[2, 7, channel, "k", 40, 60.0, "host"]]
    lines = [b"\xff\xfe", b"x" * 1000]
    lines[2:2] = [json.dumps(one).encode() for one in [*bad, *good]]
    lines.append(json.dumps([2, 20, channel, "unreadable", 40, 60.0, "host", '{"v": 1}']).encode())
    lines.append(json.dumps(good[0]).encode()[:-9])  # torn by a crash
    log.write_bytes(b"\n".join(lines))
    log.chmod(0o600)
    ended = opens(sandbox, path)
    assert ended.status == 0
    texts = "\n".join(messages(sandbox))
    assert [f"good {word(number)}" in texts for number in range(3)] == [True] * 3
    assert f"cannot be read; see {log}.broken" in ended.err
    left = set(os.listdir(path.parent)) - {"alerts.db-journal"}  # SQLite's own: empty, or taken away by who closes last
    assert left == {path.name, f"{log.name}.broken"}
    assert balanced(path) == (4, 3, 0, 1)


# How large it becomes.


@pytest.mark.slow
@pytest.mark.case("S15")
def test_no_secret_is_in_any_file(sandbox: Sandbox, path: Path) -> None:
    body = f"""
import traceback
log("password={CORP_SECRET}")
log("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={BOT_KEY}")
try:
    raise ValueError("Authorization: Bearer {CORP_SECRET}")
except ValueError:
    fields = {{"secret": "{CORP_SECRET}"}}
    logger.exception("it failed with %s", {{"token": "{CORP_SECRET}"}}, extra={{"wecom": {{"fields": fields}}}})
{{flush}}
os.kill(os.getpid(), 9)
"""
    for flush in ("", "handler.flush(1)"):
        ended = program(sandbox, path, body.replace("{flush}", flush), WECOM_WEBHOOK=BOT_KEY)
        assert ended.status == -9, ended.err
        found = "\n".join(one.read_bytes().decode("latin-1") for one in path.parent.iterdir())
        assert "it failed with" in found
        assert_no_secret(found, CORP_SECRET, BOT_KEY)


@pytest.mark.case("P17")
def test_os_exit_straight_after_the_record_loses_nothing(sandbox: Sandbox, path: Path) -> None:
    ended = program(sandbox, path, 'log("the lamp is off")\nos._exit(5)\n')
    assert (ended.status, ended.err, messages(sandbox)) == (5, "", [])
    assert opens(sandbox, path).status == 0
    assert told(sandbox, "the lamp is off") == 1


def test_signal_handlers_that_log_in_the_middle_of_a_log_call_leave_the_numbers_exact(
    sandbox: Sandbox, path: Path
) -> None:
    body = """
import signal
made = 0

def interrupt(number, frame):
    global made
    text = "from the handler " + "abcdefgh"[made % 8] * 3
    handler.handle(logger.makeRecord(logger.name, 40, "shop.py", 1, text, (), None))  # 3.13.5: a logger drops it
    made += 1
    signal.setitimer(signal.ITIMER_REAL, 0.0005)  # only now: a busy machine would nest them until the stack is used up

signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.0005)
for number in range(600):
    logger.error("from the program " + "".join("abcdefghij"[int(digit)] for digit in str(number)))
signal.setitimer(signal.ITIMER_REAL, 0)
assert handler.stats().accepted == 600 + made > 610
"""
    ended = program(sandbox, path, body)
    assert ended.status == 0, ended.err
    _, accepted, delivered, handed_over, pending = json.loads(ended.out)
    assert (accepted, delivered, pending) == (handed_over, 0, 0)
    counted, told, waiting, given_up = balanced(path)
    assert (counted, given_up) == (accepted, 0)
    assert told + waiting == accepted


def test_signal_handlers_that_interrupt_each_other_amid_masking_lose_nothing(
    sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = app_handler(sandbox.url, state=f"sqlite://{path}")
    masked, made = inbox.masked, 1

    def interrupted(alert: Alert, mask: Callable[[str], str]) -> Alert:
        if made < 5:
            signal.raise_signal(signal.SIGUSR1)
        return masked(alert, mask)

    def interrupt(*_: object) -> None:
        nonlocal made
        made += 1
        handler.handle(record(f"interrupt {word(made)}"))

    monkeypatch.setattr(inbox, "masked", interrupted)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        handler.handle(record("the lamp is off"))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert handler.flush(20)
    stats = handler.stats()
    assert (stats.accepted, stats.handed_over, stats.dropped, stats.pending) == (5, 5, {}, 0)
    handler.close()


@pytest.mark.slow
def test_what_comes_between_two_steps_of_the_worker_is_handed_over_too(sandbox: Sandbox, path: Path) -> None:
    body = """
for name in "abcdefghijklmno":
    log("the door is open to " + name * 9)
    handler.flush(10)
"""
    ended = program(sandbox, path, body)
    assert (ended.status, json.loads(ended.out), ended.err) == (0, [True, 15, 0, 15, 0], "")
    assert balanced(path) == (15, 15, 0, 0)


@pytest.mark.slow
@pytest.mark.case("S13")
def test_what_was_written_ahead_and_sent_leaves_the_disk(sandbox: Sandbox, path: Path) -> None:
    body = """
from pathlib import Path
from tests.programs import word
from wecom_logging._state import write_ahead
write_ahead._GRACE_S = 0.0
folder, sizes = Path(os.environ["WECOM_STATE"].removeprefix("sqlite://")).parent, []
for number in range(18):  # a bot takes 20 in a minute
    logger.error(f"the report of {word(number)}\\n" + "a line of a long report\\n" * 2000)
    assert handler.flush(10)
    sizes.append(sum(one.stat().st_size for one in folder.glob("*.log")))
assert max(sizes) < 2 * write_ahead._ROTATE_BYTES, sizes
"""
    ended = program(sandbox, path, body, SLOW="1")
    assert (ended.status, ended.out, ended.err) == (0, "[true, 18, 0, 18, 0]\n", "")
