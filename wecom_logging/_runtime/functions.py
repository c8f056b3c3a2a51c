"""A function of the program, by its name in an option: ``"package.module:function"``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def function_named(name: str) -> Callable[..., Any]:
    """Import it. Raises whatever its module raises, and TypeError where it is no function."""
    module, _, names = name.partition(":")
    found: Any = import_module(module)
    for one in names.split("."):
        found = getattr(found, one)
    if not callable(found):
        raise TypeError(f"{name} is no function")
    function: Callable[..., Any] = found
    return function
