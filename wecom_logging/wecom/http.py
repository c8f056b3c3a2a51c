"""One HTTP request to WeCom with a deadline for all of it. It gives the JSON of errcode 0, or raises one of our errors.

No text that leaves this module holds a URL: tokens, keys and secrets travel in the query string.
"""

from __future__ import annotations

import contextvars
import io
import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ..config import is_loopback
from ..errors import (
    BadResponseError,
    ConnectError,
    HTTPStatusError,
    RequestTimeout,
    ServerBusyError,
    TransportError,
    WeComError,
)
from .errcodes import api_error

if TYPE_CHECKING:
    import requests
    from requests.adapters import HTTPAdapter

T = TypeVar("T")

MAX_ANSWER_BYTES = 64 * 1024
MAX_RETRY_AFTER_S = 600.0
TRIES_IN_A_ROUND = 3

own_traffic: contextvars.ContextVar[bool] = contextvars.ContextVar("wecom_logging_own_traffic", default=False)
"""True while this thread is inside our own network calls: records that those make are not alerts."""

_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("wecom_logging_deadline", default=float("inf"))

# These log the whole URL, at DEBUG and on odd answers at WARNING, to every handler that the program has.
_LOGGERS_THAT_SHOW_URLS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


class Transport:
    """The kept-alive connections to one WeCom host. Safe to share between threads; each has a session of its own."""

    def __init__(self, api_base: str, *, timeout_s: float = 10.0) -> None:
        self._base = api_base
        self._host = urlsplit(api_base).hostname or ""
        self._timeout_s = timeout_s
        self._pid = os.getpid()
        self._local = threading.local()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: bytes | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> dict[str, Any]:
        """Make one request to ``/cgi-bin/{path}`` and return its JSON, or raise a `WeComError`.

        Takes at most ``timeout_s`` in all (looking up the host's name apart), however slowly the answer drips.
        """
        failure: WeComError
        with within(time.monotonic() + self._timeout_s), _as_own_traffic():
            try:
                _time_left()  # or nothing is asked at all
                status, headers, content = self._exchange(method, path, query, body, files, max_bytes)
            except TransportError:
                raise
            except Exception as error:
                failure = _ours(error, self._host)
            else:
                return _answer(status, headers, content, path, secrets=[v for v in query.values() if len(v) > 5])
        raise failure  # outside of the except block, so that no __context__ carries the URL

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None,
        files: Mapping[str, tuple[str, bytes]] | None,
        max_bytes: int,
    ) -> tuple[int, Mapping[str, str], bytes]:
        response = self._session().request(
            method,
            f"{self._base}/cgi-bin/{path}",
            params=dict(query),
            data=body,
            files=dict(files) if files else None,
            headers={"Content-Type": "application/json; charset=utf-8"} if body is not None else None,
            timeout=self._timeout_s,
            allow_redirects=False,
            stream=True,
            proxies={"no_proxy": self._host} if is_loopback(self._host) else None,
        )
        try:
            content = response.raw.read(max_bytes + 1, decode_content=False)
            if len(content) > max_bytes:
                raise BadResponseError(f"the answer of {self._host} is larger than {max_bytes} bytes")
            return response.status_code, response.headers, content
        finally:
            response.close()

    def _session(self) -> requests.Session:
        if self._pid != os.getpid():  # a forked child must not use its parent's sockets
            self._pid, self._local = os.getpid(), threading.local()
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _new_session()
        return session

    def close(self) -> None:
        """Close the connections of the calling thread; those of other threads close with them."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None:
            del self._local.session
            session.close()


def in_a_round(attempt: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Call ``attempt`` at most three times, as long as its errors say that a quick second try makes sense."""
    import tenacity

    return tenacity.Retrying(
        stop=lambda state: state.attempt_number >= TRIES_IN_A_ROUND or _deadline.get() <= time.monotonic(),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
        retry=tenacity.retry_if_exception(worth_a_quick_try),
        sleep=lambda seconds: sleep(min(seconds, max(_deadline.get() - time.monotonic(), 0.0))),
        reraise=True,
    )(attempt)


def worth_a_quick_try(error: BaseException) -> bool:
    """Whether the next try may follow at once. A token that was refused again, or a limit, wants a longer wait."""
    quick = isinstance(error, TransportError | ServerBusyError) or getattr(error, "errcode", None) == 45033
    return quick and isinstance(error, WeComError) and error.retryable and error.retry_after_s == 0


def load_libraries() -> None:
    """Import everything that a request needs, so that it happens in one known place."""
    import encodings.idna  # the codec of the host's name, loaded by the first connection otherwise
    import encodings.utf_8_sig  # noqa: F401  and that of the answer

    import requests.adapters  # noqa: F401
    import tenacity  # noqa: F401


@contextmanager
def within(deadline: float) -> Iterator[None]:
    """Requests made here end by then (``time.monotonic()``), or by an earlier deadline around this one."""
    outer = _deadline.set(min(deadline, _deadline.get()))
    try:
        yield
    finally:
        _deadline.reset(outer)


