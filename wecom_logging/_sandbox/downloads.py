"""What was kept, to take away: the messages as JSON, and the files that they were sent with."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .corp import Corp
from .fields import Fields
from .mailbox import Message

MOST_PARTS = 50
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
TYPES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}


def as_lines(messages: Iterable[Message]) -> bytes:
    """One JSON object a line, oldest first."""
    return b"".join(_as_bytes(message) + b"\n" for message in messages)


def as_list(messages: Iterable[Message]) -> bytes:
    return b"[" + b", ".join(map(_as_bytes, messages)) + b"]"


def _as_bytes(message: Message) -> bytes:
    return json.dumps(message.as_json(), ensure_ascii=False).encode(errors="replace")


@dataclass(frozen=True, slots=True)
class File:
    """``name`` leads nowhere on any system."""

    name: str
    data: bytes


def files_of(corp: Corp, message: Message) -> Iterator[File]:
    """What a ``media_id`` of the message stands for, below that id; a bot's picture, which is in its body."""
    part = Fields(message.body).part(message.msgtype)
    for place in [part, *part.parts("articles")][:MOST_PARTS]:
        for id in (place.text("media_id"), place.text("thumb_media_id")):
            with corp.lock:
                media, file = corp.media.media(id), corp.media.file(id)
            if media and file:
                name = FORBIDDEN.sub("_", media.filename or media.kind)[-100:].strip(". ") or "file"
                yield File(name, file)
    if part.text("base64"):
        try:
            data = base64.b64decode(part.text("base64"))
        except binascii.Error:
            return
        kind = next((kind for start, kind in TYPES.items() if data.startswith(start)), "bin")
        yield File(f"picture.{kind}", data)
