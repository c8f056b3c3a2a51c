"""Uploaded files, and their bytes: for three days, for the apps of the corp or for the one bot that uploaded them.

https://developer.work.weixin.qq.com/document/path/90253 (apps) and /99110 (bots), get /90254, uploadimg
/90256. The newest 64 MiB of files are kept; of what is older, the name alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from .refusal import known, refuse_if

MIB = 1024 * 1024
MIN_BYTES = 6  # "larger than 5 bytes"
LIFE_S = 3 * 24 * 3600
REMEMBERED = 10_000
KEPT_BYTES = 64 * MIB
APPS = ""
NAME_CHARS = 255
FIRST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Kind:
    """A media type: its size, the code for more than that, and how to know it by its first bytes."""

    name: str
    max_bytes: int
    too_large: int
    looks_right: Callable[[bytes], bool]
    wrong_type: int = 40004
    min_bytes: int = MIN_BYTES


def is_image(data: bytes) -> bool:
    """JPG or PNG."""
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))


IMAGE = Kind("image", 10 * MIB, 40009, is_image, wrong_type=40123)
VOICE = Kind("voice", 2 * MIB, 45001, lambda data: data.startswith(b"#!AMR"))
VIDEO = Kind("video", 10 * MIB, 40011, lambda data: data[4:8] == b"ftyp")
FILE = Kind("file", 20 * MIB, 45001, lambda _: True)
PICTURE = Kind("picture", 2 * MIB, 40009, is_image, wrong_type=40123)

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
        self._files: dict[str, bytes] = {}
        self.size = 0

    def add(self, kind: Kind, filename: str, stream: IO[bytes], owner: str) -> Media:
        """Checks a file as WeCom does; ``owner`` is a bot's key, or ``APPS``."""
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        refuse_if(not size, 44001)
        refuse_if(size < kind.min_bytes, 40006)
        refuse_if(size > kind.max_bytes, kind.too_large)
        refuse_if(not kind.looks_right(stream.read(FIRST_BYTES)), kind.wrong_type)
        stream.seek(0)
        id = secrets.token_urlsafe(48)
        media = Media(id, kind.name, filename[:NAME_CHARS], owner, self._clock())
        self._stored[id] = media
        self._files[id] = stream.read()
        self.size += size
        while self.size > KEPT_BYTES:
            self._forget(next(iter(self._files)))
        while len(self._stored) > REMEMBERED:
            oldest = next(iter(self._stored))
            self._forget(oldest)
            del self._stored[oldest]
        return media

    def file(self, media_id: str) -> bytes | None:
        """The file; None where it is unknown or was too old to be kept."""
        return self._files.get(media_id)

    def media(self, media_id: str) -> Media | None:
        return self._stored.get(media_id)

    def _forget(self, media_id: str) -> None:
        self.size -= len(self._files.pop(media_id, b""))

    def find(self, media_id: str, kind: str, owner: str) -> Media:
        """40007 where it is unknown, older than three days, of another type, or another owner's."""
        media = known(self._stored.get(media_id), 40007)
        is_old = media.created + LIFE_S <= self._clock()
        refuse_if(is_old or (media.owner, media.kind) != (owner, kind), 40007)
        return media
