"""`Duties`: what holds at this moment of the rules of time and persons that incidents came with."""

from __future__ import annotations

from .._incidents.duty import duty_of
from .._incidents.incident import Incident
from .._incidents.policy.moment import Moment, is_of
from .._state.scopes import Scopes, known_scopes
from ..model.duty import NO_DUTY, Duty
from .options import Options


class Duties:
    """Those of one handler. The worker asks, for each incident that is due."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def moment(self, incident: Incident, *, is_closing: bool = False) -> Moment:
        """What rules ask for, of one that is due now."""
        time = self._options.shared.time_s()
        return Moment(time=time, duty=self._duty(incident.duty), scopes=self._of(incident), is_closing=is_closing)

    def _of(self, incident: Incident) -> Scopes:
        """Those of what has logged it."""
        if not (scopes := known_scopes(self._options.shared)):
            return ()
        try:
            alert = incident.first.alert
        except Exception:  # of user code (redact): it is said where its message is made
            return ()
        return tuple(one for one in scopes if is_of(one, alert.service, alert.logger))

    def _duty(self, text: str) -> Duty:
        try:
            return duty_of(text)
        except ValueError:  # of a newer version: it is told as without rules
            self._options.warn_once("duty", "rules of another version came with an alert: it is sent without them")
            return NO_DUTY
