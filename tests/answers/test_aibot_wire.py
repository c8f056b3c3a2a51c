"""The wire of an AI bot's connection against other sides that mean harm: none gets the Secret, none holds us up."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import logging
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket
from websockets.sync.server import ServerConnection

from wecom_logging import WeComAIBotHandler
from wecom_logging._wecom.explained import remedy_of
from wecom_logging._wecom.long_connection import ALIVE_S, PING_S
from wecom_logging._wecom.web_socket import connect
from wecom_logging.errors import AnswerLostError, BadResponseError, ConnectError, HTTPStatusError, WeComError

from ..certificates import make_certificate
from ..connect_proxy import ConnectProxy
from ..programs import Clock, run, until
from ..scripted import HOST, ScriptedWeCom, redirect
from .test_aibot import ME, end, log_to
from .test_aibot_attack import SECRET, connection, ok, server

TIMEOUT_S, SPARE_S = 0.5, 10.0
"""What is not bounded takes for ever, or gigabytes; a machine that is busy may be late."""


class Peer:
    """The other side, over raw sockets: ``talk`` gets each connection with the head of what it asked, as bytes."""

    def __init__(self, talk: Callable[[Peer, socket.socket, bytes], object]) -> None:
        self._talk = talk
        self.stopping = threading.Event()
        self.connections = 0

    def __enter__(self) -> Peer:
        self._listener = socket.create_server((HOST, 0))
        self.url = f"ws://{HOST}:{self._listener.getsockname()[1]}/"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:  # the end
                return
            self.connections += 1
            sock.settimeout(SPARE_S)
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):  # the client went away
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := sock.recv(4096)):
                    return
                head += data
            self._talk(self, sock, head)

    def endlessly(self, sock: socket.socket, data: bytes, every_s: float = 0.0) -> None:
        while not self.stopping.wait(every_s):
            sock.sendall(data)


def upgrade(head: bytes) -> bytes:
    """The answer to a handshake."""
    found = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
    assert found is not None
    accept = base64.b64encode(hashlib.sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    lines = b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade"
    return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + accept, b"", b""))


def frame(opcode: int, data: bytes, *, is_last: bool = True, length: int | None = None) -> bytes:
    length = len(data) if length is None else length
    size = bytes([length]) if length < 126 else b"\x7f" + struct.pack("!Q", length)
    return bytes([is_last << 7 | opcode]) + size + data


def hear(sock: socket.socket) -> dict[str, Any]:
    """A text that the client has sent."""

    def read(size: int) -> bytes:
        data = b""
        while len(data) < size:
            if not (more := sock.recv(size - len(data))):
                raise ConnectionError
            data += more
        return data

    while True:
        first, length = read(2)
        length &= 127
        if length > 125:
            length = int.from_bytes(read(2 if length == 126 else 8), "big")
        data = websocket.ABNF.mask(read(4), read(length))
        if first & 15 == 1:
            found: dict[str, Any] = json.loads(data)
            return found


def subscribed(sock: socket.socket, head: bytes) -> None:
    """A good beginning."""
    sock.sendall(upgrade(head))
    sock.sendall(frame(1, ok(json.dumps(hear(sock))).encode()))


# Who gets the Secret.


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(code: int) -> None:
    with ScriptedWeCom() as elsewhere, ScriptedWeCom() as wecom:
        wecom.always("/", redirect(elsewhere.url.replace("http", "ws"), code))
        with connection(f"ws://{HOST}:{wecom.port}/") as ours, pytest.raises(HTTPStatusError) as caught:
            ours.request("aibot_send_msg", {"chatid": ME})
        assert (caught.value.status, caught.value.retryable) == (code, False)
        assert "redirects, which WeCom never does: check url" in str(caught.value)
        assert elsewhere.connections == 0


def test_an_alert_behind_a_redirect_waits_and_the_remedy_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with ScriptedWeCom() as elsewhere, ScriptedWeCom() as wecom:
        wecom.always("/", redirect(elsewhere.url.replace("http", "ws")))
        handler = WeComAIBotHandler(
            bot_id="bot", secret=SECRET, chats=[ME], url=f"ws://{HOST}:{wecom.port}/", exit_timeout=0.1
        )
        log_to(handler).error("the disk is full")
        said = ""

        def is_said() -> bool:
            nonlocal said
            said += capfd.readouterr().err
            return "redirects, which WeCom never does: check url" in said

        until(is_said)
        assert (handler.stats().delivered, handler.stats().pending) == (0, 1)
        assert SECRET not in said
        assert elsewhere.connections == 0
        end(handler)


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without those of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_no_proxy_hears_what_goes_to_this_machine(proxies: pytest.MonkeyPatch) -> None:
    def talk(other: ServerConnection) -> None:
        for one in other:
            other.send(ok(str(one)))

    with server(talk) as url, ConnectProxy(int(url.rstrip("/").rpartition(":")[2])) as proxy:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            proxies.setenv(name, proxy.url())
        with connection(url) as ours:
            assert ours.request("aibot_send_msg", {"chatid": ME})["errcode"] == 0
        assert proxy.asked == []


@contextmanager
def far_away(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "aibot.test") -> Iterator[ScriptedWeCom]:
    """A host with TLS whose name is nowhere to be resolved."""
    files = make_certificate(folder, f"DNS:{name}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", files[0])
    with ScriptedWeCom(certificate=files) as wecom:
        yield wecom


def test_a_proxy_gets_a_tunnel_and_a_login_and_nothing_more(proxies: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with far_away(tmp_path, proxies) as wecom, ConnectProxy(wecom.port, login="user:password") as proxy:
        proxies.setenv("https_proxy", proxy.url("user:password"))
        with (
            connection("wss://aibot.test/?x=1") as ours,
            pytest.raises(HTTPStatusError, match="HTTP 404: it speaks no WebSocket"),
        ):
            ours.request("aibot_send_msg", {"chatid": ME})
        assert [line.rpartition(" ")[0] for line in proxy.asked] == ["CONNECT aibot.test:443"]
        (request,) = wecom.requests
        assert (request.path, request.query_names) == ("/", ("x",))
        assert not {"proxy-authorization", "authorization", "cookie"} & request.headers.keys()
        proxies.setenv("https_proxy", proxy.url("user:wrong"))
        with connection("wss://aibot.test/") as ours, pytest.raises(ConnectError, match="wants a user name"):
            ours.request("aibot_send_msg", {"chatid": ME})


def test_who_has_no_trusted_certificate_of_the_name_hears_nothing(proxies: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with far_away(tmp_path, proxies) as wecom:
        with connection(f"wss://{HOST}:{wecom.port}/") as ours, pytest.raises(ConnectError, match="TLS") as caught:
            ours.request("aibot_send_msg", {"chatid": ME})
        assert caught.value.reason == "tls"
        proxies.delenv("REQUESTS_CA_BUNDLE")
        with connection(f"wss://{HOST}:{wecom.port}/") as ours, pytest.raises(ConnectError, match="is unknown here"):
            ours.request("aibot_send_msg", {"chatid": ME})
        assert wecom.requests == []


def test_cookies_are_not_kept() -> None:
    heads: list[bytes] = []

    def talk(peer: Peer, sock: socket.socket, head: bytes) -> None:
        heads.append(head.lower())
        sock.sendall(upgrade(head).replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"))

    with Peer(talk) as peer:
        for _ in range(2):
            with connection(peer.url) as ours, pytest.raises(WeComError):
                ours.request("aibot_send_msg", {})
    assert len(heads) == 2
    assert all(b"\r\ncookie:" not in head and b"\r\norigin:" not in head for head in heads)


@pytest.mark.parametrize("accept", [b"X-Accept: ", b"Sec-WebSocket-Accept: x"])
def test_who_speaks_no_websocket_hears_nothing(accept: bytes) -> None:
    heard: list[bytes] = []

    def talk(peer: Peer, sock: socket.socket, head: bytes) -> None:
        sock.sendall(upgrade(head).replace(b"Sec-WebSocket-Accept: ", accept))
        heard.append(sock.recv(4096))

    with Peer(talk) as peer, connection(peer.url) as ours, pytest.raises(BadResponseError, match="no WebSocket"):
        ours.request("aibot_send_msg", {"chatid": ME})
    assert heard == [b""]


class Gone:
    """Of a handler that has gone."""

    def hear(self, frame: dict[str, Any]) -> None:
        return

    def is_wanted(self) -> bool:
        return False

    def reset_after_fork(self) -> None:
        return


def test_it_works_with_tls(proxies: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = make_certificate(tmp_path, f"IP:{HOST}")
    proxies.setenv("REQUESTS_CA_BUNDLE", files[0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    codes: list[int] = []

    def talk(other: ServerConnection) -> None:
        for one in other:
            other.send(json.dumps({"noise": "x" * 60_000}))  # of several records
            assert other.ping().wait(SPARE_S)
            other.send(ok(str(one)))
        codes.append(other.close_code or 0)

    with server(talk, ssl=context) as url, connection(url.replace("ws:", "wss:")) as ours:
        for _ in range(3):
            assert ours.request("aibot_send_msg", {"text": "x" * 700_000})["errcode"] == 0
        ours.listener = Gone()
        ours._waiter.wake()
        until(lambda: codes == [1000])  # a polite goodbye


# What its libraries log.


@pytest.fixture
def trace(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    websocket.enableTrace(True, handler=logging.NullHandler())
    caplog.set_level(logging.DEBUG)
    yield caplog
    websocket.enableTrace(False)


def test_our_own_connection_is_silent_and_the_program_s_own_use_of_websocket_is_an_alert(
    trace: pytest.LogCaptureFixture,
) -> None:
    heard: list[str] = []

    def talk(other: ServerConnection) -> None:
        for one in other:
            heard.append(json.loads(one)["cmd"])
            other.send(ok(str(one)))

    with server(talk) as url:
        handler = WeComAIBotHandler(bot_id="bot", secret=SECRET, chats=[ME], url=url, level=logging.DEBUG)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            logging.getLogger("shop").error("the disk is full")
            assert handler.flush(10)
            assert (handler.stats().accepted, heard) == (1, ["aibot_subscribe", "aibot_send_msg"])
            assert [record.name for record in trace.records if not record.name.startswith("websockets")] == ["shop"]
            logging.getLogger("websocket").error("mine")
            assert handler.flush(10)
            assert handler.stats().accepted == 2
        finally:
            root.removeHandler(handler)
            end(handler)
    assert SECRET not in trace.text


# What an answer is.


@pytest.mark.parametrize("errcode", [False, True, 0.0, "0", None, [0], {}])
def test_what_is_no_whole_number_acknowledges_nothing(errcode: Any) -> None:
    def talk(other: ServerConnection) -> None:
        other.send(ok(str(other.recv())))
        for one in other:
            other.send(json.dumps({**json.loads(ok(str(one))), "errcode": errcode}))

    with server(talk) as url, connection(url) as ours, pytest.raises(AnswerLostError):
        ours.request("aibot_send_msg", {"chatid": ME})


@pytest.mark.parametrize("errcode", [False, 0.0, "0", None])
def test_a_subscription_wants_a_whole_number_too(errcode: Any) -> None:
    def talk(other: ServerConnection) -> None:
        for one in other:
            other.send(json.dumps({**json.loads(ok(str(one))), "errcode": errcode}))

    with server(talk) as url, connection(url) as ours, pytest.raises(BadResponseError, match="no whole number errcode"):
        ours.request("aibot_send_msg", {"chatid": ME})


@pytest.mark.parametrize("twice", ['"errcode": 40058, "errcode": 0', '"errcode": 0, "a": {"b": 1, "b": 1}'])
def test_a_frame_that_has_a_name_twice_is_none(twice: str) -> None:
    def talk(other: ServerConnection) -> None:
        other.send(ok(str(other.recv())))
        for one in other:
            other.send(f'{{"headers": {json.dumps(json.loads(one)["headers"])}, {twice}}}')

    with server(talk) as url, connection(url, timeout_s=TIMEOUT_S) as ours, pytest.raises(AnswerLostError):
        ours.request("aibot_send_msg", {"chatid": ME})


def test_an_event_with_the_id_of_a_push_that_waits_for_its_answer_changes_nothing() -> None:
    """An answer to the event would have the same id, and WeCom's refusal of that would be taken for the push's."""
    replies: list[str] = []

    def talk(other: ServerConnection) -> None:
        other.send(ok(str(other.recv())))
        for one in other:
            push = json.loads(one)
            body = {"msgid": "1", "from": {"userid": ME}, "chattype": "single", "msgtype": "text"}
            event = {
                "cmd": "aibot_msg_callback",
                "headers": push["headers"],
                "body": body | {"text": {"content": "list"}},
            }
            other.send(json.dumps(event))
            with contextlib.suppress(TimeoutError):
                replies.append(str(other.recv(timeout=0.5)))
                other.send(json.dumps({**push, "errcode": 40058}))
            other.send(ok(str(one)))

    with server(talk) as url:
        handler = WeComAIBotHandler(bot_id="bot", secret=SECRET, chats=[ME], url=url, timeout=2.0)
        log_to(handler).error("the disk is full")
        assert handler.flush(10)
        stats = handler.stats()
        assert (stats.delivered, stats.pending, replies) == (1, 0, [])
        end(handler)


def test_a_connection_that_is_closed_while_it_is_opened_is_closed() -> None:
    asked, closed, heard = threading.Event(), threading.Event(), []

    def talk(peer: Peer, sock: socket.socket, head: bytes) -> None:
        sock.sendall(upgrade(head))
        subscription = json.dumps(hear(sock))
        asked.set()
        closed.wait(SPARE_S)
        sock.sendall(frame(1, ok(subscription).encode()))
        heard.append(sock.recv(1))

    with Peer(talk) as peer, connection(peer.url) as ours:
        ours.start()
        assert asked.wait(SPARE_S)
        ours.close()
        closed.set()
        until(lambda: heard == [b""], SPARE_S / 2)


# How long it takes, and how much memory.

OK = b"HTTP/1.1 101 Switching Protocols\r\n"


def _handshake(start: bytes, again: bytes, every_s: float = 0.0) -> Callable[[Peer, socket.socket, bytes], None]:
    def talk(peer: Peer, sock: socket.socket, head: bytes) -> None:
        sock.sendall(start)
        peer.endlessly(sock, again, every_s)

    return talk


def _opened(start: bytes, again: bytes, every_s: float = 0.0) -> Callable[[Peer, socket.socket, bytes], None]:
    """In place of an answer to the subscription."""

    def talk(peer: Peer, sock: socket.socket, head: bytes) -> None:
        sock.sendall(upgrade(head))
        _handshake(start, again, every_s)(peer, sock, head)

    return talk


def _later(start: bytes, again: bytes, every_s: float = 0.0) -> Callable[[Peer, socket.socket, bytes], None]:
    """In place of an answer to what is asked then."""

    def talk(peer: Peer, sock: socket.socket, head: bytes) -> None:
        subscribed(sock, head)
        _handshake(start, again, every_s)(peer, sock, head)

    return talk


LARGE = 300 * 1024 * 1024
FRAMES = {
    "a frame of 300 MB": (frame(2, b"", length=LARGE), bytes(65536), 0.0),
    "fragments without end": (frame(1, b"[", is_last=False), frame(0, b" " * 60_000, is_last=False), 0.0),
    "empty fragments": (frame(1, b"[", is_last=False), frame(0, b"", is_last=False) * 500, 0.0),
    "pings": (b"", frame(9, b"ping") * 500, 0.0),
    "pings that nobody is to read the answer of": (b"", frame(9, b"x" * 125) * 500, 0.0),
    "pongs": (b"", frame(10, b"") * 500, 0.0),
    "a length that drips": (b"\x81\x7f", b"\0", 0.05),
    "a text that drips": (frame(1, b"", length=60_000), b" ", 0.05),
    "texts that are none": (b"", frame(1, b"[" * 60_000), 0.0),
}
HANDSHAKES = {
    "status line": (b"HTTP/1.1 101 ", b"x" * 4096, 0.0),
    "header": (OK + b"X-A: ", b"x" * 4096, 0.0),
    "headers": (OK, b"X-A: x\r\n" * 512, 0.0),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 64, 0.0),
    "status line that drips": (b"HTTP/1.1 101 ", b"x", 0.05),
    "header that drips": (OK + b"X-A: ", b"x", 0.05),
    "body": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 999999999\r\n\r\n", b"x" * 4096, 0.0),
    "body that drips": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 999\r\n\r\n", b"x", 0.05),
}
HOSTILE = (
    {f"handshake: {name}": _handshake(*how) for name, how in HANDSHAKES.items()}
    | {f"subscription: {name}": _opened(*how) for name, how in FRAMES.items()}
    | {f"connection: {name}": _later(*how) for name, how in FRAMES.items()}
)

PROGRAM = """
import re, threading, time
from wecom_logging._wecom.long_connection import LongConnection
from wecom_logging._wecom.long_connection import ALIVE_S, PING_S
from wecom_logging.errors import AnswerLostError, BadResponseError, ConnectError, HTTPStatusError, WeComError
from wecom_logging.model import Secret

