"""`plan` says of any incident what the rules that it replaces say, on random lives; where it is to say more, what.

A life is lived by the old rules. At its end the old incident is translated into a new one, and both are asked what
comes next. The old rules that `wanted` names are those that `plan` changes on purpose; all else has to be the same.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from wecom_logging._duty.moment import Moment
from wecom_logging._incidents import answered, escalation, life, policy, stored
from wecom_logging._incidents.incident import SOON_S, Count, Kept
from wecom_logging._incidents.incident import Incident as Old
from wecom_logging._incidents.plan import NEVER, Act, Plan, plan
from wecom_logging._incidents.values import By, Counts, Hold, Incident, Opening, Sent, Step
from wecom_logging.model import Variant
from wecom_logging.model.alert import BY_RUN, SILENCED, TAKEN, RunEnd

from ..state.conftest import alert

FIRST = Kept(alert())
STEPS = (300.0, 900.0)


@dataclass
class Life:
    """An old incident, the time that it has come to, and what was counted last."""

    one: Old
    now: float
    rnd: random.Random
    counted: Count = field(default_factory=lambda: Count(key="k"))


# The old rules, asked as the old turn asks them.


def theirs(one: Old, now: float) -> tuple[float, str]:
    """When the old engine does something with it, and what: "silent", "end", "tell" or "step"."""
    at = now
    for _ in range(200):
        at = max(at, life.wake_at(one) if one.untold or answered.news(one) else life.due_at(one))
        if policy.ends(one, at, closed=False):
            return at, "silent"
        found = policy.decide(one, at, Moment(time=at), policy.Rules(), list)
        if isinstance(found, policy.Hold):
            at = found.until
            continue
        if isinstance(found, policy.Step):
            return at, "step"
        return at, "end" if life.is_over(one, at) else "tell"
    return NEVER, "never"


def act_of(one: Old, at: float, what: str) -> Act:
    """What the old engine does, by the new name."""
    if what == "silent":
        return Act.FORGET if answered.is_closed(one) and not one.untold else Act.LAPSE
    if answered.news(one) is not None:
        return Act.NEWS
    if answered.is_first(one):
        return Act.FIRST
    return Act.END if what == "end" else Act.DIGEST


def wanted(one: Old, now: float) -> Plan:
    """What the new engine is to do: as the old one, but for five rules.

    A hold never masks a step; an incident with a step to come does not end by itself; after its last step it is over
    after ten windows, however many came; who took it hears when that ends, also where nothing came; and what came
    again and was answered before a message said so is what nobody was sent.
    """
    answer = one.answers.now
    if is_unsent_again(one):
        is_said = one.answers.is_said or (answer is not None and answer.verb == SILENCED)
        answers = replace(one.answers, base=0, is_said=is_said)
        one = replace(one, count=one.untold, told=0, answers=answers)
    stays_behind = answer is None and not one.quiet_since  # of quiet hours in which a person did something
    if stays_behind or (answer is not None and answer.verb == TAKEN and not one.told):
        one = replace(one, held_until=0.0)  # a take holds no first, also where an undo has brought it back
    plain = replace(one, steps=(), step_at=0.0, stepping_at=0.0)
    if one.quiet_since and answer is None:  # the old turn asks anew what holds it, and finds the same
        plain = replace(plain, not_before=max(one.held_until, one.not_before))
    at, what = theirs(plain, now)
    base = Plan(at, act_of(plain, at, what))
    if answer is not None and answer.verb == TAKEN and one.held_until and one.answers.is_said and not one.untold:
        until = max(one.held_until, one.not_before, now)
        if one.told and one.held_until < life.over_at(plain):
            return Plan(until, Act.NEWS)
    step_at = max(escalation.step_due_at(one), now)
    if step_at == NEVER:
        return base
    if base.act is Act.NEWS:
        return base if base.at <= step_at else Plan(step_at, Act.STEP)
    if base.act is Act.END and one.quiet_since and one.untold and base.at < step_at:
        return Plan(base.at, Act.DIGEST)  # what has waited is sent, and it goes on
    ends = base.act is Act.END or (base.act is Act.LAPSE and not one.untold)
    return Plan(step_at, Act.STEP) if ends or step_at <= base.at else base


def is_unsent_again(one: Old) -> bool:
    """Whether it came again, and a person did something before a message said so."""
    return 0 < one.answers.base == one.told


# From an old incident to a new one.


def translated(one: Old) -> Incident:
    """The same incident in six values. The clock of the old store is that of the journal."""
    answers, place = one.answers, _place(one)
    journal = list(answers.journal)
    over = 0
    if place is not None and answers.now is not None and answers.now.verb in (TAKEN, SILENCED):
        if one.held_until not in (0.0, one.not_before):  # a take that came before the first message counts from that
            journal[place] = replace(journal[place], length_s=one.held_until - journal[place].at)
        over = 0 if one.held_until or not one.told else place + 1
    elif answers.now is None:
        over = len(journal)
    is_silent_again = is_unsent_again(one) and journal[-1].verb == SILENCED
    hold = Hold(one.not_before, By.TRY) if one.not_before else None
    if one.quiet_since:
        by = By.SCOPE if one.quiet_by else By.HOURS
        until = one.not_before if answers.now is not None else max(one.held_until, one.not_before)
        hold = Hold(until, by, one.quiet_since, one.quiet_by, one.quiet_why)
    return Incident(
        opening=Opening(
            key=one.key, short_id=one.short_id, level=one.level, window_s=one.window_s, steps=one.steps, cause=one.cause
        ),
        counts=Counts(
            count=one.count,
            at=one.counted_at,
            unsent_at=one.untold_at,
            began=one.began,
            since=one.since,
            last=one.last,
            base=answers.base,
            samples=one.samples,
            variants=one.variants,
            rates=one.rates,
        ),
        sent=Sent(
            count=one.told,
            at=one.told_at,
            digests=one.digests,
            digests_with_new=one.digests_with_new,
            wait_s=one.wait_s,
            tries=one.tries,
            said=len(journal) if answers.is_said or is_silent_again else len(journal) - 1,
            over=over,
            ended=one.ended,
            times=one.times,
            times_since=one.times_since,
            audiences=one.told_too,
        ),
        answers=tuple(journal),
        hold=hold,
        step=_step(one),
    )


def _place(one: Old) -> int | None:
    """The place in its journal of the answer that is in force."""
    now = one.answers.now
    if now is None:
        return None
    return max(i for i, answer in enumerate(one.answers.journal) if (answer.at, answer.verb) == (now.at, now.verb))


def _step(one: Old) -> Step | None:
    """A step that has begun, and whose message was not sent, is the next one of the new engine."""
    if one.stepping_at:
        return Step(number=one.step - 1, at=one.stepping_at, since=one.steps_from)
    if one.step or one.step_at:
        return Step(number=one.step, at=one.step_at, since=one.steps_from)
    return None


# A life.


def more(at: Life, number: int, window_s: float, *, is_new: bool = False, steps: tuple[float, ...] = ()) -> Count:
    variants = (Variant(f"v{at.rnd.randrange(9)}", number, is_new=True),) if is_new else ()
    return Count(key="k", number=number, window_s=window_s, last=at.now, first=FIRST, variants=variants, steps=steps)


def begun(rnd: random.Random, steps: tuple[float, ...] = ()) -> Life:
    at = Life(None, 1000.0 + rnd.random() * 100, rnd)
    at.one = stored.opened(more(at, 1, rnd.choice([1.0, 60.0]), steps=steps), short_id="k7f2", version=1, now=at.now)
    return at


def count(at: Life) -> None:
    at.now += at.rnd.random() * at.one.window_s * at.rnd.choice([0.2, 2, 12])
    number = at.rnd.randrange(1, 9)
    at.counted = more(at, number, at.one.window_s, is_new=at.rnd.random() < 0.2)
    at.one = stored.counted(at.one, at.counted, at.now)


def turn(at: Life) -> bool:
    """What comes next is done. False: nothing is left of it."""
    when, what = theirs(at.one, at.now)
    if when == NEVER:
        return False
    at.now = max(at.now, when)
    if what == "step":
        at.one = step(at)
        return True
    after = life.sent(at.one, at.now, ends=what == "end") if what != "silent" else None
    if what == "silent" and not at.one.untold:
        after = life.ended(at.one, at.now)
    if after is None:
        return False
    at.one = after
    return True


def step(at: Life) -> Old:
    """It begins; or its message is sent, fails, or reaches nobody."""
    one, rnd = at.one, at.rnd
    if not one.stepping_at:
        return escalation.stepped(one, now=at.now, time=at.now)
    chance = rnd.random()
    if chance < 0.6:
        return escalation.step_told(one, "lisi", "李四")
    if chance < 0.8:
        return escalation.step_failed(one, now=at.now)
    return escalation.step_missed(one, "nobody", now=at.now, time=at.now)


def answer(at: Life) -> None:
    """A person, or a run of its job, does something, if that may be."""
    one, now, rnd = at.one, at.now, at.rnd
    if answered.is_closed(one) and not answered.comes_again(one):
        if rnd.random() < 0.3 and not one.ended:
            at.one = answered.undone(one, "李四", "cli", now=now, time=now)
        return
    chance = rnd.random()
    if chance < 0.35:
        at.one = answered.taken(one, "李四", "cli", now=now, time=now)
    elif chance < 0.65:
        at.one = answered.silenced(one, "李四", "cli", rnd.random() * 30 * one.window_s, now=now, time=now)
    elif chance < 0.8:
        is_run = rnd.random() < 0.5
        run = RunEnd() if is_run else None
        at.one = answered.done(one, "", BY_RUN if is_run else "cli", now=now, time=now, run=run)
    elif answered.in_force(one, now) is not None:
        at.one = answered.undone(one, "李四", "cli", now=now, time=now)


def wall(at: Life) -> None:
    """Quiet hours or a maintenance hold what is unsent of it."""
    one = at.one
    is_released = one.answers.now is not None and not one.held_until
    if one.untold and not is_released:
        until = at.now + at.rnd.random() * 40 * one.window_s
        by = at.rnd.choice(["", "shop"])
        at.one = life.quietened(one, until, time=at.now, by=by)


def fail(at: Life) -> None:
    """A message of it is due, and cannot be sent."""
    when, what = theirs(at.one, at.now)
    if what in ("tell", "end") and at.one.untold + bool(answered.news(at.one)):
        at.now = max(at.now, when)
        at.one = life.released(at.one, at.now, at.rnd.random() * 3 * at.one.window_s, failed=1)


def lived(seed: int, *, is_plain: bool) -> Life:
    """Some of all that can happen; of a plain life no steps, no quiet hours, no failed tries."""
    rnd = random.Random(seed)
    at = begun(rnd, () if is_plain or rnd.random() < 0.4 else STEPS)
    happenings = [count] * 3 + [turn] * 4 + [answer] + ([] if is_plain else [wall, fail])
    for _ in range(rnd.randrange(0, 10)):
        does = rnd.choice(happenings)
        if does is answer and is_plain and not at.one.told:
            continue
        if does(at) is False:
            break
    return at


def is_same(one: Plan, other: Plan) -> bool:
    """Clocks of a store and of a process could differ; one clock does not."""
    return one.act is other.act and (one.at == other.at or abs(one.at - other.at) <= 2 * SOON_S)


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "with steps, quiet hours, tries and answers"])
def test_on_random_lives_plan_says_what_the_rules_that_it_replaces_say(is_plain: bool) -> None:
    seen = Counter[Act]()
    for seed in range(1000):
        at = lived(seed, is_plain=is_plain)
        found, due = plan(translated(at.one), at.now), wanted(at.one, at.now)
        assert is_same(found, due), f"seed {seed}: {found} is to be {due} at {at.now}\n{at.one}"
        seen[found.act] += 1
    never = {Act.CALL} | ({Act.STEP} if is_plain else set())
    assert set(seen) == {*Act} - never, seen
