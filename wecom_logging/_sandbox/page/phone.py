"""What a phone makes of a message, msgtype by msgtype, as nodes. Limits and rules: path/90236 (apps), /99110 (bots)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..aibot.content import SENDS, questions_of
from ..content import DESCRIPTION_BYTES, TITLE_BYTES, cut
from ..fields import objects
from ..mailbox import Message
from .nodes import V1_APP, V1_BOT, V2, Node, card_text, link, mention, node, text_nodes

ONLY_IN_WECOM = frozenset({"markdown", "markdown_v2", "template_card", "miniprogram_notice"})
"""The WeChat plugin does not show these (path/90236, /90248)."""

MOST_CHARS = 4096
"""Some parts of a card have no limit of their own, and the page is sent two hundred messages at once."""

Names = Mapping[str, str]
INLINE = frozenset({"a", "span", "mention", "sign"})
PLAIN = frozenset({"text", "file", "image", "voice", "video"})
MARKDOWN = frozenset({"markdown", "markdown_v2", "stream"})
MARKS = re.compile(
    r"\\(?P<sign>[!-/:-@\[-`{-~])|<@(?P<id>[^<>\s]{1,64})>"
    r"|\[(?P<label>[^\[\]\n]*+)\]\([^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)?+\)"
    r"|</?font[^>\n]{0,100}>|[*`]+|~~|^[ \t]*(?:#{1,6}|>)[ \t]?",
    re.MULTILINE,
)
"""What of markdown is not read but obeyed. To draw ten thousand messages for a search would take seconds.

In linear time: what may become a link ends at the next bracket, so that no text is looked through twice.
"""
TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of writing: a file "\u202egpj.exe" would be read as "exe.jpg"."""
LABEL_CHARS = 512
MOST_OPTIONS = 20
OPENS = (1, "1")
Card = Mapping[str, Any]


def in_wechat(msgtype: str) -> bool:
    return msgtype not in ONLY_IN_WECOM


def show(message: Message, names: Names) -> list[Node]:
    """Of a card that was rewritten, what it is for those for whom it was rewritten last."""
    part = message.rewrites[-1].card if message.rewrites else message.body.get(message.msgtype)
    draw = KINDS.get(message.msgtype)
    return draw(message, part if isinstance(part, dict) else {}, names) if draw else [node("text", message.content)]


def _text(message: Message, part: dict[str, Any], names: Names) -> list[Node]:
    is_bot = message.channel == "bot"
    nodes = text_nodes(message.content, names, anchors=message.channel == "app", mentions=is_bot)
    if message.channel == "person":
        quoted = _string(_part(_part(message.body, "quote"), "text"), "content")
        return [*([node("quote", quoted)] if quoted else []), node("text", *nodes)]
    if is_bot:
        for id in (*_strings(part, "mentioned_list"), *_strings(part, "mentioned_mobile_list")):
            nodes += [" ", mention(id, names)]
    return [node("text", *nodes)]


def _markdown(message: Message, part: dict[str, Any], names: Names) -> list[Node]:
    first = {"bot": V1_BOT, "aibot": V2}.get(message.channel, V1_APP)
    return (first if message.msgtype == "markdown" else V2).nodes(message.content, names)


def _textcard(message: Message, part: dict[str, Any], names: Names) -> list[Node]:
    return [
        node("title", cut(_string(part, "title"), TITLE_BYTES)),
        node("text", *card_text(cut(_string(part, "description"), DESCRIPTION_BYTES))),
        node("more", link(_string(part, "url"), _string(part, "btntxt") or "详情")),
    ]


def _news(message: Message, part: dict[str, Any], names: Names) -> list[Node]:
    shown: list[Node] = []
    for article in objects(part, "articles"):
        title = cut(_string(article, "title"), TITLE_BYTES)
        text = cut(_string(article, "description") or _string(article, "digest"), DESCRIPTION_BYTES)
        url = _string(article, "url") or _string(article, "content_source_url")
        shown += [node("article", node("title", link(url, title)), node("gray", text), node("picture", "🖼"))]
    return shown


def _attachment(sign: str) -> Callable[[Message, dict[str, Any], Names], list[Node]]:
    def draw(message: Message, part: dict[str, Any], names: Names) -> list[Node]:
        return [node("file", node("sign", sign), " ", TURNS.sub("", message.content) or message.msgtype)]

    return draw


