"""What may stand where a number is wanted: numbers of every kind, and what only looks like one."""

from __future__ import annotations

import enum
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any


class Level(enum.IntEnum):
    """Numbers with names."""

    SIXTY = 60


class Text(enum.StrEnum):
    """Texts with names."""

    SIXTY = "60"


class Int64:
    """As numpy has it: no int, and registered as a number."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __int__(self) -> int:
        return self.value

    __index__ = __int__

    def __float__(self) -> float:
        return float(self.value)

    def __eq__(self, other: object) -> bool:
        return self.value == other

    def __hash__(self) -> int:
        return hash(self.value)


class Float32(Int64):
    """The same of a float."""


class Float64(float):
    """As numpy has it: a float that says more of itself."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)!r})"

    __str__ = __repr__


class Broken(Int64):
    """A number that cannot be read."""

    def __float__(self) -> float:
        raise RuntimeError("no number")


class Bool:
    """As numpy has it: it has a number, and is none."""

    def __float__(self) -> float:
        return 1.0

    def __index__(self) -> int:
        return 1


for kind, of in ((Int64, Integral), (Float32, Real), (Broken, Real)):
    of.register(kind)


def kinds(value: int) -> dict[str, Any]:
    """The same whole number in every type that has it."""
    return {
        "int": value,
        "float": float(value),
        "Decimal": Decimal(value),
        "Fraction": Fraction(value),
        "int64": Int64(value),
        "float32": Float32(value),
        "float64": Float64(value),
        "IntEnum": enum.IntEnum("Some", {"ONE": value})(value),
    }


NO_NUMBERS: dict[str, Any] = {
    "bool": True,
    "bool_": Bool(),
    "text": "sixty",
    "bytes": b"60",
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "Decimal nan": Decimal("nan"),
    "Decimal signalling nan": Decimal("snan"),
    "Decimal inf": Decimal("inf"),
    "complex": 60 + 0j,
    "a thousand digits": 10**1000,
    "Decimal beyond floats": Decimal("1e999999999"),
    "broken": Broken(60),
    "list": [60],
    "object": object(),
}
"""What no option takes as a number. Of texts, some options take those that say one."""
