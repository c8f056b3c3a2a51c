"""One HTTP request to WeCom with a deadline for all of it. It gives the JSON of errcode 0, or raises one of our errors.

No text that leaves this module holds a URL: tokens, keys and secrets travel in the query string. No frame of the
traceback of an error holds one as it is either: tools that report errors send the local variables along.
"""

from __future__ import annotations

import contextvars
import logging
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote_plus, urlsplit

from .._config import is_loopback
from .._runtime.clock import between, seconds_left, time_left, within
from .._runtime.hiding import as_own_traffic, own_traffic
from .._runtime.version import __version__
from ..errors import (
    BadResponseError,
    HTTPStatusError,
    ServerBusyError,
    TransportError,
    WeComError,
)
from ..model import Secret
from .body import ObjectHook, decode, errcode_of
from .errcodes import api_error
from .foreign import deadline_adapter, our_error

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

MAX_ANSWER_BYTES = 64 * 1024
MAX_ITEMS = 3_000_000
"""Of one answer: small ones take thirty times the memory of their text. A large department has a million."""
MAX_RETRY_AFTER_S = 600.0
TRIES_IN_A_ROUND = 3
_SECRETS = frozenset({"access_token", "key"})
"""Names in a query. An answer to a ``corpsecret`` is a token, in which nothing may be replaced."""

_LIBRARIES = frozenset({"certifi", "charset_normalizer", "idna", "requests", "tenacity", "urllib3"})

# These log the whole URL, at DEBUG and on odd answers at WARNING, to every handler that the program has.
_LOGGERS_THAT_SHOW_URLS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


class _Sessions(threading.local):
    """Those of each thread, by process and host; each lives as long as one of its transports."""

    def __init__(self) -> None:
        self.of_thread: weakref.WeakValueDictionary[tuple[int, str], requests.Session] = weakref.WeakValueDictionary()


_sessions = _Sessions()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request; see `Transport.call`."""

    method: str
    path: str
    query: Mapping[str, str | Secret]
    body: bytes | None
    files: Mapping[str, tuple[str, bytes]] | None
    max_bytes: int
    object_hook: ObjectHook | None


class Transport:
    """The kept-alive connections to one WeCom host. Safe to share between threads; each has a session of its own.

    All that go to one host share the session of a thread, or a thousand closed handlers would have as many connections.
    """

    def __init__(self, api_base: str, *, timeout_s: float = 10.0) -> None:
        self._base = api_base
        self._host = urlsplit(api_base).hostname or ""
        self._timeout_s = timeout_s
        self.date = ""
        """The Date header of the newest answer: what the time is at WeCom."""
        self._pid = os.getpid()
        self._local = threading.local()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | Secret],
        body: bytes | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        object_hook: ObjectHook | None = None,
    ) -> dict[str, Any]:
        """Make one request to ``/cgi-bin/{path}`` and return its JSON, or raise a `WeComError`.

        ``object_hook`` makes what is wanted of each JSON object as it is read, so that a long list takes little memory.
        Takes at most ``timeout_s`` in all, however slowly the answer drips; only looking up the host's name may
        take longer than that.
        """
        with within(time.monotonic() + self._timeout_s), as_own_traffic():
            found = self._ask(_Asked(method, path, query, body, files, max_bytes, object_hook))
        if isinstance(found, WeComError):
            raise found  # only here, where neither a frame nor a __context__ holds the URL or what was answered
        return found

    def _ask(self, asked: _Asked) -> dict[str, Any] | WeComError:
        try:
            time_left()  # or nothing is asked at all
            status, headers, text = self._exchange(asked)
        except TransportError as error:
            return error.with_traceback(None)
        except Exception as error:
            return our_error(error, self._host)
        for name in _SECRETS & asked.query.keys():  # whatever repeats one: a name in the directory, an error
            text = _without(asked.query[name], text)
        try:
            return _answer(status, headers, text, asked)
        except WeComError as error:
            return error.with_traceback(None)

    def _exchange(self, asked: _Asked) -> tuple[int, Mapping[str, str], str]:
        response = ask(
            self._session(),
            asked.method,
            f"{self._base}/cgi-bin/{asked.path}",
            self._host,
            self._timeout_s,
            params={name: _revealed(value) for name, value in asked.query.items()},
            data=asked.body,
            files=dict(asked.files) if asked.files else None,
            headers={"Content-Type": "application/json; charset=utf-8"} if asked.body is not None else None,
        )
        self.date = response.headers.get("Date", "")
        try:
            content = response.raw.read(asked.max_bytes + 1, decode_content=False)
            if len(content) > asked.max_bytes:
                raise BadResponseError(f"the answer of {self._host} is larger than {asked.max_bytes} bytes")
            return response.status_code, response.headers, _text(content)
        finally:
            response.close()

    def _session(self) -> requests.Session:
        if self._pid != os.getpid():  # a forked child must not use its parent's sockets
            self._pid, self._local = os.getpid(), threading.local()
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            key = (self._pid, self._base)
            session = _sessions.of_thread.get(key)
            if session is None:
                session = _sessions.of_thread[key] = new_session()
            self._local.session = session
        return session

    def close(self) -> None:
        """Close the connections of the calling thread; those of other threads close with them."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None:
            del self._local.session
            session.close()


trying: contextvars.ContextVar[Callable[[WeComError], object] | None]
trying = contextvars.ContextVar("wecom_logging_trying", default=None)
"""Hears of each try that has failed, also where another one follows."""


