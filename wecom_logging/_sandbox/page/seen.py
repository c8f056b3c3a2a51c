"""All that a person reads of a message, as one text to search in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..mailbox import Message
from .nodes import Node
from .phone import show

INLINE = frozenset({"a", "span", "mention", "sign"})
PLAIN = frozenset({"text", "file", "image", "voice", "video"})
MARKDOWN = frozenset({"markdown", "markdown_v2"})
MARKS = re.compile(
    r"\\(?P<sign>[!-/:-@\[-`{-~])|\[(?P<label>[^\]\n]*)\]\([^)\n]*\)|<@(?P<id>[^<>\s]{1,64})>"
    r"|</?font[^>\n]{0,100}>|[*`]+|~~|^[ \t]*(?:#{1,6}|>)[ \t]?",
    re.MULTILINE,
)
"""What of markdown is not read but obeyed. To draw ten thousand messages for a search would take seconds."""


def seen_text(message: Message, names: Mapping[str, str]) -> str:
    """What stands between two signs of markdown stands here, as on a phone, without them."""
    if message.msgtype in MARKDOWN:
        return MARKS.sub(lambda found: found["sign"] or found["label"] or _mention(found["id"], names), message.content)
    return "".join(_texts(show(message, names)))


def is_plain(message: Message) -> bool:
    """Whether a phone shows its content as it is, and nothing else."""
    if message.msgtype not in PLAIN or "<@" in message.content:
        return False
    return message.channel == "app" or b'"mentioned' not in message.request


def _mention(id: str | None, names: Mapping[str, str]) -> str:
    return f"@{names.get(id, id)}" if id else ""


def _texts(nodes: list[Node]) -> Iterator[str]:
    for one in nodes:
        if isinstance(one, str):
            yield one
        elif one[0] in INLINE:
            yield from _texts(one[2:])
        else:
            yield from ("\n", *_texts(one[2:]), "\n")
