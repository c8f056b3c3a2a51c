"""What would happen now, in one line: to whom an alert goes, or until when it waits, and what its steps are."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._cli.doctor.outlook import line_of_outlook
from wecom_logging._duty.moment import Moment
from wecom_logging._duty.on_call import on_duty
from wecom_logging._duty.outlook import outlook
from wecom_logging._text.said import Said
from wecom_logging.model import Recipients
from wecom_logging.model.duty import ALL_LEVELS, Duty, Rota, Span, Step

SHANGHAI = ZoneInfo("Asia/Shanghai")
OWN = Recipients(("on-call:web",))
NIGHT, OFF_DAYS = Span((0, 1, 2, 3, 4, 5, 6), begin=22 * 60, end=8 * 60), Span(kind="off-days")
WEB = Rota("web", (("张三",), ("李四", "王五")), "2026-12-07 10:00", days=7)
BOTH = (NIGHT, Span((0, 1, 2, 3, 4), begin=0, end=9 * 60), OFF_DAYS)
STEPS = (Step(900.0, Recipients(("李四",))), Step(1800.0, Recipients(departments=("运维部",), leader_of=("7",))))


def said(wall: str, duty: Duty, own: Recipients = OWN, *, is_now: bool = True) -> Said:
    time = datetime.fromisoformat(wall).replace(tzinfo=SHANGHAI).timestamp()
    moment = Moment(time=time, duty=duty, zone=SHANGHAI)
    found = outlook(moment, own, lambda rota, at: on_duty(rota, at, SHANGHAI).people)
    return line_of_outlook(found, moment, is_now=is_now)


def test_the_line_of_a_night_of_a_day_off() -> None:
    duty = Duty(quiet=BOTH, rotas=(WEB,), steps=STEPS[:1])
    assert said("2026-12-13 02:14", duty) == Said(
        "now (Sunday 02:14, day off): ERROR waits until Monday 09:00, CRITICAL goes to 张三; "
        "after 15 min without a take to 李四",
        "现在（周日 02:14，休息日）：错误等到周一 09:00，严重发给张三；15 分钟无人认领则发给李四",
    )


@pytest.mark.parametrize(
    ("wall", "duty", "more", "en"),
    [
        ("2026-12-09 14:00", {}, {}, "now (Wednesday 14:00, working day): ERROR and CRITICAL go to 张三"),
        (
            "2026-12-14 10:00",
            {"quiet": BOTH},
            {"is_now": False},
            "2026-12-14 10:00 (Monday, working day): ERROR and CRITICAL go to 李四, 王五",
        ),
        (
            "2026-12-13 02:14",
            {"quiet": BOTH, "quiet_level": ALL_LEVELS, "steps": STEPS},
            {},
            "now (Sunday 02:14, day off): ERROR and CRITICAL wait until Monday 09:00",
        ),
        (
            "2026-12-12 21:50",
            {"quiet": (NIGHT,), "steps": STEPS, "steps_level": 40},
            {},
            "now (Saturday 21:50, day off): ERROR goes to 张三; Sunday 08:00 without a take to 李四; "
            "Sunday 08:00 without a take to 运维部, leader of 7, "
            "CRITICAL goes to 张三; after 15 min without a take to 李四; "
            "after 30 min without a take to 运维部, leader of 7",
        ),
        (
            "2026-12-14 09:50",
            {"steps": (Step(900.0, Recipients(("on-call:web",))),)},
            {},
            "now (Monday 09:50, working day): ERROR goes to 张三, "
            "CRITICAL goes to 张三; after 15 min without a take to 李四, 王五",
        ),
        (
            "2026-12-09 14:00",
            {"quiet": (Span((0, 1, 2, 3, 4, 5, 6)),)},
            {},
            "now (Wednesday 14:00, working day): ERROR and CRITICAL go to 张三",
        ),
        (
            "2026-12-09 14:00",
            {},
            {"own": Recipients()},
            "now (Wednesday 14:00, working day): ERROR and CRITICAL go to the group",
        ),
        (
            "2026-12-09 14:00",
            {},
            {"own": Recipients(("@all",), tags=("t",))},
            "now (Wednesday 14:00, working day): ERROR and CRITICAL go to everybody, t",
        ),
    ],
    ids=range(8),
)
def test_what_would_happen(wall: str, duty: dict[str, Any], more: dict[str, Any], en: str) -> None:
    found = said(wall, Duty(rotas=(WEB,), **duty), **more)
    assert found.en == en
    assert not any(word in found.zh for word in ("Monday", "until", "goes", "take"))


def test_a_calendar_says_what_a_day_is() -> None:
    time = datetime(2026, 2, 14, 10, tzinfo=SHANGHAI).timestamp()  # a Saturday on which people work
    moment = Moment(time=time, zone=SHANGHAI, is_workday=lambda day: day == date(2026, 2, 14))
    assert outlook(moment, Recipients(), lambda rota, at: ()).is_workday
