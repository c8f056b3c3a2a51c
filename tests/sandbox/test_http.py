"""The wire: WeCom's way of answering, keep-alive, strangers, and bodies that are too large or never come."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time

import pytest
import requests

from wecom_logging._sandbox import Sandbox

from ..programs import at_best
from .caller import Caller

HINT = re.compile(
    r"invalid credential, hint: \[1700000000\d{15}\], from ip: 127\.0\.0\.1, "
    r"more info at https://open\.work\.weixin\.qq\.com/devtool/query\?e=40001"
)


def speak(sandbox: Sandbox, raw: bytes) -> bytes:
    """Sends bytes and returns all that comes until the other side closes."""
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_a_refusal_looks_like_wecoms(sandbox: Sandbox) -> None:
    url = sandbox.url + "/cgi-bin/gettoken?corpid=wwsandbox&corpsecret=wrong"
    response = requests.get(url, timeout=10)
    assert response.status_code == 200
    assert HINT.fullmatch(response.json()["errmsg"])
    assert response.headers["Error-Code"] == "40001"
    assert response.headers["Error-Msg"] == response.json()["errmsg"]
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_a_success_has_the_headers_too(sandbox: Sandbox) -> None:
    url = sandbox.url + "/cgi-bin/gettoken?corpid=wwsandbox&corpsecret=sandbox-app-secret"
    headers = requests.get(url, timeout=10).headers
    assert (headers["Error-Code"], headers["Error-Msg"]) == ("0", "ok")


@pytest.mark.parametrize("path", ["message/send", "message/recall", "media/upload", "webhook/send"])
def test_get_where_post_is_meant_is_told_as_wrong_parameters(wecom: Caller, path: str) -> None:
    assert wecom.get(f"/cgi-bin/{path}", access_token=wecom.token(), key="sandbox-bot")["errcode"] == 40058


@pytest.mark.parametrize("path", ["externalcontact/list", "message/update_taskcard", "oa/getapprovalinfo"])
def test_a_call_that_is_not_built_says_so(wecom: Caller, path: str) -> None:
    answer = wecom.post(f"/cgi-bin/{path}", {})
    assert answer["errcode"] == 40058
    assert answer["errmsg"].startswith(f"the sandbox has not built {path}. ")


def test_a_header_holds_whatever_the_path_says(sandbox: Sandbox) -> None:
    response = requests.get(f"{sandbox.url}/cgi-bin/oa/日志%0d%0aX: 1", timeout=10)
    assert response.json()["errcode"] == 40058
    assert response.headers["Error-Msg"].startswith("the sandbox has not built oa/????X: 1. ")


@pytest.mark.parametrize("path", ["elsewhere", "message/elsewhere", "user/", "", "gettoken/", "department/nonsense"])
def test_a_path_that_wecom_has_not_is_404_without_a_body(sandbox: Sandbox, path: str) -> None:
    for method in ("GET", "POST"):
        response = requests.request(method, f"{sandbox.url}/cgi-bin/{path}", timeout=10)
        assert (response.status_code, response.content) == (404, b"")
    assert [call.errcode for call in sandbox.calls] == [None, None]


def test_a_client_that_knows_wecoms_name_alone_is_served(sandbox: Sandbox) -> None:
    """It is sent here by a hosts file; a page of another site is not."""
    head = b"GET /cgi-bin/gettoken HTTP/1.1\r\nHost: qyapi.weixin.qq.com\r\nConnection: close\r\n"
    assert speak(sandbox, head + b"\r\n").startswith(b"HTTP/1.1 200 ")
    for header in ("Origin: https://evil.test", "Origin: http://qyapi.weixin.qq.com", "Sec-Fetch-Site: same-origin"):
        assert speak(sandbox, head + f"{header}\r\n\r\n".encode()).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize("host", ["qyapi.weixin.qq.com", "openws.work.weixin.qq.com:8765"])
def test_by_wecoms_names_only_its_calls_and_the_websocket_are_served(sandbox: Sandbox, host: str) -> None:
    for path in ("/", "/sandbox/messages", "/sandbox/health", "/static/main.js"):
        answer = speak(sandbox, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 421 "), path
    ask = f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    assert speak(sandbox, f"{ask}{key}\r\n".encode()).startswith(b"HTTP/1.1 101 ")
    browser = f"{ask}{key}Origin: http://{host}\r\n\r\n"
    assert speak(sandbox, browser.encode()).startswith(b"HTTP/1.1 421 ")


VISIT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_a_link_of_another_site_to_the_page_is_followed(sandbox: Sandbox) -> None:
    answer = requests.get(sandbox.url, headers=VISIT, timeout=10)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    for method, path, headers in (
        ("POST", "/", VISIT),
        ("GET", "/sandbox/messages", VISIT),
        ("GET", "/cgi-bin/gettoken", VISIT),
        ("GET", "/", {**VISIT, "Sec-Fetch-Dest": "iframe"}),
        ("GET", "/", {**VISIT, "Sec-Fetch-Mode": "no-cors"}),
        ("GET", "/", {**VISIT, "Origin": "https://evil.test"}),
    ):
        assert requests.request(method, sandbox.url + path, headers=headers, timeout=10).status_code == 403, headers


def test_a_refusal_says_what_is_served(sandbox: Sandbox) -> None:
    foreign = requests.get(sandbox.url, headers={"Host": "ci.internal"}, timeout=10)
    assert foreign.status_code == 421
    for word in ("127.0.0.1", "localhost", "--host ADDRESS"):
        assert word in foreign.text
    other = requests.delete(f"{sandbox.url}/sandbox/messages", headers={"Origin": "https://evil.test"}, timeout=10)
    assert other.status_code == 403
    assert "A page of another site" in other.text


def test_debug_is_for_five_calls_a_minute(wecom: Caller) -> None:
    codes = [wecom.get("/cgi-bin/agent/list", access_token=wecom.token(), debug=1)["errcode"] for _ in range(6)]
    assert codes == [0] * 5 + [45009]
    assert wecom.get("/cgi-bin/agent/list", access_token=wecom.token())["errcode"] == 0


def test_a_connection_is_kept(wecom: Caller, sandbox: Sandbox) -> None:
    one = b"POST /cgi-bin/webhook/send?key=sandbox-bot HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    assert speak(sandbox, one * 3).count(b"HTTP/1.1 200 OK") == 3


def test_a_round_trip_does_not_wait_for_delayed_acks(wecom: Caller) -> None:
    def seconds() -> float:
        started = time.perf_counter()
        wecom.send()
        return time.perf_counter() - started

    assert at_best(seconds, 0.02, tries=500) < 0.02  # each would wait for 40 ms and more


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8765"])
def test_a_local_host_is_served(sandbox: Sandbox, host: str) -> None:
    answer = speak(sandbox, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.case("X05")
@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:80", "localhost.evil.test", "127.0.0.1.evil.test", "127.0.0.1@evil.test", ""]
)
def test_a_foreign_host_is_misdirected(sandbox: Sandbox, host: str) -> None:
    for path in ("/", "/sandbox/messages", "/cgi-bin/gettoken", "/nothing"):
        answer = speak(sandbox, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 421 ")


@pytest.mark.case("X06")
@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_of_its_own_is_served(sandbox: Sandbox, site: str) -> None:
    headers = {"Origin": sandbox.url, "Sec-Fetch-Site": site}
    assert requests.delete(sandbox.url + "/sandbox/messages", headers=headers, timeout=10).status_code == 200


@pytest.mark.case("X02")
def test_a_client_that_sends_too_much_reads_the_413(sandbox: Sandbox) -> None:
    body = bytes(26 * 1024 * 1024)
    response = requests.post(sandbox.url + "/cgi-bin/webhook/send?key=sandbox-bot", data=body, timeout=60)
    assert response.status_code == 413


@pytest.mark.case("X02")
def test_chunks_are_bounded_too(sandbox: Sandbox) -> None:
    url = sandbox.url + "/cgi-bin/webhook/send?key=sandbox-bot"
    small = requests.post(url, data=iter([b'{"msgtype":"text",', b'"text":{"content":"x"}}']), timeout=10)
    assert small.json()["errcode"] == 0
    large = requests.post(url, data=(bytes(1024 * 1024) for _ in range(26)), timeout=10)
    assert large.status_code == 413


@pytest.mark.case("X02")
@pytest.mark.parametrize("length", [b"-1", b"x", b"1e3"])
def test_a_length_that_is_none_is_400(sandbox: Sandbox, length: bytes) -> None:
    head = b"POST /cgi-bin/webhook/send?key=sandbox-bot HTTP/1.1\r\nHost: localhost\r\n"
    assert speak(sandbox, head + b"Content-Length: " + length + b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.case("X02")
def test_of_two_lengths_none_is_right(sandbox: Sandbox) -> None:
    """Whoever stands before the sandbox may have read the other one, and then takes a body for a request."""
    head = b"POST /cgi-bin/webhook/send?key=sandbox-bot HTTP/1.1\r\nHost: localhost\r\n"
    hidden = b"DELETE /sandbox/messages HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for lengths in ((2, 2 + len(hidden)), (2 + len(hidden), 2)):
        both = b"".join(b"Content-Length: %d\r\n" % length for length in lengths)
        assert speak(sandbox, head + both + b"\r\n{}" + hidden).count(b"HTTP/1.1 ") == 1
    assert sandbox.calls == ()


@pytest.mark.case("X02")
def test_a_body_that_ends_early_is_no_request(sandbox: Sandbox) -> None:
    head = b"POST /cgi-bin/webhook/send?key=sandbox-bot HTTP/1.1\r\nHost: localhost\r\n"
    assert speak(sandbox, head + b"Content-Length: 100\r\n\r\n{}") == b""
    assert sandbox.calls == ()


def test_head_has_no_body(sandbox: Sandbox) -> None:
    answer = speak(sandbox, b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.slow
def test_it_writes_nothing_and_ends_with_an_interrupt(tmp_path: object) -> None:
    code = (
        "import _thread, threading, requests\n"
        "from wecom_logging._sandbox import Sandbox\n"
        "sandbox = Sandbox()\n"
        "sandbox.start()\n"
        "requests.get(sandbox.url + '/')\n"
        "requests.get(sandbox.url + '/nothing')\n"
        "threading.Timer(1.5, _thread.interrupt_main).start()\n"
        "sandbox.serve_forever()\n"
        "print('done')\n"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=90)
    assert (run.stdout, run.stderr, run.returncode) == ("done\n", "", 0)


def test_it_loads_nothing_of_the_client() -> None:
    code = (
        "import sys, wecom_logging\n"
        "before = set(sys.modules)\n"
        "import wecom_logging._sandbox\n"
        "print(sorted(m for m in set(sys.modules) - before\n"
        "      if m.startswith('wecom_logging') and not m.startswith('wecom_logging._sandbox')))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=90, check=True)
    assert run.stdout == "[]\n"
