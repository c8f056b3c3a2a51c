"""A request's JSON, read as WeCom reads it: what cannot be used is dropped, and the answer warns of it.

"ok. Warning: wrong json format. " beside errcode 0 is a defect of the caller all the same
(https://developer.work.weixin.qq.com/document/path/90313), so that what was dropped is kept in `Reading`. A strict
reading refuses it with 40058, which names the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from werkzeug.wrappers import Request

from .refusal import Refusal, refuse_if

MAX_DEPTH = 50
MAX_BYTES = 8 * 1024 * 1024  # eight articles of 666 KB fit; WeCom's own limit is not written anywhere
MAX_VALUES = 300_000  # each takes about a hundred bytes of memory, whatever it is
MENDED_CHARS = 1024 * 1024
NUMBER = re.compile(r"-?[0-9]{1,19}")
NO_NUMBER = -1
COMPACT = (",", ":")
MISSING = "missing field "
T = TypeVar("T")

READING = "wecom_logging.sandbox.reading"
"""Where a request's reading stands in its environ."""


@dataclass(slots=True)
class Reading:
    """How one request was read: ``doubts`` are what WeCom warns of, ``remarks`` what it takes without a word.

    Each is a text for the one who wrote the request. ``strict`` refuses both.
    """

    strict: bool = False
    doubts: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def doubt(self, text: str) -> None:
        self._note(self.doubts, text)

    def remark(self, text: str) -> None:
        self._note(self.remarks, text)

    def _note(self, said: list[str], text: str) -> None:
        refuse_if(self.strict, 40058, text)
        said += [text] if text not in said else []

    @property
    def warning(self) -> str:
        """All of it in one line; empty where nothing is wrong."""
        return "; ".join([*self.doubts, *self.remarks])


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object and where it stands in the request. ``null`` counts as absent; an absent text is ``""``.

    A number may be written as a string of digits: clients in use for years do that. One in place of a list is a list
    of one. What has another type counts as absent.
    """

    values: Mapping[str, Any]
    path: str = ""
    reading: Reading = field(default_factory=Reading)

    def text(self, name: str) -> str:
        return self._typed(name, str, "")

    def number(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None:
            return default
        number = self._whole(name, value)
        return default if number is None else number

    def part(self, name: str) -> Fields:
        return Fields(self._typed(name, dict, {}), f"{self.path}{name}.", self.reading)

    def parts(self, name: str) -> list[Fields]:
        found = []
        for i, item in enumerate(self._list(name)):
            if isinstance(item, dict):
                found.append(Fields(item, f"{self.path}{name}[{i}].", self.reading))
            else:
                self.doubt(f"{name}[{i}]", "must be an object")
        return found

    def texts(self, name: str) -> list[str]:
        items = self._list(name)
        if not all(isinstance(item, str) for item in items):
            self.doubt(name, "must be a list of strings")
        return [item for item in items if isinstance(item, str)]

    def numbers(self, name: str) -> list[int]:
        """``NO_NUMBER`` stands for what is none."""
        found = [self._whole(name, item) for item in self._list(name)]
        return [NO_NUMBER if number is None else number for number in found]

    def flag(self, name: str, default: bool) -> bool:
        return self._typed(name, bool, default)

    def without(self, name: str) -> Fields:
        return Fields({key: value for key, value in self.values.items() if key != name}, self.path, self.reading)

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def as_bytes(self) -> bytes:
        return json.dumps(self.values, ensure_ascii=False, separators=COMPACT).encode()

    def wrong(self, name: str, why: str) -> Refusal:
        return Refusal(40058, f"{self.path}{name} {why}")

    def refuse_if(self, wrong: object, name: str, why: str) -> None:
        if wrong:
            raise self.wrong(name, why)

    def missing_if(self, absent: object, name: str) -> None:
        """As WeCom's newer calls word it."""
        refuse_if(absent, 40058, f"{MISSING}`{self.path}{name}`")

    def doubt(self, name: str, why: str) -> None:
        self.reading.doubt(f"{self.path}{name} {why}")

    def _typed(self, name: str, kind: type[T], default: T) -> T:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, kind):
            self.doubt(name, f"must be of type {kind.__name__}")
            return default
        return value

    def _list(self, name: str) -> list[Any]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.doubt(name, "must be a list")
            return [value]
        return value

    def _whole(self, name: str, value: object) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and NUMBER.fullmatch(value) and not self.reading.strict:
            return int(value)
        self.doubt(name, "must be an integer")
        return None


