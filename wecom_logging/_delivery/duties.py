"""`Duties`: what holds at this moment of the rules of time and persons that incidents came with.

They came with the incident, maybe from another program of the fleet: what this process cannot have of them, such as a
calendar, is left out, which is said once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from .. import _config as config
from .._incidents.incident import Incident
from .._incidents.policy.moment import Moment, is_of, monday_to_friday
from .._lines import line
from .._state.scopes import Scopes, known_scopes
from .._text.said import language_of_environment
from ..errors import ConfigurationError
from ..model import Recipients
from ..model.duty import NO_DUTY, Duty, Step
from .options import Options

if TYPE_CHECKING:
    from .._wecom.channels import Channel
    from .delivery import Delivery
    from .on_call import OnCall


_MOST = 64
_KNOWN_S = 3600.0
"""For so long the answers of a calendar are kept: a function of the program may look into a database."""

_MONTH = 31


class Duties:
    """Those of one handler. The worker asks, for each incident that is due.

    ``channel_id`` names all its channels, of which ``channel`` is the first.
    """

    def __init__(self, options: Options, channel_id: str, channel: Channel, clock: Callable[[], float]) -> None:
        self._options = options
        self._channel_id = channel_id
        self._channel = channel
        self._own = channel.addressed(None)
        """Its recipients: a group's bot has none, and an AI bot chats."""
        self._clock = clock
        self._rules: dict[str, Moment] = {}
        self._said: set[str] = set()

    @cached_property
    def on_call(self) -> OnCall:
        """Who is on call; loaded where a rota is named."""
        from .on_call import OnCall

        return OnCall(self._options, self._channel_id, self._own, self._clock)

    def known(self, named: Recipients | None, incident: Incident) -> Recipients | None:
        """Who gets it, as far as is known without asking: with people in the place of rotas."""
        return self.on_call.known(named, self.moment(incident)) if self._has_rota(named or self._own) else named

    def address(self, delivery: Delivery) -> None:
        """Who is on call gets it, asked each time that it goes, until a part of it has gone."""
        named = delivery.named or delivery.recipients or self._own
        if not self._has_rota(named) or delivery.done:
            return
        incidents = [claim.incident for claim in delivery.claims]
        if delivery.is_step:
            delivery.address(named, self.on_call.on_step(named, self.moment(incidents[0])))
        else:
            delivery.address(named, self.on_call.called(named, self.moment(incidents[0]), incidents))

    def address_others(self, delivery: Delivery) -> bool:
        """WeCom knows none of those on call: who gets it in their place. Whether that is anybody else."""
        if delivery.named is None or delivery.nobody or delivery.done or delivery.is_step:
            return False
        moment = self.moment(delivery.claims[0].incident)
        delivery.address(delivery.named, self.on_call.without(delivery.named, moment))
        return True

    def are_for_same(self, named: Recipients | None, one: Incident, other: Incident) -> bool:
        """Whether both go to the same people: a rota of one program may be another in the next."""
        if one.duty == other.duty or not self._has_rota(named or self._own):
            return True
        names = {*(named or self._own).rotas, *self._own.rotas}
        duties = [self._duty(each.duty) for each in (one, other)]
        found = [(duty.zone, [rota for rota in duty.rotas if rota.name in names]) for duty in duties]
        return found[0] == found[1]

    def _has_rota(self, named: Recipients) -> bool:
        return bool(named.rotas and self._own and not self._own.chats)

    def moment(self, incident: Incident, *, is_closing: bool = False) -> Moment:
        """What rules ask for, of one that is due now."""
        time = self._options.shared.time_s()
        scopes = self._scopes_of(incident)
        if not incident.duty:
            return Moment(time=time, scopes=scopes, is_closing=is_closing)
        return replace(self.rules(incident.duty), time=time, scopes=scopes, is_closing=is_closing)

    def rules(self, text: str) -> Moment:
        """What such rules ask for, at no time."""
        if (rules := self._rules.get(text)) is None:
            if len(self._rules) >= _MOST:
                self._rules.clear()
            rules = self._rules[text] = self._resolved(self._duty(text))
        return rules

    def _scopes_of(self, incident: Incident) -> Scopes:
        """The maintenances of what has logged it. Another program may have given any reason."""
        if not (scopes := known_scopes(self._options.shared)):
            return ()
        try:
            alert = incident.first.alert
            found = (one for one in scopes if is_of(one, alert.service, alert.logger))
            return tuple(replace(one, why=self._options.mask(one.why)) for one in found)
        except Exception:  # of user code (redact): it is said where its message is made
            return ()

    def step(self, incident: Incident) -> Step | None:
        """The step of its escalation that began last; None: another version wrote it."""
        steps = self._duty(incident.duty).steps
        return steps[incident.step - 1] if 0 < incident.step <= len(steps) else None

    def _duty(self, text: str) -> Duty:
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
            if (time := self._options.shared.time_s()) >= until:
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
            self._options.warn_once(text, text)
