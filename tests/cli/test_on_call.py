"""``wecom-logging on-call``, and what the doctor says of rotas: real programs, a real state, the sandbox."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging import WeComHandler
from wecom_logging._cli import main
from wecom_logging._sandbox import Sandbox

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = """timezone = "Asia/Shanghai"
quiet_hours = ["22:00-08:00", "off-days"]
[on_call.web]
people = ["张三", ["李四", "王五"]]
since = "2026-12-07 10:00"
every = "1w"
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def company(sandbox: Sandbox) -> Sandbox:
    for user, name in (("zhangsan", "张三"), ("lisi", "李四"), ("wangwu", "王五")):
        sandbox.add_member(user, name=name)
    return sandbox


@pytest.fixture
def rules(company: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The rules of a program whose own recipients are on call."""
    file = tmp_path / "duty.toml"
    file.write_text(RULES, "utf-8")
    variables = {
        "DUTY": file,
        "CORP_ID": "wwsandbox",
        "AGENT_ID": 1000002,
        "SECRET": "sandbox-app-secret",
        "USERS": "on-call:web",
        "API_BASE": company.url,
        "STATE": f"sqlite://{tmp_path}/alerts.db",
        "LANGUAGE": "en",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"WECOM_{name}", str(value))
    return file


@pytest.fixture
def run(rules: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str, json: bool = False) -> tuple[int, str, str]:
        code = main([*["--json"] * json, "on-call", *arguments])
        found = capsys.readouterr()
        return code, found.out, found.err

    return run


def test_who_is_on_call_and_what_would_happen(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run("show", "--at", "2026-12-13 02:14")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()[:2]] == [
        ["rota", "on_call", "until", "then", "because"],
        ["web", "张三", "Monday", "10:00", "李四,", "王五", "turn"],
    ]
    assert out.splitlines()[2] == (
        "2026-12-13 02:14 (Sunday, day off): ERROR waits until Monday 08:00, CRITICAL goes to 张三"
    )
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert run("show", "--at", "2026-12-14 10:00")[1].splitlines()[1:] == [
        "web     李四, 王五  2026-12-21 10:00  张三    轮值",
        "2026-12-14 10:00（周一，工作日）时：错误和严重发给李四、王五",
    ]
    assert run("show")[1].splitlines()[2].startswith("现在（周")
    assert not (tmp_path / "alerts.db").exists()  # the first program makes it


def test_json_has_both_languages_and_the_zone_of_the_rules(run: Run) -> None:
    code, out, _ = run("show", "--at", "2026-12-13 02:14", json=True)
    (shown,) = json.loads(out)["handlers"]
    assert code == 0
    assert shown["at"] == "2026-12-13T02:14:00+08:00"
    assert shown["rotas"] == [
        {
            "rota": "web",
            "on_call": ["张三"],
            "until": "2026-12-14T10:00:00+08:00",
            "then": ["李四", "王五"],
            "swapped": False,
        }
    ]
    assert shown["said"].startswith("2026-12-13 02:14 (Sunday")
    assert shown["said_zh"].startswith("2026-12-13 02:14（周日")


def test_r2_a_swap_shows_as_current_is_told_and_gets_the_alerts(run: Run, company: Sandbox) -> None:
    WeComHandler().close()
    before = datetime.now(SHANGHAI)
    code, out, err = run("swap", "web", "王五", "--to", "2099-01-01 10:00", "--tell", "--as", "Li")
    assert (code, err) == (0, "")
    begin, _ = out.removeprefix("web: 王五 on call from ").split(" to ")
    assert f"{before:%Y-%m-%d %H:%M}" <= begin <= f"{datetime.now(SHANGHAI):%Y-%m-%d %H:%M}"
    told = {tuple(one["receivers"]): one["content"].split("\n") for one in company.messages()}
    assert told["wangwu",][1:] == ["nothing is open"]
    assert len(told) == 2  # and whose turn it was
    assert "王五" in run("show")[1].splitlines()[1]
    assert "swap by Li" in run("show")[1]
    assert "2099-01-01 10:00" in run("show")[1]
    handler = WeComHandler(level="CRITICAL")
    company.clear()
    handler.handle(logging.LogRecord("shop", logging.CRITICAL, "p.py", 1, "hello", None, None))
    assert handler.flush(30)
    assert [one["receivers"] for one in company.messages()] == [["wangwu"]]
    handler.close()


def test_where_the_state_is_away_it_says_once_that_swaps_are_not_seen(
    run: Run, company: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_STATE", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("WECOM_WEBHOOK", company.environment["WECOM_WEBHOOK"])
    code, out, err = run("show", "--at", "2026-12-13 02:14")
    assert code == 0
    assert "张三" in out
    assert err == "wecom-logging: the state cannot be read: swaps are not looked at\n"
    code, out, err = run("swap", "web", "王五", "--to", "2099-01-01 10:00")
    assert (code, out) == (1, "")
    assert "127.0.0.1" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("web", "没人", "--to", "10:00"), 1, "called '没人'"),
        (("web", "@all", "--to", "10:00"), 3, "persons are needed"),
        (("web", "on-call:db", "--to", "10:00"), 3, "persons are needed"),
        (("db", "李四", "--to", "10:00"), 2, "there is no rota db; there are: web"),
        (("web", "李四", "--to", "2020-01-01 10:00"), 2, "has to end after it begins, and later than now"),
        (("web", "李四", "--from", "2099-01-02 10:00", "--to", "2099-01-02 10:00"), 2, "has to end after it begins"),
        (("web", "李四", "--to", "tomorrow"), 2, "'tomorrow' is no time: 2026-12-13 09:00 or 09:00 is needed"),
        (("web", "李四", "--to", "2026-02-30 10:00"), 2, "is no time"),
        (("web", "李四", "--to", "25:00"), 2, "is no time"),
        (("web", "李四", "--to", "9999-12-31 23:59"), 2, "is no time"),
        (("web", "李四", "--to", "0001-01-01 00:00"), 2, "is no time"),
    ],
    ids=range(11),
)
def test_r3_a_swap_that_cannot_be_is_refused_at_once(
    run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found = run("swap", *arguments)
    assert (found[0], found[1]) == (code, "")
    assert said in found[2]


def test_a_swap_needs_a_state(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_STATE", "memory://")
    code, out, err = run("swap", "web", "李四", "--to", "10:00")
    assert (code, out, "set WECOM_STATE" in err) == (3, "", True)


@pytest.mark.parametrize("verb", [("show",), ("swap", "web", "lisi", "--to", "23:00")], ids=["show", "swap"])
def test_rules_that_are_wrong_are_said_and_nothing_else(
    verb: tuple[str, ...], run: Run, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    rules.write_text('quiet_hour = ["22:00-08:00"]')
    code, out, err = run(*verb)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert err.startswith("wecom-logging: app：duty：")
    assert run("show", "--handler", "app") == (2, "", "wecom-logging: --handler 须与 --config FILE 一起使用\n")


def test_without_rules_it_says_what_to_set(run: Run, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_DUTY")
    monkeypatch.setenv("WECOM_USERS", "zhangsan")
    code, out, err = run("show")
    assert (code, out) == (1, "")
    assert "set on_call" in err
    monkeypatch.setenv("WECOM_USERS", "on-call:web")
    code, _, err = run("show")
    assert code == 3
    assert "no rota 'web'" in err


@pytest.mark.parametrize("language", ["en", "zh"])
def test_steps_that_nobody_could_stop_are_named_once_with_what_they_need(
    run: Run, rules: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    rules.write_text('escalation = [{after = "10m", users = ["李四"]}]\n' + RULES, "utf-8")
    monkeypatch.delenv("WECOM_STATE")
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    status, out, err = run("show")
    (line,) = err.splitlines()
    assert (status, out) == (3, "")
    assert 'answers="aibot"' in line
    assert line.count("WECOM_STATE") == 1
    main(["doctor"])
    (remedy,) = (line for line in capsys.readouterr().out.splitlines() if "leader_of" in line and "→" in line)
    assert 'answers="aibot"' in remedy
    assert "WECOM_STATE" in remedy


def test_the_handlers_of_a_logging_config(run: Run, rules: Path, company: Sandbox) -> None:
    def app(**more: Any) -> dict[str, Any]:
        made = {"class": "wecom_logging.WeComHandler", "corp_id": "wwsandbox", "agent_id": 1000002}
        return {**made, "secret": "env:WECOM_SECRET", "api_base": company.url, "duty": str(rules), **more}

    file = rules.with_name("logging.json")
    handlers = {"a": app(users=["on-call:web"]), "b": app(users=["lisi"], on_call=None)}
    root = {"handlers": [*handlers], "level": "INFO"}
    file.write_text(json.dumps({"version": 1, "handlers": handlers, "root": root}), "utf-8")
    code, out, err = run("show", "--config", str(file), "--at", "2026-12-09 14:00")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if "ERROR" in line] == [
        "2026-12-09 14:00 (Wednesday, working day): ERROR and CRITICAL go to 张三",
        "2026-12-09 14:00 (Wednesday, working day): ERROR and CRITICAL go to lisi",
    ]
    assert run("show", "--handler", "a")[0] == 2


def test_r3_the_doctor_finds_a_turn_that_names_nobody_and_says_what_would_happen(
    run: Run, rules: Path, capsys: pytest.CaptureFixture[str], company: Sandbox
) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "✓ what would happen: now (" in out
    assert "✓ recipient users 王五: 王五 (wangwu)" in out
    assert "on-call:web:" not in out  # it is no member
    more = '[on_call.db]\npeople = ["没人", "lisi"]\nsince = "2026-12-07 10:00"\nevery = "1d"\n'
    more += '[on_call.it]\nwho = "no_such_module:f"\n'
    rules.write_text(RULES + more, "utf-8")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "✗ recipient users 没人" in out
    assert "✗ on call it: its function fails (ModuleNotFoundError" in out
    assert main(["doctor", "--send"]) == 1
    assert company.messages()[-1]["receivers"] != []


def test_a_file_with_steps_is_for_the_handlers_that_can_tell_others(
    run: Run, rules: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = 'escalation = [{after = "10m", users = ["on-call:web"], how = "call"}]\n'
    rules.write_text(steps + RULES, "utf-8")
    monkeypatch.setenv("WECOM_WEBHOOK", "sandbox-bot")
    status, out, err = run("show", "--at", "2026-12-15 02:14")
    assert (status, err) == (0, "")
    app, bot = out.split("\n\n")
    assert "after 10 min without a take to 李四, 王五" in app
    assert "CRITICAL goes to the group" in bot
    assert "without a take" not in bot
    main(["doctor"])
    assert "✗" not in capsys.readouterr().out
    monkeypatch.setenv("WECOM_STATE", "memory://")
    assert main(["doctor"]) == 1
    assert "nobody could take an incident" in capsys.readouterr().out


def test_send_goes_to_who_is_on_call(
    run: Run, company: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("swap", "web", "王五", "--to", "2099-01-01 10:00")[0] == 0
    assert main(["send", "hello"]) == 0
    assert [one["receivers"] for one in company.messages()] == [["wangwu"]]
    monkeypatch.setenv("WECOM_USERS", "on-call:nosuch")
    assert main(["send", "hello"]) == 3
    assert "no rota 'nosuch'" in capsys.readouterr().err


def test_r4_who_takes_over_gets_what_is_open_and_who_hands_over_a_line(run: Run, company: Sandbox) -> None:
    handler = WeComHandler(users=["sandbox-user"], level="CRITICAL")
    handler.handle(logging.LogRecord("shop", logging.CRITICAL, "p.py", 1, "the disk is full", None, None))
    assert handler.flush(30)
    (incident,) = handler.incidents()
    company.clear()
    before = run("show")[1].splitlines()[1].split()[1].rstrip(",")
    names = {"张三": "zhangsan", "李四": "lisi"}
    assert run("swap", "web", "王五", "--to", "2099-01-01 10:00")[0] == 0
    assert company.messages() == []  # only where it is asked for
    assert run("swap", "web", before, "--to", "2099-01-01 10:00", "--tell")[0] == 0
    told = {one["receivers"][0]: one["content"].split("\n") for one in company.messages()}
    assert told[names[before]][1].startswith(f"#{incident.short_id} CRITICAL × 1")
    assert told[names[before]][1].endswith("the disk is full")
    assert len(told["wangwu"]) == 1
    assert told["wangwu"][0].startswith(f"web: {before} on call from ")
    handler.close()


def test_a_swap_holds_for_each_handler_and_whichever_is_an_app_tells(
    run: Run, company: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in company.environment.items():
        if "WEBHOOK" in name or "AIBOT" in name:
            monkeypatch.setenv(name, value)
    swap = ("swap", "web", "王五", "--from", "2026-12-08 09:00", "--to", "2099-01-01 10:00", "--tell")
    code, out, err = run(*swap)
    assert (code, err) == (0, "")
    assert out == "web: 王五 on call from 2026-12-08 09:00 to 2099-01-01 10:00, in the place of 张三\n"
    assert sorted(one["receivers"][0] for one in company.messages()) == ["wangwu", "zhangsan"]
    shown = json.loads(run("show", "--at", "2026-12-09 10:00", json=True)[1])["handlers"]
    assert [(one["handler"], one["rotas"][0]["on_call"]) for one in shown] == [
        ("app", ["王五"]),
        ("bot", ["王五"]),
        ("aibot", ["王五"]),
    ]
