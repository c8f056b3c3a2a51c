"""What a message of the AI bot may hold, for each msgtype: there is no text to push, and no markdown_v2."""

from __future__ import annotations

from ..content import APP_CHECKS, Check, FindMedia
from ..fields import Fields
from ..refusal import Refusal
from .cards import shown_of

MARKDOWN_BYTES = 20_480
STREAM = "stream"


def _media(kind: str) -> Check:
    def check(part: Fields, find: FindMedia) -> str:
        if not part.has("media_id"):
            raise part.missing("media_id")
        return APP_CHECKS[kind](part, find)

    return check


def _content(part: Fields, *, empty: bool = False) -> str:
    content = part.text("content")
    if not content and not empty:
        raise Refusal(44004)
    if len(content.encode()) > MARKDOWN_BYTES:
        raise part.wrong("content", f"exceed max length {MARKDOWN_BYTES}")
    return content


def _markdown(part: Fields, _find: FindMedia) -> str:
    return _content(part)


def _stream(part: Fields, _find: FindMedia) -> str:
    """The first frame may be empty: "thinking"."""
    if not part.text("id"):
        raise part.missing("id")
    return _content(part, empty=not part.flag("finish", False))


MEDIA = {name: _media(name) for name in ("file", "image", "voice", "video")}
PUSH_CHECKS: dict[str, Check] = {"markdown": _markdown, "template_card": shown_of, **MEDIA}
REPLY_CHECKS: dict[str, Check] = {**PUSH_CHECKS, STREAM: _stream}
WELCOME_CHECKS: dict[str, Check] = {"text": _markdown, "template_card": shown_of}
