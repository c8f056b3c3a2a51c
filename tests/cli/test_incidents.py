"""``wecom-logging incidents``: what is open, over all that share a state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from wecom_logging import _cli as cli
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import shared

from ..programs import run
from ..secrets import assert_no_secret
from ..valkey_server import Server
from .conftest import Said
from .test_pending import PASSWORD, alone, leave

LOGS = """
import logging
from wecom_logging import WeComBotHandler, WeComHandler
logger = logging.getLogger("shop")
app = WeComHandler(rate_limit=None)
logger.addHandler(app)
for number in range(3):
    logger.error("the disk of %s is full", "atlas")
app.flush(30)
for number in range(2):
    logger.error("the disk of %s is full", "atlas")
app.flush(30)
bot = WeComBotHandler(rate_limit=None)
logging.getLogger("pay").addHandler(bot)
logging.getLogger("pay").critical("the roof is on fire\\x1b[31m\\nmore")
bot.flush(30)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@pytest.fixture
def incidents(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs the command in this process, with the file as its state."""
    monkeypatch.setenv("WECOM_STATE", f"sqlite://{path}")

    def call(*arguments: str) -> Said:
        try:
            status = cli.main(["incidents", *arguments])
        finally:
            shared.close_all()
        return Said(status, *capsys.readouterr())

    return call


def test_what_is_open_is_listed_over_all_apps_and_bots(
    incidents: Callable[..., Said], path: Path, sandbox: Sandbox
) -> None:
    assert run(LOGS, url=sandbox.url, WECOM_STATE=f"sqlite://{path}").status == 0
    said = incidents("--json")
    assert (said.status, said.err) == (0, "")
    fire, disk = json.loads(said.out)["incidents"]
    assert {name: disk[name] for name in ("level", "logger", "count", "told", "hosts", "processes", "text")} == {
        "level": "ERROR",
        "logger": "shop",
        "count": 5,
        "told": 5,
        "hosts": 1,
        "processes": 1,
        "text": "the disk of atlas is full",
    }
    assert disk["messages"] >= 2
    assert disk["since"] <= disk["last"] <= fire["since"]
    assert disk["channel"].startswith("app ")
    assert fire["channel"].startswith("bot ")
    first, *_, last = sandbox.messages()
    assert f" #{disk['id']}\n" in first["content"]
    assert f" #{fire['id']}<" in last["content"]
    table = incidents()
    header, *rows = table.out.splitlines()
    assert header.split() == ["id", "level", "count", "since", "last", "messages", "where", "text"]
    assert [row.split()[:3] for row in rows] == [
        [f"#{fire['id']}", "CRITICAL", "1"],
        [f"#{disk['id']}", "ERROR", "5"],
    ]
    assert "the roof is on fire" in rows[0]
    assert "more" not in rows[0]
    assert " in <module>" in rows[1]
    assert "\x1b" not in table.out + said.out
    assert incidents("list").out == table.out
    assert incidents("list", "--json").out == incidents("--json", "list").out == said.out
    newest = incidents("--limit", "1").out.splitlines()
    assert [line.split()[0] for line in newest] == ["id", f"#{fire['id']}", "…"]
    assert newest[-1] == "… these are the newest 1; --limit shows more"


def test_what_waits_is_open_and_what_is_over_is_not(incidents: Callable[..., Said], path: Path) -> None:
    said = incidents()
    assert (said.status, said.out, said.err) == (
        *(0, "nothing is open\n", f"wecom-logging: no process has used {path} yet\n"),
    )
    assert json.loads(incidents("--json").out) == {"incidents": []}
    assert list(path.parent.iterdir()) == []
    leave(path, "the disk of atlas is full", after="os.kill(os.getpid(), 9)")
    said = incidents("--json")
    assert said.err == "wecom-logging: a process died with 1 alert unsent; it waits now\n"
    (one,) = json.loads(said.out)["incidents"]
    assert (one["count"], one["told"], one["messages"], one["text"]) == (1, 0, 0, "the disk of atlas is full")
    assert cli.main(["pending", "discard", one["id"], "--yes"]) == 0
    assert incidents().out.splitlines()[-1] == "nothing is open"


def test_it_needs_a_state_and_says_so(incidents: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_STATE")
    for arguments in ((), ("list",), ("--json",), ("--state", "memory://")):
        said = incidents(*arguments)
        assert (said.status, said.out) == (3, "")
        assert "memory:// is in the memory of each process" in said.err
        assert "无法从外面查看" in said.err
    said = incidents("--state", f"redis://:{PASSWORD}@host/0")
    assert said.status == 2
    assert_no_secret(said.out + said.err, PASSWORD)
    monkeypatch.setenv("WECOM_STATE", "sqlite:///no/such/directory/alerts.db")
    said = incidents()
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("wecom-logging: the state cannot be used: /no/such/directory ")


@pytest.mark.parametrize("value", [b"\xff\x1b[2J", None, "\x1b[2J", 1e300, -1e300, 2**62, b"", "汉" * 10_000])
@pytest.mark.parametrize("column", ["key", "short_id", "channel", "entry", "last", "began", "level", "count", "told"])
def test_nothing_that_stands_in_the_file_is_trusted(
    incidents: Callable[..., Said], path: Path, waits: Path, column: str, value: object
) -> None:
    path.write_bytes(waits.read_bytes())
    path.chmod(0o600)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE {'firsts' if column == 'entry' else 'incidents'} SET {column}=?", (value,))
    for arguments in ((), ("--json",)):
        said = incidents(*arguments)
        assert (said.status, said.err) == (0, "")
        assert "\x1b" not in said.out
        assert len(said.out) < 40_000


@pytest.fixture(scope="module")
def waits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in which one alert waits."""
    path = tmp_path_factory.mktemp("state") / "alerts.db"
    leave(path, "the disk of atlas is full")
    return path


def test_a_server_is_looked_at_like_a_file(sandbox: Sandbox) -> None:
    server = Server()
    try:
        assert run(LOGS, url=sandbox.url, WECOM_STATE=server.url).status == 0
        listed = alone("--json", command="incidents", WECOM_STATE=server.url)
        fire, disk = json.loads(listed.stdout)["incidents"]
        assert (fire["text"].startswith("the roof is on fire"), fire["count"]) == (True, 1)
        assert (disk["text"], disk["count"], disk["told"]) == ("the disk of atlas is full", 5, 5)
        assert f" #{disk['id']}\n" in sandbox.messages()[0]["content"]
    finally:
        server.close()
