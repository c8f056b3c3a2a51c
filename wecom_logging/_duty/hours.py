"""Quiet hours: when they begin and end. On the wall of their zone, half-open; a night belongs to the day it began."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo

from ..model.duty import Span

AHEAD_S = 31 * 24 * 3600.0
"""What would be quiet for longer has no end."""

_DAY = timedelta(days=1)


def quiet(spans: Sequence[Span], time: float, zone: tzinfo, is_workday: Callable[[date], bool]) -> tuple[float, float]:
    """When the quiet began that holds at this time, and when it ends, in seconds since the epoch: at that very time
    where none holds, at infinity where it has no end."""
    began = until = time
    while until < time + AHEAD_S:
        near = [one for at in {began, until} for one in _near(spans, at, zone, is_workday)]
        begins = [begin for begin, end in near if time - AHEAD_S < begin < began <= end]
        ends = [end for begin, end in near if begin <= until < end]
        if not begins and not ends:
            return began, until
        began, until = min([began, *begins]), max([until, *ends])
    return began, float("inf")


def _near(
    spans: Sequence[Span], time: float, zone: tzinfo, is_workday: Callable[[date], bool]
) -> Iterator[tuple[float, float]]:
    """When each begins and ends about this time."""
    today = datetime.combine(datetime.fromtimestamp(time, zone), datetime.min.time())
    for day in (today - _DAY, today, today + _DAY):
        for span in spans:
            if is_workday(day.date()) is (span.kind == "workdays") if span.kind else day.weekday() in span.weekdays:
                end = day + timedelta(minutes=span.end) + _DAY * (span.end <= span.begin)
                yield instant(day + timedelta(minutes=span.begin), zone), instant(end, zone)


def instant(wall: datetime, zone: tzinfo) -> float:
    """When the wall shows this: of a time that comes twice the first, of one that is skipped the end of the gap."""
    while datetime.fromtimestamp(at := wall.replace(tzinfo=zone).timestamp(), zone).replace(tzinfo=None) != wall:
        wall += timedelta(minutes=1)
    return at
