"""Which of the kept messages are asked for: the parameters of ``GET /sandbox/messages`` and ``/sandbox/wait``."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .corp import Corp
from .mailbox import KEPT, Message
from .page.phone import is_plain, seen_text
from .shapes import LATEST, SIGNS, WrongField, wrong_if

SIGN_WITHIN = 8
LOOK_S = 1.0


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
        receiver = wanted.get("receiver", "")  # the page knows bots by their numbers, because their keys are secrets
        found = re.fullmatch("g:([0-9]{1,4})", receiver, re.ASCII)
        receiver = bots[int(found[1]) - 1] if found and 0 < int(found[1]) <= len(bots) else receiver
        more = {"receiver": receiver.lower(), "level": SIGNS.get(level.lower(), level), "names": names}
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


def find_messages(
    corp: Corp, wanted: Filter, order: str = "oldest", limit: int = KEPT, after: str = ""
) -> list[Message]:
    """The lock is held while they are picked up, not while they are looked through."""
    with corp.lock:
        kept = list(corp.mailbox)
    if order == "newest":
        kept.reverse()
    if after:
        places = (at for at, message in enumerate(kept, 1) if message.id == after)
        first = next(places, None)
        if first is None:
            raise WrongField("after", '"after" is the id of no message that is there')
        kept = kept[first:]
    return list(islice(filter(wanted.fits, kept), limit))


def read_bounds(count: int, at_most: int | None) -> tuple[int, int | None]:
    """Where none is wanted, at most none is, and the other way round."""
    if (count, at_most) in ((0, None), (1, 0)):
        return 0, 0
    wrong_if(at_most is not None and at_most < count, "at_most", f'"at_most" is less than "count", which is {count}')
    return count, at_most


def wait_for(corp: Corp, wanted: Filter, count: int, timeout_s: float, at_most: int | None = None) -> list[Message]:
    """So many that fit, or what there is when the time is up or the sandbox stops. What came before counts.

    With ``at_most`` the whole time is waited, or until more are there. The lock is held while messages are picked up,
    not while they are looked through.
    """
    ends = time.monotonic() + timeout_s
    enough = count if at_most is None else at_most + 1
    found: list[Message] = []
    seen, held = 0, (-1, -1)
    while True:
        with corp.lock:
            now, version = (corp.mailbox.epoch, corp.mailbox.changes), corp.version
            if held != now:  # one went away, or became another: what was found may be gone
                found, seen, held = [], 0, now
            new = corp.mailbox.newest(KEPT, after=seen)
            seen = corp.mailbox.count
        found += [message for _, message in new if wanted.fits(message)]
        left = ends - time.monotonic()
        if len(found) >= enough or left <= 0 or corp.stopping.is_set():
            return found
        corp.wait_for_news(version, min(left, LOOK_S))
