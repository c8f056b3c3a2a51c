"""`bundle`: of all that is due, what goes now, with whom, and what waits. Nothing else decides it. Read it first.

Values in, values out: no clock, no thread, no journal. When an incident is due, and what is done then, says `plan`.
What the wall and people say of it is asked of a `Door`; what the rate limit has left, are `Rules`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from .._incidents import plan as plans
from .._incidents.cause import scheduler_of
from .._incidents.fingerprint import recipients_of
from .._incidents.hearers import is_for_others, is_late, is_step_line, of_step
from .._incidents.limits import SUMMARY_S
from .._incidents.plan import Act, plan
from .._incidents.values import By, Hold, Incident, holding, is_first
from .._render.flood import WORST
from ..model import Recipients
from .parcels import Blocked, Bundle, Due, Form, Later, Missed, Moment, Over, Parcel, Rules

MAX_SHARED = 100
"""So many incidents share a message."""

MAX_FLOOD = 1000
"""So many incidents stand in one file; what is more waits for the next."""

GATHER_S = 4.0
"""For so long after a summary what is not urgent is gathered: then is seen whether the flood lasts."""

BEAT_S = 600.0
"""Jobs that one scheduler has not started share a message in so long."""

PATIENCE = 3
"""Rounds after which an alert lets others go first: WeCom, or something before it, may refuse just this one."""


MAX_RELATED = 200
"""Of the incidents of one cause so many are looked at, the newest."""

Others = Callable[[], list[Due]]
"""Gives what else is due to an audience, and is not done."""


def bundle(due: Iterable[Due], at: Moment) -> Iterator[Bundle]:
    """What becomes of all that is due, the most severe first; of each incident once.

    After a `Parcel` what follows is not known: sending it changes what holds.
    """
    rows = sorted(due, key=_order)
    if over := tuple(one for one in rows if one.act in (Act.LAPSE, Act.FORGET)):
        yield Over(over)
    by_audience, holds = dict[str, list[Due]](), dict[object, Hold | None]()
    for one in rows:
        if one.act in (Act.LAPSE, Act.FORGET):
            continue
        if (hold := _hold(one, at, holds)) is not None:
            yield Later((one,), hold)
        else:
            by_audience.setdefault(one.incident.opening.audience, []).append(one)
    done, blocked = set[str](), set[tuple[str, bool]]()
    for lead in sorted((one for found in by_audience.values() for one in found), key=_order):
        key, audience = lead.incident.opening.key, lead.incident.opening.audience
        if key in done or not _may_go(lead, blocked, at):
            continue

        def others(key: str = key, audience: str = audience) -> list[Due]:
            return [
                one for one in by_audience[audience] if (mine := one.incident.opening.key) != key and mine not in done
            ]

        for found in _decide(lead, others, at):
            if isinstance(found, Blocked):
                blocked.add((found.audience, found.is_gathering))
            else:
                done.update(one.incident.opening.key for one in found.rows)
            yield found


def _order(one: Due) -> tuple[int, float]:
    return -rank(one.incident), one.incident.counts.unsent_at


def _may_go(one: Due, blocked: set[tuple[str, bool]], at: Moment) -> bool:
    """False where its audience waits for room, or it waits for the next summary."""
    audience = one.incident.opening.audience
    if _is_of_step(one) or is_step_line(one.incident, one.act):
        return True
    if (audience, False) in blocked:
        return False
    return (audience, True) not in blocked or is_urgent(one.incident) or is_for_others(one.incident, one.act)


def _hold(one: Due, at: Moment, known: dict[object, Hold | None]) -> Hold | None:
    """Quiet hours or a maintenance that hold it. The phones of a step whose message was sent ring."""
    if at.is_closing or one.act is Act.CALL:
        return None
    opening = one.incident.opening
    asked = opening.level, opening.duty, opening.scopes
    if asked not in known:
        known[asked] = at.door.holds(one.incident, at.now)
    return known[asked]


def _decide(lead: Due, others: Others, at: Moment) -> Iterator[Bundle]:
    """What becomes of one that no wall holds."""
    one, now, rules = lead.incident, at.now, at.rules(lead.incident)
    if rules.room_at > now and (step := _step_instead(lead, now)) is not None:
        lead = step  # the line about the step before waits for room
    if _is_of_step(lead):
        yield _of_step(lead, others, at)
        return
    if rules.room_at > now:
        yield Blocked(one.opening.audience, rules.room_at)
        return
    if is_for_others(one, lead.act):
        yield Parcel(Form.OWN, (lead, *_alike(lead, others, at)))
        return
    gathers_until = max(rules.summary_at + GATHER_S, rules.gathers_until)
    if gathers_until > now and not (is_urgent(one) or at.is_draining):
        yield Blocked(one.opening.audience, gathers_until, is_gathering=True)
    elif one.opening.key in at.refused:
        yield Parcel(Form.OWN, (lead,))
    elif (waited := at.door.waited(one, now)) is not None:
        more = tuple(each for each in others() if _has_waited(each, lead, at))[: MAX_FLOOD - 1]
        yield Parcel(Form.HELD, (lead,), more, held=waited)
    else:
        yield from _with_others(lead, others, rules, at)


def _with_others(lead: Due, others: Others, rules: Rules, at: Moment) -> Iterator[Bundle]:
    """A message, with what else is due where that may be: with those of its cause; where there are none, with digests
    of which half the wait is over and with what is over, and with all else of its audience."""
    one, now = lead.incident, at.now
    along, cause, rows = not is_first(one), one.opening.cause, [lead]
    if cause:
        until = with_its_cause_at(one, at)
        if until > now and not at.is_draining:
            yield Later((lead,), Hold(until, By.TRY))
            return
        if along or until > 0 or scheduler_of(cause):  # not the first: it goes with the others
            same = [each for each in others() if each.incident.opening.cause == cause and _may_join(each, lead, at)]
            if same:
                yield Parcel(Form.CAUSE, (lead, *same[: MAX_SHARED - 1]), cause=cause)
                return
    shares = rules.shares or rules.next_summary_at > now - SUMMARY_S
    if along:
        rows += _along(lead, at)[: MAX_SHARED - 1]
    if shares:
        rows += _joining(others, rows, at)[: MAX_SHARED - 1]
        if waits_for_summary(len(rows), now, rules, is_draining=at.is_draining):
            yield Blocked(one.opening.audience, rules.next_summary_at, is_gathering=True)
            rows = [each for each in rows if is_urgent(each.incident)]
    if not rows:
        return
    rows, late = _without_late(rows, at)
    for each, until in late:
        yield Later((each,), Hold(until, By.TRY))
    more = _joining(others, [*rows, *(each for each, _ in late)], at) if len(rows) > 1 else []
    yield Parcel(Form.SHARED, tuple(rows), tuple(more[:MAX_FLOOD]))


def _joining(others: Others, rows: list[Due], at: Moment) -> list[Due]:
    """What else is due to these people, and may share a message with the first of these."""
    known = {one.incident.opening.key for one in rows}
    return [one for one in others() if one.incident.opening.key not in known and _may_join(one, rows[0], at)]


def _without_late(rows: list[Due], at: Moment) -> tuple[list[Due], list[tuple[Due, float]]]:
    """Of those that share a message, those wait of whose cause a message was sent within the window."""
    left, late = rows[:1], list[tuple[Due, float]]()
    for one in rows[1:]:
        until = with_its_cause_at(one.incident, at) if one.incident.opening.cause and not at.is_draining else 0.0
        if until > at.now:
            late.append((one, until))
        else:
            left.append(one)
    return left, late


def _along(lead: Due, at: Moment) -> list[Due]:
    """Where a digest goes, or an end, others that will be due soon go in the same message."""
    found = list[Due]()
    for one in at.open_to(lead.incident.opening.audience):
        if one.opening.key == lead.incident.opening.key or (due := going_along(one, at)) is None:
            continue
        if at.door.are_for_same(at.named(lead.incident), lead.incident, one):
            found.append(due)
    return sorted(found, key=_order)


def going_along(one: Incident, at: Moment) -> Due | None:
    """One that goes with a digest, or an end, that is due: half of its wait is over and it goes on, or it is over."""
    now = at.now
    if is_first(one) or one.hold is not None or holding(one) is not None or one.opening.key in at.refused:
        return None
    planned = plan(one, now)
    if planned.act not in (Act.DIGEST, Act.END) or not (one.unsent or planned.act is Act.END):
        return None
    due = Due(one, planned.act)
    if _stands_alone(due, at) or (not at.is_closing and at.door.holds(one, now) is not None):
        return None
    if plans.over_at(one) <= now:
        return Due(one, Act.END) if plans.has_closing_line(one) else None
    if now >= one.sent.at + one.sent.wait_s / 2:
        one = replace(one, sent=replace(one.sent, at=min(one.sent.at, now - one.sent.wait_s)))  # its wait is over
    soon = plan(one, now)
    may = one.unsent > 0 and (at.is_draining or (soon.at <= now and soon.act is Act.DIGEST))
    return Due(one, Act.DIGEST) if may else None


def early(one: Incident, now: float) -> Due | None:
    """One that is not due, as somebody waits for all that is left. None: it has nothing unsent, or is held."""
    if not one.unsent or holding(one) is not None or (one.hold is not None and one.hold.is_of_wall):
        return None
    return Due(one, Act.FIRST if is_first(one) else Act.END if plans.over_at(one) <= now else Act.DIGEST)


# Which may share a message.


def _stands_alone(one: Due, at: Moment) -> bool:
    """True if no message of others shows it. What has waited is sent with what has."""
    incident = one.incident
    has_waited = incident.hold is not None and incident.hold.is_of_wall
    is_alone = incident.opening.key in at.refused or is_for_others(incident, one.act)
    return is_alone or has_waited or _is_of_step(one)


def _may_join(one: Due, lead: Due, at: Moment) -> bool:
    return not _stands_alone(one, at) and at.door.are_for_same(at.named(lead.incident), lead.incident, one.incident)


def _has_waited(one: Due, lead: Due, at: Moment) -> bool:
    is_alone = one.incident.opening.key in at.refused or is_for_others(one.incident, one.act) or _is_of_step(one)
    if is_alone or not at.door.are_for_same(at.named(lead.incident), lead.incident, one.incident):
        return False
    return at.door.waited(one.incident, at.now) is not None


def rank(one: Incident) -> int:
    """Who goes first: the most severe; what was refused often last."""
    return max(0, min(one.opening.level, 1000)) - 1001 * min(one.sent.tries // PATIENCE, 10)


def is_urgent(one: Incident) -> bool:
    """True if it is critical, and new: it waits for no other."""
    return one.opening.level >= logging.CRITICAL and is_first(one)


# Steps.


def _is_of_step(one: Due) -> bool:
    return one.act in (Act.STEP, Act.CALL)


def _of_step(lead: Due, others: Others, at: Moment) -> Parcel | Later | Missed:
    """The message of a step, or its calls, with those that go with it; or it waits, or reaches nobody."""
    rows = (lead, *_alike(lead, others, at))
    step = at.door.step(lead.incident, lead.act)
    if lead.act is Act.CALL:
        return Parcel(Form.CALL, rows, step=step)
    if step is None or any(is_late(one.incident, at.now) for one in rows):
        return Missed(rows, "failed")
    if (wait_s := at.wait_s(at.door.known(step.recipients, lead.incident, at.now))) > 0:
        return Later(rows, Hold(at.now + wait_s, By.TRY))
    return Parcel(Form.STEP, rows, step=step)


def _alike(lead: Due, others: Others, at: Moment) -> list[Due]:
    """Those whose steps do now what its step does, or whose line is the same."""
    what = of_step(lead.incident, lead.act)
    if what is None or lead.incident.opening.key in at.refused:
        return []
    alike = [one for one in others() if one.incident.opening.key not in at.refused]
    return [one for one in alike if of_step(one.incident, one.act) == what][: MAX_SHARED - 1]


def _step_instead(one: Due, now: float) -> Due | None:
    """Its next step, if that is due and only the line about the last one goes before it."""
    if not is_step_line(one.incident, one.act):
        return None
    said = replace(one.incident, sent=replace(one.incident.sent, said=len(one.incident.answers)))
    at, act = plan(said, now)
    return Due(one.incident, Act.STEP) if act is Act.STEP and at <= now else None


# One message of a cause in a window.


def with_its_cause_at(one: Incident, at: Moment) -> float:
    """When a message of its cause may have it: the first at once, then one for each window; what is urgent at once."""
    if is_urgent(one):
        return 0.0
    cause, key = one.opening.cause, one.opening.key
    found = islice(at.related(one.opening.audience, cause), MAX_RELATED)
    related = [each for each in found if each.opening.key != key and not each.sent.ended]
    sent_at = max((each.sent.at for each in related if each.sent.count), default=0.0)
    is_of_scheduler = bool(scheduler_of(cause))
    window_s = BEAT_S if is_of_scheduler else one.opening.window_s
    if not is_first(one) or (sent_at and sent_at + window_s > one.counts.unsent_at):
        return sent_at and sent_at + window_s
    if is_of_scheduler:  # those that are new go together
        return 0.0
    # Of several that are new the oldest goes first; it may be on its way.
    mine = (one.counts.unsent_at, key)
    new = [each for each in related if not each.sent.count]
    older = [each.counts.unsent_at for each in new if (each.counts.unsent_at, each.opening.key) < mine]
    return min(older) + window_s if older else 0.0


# A flood: one summary in a minute.


def waits_for_summary(number: int, now: float, rules: Rules, *, is_draining: bool = False) -> bool:
    """True if so many that are due wait, but for what is urgent, since a summary of them was sent."""
    return number > WORST and rules.next_summary_at > now >= rules.no_files_until and not is_draining


def may_send_summary(now: float, rules: Rules, *, is_draining: bool = False) -> bool:
    """True if a flood may be sent as a summary with a file now."""
    return now >= rules.no_files_until and (rules.next_summary_at <= now or is_draining)


def urgent_first(incidents: Sequence[Incident], most: int) -> int:
    """How many of a flood, the most severe of which come first, go in a message of their own before its summary."""
    urgent = sum(is_urgent(one) for one in incidents)
    return urgent if urgent <= most and is_urgent(incidents[0]) else 0


def whom(audience: str, alert_recipients: Recipients | None) -> Recipients | None:
    """Those whom an audience names; None: those of the channel. One that nobody can read means those of its alert."""
    found = recipients_of(audience)
    return found if found is None or found else alert_recipients
