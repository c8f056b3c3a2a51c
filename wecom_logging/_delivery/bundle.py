"""`bundle`: of all that is due, what goes in the next message, and what waits. Pure.

What is due, and when, says `plan`. What a moment is like (quiet hours, the pace of the channel, who may share a
message) is asked of `Moment`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from .._incidents.book import Due
from .._incidents.cause import scheduler_of
from .._incidents.hearers import is_for_others, is_step_line, of_step
from .._incidents.limits import BEAT_S, CRITICAL, GATHER_S, SUMMARY_S
from .._incidents.plan import Act, early, plan
from .._incidents.values import By, Hold, Incident, is_first, was_sent
from .._render.flood import WORST
from .parcels import Choice, Form, Later, Moment, Over, Parcel, Rules, Wait

MAX_SHARED = 1000
"""So many incidents share a message at most: in the file of a flood; what is more waits for the next."""


Look = Callable[[], Iterator[Due]]
"""What is due, from its beginning on."""


def bundle(due: Look, now: float, moment: Moment) -> Iterator[Choice]:
    """Each choice in its order. ``due`` gives the most severe first; who has used one choice asks for the next."""
    causes, blocked = Causes(moment.of), dict[str, bool]()
    """Audiences that wait, True: but for what is urgent."""
    for lead in due():
        incident, act = lead
        if act in (Act.LAPSE, Act.FORGET):
            yield Over(lead)
            continue
        if act is Act.CALL:  # the message of the step was sent: no quiet hours hold its phones
            yield Parcel(tuple(_alike(lead, due, moment)), Form.CALL)
            continue
        audience = incident.opening.audience
        if act is not Act.STEP and not _may_go(lead, blocked):
            continue
        if not moment.closes and (hold := moment.holds(incident)) is not None:
            yield Later((lead,), hold)
            continue
        if act is Act.STEP:  # it waits for its own room
            yield Parcel(tuple(_alike(lead, due, moment)), Form.STEP)
            continue
        rules = moment.rules(incident)
        if rules.room_at > now and (step := _step_instead(lead, now)) is not None:
            yield Parcel(tuple(_alike(step, due, moment)), Form.STEP)
            continue
        if rules.room_at > now:
            blocked[audience] = False
            yield Wait(rules.room_at, audience)
            continue
        gathers_until = max(rules.summary_at + GATHER_S, rules.gathers_until)
        is_alone = is_for_others(incident, act)
        if gathers_until > now and not (is_alone or _is_urgent(incident) or moment.hurries):
            blocked[audience] = True
            yield Wait(gathers_until, audience, is_calm=True)
            continue
        yield from _message(lead, due, now, moment, rules, causes, blocked)


def _may_go(lead: Due, blocked: dict[str, bool]) -> bool:
    """False where its audience waits: for room, or, but for what is urgent or is no alert, for the next summary."""
    incident, act = lead
    if (is_calm := blocked.get(incident.opening.audience)) is None:
        return True
    return is_calm and (_is_urgent(incident) or is_for_others(incident, act))


def _step_instead(lead: Due, now: float) -> Due | None:
    """Its next step, if that is due and only the line about the last one, which waits for room, goes before it."""
    incident, act = lead
    if not is_step_line(incident, act):
        return None
    said = replace(incident, sent=replace(incident.sent, said=len(incident.answers)))
    found = plan(said, now)
    return Due(incident, Act.STEP) if found.act is Act.STEP and found.at <= now else None


def _message(
    lead: Due, due: Look, now: float, moment: Moment, rules: Rules, causes: Causes, blocked: dict[str, bool]
) -> Iterator[Choice]:
    """What goes with one for which there is room."""
    incident, act = lead
    audience = incident.opening.audience
    if is_for_others(incident, act):
        together = [*_alike(lead, due, moment)] if is_step_line(incident, act) else [lead]
        yield Parcel(tuple(together), Form.MANY if len(together) > 1 else Form.ONE)
        return
    if incident.opening.key in moment.refused:
        yield Parcel((lead,), Form.ONE)
        return
    if moment.waited(incident):
        yield Parcel((lead, *_others(lead, due, moment, lambda one: moment.waited(one.incident))), Form.HELD)
        return
    is_again = not is_first(incident)
    goes_with_cause = False
    if incident.opening.cause:
        until = causes.message_at(incident)
        if until > now and not moment.hurries:
            yield Later((lead,), Hold(until, By.CAUSE))
            return
        goes_with_cause = is_again or until > 0 or bool(scheduler_of(incident.opening.cause))
    shares = rules.shares or _next_summary_at(rules) > now - SUMMARY_S
    others = [*_others(lead, due, moment, _may_share)] if goes_with_cause or shares else []
    same = [one for one in others if goes_with_cause and one.incident.opening.cause == incident.opening.cause]
    if same:
        yield Parcel(_in_order([lead, *same]), Form.CAUSE, incident.opening.cause)
        return
    rows = [lead]
    if is_again:
        rows += _along(lead, now, moment, {one.incident.opening.key for one in others})
    if shares:
        for choice in _sharing(others, now, moment, causes):
            if isinstance(choice, Later):
                yield choice
            else:
                rows.append(choice)
        if waits_for_summary(len(rows), now, rules, hurries=moment.hurries):
            rows = [one for one in rows if _is_urgent(one.incident)]
            if not rows:
                blocked[audience] = True
                yield Wait(_next_summary_at(rules), audience, is_calm=True)
                return
    yield Parcel(_in_order(rows), Form.MANY if len(rows) > 1 else Form.ONE)


def _sharing(others: Sequence[Due], now: float, moment: Moment, causes: Causes) -> Iterator[Due | Later]:
    """Of those that may share a message, each of whose cause none was sent within the window."""
    for one in others:
        until = causes.message_at(one.incident)
        if until > now and not moment.hurries:
            yield Later((one,), Hold(until, By.CAUSE))
        else:
            yield one


def _others(lead: Due, due: Look, moment: Moment, may: Callable[[Due], bool]) -> Iterator[Due]:
    """More of what is due, to the same people, that no rule keeps apart."""
    number = 1
    for one in due():
        incident = one.incident
        if _is(one, lead) or incident.opening.audience != lead.incident.opening.audience:
            continue
        if one.act in (Act.LAPSE, Act.FORGET) or is_for_others(incident, one.act) or one.act in (Act.STEP, Act.CALL):
            continue
        if incident.opening.key in moment.refused or not may(one):
            continue
        if not moment.closes and moment.holds(incident) is not None:
            continue
        if not moment.are_for_same(lead.incident, incident):
            continue
        yield one
        number += 1
        if number >= MAX_SHARED:
            return


def _may_share(due: Due) -> bool:
    hold = due.incident.hold
    return hold is None or not hold.is_of_wall


def _alike(lead: Due, due: Look, moment: Moment) -> list[Due]:
    """Those whose step, or its line, is the same."""
    of = of_step(lead.incident, lead.act)
    if of is None or lead.incident.opening.key in moment.refused:
        return [lead]
    others = (one for one in due() if not _is(one, lead) and of_step(one.incident, one.act) == of)
    free = (one for one in others if one.incident.opening.key not in moment.refused)
    may = moment.closes or lead.act is Act.CALL
    return [lead, *(one for one in free if may or moment.holds(one.incident) is None)][:MAX_SHARED]


def _along(lead: Due, now: float, moment: Moment, known: Collection[str]) -> list[Due]:
    """Those that are due soon, and go in the message of a digest or an end."""
    found = []
    for incident in moment.of(lead.incident.opening.audience):
        if incident.sent.ended:  # the most, in a book of a day
            continue
        key = incident.opening.key
        if key == lead.incident.opening.key or key in moment.refused or key in moment.on_way or key in known:
            continue
        act = early(incident, now, hurries=moment.hurries)
        if act is Act.END and incident.sent.people:  # who was on call before hears of it, too, by a message of its own
            continue
        if act is None or is_for_others(incident, act) or moment.holds(incident) is not None:
            continue
        if moment.are_for_same(lead.incident, incident):
            if act is Act.DIGEST:  # as if its wait were over
                at = min(incident.sent.at, now - incident.sent.wait_s)
                incident = replace(incident, sent=replace(incident.sent, at=at))
            found.append(Due(incident, act))
    return found[: MAX_SHARED - 1]


def _in_order(rows: Sequence[Due]) -> tuple[Due, ...]:
    return tuple(sorted(rows, key=_place))


def _place(row: Due) -> tuple[int, bool, float]:
    """The most severe first, then lines of code that are not flooding, then what has waited longest."""
    opening = row.incident.opening
    return -opening.level, opening.is_crowded, row.incident.counts.since


def _is(one: Due, other: Due) -> bool:
    return one.incident.opening.key == other.incident.opening.key


def _is_urgent(incident: Incident) -> bool:
    """True if it is critical, and new: it waits for no other."""
    return incident.opening.level >= CRITICAL and is_first(incident)


# One message of a cause in a window.


class Causes:
    """What is open of each cause, looked at once for each audience: nothing of it changes before a message is sent."""

    def __init__(self, of: Callable[[str], Iterable[Incident]]) -> None:
        self._of = of
        self._known: dict[str, dict[str, _Cause]] = {}

    def message_at(self, incident: Incident) -> float:
        """When a message of its cause may have it: the first at once, then one in each window; what is urgent, and what
        has no cause, at once."""
        cause, key = incident.opening.cause, incident.opening.key
        if not cause or _is_urgent(incident):
            return 0.0
        found = self._all(incident.opening.audience).get(cause) or _Cause()
        sent_at = next((at for at, other in found.sent if other != key), 0.0)
        is_of_scheduler = bool(scheduler_of(cause))
        window_s = BEAT_S if is_of_scheduler else incident.opening.window_s
        since, oldest = incident.counts.unsent_at, found.oldest
        if not is_first(incident) or (sent_at and sent_at + window_s > since):
            return sent_at and sent_at + window_s
        if is_of_scheduler or oldest is None or oldest.opening.key == key:  # those of one that are new go together
            return 0.0
        return oldest.counts.unsent_at + window_s if oldest.counts.unsent_at <= since else 0.0

    def _all(self, audience: str) -> dict[str, _Cause]:
        if (known := self._known.get(audience)) is None:
            known = self._known[audience] = {}
            for one in self._of(audience):
                if one.opening.cause and not one.sent.ended:
                    known.setdefault(one.opening.cause, _Cause()).add(one)
        return known


@dataclass(slots=True)
class _Cause:
    """``sent``: when messages of two of its incidents were sent last, with their keys, the newest first; ``oldest``: of
    those of which none was, the one that waits longest, of several the one that was opened first."""

    sent: list[tuple[float, str]] = field(default_factory=list)
    oldest: Incident | None = None

    def add(self, one: Incident) -> None:
        if was_sent(one):
            self.sent = sorted([*self.sent, (one.sent.at, one.opening.key)], reverse=True)[:2]
        elif self.oldest is None or one.counts.unsent_at < self.oldest.counts.unsent_at:
            self.oldest = one


# A flood: one summary in a minute.


def _next_summary_at(rules: Rules) -> float:
    return rules.summary_at + SUMMARY_S


def waits_for_summary(number: int, now: float, rules: Rules, *, hurries: bool) -> bool:
    """True if so many that are due wait, but for what is urgent, since a summary names `WORST` and one was sent."""
    return number > WORST and _next_summary_at(rules) > now >= rules.no_files_until and not hurries


def may_send_summary(now: float, rules: Rules, *, hurries: bool) -> bool:
    """True if a flood may be sent as a summary with a file now."""
    return now >= rules.no_files_until and (_next_summary_at(rules) <= now or hurries)


def urgent_first(incidents: Sequence[Incident], most: int) -> int:
    """How many of a flood, the most severe of which come first, go in a message of their own before its summary."""
    urgent = sum(map(_is_urgent, incidents))
    return urgent if urgent <= most and bool(incidents) and _is_urgent(incidents[0]) else 0
