"""Times and durations in words, in the zone of who reads them; numbers over time as a line of little bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from .._text.said import Language, filled, zone_of
from . import words

_LONG = (words.SECOND, words.SECONDS), (words.MINUTE, words.MINUTES), (words.HOUR, words.HOURS)
_SHORT = words.SHORT_SECONDS, words.SHORT_MINUTES, words.SHORT_HOURS
_BARS = "▁▂▃▄▅▆▇█"
MINUTES, SECONDS = "%H:%M", "%H:%M:%S"


def local_time(seconds: float, language: Language) -> datetime:
    """A time in the reader's zone. A clock that is far off still gives a time."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone(zone_of(language))
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def clock_time(seconds: float, language: Language) -> str:
    """``2026-11-25 09:12:03.123 +08:00``"""
    text = local_time(seconds, language).isoformat(sep=" ", timespec="milliseconds")
    return f"{text[:23]} {text[23:]}"


def last_time(first: float, last: float, language: Language) -> str:
    """The clock time of ``last``, without the date if it is that of ``first``."""
    text = clock_time(last, language)
    same_day = local_time(first, language).date() == local_time(last, language).date()
    return text[11:] if same_day else text


def short_time(at: float, now: float, language: Language, look: str = MINUTES) -> str:
    """``16:04``, or with its date, ``12-03 09:00``, where that is another one than that of ``now``.

    No "tomorrow": who reads it after midnight would come a day late.
    """
    found = local_time(at, language)
    return f"{found:{_with_date(found.date() == local_time(now, language).date(), look)}}"


def clock_span(first: float, last: float, now: float, language: Language) -> str:
    """``09:12 to 10:03``, with dates where one is another day than ``now``; one time where both are the same minute."""
    start, end = local_time(first, language), local_time(last, language)
    look = _with_date(start.date() == end.date() == local_time(now, language).date())
    ends = [f"{start:{look}}", f"{end:{look}}"]
    return words.SPAN.within(language, *ends) if ends[0] != ends[1] else ends[0]


def hours_of(first: float, last: float, now: float, language: Language) -> tuple[str, bool]:
    """``22:00–08:00``, and whether it is a night; with dates where it is a day or longer, or neither began nor ends on
    the day of ``now``, nor goes on then."""
    start, end = local_time(first, language), local_time(last, language)
    is_long = last - first >= 86_400
    look = _with_date(not is_long and start.date() <= local_time(now, language).date() <= end.date())
    return f"{start:{look}}–{end:{look}}", start.date() != end.date() and not is_long


def _with_date(is_plain: bool, look: str = MINUTES) -> str:
    return look if is_plain else f"%m-%d {look}"


def lasting(seconds: float, language: Language) -> str:
    """``90 seconds``, ``10 minutes``, ``1 hour``: whole ones, of the largest unit of which there are two or one."""
    number, unit = _whole_units(seconds)
    return _LONG[unit][number != 1].within(language, number)


def lasting_short(seconds: float, language: Language) -> str:
    """``90 s``, ``10 min``, ``3 h``"""
    number, unit = _whole_units(seconds)
    return _SHORT[unit].within(language, number)


def exactly(seconds: float, language: Language) -> str:
    """``90 s``, ``125 min``, ``2 h``: a length as it was given."""
    for unit, said in ((3600, words.SHORT_HOURS), (60, words.SHORT_MINUTES)):
        if seconds % unit == 0:
            return said.within(language, int(seconds // unit))
    return words.SHORT_SECONDS.within(language, f"{seconds:g}")


def in_two_units(seconds: float, language: Language) -> str:
    """``0.4 s``, ``12 s``, ``3 min 5 s``, ``26 h 4 min``: a length as it was measured."""
    if seconds < 10:
        return words.SHORT_SECONDS.within(language, f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return words.HOURS_AND_MINUTES.within(language, hours, minutes)
    form = words.MINUTES_AND_SECONDS if minutes else words.SHORT_SECONDS
    return form.within(language, *([minutes] if minutes else []), rest)


def every(seconds: float, language: Language) -> str:
    """``every 4 h``"""
    return filled(words.EVERY.within(language), language, (), {"span": exactly(seconds, language)})


def _whole_units(seconds: float) -> tuple[int, int]:
    """How many seconds (0), minutes (1) or hours (2)."""
    whole = max(int(seconds), 1)
    for size, unit in ((3600, 2), (60, 1)):
        if whole == size or whole >= 2 * size:
            return whole // size, unit
    return whole, 0


def spark(rates: Sequence[int]) -> str:
    """A bar for each of the numbers (0 or more), the largest the tallest; only 0 is the lowest bar.

    Empty where there is nothing to compare: for fewer than two numbers, or zeros alone.
    """
    top = max(rates, default=0)
    if len(rates) < 2 or top <= 0:
        return ""
    return "".join(_BARS[-(-rate * (len(_BARS) - 1) // top)] for rate in rates)
