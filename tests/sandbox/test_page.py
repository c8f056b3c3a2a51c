"""The page: its files, its stream of news, and what it is told of calls."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.page.page import FILES, MOST

from ..programs import until
from .caller import Caller, FakeClock


class Page:
    """What an open page hears."""

    def __init__(self, sandbox: Sandbox, last_seen: str = "") -> None:
        self._connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=60)
        self._connection.request("GET", "/sandbox/events", headers={"Last-Event-ID": last_seen} if last_seen else {})
        self.response = self._connection.getresponse()
        self.id = ""

    def news(self, wanted: Callable[[dict[str, Any]], object] = lambda _: True) -> dict[str, Any]:
        """The next that are wanted."""
        while line := self.response.readline():
            if line.startswith(b"id: "):
                self.id = line[4:].decode().strip()
            elif line.startswith(b"data: "):
                told: dict[str, Any] = json.loads(line[6:])
                if wanted(told):
                    return told
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self.response.close()
        self._connection.close()


def something(told: dict[str, Any]) -> object:
    return told["messages"]


def first(sandbox: Sandbox) -> dict[str, Any]:
    with closing(Page(sandbox)) as page:
        return page.news()


@pytest.mark.case("X07")
def test_only_files_of_its_own_run(sandbox: Sandbox) -> None:
    for path in FILES:
        headers = requests.get(sandbox.url + path, timeout=10).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers
    assert {"/", "/static/main.js", "/static/style.css"} <= FILES.keys()
    html = FILES["/"].data.decode()
    assert "style=" not in html
    assert "onclick" not in html


def test_the_page_asks_for_nothing_from_elsewhere(sandbox: Sandbox) -> None:
    for path, file in FILES.items():
        text = file.data.decode().replace("http://www.w3.org/2000/svg", "").replace(r"/^https?:\/\//i", "")
        assert "http" not in text, path
        assert "innerHTML" not in text, path


def test_the_page_may_only_be_read(sandbox: Sandbox) -> None:
    assert requests.post(sandbox.url + "/", timeout=10).status_code == 404
    assert requests.post(sandbox.url + "/sandbox/events", timeout=10).status_code == 405
    assert requests.head(sandbox.url + "/static/main.js", timeout=10).content == b""


def test_news_come_as_they_happen(wecom: Caller, sandbox: Sandbox) -> None:
    with closing(Page(sandbox)) as page:
        assert page.news()["messages"] == []
        wecom.send(part="one")
        told = page.news(something)
        (message,) = told["messages"]
        assert not told["reset"]
        assert (message["to"], message["wechat"], message["nodes"]) == (["u:sandbox-user"], True, [["text", {}, "one"]])
        assert told["names"]["sandbox-user"] == "沙箱用户"
        wecom.push(part="two")
        told = page.news(something)
        assert [m["nodes"] for m in told["messages"]] == [[["text", {}, "two"]]]


def test_a_page_that_comes_back_hears_what_it_missed(wecom: Caller, sandbox: Sandbox) -> None:
    wecom.push(part="one")
    with closing(Page(sandbox)) as page:
        assert len(page.news()["messages"]) == 1
    wecom.push(part="two")
    with closing(Page(sandbox, page.id)) as again:
        told = again.news()
    assert not told["reset"]
    assert [m["number"] for m in told["messages"]] == [2]


@pytest.mark.parametrize("last_seen", ["", "x", "1.2", "1.2.3", "-1.0.0", "9" * 400, "1.1.99999999999999"])
def test_a_page_with_a_number_of_another_time_begins_anew(wecom: Caller, sandbox: Sandbox, last_seen: str) -> None:
    wecom.push()
    with closing(Page(sandbox, last_seen)) as page:
        told = page.news()
    assert told["reset"]
    assert len(told["messages"]) == 1


def test_what_is_emptied_goes_from_the_page_too(wecom: Caller, sandbox: Sandbox) -> None:
    wecom.push()
    with closing(Page(sandbox)) as page:
        page.news()
        requests.delete(sandbox.url + "/sandbox/messages", timeout=10)
        told = page.news(lambda told: told["reset"])
    assert told["messages"] == []


def test_a_late_page_gets_the_newest(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    for number in range(250):
        clock.now += 4
        wecom.push(part=str(number))
    told = first(sandbox)
    assert [m["number"] for m in told["messages"]] == list(range(51, 251))
    assert len(told["calls"]) == 200


def test_only_so_many_pages_are_served_and_a_place_comes_back(sandbox: Sandbox) -> None:
    pages = [Page(sandbox) for _ in range(MOST)]
    assert requests.get(sandbox.url + "/sandbox/events", timeout=10).status_code == 503
    for page in pages:
        page.close()
    until(lambda: requests.get(sandbox.url + "/sandbox/events", stream=True, timeout=10).status_code == 200)


def test_pages_that_are_never_read_make_room_for_another(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wecom_logging._sandbox.page.page.HELD_S", 0.0)
    pages = [Page(sandbox) for _ in range(MOST)]
    assert first(sandbox)["reset"]
    assert pages[0].response.read() == b"" or pages[0].response.isclosed()
    for page in pages:
        page.close()


def test_stopping_ends_the_streams() -> None:
    sandbox = Sandbox()
    sandbox.start()
    with closing(Page(sandbox)) as page:
        page.news()
        sandbox.stop()
        assert page.response.read() is not None  # it ends


@pytest.mark.case("X07")
@pytest.mark.shows_secrets
def test_no_secret_is_shown(wecom: Caller, sandbox: Sandbox) -> None:
    token = wecom.token()
    wecom.send(part=f"secret sandbox-app-secret and {token}")
    wecom.push(part="sandbox-bot")
    wecom.post("/cgi-bin/webhook/send", {}, key="a-key-of-somebody-else")
    wecom.gettoken("a-wrong-secret-of-somebody")
    calls = first(sandbox)["calls"]
    shown = json.dumps(calls)
    for secret in ("sandbox-app-secret", token, "sandbox-bot", "a-key-of-somebody-else", "a-wrong-secret-of-somebody"):
        assert secret not in shown
    assert [call["query"] for call in calls][1] == "access_token=***"


@pytest.mark.shows_secrets
def test_the_secret_that_is_sent_twice_is_not_shown(wecom: Caller, sandbox: Sandbox) -> None:
    """As PowerWeChat 3 asks for a token."""
    secret = "a+wrong/secret=of-somebody"
    ids = {"appid": "wwsandbox", "corpid": "wwsandbox"}
    wecom.get("/cgi-bin/gettoken", **ids, corpsecret=secret, neededText="", secret=secret)
    (call,) = first(sandbox)["calls"]
    assert call["query"] == "appid=wwsandbox&corpid=wwsandbox&corpsecret=***&neededText=&secret=***"


def test_a_call_shows_its_bytes_and_its_refusal(wecom: Caller, sandbox: Sandbox) -> None:
    wecom.push("markdown", "汉" * 2000)
    wecom.push("text", "short")
    (refused, sent) = first(sandbox)["calls"]
    assert (refused["errcode"], refused["used"], refused["limit"]) == (40058, 6000, 4096)
    assert {"en", "zh", "url"} == set(refused["remedy"])
    assert (sent["errcode"], sent["used"], sent["limit"], sent["message"]) == (0, 5, 2048, 1)


def test_what_wecom_discards_in_silence_is_told(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    for _ in range(31):
        assert wecom.send()["errcode"] == 0
    assert first(sandbox)["calls"][-1]["discarded"] == 1


def test_calls_without_an_answer_are_told(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "drop": True})
    with pytest.raises(requests.ConnectionError):
        wecom.push()
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "status": 502})
    requests.post(sandbox.url + "/cgi-bin/webhook/send", timeout=10)
    assert [(call["errcode"], call["status"]) for call in first(sandbox)["calls"]] == [(None, 0), (None, 502)]


def test_faults_and_switches_are_told(sandbox: Sandbox) -> None:
    sandbox.add_fault({"path": "/cgi-bin/gettoken", "errcode": 45009, "times": 3})
    for wish in ({"trusted_ips": []}, {"contacts_details": False}, {"token_mode": "overlap"}):
        sandbox.add_fault(wish)
    told = first(sandbox)
    assert [(f["number"], f["path"], f["times"]) for f in told["faults"]] == [(1, "/cgi-bin/gettoken", 3)]
    assert (told["trusted_ips"], told["contacts_details"], told["token_mode"]) == ([], False, "overlap")


def test_a_reader_that_stands_still_holds_nobody_up(wecom: Caller, sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as still:
        still.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        still.sendall(b"GET /sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(20):
            assert wecom.push(part="x" * 2000)["errcode"] == 0
