"""Of an incident that stands for many kinds: which came, how often, and which of them nobody has seen yet."""

from __future__ import annotations

from .._text import inert
from .._text.cut import size, trim
from .._text.said import Language
from ..model import Digest
from . import words
from .times import local_time

MAX_NEW_LINES = 8
_MAX_NEW_BYTES = 200
_MAX_NAME_BYTES = 40
_MAX_LINE_BYTES = 200


def new_lines(digest: Digest, language: Language) -> list[str]:
    """``new 10:03:11 user zoe not found``: one line for each kind that is new, at most 8."""
    new = sorted((kind for kind in digest.kinds if kind.is_new and kind.text), key=lambda kind: kind.time)
    return [
        trim(
            words.NEW.within(language, f"{local_time(kind.time):%H:%M:%S}", inert.line(kind.text.strip(), language)),
            _MAX_NEW_BYTES,
        )
        for kind in new[:MAX_NEW_LINES]
    ]


def kinds_line(digest: Digest, language: Language) -> str:
    """``7 kinds: bob × 12, ann × 3, zoe × 1 (new), …, others × 5``, the most frequent first."""
    kinds = sorted(digest.kinds, key=lambda kind: -kind.count)
    if not kinds:
        return ""
    parts: list[str] = []
    room = _MAX_LINE_BYTES
    for kind in kinds:
        name = trim(inert.line(kind.name, language).replace("×", "x"), _MAX_NAME_BYTES)
        part = (words.OF_NEW_KIND if kind.is_new else words.OF_KIND).within(language, name, kind.count)
        room -= size(part) + 3
        if room < 0:
            parts.append("…")
            break
        parts.append(part)
    if (others := digest.count - sum(kind.count for kind in kinds)) > 0:
        parts.append(words.OTHERS.within(language, others))
    number = (words.KIND if len(kinds) == 1 else words.KINDS).within(language, len(kinds))
    return words.KINDS_OF_IT.within(language, number, words.BETWEEN_KINDS.within(language).join(parts))
