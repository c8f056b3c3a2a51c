"""gettoken and what a token opens."""

from __future__ import annotations

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, FakeClock

pytestmark = pytest.mark.case("X08")


def test_the_right_secret_gives_a_token_of_two_hours(wecom: Caller) -> None:
    answer = wecom.gettoken()
    assert (answer["errcode"], answer["errmsg"], answer["expires_in"]) == (0, "ok", 7200)
    assert 0 < len(answer["access_token"]) <= 512


@pytest.mark.parametrize(
    ("params", "errcode"),
    [
        ({"corpid": "wwsandbox", "corpsecret": "wrong"}, 40001),
        ({"corpid": "wwother", "corpsecret": "sandbox-app-secret"}, 40013),
        ({"corpsecret": "sandbox-app-secret"}, 41002),
        ({"corpid": "wwsandbox"}, 41004),
    ],
)
def test_wrong_credentials_are_named(wecom: Caller, params: dict[str, str], errcode: int) -> None:
    answer = wecom.get("/cgi-bin/gettoken", **params)
    assert answer["errcode"] == errcode
    assert "access_token" not in answer


def test_a_token_is_missing(wecom: Caller) -> None:
    assert wecom.send(token="")["errcode"] == 41001


def test_a_token_is_unknown(wecom: Caller) -> None:
    assert wecom.send(token="nonsense")["errcode"] == 40014


def test_a_token_ends_by_the_clock_that_was_handed_in(wecom: Caller, clock: FakeClock) -> None:
    token = wecom.gettoken()["access_token"]
    clock.now += 7199
    assert wecom.send(token=token)["errcode"] == 0
    clock.now += 1
    assert wecom.send(token=token)["errcode"] == 42001


def test_same_mode_repeats_the_token_and_says_what_is_left_of_it(wecom: Caller, clock: FakeClock) -> None:
    first = wecom.gettoken()
    clock.now += 100
    second = wecom.gettoken()
    assert second["access_token"] == first["access_token"]
    assert second["expires_in"] == 7100
    clock.now += 7100
    assert wecom.gettoken()["access_token"] != first["access_token"]


def test_kill_old_mode_voids_the_old_token(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault({"token_mode": "kill_old"})
    old, new = wecom.gettoken()["access_token"], wecom.gettoken()["access_token"]
    assert old != new
    assert wecom.send(token=old)["errcode"] == 40014
    assert wecom.send(token=new)["errcode"] == 0


def test_overlap_mode_lets_the_old_token_live_five_more_minutes(
    wecom: Caller, sandbox: Sandbox, clock: FakeClock
) -> None:
    sandbox.add_fault({"token_mode": "overlap"})
    old, new = wecom.gettoken()["access_token"], wecom.gettoken()["access_token"]
    assert old != new
    clock.now += 299
    assert wecom.send(token=old)["errcode"] == 0
    clock.now += 1
    assert wecom.send(token=old)["errcode"] == 42001
    assert wecom.send(token=new)["errcode"] == 0


def test_void_token_ends_all_tokens_and_the_next_one_is_new(wecom: Caller, sandbox: Sandbox) -> None:
    old = wecom.gettoken()["access_token"]
    sandbox.add_fault({"void_token": True})
    assert wecom.send(token=old)["errcode"] == 40014
    assert wecom.send(token=wecom.gettoken()["access_token"])["errcode"] == 0


def test_a_contacts_token_may_not_send(wecom: Caller) -> None:
    token = wecom.gettoken("sandbox-contacts-secret")["access_token"]
    assert wecom.send(token=token)["errcode"] == 48002


def test_a_token_opens_its_own_app_only(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_app("other-secret", 1000003)
    token = wecom.gettoken("other-secret")["access_token"]
    assert wecom.send(token=token)["errcode"] == 301002
    assert wecom.send(token=token, agentid=1000003)["errcode"] == 0


def test_an_app_can_ask_who_it_is(wecom: Caller) -> None:
    answer = wecom.get("/cgi-bin/agent/get", access_token=wecom.token(), agentid=1000002)
    assert (answer["errcode"], answer["agentid"], answer["close"]) == (0, 1000002, 0)
    assert answer["allow_partys"] == {"partyid": [1]}
    assert wecom.get("/cgi-bin/agent/get", access_token=wecom.token(), agentid=7)["errcode"] == 40056
    assert wecom.get("/cgi-bin/agent/get", access_token=wecom.token())["errcode"] == 41011
