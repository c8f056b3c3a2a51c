"""What a message may hold, for each msgtype: required fields, limits in bytes, and what the reader sees of it.

Apps: https://developer.work.weixin.qq.com/document/path/90236, bots: /99110. WeCom cuts some texts in silence and
refuses others; each check here does what its page says. Lengths of a card's texts are only "suggested" there, so they
are not checked; cards that answer back need a callback URL, which the app of the sandbox has only where a switch says
so: else 43012.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from .fields import Fields
from .media import MIB, Media, is_image
from .refusal import Refusal, known, refuse_if

TEXT_BYTES = 2048
BOT_TEXT_BYTES = 5120
APP_MARKDOWN_BYTES = 2048
BOT_MARKDOWN_BYTES = 4096
TITLE_BYTES = 128
DESCRIPTION_BYTES = 512
URL_BYTES = 2048
MAX_ARTICLES = 8
MPNEWS_BYTES = 666 * 1024
BOT_IMAGE_BYTES = 2 * MIB

BOT_CARDS = frozenset({"text_notice", "news_notice"})
INTERACTIVE = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})
APP_CARDS = BOT_CARDS | INTERACTIVE

TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}", re.ASCII)
MAX_HORIZONTAL = 6
MAX_VERTICAL = 4
MAX_JUMPS = 3
ROWS = {1: ("url", 42028), 2: ("media_id", 42029), 3: ("userid", 42050)}
TARGETS = {1: ("url", 42028), 2: ("appid", 42030)}
"""By its type: what a part needs, and the code where that is missing."""

FindMedia = Callable[[str, str], Media]
"""From a media_id and its type to what was uploaded; raises 40007."""

Check = Callable[[Fields, FindMedia], str]
"""From the part of the request that is named like its msgtype to what a phone shows of it."""


def cut(text: str, max_bytes: int) -> str:
    """WeCom's silent cut: so many bytes of UTF-8, and no half of a character."""
    return text.encode()[:max_bytes].decode(errors="ignore")


def _size(text: str) -> int:
    return len(text.encode())


def sized_content(part: Fields, max_bytes: int, *, may_be_empty: bool = False) -> str:
    content = part.text("content")
    refuse_if(not content and not may_be_empty, 44004)
    part.refuse_if(_size(content) > max_bytes, "content", f"exceed max length {max_bytes}")
    return content


def _content(part: Fields) -> str:
    content = part.text("content")
    refuse_if(not content, 44004)
    return content


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _titled(part: Fields, below: str = "description") -> str:
    return _lines(cut(part.text("title"), TITLE_BYTES), cut(part.text(below), DESCRIPTION_BYTES))


def _app_markdown(part: Fields, _find: FindMedia) -> str:
    """Cut or refused? The page is silent, the list of codes says 45002 for too much content: the sandbox refuses."""
    content = _content(part)
    refuse_if(_size(content) > APP_MARKDOWN_BYTES, 45002)
    return content


def _bot_text(part: Fields, _find: FindMedia) -> str:
    """The page says 2048 bytes and knows no mention without a text; WeCom takes 5120, and a mention alone."""
    mentions = [*part.texts("mentioned_list"), *part.texts("mentioned_mobile_list")]
    if any(mentions) and not part.text("content"):
        part.reading.remark("text.content is empty: a mention alone is in no document")
        return ""
    content = sized_content(part, TEXT_BYTES if part.reading.strict else BOT_TEXT_BYTES)
    if _size(content) > TEXT_BYTES:
        part.reading.remark(f"text.content has {_size(content)} bytes: the documents allow {TEXT_BYTES}")
    return content


def _bot_image(part: Fields, _find: FindMedia) -> str:
    """The limit is on the raw bytes, and ``md5`` is theirs too."""
    encoded, md5 = part.text("base64"), part.text("md5")
    refuse_if(not encoded or not md5, 40063)
    try:
        image = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise part.wrong("base64", "is not base64") from None
    refuse_if(len(image) > BOT_IMAGE_BYTES, 93018)
    refuse_if(hashlib.md5(image, usedforsecurity=False).hexdigest() != md5.lower(), 301019)
    refuse_if(not is_image(image), 40123)
    return ""


def _check_url(url: str, no_web: int = 45034) -> None:
    refuse_if(_size(url) > URL_BYTES, 40039)
    refuse_if(not url.startswith(("http://", "https://")), no_web)


def _textcard(part: Fields, _find: FindMedia) -> str:
    """The page counts title and description in characters, its older editions in bytes; bytes are the stricter."""
    title, description, url = part.text("title"), part.text("description"), part.text("url")
    part.text("btntxt")
    refuse_if(not title, 41016)
    refuse_if(not description, 41033)
    refuse_if(not url, 41010)
    _check_url(url)
    return _titled(part)


def _articles(part: Fields) -> list[Fields]:
    articles = part.parts("articles")
    refuse_if(not articles, 40063)
    refuse_if(len(articles) > MAX_ARTICLES, 45008)
    refuse_if(not all(article.text("title") for article in articles), 41016)
    return articles


