"""Which of the kept messages are asked for: the parameters of ``GET /sandbox/messages`` and ``/sandbox/wait``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .corp import Corp
from .mailbox import Message
from .page.phone import is_plain, seen_text
from .shapes import LATEST, SIGNS

SIGN_WITHIN = 8


@dataclass(frozen=True, slots=True)
class Filter:
    """All that is given must hold. ``contains`` is looked for in the content and in what a phone shows, in upper or
    lower case; ``not_contains`` must not be there; ``receiver`` is a member, a bot's key or ``g:1`` for the first bot,
    or a group."""

    contains: str = ""
    not_contains: str = ""
    channel: str = ""
    receiver: str = ""
    level: str = ""
    msgtype: str = ""
    since: float = 0.0
    until: float = LATEST
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, wanted: Mapping[str, Any], corp: Corp) -> Filter:
        """From the parameters of a URL, whose shapes were checked."""
        level = wanted.get("level", "")
        texts = {name: wanted.get(name, "").casefold() for name in ("contains", "not_contains")}
        with corp.lock:
            bots = tuple(corp.bot_keys)
            members = corp.directory.members.values() if any(texts.values()) else ()
            names = {member.user_id: member.name for member in members}
        receiver = _named(wanted.get("receiver", ""), bots).lower()
        more = {"receiver": receiver, "level": SIGNS.get(level.lower(), level), "names": names}
        return cls(**{**wanted, **texts, **more})

    def fits(self, message: Message) -> bool:
        return (
            (not self.channel or message.channel == self.channel)
            and (not self.msgtype or message.msgtype == self.msgtype)
            and self.since <= message.time <= self.until
            and (not self.level or self.level in message.content[:SIGN_WITHIN])
            and (not self.receiver or self.receiver in map(str.lower, (*message.receivers, message.key, message.chat)))
            and (not self.contains or self._is_in(self.contains, message))
            and not (self.not_contains and self._is_in(self.not_contains, message))
        )

    def _is_in(self, text: str, message: Message) -> bool:
        if text in message.content.casefold():
            return True
        return not is_plain(message) and text in seen_text(message, self.names).casefold()


def _named(receiver: str, bots: Sequence[str]) -> str:
    """The page knows bots by their numbers, because their keys are secrets."""
    found = re.fullmatch("g:([0-9]{1,4})", receiver, re.ASCII)
    return bots[int(found[1]) - 1] if found and 0 < int(found[1]) <= len(bots) else receiver
