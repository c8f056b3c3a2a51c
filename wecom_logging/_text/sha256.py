"""SHA-256 of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash


def sha256(text: str) -> _Hash:
    """By `hashlib.new`, which goes on without OpenSSL: uWSGI ends that before Python's exit, where alerts are made."""
    import hashlib

    return hashlib.new("sha256", text.encode("utf-8", "replace"))
