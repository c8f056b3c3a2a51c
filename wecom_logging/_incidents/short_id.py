"""Short ids: ``k7f2``, what a person reads, types or says of an incident. The same on every host and in every run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .._text.sha256 import sha256

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, in lower case: no letter that looks like a digit. https://www.crockford.com/base32.html"""

LEAST = 4
MOST = 12
OF_THE_ALERT = 8
"""So many digits of a group key say nothing of who gets an alert."""
_TRIES = 8
_GROUP_KEY = re.compile("[0-9a-f]{32}")


def short_ids(key: str) -> Iterator[str]:
    """The ids that an incident of this group key may have, in the order in which they are tried: 4 characters, or more
    where another incident of a store has that one already."""
    for again in range(_TRIES):
        whole = _base32(f"{key}~{again}" if again else key)
        for length in range(LEAST, MOST + 1):
            yield whole[:length]


def short_id(key: str) -> str:
    """The first of them."""
    return next(short_ids(key))


def read_short_id(text: str) -> str:
    """What a person typed, as an id: without ``#``, and with letters that look like digits read as these."""
    return text.strip().lstrip("#＃").lower().translate(str.maketrans("oil", "011"))


def _base32(key: str) -> str:
    """Its beginning is that of all with the same alert."""
    return _hashed(key[:OF_THE_ALERT] if _GROUP_KEY.match(key) else key)[:LEAST] + _hashed(key)[LEAST:]


def _hashed(text: str) -> str:
    number = int.from_bytes(sha256(text).digest()[:8], "big")
    return "".join([ALPHABET[number >> shift & 31] for shift in range(59, -1, -5)])
