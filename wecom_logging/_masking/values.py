"""How the value of a name is written: in quotes, in brackets, or without them, up to where its form ends."""

from __future__ import annotations

import re

from .patterns import lazy

Span = tuple[int, int]

REACH = 256
"""How far is looked for a value that may turn out to be none."""

QUOTE = r"\\{0,7}['\"`]"
QUOTED = (
    r"(?:\"{3}(?:(?!\"{3})[\s\S]){1,4096}+(?:\"{3})?|'{3}(?:(?!'{3})[\s\S]){1,4096}+(?:'{3})?"
    r"|(?P<escape>\\{1,15}+)(?P<mark>['\"])"
    r"(?:(?!(?P=mark))[^\\\r\n]|(?!(?P=escape)(?P=mark))\\{1,15}+['\"]?)++(?:(?P=escape)?(?P=mark))?|`[^`\r\n]+`?"
    # A quote before a letter ends nothing: its backslash was doubled by repr(), or somebody forgot one.
    r"|\"(?!\")[^\"\\\r\n]*+(?:(?:\\.|\"(?=\w))[^\"\\\r\n]*+)*+\"?"
    r"|'(?!')[^'\\\r\n]*+(?:(?:\\.|''?(?=\w))[^'\\\r\n]*+)*+'?)"
)
# ['x', 'y']   {'value': 'x', 'other': ('y',)}   also over several lines
_ITEM = r"\"[^\"\r\n]*+\"|'[^'\r\n]*+'|,\s{1,64}|\r?\n\s{0,64}(?=['\"])|[^\[\](){}'\"\r\n]"
_GAP = r"(?:\s|\\{1,3}[nrt]){0,64}+"  # also as repr() shows it
_INSIDE = _ITEM
for _ in range(4):
    _INSIDE = rf"{_ITEM}|[\[({{]{_GAP}(?:{_INSIDE})*+\s{{0,64}}[\])}}]"
_BRACKETS = rf"[\[({{]{_GAP}(?=\\{{0,7}}b?\\{{0,7}}['\"]|[\[({{])(?:{_INSIDE})*+(?:\s{{0,64}}[\])}}]|['\"][^\r\n]*)?"
_ENTITY = r"&(?:quot|#34|#39|#x27);"
_ESCAPED = rf"{_ENTITY}(?:[^&\r\n]++|&(?!{_ENTITY[1:]}))+(?:{_ENTITY})?"  # in HTML
TEXT = lazy(
    rf"(?:[bruf]{{1,2}}|[@$NE]|string\(\d{{1,9}}\)\s|(?P<call>[\w.]{{1,64}}\(\s{{0,40}}(?:\w{{1,32}}=)?)b?)?{QUOTED}|{_ESCAPED}"
)  # 'x', b'x', Name('x')
CONTAINER = lazy(_BRACKETS)
NEXT_NAME = r"[\w.-]{0,40}"
BARE = lazy(
    r"[^\s'\",;&)\]}\\，。；）】」]*+(?:"
    rf"(?:,(?!{NEXT_NAME}(?:\s?:|\s=(?!=)|=(?!=*(?:[\s,;&)\]}}'\"]|$))))(?!\s|$)|&(?!{NEXT_NAME}=|amp;)|[)\]}}](?=[\w$#@!%^*~\[({{])"
    r"|\\(?![nr](?:[\s'\"\\\w]|$)|['\"]))[^\s'\",;&)\]}\\，。；）】」]*+)*+"
)
VALUES = (TEXT, CONTAINER, BARE)
TO_BLANK = lazy(r"[^\s'\"]++")  # --password=x


def whole(found: re.Match[str] | None) -> Span | None:
    return found.span() if found and found[0] else None


def to_its_end(form: re.Pattern[str], found: re.Match[str], at: int, reach: int) -> re.Match[str]:
    """What is masked, where no more of it was looked at than to ``reach``."""
    return (form.match(found.string, at) or found) if found.end() == reach else found


def bare_of(quoted: str) -> str:
    return quoted.lstrip("bruf@$").strip("'\"`\\ ")
