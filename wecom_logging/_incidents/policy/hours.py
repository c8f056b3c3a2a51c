"""Quiet hours: until when they hold. On the wall of their zone, half-open; a night belongs to the day it began."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo

from ...model.duty import Span

AHEAD_S = 31 * 24 * 3600.0
"""What would be quiet for longer has no end."""

_DAY = timedelta(days=1)


def quiet_until(spans: Sequence[Span], time: float, zone: tzinfo, is_workday: Callable[[date], bool]) -> float:
    """When the quiet ends that holds at this time, in seconds since the epoch: that very time where none holds,
    infinity where it has no end."""
    until = time
    while until < time + AHEAD_S:
        ends = [end for begin, end in _near(spans, until, zone, is_workday) if begin <= until < end]
        if not ends:
            return until
        until = max(ends)
    return float("inf")


def quiet_from(spans: Sequence[Span], time: float, zone: tzinfo, is_workday: Callable[[date], bool]) -> float:
    """When the quiet began that holds at this time."""
    began = time
    while began > time - AHEAD_S:
        begins = [begin for begin, end in _near(spans, began, zone, is_workday) if begin < began <= end]
        if not begins:
            break
        began = min(begins)
    return began


def _near(
    spans: Sequence[Span], time: float, zone: tzinfo, is_workday: Callable[[date], bool]
) -> Iterator[tuple[float, float]]:
    """When each begins and ends about this time."""
    day = datetime.fromtimestamp(time, zone).date()
    for one in (day - _DAY, day, day + _DAY):
        yield from (_border(span, one, zone) for span in spans if _is_on(span, one, is_workday))


def _is_on(span: Span, day: date, is_workday: Callable[[date], bool]) -> bool:
    """Whether it begins on this day."""
    return is_workday(day) is (span.kind == "workdays") if span.kind else day.weekday() in span.weekdays


def _border(span: Span, day: date, zone: tzinfo) -> tuple[float, float]:
    midnight = datetime.combine(day, datetime.min.time())
    end = span.end if span.end > span.begin else span.end + 24 * 60
    return instant(midnight + timedelta(minutes=span.begin), zone), instant(midnight + timedelta(minutes=end), zone)


def instant(wall: datetime, zone: tzinfo) -> float:
    """When the wall shows this: of a time that comes twice the first, of one that is skipped the end of the gap."""
    late, early = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    while late - early > 1:  # it is skipped, between these
        middle = (late + early) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) < wall:
            early = middle
        else:
            late = middle
    return late
