"""`Duties`: what the wall, a maintenance and people make of an incident that is due: when, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from .._incidents.fingerprint import audience_of
from .._incidents.hearers import told_by_steps
from .._incidents.limits import MAX_TOLD_TOO
from .._incidents.plan import Act
from .._incidents.values import By, Hold, Incident, holding, standing
from .._text.said import Language
from ..model import Answer, Recipients
from ..model.alert import TAKEN
from ..model.duty import Called, Held, OnDuty, Rang, Scope, Step, Swap
from .moment import Moment, is_of, what_held, what_holds
from .rules import Rules

if TYPE_CHECKING:
    from .people import OnCall
    from .steps import Ids, Phones


@dataclass(eq=False, repr=False, kw_only=True)
class Duties:
    """Those of one handler. ``own`` are its recipients (none of a group's bot, chats of an AI bot), ``rules`` its own
    rules as a text, whose functions may be called. ``scopes`` and ``swaps`` give what holds now, the newest last.

    ``now`` is the time of the journal, in seconds since the epoch.
    """

    own: Recipients
    rules: str
    warn_once: Callable[[str, str], object]
    mask: Callable[[str], str]
    clock: Callable[[], float]
    language: Language = "en"
    scopes: Callable[[], Sequence[Scope]] = tuple
    swaps: Callable[[], Sequence[Swap]] = tuple

    def __post_init__(self) -> None:
        self._rules = Rules(self.warn_once, self.clock)

    @cached_property
    def _on_call(self) -> OnCall:
        """Who is on call; loaded where a rota is named."""
        from .people import OnCall

        return OnCall(self.own, self.rules, self.warn_once, self.swaps, self.clock)

    # When.

    def holds(self, incident: Incident, now: float) -> Hold | None:
        """The quiet hours or the maintenance that hold it longest. None: it need not wait."""
        if not incident.opening.duty and not self.scopes():
            return None
        held = what_holds(incident.opening.level, self._moment(incident, now))
        if held is None:
            return None
        return Hold(held.until, By.SCOPE if held.scope else By.HOURS, now, held.scope, held.why)

    def waited(self, incident: Incident, now: float) -> Held | None:
        """What it has waited for, and is sent with: also the quiet hours within which the program ends. None:
        nothing."""
        hold, level = incident.hold, incident.opening.level
        moment = self._moment(incident, now)
        if hold is None or not hold.is_of_wall:
            return what_held(level, moment, 0.0)
        return what_held(level, moment, hold.since, hold.name, hold.why)

    # To whom. ``named``: those whom its audience or a step names; None: the handler's own.

    def known(self, named: Recipients | None, incident: Incident, now: float) -> Recipients | None:
        """Who gets it, as far as is known without asking: with people in the place of rotas."""
        return self._on_call.known(named, self._moment(incident, now)) if self._has_rota(named) else named

    def called(self, named: Recipients | None, shown: Sequence[tuple[Incident, Act]], now: float) -> Called | None:
        """Who gets the message about these, asked each time that it goes; it may take some seconds. None: it goes as is
        named.

        Who was on call, and has taken one of these, keeps it; who has taken one gets the message that says that this is
        over, whoever else does.
        """
        takes = [take for one, act in shown if (take := self._take(one, act, now, named)) is not None]
        if self._has_rota(named):
            return self._on_call.called(named, self._moment(shown[0][0], now), takes)
        users = tuple(take.user for take in takes if take.user)
        to = named or self.own
        if not to or self.own.chats or not set(users) - set(to.users):
            return None
        return Called(to.with_others(Recipients(users)))

    def _take(self, incident: Incident, act: Act, now: float, named: Recipients | None) -> Answer | None:
        """Of one that a person has taken, that answer."""
        found = standing(incident)
        if found is None or found[1].verb != TAKEN:
            return None
        is_over = holding(incident) is not None and (found[1].until <= now or act is Act.END)
        return found[1] if is_over or self._has_rota(named) else None

    def on_step(self, named: Recipients, incident: Incident, now: float) -> Called | None:
        """Who gets the message of a step now, which goes to no others. It may take some seconds. None: as is named."""
        return self._on_call.on_step(named, self._moment(incident, now)) if self._has_rota(named) else None

    def without(self, named: Recipients | None, incident: Incident, now: float) -> Called | None:
        """Who gets it in the place of those on call, of whom WeCom knows none. None: nobody else."""
        return self._on_call.without(named, self._moment(incident, now)) if self._has_rota(named) else None

    def are_for_same(self, named: Recipients | None, one: Incident, other: Incident) -> bool:
        """True if both go to the same people: a rota of one program may be another in the next."""
        texts = one.opening.duty, other.opening.duty
        if texts[0] == texts[1] or not self._has_rota(named):
            return True
        return self._on_call.are_for_same(named, *map(self._rules.duty, texts))

    def after_hand_over(self, named: Recipients | None, incident: Incident, now: float) -> Incident:
        """As if a step had been sent to those who got it, and are on call no more: they get its news and its end."""
        if not incident.sent.people:
            return incident
        there = self.known(named, incident, now) or Recipients()
        known = {who for one in (there, *told_by_steps(incident)) for who in one.users}
        before = tuple(who for who in incident.sent.people if who not in known)
        if not before:
            return incident
        audiences = (audience_of(Recipients(before)), *incident.sent.audiences)[-MAX_TOLD_TOO:]
        return replace(incident, sent=replace(incident.sent, audiences=audiences))

    def _has_rota(self, named: Recipients | None) -> bool:
        return bool((named or self.own).rotas) and self._on_call.has_rota(named)

    # Steps, and what people ask.

    def step(self, incident: Incident, act: Act) -> Step | None:
        """Its step that is due, for the calls of the last one (`Act.CALL`) that one. None: nobody here can read its
        rules."""
        step, steps = incident.step, self._rules.duty(incident.opening.duty).steps
        place = -1 if step is None else step.number - (act is Act.CALL)
        return steps[place] if 0 <= place < len(steps) else None

    def told(
        self, named: Recipients | None, incident: Incident, now: float, ids: Ids, is_id: Callable[[str], bool]
    ) -> tuple[str, ...]:
        """What people call those who got it before its next step. ``ids`` gives the user ids that are known of some
        recipients, ``is_id`` says whether a name has the form of one."""
        from .steps import names  # loaded where a step is due

        first = Recipients(incident.sent.people) or self.known(named, incident, now) or self.own
        return names([first, *told_by_steps(incident)], incident.sent.ids, ids, is_id, self.language)

    def who(self, recipients: Recipients, sent_ids: Sequence[str], ids: Ids, is_id: Callable[[str], bool]) -> str:
        """What people call those to whom a step was sent, by the ids of those who got it; of one that reached nobody,
        those whom it names."""
        from .steps import names

        return "".join(names([recipients], sent_ids, ids, is_id, self.language))

    def ring(self, channel: Phones, recipients: Recipients) -> Rang:
        """Call those to whom a step was sent: one request, once; with no lock held."""
        from .steps import ring

        return ring(channel, recipients, self.language)

    def shown(self, now: float) -> list[OnDuty]:
        """Who is on call by each of its own rotas. It may take some seconds; any thread may ask."""
        moment = self.moment(self.rules, now)
        return self._on_call.shown(moment) if moment.duty.rotas else []

    def moment(self, text: str, now: float) -> Moment:
        """What such rules ask for at a time."""
        return replace(self._rules.of(text), time=now)

    def _moment(self, incident: Incident, now: float) -> Moment:
        text, scopes = incident.opening.duty, self._scopes_of(incident)
        return replace(self._rules.of(text), time=now, scopes=scopes)

    def _scopes_of(self, incident: Incident) -> tuple[Scope, ...]:
        """The maintenances of what has logged it. Another program may have given any reason."""
        if not (scopes := self.scopes()):
            return ()
        service, logger = (*incident.opening.scopes, "", "")[:2]
        try:
            return tuple(replace(one, why=self.mask(one.why)) for one in scopes if is_of(one, service, logger))
        except Exception:  # of user code (redact): it is said where its message is made
            return ()
