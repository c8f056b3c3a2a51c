"""What was delivered, of apps and of bots: the newest ten thousand messages, and at most 64 MiB of them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEPT = 10_000
KEPT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a reader got it.

    ``content`` is what a phone shows, cut where WeCom cuts; ``request`` is the JSON that was sent. ``receivers`` are
    the members that it reached; none for a bot, which speaks to a group. ``channel`` is "app" or "bot", ``key`` the
    bot's.
    """

    id: str
    time: float
    channel: str
    msgtype: str
    content: str
    request: bytes
    touser: str = ""
    toparty: str = ""
    totag: str = ""
    receivers: tuple[str, ...] = ()
    key: str = ""

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.request)
        return body

    @property
    def size(self) -> int:
        """About how many bytes it takes, its text in the widest encoding that Python may choose."""
        return len(self.request) + 4 * len(self.content) + 8 * len(self.receivers)

    def as_json(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "request"}
        return {**fields, "receivers": list(self.receivers), "body": self.body}


class Mailbox:
    """Numbers its messages from 1. ``epoch`` changes when one goes away other than by age: then nothing seen holds."""

    def __init__(self) -> None:
        self._messages: dict[int, Message] = {}
        self._oldest = 1
        self.count = 0
        self.size = 0
        self.epoch = secrets.randbits(32)

    def __iter__(self) -> Iterator[Message]:
        return iter(tuple(self._messages.values()))

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        self.count += 1
        self._messages[self.count] = message
        self.size += message.size
        while len(self._messages) > KEPT or (self.size > KEPT_BYTES and len(self._messages) > 1):
            self._drop(self._oldest)
            self._oldest += 1

    def newest(self, most: int, *, after: int) -> list[tuple[int, Message]]:
        """The newest that came after number ``after``, oldest first, with their numbers."""
        numbers = range(max(after, self.count - most) + 1, self.count + 1)
        return [(number, self._messages[number]) for number in numbers if number in self._messages]

    def remove(self, id: str) -> None:
        """A recalled message is no longer shown; one that is not here any more is nobody's fault."""
        for number in [number for number, message in self._messages.items() if message.id == id]:
            self._drop(number)
            self.epoch += 1

    def clear(self) -> None:
        self._messages.clear()
        self.size = 0
        self.epoch += 1

    def _drop(self, number: int) -> None:
        message = self._messages.pop(number, None)
        self.size -= message.size if message else 0


def new_id() -> str:
    return secrets.token_urlsafe(32)
