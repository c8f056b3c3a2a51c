"""Importing a framework, with an error that says what is missing."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Any

from ..errors import ConfigurationError


def need(module: str, least: str, distribution: str) -> Any:
    """The module of a framework that is at least so new. Raises `ConfigurationError`."""
    try:
        found = import_module(module)
        version = metadata.version(distribution)
    except (ImportError, metadata.PackageNotFoundError):
        raise ConfigurationError(distribution, f"it is not installed; pip install '{distribution}>={least}'") from None
    if _numbers(version) < _numbers(least):
        raise ConfigurationError(distribution, f"version {version} is too old; pip install '{distribution}>={least}'")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.split("."):
        digits = "".join(sign for sign in part if sign.isdigit())
        if not part[:1].isdigit():
            break
        numbers.append(int(digits))
    return tuple(numbers)
