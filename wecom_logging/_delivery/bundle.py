"""`bundle`: of all that is due, what goes in the next message, and what waits. Pure.

What is due, and when, says `plan`. What a moment is like (quiet hours, the pace of the channel, who may share a
message) is asked of `Moment`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from .._incidents.book import Due
from .._incidents.cause import scheduler_of
from .._incidents.hearers import is_for_others, is_step_line, of_step
from .._incidents.plan import Act, early
from .._incidents.values import By, Hold, Incident, is_first, was_sent

SUMMARY_S = 60.0
"""One summary of a flood in so long, for each audience."""

GATHER_S = 4.0
"""For so long after a summary what is not urgent is gathered: then is seen whether the flood lasts."""

BEAT_S = 600.0
"""Jobs that one scheduler has not started share a message in so long."""

MESSAGES = 3
"""What so many messages can hold is no flood."""

MAX_SHARED = 1000
"""So many incidents share a message at most: in the file of a flood; what is more waits for the next."""

CRITICAL = 50


class Rules(NamedTuple):
    """The pace of those who get an incident, as times on the clock of ``now``."""

    room_at: float = 0.0
    """When the rate limit has room for a message."""
    shares: bool = False
    """True if so much went out lately that messages are shared."""
    summary_at: float = float("-inf")
    """When the last summary of a flood was sent to them."""
    gathers_until: float = float("-inf")
    """Until when what is not urgent waits for the next summary."""
    no_files_until: float = float("-inf")
    """Until when no file can be uploaded, and so no summary sent."""

    @property
    def next_summary_at(self) -> float:
        return self.summary_at + SUMMARY_S


class Moment(Protocol):
    """What `bundle` asks."""

    @property
    def hurries(self) -> bool:
        """True where somebody waits for all that is left: nothing waits but for the rate limit."""

    @property
    def closes(self) -> bool:
        """True where there is no later."""

    @property
    def refused(self) -> Collection[str]:
        """The keys of those that WeCom has refused in a message of several."""

    @property
    def on_way(self) -> Collection[str]:
        """The keys of those that stand in a message that is tried again."""

    def holds(self, incident: Incident) -> Hold | None:
        """The quiet hours or the maintenance that hold it."""

    def waited(self, incident: Incident) -> bool:
        """True if it has waited for those, and is sent with what has, too."""

    def rules(self, incident: Incident) -> Rules:
        """The pace of those who get it."""

    def of(self, audience: str) -> Iterable[Incident]:
        """All of an audience."""

    def are_for_same(self, one: Incident, other: Incident) -> bool:
        """True if both go to the same people."""


class Form(enum.Enum):
    """How a message says what it says."""

    ONE = "of each incident a message of its own: the first one goes"
    MANY = "one for several; of a flood a summary"
    CAUSE = "several that have one cause"
    HELD = "all that has waited for one thing"
    STEP = "a step of an escalation, to whom that names"
    CALL = "no message: the phones of a step ring"


class Parcel(NamedTuple):
    """What goes in one message, the first one first: as many as fit."""

    rows: tuple[Due, ...]
    form: Form
    cause: str = ""


class Later(NamedTuple):
    """They wait for what holds them."""

    rows: tuple[Due, ...]
    hold: Hold


class Over(NamedTuple):
    """No message says that they are over, or what is unsent of them: that has waited for too long."""

    row: Due


class Wait(NamedTuple):
    """An audience waits until then: for room; ``is_calm``: for the next summary of a flood, but for what is urgent."""

    until: float
    audience: str
    is_calm: bool = False


Choice = Parcel | Later | Over | Wait

Look = Callable[[], Iterator[Due]]
"""What is due, from its beginning on."""


def bundle(due: Look, now: float, moment: Moment) -> Iterator[Choice]:
    """Each choice in its order. ``due`` gives the most severe first; who has used one choice asks for the next."""
    blocked: dict[str, bool] = {}
    """Audiences that wait, True: but for what is urgent."""
    for lead in due():
        incident, act = lead
        if act in (Act.LAPSE, Act.FORGET):
            yield Over(lead)
            continue
        audience = incident.opening.audience
        if audience in blocked and not (blocked[audience] and _is_urgent(incident)):
            continue
        if not moment.closes and (hold := moment.holds(incident)) is not None:
            yield Later((lead,), hold)
            continue
        if act is Act.CALL:
            yield Parcel(tuple(_alike(lead, due, moment)), Form.CALL)
            continue
        rules = moment.rules(incident)
        if act is Act.STEP:  # it waits for its own room
            yield Parcel(tuple(_alike(lead, due, moment)), Form.STEP)
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
        yield from _message(lead, due, now, moment, rules, blocked)


def _message(
    lead: Due, due: Look, now: float, moment: Moment, rules: Rules, blocked: dict[str, bool]
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
        until = with_its_cause_at(incident, moment.of(audience))
        if until > now and not moment.hurries:
            yield Later((lead,), Hold(until, By.CAUSE))
            return
        goes_with_cause = is_again or until > 0 or bool(scheduler_of(incident.opening.cause))
    shares = rules.shares or rules.next_summary_at > now - SUMMARY_S
    others = [*_others(lead, due, moment, _may_share)] if goes_with_cause or shares else []
    same = [one for one in others if goes_with_cause and one.incident.opening.cause == incident.opening.cause]
    if same:
        yield Parcel(_in_order([lead, *same]), Form.CAUSE, incident.opening.cause)
        return
    rows = [lead]
    if is_again:
        rows += _along(lead, now, moment, {one.incident.opening.key for one in others})
    if shares:
        for choice in _sharing(others, now, moment):
            if isinstance(choice, Later):
                yield choice
            else:
                rows.append(choice)
        if waits_for_summary(len(rows), now, rules, hurries=moment.hurries):
            rows = [one for one in rows if _is_urgent(one.incident)]
            if not rows:
                blocked[audience] = True
                yield Wait(rules.next_summary_at, audience, is_calm=True)
                return
    yield Parcel(_in_order(rows), Form.MANY if len(rows) > 1 else Form.ONE)


def _sharing(others: Sequence[Due], now: float, moment: Moment) -> Iterator[Due | Later]:
    """Of those that may share a message, each of whose cause none was sent within the window."""
    for one in others:
        cause = one.incident.opening.cause
        until = with_its_cause_at(one.incident, moment.of(one.incident.opening.audience)) if cause else 0.0
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
    return [lead, *(one for one in free if moment.closes or moment.holds(one.incident) is None)][:MAX_SHARED]


def _along(lead: Due, now: float, moment: Moment, known: Collection[str]) -> list[Due]:
    """Those that are due soon, and go in the message of a digest or an end."""
    found = []
    for incident in moment.of(lead.incident.opening.audience):
        key = incident.opening.key
        if key == lead.incident.opening.key or key in moment.refused or key in moment.on_way or key in known:
            continue
        act = early(incident, now, hurries=moment.hurries)
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


def with_its_cause_at(incident: Incident, there: Iterable[Incident]) -> float:
    """When a message of its cause may have it: the first at once, then one in each window; what is urgent at once.
    ``there``: in the order in which they were opened."""
    if _is_urgent(incident):
        return 0.0
    cause, key = incident.opening.cause, incident.opening.key
    rows = [one for one in there if one.opening.cause == cause and not one.sent.ended]
    place = next((place for place, one in enumerate(rows) if one.opening.key == key), len(rows))
    before, others = rows[:place], [*rows[:place], *rows[place + 1 :]]
    sent_at = max((one.sent.at for one in others if was_sent(one)), default=0.0)
    is_of_scheduler = bool(scheduler_of(cause))
    window_s = BEAT_S if is_of_scheduler else incident.opening.window_s
    if not is_first(incident) or (sent_at and sent_at + window_s > incident.counts.unsent_at):
        return sent_at and sent_at + window_s
    if is_of_scheduler:  # those that are new go together
        return 0.0
    since = incident.counts.unsent_at
    older = [one.counts.unsent_at for one in others if not was_sent(one) and one.counts.unsent_at < since]
    older += [since for one in before if not was_sent(one) and one.counts.unsent_at == since]
    return min(older) + window_s if older else 0.0


# A flood: one summary in a minute.


def waits_for_summary(number: int, now: float, rules: Rules, *, hurries: bool, worst: int = 10) -> bool:
    """True if so many that are due wait, but for what is urgent, since a summary names ``worst`` and one was sent."""
    return number > worst and rules.next_summary_at > now >= rules.no_files_until and not hurries


def may_send_summary(now: float, rules: Rules, *, hurries: bool) -> bool:
    """True if a flood may be sent as a summary with a file now."""
    return now >= rules.no_files_until and (rules.next_summary_at <= now or hurries)


def no_flood(held: int) -> int:
    """How many incidents are no flood, where a message holds so many."""
    return held * MESSAGES


def urgent_first(incidents: Sequence[Incident], most: int) -> int:
    """How many of a flood, the most severe of which come first, go in a message of their own before its summary."""
    urgent = sum(map(_is_urgent, incidents))
    return urgent if urgent <= most and bool(incidents) and _is_urgent(incidents[0]) else 0
