"""``wecom-logging pending``: real files, and alerts that real processes have left."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import _cli as cli
from wecom_logging._cli.pending import _why
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import shared
from wecom_logging._state.base import DeadLetter
from wecom_logging._state.sqlite_file import APPLICATION_ID, SCHEMA_VERSION
from wecom_logging._state.takeover import taken_over

from ..programs import CREDENTIALS, ROOT, run, word
from ..secrets import assert_no_secret
from ..valkey_server import Server
from .conftest import Said
from .test_members import Terminal

PASSWORD = "canary-state-password-77"
BOT = {"WECOM_WEBHOOK": CREDENTIALS["WECOM_WEBHOOK"]}
LOGS = """
import logging, os, sys
from wecom_logging import WeComBotHandler
logging.getLogger("shop").addHandler(WeComBotHandler(exit_timeout={timeout}, service={service!r}))
for text in {texts}:
    logging.getLogger("shop").error(text)
{after}
"""


@pytest.fixture
def pending(over_a_file: Callable[..., Said]) -> Callable[..., Said]:
    return partial(over_a_file, "pending")


def alone(
    *arguments: str, command: str = "pending", json: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    return subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli", *["--json"] * json, command, *arguments],
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


def leave(
    path: Path, *texts: str, url: str = "http://127.0.0.1:9", after: str = "", timeout: float = 0.0, service: str = ""
) -> None:
    """A process that logs and cannot send."""
    code = LOGS.format(texts=list(texts), timeout=timeout, after=after, service=service or None)
    ended = run(code, url=url, WECOM_STATE=f"sqlite://{path}", WECOM_RATE_LIMIT="off")
    assert ended.status == (-9 if after else 0), ended.err
    if not after:
        state = shared.sqlite_state(str(path), lambda cause, text: None)
        assert all(count.key for _, count in taken_over(state, time.monotonic(), lambda cause, text: None))
        shared.close_all()


def refused(sandbox: Sandbox, path: Path, *texts: str) -> None:
    """A process whose alerts WeCom refuses for good."""
    for _ in texts:
        sandbox.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 40058})
    leave(path, *texts, url=sandbox.url, timeout=10.0)


def change(path: Path, statement: str, *values: object) -> None:
    """Write into the file as anybody could."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement, values)


def alerts(said: Said) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said.out)["alerts"]
    return found


# What is shown.


