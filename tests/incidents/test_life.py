"""The rules of an incident's life in their plainest form, one by one, and against a model of them over time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wecom_logging._incidents import answered, escalation, life, stored
from wecom_logging._incidents.incident import NOTHING, Count, Incident, Kept, Own
from wecom_logging.model import Answer, Sample, Variant

from ..state.conftest import alert

FIRST = Kept(alert())


def opened(number: int = 1, now: float = 0.0, **more: Any) -> Incident:
    count = Count(key="k", number=number, level=40, last=now, first=FIRST, **more)
    return stored.opened(count, short_id="k7f2", version=1, now=now)


def more(incident: Incident, number: int = 1, now: float = 0.0, **others: Any) -> Incident:
    return stored.counted(incident, Count(key="k", number=number, level=40, last=now, **others), now)


def sent(incident: Incident, now: float) -> Incident:
    after = life.sent(incident, now)
    assert after is not None
    return after


def told(digests: int = 0) -> Incident:
    """The first message at 0, and each digest at its time."""
    incident = sent(opened(), 0.0)
    for _ in range(digests):
        incident = more(incident, now=incident.told_at + incident.wait_s)
        incident = sent(incident, incident.told_at + incident.wait_s)
    return incident


# When it is told.


def test_a_first_is_due_at_once() -> None:
    assert life.due_at(opened(now=7.0)) == 7.0
    assert not life.is_over(opened(), 9999.0)


def kinds(*names: str, is_new: bool = True) -> tuple[Variant, ...]:
    return tuple(Variant(name, 1, f"user {name} is unknown", 1.0, is_new) for name in names)


def test_a_kind_that_is_new_waits_for_a_window_and_no_longer() -> None:
    incident = told(5)
    assert incident.wait_s == 1920
    known = more(incident, variants=kinds("amy", is_new=False), now=incident.told_at + 7)
    assert life.due_at(known) == incident.told_at + life.quiet_s(incident)
    new = more(known, variants=kinds("zoe"), now=incident.told_at + 9)
    assert life.due_at(new) == incident.told_at + 60
    assert life.new_variant_at(incident) == life.new_variant_at(known) == incident.told_at + 60
    assert sent(new, life.due_at(new)).wait_s == 1920  # it came before its time


def test_where_each_digest_has_kinds_that_are_new_they_wait_as_long_as_others() -> None:
    incident, waits = told(), []
    for number in range(5):  # the first three come before the time of others
        incident = more(incident, variants=kinds(f"user {number}"), now=incident.told_at + 1)
        waits.append(life.due_at(incident) - incident.told_at)
        incident = sent(incident, life.due_at(incident))
    assert waits == [60, 60, 60, 120, 240]
    incident = more(incident, now=incident.told_at + 1)
    incident = sent(incident, life.due_at(incident))
    incident = more(incident, variants=kinds("zoe"), now=incident.told_at + 1)
    assert life.due_at(incident) == incident.told_at + 60


def test_what_was_released_waits_and_more_of_it_changes_nothing() -> None:
    waits = life.released(opened(), 0.0, 15.0)
    assert life.due_at(waits) == life.due_at(more(waits, 9, now=5.0)) == 15.0
    assert life.due_at(life.released(opened(), 5.0)) == 0.0
    late = life.released(more(told(), now=1.0), 100.0, 15.0)
    assert life.due_at(late) == 115.0
    assert life.due_at(sent(late, 115.0)) == 715.0  # over, and no wait is left of it


def test_a_lease_holds_it_until_it_ends() -> None:
    lent = stored.claimed(opened(), owner="me", until=30.0, version=2)
    assert (lent.owner, lent.version, life.due_at(lent), life.due_at(more(lent, now=5.0))) == ("me", 2, 30.0, 30.0)
    assert (sent(lent, 5.0).owner, life.released(lent, 5.0).owner) == ("", "")


def test_what_was_refused_is_as_if_it_was_told_but_no_digest() -> None:
    incident = life.refused(more(told(), 3, now=1.0), 60.0)
    assert incident is not None
    assert (incident.untold, incident.digests, incident.wait_s, incident.told_at) == (0, 0, 120.0, 60.0)


# What a message tells.


def test_a_first_message_tells_one_and_the_rest_is_for_a_digest() -> None:
    samples = (Sample(1.0, "second"),)
    incident = more(opened(own=Own(captured=1)), 3, now=1.0, samples=samples, own=Own(0, 3, 2))
    one = life.alone(incident, 1.0)
    assert (one.count, one.last, one.samples, one.rates, one.own) == (1, 0.0, (), (), Own(1, 0, 2))
    assert life.alone(opened(), 0.0) == opened()
    assert life.alone(opened(3, own=Own(0, 3)), 0.0).own == Own(0, 1)


def test_a_message_leaves_nothing_to_tell_and_the_next_begins_where_it_ended() -> None:
    incident = more(opened(own=Own(1)), 2, now=5.0, samples=(Sample(5.0, "a"),), own=Own(0, 2))
    after = sent(incident, 6.0)
    assert (after.untold, after.samples, after.rates, after.own, after.since) == (0, (), (), NOTHING, 5.0)
    again = more(after, 1, now=8.0)
    assert (again.untold, again.since, again.untold_at, again.last, again.began) == (1, 8.0, 8.0, 8.0, 0.0)


def test_counting_commutes() -> None:
    counts = [Count(key="k", number=number, last=last, own=Own(0, number)) for number, last in ((1, 9.0), (4, 3.0))]
    one, other = (stored.counted(stored.counted(opened(), a, 5.0), b, 5.0) for a, b in (counts, counts[::-1]))
    assert one == other
    assert (one.count, one.last, one.own) == (6, 9.0, Own(0, 5))


def test_no_more_than_eight_samples_and_a_bounded_curve_are_kept() -> None:
    incident = told()
    for second in range(0, 5000, 10):
        incident = more(incident, now=float(second), samples=(Sample(second, "text"),) * 3)
    assert [sample.time for sample in incident.samples] == [0, 0, 0, 10, 10, 10, 20, 20]
    assert (len(incident.rates), sum(incident.rates)) == (stored.MAX_RATES, 500)


def test_the_curve_has_eight_steps_to_the_next_digest() -> None:
    incident = told()
    for second in (0.0, 7.4, 7.5, 59.0):
        incident = more(incident, now=second)
    assert incident.rates == (2, 1, 0, 0, 0, 0, 0, 1)
    assert more(opened(), 3, now=5.0).rates == (3,)


# Who goes first.


def test_the_rank() -> None:
    ordered = [
        stored.rank(50, crowded=False),
        stored.rank(50, crowded=True),
        stored.rank(40, crowded=False),
        stored.rank(40, crowded=True),
        stored.rank(0, crowded=True),
        stored.rank(1000, crowded=False, tries=3),
        stored.rank(50, crowded=False, tries=5),
        stored.rank(0, crowded=True, tries=3),
        stored.rank(1000, crowded=False, tries=6),
    ]
    assert ordered == sorted(ordered, reverse=True)
    assert len({*ordered}) == len(ordered)
    assert stored.rank(50, crowded=False, tries=2) == ordered[0]


@pytest.mark.parametrize("crowded", [False, True])
def test_what_was_tried_in_vain_three_times_lets_others_go_first(crowded: bool) -> None:
    incident = opened(crowded=crowded)
    for tries in (1, 2, 3):
        incident = life.released(incident, 0.0, failed=1)
        assert (incident.tries, incident.rank) == (tries, stored.rank(40, crowded=crowded, tries=tries))
    assert incident.rank < stored.rank(0, crowded=True)
    assert life.released(incident, 0.0).tries == 3
    assert sent(incident, 0.0).tries == 0


# How it ends.


def test_it_is_looked_at_before_it_may_be_over_and_once_in_a_window_when_its_wait_is_over() -> None:
    incident = replace(told(), wait_s=3600.0)
    assert life.due_at(more(incident, 41, now=1.0)) == 600.0
    assert life.look_at(more(incident, 41, now=1.0), 600.0) == 601.0
    assert life.look_at(more(incident, 41, now=599.0), 600.0) == 1199.0
    assert life.look_at(more(incident, 41, now=3599.0), 3500.0) == 3600.0
    assert life.look_at(more(incident, 41, now=3400.0), 3600.0) == 3660.0
    assert life.look_at(more(incident, 41, now=3060.0), 3640.0) == 3660.0


def test_its_end_tells_what_is_untold() -> None:
    over = more(told(2), 41, now=1000.0, samples=(Sample(1.0, "a"),))
    assert life.is_over(over, 1600.0)
    after = life.sent(over, 1600.0, ends=True)
    assert after is not None
    assert (after.ended, after.untold, after.told, after.samples, after.rates) == (True, 0, 44, (), ())
    assert sent(over, 1600.0).ended is False  # a digest, as somebody has asked for


def test_what_waits_for_a_day_has_expired() -> None:
    day = 24 * 3600.0
    assert not life.is_expired(opened(), day - 1)
    assert life.is_expired(opened(), day)
    assert not life.is_expired(told(), 2 * day)
    assert not life.is_expired(more(told(), now=day), 2 * day - 1)
    assert life.is_expired(more(told(), now=day), 2 * day)


def test_what_still_happens_does_not_expire_with_what_was_left_of_it() -> None:
    day = 24 * 3600.0
    for left in (opened(), more(told(), now=70.0)):
        assert not life.is_expired(more(left, now=2 * day), 2 * day)


def test_what_is_counted_meanwhile_stays_to_be_told() -> None:
    lent = stored.claimed(opened(2, own=Own(1, 1), samples=(Sample(0.0, "a"),)), owner="me", until=60.0, version=2)
    there = more(lent, 3, now=5.0, samples=(Sample(5.0, "b"),), own=Own(0, 3))
    there = replace(there, places=(("a", "1"), ("a", "2"), ("b", "1")))
    after = stored.merged(there, lent, sent(lent, 6.0))
    assert (after.count, after.told, after.untold_at, after.counted_at, after.last) == (5, 2, 5.0, 5.0, 5.0)
    assert (after.samples, after.own, after.owner) == ((Sample(5.0, "b"),), Own(0, 3), "")
    assert (after.hosts, after.processes) == (2, 3)
    assert life.due_at(after) == 66.0
    kept = stored.merged(there, lent, life.released(lent, 6.0))
    assert replace(kept, owner=lent.owner, until=lent.until) == there


def test_what_is_counted_while_a_closing_line_is_sent_begins_then() -> None:
    lent = stored.claimed(told(2), owner="me", until=999.0, version=2)
    there = more(more(lent, now=800.0), now=810.0)
    after = stored.merged(there, lent, life.released(lent, 820.0))
    assert (after.untold, after.untold_at, after.since, after.counted_at) == (2, 800.0, 800.0, 810.0)


# What people do with it.


def people(incident: Incident, verb: str, now: float, who: str = "Li", **more: Any) -> Incident:
    """Their clock is 1000 s ahead of the store's."""
    after: Incident = getattr(answered, verb)(incident, who, "here", now=now, time=now + 1000, **more)
    return after


