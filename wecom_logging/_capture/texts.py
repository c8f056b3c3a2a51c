"""Values of any kind as exact texts and numbers, whatever their own code does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .._config import LARGEST, exact
from .._render.words import NO_TEXT_OF
from .._text.cut import CAP_BYTES, cap

T = TypeVar("T")

MOST_S = 6e10
"""Times are within so many seconds of the epoch: every store holds them, and they have a year of four digits."""


class once(Generic[T]):
    """An attribute that is found out when it is first asked for, and kept. It takes no lock, as `cached_property` does
    before Python 3.12; of several threads that ask at once all get the same."""

    def __init__(self, find: Callable[[Any], T]) -> None:
        self._find = find

    def __get__(self, holder: Any, kind: type) -> T:
        found: T = holder.__dict__.setdefault(self._find.__name__, self._find(holder))
        return found


def whole(value: object, otherwise: T) -> int | T:
    """A whole number that every store holds, also where a record that came from elsewhere has something different."""
    found = exact(value)
    return int(found) if found is not None and abs(found) < LARGEST else otherwise


def instant(value: object, otherwise: float) -> float:
    """A time in seconds since the epoch, in the same way."""
    found = exact(value)
    return float(found) if found is not None and abs(found) < MOST_S else otherwise


def text_of(value: object, most: int = CAP_BYTES, say: Callable[[object], str] = str) -> str:
    """A value as an exact, capped string, whatever its own ``__str__``, or ``__repr__``, does."""
    try:
        if type(value) is str and 4 * len(value) <= most:
            return value
        text = value if type(value) is str else say(value)
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


def own_of(holder: object) -> dict[str, Any]:
    """The attributes of an object that stand in it, without asking it."""
    try:
        found = object.__getattribute__(holder, "__dict__") if holder is not None else None
    except Exception:  # it has none
        return {}
    return found if type(found) is dict else {}
