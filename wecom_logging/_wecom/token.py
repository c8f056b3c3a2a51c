"""Access tokens: which of WeCom's two kinds a call needs, and one for each app, got once however many threads ask.

Source: https://developer.work.weixin.qq.com/document/path/91039
"""

from __future__ import annotations

import copy
import enum
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .._runtime import forks
from .._runtime.clock import seconds_left
from .._text.sha256 import sha256
from ..errors import APIError, BadResponseError, RequestTimeout, WeComError
from ..model import Secret
from .body import ObjectHook
from .errcodes import Verdict, lookup
from .http import MAX_ANSWER_BYTES, TRIES_IN_A_ROUND, Transport

MAX_LIFE_S = 7200.0
MIN_LIFE_S = 5.0
MARGIN_S = 300.0
WAIT_FOR_OTHERS_S = 8.0
_LOOK_AGAIN_S = 0.05
HOLD_AFTER_REFUSAL_S = 300.0
"""WeCom bans an address for an hour after several wrong secrets, so a refused one is not tried again before this."""
_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when, on the monotonic clock, it is used no more."""

    value: Secret
    ends: float


class Vault(Protocol):
    """Where processes share tokens. ``app`` shows no secret. What it cannot do now it answers as if it were empty."""

    def token(self, app: str) -> tuple[str, float] | None:
        """The token and the seconds that are left of it."""

    def lock_token(self, app: str) -> bool:
        """Whether it is for the caller to ask WeCom; else another process does so now."""

    def put_token(self, app: str, value: str, life_s: float) -> None:
        """Keep a token, and unlock. "" only unlocks."""

    def drop_token(self, app: str, value: str) -> None:
        """Forget it, if it is still this one."""


class TokenSource:
    """Gets, keeps and drops the token of one (corp_id, secret)."""

    def __init__(self, corp_id: str, secret: Secret, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._corp_id = corp_id
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._failure: WeComError | None = None
        self._failed_at = self._held_until = float("-inf")
        self._vault: Vault | None = None
        self._app = ""

    def share(self, vault: Vault, api_base: str) -> None:
        """Get tokens from others from now on, and give them to others."""
        text = "\0".join((api_base, self._corp_id, self._secret.reveal()))
        self._app = sha256(text).hexdigest()[:32]
        self._vault = vault

    def get(self, transport: Transport) -> Secret:
        """The token, from memory or from WeCom. One thread asks WeCom; the others wait and get what it gets.

        ``transport`` is the caller's own way to WeCom, so that its timeout holds whatever thread shares this source.
        Whoever has a deadline waits for another thread's request no longer than that.
        """
        asked = self._clock()
        token = self._token
        if token is not None and asked < token.ends:
            return token.value
        lock = self._lock
        while not lock.acquire(blocking=False):  # where gevent came later, waiting for it would stop all greenlets
            if seconds_left() <= 0:
                raise RequestTimeout("another thread did not get a token in time")
            time.sleep(_LOOK_S)
        try:
            token, now = self._token, self._clock()
            if token is not None and now < token.ends:
                return token.value
            if self._failure is not None and (self._failed_at > asked or now < self._held_until):
                raise copy.copy(self._failure)
            self._token = token = self._from_others() or self._fetch(transport)
            return token.value
        finally:
            lock.release()

    def drop(self, value: Secret) -> None:
        """Forget the token that WeCom refused, unless another thread has replaced it already."""
        with self._lock:
            if self._token is not None and self._token.value == value:
                self._token = None
        if self._vault is not None:
            self._vault.drop_token(self._app, value.reveal())

    def reset_after_fork(self) -> None:
        """In a forked child: the thread that held the lock is not here."""
        self._lock = threading.Lock()

    def _from_others(self) -> Token | None:
        """What another process has got, or is about to get; None: it is for this one to ask."""
        if self._vault is None:
            return None
        ends = time.monotonic() + min(WAIT_FOR_OTHERS_S, max(seconds_left(), 0.0))
        locked = False
        while True:
            if (found := self._vault.token(self._app)) is not None:
                if locked:  # it came between the two steps
                    self._vault.put_token(self._app, "", 0.0)
                return Token(Secret(found[0]), self._clock() + found[1])
            if locked or time.monotonic() >= ends:
                return None
            locked = self._vault.lock_token(self._app)
            if not locked:
                time.sleep(_LOOK_AGAIN_S)

    def _fetch(self, transport: Transport) -> Token:
        token = None
        try:
            token = self._ask(transport)
            return token
        finally:
            if self._vault is not None:
                value, life_s = (token.value.reveal(), token.ends - self._clock()) if token is not None else ("", 0.0)
                self._vault.put_token(self._app, value, life_s)

    def _ask(self, transport: Transport) -> Token:
        try:
            answer = transport.call("GET", "gettoken", query={"corpid": self._corp_id, "corpsecret": self._secret})
            return _token(answer, self._clock())
        except WeComError as error:
            self._failure, self._failed_at = copy.copy(error), self._clock()
            refused = isinstance(error, APIError) and lookup(error.errcode).verdict is Verdict.CONFIGURATION
            self._held_until = self._failed_at + (HOLD_AFTER_REFUSAL_S if refused else error.retry_after_s)
            raise


def _token(answer: dict[str, Any], now: float) -> Token:
    value, life = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(value, str) or not 1 <= len(value) <= 512 or not value.isprintable():
        raise BadResponseError("the answer to gettoken has no usable access_token")
    seconds = float(life) if type(life) is int and life > 0 else MIN_LIFE_S
    seconds = min(seconds, MAX_LIFE_S)
    return Token(Secret(value), now + max(seconds - min(MARGIN_S, seconds / 10), MIN_LIFE_S))


_sources: dict[tuple[str, str, bytes], TokenSource] = {}


def token_source(api_base: str, corp_id: str, secret: Secret) -> TokenSource:
    """The one source of this process for an app's token."""
    key = (api_base, corp_id, sha256(secret.reveal()).digest())
    return _sources.setdefault(key, TokenSource(corp_id, secret))


def _after_fork_in_child() -> None:
    """The thread that held a lock is not here."""
    for source in _sources.values():
        source.reset_after_fork()


forks.in_child(_after_fork_in_child)


class Access(enum.Enum):
    """Whose token a call needs. Source: https://developer.work.weixin.qq.com/document/path/90193"""

    APP = "the app's: messages, media, and what its visible range shows"
    CONTACTS = "the contacts sync's: changes of members and departments, and the ids of everybody"
    EITHER = "the contacts sync's, which sees everybody; where WeCom refuses it (48009 …) or it is not there, the app's"


class Caller(Protocol):
    """What the parts of a client ask of it: `WeComClient`."""

    agent_id: int | None

    def call(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        access: Access = Access.APP,
        before_try: Callable[[], None] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        object_hook: ObjectHook | None = None,
        tries: int = TRIES_IN_A_ROUND,
    ) -> dict[str, Any]:
        """WeCom's answer to one call."""

    def upload(self, path: str, name: str, data: bytes, *, kind: str) -> dict[str, Any]:
        """The same for a file."""
