"""Uploaded files: for three days, for the apps of the corp or for the one bot that uploaded them.

https://developer.work.weixin.qq.com/document/path/90253 (apps) and /99110 (bots). Only the name is kept, not the file.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from .refusal import Refusal

MIB = 1024 * 1024
MIN_BYTES = 6  # "larger than 5 bytes"
LIFE_S = 3 * 24 * 3600
REMEMBERED = 10_000
APPS = ""
NAME_CHARS = 255


@dataclass(frozen=True, slots=True)
class Kind:
    """A media type: its size, the code for more than that, and how to know it by its first bytes."""

    name: str
    max_bytes: int
    too_large: int
    looks_right: Callable[[bytes], bool]
    wrong_type: int = 40004


def is_image(data: bytes) -> bool:
    """JPG or PNG."""
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))


IMAGE = Kind("image", 10 * MIB, 40009, is_image, wrong_type=40123)
VOICE = Kind("voice", 2 * MIB, 45001, lambda data: data.startswith(b"#!AMR"))
VIDEO = Kind("video", 10 * MIB, 40011, lambda data: data[4:8] == b"ftyp")
FILE = Kind("file", 20 * MIB, 45001, lambda _: True)

APP_KINDS = {kind.name: kind for kind in (IMAGE, VOICE, VIDEO, FILE)}
BOT_KINDS = {kind.name: kind for kind in (VOICE, FILE)}


@dataclass(frozen=True, slots=True)
class Media:
    id: str
    kind: str
    filename: str
    owner: str
    created: float


class MediaStore:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stored: dict[str, Media] = {}

    def add(self, kind: Kind, filename: str, data: bytes, owner: str) -> Media:
        """Checks a file as WeCom does; ``owner`` is a bot's key, or ``APPS``."""
        if not data:
            raise Refusal(44001)
        if len(data) < MIN_BYTES:
            raise Refusal(40006)
        if len(data) > kind.max_bytes:
            raise Refusal(kind.too_large)
        if not kind.looks_right(data):
            raise Refusal(kind.wrong_type)
        media = Media(secrets.token_urlsafe(48), kind.name, filename[:NAME_CHARS], owner, self._clock())
        self._stored[media.id] = media
        while len(self._stored) > REMEMBERED:
            del self._stored[next(iter(self._stored))]
        return media

    def find(self, media_id: str, kind: str, owner: str) -> Media:
        """40007 where it is unknown, older than three days, of another type, or somebody else's."""
        media = self._stored.get(media_id)
        if media is None or media.owner != owner or media.kind != kind:
            raise Refusal(40007)
        if media.created + LIFE_S <= self._clock():
            raise Refusal(40007)
        return media
