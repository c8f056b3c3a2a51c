"""`Duties`: what holds at this moment of the rules of time and persons that incidents of a state came with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from .._duty.moment import Moment, is_of
from .._duty.rules import Rules
from .._incidents.incident import Incident
from .._incidents.scopes import Scopes
from .._state.scopes import known_scopes
from ..model import Recipients
from ..model.alert import TAKEN
from ..model.duty import Step
from .options import Options

if TYPE_CHECKING:
    from .._duty.people import OnCall
    from .._wecom.channels import Channel
    from .delivery import Delivery


class Duties:
    """Those of one handler. The worker asks, for each incident that is due.

    ``channel_id`` names all its channels, of which ``channel`` is the first.
    """

    def __init__(self, options: Options, channel_id: str, channel: Channel, clock: Callable[[], float]) -> None:
        self._options = options
        self._channel_id = channel_id
        self._own = channel.addressed(None)
        """Its recipients: a group's bot has none, and an AI bot chats."""
        self._clock = clock
        self._rules = Rules(options.warn_once, lambda: options.shared.time_s())

    @cached_property
    def on_call(self) -> OnCall:
        """Who is on call; loaded where a rota is named."""
        from .._duty.people import OnCall
        from .._state.swaps import known_swaps

        options, channel = self._options, self._channel_id
        swaps = lambda: known_swaps(options.shared, channel)  # noqa: E731 # the state is asked each time
        return OnCall(self._own, options.duty, options.warn_once, swaps, self._clock)

    def known(self, named: Recipients | None, incident: Incident) -> Recipients | None:
        """Who gets it, as far as is known without asking: with people in the place of rotas."""
        return self.on_call.known(named, self.moment(incident)) if self._has_rota(named) else named

    def address(self, delivery: Delivery) -> None:
        """Who is on call gets it, asked each time that it goes, until a part of it has gone."""
        named = delivery.named or delivery.recipients or self._own
        if not self._has_rota(named) or delivery.done:
            return
        incidents = [claim.incident for claim in delivery.claims]
        if delivery.is_step:
            delivery.address(named, self.on_call.on_step(named, self.moment(incidents[0])))
        else:
            takes = [one.answers.now for one in incidents if one.answers.now and one.answers.now.verb == TAKEN]
            delivery.address(named, self.on_call.called(named, self.moment(incidents[0]), takes))

    def address_others(self, delivery: Delivery) -> bool:
        """WeCom knows none of those on call: who gets it in their place. Whether that is anybody else."""
        if delivery.named is None or delivery.nobody or delivery.done or delivery.is_step:
            return False
        moment = self.moment(delivery.claims[0].incident)
        delivery.address(delivery.named, self.on_call.without(delivery.named, moment))
        return True

    def are_for_same(self, named: Recipients | None, one: Incident, other: Incident) -> bool:
        """Whether both go to the same people: a rota of one program may be another in the next."""
        if one.duty == other.duty or not self._has_rota(named):
            return True
        return self.on_call.are_for_same(named, self._rules.duty(one.duty), self._rules.duty(other.duty))

    def _has_rota(self, named: Recipients | None) -> bool:
        return bool((named or self._own).rotas) and self.on_call.has_rota(named)

    def moment(self, incident: Incident, *, is_closing: bool = False) -> Moment:
        """What rules ask for, of one that is due now."""
        time, scopes = self._options.shared.time_s(), self._scopes_of(incident)
        return replace(self._rules.of(incident.duty), time=time, scopes=scopes, is_closing=is_closing)

    def rules(self, text: str) -> Moment:
        """What such rules ask for, at no time."""
        return self._rules.of(text)

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
        steps = self._rules.duty(incident.duty).steps
        return steps[incident.step - 1] if 0 < incident.step <= len(steps) else None
