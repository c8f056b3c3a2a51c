"""What the page draws: a text, or ``[kind, attributes, child, …]``. The page makes text nodes, no markup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Node = str | list[Any]

EVERYBODY = "所有人"
WEB = re.compile(r"https?://", re.IGNORECASE)
URL_CHARS = 2048
ANCHOR = re.compile(r"""<a\s+href=(["'])(?P<url>[^"'<>\n]*)\1\s*>(?P<label>.*?)</a>""", re.IGNORECASE | re.DOTALL)
MENTION = re.compile(r"<@(?P<id>[^<>\s]{1,64})>")
# A phone makes a link of an address that stands bare; Chinese punctuation and characters end it.
BARE = re.compile(r"https?://[\w\-.~:/?#\[\]@!$&()*+,;=%]+", re.IGNORECASE | re.ASCII)
COLOURED = re.compile(
    r"""<div class=["'](gray|normal|highlight)["']>(.*?)</div>|<br\s*/?>""", re.IGNORECASE | re.DOTALL
)


def node(kind: str, *children: Node) -> list[Any]:
    return [kind, {}, *(child for child in children if child != "")]


def link(url: str, *children: Node) -> Node:
    """Only to the web; anything else (``javascript:`` above all) is no link, but its text is shown."""
    if not WEB.match(url) or len(url) > URL_CHARS:
        return node("span", *children)
    return ["a", {"href": url}, *children]


def mention(user_id: str, names: Mapping[str, str]) -> Node:
    return node("mention", "@" + (EVERYBODY if user_id == "@all" else names.get(user_id, user_id)))


def text_nodes(text: str, names: Mapping[str, str], *, anchors: bool, mentions: bool) -> list[Node]:
    """An app's text has anchors, a bot's has mentions."""
    shown: list[Node] = []
    rest = 0
    for found in (ANCHOR if anchors else MENTION).finditer(text):
        if anchors and WEB.match(found["url"]):
            drawn = link(found["url"], found["label"])
        elif mentions:
            drawn = mention(found["id"], names)
        else:
            continue
        shown += [*_bare(text[rest : found.start()]), drawn]
        rest = found.end()
    return [*shown, *_bare(text[rest:])]


def card_text(text: str) -> list[Node]:
    """A textcard's description: ``<br>`` and three classes, nothing else."""
    shown: list[Node] = []
    rest = 0
    for found in COLOURED.finditer(text):
        shown += [text[rest : found.start()], node(found[1].lower(), found[2]) if found[1] else "\n"]
        rest = found.end()
    return [piece for piece in (*shown, text[rest:]) if piece]


def _bare(text: str) -> list[Node]:
    shown: list[Node] = []
    rest = 0
    for found in BARE.finditer(text):
        url = found[0].rstrip(".,;:!?)")
        shown += [text[rest : found.start()], link(url, url)]
        rest = found.start() + len(url)
    return [piece for piece in (*shown, text[rest:]) if piece]
