"""A message as WeCom's JSON, what WeCom takes of it, and what WeCom answers.

WeCom's own spellings (touser, mentioned_list …) stay in this folder. Limits are checked before a request, in bytes of
UTF-8: WeCom cuts or refuses the rest. Sources: https://developer.work.weixin.qq.com/document/path/90236 (app), …/99110
(group bot), …/101463 (AI bot), …/90253 (media)
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ..errors import MessageError
from ..model import (
    File,
    Image,
    Markdown,
    MarkdownV2,
    Message,
    News,
    Recipients,
    TemplateCard,
    Text,
    TextCard,
)
from ..model.captured import JPG, MAX_BOT_IMAGE_BYTES, PNG

Json = dict[str, Any]
ObjectHook = Callable[[Json], object]


def encode(body: Json) -> bytes:
    """UTF-8, not ``\\u`` escapes: WeCom's 40033 refuses those in places. A lone surrogate becomes a question mark.

    Raises `MessageError` for what JSON cannot hold: a `TemplateCard` is the caller's own mapping.
    """
    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = ""
    if not text:
        raise MessageError(f"{body.get('msgtype', 'the body')}: it holds something that JSON cannot express")
    return text.encode("utf-8", "replace")


def decode(text: str | bytes, object_hook: ObjectHook | None = None) -> Json | None:
    """A JSON object in which each name stands once; None for anything else.

    Where a name stands twice it is not known which value is meant: it may be the errcode. ``object_hook`` makes what is
    wanted of each object as it is read.
    """
    try:
        found = json.loads(text, object_pairs_hook=partial(_object, object_hook))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _object(object_hook: ObjectHook | None, pairs: list[tuple[str, Any]]) -> object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found if object_hook is None else object_hook(found)


def errcode_of(answer: Json | None) -> int | None:
    """0 alone is a success. None where there is none: neither false nor 0.0 nor a text is one."""
    errcode = (answer or {}).get("errcode")
    return errcode if type(errcode) is int else None


def addressed(recipients: Recipients) -> Json:
    """``touser``, ``toparty`` and ``totag``, as far as they are given."""
    users, departments, tags = map("|".join, (recipients.users, recipients.departments, recipients.tags))
    return _given(touser=users, toparty=departments, totag=tags)


def _given(**values: object) -> Json:
    return {name: value for name, value in values.items() if value}


def content(message: Message) -> Json:
    """``msgtype`` and the mapping that it names."""
    match message:
        case Text():
            lists = {
                "mentioned_list": list(message.mentioned),
                "mentioned_mobile_list": list(message.mentioned_mobiles),
            }
            return _typed("text", {"content": message.content, **_given(**lists)})
        case Markdown():
            return _typed("markdown", {"content": message.content})
        case MarkdownV2():
            return _typed("markdown_v2", {"content": message.content})
        case TextCard():
            card = {"title": message.title, "description": message.description, "url": message.url}
            return _typed("textcard", card | _given(btntxt=message.button))
        case News():
            rows = [
                {"title": one.title, "description": one.description, "url": one.url, **_given(picurl=one.picture_url)}
                for one in message.articles
            ]
            return _typed("news", {"articles": rows})
        case Image(media_id=media_id) if media_id:
            return _typed("image", {"media_id": media_id})
        case Image():
            digest = hashlib.md5(message.data, usedforsecurity=False).hexdigest()  # WeCom's checksum, not a secret's
            return _typed("image", {"base64": base64.b64encode(message.data).decode(), "md5": digest})
        case File():
            return _typed("file", {"media_id": message.media_id})
        case TemplateCard():
            return _typed("template_card", dict(message.body))


def _typed(msgtype: str, body: Json) -> Json:
    return {"msgtype": msgtype, msgtype: body}


APP_BYTES: Mapping[type, int] = {Text: 2048, Markdown: 2048}
BOT_BYTES: Mapping[type, int] = {Text: 2048, Markdown: 4096, MarkdownV2: 4096}

AIBOT_BYTES: Mapping[type, int] = {Text: 2048, Markdown: 4096}
"""An AI bot takes 20 480; on a phone that is too long."""
MAX_AIBOT_BYTES = 20_480

BOT_CARDS = ("text_notice", "news_notice")
MAX_URL_BYTES = 2048
MAX_TITLE_BYTES = 128
MAX_DESCRIPTION_BYTES = 512
MIN_MEDIA_BYTES = 5
APP_MEDIA: Mapping[str, int] = {
    "image": 10 * 1024 * 1024,
    "voice": 2 * 1024 * 1024,
    "video": 10 * 1024 * 1024,
    "file": 20 * 1024 * 1024,
}
AIBOT_MEDIA: Mapping[str, int] = {"image": 2 * 1024 * 1024, "file": 20 * 1024 * 1024}
BOT_MEDIA: Mapping[str, int] = {name: APP_MEDIA[name] for name in ("voice", "file")}


def check_bytes(field: str, value: str, most: int) -> None:
    """Raise `MessageError` if a text has more UTF-8 bytes than WeCom takes."""
    size = len(value.encode("utf-8", "replace"))
    if size > most:
        raise MessageError(f"{field}: {size} bytes in UTF-8, WeCom takes at most {most}")


def check_url(field: str, value: str) -> None:
    """Raise `MessageError` if it is not an http(s) address that WeCom takes."""
    is_web_address = False
    with suppress(ValueError, TypeError, AttributeError):  # what cannot be taken apart is no URL
        parts = urlsplit(value)
        is_web_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    if not is_web_address:
        raise MessageError(f"{field}: a web address is needed that starts with https:// or http://")
    check_bytes(field, value, MAX_URL_BYTES)


def check_app_message(message: Message) -> None:
    _check_type(message)
    if isinstance(message, MarkdownV2):
        raise MessageError("markdown_v2: only a group bot takes it; send Markdown or Text from an app")
    if isinstance(message, Text) and (message.mentioned or message.mentioned_mobiles):
        raise MessageError("text.mentioned: only a group bot mentions people; name users=… as recipients of an app")
    if isinstance(message, Image) and not message.media_id:
        raise MessageError("image.media_id: an app sends an image that client.media.upload(…) has uploaded")
    _check_content(message, APP_BYTES)


def check_bot_message(message: Message) -> None:
    _check_type(message)
    if isinstance(message, TextCard):
        raise MessageError("textcard: a group bot does not take it; send News or TemplateCard")
    if isinstance(message, TemplateCard) and message.body["card_type"] not in BOT_CARDS:
        raise MessageError(f"template_card.card_type: a group bot takes {' and '.join(BOT_CARDS)} only")
    if isinstance(message, Image):
        data = message.data
        if not data:
            raise MessageError("image.data: a group bot sends an image by its bytes, not by media_id")
        if len(data) > MAX_BOT_IMAGE_BYTES:
            raise MessageError(f"image.data: {len(data)} bytes, a group bot takes at most {MAX_BOT_IMAGE_BYTES}")
        if not data.startswith((JPG, PNG)):
            raise MessageError("image.data: neither JPG nor PNG")
    _check_content(message, BOT_BYTES)


def _check_type(message: object) -> None:
    if not isinstance(message, Message):
        raise MessageError(f"message: a string or a message of wecom_logging.model, not a {type(message).__name__}")


def _check_content(message: Message, most: Mapping[type, int]) -> None:
    if isinstance(message, Text | Markdown | MarkdownV2):
        check_bytes(f"{type(message).__name__.lower()}.content", message.content, most[type(message)])
    elif isinstance(message, TextCard):
        check_bytes("textcard.title", message.title, MAX_TITLE_BYTES)
        check_bytes("textcard.description", message.description, MAX_DESCRIPTION_BYTES)
        check_url("textcard.url", message.url)
        if len(message.button) > 4:
            raise MessageError("textcard.button: at most 4 characters")
    elif isinstance(message, News):
        for article in message.articles:
            check_bytes("news.articles.title", article.title, MAX_TITLE_BYTES)
            check_bytes("news.articles.description", article.description, MAX_DESCRIPTION_BYTES)
            check_url("news.articles.url", article.url)
            if article.picture_url:
                check_url("news.articles.picture_url", article.picture_url)


def check_media(kind: str, data: bytes, most: Mapping[str, int]) -> None:
    """Raise `MessageError` for a file that WeCom would not take; ``most`` is `APP_MEDIA` or `BOT_MEDIA`."""
    if kind not in most:
        raise MessageError(f"type: one of {', '.join(most)} is needed, not {kind!r}")
    if not MIN_MEDIA_BYTES < len(data) <= most[kind]:
        raise MessageError(
            f"{kind}: {len(data)} bytes; more than {MIN_MEDIA_BYTES} and at most {most[kind]} are needed"
        )
