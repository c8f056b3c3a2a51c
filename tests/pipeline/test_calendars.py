"""Which days are working days: of China, of files, by a function; and what a process does that cannot have them."""

from __future__ import annotations

import json
import sys
import threading
import time
import types
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import chinese_calendar
import pytest

from wecom_logging._config.duty import quiet_hours
from wecom_logging._delivery.duties import Duties
from wecom_logging._duty import calendars
from wecom_logging._duty.calendars import calendar
from wecom_logging._duty.moment import Moment, what_holds
from wecom_logging._incidents.duty import duty_text
from wecom_logging._runtime import functions
from wecom_logging._state.shared import Alone
from wecom_logging.errors import ConfigurationError
from wecom_logging.model.duty import Duty

from ..incidents.test_life import opened
from ..programs import Clock
from ..storms import Recorder, pipeline

DAYS = sorted((Path(__file__).parents[1] / "data" / "holiday-cn").glob("20*.json"))


@pytest.fixture
def moment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Moment]:
    """What rules ask for that came with an alert, at one handler. An option of this process names two functions."""
    monkeypatch.setattr(functions, "given", {"of_shop:is_workday", "of_shop:days.is_workday"})
    channel = Recorder(Clock())
    duties = Duties(pipeline(channel, Clock()).options, channel.identity, channel, Clock())

    def made(hours: str, *, zone: str = "Asia/Shanghai", name: str = "", text: str = "") -> Moment:
        duty = Duty(zone=zone, calendar=name, quiet=quiet_hours(hours))
        return duties.moment(replace(opened(now=0.0), duty=text or duty_text(duty)))

    return made


def holds(moment: Moment, wall: str) -> bool:
    time = datetime.fromisoformat(wall).replace(tzinfo=moment.zone).timestamp()
    return what_holds(40, replace(moment, time=time)) is not None


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("path", DAYS, ids=lambda path: path.stem)
def test_c2_days_of_china_are_those_of_the_state_council(path: Path) -> None:
    ours, of_file = calendar("cn"), calendar(str(path))
    days = json.loads(path.read_text("utf-8"))["days"]
    assert len(days) > 20
    for day in days:
        found = date.fromisoformat(day["date"])
        assert ours(found) is of_file(found) is not day["isOffDay"]


def test_c2_all_days_of_eight_years_are_the_same_by_the_library_and_by_the_files() -> None:
    ours, of_files = calendar("cn"), calendar(str(DAYS[0].parent))
    assert len(DAYS) == 8
    first, last = date(2019, 1, 1).toordinal(), date(2026, 12, 31).toordinal()
    differ = [day for day in map(date.fromordinal, range(first, last + 1)) if ours(day) is not of_files(day)]
    assert differ == []


def test_c2_a_working_saturday_is_a_working_day_and_its_night_a_night(moment: Callable[..., Moment]) -> None:
    """10 October 2026, a Saturday on which China works for the days off before it."""
    off, nights = moment("off-days", name="cn"), moment("workdays 22:00-08:00", name="cn")
    assert not holds(off, "2026-10-10 12:00")
    assert holds(off, "2026-10-11 12:00")
    assert holds(off, "2026-10-06 12:00")  # a Tuesday off
    assert holds(nights, "2026-10-10 23:00")
    assert holds(nights, "2026-10-11 07:59")
    assert not holds(nights, "2026-10-06 23:00")
    assert not holds(moment("workdays 22:00-08:00"), "2026-10-10 23:00")  # Monday to Friday


