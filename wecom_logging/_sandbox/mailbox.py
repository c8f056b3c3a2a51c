"""What was delivered, and what people wrote to the AI bot: the newest ten thousand messages, and at most 64 MiB."""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from sys import getsizeof
from typing import Any

KEPT = 10_000
KEPT_BYTES = 64 * 1024 * 1024
OVERHEAD = 400
CHANGES = 1000
REWRITES = 100
"""Of one card, the newest."""
HIDDEN = ("request", "user", "task_id", "cards", "rewrites")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A card was rewritten after a click of ``by``: for ``userids``, and what they see since."""

    time: float
    by: str
    userids: tuple[str, ...]
    card: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a reader got it.

    ``content`` is what a phone shows, cut where WeCom cuts; ``request`` is the JSON that was sent. ``receivers`` are
    the members that it reached; none for a bot, which speaks to a group. ``channel`` is "app", "bot", "aibot", or
    "person" for what a member wrote to the AI bot; ``key`` is the bot's. ``warning`` is what WeCom warned of, or took
    though its documents forbid it, for the one who wrote the request. ``chat`` is the group that an app made, where it
    spoke there; of the AI bot the group, or the member. ``user`` is who wrote it, of a person's. ``cards`` is the
    card as each member sees it now, of the AI bot or of an app with a callback URL, ``rewrites`` what became of it.
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
    warning: str = ""
    chat: str = ""
    user: str = ""
    task_id: str = ""
    cards: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    rewrites: tuple[Rewrite, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.request)
        return body

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        texts = (self.content, self.touser, self.toparty, self.totag, self.warning)
        cards = sum(len(json.dumps(card)) for card in (*self.cards.values(), *(one.card for one in self.rewrites)))
        return OVERHEAD + len(self.request) + sum(map(getsizeof, texts)) + 8 * len(self.receivers) + cards

    def rewritten(self, rewrite: Rewrite, content: str) -> Message:
        """With that card for those for whom it was rewritten."""
        cards = {**self.cards, **dict.fromkeys(rewrite.userids, rewrite.card)}
        return replace(self, content=content, cards=cards, rewrites=(*self.rewrites, rewrite)[-REWRITES:])

    def as_json(self) -> dict[str, Any]:
        """``user`` of a person's message alone, and of cards that answer back what they are now."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name not in HIDDEN}
        more: dict[str, Any] = {"user": self.user} if self.user else {}
        if self.channel == "aibot" or self.cards:
            rewrites = [{**asdict(one), "userids": list(one.userids)} for one in self.rewrites]
            more = {"task_id": self.task_id, "cards": dict(self.cards), "rewrites": rewrites}
        return {**fields, "receivers": list(self.receivers), **more, "body": self.body}


class Mailbox:
    """Numbers its messages from 1. ``epoch`` changes when one goes away other than by age: then nothing seen holds.
    ``changes`` counts the messages that became others.
    """

    def __init__(self) -> None:
        self._messages: dict[int, Message] = {}
        self._oldest = 1
        self.count = 0
        self.size = 0
        self.epoch = secrets.randbits(32)
        self.changes = 0
        self._changed: deque[int] = deque(maxlen=CHANGES)

    def __iter__(self) -> Iterator[Message]:
        return iter(tuple(self._messages.values()))

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        self.count += 1
        self._messages[self.count] = message
        self.size += message.size
        self._shorten()

    def _shorten(self) -> None:
        while len(self._messages) > KEPT or (self.size > KEPT_BYTES and len(self._messages) > 1):
            self._drop(self._oldest)
            self._oldest += 1

    def newest(self, most: int, *, after: int) -> list[tuple[int, Message]]:
        """The newest that came after number ``after``, oldest first, with their numbers."""
        numbers = range(max(after, self.count - most) + 1, self.count + 1)
        return [(number, self._messages[number]) for number in numbers if number in self._messages]

    def find(self, id: str) -> Message | None:
        return next((message for message in self._messages.values() if message.id == id), None)

    def replace(self, message: Message) -> None:
        """In the place of the one with its id: a page that shows it shows the new one."""
        for number, old in self._messages.items():
            if old.id == message.id:
                self._messages[number] = message
                self.size += message.size - old.size
                self.changes += 1
                self._changed.append(number)
                self._shorten()
                return

    def changed(self, after: int) -> list[tuple[int, Message]] | None:
        """The messages that became others after the change number ``after``; None where it is too long ago."""
        missed = self.changes - after
        if missed < 0 or missed > len(self._changed):
            return None
        numbers = dict.fromkeys(list(self._changed)[len(self._changed) - missed :])
        return [(number, self._messages[number]) for number in numbers if number in self._messages]

    def remove(self, *ids: str) -> None:
        """A recalled message is no longer shown; one that is not here any more is passed over."""
        unwanted = frozenset(ids)
        for number in [number for number, message in self._messages.items() if message.id in unwanted]:
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
