"""The life of an incident, written once: when it is told, how long it waits, and when it is over.

Values in, values out: no clock, no thread, no store. A store keeps the rows and their order; what a row becomes, and
when it is due, is decided here. What a store does by itself is counting, which needs no rule but `counted`, and lending
a row to one process until a lease ends (`claimed`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from ..model import Answer, Variant
from ..model.alert import DONE, ESCALATED, OVER, SILENCED, TAKEN, UNDONE
from .incident import NO_ANSWERS, NO_CALLS, NOTHING, Answers, Calls, Count, Incident, Own, Place
from .limits import CRITICAL_QUIET_LIMIT_S, QUIET_LIMIT_S
from .limits import MAX_SAMPLES as MAX_SAMPLES
from .limits import MAX_TOLD_TOO as MAX_TOLD_TOO
from .limits import MAX_VARIANTS as MAX_VARIANTS  # of a row, too

MAX_WAIT_S = 3600.0
"""The wait between two digests doubles up to this."""

NEW_AT_ONCE = 2
"""So many digests in a row have a variant that is new after a window; each one more waits for twice as long."""

MAX_DIGESTS_WITH_NEW = 16

QUIET_WINDOWS = 10
"""After so many windows without a record an incident is over."""

MAX_QUIET_S = 3600.0
"""What comes again and again is over later, up to this."""

GATHER_WINDOWS = 2
"""What is over within so many windows is told together."""

FRESH_WINDOWS = 2
"""A digest is sent while its newest record is no older than this; what has stopped is told by its end."""

RARE_RECORDS = 5
RARE_WINDOWS = 3
"""Of so few records, or of one in so many windows, ten quiet windows do not show that it is mended."""

EXPIRES_S = 24 * 3600.0
"""What could not be told for so long is given up."""

PATIENCE = 3
"""Rounds after which an alert lets others go first: WeCom, or something before it, may refuse just this one."""

SPANS = 8
"""Into which the wait between two digests is divided, for the curve of the rate."""

CRITICAL = 50
"""From this level on a new incident waits for no other."""

SOON_S = 0.05
"""Clocks of a store and of a process may differ by so much."""

NEAR_S = 1.0
"""What is due within it goes along with others of its cause."""

MAX_RELATED = 200

CLOSED_S = 24 * 3600.0
"""For so long after its end an incident is known: if it comes again, its message says so, and who has closed it."""

MAX_JOURNAL = 16
"""Of what people did with an incident, the newest are kept."""

MAX_RATES = 4 * SPANS + 1

MAX_PLACES = 1000
"""Of the processes that have added to an incident, so many are counted."""


def added(
    there: Incident | None,
    count: Count,
    *,
    now: float,
    short_id: Callable[[], str],
    version: Callable[[], int],
    place: Place | None = None,
) -> Incident | None:
    """What a count makes of the row of its key, which may not be there. None: it opens nothing.

    The very row where nothing is added. ``short_id`` and ``version`` are asked where it is opened.
    """
    if there is None:
        if count.first is None or not count.number:
            return None
        row = opened(count, short_id=short_id(), version=version(), now=now)
    elif (row := counted(there, count, now)) is there:
        return there
    if place is None or place in row.places or len(row.places) >= MAX_PLACES:
        return row
    return replace(row, places=(*row.places, place))


def opened(count: Count, *, short_id: str, version: int, now: float) -> Incident:
    """A first alert, or what was counted of an incident that is not open any more. It is due at once."""
    assert count.first is not None
    return Incident(
        key=count.key,
        short_id=short_id,
        version=version,
        level=count.level,
        window_s=count.window_s,
        rank=rank(count.level, crowded=count.crowded),
        audience=count.audience,
        first=count.first,
        count=count.number,
        counted_at=now,
        untold_at=now,
        began=count.last,
        since=count.last,
        last=count.last,
        samples=count.samples[:MAX_SAMPLES],
        variants=count.variants[:MAX_VARIANTS],
        cause=count.cause,
        event=count.event,
        answers=_may(count),
        duty=count.duty,
        steps=count.steps,
        own=count.own,
    )


def _may(count: Count) -> Answers:
    limit_s = count.quiet_limit_s
    if limit_s is None:
        limit_s = CRITICAL_QUIET_LIMIT_S if count.level >= CRITICAL else QUIET_LIMIT_S
    return _within(count.take_for_s, limit_s)


@lru_cache(16)
def _within(take_for_s: float, quiet_limit_s: float) -> Answers:
    answers = Answers(take_for_s=take_for_s, quiet_limit_s=quiet_limit_s)
    return NO_ANSWERS if answers == NO_ANSWERS else answers


def counted(incident: Incident, count: Count, now: float) -> Incident:
    """More of it. It commutes: in whatever order several processes add, the incident becomes the same.

    But for the first alert: of one that a person has closed, the next takes its place. What has opened it is not
    counted again.
    """
    if not count.number or (count.event and count.event == incident.event):
        return incident if count.own == NOTHING else replace(incident, own=incident.own + count.own)
    begins = not incident.untold
    first, event = incident.first, incident.event
    if count.first is not None and takes_first(incident):
        first, event = count.first, count.event
    return replace(
        incident,
        first=first,
        event=event,
        count=incident.count + count.number,
        counted_at=now,
        untold_at=now if begins else incident.untold_at,
        since=count.last if begins else incident.since,
        last=max(incident.last, count.last),
        samples=(*incident.samples, *count.samples)[:MAX_SAMPLES],
        variants=more_variants(incident.variants, count.variants),
        rates=_rates(incident, count.number, now),
        not_before=0.0 if has_new_variant(count.variants) else incident.not_before,  # why it waits is asked anew
        own=incident.own + count.own,
    )


def is_more(incident: Incident, count: Count) -> bool:
    """Whether a count has records that were not counted."""
    return count.number > 0 and not (count.event and count.event == incident.event)


def takes_first(incident: Incident) -> bool:
    """Whether the next first alert takes the place of its own."""
    return is_closed(incident) and not incident.untold


def _rates(incident: Incident, number: int, now: float) -> tuple[int, ...]:
    at = span_at(incident, now)
    rates = [*incident.rates, *[0] * (at + 1 - len(incident.rates))]
    rates[at] += number
    return tuple(rates)


def more_variants(variants: tuple[Variant, ...], more: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """All of them, each name once, with the first text that was given."""
    if not more:
        return variants
    found = {variant.name: variant for variant in variants}
    for variant in more:
        same = found.get(variant.name)
        if same is not None:
            one = same if same.is_new or not variant.is_new else variant
            found[variant.name] = replace(one, count=same.count + variant.count)
        elif len(found) < MAX_VARIANTS:
            found[variant.name] = variant
    return tuple(found.values())


def _less_variants(variants: tuple[Variant, ...], told: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """What came of them beside what a message has told."""
    counts = {variant.name: variant.count for variant in told}
    left = [replace(variant, count=variant.count - counts.get(variant.name, 0)) for variant in variants]
    return tuple(
        replace(variant, is_new=variant.is_new and variant.name not in counts) for variant in left if variant.count > 0
    )


def span_s(incident: Incident) -> float:
    """How long one step of the curve is; 0: there is one step only."""
    return incident.wait_s / SPANS


def span_at(incident: Incident, now: float) -> int:
    """The step of the curve in which a record is counted now."""
    long = span_s(incident)
    return min(max(int((now - incident.told_at) / long), 0), MAX_RATES - 1) if long > 0 else 0


def rank(level: int, *, crowded: bool, tries: int = 0) -> int:
    """Who goes first: the most severe; of one level those of whose line nothing else waits; the often refused last."""
    return 2 * max(0, min(level, 1000)) + (not crowded) - 2002 * min(tries // PATIENCE, 10)


def rank_of(incident: Incident, failed: int = 0) -> int:
    """Its rank, where so many more rounds have failed."""
    return rank(incident.level, crowded=not incident.rank % 2, tries=incident.tries + failed)


def wake_at(incident: Incident) -> float:
    """When a process has to look at it as soon as something of it is untold: no later than `tell_at`, whatever is
    counted meanwhile."""
    if incident.owner:
        return incident.until
    if incident.told and not incident.answers.is_said:
        at = incident.told_at
    elif incident.held_until:
        at = incident.held_until
    elif not incident.told:
        at = incident.untold_at
    else:
        at = incident.told_at + (0.0 if is_closed(incident) else min(_wait_s(incident), quiet_s(incident)))
    return max(incident.not_before, min(at, step_due_at(incident)))


def tell_at(incident: Incident, now: float) -> float:
    """Of one of which something is untold: when a message tells that if nothing more comes, from ``now`` on.

    A first at once; a digest when its wait is over, if its newest record is fresh then; else its end.
    """
    if is_first(incident) or news(incident) is not None:
        return now
    if incident.held_until:
        return max(incident.held_until, now)
    at = max(incident.told_at + _wait_s(incident), now)
    return at if not incident.wait_s or _is_fresh(incident, at) else max(over_at(incident), now)


def look_at(incident: Incident, now: float) -> float:
    """Of one of which something is untold: when it has to be looked at again. A record that comes after a long wait is
    told within a window."""
    return min(tell_at(incident, now), max(incident.told_at + _wait_s(incident), now + incident.window_s))


def _is_fresh(incident: Incident, at: float) -> bool:
    return at <= incident.counted_at + FRESH_WINDOWS * incident.window_s


def has_stopped(incident: Incident, now: float) -> bool:
    """Whether what a message tells now ended more than a window ago."""
    return now > incident.counted_at + incident.window_s


def is_rare(incident: Incident) -> bool:
    """Whether it came so seldom that its end may mean that it was not tried again."""
    number = total(incident)
    return number < RARE_RECORDS or incident.last - began(incident) > (number - 1) * RARE_WINDOWS * incident.window_s


def _wait_s(incident: Incident) -> float:
    """Between two digests; a variant that no message has shown makes it shorter."""
    return _new_wait_s(incident) if has_new_variant(incident.variants) else incident.wait_s


def _first_wait_s(incident: Incident) -> float:
    """From its first message to the first digest."""
    return _longer(incident.window_s, incident, MAX_WAIT_S)


def _longer(usual_s: float, incident: Incident, most_s: float) -> float:
    """Each time it comes again within a day it has twice as long."""
    return max(min(usual_s * (1 << min(incident.times - 1, 16)), most_s), usual_s)


def _new_wait_s(incident: Incident) -> float:
    """Names that never come twice would make a digest a window: while each has some, the wait doubles."""
    return min(incident.wait_s, incident.window_s * (1 << max(incident.digests_with_new - NEW_AT_ONCE, 0)))


def has_new_variant(variants: tuple[Variant, ...]) -> bool:
    """Whether one of them was shown by no message."""
    return any(variant.is_new for variant in variants)


def new_variant_at(incident: Incident) -> float:
    """What `wake_at` becomes, if a variant that is new is counted in it now."""
    return wake_at(replace(incident, not_before=0.0, variants=(Variant("", 1, is_new=True),)))


def is_early(incident: Incident, now: float) -> bool:
    """Whether all that is untold of it is a count of what was told, which is not due yet: in a shared store it is safe,
    and waits for its time."""
    return incident.told > 0 and tell_at(incident, now) > now


def may_go_early(incident: Incident) -> bool:
    """Whether it may be told before it is due, if a process asks for it."""
    return incident.untold > 0 and not (incident.owner or incident.held_until)


def quiet_s(incident: Incident) -> float:
    """After so long without a record it is over. That few records are followed by none does not end its steps."""
    usual_s = _longer(QUIET_WINDOWS * incident.window_s, incident, MAX_QUIET_S)
    return usual_s + incident.steps[-1] if incident.steps and _outlasts_quiet(incident) else usual_s


def _outlasts_quiet(incident: Incident) -> bool:
    """Whether its steps go on although nothing comes: so few were told, and no person did anything."""
    is_rare = incident.told - incident.answers.base < RARE_RECORDS
    return bool(incident.steps) and is_rare and not _is_held(incident)


def quiet_for_s(incident: Incident, now: float) -> float:
    """For how long nothing came of one that is over, as its end is told; of one that has waited since its last."""
    return max(quiet_s(incident), now - incident.counted_at if incident.quiet_since else 0.0)


def over_at(incident: Incident) -> float:
    """When it is over, if nothing more comes. Of one that has ended: when that is forgotten."""
    if is_closed(incident):
        return incident.told_at + CLOSED_S
    return max(incident.told_at, incident.counted_at) + quiet_s(incident)


def end_at(incident: Incident) -> float:
    """When a message tells that it is over, with what else is over by then."""
    gather_s = GATHER_WINDOWS * max(incident.window_s, 1.0)  # what a store has may be anything
    return (over_at(incident) // gather_s + 1) * gather_s


def quiet_at(told_at: float, counted_at: float, quiet_s: float, window_s: float) -> float:
    """When nothing was told or counted for so long that a record would be a new incident: its end is told by then."""
    return max(told_at, counted_at) + quiet_s + GATHER_WINDOWS * window_s


def due_at(incident: Incident) -> float:
    """When a process has to look at it: to send it, to end it, or because a lease has ended."""
    if incident.owner or not is_told(incident):
        return wake_at(incident)
    return max(min(over_at(incident), step_due_at(incident)), incident.not_before)


def going_along(incident: Incident, now: float) -> Incident:
    """As if its wait were over."""
    return replace(incident, told_at=min(incident.told_at, now - incident.wait_s))


def is_told(incident: Incident) -> bool:
    """Whether nothing is left to tell, but for its end."""
    return not incident.untold and news(incident) is None


def is_over(incident: Incident, now: float) -> bool:
    """Of one that is due: whether it ends now, with what is untold of it."""
    is_due = step_due_at(incident) <= now + SOON_S
    if is_due and _outlasts_quiet(incident):
        return False
    if is_told(incident):
        return not is_due or over_at(incident) <= now + SOON_S
    # What has waited may be over before it is told.
    begins = is_first(incident) and (not incident.quiet_since or is_closed(incident))
    return not (begins or news(incident) is not None) and over_at(incident) <= now + SOON_S


def has_ended(incident: Incident, now: float) -> bool:
    """Whether its message says that it goes on no more."""
    waited = incident.quiet_since > 0 and incident.counted_at + quiet_s(incident) <= now + SOON_S
    return waited or is_over(incident, now)


def has_closing_line(incident: Incident) -> bool:
    """Whether a message says that it is over; else it ends in silence: nothing came after the first. Who has taken it
    wants to know."""
    if is_closed(incident):
        return False
    answer = incident.answers.now
    return incident.untold + incident.digests + incident.step > 0 or (answer is not None and answer.verb == TAKEN)


def is_expired(incident: Incident, now: float) -> bool:
    """Whether all its records have waited for too long: what happens again is told, with what was left of it."""
    since = max(incident.counted_at, incident.held_until) if incident.held_until else incident.counted_at
    return incident.untold > 0 and now - since >= EXPIRES_S  # after a new start of the machine times are below zero


def claimed(incident: Incident, *, owner: str, until: float, version: int) -> Incident:
    """One process may tell it until the lease ends."""
    return replace(incident, owner=owner, until=until, version=version, lent=0)


def alone(incident: Incident, now: float) -> Incident:
    """As its first message tells it: the first alert and no more, if that is fresh; what came since is for a digest.
    What a person did is told with what had come by then: what came since is for all who get it."""
    if incident.told and not incident.answers.is_said and (last := incident.answers.journal[-1]).verb != DONE:
        number = max(last.count - incident.told, 0)
        return _first_of(incident, number, min(incident.last, last.at)) if number < incident.untold else incident
    if incident.told or incident.count == 1 or now - incident.untold_at >= incident.window_s:
        return incident
    return incident if is_closed(incident) else _first_of(incident, 1, incident.began)


def _first_of(incident: Incident, number: int, last: float) -> Incident:
    """As if no more than so many of what is untold had come, the last of them then."""
    captured = min(incident.own.captured, number)
    own = Own(captured, min(incident.own.counted, number - captured), incident.own.seen if number else 0)
    return replace(incident, count=incident.told + number, last=last, samples=(), variants=(), rates=(), own=own)


def sent(incident: Incident, now: float, *, ends: bool = False) -> Incident | None:
    """A message has told it, as it was claimed; with its end if that was due (``ends``), or nothing else was left.

    The wait doubles with each digest, but not with one that came before its time, as ``flush`` asks for.
    """
    if ends or is_told(incident) or (nothing_came(incident) and over_at(incident) <= now):
        return ended(incident, now)
    is_again, has_new = not is_first(incident), has_new_variant(incident.variants)
    incident = _heard(incident if is_again else _from_first_step(incident, now), now)
    is_early = now + SOON_S < incident.told_at + incident.wait_s
    longer = incident.wait_s if is_early else min(2 * incident.wait_s, MAX_WAIT_S)
    return replace(
        unclaimed(incident),
        told=incident.count,
        digests=incident.digests + is_again,
        tries=0,
        wait_s=max(longer, incident.window_s) if is_again else _first_wait_s(incident),
        digests_with_new=min(incident.digests_with_new + 1, MAX_DIGESTS_WITH_NEW) if is_again and has_new else 0,
        told_at=now,
        since=incident.last,
        samples=(),
        variants=(),
        rates=(),
        quiet_since=0.0,
        quiet_by="",
        own=NOTHING,
    )


def ended(incident: Incident, now: float) -> Incident | None:
    """It is over: for a day it is known, and its next record is told as its coming again. None: nothing is left."""
    if is_closed(incident):
        return None
    return replace(
        unclaimed(incident),
        told=incident.count,
        digests=0,
        tries=0,
        wait_s=0.0,
        told_at=now,
        held_until=0.0,
        since=incident.last,
        samples=(),
        variants=(),
        rates=(),
        cause="",
        answers=replace(incident.answers, now=None, before=None, is_said=True),
        step_at=0.0,
        stepping_at=0.0,
        calls=NO_CALLS,
        call_at=0.0,
        quiet_since=0.0,
        quiet_by="",
        own=NOTHING,
        ended=True,
    )


def times(incident: Incident) -> int:
    """How many times it came, each after an end less than a day ago."""
    return incident.times + comes_again(incident)


def after(incident: Incident, earlier: Incident) -> Incident:
    """One that was opened anew, where an earlier one of its group had ended."""
    return replace(incident, times=earlier.times + 1, times_since=earlier.times_since or earlier.began)


def refused(incident: Incident, now: float, *, ends: bool = False) -> Incident | None:
    """A message of it was refused for good: what was untold is given up, what comes waits as if that had been told. No
    step tells what nobody was told of."""
    after = sent(incident, now, ends=ends)
    if after is None:
        return None
    after = replace(after, digests=min(after.digests, incident.digests))
    return replace(after, step=0, step_at=0.0, stepping_at=0.0) if is_first(incident) else after


def released(incident: Incident, now: float, wait_s: float = 0.0, *, failed: int = 0) -> Incident:
    """It was not sent: any process may claim it when the wait is over; ``failed`` rounds were tried."""
    return replace(
        unclaimed(incident),
        tries=incident.tries + failed,
        rank=rank_of(incident, failed),
        not_before=now + wait_s if wait_s > 0 else 0.0,
    )


def hastened(incident: Incident) -> Incident:
    """A person asks for it: what is untold of it is due now."""
    return replace(incident, wait_s=0.0, not_before=0.0, held_until=0.0)


def quietened(incident: Incident, until: float, *, time: float, by: str = "") -> Incident:
    """Quiet hours, or a maintenance ``by`` name, hold it until then: it is counted, not told."""
    return replace(
        unclaimed(incident),
        not_before=until,
        held_until=max(incident.held_until, until),
        quiet_since=incident.quiet_since or time,
        quiet_by=by,
    )


def woken(incident: Incident, *, now: float, time: float) -> Incident:
    """What holds it is over before its time; what a person silenced stays so."""
    answer = incident.answers.now
    still = answer.until - time if answer is not None else 0.0
    return replace(incident, not_before=0.0, held_until=now + still if still > 0 else 0.0)


# The steps of an escalation. They count from its first message, and anew from that which tells that a person had it.

NEVER = float("inf")

STEP_S = 60.0
"""At least so long between two steps that were held, but where less is asked for."""

STEP_TRY_S = 5.0
"""How soon a step whose message has failed is tried again; then it waits for twice as long, up to `STEP_S`."""


def step_due_at(incident: Incident) -> float:
    """When a step is due: to begin, or to be told. Infinity: none. What a person did holds it, and is told first."""
    stepping_at, step_at, call_at = incident.stepping_at, incident.step_at, incident.call_at
    if not (stepping_at or step_at or call_at) or not incident.told or is_closed(incident) or _is_held(incident):
        return NEVER
    return stepping_at or min(step_at or NEVER, call_at or NEVER)


def _is_held(incident: Incident) -> bool:
    """Whether what a person did holds its steps, until that is told and over."""
    answers = incident.answers
    if not answers.is_said and answers.journal[-1].verb != ESCALATED:
        return True
    return answers.now is not None and (incident.held_until > 0 or answers.now.verb == DONE)


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
        calls=NO_CALLS,
        call_at=0.0,
        tries=0,
        answers=replace(incident.answers, journal=(*incident.answers.journal, answer)[-MAX_JOURNAL:]),
    )


def step_told(
    incident: Incident, audience: str, who: str, *, calls: tuple[str, ...] = (), now: float = 0.0
) -> Incident:
    """The message of its step was sent to ``audience``, whom people call ``who``; those told before get a line, which
    says, too, what became of ``calls``."""
    told_too = (*(one for one in incident.told_too if one != audience), audience)[-MAX_TOLD_TOO:]
    told = replace(_step_over(incident, who=who), told_too=told_too)
    return replace(_said(told, is_said=True), calls=Calls(calls), call_at=now) if calls else told


def step_missed(incident: Incident, why: str, *, now: float, time: float) -> Incident:
    """Its step told nobody: the next one begins at once, and says so; after the last a line does."""
    missed = _step_over(incident, where=why)
    if not incident.step_at:
        return missed
    return stepped(_said(missed, is_said=True), now=now, time=time)


def step_later(incident: Incident, at: float, *, failed: int = 1) -> Incident:
    """The message of its step could not be sent, or (not ``failed``) there is no room for it: it is tried then."""
    return replace(unclaimed(incident), stepping_at=at, tries=incident.tries + failed)


def step_wait_s(incident: Incident) -> float:
    """For how long the message of its step waits that has failed."""
    return min(STEP_TRY_S * (1 << min(incident.tries, 8)), STEP_S)


def _step_over(incident: Incident, who: str = "", where: str = "") -> Incident:
    journal = _with_step(incident.answers.journal, who, where)
    answers = replace(incident.answers, journal=journal, is_said=False)
    return replace(unclaimed(incident), stepping_at=0.0, tries=0, answers=answers)


def by_persons(incident: Incident) -> list[Answer]:
    """What people did with it; a step is none of that."""
    return [one for one in incident.answers.journal if one.verb != ESCALATED]


def newest_step(journal: tuple[Answer, ...]) -> int:
    """The place of the step that began last; -1: none is known."""
    return max((place for place, one in enumerate(journal) if one.verb == ESCALATED), default=-1)


def _with_step(journal: tuple[Answer, ...], who: str, where: str) -> tuple[Answer, ...]:
    """With what is known of the step that began last."""
    newest = newest_step(journal)
    return tuple(replace(one, who=who, where=where) if place == newest else one for place, one in enumerate(journal))


def _from_first_step(incident: Incident, now: float) -> Incident:
    """All that begins with a first message, or anew, begins its steps from the first one."""
    if not incident.steps:
        return incident
    begun = replace(incident, step=0, stepping_at=0.0, calls=NO_CALLS, call_at=0.0)
    return replace(begun, steps_from=now, step_at=now + incident.steps[0])


def _said(incident: Incident, *, is_said: bool) -> Incident:
    return replace(incident, answers=replace(incident.answers, is_said=is_said))


# The phones that ring for a step. Each of these is given an incident as it is now, lent or not.

CALL_LOOKS_S = (20.0, 60.0)
"""When it is looked whether a call was answered."""


def call_begun(incident: Incident, now: float) -> Incident:
    """The next person is called; the very incident where somebody did something with it meanwhile."""
    calls = incident.calls
    if calls.who or not calls.left or not incident.call_at or step_due_at(incident) > now + SOON_S:
        return incident
    return replace(incident, calls=Calls(calls.left[1:], calls.left[0]), call_at=now + CALL_LOOKS_S[0])


def call_rings(incident: Incident, user: str, call_id: str) -> Incident:
    """It has begun."""
    calls = incident.calls
    return replace(incident, calls=replace(calls, id=call_id)) if calls.who == user else incident


def call_looked_at(incident: Incident, now: float) -> Incident:
    """It was not answered so far."""
    calls, waits = incident.calls, CALL_LOOKS_S
    if not calls.who:
        return incident
    looks = min(calls.looks + 1, len(waits) - 1)
    return replace(incident, calls=replace(calls, looks=looks), call_at=now + waits[looks] - waits[looks - 1])


def call_over(incident: Incident, user: str, words: str, *, ends: bool, now: float) -> Incident:
    """What became of it; the next person is called, but where that ``ends`` the calls. Then a line says so."""
    calls, journal = incident.calls, incident.answers.journal
    if user not in (calls.who, *calls.left[:1]):
        return incident
    left = tuple(one for one in calls.left if one != user)
    step = journal[newest_step(journal)]
    where = "; ".join(filter(None, [step.where, f"{user} {words}"]))
    called = replace(incident, answers=replace(incident.answers, journal=_with_step(journal, step.who, where)))
    if left and not ends:
        return replace(called, calls=Calls(left), call_at=now)
    return _said(replace(called, calls=NO_CALLS, call_at=0.0), is_said=_is_held(called) and called.answers.is_said)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a swap makes of a row: another, or none.

    ``number`` of it ended, which is booked as ``account``; ``letter`` is what people may send again of that.
    """

    row: Incident | None
    account: str
    number: int
    letter: Incident | None = None


