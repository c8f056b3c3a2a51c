"""The rules of time and persons: from the options, and a file of them, to a `model.duty.Duty`.

Loaded by the first handler that has such an option.
"""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..errors import ConfigurationError
from ..model.duty import ALL_LEVELS, DAYS, NO_DUTY, Duty, Span
from . import escalation, on_call
from .messages import list_of, timezone
from .options import OfDuty, marked
from .values import kind, level, mapping_of, required, text
from .variables import or_variable

if TYPE_CHECKING:
    from .options import CommonOptions

CALENDAR, _BELOW = "quiet_hours.calendar", "quiet_hours.below"
_SUCH = '{"when": ["22:00-08:00"], "below": "CRITICAL", "calendar": "cn"}'
_MAX_SPANS = 20
_WEEK = 7 * 24 * 60
_WEEKDAYS = {"daily": range(7), "workdays": range(5), "off-days": range(5, 7)}
_GIVE_ZONE = "Give timezone=… or set WECOM_TIMEZONE, such as Asia/Shanghai: it is never guessed"


def with_file(options: CommonOptions) -> CommonOptions:
    """These, and what a file has of that which is neither given nor in its variable."""
    found, may = of_file(options), marked(OfDuty)
    left = {name: one for name, one in found.items() if not os.environ.get(may[name].variable)}
    given = {name: one for name, one in options.items() if one is not None or name not in left}
    return cast("CommonOptions", {**left, **given})


def of_file(options: CommonOptions) -> dict[str, Any]:
    """The content of the duty file; empty where none is named. Raises `ConfigurationError`."""
    path = or_variable(options.get("duty"), "WECOM_DUTY")
    found, may = {} if path is None else _read(text("duty", path)), marked(OfDuty)
    if found.keys() - may.keys():
        raise ConfigurationError("duty", "unknown_name", names=", ".join(may))
    return found


def zone_left_out(options: CommonOptions) -> str:
    """The zone that the file has and that does not hold, because WECOM_TIMEZONE is another one; else empty."""
    variable = os.environ.get("WECOM_TIMEZONE")
    if not variable or options.get("timezone") is not None:
        return ""
    zone = of_file(options).get("timezone")
    return zone if isinstance(zone, str) and zone != variable and re.fullmatch("[A-Za-z0-9_+/-]{1,64}", zone) else ""


def _read(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, encoding="utf-8-sig") as file:
            return tomllib.loads(file.read())
    except (OSError, ValueError, RecursionError) as error:  # what is wrong in it is said with its line
        reason = re.sub(r"\(['\"].*['\"],?\)", "…", getattr(error, "strerror", None) or str(error))  # nothing of it
        is_read = isinstance(error, tomllib.TOMLDecodeError)
    shown = path if path.endswith(".toml") else "…"
    if is_read:
        raise ConfigurationError("duty", "not_valid", path=shown, line="", form=f"TOML ({reason})")
    raise ConfigurationError("duty", "unreadable", path=f" {shown}", reason=reason)


def duty(options: CommonOptions) -> Duty:
    """What these options say, those of a file included."""
    quiet = quiet_of(or_variable(options.get("quiet_hours"), "WECOM_QUIET_HOURS"))
    zone = timezone(options.get("timezone"))
    rotas = on_call.rotas(options.get("on_call"), zone)
    steps = escalation.steps(options.get("escalation"))
    from_level = options.get("escalation_level")
    steps_level = NO_DUTY.steps_level if from_level is None else level("escalation_level", from_level)
    if steps_level > logging.CRITICAL:
        raise ConfigurationError("escalation_level", "above_critical")
    if not (quiet.spans or rotas or steps):
        return NO_DUTY
    if zone is None and (quiet.spans or rotas):
        raise ConfigurationError("timezone", "missing", _GIVE_ZONE)
    return Duty(
        zone=str(zone) if quiet.spans or rotas else NO_DUTY.zone,
        calendar=quiet.calendar,
        quiet=quiet.spans,
        quiet_level=quiet.level,
        rotas=rotas,
        steps=steps,
        steps_level=steps_level,
    )


class Quiet(NamedTuple):
    """When alerts below ``level`` wait, and whose working days count; ``""`` is Monday to Friday."""

    spans: tuple[Span, ...] = ()
    level: int = NO_DUTY.quiet_level
    calendar: str = ""


def quiet_of(value: object) -> Quiet:
    """The option ``quiet_hours``: its items, or a mapping of ``when`` (these), ``below`` and ``calendar``."""
    if value is None or not isinstance(value, Mapping):
        return Quiet(quiet_hours(value))
    given = mapping_of("quiet_hours", value, ("when", "below", "calendar"))
    when, below = required("quiet_hours.when", given.get("when"), f"Such as quiet_hours={_SUCH}"), given.get("below")
    lowest = NO_DUTY.quiet_level if below is None else ALL_LEVELS if below == "none" else level(_BELOW, below)
    return Quiet(quiet_hours(when, "quiet_hours.when"), lowest, calendar(given.get("calendar")))