def line(incident: Incident, now: float) -> Incident:
    """The line about what somebody did is due at once, and told."""
    assert life.due_at(incident) <= now
    assert answered.news(incident) is not None
    return sent(incident, now)


def test_who_takes_it_quietens_it_and_it_is_told_again_when_that_ends() -> None:
    incident = people(more(told(), 3, now=5.0), "taken", 10.0)
    news = answered.news(incident)
    assert news == Answer("taken", "Li", "here", 1010.0, 1800.0, 4)
    incident = line(incident, 10.0)
    assert (incident.told, answered.news(incident), life.due_at(incident)) == (4, None, 610.0)
    incident = more(incident, 312, now=20.0)
    assert life.due_at(incident) == 10.0 + 1800.0
    assert incident.count - news.count == 312
    incident = sent(incident, 1810.0)
    assert (incident.answers.now, incident.held_until) == (news, 0.0)  # he has it still
    assert life.due_at(more(incident, now=1811.0)) == 1810.0 + incident.wait_s
    assert life.has_closing_line(incident)


def test_what_was_taken_ends_when_nothing_comes_and_says_so() -> None:
    incident = line(people(told(), "taken", 10.0), 10.0)
    assert (incident.digests, life.over_at(incident), life.has_closing_line(incident)) == (1, 610.0, True)
    assert sent(incident, 610.0).ended