TOLD, GIVEN_UP, DISCARDED = "told", "given_up", "discarded"
"""What becomes of what was counted."""


def moved(
    there: Incident | None, before: Incident, after: Incident | None, why: str, version: Callable[[], int]
) -> Moved | None:
    """A row that was lent as ``before`` is to be ``after``, or to go. None: it is another one by now.

    What is given up for a reason ``why`` is kept for people; without one a row only goes if nothing was counted since.
    """
    if there is None or there.version != before.version:
        return None
    if after is None:
        return None if there.count != before.count and not why else removed(there, why)
    row = merged(there, before, after, version())
    return _ended(there, row, row.told - there.told, why, GIVEN_UP if why else TOLD)


def removed(there: Incident, why: str) -> Moved:
    """A row goes, claimed or not."""
    return _ended(there, None, there.untold, why, GIVEN_UP if why else DISCARDED)


def _ended(there: Incident, row: Incident | None, number: int, why: str, account: str) -> Moved:
    letter = replace(unclaimed(there), count=number, told=0) if why and number else None
    return Moved(row, account, number, letter)


def written_again(letter: Incident) -> Count:
    """What was given up waits again, as when it was counted."""
    return Count(
        key=letter.key,
        number=letter.untold,
        level=letter.level,
        window_s=letter.window_s,
        last=letter.last,
        first=letter.first,
        audience=letter.audience,
        duty=letter.duty,
        steps=letter.steps,
    )


