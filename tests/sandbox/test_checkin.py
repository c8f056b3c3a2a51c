"""checkin/…: who works in which shift. The bodies are those that clients of others send."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk, FakeClock

CHINA = timezone(timedelta(hours=8))
ME = "sandbox-user"
WEEK = {"starttime": int(datetime(2026, 11, 27, tzinfo=CHINA).timestamp())}
WEEK |= {"endtime": WEEK["starttime"] + 6 * 24 * 3600}


@pytest.fixture(autouse=True)
def lisi(sandbox: Sandbox) -> None:
    sandbox.add_member("lisi", name="李四")


def plan(app: Clerk, *items: tuple[str, int, int], yearmonth: int = 202611, groupid: int = 1) -> int:
    """As WxJava 4.7 and PowerWeChat 3 send it."""
    listed = [{"userid": user, "day": day, "schedule_id": shift} for user, day, shift in items]
    answer = app.write("checkin/setcheckinschedulist", groupid=groupid, items=listed, yearmonth=yearmonth)
    code: int = answer["errcode"]
    return code


def planned(app: Clerk, *users: str, **span: int) -> Any:
    """As WxJava 4.7 and EasyWeChat 5 send it."""
    body = {**WEEK, "useridlist": list(users), **span}
    return app.write("checkin/getcheckinschedulist", **body)


def test_shifts_are_set_and_read(app: Clerk) -> None:
    assert plan(app, ("lisi", 30, 2), ("lisi", 28, 0), (ME, 30, 1)) == 0
    assert plan(app, ("lisi", 1, 2), yearmonth=202612) == 0
    assert plan(app, ("lisi", 9, 2), yearmonth=202612) == 0  # after the week
    answer = planned(app, "lisi", ME)
    assert answer["errcode"] == 0
    first, second, third = answer["schedule_list"]
    assert (first["userid"], first["yearmonth"], first["groupid"]) == ("lisi", 202611, 1)
    off, night = first["schedule"]["scheduleList"]
    assert off == {"day": 28, "schedule_info": {"schedule_id": 0, "schedule_name": "休息", "time_section": []}}
    assert night["day"] == 30
    assert night["schedule_info"]["schedule_name"] == "晚班"
    (span,) = night["schedule_info"]["time_section"]
    assert (span["work_sec"], span["off_work_sec"]) == (18 * 3600, 33 * 3600)
    assert (second["yearmonth"], [one["day"] for one in second["schedule"]["scheduleList"]]) == (202612, [1])
    assert third["userid"] == ME


def test_a_day_is_that_of_china(app: Clerk) -> None:
    assert plan(app, ("lisi", 30, 2)) == 0
    midnight = int(datetime(2026, 11, 30, tzinfo=CHINA).timestamp())
    assert planned(app, "lisi", starttime=midnight - 60, endtime=midnight - 1)["schedule_list"] == []
    assert len(planned(app, "lisi", starttime=midnight, endtime=midnight)["schedule_list"]) == 1


def test_rules_name_the_shifts(app: Clerk) -> None:
    answer = app.write("checkin/getcheckinoption", datetime=WEEK["starttime"], useridlist=[ME, "lisi"])
    assert [one["userid"] for one in answer["info"]] == [ME, "lisi"]
    group = answer["info"][0]["group"]
    assert (group["grouptype"], group["sync_holidays"], group["spe_workdays"]) == (2, False, [])
    assert [(one["schedule_id"], one["schedule_name"]) for one in group["schedulelist"]] == [(1, "早班"), (2, "晚班")]
    assert app.write("checkin/getcheckinoption", datetime=0, useridlist=[ME])["errcode"] == 301075


@pytest.mark.parametrize("call", ["getcheckinschedulist", "setcheckinschedulist", "getcheckinoption"])
def test_an_app_must_be_listed_under_checkin(app: Clerk, clerk: Clerk, sandbox: Sandbox, call: str) -> None:
    assert clerk.write(f"checkin/{call}")["errcode"] == 48002
    sandbox.add_fault({"checkin": False})
    assert app.write(f"checkin/{call}")["errcode"] == 48002
    sandbox.reset()
    assert app.write(f"checkin/{call}")["errcode"] == 301075


def test_sixty_calls_a_minute(app: Clerk, clock: FakeClock) -> None:
    assert [planned(app, ME)["errcode"] for _ in range(61)] == [0] * 60 + [45009]
    assert plan(app, (ME, 1, 1)) == 0  # another call
    clock.now += 60
    assert planned(app, ME)["errcode"] == 0


@pytest.mark.parametrize(
    "span",
    [
        {"useridlist": []},
        {"useridlist": [ME] * 101},
        {"endtime": WEEK["starttime"] - 1},
        {"endtime": WEEK["starttime"] + 31 * 24 * 3600 + 1},
        {"starttime": 2**40, "endtime": 2**40},
        {"starttime": None},
    ],
)
def test_a_wrong_question(app: Clerk, span: dict[str, Any]) -> None:
    body = {**WEEK, "useridlist": [ME], **span}
    assert app.write("checkin/getcheckinschedulist", **body)["errcode"] == 301075


def test_a_member_whom_nobody_knows(app: Clerk) -> None:
    assert planned(app, ME, "nobody")["errcode"] == 301021
    assert plan(app, ("nobody", 1, 1)) == 301021


def test_a_plan_that_makes_no_sense_changes_nothing(app: Clerk) -> None:
    assert plan(app, ("lisi", 31, 1)) == 301075
    assert plan(app, ("lisi", 30, 1), ("lisi", 29, 3)) == 301075
    assert plan(app, ("lisi", 1, 1), groupid=2) == 301075
    assert plan(app, ("lisi", 1, 1), yearmonth=202613) == 301075
    assert plan(app) == 301075
    assert planned(app, "lisi")["schedule_list"] == []


SENT = {
    "WxJava 4.7, EasyWeChat 5": ('{"starttime":1795708800,"endtime":1796227200,"useridlist":["lisi"]}', 0),
    "PowerWeChat 3": ('{"endtime":"1796227200","starttime":"1795708800","useridlist":["lisi"]}\n', 0),
    "EasyWeChat 5, a list with a gap": (
        '{"starttime":1795708800,"endtime":1796227200,"useridlist":{"3":"lisi"}}',
        301075,
    ),
    "WxJava 4.7, nobody": ('{"starttime":1795708800,"endtime":1796227200,"useridlist":[]}', 301075),
}


@pytest.mark.parametrize("client", SENT)
def test_what_other_clients_send(app: Clerk, wecom: Caller, client: str) -> None:
    """Word for word, and each client read the answer."""
    body, errcode = SENT[client]
    assert plan(app, ("lisi", 28, 2)) == 0
    answer = wecom.post("/cgi-bin/checkin/getcheckinschedulist", data=body, access_token=wecom.token())
    assert answer["errcode"] == errcode
    assert [one["userid"] for one in answer.get("schedule_list", [])] == ["lisi"] * (errcode == 0)


def test_times_may_be_texts(app: Clerk) -> None:
    """As PowerWeChat 3 sends all of them."""
    assert app.write("checkin/getcheckinoption", datetime="1795708800", useridlist=[ME])["errcode"] == 0
