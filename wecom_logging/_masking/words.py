"""Where a value without quotes ends: with its word, as what it stands in ends words.

A blank ends it, and a quote that is open around it. All else may be a sign of a password: it is taken for the end only
where nothing follows but signs that close something, and further pairs.
"""

from __future__ import annotations

import re
from itertools import repeat

from .patterns import lazy

_TO_BLANK = lazy(r"[^\s，。；、）】」]*+")
_TO_LINE_END = lazy(r"[^\r\n]*+")
_MARK = r"(?P<escape>\\*+)(?P<mark>['\"`]|(?<=\\)[nrt])"
_MARKS = lazy(rf"(?P<blank>[\s，。；、）】」])|{_MARK}")
_QUOTES = lazy(rf"(?P<blank>[\r\n])|{_MARK}")
_FAR = 2048
_DEPTHS = (0, 1, 3, 7)
"""How many backslashes stand before a quote within quotes, within quotes…"""
_CLOSING = {")": "(", "]": "[", "}": "{", "'": "'", '"': '"', "`": "`", ",": "", ";": ""}
_NAME = r"['\"]?(?:(?:[A-Z]?[a-z]{2,20}+[_.-]?){1,6}+|[A-Z_]{2,40}+)(?:ID|\d)?['\"]?"  # as people name things
_VALUE = r"['\"]?(?:[A-Z]?[a-z\d_.:/%-]+|[A-Z\d_]+|<\w{1,40}>|\{\w{1,40}\})?"
_PAIR = lazy(  # ,user=bob   ;Encrypt=yes   ,"port":5432
    rf"(?:[,;&]|\\{{1,2}}n){_NAME}(?:=|:(?=.)){_VALUE}|,\d{{1,5}}|\\r|;(?:export|set)"
)
_LONGEST_PAIR = 80
_MOST_PAIRS = 16
CLOSED = lazy(  # what can follow where a value ends without a blank
    r"::\w|\.[a-z_]{2,40}\(|(?:['\"`)\]},;:.!?|>*]|\\{1,4}[nrt'\"])*+(?:\s|\Z|</\w|[^\x00-\x7f]"
    rf"|(?:[&|]|(?<=[,;])){_NAME}[=:](?:{_VALUE}(?=[\s'\",;&)\]}}]|\Z)|(?P<quote>['\"])[^'\"\s]*(?P=quote)))"
)


class Quotes:
    """Which quotes are open on the line. Places of ``text`` are asked for in their order, so that it is read once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._has_some = "'" in text or '"' in text or "`" in text
        self._read_to = 0
        self._open: list[tuple[str, int]] = []

    def word_end(self, begin: int, at: int, *, line: bool = False) -> int:
        """Where the word at ``at`` (or the rest of the ``line``) ends, of a name that stands at ``begin``."""
        if self._has_some:
            self._read(begin)
        if not self._open:
            found = (_TO_LINE_END if line else _TO_BLANK).match(self._text, at)
            return found.end() if found else at
        for found in _MARKS.finditer(self._text, at):
            if found["blank"]:
                if not line or found[0] in "\r\n":
                    return found.start()
            elif (place := self._closed_by(found)) is not None:
                return found.end() - 1 - self._open[place][1]
            elif found["mark"] in "nrt" and len(found["escape"]) <= self._open[-1][1] + 1:  # a blank, as quotes have it
                return found.start()
        return len(self._text)

    def skip(self, to: int) -> None:
        """Takes what stands before ``to`` for a value, of which no sign opens anything."""
        self._read_to = to

    def _read(self, to: int) -> None:
        if self._read_to < to - _FAR:
            self._read_to = to - _FAR
            self._open.clear()
        for found in _QUOTES.finditer(self._text, self._read_to, to):
            if found["blank"]:
                self._open.clear()
            elif (place := self._closed_by(found)) is not None:
                del self._open[place:]
            elif found["mark"] not in "nrt" and len(found["escape"]) in _DEPTHS and self._opens(found.start()):
                self._open.append((found["mark"], len(found["escape"])))
        self._read_to = max(self._read_to, to)

    def _closed_by(self, found: re.Match[str]) -> int | None:
        """The place of the quote that this one closes."""
        escape = len(found["escape"])
        for place, (mark, depth) in enumerate(self._open):
            if mark == found["mark"] and escape % (2 * depth + 2) == depth:
                return place
        return None

    def _opens(self, at: int) -> bool:
        """Not an apostrophe."""
        before = self._text[max(at - 2, 0) : at]
        return not before[-1:].isalnum() or (before[-1] in "bruf" and not before[:-1].isalnum())


def value_end(text: str, at: int, stop: int) -> int:
    """Where the value ends that stands at ``at`` in a word that ends at ``stop``."""
    if text[at:stop].isalnum():  # most are
        return stop
    for _ in range(_MOST_PAIRS):
        stop = _before_closing(text, at, stop)
        least = max(at, stop - _LONGEST_PAIR)
        begin = max(map(text.rfind, ",;&\\", repeat(least), repeat(stop)))
        if begin <= at or not _PAIR.fullmatch(text, begin, stop):
            break
        stop = begin
    return stop


def of_word(text: str, at: int) -> tuple[int, int]:
    """The value that a word is, whatever it stands in."""
    return at, value_end(text, at, _TO_BLANK.match(text, at).end())  # type: ignore[union-attr] # of any length


def _before_closing(text: str, at: int, stop: int) -> int:
    """Without signs at its end that close what was opened before the value."""
    least = max(at, stop - 512)
    for sign in reversed(text[max(at, stop - 8) : stop]):
        opening = _CLOSING.get(sign, "" if sign in ":." and text[stop - 2] in ")]}" else None)
        if opening is None or (opening and _is_balanced(text, least, stop, opening, sign)):
            break
        stop -= 1
    return stop


def _is_balanced(text: str, at: int, stop: int, opening: str, closing: str) -> bool:
    count = text.count(opening, at, stop)
    return count % 2 == 0 if opening == closing else count >= text.count(closing, at, stop)
