"""Access tokens: one for each secret, two hours long (https://developer.work.weixin.qq.com/document/path/91039)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from .refusal import known, refuse_if

LIFE_S = 7200
OVERLAP_S = 300
REMEMBERED = 1000
MODES = ("same", "kill_old", "overlap")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a secret opens: one app's calls, or, without an agent id, the directory (contacts-sync)."""

    secret: str
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    grant: Grant
    ends: float


class Tokens:
    """Gives out tokens and judges them.

    What a second ``gettoken`` does is not promised (the sentence left the page), so that there is a ``mode`` for each
    behaviour that was seen: ``same`` token while it is valid, ``kill_old``, or ``overlap`` of five minutes.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._current: dict[str, Token] = {}
        self._known: dict[str, Token] = {}
        self.mode = "same"

    def add_grant(self, secret: str, agent_id: int | None) -> None:
        self._grants[secret] = Grant(secret, agent_id)

    def remove_grants(self, agent_id: int) -> None:
        """The secrets of an app, and all tokens that they gave."""
        self._grants = {secret: grant for secret, grant in self._grants.items() if grant.agent_id != agent_id}
        self._current = {secret: token for secret, token in self._current.items() if token.grant.agent_id != agent_id}
        self._known = {value: token for value, token in self._known.items() if token.grant.agent_id != agent_id}

    def find(self, secret: str) -> Grant | None:
        return self._grants.get(secret)

    def issue(self, grant: Grant) -> tuple[str, int]:
        """A token and the whole seconds that it has left."""
        now = self._clock()
        old = self._current.get(grant.secret)
        if old is not None:
            if self.mode == "same" and old.ends - now >= 1:
                return old.value, int(old.ends - now)
            if self.mode == "kill_old":
                self._known.pop(old.value, None)
            elif self.mode == "overlap" and old.value in self._known:
                self._known[old.value] = replace(old, ends=min(old.ends, now + OVERLAP_S))
        token = Token(secrets.token_urlsafe(160), grant, now + LIFE_S)
        self._current[grant.secret] = self._known[token.value] = token
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return token.value, LIFE_S

    def check(self, value: str) -> Grant:
        """Whose token this is; 41001 where there is none, 40014 for an unknown or void one, 42001 for an old one."""
        refuse_if(not value, 41001)
        token = known(self._known.get(value), 40014)
        refuse_if(token.ends <= self._clock(), 42001)
        return token.grant

    def secrets(self) -> list[str]:
        """Every secret, and the token that it has now."""
        return [*self._grants, *(token.value for token in self._current.values())]

    def void_all(self) -> None:
        """WeCom may end a token early "for operational reasons"."""
        self._current.clear()
        self._known.clear()