def calendar(value: object) -> str:
    """As it is written, but for a path, which is the same in whatever folder a process works."""
    if value is None:
        return ""
    found = text(CALENDAR, value)
    if found == "cn" or re.fullmatch(r"[^\W\d]\w*(\.\w+)*:\w+(\.\w+)*", found):
        return found
    if (found.endswith(".json") or os.sep in found) and "://" not in found:  # no URL, which may be a secret
        return os.path.abspath(found)
    raise ConfigurationError(CALENDAR, "not_a_calendar")


# Quiet hours: items of which one at least holds, each of days, of hours, or of both.

_ITEM = re.compile(r"([a-z][a-z,-]*)?(?:(?:^| )([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2}))?")
_AS_HYPHEN = dict.fromkeys(map(ord, "‐‑‒–—−~至到"), "-") | {ord("、"): ","}


def quiet_hours(value: object, field: str = "quiet_hours") -> tuple[Span, ...]:
    """A list of items, or a text in which ``;`` parts them."""
    if value is None:
        return ()
    parts = [part for part in re.split("[;；]", value) if part.strip()] if isinstance(value, str) else value
    items = list_of(field, parts, "['22:00-08:00', 'off-days']", _MAX_SPANS)
    if isinstance(value, str) and not items:
        raise ConfigurationError(field, "empty")
    names = [f"{field}[{number}]" if len(items) > 1 else field for number in range(len(items))]
    spans = tuple(_span(name, item) for name, item in zip(names, items, strict=True))
    minutes: set[int] = set()
    for span in spans:  # those of a week, by a calendar without holidays
        end = span.end if span.end > span.begin else span.end + 24 * 60
        for day in _WEEKDAYS[span.kind] if span.kind else span.weekdays:
            minutes.update(minute % _WEEK for minute in range(day * 24 * 60 + span.begin, day * 24 * 60 + end))
    if len(minutes) == _WEEK:
        raise ConfigurationError(field, "never_ends")
    return spans


def _span(field: str, item: object) -> Span:
    if not isinstance(item, str):
        raise ConfigurationError(field, "not_a_string", given=kind(item))
    if (found := _read_item(item.strip())) is None:
        if close := _meant(item):
            raise ConfigurationError(field, "not_so_written", close="; ".join(close))
        raise ConfigurationError(field, "not_quiet_hours")
    if found.begin == found.end:
        raise ConfigurationError(field, "no_hours")
    return found


def _read_item(item: str) -> Span | None:
    match = _ITEM.fullmatch(item)
    if match is None or not item:
        return None
    days, *hours = match.groups()
    begin, end = 0, 24 * 60
    if hours[0] is not None:
        begin, end = (int(hour) * 60 + int(minute) for hour, minute in (hours[:2], hours[2:]))
        if begin >= 24 * 60 or end > 24 * 60 or max(hours[1], hours[3]) > "59":
            return None
    if days in ("workdays", "off-days"):
        return Span(kind=days, begin=begin, end=end)
    weekdays = _weekdays("mon-sun" if days in (None, "daily") else days)
    return Span(weekdays, begin=begin, end=end) if weekdays else None


def _weekdays(days: str) -> tuple[int, ...]:
    """0 is Monday; empty where it is none of ours."""
    found: list[int] = []
    for part in days.split(","):
        first, mark, last = part.partition("-")
        if first not in DAYS or (mark and (last not in DAYS or last == first)):
            return ()
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if mark else 0
        found += [(begin + number) % 7 for number in range(length + 1)]
    return tuple(sorted(set(found)))


def _meant(item: str) -> list[str]:
    """Items as they are to be written, of one that is written otherwise; none where nobody knows what it means."""
    clean = " ".join(unicodedata.normalize("NFKC", item[:200]).translate(_AS_HYPHEN).lower().split())
    clean = re.sub(r"(?<![\d:])(\d:\d\d)", r"0\1", re.sub(r" ?([-,]) ?", r"\1", clean))
    days, _, hours = clean.rpartition(" ") if clean[-1:].isdigit() else (clean, "", "")
    kinds = [part for part in days.split(",") if part in _WEEKDAYS]
    others = ",".join(part for part in days.split(",") if part not in _WEEKDAYS)
    items = [f"{part} {hours}".strip() for part in (*kinds, others) if part] or [hours]
    return items if all(map(_read_item, items)) else []
