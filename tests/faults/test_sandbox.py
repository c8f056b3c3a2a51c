"""The sandbox under attack, over raw sockets: paths, sizes, idle crowds, foreign names and sites, and its memory."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.mailbox import KEPT_BYTES, Mailbox, Message

from ..programs import ROOT, until

POST = b"POST /cgi-bin/webhook/send?key=sandbox-bot HTTP/1.1\r\nHost: localhost\r\n"
MIB = 1024 * 1024
SUBSCRIPTION = {"bot_id": "sandbox-aibot", "secret": "sandbox-aibot-secret"}
HANDSHAKE = (
    b"GET /aibot HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

SERVER = """
import itertools, resource, sys
from wecom_logging._sandbox import Sandbox
files = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
ticks = itertools.count(1_700_000_000, 4)  # so that no limit is ever reached
sandbox = Sandbox(clock=lambda: float(next(ticks)), idle_s=float(sys.argv[1]))
sandbox.start()
print(sandbox.url, flush=True)
sandbox.serve_forever()
"""


class Server:
    """A sandbox in a process of its own, whose memory can be looked at."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])
        requests.get(url, timeout=10)  # all is loaded before anything is measured
        self.at_first = self.rss()

    def rss(self, name: str = "VmRSS") -> int:
        """Bytes in memory now; as ``VmHWM`` the most that it ever was."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def speak(self, *pieces: bytes) -> bytes:
        """Sends bytes as long as they are taken, and returns all that comes."""
        with closing(self.connect()) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has heard enough
            answer = b""
            try:
                while got := connection.recv(65536):
                    answer += got
            except ConnectionResetError:  # how a server may refuse, too
                pass
            return answer


@contextmanager
def server(idle_s: float = 30, files: int = 4096) -> Iterator[Server]:
    code = [sys.executable, "-c", SERVER, str(idle_s), str(files)]
    with subprocess.Popen(code, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield Server(process, process.stdout.readline().strip())
        finally:
            process.kill()


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with server() as found:
        yield found


def _frame(value: object) -> bytes:
    """A short text of a client, as WebSockets have it; its mask is none."""
    data = json.dumps(value).encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


# X01


@pytest.mark.case("X01")
@pytest.mark.parametrize(
    "path",
    [
        *[
            "/../../etc/passwd",
            "/static/../../../../etc/passwd",
            "/static/%2e%2e/%2e%2e/etc/passwd",
            "/static/..%2f..%2fweb.py",
        ],
        *["/static/..%5c..%5cweb.py", "/static/%00", "/static/index.html%00.js", "/static//etc/passwd", "//etc/passwd"],
        *["/static/", "/static", "/static/../web.py", "/static/__init__.py", "/files.py", "/static/%252e%252e/web.py"],
        *[
            "/static/\xff\xfe",
            "/./static/./../static/../../web.py",
            "/;/etc/passwd",
            "/static/main.js/",
            "/static/MAIN.JS",
        ],
    ],
)
def test_a_path_leads_to_nothing_else(running: Server, path: str) -> None:
    answer = running.speak(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert answer.startswith(b"HTTP/1.1 404 "), answer[:100]
    assert b"root:" not in answer
    assert b"import" not in answer


@pytest.mark.case("X01")
def test_an_absolute_file_url_is_no_file(running: Server) -> None:
    answer = running.speak(b"GET file:///etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 421 "))


# X02


@pytest.mark.case("X02")
@pytest.mark.parametrize(
    ("pieces", "statuses"),
    [
        ([POST + b"Content-Length: 1073741824\r\n\r\n", *[bytes(MIB)] * 80], {b"413"}),
        ([POST + b"Content-Length: 99999999999999999999999\r\n\r\n"], {b"413"}),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n", *[b"100000\r\n" + bytes(MIB) + b"\r\n"] * 80], {b"413"}),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffffffffffff\r\n", b"x"], {b"413"}),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n", b"{}"], {b"400"}),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n", b"-1\r\n"], {b"400"}),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * MIB], {b"400"}),
        ([POST + b"Content-Length: 10\r\n\r\n{}"], {b""}),
        ([POST + b"Content-Length: 2\r\nContent-Length: 900\r\n\r\n{}"], {b"400", b""}),
        ([b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-Header: 1\r\n" * 10_000, b"\r\n"], {b"431"}),
        ([b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Header: ", b"x" * MIB, b"\r\n\r\n"], {b"431"}),
        ([b"GET /", b"x" * MIB, b" HTTP/1.1\r\nHost: localhost\r\n\r\n"], {b"414"}),
        ([b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"], {b"505"}),
        ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200)], {b"400"}),
    ],
    ids=[
        *["1 GB announced", "a length of 23 digits", "endless chunks", "a chunk of 16 EB"],
        *["a chunk that ends early", "a chunk of -1", "zeros for a size", "ends early", "two lengths"],
        *["10 000 headers", "a header of 1 MB", "an address of 1 MB", "HTTP/9.9", "TLS"],
    ],
)
def test_no_size_matters(running: Server, pieces: list[bytes], statuses: set[bytes]) -> None:
    for _ in range(2):
        answer = running.speak(*pieces)
        found = re.search(rb"HTTP/1\.1 (\d+) |Error code: (\d+)", answer)
        assert (found[1] or found[2] if found else b"") in statuses, answer[:200]
        # It reads 25 MiB at most, and what was freed may stay with the allocator, for each of the last threads.
        assert running.rss() - running.at_first < 80 * MIB
    assert requests.get(running.url, timeout=10).status_code == 200


@pytest.mark.slow
@pytest.mark.case("X02")
def test_what_is_announced_as_too_large_is_not_read() -> None:
    with server() as found:
        for _ in range(20):
            assert b" 413 " in found.speak(POST + b"Content-Length: 1073741824\r\n\r\n", *[bytes(MIB)] * 20)
        assert found.rss() - found.at_first < 5 * MIB


@pytest.mark.slow
@pytest.mark.case("X02")
def test_a_body_that_is_no_upload_takes_no_memory() -> None:
    with server() as found, ThreadPoolExecutor(8) as pool:
        for path, answer in (
            ("cgi-bin/webhook/send?key=sandbox-bot", 40206),
            ("sandbox/faults", "the body is too large"),
        ):
            send = [
                pool.submit(requests.post, f"{found.url}/{path}", data=bytes(20 * MIB), timeout=90) for _ in range(8)
            ]
            assert {upload.result().json().get("errcode", upload.result().json().get("error")) for upload in send} == {
                answer
            }
        assert found.rss() - found.at_first < 40 * MIB


@pytest.mark.case("X02")
def test_json_over_8_mib_is_refused_before_it_is_read(sandbox: Sandbox) -> None:
    raw = b'{"msgtype":"text","x":[' + b"[]," * (3 * MIB) + b"0]}"
    answer = requests.post(sandbox.url + "/cgi-bin/webhook/send?key=sandbox-bot", data=raw, timeout=20).json()
    assert answer["errcode"] == 40206


# X03


@pytest.mark.slow
@pytest.mark.case("X03")
def test_a_thousand_idle_connections_and_slow_requests() -> None:
    with server(idle_s=10) as crowded, ExitStack() as stack:
        idle = [stack.enter_context(closing(crowded.connect())) for _ in range(1000)]
        for connection in idle[::2]:
            connection.sendall(b"GET / HT")
        slow = idle[0]
        until(lambda: _threads(crowded) > 1000)
        waits = []
        for _ in range(3):
            began = time.monotonic()
            assert requests.get(crowded.url, timeout=10).status_code == 200
            waits.append(time.monotonic() - began)
        assert min(waits) < 1

        def is_closed(connection: socket.socket) -> bool:
            connection.settimeout(0.001)
            try:
                return connection.recv(100) == b""
            except TimeoutError:  # silent, so still open
                return False
            except OSError:  # reset is closed, too
                return True

        def slow_is_closed() -> bool:
            try:
                slow.send(b"T")  # a byte now and then does not keep it
            except OSError:
                return True
            return is_closed(slow)

        until(slow_is_closed)
        until(lambda: all(map(is_closed, idle[1::100])))
        until(lambda: _threads(crowded) < 20)


def _threads(found: Server) -> int:
    return len(list(Path(f"/proc/{found.process.pid}/task").iterdir()))


@pytest.mark.slow
@pytest.mark.case("X03")
def test_of_too_many_connections_the_oldest_goes() -> None:
    with server() as crowded, ExitStack() as stack:
        crowd = [stack.enter_context(closing(crowded.connect())) for _ in range(1100)]
        assert requests.get(crowded.url, timeout=10).status_code == 200
        assert crowd[0].recv(1) == b""
        assert crowd[50].recv(1) == b""
        until(lambda: _threads(crowded) < 1030)


@pytest.mark.slow
@pytest.mark.case("X03")
@pytest.mark.parametrize("files", [256, 1024])
def test_it_is_not_deaf_where_there_are_few_files(files: int) -> None:
    with server(files=files) as crowded, ExitStack() as stack:
        address = f"ws{crowded.url.removeprefix('http')}/aibot"
        sockets = [stack.enter_context(connect(address, proxy=None)) for _ in range(files // 8)]
        _crowd = [stack.enter_context(closing(crowded.connect())) for _ in range(files)]
        for _ in range(3):
            assert requests.get(crowded.url, timeout=5).status_code == 200
        with pytest.raises(ConnectionClosed):
            sockets[0].recv(5)


@pytest.mark.slow
@pytest.mark.case("X03")
def test_what_does_not_subscribe_is_ended() -> None:
    with server(idle_s=1.5, files=256) as crowded, ExitStack() as stack:
        address = f"ws{crowded.url.removeprefix('http')}/aibot"
        bot = stack.enter_context(connect(address, proxy=None))
        bot.send(json.dumps({"cmd": "aibot_subscribe", "headers": {"req_id": "1"}, "body": SUBSCRIPTION}))
        assert json.loads(bot.recv(10))["errcode"] == 0
        waiting = [stack.enter_context(connect(address, proxy=None)) for _ in range(12)]
        idle = [stack.enter_context(closing(crowded.connect())) for _ in range(300)]
        for other in waiting:
            with pytest.raises(ConnectionClosed):
                other.recv(10)
        until(lambda: _threads(crowded) < 12)
        assert requests.get(f"{crowded.url}/sandbox/aibot", timeout=5).json()["connections"] == 1
        bot.send(json.dumps({"cmd": "ping", "headers": {"req_id": "2"}}))
        assert json.loads(bot.recv(10))["errcode"] == 0
        assert idle[-1].recv(1) == b""


@pytest.mark.slow
@pytest.mark.case("X03")
def test_a_bot_that_does_not_read_holds_nobody_up(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(HANDSHAKE)
        assert deaf.recv(12) == b"HTTP/1.1 101"
        deaf.sendall(_frame({"cmd": "aibot_subscribe", "headers": {"req_id": "1"}, "body": SUBSCRIPTION}))
        sandbox.aibot.wait_for_subscriber()
        wish = {"chat": "sandbox-user", "user_id": "sandbox-user", "text": "x" * 10_000}
        took = []

        def say() -> bool:
            began = time.monotonic()
            answer = requests.post(f"{sandbox.url}/sandbox/aibot/say", json=wish, timeout=20).json()
            took.append(time.monotonic() - began)
            return answer == {"req_id": ""}

        until(say, 60)  # its buffers are full: it is as good as gone
        assert max(took) < 8
        until(lambda: sandbox.aibot.connections == 0)


# X04


def _listening(port: int) -> set[str]:
    """The local addresses, as the kernel writes them, of what listens at a port."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and address.endswith(f":{port:04X}"):
                found.add(address.split(":")[0])
    return found


