"""An incident as one document, which a store keeps as it is: JSON, in which a field that has its default is left out.

What comes back is checked, for it may come from any process. What a later version has written beside what is known here
stays in the document (`Incident.beyond`).
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..model.alert import UNDONE, VERBS
from ..model.duty import MAX_STEPS
from ..model.recipients import MAX_SENT_IDS
from .answered import MAX_JOURNAL
from .apply import MAX_PLACES, MAX_RATES
from .incident import NO_ANSWERS, Answers, Count, First, Incident, StoreTime
from .limits import MAX_SAMPLES, MAX_TOLD_TOO, MAX_VARIANTS

MAX_CHARACTERS = 512 * 1024
"""A longer document is none of ours."""

_LARGE = 2**53
"""A number beyond that is none of ours."""

_APART = ("first", "own", "beyond")
"""Not in the document: the first alert has a text of its own, and only this process knows what is its own."""

_MOST = {
    "samples": MAX_SAMPLES,
    "variants": MAX_VARIANTS,
    "rates": MAX_RATES,
    "places": MAX_PLACES,
    "steps": MAX_STEPS,
    "told_too": MAX_TOLD_TOO,
    "heard": MAX_TOLD_TOO,
    "sent_ids": MAX_SENT_IDS,
}


def dump(incident: Incident) -> str:
    """All of an incident but its first alert."""
    beyond, known = incident.beyond or {}, plain(incident, _APART)
    if "answers" in known and isinstance(answers := beyond.get("answers"), dict):
        known["answers"] |= {name: value for name, value in answers.items() if name not in _kinds(Answers)}
    return as_line({**beyond, **known})


def load(text: str, first: First) -> Incident:
    """The incident again, with its first alert. ValueError where it is none of ours."""
    found = read(text, MAX_CHARACTERS)
    if not isinstance(found, dict):
        raise ValueError("a document of no incident")
    values: dict[str, Any] = {}
    beyond = {name: value for name, value in found.items() if name not in _kinds(Incident)}
    for name, value in found.items():
        kind = _kinds(Incident).get(name)
        if kind in (int, float, str):
            values[name] = _scalar(value, kind)
            if kind is not str and abs(values[name]) > _LARGE:
                raise ValueError(f"{name} is none of ours")
        elif kind is not None and name not in _APART:
            try:
                values[name] = typed(value, kind)[: _MOST.get(name)] if name in _MOST else typed(value, kind)
            except (ValueError, RecursionError):  # the alert is told all the same
                beyond[name] = value
    try:
        incident = Incident(first=first, **values)
    except TypeError as error:
        raise ValueError("an incident is not complete") from error
    if "answers" in found and "answers" not in beyond:
        if not _is_sound(incident.answers):
            incident, beyond["answers"] = replace(incident, answers=NO_ANSWERS), found["answers"]
        elif unknown := {name: value for name, value in found["answers"].items() if name not in _kinds(Answers)}:
            beyond["answers"] = unknown
    least = min(incident.told, incident.digests, incident.tries, incident.step, incident.times - 1, *incident.rates)
    if least < 0 or incident.told > incident.count or not all(rate <= _LARGE for rate in incident.rates):
        raise ValueError("numbers of no incident")
    return replace(incident, beyond=beyond) if beyond else incident


def shifted(incident: Incident, by: float) -> Incident:
    """With its times on a clock that shows so much more. 0 is no time."""
    if not by:
        return incident
    moved = {name: at + by for name in _store_times() if (at := getattr(incident, name))}
    return replace(incident, **moved)


def dump_count(count: Count) -> str:
    """All of a count but its first alert, for a store that adds it later."""
    return as_line(plain(count, ("first", "own")))


def load_count(text: str) -> Count:
    """The count again. ValueError where it is none of ours."""
    count = typed(read(text, MAX_CHARACTERS), Count)
    assert isinstance(count, Count)
    return count


# Any frozen value.

_AS_IT_IS = frozenset({str, int, float, bool, type(None)})


def plain(value: Any, apart: tuple[str, ...] = ("passed",)) -> Any:
    """As JSON has it: of a dataclass what has not its default, but for those ``apart``."""
    kind: type = type(value)
    if kind in _AS_IT_IS:
        return value
    if defaults := _defaults(kind):
        return {
            name: plain(found)
            for name, default in defaults
            if (found := getattr(value, name)) != default and name not in apart
        }
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def typed(value: Any, kind: Any) -> Any:
    """A value of JSON as what the annotation says, or ValueError."""
    if kind in (int, float, str, bool):
        return _scalar(value, kind)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        if value is None and type(None) in inner:
            return None
        return typed(value, next(one for one in inner if one is not type(None)))
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError("a list is needed")
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(kinds) != len(value):
            raise ValueError("a list of another length is needed")
        return tuple(typed(item, one) for item, one in zip(value, kinds, strict=True))
    if not isinstance(value, dict):
        raise ValueError("an object is needed")
    known = _kinds(kind)
    try:
        return kind(**{name: typed(item, known[name]) for name, item in value.items() if name in known})
    except TypeError as error:
        raise ValueError(f"{kind.__name__} is not complete") from error


def read(text: str, most: int) -> Any:
    """What is in a text of JSON. ValueError where it is none, or longer."""
    if len(text) > most:
        raise ValueError("a text of this length is none of ours")
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("a text as deep as this is none of ours") from None


as_line: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
"""A value as one line of ASCII."""


def _scalar(value: Any, kind: Any) -> Any:
    if type(value) is int and abs(value) >= 2**63:
        raise ValueError("a number as large as this is none of ours")
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{kind.__name__} is needed")
    return value


def _is_sound(answers: Answers) -> bool:
    in_force = [one for one in (answers.now, answers.before) if one is not None]
    return (
        all(one.verb in UNDONE for one in in_force)
        and all(one.verb in VERBS for one in answers.journal)
        and all(one.length_s >= 0 for one in (*in_force, *answers.journal))
        and len(answers.journal) <= MAX_JOURNAL
        and (answers.is_said or bool(answers.journal))
        and answers.base >= 0
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


@functools.lru_cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return tuple((field.name, field.default) for field in fields)


@functools.lru_cache
def _kinds(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@functools.lru_cache
def _store_times() -> tuple[str, ...]:
    """The fields that are times on the store's clock, by their annotation."""
    hints = typing.get_type_hints(Incident, include_extras=True)
    return tuple(name for name, kind in hints.items() if kind == StoreTime)