def leaves_before(incident: Incident) -> tuple[bool, int, float]:
    """Where there are too many: first what is told already, then the least severe and oldest."""
    return incident.untold > 0, incident.rank, incident.untold_at


def merged(there: Incident, before: Incident, after: Incident, version: int = 0) -> Incident:
    """What a row becomes that was lent as ``before`` and is to be ``after``, with what was counted meanwhile."""
    tells = after.told != before.told
    own = there.own - before.own if tells else there.own
    if tells and there.count == after.told:  # what is left are duplicate reports of what is told
        own = NOTHING
    return replace(
        after,
        short_id=there.short_id,
        event=there.event,
        count=there.count,
        last=there.last,
        counted_at=there.counted_at,
        untold_at=there.counted_at if tells and there.count > after.told else there.untold_at,
        since=after.since if tells else there.since,
        samples=there.samples[len(before.samples) :] if tells else there.samples,
        variants=_less_variants(there.variants, before.variants) if tells else there.variants,
        rates=() if tells else there.rates,
        places=there.places,
        beyond=there.beyond,
        own=own,
        version=version or after.version,
    )


def unclaimed(incident: Incident) -> Incident:
    return replace(incident, owner="", until=0.0, not_before=0.0, lent=0)


# What people do with it. Each gets ``now`` on the clock of the store, and ``time``, in seconds since the epoch.


