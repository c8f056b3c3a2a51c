"""Quiet hours of a handler: what of them a person should know before the first night."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from ... import _config as config
from ..._config.duty import duty, with_file
from ..._delivery.calendars import calendar
from ..texts import said
from .findings import Notes


def look_at_duty(notes: Notes, options: Mapping[str, Any]) -> None:
    """That without a state the exit sends what waits; that nobody knows the days of the next year yet."""
    found = duty(with_file(dict(options)))  # type: ignore[arg-type] # they are checked
    if not found.quiet:
        return
    if config.state(options.get("state")).scheme == "memory":
        notes.bad("quiet_hours", said("found.quiet_in_memory"), said("found.keep_quiet"), warning=True)
    if found.calendar and any(span.kind for span in found.quiet):
        _look_at_calendar(
            notes, found.calendar, datetime.fromtimestamp(time.time(), config.timezone(found.zone)).date()
        )


def _look_at_calendar(notes: Notes, name: str, today: date) -> None:
    """The notice of a year comes between the end of October and the middle of December before it."""
    remedy = said("found.update_library" if name == "cn" else "found.add_days")
    with suppress(Exception):  # of the program's own function, which may need the program
        days = calendar(name)
        if days(today) is None:
            notes.bad("calendar", said("found.no_days", year=today.year), remedy, warning=True)
        elif today.month >= 11 and days(date(today.year + 1, 1, 1)) is None:
            cause = said("found.no_days", year=today.year + 1)
            if (today.month, today.day) < (12, 15):
                notes.unknown("calendar", cause, remedy)
            else:
                notes.bad("calendar", cause, remedy, warning=True)
