"""Which patterns can take exponential time: a repeat within a repeat, where both can match the same text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined] # the only reader of its syntax
from typing import Any

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
_FEW = 8
"""A repeat of no more than this many turns is no danger."""


def why_slow(pattern: re.Pattern[str]) -> str | None:
    """Why it is refused, as the code of a `ConfigurationError`; None where it is not."""
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
