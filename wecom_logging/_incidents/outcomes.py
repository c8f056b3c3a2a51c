"""What a message makes of an incident, once WeCom has taken it, or has not; and what holds it. Entries are in `apply`.

Values in, values out. ``now`` is on the clock of the journal. A message is composed of an incident as it was then
(``shown``); what was counted and answered while it was on its way is in the incident as it is (``there``).
"""

from __future__ import annotations

from dataclasses import replace

from ..model import Answer, Variant
from ..model.alert import ESCALATED
from ..model.recipients import MAX_SENT_IDS
from .apply import MAX_ANSWERS, begun_anew, first_step
from .limits import MAX_TOLD_TOO
from .plan import MAX_WAIT_S, Act, longer_s, over_at
from .values import (
    By,
    Hold,
    Incident,
    Step,
    began,
    comes_again,
    has_new_variant,
    holding,
    is_closed,
    is_first,
    is_said,
    standing,
    was_sent,
)

MAX_DIGESTS_WITH_NEW = 16

STEP_S = 60.0
"""At least so long between two steps that were held, but where less is asked for."""

STEP_TRY_S = 5.0
"""How soon a step whose message has failed is tried again; then it waits for twice as long, up to `STEP_S`."""

EARLY_S = 0.05
"""A digest that is sent by less before its time is not early."""

# Messages of the incident itself.


def as_composed(incident: Incident, act: Act, now: float) -> Incident:
    """The incident as its message shows it. A first message, also of one that ended and comes again, shows its alert
    alone, if that is fresh, and came after its end: what came since is for a digest. News of what a person did shows
    what had come by then: the rest is for all who get it.
    """
    counts, sent = incident.counts, incident.sent
    if act is Act.NEWS and not is_said(incident):
        last = incident.answers[-1]
        number = max(last.count - sent.count, 0)
        return _first_of(incident, number, min(counts.last, last.at)) if number < incident.unsent else incident
    is_fresh = now - counts.unsent_at < incident.opening.window_s
    begins = sent.ended and counts.unsent_at >= sent.at if was_sent(incident) else not is_closed(incident)
    if act is Act.FIRST and begins and incident.unsent > 1 and is_fresh:
        return _first_of(incident, 1, began(incident))
    return incident


def _first_of(incident: Incident, number: int, last: float) -> Incident:
    counts = replace(incident.counts, count=incident.sent.count + number, last=last, samples=(), variants=(), rates=())
    return replace(incident, counts=counts)


def sent(there: Incident, shown: Incident, act: Act, now: float) -> Incident:
    """A message of it was sent: what it has shown is sent, and the next one waits.

    The wait doubles with each digest, but not with one that came before its time. After a silence in which nothing came
    it begins anew. It has ended with the message that says so; also with a first one that waited until it was over, and
    with that of a silence in which nothing came, if it is over by then. It goes on where a person did something while
    the message was on its way: who did wants to know.
    """
    is_answered = _place_after(there, shown.answers) < len(there.answers)  # while the message was on its way
    if (act is Act.END or _is_over_with_it(shown, act, now)) and not is_answered:
        return _as_shown(ended(there, now), there, shown)
    begins = is_first(shown) or (act is Act.NEWS and is_said(shown))
    is_again = not is_first(shown)
    after = _answers_said(begun_anew(there) if comes_again(there) else there, shown, now)
    usual_s = longer_s(shown.opening.window_s, after, MAX_WAIT_S)
    is_early = now + EARLY_S < shown.sent.at + shown.sent.wait_s
    doubled_s = shown.sent.wait_s if is_early else min(2 * shown.sent.wait_s, MAX_WAIT_S)
    with_new = min(shown.sent.digests_with_new + 1, MAX_DIGESTS_WITH_NEW)
    messages = replace(
        after.sent,
        at=now,
        digests=after.sent.digests + is_again,
        digests_with_new=with_new if is_again and has_new_variant(shown) else 0,
        wait_s=usual_s if begins else max(doubled_s, shown.opening.window_s),
        tries=0,
    )
    step = after.step if is_again else first_step(after, now)
    return _as_shown(replace(after, sent=messages, step=step, hold=None), there, shown)


def reached(there: Incident, people: tuple[str, ...], ids: tuple[str, ...]) -> Incident:
    """A message of it has reached these: ``people`` in the place of a rota, and all who are known by their user ids."""
    all_people = tuple(dict.fromkeys((*there.sent.people, *people)))[-MAX_TOLD_TOO:]
    all_ids = tuple(dict.fromkeys((*there.sent.ids, *ids)))[-MAX_SENT_IDS:]
    return replace(there, sent=replace(there.sent, people=all_people, ids=all_ids))


def known(there: Incident, shown: Incident, act: Act, now: float) -> Incident:
    """All who would get a message of it know already what that says."""
    return ended(there, now) if act is Act.END else _answers_said(there, shown, now)


