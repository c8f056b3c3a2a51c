"""Cutting text by UTF-8 bytes without ever cutting a character."""

from __future__ import annotations

from .._masking.patterns import lazy
from .said import CHARACTERS_CUT

CAP_BYTES = 64 * 1024
_TAIL_BYTES = 16 * 1024
_MARK_BYTES = 64
_NAMELESS = 512
# Between two of these no word is torn: white space, and the letters of languages that write without it.
_BOUNDARY = "\\s\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uff00-\uff0f\uff1a-\uff20"
_TORN = lazy(f"[^{_BOUNDARY}]*+")


def size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def head(text: str, most: int) -> str:
    """The longest beginning of ``text`` with at most ``most`` bytes."""
    if len(text) * 4 <= most:
        return text
    end = max(most, 0)
    text = text[:end]
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= end:
        return text
    while data[end] & 0xC0 == 0x80:  # in the middle of a character
        end -= 1
    return data[:end].decode("utf-8", "surrogatepass")


def tail(text: str, most: int) -> str:
    """The longest end of ``text`` with at most ``most`` bytes."""
    if len(text) * 4 <= most:
        return text
    if most <= 0:
        return ""
    text = text[-most:]
    data = text.encode("utf-8", "surrogatepass")
    start = max(len(data) - most, 0)
    while start < len(data) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:].decode("utf-8", "surrogatepass")


def trim(text: str, most: int, mark: str = "…") -> str:
    """``text`` as it is, or its beginning with a mark, in at most ``most`` bytes."""
    if len(text) * 4 <= most or size(text) <= most:
        return text
    return head(text, most - size(mark)) + mark if most > size(mark) else head(mark, most)


def wrap(line: str, most: int) -> list[str]:
    """One line as lines of at most ``most`` bytes each (4 or more), which joined give the line again."""
    pieces, start = [head(line, most)], 0
    while (start := start + len(pieces[-1])) < len(line):
        pieces.append(head(line[start : start + most], most))
    return pieces


def cap(text: str, most: int = CAP_BYTES) -> str:
    """Head and tail of a text that is too long, cut between words; a word that the cut tears is dropped whole.

    A torn word could be half a secret, which no pattern recognises any more. Nor is a secret recognised without the
    name before it, so the tail begins well behind the cut, at a line if it can. (A name before a cut in the head still
    hides what is left of its value.) ``most`` is 128 or more.
    """
    if len(text) * 4 <= most or (len(text) <= most and size(text) <= most):
        return text
    tail_bytes = min(_TAIL_BYTES, most // 4)
    first = head(text, most - tail_bytes - _MARK_BYTES)
    first = first[: len(first) - _torn(first[::-1])]
    last = tail(text, tail_bytes)
    start = min(_NAMELESS, len(last))
    line_end = last.find("\n", start, 3 * start)
    last = last[line_end + 1 :] if line_end >= 0 else last[start + _torn(last[start:]) :]
    return f"{first} {CHARACTERS_CUT.en % (len(text) - len(first) - len(last))} {last}"


def _torn(text: str) -> int:
    """The length of the word that a text begins with."""
    match = _TORN.match(text)
    return match.end() if match else 0