def test_a_first_is_told_although_it_was_taken_and_then_its_repeats_wait() -> None:
    incident = people(opened(3), "taken", 1.0)
    assert (life.due_at(incident), answered.news(incident)) == (0.0, None)
    one = life.alone(incident, 2.0)
    after = stored.merged(incident, one, sent(one, 2.0))
    assert (after.told, after.untold, life.due_at(after), answered.news(after)) == (1, 2, 1802.0, None)


def test_in_a_silence_it_is_counted_and_told_once_when_that_ends() -> None:
    incident = line(people(told(), "silenced", 10.0, length_s=7200.0), 10.0)
    assert life.due_at(incident) == 7210.0  # also where nothing comes
    incident = more(more(incident, 4000, now=20.0), 1000, now=7000.0)
    assert life.due_at(incident) == 7210.0
    assert not life.is_expired(incident, 7210.0)
    incident = sent(incident, 7210.0)
    assert (incident.told, incident.answers.now, incident.held_until) == (5001, None, 0.0)
    assert life.due_at(more(incident, now=7211.0)) == 7210.0 + incident.wait_s


def test_what_waits_in_a_silence_does_not_expire_with_it() -> None:
    incident = more(line(people(told(), "silenced", 0.0, length_s=24 * 3600.0), 0.0), now=1.0)
    assert not life.is_expired(incident, 24 * 3600.0 + 3600)
    assert life.is_expired(incident, 48 * 3600.0)


