"""``wecom-logging incidents``: what is open, over all that share a state."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import _cli as cli
from wecom_logging._incidents import answered
from wecom_logging._incidents.incident import Count
from wecom_logging._incidents.short_id import short_id
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import shared
from wecom_logging._state.base import Swap
from wecom_logging._state.sqlite import SqliteStore

from ..programs import CREDENTIALS, ROOT, run, until
from ..state.conftest import first
from ..storms import CLOCK
from ..valkey_server import Server
from .conftest import Said
from .test_pending import alone, change, leave

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
def incidents(over_a_file: Callable[..., Said]) -> Callable[..., Said]:
    return partial(over_a_file, "incidents")


@pytest.mark.slow
def test_what_is_open_is_listed_over_all_apps_and_bots(
    incidents: Callable[..., Said], path: Path, sandbox: Sandbox
) -> None:
    assert run(LOGS, url=sandbox.url, WECOM_STATE=f"sqlite://{path}").status == 0
    said = incidents(json=True)
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
    assert header.split() == ["id", "level", "count", "since", "last", "messages", "who", "where", "text"]
    assert [row.split()[:3] for row in rows] == [
        [f"#{fire['id']}", "CRITICAL", "1"],
        [f"#{disk['id']}", "ERROR", "5"],
    ]
    assert "the roof is on fire" in rows[0]
    assert "more" not in rows[0]
    assert " in 〈module〉" in rows[1]
    assert "\x1b" not in table.out + said.out
    newest = incidents("--limit", "1").out.splitlines()
    assert [line.split()[0] for line in newest] == ["id", f"#{fire['id']}", "…"]
    assert newest[-1] == "… these are the first 1; --limit shows up to 500"


def test_what_waits_is_open_and_what_is_over_is_not(incidents: Callable[..., Said], path: Path) -> None:
    said = incidents()
    assert (said.status, said.out, said.err) == (
        *(0, "nothing is open\n", f"wecom-logging: no process has used {path} yet\n"),
    )
    assert json.loads(incidents(json=True).out) == {"incidents": []}
    assert list(path.parent.iterdir()) == []
    leave(path, "the disk of atlas is full", after="os.kill(os.getpid(), 9)")
    said = incidents(json=True)
    assert said.err == "wecom-logging: a process died before it sent 1 alert, which the state has now\n"
    (one,) = json.loads(said.out)["incidents"]
    assert (one["count"], one["told"], one["messages"], one["text"]) == (1, 0, 0, "the disk of atlas is full")
    assert cli.main(["pending", "discard", one["id"], "--yes"]) == 0
    assert incidents().out.splitlines()[-1] == "nothing is open"


def test_two_services_that_fail_alike_are_told_apart(
    incidents: Callable[..., Said], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(path, "the disk of atlas is full")
    assert "service" not in incidents().out.splitlines()[0]  # where no incident has one
    services = {"", "shop-cn", "shop-eu"}
    for service in services - {""}:
        leave(path, "the disk of atlas is full", service=service)
    found = json.loads(incidents(json=True).out)["incidents"]
    assert {one["service"] for one in found} == services
    header, *rows = incidents().out.splitlines()
    assert header.split()[-3:] == ["service", "where", "text"]
    for one in found:
        (row,) = (row for row in rows if row.startswith(f"#{one['id']}"))
        assert row[header.index("service") :].startswith(one["service"] or "  ")
        assert re.findall(r"^service +(.+)$", incidents("show", one["id"]).out, re.M) == [
            *filter(None, [one["service"]])
        ]
        (shown,) = json.loads(incidents("show", one["id"], json=True).out)["incidents"]
        assert shown["service"] == one["service"]
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert incidents().out.splitlines()[0].split()[-3:] == ["服务", "位置", "内容"]


def test_what_cannot_be_read_still_says_who_has_it(incidents: Callable[..., Said], path: Path) -> None:
    leave(path, "the disk of atlas is full")
    (one,) = json.loads(incidents(json=True).out)["incidents"]
    assert incidents("take", one["id"], "--as", "Li").status == 0
    change(path, "UPDATE firsts SET entry=?", "{")
    (seen,) = json.loads(incidents(json=True).out)["incidents"]
    assert (seen["text"], seen["logger"], seen["level"]) == ("(cannot be read)", "?", "ERROR")
    assert (seen["count"], seen["told"], seen["taken_by"]) == (1, 0, "Li")


def test_it_needs_a_state_and_says_so(incidents: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_STATE")
    for as_json in (False, True):
        said = incidents(json=as_json)
        assert (said.status, said.out) == (3, "")
        assert "memory:// is in the memory of each process" in said.err
    monkeypatch.setenv("WECOM_STATE", "sqlite:///no/such/directory/alerts.db")
    said = incidents()
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("wecom-logging: the state cannot be used: /no/such/directory ")


@pytest.mark.slow
def test_a_server_is_looked_at_like_a_file(sandbox: Sandbox) -> None:
    server = Server()
    try:
        assert run(LOGS, url=sandbox.url, WECOM_STATE=server.url).status == 0
        listed = alone(command="incidents", json=True, WECOM_STATE=server.url)
        fire, disk = json.loads(listed.stdout)["incidents"]
        assert (fire["text"].startswith("the roof is on fire"), fire["count"]) == (True, 1)
        assert (disk["text"], disk["count"], disk["told"]) == ("the disk of atlas is full", 5, 5)
        assert f" #{disk['id']}\n" in sandbox.messages()[0]["content"]
    finally:
        server.close()


# What people do with one.

LISTENS = """
import logging, sys, time
from wecom_logging import WeComHandler
handler = WeComHandler(rate_limit=None)
logging.getLogger("shop").addHandler(handler)
logging.getLogger("shop").error("the disk of %s is full", "atlas")
assert handler.flush(30)
print("told", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        logging.getLogger("shop").error("the disk of %s is full", "atlas")
    print(handler.flush(30), flush=True)
"""


@contextmanager
def started(url: str, state: str) -> Iterator[subprocess.Popen[str]]:
    """A program that logs so often as it reads."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    settings = {**clean, **CREDENTIALS, "PYTHONPATH": str(ROOT), "WECOM_API_BASE": url, "WECOM_STATE": state}
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    program = subprocess.Popen([sys.executable, "-c", LISTENS], env=settings, text=True, **pipes)
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


@pytest.fixture
def taken(incidents: Callable[..., Said], path: Path, sandbox: Sandbox) -> str:
    """The id of one that is told; nothing runs any more that would tell it."""
    assert run(LOGS, url=sandbox.url, WECOM_STATE=f"sqlite://{path}").status == 0
    return str(json.loads(incidents(json=True).out)["incidents"][1]["id"])


@pytest.mark.slow
def test_what_people_do_with_one_is_stored_and_shown(
    incidents: Callable[..., Said], taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = incidents("take", f"#{taken.upper()}", "--as", "Li")
    assert (said.status, said.err) == (0, "")
    assert re.fullmatch(rf"#{taken} taken by Li {CLOCK}, quiet until {CLOCK}\n", said.out)
    (row,) = (line for line in incidents().out.splitlines() if line.startswith(f"#{taken}"))
    assert "  Li  " in row
    said = incidents("take", taken, "--as", "Wang")
    assert (said.status, said.out) == (1, "")
    assert re.search(
        rf"#{taken} was taken by Li {CLOCK} until {CLOCK}; `wecom-logging incidents undo {taken}` ", said.err
    )
    assert incidents("quiet", taken, "1h30m", "--as", "Wang").status == 1
    assert incidents("quiet", taken, "1", "h", "30", "min", "--as", "Li").status == 0
    one = json.loads(incidents("show", taken, json=True).out)["incidents"][0]
    assert (one["id"], one["count"], one["taken_by"]) == (taken, 5, "")
    assert one["silent_until"] == one["journal"][-1]["until"]
    assert [(done["verb"], done["who"], done["count"]) for done in one["journal"]] == [
        ("taken", "Li", 5),
        ("silenced", "Li", 5),
    ]
    assert all(done["where"].startswith("cli ") for done in one["journal"])
    assert re.search(rf" Li \(silenced until {CLOCK}\) ", incidents().out)
    assert incidents("undo", taken, "--as", "Wang").status == 0
    assert json.loads(incidents("show", taken, json=True).out)["incidents"][0]["taken_by"] == "Li"
    shown = incidents("show", taken).out
    assert re.search(r"^text +the disk of atlas is full$", shown, re.M)
    assert re.search(r"^since +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", shown, re.M)
    did = shown.split("\n\n")[1]
    host = r" · cli \S+ · × 5\n"
    assert re.fullmatch(
        rf"taken by Li .*{host}silenced by Li .*{host}silence of Li undone by Wang .*{host}now: Li\n", did
    )
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert re.search(rf"^#{taken} +错误 .* Li +\S+:\d+ 〈module〉 ", incidents().out, re.M)
    shown = incidents("show", taken).out
    assert re.search(r"^级别 +错误$", shown, re.M)
    assert re.search(rf"^Li 于 {CLOCK} 认领，.* · 命令行 \S+ · 当时 5 次$", shown, re.M)
    assert re.search(rf"^Wang 于 {CLOCK} 取消了 Li 的静默 · 命令行 ", shown, re.M)
    assert json.loads(incidents("show", taken, json=True).out)["incidents"][0]["level"] == "ERROR"


def test_the_table_has_what_two_channels_tell_once_and_what_is_in_maintenance(
    incidents: Callable[..., Said], path: Path
) -> None:
    for channel, number in (("app", 1), ("bot a", 3), ("bot b", 2)):
        fill(path, first("fire", number=number), channel=channel)
    assert incidents("quiet", "--scope", "shop.pay", "30m", "--as", "Li", "--why", "password=hunter2").status == 0
    said = incidents().out.splitlines()
    assert re.fullmatch(rf"maintenance of shop\.pay until {CLOCK} \(password=\*+\), by Li", said[0])
    assert [line.split()[:3] for line in said[1:]] == [["id", "level", "count"], [f"#{short_id('fire')}", "ERROR", "3"]]
    assert len(json.loads(incidents(json=True).out)["incidents"]) == 3


def test_what_two_channels_tell_is_shown_and_changed_as_one(incidents: Callable[..., Said], path: Path) -> None:
    for channel, number in (("app", 1), ("bot a", 3), ("bot b", 2)):
        fill(path, first("fire", number=number), channel=channel)
    name = short_id("fire")
    assert len(incidents("take", name, "--as", "Li").out.splitlines()) == 1
    fields, did = incidents("show", name).out.split("\n\n")
    assert dict(line.split(maxsplit=1) for line in fields.splitlines()).items() >= {
        *{"id": name, "count": "3", "channel": "bot a, bot b, app", "taken_by": "Li"}.items()
    }
    assert did.splitlines()[1:] == ["now: Li"]
    shown = json.loads(incidents("show", name, json=True).out)["incidents"]
    assert [one["channel"] for one in shown] == ["bot a", "bot b", "app"]


def test_a_length_may_stand_behind_the_name(incidents: Callable[..., Said], path: Path) -> None:
    fill(path, first("fire"))
    said = incidents("quiet", name := short_id("fire"), "1h", "--as", "Li", "30", "min")
    assert (said.status, said.err) == (0, "")
    (done,) = json.loads(incidents("show", name, json=True).out)["incidents"][0]["journal"]
    begin, end = (datetime.fromisoformat(done[at]) for at in ("at", "until"))
    assert timedelta(minutes=89) < end - begin < timedelta(minutes=91)


@pytest.mark.parametrize(("language", "how"), [("en", "; `{}` opens it again"), ("zh", "；如需重新打开，请执行：{}")])
def test_a_refusal_says_the_command_that_undoes_what_is_in_the_way(
    incidents: Callable[..., Said], path: Path, language: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path, first("fire"))
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    assert incidents("done", name := short_id("fire"), "--as", "Li").status == 0
    assert incidents("take", name, "--as", "Wang").err.endswith(
        how.format(f"wecom-logging incidents undo {name}") + "\n"
    )


@pytest.mark.slow
def test_it_is_given_to_a_person_who_gets_it(
    incidents: Callable[..., Said], taken: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = CREDENTIALS["WECOM_USERS"]
    said = incidents("give", taken, "to", "李四", "--as", "Li")
    assert (said.status, said.out) == (1, "")
    assert f"李四 does not get these alerts; it can be given to {user}" in said.err
    said = incidents("give", taken, "to", user.upper(), "--as", "Li")
    assert (said.status, said.err) == (0, "")
    assert re.match(rf"#{taken} given to {user} by Li {CLOCK}", said.out)
    (one,) = json.loads(incidents("show", taken, json=True).out)["incidents"]
    assert one["taken_by"] == user
    assert [(done["verb"], done["who"], done["by"]) for done in one["journal"]] == [("taken", user, "Li")]
    sandbox.add_member("wang", name="王五")
    monkeypatch.setenv("WECOM_API_BASE", sandbox.url)
    for name in ("WECOM_CORP_ID", "WECOM_SECRET"):
        monkeypatch.setenv(name, CREDENTIALS[name])
    assert "it can be given to 沙箱用户" in incidents("give", taken, "李四", "--as", "Li").err
    assert incidents("give", taken, "沙箱用户", "--as", user).status == 0


def fill(path: Path, *counts: Count, close: bool = False, channel: str = "bot a") -> None:
    """Add incidents; somebody closes all but the first."""
    with closing(SqliteStore(str(path))) as store:
        store.add(channel, "me", "host", 1, counts, now := time.monotonic())
        others = store.open(channel, len(counts), [one.key for one in counts[1:]]) if close else []
        store.swap(
            channel, [Swap(one, answered.done(one, "Li", "x", now=now, time=time.time())) for one in others], now
        )


def test_the_oldest_of_very_many_is_found(
    incidents: Callable[..., Said], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._answers.desk.LOOKED_AT", 10)
    fill(path, first("fire", level=50), *[first(f"k{at}", last=9.0) for at in range(30)])
    name = short_id("fire")
    for verb in (("show",), ("take", "--as", "Li"), ("quiet", "1h", "--as", "Li"), ("done", "--as", "Li")):
        said = incidents(verb[0], name, *verb[1:])
        assert (said.status, said.err, name in said.out) == (0, "", True)


def test_the_worst_is_first_then_what_nobody_has_then_the_newest(incidents: Callable[..., Said], path: Path) -> None:
    now = time.time()
    levels = {"a": 40, "b": 40, "c": 50, "d": 30, "e": 40}
    fill(path, *(first(name, level=level, last=now - place) for place, (name, level) in enumerate(levels.items())))
    ids = {short_id(name): name for name in levels}
    listed = [ids[one["id"]] for one in json.loads(incidents(json=True).out)["incidents"]]
    assert listed == ["c", "a", "b", "e", "d"]
    taken = next(id for id, name in ids.items() if name == "a")
    assert incidents("take", taken, "--as", "Li").status == 0
    listed = [ids[one["id"]] for one in json.loads(incidents("--limit", "4", json=True).out)["incidents"]]
    assert listed == ["c", "b", "e", "a"]


def test_what_is_open_is_listed_however_many_a_person_has_closed_since(
    incidents: Callable[..., Said], path: Path
) -> None:
    fill(path, first("fire"), *[first(f"k{at}", last=9.0) for at in range(1001)], close=True)
    said = incidents("--limit", "1", json=True)
    assert [one["id"] for one in json.loads(said.out)["incidents"]] == [short_id("fire")]


def test_what_is_closed_is_listed_no_more_and_can_be_opened_again(incidents: Callable[..., Said], taken: str) -> None:
    said = incidents("undo", taken)
    assert (said.status, "there is nothing to undo" in said.err) == (1, True)
    assert incidents("done", taken, "--as", "Li", json=True).status == 0
    assert f"#{taken}" not in incidents().out
    for verb in ("take", "done"):
        said = incidents(verb, taken, "--as", "Li")
        assert said.status == 1
        assert re.search(
            rf"was closed by Li .*; `wecom-logging incidents undo {taken}` opens it again$", said.err, re.M
        )
    assert incidents("undo", taken, "--as", "Wang").out.startswith(f"#{taken} opened again by Wang ")
    assert f"#{taken}" in incidents().out


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["show", "take", "done", "undo"])
def test_an_unknown_id_is_said_with_those_that_are_open(
    incidents: Callable[..., Said], path: Path, taken: str, verb: str
) -> None:
    said = incidents(verb, "zzzz")
    assert (said.status, said.out) == (1, "")
    assert re.search(r"no open incident #zzzz; open are #\w+, #\w+\n", said.err)
    assert f"#{taken}" in said.err
    path.unlink()
    said = incidents(verb, "\x1b[31m" + "z" * 9999)
    assert (said.status, said.out, "\x1b" in said.err, len(said.err) < 300) == (1, "", False, True)
    assert "nothing is open" in said.err


@pytest.mark.parametrize("length", ["soon", "0h", "-1h", "2", "1e9h", "2x", "h", "９" * 99 + "h", "nan h"])
def test_what_is_no_length_is_said(
    incidents: Callable[..., Said], length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = incidents("quiet", "k7f2", f" {length}")
    assert (said.status, said.out) == (2, "")
    assert "a length such as 30m, 2h or 1h30m is needed" in said.err
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert "wecom-logging: 请写时长（例如 30m、2h、1h30m）" in incidents("quiet", "k7f2", f" {length}").err


@pytest.mark.slow
def test_nobody_silences_it_for_longer_than_may_be(incidents: Callable[..., Said], taken: str) -> None:
    said = incidents("quiet", taken, "25h")
    assert (said.status, said.err) == (
        2,
        f"wecom-logging: #{taken} may be silent for at most 24 hours\n",
    )
    fire = json.loads(incidents(json=True).out)["incidents"][0]["id"]
    assert "may be silent for at most 1 hour" in incidents("quiet", fire, "61m").err
    assert incidents("quiet", fire, "1h").status == 0
    assert incidents("quiet", taken, "24h").status == 0


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_somebody_has_to_do_it(incidents: Callable[..., Said], name: str) -> None:
    said = incidents("take", "k7f2", "--as", name)
    assert (said.status, "--as NAME" in said.err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_of_many_who_take_it_at_once_one_has_it_and_the_others_see_who(kind: str, path: Path, sandbox: Sandbox) -> None:
    server = Server() if kind == "valkey" else None
    try:
        url = server.url if server is not None else f"sqlite://{path}"
        assert run(LOGS, url=sandbox.url, WECOM_STATE=url).status == 0
        listed = alone(command="incidents", json=True, WECOM_STATE=url)
        name = json.loads(listed.stdout)["incidents"][1]["id"]
        with ThreadPoolExecutor(6) as pool:
            calls = [
                pool.submit(alone, "take", name, "--as", f"P{place}", command="incidents", WECOM_STATE=url)
                for place in range(6)
            ]
            ended = [call.result() for call in calls]
        (winner,) = (place for place, one in enumerate(ended) if one.returncode == 0)
        assert [one.returncode for one in ended].count(1) == 5
        assert all(f" by P{winner} " in one.stderr for place, one in enumerate(ended) if place != winner)
        shown = json.loads(alone("show", name, json=True, command="incidents", WECOM_STATE=url).stdout)
        assert [done["who"] for done in shown["incidents"][0]["journal"]] == [f"P{winner}"]
    finally:
        if server is not None:
            server.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_a_program_that_runs_tells_the_line_and_waits_for_nothing(
    kind: str, path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server() if kind == "valkey" else None
    url = server.url if server is not None else f"sqlite://{path}"
    monkeypatch.setenv("WECOM_STATE", url)

    def texts(number: int) -> list[str]:
        until(lambda: len(sandbox.messages()) >= number)
        return [message["content"] for message in sandbox.messages()]

    def call(*arguments: str, json: bool = False) -> str:
        assert cli.main([*["--json"] * json, "incidents", *arguments]) == 0
        shared.close_all()
        return capsys.readouterr().out

    try:
        with started(sandbox.url, url) as program:
            assert program.stdin is not None
            assert program.stdout is not None
            assert program.stdout.readline() == "told\n"
            name = json.loads(call(json=True))["incidents"][0]["id"]
            call("take", name, "--as", "Li")
            assert re.match(rf"✋ .*#{name} taken by Li {CLOCK}, quiet until {CLOCK}\n", texts(2)[1])
            program.stdin.write("312\n")
            program.stdin.flush()
            assert program.stdout.readline() == "True\n"  # the flush is over, and nothing was told
            assert len(sandbox.messages()) == 2
            call("done", name, "--as", "Wang")
            assert re.match(rf"✅ .*#{name} closed by Wang {CLOCK}\n(?s:.*) × 312, 313 in all$", texts(3)[2])
            program.stdin.write("1\n")
            program.stdin.flush()
            assert "closed by Wang " in texts(4)[3]
    finally:
        shared.close_all()
        if server is not None:
            server.close()


@pytest.mark.slow
def test_a_program_ends_without_waiting_for_what_is_silent_and_the_next_tells_it(path: Path, sandbox: Sandbox) -> None:
    url = f"sqlite://{path}"
    with started(sandbox.url, url) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "told\n"
        (one,) = json.loads(alone(command="incidents", json=True, WECOM_STATE=url).stdout)["incidents"]
        alone("quiet", one["id"], "1h", command="incidents", WECOM_STATE=url)
        out, err = program.communicate("3\n", timeout=60)
        assert (program.returncode, out, err) == (0, "True\n", "")
    with started(sandbox.url, url) as program:
        out, err = program.communicate("", timeout=60)
        assert (program.returncode, out, err) == (0, "told\n", "")
    assert [message["content"].splitlines()[0].split()[0] for message in sandbox.messages()] in (["🔴"], ["🔴", "✋"])
    (one,) = json.loads(alone("show", one["id"], json=True, command="incidents", WECOM_STATE=url).stdout)["incidents"]
    assert one["count"] == 5
    alone("undo", one["id"], command="incidents", WECOM_STATE=url)
    with started(sandbox.url, url) as program:
        program.communicate("", timeout=60)
    last = sandbox.messages()[-1]["content"]
    assert "unsilenced" in last or "× " in last
    (one,) = json.loads(alone(command="incidents", json=True, WECOM_STATE=url).stdout)["incidents"]
    assert (one["count"], one["told"]) == (6, 6)
