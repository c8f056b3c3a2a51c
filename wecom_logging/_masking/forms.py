"""The forms in which a known secret stands in a text: as it is, in a URL, in JSON, in base64.

`unescaped` takes away what would hide the name of a secret from the mask: invisible characters, colours.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from urllib.parse import quote, unquote

from .names import SAYS_WHERE, looks_secret
from .patterns import MASK, lazy

_URL_SAFE = str.maketrans("+/", "-_")
_LEAST = 4
_LEAST_TELLING = 8
_LEAST_WITHOUT_DIGIT = 16
_LEAST_OF_DIGITS = 12
_MOST = 64
"""So many values of an alert are looked for again, so that the work stays linear."""
_AROUND = " \t\r\n'\"`,;()[]{}"
_DIGIT = lazy(r"\d")
_BETWEEN = lazy(r"[\s'\",;&=:()\[\]{}]+")
_PLAIN = lazy(r"[0-9A-Za-z_.-]+")  # the same in a URL, in JSON, and in code
_ESCAPE = lazy(r"\\(.)")
_NOT_ALONE = lazy(rf"{SAYS_WHERE}|.*\*{{3}}.*")


def of(secrets: Iterable[str]) -> tuple[str, ...]:
    """All forms of these, the longest first."""
    return longest_first({form for secret in secrets if len(secret) >= _LEAST for form in _forms(secret)})


def longest_first(forms: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(forms, key=len, reverse=True))


def without(text: str, known: Iterable[str]) -> str:
    """``text`` with these forms as ``***``."""
    for form in known:
        if form in text:
            text = text.replace(form, MASK)
    return text


def telling(values: Iterable[str]) -> frozenset[str]:
    """Of values that were hidden, those that are no word or number of something else, up to a number of them."""
    found = islice(chain.from_iterable(map(_parts, dict.fromkeys(values))), _MOST)
    return frozenset(form for one in found for form in (one, unquote(one), _ESCAPE.sub(r"\1", one), _from_json(one)))


def _from_json(value: str) -> str:
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:  # it was not written as JSON
        return value


def _parts(value: str) -> Iterator[str]:
    """All of it, and what looks like a secret among its words."""
    whole = value.strip(_AROUND)
    if _tells(whole):
        yield whole
    yield from (part for part in _BETWEEN.split(whole, 4 * _MOST) if part != whole and looks_secret(part))


def _tells(value: str) -> bool:
    least = _LEAST_TELLING if _DIGIT.search(value) else _LEAST_WITHOUT_DIGIT
    if value.isdigit():  # it may be a part of another number
        least = _LEAST_OF_DIGITS
    return len(value) >= least and _NOT_ALONE.fullmatch(value) is None


def _forms(secret: str) -> Iterator[str]:
    yield secret
    said = secret.encode("utf-8", "surrogatepass")  # a text may have half a character
    if not _PLAIN.fullmatch(secret):
        encoded = quote(said, safe="")
        yield from (encoded, encoded.replace("%2F", "/"), encoded.replace("%20", "+"))
        yield from (json.dumps(secret)[1:-1], repr(secret)[1:-1])
    for before in range(3):  # what stands before it decides which of three forms it has, and its edges depend on it
        encoded = base64.b64encode(b"\0" * before + said).decode().rstrip("=")[(before * 4 + 2) // 3 : -1]
        if not before or len(encoded) >= _LEAST_TELLING:
            yield from (encoded, encoded.translate(_URL_SAFE))


_COLOUR = lazy(r"(?:\x1b|\\x1b)\[[\d;:]{0,32}m")
_MARGIN = lazy(r"(?m)^ {2,64}\| ")  # of an ExceptionGroup
_TWICE = lazy(r"%(?:25)+(?=[0-9A-Fa-f]{2})")  # percent-encoded more than once
_SIGNS = r"\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
_UNSEEN = lazy(f"(?<=[!-~])[{_SIGNS}]++|(?<![{_SIGNS}])[{_SIGNS}]++(?=[!-~])")  # an emoji's are its own
_LETTERS = r"\uff0d\uff10-\uff19\uff21-\uff3a\uff3f\uff41-\uff5a"
_WIDE = lazy(f"[{_LETTERS}]")
_ANY = lazy(f"[{_SIGNS}{_LETTERS}]")
_TO_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def unescaped(text: str) -> str:
    """``text`` without colours, margins, signs that take no room, and with letters of usual width. Most have none."""
    if "\x1b[" in text or "\\x1b[" in text:
        text = _COLOUR.sub("", text)
    if "  | " in text:
        text = _MARGIN.sub("", text)
    if "%25" in text:
        text = _TWICE.sub("%", text)
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii() and _ANY.search(text):
        text = _UNSEEN.sub("", text)
        text = _WIDE.sub(lambda found: found[0].translate(_TO_NARROW), text)
    return text
