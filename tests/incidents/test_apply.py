"""What entries and messages make of the new incident: as of the old one on random lives, and rule by rule."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from wecom_logging._incidents import outcomes
from wecom_logging._incidents.apply import apply
from wecom_logging._incidents.entries import Answered, Counted, OfIncident, Opened, SentAlone
from wecom_logging._incidents.plan import Act, Plan, plan
from wecom_logging._incidents.values import By, Hold, Incident, total
from wecom_logging.model import Answer
from wecom_logging.model.alert import DONE, ESCALATED, SILENCED, TAKEN, UNDONE

from ..state.conftest import alert
from . import test_plan as old

M = 60.0


def opened(now: float = 0.0, **more: Any) -> Incident:
    after = apply(None, first(now, **more), now, "k7f2")
    assert after is not None
    return after


def first(now: float, **more: Any) -> Opened:
    return Opened(key="k", **{"alert": replace(alert(), id="a"), "last": now, "level": 40, **more})


def added(incident: Incident, entry: OfIncident, now: float) -> Incident:
    after = apply(incident, entry, now)
    assert after is not None
    return after


def counted(incident: Incident, now: float, number: int = 1) -> Incident:
    return added(incident, Counted(key="k", count=number, last=now), now)


def answered(incident: Incident, verb: str, now: float, length_s: float = 0.0, who: str = "李四") -> Incident:
    return added(incident, Answered(key="k", answer=Answer(verb, who, "cli", now, length_s)), now)


def sent(incident: Incident, now: float) -> Incident:
    """Its message, which is due by then, is sent."""
    at, act = plan(incident, now)
    assert at <= now
    return outcomes.sent(incident, outcomes.as_composed(incident, act, now), act, now)


# As the old one.


def lived_by_both(seed: int) -> Counter[str]:
    """A life, step by step, by the old rules and by `apply` and `outcomes`: after each, `plan` says the same."""
    at = old.begun(random.Random(seed))
    new = opened(at.now, window_s=at.one.window_s)
    seen = Counter[str]()
    for _ in range(at.rnd.randrange(16)):
        found, due = plan(new, at.now), old.wanted(at.one, at.now)
        assert old.is_same(found, due), f"seed {seed}: {found} is to be {due} at {at.now}\n{at.one}\n{new}"
        before, does = at.one, at.rnd.choice([old.count] * 3 + [old.turn] * 4 + [old.answer] * 2)
        if does is old.answer and not at.one.told:
            continue
        if does is old.turn:
            when, what = old.theirs(before, at.now)
            if not old.is_same(due, Plan(when, old.act_of(before, when, what))) or not old.turn(at):
                break  # it does another thing on purpose, or nothing is left
            silent = due.act in (Act.LAPSE, Act.FORGET)
            new = outcomes.ended(new, at.now) if silent else outcomes.sent(new, new, due.act, at.now)
            seen[due.act.name] += 1
            continue
        does(at)
        if does is old.count:
            count = at.one.count - before.count
            variants = at.counted.variants
            new = added(new, Counted(key="k", count=count, last=at.one.last, variants=variants), at.now)
        elif at.one is not before:
            if at.one.answers.is_said and not (before.answers.is_said or before.answers.was_said):
                break  # of a claim that was said, and whose return was not: the old rules leave it so
            answer = replace(at.one.answers.journal[-1], count=0)
            new = added(new, Answered(key="k", answer=answer), at.now)
            seen[answer.verb] += 1
        assert (total(new), new.unsent) == (old.answered.total(at.one), at.one.untold)
    return seen


def test_random_lives_go_as_by_the_rules_that_it_replaces() -> None:
    seen = Counter[str]()
    for seed in range(600):
        seen += lived_by_both(seed)
    acts = {act.name for act in Act} - {"STEP", "CALL", "FORGET"}
    assert {*seen} >= {*acts, TAKEN, SILENCED, DONE, *UNDONE.values()}, seen


# Where it says more.


def escalating(**more: Any) -> Incident:
    return sent(opened(steps=(10 * M, 30 * M), **more), 0.0)


def test_a_step_begins_though_a_try_has_failed() -> None:
    incident = outcomes.failed(counted(escalating(), 9 * M), 20 * M, 1)
    assert plan(incident, 9 * M) == Plan(10 * M, Act.STEP)


def test_quiet_hours_move_a_step_and_no_other_hold_does() -> None:
    hold = Hold(50 * M, By.HOURS, 10 * M)
    incident = outcomes.held(escalating(), hold, Act.STEP)
    assert plan(incident, 10 * M) == Plan(50 * M, Act.STEP)
    assert plan(outcomes.lifted(incident, 10 * M), 10 * M) == Plan(10 * M, Act.STEP)


@pytest.mark.parametrize("number", [1, 20])
def test_what_escalates_is_over_after_its_last_step_however_often_it_came(number: int) -> None:
    incident = escalating()
    if number > 1:
        incident = sent(counted(incident, 1.0, number), M)
    acts = list[tuple[float, Act]]()
    now = M
    while incident.step is not None:
        now, act = plan(incident, now)
        acts.append((now // M, act))
        if act is Act.STEP:
            incident = outcomes.step_sent(incident, "lisi", "李四", now, count=number)
        else:
            incident = sent(incident, now)
    assert acts == [
        (10, Act.STEP),
        (10, Act.NEWS),
        (30, Act.STEP),
        (30, Act.NEWS),
        (acts[-1][0], Act.END),
    ]
    assert 40 <= acts[-1][0] <= 42


def test_the_phones_ring_before_the_line_that_says_so() -> None:
    incident = outcomes.step_sent(escalating(calls=(1,)), "lisi", "李四", 10 * M, count=1)
    assert plan(incident, 10 * M) == Plan(10 * M, Act.CALL)
    incident = outcomes.called(incident, "rang")
    assert plan(incident, 10 * M) == Plan(10 * M, Act.NEWS)
    assert (incident.answers[-1].verb, incident.answers[-1].where) == (ESCALATED, "rang")


def test_who_took_it_hears_when_the_take_ends_and_the_steps_begin_anew() -> None:
    incident = sent(answered(escalating(), TAKEN, M, 5 * M), M)
    assert plan(incident, M) == Plan(6 * M, Act.NEWS)
    assert plan(sent(incident, 6 * M), 6 * M) == Plan(16 * M, Act.STEP)


def test_a_take_undone_before_a_message_said_it_is_never_said() -> None:
    taken = answered(escalating(), TAKEN, M, 30 * M)
    assert plan(taken, M) == Plan(M, Act.NEWS)
    assert plan(answered(taken, UNDONE[TAKEN], M), M) == Plan(10 * M, Act.STEP)


def test_a_take_undone_while_its_message_is_on_its_way_is_said() -> None:
    taken = answered(escalating(), TAKEN, M, 30 * M)
    undone = answered(taken, UNDONE[TAKEN], M)
    assert plan(outcomes.sent(undone, taken, Act.NEWS, M), M) == Plan(M, Act.NEWS)


def test_what_comes_again_after_it_was_closed_is_sent_by_the_record_that_came() -> None:
    closed = sent(answered(sent(opened(), 0.0), DONE, M), M)
    again = added(closed, first(5 * M, alert=replace(alert(), id="b")), 5 * M)
    assert plan(again, 5 * M) == Plan(5 * M, Act.FIRST)
    assert again.opening.alert == "b"
    assert (total(sent(again, 5 * M)), again.opening.short_id) == (1, "k7f2")


def test_what_is_taken_while_the_message_of_its_end_is_on_its_way_goes_on() -> None:
    incident = sent(counted(sent(opened(), 0.0), M), M)
    taken = answered(incident, TAKEN, 12 * M, 30 * M)
    assert plan(outcomes.sent(taken, incident, Act.END, 12 * M), 12 * M) == Plan(12 * M, Act.NEWS)


def test_the_first_answer_wins() -> None:
    taken = answered(sent(opened(), 0.0), TAKEN, 1.0, 30 * M)
    assert answered(taken, TAKEN, 2.0, 30 * M, who="张三") is taken
    assert answered(taken, SILENCED, 2.0, 30 * M, who="张三") is taken
    assert answered(taken, UNDONE[SILENCED], 2.0) is taken


def test_an_entry_that_is_appended_twice_opens_once() -> None:
    incident = opened()
    assert added(incident, first(0.0), 1.0) is incident


def test_what_a_process_sent_alone_is_sent_and_never_more_than_came() -> None:
    incident = added(counted(opened(), 1.0, 4), SentAlone(key="k", count=9, at=2.0), 3.0)
    assert (incident.counts.count, incident.sent.count, incident.sent.at) == (5, 5, 2.0)


def test_what_comes_while_a_message_is_on_its_way_is_unsent() -> None:
    incident = opened()
    there = counted(incident, 1.0, 3)
    after = outcomes.sent(there, incident, Act.FIRST, 2.0)
    assert (after.sent.count, after.unsent) == (1, 3)


@pytest.mark.parametrize("by_s", [3600.0, -3600.0])
def test_a_leap_of_the_clock_shifts_intervals_and_no_time_of_the_wall(by_s: float) -> None:
    begins = 100 * M
    incident = counted(sent(opened(begins, steps=(10 * M,)), begins), begins + 1.0)
    at, act = plan(incident, begins + 2.0)
    assert plan(outcomes.shifted(incident, by_s), begins + 2.0 + by_s) == Plan(at + by_s, act)
    held = outcomes.held(incident, Hold(150 * M, By.HOURS, begins), Act.DIGEST)
    assert outcomes.shifted(held, by_s).hold == held.hold
