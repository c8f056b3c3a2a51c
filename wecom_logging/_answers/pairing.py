"""A code that a person types to the bot, which tells the id of the chat: WeCom shows it nowhere."""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass

from .._state.shared import Shared

CODE_S = 600.0
"""For how long a code is good."""
_NOT_YET = "-"
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Paired:
    """The chat in which the code was typed, and by whom."""

    chat: str
    user: str
    is_group: bool


class Pairing:
    """The code that is asked for now, here and in the state: whichever process has the connection hears it."""

    def __init__(self, bot_id: str, shared: Shared) -> None:
        self._asked, self._found = f"aibot-code {bot_id}", f"aibot-chat {bot_id}"
        self._shared = shared
        self._code = ""
        self.paired: Paired | None = None

    @property
    def is_asked(self) -> bool:
        """Whether this process waits for a code."""
        return bool(self._code) and self.paired is None

    def is_waiting(self) -> bool:
        """Whether this process or another one of the state waits for a code."""
        return self.is_asked or (self._stored(self._found) == _NOT_YET and self._stored(self._asked) != "")

    def ask(self) -> str:
        """A new code."""
        self._code = "".join(secrets.choice(_LETTERS) for _ in range(8))
        self._put(self._asked, self._code)
        self._put(self._found, _NOT_YET)
        return self._code

    def heard(self, code: str, chat: str, user: str, *, is_group: bool) -> bool:
        """A person typed a code; whether it is the one that is asked for."""
        wanted = self._code or self._stored(self._asked)
        if not wanted or not hmac.compare_digest(wanted.encode(), code.lower().encode("utf-8", "replace")):
            return False
        self.paired = Paired(chat, user, is_group)
        self._put(self._found, json.dumps(asdict(self.paired)))
        return True

    def look(self) -> Paired | None:
        """What was heard, here or by the process that has the connection."""
        stored = self._stored(self._found)
        if self.paired is None and stored.startswith("{"):
            with contextlib.suppress(ValueError, TypeError):  # nothing that stands in a state is trusted
                self.paired = Paired(**json.loads(stored))
        return self.paired

    def _stored(self, name: str) -> str:
        """What stands in the state under a name, or ""."""
        stored = self._shared.token(name)
        return "" if stored is None else stored[0]

    def _put(self, name: str, value: str) -> None:
        if self._shared.lock_token(name):
            self._shared.put_token(name, value, CODE_S)
