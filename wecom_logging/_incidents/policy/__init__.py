"""Policy: whether a message may go now, with which incidents, and what waits until when. Read `decide` first.

Pure, as `life` is: no clock, no thread, no store. `life` says when an incident is due; of what is due this file says
whether its audience gets it now, alone or with others. A rule about the time of day or about a person is a function
of `_duty`, which `decide` calls; what it asks is in `Moment`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from ..._duty import moment as at
from ..._duty.moment import Moment
from ...model import Recipients
from ...model.alert import ESCALATED
from ...model.duty import Held
from .. import answered, escalation, life
from ..cause import scheduler_of
from ..fingerprint import recipients_of
from ..hearers import without_those_who_know
from ..incident import SOON_S, Incident, Related
from ..limits import BEAT_S, CRITICAL, GATHER_S, SUMMARY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for an incident and its audience at this moment, on the clock of ``now``."""

    room_at: float = 0.0
    """When the rate limit has room for a message."""
    shares: bool = False
    """Whether so much went out lately that messages are shared."""
    refused: bool = False
    """Whether WeCom has refused it in a shared message."""
    draining: bool = False
    """Whether a thread waits for all that is left: nothing is held but for the rate limit."""
    summary_at: float = float("-inf")
    """When the last summary of a flood was sent to this audience."""
    gathers_until: float = float("-inf")
    """Until when what is not urgent is held for the next summary."""
    no_files_until: float = float("-inf")
    """Until when no file can be uploaded, and so no summary sent."""

    @property
    def next_summary_at(self) -> float:
        return self.summary_at + SUMMARY_S


class Why(enum.Enum):
    """What an incident waits for."""

    ROOM = "the rate limit, or a pause: its audience is blocked"
    SUMMARY = "the next summary of a flood: its audience is blocked for what is not urgent"
    CAUSE = "the next message about its cause"
    MORE = "the end of its wait, or its own end, which is told with others"


@dataclass(frozen=True, slots=True)
class Send:
    """Now, in a message of its own, or in one with others that are due.

    With those of its cause (``cause``). Where there are none: with digests of which half the wait is over and with what
    is over (``along``), and with all else of its audience (``audience``).
    """

    cause: bool = False
    along: bool = False
    audience: bool = False
    held: Held | None = None
    """What it has waited for, where it tells all that has waited, once for each audience."""


@dataclass(frozen=True, slots=True)
class Step:
    """Now its next step begins, or the message of the one that has begun is sent: to those whom the step names."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before ``until``."""

    until: float
    why: Why


def decide(
    incident: Incident, now: float, moment: Moment, rules: Rules, related: Callable[[], Sequence[Related]]
) -> Send | Step | Hold | Held:
    """What becomes of an incident that is due, and does not end without a message (`ends`).

    ``moment`` has what rules of time and persons ask for. ``related`` gives the open incidents of its audience and
    cause. It is called where a rule needs them, at most once: that may be a request to a server.
    """
    if (held := at.what_holds(incident.level, moment)) is not None:
        return held
    if is_step_due(incident, now) and not (tells_of_a_step(incident) and rules.room_at <= now):  # its line goes before
        return Step()
    waited = what_held(incident, moment)
    if not (waited or rules.draining) and (until := not_before(incident, now)) > now + SOON_S:
        return Hold(until, Why.MORE)
    if rules.room_at > now:
        return Hold(rules.room_at, Why.ROOM)
    if is_for_others(incident, now):
        return Send()
    gathers_until = max(rules.summary_at + GATHER_S, rules.gathers_until)
    if gathers_until > now and not (is_urgent(incident) or rules.draining):
        return Hold(gathers_until, Why.SUMMARY)
    if rules.refused:
        return Send()
    if waited:
        return Send(held=waited)
    cause, along = False, not answered.is_first(incident)
    if incident.cause:
        until = with_its_cause_at(incident, related())
        if until > now + SOON_S and not rules.draining:
            return Hold(min(until, _step_at(incident, now)), Why.CAUSE)
        # Not the first: it goes with the others. What a scheduler has not started is missed with them.
        cause = along or until > 0 or bool(scheduler_of(incident.cause))
    return Send(cause, along, audience=rules.shares or rules.next_summary_at > now - SUMMARY_S)


def what_held(incident: Incident, moment: Moment) -> Held | None:
    """What it has waited for, and is told with: also the quiet hours within which the program ends. None: nothing."""
    return at.what_held(incident.level, moment, incident.quiet_since, incident.quiet_by, incident.quiet_why)


def is_step_due(incident: Incident, now: float) -> bool:
    """Whether its next step begins now, or is told, or its phones ring."""
    return escalation.step_due_at(incident) <= now + SOON_S and not life.is_over(incident, now)


def of_step(incident: Incident, now: float) -> Hashable:
    """What its step does now, and what the line says that is sent about one: of several, one message does the same, or
    says it. None: neither."""
    does = escalation.doing(incident, now) if is_step_due(incident, now) else None
    last = incident.answers.journal[-1] if tells_of_a_step(incident) else None
    says = last and (incident.audience, incident.duty, incident.told_too, last.who, last.where)
    return (does, says) if does or says else None


