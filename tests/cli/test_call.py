"""`wecom-logging call`: a message, then a phone that rings in the sandbox; and what the doctor says of calls."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from wecom_logging._cli import main
from wecom_logging._cli import send as command_send
from wecom_logging._sandbox import Sandbox

from .conftest import APP, Command, Said, paths

ME = "沙箱用户 (sandbox-user)"


@pytest.fixture
def call(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command with an app's secret alone; waiting is done by the sandbox's clock."""
    monkeypatch.delenv("WECOM_CONTACTS_SECRET")
    for name, value in APP.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object, json: bool = False) -> Said:
        return command(*["--json"] * json, "call", *arguments)

    return run


def test_without_yes_it_says_what_it_would_do(call: Command, sandbox: Sandbox) -> None:
    done = call("沙箱用户")
    assert (done.status, done.out) == (2, "")
    assert f"send {ME} a message, and then call: calls of WeCom (紧急通知) are prepaid; --yes does it" in done.err
    assert sandbox.messages() == []
    assert sandbox.rings() == []


def test_a_message_goes_first_and_then_the_phone_rings(call: Command, sandbox: Sandbox) -> None:
    sandbox.answer("sandbox-user")
    done = call("沙箱用户", "--yes")
    assert (done.status, done.out) == (0, f"answered by {ME}\n")
    assert done.err == f"wecom-logging: the phone of {ME} rings …\n"
    (message,) = sandbox.messages()
    assert message["receivers"] == ["sandbox-user"]
    assert message["content"] == "A test call follows: your phone is about to ring. (wecom-logging call)"
    made = paths(sandbox)
    assert made.index("message/send") < made.index("pstncc/call") < made.index("pstncc/getstates")


@pytest.mark.parametrize(
    ("language", "line"), [("en", f"the phone of {ME}: refused\n"), ("zh", f"{ME} 的电话：拒接\n")], ids=["en", "zh"]
)
def test_a_phone_that_is_refused(
    call: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, language: str, line: str
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    sandbox.answer("sandbox-user", "refuse")
    done = call("sandbox-user", "--yes")
    assert (done.status, done.out) == (1, line)


def test_what_became_of_it_as_json(call: Command, sandbox: Sandbox) -> None:
    sandbox.answer("sandbox-user", "off")
    done = call("sandbox-user", "--yes", json=True)
    told = json.loads(done.out)
    assert done.status == 1
    assert told["call_id"] == sandbox.rings()[0]["callid"]
    assert {name: told[name] for name in ("user_id", "name", "code", "answered", "over", "reason", "meaning_zh")} == {
        "user_id": "sandbox-user",
        "name": "沙箱用户",
        "code": 0,
        "answered": False,
        "over": True,
        "reason": 8,
        "meaning_zh": "已关机",
    }


def test_it_waits_as_long_as_the_phone_rings(call: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        sandbox.clock.advance(15)

    monkeypatch.setattr(command_send, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    done = call("sandbox-user", "--yes")
    assert (done.status, done.out) == (1, f"the phone of {ME}: not answered\n")
    assert len(slept) == 3


@pytest.mark.parametrize("as_json", [False, True])
def test_a_member_without_a_mobile(call: Command, sandbox: Sandbox, *, as_json: bool) -> None:
    sandbox.add_member("wangwu", name="王五", email="w@example.com")
    done = call("王五", "--yes", json=as_json)
    assert done.status == 1
    if as_json:
        assert json.loads(done.out) == {"user_id": "wangwu", "name": "王五", "call_id": "", "code": 60103}
    else:
        assert "the call of 王五 (wangwu) has not begun (code 60103)" in done.out


@pytest.mark.parametrize("name", ["nobody", "没有此人", "@all"])
def test_nobody_is_called_by_a_name_that_fits_nobody(call: Command, sandbox: Sandbox, name: str) -> None:
    done = call(name, "--yes")
    assert done.status == 1
    assert name in done.err or "errcode 60111" in done.err or "user_id" in done.err
    assert sandbox.messages() == []
    assert sandbox.rings() == []


def test_a_name_of_several(call: Command, sandbox: Sandbox) -> None:
    for user_id in ("lisi", "lisi2"):
        sandbox.add_member(user_id, name="李四", mobile=f"1380000000{len(user_id)}")
    done = call("李四", "--yes")
    assert done.status == 1
    assert "lisi" in done.err
    assert "lisi2" in done.err
    assert sandbox.rings() == []


def test_calls_are_not_possible(call: Command, sandbox: Sandbox) -> None:
    sandbox.add_fault({"phone_calls": "no_balance"})
    done = call("sandbox-user", "--yes")
    assert (done.status, done.out) == (1, "")
    assert "errcode 301051" in done.err


def test_nothing_is_sent_where_it_is_switched_off(
    call: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_ENABLED", "0")
    assert call("sandbox-user", "--yes").status == 0
    assert sandbox.calls == ()


def test_without_an_app_it_says_what_is_missing(call: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_AGENT_ID")
    done = call("sandbox-user", "--yes")
    assert done.status == 3
    assert "agent_id" in done.err


# the doctor


@pytest.fixture
def doctor(call: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    monkeypatch.setenv("WECOM_USERS", "sandbox-user")

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        status = main(["--json", "doctor", *arguments])
        findings = json.loads(capsys.readouterr().out)["findings"]
        return status, [one for one in findings if one["check"] == "calls"]

    return run


def test_the_doctor_asks_about_calls_where_it_is_asked_to(doctor: Any, sandbox: Sandbox) -> None:
    assert doctor() == (0, [])
    status, (row,) = doctor("--calls")
    assert (status, row["ok"]) == (0, True)
    assert "not tried against the real WeCom" in row["cause"]["en"]
    assert "未在真实的企业微信上验证" in row["cause"]["zh"]
    assert sandbox.rings() == []


@pytest.mark.parametrize(("switch", "code"), [("not_linked", 301049), ("not_enabled", 301050)])
def test_the_doctor_says_why_calls_are_not_possible(doctor: Any, sandbox: Sandbox, switch: str, code: int) -> None:
    sandbox.add_fault({"phone_calls": switch})
    status, (row,) = doctor("--calls")
    assert (status, row["ok"], row["warning"], row["errcode"]) == (0, False, True, code)
    assert "紧急通知" in row["remedy"]["en"]


def test_the_doctor_asks_nothing_about_calls_where_the_app_has_no_token(
    doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_SECRET", "another-secret-of-an-app")
    status, (row,) = doctor("--calls")
    assert (status, row["ok"]) == (1, None)