def test_nobody_is_told_that_a_first_is_silent_that_nobody_has_seen() -> None:
    incident = people(opened(), "silenced", 1.0, length_s=600.0)
    assert (answered.news(incident), life.due_at(incident), life.due_at(more(incident, now=2.0))) == (
        None,
        601.0,
        601.0,
    )
    assert sent(incident, 601.0).answers.now is None


def test_what_a_person_closes_has_a_line_and_if_it_comes_again_it_is_new() -> None:
    incident = line(people(more(told(digests=3), 7, now=9999.0), "done", 10_000.0), 10_000.0)
    assert (incident.untold, answered.is_closed(incident), answered.comes_again(incident)) == (0, True, False)
    assert (life.due_at(incident), life.has_closing_line(incident)) == (10_000.0 + life.CLOSED_S, False)
    assert life.sent(incident, life.due_at(incident)) is None
    new = Kept(alert("another"))
    again = more(incident, 2, now=13_600.0, first=new)
    assert (answered.comes_again(again), life.due_at(again), answered.total(again), again.first) == (
        True,
        10_000.0,
        2,
        new,
    )
    again = sent(again, 13_600.0)
    assert (again.digests, again.wait_s, again.began, again.answers.now) == (0, 120.0, 13_600.0, None)
    assert answered.total(more(again, 3, now=13_601.0)) == 5
    assert life.due_at(more(again, 3, now=13_601.0)) == 13_720.0


def test_what_was_never_told_is_told_whole_when_it_is_closed() -> None:
    incident = people(opened(3), "done", 1.0)
    assert (life.due_at(incident), life.alone(incident, 1.0), answered.news(incident)) == (0.0, incident, None)
    after = sent(incident, 1.0)
    assert (after.told, answered.is_closed(after), answered.comes_again(after)) == (3, True, False)


@pytest.mark.parametrize(("verb", "undoes"), [("taken", "returned"), ("silenced", "resumed"), ("done", "reopened")])
def test_what_is_undone_is_as_it_was_before(verb: str, undoes: str) -> None:
    before = told(digests=1)
    incident = line(people(before, verb, 100.0, **({"length_s": 600.0} if verb == "silenced" else {})), 100.0)
    incident = people(incident, "undone", 110.0, "Wang")
    news = answered.news(incident)
    assert news is not None
    assert (news.verb, news.who) == (undoes, "Wang")
    incident = line(incident, 110.0)
    assert (incident.answers.now, incident.held_until, incident.wait_s) == (None, 0.0, before.wait_s)
    assert [one.verb for one in incident.answers.journal] == [verb, undoes]
    assert life.due_at(more(incident, now=111.0)) == 110.0 + before.wait_s


def test_undone_is_also_what_quietened_it_before() -> None:
    incident = line(people(told(), "taken", 10.0), 10.0)
    silent = line(people(incident, "silenced", 20.0, length_s=7200.0), 20.0)
    back = line(people(silent, "undone", 30.0), 30.0)
    assert (back.answers.now, back.held_until) == (incident.answers.now, 1810.0)
    later = people(silent, "undone", 1900.0)
    assert (later.answers.now, later.held_until) == (None, 0.0)


def test_what_nobody_was_told_is_undone_in_silence() -> None:
    incident = people(people(told(), "taken", 10.0), "undone", 11.0)
    assert (answered.news(incident), incident.answers.now) == (None, None)
    assert [one.verb for one in incident.answers.journal] == ["taken", "returned"]