def test_what_waits_and_what_was_given_up_is_listed(
    pending: Callable[..., Said], path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(sandbox, path, "refused for good")
    leave(path, "the disk of atlas is full\nsecond line \x1b[31m", "\x1b]0;owned\x07 red")
    said = pending()
    assert said.status == 0
    assert "\x1b" not in said.out
    header, *rows, books = said.out.splitlines()
    assert header.split() == ["id", "last", "level", "logger", "count", "what", "text"]
    assert books == "counted 3 = told 0 + waiting 2 + given up 1 + discarded 0"
    (waits,) = [row for row in rows if "the disk of atlas is full" in row]
    assert "ERROR" in waits
    assert "shop" in waits
    assert "second line" not in waits
    (gone,) = [row for row in rows if "refused for good" in row]
    assert "given up: rejected" in gone
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert re.search(r" 错误 +shop .* 已放弃：被拒收 ", pending().out)


@pytest.mark.slow
def test_what_records_of_ours_say_is_listed_in_the_language_of_the_reader(
    pending: Callable[..., Said], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import logging\nfrom wecom_logging import WeComBotHandler, notify_on_exception\n"
        "logging.getLogger().addHandler(WeComBotHandler(exit_timeout=0))\n"
        "@notify_on_exception\n"
        "def pay(): raise ValueError('no room')\n"
        "try: pay()\n"
        "except ValueError: pass\n"
    )
    assert run(code, url="http://127.0.0.1:9", WECOM_STATE=f"sqlite://{path}").status == 0
    assert "pay raised ValueError: no room" in pending().out
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert "pay 抛出 ValueError: no room" in pending().out
    assert alerts(pending(json=True))[0]["text"] == "pay raised ValueError: no room"


@pytest.mark.slow
def test_json_has_every_field_and_the_books(pending: Callable[..., Said], path: Path) -> None:
    leave(path, "the disk of atlas is full")
    said = pending(json=True)
    (one,) = alerts(said)
    assert {name: one[name] for name in ("state", "reason", "level", "logger", "count", "text")} == {
        "state": "waiting",
        "reason": "",
        "level": "ERROR",
        "logger": "shop",
        "count": 1,
        "text": "the disk of atlas is full",
    }
    assert len(one["key"]) == 32
    assert one["channel"].startswith("bot http://127.0.0.1:9 ")
    assert CREDENTIALS["WECOM_WEBHOOK"] not in said.out
    assert json.loads(said.out)["counters"] == {"counted": 1, "told": 0, "waiting": 1, "given_up": 0, "discarded": 0}


@pytest.mark.slow
def test_the_newest_are_shown_up_to_the_limit(pending: Callable[..., Said], path: Path) -> None:
    leave(path, *(f"{word(number)} is full" for number in range(25)))
    assert len(alerts(pending(json=True))) == 20
    said = pending("--limit", "3")
    assert said.out.splitlines()[-2] == "… these are the newest 3; --limit shows up to 500"
    assert len(alerts(pending("--limit", "25", json=True))) == 25
    for wrong in ("0", "-1", "501", "many"):
        with pytest.raises(SystemExit) as ended:
            pending("--limit", wrong)
        assert ended.value.code == 2


def test_what_a_killed_process_left_is_taken_over_and_waits(pending: Callable[..., Said], path: Path) -> None:
    leave(path, "the disk of atlas is full", after="os.kill(os.getpid(), 9)")
    said = pending(json=True)
    assert said.err == "wecom-logging: a process died before it sent 1 alert, which the state has now\n"
    assert [one["state"] for one in alerts(said)] == ["waiting"]
    assert pending(json=True).err == ""


def test_nothing_is_made_where_no_process_has_a_state_yet(pending: Callable[..., Said], path: Path) -> None:
    said = pending()
    assert (said.status, said.err) == (0, f"wecom-logging: no process has used {path} yet\n")
    assert said.out.startswith("nothing waits, and nothing was given up\n")
    assert pending("send", "--all").status == pending("discard", "--all").status == 0
    assert list(path.parent.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry",
    ["", '{"v": 2, "alert": {}}'],
)
def test_what_cannot_be_read_is_shown_as_such_and_can_be_discarded(
    pending: Callable[..., Said], path: Path, entry: str
) -> None:
    leave(path, "the disk of atlas is full")
    change(path, "UPDATE firsts SET entry=?", entry)
    (one,) = alerts(pending(json=True))
    assert (one["text"], one["logger"], one["level"]) == ("(cannot be read)", "?", "ERROR")
    assert pending("discard", one["key"], "--yes").out == "discarded: 1 alert of 1 incident\n"


def test_files_that_are_set_aside_are_named(pending: Callable[..., Said], path: Path) -> None:
    """What a newer version has left stays as it is, for that."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"junk" * 200)
    path.chmod(0o600)
    lines = {"1-cafe": b"junk\n", "2-caf\udcff\x1b[2J": b"junk\n", "3-cafe": b'\n[3, 0, "another form"]\n'}
    files = [os.fsencode(path) + b".own-" + os.fsencode(who) + b".000001.log" for who in lines]
    for file, line in zip(files, lines.values(), strict=True):
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as made:
            made.write(line)
    Path(f"{path}2.broken-1").touch()  # another state's
    first_said = alone(WECOM_STATE=f"sqlite://{path}")
    assert (first_said.returncode, first_said.stderr.count("\n")) == (1, 3)
    assert "is damaged" in first_said.stderr
    said = pending()
    *rest, broken, first, second, newer, _ = said.out.splitlines()
    assert (said.status, said.err, rest) == (0, "", ["nothing waits, and nothing was given up"])
    assert broken.startswith(f"set aside, not read: {path}.broken-1")
    assert first == f"set aside, not read: {path}.own-1-cafe.000001.log.broken"
    assert "\x1b" not in second
    assert newer == f"set aside, not read: {path}.own-3-cafe.000001.log"
    assert Path(os.fsdecode(files[2])).read_bytes() == lines["3-cafe"]
    assert len(json.loads(pending(json=True).out)["set_aside"]) == 4
    Path(f"{path}.own-3-cafe.000001.log").unlink()
    path.unlink()
    assert "set aside" in pending().out


# Send again.


@pytest.mark.slow
def test_what_was_given_up_waits_again_and_any_process_sends_it(
    pending: Callable[..., Said], path: Path, sandbox: Sandbox
) -> None:
    refused(sandbox, path, "one is refused", "another one")
    before = alerts(pending(json=True))
    assert [one["state"] for one in before] == ["given_up", "given_up"]
    said = pending("send", before[0]["key"][:8])
    assert (said.status, said.out) == (0, "wait again: 1 incident\n")
    assert "opens it next" in said.err
    assert sorted(one["state"] for one in alerts(pending(json=True))) == ["given_up", "waiting"]
    opens = "from wecom_logging import WeComBotHandler; WeComBotHandler(exit_timeout=20)"
    assert run(opens, url=sandbox.url, WECOM_STATE=f"sqlite://{path}").err == ""
    (message,) = sandbox.messages()
    assert before[0]["text"] in message["content"]
    assert [one["state"] for one in alerts(pending(json=True))] == ["given_up"]


@pytest.mark.slow
def test_now_sends_from_here_what_was_given_up_and_what_waits(path: Path, sandbox: Sandbox) -> None:
    refused(sandbox, path, "refused for good")
    leave(path, "the disk of atlas is full", url=sandbox.url, after="os.kill(os.getpid(), 9)")
    environment = {"WECOM_STATE": f"sqlite://{path}", "WECOM_API_BASE": sandbox.url, **BOT}
    done = alone("send", "--all", "--now", **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "wait again: 1 incident\n2 alerts sent from here, 0 given up again, 0 still waiting\n"
    texts = " ".join(message["content"] for message in sandbox.messages())
    assert "refused for good" in texts
    assert "the disk of atlas is full" in texts
    assert sorted(one.name for one in path.parent.iterdir() if "own" in one.name) == []


@pytest.mark.slow
def test_what_is_refused_once_more_is_given_up_again(path: Path, sandbox: Sandbox) -> None:
    refused(sandbox, path, "refused for good")
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 40058})
    url = f"sqlite://{path}"
    done = alone("send", "--all", "--now", WECOM_STATE=url, WECOM_API_BASE=sandbox.url, **BOT)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        1,
        "0 alerts sent from here, 1 given up again, 0 still waiting",
    )
    assert "40058" in done.stderr
    unconfigured = alone("send", "--all", "--now", WECOM_STATE=url)
    assert unconfigured.returncode == 3
    assert "WECOM_WEBHOOK" in unconfigured.stderr


@pytest.mark.slow
def test_what_still_waits_has_its_reason(path: Path, sandbox: Sandbox) -> None:
    leave(path, "the disk of atlas is full", url=sandbox.url, after="os.kill(os.getpid(), 9)")
    environment = {"WECOM_STATE": f"sqlite://{path}", "WECOM_API_BASE": sandbox.url, **BOT}
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "status": 503, "times": 100})
    away = alone("send", "--all", "--now", **environment)
    assert away.stdout.endswith("0 alerts sent from here, 0 given up again, 1 still waiting\n")
    assert re.search(r"^wecom-logging: #\w{4}: it could not be sent now: HTTP status 503", away.stderr, re.MULTILINE)
    other = {"WECOM_WEBHOOK": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=another-bot"}
    elsewhere = alone("send", "--all", "--now", **{**environment, **other})
    assert elsewhere.returncode == 1
    assert ": it is for another app or bot than the WECOM_… variables configure" in elsewhere.stderr


def test_what_another_process_sends_or_is_not_due_says_so() -> None:
    one = DeadLetter("key", "k7f2", "bot here", 40, 3, 0.0, "")
    assert "not due yet" in _why(one, {"bot here"}, {})
    assert _why(replace(one, claimed=True), {"bot here"}, {}) == "another process is sending it"
    assert _why(replace(one, claimed=True), {"bot here"}, {"k7f2": "HTTP status 503"}).endswith("HTTP status 503")


# Discard.


@pytest.mark.slow
def test_discard_asks_or_wants_yes(
    pending: Callable[..., Said], path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(sandbox, path, "refused for good")
    leave(path, "the disk of atlas is full")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    nobody = pending("discard", "--all")
    assert nobody.status == 2
    assert "--yes" in nobody.err
    for answer in ("n\n", "", "yess\n"):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        said = pending("discard", "--all")
        assert said.status == 2
        assert "Discard: 1 alert waiting, 1 given up?" in said.out
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert pending("discard", "--all").out.endswith("discarded: 2 alerts of 2 incidents\n")
    assert pending().out.splitlines() == [
        "nothing waits, and nothing was given up",
        "counted 2 = told 0 + waiting 0 + given up 0 + discarded 2",
    ]


# Keys.


@pytest.mark.slow
def test_an_id_that_is_short_ambiguous_or_unknown_does_nothing(pending: Callable[..., Said], path: Path) -> None:
    leave(path, "the disk of atlas is full", "the roof is on fire", "the well is dry")
    for text, key, short_id in (
        ("atlas", "abcdefgh11", "k7f2"),
        ("roof", "abcdefgh22", "m1ne"),
        ("well", "k7f2000000", "m1ne"),
    ):
        one = "key=(SELECT key FROM firsts WHERE entry LIKE ?)"
        named = "key=?1, short_id=?2, document=json_set(document, '$.key', ?1, '$.short_id', ?2)"
        change(path, f"UPDATE rows SET {named} WHERE {one.replace('?', '?3')}", key, short_id, f"%{text}%")
        change(path, f"UPDATE firsts SET key=? WHERE {one}", key, f"%{text}%")
    shown = [line.split()[0] for line in pending().out.splitlines()[1:4]]
    assert sorted(shown) == ["#k7f2", "#m1ne", "#m1ne"]
    for keys, status, words in (
        (["abc"], 2, "at least 4"),
        (["#k7f"], 2, "at least 4"),
        ([""], 2, "at least 4"),
        (["abcdefgh"], 2, "fits 2 keys: abcdefgh11, abcdefgh22"),
        (["#m1ne"], 2, "fits 2 keys: abcdefgh22, k7f2000000"),
        (["nothing-like-it"], 1, "there is no nothing-like-it"),
        (["k7f2", "nothing-like-it"], 1, "nothing is done"),
        ([], 2, "--all"),
        (["k7f2", "--all"], 2, "--all"),
    ):
        for verb in (["send"], ["discard", "--yes"]):
            said = pending(*verb, *keys)
            assert (said.status, words in said.err) == (status, True), said
    assert len(alerts(pending(json=True))) == 3
    assert pending("discard", "#K7F2", "--yes").status == 0  # no key that begins with it
    assert pending("discard", "abcdefgh2", "--yes").status == 0
    assert [one["key"] for one in alerts(pending(json=True))] == ["k7f2000000"]
    assert pending("discard", "mlne", "--yes").status == 0  # as somebody may read it
    assert alerts(pending(json=True)) == []


@pytest.mark.slow
def test_a_message_shows_the_id_that_pending_takes(pending: Callable[..., Said], path: Path, sandbox: Sandbox) -> None:
    leave(path, "the disk of atlas is full", url=sandbox.url, after="os.kill(os.getpid(), 9)")
    (one,) = alerts(pending(json=True))
    environment = {"WECOM_STATE": f"sqlite://{path}", "WECOM_API_BASE": sandbox.url, **BOT}
    done = alone("send", one["id"], "--now", **environment)
    assert done.returncode == 0, done.stderr
    run(
        LOGS.format(texts=["the disk of atlas is full"], timeout=20, after="", service=None), url=sandbox.url
    )  # without the state
    assert [message["content"].count(f" #{one['id']}<") for message in sandbox.messages()] == [1, 1]


# What is wrong.


@pytest.mark.parametrize("verb", [(), ("send", "--all"), ("discard", "--all", "--yes")])
def test_a_state_that_others_cannot_see_is_a_matter_of_configuration(
    pending: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]
) -> None:
    monkeypatch.delenv("WECOM_STATE")
    said = pending(*verb)
    assert said.status == 3
    assert "memory:// is in the memory of each process" in said.err
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert "无法从外面查看" in pending(*verb).err
    monkeypatch.delenv("WECOM_LANGUAGE")
    monkeypatch.setenv("WECOM_STATE", f"nowhere://:{PASSWORD}@host/0")
    said = pending(*verb)
    assert said.status == 3
    assert_no_secret(said.out + said.err, PASSWORD)


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@host/0",
        f"rediss://user:{PASSWORD}/x@host",
        f"unix:///run/redis.sock?password={PASSWORD}",
        f"valkey://{PASSWORD}@host",
        f"nowhere:{PASSWORD}@",
    ],
)
def test_a_password_never_comes_from_an_argument(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert cli.main(["--state", url, "pending"]) == 2
    said = capsys.readouterr()
    assert "WECOM_STATE" in said.err
    assert_no_secret(said.out + said.err, PASSWORD)


@pytest.mark.parametrize("kind", ["directory", "text", "open to all", "another program's", "no directory"])
def test_a_state_that_cannot_be_used_is_said_with_its_cause(
    pending: Callable[..., Said], path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "no directory":
        monkeypatch.setenv("WECOM_STATE", "sqlite:///no/such/directory/alerts.db")
    elif kind == "another program's":
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE things (name TEXT)")
        path.chmod(0o600)
    else:
        path.write_text("not a database" if kind == "text" else "")
        path.chmod(0o600)
    if kind == "open to all":
        leave(path, "the disk of atlas is full")
        path.chmod(0o644)
    before = path.read_bytes() if path.is_file() else b""
    for arguments in ((), ("send", "--all"), ("discard", "--all", "--yes")):
        said = pending(*arguments)
        assert (said.status, said.out) == (1, ""), said
        assert said.err.startswith("wecom-logging: the state cannot be used: /")
        assert said.err.count("\n") == 1
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.slow
def test_the_command_in_a_process_of_its_own_leaves_no_file(path: Path) -> None:
    leave(path, "the disk of atlas is full")
    before = {one.name for one in path.parent.iterdir()}
    done = alone(WECOM_STATE=f"sqlite://{path}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the disk of atlas is full" in done.stdout
    assert {one.name for one in path.parent.iterdir()} <= before


# A server in place of a file.


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A Valkey that wants a password."""
    server = Server()
    with server.client() as client:
        client.config_set("requirepass", PASSWORD)
    yield server
    server.close()


@pytest.mark.slow
def test_a_server_is_looked_at_like_a_file(sandbox: Sandbox, guarded: Server) -> None:
    url = guarded.url.replace("//", f"//:{PASSWORD}@")
    environment = {"WECOM_STATE": url, "WECOM_API_BASE": sandbox.url, **BOT}
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 40058})
    code = LOGS.format(texts=["refused for good"], timeout=20, after="", service=None)
    assert run(code, url=sandbox.url, WECOM_STATE=url).status == 0
    listed = alone(json=True, **environment)
    (one,) = json.loads(listed.stdout)["alerts"]
    assert (one["state"], one["reason"], one["text"]) == ("given_up", "rejected", "refused for good")
    sent = alone("send", one["key"][:8], "--now", **environment)
    assert sent.stdout == "wait again: 1 incident\n1 alert sent from here, 0 given up again, 0 still waiting\n"
    assert "refused for good" in sandbox.messages()[-1]["content"]
    said = alone(**environment)
    assert said.stdout.splitlines()[-1] == "counted 1 = told 1 + waiting 0 + given up 0 + discarded 0"
    assert_no_secret(listed.stderr + sent.stderr + said.stderr, PASSWORD)


@pytest.mark.slow
def test_a_server_that_cannot_be_used_is_said_without_its_password(guarded: Server) -> None:
    for url in (f"redis://:wrong-{PASSWORD}@127.0.0.1:{guarded.port}/0", f"redis://:{PASSWORD}@127.0.0.1:9/0"):
        done = alone(WECOM_STATE=url)
        assert (done.returncode, done.stdout) == (1, "")
        assert "the state cannot be used: " in done.stderr
        assert done.stderr.count("\n") == 1
        assert_no_secret(done.stderr, PASSWORD)
