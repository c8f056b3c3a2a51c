"""The multipart part ``media`` of an upload (https://developer.work.weixin.qq.com/document/path/90253, /99110)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request

from .media import Kind, MediaStore
from .refusal import Refusal


def upload(request: Request, store: MediaStore, kinds: Mapping[str, Kind], owner: str) -> dict[str, Any]:
    kind = kinds.get(request.args.get("type", ""))
    if kind is None:
        raise Refusal(40005)
    part = request.files.get("media")
    if part is None:
        raise Refusal(44001)
    media = store.add(kind, part.filename or "", part.read(), owner)
    return {"type": media.kind, "media_id": media.id, "created_at": str(int(media.created))}
