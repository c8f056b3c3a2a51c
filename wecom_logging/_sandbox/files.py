"""media/…: an app's uploads, what was uploaded, and pictures that stay.

The pages call the multipart part of an upload ``media``. A dozen clients in use call it otherwise, so that the first
file is taken, whatever its name.

Pages: upload https://developer.work.weixin.qq.com/document/path/90253, get /90254, uploadimg /90256.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Request, Response

from .access import Answer, Asked, Family
from .corp import Corp
from .fields import READING
from .media import APP_KINDS, APPS, PICTURE, Kind, Media
from .refusal import Refusal, known, refuse_if

NOT_QUOTED = re.compile(r'[\x00-\x1f\x7f"\\]')
"""What may not stand in a name between quotation marks."""

TYPES = {"image": "image/jpeg", "voice": "audio/amr", "video": "video/mp4"}
"""Of media. A browser that keeps to them shows nothing that acts."""
FILENAME = re.compile(r';\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.I)


class Files(Family):
    def upload(self, asked: Asked) -> Answer:
        kind_of(asked, APP_KINDS)
        return upload(asked, file_part(asked.request), APP_KINDS, APPS)

    def get(self, asked: Asked) -> Response:
        """The file itself, or the ``Range`` of it, where it is not too long ago that the sandbox kept it."""
        media_id = asked.text("media_id")
        refuse_if(not media_id, 41006)
        media = known(self._corp.media.media(media_id), 40007)
        refuse_if(media.kind == PICTURE.name, 40007)
        self._corp.media.find(media_id, media.kind, APPS)
        file = known(self._corp.media.file(media_id), 40007, "the sandbox keeps the newest 64 MiB of files")
        response = file_response(media, file)
        return response.make_conditional(asked.request.environ, accept_ranges=True, complete_length=len(file))

    def upload_picture(self, asked: Asked) -> Answer:
        part = file_part(asked.request)
        media = self._corp.media.add(PICTURE, part.filename or "", part.stream, APPS)
        return {"url": f"{asked.request.host_url}sandbox/pictures/{media.id}"}


def answer_picture(corp: Corp, media_id: str) -> Response | None:
    """What ``uploadimg`` gave the address of."""
    media, file = corp.media.media(media_id), corp.media.file(media_id)
    return file_response(media, file) if media and file and media.kind == PICTURE.name else None


def file_response(media: Media, file: bytes) -> Response:
    """As a download: what a program uploads is never shown as a page of the sandbox's own.

    The name stands there twice, as WeCom writes it: encoded, and as the bytes that it has in UTF-8.
    """
    response = Response(file, content_type=TYPES.get(media.kind, "application/octet-stream"))
    name = NOT_QUOTED.sub("_", media.filename or media.kind)
    plain = name.encode(errors="replace")
    encoded, raw = quote(plain, safe=""), plain.decode("latin-1")
    response.headers["Content-Disposition"] = f"attachment; filename*=utf-8''{encoded}; filename=\"{raw}\""
    return response


def file_part(request: Request) -> FileStorage:
    """44001 where there is no file, or nothing in it.

    A part with a ``filename*`` (RFC 2231) alone is none for WeCom, and beside a ``filename`` it counts for nothing.
    """
    parts = {name: part for name, part in request.files.items() if _named(part)}
    part = parts.get("media")
    if part is None and not request.environ[READING].strict:
        part = next(iter(parts.values()), None)
    if part is None or not part.stream.read(1):
        raise Refusal(44001)
    part.stream.seek(0)
    return part


def _named(part: FileStorage) -> bool:
    found = FILENAME.search(part.headers.get("Content-Disposition", ""))
    if found is None:
        return False
    part.filename = re.sub(r"\\(.)", r"\1", found[1]) if found[2] is None else found[2]
    return True


def kind_of(asked: Asked, kinds: Mapping[str, Kind]) -> Kind:
    return known(kinds.get(asked.text("type")), 40005)


def upload(asked: Asked, part: FileStorage, kinds: Mapping[str, Kind], owner: str) -> Answer:
    media = asked.corp.media.add(kind_of(asked, kinds), part.filename or "", part.stream, owner)
    return {"type": media.kind, "media_id": media.id, "created_at": str(int(media.created))}
