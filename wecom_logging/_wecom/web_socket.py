"""What a long connection asks of the system, of HTTP and of websocket-client: to wait, to connect, to read a frame.

Of websocket-client only what makes and reads frames is used, which logs nothing. Its own connections follow redirects,
wait for each byte anew, believe any length, and log the Secret where a program has told it to.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import selectors
import socket
import time
from typing import TYPE_CHECKING, Any

from .._runtime.clock import time_left, within
from .._runtime.hiding import as_own_traffic
from ..errors import BadResponseError, ConnectError, HTTPStatusError, WeComError
from .foreign import our_error
from .http import MAX_ANSWER_BYTES, ask, new_session

if TYPE_CHECKING:
    import requests


class Waiter:
    """What the thread waits on: the socket, and a byte from those who want something of it."""

    def __init__(self) -> None:
        self._selector: selectors.BaseSelector | None = None
        self._near: socket.socket | None = None
        self._far: socket.socket | None = None
        self._watched: socket.socket | None = None
        self.ended = False

    def open(self) -> None:
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._near, selectors.EVENT_READ)

    def wake(self) -> None:
        far = self._far
        if far is not None:
            with contextlib.suppress(OSError):  # full: it is awake
                far.send(b"!")

    def end(self) -> None:
        self.ended = True
        self.wake()

    def watch(self, found: socket.socket | None) -> None:
        if self._selector is None:
            return
        if self._watched is not None:
            with contextlib.suppress(KeyError, ValueError):  # it is closed already
                self._selector.unregister(self._watched)
        self._watched = found
        if found is not None:
            self._selector.register(found, selectors.EVENT_READ)

    def wait(self, seconds: float) -> None:
        assert self._selector is not None
        assert self._near is not None
        self._selector.select(min(seconds, 3600.0))
        with contextlib.suppress(OSError):  # it is empty
            while len(self._near.recv(4096)) == 4096:
                continue

    def forget(self) -> None:
        """Close what is this process's: by the thread, when it ends, or a child that has a copy of it."""
        for one in (self._selector, self._near, self._far):
            if one is not None:
                with contextlib.suppress(OSError):  # it is closed already
                    one.close()
        self._selector = self._near = self._far = self._watched = None


class WebSocket:
    """The frames of one connection. Whatever the other side sends, it waits for nothing and keeps at most 64 KiB."""

    def __init__(self, sock: Any, host: str, timeout_s: float, begun: bytes = b"") -> None:
        import websocket

        self.sock = sock
        self.is_amid = False
        """Whether a frame had begun when `read` found none."""
        self._host, self._timeout_s = host, timeout_s
        self._until = 0.0
        self._abnf = websocket.ABNF
        self._frames: Any = websocket.frame_buffer(self._recv, skip_utf8_validation=True)  # JSON looks at it, too
        self._frames.recv_buffer = [begun]
        self._message: Any = websocket.continuous_frame(fire_cont_frame=False, skip_utf8_validation=True)

    def read(self, until: float = 0.0) -> bytes | None:
        """The next message, or nothing of a frame that ends none; None where no frame is whole yet.

        Waits for one until a moment of ``time.monotonic()``.
        """
        self._until = until
        try:
            frame = self._frames.recv_frame()
        except _NotWholeError:
            begun = b"".join(self._frames.recv_buffer)
            self._frames.recv_buffer = [begun]  # thousands of pieces would take long
            self.is_amid = bool(begun) or self._frames.header is not None
            return None
        if frame.opcode == self._abnf.OPCODE_CLOSE:
            raise self._closed()
        if frame.opcode == self._abnf.OPCODE_PING:
            self._send(frame.data, self._abnf.OPCODE_PONG)
        elif frame.opcode != self._abnf.OPCODE_PONG:
            self._message.validate(frame)
            self._message.add(frame)
            self._check(len(self._message.cont_data[1]))
            if frame.fin:
                return bytes(self._message.extract(frame)[1].data)
        return b""

    def send(self, text: str) -> None:
        """In ``timeout_s`` at most, however slowly the other side reads."""
        self._send(text.encode(), self._abnf.OPCODE_TEXT)

    def close(self, *, polite: bool = False) -> None:
        """``polite``: with a goodbye, if that is taken at once."""
        if polite:
            self._timeout_s = 0.01
            with contextlib.suppress(Exception):  # it is gone, whatever is said of it
                self._send(_GOODBYE, self._abnf.OPCODE_CLOSE)
        self.sock.close()

    def abandon(self) -> None:
        """In a forked child: close its copy, without a word to the other side."""
        with contextlib.suppress(OSError, ValueError):  # it is closed already
            os.close(getattr(self.sock, "socket", self.sock).detach())  # TLS to a proxy has the socket within

    def _recv(self, size: int) -> bytes:
        import ssl

        self._check(self._frames.length or 0)
        self.sock.settimeout(max(self._until - time.monotonic(), 0.0))
        try:
            data: bytes = self.sock.recv(size)
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
            raise _NotWholeError from None
        if not data:
            raise self._closed()
        return data

    def _send(self, data: bytes, opcode: int) -> None:
        rest = memoryview(self._abnf.create_frame(data, opcode).format())
        with within(time.monotonic() + self._timeout_s):
            while rest:
                self.sock.settimeout(time_left())
                rest = rest[self.sock.send(rest) :]

    def _check(self, size: int) -> None:
        if size > MAX_ANSWER_BYTES:
            raise BadResponseError(f"a message of {self._host} is larger than {MAX_ANSWER_BYTES} bytes")

    def _closed(self) -> WeComError:
        return ConnectError(f"{self._host} has closed the connection")


