"""`Moment`: what the wall shows, and the rules that an incident came with; and what these hold. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo

from ..model.duty import NO_DUTY, Duty, Held, Scope
from .hours import quiet

_SOON_S = 0.05
"""What ends within it holds nothing."""


def monday_to_friday(day: date) -> bool:
    """A calendar without holidays."""
    return day.weekday() < 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """``time`` is in seconds since the epoch, on the clock of all who share a state; ``duty`` are the rules that the
    incident came with, in ``zone``. ``scopes`` are the maintenances of what has logged it, which may have ended."""

    time: float = 0.0
    duty: Duty = NO_DUTY
    zone: tzinfo = UTC
    is_workday: Callable[[date], bool] = monday_to_friday
    scopes: Sequence[Scope] = ()
    is_closing: bool = False
    """Whether the program ends, and no other can tell what waits: nothing is held."""


def what_holds(level: int, moment: Moment) -> Held | None:
    """The quiet hours or the maintenance that hold what is of this level longest. None: it need not wait."""
    if moment.is_closing:
        return None
    may = [one for one in moment.scopes if one.began <= moment.time and may_hold(one, level)]
    by_scopes = (Held(one.began, one.until, scope=one.name, why=one.why) for one in may)
    hold = [hours_at(moment.time, level, moment), *by_scopes]
    lasting = [one for one in hold if one is not None and one.until > moment.time + _SOON_S]
    return max(lasting, key=lambda one: one.until, default=None)


def what_held(level: int, moment: Moment, since: float, scope: str = "", why: str = "") -> Held | None:
    """What it has waited for ``since`` then, and is sent with: quiet hours, or a maintenance of ``scope``; 0: it has
    not waited, and this is the quiet hours within which the program ends. None: nothing."""
    hours = None if scope else hours_at(since or moment.time, level, moment)
    return hours or (Held(since, moment.time, scope=scope, why=why) if since else None)


def hours_at(time: float, level: int, moment: Moment) -> Held | None:
    """The quiet hours that hold what is of this level at this time; those without an end do not."""
    duty = moment.duty
    if not duty.quiet or level >= duty.quiet_level:
        return None
    began, until = quiet(duty.quiet, time, moment.zone, moment.is_workday)
    return Held(began, until, moment.zone) if time < until < float("inf") else None


def may_hold(scope: Scope, level: int) -> bool:
    """Whether it holds what is of this level."""
    return scope.critical or level < logging.CRITICAL


def is_of(scope: Scope, service: str, logger: str) -> bool:
    """Whether it is of this service, or of this logger or one above it."""
    return scope.name in (service, logger) or logger.startswith(f"{scope.name}.")