@contextmanager
def _as_own_traffic() -> Iterator[None]:
    outer = own_traffic.set(True)
    try:
        yield
    finally:
        own_traffic.reset(outer)


class _NotOurs(logging.Filter):
    """Keeps URLs of our own requests out of the program's log; its own requests are logged as ever."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not own_traffic.get()


_not_ours = _NotOurs()


def _new_session() -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    import requests

    from .. import __version__

    for name in _LOGGERS_THAT_SHOW_URLS:
        logging.getLogger(name).addFilter(_not_ours)  # adding it again does nothing

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """Nowhere: even when it does not follow, requests reads and unpacks the whole body, of any size."""

    session = Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # WeCom sets none that we need
    session.auth = lambda request: request  # else ~/.netrc may add an Authorization header
    session.headers.update({"User-Agent": f"wecom-logging/{__version__}", "Accept-Encoding": "identity"})
    adapter = _adapter()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _adapter() -> HTTPAdapter:
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
        self.timeout = _time_left() / _number_of_addresses(self._dns_host, self.port)
        sock = super()._new_conn()  # type: ignore[misc] # urllib3's
        sock.settimeout(_time_left())  # for the handshake
        return sock

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(_time_left())
        super().send(data)  # type: ignore[misc] # http.client's


def _number_of_addresses(host: str, port: int) -> int:
    import socket

    try:
        return len(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)) or 1
    except (OSError, ValueError):  # connecting says what is wrong
        return 1


def _time_left() -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


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
        self._sock.settimeout(_time_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _answer(
    status: int, headers: Mapping[str, str], content: bytes, path: str, secrets: Iterable[str]
) -> dict[str, Any]:
    """Success is HTTP 200 and errcode 0, and nothing else. What WeCom says of a failure may repeat our secrets."""
    if status != 200:
        raise _status_error(status, headers, path)
    answer: object
    try:
        answer = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        answer = None
    errcode = answer.get("errcode") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or type(errcode) is not int:
        raise BadResponseError(f"the answer to {path} is not a JSON object with an errcode ({len(content)} bytes)")
    if errcode != 0:
        errmsg = str(answer.get("errmsg", ""))
        for secret in secrets:
            errmsg = errmsg.replace(secret, "***")
        raise api_error(errcode, errmsg, path)
    return answer


def _status_error(status: int, headers: Mapping[str, str], path: str) -> HTTPStatusError:
    text = f"HTTP status {status} from {path}"
    if 300 <= status < 400:
        text += ": the API address redirects, which WeCom never does (a captive portal, or a wrong api_base?)"
    elif 400 <= status < 500 and status != 429:
        text += ": not WeCom's own answer (a wrong api_base, or a proxy in between?)"
    return HTTPStatusError(status, text, retry_after_s=_retry_after(headers) if status == 429 else 0.0)


def _retry_after(headers: Mapping[str, str]) -> float:
    value = headers.get("Retry-After", "").strip()
    seconds = float(value) if re.fullmatch(r"\d{1,9}", value) else 60.0
    return min(max(seconds, 1.0), MAX_RETRY_AFTER_S)


def _ours(error: BaseException, host: str) -> WeComError:
    """The one place where foreign exceptions become ours; their own texts show URLs, so only fixed words go on."""
    import requests

    causes = list(_causes(error))
    detail = next((_os_detail(cause) for cause in causes if isinstance(cause, OSError) and cause.errno), "")
    if any("Tunnel connection failed: 407" in str(cause) for cause in causes):
        return ConnectError(f"the proxy for {host} wants a user name and a password (in HTTPS_PROXY)")
    if isinstance(error, requests.exceptions.ProxyError):
        return ConnectError(f"the proxy for {host} failed{detail}: check HTTPS_PROXY and NO_PROXY")
    if any(_is_timeout(cause) for cause in causes):
        return RequestTimeout(f"{host} did not answer in time")
    names = {type(cause).__name__ for cause in causes}
    if "NameResolutionError" in names or "gaierror" in names:
        return ConnectError(f"the name {host} cannot be resolved")
    if isinstance(error, requests.exceptions.SSLError):
        return ConnectError(f"no trusted TLS connection to {host}: {_tls_detail(causes)}")
    return ConnectError(f"the connection to {host} failed{detail or f' ({type(error).__name__})'}")


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


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or "Timeout" in type(error).__name__


def _os_detail(error: OSError) -> str:
    return f" ({os.strerror(error.errno)})" if error.errno and error.errno > 0 else ""


def _tls_detail(causes: list[BaseException]) -> str:
    for cause in causes:
        message = getattr(cause, "verify_message", "")
        if message:
            return str(message)
    reasons = [str(getattr(cause, "reason", "")) for cause in causes]
    return next((reason for reason in reasons if re.fullmatch(r"[A-Z_0-9]+", reason)), "handshake failed")