def taken(
    incident: Incident, who: str, where: str, *, now: float, time: float, by: str = "", user: str = ""
) -> Incident:
    """A person takes it, or gets it ``by`` another: it is counted, and told again when that ends and it is not over. A
    first is told."""
    return _answered(incident, Answer(TAKEN, who, where, time, incident.answers.take_for_s, by=by, user=user), now)


def silenced(
    incident: Incident, who: str, where: str, length_s: float, *, now: float, time: float, user: str = ""
) -> Incident:
    """It is counted, not told, until that ends; then it is told once, also that nothing came."""
    return _answered(incident, Answer(SILENCED, who, where, time, length_s, user=user), now)


def done(incident: Incident, who: str, where: str, *, now: float, time: float, user: str = "") -> Incident:
    """A person closes it, with a line. If it comes again, it is told at once, as if it were new."""
    return _answered(incident, Answer(DONE, who, where, time, user=user), now)


def undone(incident: Incident, who: str, where: str, *, now: float, time: float, user: str = "") -> Incident:
    """It is as it was before what is in force, which there must be."""
    answers, answer = incident.answers, incident.answers.now
    assert answer is not None
    back = answers.before if answers.before is not None and answers.before.until > time else None
    incident = replace(incident, answers=replace(answers, now=back))
    after = _answered(incident, Answer(UNDONE[answer.verb], who, where, time, user=user), now)
    nobody_knows = not incident.told or not (answers.is_said or incident.owner)
    return replace(
        after,
        answers=replace(after.answers, now=back, before=None, is_said=nobody_knows),
        held_until=now + back.until - time if back is not None else 0.0,
    )


