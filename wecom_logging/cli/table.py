"""Plain text in columns, with Chinese characters and emoji as wide as a terminal draws them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from ..render import inert

GAP = "  "


def width(text: str) -> int:
    """The columns that a terminal gives to a text."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows as lines; nothing in a cell can act on the terminal. Blanks at the beginning of a cell stay."""
    shown = [[_inert(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        yield GAP.join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip()


def _inert(text: str) -> str:
    words = text.lstrip(" ")
    return text[: len(text) - len(words)] + inert.line(words)