def objects(part: object, name: str) -> list[dict[str, Any]]:
    """Those of a list. What was sent was checked when it came, but what is of a wrong type was only doubted."""
    found = part.get(name) if isinstance(part, Mapping) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def is_large(request: Request) -> bool:
    """Whether it is more than any JSON of WeCom's is: such a body is not taken into memory."""
    return (request.content_length or 0) > MAX_BYTES


def parse(request: Request) -> Fields:
    """The request's body. What cannot be read is an empty object; 40033 where a text holds half of a surrogate pair."""
    reading: Reading = request.environ[READING]
    refuse_if(is_large(request), 40206)
    raw = request.get_data()
    refuse_if(sum(map(raw.count, (b",", b"[", b"{"))) > MAX_VALUES, 40206, f"more than {MAX_VALUES} values")
    text = raw.decode("utf-8-sig", errors="surrogateescape")
    is_utf8 = encodes(text)
    if not is_utf8:
        reading.doubt("the body is not UTF-8")
    body = _load(text, reading)
    if not is_utf8:
        body = _without_foreign(body)
    elif not encodes(json.dumps(body, ensure_ascii=False)):
        raise Refusal(40033)
    if not isinstance(body, dict):
        refuse_if(reading.strict, 40058, "the body is not a JSON object")
        body = {}
    return Fields(body, reading=reading)


def _load(text: str, reading: Reading) -> Any:
    try:
        return checked(json.loads(text))
    except (ValueError, RecursionError):
        reading.doubt("the body is not JSON")
    try:
        return checked(json.loads(_mended(text), strict=False))
    except (ValueError, RecursionError):
        return {}


def checked(body: Any) -> Any:
    """The same; ValueError where it is too deep, or has a number that JSON does not have."""
    if not _is_shallow(body, MAX_DEPTH):
        raise ValueError("too deep")
    json.dumps(body, allow_nan=False)
    return body


_PIECES = re.compile(r'"(?:[^"\\]|\\.)*+"|,(?=\s*+(?:[}\]]|\Z))|[{}\[\]]|"', re.S)


def _mended(text: str) -> str:
    """Without commas that nothing follows, and with the brackets that were not closed."""
    if len(text) > MENDED_CHARS:
        raise ValueError("too much to mend")
    kept: list[str] = []
    unclosed: list[str] = []
    rest = 0
    for found in _PIECES.finditer(text):
        piece = found[0]
        if piece == '"':
            raise ValueError("a text without an end")
        if piece == ",":
            kept.append(text[rest : found.start()])
            rest = found.end()
        elif piece in ("{", "["):
            unclosed.append("}" if piece == "{" else "]")
        elif piece in ("}", "]") and (not unclosed or unclosed.pop() != piece):
            raise ValueError("brackets that do not match")
    return "".join([*kept, text[rest:], *reversed(unclosed)])


def encodes(text: str) -> bool:
    """Whether a text is without half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _without_foreign(value: Any) -> Any:
    """Texts in another encoding are lost, the rest is there."""
    if isinstance(value, dict):
        return {key: _without_foreign(item) for key, item in value.items() if encodes(key)}
    if isinstance(value, list):
        return [_without_foreign(item) for item in value]
    return None if isinstance(value, str) and not encodes(value) else value


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    children = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(child, levels - 1) for child in children)
