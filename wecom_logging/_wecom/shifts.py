"""``client.shifts``: who works in which shift (打卡排班). Tried against the sandbox only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from ..errors import BadResponseError, MessageError
from ..model import Shift
from . import directory_answers as answers
from . import directory_checks as checks
from .token import Caller

USERS_AT_ONCE = 100
MAX_SPAN_S = 31 * 24 * 3600
DAY_S = 24 * 3600


class Shifts:
    """The calls below ``checkin/``: 60 a minute, free; for apps that are listed under 打卡 – 可调用接口的应用."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def list(self, user_ids: Iterable[str], since: int, until: int) -> tuple[Shift, ...]:
        """The shifts of members on the days from ``since`` to ``until``, seconds since 1970, at most 31 days apart.

        Only members whose rule is 按班次上下班 have any. Asks once for each hundred. Raises
        `InvalidRecipientError` where the app sees no member of an id (301021).
        Source: https://developer.work.weixin.qq.com/document/path/93380
        """
        users = checks.user_ids("user_ids", user_ids)
        if not 0 <= until - since <= MAX_SPAN_S:
            raise MessageError("until: not before since, and at most 31 days after it")
        found: list[Shift] = []
        for start in range(0, len(users), USERS_AT_ONCE):
            body = {"starttime": since, "endtime": until, "useridlist": users[start : start + USERS_AT_ONCE]}
            found += _shifts(self._client.call("checkin/getcheckinschedulist", body))
        return tuple(found)

    def on_shift(self, user_ids: Iterable[str], shift: str, at: float, zone: tzinfo) -> tuple[str, ...]:
        """Those who work at this moment in the shift of this name, in their order.

        ``at``: seconds since 1970. ``zone``: that of the shifts' hours. A night shift belongs to the day on which it
        begins. Raises as `list` does.
        """
        users = tuple(user_ids)
        return working(users, shift, at, zone, self.around(users, at, zone))

    def around(self, user_ids: Iterable[str], at: float, zone: tzinfo) -> tuple[Shift, ...]:
        """The shifts from the day before this moment to the day after it. Raises as `list` does."""
        today = datetime.combine(datetime.fromtimestamp(at, zone).date(), time(), zone)
        since, until = (today + timedelta(days=days) for days in (-1, 1))
        return self.list(user_ids, int(since.timestamp()), int(until.timestamp()))


def working(user_ids: Iterable[str], shift: str, at: float, zone: tzinfo, shifts: Iterable[Shift]) -> tuple[str, ...]:
    """Those who work at this moment in the shift of this name, in their order, by what is known of all shifts."""
    named = [one for one in shifts if one.name == shift]
    works = {one.user_id.lower() for one in named if any(begins <= at < ends for begins, ends in _moments(one, zone))}
    return tuple(user_id for user_id in user_ids if user_id.lower() in works)


def _moments(shift: Shift, zone: tzinfo) -> Iterator[tuple[float, float]]:
    """When each of its spans begins and ends: hours are those of the wall, whatever the clock is put to."""
    midnight = datetime.combine(shift.day, time())
    for begins, ends in shift.spans:
        last = ends if ends > begins else ends + DAY_S
        first, after = (midnight + timedelta(seconds=seconds) for seconds in (begins, last))
        yield first.replace(tzinfo=zone).timestamp(), after.replace(tzinfo=zone).timestamp()


def _shifts(answer: dict[str, Any]) -> Iterator[Shift]:
    for row in answers.items(answer, "schedule_list"):
        user_id, yearmonth = answers.user_id(row), answers.number(row, "yearmonth")
        for one in answers.items(answers.part(row, "schedule"), "scheduleList"):
            info = answers.part(one, "schedule_info")
            spans = tuple(
                (answers.number(span, "work_sec"), answers.number(span, "off_work_sec"))
                for span in answers.items(info, "time_section")
            )
            day = _day(yearmonth, answers.number(one, "day"))
            yield Shift(user_id, day, answers.number(info, "schedule_id"), answers.text(info, "schedule_name"), spans)


def _day(yearmonth: int, day: int) -> date:
    try:
        return date(yearmonth // 100, yearmonth % 100, day)
    except (ValueError, OverflowError):
        raise BadResponseError("the answer has a day that is none") from None
