"""What the page draws: a text, or ``[kind, attributes, child, …]``. The page makes text nodes, no markup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Node = str | list[Any]

EVERYBODY = "所有人"
WEB = re.compile(r"https?://", re.IGNORECASE)
URL_CHARS = 2048


def node(kind: str, *children: Node) -> list[Any]:
    return [kind, {}, *(child for child in children if child != "")]


def link(url: str, *children: Node) -> Node:
    """Only to the web; anything else (``javascript:`` above all) is no link, but its text is shown."""
    if not WEB.match(url) or len(url) > URL_CHARS:
        return node("span", *children)
    return ["a", {"href": url}, *children]


def mention(user_id: str, names: Mapping[str, str]) -> Node:
    return node("mention", "@" + (EVERYBODY if user_id == "@all" else names.get(user_id, user_id)))
