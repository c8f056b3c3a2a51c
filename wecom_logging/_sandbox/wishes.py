"""What is asked of the sandbox itself, below ``/sandbox/`` and in a file of seeds: JSON whose fields are checked."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

MAX_LIST = 10_000
MAX_CHARS = 10_000
NOT_IN_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class WrongField(ValueError):
    """The text is for the one who asked; ``field`` is where it is wrong, empty for the whole."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


def an_object(value: object, what: str = "the body") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongField("", f"{what} must be a JSON object")
    return value


def only(wish: Mapping[str, Any], known: Collection[str]) -> None:
    unknown = sorted(str(name) for name in wish if name not in known)
    if unknown:
        raise WrongField(unknown[0], f"unknown fields: {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def whole(wish: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = wish.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise WrongField(name, f'"{name}" must be a whole number from {least} to {most}')
    return value


def needed(wish: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = whole(wish, name, least, most)
    if value is None:
        raise WrongField(name, f'"{name}" is missing: a whole number from {least} to {most}')
    return value


def seconds(wish: Mapping[str, Any], name: str, most: float) -> float:
    value = wish.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise WrongField(name, f'"{name}" must be a number from 0 to {most:g}')
    return value


def true(wish: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = wish.get(name, default)
    if not isinstance(value, bool):
        raise WrongField(name, f'"{name}" must be true or false')
    return value


def text(wish: Mapping[str, Any], name: str, *, least: int = 0) -> str:
    value = wish.get(name, "")
    if not isinstance(value, str) or not least <= len(value) <= MAX_CHARS or NOT_IN_TEXT.search(value):
        raise WrongField(name, f'"{name}" must be a text{", not empty" if least else ""}, in one line')
    return value


def texts(wish: Mapping[str, Any], name: str) -> list[str]:
    value = wish.get(name, [])
    if not isinstance(value, list) or len(value) > MAX_LIST or not all(map(_is_text, value)):
        raise WrongField(name, f'"{name}" must be a list of texts')
    return value


def wholes(wish: Mapping[str, Any], name: str, least: int, most: int) -> list[int]:
    value = wish.get(name, [])
    if isinstance(value, list) and len(value) <= MAX_LIST and all(_is_whole(item, least, most) for item in value):
        return value
    raise WrongField(name, f'"{name}" must be a list of whole numbers from {least} to {most}')


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_CHARS and not NOT_IN_TEXT.search(value)


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def in_query(arguments: Mapping[str, str], name: str, least: float, most: float) -> float | None:
    """A number among the parameters of the URL."""
    given = arguments.get(name)
    if given is None:
        return None
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise WrongField(name, f'"{name}" must be a number from {least:g} to {most:g}')
    return value
