"""Phones ring once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripted import ScriptedWeCom, ok
from wecom_logging import WeComClient, errors
from wecom_logging._sandbox import Sandbox
from wecom_logging.model import Call

ME = "sandbox-user"


def scripted_client(server: ScriptedWeCom) -> WeComClient:
    return WeComClient("ww", "s" * 20, agent_id=1, api_base=server.url, sleep=lambda _: None)


def test_each_phone_rings_that_is_known(client: WeComClient, sandbox: Sandbox) -> None:
    sandbox.add_member("wangwu", email="w@example.com")
    one, other = client.phone.ring([ME, "wangwu"])
    assert (one.user_id, one.code, other) == (ME, 0, Call("wangwu", "", 60103))
    assert [ring["callid"] for ring in sandbox.rings()] == [one.call_id]


@pytest.mark.parametrize(("switch", "code"), [("not_linked", 301049), ("not_enabled", 301050), ("no_balance", 301051)])
def test_calls_are_not_possible(client: WeComClient, sandbox: Sandbox, switch: str, code: int) -> None:
    sandbox.add_fault({"phone_calls": switch})
    with pytest.raises(errors.PermissionDeniedError) as caught:
        client.phone.ring([ME])
    assert caught.value.errcode == code
    assert "紧急通知" in caught.value.remedy
    assert "紧急通知" in caught.value.remedy_zh


def test_a_call_is_asked_for_once(client: WeComClient, sandbox: Sandbox) -> None:
    sandbox.fail("pstncc/call", drop=True)
    with pytest.raises(errors.TransportError):
        client.phone.ring([ME])
    assert sandbox.count_calls("pstncc/call") == 1
    sandbox.fail("pstncc/call", 42001)  # refused before anything rang
    client.phone.ring([ME])
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
