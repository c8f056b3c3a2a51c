"""One deadline for all of a request: connecting, the handshake, sending, and the answer to its last byte.

A socket's own timeout starts anew with every byte, and urllib3 gives all of its own to every address that a name has.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from .._runtime.deadline import time_left

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter


def deadline_adapter() -> HTTPAdapter:
    """An adapter whose connections keep one deadline from the first connect to the last byte of the answer."""
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    response_class: Any = staticmethod(_deadline_response)

    class DeadlineHTTPConnection(_KeepsDeadline, HTTPConnection):
        pass

    class DeadlineHTTPSConnection(_KeepsDeadline, HTTPSConnection):
        pass

    DeadlineHTTPConnection.response_class = DeadlineHTTPSConnection.response_class = response_class

    class HTTPPool(HTTPConnectionPool):
        ConnectionCls = DeadlineHTTPConnection

    class HTTPSPool(HTTPSConnectionPool):
        ConnectionCls = DeadlineHTTPSConnection

    class DeadlineAdapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **kwargs)
            manager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}
            return manager

    return DeadlineAdapter(max_retries=0)


class _KeepsDeadline:
    """Connects and sends within the time that is left. urllib3 gives all of it to each step and each address."""

    debuglevel = 0  # http.client prints requests with their secrets for a program that sets its own to 1
    sock: Any
    timeout: Any
    port: Any
    _dns_host: str

    def _new_conn(self) -> Any:
        number = _number_of_addresses(self._dns_host, self.port)
        self.timeout = time_left() / number
        sock = super()._new_conn()  # type: ignore[misc] # urllib3's
        sock.settimeout(time_left())  # for the handshake
        return sock

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(time_left())
        super().send(data)  # type: ignore[misc] # http.client's


def _number_of_addresses(host: str, port: int) -> int:
    import socket

    try:
        return len(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)) or 1
    except ValueError:  # connecting says what is wrong
        return 1


def _deadline_response(sock: Any, *args: Any, **kwargs: Any) -> Any:
    import http.client

    response = http.client.HTTPResponse(sock, *args, **kwargs)
    response.fp = io.BufferedReader(_DeadlineReader(sock, response.fp.detach()))
    return response


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket with the time that is left. A socket's own timeout starts anew with every byte."""

    def __init__(self, sock: Any, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(time_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
