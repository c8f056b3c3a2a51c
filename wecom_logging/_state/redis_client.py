"""A client of redis-py or valkey-py that answers soon or not at all, and what its errors are called here."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 # the libraries import it, which fails once the program has begun to end
import importlib
import importlib.util
import inspect
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .._runtime import forks
from .._runtime.version import with_extra
from ..errors import ConfigurationError, MissingDependencyError

TIMEOUT_S = 0.4
"""For connecting, and until more of an answer comes: a call of two answers stays below a second."""
ANSWER_S = 5.0
"""For all of an answer, however slowly it drips; a large one over a slow line may take some of it."""
MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""A hundred rows take some megabytes; one takes at most four."""
_SCHEMES = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss"}
_TIMEOUTS = ("socket_timeout", "socket_connect_timeout")
_SETTINGS = {
    *("host", "port", "path", "db", "username", "password", "credential_provider", "client_name"),
    *("socket_keepalive", "socket_type", "redis_connect_func", "valkey_connect_func"),
}
"""Of a connection, what we take over, together with ``ssl_…``. Libraries of every age know them."""
_CODES = {
    "NOAUTH": "it needs a password; put it into the URL, as redis://:PASSWORD@HOST",
    "WRONGPASS": "it refuses the user or the password",
    "NOPERM": "its ACL refuses a command or the keys; allow +@all ~wecom-logging:*, or see ACL LOG there",
    "READONLY": "it is a replica and refuses to write",
    "LOADING": "it is reading its data and answers later",
    "BUSY": "another program's script keeps it busy",
    "MISCONF": "it cannot save its data and refuses to write; look at its log and disk",
    "OOM": "its memory is full; see maxmemory there",
    "WRONGTYPE": "one of the keys wecom-logging:* has another type",
    "MASTERDOWN": "it is a replica without its primary",
    "NOREPLICAS": "too few of its replicas are there",
    "CLUSTERDOWN": "the cluster is down",
    "MOVED": "it belongs to a cluster; give a ready RedisCluster client",
    "ASK": "it belongs to a cluster; give a ready RedisCluster client",
    "CROSSSLOT": "it belongs to a cluster; give a ready RedisCluster client",
    "OTHERVERSION": "it is of another version of wecom_logging; use that one, or choose another server or database",
    "NOSCRIPT": "it does not keep the scripts that it is given",
}
# redis-py and valkey-py take the code out of the text of these.
_CLASSES = {
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "WRONGPASS",
    "NoPermissionError": "NOPERM",
    "ReadOnlyError": "READONLY",
    "BusyLoadingError": "LOADING",
    "OutOfMemoryError": "OOM",
    "NoScriptError": "NOSCRIPT",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "ClusterCrossSlotError": "CROSSSLOT",
}
_CODE = re.compile(rf"\b({'|'.join(_CODES)})\b")


def check_url(url: str) -> str:
    """The URL as both libraries read it. `ConfigurationError` without what is secret in it."""
    if code := _problem(url):
        raise ConfigurationError("state", code)
    installed(url)
    return f"{_SCHEMES[urlsplit(url).scheme]}:{url.partition(':')[2]}"


def _problem(url: str) -> str:
    """Its code. Raised elsewhere, so that no ``__context__`` shows the URL."""
    try:
        parts = urlsplit(url)
        path, has_port = parts.path.strip("/"), parts.port is not None
    except ValueError:
        return "unreadable_host"
    if _SCHEMES.get(parts.scheme) is None:
        return "not_a_state"
    if parts.scheme == "unix" and (not path or has_port):
        return "no_socket"
    if parts.scheme != "unix" and path and not path.isdecimal():
        return "not_a_database"
    if parts.fragment:  # of a password; what stands before it would be taken for a host and a port
        return "unreadable_host"
    for option, _ in parse_qsl(parts.query, keep_blank_values=True):
        if not (_is_setting(option) or option in _TIMEOUTS):
            return "unknown_url_option"
    return ""


def installed(url: str) -> str:
    """The name of the installed library that fits best. It is not loaded yet: that takes a quarter of a second."""
    names = ["valkey", "redis"] if url.startswith("valkey") else ["redis", "valkey"]
    for name in names:
        if importlib.util.find_spec(name) is not None:
            return name
    raise MissingDependencyError("state", "needs_package", package="redis-py", install=with_extra("redis"))


