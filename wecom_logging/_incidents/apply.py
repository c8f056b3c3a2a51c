"""`apply`: what an entry of the journal makes of an incident. What a message makes of it is in `outcomes`.

Values in, values out: no clock, no thread, no journal. ``now`` is on the clock of the journal.
"""

from __future__ import annotations

from dataclasses import replace

from ..model import Answer, Variant
from ..model.alert import DONE, SILENCED, TAKEN, UNDONE
from .entries import Answered, Counted, OfIncident, Opened, SentAlone
from .known import is_by
from .limits import MAX_SAMPLES, MAX_VARIANTS
from .values import (
    By,
    Counts,
    Incident,
    Opening,
    Place,
    Sent,
    Step,
    comes_again,
    is_closed,
    standing,
    was_sent,
)

SPANS = 8
"""Into which the wait between two digests is divided, for the curve of the rate."""

MAX_RATES = 4 * SPANS + 1

MAX_PLACES = 1000
"""Of the processes that have added to an incident, so many are counted."""

MAX_ANSWERS = 16
"""Of what people did with an incident, and of its steps, the newest are kept."""


def apply(incident: Incident | None, entry: OfIncident, now: float, short_id: str = "") -> Incident | None:
    """The incident after an entry; the very same if that changes nothing. None: it is not open, and not opened.

    ``short_id`` is that of an incident that is opened; the book gives it.
    """
    if incident is None:
        return opened(entry, short_id, now) if isinstance(entry, Opened) and entry.count > 0 else None
    match entry:
        case Opened():
            return _opened_again(incident, entry, now)
        case Counted():
            return _counted(incident, entry, now)
        case SentAlone():
            return sent_alone(incident, entry.count, min(entry.at, now))
        case Answered():
            return answered(incident, entry.answer, now)


def opened(entry: Opened, short_id: str, now: float) -> Incident:
    """An incident as its first entry makes it. It is due at once."""
    opening = Opening(
        key=entry.key,
        short_id=short_id,
        first=entry.alert.id,
        alert=entry.alert.id,
        level=entry.level,
        service=entry.service,
        window_s=entry.window_s,
        audience=entry.audience,
        cause=entry.cause,
        link=entry.link,
        scopes=entry.scopes,
        duty=entry.duty,
        steps=entry.steps,
        calls=entry.calls,
        is_crowded=entry.is_crowded,
    )
    counts = Counts(
        count=entry.count,
        at=now,
        unsent_at=now,
        began=entry.last,
        since=entry.last,
        last=entry.last,
        variants=entry.variants[:MAX_VARIANTS],
        places=(entry.place,) if entry.place is not None else (),
    )
    return sent_alone(Incident(opening=opening, counts=counts), entry.sent, now)


def _opened_again(incident: Incident, entry: Opened, now: float) -> Incident:
    """Counted; of one that is closed it is the alert that the next message shows."""
    if entry.alert.id == incident.opening.alert:
        return incident
    if is_closed(incident):
        incident = replace(incident, opening=replace(incident.opening, alert=entry.alert.id))
    counted = Counted(
        key=entry.key,
        count=entry.count,
        last=entry.last,
        sent=entry.sent,
        variants=entry.variants,
        place=entry.place,
    )
    return _counted(incident, counted, now)


def _counted(incident: Incident, entry: Counted, now: float) -> Incident:
    """More of it. A try that has failed is made at once, if there is a variant that no message has shown."""
    if entry.count <= 0:
        return incident
    counts, begins = incident.counts, not incident.unsent
    after = Counts(
        count=counts.count + entry.count,
        at=now,
        unsent_at=now if begins else counts.unsent_at,
        began=counts.began,
        since=entry.last if begins else counts.since,
        last=max(counts.last, entry.last),
        base=counts.base,
        samples=(*counts.samples, *entry.samples)[:MAX_SAMPLES],
        variants=more_variants(counts.variants, entry.variants),
        rates=_rates(incident, entry.count, now),
        places=_places(counts.places, entry.place),
    )
    is_tried_anew = incident.hold is not None and incident.hold.by is By.TRY and any(v.is_new for v in entry.variants)
    hold = None if is_tried_anew else incident.hold
    return sent_alone(replace(incident, counts=after, hold=hold), entry.sent, now)


def sent_alone(incident: Incident, number: int, at: float) -> Incident:
    """So many of its records were sent by the process that logged them: no more than are unsent."""
    number = min(number, incident.unsent)
    if number <= 0:
        return incident
    sent = incident.sent
    wait_s = sent.wait_s or incident.opening.window_s
    after = replace(sent, count=sent.count + number, at=max(sent.at, at), wait_s=wait_s)
    return replace(incident, sent=after, step=incident.step if was_sent(incident) else first_step(incident, at))


