"""Where a secret is: given, in the environment, or in a file that an option or the variable ``…_FILE`` names."""

from __future__ import annotations

import os
import re

from ..errors import ConfigurationError
from ..model import Secret
from .values import kind

_PIPES = ("/dev/stdin", "/dev/fd/")

_piped: dict[str, Secret] = {}
"""What came from standard input or the shell's <(…), by its path: it can be read but once."""


def secret(field: str, value: object, variable: str = "") -> Secret | None:
    """The secret that was given as ``value``, or is in the environment, or in a file; None if nowhere."""
    found = secret_text(field, value, variable)
    if found is None:
        return None
    text = found.strip()
    if not text:
        raise ConfigurationError(field, "empty")
    if not text.isprintable():
        raise ConfigurationError(field, "control_character")
    return Secret(text)


def secret_text(field: str, value: object, variable: str) -> str | None:
    """A secret's text as it stands where it is."""
    if isinstance(value, Secret):
        return value.reveal()
    if value is None:
        return _from_environment(field, variable) if variable else None
    if not isinstance(value, str):
        raise ConfigurationError(field, "not_a_string", given=kind(value))
    if value.startswith("env:"):
        name = value[4:]
        found = os.environ.get(name)
        if not found:
            is_name = re.fullmatch("[A-Z_][A-Z0-9_]{0,63}", name)  # else it may be the secret itself
            raise ConfigurationError(field, "variable_not_set", variable=f" {name}" if is_name else "")
        return found
    return _from_file(field, value[5:]) if value.startswith("file:") else value


def _from_environment(field: str, variable: str) -> str | None:
    value, path = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if value and path:
        raise ConfigurationError(field, "set_twice", one=variable, other=f"{variable}_FILE")
    return _from_file(field, path) if path else value or None


def _from_file(field: str, path: str) -> str:
    if path in _piped:
        return _piped[path].reveal()
    text, reason = "", ""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(64 * 1024)
        if path.startswith(_PIPES):
            _piped[path] = Secret(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    if reason:  # raised out here, so that no __context__ shows what may be the secret in place of its path
        shown = f" {path}" if path.startswith(("/", "./", "../")) and "://" not in path else ""
        raise ConfigurationError(field, "unreadable", path=shown, reason=reason)
    return text
