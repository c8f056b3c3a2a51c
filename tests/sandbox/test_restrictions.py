"""What is shut: untrusted addresses, contacts-sync without details, disabled apps, guessed secrets, removed bots."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk, FakeClock

pytestmark = pytest.mark.case("X08")

DETAILS = [
    ("user/get", {"userid": "sandbox-user"}),
    ("user/simplelist", {"department_id": 1}),
    ("user/list", {"department_id": 1}),
    ("department/list", {}),
    ("department/get", {"id": 1}),
]


def order(sandbox: Sandbox, wish: dict[str, Any]) -> int:
    return requests.post(sandbox.url + "/sandbox/faults", json=wish, timeout=10).status_code


def test_an_untrusted_address_is_60020(wecom: Caller, clerk: Clerk, sandbox: Sandbox) -> None:
    assert order(sandbox, {"trusted_ips": ["10.0.0.1"]}) == 200
    answers = [wecom.send(), clerk.read("tag/list"), clerk.create(), wecom.upload("file", b"123456")]
    assert {answer["errcode"] for answer in answers} == {60020}
    assert all("from ip: 127.0.0.1" in answer["errmsg"] for answer in answers)
    assert wecom.gettoken()["errcode"] == 0
    assert wecom.push()["errcode"] == 0
    order(sandbox, {"trusted_ips": ["10.0.0.1", "127.0.0.1"]})
    assert wecom.send()["errcode"] == 0
    order(sandbox, {"trusted_ips": []})
    assert wecom.send()["errcode"] == 60020
    sandbox.add_fault({"trusted_ips": None})
    assert wecom.send()["errcode"] == 0


def test_a_wrong_token_is_told_before_a_wrong_address(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault({"trusted_ips": []})
    assert wecom.send(token="nonsense")["errcode"] == 40014


@pytest.mark.parametrize(("path", "params"), DETAILS)
def test_contacts_sync_may_be_barred_from_details(
    clerk: Clerk, app: Clerk, sandbox: Sandbox, path: str, params: dict[str, Any]
) -> None:
    assert order(sandbox, {"contacts_details": False}) == 200
    assert clerk.read(path, **params)["errcode"] == 48009
    assert app.read(path, **params)["errcode"] == 0
    order(sandbox, {"contacts_details": True})
    assert clerk.read(path, **params)["errcode"] == 0


def test_ids_and_writing_stay_open_to_contacts_sync(clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_fault({"contacts_details": False})
    assert clerk.create()["errcode"] == 0
    assert len(clerk.write("user/list_id")["dept_user"]) == 2
    assert len(clerk.read("department/simplelist")["department_id"]) == 2


@pytest.mark.parametrize(
    "wish",
    [
        {"trusted_ips": "127.0.0.1"},
        {"trusted_ips": [1]},
        {"trusted_ips": None, "times": 1},
        {"contacts_details": 0},
        {"contacts_details": False, "path": "/cgi-bin/user/get"},
    ],
)
def test_a_restriction_that_makes_no_sense_is_refused(sandbox: Sandbox, wish: dict[str, Any]) -> None:
    assert order(sandbox, wish) == 400


def test_a_disabled_app_opens_nothing_but_its_own_description(wecom: Caller, app: Clerk, sandbox: Sandbox) -> None:
    sandbox.set_app_enabled(1000002, False)
    assert wecom.gettoken()["errcode"] == 50003
    assert app.read("user/get", userid="sandbox-user")["errcode"] == 50003
    assert app.write("message/send", agentid=1000002)["errcode"] == 50003
    assert app.read("agent/get", agentid=1000002)["close"] == 1
    assert Clerk(wecom).create()["errcode"] == 0
    sandbox.set_app_enabled(1000002, True)
    assert app.read("agent/get", agentid=1000002)["close"] == 0
    assert wecom.send()["errcode"] == 0
    with pytest.raises(ValueError, match="7"):
        sandbox.set_app_enabled(7, False)


def test_five_wrong_secrets_close_gettoken_for_an_hour(wecom: Caller, clock: FakeClock) -> None:
    token = wecom.token()
    assert [wecom.gettoken("wrong")["errcode"] for _ in range(5)] == [40001] * 5
    assert wecom.gettoken("wrong")["errcode"] == 45009
    assert wecom.gettoken()["errcode"] == 45009
    assert wecom.send(token=token)["errcode"] == 0
    clock.now += 3600
    assert wecom.gettoken("wrong")["errcode"] == 40001
    assert wecom.gettoken()["errcode"] == 0


def test_a_wrong_secret_now_and_then_closes_nothing(wecom: Caller, clock: FakeClock) -> None:
    for _ in range(10):
        assert wecom.gettoken("wrong")["errcode"] == 40001
        clock.now += 900
    assert wecom.gettoken()["errcode"] == 0


def test_a_removed_bot_is_93000(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_bot("second")
    sandbox.remove_bot("sandbox-bot")
    assert wecom.push()["errcode"] == 93000
    assert wecom.push_upload("file", b"123456")["errcode"] == 93000
    assert wecom.push(key="second")["errcode"] == 0


def test_the_date_header_follows_the_sandboxs_clock(sandbox: Sandbox, clock: FakeClock) -> None:
    clock.now -= 24 * 3600
    headers = requests.get(sandbox.url + "/cgi-bin/gettoken", timeout=10).headers
    assert parsedate_to_datetime(headers["Date"]).timestamp() == clock.now
