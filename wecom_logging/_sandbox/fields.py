"""A request's JSON, read with its types checked: whatever comes, the answer is WeCom's 40058 that names the field.

The real service parses what it can of a wrong type and says "ok. Warning: wrong json format"
(https://developer.work.weixin.qq.com/document/path/90313); that is a defect of the caller, so the sandbox refuses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from werkzeug.wrappers import Request

from .refusal import Refusal

MAX_DEPTH = 50
MAX_BYTES = 8 * 1024 * 1024  # eight articles of 666 KB fit; WeCom's own limit is not written anywhere
DIGITS = re.compile(r"[0-9]{1,10}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object and where it stands in the request. ``null`` counts as absent; an absent text is ``""``."""

    values: Mapping[str, Any]
    path: str = ""

    def text(self, name: str) -> str:
        return self._typed(name, str, "")

    def number(self, name: str, default: int = 0) -> int:
        if isinstance(self.values.get(name), bool):
            raise self.wrong(name, "must be an integer")
        return self._typed(name, int, default)

    def part(self, name: str) -> Fields:
        return Fields(self._typed(name, dict, {}), f"{self.path}{name}.")

    def parts(self, name: str) -> list[Fields]:
        items = self._typed(name, list, [])
        for i, item in enumerate(items):
            if not isinstance(item, dict):
                raise self.wrong(f"{name}[{i}]", "must be an object")
        return [Fields(item, f"{self.path}{name}[{i}].") for i, item in enumerate(items)]

    def texts(self, name: str) -> list[str]:
        items = self._typed(name, list, [])
        if not all(isinstance(item, str) for item in items):
            raise self.wrong(name, "must be a list of strings")
        return list(items)

    def numbers(self, name: str) -> list[int]:
        items = self._typed(name, list, [])
        if not all(isinstance(item, int) and not isinstance(item, bool) for item in items):
            raise self.wrong(name, "must be a list of integers")
        return list(items)

    def flag(self, name: str, default: bool) -> bool:
        return self._typed(name, bool, default)

    def without(self, name: str) -> Fields:
        return Fields({key: value for key, value in self.values.items() if key != name}, self.path)

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def as_bytes(self) -> bytes:
        return json.dumps(self.values, ensure_ascii=False, separators=(",", ":")).encode()

    def wrong(self, name: str, why: str) -> Refusal:
        return Refusal(40058, f"{self.path}{name} {why}")

    def _typed(self, name: str, kind: type[T], default: T) -> T:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise self.wrong(name, f"must be of type {kind.__name__}")
        return value


def in_address(request: Request, name: str) -> int | None:
    """A whole number among the parameters of the URL; None where it is absent, 40058 where it is none."""
    text = request.args.get(name, "")
    if not text:
        return None
    if not DIGITS.fullmatch(text):
        raise Refusal(40058, f"{name} must be an integer")
    return int(text)


def parse(raw: bytes) -> Fields:
    """The request's body. 40058 where it is no JSON object, 40033 where it holds half of a surrogate pair."""
    if len(raw) > MAX_BYTES:
        raise Refusal(40206)
    try:
        body = json.loads(raw)
        if not _is_shallow(body, MAX_DEPTH):
            raise ValueError("too deep")
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise Refusal(40033) from None
    except (ValueError, RecursionError):
        raise Refusal(40058, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refusal(40058, "the body is not a JSON object")
    return Fields(body)


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    children = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(child, levels - 1) for child in children)
