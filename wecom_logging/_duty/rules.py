"""`Rules`: the rules of time and persons that incidents came with, as this process can follow them.

They came with the incident, maybe from another program of the fleet: what this process cannot have of them, such as a
calendar, is left out, which is said once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from .. import _config as config
from .._lines import line
from .._text.said import language_of_environment
from ..errors import ConfigurationError
from ..model.duty import NO_DUTY, Duty
from .moment import Moment, monday_to_friday

_MOST = 64
_KNOWN_S = 3600.0
"""For so long the answers of a calendar are kept: a function of the program may look into a database."""

_MONTH = 31


@dataclass(eq=False, repr=False)
class Rules:
    """Those that one handler has met. ``warn_once(cause, text)`` says what is left out; ``time_s`` is the time in
    seconds since the epoch."""

    _warn_once: Callable[[str, str], object]
    _time_s: Callable[[], float]

    def __post_init__(self) -> None:
        self._known: dict[str, Moment] = {}
        self._said: set[str] = set()

    def of(self, text: str) -> Moment:
        """What such rules ask for, at no time."""
        if not text:
            return _NONE
        if (rules := self._known.get(text)) is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            rules = self._known[text] = self._resolved(self.duty(text))
        return rules

    def duty(self, text: str) -> Duty:
        """What such a text says; one of a newer version says nothing."""
        from .._incidents.duty import duty_of  # a program whose options say something of it has it since it was built

        try:
            return duty_of(text)
        except ValueError:  # of a newer version: it is told as without rules
            self._say(line("duty_unknown"))
            return NO_DUTY

    def _resolved(self, duty: Duty) -> Moment:
        """All but the time, which passes."""
        try:
            zone = config.timezone(duty.zone)
        except ConfigurationError as error:  # another zone would be another time
            self._say(line("duty_zone", name=duty.zone, error=error.problem(language_of_environment())))
            return Moment(duty=replace(duty, quiet=(), rotas=()))
        assert zone is not None
        if not any(span.kind for span in duty.quiet):
            return Moment(duty=duty, zone=zone)
        return Moment(duty=duty, zone=zone, is_workday=self._calendar(duty.calendar))

    def _calendar(self, name: str) -> Callable[[date], bool]:
        if not name:
            return monday_to_friday
        from .calendars import calendar

        try:
            found = calendar(name)
        except ConfigurationError as error:
            self._say(line("calendar_away", name=name, error=error.problem(language_of_environment())))
            return monday_to_friday
        known: dict[date, bool] = {}
        until = 0.0

        def ask(day: date) -> bool | None:
            try:
                if (answer := found(day)) is None:
                    self._say(line("calendar_year", name=name, year=day.year))
            except (Exception, SystemExit) as error:  # of the program's own function
                self._say(line("calendar_raised", name=name, error=type(error).__name__))
                return None
            return answer

        def is_workday(day: date) -> bool:
            nonlocal until
            if (time := self._time_s()) >= until:
                known.clear()
                until = time + _KNOWN_S
            if day not in known:
                answer = ask(day)
                known[day] = monday_to_friday(day) if answer is None else answer
                if len(known) >= _MONTH and not any(known.values()):
                    self._say(line("calendar_never", name=name))
            return known[day]

        return is_workday

    def _say(self, text: str) -> None:
        """Once for this handler."""
        if text not in self._said and len(self._said) < _MOST:
            self._said.add(text)
            self._warn_once(text, text)


_NONE = Moment()