def first_step(incident: Incident, now: float) -> Step | None:
    """All that begins with a first message, or anew, begins its steps from the first one. None: it has none."""
    steps = incident.opening.steps
    return Step(at=now + steps[0], since=now) if steps else None


def more_variants(variants: tuple[Variant, ...], more: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """All of them, each name once, with the first text that was given."""
    found = {variant.name: variant for variant in variants}
    for variant in more:
        same = found.get(variant.name)
        if same is not None:
            one = same if same.is_new or not variant.is_new else variant
            found[variant.name] = replace(one, count=same.count + variant.count)
        elif len(found) < MAX_VARIANTS:
            found[variant.name] = variant
    return tuple(found.values())


def _places(places: tuple[Place, ...], place: Place | None) -> tuple[Place, ...]:
    is_known = place is None or place in places or len(places) >= MAX_PLACES
    return places if place is None or is_known else (*places, place)


def _rates(incident: Incident, number: int, now: float) -> tuple[int, ...]:
    span_s = incident.sent.wait_s / SPANS
    at = min(max(int((now - incident.sent.at) / span_s), 0), MAX_RATES - 1) if span_s > 0 else 0
    rates = [*incident.counts.rates, *[0] * (at + 1 - len(incident.counts.rates))]
    rates[at] += number
    return tuple(rates)


# Answers.


def answered(incident: Incident, answer: Answer, now: float) -> Incident:
    """What a person did, unless what is in force refuses it, or it has ended. A try that has failed is made at once.

    A silence of an incident that nobody was sent is not said; neither is an answer that is undone before a message has
    said it.
    """
    if incident.sent.ended and not incident.unsent:
        return incident
    before = standing(incident)
    if answer.verb in UNDONE.values():
        if before is None or UNDONE[before[1].verb] != answer.verb:
            return incident
    elif refuses(incident, answer, now) is not None:
        return incident
    if comes_again(incident):
        incident = begun_anew(incident)
    sent = incident.sent
    was_said = sent.said >= len(incident.answers)
    dropped = max(len(incident.answers) + 1 - MAX_ANSWERS, 0)
    answers = (*incident.answers, replace(answer, count=incident.counts.count))[dropped:]
    said = len(answers) if _needs_no_message(incident, answer, was_said) else max(sent.said - dropped, 0)
    after = replace(sent, said=said, over=max(sent.over - dropped, 0), seen=())
    hold = incident.hold if incident.hold is not None and incident.hold.is_of_wall else None
    return replace(incident, sent=after, answers=answers, hold=hold)


def _needs_no_message(incident: Incident, answer: Answer, was_said: bool) -> bool:
    if answer.verb not in UNDONE.values():
        return not was_sent(incident) and answer.verb == SILENCED
    is_of_newest = incident.sent.said == len(incident.answers) - 1  # all before what is undone stand in a message
    return not was_sent(incident) or (not was_said and is_of_newest)


def in_force(incident: Incident, now: float) -> Answer | None:
    """What a person did that still holds. None: nothing, or it comes again."""
    found = standing(incident)
    if found is None or comes_again(incident):
        return None
    return found[1] if found[1].verb == DONE or found[1].until > now else None


def refuses(incident: Incident, answer: Answer, now: float) -> Answer | None:
    """What is in force and refuses an answer: what another person has taken, no other person takes or silences; what
    another has silenced, no other person silences anew, but any person takes it. A closed one can only be opened
    again."""
    there = in_force(incident, now)
    if there is None or answer.verb not in UNDONE:
        return None
    giver = replace(answer, who=answer.by, user="") if answer.by else answer  # who has it gives it
    may = answer.verb == DONE or is_by(there, giver.who, giver.user) or (answer.verb, there.verb) == (TAKEN, SILENCED)
    return there if there.verb == DONE or not may else None


def begun_anew(incident: Incident) -> Incident:
    """It had ended, and comes again: all is counted, said and stepped anew; its short id stays."""
    sent, counts = incident.sent, incident.counts
    after = Sent(
        count=sent.count,
        at=sent.at,
        said=sent.said,
        over=sent.over,
        times=sent.times + 1,
        times_since=sent.times_since or counts.began,
    )
    return replace(incident, sent=after, counts=replace(counts, base=sent.count, began=counts.since), step=None)
