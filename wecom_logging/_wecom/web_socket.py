"""What a long connection asks of the system and of websocket-client: to wait, to connect, to read one frame."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
from typing import TYPE_CHECKING, Any

from ..errors import ConnectError, HTTPStatusError, RequestTimeout, WeComError

if TYPE_CHECKING:
    import websocket

Json = dict[str, Any]


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

    def has_input(self, found: Any) -> bool:
        """Whether reading it gives something at once; a TLS socket may have more than the system knows of."""
        if getattr(found, "pending", lambda: 0)():
            return True
        return self._selector is not None and any(key.fileobj is found for key, _ in self._selector.select(0))

    def wait(self, seconds: float) -> None:
        assert self._selector is not None
        assert self._near is not None
        self._selector.select(min(seconds, 3600.0))
        with contextlib.suppress(OSError):  # it is empty
            while len(self._near.recv(4096)) == 4096:
                continue

    def close(self) -> None:
        """By the thread, when it ends."""
        self.forget()

    def forget(self) -> None:
        """Close what is this process's, as a child that has a copy of it."""
        for one in (self._selector, self._near, self._far):
            if one is not None:
                with contextlib.suppress(OSError):  # it is closed already
                    one.close()
        self._selector = self._near = self._far = self._watched = None


def connect(url: str, host: str, timeout_s: float) -> websocket.WebSocket:
    """Raises `WeComError`."""
    import websocket

    options: dict[str, Any] = {"skip_utf8_validation": True}  # it takes a microsecond a byte; JSON looks at it, too
    if url.startswith("wss:"):
        import requests.utils

        ours = requests.utils.DEFAULT_CA_BUNDLE_PATH
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or ours
        options["sslopt"] = {"ca_cert_path" if os.path.isdir(bundle) else "ca_certs": bundle}
    try:
        return websocket.create_connection(url, timeout=timeout_s, suppress_origin=True, **options)
    except Exception as error:
        raise as_ours(error, host) from None


def read(found: websocket.WebSocket) -> Json | None:
    """One frame, as JSON; None for what is none, and for what has not come whole."""
    import websocket

    try:
        opcode, frame = found.recv_data_frame(control_frame=True)
    except websocket.WebSocketTimeoutException:
        return None
    if opcode == websocket.ABNF.OPCODE_CLOSE:
        raise websocket.WebSocketConnectionClosedException("closed")
    if opcode not in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY) or frame is None:
        return None
    try:
        answer = json.loads(frame.data)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("headers", {}), dict) else None


def as_ours(error: BaseException, host: str) -> WeComError:
    """The library's exceptions as ours; only fixed words go on."""
    import ssl

    import websocket

    check = "check the url, the firewall and HTTPS_PROXY"
    if isinstance(error, websocket.WebSocketBadStatusException):
        return HTTPStatusError(error.status_code, f"{host} answered {error.status_code}, and no WebSocket: {check}")
    if isinstance(error, websocket.WebSocketProxyException):
        return ConnectError(f"the proxy for {host} failed: check HTTPS_PROXY and NO_PROXY", reason="proxy")
    if isinstance(error, websocket.WebSocketTimeoutException | TimeoutError):
        return RequestTimeout(f"{host} did not answer in time")
    if isinstance(error, websocket.WebSocketAddressException | socket.gaierror):
        return ConnectError(f"the name {host} cannot be resolved: check the url and this machine's DNS", reason="dns")
    if isinstance(error, ssl.SSLError):
        return ConnectError(f"no trusted TLS connection to {host}: {error.reason or 'handshake failed'}", reason="tls")
    errno = getattr(error, "errno", None)
    detail = os.strerror(errno) if isinstance(errno, int) and errno > 0 else type(error).__name__
    return ConnectError(f"the connection to {host} failed ({detail}): {check}")
