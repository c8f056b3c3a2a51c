"""``client.media``: upload what image and file messages refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import BadResponseError, MessageError
from .access import Caller
from .limits import APP_MEDIA, check_media


class Media:
    """The calls below ``media/``."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def upload(self, name: str, data: bytes, *, type: str = "file") -> str:
        """Upload a file and return its ``media_id``, which all apps of the company can use for three days.

        ``name`` is what readers see. ``type`` is image (JPG, PNG; 10 MiB), voice (AMR; 2 MiB), video (MP4; 10 MiB) or
        file (20 MiB); each more than 5 bytes. Raises `MessageError` before the request, `WeComError` after it.

        Source: https://developer.work.weixin.qq.com/document/path/90253
        """
        check_upload(name, data, type, APP_MEDIA)
        return media_id(self._client.upload("media/upload", name, data, kind=type))


def check_upload(name: str, data: bytes, kind: str, most: Mapping[str, int]) -> None:
    """Raise `MessageError` if WeCom would not take the file."""
    check_media(kind, data, most)
    if not name or not name.isprintable() or '"' in name:
        raise MessageError("name: a file name without quotes and line breaks is needed")


def media_id(answer: dict[str, Any]) -> str:
    """The id in the answer to an upload."""
    found = answer.get("media_id")
    if not isinstance(found, str) or not found:
        raise BadResponseError("the answer to the upload has no media_id")
    return found
