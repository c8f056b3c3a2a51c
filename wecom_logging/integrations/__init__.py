"""One module for each framework: it feeds a handler and adds what the framework knows. None is imported by itself."""

from __future__ import annotations

from typing import Any


def need(module: str, least: str, distribution: str) -> Any:
    """The module of a framework that is at least so new. Raises `MissingDependencyError`."""
    from importlib import import_module, metadata

    from ..errors import MissingDependencyError

    install = f"'{distribution}>={least}'"
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise MissingDependencyError(distribution, "not_installed", install=install) from None
    if _numbers(version) < _numbers(least):
        raise MissingDependencyError(distribution, "too_old", version=version, install=install)
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            distribution, "not_importable", version=version, reason=error, install=install
        ) from error


def _numbers(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.split("."):
        digits = "".join(sign for sign in part if sign.isdigit())
        if not part[:1].isdigit():
            break
        numbers.append(int(digits))
    return tuple(numbers)
