"""What was kept, to take away: the messages as JSON lines, or a zip file of them with their files."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from .corp import Corp
from .fields import Fields
from .mailbox import Message

MOST_PARTS = 50
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
TYPES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}


def as_lines(messages: Iterable[Message]) -> Iterator[bytes]:
    """One JSON object a line, oldest first."""
    return (_as_bytes(message) + b"\n" for message in messages)


def as_list(messages: Iterable[Message]) -> Iterator[bytes]:
    between = b"["
    for message in messages:
        yield between + _as_bytes(message)
        between = b", "
    yield b"[]" if between == b"[" else b"]"


def _as_bytes(message: Message) -> bytes:
    return json.dumps(message.as_json(), ensure_ascii=False).encode(errors="replace")


class _Packed:
    """What a zip file is written to; it is read in between."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing that waits."""

    def taken(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces


def as_archive(corp: Corp, messages: Collection[Message]) -> Iterator[bytes]:
    """A zip file of the lines, and below ``files/`` of what the messages were sent with, as far as it is kept."""
    packed = _Packed()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload] # it is written only
        with archive.open("messages.jsonl", "w", force_zip64=True) as lines:
            for line in as_lines(messages):
                lines.write(line)
                yield from packed.taken()
        packed_already: set[str] = set()  # a file that ten thousand messages share is there once
        for file in (file for message in messages for file in files_of(corp, message)):
            if file.place not in packed_already:
                packed_already.add(file.place)
                with archive.open(f"files/{file.place}", "w", force_zip64=True) as place:
                    for piece in file.pieces:
                        place.write(piece)
                        yield from packed.taken()
    yield from packed.taken()


@dataclass(frozen=True, slots=True)
class File:
    """``place`` is its own in an archive, ``name`` leads nowhere on any system."""

    place: str
    name: str
    size: int
    pieces: Iterable[bytes]


def files_of(corp: Corp, message: Message) -> Iterator[File]:
    """What a ``media_id`` of the message stands for, below that id; a bot's picture, which is in its body."""
    part = Fields(message.body).part(message.msgtype)
    for place in [part, *part.parts("articles")][:MOST_PARTS]:
        for id in (place.text("media_id"), place.text("thumb_media_id")):
            with corp.lock:
                media, file = corp.media.media(id), corp.media.file(id)
            if media and file:
                name = FORBIDDEN.sub("_", media.filename or media.kind)[-100:].strip(". ") or "file"
                yield File(f"{media.id}/{name}", name, file.size, file)
    if part.text("base64"):
        try:
            data = base64.b64decode(part.text("base64"))
        except binascii.Error:
            return
        kind = next((kind for start, kind in TYPES.items() if data.startswith(start)), "bin")
        yield File(f"{message.id}/picture.{kind}", f"picture.{kind}", len(data), [data])
