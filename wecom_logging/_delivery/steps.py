"""`Steps`: the messages of an escalation. What a step becomes, and when it is due, is decided by `escalation`.

It begins with a swap, so that a person who takes the incident at this moment wins, or comes after it, as a whole. Its
message goes in a later turn, of whichever process, with those of all whose steps begin at that moment; each try of the
same has the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from .._duty.steps import names, ring
from .._incidents import escalation
from .._incidents.fingerprint import audience_of
from .._incidents.policy import told_by_steps
from .._incidents.view import anew
from .._render.facts import called
from .._state.failover import Claim
from .._text.said import language_of_environment
from .._wecom.channels import Channel
from .._wecom.directory_checks import is_user_id
from .._wecom.explained import explained
from ..errors import InvalidRecipientError, MessageError
from ..model import Digest, Outcome, Recipients
from ..model.alert import TAKEN, Escalation
from .claims import Claims
from .delivery import Delivery
from .duties import Duties
from .ledger import Ledger
from .options import Options
from .sender import Senders

_NO_ROOM_S = 1.0
_STEP = "step of "
GATHER_S = 1.0
"""So long processes that begin steps at one moment wait for each other: one of them tells all, and calls."""


@dataclass(eq=False, repr=False)
class Steps:
    """Those of one handler. Who uses it holds the lock of the turn."""

    nobody = Outcome("kept", error=MessageError("nobody is on call"))
    """Of a step that names only rotas by which nobody is."""

    _options: Options
    _claims: Claims
    _duties: Duties
    _ledger: Ledger
    _senders: Senders
    _channel: Channel

    def next(self, claim: Claim, now: float) -> Delivery | None:
        """The message of a step that has begun, and of those that go with it. None: they begin now, or wait, or are
        over."""
        doing = escalation.doing(claim.incident, now)
        if doing != escalation.BEGINS and not self._claims.tells_for_all(claim, now, GATHER_S, _STEP):
            return None
        claims = [claim, *self._claims.together(claim, now)]
        if doing == escalation.BEGINS:
            time = self._options.shared.time_s()
            self._ledger.become(claims, partial(escalation.stepped, now=now, time=time), now)
            return None
        step = self._duties.step(claim.incident)
        if step is None or any(map(partial(escalation.is_late, now=now), [one.incident for one in claims])):
            self._miss(claims, "failed", now)
            return None
        if (wait_s := self._senders.wait(self._duties.known(step.recipients, claim.incident))) > 0:
            self._later(claims, now + wait_s, now)
            return None
        return Delivery(claims, recipients=step.recipients, is_step=True)

    def digest(self, claim: Claim) -> Digest:
        """The whole alert, with what had come when the step began."""
        incident, began = claim.incident, escalation.began(claim.incident)
        number = max(began.count - incident.answers.base, 1)
        known = Recipients(incident.heard) or self._duties.known(self._claims.recipients(claim), incident)
        told = [self._channel.addressed(known), *told_by_steps(incident)]
        taken = incident.answers.now
        return Digest(
            anew(incident.first.alert, incident),
            count=number,
            total=number,
            times=incident.times,
            times_since=incident.times_since,
            short_id=incident.short_id,
            answer=began,
            told_at=began.at,
            escalation=Escalation(
                incident.step,
                len(incident.steps),
                incident.steps[incident.step - 1],
                self._names(told, incident.sent_ids),
                escalation.missed_before(incident),
                taken.who if taken is not None and taken.verb == TAKEN else "",
            ),
        )

    def ring(self, delivery: Delivery) -> None:
        """Call those whom a step has told, if it says so: one request, once, with no lock held."""
        step = self._duties.step(delivery.claims[0].incident)
        if step is None or not step.calls or delivery.recipients is None:
            return
        rang = ring(self._channel, delivery.recipients, self._options.looks.language)
        delivery.phoned = rang.phoned
        if rang.error is not None:
            self._options.warn_once("phone", explained(rang.error, language_of_environment()))

    def settle(self, delivery: Delivery, outcome: Outcome, now: float, *, refused: bool) -> None:
        """What became of its message: it tells somebody, nobody, or is tried again."""
        claims = delivery.claims
        if outcome.delivered or delivery.done:
            self.told(delivery, claims, now)
        elif refused:
            nobody = isinstance(outcome.error, InvalidRecipientError | MessageError)
            named = self.called(delivery.named or delivery.recipients or Recipients())
            self._miss(claims, f"nobody {named}" if nobody else "failed", now)
        elif outcome.error is None and not delivery.failed:  # another process has taken the room
            self._later(claims, now + max(self._senders.wait(delivery.recipients), _NO_ROOM_S), now)
        else:
            self._ledger.become(claims, partial(escalation.step_failed, now=now), now)

    def told(self, delivery: Delivery, claims: list[Claim], now: float) -> None:
        """It has told these."""
        assert delivery.recipients is not None
        audience, ids = audience_of(delivery.recipients), delivery.sent_ids
        who = "".join(self._names([delivery.recipients], ids))
        self._ledger.refused.difference_update(claim.key for claim in claims)
        told = partial(escalation.step_told, audience=audience, who=who, ids=ids, phoned=delivery.phoned)
        self._ledger.become(claims, told, now)

    def called(self, recipients: Recipients) -> str:
        """What people call them."""
        return called(recipients, self._options.looks.language)

    def _names(self, told: Sequence[Recipients], ids: Sequence[str]) -> tuple[str, ...]:
        """Each person once, by whichever name; ``ids`` are those of who got it."""
        return names(told, ids, self._channel.receivers, is_user_id, self._options.looks.language)

    def _miss(self, claims: list[Claim], why: str, now: float) -> None:
        self._ledger.refused.difference_update(claim.key for claim in claims)
        time = self._options.shared.time_s()
        self._ledger.become(claims, partial(escalation.step_missed, why=why, now=now, time=time), now)

    def _later(self, claims: list[Claim], at: float, now: float) -> None:
        """There is no room for it before then."""
        self._ledger.become(claims, partial(escalation.step_later, at=at, failed=0), now)