def silence_over(incident: Incident) -> Incident:
    """A message has told what came in a silence."""
    return replace(incident, answers=replace(incident.answers, now=None, before=None), held_until=0.0)


def in_the_way(incident: Incident, verb: str, who: str, time: float, user: str = "") -> Answer | None:
    """What is in force and refuses ``verb``: what another person has taken, no other person takes or silences; what
    another has silenced, no other person silences anew, but any person takes it. A closed one can only be opened
    again."""
    answer = in_force(incident, time)
    if answer is None or verb not in UNDONE:
        return None
    may = verb == DONE or is_of(answer, who, user) or (verb, answer.verb) == (TAKEN, SILENCED)
    return answer if answer.verb == DONE or not may else None


def is_of(answer: Answer, who: str, user: str = "") -> bool:
    """Whether that person did it: by the user ids, and by the names where one of these is not known."""
    return answer.user.lower() == user.lower() if answer.user and user else answer.who == who


def in_force(incident: Incident, time: float) -> Answer | None:
    """What a person did with it that still holds."""
    answer = incident.answers.now
    is_over = answer is None or comes_again(incident) or (answer.verb != DONE and answer.until <= time)
    return None if is_over else answer


def newest(incident: Incident, time: float) -> Answer | None:
    """What a person did with it since it began: what still holds, else what was done last."""
    answer = in_force(incident, time)
    if answer is not None or not incident.answers.journal:
        return answer
    last = incident.answers.journal[-1]
    is_of_before = last.verb == DONE or comes_again(incident) or last.at < began(incident)
    return None if is_of_before else last


