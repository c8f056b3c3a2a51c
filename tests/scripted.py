"""A WeCom that misbehaves on demand, over raw sockets on 127.0.0.1: for what no good HTTP server can be made to do.

    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/message/send", errcode(-1), rst(), ok())  # one step for each request, then all is well
        wecom.every(2, rst())                                            # every second request of all
        client = WeComClient("corp", "secret", agent_id=1, api_base=wecom.url)
        …
        assert [request.path for request in wecom.requests] == …

Without a script it answers ``gettoken``, ``message/send``, ``webhook/send`` and uploads with errcode 0. It believes
every token and key; the sandbox checks them.
"""

from __future__ import annotations

import functools
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
TOKEN = "scripted-access-token-7Qm2Zx9Lk4Tn8Vb1"
_REASONS = {200: "OK", 301: "Moved Permanently", 429: "Too Many Requests", 502: "Bad Gateway"}


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. ``path`` has no query, so that no secret is shown; ``query_names`` are the names in it."""

    time: float
    """``time.monotonic()`` when its head was read."""
    method: str
    path: str
    query_names: tuple[str, ...]
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    port: int
    """The client's: equal ports mean one kept-alive connection."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Step:
    """What the server does with one request. ``act`` returns whether the connection stays open."""

    name: str
    act: Callable[[_Line], bool]
    reads_body: bool = True


# Steps. All are values: one may be used many times.


def ok(**more: Any) -> Step:
    """errcode 0, with more fields beside it."""
    return body(_json({"errcode": 0, "errmsg": "ok", **more}))


def errcode(code: object, errmsg: str = "scripted", **more: Any) -> Step:
    """HTTP 200 with any errcode, also ``"0"``, None, True or 0.0."""
    return body(_json({"errcode": code, "errmsg": errmsg, **more}))


def body(data: bytes, *, content_type: str = "application/json; charset=UTF-8") -> Step:
    """HTTP 200 with any bytes."""
    return status(200, data, content_type=content_type)


def status(
    code: int,
    data: bytes = b"<html><body><h1>scripted</h1></body></html>",
    *,
    content_type: str = "text/html",
    headers: Iterable[tuple[str, str]] = (),
    then_close: bool = False,
) -> Step:
    """Any HTTP status. ``then_close`` closes the connection afterwards without having said so (a stale keep-alive)."""
    answer = response(code, data, [("Content-Type", content_type), *headers])

    def act(line: _Line) -> bool:
        line.send(answer)
        return not then_close

    return Step(f"status {code}", act)


def ok_then_close(**more: Any) -> Step:
    """errcode 0, and the connection is closed without a ``Connection: close``."""
    return status(200, _json({"errcode": 0, "errmsg": "ok", **more}), then_close=True)


def redirect(location: str, code: int = 302) -> Step:
    return status(code, b"", headers=[("Location", location)])


def raw(data: bytes) -> Step:
    """These very bytes instead of an HTTP answer, then the end of the connection."""

    def act(line: _Line) -> bool:
        line.send(data)
        return False

    return Step("raw", act)


def rst(*, before_body: bool = False, after: bytes = b"") -> Step:
    """A reset: after ``after`` was sent, or while the client still sends its body."""

    def act(line: _Line) -> bool:
        line.send(after)
        line.reset()
        return False

    return Step("rst", act, reads_body=not before_body)


def close() -> Step:
    """The end of the connection without an answer."""
    return Step("close", lambda line: False)


def hold() -> Step:
    """No answer until `ScriptedWeCom.release` or the end of the server; then errcode 0."""

    def act(line: _Line) -> bool:
        line.server.wait_for_release()
        line.send(response(200, _json({"errcode": 0, "errmsg": "ok"})))
        return False

    return Step("hold", act)


def after(seconds: float, step: Step) -> Step:
    """Another step, later."""

    def act(line: _Line) -> bool:
        line.server.stopping.wait(seconds)
        return step.act(line)

    return Step(f"{step.name} after {seconds:g} s", act, step.reads_body)


def drip(*, part: str = "body", every_s: float = 0.2) -> Step:
    """A good answer, one byte at a time, from its status line (``part="headers"``) or its body on."""
    answer = response(200, _json({"errcode": 0, "errmsg": "ok" * 500}))

    def act(line: _Line) -> bool:
        whole = 0 if part == "headers" else answer.index(b"\r\n\r\n") + 4
        line.send(answer[:whole])
        for i in range(whole, len(answer)):
            line.send(answer[i : i + 1])
            if line.server.stopping.wait(every_s):
                break
        return False

    return Step(f"drip {part}", act)


