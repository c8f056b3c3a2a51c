"""A message as WeCom's JSON, and what WeCom answers. WeCom's own spellings (touser, mentioned_list …) stay in this
folder.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from ..errors import MessageError
from ..model import (
    Article,
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

    Where a name stands twice nobody knows which value is meant: it may be the errcode. ``object_hook`` makes what is
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
    joined = {
        "touser": "|".join(recipients.users),
        "toparty": "|".join(recipients.departments),
        "totag": "|".join(recipients.tags),
    }
    return {name: value for name, value in joined.items() if value}


def content(message: Message) -> Json:
    """``msgtype`` and the mapping that it names."""
    match message:
        case Text():
            return _typed("text", _text(message))
        case Markdown():
            return _typed("markdown", {"content": message.content})
        case MarkdownV2():
            return _typed("markdown_v2", {"content": message.content})
        case TextCard():
            return _typed("textcard", _textcard(message))
        case News():
            return _typed("news", {"articles": [_article(article) for article in message.articles]})
        case Image():
            return _typed("image", _image(message))
        case File():
            return _typed("file", {"media_id": message.media_id})
        case TemplateCard():
            return _typed("template_card", dict(message.body))


def _typed(msgtype: str, body: Json) -> Json:
    return {"msgtype": msgtype, msgtype: body}


def _text(text: Text) -> Json:
    body: Json = {"content": text.content}
    if text.mentioned:
        body["mentioned_list"] = list(text.mentioned)
    if text.mentioned_mobiles:
        body["mentioned_mobile_list"] = list(text.mentioned_mobiles)
    return body


def _textcard(card: TextCard) -> Json:
    body = {"title": card.title, "description": card.description, "url": card.url}
    return body | ({"btntxt": card.button} if card.button else {})


def _article(article: Article) -> Json:
    body = {"title": article.title, "description": article.description, "url": article.url}
    return body | ({"picurl": article.picture_url} if article.picture_url else {})


def _image(image: Image) -> Json:
    if image.media_id:
        return {"media_id": image.media_id}
    digest = hashlib.md5(image.data, usedforsecurity=False).hexdigest()  # WeCom's checksum, not a secret's
    return {"base64": base64.b64encode(image.data).decode(), "md5": digest}
