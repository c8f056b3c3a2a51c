"""media/…: an app's uploads, what was uploaded, and pictures that stay.

Pages: upload https://developer.work.weixin.qq.com/document/path/90253, get /90254, uploadimg /90256.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from .access import Access
from .corp import Corp
from .kept import Kept
from .media import APP_KINDS, APPS, PICTURE, Media
from .refusal import Refusal
from .uploads import file_part, kind_of, upload

Answer = dict[str, Any]


class Files:
    def __init__(self, corp: Corp, access: Access) -> None:
        self._corp = corp
        self._access = access

    def upload(self, request: Request) -> Answer:
        self._access.app(request)
        kind_of(request, APP_KINDS)
        return upload(request, file_part(request), self._corp.media, APP_KINDS, APPS)

    def get(self, request: Request) -> Response:
        """The file itself, in one piece, where it is not too long ago that the sandbox kept it."""
        self._access.app(request)
        media_id = request.args.get("media_id", "")
        if not media_id:
            raise Refusal(41006)
        media = self._corp.media.media(media_id)
        if media is None or media.kind == PICTURE.name:
            raise Refusal(40007)
        self._corp.media.find(media_id, media.kind, APPS)
        file = self._corp.media.file(media_id)
        if file is None:
            raise Refusal(40007, "the sandbox keeps the newest 64 MiB of files")
        return file_response(media, file)

    def upload_picture(self, request: Request) -> Answer:
        self._access.app(request)
        part = file_part(request)
        media = self._corp.media.add(PICTURE, part.filename or "", part.stream, APPS)
        return {"url": f"{request.host_url}sandbox/pictures/{media.id}"}


def answer_picture(corp: Corp, media_id: str) -> Response | None:
    """What ``uploadimg`` gave the address of."""
    media, file = corp.media.media(media_id), corp.media.file(media_id)
    return file_response(media, file) if media and file and media.kind == PICTURE.name else None


def file_response(media: Media, file: Kept) -> Response:
    """As a download: what a program uploads is never shown as a page of the sandbox's own."""
    response = Response(iter(file), content_type="application/octet-stream")
    response.content_length = file.size
    name = quote(media.filename or media.kind, safe="", errors="replace")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response
