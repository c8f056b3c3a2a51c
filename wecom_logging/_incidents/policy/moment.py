"""`Moment`: what the wall shows and who is on call when an incident is due; and what that holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo

from ...model.duty import NO_DUTY, Duty, Held, Scope, Swap
from ..incident import Incident
from ..stored import CRITICAL
from .hours import quiet_from, quiet_until


def monday_to_friday(day: date) -> bool:
    """A calendar without holidays."""
    return day.weekday() < 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """``time`` is in seconds since the epoch, on the clock of all who share a state; ``duty`` are the rules that the
    incident came with, in ``zone``. ``scopes`` are the maintenances of what has logged it, ``swaps`` what people have
    changed of rotas; each may have ended."""

    time: float = 0.0
    duty: Duty = NO_DUTY
    zone: tzinfo = UTC
    is_workday: Callable[[date], bool] = monday_to_friday
    scopes: Sequence[Scope] = ()
    swaps: Sequence[Swap] = ()
    is_closing: bool = False
    """Whether the program ends, and no other can tell what waits: nothing is held."""


def held_until(incident: Incident, moment: Moment) -> float:
    """Until when quiet hours or a maintenance hold it, in seconds since the epoch; no later than now: they do not."""
    scope = scope_of(incident, moment)
    hours = 0.0 if moment.is_closing else hours_until(incident.level, moment, moment.time)
    return max(hours, 0.0 if scope is None else scope.until)


def has_waited(incident: Incident, moment: Moment) -> bool:
    """Whether it is told with what quiet hours or a maintenance have held: also where the program ends within them."""
    return incident.quiet_since > 0 or hours_until(incident.level, moment, moment.time) > moment.time


def what_held(incident: Incident, moment: Moment) -> Held:
    """What it has waited for."""
    since = incident.quiet_since or moment.time
    if not incident.quiet_by and (until := hours_until(incident.level, moment, since)) > since:
        began = quiet_from(moment.duty.quiet, since, moment.zone, moment.is_workday)
        return Held(began, until, moment.zone)
    return Held(since, moment.time, scope=incident.quiet_by)


def hours_until(level: int, moment: Moment, time: float) -> float:
    """When the quiet hours end that hold what is of this level at this time; those without an end do not."""
    duty = moment.duty
    if level >= duty.quiet_level or not duty.quiet:
        return 0.0
    until = quiet_until(duty.quiet, time, moment.zone, moment.is_workday)
    return until if until < float("inf") else 0.0


def scope_of(incident: Incident, moment: Moment) -> Scope | None:
    """The maintenance that holds it longest."""
    hold = [one for one in moment.scopes if one.began <= moment.time < one.until and not moment.is_closing]
    hold = [one for one in hold if one.critical or incident.level < CRITICAL]
    return max(hold, key=lambda one: one.until, default=None)


def is_of(scope: Scope, service: str, logger: str) -> bool:
    """Whether it is of this service, or of this logger or one above it."""
    return scope.name in (service, logger) or logger.startswith(f"{scope.name}.")
