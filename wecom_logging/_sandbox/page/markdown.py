"""WeCom's two markdowns (path/90236, /99110) by markdown-it, as nodes.

The first has headings, bold, links, inline code, quotes and three colours, and keeps every line break; the second is
nearly all of CommonMark, without colours and mentions. What a dialect does not have stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .nodes import Node, link, mention, node

FONT = re.compile(r"""<font color=["'](info|comment|warning)["']>|</font>""")
END_OF_QUOTE = re.compile(r"^ {0,3}>.*\n(?! {0,3}>|\n)", re.MULTILINE)
MENTION = re.compile(r"<@([^<>\s]{1,64})>")

KINDS = {"heading": "", "paragraph": "p", "blockquote": "quote", "strong": "b", "em": "i", "s": "s"}
KINDS |= {"bullet_list": "ul", "ordered_list": "ol", "list_item": "li"}
KINDS |= {"table": "table", "thead": "thead", "tbody": "tbody", "tr": "tr", "th": "th", "td": "td"}
BOXES = {"code_inline": "code", "fence": "pre", "code_block": "pre", "hr": "hr"}
LEAVES = {"hardbreak": "\n", "softbreak": "\n"}

MOST_DEEP = 100
MOST_TOKENS = 6000
"""What is more is shown as it was written: a thousand ``**`` nest deeper than JSON can, and of one long line and many
short ones the parser makes a table with 65,536 cells."""


class Dialect:
    """``by_line``: a quote ends with its line, as all of the first dialect stands on one line."""

    def __init__(self, parser: MarkdownIt, *, by_line: bool = False) -> None:
        self._parser = parser
        self._by_line = by_line

    def nodes(self, text: str, names: Mapping[str, str]) -> list[Node]:
        tokens = self._parser.parse(END_OF_QUOTE.sub(r"\g<0>\n", text) if self._by_line else text)
        if len(tokens) > MOST_TOKENS or any(_depth(token.children or []) > MOST_DEEP for token in tokens):
            return [node("text", text)]
        return _tree(tokens, names)


def _depth(tokens: Iterable[Token]) -> int:
    return max(accumulate(token.nesting for token in tokens), default=0)


def _tree(tokens: Iterable[Token], names: Mapping[str, str]) -> list[Node]:
    root: list[Any] = ["root", {}]
    open_nodes = [root]
    for token in tokens:
        if token.nesting == 1:
            opened = _open(token)
            open_nodes[-1].append(opened)
            open_nodes.append(opened)
        elif token.nesting == -1:
            if len(open_nodes) > 1 and (token.type != "font_close" or open_nodes[-1][0] in FONTS):
                open_nodes.pop()
        else:
            open_nodes[-1] += filter(None, _leaf(token, names))
    return root[2:]


FONTS = ("info", "comment", "warning")


def _open(token: Token) -> list[Any]:
    name = token.type.removesuffix("_open")
    if name == "heading":
        return node(token.tag)
    if name == "link":
        drawn = link(str(token.attrGet("href") or ""))
        return drawn if isinstance(drawn, list) else node("span")
    if name == "font":
        return node(str(token.meta["color"]))
    return node(KINDS.get(name, "span"))


def _leaf(token: Token, names: Mapping[str, str]) -> list[Node]:
    if token.type == "inline":
        return _tree(token.children or [], names)
    if token.type == "mention":
        return [mention(token.content, names)]
    if token.type in BOXES:
        return [node(BOXES[token.type], token.content)]
    if token.type == "image":
        return [node("picture", "🖼 ", token.content)]
    return [LEAVES.get(token.type, token.content)]


def _font(state: StateInline, silent: bool) -> bool:
    """A colour may be closed only where one is open; an open one ends with its paragraph."""
    if state.src[state.pos] != "<" or not (found := FONT.match(state.src, state.pos)):
        return False
    depth = state.env.get("fonts", {}).get(id(state.tokens), 0)
    if not found[1] and not depth:
        return False
    if not silent:
        token = state.push("font_open" if found[1] else "font_close", "span", 1 if found[1] else -1)
        token.meta = {"color": found[1]}
        state.env.setdefault("fonts", {})[id(state.tokens)] = depth + (1 if found[1] else -1)
    state.pos = found.end()
    return True


def _mention(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "<" or not (found := MENTION.match(state.src, state.pos)):
        return False
    if not silent:
        state.push("mention", "span", 0).content = found[1]
    state.pos = found.end()
    return True


def _first(*, mentions: bool) -> Dialect:
    parser = MarkdownIt("zero", {"breaks": True, "html": False})
    parser.enable(["heading", "emphasis", "link", "backticks", "blockquote"])
    parser.inline.ruler.push("font", _font)
    if mentions:
        parser.inline.ruler.push("mention", _mention)
    return Dialect(parser, by_line=True)


V1_APP = _first(mentions=False)
V1_BOT = _first(mentions=True)
V2 = Dialect(
    MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["html_block", "html_inline"])
)
