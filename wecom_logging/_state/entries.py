"""Alerts as text that others can read: JSON, with a version. What comes back is checked; it may come from anybody."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from typing import Any

from .._incidents.incident import NO_ANSWERS, Answers, First
from .._incidents.life import MAX_JOURNAL
from ..model import Alert
from ..model.answer import UNDONE, VERBS
from .base import VERSION

READ = (1, VERSION)
"""In both an alert is the same."""
MAX_CHARACTERS = 2 * 1024 * 1024
MAX_ANSWERS = 64 * 1024
"""Characters of what people did with one incident: longer texts are none of ours."""


to_json = json.JSONEncoder(separators=(",", ":")).encode


def dump(alert: Alert) -> str:
    """An alert, masked already, as one line."""
    return to_json({"v": VERSION, "alert": _plain(alert)})


def load(text: str) -> Alert:
    """The alert again. ValueError where it is none of ours, of this version."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError("an entry of this length is none of ours")
    try:
        found = json.loads(text, parse_constant=_refuse)
        if not isinstance(found, dict) or type(found.get("v")) is not int or found["v"] not in READ:
            raise ValueError("an entry of another version")
        alert = _typed(found.get("alert"), Alert)
    except RecursionError:
        raise ValueError("an entry as deep as this is none of ours") from None
    assert isinstance(alert, Alert)
    return alert


class Entry:
    """An alert as text, as a store has it. It is read when it is asked for."""

    __slots__ = ("_alert", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._alert: Alert | None = None

    @property
    def alert(self) -> Alert:
        """ValueError where it is none of ours, of this version."""
        if self._alert is None:
            self._alert = load(self.text)
        return self._alert

    @property
    def size(self) -> int:
        return 2 * len(self.text)


def text_of(first: First) -> str:
    """The text of an alert, made or not. Raises what making it raises."""
    return first.text if isinstance(first, Entry) else dump(first.alert)


def dump_answers(answers: Answers) -> str:
    """What people did with an incident, as one line; "" for nothing."""
    return to_json(_plain(answers)) if answers != NO_ANSWERS else ""


def load_answers(text: str) -> Answers:
    """The same again. Nothing where it is none of ours, or of a newer version."""
    if not text or len(text) > MAX_ANSWERS:
        return NO_ANSWERS
    try:
        found = _typed(json.loads(text, parse_constant=_refuse), Answers)
    except (ValueError, RecursionError):
        return NO_ANSWERS
    assert isinstance(found, Answers)
    in_force = [one for one in (found.now, found.before) if one is not None]
    is_sound = all(one.verb in UNDONE for one in in_force) and all(one.verb in VERBS for one in found.journal)
    is_sound = is_sound and all(one.length_s >= 0 for one in (*in_force, *found.journal))
    is_sound = is_sound and len(found.journal) <= MAX_JOURNAL
    is_sound = is_sound and (found.is_said or bool(found.journal)) and found.base >= 0
    return found if is_sound else NO_ANSWERS


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


_AS_IT_IS = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any) -> Any:
    kind: type = type(value)
    if kind in _AS_IT_IS:
        return value
    defaults = _defaults(kind)
    if defaults:  # left out: what has its default value
        return {name: _plain(found) for name, default in defaults if (found := getattr(value, name)) != default}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


@functools.cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass, but ``passed``: numbers of one process, which say nothing elsewhere."""
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return tuple((field.name, field.default) for field in fields if field.name != "passed")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _typed(value: Any, kind: Any) -> Any:
    """A value of JSON as what the annotation says, or ValueError."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        if value is None and type(None) in inner:
            return None
        return _typed(value, next(one for one in inner if one is not type(None)))
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError("a list is needed")
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(kinds) != len(value):
            raise ValueError("a list of another length is needed")
        return tuple(_typed(item, one) for item, one in zip(value, kinds, strict=True))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise ValueError("an object is needed")
        hints = _hints(kind)
        try:
            return kind(**{name: _typed(item, hints[name]) for name, item in value.items() if name in hints})
        except TypeError as error:
            raise ValueError(f"{kind.__name__} is not complete") from error
    if _is_huge(value):
        raise ValueError("a number as large as this is none of ours")
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{kind.__name__} is needed")
    return value


def _is_huge(value: Any) -> bool:
    return type(value) is int and abs(value) >= 2**63
