"""Phones ring once and their state is told in two languages."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from tests.scripted import ScriptedWeCom, ok
from wecom_logging import WeComClient, errors
from wecom_logging._sandbox import Sandbox
from wecom_logging.model import Call, CallState

ME = "sandbox-user"


def scripted_client(server: ScriptedWeCom) -> WeComClient:
    return WeComClient("ww", "s" * 20, agent_id=1, api_base=server.url, sleep=lambda _: None)


def test_a_phone_rings_until_somebody_does_something(client: WeComClient, sandbox: Sandbox) -> None:
    sandbox.add_member("wangwu", email="w@example.com")
    one, other = client.phone.ring([ME, "wangwu"])
    assert (one.user_id, one.code, other) == (ME, 0, Call("wangwu", "", 60103))
    state = client.phone.state_of(ME, one.call_id)
    assert (state.answered, state.over) == (False, False)
    assert (state.meaning, state.meaning_zh) == ("the phone rings", "正在振铃")
    sandbox.answer(ME)
    state = client.phone.state_of(ME, one.call_id)
    assert (state.answered, state.over, state.reason) == (True, False, 3)
    sandbox.clock.advance(10)
    state = client.phone.state_of(ME, one.call_id)
    assert (state.answered, state.over, state.talked_s, state.meaning_zh) == (True, True, 10, "通话正常结束")


@pytest.mark.parametrize(("how", "meaning"), [("refuse", "refused"), ("no_answer", "not answered")])
def test_a_phone_that_nobody_answers(client: WeComClient, sandbox: Sandbox, how: str, meaning: str) -> None:
    sandbox.answer(ME, how)
    (one,) = client.phone.ring([ME])
    state = client.phone.state_of(ME, one.call_id)
    assert (state.answered, state.over, state.meaning) == (False, True, meaning)


@pytest.mark.parametrize(("switch", "code"), [("not_linked", 301049), ("not_enabled", 301050), ("no_balance", 301051)])
def test_calls_are_not_possible(client: WeComClient, sandbox: Sandbox, switch: str, code: int) -> None:
    sandbox.add_fault({"phone_calls": switch})
    with pytest.raises(errors.PermissionDeniedError) as caught:
        client.phone.ring([ME])
    assert caught.value.errcode == code
    assert "紧急通知" in caught.value.remedy
    assert "紧急通知" in caught.value.remedy_zh


def test_a_call_is_asked_for_once_and_its_state_again(client: WeComClient, sandbox: Sandbox) -> None:
    sandbox.fail("pstncc/call", drop=True)
    with pytest.raises(errors.TransportError):
        client.phone.ring([ME])
    assert sandbox.count_calls("pstncc/call") == 1
    sandbox.fail("pstncc/call", 42001)  # refused before anything rang
    (one,) = client.phone.ring([ME])
    sandbox.fail("pstncc/getstates", drop=True)
    assert client.phone.state_of(ME, one.call_id).reason == 1
    assert len(sandbox.rings()) == 1


@pytest.mark.parametrize("users", [[], ["a b"], [""]])
def test_nobody_is_called_by_a_wrong_name(client: WeComClient, sandbox: Sandbox, users: list[str]) -> None:
    with pytest.raises(errors.MessageError):
        client.phone.ring(users)
    assert sandbox.calls == ()


@pytest.mark.parametrize(
    "answer",
    [
        {"states": {}},
        {"states": []},
        {"states": [{"code": 0, "callid": "x"}]},
        {"states": [{"userid": "a", "callid": "x"}]},
    ],
)
def test_an_answer_to_a_call_that_makes_no_sense(scripted: ScriptedWeCom, answer: dict[str, Any]) -> None:
    scripted.script("/cgi-bin/pstncc/call", ok(**answer))
    with pytest.raises(errors.BadResponseError):
        scripted_client(scripted).phone.ring(["a"])


def test_a_reason_that_no_page_has(scripted: ScriptedWeCom) -> None:
    asked = {"istalked": 0, "calltime": 7, "talktime": 0}
    scripted.script(
        "/cgi-bin/pstncc/getstates", ok(**asked, reason=42), ok(reason=2), ok(**asked), ok(**asked, reason=-1)
    )
    phone = scripted_client(scripted).phone
    assert phone.state_of("a", "x") == CallState(False, 42, "reason 42", "原因 42", 7, 0)
    assert phone.state_of("a", "x") == CallState(True, 2, "answered", "已接听")
    for _ in range(2):
        with pytest.raises(errors.BadResponseError):
            phone.state_of("a", "x")
    assert scripted.requests[-1].json == {"callee_userid": "a", "callid": "x"}


def test_each_reason_of_the_page_has_words_in_two_languages() -> None:
    rows = tomllib.loads(files("wecom_logging._wecom").joinpath("phone.toml").read_text(encoding="utf-8"))["reasons"]
    assert sorted(map(int, rows)) == [*range(18), 20, 99]
    assert all(en.isascii() and zh and not zh.isascii() for en, zh in rows.values())
