"""Removes invisible characters and colours that would hide a secret's name from the mask."""

from __future__ import annotations

from .patterns import lazy

_COLOUR = lazy(r"(?:\x1b|\\x1b)\[[\d;:]{0,32}m")
_MARGIN = lazy(r"(?m)^ {2,64}\| ")  # of an ExceptionGroup
_TWICE = lazy(r"%(?:25)+(?=[0-9A-Fa-f]{2})")  # percent-encoded more than once
_SIGNS = r"\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
_UNSEEN = lazy(f"(?<=[!-~])[{_SIGNS}]++|(?<![{_SIGNS}])[{_SIGNS}]++(?=[!-~])")  # an emoji's are its own
_LETTERS = r"\uff0d\uff10-\uff19\uff21-\uff3a\uff3f\uff41-\uff5a"
_WIDE = lazy(f"[{_LETTERS}]")
_ANY = lazy(f"[{_SIGNS}{_LETTERS}]")
_TO_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def bare(text: str) -> str:
    """``text`` without colours, margins, signs that take no room, and with letters of usual width. Most have none."""
    if "\x1b[" in text or "\\x1b[" in text:
        text = _COLOUR.sub("", text)
    if "  | " in text:
        text = _MARGIN.sub("", text)
    if "%25" in text:
        text = _TWICE.sub("%", text)
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii() and _ANY.search(text):
        text = _UNSEEN.sub("", text)
        text = _WIDE.sub(lambda found: found[0].translate(_TO_NARROW), text)
    return text
