"""Quiet hours on the wall of their zone: borders, days, changes of the clock."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._config.duty import quiet_hours
from wecom_logging._duty.hours import AHEAD_S, instant, quiet
from wecom_logging._duty.moment import monday_to_friday

CHINA = "Asia/Shanghai"


def epoch(wall: str, zone: str = CHINA, fold: int = 0) -> float:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def ends(hours: str, wall: str, zone: str = CHINA, fold: int = 0) -> str:
    """The time on the wall at which the quiet ends that holds at another; "" where none does."""
    time = epoch(wall, zone, fold)
    _, until = quiet(quiet_hours(hours), time, ZoneInfo(zone), monday_to_friday)
    return "" if until == time else datetime.fromtimestamp(until, ZoneInfo(zone)).isoformat(" ", "minutes")[:16]


@pytest.mark.parametrize(
    ("wall", "end"),
    [
        ("2026-12-07 21:59:59", ""),
        ("2026-12-07 22:00:00", "2026-12-08 08:00"),
        ("2026-12-07 23:59:59", "2026-12-08 08:00"),
        ("2026-12-08 00:00:00", "2026-12-08 08:00"),
        ("2026-12-08 07:59:59", "2026-12-08 08:00"),
        ("2026-12-08 08:00:00", ""),
    ],
)
def test_q3_a_night_is_one_span_that_holds_from_its_begin_until_before_its_end(wall: str, end: str) -> None:
    assert ends("22:00-08:00", wall) == end


@pytest.mark.parametrize(
    ("wall", "end"),
    [
        ("2026-12-11 01:00", ""),  # a Friday
        ("2026-12-11 22:00", "2026-12-12 08:00"),
        ("2026-12-12 01:00", "2026-12-12 08:00"),
        ("2026-12-12 22:00", ""),
    ],
)
def test_q4_the_small_hours_belong_to_the_day_on_which_the_night_began(wall: str, end: str) -> None:
    assert ends("fri 22:00-08:00", wall) == end


@pytest.mark.parametrize(
    ("hours", "wall", "end"),
    [
        ("mon-fri 20:00-22:00", "2026-12-12 21:00", ""),  # days and hours: both
        ("mon-fri 20:00-22:00", "2026-12-11 21:00", "2026-12-11 22:00"),
        ("mon-fri 20:00-22:00; sat", "2026-12-12 09:00", "2026-12-13 00:00"),  # items: one of them
        ("22:00-08:00; off-days", "2026-12-11 23:00", "2026-12-14 08:00"),  # over the borders of several
        ("22:00-24:00; 00:00-06:00; 06:00-08:00", "2026-12-11 23:00", "2026-12-12 08:00"),
        ("fri-mon", "2026-12-11 00:00", "2026-12-15 00:00"),
        ("mon-wed,sat", "2026-12-12 12:00", "2026-12-13 00:00"),
        ("sun 12:00-24:00", "2026-12-13 23:59", "2026-12-14 00:00"),
        ("workdays", "2026-12-07 00:00", "2026-12-12 00:00"),
    ],
)
def test_q6_days_and_hours_of_an_item_both_hold_and_of_several_items_one(hours: str, wall: str, end: str) -> None:
    assert ends(hours, wall) == end


@pytest.mark.parametrize(
    ("hours", "wall", "end", "zone"),
    [
        ("22:00-08:00", "2026-03-28 23:00", "2026-03-29 08:00", "Europe/Berlin"),
        ("22:00-08:00", "2026-10-24 23:00", "2026-10-25 08:00", "Europe/Berlin"),
        ("22:00-02:30", "2026-03-29 01:59", "2026-03-29 03:00", "Europe/Berlin"),  # 02:30 is skipped
        ("02:30-06:00", "2026-03-29 03:00", "2026-03-29 06:00", "Europe/Berlin"),
        ("22:00-02:30", "2026-10-25 02:29", "2026-10-25 02:30", "Europe/Berlin"),  # 02:30 comes twice
        ("02:30-06:00", "2026-10-25 02:30", "2026-10-25 06:00", "Europe/Berlin"),
        ("02:15-06:00", "2026-10-04 02:30", "2026-10-04 06:00", "Australia/Lord_Howe"),  # half an hour
        ("22:00-08:00", "2011-12-29 23:00", "2011-12-31 08:00", "Pacific/Apia"),  # 30 December is skipped
        ("22:00-08:00", "1986-05-03 23:00", "1986-05-04 08:00", CHINA),
    ],
)
def test_q10_the_hours_on_the_wall_stay_over_a_change_of_the_clock(hours: str, wall: str, end: str, zone: str) -> None:
    assert ends(hours, wall, zone) == end


def test_q10_the_first_of_two_equal_times_ends_the_quiet() -> None:
    assert ends("22:00-02:30", "2026-10-25 02:10", "Europe/Berlin", fold=1) == ""
    assert ends("02:30-06:00", "2026-10-25 02:10", "Europe/Berlin", fold=1) == "2026-10-25 06:00"


def test_quiet_without_an_end_is_infinite_and_nothing_beyond_a_month_is_asked() -> None:
    asked: list[date] = []

    def never(day: date) -> bool:
        asked.append(day)
        return False

    time = epoch("2026-12-07 12:00")
    assert quiet(quiet_hours("off-days"), time, ZoneInfo(CHINA), never)[1] == float("inf")
    assert max(asked) <= datetime.fromtimestamp(time + AHEAD_S + 86_400, ZoneInfo(CHINA)).date()
    assert quiet(quiet_hours("off-days"), time, ZoneInfo(CHINA), lambda day: day.day == 7)[1] == time
    assert quiet((), time, ZoneInfo(CHINA), never)[1] == time


def test_every_minute_of_two_years_is_on_the_wall_what_its_instant_says() -> None:
    """Where a time comes once, `instant` and the zone agree; of two, the first; a skipped one is the gap's end."""
    zone = ZoneInfo("Europe/Berlin")
    for day in (date(2025, 3, 30), date(2025, 10, 26), date(2026, 3, 29), date(2026, 10, 25)):
        before = 0.0
        for minute in range(24 * 60):
            wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60)
            found = instant(wall, zone)
            shown = datetime.fromtimestamp(found, zone)
            assert found >= before
            assert shown.replace(tzinfo=None) >= wall
            assert datetime.fromtimestamp(found - 1, zone).replace(tzinfo=None) < wall
            before = found


DAILY = [
    # Of the tests of cronsim 2.7 (BSD-3-Clause), about a time of every day.
    ("Europe/Riga", ["2021-03-28T02:00:00+02:00", "2021-03-29T02:00:00+03:00"], "02:00"),
    ("Europe/Riga", ["2021-10-31T02:00:00+03:00", "2021-11-01T02:00:00+02:00"], "02:00"),
    ("Europe/Riga", ["2021-03-27T03:00:00+02:00", "2021-03-28T04:00:00+03:00", "2021-03-29T03:00:00+03:00"], "03:00"),
    ("Europe/Riga", ["2021-10-31T03:00:00+03:00", "2021-11-01T03:00:00+02:00"], "03:00"),
    ("Europe/Riga", ["2021-03-27T04:00:00+02:00", "2021-03-28T04:00:00+03:00", "2021-03-29T04:00:00+03:00"], "04:00"),
    ("Europe/Riga", ["2021-10-30T04:00:00+03:00", "2021-10-31T04:00:00+02:00", "2021-11-01T04:00:00+02:00"], "04:00"),
    ("Europe/Riga", ["2021-03-27T03:15:00+02:00", "2021-03-28T04:00:00+03:00", "2021-03-29T03:15:00+03:00"], "03:15"),
    ("Europe/Riga", ["2021-10-30T03:15:00+03:00", "2021-10-31T03:15:00+03:00", "2021-11-01T03:15:00+02:00"], "03:15"),
    # Of the tests of croniter 7.0 (MIT).
    ("Europe/Warsaw", ["2017-03-27T00:00:00+02:00"], "00:00"),
    ("Europe/Warsaw", ["2017-10-30T00:00:00+01:00"], "00:00"),
    ("America/Sao_Paulo", ["2018-02-18T00:00:00-03:00", "2018-02-19T00:00:00-03:00"], "00:00"),
    ("Europe/London", ["2025-03-30T00:07:00+00:00", "2025-03-31T00:07:00+01:00", "2025-04-01T00:07:00+01:00"], "00:07"),
    ("Europe/Paris", ["2020-03-28T02:01:00+01:00", "2020-03-29T03:00:00+02:00", "2020-03-30T02:01:00+02:00"], "02:01"),
    ("Asia/Hebron", ["2022-03-26T00:00:00+02:00", "2022-03-27T01:00:00+03:00", "2022-03-28T00:00:00+03:00"], "00:00"),
    ("Australia/Adelaide", ["2020-03-24T00:00:00+10:30"], "00:00"),
    ("Australia/Adelaide", ["2020-04-24T00:00:00+09:30"], "00:00"),
]


@pytest.mark.parametrize(("zone", "expected", "at"), DAILY)
def test_q10_a_border_is_where_others_have_a_time_of_every_day(zone: str, expected: list[str], at: str) -> None:
    for text in expected:
        wall = datetime.fromisoformat(f"{text[:10]} {at}")
        assert datetime.fromtimestamp(instant(wall, ZoneInfo(zone)), ZoneInfo(zone)).isoformat() == text
        before = datetime.fromisoformat(text).timestamp() - 1
        _, until = quiet(quiet_hours(f"12:00-{at}"), before, ZoneInfo(zone), monday_to_friday)
        assert datetime.fromtimestamp(until, ZoneInfo(zone)).isoformat() == text
