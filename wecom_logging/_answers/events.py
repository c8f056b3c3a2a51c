"""What WeCom says of a message or a click: who, where, which words, which card. Pure; nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._incidents.known import Known, by_persons
from .._incidents.limits import quiet_limit_s
from .._render.card import LENGTH_QUESTION, Pressed, offered
from .._wecom.body import Json
from ..model.alert import place_of
from .command import seconds

MAX_ID = 128
"""Characters of an id of WeCom; what is longer is none, and must not fill the memory or the state."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who did something, and where: ``chat`` is the group's id, or the user's in a chat with the bot alone."""

    user: str
    chat: str
    is_group: bool

    @property
    def where(self) -> str:
        """The place of an answer, as `incidents` shows it."""
        return place_of(self.chat, self.user if self.is_group else "")


def asker_of(body: Json) -> Asker | None:
    """Who did it; None where that cannot be read."""
    sender = body.get("from")
    user = sender.get("userid") if isinstance(sender, dict) else None
    if not isinstance(user, str) or not user or len(user) > MAX_ID:
        return None
    chat = body.get("chatid")
    if isinstance(chat, str) and len(chat) > MAX_ID:
        return None
    is_group = isinstance(chat, str) and bool(chat) and body.get("chattype") != "single"
    return Asker(user, str(chat) if is_group else user, is_group)


def text_of(message: object) -> str | None:
    """What was typed, or spoken; None where it has no words."""
    if not isinstance(message, Mapping):
        return None
    kind = message.get("msgtype")
    if kind == "mixed":
        items = message.get("mixed", {}).get("msg_item") if isinstance(message.get("mixed"), Mapping) else None
        texts = [text_of(item) for item in items] if isinstance(items, list) else []
        return " ".join(filter(None, texts)) or None
    part = message.get(kind) if isinstance(kind, str) and kind in ("text", "voice", "markdown") else None
    content = part.get("content") if isinstance(part, Mapping) else None
    return content if isinstance(content, str) else None


def is_outdated(incident: Known, found: Pressed) -> bool:
    """Whether it is another one since, or a person did something with it after the card was made."""
    return incident.began > found.made + 1.0 or any(answer.at > found.made + 0.001 for answer in by_persons(incident))


def length_of(event: Json, incident: Known) -> float:
    """Which length of the drop-down was chosen; without one, the first that is offered."""
    items = event.get("selected_items")
    items = items.get("selected_item") if isinstance(items, dict) else items
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("question_key") == LENGTH_QUESTION:
            ids = item.get("option_ids")
            ids = ids.get("option_id") if isinstance(ids, dict) else ids
            for one in ids if isinstance(ids, list) else ():
                if isinstance(one, str) and len(one) < 16 and (found := seconds(one)) is not None:
                    return found
    lengths = offered(limit_s := quiet_limit_s(incident.level))
    return (seconds(lengths[0]) if lengths else None) or limit_s
