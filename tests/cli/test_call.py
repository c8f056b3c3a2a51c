"""`wecom-logging call`: a message, then a phone that rings in the sandbox."""

from __future__ import annotations

import json

import pytest

from wecom_logging._sandbox import Sandbox

from .conftest import APP, Command, Said, paths

ME = "沙箱用户 (sandbox-user)"


@pytest.fixture
def call(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command with an app's secret alone."""
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
    done = call("沙箱用户", "--yes")
    assert (done.status, done.out) == (0, f"the phone of {ME} is called\n")
    (message,) = sandbox.messages()
    assert message["receivers"] == ["sandbox-user"]
    assert message["content"] == "A test call follows: your phone is about to ring. (wecom-logging call)"
    made = paths(sandbox)
    assert made.index("message/send") < made.index("pstncc/call")


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
