"""Keys and tokens of any length: the rules see both ends of one, and what they do with these is done with all of it."""

from __future__ import annotations

from .patterns import lazy

LONG = 512
_END = 120  # both together are longer than the least length of any token
_WORD = lazy(r"(?:[0-9A-Za-z+/_-]++|%2[BbFf]|%3[Dd])++")


def shortened(text: str) -> tuple[str, dict[str, str]]:
    """``text`` with its long words without their middles, and what each of these was."""
    whole: dict[str, str] = {}
    if max(map(len, text.split()), default=0) < LONG:
        return text, whole
    shown: list[str] = []
    copied = 0
    for found in _WORD.finditer(text):
        word = found[0]
        if len(word) >= LONG:
            at = _END
            while whole.setdefault(ends := word[:at] + word[-_END:], word) != word:  # another with the same ends
                at += 1
            shown += text[copied : found.start()], ends
            copied = found.end()
    if not whole:
        return text, whole
    short = "".join(shown) + text[copied:]
    return (short, whole) if restored(short, whole) == text else (text, {})


def restored(text: str, whole: dict[str, str]) -> str:
    """With the middles of those that are still there."""
    for ends, word in whole.items():
        text = text.replace(ends, word)
    return text
