"""Values of any kind as exact texts and numbers, whatever their own code does."""

from __future__ import annotations

import math

from .._render.cut import CAP_BYTES, cap
from .._render.words import NO_TEXT_OF


def finite(value: object, otherwise: float) -> float:
    """A number, also where a record that came from elsewhere has something different."""
    try:
        return value if isinstance(value, int | float) and math.isfinite(value) else otherwise
    except OverflowError:  # an int that no float can hold
        return otherwise


def text_of(value: object, most: int = CAP_BYTES) -> str:
    """A value as an exact, capped string, whatever its own ``__str__`` does."""
    try:
        text = value if type(value) is str else str(value)
        return cap(text if type(text) is str else str.__str__(text), most)
    except Exception as error:
        return NO_TEXT_OF.en % (name_of(type(value)), name_of(type(error)))


def name_of(kind: type) -> str:
    """The name of a class, whatever its metaclass makes of it."""
    return str(type.__dict__["__qualname__"].__get__(kind))


def type_name(kind: type) -> str:
    """``ValueError``, ``requests.exceptions.ConnectionError``"""
    try:
        module, name = kind.__module__, kind.__qualname__
    except Exception:  # a metaclass can do anything
        module, name = "", name_of(kind)
    if type(module) is not str or module in ("builtins", "__main__", ""):
        return text_of(name)
    return text_of(f"{module}.{name}")
