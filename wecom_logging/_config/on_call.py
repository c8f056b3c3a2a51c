"""The option ``on_call``: rotas, checked. Loaded by the first handler that has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from ..errors import ConfigurationError
from ..model import EVERYBODY, Recipients
from ..model.duty import Rota
from ..model.recipients import ON_CALL
from .messages import ids, list_of
from .values import kind, text

_KINDS = (("people", "since", "every"), ("who",))
_EXAMPLES = {
    "people": '{"people": ["zhangsan", "lisi"], "since": "2026-12-07 10:00", "every": "1w"}',
    "who": '{"who": "package.module:function"}',
}
_SUCH = f'Such as {{"web": {_EXAMPLES["people"]}}}'
_MAX_ROTAS = 50
_MAX_TURNS = 100
_YEARS = range(2000, 2100)
_LOOKED_AT = timedelta(days=3653)
"""For so long back and ahead the clock of a zone must not have been changed, where turns are hours."""
_LENGTH = re.compile("([1-9][0-9]{0,2})(h|d|w)")
_DAYS = {"d": 1, "w": 7}


def rotas(value: object, zone: tzinfo | None) -> tuple[Rota, ...]:
    """Those of a mapping of names; ``zone`` is that of the wall."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ConfigurationError("on_call", "not_a_mapping", _SUCH, given=kind(value))
    if len(value) > _MAX_ROTAS:
        raise ConfigurationError("on_call", "too_many", count=len(value), most=_MAX_ROTAS)
    found = tuple(_rota(name, value[name], zone or UTC) for name in value)
    if found and zone is None:
        raise ConfigurationError("timezone", "missing", "Give timezone=… or set WECOM_TIMEZONE: on_call needs it")
    return found


def _rota(name: object, given: object, zone: tzinfo) -> Rota:
    called = text("on_call", name)
    if called != name or re.search("[|<>,，:]", called) or len(called) > 32:
        raise ConfigurationError("on_call", "not_a_rota_name")
    field = f"on_call.{called}"
    if not isinstance(given, Mapping):
        raise ConfigurationError(field, "not_a_mapping", _SUCH, given=kind(given))
    names = next((names for names in _KINDS if names[0] in given), _KINDS[0])
    if any(one not in names for one in given):
        raise ConfigurationError(field, "unknown_name", names=" · ".join(", ".join(one) for one in _KINDS))
    missing = [one for one in names if given.get(one) is None]
    if missing:
        such = f'Such as on_call={{"{called}": {_EXAMPLES[names[0]]}}}'
        raise ConfigurationError(f"{field}.{missing[0]}", "missing", such)
    if "who" in given:
        return Rota(called, who=_function(f"{field}.who", given["who"]))
    turns, since = _turns(f"{field}.people", given["people"]), _since(f"{field}.since", given["since"])
    days, hours = _every(f"{field}.every", given["every"], zone)
    return Rota(called, turns, since, days, hours)


def _turns(field: str, given: object) -> tuple[tuple[str, ...], ...]:
    turns = list_of(field, given, '["zhangsan", ["lisi", "wangwu"]]', _MAX_TURNS)
    found = tuple(_people(f"{field}[{number}]", turn) for number, turn in enumerate(turns))
    if not found:
        raise ConfigurationError(field, "nobody_on_call", 'Such as ["zhangsan", "lisi"]')
    return found


def _people(field: str, given: object) -> tuple[str, ...]:
    """Those of one turn."""
    found = persons(field, given)
    if not found:
        raise ConfigurationError(field, "nobody_on_call", "Name a user id or a member there, or leave the turn out")
    return found


def persons(field: str, given: object) -> tuple[str, ...]:
    """Persons, by ids or names; none where none is given."""
    found = ids(field, given)
    if EVERYBODY in found or any(one.startswith(ON_CALL) for one in found):
        raise ConfigurationError(field, "no_person")
    return found


def _since(field: str, given: object) -> str:
    """``"2026-12-07 10:00"``; a file of TOML may have a time of its own."""
    found = given
    if isinstance(given, str):
        is_time = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:00)?", given)
        try:
            found = datetime.fromisoformat(given) if is_time else None
        except ValueError:
            found = None
    if not isinstance(found, datetime) or found.tzinfo is not None or found.year not in _YEARS:
        raise ConfigurationError(field, "not_a_wall_time")
    return f"{found:%Y-%m-%d %H:%M}"


def _every(field: str, given: object, zone: tzinfo) -> tuple[int, int]:
    """Days, or hours."""
    found = _LENGTH.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ConfigurationError(field, "not_a_turn")
    number, unit = int(found[1]), found[2]
    if unit != "h":
        return number * _DAYS[unit], 0
    if _changes_clock(zone):
        raise ConfigurationError(field, "turn_in_hours", zone=str(zone))
    return 0, number


def _changes_clock(zone: tzinfo) -> bool:
    """Whether it does, ten years back or ahead: a change lasts for weeks at least."""
    day, end = datetime.now(UTC) - _LOOKED_AT, datetime.now(UTC) + _LOOKED_AT
    offset = day.astimezone(zone).utcoffset()
    while day < end:
        day += timedelta(days=7)
        if day.astimezone(zone).utcoffset() != offset:
            return True
    return False


def _function(field: str, given: object) -> str:
    """``"package.module:function"``: it is imported when it is asked."""
    found = text(field, given)
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*", found):
        raise ConfigurationError(field, "not_a_function_name")
    return found


def check_rotas(field: str, recipients: Recipients | None, known: Iterable[Rota]) -> None:
    """That each rota that is named there exists."""
    names = [one.name for one in known]
    for one in (recipients or Recipients()).rotas:
        if one not in names:
            there = ", ".join(f"{ON_CALL}{name}" for name in names) or "–"
            remedy = f'Give on_call={{"{one}": …}}, or name one of those' if names else f'Give on_call={{"{one}": …}}'
            raise ConfigurationError(field, "unknown_rota", remedy, name=one, names=there)


def check_never_silent(own: Recipients | None, known: Iterable[Rota]) -> None:
    """That a handler's own recipients are somebody, also where a function knows nobody who is on call."""
    if own is None or not (names := own.rotas):
        return
    others = replace(own, users=tuple(one for one in own.users if not one.startswith(ON_CALL)))
    if not others and not any(one.people for one in known if one.name in names):
        such = f'users=["{ON_CALL}{names[0]}", "zhangsan"]'
        raise ConfigurationError("users", "only_on_call", f"Name a person beside it: {such}", name=names[0])
