"""The life of an incident, written once: when it is told, how long it waits, and when it is over.

Values in, values out: no clock, no thread, no store. A store keeps the rows and their order; when a row is due, and
what it becomes once a message has told it, is decided here. What a store makes of a row stands in `stored`, what people
do with it in `answered`, its steps in `escalation`.
"""

from __future__ import annotations

from dataclasses import replace

from ..model import Variant
from ..model.alert import DONE, TAKEN
from .answered import (
    began,
    begun_anew,
    is_closed,
    is_first,
    news,
    nothing_came,
    silence_over,
    total,
)
from .escalation import from_first_step, is_held, step_due_at
from .incident import NOTHING, SOON_S, Incident, Own
from .outcomes import MAX_DIGESTS_WITH_NEW
from .plan import (
    CLOSED_S,
    EXPIRES_S,
    FRESH_WINDOWS,
    GATHER_WINDOWS,
    MAX_QUIET_S,
    MAX_WAIT_S,
    NEW_AT_ONCE,
    QUIET_WINDOWS,
)
from .stored import has_new_variant, rank_of, unclaimed

RARE_RECORDS = 5
RARE_WINDOWS = 3
"""Of so few records, or of one in so many windows, ten quiet windows do not show that it is mended."""

NEAR_S = 1.0
"""What is due within it goes along with others of its cause."""

MAX_RELATED = 200


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
    is_fresh = at <= incident.counted_at + FRESH_WINDOWS * incident.window_s
    return at if is_fresh or not incident.wait_s else max(over_at(incident), now)


def look_at(incident: Incident, now: float) -> float:
    """Of one of which something is untold: when it has to be looked at again. A record that comes after a long wait is
    told within a window."""
    return min(tell_at(incident, now), max(incident.told_at + _wait_s(incident), now + incident.window_s))


def has_stopped(incident: Incident, now: float) -> bool:
    """Says whether the last record of an incident is older than a window, and than the usual gap of two of them."""
    usual_s = (incident.last - began(incident)) / max(total(incident) - 1, 1)
    longest_s = FRESH_WINDOWS * incident.window_s  # what is told in red and is older is over
    return now > incident.counted_at + max(incident.window_s, min(usual_s, longest_s))


def is_rare(incident: Incident) -> bool:
    """Whether it came so seldom that its end may mean that it was not tried again."""
    number = total(incident)
    return number < RARE_RECORDS or incident.last - began(incident) > (number - 1) * RARE_WINDOWS * incident.window_s


def _wait_s(incident: Incident) -> float:
    """Between two digests; a variant that no message has shown makes it shorter. Names that never come twice would make
    a digest a window: while each has some, the wait doubles."""
    if not has_new_variant(incident.variants):
        return incident.wait_s
    return min(incident.wait_s, incident.window_s * (1 << max(incident.digests_with_new - NEW_AT_ONCE, 0)))


def _longer(usual_s: float, incident: Incident, most_s: float) -> float:
    """Each time it comes again within a day it has twice as long."""
    return max(min(usual_s * (1 << min(incident.times - 1, 16)), most_s), usual_s)


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
    return bool(incident.steps) and is_rare and not is_held(incident)


def quiet_for_s(incident: Incident, now: float) -> float:
    """For how long nothing came of one that is over, as its end is told; of one that has waited since its last."""
    is_measured = incident.quiet_since or incident.answers.now is not None  # its end may be told long after it is due
    return max(quiet_s(incident), now - incident.counted_at if is_measured else 0.0)


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


def alone(incident: Incident, now: float) -> Incident:
    """As its first message tells it: the first alert and no more, if that is fresh; what came since is for a digest.
    What a person did is told with what had come by then: what came since is for all who get it."""
    if incident.told and not incident.answers.is_said:
        last = incident.answers.journal[-1]
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

    The wait doubles with each digest, but not with one that came before its time, as ``flush`` asks for. After a
    silence in which nothing came it begins anew.
    """
    if ends or is_told(incident) or (nothing_came(incident) and over_at(incident) <= now):
        return ended(incident, now)
    is_again, has_new = not is_first(incident), has_new_variant(incident.variants)
    begins = not is_again or nothing_came(incident)
    incident = _heard(incident if is_again else from_first_step(incident, now), now)
    is_early = now + SOON_S < incident.told_at + incident.wait_s
    longer = incident.wait_s if is_early else min(2 * incident.wait_s, MAX_WAIT_S)
    return replace(
        unclaimed(incident),
        told=incident.count,
        digests=incident.digests + is_again,
        tries=0,
        wait_s=_longer(incident.window_s, incident, MAX_WAIT_S) if begins else max(longer, incident.window_s),
        digests_with_new=min(incident.digests_with_new + 1, MAX_DIGESTS_WITH_NEW) if is_again and has_new else 0,
        told_at=now,
        since=incident.last,
        samples=(),
        variants=(),
        rates=(),
        quiet_since=0.0,
        quiet_by="",
        quiet_why="",
        own=NOTHING,
    )


def _heard(incident: Incident, now: float) -> Incident:
    """What is left of an answer, once a message has told it, or what came while it was in force."""
    answers, answer = incident.answers, incident.answers.now
    if incident.ended:
        return begun_anew(incident)
    if not answers.is_said:
        incident = replace(incident, answers=replace(answers, is_said=True))
        if answer is None or answer.verb != TAKEN or incident.held_until or answer != answers.journal[-1]:
            return incident
        return replace(incident, held_until=now + answer.length_s)
    if answer is None:
        return replace(incident, held_until=0.0) if incident.quiet_since else incident
    if answer.verb == TAKEN:  # he had it, which is still said
        return from_first_step(replace(incident, held_until=0.0), now) if incident.held_until else incident
    return begun_anew(incident) if answer.verb == DONE else from_first_step(silence_over(incident), now)


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
        quiet_since=0.0,
        quiet_by="",
        quiet_why="",
        own=NOTHING,
        ended=True,
    )


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


def quietened(incident: Incident, until: float, *, time: float, by: str = "", why: str = "") -> Incident:
    """Quiet hours, or a maintenance ``by`` name, hold it until then: it is counted, not told."""
    return replace(
        unclaimed(incident),
        not_before=until,
        held_until=max(incident.held_until, until),
        quiet_since=incident.quiet_since or time,
        quiet_by=by,
        quiet_why=why,
    )


def woken(incident: Incident, *, now: float, time: float) -> Incident:
    """What holds it is over before its time; what a person has said holds until then on the wall, and no longer."""
    answer = incident.answers.now
    until = 0.0 if answer is None else min(incident.held_until, now + max(answer.until - time, 0.0))
    return replace(incident, not_before=0.0, held_until=until)
