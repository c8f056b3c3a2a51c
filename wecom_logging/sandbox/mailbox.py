"""What was delivered: the newest ten thousand messages, of apps and of bots."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a reader got it.

    ``content`` is what a phone shows, cut where WeCom cuts; ``body`` is the request. ``receivers`` are the members that
    it reached (none for a bot: it speaks to a group). ``channel`` is "app" or "bot"; ``key`` the bot's.
    """

    id: str
    time: float
    channel: str
    msgtype: str
    content: str
    body: Mapping[str, Any]
    touser: str = ""
    toparty: str = ""
    totag: str = ""
    receivers: tuple[str, ...] = ()
    key: str = ""

    def as_json(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {**fields, "receivers": list(self.receivers), "body": dict(self.body)}


class Mailbox:
    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=KEPT)

    def __iter__(self) -> Iterator[Message]:
        return iter(tuple(self._messages))

    def add(self, message: Message) -> None:
        self._messages.append(message)

    def remove(self, id: str) -> None:
        """A recalled message is no longer shown; one that is not here any more is nobody's fault."""
        self._messages = deque((m for m in self._messages if m.id != id), maxlen=KEPT)

    def clear(self) -> None:
        self._messages.clear()


def new_id() -> str:
    return secrets.token_urlsafe(32)
