"""`Cron`: when a line of a crontab is due, as Debian's cron has it, also where the clock of its zone changes.

cronsim reads the line. The times of a day are worked out here: asked for what comes after a time in an hour that comes
twice, or where a zone moves by half an hour, cronsim gives others than cron does.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from .._duty.hours import instant
from .._runtime import forks

WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_MOST_DAYS = 366 * 50
_KEPT_DAYS = 4
_DAY = timedelta(days=1)


class Cron:
    """The times of one line in one zone. Raises `ImportError` without cronsim, ValueError for what is no line."""

    def __init__(self, line: str, zone: tzinfo) -> None:
        fields = WORDS.get(line.strip().lower(), line).split()
        if len(fields) != 5:
            raise ValueError(f"{len(fields)} fields")
        minute, hour, day, month, weekday = fields
        self._zone = zone
        self._fixed = minute[0] != "*" and hour[0] != "*"
        """It runs at times on the wall: once also where they come twice, and behind a gap if they are left out."""
        self._line, days = _parsed(f"{minute} {hour} * {month} {weekday}"), _parsed(f"0 0 {day} * {weekday}")
        self._line.days, self._line.day_and = days.days, days.day_and
        self._walls = sorted((an_hour, a_minute) for an_hour in self._line.hours for a_minute in self._line.minutes)
        self._known: dict[date, list[float]] = {}
        if math.isinf(self.after(datetime(2024, 1, 1, tzinfo=UTC).timestamp())):
            raise ValueError("there is no such day")

    def after(self, time: float) -> float:
        """The first occurrence after this time; infinity: none in fifty years."""
        return next((at for day in self._days(time, 1) for at in self._times(day) if at > time), math.inf)

    def before(self, time: float) -> float:
        """The last occurrence by this time."""
        found = (at for day in self._days(time, -1) for at in reversed(self._times(day)) if at <= time)
        return next(found, -math.inf)

    def explained(self) -> str:
        """In words, in English."""
        said: str = self._line.explain()
        return said

    def _days(self, time: float, way: int) -> Iterator[date]:
        """Those that may have an occurrence, from the day next to it on: a gap may put one on another day."""
        day = datetime.fromtimestamp(time, self._zone).date() - way * _DAY
        for _ in range(_MOST_DAYS):
            if day.month in self._line.months and self._line.match_day(day):
                yield day
            day += way * _DAY

    def _times(self, day: date) -> list[float]:
        if (found := self._known.get(day)) is None:
            found = sorted(set(self._at_walls(day) if self._fixed or self._is_even(day) else self._of_minutes(day)))
            if len(self._known) >= _KEPT_DAYS:
                self._known.clear()
            self._known[day] = found
        return found

    def _is_even(self, day: date) -> bool:
        """Whether its clock goes on as ever: no zone changes it by hours and back within a day."""
        return self._at(day + _DAY) - self._at(day) == _DAY.total_seconds()

    def _at_walls(self, day: date) -> Iterator[float]:
        midnight = self._at(day) if self._is_even(day) else 0.0
        for hour, minute in self._walls:
            yield midnight + 3600 * hour + 60 * minute if midnight else self._at(day, hour, minute)

    def _of_minutes(self, day: date) -> Iterator[float]:
        """Each minute that passes and shows such a time."""
        walls, at = set(self._walls), self._at(day)
        while (wall := datetime.fromtimestamp(at, self._zone)).date() <= day:
            if (wall.hour, wall.minute) in walls and wall.date() == day:
                yield at
            at += 60

    def _at(self, day: date, hour: int = 0, minute: int = 0) -> float:
        return instant(datetime(day.year, day.month, day.day, hour, minute), self._zone)


def _parsed(line: str) -> Any:
    from cronsim import CronSim, CronSimError

    try:
        return CronSim(line, datetime(2024, 1, 1))
    except CronSimError as error:
        reason = str(error)
    raise ValueError(reason)


@functools.lru_cache(4096)
def schedule_of(cron: str, zone: str) -> Cron | None:
    """The times of a job; None where it has none. Raises `ImportError` without cronsim, ValueError."""
    with forks.gate:  # a child that is forked amid an import could never finish it
        return Cron(cron, zone_of(zone)) if cron else None


def zone_of(name: str) -> tzinfo:
    """The zone of a job."""
    if name == "UTC":
        return UTC
    with forks.gate:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)


def zone_to_show(name: str) -> tzinfo | None:
    """The same, where times are shown in it; None where there is none, or this machine lacks it."""
    with contextlib.suppress(ValueError, KeyError):
        return zone_of(name) if name else None
    return None