def began(incident: Incident) -> float:
    """When its first record came; of one that was closed and comes again the first since."""
    return incident.since if comes_again(incident) else incident.began


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


def total(incident: Incident) -> int:
    """How many came in all, of a closed one since then."""
    return incident.count - (incident.told if comes_again(incident) else incident.answers.base)


def answered_meanwhile(there: Incident, before: Incident, after: Incident | None) -> Incident | None:
    """What a row becomes that was lent as ``before`` and is to be ``after``, where a person did something with it
    meanwhile. None: that claim is not in force any more."""
    if not there.lent or there.lent != before.version:
        return None
    if after is None:  # it is not over
        return unclaimed(there)
    if there.calls != before.calls:  # a phone rings meanwhile
        after = replace(after, calls=there.calls, call_at=there.call_at)
    if before.stepping_at and not after.stepping_at:  # what the step has told it has told
        step = after.answers.journal[newest_step(after.answers.journal)]
        answers = replace(there.answers, journal=_with_step(there.answers.journal, step.who, step.where))
        return replace(after, answers=answers, held_until=there.held_until)
    if after.told == before.told:
        return replace(unclaimed(there), tries=after.tries, rank=after.rank, not_before=after.not_before)
    return replace(after, answers=there.answers, held_until=there.held_until)


