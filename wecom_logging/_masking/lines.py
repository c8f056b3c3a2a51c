"""Lines of a configuration, in YAML or INI: where a value goes on to their end, or on the next ones."""

from __future__ import annotations

import re

from .patterns import lazy
from .values import Span

_ENTRY_LINE = lazy(r"(?m)[^\S\r\n]{0,80}+(?:- )?['\"]?[\w.-]{1,60}['\"]?(?:(?P<sign>:)(?:[^\S\r\n]|\r?$)|\s?=)")
_LINE_PREFIX = lazy(r"[^\S\r\n]*(?:- |\+ |export |set )?['\"]?(?:[\w-]{1,40}\.)*")
_BEFORE_NAME = lazy(r"[^\S\r\n]*(?:- |[\w.]{1,80}: )?['\"]?$")
_FOLDED = lazy(r"[^\S\r\n]{0,4}(?:!\w{1,20}\s)?(?:[|>][+-]?)?\r?\n")


def on_next_lines(text: str, begin: int, at: int) -> Span | None:
    """In YAML the value can stand on the next lines, further in than its name."""
    folded = _FOLDED.match(text, at)
    start = text.rfind("\n", max(begin - 128, 0), begin) + 1
    if folded is None or (not start and begin > 128) or not _BEFORE_NAME.match(text, start, begin):
        return None
    indent = text[start : start + len(text[start:begin]) - len(text[start:begin].lstrip())]
    at = first = folded.end()
    while text.startswith(indent, at) and text[at + len(indent) : at + len(indent) + 1] in (" ", "\t", "-"):
        if text[at + len(indent)] == "-" and text[at + len(indent) + 1 : at + len(indent) + 2] != " ":
            break
        line_end = text.find("\n", at)
        at = len(text) if line_end < 0 else line_end + 1
        if line_end < 0:
            break
    if at == first:
        return None
    begin = first + len(indent)
    while text[begin] in " \t-":
        begin += 1
        if begin == at:
            return None
    stop = at - 1 if text[at - 1] == "\n" else at
    return begin, stop - 1 if text[stop - 1] == "\r" else stop


def is_line(text: str, begin: int, before: str, sign: re.Match[str]) -> bool:
    """> X-Token: two words, or a line of YAML or INI among others: its value goes on to its end."""
    start = before.rfind("\n") + 1
    if (not start and begin > len(before)) or (sign["close"] is not None and sign["close"].startswith("%")):
        return False
    prefix = before[start:]
    if prefix in ("> ", "< ", ">", "<"):
        return sign["colon"] is not None
    if not _LINE_PREFIX.fullmatch(prefix):
        return False
    line_start = begin - len(prefix)
    previous = text.rfind("\n", max(line_start - 200, 0), max(line_start - 1, 0)) + 1
    following = text.find("\n", sign.end(), sign.end() + 400) + 1
    wanted = ":" if sign["colon"] else "="
    return any(
        (found := _ENTRY_LINE.match(text, place)) is not None and (found["sign"] or "=") == wanted
        for place in ((previous,) if line_start else ()) + ((following,) if following else ())
    )
