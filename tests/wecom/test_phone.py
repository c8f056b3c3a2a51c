"""Phones ring once; shifts are found by the clock on the wall."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.scripted import ScriptedWeCom, ok
from wecom_logging import WeComClient, errors
from wecom_logging._sandbox import Sandbox
from wecom_logging.model import Call, Shift

ME = "sandbox-user"
CHINA = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


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


# shifts


@pytest.fixture
def plan(sandbox: Sandbox, client: WeComClient) -> Callable[..., None]:
    sandbox.add_member("lisi", name="李四")

    def put(*items: tuple[str, int, int]) -> None:
        listed = [{"userid": user, "day": day, "schedule_id": shift} for user, day, shift in items]
        client.call("checkin/setcheckinschedulist", {"groupid": 1, "items": listed, "yearmonth": 202611})

    return put


def at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2026, 11, day, hour, minute, tzinfo=CHINA).timestamp()


def test_who_is_on_shift(client: WeComClient, plan: Callable[..., None]) -> None:
    plan(("lisi", 29, 2), (ME, 30, 2), ("lisi", 30, 1), (ME, 29, 0))
    users = [ME, "LiSi"]

    def who(shift: str, when: float) -> tuple[str, ...]:
        return client.shifts.on_shift(users, shift, when, CHINA)

    assert who("晚班", at(29, 17, 59)) == ()
    assert who("晚班", at(29, 18)) == ("LiSi",)
    assert who("晚班", at(30, 2, 14)) == ("LiSi",)  # the night that began on Sunday
    assert who("晚班", at(30, 9)) == ()
    assert who("早班", at(30, 9)) == ("LiSi",)
    assert who("晚班", at(30, 18)) == (ME,)
    assert who("休息", at(29, 12)) == ()


def test_a_day_that_has_begun_in_the_zone_alone_is_asked_for(scripted: ScriptedWeCom) -> None:
    scripted.script("/cgi-bin/checkin/getcheckinschedulist", ok())
    tokyo = ZoneInfo("Asia/Tokyo")
    scripted_client(scripted).shifts.on_shift(
        ["a"], "早班", datetime(2026, 11, 30, 0, 10, tzinfo=tokyo).timestamp(), tokyo
    )
    asked = scripted.requests[-1].json
    assert datetime.fromtimestamp(asked["starttime"], CHINA).date() <= date(2026, 11, 29)
    assert datetime.fromtimestamp(asked["endtime"], CHINA).date() == date(2026, 11, 30)


def test_shifts_are_listed(client: WeComClient, plan: Callable[..., None]) -> None:
    plan(("lisi", 29, 2), ("lisi", 30, 0))
    assert client.shifts.list(["lisi"], int(at(29, 0)), int(at(30, 0))) == (
        Shift("lisi", date(2026, 11, 29), 2, "晚班", ((64800, 118800),)),
        Shift("lisi", date(2026, 11, 30), 0, "休息"),
    )
    with pytest.raises(errors.InvalidRecipientError):
        client.shifts.list(["nobody"], int(at(29, 0)), int(at(30, 0)))
    for until in (at(28, 0), at(29, 0) + 31 * 24 * 3600 + 1):
        with pytest.raises(errors.MessageError, match="31 days"):
            client.shifts.list(["lisi"], int(at(29, 0)), int(until))


def test_an_app_that_is_not_listed_for_the_check_in(client: WeComClient, sandbox: Sandbox) -> None:
    sandbox.add_fault({"checkin": False})
    with pytest.raises(errors.PermissionDeniedError) as caught:
        client.shifts.on_shift([ME], "晚班", at(29, 0), CHINA)
    assert "打卡" in caught.value.remedy
    assert "打卡" in caught.value.remedy_zh


def test_a_hundred_at_once(scripted: ScriptedWeCom) -> None:
    scripted.script("/cgi-bin/checkin/getcheckinschedulist", ok(), ok(schedule_list=[]), ok())
    users = [f"u{number}" for number in range(250)]
    assert scripted_client(scripted).shifts.on_shift(users, "晚班", at(29, 0), CHINA) == ()
    asked = [one.json for one in scripted.requests if "checkin" in one.path]
    assert [len(one["useridlist"]) for one in asked] == [100, 100, 50]
    assert {one["endtime"] - one["starttime"] for one in asked} == {48 * 3600}


def scheduled(day: int, *sections: tuple[int, int], yearmonth: int = 202603) -> dict[str, Any]:
    spans = [{"id": 1, "work_sec": first, "off_work_sec": last} for first, last in sections]
    info = {"schedule_id": 5, "schedule_name": "夜", "time_section": spans}
    row = {"userid": "a", "yearmonth": yearmonth, "schedule": {"scheduleList": [{"day": day, "schedule_info": info}]}}
    return {"schedule_list": [row]}


def test_a_night_in_which_the_clock_is_put_ahead_keeps_its_hours(scripted: ScriptedWeCom) -> None:
    """28 March 2026, 22:00 to 06:00 in Berlin: 7 hours. The end may be written as less than the begin, too."""
    shifts = scripted_client(scripted).shifts
    for end in (6 * 3600, 30 * 3600):
        for moment, works in (((28, 21, 59), 0), ((28, 22, 0), 1), ((29, 5, 59), 1), ((29, 6, 0), 0)):
            scripted.script("/cgi-bin/checkin/getcheckinschedulist", ok(**scheduled(28, (22 * 3600, end))))
            when = datetime(2026, 3, *moment, tzinfo=BERLIN).timestamp()
            assert len(shifts.on_shift(["a"], "夜", when, BERLIN)) == works, (end, moment)


@pytest.mark.parametrize("day", [scheduled(31, yearmonth=202602), scheduled(0), scheduled(1, yearmonth=10**30)])
def test_a_day_that_is_none(scripted: ScriptedWeCom, day: dict[str, Any]) -> None:
    scripted.script("/cgi-bin/checkin/getcheckinschedulist", ok(**day))
    with pytest.raises(errors.BadResponseError):
        scripted_client(scripted).shifts.list(["a"], 0, 1)
