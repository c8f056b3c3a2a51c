"""`Steps`: the messages of an escalation. What a step becomes, and when it is due, is decided by `escalation`.

It begins with a swap, so that a person who takes the incident at this moment wins, or comes after it, as a whole. Its
message goes in the next turn, of whichever process; each try of it has the same text.
"""

from __future__ import annotations

from .._incidents import escalation
from .._incidents.fingerprint import audience_of
from .._incidents.incident import SOON_S, Incident
from .._incidents.policy import told_by_steps
from .._incidents.view import anew
from .._render.facts import called
from .._state.failover import Claim
from .._wecom.channels import Channel
from ..errors import InvalidRecipientError, MessageError
from ..model import Digest, Outcome, Recipients
from ..model.alert import ESCALATED, Answer, Escalation
from .calls import Calls
from .delivery import Delivery
from .duties import Duties
from .ledger import Ledger
from .options import Options
from .sender import Senders

_NO_ROOM_S = 1.0


class Steps:
    """Those of one handler. Who uses it holds the lock of the turn."""

    nobody = Outcome("kept", error=MessageError("nobody is on call"))
    """Of a step that names only rotas by which nobody is."""

    def __init__(
        self, options: Options, duties: Duties, ledger: Ledger, senders: Senders, channel: Channel, calls: Calls
    ) -> None:
        self.calls = calls
        self._options = options
        self._duties = duties
        self._ledger = ledger
        self._senders = senders
        self._channel = channel

    def next(self, claim: Claim, now: float) -> Delivery | None:
        """The message of a step that has begun. None: it begins now, or waits, or is over."""
        incident = claim.incident
        if not incident.stepping_at and incident.call_at and not 0 < incident.step_at <= now + SOON_S:
            self.calls.take(claim)
            return None
        if not incident.stepping_at:
            self._ledger.become(claim, escalation.stepped(incident, now=now, time=self._options.shared.time_s()), now)
            return None
        step = self._duties.step(incident)
        if step is None or (incident.tries and incident.step_at and incident.step_at <= now):
            self._miss(claim, "failed", now)
            return None
        if (wait_s := self._senders.wait(self._duties.known(step.recipients, incident))) > 0:
            self._ledger.become(claim, escalation.step_later(incident, now + wait_s, failed=0), now)
            return None
        return Delivery([claim], [], step.recipients, is_step=True)

    def digest(self, claim: Claim, named: Recipients | None) -> Digest:
        """The whole alert, with what had come when the step began; ``named``: those of its first message."""
        incident, (missed, began) = claim.incident, _steps_of(claim.incident)
        number = max(began.count - incident.answers.base, 1)
        told = [self._channel.addressed(self._duties.known(named, incident)), *told_by_steps(incident)]
        return Digest(
            anew(self._ledger.details.find(claim.key) or incident.first.alert, incident),
            count=number,
            total=number,
            times=incident.times,
            times_since=incident.times_since,
            short_id=incident.short_id,
            answer=began,
            escalation=Escalation(
                incident.step,
                len(incident.steps),
                incident.steps[incident.step - 1],
                tuple(dict.fromkeys(self.called(one) for one in told)),
                missed,
            ),
        )

    def settle(self, delivery: Delivery, outcome: Outcome, now: float, *, refused: bool) -> None:
        """What became of its message: it tells somebody, nobody, or is tried again."""
        (claim,) = delivery.claims
        if outcome.delivered or delivery.done:
            assert delivery.recipients is not None
            audience, who = audience_of(delivery.recipients), self.called(delivery.recipients)
            step = self._duties.step(claim.incident)
            calls = self.calls.persons(delivery.recipients) if step is not None and step.calls else ()
            self._ledger.become(claim, escalation.step_told(claim.incident, audience, who, calls=calls, now=now), now)
        elif refused:
            nobody = isinstance(outcome.error, InvalidRecipientError | MessageError)
            named = self.called(delivery.named or delivery.recipients or Recipients())
            self._miss(claim, f"nobody {named}" if nobody else "failed", now)
        elif outcome.error is None and not delivery.failed:  # another process has taken the room
            wait_s = max(self._senders.wait(delivery.recipients), _NO_ROOM_S)
            self._ledger.become(claim, escalation.step_later(claim.incident, now + wait_s, failed=0), now)
        else:
            incident, at = claim.incident, now + escalation.step_wait_s(claim.incident)
            at = min(at, incident.step_at) if incident.step_at and now < incident.step_at else at  # which says so
            self._ledger.become(claim, escalation.step_later(incident, at), now)

    def called(self, recipients: Recipients) -> str:
        """What people call them."""
        return called(recipients, self._options.looks.language)

    def _miss(self, claim: Claim, why: str, now: float) -> None:
        time = self._options.shared.time_s()
        self._ledger.become(claim, escalation.step_missed(claim.incident, why, now=now, time=time), now)


def _steps_of(incident: Incident) -> tuple[str, Answer]:
    """The step that began last, and why the one before it told nobody, or ""."""
    steps = [one for one in incident.answers.journal if one.verb == ESCALATED]
    began = steps[-1] if steps else Answer(ESCALATED, "", "", incident.last, count=incident.told)
    is_missed = incident.step > 1 and len(steps) > 1 and not steps[-2].who
    return steps[-2].where if is_missed else "", began
