"""The multipart part of an upload (https://developer.work.weixin.qq.com/document/path/90253, /99110).

The pages call it ``media``. A dozen clients in use call it otherwise, so that the first file is taken, whatever its
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Request

from .fields import READING
from .media import Kind, MediaStore
from .refusal import Refusal


def file_part(request: Request) -> FileStorage:
    """44001 where there is no file, or nothing in it."""
    part = request.files.get("media")
    if part is None and not request.environ[READING].strict:
        part = next(iter(request.files.values()), None)
    if part is None or not part.stream.read(1):
        raise Refusal(44001)
    part.stream.seek(0)
    return part


def kind_of(request: Request, kinds: Mapping[str, Kind]) -> Kind:
    kind = kinds.get(request.args.get("type", ""))
    if kind is None:
        raise Refusal(40005)
    return kind


def upload(
    request: Request, part: FileStorage, store: MediaStore, kinds: Mapping[str, Kind], owner: str
) -> dict[str, Any]:
    kind = kind_of(request, kinds)
    media = store.add(kind, part.filename or "", part.stream, owner)
    return {"type": media.kind, "media_id": media.id, "created_at": str(int(media.created))}
