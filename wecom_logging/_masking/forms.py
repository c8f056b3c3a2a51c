"""The forms in which a secret that is known stands in a text: as it is, in a URL, in JSON, in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from urllib.parse import quote, unquote

from .names import looks_secret
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
_NOT_ALONE = lazy(
    r"v?\d+(?:[.:/-]\d+)+\w{0,8}|(?:https?|file|s3)://.*|[./~].*|[A-Za-z]\w*(?:\.[A-Za-z_]\w*)+|.*\*{3}.*"
)


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
