"""What people do with an incident, and what it is then: what holds, whether it is closed, and whether it comes again.

Values in, values out, as `life`. Who does something gets ``now`` on the clock of the store, and ``time``, in seconds
since the epoch.
"""

from __future__ import annotations

from dataclasses import replace

from ..model import Answer
from ..model.alert import DONE, ESCALATED, OVER, SILENCED, TAKEN, UNDONE, RunEnd
from .incident import Incident
from .known import NOTHING, is_again, is_by
from .limits import TAKE_FOR_S

MAX_JOURNAL = 16
"""Of what people did with an incident, the newest are kept."""


def taken(
    incident: Incident, who: str, where: str, *, now: float, time: float, by: str = "", user: str = ""
) -> Incident:
    """A person takes it, or gets it ``by`` another: it is counted, and told again when that ends and it is not over. A
    first is told."""
    return _answered(incident, Answer(TAKEN, who, where, time, TAKE_FOR_S, by=by, user=user), now)


def silenced(
    incident: Incident, who: str, where: str, length_s: float, *, now: float, time: float, user: str = ""
) -> Incident:
    """It is counted, not told, until that ends; then it is told once, also that nothing came."""
    return _answered(incident, Answer(SILENCED, who, where, time, length_s, user=user), now)


def done(
    incident: Incident,
    who: str,
    where: str,
    *,
    now: float,
    time: float,
    user: str = "",
    job: str = "",
    run: RunEnd | None = None,
) -> Incident:
    """A person closes it, with a line, or stops watching its ``job``; or a ``run`` of that closes it. If it comes
    again, it is told at once, as if it were new."""
    return _answered(incident, Answer(DONE, who, where, time, user=user, job=job, run=run), now)


def undone(incident: Incident, who: str, where: str, *, now: float, time: float, user: str = "") -> Incident:
    """It is as it was before what is in force, which there must be."""
    answers, answer = incident.answers, incident.answers.now
    assert answer is not None
    back = answers.before if answers.before is not None and answers.before.until > time else None
    incident = replace(incident, answers=replace(answers, now=back))
    whose = "" if answer.verb == DONE or is_by(answer, who, user) else answer.who
    after = _answered(
        incident, Answer(UNDONE[answer.verb], who, where, time, user=user, whose=whose, job=answer.job), now
    )
    nobody_knows = not (answers.is_said or incident.owner) and (back is None or answers.was_said)
    return replace(
        after,
        answers=replace(after.answers, now=back, before=None, is_said=nobody_knows or not incident.told),
        held_until=now + back.until - time if back is not None else 0.0,
    )


def become(incident: Incident, answer: Answer, now: float) -> Incident:
    """What a person's answer makes of it; the very same, where that person has just given it."""
    if answer.verb in UNDONE.values():
        return undone(incident, answer.who, answer.where, now=now, time=answer.at, user=answer.user)
    standing = None if comes_again(incident) else incident.answers.now
    return incident if is_again(standing, answer) else _answered(incident, answer, now)


def refused_by(incident: Incident, answer: Answer) -> Answer | None:
    """What is in force and refuses an answer."""
    if answer.verb in UNDONE.values() and in_force(incident, answer.at) is None:
        return NOTHING
    who, user = (answer.by, "") if answer.by else (answer.who, answer.user)
    return in_the_way(incident, answer.verb, who, answer.at, user)


def silence_over(incident: Incident) -> Incident:
    """A message has told what came in a silence."""
    return replace(incident, answers=replace(incident.answers, now=None, before=None), held_until=0.0)


def not_closed(incident: Incident) -> Incident:
    """It goes on: what came since is due, and its end is not told."""
    return replace(
        incident,
        answers=replace(incident.answers, now=None, before=None, is_said=True),
        wait_s=0.0,
        lent=(incident.lent or incident.version) if incident.owner else 0,
    )


def said(incident: Incident) -> Incident:
    """Those who get it have seen what a person did: no message has to tell it."""
    return replace(incident, answers=replace(incident.answers, is_said=True))


def seen(incident: Incident, where: str) -> Incident:
    """What a person did is known there, too, by a refusal: its message, where that is not on its way, passes by."""
    answers = incident.answers
    if answers.is_said or incident.owner or where in answers.seen:
        return incident
    return replace(incident, answers=replace(answers, seen=(*answers.seen, where)[-MAX_JOURNAL:]))