def _is_over_with_it(shown: Incident, act: Act, now: float) -> bool:
    """True of a first message that the wall held, and of a silence in which nothing came, if it is over by then."""
    waited = act is Act.FIRST and shown.hold is not None and shown.hold.is_of_wall and not is_closed(shown)
    is_silent = act is Act.NEWS and is_said(shown) and not shown.unsent
    return (waited or is_silent) and over_at(shown) <= now


def _answers_said(there: Incident, shown: Incident, now: float) -> Incident:
    """What ``shown`` had of answers is said. A take or a silence whose time had passed is over, and the steps begin
    anew."""
    said = _place_after(there, shown.answers)
    messages, step = replace(there.sent, said=said), there.step
    answer, found = holding(shown), standing(shown)
    if answer is not None and found is not None and is_said(shown) and answer.until <= now:
        messages = replace(messages, over=_place_after(there, shown.answers[: found[0] + 1]))
        step = first_step(there, now)
    return replace(there, sent=messages, step=step)


def _place_after(there: Incident, answers: tuple[Answer, ...]) -> int:
    """How many of the answers there are now are these; the oldest of these may have gone."""
    newer = 0
    while newer < len(there.answers) and there.answers[: len(there.answers) - newer][-1:] != answers[-1:]:
        newer += 1
    return len(there.answers) - newer


def _as_shown(after: Incident, there: Incident, shown: Incident) -> Incident:
    """Sent is what the message has shown; unsent what was counted since."""
    counts = there.counts
    left = counts.count - shown.counts.count
    names = {variant.name: variant.count for variant in shown.counts.variants}
    left_counts = replace(
        after.counts,
        unsent_at=counts.at if left else counts.unsent_at,
        since=shown.counts.last,
        samples=counts.samples[len(shown.counts.samples) :],
        variants=tuple(
            _less(variant, names) for variant in counts.variants if variant.count > names.get(variant.name, 0)
        ),
        rates=(),
    )
    return replace(after, counts=left_counts, sent=replace(after.sent, count=shown.counts.count))


def _less(variant: Variant, shown: dict[str, int]) -> Variant:
    is_new = variant.is_new and variant.name not in shown
    return replace(variant, count=variant.count - shown.get(variant.name, 0), is_new=is_new)


def ended(incident: Incident, now: float) -> Incident:
    """It is over, with a message or in silence: for a day it is known, and its next record is sent as its coming
    again."""
    sent, counts = incident.sent, replace(incident.counts, samples=(), variants=(), rates=())
    after = replace(sent, at=now, digests=0, wait_s=0.0, tries=0, said=len(incident.answers), seen=(), ended=True)
    after = replace(after, count=counts.count)
    return replace(incident, counts=replace(counts, since=counts.last), sent=after, hold=None, step=None)


def refused(there: Incident, shown: Incident, act: Act, now: float) -> Incident:
    """WeCom has refused a message of it for good: what that showed is given up, and what comes waits as if it had been
    sent. No step is sent of what nobody was sent."""
    after = sent(there, shown, act, now)
    after = replace(after, sent=replace(after.sent, digests=min(after.sent.digests, shown.sent.digests)))
    return replace(after, step=None) if is_first(shown) else after


# Holds.


def held(incident: Incident, hold: Hold, act: Act) -> Incident:
    """What is due (``act``) waits until the hold is over. A step that quiet hours or a maintenance hold waits by
    itself; that what else holds an incident is over does not begin one."""
    if act in (Act.STEP, Act.CALL):
        step = incident.step
        return incident if step is None else replace(incident, step=replace(step, not_before=hold.until))
    before = incident.hold
    if before is not None and before.is_of_wall:  # a message says since when it has waited
        hold = replace(hold, since=before.since) if hold.is_of_wall else replace(before, until=hold.until)
    return replace(incident, hold=hold)


def failed(incident: Incident, until: float, rounds: int = 1) -> Incident:
    """So many rounds of a message of it have failed: it is tried again then."""
    after = held(incident, Hold(until, By.TRY), Act.DIGEST)
    return replace(after, sent=replace(after.sent, tries=after.sent.tries + rounds))


def lifted(incident: Incident, now: float) -> Incident:
    """Quiet hours or a maintenance may be over before their time: what waits for them is due, and says since when."""
    step, hold = incident.step, incident.hold
    if hold is not None and hold.is_of_wall:
        hold = replace(hold, until=min(hold.until, now))
    return replace(incident, hold=hold, step=step and replace(step, not_before=0.0))


# Answers that no message has to say.


def all_said(incident: Incident) -> Incident:
    """All who get it have seen what a person did."""
    return replace(incident, sent=replace(incident.sent, said=len(incident.answers)))


