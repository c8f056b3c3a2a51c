"""What may stand where a number is wanted: an `int` or a `float`, and what only looks like one."""

from __future__ import annotations

import enum
from decimal import Decimal
from fractions import Fraction
from typing import Any


class Level(enum.IntEnum):
    """Numbers with names."""

    SIXTY = 60


class Text(enum.StrEnum):
    """Texts with names."""

    SIXTY = "60"


class Float64(float):
    """As numpy has it: a float that says more of itself."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)!r})"

    __str__ = __repr__


class Int64:
    """As numpy has it: no int, and can be read as one."""

    def __float__(self) -> float:
        return 60.0

    def __index__(self) -> int:
        return 60

    __int__ = __index__


def kinds(value: int) -> dict[str, Any]:
    """The same whole number in every type that has it."""
    return {
        "int": value,
        "float": float(value),
        "float64": Float64(value),
        "IntEnum": enum.IntEnum("Some", {"ONE": value})(value),
    }


NO_NUMBERS: dict[str, Any] = {
    "bool": True,
    "Decimal": Decimal(60),
    "Fraction": Fraction(60),
    "int64": Int64(),
    "text": "sixty",
    "bytes": b"60",
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "complex": 60 + 0j,
    "a thousand digits": 10**1000,
    "list": [60],
    "object": object(),
}
"""What no option takes as a number. Of texts, some options take those that say one."""