def _answered(incident: Incident, answer: Answer, now: float) -> Incident:
    incident = begun_anew(incident) if comes_again(incident) else incident
    answers = replace(
        incident.answers,
        now=answer,
        before=incident.answers.now,
        is_said=not incident.told and answer.verb == SILENCED,
        was_said=incident.answers.is_said,
        seen=(),
        journal=(*incident.answers.journal, replace(answer, count=incident.count))[-MAX_JOURNAL:],
    )
    answers = replace(answers, now=answers.journal[-1])
    quietens = answer.length_s > 0 and (incident.told > 0 or answer.verb == SILENCED)
    return replace(
        incident,
        answers=answers,
        held_until=now + answer.length_s if quietens else 0.0,
        not_before=0.0,
        lent=(incident.lent or incident.version) if incident.owner else 0,
    )


# What of that is in force, and the journal.


def in_the_way(incident: Incident, verb: str, who: str, time: float, user: str = "") -> Answer | None:
    """What is in force and refuses ``verb``: what another person has taken, no other person takes or silences; what
    another has silenced, no other person silences anew, but any person takes it. A closed one can only be opened
    again."""
    answer = in_force(incident, time)
    if answer is None or verb not in UNDONE:
        return None
    may = verb == DONE or is_by(answer, who, user) or (verb, answer.verb) == (TAKEN, SILENCED)
    return answer if answer.verb == DONE or not may else None


def in_force(incident: Incident, time: float) -> Answer | None:
    """What a person did with it that still holds."""
    answer = incident.answers.now
    is_over = answer is None or comes_again(incident) or (answer.verb != DONE and answer.until <= time)
    return None if is_over else answer


def back(incident: Incident, time: float) -> Answer | None:
    """What is in force again, where the last thing a person did was to undo another."""
    last = incident.answers.journal[-1:]
    return in_force(incident, time) if last and last[0].verb in UNDONE.values() else None


def newest_step(journal: tuple[Answer, ...]) -> int:
    """The place of the step that began last; -1: none is known."""
    return max((place for place, one in enumerate(journal) if one.verb == ESCALATED), default=-1)


def with_step(journal: tuple[Answer, ...], who: str, where: str) -> tuple[Answer, ...]:
    """With what is known of the step that began last."""
    newest = newest_step(journal)
    return tuple(replace(one, who=who, where=where) if place == newest else one for place, one in enumerate(journal))


# Its end, and its coming again: what it is then for those who get it.


def is_closed(incident: Incident) -> bool:
    """Whether it has ended, or a person has closed it."""
    return incident.ended or (incident.answers.now is not None and incident.answers.now.verb == DONE)


def is_open(incident: Incident) -> bool:
    """Whether it is open for people: a store has those for a while, too, that have ended."""
    return not is_closed(incident) or comes_again(incident)


def comes_again(incident: Incident) -> bool:
    """Whether it has ended, which all recipients know, and comes again."""
    return is_closed(incident) and incident.answers.is_said and incident.untold > 0


def is_first(incident: Incident) -> bool:
    """Whether its next message is the first about it, or the first since it comes again."""
    return not incident.told or comes_again(incident)


def began(incident: Incident) -> float:
    """When its first record came; of one that was closed and comes again the first since."""
    return incident.since if comes_again(incident) else incident.began


def total(incident: Incident) -> int:
    """How many came in all, of a closed one since then."""
    return incident.count - (incident.told if comes_again(incident) else incident.answers.base)


def times(incident: Incident) -> int:
    """How many times it came, each after an end less than a day ago."""
    return incident.times + comes_again(incident)


def after(incident: Incident, earlier: Incident) -> Incident:
    """One that was opened anew, where an earlier one of its group had ended."""
    return replace(incident, times=earlier.times + 1, times_since=earlier.times_since or earlier.began)


def begun_anew(incident: Incident) -> Incident:
    """It had ended, and comes again."""
    answers = replace(incident.answers, now=None, before=None, base=incident.told)
    again = after(incident, incident)
    return replace(
        again,
        told_too=(),
        heard=(),
        sent_ids=(),
        answers=answers,
        digests=0,
        wait_s=0.0,
        began=incident.since,
        ended=False,
    )


def nothing_came(incident: Incident) -> bool:
    """Of one that is due: whether it was silent, and nothing came."""
    answers = incident.answers
    is_silent = answers.now is not None and answers.now.verb == SILENCED
    return is_silent and answers.is_said and not incident.untold


def news(incident: Incident) -> Answer | None:
    """What a message of its own says: what a person did, or that a silence is over in which nothing came. Nothing is
    said of an incident that no person has been told of."""
    answers = incident.answers
    if not incident.told:
        return None
    if not answers.is_said:
        return answers.journal[-1]
    return replace(answers.now, verb=OVER) if answers.now is not None and nothing_came(incident) else None
