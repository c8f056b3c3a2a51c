"""What the page draws: a text, or ``[kind, attributes, child, …]``. The page makes text nodes, no markup.

WeCom's two markdowns (path/90236, /99110) become nodes by markdown-it. The first has headings, bold, links, inline
code, quotes and three colours, and keeps every line break; the second is nearly all of CommonMark, without colours and
mentions. What a dialect does not have stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

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


FONT = re.compile(r"""<font color=["'](info|comment|warning)["']>|</font>""")
END_OF_QUOTE = re.compile(r"^ {0,3}>.*\n(?! {0,3}>|\n)", re.MULTILINE)

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
        depths = (accumulate(inner.nesting for inner in token.children or ()) for token in tokens)
        if len(tokens) > MOST_TOKENS or any(max(depth, default=0) > MOST_DEEP for depth in depths):
            return [node("text", text)]
        return _tree(tokens, names)


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
        state.push("mention", "span", 0).content = found["id"]
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