def place(url: str) -> str:
    """Where that is, for people: neither user nor password, nor any option."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"


def secrets_of(url: str) -> set[str]:
    """The password, in every form in which a text may show it."""
    parts, options = urlsplit(url), dict(parse_qsl(urlsplit(url).query))
    given = _passwords({"username": parts.username, "password": parts.password} | options)
    return given | _forms({unquote(part) for part in given})


def secrets_in(client: Any) -> set[str]:
    """The same of a client that the user has made, of a cluster or Sentinel too."""
    pool = getattr(client, "connection_pool", None) or getattr(client, "nodes_manager", client)
    sentinel = getattr(getattr(pool, "sentinel_manager", None), "sentinel_kwargs", {})
    return _forms({word for one in (getattr(pool, "connection_kwargs", {}), sentinel) for word in _passwords(one)})


def _passwords(settings: Mapping[str, Any]) -> set[str]:
    """A user's name is a word that alerts may say, such as "default"; without a password it is one itself."""
    found = {word for name in ("password", "ssl_password") if isinstance(word := settings.get(name), str) and word}
    user = settings.get("username")
    return found or ({user} if isinstance(user, str) and user else set())


def _forms(plain: set[str]) -> set[str]:
    return {form for part in plain for form in (part, quote(part), quote(part, safe=""))}


def connect(name: str, url: str) -> Any:
    """A client by the library of that name. Nothing is sent yet."""
    with forks.gate:  # a child that is forked in the middle of an import could never finish it
        importlib.import_module("encodings.idna")  # the first look-up of a name imports it
        found = importlib.import_module(name)
        pool = found.ConnectionPool.from_url(url)
        if url.startswith("rediss:"):  # valkey-py and old versions of redis-py look at no name
            is_checked = pool.connection_kwargs.get("ssl_cert_reqs") != "none"
            pool.connection_kwargs.setdefault("ssl_check_hostname", is_checked)
        return _bounded(found, pool)


def bounded(client: Any) -> Any:
    """A client of ours that goes where the given one goes: connections, locks and timeouts of its own.

    Its pool may wait without end, or be held by a thread that a forked child does not have. What is no plain pool (a
    cluster, Sentinel), and what goes nowhere (a fake for tests), is used as it is.
    """
    with forks.gate:
        importlib.import_module("encodings.idna")
        pool = getattr(client, "connection_pool", None)
        name = _library_of(type(pool))
        kinds = (type(client), getattr(pool, "connection_class", object))  # one of them may be the user's own
        if name not in ("redis", "valkey") or not any(_library_of(kind) == name for kind in kinds):
            return client
        found = importlib.import_module(name)
        plain = type(pool) in (found.ConnectionPool, found.BlockingConnectionPool)
        return _bounded(found, pool) if plain else client