class _NotWholeError(Exception):
    """A frame has not come whole."""


_GOODBYE = b"\x03\xe8"
"""1000: a normal end."""
_ACCEPTS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""Of RFC 6455: with it a server shows that it has understood the key."""


def connect(url: str, host: str, timeout_s: float) -> WebSocket:
    """Ask for a WebSocket by HTTP: with the bounds, proxies and TLS of that, and no redirects. Raises `WeComError`."""
    with within(time.monotonic() + timeout_s), as_own_traffic():
        found = _upgraded(f"http{url.removeprefix('ws')}", host, timeout_s)
    if isinstance(found, WeComError):
        raise found  # only here, where neither a frame nor a __context__ holds what was answered
    return found


def _upgraded(url: str, host: str, timeout_s: float) -> WebSocket | WeComError:
    key = base64.b64encode(os.urandom(16))
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    try:
        with new_session() as session:
            response = ask(session, "GET", url, host, timeout_s, headers=headers)
        with response.raw as raw:
            return _taken(response, raw, key, host, timeout_s)
    except Exception as error:
        return our_error(error, host, "url")


def _taken(response: requests.Response, raw: Any, key: bytes, host: str, timeout_s: float) -> WebSocket | WeComError:
    """The socket below an answer, if that is a WebSocket's."""
    if (status := response.status_code) != 101:
        what = "redirects, which WeCom never does" if 300 <= status < 400 else "speaks no WebSocket"
        return HTTPStatusError(status, f"{host} answered HTTP {status}: it {what}: {_CHECK}")
    sock = raw.connection.sock
    accepted = base64.b64encode(hashlib.sha1(key + _ACCEPTS, usedforsecurity=False).digest()).decode()
    if sock is None or response.headers.get("Sec-WebSocket-Accept") != accepted:
        return BadResponseError(f"{host} speaks no WebSocket: {_CHECK}")
    begun = b""
    with contextlib.suppress(TimeoutError), within(time.monotonic()):  # what has come already, and no more
        begun = raw._original_response.fp.peek()
    raw.connection.sock = None  # it is ours now
    return WebSocket(sock, host, timeout_s, begun)


_CHECK = "check url, the firewall and HTTPS_PROXY"


def as_ours(error: BaseException, host: str) -> WeComError:
    """What reading and writing raise; only fixed words go on."""
    return error if isinstance(error, WeComError) else our_error(error, host, "url")