def show_card(message: Message, part: dict[str, Any], names: Names) -> list[Node]:
    main, big = _part(part, "main_title"), _part(part, "emphasis_content")
    quote, action = _part(part, "quote_area"), _part(part, "card_action")
    rows = [
        node("row", node("gray", _string(row, "keyname")), " ", link(_string(row, "url"), _string(row, "value")))
        for row in objects(part, "horizontal_content_list")
    ]
    vertical = [
        node("row", node("title", _string(row, "title")), " ", node("gray", _string(row, "desc")))
        for row in objects(part, "vertical_content_list")
    ]
    answers = message.channel == "aibot"
    jumps = [
        node("more", link(_string(jump, "url"), _string(jump, "title")))
        for jump in objects(part, "jump_list")
        if not (answers and jump.get("type") in SENDS)
    ]
    shown = [
        node("gray", _string(_part(part, "source"), "desc")),
        node("title", _string(main, "title")),
        node("gray", _string(main, "desc")),
        node("picture", "🖼") if _part(part, "card_image") else node("gray"),
        node("big", _string(big, "title")),
        node("gray", _string(big, "desc")),
        node("quote", node("title", _string(quote, "title")), " ", _string(quote, "quote_text"))
        if quote
        else node("gray"),
        node("text", _string(part, "sub_title_text")),
        node("gray", _string(part, "replace_text")),
        *vertical,
        *rows,
        *jumps,
        node("more", link(_string(action, "url"), "详情")) if action.get("url") or not answers else "",
    ]
    return [*(found for found in shown if _says_something(found)), *(controls(part) if answers else [])]


KINDS: dict[str, Callable[[Message, dict[str, Any], Names], list[Node]]] = {
    "text": _text,
    "markdown": _markdown,
    "markdown_v2": _markdown,
    "stream": _markdown,
    "textcard": _textcard,
    "news": _news,
    "mpnews": _news,
    "image": _attachment("🖼"),
    "file": _attachment("📄"),
    "voice": _attachment("🎤"),
    "video": _attachment("▶"),
    "template_card": show_card,
}


def _says_something(found: Node) -> bool:
    if isinstance(found, str):
        return bool(re.search(r"\S", found))
    return any(_says_something(child) for child in found[2:])


def _string(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value[:MOST_CHARS] if isinstance(value, str) else ""


def _strings(part: Mapping[str, Any], name: str) -> list[str]:
    value = part.get(name)
    return [item[:MOST_CHARS] for item in value if isinstance(item, str)][:50] if isinstance(value, list) else []


def _part(part: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = part.get(name)
    return value if isinstance(value, dict) else {}


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


def controls(card: Card) -> list[Node]:
    """Below the texts: questions first, then buttons, then what a tap on the menu does, then what a tap writes."""
    rows = [node(kind, *shown) for kind, shown in (("buttons", _buttons(card)), ("tasks", _menu(card))) if shown]
    jumps = [jump for jump in objects(card, "jump_list") if jump.get("type") in SENDS]
    taps = [["press", {"key": _label(jump, "question"), "style": 5}, _label(jump, "title")] for jump in jumps]
    return [*_questions(card), *rows, *taps]


def _questions(card: Card) -> Iterator[Node]:
    for part in questions_of(card):
        question, found = _label(part, "question_key"), objects(part, "option_list")[:MOST_OPTIONS]
        about: dict[str, Any] = {"title": _label(part, "title"), "first": _label(part, "selected_id")}
        is_vote = card.get("card_type") == "vote_interaction"
        if is_vote:
            checked = [_label(option, "id") for option in found if option.get("is_checked") is True]
            about = {"many": part.get("mode") in (1, "1"), "checked": checked}
        options = [[_label(one, "id"), _label(one, "text")] for one in found]
        yield ["vote" if is_vote else "choice", {"question": question, **about, "options": options}]


def _buttons(card: Card) -> list[Node]:
    if card.get("card_type") != "button_interaction":
        submit = card.get("submit_button")
        return [_press(submit, 1)] if isinstance(submit, dict) else []
    shown: list[Node] = []
    for button in objects(card, "button_list"):
        style = button.get("style")
        if button.get("type") in OPENS:
            shown.append(link(_label(button, "url"), _label(button, "text")))
        else:
            shown.append(_press(button, style if style in (2, 3, 4) else 1))
    return shown


def _menu(card: Card) -> list[Node]:
    menu = card.get("action_menu")
    if not isinstance(menu, dict):
        return []
    return [node("gray", _label(menu, "desc")), *(_press(action, 4) for action in objects(menu, "action_list"))]


def _press(part: Card, style: int) -> Node:
    return ["press", {"key": str(part.get("key", "")), "style": style}, _label(part, "text")]


def _label(part: Card, name: str) -> str:
    return _string(part, name)[:LABEL_CHARS]
