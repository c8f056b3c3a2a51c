"""A time has its date where that is another one than that of the message, in every zone and over each midnight."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._render.times import SECONDS, clock_span, hours_of, short_time
from wecom_logging._text.said import Language, Reader

ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Shanghai", "America/New_York")]


def at(wall: str, zone: tzinfo) -> float:
    """A time of a wall in a zone."""
    return datetime.fromisoformat(wall).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("now", "time", "shown"),
    [
        ("2026-12-02 21:55", "2026-12-02 22:55", "22:55"),
        ("2026-12-02 21:55", "2026-12-03 00:05", "12-03 00:05"),
        ("2026-12-02 23:59:50", "2026-12-02 23:59:20", "23:59"),
        ("2026-12-02 23:59:50", "2026-12-03 00:00", "12-03 00:00"),
        ("2026-12-03 00:00:05", "2026-12-02 23:59:50", "12-02 23:59"),
        ("2026-12-03 00:00:05", "2026-12-03 09:00", "09:00"),
        ("2026-12-03 00:30", "2026-12-04 09:00", "12-04 09:00"),
        ("2026-12-31 23:30", "2027-01-01 00:30", "01-01 00:30"),
        ("2027-01-01 00:30", "2026-12-31 23:30", "12-31 23:30"),
        ("2026-02-28 22:40", "2026-03-01 09:00", "03-01 09:00"),
        ("2028-02-28 22:40", "2028-02-29 09:00", "02-29 09:00"),
    ],
)
def test_a_time_of_another_day_has_its_date(now: str, time: str, shown: str, language: str, zone: tzinfo) -> None:
    reader: Language = Reader(language, zone)
    assert short_time(at(time, zone), at(now, zone), reader) == shown


def test_a_text_that_is_read_after_midnight_is_as_true_as_before() -> None:
    """It has no word that means another day by then."""
    zone = ZONES[1]
    end = at("2026-12-03 09:00:30", zone)
    for language in ("en", "zh"):
        before, after = (
            short_time(end, at(f"2026-12-0{day}", zone), Reader(language, zone), SECONDS) for day in (2, 4)
        )
        assert before == after == "12-03 09:00:30"


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize(
    ("now", "span", "hours"),
    [
        ("2026-12-02 23:59", "23:10 to 23:58", "23:10–23:58"),
        ("2026-12-03 00:01", "12-02 23:10 to 12-02 23:58", "12-02 23:10–12-02 23:58"),
    ],
)
def test_a_span_has_dates_the_day_after(now: str, span: str, hours: str, zone: tzinfo) -> None:
    first, last = at("2026-12-02 23:10", zone), at("2026-12-02 23:58", zone)
    reader = Reader("en", zone)
    assert clock_span(first, last, at(now, zone), reader) == span
    assert hours_of(first, last, at(now, zone), reader) == (hours, False)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-12-02 23:00", "22:00–08:00"),
        ("2026-12-03 08:00", "22:00–08:00"),
        ("2026-12-04 08:00", "12-02 22:00–12-03 08:00"),
    ],
)
def test_a_night_is_that_of_today_or_has_dates(now: str, hours: str) -> None:
    zone = ZONES[1]
    night = at("2026-12-02 22:00", zone), at("2026-12-03 08:00", zone)
    assert hours_of(*night, at(now, zone), Reader("en", zone)) == (hours, True)
