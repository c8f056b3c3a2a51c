"""`plan`: when an incident is looked at next, and what is done then. Nothing else knows it.

A value in, a value out: no clock, no thread, no journal. Each rule of *when* is a term of it. What goes along with
others, or waits for room, is decided by `bundle`, of what is due.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from ..model.alert import SILENCED, TAKEN
from .values import (
    Incident,
    has_new_variant,
    has_person,
    holding,
    is_closed,
    is_first,
    is_said,
    standing,
    was_sent,
)

NEVER = float("inf")

MAX_WAIT_S = 3600.0
"""The wait between two digests doubles up to this."""

NEW_AT_ONCE = 2
"""So many digests in a row have a variant that is new after a window; each one more waits for twice as long."""

QUIET_WINDOWS = 10
"""After so many windows without a record an incident is over."""

MAX_QUIET_S = 3600.0
"""What comes again and again is over later, up to this."""

GATHER_WINDOWS = 2
"""What is over within so many windows is sent together."""

FRESH_WINDOWS = 2
"""A digest is sent while its newest record is no older than this; what has stopped is said by its end."""

EXPIRES_S = 24 * 3600.0
"""What could not be sent for so long is given up."""

CLOSED_S = 24 * 3600.0
"""For so long after its end an incident is known: if it comes again, its message says so, and who has closed it."""

_MAX_DOUBLED = 16


class Act(enum.Enum):
    """What is done with an incident that is due."""

    FIRST = "the first message about it, or the first since it comes again"
    NEWS = "a message about what a person did, about a step, or that a take or a silence is over"
    DIGEST = "a message about what came since the last one"
    END = "a message that it is over"
    LAPSE = "no message: it is over in silence; or what is unsent has waited for too long, and is given up"
    STEP = "a message to those of its next step"
    CALL = "the phones of the step that was sent ring"
    FORGET = "it goes: it was over, and did not come again"


class Plan(NamedTuple):
    """``act`` is due ``at`` that time; if it is not later than now, it is due now. Infinity: never."""

    at: float
    act: Act


def plan(incident: Incident, now: float) -> Plan:
    """What comes next for an incident if nothing more happens, from ``now`` on.

    A hold puts off messages, and no step: a step goes first, but for the news of the step before.
    """
    step, other = _step(incident, now), _message(incident, now)
    if step is None or (other.act is Act.NEWS and other.at <= step.at and step.act is Act.STEP):
        return other
    return step if step.at <= other.at else other


def _step(incident: Incident, now: float) -> Plan | None:
    """The next step, or the phones of the last one. None: there is none, or a person has the incident."""
    step = incident.step
    if step is None or not was_sent(incident) or has_person(incident):
        return None
    if step.call_at:
        return Plan(max(step.call_at, now), Act.CALL)
    return Plan(max(step.at, step.not_before, now), Act.STEP) if step.at else None


def _message(incident: Incident, now: float) -> Plan:
    """The next message, or its end in silence, without any step."""
    hold = incident.hold
    free_at = max(hold.until, now) if hold is not None else now
    if was_sent(incident) and not is_said(incident):
        return Plan(free_at, Act.NEWS)
    if is_closed(incident) and not incident.unsent:
        return Plan(max(incident.sent.at + CLOSED_S, now), Act.FORGET)
    answer = holding(incident)
    if is_first(incident):
        at = max(free_at, answer.until) if answer is not None else free_at
        return Plan(at, Act.LAPSE if _is_expired(incident, at) else Act.FIRST)
    if incident.unsent:
        return _digest(incident, now)
    if answer is not None and (answer.verb == SILENCED or answer.until < over_at(incident)):
        return Plan(max(free_at, answer.until), Act.NEWS)
    return _end(incident, free_at)


def _digest(incident: Incident, now: float) -> Plan:
    """What came since the last message: when the wait is over, or what held it; if it has stopped by then, its end.

    Of a hold by a failed try the wait goes on beside it; quiet hours, a maintenance or a person are waited for alone.
    """
    counts, hold, answer = incident.counts, incident.hold, holding(incident)
    held_until = max(
        hold.until if hold is not None and hold.is_of_wall else 0.0, answer.until if answer is not None else 0.0
    )
    tried_at = hold.until if hold is not None else 0.0
    over = over_at(incident)
    at = max(held_until or incident.sent.at + wait_s(incident), tried_at, now)
    is_fresh = at <= counts.at + FRESH_WINDOWS * incident.opening.window_s
    if at < over and (held_until or is_fresh or not incident.sent.wait_s):
        return Plan(at, Act.LAPSE if _is_expired(incident, at) else Act.DIGEST)
    if hold is not None and hold.is_of_wall:  # all that has waited is sent together
        return Plan(at, Act.LAPSE if _is_expired(incident, at) else Act.END)
    return _end(incident, max(min(over, at), held_until, tried_at, now))


def _end(incident: Incident, free_at: float) -> Plan:
    """It is over: with a message, together with what else is over by then, or in silence."""
    over = over_at(incident)
    if over == NEVER:
        return Plan(NEVER, Act.END)
    if not has_closing_line(incident):
        return Plan(max(over, free_at), Act.LAPSE)
    gather_s = GATHER_WINDOWS * max(incident.opening.window_s, 1.0)
    at = max((over // gather_s + 1) * gather_s, free_at)
    return Plan(at, Act.LAPSE if _is_expired(incident, at) else Act.END)


def over_at(incident: Incident) -> float:
    """When it is over, if nothing more comes. Infinity: never by itself, since a step is to come.

    That few records are followed by none does not end its steps, and what nobody has answered is not over before the
    last of them.
    """
    step, at = incident.step, max(incident.sent.at, incident.counts.at)
    if step is not None and not has_person(incident):
        if step.at or step.call_at:
            return NEVER
        at = max(at, step.sent_at)
    return at + quiet_s(incident)


def quiet_s(incident: Incident) -> float:
    """The seconds without a record after which it is over."""
    return longer_s(QUIET_WINDOWS * incident.opening.window_s, incident, MAX_QUIET_S)


def wait_s(incident: Incident) -> float:
    """The seconds between the last message and the next digest; a variant that no message has shown makes it shorter.

    Names that never come twice would make a digest a window: while each has some, the wait doubles.
    """
    sent = incident.sent
    if not has_new_variant(incident):
        return sent.wait_s
    return min(sent.wait_s, incident.opening.window_s * (1 << max(sent.digests_with_new - NEW_AT_ONCE, 0)))


def longer_s(usual_s: float, incident: Incident, most_s: float) -> float:
    """So many seconds; twice as many each time that it comes again within a day, up to the most."""
    return max(min(usual_s * (1 << min(incident.sent.times - 1, _MAX_DOUBLED)), most_s), usual_s)


def has_closing_line(incident: Incident) -> bool:
    """True if a message says that it is over; else nothing came after the first, and nobody waits for it.

    Who has taken it wants to know, and who was sent a step.
    """
    found = standing(incident)
    steps = incident.step.number if incident.step is not None else 0
    is_taken = found is not None and found[1].verb == TAKEN
    return is_taken or incident.unsent + incident.sent.digests + steps > 0


def _is_expired(incident: Incident, at: float) -> bool:
    """True if all that is unsent has waited for too long by then: what happens again is sent, with what is left."""
    if not incident.unsent:
        return False
    hold, answer = incident.hold, holding(incident)
    since = max(
        incident.counts.at,
        hold.until if hold is not None and hold.is_of_wall else 0.0,
        answer.until if answer is not None else 0.0,
    )
    return at - since >= EXPIRES_S


def drained(incident: Incident, now: float, *, closes: bool = False) -> Plan:
    """The same, where somebody waits for all that is unsent: it is due now, but for what quiet hours, a maintenance or
    a person hold. ``closes``: there is no later, so nothing holds it, and what nobody waits for is over in silence.
    """
    found = plan(incident, now)
    hold = incident.hold
    is_held = not closes and (holding(incident) is not None or (hold is not None and hold.is_of_wall))
    if was_sent(incident) and not is_said(incident) and (closes or not is_held):
        return Plan(now, Act.NEWS)
    if found.act is Act.END and not is_held and over_at(incident) <= now:  # it waits for no others
        return Plan(now, Act.LAPSE if closes and not incident.unsent else Act.END)
    if found.at <= now or not incident.unsent or is_held:
        return found
    if is_first(incident):
        return Plan(now, Act.FIRST)
    return Plan(now, Act.END if over_at(incident) <= now else Act.DIGEST)


def early(incident: Incident, now: float, *, hurries: bool = False) -> Act | None:
    """What an incident may send along with another message though it is not due yet: a digest of which half the wait is
    over and that goes on, or its end. ``hurries``: all that is unsent. None: nothing."""
    if is_first(incident) or holding(incident) is not None or incident.hold is not None:
        return None
    if not was_sent(incident) or not is_said(incident) or is_closed(incident):
        return None
    if over_at(incident) <= now:
        return Act.END if has_closing_line(incident) else None
    if incident.unsent and hurries:
        return Act.DIGEST
    if not incident.unsent or now < incident.sent.at + incident.sent.wait_s / 2:
        return None
    is_fresh = now <= incident.counts.at + FRESH_WINDOWS * incident.opening.window_s
    return Act.DIGEST if is_fresh else None
