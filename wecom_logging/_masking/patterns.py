"""How patterns are looked for in a text of any length: by window, so that no call holds the interpreter for long.

`why_slow` finds those of users that may take exponential time.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from re import _constants, _parser  # type: ignore[attr-defined] # the only reader of its syntax
from threading import local
from typing import Any, NamedTuple, cast

MASK = "***"
BLANKS = r"[^\S\r\n]{0,8}+"
"""In a pattern: a few blanks."""
_WINDOW = 16 * 1024
_OVERLAP = 1024  # more than any pattern needs to know that it has found something


Check = Callable[[re.Match[str]], bool]


class Rule(NamedTuple):
    """What is masked but for its first groups (``kept`` of them). Each such text has one of the small ``words``.

    ``source`` takes linear time: it starts at a fixed word or sign, and nothing that repeats can match the same text in
    two ways. ``check`` has the last word on what was found.
    """

    source: str
    words: tuple[str, ...]
    check: Check | None = None
    kept: int = 1


class _Lazy:
    """A pattern that is compiled with its first use: a program that only imports this package does not wait for it."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        pattern = re.compile(self._source)
        for method in ("match", "search", "fullmatch", "finditer", "findall", "split", "sub"):
            setattr(self, method, getattr(pattern, method))
        return getattr(pattern, name)


def lazy(source: str) -> re.Pattern[str]:
    """The pattern of ``source``, in all but its type."""
    return cast(re.Pattern[str], _Lazy(source))


@cache
def rows(table: str, section: str) -> tuple[tuple[str, ...], ...]:
    """Of a section of a table beside this file."""
    text = pkgutil.get_data(__package__, f"{table}.tsv")
    assert text is not None  # of a package there is a loader that can
    lines = text.decode().replace("\r\n", "\n").partition(f"[{section}]\n")[2].partition("\n[")[0].splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and line[0] != "#")


@cache
def compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)


class _Noted(local):
    """What was hidden on this thread, where a caller wants to know."""

    values: list[str] | None = None


noted = _Noted()


@contextmanager
def noting() -> Iterator[list[str]]:
    """The values that are hidden on this thread meanwhile, also by a function of the user that masks with ours."""
    before, values = noted.values, list[str]()
    noted.values = values
    try:
        yield values
    finally:
        noted.values = before
        hide(*values)


def hide(*values: str) -> str:
    """What stands in the place of a value that is hidden."""
    if noted.values is not None:
        noted.values += values
    return MASK


_STEMS = ("auth", "pass", "hook", "-server", "\\u", "mysql", "credential", "hmac", "user(", "remote", "ftp")
"""Each stands in several words that are asked for."""


class Rules:
    """Rules in their order. Most texts have none of their words, so that these are asked first, all at once."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        words = {word for rule in self._rules for word in rule.words}
        short = {next((stem for stem in _STEMS if stem in word), word) for word in words}
        self._words = tuple(word for word in sorted(short) if not any(one in word for one in short if one != word))
        self._ascii = tuple(word for word in self._words if word.isascii())

    def without(self, text: str, small: str) -> str:
        """``text`` with all that they find as ``***``. ``small`` is it in small letters."""
        if not has_one(small, self._ascii if small.isascii() else self._words):
            return text
        for rule in self._rules:
            for word in rule.words:
                if word in small:
                    text = replace(rule, text)
                    break
        return text


def has_one(small: str, words: Iterable[str]) -> bool:
    """Whether one of the words stands there. Not by any(): this is most of what masking costs."""
    for word in words:  # noqa: SIM110 # not by any(): this is most of what masking costs
        if word in small:
            return True
    return False


_FILLED_IN = lazy(r"\$\{?[A-Z][A-Z_]*\}?|\$[a-z]+(?:_[a-z]+)+|\$\{[a-z_]+\}|<[\w -]+>")  # $DB_PASSWORD, by a shell


def replace(rule: Rule, text: str) -> str:
    """Like ``sub``, in windows; what a window cuts off is found in the next, or looked at as a whole."""
    pattern, check = compiled(rule.source), rule.check
    shown: list[str] = []
    copied = start = 0
    while start < len(text):
        end = min(start + _WINDOW + _OVERLAP, len(text))
        match = pattern.search(text, start, end)
        if match is None or (match.start() >= start + _WINDOW and end < len(text)):
            start += _WINDOW
            continue
        if end < len(text) and (match.end() == end or text[match.end()] in "[({"):  # perhaps there is more of it
            match = pattern.match(text, match.start()) or match
        start = max(match.end(), match.start() + 1)
        if check is None or check(match):
            name = "".join(match.groups("")[: rule.kept])
            if (value := match[0][len(name) :])[:1] not in ("$", "<") or not _FILLED_IN.fullmatch(value):
                shown += text[copied : match.start()], name, hide(value)
                copied = match.end()
            start = match.end()
    return "".join(shown) + text[copied:]


def masked_at(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """``text`` with ``***`` at these places, which stand in their order."""
    shown: list[str] = []
    copied = 0
    for begin, end in spans:
        shown += text[copied:begin], hide(text[begin:end])
        copied = end
    return "".join(shown) + text[copied:] if shown else text


_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
_FEW = 8
"""A repeat of no more than this many turns is no danger."""


def why_slow(pattern: re.Pattern[str]) -> str | None:
    """Why a pattern is refused, as the code of a `ConfigurationError`; None where it is not.

    A repeat within a repeat takes exponential time where both can match the same text.
    """
    if pattern.search("") is not None:
        return "empty_pattern"
    return next(_faults(_parser.parse(pattern.pattern, pattern.flags), False), None)


def _faults(parsed: Any, repeated: bool) -> Iterator[str]:
    for code, value in parsed:
        if code in _REPEATS:
            least, most, inside = value
            many = most > _FEW
            if many and repeated and least != most:
                yield "slow_repeat"
            yield from _faults(inside, repeated or many)
        elif code is _constants.BRANCH:
            if repeated:
                yield "slow_choice"
            for branch in value[1]:
                yield from _faults(branch, repeated)
        elif code in (_constants.POSSESSIVE_REPEAT, _constants.ATOMIC_GROUP):  # never tried in another way
            yield from _faults(value[2] if code is _constants.POSSESSIVE_REPEAT else value, False)
        elif code is _constants.SUBPATTERN:
            yield from _faults(value[-1], repeated)
        elif code in (_constants.ASSERT, _constants.ASSERT_NOT):
            yield from _faults(value[1], repeated)
        elif code is _constants.GROUPREF_EXISTS:
            for branch in value[1:]:
                yield from _faults(branch or (), repeated)