def test_what_somebody_does_with_what_is_lent_stays_when_that_is_sent_released_or_over() -> None:
    lent = stored.claimed(more(told(), 3, now=1.0), owner="me", until=90.0, version=7)
    there = replace(people(lent, "taken", 61.0), version=8)
    assert (there.lent, life.due_at(there)) == (7, 90.0)
    there = replace(people(there, "undone", 62.0), version=9)
    there = replace(people(there, "taken", 63.0, "Wang"), version=10)
    after = stored.answered_meanwhile(there, lent, life.sent(lent, 64.0))
    assert after is not None
    assert (after.told, after.owner, after.lent, after.answers) == (4, "", 0, there.answers)
    assert life.due_at(line(after, 64.0)) == 664.0
    kept = stored.answered_meanwhile(there, lent, life.released(lent, 64.0, failed=1))
    assert kept is not None
    assert (kept.told, kept.tries, kept.owner, kept.answers) == (1, 1, "", there.answers)
    assert stored.answered_meanwhile(there, replace(lent, version=6), lent) is None
    over = stored.claimed(told(2), owner="me", until=9e9, version=7)
    stays = stored.answered_meanwhile(people(over, "taken", 9e5), over, None)
    assert stays is not None
    assert answered.news(stays) is not None


def test_of_what_people_did_the_newest_is_kept() -> None:
    incident = told()
    for number in range(30):
        incident = people(incident, "taken", float(number))
    assert [one.at for one in incident.answers.journal] == [1014.0 + number for number in range(answered.MAX_JOURNAL)]


# The steps of an escalation.

M = 60.0


def escalating(*after: float, now: float = 0.0) -> Incident:
    """Told at ``now``, with steps so many minutes later."""
    return sent(opened(now=now, steps=tuple(M * one for one in after or (10, 25))), now)


def step(incident: Incident, now: float, *, time: float = 0.0) -> Incident:
    """Its next step begins."""
    assert escalation.step_due_at(incident) <= now
    assert not life.is_over(incident, now)
    return escalation.stepped(incident, now=now, time=time or 1000.0 + now)


def stepped(incident: Incident, now: float, who: str = "王五") -> Incident:
    """Its next step, with its message and the line about that."""
    return line(escalation.step_told(step(incident, now), f"[['{who}'], [], [], []]", who), now)


def test_what_came_once_is_not_over_before_its_steps_are_and_what_came_often_and_stopped_is() -> None:
    once = escalating(10, 25)
    assert life.over_at(once) == 35 * M
    assert life.over_at(escalating(10, 25, now=7.0)) == 35 * M + 7
    assert life.over_at(sent(opened(), 0.0)) == 10 * M
    often = sent(more(once, 9, now=30.0), 60.0)
    assert life.over_at(often) == 11 * M
    assert life.is_over(often, 11 * M)
    assert life.over_at(line(people(once, "taken", 60.0), 60.0)) == 11 * M
    assert not life.is_over(once, 9999 * M)  # every process was away, or all was held
    assert life.is_over(sent(more(often, now=61.0), 9 * M), 9999 * M)


def test_a_digest_changes_nothing_of_the_steps() -> None:
    incident = sent(more(escalating(10, 25), 3, now=30.0), 60.0)
    assert (incident.step_at, escalation.step_due_at(incident)) == (10 * M, 10 * M)
    assert life.wake_at(more(incident, now=599.0)) == 180.0
    late = more(replace(incident, wait_s=3600.0), now=500.0)
    assert life.wake_at(late) == life.due_at(late) == 10 * M


def test_after_a_silence_the_steps_begin_anew() -> None:
    incident = stepped(escalating(10, 25), 10 * M)
    incident = line(people(incident, "silenced", 12 * M, length_s=30 * M), 12 * M)
    told = sent(more(incident, 3, now=20 * M), 42 * M)
    assert (told.step, escalation.step_due_at(told)) == (0, 52 * M)
    assert sent(replace(incident, told_at=40 * M), 42 * M).step == 0  # also where nothing came


def test_what_comes_again_after_its_end_escalates_anew() -> None:
    over = life.sent(stepped(escalating(10), 10 * M), 20 * M, ends=True)
    assert over is not None
    assert (escalation.step_due_at(over), life.due_at(over)) == (float("inf"), 20 * M + life.CLOSED_S)
    again = sent(more(over, now=30 * M, first=FIRST), 30 * M)
    assert (again.step, escalation.step_due_at(again), again.told_too) == (0, 40 * M, ())


