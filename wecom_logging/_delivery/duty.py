"""`Duty`: what a leader asks of the room of duty. Whoever builds a handler hands it over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .._incidents.plan import Act
from .._incidents.values import Hold, Incident
from .._wecom.channels import Channel
from ..model import Recipients
from ..model.duty import Called, Held, OnDuty, Rang, Scope, Step

Ids = Callable[[Recipients], Sequence[str]]


class Duty(Protocol):
    """When an incident may be sent, by the wall and by people, and to whom. ``named``: those whom its audience or a
    step names; None: the handler's own. ``now``: on the clock of the journal."""

    @property
    def scopes(self) -> Callable[[], Sequence[Scope]]:
        """Gives the maintenances, as they are now."""

    def holds(self, incident: Incident, now: float) -> Hold | None:
        """The quiet hours or the maintenance that hold it longest."""

    def waited(self, incident: Incident, now: float) -> Held | None:
        """What it has waited for, and is sent with."""

    def known(self, named: Recipients | None, incident: Incident, now: float) -> Recipients | None:
        """Who gets it, as far as is known without asking."""

    def called(self, named: Recipients | None, shown: Sequence[tuple[Incident, Act]], now: float) -> Called | None:
        """Who gets the message about these; it may take some seconds. None: it goes as is named."""

    def on_step(self, named: Recipients, incident: Incident, now: float) -> Called | None:
        """Who gets the message of a step now; it may take some seconds. None: it goes as is named."""

    def without(self, named: Recipients | None, incident: Incident, now: float) -> Called | None:
        """Who gets it in the place of those on call, of whom WeCom knows none."""

    def are_for_same(self, named: Recipients | None, one: Incident, other: Incident) -> bool:
        """True if both go to the same people."""

    def after_hand_over(self, named: Recipients | None, incident: Incident, now: float) -> Incident:
        """As if a step had been sent to those who got it, and are on call no more."""

    def step(self, incident: Incident, act: Act) -> Step | None:
        """Its step that is due, for its calls the last one."""

    def told(
        self, named: Recipients | None, incident: Incident, now: float, ids: Ids, is_id: Callable[[str], bool]
    ) -> tuple[str, ...]:
        """What people call those who got it before its next step."""

    def who(self, recipients: Recipients, sent_ids: Sequence[str], ids: Ids, is_id: Callable[[str], bool]) -> str:
        """What people call those to whom a step was sent."""

    def ring(self, channel: Channel, recipients: Recipients) -> Rang:
        """Ring their phones."""

    def shown(self, now: float) -> list[OnDuty]:
        """Who is on call, by each rota."""
