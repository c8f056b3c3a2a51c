"""A Redis or Valkey, as one process uses it: by connections of its own, and by the scripts of `lua/`."""

from __future__ import annotations

import functools
import hashlib
import os
import pkgutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._incidents import life
from .._runtime.hiding import as_own_traffic
from ..errors import ConfigurationError
from ..model import Secret
from . import redis_client
from .base import DAY_S, KEEP_S, LOCK_S, MINUTE_S, VERSION, LateAnswerError, StateError
from .entries import MAX_CHARACTERS
from .redis_rows import NUMBERS, TEXTS

PREFIX = f"wecom-logging:{VERSION}:{{wecom}}:"
"""Our version, and one slot of a cluster, so that each step is whole."""
MAX_STEPS = 1000
"""So many incidents one script moves, to hold the server for milliseconds. Of sources and dead letters so many stay."""
MANY = 200
"""Of so many counts that wait, the process that adds the last puts them into the document."""
UNTOLD_FROM = 10**14
"""Of the order of all that is open: from here on stands what has something untold."""
HAS_VERSION = "wecom-logging:{wecom}:version"
"""Has the version that uses the server."""

_CONSTANTS = {
    "common": f"""
local KEEP, DAY, MINUTE, LOCK = {KEEP_S}, {DAY_S}, {MINUTE_S}, {LOCK_S}
local STEPS, MAX_TEXT, VERSION, HAS_VERSION = {MAX_STEPS}, {MAX_CHARACTERS}, {VERSION}, '{HAS_VERSION}'
""",
    "incidents": f"""
local NEAR, MAX_RELATED = {life.NEAR_S}, {life.MAX_RELATED}
local UNTOLD, MANY, FIELDS, NUMBERS = {UNTOLD_FROM}, {MANY}, {{{str((*NUMBERS, *TEXTS))[1:-1]}}}, {len(NUMBERS)}
""",
}
_ROOMS = {
    **dict.fromkeys(("add", "claim", "apply", "rows", "related", "untold", "next_due"), ("common", "incidents")),
    **dict.fromkeys(("ask", "window", "token", "fact"), ("common",)),
}
"""The scripts, and what stands before each."""


@functools.cache
def _scripts() -> dict[str, tuple[str, str]]:
    """Of each script its text and its digest."""
    texts = {name: "".join(map(_file, (*before, name))) for name, before in _ROOMS.items()}
    return {
        name: (text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()) for name, text in texts.items()
    }


def _file(name: str) -> str:
    return _CONSTANTS.get(name, "") + (pkgutil.get_data(__package__, f"lua/{name}.lua") or b"").decode()


@dataclass(frozen=True, slots=True)
class _Made:
    """What one process uses: it is made when it is needed first, and never used across a fork."""

    pid: int
    client: Any
    send: Callable[..., Any]

    def run(self, name: str, *arguments: Any) -> Any:
        text, digest = _scripts()[name]
        try:
            return self.send("EVALSHA", digest, 2, *arguments)
        except Exception as error:
            if type(error).__name__ != "NoScriptError":
                raise
        return self.send("EVAL", text, 2, *arguments)


class RedisServer:
    """By a URL, or a client of redis-py or valkey-py. Raises `ConfigurationError` where that is wrong or no library is
    installed. Nothing is sent before the first script.

    Of a given client the connections are not used, only where it goes; a cluster's or Sentinel's client is used as it
    is, and how long it may take is decided by its own timeouts and retries.
    """

    def __init__(self, client: Any) -> None:
        if isinstance(client, str):
            self._given, self._url, self._library = None, redis_client.check_url(client), redis_client.installed(client)
            self.place, self.secrets = redis_client.place(self._url), redis_client.secrets_of(self._url)
        elif not hasattr(client, "register_script") or ".asyncio" in type(client).__module__:
            raise ConfigurationError("state", "not_a_client")
        else:
            self._given, self._url, self._library = client, "", ""
            self.place, self.secrets = f"a given {type(client).__name__}", redis_client.secrets_in(client)
        self._made: _Made | None = None
        self._of_parent: _Made | None = None
        self._inside = threading.local()

    def run(self, name: str, *arguments: Any) -> Any:
        """A script's answer, as text and whole numbers. Raises `StateError`."""

        def question(made: _Made) -> Any:
            return made.run(name, *[one.reveal() if isinstance(one, Secret) else one for one in arguments])

        return _plain(self._ask(question))

    def kind(self) -> str:
        """What it is, with its version."""
        try:
            found = self._ask(lambda made: made.client.info("server"))
        except StateError:  # not everybody may ask for this
            found = {}
        for name in ("valkey", "redis"):
            if f"{name}_version" in found:
                return f"{name.capitalize()} {found[f'{name}_version']}"
        return "Redis"

    def close(self) -> None:
        """Let go of the connections that this process has made."""
        made, self._made = self._made, None
        if made is not None and made.pid == os.getpid() and made.client is not self._given:
            made.client.connection_pool.disconnect()

    def _ask(self, question: Callable[[_Made], Any]) -> Any:
        if getattr(self._inside, "pid", 0) == os.getpid():
            # A signal handler or a finaliser: the library's locks may be held right here.
            raise StateError(f"{self.place} is already in use by this thread")
        self._inside.pid = os.getpid()
        try:
            with as_own_traffic():
                return question(self._opened())
        except Exception as error:
            problem = redis_client.words(error, self.secrets)
            kind = LateAnswerError if type(error).__name__ == "TimeoutError" else StateError  # of either library
        finally:
            self._inside.pid = 0
        # Not within the except block: what the library raised may show a password, and would stay as the context.
        raise kind(f"{self.place}: {problem}")

    def _opened(self) -> _Made:
        made = self._made
        if made is None or made.pid != os.getpid():
            client: Any
            if self._given is None:
                client = redis_client.connect(self._library, self._url)
            else:
                client = redis_client.bounded(self._given)
            # A parent's connections and locks are neither used here, nor closed because nobody refers to them.
            self._of_parent = made
            is_given = client is self._given
            send = client.execute_command if is_given else redis_client.sender(client)
            made = self._made = _Made(os.getpid(), client, send)
        return made


def _plain(answer: Any) -> Any:
    """Bytes as text, however deep."""
    if isinstance(answer, (list, tuple)):
        return [_plain(one) for one in answer]
    return answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer
