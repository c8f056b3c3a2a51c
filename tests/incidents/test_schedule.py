"""When a line of a crontab is due: cronsim's own cases, Debian's rules where it differs, clocks that change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._jobs.schedule import WORDS, Cron

DATA: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "cronsim.json").read_text())
FIVE_FIELDS = [case for case in DATA["cases"] if len(case[1].split()) == 5]


def times(line: str, zone: str, start: str, number: int) -> list[str]:
    """The next ones, which are the same when asked backwards."""
    there = ZoneInfo(zone)
    cron, at, found = Cron(line, there), datetime.fromisoformat(start).replace(tzinfo=there).timestamp(), list[float]()
    for _ in range(number):
        found.append(at := cron.after(at))
    back = [at]
    for _ in range(number - 1):
        back.append(at := cron.before(at - 1))
    assert back[::-1] == found
    return [datetime.fromtimestamp(one, there).isoformat() for one in found]


@pytest.mark.parametrize(("name", "line", "zone", "start", "expected"), FIVE_FIELDS, ids=lambda one: str(one)[:30])
def test_it_is_due_as_cronsim_says(name: str, line: str, zone: str, start: str, expected: list[str]) -> None:
    assert times(line, zone, start, len(expected)) == [
        datetime.fromisoformat(one).replace(tzinfo=UTC).isoformat() if zone == "UTC" else one for one in expected
    ]


@pytest.mark.parametrize("start", ["2021-03-28T01:30", "2021-10-31T01:30", "2020-01-01T00:00"])
@pytest.mark.parametrize("line", [line for line in DATA["backwards"] if len(line.split()) == 5])
def test_backwards_is_the_same(line: str, start: str) -> None:
    assert len(set(times(line, "Europe/Riga", start, 5))) == 5


@pytest.mark.parametrize(
    ("line", "zone", "start", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]),
        (
            "30 2 * * *",
            "America/New_York",
            "2026-03-07T12:00",
            ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"],
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00",
            ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"],
        ),
        (
            "*/30 * * * *",
            "America/New_York",
            "2026-11-01T00:45",
            [
                *("2026-11-01T01:00:00-04:00", "2026-11-01T01:30:00-04:00"),
                *("2026-11-01T01:00:00-05:00", "2026-11-01T01:30:00-05:00", "2026-11-01T02:00:00-05:00"),
            ],
        ),
        # A zone that moves by half an hour: 02:00 to 02:30 is left out, 01:30 to 02:00 comes twice.
        (
            "*/15 * * * *",
            "Australia/Lord_Howe",
            "2026-10-04T01:40",
            ["2026-10-04T01:45:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T02:45:00+11:00"],
        ),
        (
            "*/15 * * * *",
            "Australia/Lord_Howe",
            "2026-04-05T01:40",
            ["2026-04-05T01:45:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T01:45:00+10:30"],
        ),
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00",
            ["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"],
        ),
        ("30 2 * * *", "Asia/Shanghai", "2026-03-28T12:00", ["2026-03-29T02:30:00+08:00", "2026-03-30T02:30:00+08:00"]),
        ("0 0 31 2 0", "Asia/Shanghai", "2026-01-01T00:00", ["2026-02-01T00:00:00+08:00", "2026-02-08T00:00:00+08:00"]),
        ("0 9 * * 7", "UTC", "2026-11-28T00:00", ["2026-11-29T09:00:00+00:00"]),
        ("0 0 */2 * 1", "UTC", "2026-11-28T00:00", ["2026-12-07T00:00:00+00:00"]),
        ("0 0 1 * 1", "UTC", "2026-11-28T00:00", ["2026-11-30T00:00:00+00:00", "2026-12-01T00:00:00+00:00"]),
        (
            "*/5 9-22 * * *",
            "Asia/Shanghai",
            "2026-11-28T22:52",
            ["2026-11-28T22:55:00+08:00", "2026-11-29T09:00:00+08:00"],
        ),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00:00+00:00"]),
    ],
)
def test_it_is_due_where_clocks_change(line: str, zone: str, start: str, expected: list[str]) -> None:
    assert times(line, zone, start, len(expected)) == expected


def test_asked_in_the_second_pass_of_an_hour_it_goes_on() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    cron = Cron("30 2 * * *", berlin)
    second = datetime(2026, 10, 25, 2, 40, fold=1, tzinfo=berlin).timestamp()
    assert datetime.fromtimestamp(cron.after(second), berlin).isoformat() == "2026-10-26T02:30:00+01:00"
    assert datetime.fromtimestamp(cron.before(second), berlin).isoformat() == "2026-10-25T02:30:00+02:00"


def test_words_of_a_crontab_are_lines() -> None:
    assert [times(word, "UTC", "2026-11-29T12:30", 1)[0] for word in WORDS] == [
        *("2027-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00"),
        *("2026-12-06T00:00:00+00:00", "2026-11-30T00:00:00+00:00", "2026-11-30T00:00:00+00:00"),
        "2026-11-29T13:00:00+00:00",
    ]


@pytest.mark.parametrize(
    "line",
    ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6 *", "* * * * * *", "@reboot", "61 * * * *", "", "* * * *", "1-¹ * * * *"],
)
def test_a_line_that_is_never_due_or_no_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Cron(line, UTC)


def test_it_is_read_back_in_words() -> None:
    assert Cron("5 5 * * *", UTC).explained() == "At 05:05 every day"