@pytest.mark.case("X04")
def test_it_listens_on_loopback_only(sandbox: Sandbox) -> None:
    assert _listening(int(sandbox.url.rpartition(":")[2])) == {"0100007F"}
    assert sandbox.token == ""
    assert sandbox.page == sandbox.url + "/"


@pytest.mark.case("X04")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_other_names_of_loopback(host: str) -> None:
    with Sandbox(host=host) as sandbox:
        assert sandbox.token == ""
        assert requests.get(sandbox.url, headers={"Host": "localhost"}, timeout=10).status_code == 200


@pytest.mark.case("X04")
def test_elsewhere_it_wants_a_token() -> None:
    with Sandbox(host="0.0.0.0") as sandbox:
        url = f"http://127.0.0.1:{sandbox.url.rpartition(':')[2]}"
        assert len(sandbox.token) == 32
        assert sandbox.page.endswith(f"/#{sandbox.token}")
        bearer = {"Authorization": f"Bearer {sandbox.token}"}
        for path in ("/sandbox/messages", "/sandbox/faults", "/sandbox/events"):
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer é"}):
                assert requests.get(url + path, headers=headers, timeout=10).status_code == 401
            assert requests.delete(f"{url}{path}?token=", timeout=10).status_code == 401
        assert requests.get(url + "/sandbox/messages", headers=bearer, timeout=10).json() == []
        with requests.get(f"{url}/sandbox/events?token={sandbox.token}", stream=True, timeout=10) as stream:
            assert stream.status_code == 200
        assert requests.get(url, timeout=10).status_code == 200  # the page itself knows nothing
        push = {"msgtype": "text", "text": {"content": "x"}}
        for key, errcode in (("sandbox-bot", 93000), (f"sandbox-bot-{sandbox.token}", 0)):
            answer = requests.post(f"{url}/cgi-bin/webhook/send?key={key}", json=push, timeout=10)
            assert answer.json()["errcode"] == errcode
        for host, status in (
            ("192.168.1.2", 200),
            ("[fe80::1]:8765", 200),
            ("evil.test", 421),
            ("1.2.3.4.evil.test", 421),
        ):
            assert requests.get(url, headers={"Host": host}, timeout=10).status_code == status


