"""What is asked of the sandbox itself is checked by the same schema that its OpenAPI document shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .fields import encodes

Shape = Mapping[str, Any]
"""A schema, of which `check` knows what `shapes` uses: no more."""

TYPES: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "string": str,
    "array": list,
    "object": dict,
}
WHOLE_NUMBER = re.compile("[0-9]{1,18}")


class WrongField(ValueError):
    """The text is for the one who asked; ``field`` is where it is wrong, empty for the whole."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


def check(value: object, shape: Shape, name: str = "", *, each: str = "") -> None:
    """`WrongField` where the value is not of that shape."""
    shape = _chosen(value, shape)
    if not shape or (value is None and shape.get("nullable")):
        return
    if not _is_of(value, shape) or not _is_within(value, shape):
        raise WrongField(name, f"{each}{_quoted(name)} must be {_said(shape)}")
    if isinstance(value, dict):
        _check_fields(value, shape)
    elif isinstance(value, list):
        for item in value:
            check(item, shape["items"], name, each="each of ")


def _check_fields(value: Mapping[str, Any], shape: Shape) -> None:
    fields, others = shape.get("properties", {}), shape["additionalProperties"]
    unknown = sorted(str(name) for name in value if name not in fields) if others is False else ()
    if unknown:
        known = ", ".join(sorted(fields)) or "none"
        raise WrongField(unknown[0], f"unknown fields: {', '.join(unknown)}; known are {known}")
    for name in shape.get("required", ()):
        if name not in value:
            raise WrongField(name, f"{_quoted(name)} is missing: {_said(fields[name])}")
    for name, item in value.items():
        check(item, fields.get(name, others), name)


def read_query(shapes: Mapping[str, Shape], given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parameters of a URL, numbers as numbers."""
    found: dict[str, Any] = {}
    for name, text in given:
        if name in found:
            raise WrongField(name, f"{_quoted(name)} is there twice")
        found[name] = _parsed(text, shapes.get(name, {}).get("type", "string"))
    _check_fields(found, {"properties": shapes, "additionalProperties": False})
    return found


def _parsed(text: str, kind: str) -> object:
    if kind == "integer":
        return int(text) if WHOLE_NUMBER.fullmatch(text) else text
    try:
        return float(text) if kind == "number" else text
    except ValueError:  # `check` says so
        return text


def _chosen(value: object, shape: Shape) -> Shape:
    """Of alternatives the first of the value's type, whose first needed field it has; else the last."""
    alternatives: list[Shape] = shape.get("oneOf", [])
    fitting = (one for one in alternatives if _is_of(value, one) and _has_first(value, one))
    return next(fitting, alternatives[-1] if alternatives else shape)


def _has_first(value: object, shape: Shape) -> bool:
    return not isinstance(value, dict) or not shape.get("required") or shape["required"][0] in value


def _is_of(value: object, shape: Shape) -> bool:
    return isinstance(value, TYPES[shape["type"]]) and (shape["type"] == "boolean" or not isinstance(value, bool))


def _is_within(value: Any, shape: Shape) -> bool:
    if "enum" in shape:
        return value in shape["enum"]
    if isinstance(value, str):
        fits = shape.get("minLength", 0) <= len(value) <= shape.get("maxLength", math.inf) and encodes(value)
        return fits and ("pattern" not in shape or re.fullmatch(shape["pattern"], value) is not None)
    if isinstance(value, list):
        return len(value) <= float(shape.get("maxItems", math.inf))
    return "minimum" not in shape or bool(shape["minimum"] <= value <= shape["maximum"])


def _said(shape: Shape) -> str:
    if "oneOf" in shape:
        return " or ".join(map(_said, shape["oneOf"]))
    if "enum" in shape:
        return f"one of {', '.join('true' if value is True else value for value in shape['enum'] if value)}"
    match shape["type"]:
        case "integer":
            return f"a whole number from {shape['minimum']} to {shape['maximum']}"
        case "number":
            return f"a number from {shape['minimum']:g} to {shape['maximum']:g}"
        case "boolean":
            return "true or false"
        case "string":
            return shape.get("title") or f"a text of at most {shape['maxLength']} characters"
        case "array":
            return f"a list of at most {shape['maxItems']}" if "maxItems" in shape else "a list"
    return "a JSON object"


def _quoted(name: str) -> str:
    return f'"{name}"' if name else "it"
