"""Who gets a message of an incident beside those of its audience, and which steps one message is about. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import reduce

from ..model import Answer, Recipients
from ..model.alert import ESCALATED, place_of
from .fingerprint import recipients_of
from .plan import Act
from .values import Incident, is_said


def told_by_steps(incident: Incident) -> list[Recipients]:
    """Those to whom steps were sent."""
    return [one for one in map(recipients_of, incident.sent.audiences) if one]


def is_for_others(incident: Incident, act: Act) -> bool:
    """True if its message is for those, too, to whom steps were sent: it says what a person did, or is its end."""
    return act is Act.NEWS or (act is Act.END and bool(incident.sent.audiences))


def is_step_line(incident: Incident, act: Act) -> bool:
    """True if its message is the line about a step that was sent."""
    return act is Act.NEWS and not is_said(incident) and _is_step(incident.answers[-1])


def who_hears(
    incident: Incident,
    act: Act,
    recipients: Recipients,
    ids: Callable[[Recipients], Sequence[str]] = lambda one: one.users,
) -> Recipients:
    """Of those who get it, and to whom steps were sent, those for whom the message says something.

    What a person did stands already in the chat where he did it, or where another one was refused, and who did it in a
    group needs no message of his own. Those to whom the step was sent have more than its line, by whichever name:
    ``ids`` gives the user ids that are known. That may be nobody.
    """
    last = None if is_said(incident) else incident.answers[-1]
    told, is_line = told_by_steps(incident), is_step_line(incident, act)
    return without_those_who_know(told, last, incident.sent.seen, recipients, ids, is_line=is_line)


def without_those_who_know(
    told: list[Recipients],
    last: Answer | None,
    seen: Sequence[str],
    recipients: Recipients,
    ids: Callable[[Recipients], Sequence[str]],
    *,
    is_line: bool,
) -> Recipients:
    """The same, of what it is made of: to whom steps were sent (``told``), the last thing a person did, if it is not
    said, where else that is known (``seen``), and whether it is the line of a step."""
    if told and is_line:
        of_step = told.pop()
        return reduce(Recipients.with_others, told, recipients).without(of_step, ids)
    known = () if last is None or last.verb == ESCALATED else (last.where, *seen)
    recipients = reduce(Recipients.with_others, told, recipients)
    chats = {*recipients.chats}.difference(*(where.split()[1:] for where in known))
    there = tuple(one for one in recipients.chats if one in chats and place_of(one) not in known)
    return replace(recipients, chats=there)


# Steps.


def of_step(incident: Incident, act: Act) -> Hashable | None:
    """Equal for incidents of whose step, or of its line, or of whose calls one message is; None: it is about none."""
    opening, sent, step = incident.opening, incident.sent, incident.step
    if step is not None and act is Act.STEP:
        return act, opening.audience, opening.duty, step.number, sent.audiences, missed_before(incident)
    if step is not None and act is Act.CALL:
        return act, opening.audience, opening.duty, step.number, sent.audiences[-1:], step.call_at
    if is_step_line(incident, act):
        last = incident.answers[-1]
        return act, opening.audience, opening.duty, sent.audiences, last.who, last.where
    return None


def missed_before(incident: Incident) -> str:
    """Why the step before the next one was sent to nobody, or ""."""
    steps = [one for one in incident.answers if one.verb == ESCALATED]
    is_missed = incident.step is not None and incident.step.number > 0 and bool(steps) and not steps[-1].who
    return steps[-1].where if is_missed else ""


def is_late(incident: Incident, now: float) -> bool:
    """True if the message of its next step has failed until the one after that is due."""
    step, steps = incident.step, incident.opening.steps
    if step is None or not step.tries or step.number + 1 >= len(steps):
        return False
    return step.since + steps[step.number + 1] <= now


def _is_step(answer: Answer) -> bool:
    return answer.verb == ESCALATED and bool(answer.who)
