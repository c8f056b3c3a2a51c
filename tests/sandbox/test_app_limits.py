"""message/send and recall: duplicates, the limit of each member, the way back."""

from __future__ import annotations

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, FakeClock

pytestmark = pytest.mark.case("X08")


def test_the_same_request_is_delivered_once_inside_the_interval(
    wecom: Caller, sandbox: Sandbox, clock: FakeClock
) -> None:
    first = wecom.send(enable_duplicate_check=1)
    clock.now += 1799
    assert wecom.send(enable_duplicate_check=1) == first
    assert len(sandbox.messages()) == 1
    clock.now += 1
    assert wecom.send(enable_duplicate_check=1)["msgid"] != first["msgid"]
    assert len(sandbox.messages()) == 2


def test_the_interval_can_be_chosen(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    wecom.send(enable_duplicate_check=1, duplicate_check_interval=60)
    clock.now += 60
    wecom.send(enable_duplicate_check=1, duplicate_check_interval=60)
    assert len(sandbox.messages()) == 2


def test_another_request_is_no_duplicate(wecom: Caller, sandbox: Sandbox) -> None:
    wecom.send(part="a", enable_duplicate_check=1)
    wecom.send(part="b", enable_duplicate_check=1)
    assert len(sandbox.messages()) == 2


def test_without_the_check_everything_is_delivered_twice(wecom: Caller, sandbox: Sandbox) -> None:
    wecom.send()
    wecom.send()
    assert len(sandbox.messages()) == 2


def test_a_member_gets_30_a_minute_and_the_rest_is_lost_in_silence(
    wecom: Caller, sandbox: Sandbox, clock: FakeClock
) -> None:
    answers = [wecom.send() for _ in range(31)]
    assert {answer["errcode"] for answer in answers} == {0}
    assert answers[-1]["msgid"]
    assert len(sandbox.messages()) == 30
    clock.now += 60
    wecom.send()
    assert len(sandbox.messages()) == 31


@pytest.mark.slow
def test_a_member_gets_1000_an_hour(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    for _ in range(34):
        for _ in range(30):
            wecom.send()
        clock.now += 60
    assert len(sandbox.messages()) == 1000
    clock.now += 3600 - 34 * 60 + 1
    wecom.send()
    assert len(sandbox.messages()) == 1001


def test_who_had_enough_is_absent_from_the_receivers(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_member("rested")
    for _ in range(30):
        wecom.send()
    assert wecom.send(touser="sandbox-user|rested")["invaliduser"] == ""
    assert sandbox.messages()[-1]["receivers"] == ["rested"]


def test_a_recalled_message_disappears(wecom: Caller, sandbox: Sandbox) -> None:
    kept, recalled = wecom.send()["msgid"], wecom.send()["msgid"]
    assert wecom.post("/cgi-bin/message/recall", {"msgid": recalled}, access_token=wecom.token())["errcode"] == 0
    assert [message["id"] for message in sandbox.messages()] == [kept]


def test_a_recall_comes_within_a_day(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    id = wecom.send()["msgid"]
    clock.now += 24 * 3600
    token = wecom.gettoken()["access_token"]
    assert wecom.post("/cgi-bin/message/recall", {"msgid": id}, access_token=token)["errcode"] == 42052
    assert len(sandbox.messages()) == 1


def test_an_unknown_message_or_one_of_another_app_is_not_recalled(wecom: Caller, sandbox: Sandbox) -> None:
    id = wecom.send()["msgid"]
    sandbox.add_app("other-secret", 1000003)
    other = wecom.gettoken("other-secret")["access_token"]
    assert wecom.post("/cgi-bin/message/recall", {"msgid": id}, access_token=other)["errcode"] == 40058
    assert wecom.post("/cgi-bin/message/recall", {"msgid": "x"}, access_token=wecom.token())["errcode"] == 40058
    assert wecom.post("/cgi-bin/message/recall", {}, access_token=wecom.token())["errcode"] == 40058
    assert len(sandbox.messages()) == 1