def test_c1_a_year_without_days_is_monday_to_friday_said_once(
    moment: Callable[..., Moment], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    year = max(one.year for one in chinese_calendar.holidays) + 1
    found = moment("off-days", name="cn")
    for number in range(3):
        assert [holds(found, f"{year}-01-{day:02} 12:00") for day in range(1, 15)] == [
            date(year, 1, day).weekday() >= 5 for day in range(1, 15)
        ]
        assert len(said(capsys)) == (number == 0)
    (tmp_path / "2030.json").write_text('{"year": 2030, "days": []}')
    empty = moment("off-days", name=f"{tmp_path}/2030.json")
    assert (holds(empty, "2030-01-05 12:00"), holds(empty, "2030-01-07 12:00")) == (True, False)
    assert [f"no days of {2030}" in line for line in said(capsys)] == [True]


def test_the_last_days_of_a_year_may_stand_in_the_file_of_the_next(tmp_path: Path) -> None:
    for year, day in (("2030", "2030-05-01"), ("2031", "2030-12-31")):
        text = json.dumps({"year": int(year), "days": [{"date": day, "isOffDay": True}]})
        (tmp_path / f"{year}.json").write_text(text)
    (tmp_path / "schema.json").write_text("no year")
    found = calendar(str(tmp_path))
    assert [found(date(2030, *day)) for day in ((5, 1), (12, 31), (12, 30), (12, 29))] == [False, False, True, False]
    assert found(date(2032, 1, 1)) is None


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1)])
def test_a_function_that_fails_costs_no_alert(
    error: BaseException,
    moment: Callable[..., Moment],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def is_workday(day: date) -> bool:
        raise error

    monkeypatch.setitem(sys.modules, "of_shop", module := types.ModuleType("of_shop"))
    module.days = types.SimpleNamespace(is_workday=is_workday)
    found = moment("off-days", name="of_shop:days.is_workday")
    assert (holds(found, "2026-12-05 12:00"), holds(found, "2026-12-07 12:00")) == (True, False)
    assert [type(error).__name__ in line for line in said(capsys)] == [True]


def test_a_function_that_hangs_holds_up_the_worker_once_and_for_a_moment(
    moment: Callable[..., Moment], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, asked = threading.Event(), list[date]()
    monkeypatch.setitem(sys.modules, "of_shop", module := types.ModuleType("of_shop"))
    module.is_workday = lambda day: asked.append(day) or ends.wait(60)
    monkeypatch.setattr(calendars, "BOUND_S", 0.01)
    found, begins = moment("off-days", name="of_shop:is_workday"), time.monotonic()
    assert [holds(found, f"2026-12-{day:02} 12:00") for day in range(1, 31)] == [
        date(2026, 12, day).weekday() >= 5 for day in range(1, 31)
    ]
    assert time.monotonic() - begins < 5
    ends.set()
    assert len(asked) == 1
    assert ["TimeoutError" in line for line in said(capsys)] == [True]


def test_what_no_option_here_names_is_not_executed(
    moment: Callable[..., Moment], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in the state, where another hand may have written it."""
    asked: list[date] = []
    monkeypatch.setitem(sys.modules, "of_shop", module := types.ModuleType("of_shop"))
    module.secret = asked.append
    found = moment("off-days", name="of_shop:secret")
    assert (holds(found, "2026-12-05 12:00"), holds(found, "2026-12-07 12:00")) == (True, False)
    assert asked == []
    assert ["of_shop:secret cannot be used here" in line for line in said(capsys)] == [True]


def test_a_function_is_asked_once_an_hour_for_a_day(
    moment: Callable[..., Moment], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[date] = []
    monkeypatch.setitem(sys.modules, "of_shop", module := types.ModuleType("of_shop"))
    module.is_workday = lambda day: asked.append(day) or True
    now = [1_796_000_000.0]
    monkeypatch.setattr(Alone, "time_s", lambda self: now[0])
    for _ in range(3):
        assert not holds(moment("off-days", name="of_shop:is_workday"), "2026-12-05 12:00")
    assert len(asked) == len(set(asked))
    now[0] += 3600.0
    assert not holds(moment("off-days", name="of_shop:is_workday"), "2026-12-05 12:00")
    assert len(asked) == 2 * len(set(asked))


def test_q5_quiet_that_never_ends_is_none_and_is_said_once(
    moment: Callable[..., Moment], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "of_shop", module := types.ModuleType("of_shop"))
    module.is_workday = lambda day: False
    found = moment("off-days", name="of_shop:is_workday")
    assert not any(holds(found, f"2026-12-{day:02} 12:00") for day in range(1, 32))
    assert ["no working day within a month" in line for line in said(capsys)] == [True]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"name": "no_such_module:f"}, "no_such_module:f cannot be used here"),
        ({"name": "/no/such/file.json"}, "/no/such/file.json cannot be used here"),
    ],
)
def test_a_calendar_that_came_with_an_alert_and_is_not_here_is_monday_to_friday_said_once(
    given: dict[str, Any], line: str, moment: Callable[..., Moment], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        found = moment("off-days", **given)
        assert (holds(found, "2026-12-05 12:00"), holds(found, "2026-12-07 12:00")) == (True, False)
        assert [line in one for one in said(capsys)] == [True] * (number == 0)


def test_q7_a_zone_that_is_not_here_holds_nothing_and_is_said_once(
    moment: Callable[..., Moment], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        found = moment("22:00-08:00", zone="Mars/Olympus")
        assert found.zone is UTC
        assert not any(holds(found, f"2026-12-05 {hour:02}:00") for hour in range(24))
        assert ["Mars/Olympus" in one for one in said(capsys)] == [True] * (number == 0)


def test_rules_of_another_version_hold_nothing_and_are_said_once(
    moment: Callable[..., Moment], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        assert not holds(moment("22:00-08:00", text='{"quiet":7}'), "2026-12-05 23:00")
        assert len(said(capsys)) == (number == 0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"year": 2030, "days": [7]}', '{"year": "x", "days": []}'])
def test_a_file_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "days.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"days\.json cannot be read"):
        calendar(str(tmp_path / "days.json"))
