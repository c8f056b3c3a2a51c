"""checkin/… (打卡): who works in which shift. One rule (按班次上下班) of two shifts, and all members are in it.

Pages: getcheckinschedulist https://developer.work.weixin.qq.com/document/path/93380, setcheckinschedulist /93385,
getcheckinoption /90263. A day is that of China.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

from .access import Answer, Asked
from .corp import Corp
from .directory import Member
from .fields import NO_NUMBER, Fields
from .limits import Limit, SlidingWindow
from .refusal import known, refuse_if
from .visibility import Sight

RATE = Limit(60, 60)
MAX_USERS = 100
MAX_DAYS = 31
LATEST = 2**32 - 1
CHINA = timezone(timedelta(hours=8))
WRONG = 301075
NOBODY = 301021
OFF = 0
GROUP = {"groupid": 1, "groupname": "值班"}
SHIFTS = {1: ("早班", 9, 18), 2: ("晚班", 18, 33)}
"""By their id: name, first hour, and the hour after the last, which is one of the next day from 24 on."""


class Checkin:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._window = corp.rates["checkin"] = SlidingWindow(corp.clock, RATE)
        self._schedule: dict[tuple[str, date], int] = {}

    def schedules(self, asked: Asked) -> Answer:
        body, sight = self._asked(asked)
        days = list(_days(body))
        found = []
        for member in self._members(body, sight):
            months: dict[int, list[Answer]] = {}
            for day in days:
                if (shift := self._schedule.get((member.key, day))) is not None:
                    shown = {"day": day.day, "schedule_info": _shift(shift, "id")}
                    months.setdefault(day.year * 100 + day.month, []).append(shown)
            found += [
                {"userid": member.user_id, "yearmonth": month, **GROUP, "schedule": {"scheduleList": shown}}
                for month, shown in months.items()
            ]
        return {"schedule_list": found}

    def set_schedules(self, asked: Asked) -> Answer:
        body, sight = self._asked(asked)
        year, month = divmod(body.number("yearmonth"), 100)
        items = body.parts("items")
        is_known = body.number("groupid") == GROUP["groupid"] and year in range(2000, 2100) and month in range(1, 13)
        refuse_if(not is_known or not items, WRONG)
        wanted = {}
        for item in items:
            day, shift = item.number("day"), item.number("schedule_id", NO_NUMBER)
            refuse_if(not 1 <= day <= monthrange(year, month)[1] or shift not in (OFF, *SHIFTS), WRONG)
            wanted[known(sight.member(item.text("userid")), NOBODY).key, date(year, month, day)] = shift
        self._schedule |= wanted
        return {}

    def options(self, asked: Asked) -> Answer:
        body, sight = self._asked(asked)
        refuse_if(not 0 < body.number("datetime") <= LATEST, WRONG)
        group = {
            "grouptype": 2,
            **GROUP,
            "checkindate": [],
            "spe_workdays": [],
            "spe_offdays": [],
            "sync_holidays": False,
            "schedulelist": [_shift(id, "time_id") for id in SHIFTS],
        }
        return {"info": [{"userid": member.user_id, "group": group} for member in self._members(body, sight)]}

    def _asked(self, asked: Asked) -> tuple[Fields, Sight]:
        refuse_if(not self._corp.checkin, 48002)
        refuse_if(not self._window.admits((asked.app, asked.request.path)), 45009)
        return asked.body, asked.sight

    def _members(self, body: Fields, sight: Sight) -> list[Member]:
        users = body.texts("useridlist")
        refuse_if(not 1 <= len(users) <= MAX_USERS, WRONG)
        return [known(sight.member(user_id), NOBODY) for user_id in dict.fromkeys(users)]


def _days(body: Fields) -> Iterator[date]:
    first, last = body.number("starttime", NO_NUMBER), body.number("endtime", NO_NUMBER)
    refuse_if(not 0 < first <= last <= LATEST or last - first > MAX_DAYS * 24 * 3600, WRONG)
    day, end = datetime.fromtimestamp(first, CHINA).date(), datetime.fromtimestamp(last, CHINA).date()
    while day <= end:
        yield day
        day += timedelta(days=1)


def _shift(id: int, number: str) -> Answer:
    """``number`` is what the two calls name the number of a span."""
    if id == OFF:
        return {"schedule_id": OFF, "schedule_name": "休息", "time_section": []}
    name, first, last = SHIFTS[id]
    begins, ends = first * 3600, last * 3600
    span = {"work_sec": begins, "off_work_sec": ends, "remind_work_sec": begins, "remind_off_work_sec": ends}
    return {"schedule_id": id, "schedule_name": name, "time_section": [{number: id, **span}]}
