"""/sandbox/…, the page, and the object that tests hold."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.mailbox import Mailbox, Message

from ..programs import until
from .caller import Caller, FakeClock


def order(sandbox: Sandbox, fault: Any) -> requests.Response:
    return requests.post(sandbox.url + "/sandbox/faults", json=fault, timeout=10)


def test_messages_are_read_and_emptied(wecom: Caller, sandbox: Sandbox) -> None:
    wecom.send()
    wecom.push()
    assert [m["channel"] for m in wecom.get("/sandbox/messages")] == ["app", "bot"]
    assert requests.delete(sandbox.url + "/sandbox/messages", timeout=10).status_code == 200
    assert wecom.get("/sandbox/messages") == []
    assert sandbox.messages() == []


@pytest.mark.case("X09")
def test_only_the_newest_ten_thousand_are_kept() -> None:
    mailbox = Mailbox()
    for i in range(10_001):
        mailbox.add(Message(str(i), 0.0, "bot", "text", "x", b"{}"))
    assert [message.id for message in mailbox] == [str(i) for i in range(1, 10_001)]


def test_calls_can_be_counted(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    wecom.send()
    wecom.send(token="nonsense")
    assert [(c.time, c.path, c.errcode) for c in sandbox.calls] == [
        (clock.now, "/cgi-bin/gettoken", 0),
        (clock.now, "/cgi-bin/message/send", 0),
        (clock.now, "/cgi-bin/message/send", 40014),
    ]
    sandbox.clear()
    assert sandbox.calls == ()
    assert sandbox.messages() == []


def test_an_errcode_comes_so_many_times(wecom: Caller, sandbox: Sandbox) -> None:
    assert order(sandbox, {"path": "/cgi-bin/message/send", "errcode": 45009, "times": 2}).status_code == 200
    assert [wecom.send()["errcode"] for _ in range(3)] == [45009, 45009, 0]
    assert len(sandbox.messages()) == 1


def test_an_errcode_comes_once_where_no_number_is_given(wecom: Caller, sandbox: Sandbox) -> None:
    order(sandbox, {"path": "/cgi-bin/webhook/send", "errcode": -1})
    assert [wecom.push()["errcode"] for _ in range(2)] == [-1, 0]


def test_a_code_of_another_family_is_answered_too(wecom: Caller, sandbox: Sandbox) -> None:
    order(sandbox, {"path": "/cgi-bin/webhook/send", "errcode": 640001})
    assert wecom.push()["errcode"] == 640001


@pytest.mark.parametrize("errcode", [4509, 999999, 1])
def test_a_code_that_wecom_does_not_have_is_refused(wecom: Caller, sandbox: Sandbox, errcode: int) -> None:
    answer = order(sandbox, {"path": "/cgi-bin/webhook/send", "errcode": errcode})
    assert (answer.status_code, answer.json()["field"]) == (400, "errcode")
    assert wecom.push()["errcode"] == 0


def test_an_http_status_comes_with_a_page(wecom: Caller, sandbox: Sandbox) -> None:
    order(sandbox, {"path": "/cgi-bin/webhook/send", "status": 502})
    response = requests.post(sandbox.url + "/cgi-bin/webhook/send?key=sandbox-bot", json={}, timeout=10)
    assert response.status_code == 502
    assert response.headers["Content-Type"].startswith("text/html")
    assert "502" in response.text
    assert sandbox.calls[-1].errcode is None


def test_a_dropped_call_gets_no_answer(wecom: Caller, sandbox: Sandbox) -> None:
    order(sandbox, {"path": "/cgi-bin/webhook/send", "drop": True})
    with pytest.raises(requests.ConnectionError):
        wecom.push()
    assert sandbox.messages() == []
    assert len(sandbox.calls) == 1
    assert wecom.push()["errcode"] == 0


def test_a_late_answer_is_right_all_the_same(wecom: Caller, sandbox: Sandbox) -> None:
    order(sandbox, {"path": "/cgi-bin/webhook/send", "delay_s": 0.05})
    started = time.monotonic()
    assert wecom.push()["errcode"] == 0
    assert time.monotonic() - started >= 0.05


def test_a_delay_goes_together_with_the_others(wecom: Caller, sandbox: Sandbox) -> None:
    order(sandbox, {"path": "/cgi-bin/webhook/send", "delay_s": 0.05, "errcode": 6000})
    started = time.monotonic()
    assert wecom.push()["errcode"] == 6000
    assert time.monotonic() - started >= 0.05


def test_stopping_does_not_wait_for_a_delayed_answer() -> None:
    started = time.monotonic()
    with Sandbox() as sandbox:
        sandbox.add_fault({"path": "/cgi-bin/webhook/send", "delay_s": 30})
        with pytest.raises(requests.Timeout):
            requests.post(sandbox.url + "/cgi-bin/webhook/send?key=sandbox-bot", json={}, timeout=0.05)
        until(lambda: len(sandbox.calls) == 1)
    assert time.monotonic() - started < 25


def test_tokens_are_ordered_about_over_http(wecom: Caller, sandbox: Sandbox) -> None:
    wecom.token()
    assert order(sandbox, {"void_token": True}).status_code == 200
    assert wecom.send()["errcode"] == 40014
    assert order(sandbox, {"token_mode": "kill_old"}).status_code == 200
    assert wecom.gettoken()["access_token"] != wecom.gettoken()["access_token"]


@pytest.mark.parametrize(
    "fault",
    [
        {},
        [],
        {"path": "/cgi-bin/gettoken"},
        {"path": "/elsewhere", "errcode": 45009},
        {"errcode": 45009},
        {"path": "/cgi-bin/gettoken", "errcode": "1"},
        {"path": "/cgi-bin/gettoken", "errcode": 45009, "times": 0},
        {"path": "/cgi-bin/gettoken", "errcode": 45009, "status": 500},
        {"path": "/cgi-bin/gettoken", "status": 100},
        {"path": "/cgi-bin/gettoken", "delay_s": -1},
        {"path": "/cgi-bin/gettoken", "drop": 1},
        {"path": "/cgi-bin/gettoken", "errcode": 45009, "time": 3},
        {"void_token": False},
        {"token_mode": "other"},
        {"token_mode": []},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_a_text(sandbox: Sandbox, fault: Any) -> None:
    response = order(sandbox, fault)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_fault_that_is_no_json_is_refused(sandbox: Sandbox) -> None:
    assert requests.post(sandbox.url + "/sandbox/faults", data=b"{", timeout=10).status_code == 400


def test_a_wrong_method_is_405(sandbox: Sandbox) -> None:
    assert requests.put(sandbox.url + "/sandbox/faults", timeout=10).status_code == 405
    assert requests.put(sandbox.url + "/sandbox/messages", timeout=10).status_code == 405


def test_add_fault_raises_where_it_makes_no_sense(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="path"):
        sandbox.add_fault({"errcode": 45009})


def test_faults_are_taken_back(wecom: Caller, sandbox: Sandbox) -> None:
    for code in (45009, 45033, 6000):
        order(sandbox, {"path": "/cgi-bin/webhook/send", "errcode": code})
    assert requests.delete(sandbox.url + "/sandbox/faults?number=1", timeout=10).status_code == 200
    assert wecom.push()["errcode"] == 45033
    assert requests.delete(sandbox.url + "/sandbox/faults?number=x", timeout=10).status_code == 400
    assert requests.delete(sandbox.url + "/sandbox/faults", timeout=10).status_code == 200
    assert wecom.push()["errcode"] == 0


@pytest.mark.case("X09")
def test_only_a_thousand_faults_wait(sandbox: Sandbox) -> None:
    for _ in range(1000):
        sandbox.add_fault({"path": "/cgi-bin/gettoken", "errcode": 45009})
    assert "1000 faults wait" in order(sandbox, {"path": "/cgi-bin/gettoken", "errcode": 45009}).json()["error"]


def test_it_starts_again_and_remembers(clock: FakeClock) -> None:
    sandbox = Sandbox(clock=clock)
    for _ in range(2):
        sandbox.start()
        sandbox.start()
        assert Caller(sandbox).push()["errcode"] == 0
        sandbox.stop()
        sandbox.stop()
    assert len(sandbox.messages()) == 2
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.url


@pytest.mark.case("X04")
def test_a_port_that_is_taken_is_an_oserror(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Sandbox(port).start()