def _library_of(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _bounded(library: Any, pool: Any) -> Any:
    retry = importlib.import_module(f"{library.__name__}.retry").Retry
    no_wait = importlib.import_module(f"{library.__name__}.backoff").NoBackoff
    settings = {name: value for name, value in pool.connection_kwargs.items() if _is_setting(name)}
    for name in _TIMEOUTS:
        asked = pool.connection_kwargs.get(name)
        settings[name] = min(asked, TIMEOUT_S) if isinstance(asked, (int, float)) and asked > 0 else TIMEOUT_S
    if "protocol" in inspect.signature(library.connection.AbstractConnection).parameters:
        settings["protocol"] = 2  # which all speak; redis-py 8 would ask for 3, and redis-py 4 cannot ask
    settings["retry"] = retry(no_wait(), 0)
    parts = vars(library.connection)  # not hiredis: it takes memory for as many items as a list is said to have
    settings["parser_class"] = parts.get("_RESP2Parser") or parts["PythonParser"]
    own = library.ConnectionPool(connection_class=_bounded_kind(pool.connection_class), **settings)
    own.connection_class(**own.connection_kwargs)  # it imports more when the first is made
    return (library.Valkey if library.__name__ == "valkey" else library.Redis)(connection_pool=own)


def sender(client: Any) -> Callable[..., Any]:
    """A function that sends a command of ASCII texts and numbers by a client of ours, and gives the answer.

    What a library does around each command takes a third of the time of a short one, and is left out.
    """
    pool = client.connection_pool
    given = inspect.signature(pool.get_connection).parameters["command_name"].default
    name = ("EVALSHA",) if given is inspect.Parameter.empty else ()

    def send(*command: object) -> Any:
        words = [f"${len(word)}\r\n{word}\r\n" for word in map(str, command)]
        connection = pool.get_connection(*name)
        try:
            connection.send_packed_command([f"*{len(words)}\r\n{''.join(words)}".encode("ascii")])
            return connection.read_response()
        finally:
            pool.release(connection)

    return send


def _bounded_kind(kind: Any) -> Any:
    """Connections of this kind that are made only to a host whose name was found in time: a look-up has no bound."""

    def connect(self: Any) -> Any:
        if isinstance(name := getattr(self, "host", None), str):
            _look_up(name)
        return _Wire(kind._connect(self))

    return type(kind.__name__, (kind,), {"_connect": connect, "__module__": kind.__module__})


class AnswerTooLargeError(Exception):
    """Of a server that is none of ours, or means harm."""


class _Wire:
    """A socket on which an answer has an end: the libraries wait for each byte anew, and believe any length."""

    _left, _ends = 0, 0.0

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        self._left, self._ends = MAX_ANSWER_BYTES, time.monotonic() + ANSWER_S
        self._sock.sendall(data)

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = self._sock.recv(size, flags)
        self._left -= len(data)
        if self._left < 0:
            raise AnswerTooLargeError(f"its answer is larger than {MAX_ANSWER_BYTES} bytes")
        if data and time.monotonic() > self._ends:
            raise TimeoutError("its answer is not whole in time")
        return data


class _LookUp(threading.Thread):
    """It stays for as long as the system looks a name up, which may be much longer than a thread waits for it."""

    def __init__(self, name: str) -> None:
        super().__init__(name="wecom-logging look-up", daemon=True)
        self._host = name
        self.failed: OSError | None = None

    def run(self) -> None:
        try:
            socket.getaddrinfo(self._host, None)
        except OSError as error:
            self.failed = error


_looking: dict[tuple[int, str], _LookUp] = {}
"""By process and name: of each one at a time."""


def _look_up(name: str) -> None:
    """Raises `OSError` where a host is not found within `TIMEOUT_S`."""
    with suppress(OSError):  # a name, not an address
        socket.getaddrinfo(name, None, flags=socket.AI_NUMERICHOST)
        return
    thread = _looking.get((os.getpid(), name))
    if thread is None or not thread.is_alive():
        thread = _LookUp(name)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends: a connection that is made now looks it up by itself
            return
        _looking[os.getpid(), name] = thread
    thread.join(TIMEOUT_S)
    if thread.is_alive():
        raise socket.gaierror(socket.EAI_AGAIN, "its name is not found in time")
    if thread.failed is not None:
        raise thread.failed


def _is_setting(name: str) -> bool:
    return name in _SETTINGS or name.startswith("ssl_")


_UNREACHED = re.compile(r"Error -?\d+ connecting to \S+\. ([A-Z][a-z ]+)\.")


def words(error: BaseException, secrets: Collection[str]) -> str:
    """What happened, for people. Not what the server quotes of a command: that may be a token or a password."""
    name, text = type(error).__name__, str(error)
    found = _CODE.search(text)
    code = found[1] if found else _CLASSES.get(name, "")
    if "ACL failure" in text:
        code = "NOPERM"
    elif "unauthenticated" in text or (
        code == "WRONGPASS" and "required" in text
    ):  # the server limits it before a login
        code = "NOAUTH"
    if code:
        return f"{_CODES[code]} ({code})"
    if name == "InvalidResponse":
        return "what answers is no Redis and no Valkey"
    if isinstance(error, ImportError):
        return f"its client library cannot be imported: pip install {with_extra('redis')} (or the extra valkey)"
    if found := _UNREACHED.fullmatch(text):
        return found[1]
    text = re.split(r"['\"`\n]", text, maxsplit=1)[0][:120].strip()
    for secret in secrets:
        text = text.replace(secret, "***")
    return f"{text} ({name})" if text else name
