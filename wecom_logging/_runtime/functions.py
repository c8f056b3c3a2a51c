"""A function of the program, by its name in an option: ``"package.module:function"``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

given: set[str] = set()
"""Those that options of this process name. What else stands in a state is not executed here."""


def function_named(name: str) -> Callable[..., Any]:
    """Import it. Raises whatever its module raises, TypeError where it is no function, and PermissionError where no
    option of this process names it."""
    if name not in given:
        raise PermissionError(f"no option here names {name}")
    module, _, names = name.partition(":")
    found: Any = import_module(module)
    for one in names.split("."):
        found = getattr(found, one)
    if not callable(found):
        raise TypeError(f"{name} is no function")
    function: Callable[..., Any] = found
    return function
