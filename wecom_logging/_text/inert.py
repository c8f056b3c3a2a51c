"""Text of the program, made unable to act as layout, link, colour or mention.

WeCom documents no way to escape, so what has a meaning is replaced by a look-alike that has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import category

from .._masking.patterns import lazy
from .said import LINES_CUT, Language

MAX_LINES = 400
_TAIL_LINES = 100
# C0 and C1 controls but newline and tab, bidi controls, invisible separators and fillers, the byte order mark, lone
# surrogates, tags. The flags of England, Scotland and Wales are made of tags and stay.
_INVISIBLE = lazy(
    "\U0001f3f4[\U000e0030-\U000e007a]{1,7}\U000e007f|"
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U0001bca0-\U0001bca3"
    "\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
# Where marks that are drawn over the character before them can stand more than four in a row: a tower of them covers
# other lines. Most letters, and all of Chinese, Japanese and Korean, have none among them.
_MARKED = lazy("[^\x00-\u02ff\u3040-\u3098\u309b-\u9fff\uac00-\ud7af\uff00-\uffef]{5,}")
_JOINERS = "\u200c\u200d"
_MAX_MARKS = 4
# Runs of blanks push what follows to the next line of a narrow screen, where it looks like a line of its own.
_BLANK = "(?:[^\\S\n]|[\u2800\u200c\u200d\ufe00-\ufe0f])"
_WIDE_GAP = lazy(f"(?<=[^\\s\u2800])({_BLANK}{{4}}){_BLANK}++")
_GAP = " " * 5
"""Without it there is no wide gap, and no indentation to narrow, of blanks."""
_INDENTATION = lazy("(?m)^(?:[^\\S\n]|\u2800){9,}")
# Where a text can be cut without changing what the patterns above make of it: each takes such a letter as an end.
_SEAM = lazy("[!-~\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3]")
_PIECE = 8 * 1024
_MARKDOWN_START = lazy(r"^(\s*)([#>])")
_EDGE = lazy(r"(?<!\w)_+|_+(?!\w)")  # within a word it has no meaning


_COLOUR = lazy(r"\x1b\[[\d;:]{0,32}[mK]")
"""Of a terminal, with the mark that paints the rest of a line. All other sequences are shown as escapes."""


def uncoloured(text: str) -> str:
    """A text without the colours that it has on a terminal: nothing else shows them, and they are no part of it."""
    return _COLOUR.sub("", text) if "\x1b[" in text else text


_NAMES = ("module", "lambda", "locals", "genexpr", "listcomp", "dictcomp", "setcomp")


def lines(text: str, language: Language = "en") -> list[str]:
    """The lines of a text, the first and the last of very many, with all that cannot be seen shown as an escape."""
    if text.isascii() and text.isprintable() and _GAP not in text:  # most are one line of nothing but letters and signs
        return [text]
    found = text.splitlines() or [""]
    if (cut := len(found) - MAX_LINES) > 0:
        found[MAX_LINES - _TAIL_LINES : -_TAIL_LINES] = [LINES_CUT.within(language, cut)]
    text = _by_piece(lambda piece: _INVISIBLE.sub(_escape, piece), "\n".join(found))
    return _by_piece(_narrowed, text.replace("\t", "    ")).split("\n")


def line(text: str, language: Language = "en") -> str:
    found = lines(text, language)
    if len(found) == 1 and found[0] is text:
        return text
    return _by_piece(lambda piece: _WIDE_GAP.sub(r"\1", piece), " ⏎ ".join(found))


def in_text(text: str) -> str:
    """For msgtype text, where ``<a href=…>`` is a link and ``<@…>`` a mention."""
    for name in _NAMES:  # Python's names of code, such as ``<module>``, keep both of their brackets
        text = text.replace(f"<{name}>", f"〈{name}〉")
    return text.replace("<", "＜")


def in_markdown(text: str) -> str:
    """For WeCom's first markdown: no tag, mention, bold, code, link, heading or quote can begin here."""
    text = in_text(text).replace("`", "ˋ").replace("*", "∗").replace("](", "] (")
    return _MARKDOWN_START.sub(lambda match: match[1] + ("＃" if match[2] == "#" else "＞"), text)


def in_both_markdowns(text: str) -> str:
    """The same for the second markdown, too, in which ``__init__`` would be bold."""
    return _EDGE.sub(lambda match: "＿" * len(match[0]), in_markdown(text))


def _by_piece(change: Callable[[str], str], text: str) -> str:
    """A text changed piece by piece, so that no step holds the interpreter for long."""
    pieces, start = list[str](), 0
    while start < len(text):
        seam = _SEAM.search(text, start + _PIECE)
        end = seam.start() if seam else len(text)
        pieces.append(change(text[start:end]))
        start = end
    return "".join(pieces)


def _narrowed(text: str) -> str:
    """Without towers of marks and wide gaps."""
    text = _INDENTATION.sub(lambda match: match[0][:24] if match[0].isascii() else " " * 8, text)
    return _WIDE_GAP.sub(r"\1", _MARKED.sub(_with_few_marks, text))


def _escape(match: re.Match[str]) -> str:
    if len(match[0]) > 1:
        return match[0]
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def _with_few_marks(match: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in match[0]:
        marks = marks + 1 if character in _JOINERS or category(character) in ("Mn", "Me") else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)
