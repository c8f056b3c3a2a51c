"""What would happen to a new alert at some time: to whom it goes, or until when it waits, and what its steps are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ..model import Recipients
from ..model.duty import Called, Rota
from .moment import Moment, hours_at
from .on_call import called

LEVELS = (40, 50)
"""Of which is said what would happen: ERROR and CRITICAL."""


@dataclass(frozen=True, slots=True)
class Further:
    """A step: ``after_s`` seconds after the first message, which is ``at``, or later where quiet hours hold it."""

    after_s: float
    at: float
    to: Called
    calls: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """Of alerts of these levels: they go at once (``until`` is 0), and then to the ``steps``; or wait until then."""

    levels: tuple[int, ...]
    until: float
    to: Called
    steps: tuple[Further, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """On a day that is a working day or not."""

    time: float
    is_workday: bool
    ways: tuple[Way, ...]


def outlook(moment: Moment, own: Recipients, people: Callable[[Rota, float], tuple[str, ...] | None]) -> Outlook:
    """What would happen at this moment to what names nobody; ``people`` says who is on call by a rota at a time."""
    ways: list[Way] = []
    for level in LEVELS:
        way = _way(moment, level, own, people)
        if ways and replace(ways[-1], levels=()) == replace(way, levels=()):
            way = replace(way, levels=(*ways.pop().levels, level))
        ways.append(way)
    return Outlook(moment.time, moment.is_workday(datetime.fromtimestamp(moment.time, moment.zone).date()), tuple(ways))


def _way(moment: Moment, level: int, own: Recipients, people: Callable[[Rota, float], tuple[str, ...] | None]) -> Way:
    duty, told_at = moment.duty, _not_before(moment.time, level, moment)
    until, steps = told_at if told_at > moment.time else 0.0, []
    for step in duty.steps if level >= duty.steps_level and not until else ():
        due = told_at + step.after_s
        at = _not_before(due, level, moment)
        to = called(step.recipients, Recipients(), duty.rotas, lambda rota: people(rota, at))  # noqa: B023 # called at once
        steps.append(Further(step.after_s, at, to, step.calls))
    return Way((level,), until, called(own, own, duty.rotas, lambda rota: people(rota, told_at)), tuple(steps))


def _not_before(time: float, level: int, moment: Moment) -> float:
    """That time, or the end of the quiet hours that hold then."""
    hours = hours_at(time, level, moment)
    return time if hours is None else hours.until