@pytest.mark.slow
@pytest.mark.case("X04")
def test_the_command_warns_and_prints_the_token() -> None:
    command = [sys.executable, "-m", "wecom_logging._cli", "sandbox", "--host", "0.0.0.0", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            found = re.search(r"its page is (http://0\.0\.0\.0:\d+)/#([\w-]{32})\.", first)
            assert found, first
            exports = "".join(process.stdout.readline() for _ in range(8))
            for name in ("WECOM_SECRET=sandbox-app-secret", "WECOM_WEBHOOK=sandbox-bot"):
                assert f"{name}-{found[2]}\n" in exports
        finally:
            process.terminate()
        assert process.stderr is not None
        assert "warning: 0.0.0.0 is reached by other machines" in process.stderr.read()


@pytest.mark.slow
@pytest.mark.case("X04")
def test_a_port_that_is_taken_is_said(sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    command = [sys.executable, "-m", "wecom_logging._cli", "sandbox", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 cannot be used (Address already in use); choose" in done.stderr
    assert "Traceback" not in done.stderr


# X05


@pytest.mark.case("X05")
@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        ("GET http://evil.test/ HTTP/1.1", "localhost", 421),
        ("GET http://127.0.0.1:1@evil.test/ HTTP/1.1", "localhost", 421),
        ("GET http://localhost/ HTTP/1.1", "evil.test", 200),  # RFC 9112: the address counts, the header does not
        ("CONNECT evil.test:443 HTTP/1.1", "localhost", 400),
        ("CONNECT localhost:80 HTTP/1.1", "localhost", 400),
        ("GET / HTTP/1.1", "localhost:80, evil.test", 421),
        ("GET / HTTP/1.1", "localhost:", 421),
        ("GET / HTTP/1.0", "localhost.", 421),
        ("OPTIONS * HTTP/1.1", "localhost", 404),
    ],
)
def test_it_is_nobodys_proxy(running: Server, request_line: str, host: str, status: int) -> None:
    answer = running.speak(f"{request_line}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] == str(status).encode()


@pytest.mark.case("X05")
def test_two_hosts_are_no_host(running: Server) -> None:
    answer = running.speak(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 421 ")


# X06


@pytest.mark.case("X06")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test", "Content-Type": "text/plain"},
        {"Origin": "null", "Content-Type": "application/x-www-form-urlencoded"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=["text", "form from nowhere", "another port", "cross-site", "same-site"],
)
def test_another_site_changes_and_reads_nothing(sandbox: Sandbox, headers: dict[str, str]) -> None:
    push = {"msgtype": "text", "text": {"content": "x"}}
    requests.post(sandbox.url + "/cgi-bin/webhook/send?key=sandbox-bot", json=push, timeout=10)
    for method, path in (
        ("DELETE", "/sandbox/messages"),
        ("GET", "/sandbox/messages"),
        ("POST", "/sandbox/faults"),
        ("OPTIONS", "/sandbox/faults"),
        ("GET", "/sandbox/events"),
        ("POST", "/cgi-bin/webhook/send?key=sandbox-bot"),
        ("GET", "/static/main.js"),
    ):
        data = json.dumps({"void_token": True}) if path == "/sandbox/faults" else json.dumps(push)
        response = requests.request(method, sandbox.url + path, data=data, headers=headers, timeout=10)
        assert response.status_code == 403, path
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert len(sandbox.messages()) == 1


@pytest.mark.case("X06")
def test_reading_changes_nothing(sandbox: Sandbox) -> None:
    push = {"msgtype": "text", "text": {"content": "x"}}
    requests.post(sandbox.url + "/cgi-bin/webhook/send?key=sandbox-bot", json=push, timeout=10)
    before = sandbox.messages()
    for path in ("/", "/sandbox/messages", "/sandbox/faults", "/sandbox/messages?_method=DELETE"):
        headers = {"X-HTTP-Method-Override": "DELETE"}
        requests.get(sandbox.url + path, headers=headers, data=b'{"void_token": true}', timeout=10)
    assert sandbox.messages() == before


# X09


@pytest.mark.slow
@pytest.mark.case("X09")
def test_messages_that_come_for_ever_need_no_more_memory_than_ten_thousand() -> None:
    body = json.dumps({"msgtype": "text", "text": {"content": "汉" * 300}}, ensure_ascii=False).encode()
    one = POST + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    sizes = []
    with server() as found, closing(found.connect()) as connection:
        answers = connection.makefile("rb")
        for _ in range(200):
            connection.sendall(one * 100)
            for _ in range(100):
                _read_answer(answers)
            sizes.append(found.rss())
        kept = requests.get(found.url + "/sandbox/messages", timeout=20).json()
    assert len(kept) == 10_000
    assert sizes[-1] < 120 * MIB
    assert sizes[-1] - sizes[110] < 8 * MIB


def _read_answer(stream: Any) -> None:
    length = 0
    while (line := stream.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        assert line
    assert b'"errcode":0' in stream.read(length)


@pytest.mark.case("X09")
def test_large_messages_are_bounded_by_their_bytes() -> None:
    mailbox = Mailbox()
    for number in range(30):
        mailbox.add(Message(str(number), 0.0, "bot", "image", "", bytes(3 * MIB)))
        assert mailbox.size <= KEPT_BYTES
    assert len(mailbox) == KEPT_BYTES // (3 * MIB)
    assert [message.id for message in mailbox][-1] == "29"
