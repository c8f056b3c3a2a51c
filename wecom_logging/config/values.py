"""Checks of one value each: a text, a number, a choice, a function, a level."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from numbers import Complex, Number, Real
from typing import Any, TypeVar

from ..errors import ConfigurationError

T = TypeVar("T")

MOST = 4_000_000.0 * 1024
"""What a number may be at most: more seconds than that no lock of the interpreter can wait."""

LARGEST = 2**31
"""Levels, lines of code and numbers of processes are smaller: every store holds them."""


def or_variable(value: object, variable: str, default: object = None) -> object:
    """An option that is given, else its environment variable, unless that is empty, else the default."""
    return os.environ.get(variable) or default if value is None else value


def required(field: str, value: T | None, remedy: str) -> T:
    """What must be there; ``remedy`` says how to set it."""
    if value is None:
        raise ConfigurationError(field, "missing", remedy)
    return value


def all_given(*checks: Callable[[], object]) -> None:
    """Make these checks; what nobody has given is named in one error, and not one run after the other."""
    missing = []
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            if error.code not in ("missing", "no_recipient"):
                raise
            missing.append(error)
    if len(missing) == 1:
        raise missing[0]
    if missing:
        fields, remedies = ([getattr(error, name) for error in missing] for name in ("field", "remedy"))
        raise ConfigurationError(", ".join(fields), "missing", ". ".join(remedies))


def text(field: str, value: object, *, remedy: str = "") -> str:
    """A non-empty string without control characters; ``remedy`` says how to set it when it is missing."""
    value = required(field, value, remedy)
    if not isinstance(value, str):
        raise ConfigurationError(field, "not_a_string", given=kind(value))
    if not value.strip() or not value.isprintable():
        raise ConfigurationError(field, "not_one_line")
    return value.strip()


def optional_text(field: str, value: object) -> str:
    """Like `text`, but None is the empty string."""
    return "" if value is None else text(field, value)


def exact(value: object) -> int | float | None:
    """What is a number to Python, such as one of Decimal or numpy, as an `int` where it is whole, else as a `float`.

    None: it is none, which neither a bool nor a text is. What no float can hold is nan.
    """
    given = type(value)
    if given is bool or not issubclass(given, Number) or (issubclass(given, Complex) and not issubclass(given, Real)):
        return None
    number: Any = value
    try:
        near = float(number)
        whole = int(number) if math.isfinite(near) else 0
        return whole if whole == number else near
    except Exception:  # an int of a thousand digits, or its own code
        return math.nan


def number(field: str, value: object, *, least: float, most: float = MOST) -> float:
    """A number within bounds, of whatever type it is given."""
    return float(_within(field, value, least, most))


def timeout(value: object) -> float:
    """Seconds for one request in all."""
    return number("timeout", value, least=0.1)


def whole(field: str, value: object, *, least: int = 1) -> int:
    """A whole number within bounds, of whatever type it is given."""
    found = _within(field, value, least, MOST)
    if not isinstance(found, int):
        raise ConfigurationError(field, "not_whole")
    return found


def _within(field: str, value: object, least: float, most: float) -> int | float:
    found = exact(value)
    if found is None:
        raise ConfigurationError(field, "not_a_number", given=kind(value))
    if not least <= found <= most:  # which no nan is
        raise ConfigurationError(field, "out_of_range", least=f"{least:g}", most=f"{most:.12g}")
    return found


def choice(field: str, value: object, choices: tuple[T, ...], remedy: str = "") -> T:
    """One of a few words."""
    for one in choices:
        if isinstance(value, str) and value == one:
            return one
    raise ConfigurationError(field, "not_a_choice", remedy, choices=", ".join(map(repr, choices)))


def function(field: str, value: object, form: str) -> Callable[..., Any] | None:
    """A callable of the given form, or None."""
    if value is not None and not callable(value):
        raise ConfigurationError(field, "not_a_callable", form=form, given=kind(value))
    return value


def level(field: str, value: object) -> int:
    """A logging level, by name or number."""
    found = logging.getLevelNamesMapping().get(value) if isinstance(value, str) else exact(value)
    if not isinstance(found, int) or abs(found) >= LARGEST:
        raise ConfigurationError(field, "not_a_level")
    return found


def kind(value: object) -> str:
    """The type of a wrong value, never the value: it might be a secret."""
    return type(value).__name__