def changed_meanwhile(incident: Incident, after: Incident, claim: Incident) -> Incident:
    """What becomes of it where that is changed as it is now: who has this claim has it no more, who has another keeps
    it."""
    if incident.owner == claim.owner and claim.version in (incident.version, incident.lent):
        return unclaimed(after)
    return replace(after, lent=(incident.lent or incident.version) if incident.owner else 0)


def said(incident: Incident) -> Incident:
    """Those who get it have seen what a person did: no message has to tell it."""
    return replace(incident, answers=replace(incident.answers, is_said=True))


def _answered(incident: Incident, answer: Answer, now: float) -> Incident:
    incident = _anew(incident) if comes_again(incident) else incident
    answers = replace(
        incident.answers,
        now=answer,
        before=incident.answers.now,
        is_said=not incident.told and answer.verb == SILENCED,
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


def _heard(incident: Incident, now: float) -> Incident:
    """What is left of an answer, once a message has told it, or what came while it was in force."""
    answers, answer = incident.answers, incident.answers.now
    if incident.ended:
        return _anew(incident)
    if not answers.is_said:
        incident = replace(incident, answers=replace(answers, is_said=True))
        if answer is None or answer.verb != TAKEN or incident.held_until or answer != answers.journal[-1]:
            return incident
        return replace(incident, held_until=now + answer.length_s)
    if answer is None:
        return replace(incident, held_until=0.0) if incident.quiet_since else incident
    if answer.verb == TAKEN:  # he had it, which is still said
        return _from_first_step(replace(incident, held_until=0.0), now) if incident.held_until else incident
    return _anew(incident) if answer.verb == DONE else _from_first_step(silence_over(incident), now)


def _anew(incident: Incident) -> Incident:
    """It had ended, and comes again."""
    answers = replace(incident.answers, now=None, before=None, base=incident.told)
    again = after(incident, incident)
    return replace(again, told_too=(), answers=answers, digests=0, wait_s=0.0, began=incident.since, ended=False)