def test_what_nobody_was_told_of_since_it_was_refused_has_no_steps() -> None:
    refused = life.refused(opened(steps=(M,)), 0.0)
    assert refused is not None
    assert escalation.step_due_at(refused) == float("inf")
    assert escalation.step_due_at(sent(more(refused, now=61.0), 70.0)) == float("inf")
    digest = life.refused(more(escalating(10), now=61.0), 70.0)
    assert digest is not None
    assert escalation.step_due_at(digest) == 10 * M


def test_a_step_that_tells_nobody_gives_way_to_the_next_at_once_and_the_last_says_so() -> None:
    incident = step(escalating(10, 25, 40), 10 * M)
    incident = escalation.step_missed(incident, "nobody x", now=10 * M, time=1600.0)
    assert (incident.step, escalation.step_due_at(incident), answered.news(incident)) == (2, 10 * M, None)
    told = line(escalation.step_told(incident, "a", "李四"), 10 * M)
    assert escalation.step_due_at(told) == 40 * M  # as if the one before had not been there
    assert [(one.who, one.where) for one in told.answers.journal] == [("", "nobody x"), ("李四", "")]
    last = step(told, 40 * M)
    last = escalation.step_missed(last, "nobody y", now=40 * M, time=3400.0)
    assert (last.step, escalation.step_due_at(last)) == (3, float("inf"))
    news = answered.news(last)
    assert news is not None
    assert (news.verb, news.who, news.where) == ("escalated", "", "nobody y")


def test_a_message_of_a_step_that_fails_is_tried_again_ever_later_and_digests_go_meanwhile() -> None:
    incident, waits = step(escalating(10, 25), 10 * M), []
    for _ in range(6):
        incident = escalation.step_failed(incident, now=10 * M)
        waits.append(incident.stepping_at - 10 * M)
    assert waits == [5, 10, 20, 40, 60, 60]
    assert (escalation.step_due_at(incident), incident.rank) == (11 * M, escalating().rank)
    incident = sent(more(incident, now=10 * M + 1), 10 * M + 2)
    assert (incident.stepping_at, incident.step) == (11 * M, 1)


def test_a_take_and_a_step_at_the_same_moment_one_wins_as_a_whole() -> None:
    lent = stored.claimed(escalating(), owner="me", until=660.0, version=7)
    there = replace(people(lent, "taken", 601.0), version=8)
    kept = stored.answered_meanwhile(there, lent, escalation.stepped(lent, now=602.0, time=1602.0))
    assert kept is not None
    assert (kept.step, kept.stepping_at, escalation.step_due_at(kept)) == (0, 0.0, float("inf"))
    assert [one.verb for one in kept.answers.journal] == ["taken"]
    assert escalation.step_due_at(line(people(line(kept, 603.0), "undone", 604.0), 604.0)) == 600.0


def test_what_a_step_has_told_is_not_told_again_where_a_person_took_it_meanwhile() -> None:
    lent = stored.claimed(step(escalating(), 600.0, time=1600.0), owner="me", until=660.0, version=7)
    there = replace(people(lent, "taken", 600.0, "Wang"), version=8)  # at the same time, too
    after = stored.answered_meanwhile(there, lent, escalation.step_told(lent, "a", "李四"))
    assert after is not None
    assert (after.step, after.stepping_at, after.told_too, after.owner) == (1, 0.0, ("a",), "")
    assert [(one.verb, one.who) for one in after.answers.journal] == [("escalated", "李四"), ("taken", "Wang")]
    assert escalation.step_due_at(after) == float("inf")
    undone = line(people(line(after, 603.0), "undone", 604.0), 604.0)
    assert escalation.step_due_at(undone) == 25 * M
    failed = stored.answered_meanwhile(there, lent, escalation.step_later(lent, 605.0))
    assert failed is not None
    assert escalation.step_due_at(line(people(line(failed, 603.0), "undone", 604.0), 604.0)) == 600.0


def test_the_line_about_a_step_says_that_its_people_were_called() -> None:
    incident = escalation.step_told(step(escalating(), 600.0), "a", "李四", phoned="已拨打")
    news = answered.news(incident)
    assert news is not None
    assert (news.who, news.where) == ("李四", "已拨打")
    assert escalation.step_due_at(line(incident, 601.0)) == 25 * M
