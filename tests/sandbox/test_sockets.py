"""WebSockets at the sandbox's own port, beside HTTP: handshakes, frames, strangers, the end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.sockets import MAX_FRAME_BYTES

ENDED = threading.Event()
HANDSHAKE = (
    b"GET /talk HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
)


def talk(connection: Any, request: Any) -> None:
    """Says from where it was asked, then the length of whatever comes, until "bye"."""
    try:
        connection.send(request.full_path)
        for said in connection:
            if said == "bye":
                return
            connection.send(str(len(said)))
    finally:
        ENDED.set()


@pytest.fixture
def talking() -> Iterator[Sandbox]:
    ENDED.clear()
    with Sandbox() as sandbox:
        sandbox.on_websocket("/talk", talk)
        yield sandbox


def address(sandbox: Sandbox, path: str = "/talk?a=1") -> str:
    return sandbox.url.replace("http://", "ws://") + path


def refused(url: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught, connect(url, proxy=None, **options):
        pass
    return caught.value.response.status_code


def test_http_and_websockets_at_one_port(talking: Sandbox) -> None:
    with connect(address(talking), proxy=None) as client:
        assert client.recv(10) == "/talk?a=1"
        assert requests.get(talking.url + "/sandbox/health", timeout=10).status_code == 200
        client.send("x" * 700_000)
        assert client.recv(10) == "700000"
        client.send(b"\x00\x01")
        assert client.recv(10) == "2"
        client.send("bye")
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(10)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1000


def test_the_handler_hears_that_the_client_goes(talking: Sandbox) -> None:
    with connect(address(talking), proxy=None) as client:
        client.recv(10)
    assert ENDED.wait(10)


def test_the_handler_hears_that_the_sandbox_stops(talking: Sandbox) -> None:
    with connect(address(talking), proxy=None) as client:
        client.recv(10)
        talking.stop()
        assert ENDED.wait(10)
        with pytest.raises(ConnectionClosed):
            client.recv(10)


def test_a_path_without_a_handler(talking: Sandbox) -> None:
    assert refused(address(talking, "/other")) == 404
    talking.on_websocket("", talk)
    with connect(address(talking, "/other"), proxy=None) as client:
        assert client.recv(10) == "/other?"


def test_a_page_of_another_site_does_not_talk(talking: Sandbox) -> None:
    assert refused(address(talking), origin="https://evil.test") == 403
    assert refused(address(talking), additional_headers={"Sec-Fetch-Site": "cross-site"}) == 403
    assert not ENDED.is_set()
    with connect(address(talking), proxy=None, origin=talking.url) as client:
        client.recv(10)


def test_too_large_a_frame_ends_it(talking: Sandbox) -> None:
    with connect(address(talking), proxy=None) as client:
        client.recv(10)
        client.send("x" * (MAX_FRAME_BYTES + 1))
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(10)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009
    assert ENDED.wait(10)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (HANDSHAKE + b"\r\n", b"400"),
        (HANDSHAKE + b"Sec-WebSocket-Key: short\r\n\r\n", b"400"),
        (HANDSHAKE.replace(b"13", b"99") + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", b"400"),
        (HANDSHAKE.replace(b"Connection: Upgrade", b"Connection: close") + b"\r\n", b"426"),
        (HANDSHAKE.replace(b"GET", b"POST") + b"Content-Length: 0\r\n\r\n", b"405"),
        (HANDSHAKE + b"Sec-WebSocket-Key: \xff\xfe\r\nX: \x80\r\n\r\n", b"400"),
        (HANDSHAKE + b"X-Many: 1\r\n" * 150 + b"\r\n", b"431"),
    ],
    ids=["no key", "a short key", "another version", "no upgrade", "POST", "no ASCII", "too many headers"],
)
def test_a_handshake_that_is_none(talking: Sandbox, raw: bytes, status: bytes) -> None:
    port = int(talking.url.rpartition(":")[2])
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(raw)
        assert connection.recv(65536).split(b" ")[1] == status
    assert not ENDED.is_set()
