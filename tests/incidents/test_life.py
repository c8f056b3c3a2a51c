"""The rules of an incident's life in their plainest form, one by one, and against a model of them over time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings

from wecom_logging._incidents import answered, escalation, life, policy, stored
from wecom_logging._incidents.incident import NO_CALLS, NOTHING, Calls, Count, Incident, Kept, Own
from wecom_logging.model import Answer, Sample, Variant

from ..pipeline.test_group_model import STEPS, TICK, WINDOW, Rules
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


def test_the_wait_doubles_with_each_digest_up_to_an_hour() -> None:
    incident, waits = told(), []
    for _ in range(9):
        incident = more(incident, 2, now=incident.told_at + incident.wait_s - 1)
        waits.append(life.tell_at(incident, incident.told_at) - incident.told_at)
        incident = sent(incident, life.tell_at(incident, incident.told_at))
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert (incident.digests, incident.count, incident.told) == (9, 19, 19)


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


def test_a_digest_that_is_late_changes_nothing_of_the_next_wait() -> None:
    incident = sent(more(told(), now=1.0), 500.0)
    assert (incident.wait_s, life.due_at(more(incident, now=501.0))) == (120.0, 620.0)


def test_an_early_digest_changes_no_wait() -> None:
    incident = sent(more(told(), now=1.0), 10.0)
    assert (incident.wait_s, incident.digests) == (60.0, 1)
    assert life.due_at(more(incident, now=11.0)) == 70.0


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


def test_a_first_that_has_waited_for_a_window_tells_all() -> None:
    incident = more(opened(), 3, now=1.0)
    assert life.alone(incident, 59.9).count == 1
    assert life.alone(incident, 60.0) is incident
    later = more(told(), 3, now=1.0)
    assert life.alone(later, 1.0) is later


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


def test_it_is_over_when_nothing_was_told_or_counted_for_ten_windows() -> None:
    assert life.due_at(told()) == life.over_at(told()) == 600.0
    assert life.is_over(told(), 600.0)
    assert not life.is_over(more(told(), now=599.0), 1198.0)
    assert life.is_over(more(told(), now=599.0), 1199.0)
    assert life.over_at(replace(told(), counted_at=30.0)) == 630.0
    assert life.over_at(told(digests=2)) == 60 + 120 + 600


def test_a_digest_is_told_while_it_goes_on_and_what_has_stopped_by_its_end() -> None:
    incident = replace(told(), wait_s=480.0)
    for counted_at, at in ((360.0, 480.0), (480.0, 480.0), (359.0, 959.0), (1.0, 601.0)):
        assert life.tell_at(more(incident, 41, now=counted_at), 5.0) == at
    again = more(more(incident, 41, now=1.0), now=500.0)
    assert life.tell_at(again, 500.0) == 500.0  # the wait is over long since


def test_it_is_looked_at_before_it_may_be_over_and_once_in_a_window_when_its_wait_is_over() -> None:
    incident = replace(told(), wait_s=3600.0)
    assert life.due_at(more(incident, 41, now=1.0)) == 600.0
    assert life.look_at(more(incident, 41, now=1.0), 600.0) == 601.0
    assert life.look_at(more(incident, 41, now=599.0), 600.0) == 1199.0
    assert life.look_at(more(incident, 41, now=3599.0), 3500.0) == 3600.0
    assert life.look_at(more(incident, 41, now=3400.0), 3600.0) == 3660.0
    assert life.look_at(more(incident, 41, now=3060.0), 3640.0) == 3660.0


def test_what_is_over_within_two_windows_is_told_together() -> None:
    ends = [life.end_at(replace(told(), counted_at=at)) for at in (1.0, 60.0, 119.0, 120.0)]
    assert ends == [720.0, 720.0, 720.0, 840.0]
    assert life.end_at(replace(told(), window_s=0.0)) == 2.0
    assert life.quiet_at(1.0, 0.0, 600.0, 60.0) >= ends[0]  # until then a record is counted, and no new incident


def test_anything_that_came_after_the_first_makes_a_closing_line_and_nothing_ends_in_silence() -> None:
    assert [life.has_closing_line(told(digests)) for digests in (0, 1, 2)] == [False, True, True]
    assert life.has_closing_line(more(told(), 41, now=1.0))
    for after in (life.sent(told(2), 2000.0), life.refused(told(2), 2000.0)):
        assert after is not None
        assert after.ended


def test_its_end_tells_what_is_untold() -> None:
    over = more(told(2), 41, now=1000.0, samples=(Sample(1.0, "a"),))
    assert life.is_over(over, 1600.0)
    after = life.sent(over, 1600.0, ends=True)
    assert after is not None
    assert (after.ended, after.untold, after.told, after.samples, after.rates) == (True, 0, 44, (), ())
    assert sent(over, 1600.0).ended is False  # a digest, as somebody has asked for


def test_what_comes_again_within_a_day_has_its_number_and_then_it_is_forgotten() -> None:
    over = life.sent(told(2), 2000.0, ends=True)
    assert over is not None
    assert (answered.is_open(over), life.has_closing_line(over), life.due_at(over)) == (
        False,
        False,
        2000.0 + life.CLOSED_S,
    )
    assert life.ended(over, life.due_at(over)) is None
    first = Kept(alert())
    again = more(over, 2, now=9000.0, first=first)
    assert (answered.is_first(again), answered.times(again), answered.total(again), again.first) == (True, 2, 2, first)
    assert life.due_at(again) <= 9000.0
    open_again = sent(again, 9000.0)
    assert (open_again.times, open_again.digests, open_again.wait_s, answered.began(open_again)) == (
        2,
        0,
        120.0,
        9000.0,
    )
    assert (answered.is_open(open_again), answered.total(more(open_again, now=9001.0))) == (True, 3)
    third = life.sent(open_again, 9999.0, ends=True)
    assert third is not None
    assert answered.times(more(third, now=20_000.0)) == 3
    assert third.times_since == over.began


def test_what_comes_again_and_again_waits_longer_for_its_first_digest_and_its_end() -> None:
    incident, found = told(), list[tuple[float, float]]()
    for number in range(8):
        found.append((incident.wait_s, life.quiet_s(incident)))
        assert life.over_at(incident) == incident.told_at + life.quiet_s(incident)
        over = life.sent(incident, 1e4 * number, ends=True)
        assert over is not None
        assert life.over_at(over) == 1e4 * number + life.CLOSED_S
        incident = sent(more(over, now=1e4 * number, first=FIRST), 1e4 * number)
    assert [wait_s for wait_s, _ in found] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert [quiet_s for _, quiet_s in found] == [600, 1200, 2400, 3600, 3600, 3600, 3600, 3600]
    rarely = replace(incident, window_s=86_400.0)
    assert life.quiet_s(rarely) == 864_000.0


def test_what_came_seldom_may_not_have_been_tried_again() -> None:
    assert life.is_rare(more(told(), 3, now=10.0))
    assert not life.is_rare(more(told(), 4, now=10.0))
    assert not life.is_rare(more(told(), 4, now=4 * 180.0))
    assert life.is_rare(more(told(), 4, now=4 * 180.0 + 1))


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


# Over time, against the rules of a group as they are tried on the whole journey.


@dataclass
class Lives:
    """Incidents by `life` alone, told at once when they are due."""

    now: float = 0.0
    open: dict[str, Incident] = field(default_factory=dict)
    over: dict[str, Incident] = field(default_factory=dict)
    sent: list[tuple[float, str, int, int]] = field(default_factory=list)

    def records(self, key: str, number: int) -> None:
        for _ in range(number):
            count = Count(key=key, level=40, window_s=WINDOW, last=self.now, first=FIRST)
            if (there := self.open.get(key)) is not None:
                self.open[key] = stored.counted(there, count, self.now)
                continue
            self.open[key] = stored.opened(count, short_id="", version=1, now=self.now)
            if (earlier := self.over.get(key)) is not None and self.now < life.over_at(earlier):
                self.open[key] = answered.after(self.open[key], earlier)
        self.look()

    def pass_ticks(self, number: int) -> None:
        for _ in range(number):
            self.now += TICK
            self.look()

    def look(self) -> None:
        for one in [one for one in self.open.values() if life.due_at(one) <= self.now]:
            if policy.ends(one, self.now, closed=False):
                self.end(one.key, life.ended(one, self.now))
            elif (until := policy.not_before(one, self.now)) > self.now:
                self.open[one.key] = life.released(one, self.now, until - self.now)
            else:
                self.tell(one)

    def flush(self) -> None:
        for one in [one for one in self.open.values() if one.untold]:
            self.tell(one)

    def tell(self, whole: Incident) -> None:
        lent = stored.claimed(whole, owner="me", until=self.now + TICK, version=2)
        one = life.alone(lent, self.now)
        after = life.sent(one, self.now, ends=life.is_over(one, self.now))
        assert after is not None
        self.sent.append((self.now, one.key, one.untold, one.count if one.untold else 0))
        if after.ended:
            self.end(one.key, after)
        else:
            self.open[one.key] = stored.merged(lent, one, after)

    def end(self, key: str, after: Incident | None) -> None:
        assert after is not None
        del self.open[key]
        self.over[key] = after


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_over_time_it_is_told_as_a_group_is(steps: list[tuple[str, int] | int | str]) -> None:
    lives, rules = Lives(), Rules(0.0)
    for step in steps:
        for one in (lives, rules):
            if isinstance(step, int):
                one.pass_ticks(step)
            elif isinstance(step, tuple):
                one.records(*step)
            else:
                one.flush()
        assert sorted(lives.sent) == sorted(rules.sent)
        assert {key: one.untold for key, one in lives.open.items()} == {
            name: kind.counted for name, kind in rules.open.items()
        }


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


def test_a_silence_in_which_nothing_came_says_so_and_ends_the_incident_where_that_is_over() -> None:
    silent = line(people(told(), "silenced", 10.0, length_s=7200.0), 10.0)
    news = answered.news(silent)
    assert news is not None
    assert (news.verb, news.who, news.until) == ("over", "Li", 8210.0)
    assert sent(silent, 7210.0).ended
    short = sent(line(people(told(), "silenced", 10.0, length_s=60.0), 10.0), 70.0)
    assert (short.answers.now, answered.news(short), life.due_at(short)) == (None, None, 670.0)


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


def test_one_of_two_has_it_and_is_in_the_way_of_the_other() -> None:
    mine = people(told(), "taken", 10.0)
    for verb, way in (("taken", "Li"), ("silenced", "Li"), ("done", ""), ("", "")):
        other = answered.in_the_way(mine, verb, "Wang", 1020.0)
        assert (other.who if other else "") == way
        assert answered.in_the_way(mine, verb, "Li", 1020.0) is None
    assert answered.in_the_way(mine, "taken", "Wang", 1010.0 + 1801) is None  # he has forgotten it
    silent = people(told(), "silenced", 10.0, length_s=3600.0)
    assert [
        verb for verb in ("taken", "silenced", "done", "") if answered.in_the_way(silent, verb, "Wang", 1020.0)
    ] == ["silenced"]
    closed = line(people(told(), "done", 10.0), 10.0)
    assert all(answered.in_the_way(closed, verb, "Li", 1020.0) for verb in ("taken", "silenced", "done"))
    assert answered.in_the_way(closed, "", "Wang", 1020.0) is None
    assert answered.in_the_way(more(closed, now=11.0), "taken", "Wang", 1020.0) is None


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


def test_steps_count_from_the_first_message_and_come_once_each() -> None:
    assert escalation.step_due_at(opened(steps=(M,))) == float("inf")  # nobody was told
    incident = escalating(10, 25, 40)
    assert (escalation.step_due_at(incident), life.due_at(incident)) == (10 * M, 10 * M)
    incident = step(incident, 10 * M)
    assert (incident.step, escalation.step_due_at(incident), life.due_at(incident)) == (1, 10 * M, 10 * M)
    assert answered.news(incident) is None
    incident = escalation.step_told(incident, "a", "李四")
    assert (life.due_at(incident) <= 10 * M, escalation.step_due_at(incident)) == (
        True,
        25 * M,
    )  # the line holds no step
    news = answered.news(incident)
    assert news is not None
    assert (news.verb, news.who, incident.told_too) == ("escalated", "李四", ("a",))
    incident = line(incident, 10 * M + 1)
    assert escalation.step_due_at(incident) == 25 * M
    incident = stepped(incident, 25 * M)
    incident = stepped(incident, 40 * M, "老板")
    assert (incident.step, incident.step_at, escalation.step_due_at(incident)) == (3, 0.0, float("inf"))
    assert [one.who for one in incident.answers.journal] == ["李四", "王五", "老板"]
    assert life.over_at(incident) == 40 * M + life.quiet_s(incident)
    assert life.has_closing_line(incident)


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


@pytest.mark.parametrize("verb", ["taken", "silenced", "done"])
def test_what_a_person_does_stops_the_steps_and_undone_they_go_on_where_they_stopped(verb: str) -> None:
    length = {"length_s": 3600.0} if verb == "silenced" else {}
    incident = people(escalating(), verb, 5 * M, **length)
    assert escalation.step_due_at(incident) == float("inf")
    incident = line(incident, 5 * M)
    assert escalation.step_due_at(incident) == float("inf")
    undone = people(incident, "undone", 12 * M)
    assert escalation.step_due_at(undone) == float("inf")  # the line about it goes first
    undone = line(undone, 12 * M)
    assert escalation.step_due_at(undone) == 10 * M  # its time passed meanwhile
    undone = stepped(undone, 12 * M)
    assert escalation.step_due_at(undone) == 25 * M
    early = line(people(incident, "undone", 6 * M), 6 * M)
    assert escalation.step_due_at(early) == 10 * M


def test_steps_that_were_held_follow_one_a_minute() -> None:
    incident = stepped(escalating(10, 12, 14), 30 * M)
    assert escalation.step_due_at(incident) == 31 * M
    incident = stepped(incident, 31 * M)
    assert escalation.step_due_at(incident) == 32 * M
    assert escalation.step_due_at(stepped(escalating(1, 1.25), 5 * M)) == 5.25 * M


def test_after_the_time_of_who_took_it_he_is_told_and_the_steps_begin_anew() -> None:
    incident = stepped(escalating(10, 25), 10 * M)
    incident = line(people(incident, "taken", 12 * M), 12 * M)
    incident = more(incident, 40, now=20 * M)
    assert (life.due_at(incident), escalation.step_due_at(incident)) == (42 * M, float("inf"))
    incident = sent(incident, 42 * M)
    assert (incident.step, escalation.step_due_at(incident)) == (0, 52 * M)
    incident = more(incident, 2, now=50 * M)
    incident = stepped(incident, 52 * M)
    assert escalation.step_due_at(incident) == 67 * M  # who had it does not hold it again


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


def test_a_call_of_nobody_is_none() -> None:
    incident = replace(escalating(10), call_at=5 * M)
    assert escalation.step_due_at(incident) == 10 * M
    assert escalation.doing(incident, 10 * M) == escalation.BEGINS


def test_a_call_of_which_no_step_is_known_ends() -> None:
    incident = replace(escalating(10), calls=Calls(("Li",), "Li", "6-x"), call_at=5 * M)
    assert incident.answers.journal == ()
    after = escalation.call_over(incident, "Li", "answered", ends=True, now=6 * M)
    assert (after.calls, after.call_at, after.answers.journal) == (NO_CALLS, 0.0, ())


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


def rings(*users: str) -> Incident:
    """The message of its step was sent, and these are to be called."""
    return escalation.step_told(step(escalating(), 600.0), "a", "李四", calls=users, now=600.0)


def test_one_person_after_the_other_is_called_until_one_answers_and_then_a_line_says_so() -> None:
    incident = rings("li", "wang", "zhao")
    assert (answered.news(incident), escalation.step_due_at(incident), life.due_at(incident)) == (None, 600.0, 600.0)
    incident = escalation.call_begun(incident, 600.0)
    assert (incident.calls.who, incident.calls.left, escalation.step_due_at(incident)) == (
        "li",
        ("wang", "zhao"),
        620.0,
    )
    incident = escalation.call_looked_at(escalation.call_rings(incident, "li", "6-1"), 620.0)
    assert (incident.calls.id, incident.calls.looks, escalation.step_due_at(incident)) == ("6-1", 1, 660.0)
    incident = escalation.call_over(incident, "li", "li 无人接听", ends=False, now=660.0)
    assert (incident.calls.left, escalation.step_due_at(incident), answered.news(incident)) == (
        ("wang", "zhao"),
        660.0,
        None,
    )
    incident = escalation.call_rings(escalation.call_begun(incident, 660.0), "wang", "6-2")
    incident = escalation.call_over(incident, "wang", "wang 已接听", ends=True, now=680.0)
    news = answered.news(incident)
    assert news is not None
    assert (news.who, news.where, incident.calls) == ("李四", "li 无人接听; wang 已接听", NO_CALLS)
    incident = line(incident, 680.0)
    assert escalation.step_due_at(incident) == 25 * M  # who answers the phone has not taken it


def test_e2_who_takes_it_stops_the_calls_that_have_not_begun() -> None:
    incident = people(stored.claimed(rings("li", "wang"), owner="me", until=660.0, version=7), "taken", 600.0)
    assert escalation.call_begun(incident, 600.0) is incident
    assert escalation.step_due_at(incident) == float("inf")
    begun = escalation.call_begun(rings("li", "wang"), 600.0)
    over = escalation.call_over(people(begun, "taken", 610.0), "li", "拒接", ends=False, now=620.0)
    news = answered.news(over)
    assert news is not None
    assert (news.verb, over.calls.left, escalation.step_due_at(over)) == ("taken", ("wang",), float("inf"))
    last = escalation.call_over(
        people(escalation.call_begun(rings("li"), 600.0), "taken", 610.0), "li", "x", ends=False, now=9.0
    )
    assert last.answers.is_said is False
    undone = line(people(line(over, 621.0), "undone", 640.0), 640.0)
    assert escalation.call_begun(undone, 640.0).calls.who == "wang"


def test_where_the_next_step_is_due_nobody_more_is_called_and_a_line_says_what_became_of_the_calls() -> None:
    begun = escalation.call_begun(rings("li", "wang"), 25 * M - 5)
    for after in (
        escalation.call_begun(rings("li", "wang"), 25 * M),
        escalation.call_over(begun, "li", "无人接听", ends=False, now=25 * M),
    ):
        news = answered.news(after)
        assert news is not None
        assert (after.calls, after.call_at, after.step, news.who) == (NO_CALLS, 0.0, 1, "李四")
        assert escalation.doing(after, 25 * M) == escalation.BEGINS


def test_the_next_step_ends_the_calls_of_the_one_before() -> None:
    incident = step(escalation.call_begun(rings("li", "wang"), 600.0), 25 * M)
    assert (incident.calls, incident.call_at) == (NO_CALLS, 0.0)


def test_what_rings_meanwhile_stays_so_whoever_has_a_claim() -> None:
    lent = stored.claimed(more(rings("li", "wang"), now=601.0), owner="me", until=700.0, version=7)
    other = replace(lent, version=3, owner="other")
    begun = replace(stored.changed_meanwhile(lent, escalation.call_begun(lent, 602.0), other), version=8)
    assert (begun.owner, begun.lent) == ("me", 7)
    after = stored.answered_meanwhile(begun, lent, life.sent(lent, 603.0))
    assert after is not None
    assert (after.told, after.calls.who, after.call_at) == (2, "li", 622.0)
    mine = stored.changed_meanwhile(lent, escalation.call_begun(lent, 602.0), lent)
    assert (mine.owner, mine.lent) == ("", 0)
