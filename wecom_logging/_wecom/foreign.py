"""What we need of requests and urllib3 and they do not give: errors without the URL, and one deadline for a request.

The deadline is for connecting, the handshake, sending, and the answer to its last byte. A socket's own timeout starts
anew with every byte, and urllib3 gives all of its own to every address that a name has.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._runtime.clock import time_left
from ..errors import ConnectError, RequestTimeout, WeComError

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter


_TLS_REASONS = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS on this port",
    "UNEXPECTED_EOF_WHILE_READING": "the server ended the handshake",
}
_TLS_REMEDIES = {
    "self.signed|issuer": "its CA is unknown here; REQUESTS_CA_BUNDLE may name a file with the CA's certificate",
    "mismatch": "check {option} and the proxy",
    "expired|not yet valid": "or this machine's clock is wrong",
}


def our_error(error: BaseException, host: str, option: str = "api_base") -> WeComError:
    """The one place where foreign exceptions become ours; their own texts show URLs, so only fixed words go on.

    ``option`` is the one that says where ``host`` is.
    """
    import requests

    causes = list(_causes(error))
    detail = next((_os_detail(cause) for cause in causes if isinstance(cause, OSError) and cause.errno), "")
    if any("Tunnel connection failed: 407" in str(cause) for cause in causes):
        return ConnectError(
            f"the proxy for {host} wants a user name and a password (in HTTPS_PROXY)", reason="proxy_login"
        )
    names = {type(cause).__name__ for cause in causes}
    if "InvalidSchema" in names:  # all that requests says of SOCKS without PySocks; our own URLs have a schema
        return ConnectError(
            f"the proxy for {host} is a SOCKS proxy (HTTPS_PROXY or ALL_PROXY), which needs one more package: "
            "pip install 'requests[socks]'",
            reason="proxy_socks",
        )
    if isinstance(error, requests.exceptions.ProxyError) or names & {"InvalidProxyURL", "ProxySchemeUnknown"}:
        return ConnectError(f"the proxy for {host} failed{detail}: check HTTPS_PROXY and NO_PROXY", reason="proxy")
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in causes):
        stalled = any("handshake operation timed out" in str(cause) for cause in causes)
        return RequestTimeout(f"{host} did not answer in time{' (the TLS handshake stalled)' if stalled else ''}")
    if "NameResolutionError" in names or "gaierror" in names:
        return ConnectError(f"the name {host} cannot be resolved: check {option} and this machine's DNS", reason="dns")
    if (isinstance(error, requests.exceptions.SSLError) or type(error) is OSError) and (problem := _bundle_problem()):
        return ConnectError(f"no TLS connection to {host}: {problem}", reason="ca_bundle")
    if isinstance(error, requests.exceptions.SSLError):
        return ConnectError(f"no trusted TLS connection to {host}: {_tls_detail(causes, option)}", reason="tls")
    detail = detail or f" ({type(error).__name__})"
    return ConnectError(f"the connection to {host} failed{detail}: check {option}, the firewall and HTTPS_PROXY")


def _bundle_problem() -> str:
    """What is wrong with the file of certificates that requests was told to use; empty if it can be read."""
    import ssl

    name = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), "")
    if not name or os.path.isdir(path := os.environ[name]):
        return ""
    why = "holds no certificate in PEM form"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        return ""
    except ssl.SSLError:
        pass  # as said above
    except (OSError, ValueError) as error:
        why = f"cannot be read{_os_detail(error) if isinstance(error, OSError) else ''}"
    shown = f" {path}" if path.isprintable() and len(path) < 256 else ""  # some paste the certificate itself, or a key
    return f"the file{shown} of {name} {why}; give another one, or unset {name}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception with all that led to it: requests and urllib3 hide the cause in args, reason or __context__."""
    queue: list[Any] = [error]
    seen: set[int] = set()
    while queue and len(seen) < 50:
        item = queue.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            queue += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]


def _os_detail(error: OSError) -> str:
    return f" ({os.strerror(error.errno)})" if error.errno and error.errno > 0 else ""


def _tls_detail(causes: list[BaseException], option: str) -> str:
    for cause in causes:
        message = str(getattr(cause, "verify_message", "")).rstrip(".")
        if message:
            remedy = next((words for signs, words in _TLS_REMEDIES.items() if re.search(signs, message)), "")
            return f"{message} ({remedy.format(option=option)})" if remedy else message
    reasons = [str(getattr(cause, "reason", "")) for cause in causes]
    reason = next((reason for reason in reasons if re.fullmatch(r"[A-Z_0-9]+", reason)), "handshake failed")
    return f"{_TLS_REASONS[reason]} ({reason})" if reason in _TLS_REASONS else reason


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
        import socket

        number = 1
        with suppress(ValueError):  # connecting says what is wrong
            number = len(socket.getaddrinfo(self._dns_host.strip("[]"), self.port, type=socket.SOCK_STREAM)) or 1
        self.timeout = time_left() / number
        sock = super()._new_conn()  # type: ignore[misc] # urllib3's
        sock.settimeout(time_left())  # for the handshake
        return sock

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(time_left())
        super().send(data)  # type: ignore[misc] # http.client's


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
