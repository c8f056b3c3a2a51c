"""pstncc/…: WeCom calls phones, and what members do with it. The bodies are those that clients of others send."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk, FakeClock

ME = "sandbox-user"
SECRET = "sandbox-app-secret"


@pytest.fixture
def sandbox_people(sandbox: Sandbox) -> None:
    sandbox.add_member("lisi", name="李四", mobile="13800000001")
    sandbox.add_member("wangwu", name="王五", email="w@example.com")


def call(app: Clerk, *users: str) -> list[dict[str, Any]]:
    """As PowerWeChat 3 sends it."""
    answer = app.write("pstncc/call", callee_userid=list(users))
    assert answer["errcode"] == 0, answer
    states: list[dict[str, Any]] = answer["states"]
    return states


def state(app: Clerk, callid: str, user: str = "lisi") -> tuple[int, int, int]:
    answer = app.write("pstncc/getstates", callee_userid=user, callid=callid)
    assert answer["errcode"] == 0, answer
    return answer["istalked"], answer["talktime"], answer["reason"]


@pytest.mark.usefixtures("sandbox_people")
def test_a_phone_rings_and_is_answered(app: Clerk, sandbox: Sandbox, clock: FakeClock) -> None:
    (one,) = call(app, "lisi")
    assert (one["code"], one["userid"]) == (0, "lisi")
    assert app.write("pstncc/getstates", callee_userid="lisi", callid=one["callid"]) == {
        "errcode": 0,
        "errmsg": "ok",
        "istalked": 0,
        "calltime": int(clock.now),
        "talktime": 0,
        "reason": 1,
    }
    clock.now += 5
    sandbox.answer("lisi")
    clock.now += 2
    assert state(app, one["callid"]) == (1, 2, 3)
    clock.now += 60
    assert state(app, one["callid"]) == (1, 10, 0)
    assert [ring["user_id"] for ring in sandbox.rings()] == ["lisi"]


@pytest.mark.usefixtures("sandbox_people")
@pytest.mark.parametrize(("how", "reason"), [("refuse", 7), ("no_answer", 4), ("off", 8)])
def test_a_phone_that_is_not_answered(app: Clerk, sandbox: Sandbox, how: str, reason: int) -> None:
    (now,) = call(app, "lisi")
    wish = {"user_id": "LiSi", "how": how}
    assert requests.post(f"{sandbox.url}/sandbox/rings", json=wish, timeout=10).status_code == 200
    assert state(app, now["callid"]) == (0, 0, reason)
    sandbox.answer("lisi", how)  # ahead of the call
    (later,) = call(app, "lisi")
    assert state(app, later["callid"]) == (0, 0, reason)
    (last,) = call(app, "lisi")
    assert state(app, last["callid"])[2] == 1


@pytest.mark.usefixtures("sandbox_people")
def test_nobody_answers_for_45_seconds(app: Clerk, clock: FakeClock) -> None:
    (one,) = call(app, "lisi")
    clock.now += 44
    assert state(app, one["callid"])[2] == 1
    clock.now += 1
    assert state(app, one["callid"]) == (0, 0, 4)


@pytest.mark.usefixtures("sandbox_people")
def test_a_person_is_called_3_times_in_8_minutes_and_8_times_in_24_hours(wecom: Caller, clock: FakeClock) -> None:
    def reason() -> int:
        app = Clerk(wecom, SECRET)
        (one,) = call(app, "lisi")
        clock.now += 60
        return state(app, one["callid"])[2]

    assert [reason() for _ in range(4)] == [4, 4, 4, 13]
    assert call(Clerk(wecom, SECRET), ME)[0]["code"] == 0  # another person
    clock.now += 8 * 60
    assert [reason() for _ in range(3)] == [4, 4, 4]
    clock.now += 8 * 60
    assert [reason() for _ in range(3)] == [4, 4, 13]
    clock.now += 24 * 3600
    assert reason() == 4


@pytest.mark.usefixtures("sandbox_people")
def test_a_call_to_a_phone_that_rings_is_busy(app: Clerk) -> None:
    first, second = *call(app, "lisi"), *call(app, "lisi")
    assert (state(app, first["callid"])[2], state(app, second["callid"])[2]) == (1, 16)


@pytest.mark.usefixtures("sandbox_people")
def test_some_of_several_cannot_be_called(app: Clerk) -> None:
    states = call(app, "lisi", "wangwu", "nobody", "lisi")
    assert [(one["userid"], one["code"]) for one in states] == [("lisi", 0), ("wangwu", 60103), ("nobody", 60111)]
    assert [bool(one["callid"]) for one in states] == [True, False, False]


@pytest.mark.usefixtures("sandbox_people")
@pytest.mark.parametrize(
    ("switch", "calls", "asks"),
    [("not_linked", 301049, 301049), ("not_enabled", 301050, 301050), ("no_balance", 301051, 0)],
)
def test_calls_are_not_possible(app: Clerk, sandbox: Sandbox, switch: str, calls: int, asks: int) -> None:
    (one,) = call(app, "lisi")
    sandbox.add_fault({"phone_calls": switch})
    assert app.write("pstncc/call", callee_userid=["lisi"])["errcode"] == calls
    asked = app.write("pstncc/getstates", callee_userid="lisi", callid=one["callid"])
    assert asked["errcode"] == asks
    sandbox.reset()
    assert call(app, ME)[0]["code"] == 0


@pytest.mark.usefixtures("sandbox_people")
def test_a_list_there_and_a_text_here(app: Clerk, clerk: Clerk) -> None:
    (one,) = call(app, "lisi")
    assert app.write("pstncc/call", callee_userid=[])["errcode"] == 40058
    assert app.write("pstncc/getstates", callee_userid=["lisi"], callid=one["callid"])["errcode"] == 40058
    assert app.write("pstncc/getstates", callee_userid="wangwu", callid=one["callid"])["errcode"] == 40058
    assert app.write("pstncc/getstates", callee_userid="lisi", callid="6-x-out")["errcode"] == 40058
    assert clerk.write("pstncc/call", callee_userid=["lisi"])["errcode"] == 48002


@pytest.mark.usefixtures("sandbox_people")
@pytest.mark.parametrize(
    ("client", "body", "errcode", "errmsg"),
    [
        ("PowerWeChat 3", '{"callee_userid":["lisi"]}\n', 0, "ok"),
        ("PowerWeChat 3, nobody", '{"callee_userid":null}\n', 40058, "missing field `callee_userid`."),
        ("api-wecom-cli 0.1", '{"callee_userid": "lisi"}', 0, "ok. Warning: wrong json format. "),
        ("EasyWeChat 5, a form", "callee_userid%5B0%5D=lisi", 40058, "Warning: wrong json format. missing field"),
    ],
)
def test_what_other_clients_send(wecom: Caller, client: str, body: str, errcode: int, errmsg: str) -> None:
    """Word for word, and each client read the answer."""
    answer = wecom.post("/cgi-bin/pstncc/call", data=body, access_token=wecom.token())
    assert (answer["errcode"], answer["errmsg"][: len(errmsg)]) == (errcode, errmsg), client
    assert [one["userid"] for one in answer.get("states", [])] == ["lisi"] * (errcode == 0)


@pytest.mark.usefixtures("sandbox_people")
def test_a_call_is_told_of_for_seven_days(wecom: Caller, clock: FakeClock) -> None:
    (one,) = call(Clerk(wecom, SECRET), "lisi")
    clock.now += 7 * 24 * 3600
    assert state(Clerk(wecom, SECRET), one["callid"])[2] == 4
    clock.now += 1
    answer = Clerk(wecom, SECRET).write("pstncc/getstates", callee_userid="lisi", callid=one["callid"])
    assert answer["errcode"] == 40058


def test_what_makes_no_sense_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/sandbox/rings"
    assert requests.post(url, json={"user_id": ME, "how": "sleep"}, timeout=10).json()["field"] == "how"
    assert requests.post(url, json={"user_id": "nobody", "how": "off"}, timeout=10).json()["field"] == "user_id"
    with pytest.raises(ValueError, match="no such member"):
        sandbox.answer("nobody")