def in_a_round(
    attempt: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep, tries: int = TRIES_IN_A_ROUND
) -> T:
    """Call ``attempt`` at most ``tries`` times, as long as its errors say that a quick second try makes sense."""
    import tenacity

    return tenacity.Retrying(
        stop=lambda state: state.attempt_number >= tries or seconds_left() <= 0,
        wait=lambda state: between(0, min(0.1 * 2**state.attempt_number, 2)),
        retry=tenacity.retry_if_exception(_heard_and_worth_another),
        sleep=lambda seconds: sleep(min(seconds, max(seconds_left(), 0.0))),
        reraise=True,
    )(attempt)


def _heard_and_worth_another(error: BaseException) -> bool:
    if (hear := trying.get()) is not None and isinstance(error, WeComError):
        hear(error)
    return worth_a_quick_try(error)


def worth_a_quick_try(error: BaseException) -> bool:
    """Whether the next try may follow at once. A token that was refused again, or a limit, wants a longer wait."""
    quick = isinstance(error, TransportError | ServerBusyError) or getattr(error, "errcode", None) == 45033
    return quick and isinstance(error, WeComError) and error.retryable and error.retry_after_s == 0


def load_libraries() -> None:
    """Import everything that a request needs, so that it happens in one known place."""
    try:
        import encodings.idna  # the codec of the host's name, loaded by the first connection otherwise
        import encodings.utf_8_sig  # noqa: F401 # and that of the answer
        import tomllib  # noqa: F401 # what reads the words of an errcode

        # The package first: of two threads, one of which begins with a part of it, one would find it half loaded.
        import requests  # isort: skip
        import requests.adapters  # noqa: F401 # loading it is the purpose
        import tenacity  # noqa: F401 # as above
    except BaseException:
        # Forget modules whose package could not be loaded (no memory, no file descriptor, a warning that is an error):
        # the package's next import would find them, and have them as its attributes no more.
        for name in list(sys.modules):
            top, _, rest = name.partition(".")
            if rest and top in _LIBRARIES and top not in sys.modules:
                del sys.modules[name]
        raise


class _NotOurs(logging.Filter):
    """Keeps URLs of our own requests out of the program's log; its own requests are logged as ever."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not own_traffic.get()


_not_ours = _NotOurs()


def new_session() -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    import requests

    for name in _LOGGERS_THAT_SHOW_URLS:
        logging.getLogger(name).addFilter(_not_ours)  # adding it again does nothing

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """Nowhere: even when it does not follow, requests reads and unpacks the whole body, of any size."""

    session = Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # WeCom sets none that we need
    session.auth = lambda request: request  # else ~/.netrc may add an Authorization header
    session.headers.update({"User-Agent": f"wecom-logging/{__version__}", "Accept-Encoding": "identity"})
    adapter = deadline_adapter()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def ask(
    session: requests.Session, method: str, url: str, host: str, timeout_s: float, **more: Any
) -> requests.Response:
    """A request whose answer has begun: no redirect is followed, and no proxy asked for what is on this machine."""
    proxies = {"no_proxy": host} if is_loopback(host) else None
    return session.request(method, url, timeout=timeout_s, allow_redirects=False, stream=True, proxies=proxies, **more)


def _text(content: bytes) -> str:
    """What was answered; nothing, which is no JSON, if it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except ValueError:
        return ""


def _answer(status: int, headers: Mapping[str, str], text: str, asked: _Asked) -> dict[str, Any]:
    """Success is HTTP 200 and errcode 0, and nothing else. What WeCom says of a failure may repeat our secrets."""
    if status != 200:
        raise _status_error(status, headers, asked.path)
    if sum(map(text.count, ",[{")) > MAX_ITEMS:
        raise BadResponseError(f"the answer to {asked.path} has more than {MAX_ITEMS} items")
    answer = decode(text, asked.object_hook)
    if answer is None or (errcode := errcode_of(answer)) is None:
        what = "is not a JSON object with one errcode, and each name once"
        raise BadResponseError(f"the answer to {asked.path} {what} ({len(text)} characters)")
    if errcode != 0:
        errmsg = str(answer.get("errmsg", ""))
        for secret in asked.query.values():
            errmsg = _without(secret, errmsg)
        raise api_error(errcode, errmsg, asked.path)
    return answer


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _without(value: str | Secret, text: str) -> str:
    """Also as it stands in a URL, which is what a gateway repeats."""
    secret = _revealed(value)
    return text.replace(secret, "***").replace(quote_plus(secret), "***") if len(secret) > 5 else text


def _status_error(status: int, headers: Mapping[str, str], path: str) -> HTTPStatusError:
    text = f"HTTP status {status} from {path}"
    if 300 <= status < 400:
        text += ": the API address redirects, which WeCom never does (a captive portal, or a wrong api_base?)"
    elif 400 <= status < 500 and status != 429:
        text += ": not WeCom's own answer (a wrong api_base, or a proxy in between?)"
    value, seconds = headers.get("Retry-After", "").strip(), 0.0
    if status == 429:
        seconds = float(value) if re.fullmatch(r"\d{1,9}", value) else _seconds_until(value, headers.get("Date", ""))
        seconds = min(max(seconds, 1.0), MAX_RETRY_AFTER_S)
    return HTTPStatusError(status, text, retry_after_s=seconds)


def _seconds_until(then: str, now: str) -> float:
    """Between two dates of one answer, whose clock need not be ours; a minute if one of them is none."""
    from email.utils import parsedate_to_datetime

    try:
        return (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):  # a minute, as said above
        return 60.0