def seen(incident: Incident, where: str) -> Incident:
    """What a person did is known in that place, too, by a refusal: its message passes by."""
    places = incident.sent.seen
    if is_said(incident) or where in places:
        return incident
    return replace(incident, sent=replace(incident.sent, seen=(*places, where)[-MAX_ANSWERS:]))


# Steps.


def step_sent(
    there: Incident,
    audience: str,
    who: str,
    now: float,
    *,
    count: int,
    ids: tuple[str, ...] = (),
    shown: Incident | None = None,
) -> Incident:
    """The message of its next step was sent, with so many records, to an ``audience``, whom people call ``who``, by
    their user ids. Those who got it before get a line; the phones ring first, where the step says so. What a person did
    while it was on its way, after it was ``shown``, comes after it.
    """
    sent = there.sent
    audiences = (*(one for one in sent.audiences if one != audience), audience)[-MAX_TOLD_TOO:]
    all_ids = tuple(dict.fromkeys((*sent.ids, *ids)))[-MAX_SENT_IDS:]
    place = _place_after(there, (shown or there).answers)
    after = _step_over(there, Answer(ESCALATED, who, "", now, count=count), now, place)
    step = after.step
    if step is not None and step.number in there.opening.calls:
        step = replace(step, call_at=now)
    return replace(after, sent=replace(after.sent, audiences=audiences, ids=all_ids), step=step)


def step_missed(there: Incident, why: str, now: float) -> Incident:
    """Its next step reached nobody: the one after that is due at once, and says so; after the last a line does."""
    answer = Answer(ESCALATED, "", why, now, count=there.counts.count)
    after = _step_over(there, answer, now, len(there.answers))
    step = after.step
    if step is None or not step.at:
        return after
    return replace(after, step=replace(step, at=now), sent=replace(after.sent, said=len(after.answers)))


def _step_over(there: Incident, answer: Answer, now: float, place: int) -> Incident:
    step, steps = there.step, there.opening.steps
    if step is None:  # it has ended meanwhile
        return there
    number = step.number + 1
    further = 0.0
    if number < len(steps):
        further = max(step.since + steps[number], now + max(min(STEP_S, steps[number] - steps[number - 1]), 1.0))
    dropped = max(len(there.answers) + 1 - MAX_ANSWERS, 0)
    sent = replace(there.sent, said=max(there.sent.said - dropped, 0), over=max(there.sent.over - dropped, 0))
    after = Step(number=number, at=further, since=step.since, sent_at=now)
    answers = (*there.answers[:place], answer, *there.answers[place:])
    return replace(there, answers=answers[dropped:], sent=sent, step=after)


def step_failed(there: Incident, now: float) -> Incident:
    """The message of its next step has failed: it waits, but not past the time of the step after that, which says so
    (`step_missed`)."""
    step, steps = there.step, there.opening.steps
    if step is None:
        return there
    at = now + min(STEP_TRY_S * (1 << min(step.tries, 8)), STEP_S)
    if step.number + 1 < len(steps) and now < (next_at := step.since + steps[step.number + 1]):
        at = min(at, next_at)
    return replace(there, step=replace(step, at=at, tries=step.tries + 1))


def called(there: Incident, phoned: str) -> Incident:
    """The phones of its last step rang, or could not, as ``phoned`` says: the line to the others says it, too."""
    places = [place for place, one in enumerate(there.answers) if one.verb == ESCALATED]
    answers = list(there.answers)
    if places:
        answers[places[-1]] = replace(answers[places[-1]], where=phoned)
    return replace(there, answers=tuple(answers), step=there.step and replace(there.step, call_at=0.0))


# A leap of the clock.


def shifted(incident: Incident, by_s: float) -> Incident:
    """As it is after the wall has leapt: its intervals go on. Times of the wall (quiet hours, a maintenance, what a
    person has said) stay; so do those of records, which are shown. Where the wall was set back, what people did was
    earlier, too: none of it lasts longer."""
    counts, sent, step, hold = incident.counts, incident.sent, incident.step, incident.hold
    if step is not None:
        step = Step(
            number=step.number,
            at=step.at and step.at + by_s,
            since=step.since + by_s,
            not_before=step.not_before,
            sent_at=step.sent_at and step.sent_at + by_s,
            call_at=step.call_at and step.call_at + by_s,
            tries=step.tries,
        )
    return replace(
        incident,
        counts=replace(counts, at=counts.at + by_s, unsent_at=counts.unsent_at + by_s),
        sent=replace(sent, at=sent.at and sent.at + by_s),
        hold=replace(hold, until=hold.until + by_s) if hold is not None and not hold.is_of_wall else hold,
        answers=tuple(replace(one, at=one.at + by_s) for one in incident.answers) if by_s < 0 else incident.answers,
        step=step,
    )
