"""Cutting text by UTF-8 bytes without ever cutting a character."""

from __future__ import annotations

CAP_BYTES = 64 * 1024
_TAIL_BYTES = 16 * 1024


def size(text: str) -> int:
    """The bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def head(text: str, most: int) -> str:
    """The longest beginning of ``text`` with at most ``most`` bytes."""
    if len(text) * 4 <= most:
        return text
    data = text[: max(most, 0)].encode("utf-8", "surrogatepass")
    return data[: max(most, 0)].decode("utf-8", "ignore") if len(data) > most else text[: max(most, 0)]


def tail(text: str, most: int) -> str:
    """The longest end of ``text`` with at most ``most`` bytes."""
    if len(text) * 4 <= most:
        return text
    if most <= 0:
        return ""
    data = text[-most:].encode("utf-8", "surrogatepass")
    return data[-most:].decode("utf-8", "ignore") if len(data) > most else text[-most:]


def trim(text: str, most: int, mark: str = "…") -> str:
    """``text`` as it is, or its beginning with a mark, in at most ``most`` bytes."""
    if size(text) <= most:
        return text
    return head(text, most - size(mark)) + mark if most > size(mark) else head(mark, most)


def wrap(line: str, most: int) -> list[str]:
    """One line as lines of at most ``most`` bytes each, which joined give the line again."""
    lines = []
    while len(line) * 4 > most and size(line) > most:
        part = head(line, most)
        lines.append(part)
        line = line[len(part) :]
    return [*lines, line]


def cap(text: str, most: int = CAP_BYTES) -> str:
    """Head and tail of a text that is too long, cut at white space; a word that the cut tears is dropped whole.

    A torn word could be half a secret, which no pattern recognises any more.
    """
    if len(text) * 4 <= most or size(text) <= most:
        return text
    tail_bytes = min(_TAIL_BYTES, most // 4)
    first, last = head(text, most - tail_bytes), tail(text, tail_bytes)
    kept_first, kept_last = _before_torn_word(first), _after_torn_word(last)
    missing = len(text) - len(kept_first) - len(kept_last)
    return f"{kept_first} … {missing} characters cut … {kept_last}"


def _before_torn_word(text: str) -> str:
    words = text.rsplit(maxsplit=1)
    return words[0] if len(words) == 2 and not text[-1].isspace() else (text if text[-1:].isspace() else "")


def _after_torn_word(text: str) -> str:
    words = text.split(maxsplit=1)
    return words[1] if len(words) == 2 and not text[0].isspace() else (text if text[:1].isspace() else "")
