"""The steps of an escalation. They count from its first message, and anew from that which tells that a person had it.

Values in, values out, as `life`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from ..model import Answer
from ..model.alert import DONE, ESCALATED
from ..model.recipients import MAX_SENT_IDS
from .answered import MAX_JOURNAL, is_closed, newest_step, with_step
from .incident import Incident
from .limits import MAX_TOLD_TOO
from .outcomes import STEP_S, STEP_TRY_S
from .plan import NEVER
from .stored import unclaimed


def step_due_at(incident: Incident) -> float:
    """When a step is due: to begin, or to be told. Infinity: none. What a person did holds it, and is told first."""
    stepping_at, step_at = incident.stepping_at, incident.step_at
    if not (stepping_at or step_at) or not incident.told or is_closed(incident) or is_held(incident):
        return NEVER
    return stepping_at or step_at


def is_held(incident: Incident) -> bool:
    """Whether what a person did holds its steps, until that is told and over."""
    answers = incident.answers
    if not answers.is_said and answers.journal[-1].verb != ESCALATED:
        return True
    return answers.now is not None and (incident.held_until > 0 or answers.now.verb == DONE)


BEGINS = "begins"


def doing(incident: Incident, now: float) -> Hashable:
    """What its step does that is due: it begins, or it is told. Those of which this is equal do it
    together: what a message says of one step to its people holds of all."""
    if incident.stepping_at:
        return incident.audience, incident.duty, incident.step, incident.told_too, missed_before(incident)
    return BEGINS


def began(incident: Incident) -> Answer:
    """Its step that began last."""
    place = newest_step(incident.answers.journal)
    return (
        incident.answers.journal[place] if place >= 0 else Answer(ESCALATED, "", "", incident.last, count=incident.told)
    )


def missed_before(incident: Incident) -> str:
    """Why the step before that told nobody, or ""."""
    steps = [one for one in incident.answers.journal if one.verb == ESCALATED]
    return steps[-2].where if incident.step > 1 and len(steps) > 1 and not steps[-2].who else ""


def stepped(incident: Incident, *, now: float, time: float) -> Incident:
    """Its next step begins: those of the step get the whole alert, those told before one line."""
    number, steps = incident.step + 1, incident.steps
    further = [
        max(incident.steps_from + after_s, now + max(min(STEP_S, after_s - steps[number - 1]), 1.0))
        for after_s in steps[number : number + 1]
    ]
    answer = Answer(ESCALATED, "", "", time, count=incident.count)
    return replace(
        unclaimed(incident),
        step=number,
        step_at=further[0] if further else 0.0,
        stepping_at=now,
        tries=0,
        answers=replace(incident.answers, journal=(*incident.answers.journal, answer)[-MAX_JOURNAL:]),
    )


def step_told(incident: Incident, audience: str, who: str, *, ids: tuple[str, ...] = (), phoned: str = "") -> Incident:
    """The message of its step was sent to ``audience``, whom people call ``who``, by their user ``ids``; those told
    before get a line, which says, too, that their phones were ``phoned``, or why not."""
    told_too = (*(one for one in incident.told_too if one != audience), audience)[-MAX_TOLD_TOO:]
    return replace(_step_over(incident, who=who, where=phoned), told_too=told_too, sent_ids=with_ids(incident, ids))


def with_ids(incident: Incident, ids: tuple[str, ...]) -> tuple[str, ...]:
    """The user ids of those who were told of it, and these, each once."""
    return tuple(dict.fromkeys((*incident.sent_ids, *ids)))[-MAX_SENT_IDS:]


def also_told(incident: Incident, audience: str) -> Incident:
    """As if steps had told these, too, before all others."""
    return replace(incident, told_too=(audience, *incident.told_too)[-MAX_TOLD_TOO:])


def step_missed(incident: Incident, why: str, *, now: float, time: float) -> Incident:
    """Its step told nobody: the next one begins at once, and says so; after the last a line does."""
    missed = _step_over(incident, where=why)
    if not incident.step_at:
        return missed
    said = replace(missed, answers=replace(missed.answers, is_said=True))
    return stepped(said, now=now, time=time)


def step_later(incident: Incident, at: float, *, failed: int = 1) -> Incident:
    """The message of its step could not be sent, or (not ``failed``) there is no room for it: it is tried then."""
    return replace(unclaimed(incident), stepping_at=at, tries=incident.tries + failed)


def step_failed(incident: Incident, *, now: float) -> Incident:
    """The message of its step has failed: it waits, but not past the next step, which says so."""
    at = now + min(STEP_TRY_S * (1 << min(incident.tries, 8)), STEP_S)
    return step_later(incident, min(at, incident.step_at) if now < incident.step_at else at)


def is_late(incident: Incident, *, now: float) -> bool:
    """Whether the message of its step has failed until the next step is due."""
    return incident.tries > 0 and 0 < incident.step_at <= now


def _step_over(incident: Incident, who: str = "", where: str = "") -> Incident:
    journal = with_step(incident.answers.journal, who, where)
    answers = replace(incident.answers, journal=journal, is_said=False)
    return replace(unclaimed(incident), stepping_at=0.0, tries=0, answers=answers)


def from_first_step(incident: Incident, now: float) -> Incident:
    """All that begins with a first message, or anew, begins its steps from the first one."""
    if not incident.steps:
        return incident
    return replace(incident, step=0, stepping_at=0.0, steps_from=now, step_at=now + incident.steps[0])
