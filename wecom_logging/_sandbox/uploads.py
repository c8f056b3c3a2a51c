"""The multipart part of an upload (https://developer.work.weixin.qq.com/document/path/90253, /99110).

The pages call it ``media``. A dozen clients in use call it otherwise, so that the first file is taken, whatever its
name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Request

from .fields import READING
from .media import Kind, MediaStore
from .refusal import Refusal

FILENAME = re.compile(r';\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.I)


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