def peak():
    # Of memory, since it was asked last.
    found = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
    open("/proc/self/clear_refs", "w").write("5")
    return found

def ask(url, timeout_s):
    found = LongConnection(url, "bot", Secret("SECRET"), timeout_s=timeout_s)
    began, busy, error, before = time.monotonic(), time.process_time(), None, threading.enumerate()
    try:
        found.request("aibot_send_msg", {"chatid": "x"})
    except WeComError as raised:
        error = raised
    (thread,) = set(threading.enumerate()) - set(before)
    busy = time.process_time() - busy
    found._waiter.end()  # its turn ends, and so does the thread
    thread.join(LONG)
    held = time.monotonic() - began
    found.close()
    return type(error).__name__, held, busy

ask("ws://127.0.0.1:9/", 5.0)  # the first loads the libraries
peak()
for url in URLS:
    before = peak()
    error, held, busy = ask(url, TIMEOUT)
    print(error, round((peak() - before) / 1024, 1), round(held, 2), round(busy, 2), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the memory of a process")
def test_nothing_that_is_sent_without_end_takes_memory_or_time() -> None:
    with contextlib.ExitStack() as peers:
        urls = [peers.enter_context(Peer(talk)).url for talk in HOSTILE.values()]
        ended = run(
            PROGRAM.replace("URLS", repr(urls))
            .replace("TIMEOUT", str(TIMEOUT_S))
            .replace("LONG", str(TIMEOUT_S + SPARE_S))
            .replace("SECRET", SECRET),
            timeout=500,
        )
    lines = dict(zip(HOSTILE, ended.out.splitlines(), strict=False))
    assert len(lines) == len(HOSTILE), ended
    for name, line in lines.items():
        error, mib, held_s, _ = line.split()
        assert error != "NoneType", name
        assert float(mib) < 4, (name, line)
        assert float(held_s) < TIMEOUT_S + SPARE_S, (name, line)


def test_a_message_that_drips_ends_the_connection_and_holds_up_nothing_until_then() -> None:
    clock = Clock()
    with (
        Peer(_later(*FRAMES["a text that drips"])) as peer,
        connection(peer.url, timeout_s=TIMEOUT_S, clock=clock) as ours,
    ):
        with pytest.raises(AnswerLostError):  # it was written
            ours.request("aibot_send_msg", {"chatid": ME})
        assert ours.is_open
        clock.now += PING_S
        ours._waiter.wake()
        until(lambda: ours._heartbeat.waits)
        assert peer.connections == 1
        clock.now += ALIVE_S
        ours._waiter.wake()
        until(lambda: peer.connections == 2)


def test_what_helps_where_no_connection_comes_names_the_option_of_the_bot() -> None:
    with pytest.raises(ConnectError) as failed:
        connect("ws://127.0.0.1:9/", "127.0.0.1:9", 2.0)
    remedy = remedy_of(failed.value)
    assert "url (WECOM_AIBOT_URL)" in remedy.en
    assert "url（WECOM_AIBOT_URL）" in remedy.zh
    assert "url, WECOM_AIBOT_URL)" in remedy_of(ConnectError("check url and this machine's DNS", reason="dns")).en
    assert "api_base (WECOM_API_BASE)" in remedy_of(ConnectError("check api_base")).en
