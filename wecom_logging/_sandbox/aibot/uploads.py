"""Files of the AI bot, in pieces: init, chunk, finish (https://developer.work.weixin.qq.com/document/path/101463)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from ..corp import Corp
from ..fields import Fields
from ..media import FILE, IMAGE, MIB, VIDEO, VOICE
from ..ratelimit import Limit, SlidingWindow
from ..refusal import Refusal

LIMITS = (Limit(30, 60), Limit(1000, 3600))
LIFE_S = 1800
MIN_BYTES = 5
NAME_BYTES = 256
MAX_CHUNKS = 100
CHUNK_BYTES = 512 * 1024
OPEN_BYTES = 64 * MIB
KINDS = {
    kind.name: replace(kind, min_bytes=MIN_BYTES) for kind in (replace(IMAGE, max_bytes=2 * MIB), VOICE, VIDEO, FILE)
}
"""Copies of the page differ about images, 2 or 10 MB: here the smaller one."""


@dataclass(slots=True)
class Upload:
    kind: str
    name: str
    size: int
    count: int
    md5: str
    until: float
    chunks: dict[int, bytes] = field(default_factory=dict)


class Uploads:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._rate = SlidingWindow(corp.clock, *LIMITS)
        self._open: dict[str, Upload] = {}

    def begin(self, body: Fields) -> dict[str, Any]:
        kind, size, count = KINDS.get(body.text("type")), body.number("total_size"), body.number("total_chunks")
        for name in ("type", "filename", "total_size", "total_chunks"):
            if not body.has(name):
                raise body.missing(name)
        if kind is None:
            raise Refusal(40005)
        if not 0 < len(body.text("filename").encode()) <= NAME_BYTES:
            raise body.wrong("filename", f"must have 1 to {NAME_BYTES} bytes")
        if size < MIN_BYTES:
            raise Refusal(40006)
        if size > kind.max_bytes:
            raise Refusal(kind.too_large)
        if not 1 <= count <= MAX_CHUNKS:
            raise body.wrong("total_chunks", f"must be 1 to {MAX_CHUNKS}")
        if not self._rate.admits(0):
            raise Refusal(45009)
        while self._open and sum(upload.size for upload in self._open.values()) + size > OPEN_BYTES:
            del self._open[next(iter(self._open))]
        id = secrets.token_urlsafe(24)
        until = self._corp.clock() + LIFE_S
        self._open[id] = Upload(kind.name, body.text("filename"), size, count, body.text("md5"), until)
        return {"upload_id": id}

    def take(self, body: Fields) -> dict[str, Any]:
        """In any order; a piece that comes again is the same piece."""
        upload, index = self._find(body), body.number("chunk_index", -1)
        if not 0 <= index < upload.count:
            raise body.wrong("chunk_index", f"must be 0 to {upload.count - 1}")
        try:
            data = base64.b64decode(body.text("base64_data"), validate=True)
        except (binascii.Error, ValueError):
            raise body.wrong("base64_data", "is no base64") from None
        others = sum(len(chunk) for at, chunk in upload.chunks.items() if at != index)
        if not 0 < len(data) <= CHUNK_BYTES or others + len(data) > upload.size:
            raise body.wrong("base64_data", f"must have 1 to {CHUNK_BYTES} bytes, and all no more than total_size")
        upload.chunks[index] = data
        return {}

    def finish(self, body: Fields) -> dict[str, Any]:
        upload = self._find(body)
        data = b"".join(upload.chunks[index] for index in sorted(upload.chunks))
        if len(upload.chunks) < upload.count or len(data) != upload.size:
            raise body.wrong("upload_id", f"has {len(data)} of {upload.size} bytes")
        if upload.md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != upload.md5.lower():
            raise Refusal(301019)
        media = self._corp.media.add(KINDS[upload.kind], upload.name, io.BytesIO(data), self._corp.aibot.id)
        del self._open[body.text("upload_id")]
        return {"type": media.kind, "media_id": media.id, "created_at": int(media.created)}

    def _find(self, body: Fields) -> Upload:
        upload = self._open.get(body.text("upload_id"))
        if upload is None or upload.until <= self._corp.clock():
            raise body.wrong("upload_id", "is unknown, or older than 30 minutes")
        return upload