def is_urgent(incident: Incident) -> bool:
    """Whether it is critical, and new: it waits for no other."""
    return incident.level >= CRITICAL and answered.is_first(incident)


def not_before(incident: Incident, now: float) -> float:
    """When a message may tell one that is looked at: a digest when its wait is over and it goes on, an end with those
    of the same window. No step waits for either."""
    at = life.end_at(incident) if life.is_over(incident, now) else life.look_at(incident, now)
    return min(at, _step_at(incident, now))


def _step_at(incident: Incident, now: float) -> float:
    """The time at which its next step is due; infinity: never."""
    return float("inf") if life.is_over(incident, now) else escalation.step_due_at(incident)


def ends(incident: Incident, now: float, *, closed: bool) -> bool:
    """Whether it ends without a message: it is too old, or over in silence. ``closed``: nothing comes any more."""
    is_silent = not life.has_closing_line(incident) or (closed and not incident.untold)
    return life.is_expired(incident, now) or (life.is_over(incident, now) and is_silent)


def stands_alone(incident: Incident, now: float, *, refused: bool) -> bool:
    """Whether no message of others tells it. What has waited is told with what has."""
    return refused or is_step_due(incident, now) or is_for_others(incident, now) or incident.quiet_since > 0


def is_for_others(incident: Incident, now: float) -> bool:
    """Whether its message is for those, too, whom steps have told: it says what a person did, or is its end."""
    return answered.news(incident) is not None or (bool(incident.told_too) and life.is_over(incident, now))


def tells_of_a_step(incident: Incident) -> bool:
    """Whether its next message is the line about a step, which has told somebody."""
    answers = incident.answers
    return not answers.is_said and answers.journal[-1].verb == ESCALATED and bool(answers.journal[-1].who)


def told_by_steps(incident: Incident) -> list[Recipients]:
    """Those whom steps have told."""
    return [one for one in map(recipients_of, incident.told_too) if one]


def who_is_told(
    incident: Incident, recipients: Recipients, ids: Callable[[Recipients], Sequence[str]] = lambda one: one.users
) -> Recipients:
    """Of those who get it, and whom steps have told: what a person did stands already in the chat where he did it, or
    where another one was refused, and who did it in a group is not told alone; of a step, those whom it has told have
    more than a line, by whichever name (``ids`` gives the ids that are known). That may be nobody."""
    answers = incident.answers
    last = None if answers.is_said else answers.journal[-1]
    told, is_line = told_by_steps(incident), tells_of_a_step(incident)
    return without_those_who_know(told, last, answers.seen, recipients, ids, is_line=is_line)


# One message of a cause in a window.


def with_its_cause_at(incident: Incident, related: Sequence[Related]) -> float:
    """When a message of its cause may have it: the first at once, then one for each window; what is urgent at once."""
    if is_urgent(incident):
        return 0.0
    others = [one for one in related if one.cause == incident.cause and one.key != incident.key]
    told_at = max((one.told_at for one in others if one.told_at), default=0.0)
    is_of_scheduler = bool(scheduler_of(incident.cause))
    window_s = BEAT_S if is_of_scheduler else incident.window_s
    if not answered.is_first(incident) or (told_at and told_at + window_s > incident.untold_at):
        return told_at and told_at + window_s
    if is_of_scheduler:  # those that are new go together
        return 0.0
    # Of several that are new the oldest goes first; it may be on its way.
    mine = (incident.untold_at, incident.key)
    older = [one.untold_at for one in others if not one.told_at and (one.untold_at, one.key) < mine]
    return min(older) + window_s if older else 0.0


def may_go_along(incident: Incident, now: float, *, draining: bool = False) -> bool:
    """Whether it goes with a digest, or an end, that is due: half of its wait is over and it goes on, or it is over."""
    if answered.is_first(incident) or stands_alone(incident, now, refused=False):
        return False
    soon = life.going_along(incident, now) if now >= incident.told_at + incident.wait_s / 2 else incident
    return draining or life.is_over(incident, now) or life.tell_at(soon, now) <= now


# A flood: one summary in a minute.


def waits_for_summary(number: int, most: int, now: float, rules: Rules) -> bool:
    """Whether so many that are due wait, but for what is urgent, since a summary names ``most`` and one was sent."""
    return number > most and rules.next_summary_at > now >= rules.no_files_until and not rules.draining


def may_send_summary(now: float, rules: Rules) -> bool:
    """Whether a flood may be sent as a summary with a file now."""
    return now >= rules.no_files_until and (rules.next_summary_at <= now or rules.draining)


def urgent_first(incidents: Sequence[Incident], most: int) -> int:
    """How many of a flood, the most severe of which come first, go in a message of their own before its summary."""
    urgent = sum(is_urgent(one) for one in incidents)
    return urgent if urgent <= most and is_urgent(incidents[0]) else 0