def _news(part: Fields, _find: FindMedia, *, may_open_miniprogram: bool) -> str:
    """Of articles, what is no whole address is answered like one that is too long."""
    lines = []
    for article in _articles(part):
        if not (may_open_miniprogram and article.text("appid") and article.text("pagepath")):
            refuse_if(not article.text("url"), 41010)
            _check_url(article.text("url"), 40039)
        if article.text("picurl"):
            _check_url(article.text("picurl"), 40039)
        lines.append(_titled(article))
    return _lines(*lines)


def _mpnews(part: Fields, find: FindMedia) -> str:
    lines = []
    for article in _articles(part):
        _media(article, find, "image", name="thumb_media_id")
        refuse_if(_size(_content(article)) > MPNEWS_BYTES, 45002)
        lines.append(_titled(article, "digest"))
    return _lines(*lines)


def _media(part: Fields, find: FindMedia, kind: str, name: str = "media_id") -> Media:
    media_id = part.text(name)
    refuse_if(not media_id, 41006)
    return find(media_id, kind)


def uploaded(kind: str, shown: Callable[[Fields, Media], str] = lambda part, media: "") -> Check:
    return lambda part, find: shown(part, _media(part, find, kind))


def _card(allowed: frozenset[str]) -> Check:
    return lambda part, find: _lines(*check_card(part, find, allowed))


def _miniprogram_notice(part: Fields, _find: FindMedia) -> str:
    """No mini-program is linked to the sandbox's company."""
    raise Refusal(90206 if part.text("appid") else 90200)


FILE = uploaded("file", lambda part, media: media.filename)
VOICE = uploaded("voice", lambda part, media: media.filename)

APP_CHECKS: dict[str, Check] = {
    "text": lambda part, _: cut(_content(part), TEXT_BYTES),
    "markdown": _app_markdown,
    "textcard": _textcard,
    "news": partial(_news, may_open_miniprogram=True),
    "mpnews": _mpnews,
    "image": uploaded("image"),
    "file": FILE,
    "voice": VOICE,
    "video": uploaded("video", lambda part, media: _titled(part)),
    "miniprogram_notice": _miniprogram_notice,
    "template_card": _card(APP_CARDS),
}

BOT_CHECKS: dict[str, Check] = {
    "text": _bot_text,
    "markdown": lambda part, _: sized_content(part, BOT_MARKDOWN_BYTES),
    "markdown_v2": lambda part, _: sized_content(part, BOT_MARKDOWN_BYTES),
    "image": _bot_image,
    "news": partial(_news, may_open_miniprogram=False),
    "file": FILE,
    "voice": VOICE,
    "template_card": _card(BOT_CARDS),
}


def check_content(body: Fields, checks: dict[str, Check], find: FindMedia) -> tuple[str, str]:
    """The msgtype and what is shown of it; 40008 for a msgtype that this channel does not have."""
    msgtype = body.text("msgtype")
    check = known(checks.get(msgtype), 40008)
    return msgtype, check(body.part(msgtype), find)


def check_card(card: Fields, find: FindMedia, allowed: Iterable[str], *, answers: bool = False) -> tuple[str, str, str]:
    """The texts of the card that stand for it: title, its description, second title.

    ``answers``: whether a program hears what is clicked on it.
    """
    card_type = card.text("card_type")
    refuse_if(not card_type, 41016)
    refuse_if(card_type not in allowed, 42031)
    title = card.part("main_title")
    shown = title.text("title"), title.text("desc"), card.text("sub_title_text")
    refuse_if(not (shown[0] or (card_type == "text_notice" and shown[2])), 42033)
    task_id, menu = card.text("task_id"), card.part("action_menu").parts("action_list")
    refuse_if((task_id or card_type in INTERACTIVE or menu) and not TASK_ID.fullmatch(task_id), 42014)
    refuse_if(card_type in INTERACTIVE and not answers, 43012)
    for row in _at_most(card, "horizontal_content_list", MAX_HORIZONTAL, 42035):
        row.text("value")
        _need(row, "keyname", 42027)
        _check_kind(row, ROWS)
        if row.number("type") == 2:
            find(row.text("media_id"), "file")
    for jump in _at_most(card, "jump_list", MAX_JUMPS, 42042):
        _need(jump, "title", 42033)
        _check_kind(jump, TARGETS)
    action = card.part("card_action")
    refuse_if(action.number("type") not in ((1, 2) if card_type in BOT_CARDS else (0, 1, 2)), 42045)
    _check_kind(action, TARGETS)
    if card_type == "news_notice":
        refuse_if(not card.part("card_image").text("url") and not card.part("image_text_area").text("image_url"), 42044)
        for row in _at_most(card, "vertical_content_list", MAX_VERTICAL, 42036):
            _need(row, "title", 42033)
    return shown


def _at_most(card: Fields, name: str, most: int, errcode: int) -> list[Fields]:
    found = card.parts(name)
    refuse_if(len(found) > most, errcode)
    return found


def _check_kind(part: Fields, needed: Mapping[int, tuple[str, int]]) -> None:
    kind = part.number("type")
    if kind in needed:
        _need(part, *needed[kind])


def _need(part: Fields, name: str, errcode: int) -> None:
    refuse_if(not part.text(name), errcode)