def huge() -> Step:
    """A chunked answer without an end."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    def act(line: _Line) -> bool:
        line.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not line.server.stopping.is_set():
            line.send(chunk)
        return False

    return Step("huge", act)


def gzip_bomb() -> Step:
    """About 50 KB that unpack to 50 MiB."""
    return status(200, _bomb(), content_type="application/json", headers=[("Content-Encoding", "gzip")])


def response(code: int, data: bytes, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """An HTTP answer as bytes."""
    lines = [f"HTTP/1.1 {code} {_REASONS.get(code, 'Scripted')}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""]).encode() + data


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(b" " * (50 * 1024 * 1024), compresslevel=9)


class ScriptedWeCom:
    """The server: listens while its ``with`` block runs.

    ``certificate`` (the files of one and its key) is for TLS, whose handshake begins after ``handshake_after_s``.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        token: str = TOKEN,
        certificate: tuple[str, str] | None = None,
        handshake_after_s: float = 0.0,
    ) -> None:
        self.token = token
        self.stopping = threading.Event()
        self._requests: list[Request] = []
        self._scripts: list[tuple[str, deque[Step]]] = []
        self._always: list[tuple[str, Step]] = []
        self._every: tuple[int, Step] | None = None
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._lines: dict[_Line, threading.Thread] = {}
        self._connections = 0
        self._asked = 0
        self._scheme = "https" if certificate else "http"
        self._tls: ssl.SSLContext | None = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self._wanted_port = port
        self.handshake_after_s = handshake_after_s

    # What a test orders.

    def script(self, path_prefix: str, *steps: Step) -> None:
        """The next requests below a path, one step each; afterwards all is well again."""
        with self._lock:
            self._scripts.append((path_prefix, deque(steps)))

    def always(self, path_prefix: str, step: Step) -> None:
        """Every request below a path for which there is no script; a later order replaces an earlier one."""
        with self._lock:
            self._always.insert(0, (path_prefix, step))

    def every(self, n: int, step: Step) -> None:
        """Every n-th request of all, whatever else is ordered."""
        with self._lock:
            self._every = (n, step)

    def mend(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._scripts, self._always, self._every = [], [], None

    def release(self) -> None:
        """Let all that `hold` held, or will hold, be answered."""
        self._released.set()

    # What a test reads.

    @property
    def url(self) -> str:
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """All that came in whole, oldest first."""
        with self._lock:
            return list(self._requests)

    def forget(self) -> None:
        """Forget the requests so far: of a long run they would fill the memory."""
        with self._lock:
            self._requests.clear()

    def paths(self) -> list[str]:
        """Their paths, without ``/cgi-bin/``."""
        return [request.path.removeprefix("/cgi-bin/") for request in self.requests]

    def bodies(self, path_prefix: str) -> list[bytes]:
        return [request.body for request in self.requests if request.path.startswith(path_prefix)]

    @property
    def connections(self) -> int:
        """How many were accepted, also those without a request."""
        return self._connections

    @property
    def open_connections(self) -> int:
        with self._lock:
            return len(self._lines)

    # Life.

    def __enter__(self) -> ScriptedWeCom:
        self._listener = socket.create_server((HOST, self._wanted_port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="scripted-wecom", daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._released.set()
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()  # wakes the acceptor
        except OSError:  # it has ended already
            pass
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            lines = dict(self._lines)
        for line in lines:
            line.cut()
        for thread in lines.values():
            thread.join()

    def wait_for_release(self) -> None:
        self._released.wait()

    def _accept(self) -> None:
        while True:
            sock, (_, port) = self._listener.accept()
            if self.stopping.is_set():
                sock.close()
                return
            line = _Line(self, sock, port)
            thread = threading.Thread(target=self._serve, args=(line,), name=f"scripted-{port}", daemon=True)
            with self._lock:
                self._connections += 1
                self._lines[line] = thread
            thread.start()

    def _serve(self, line: _Line) -> None:
        try:
            line.start(self._tls)
            while self._answer_one(line):
                pass
        except (OSError, ValueError, IndexError):
            pass  # the client went away, or did not speak HTTP
        finally:
            line.close()
            with self._lock:
                del self._lines[line]

    def _answer_one(self, line: _Line) -> bool:
        head = line.read_head()
        if head is None:
            return False
        read_at = time.monotonic()
        with self._lock:
            step = self._choose(head.path)
        data = line.read(head.length) if step.reads_body else b""
        request = Request(read_at, head.method, head.path, head.query_names, head.headers, data, line.port)
        with self._lock:
            self._requests.append(request)
        return step.act(line)

    def _choose(self, path: str) -> Step:
        self._asked += 1
        if self._every is not None and self._asked % self._every[0] == 0:
            return self._every[1]
        for prefix, steps in self._scripts:
            if steps and path.startswith(prefix):
                return steps.popleft()
        for prefix, step in self._always:
            if path.startswith(prefix):
                return step
        return self._default(path)

    def _default(self, path: str) -> Step:
        match path.removeprefix("/cgi-bin/"):
            case "gettoken":
                return ok(access_token=self.token, expires_in=7200)
            case "message/send":
                return ok(msgid="scripted-msgid")
            case "webhook/send" | "message/recall":
                return ok()
            case "media/upload" | "webhook/upload_media":
                return ok(type="file", media_id="scripted-media", created_at="1700000000")
            case _:
                return status(404)


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    path: str
    query_names: tuple[str, ...]
    headers: dict[str, str]

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))


class _Line:
    """One connection."""

    def __init__(self, server: ScriptedWeCom, sock: socket.socket, port: int) -> None:
        self.server = server
        self.port = port
        self._sock = sock
        self._rest = b""

    def start(self, tls: ssl.SSLContext | None) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self._sock = wrapped = tls.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
            self.server.stopping.wait(self.server.handshake_after_s)
            wrapped.do_handshake()

    def read_head(self) -> _Head | None:
        while b"\r\n\r\n" not in self._rest:
            data = self._sock.recv(65536)
            if not data:
                return None
            self._rest += data
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        path, _, query = target.partition("?")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        names = tuple(pair.partition("=")[0] for pair in query.split("&") if pair)
        return _Head(method, path, names, headers)

    def read(self, length: int) -> bytes:
        pieces, missing = [self._rest], length - len(self._rest)
        while missing > 0:
            data = self._sock.recv(min(missing, 1 << 20))
            if not data:
                raise ConnectionError("the client went away")
            pieces.append(data)
            missing -= len(data)
        whole = b"".join(pieces)
        self._rest = whole[length:]
        return whole[:length]

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def reset(self) -> None:
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def cut(self) -> None:
        """From another thread: end whatever this connection's thread waits for.

        Below TLS, whose own shutdown would take the TLS state away from under a handshake that has just begun.
        """
        try:
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:  # the other side was faster
            pass

    def close(self) -> None:
        self._sock.close()
