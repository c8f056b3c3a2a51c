"""What every store promises, in a time that is handed in."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from wecom_logging._incidents import answered, life, stored
from wecom_logging._incidents.incident import NOTHING, Incident, Own
from wecom_logging._incidents.short_id import LEAST, read_short_id, short_id
from wecom_logging._state.base import Added, LateAnswerError, Store, Swap, answer, swap_lent
from wecom_logging._state.batches import Batches
from wecom_logging._state.entries import load
from wecom_logging._state.shared import Shared
from wecom_logging.model import Answer, Sample, Variant

from .conftest import CHANNEL, WHO, Rig, first, later


def keys(incidents: list[Incident]) -> list[str]:
    return [one.key for one in incidents]


# What is counted.


def test_a_first_is_claimed_once_and_told(rig: Rig) -> None:
    assert rig.add(first("k", text="disk full")) == (0,)
    (one,) = rig.claim()
    assert (one.key, one.level, one.count, one.told, one.untold, one.owner) == ("k", 40, 1, 0, 1, WHO)
    assert (one.first.alert.message, one.began, one.last) == ("disk full", 1.0, 1.0)
    assert rig.claim("another") == []
    assert rig.sent(one) == [True]
    assert rig.claim() == []
    assert [(row.count, row.told, row.owner) for row in rig.store.open(CHANNEL, 9)] == [(1, 1, "")]


def test_without_a_first_only_what_is_open_is_counted(rig: Rig) -> None:
    assert rig.add(later("k", 3)) == (None,)
    assert rig.store.open(CHANNEL, 9) == []
    assert rig.add(first("k"), later("k", 5), later("unknown")) == (0, 0, None)
    assert [one.count for one in rig.claim()] == [6]
    rig.add(first("none", 0))  # only records of this process's counters
    assert [one.key for one in rig.store.open(CHANNEL, 9)] == ["k"]


def test_it_says_of_each_count_how_many_were_told(rig: Rig) -> None:
    rig.add(first("k", 3), first("other"))
    rig.sent(*rig.claim(most=1))
    rig.add(first("k"), first("other"))
    told = {one.key: one.told for one in rig.store.open(CHANNEL, 9)}
    assert sorted(told.values()) in ([0, 1], [0, 3])
    assert rig.add(later("k"), later("other"), first("new")) == (told["k"], told["other"], 0)


def test_a_batch_that_is_there_already_is_not_added_again(rig: Rig) -> None:
    assert (rig.batch(first("k", 2)).before, rig.batch(later("k", 3)).before) == (0, 1)
    again = rig.batch(later("k", 3), later("unknown"), number=2)
    assert (again.before, again.told) == (2, (0, None))
    assert rig.batch(first("never", 3), number=1).before == 2
    assert [(one.key, one.count) for one in rig.store.open(CHANNEL, 9)] == [("k", 5)]
    assert rig.batch(later("k"), number=3).before == 2
    assert rig.batch(later("k"), who="another", number=1).before == 0
    assert [one.count for one in rig.claim()] == [7]


def test_a_loss_shows_in_the_number_of_the_batch_before(rig: Rig) -> None:
    """Of seven batches the store has four: it was put back to an older state."""
    for _ in range(4):
        rig.batch(first("k"))
    assert rig.batch(first("k"), number=8).before == 4
    assert rig.store.untold(CHANNEL, WHO, ["k"]) == (8, ["k"], [])
    assert rig.store.untold(CHANNEL, "stranger", []) == (0, [], [])


def test_the_number_of_a_batch_outlives_what_may_wait_since_then(shared: Rig) -> None:
    """An incident that is silent for a day, and then cannot be sent for another, waits for longer than a day."""
    shared.batch(first("k"))
    shared.pass_time(3 * 24 * 3600.0)
    shared.batch(first("other"), who="another")
    assert shared.batch(later("k")).before == 1


def test_batches_are_numbered_for_each_channel(rig: Rig) -> None:
    rig.batch(first("k"), number=5)
    assert rig.batch(first("k"), number=1, channel="bot b").before == 0
    assert len(rig.claim(channel="bot b")) == 1


def test_batches_are_numbered_for_each_part_of_a_process(shared: Rig) -> None:
    assert [shared.batch(first("k"), who=f"{WHO}#{part}", number=3).before for part in (1, 2)] == [0, 0]
    assert [shared.store.untold(CHANNEL, f"{WHO}#{part}", ["k"]) for part in (1, 2, 3)] == [
        (3, ["k"], []),
        (3, ["k"], []),
        (0, ["k"], []),
    ]
    (one,) = shared.claim()
    assert (one.count, one.processes) == (2, 1)


def test_an_event_that_opened_its_incident_is_not_counted_twice(rig: Rig) -> None:
    for event in ("a", "a", "b", "a", ""):
        rig.add(first("k", event=event))
    (one,) = rig.tell()
    assert one.count == 3
    rig.add(first("k", event="a"), first("k", event="c"))
    assert [one.count for one in rig.store.open(CHANNEL, 9)] == [4]


def test_who_counts_more_tells_the_newest_time_and_the_first_samples(rig: Rig) -> None:
    rig.add(first("k", last=5.0))
    rig.tell()
    rig.add(*(later("k", 2, last=at, samples=(Sample(at, f"text {at}"),) * 3) for at in (9.0, 7.0, 8.0)))
    rig.pass_time(60)
    (one,) = rig.claim()
    assert (one.began, one.since, one.last, one.count, one.untold) == (5.0, 9.0, 9.0, 7, 6)
    assert [sample.time for sample in one.samples] == [9.0] * 3 + [7.0] * 3 + [8.0] * 2
    assert one.samples[0] == Sample(9.0, "text 9.0")


def test_the_curve_has_a_step_for_each_part_of_the_wait(rig: Rig) -> None:
    rig.add(first("k", window_s=80.0))
    rig.tell()
    for number in (1, 2, 4):
        rig.pass_time(rig.grain_s)
        rig.add(later("k", number))
        rig.pass_time(30 - rig.grain_s)
    (one,) = rig.claim()
    assert len(one.rates) <= 8
    assert [number for number in one.rates if number] == [1, 2, 4]


# When it is told.


def test_digests_come_after_waits_that_double(rig: Rig) -> None:
    rig.add(first("k"))
    rig.tell()
    for wait in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        rig.add(later("k", 7))
        wait = min(wait, 600)  # by then it may be over, which is looked at
        assert rig.due() == rig.near(wait)
        rig.pass_time(wait - rig.grain_s)
        assert rig.claim() == []
        rig.pass_time(rig.grain_s)
        assert rig.due() == 0
        (one,) = rig.tell()
        assert one.untold == 7
    assert (one.count, one.digests) == (1 + 7 * 8, 7)


def test_a_kind_that_is_new_is_due_after_a_window_however_long_others_wait(rig: Rig) -> None:
    rig.add(first("k"))
    rig.tell()
    for wait in (60, 120, 240):
        rig.add(later("k"))
        rig.pass_time(wait)
        rig.tell()
    rig.pass_time(10)
    rig.add(later("k", variants=(Variant("amy", 1, "amy is unknown", 1.0, is_new=False),)))
    assert rig.due() == rig.near(470)
    rig.add(later("k", variants=(Variant("zoe", 1, "zoe is unknown", 1.0, is_new=True),)))
    assert rig.due() == rig.near(50)
    rig.pass_time(50)
    (one,) = rig.claim()
    rig.add(later("k", variants=(Variant("joe", 1, "joe is unknown", 1.0, is_new=True),)))
    assert rig.claim() == []
    assert [(kind.name, kind.is_new) for kind in one.variants] == [("amy", False), ("zoe", True)]
    rig.sent(one)
    assert rig.due() == rig.near(60)


def new(name: str) -> tuple[Variant, ...]:
    return (Variant(name, 1, f"{name} is unknown", 1.0, is_new=True),)


def test_a_kind_that_is_new_lets_go_of_a_first_message_that_waits_for_another_try(rig: Rig) -> None:
    rig.add(first("k"))
    rig.release(*rig.claim(), wait_s=900.0, failed=1)
    assert rig.due() == rig.near(900)
    rig.add(later("k", variants=new("zoe")))
    assert rig.due() == 0
    assert [one.key for one in rig.claim()] == ["k"]


@pytest.mark.parametrize("verb", ["taken", "silenced"])
def test_a_kind_that_is_new_lets_go_of_what_people_did_where_that_waits_for_another_try(rig: Rig, verb: str) -> None:
    rig.add(first("k"))
    rig.tell()
    (one,) = rig.store.open(CHANNEL, 1, ["k"], rig.now)
    become = {
        "taken": lambda: answered.taken(one, "Li", "here", now=rig.now, time=rig.now),
        "silenced": lambda: answered.silenced(one, "Li", "here", 4000.0, now=rig.now, time=rig.now),
    }[verb]
    rig.swap(Swap(one, become()))
    rig.release(*rig.claim(), wait_s=900.0, failed=1)
    assert rig.due() == rig.near(900)
    rig.add(later("k", variants=new("zoe")))
    assert rig.due() == 0
    assert [one.key for one in rig.claim()] == ["k"]


def test_a_kind_that_is_new_lets_go_of_no_silence(rig: Rig) -> None:
    rig.add(first("k"))
    rig.tell()
    (one,) = rig.store.open(CHANNEL, 1, ["k"], rig.now)
    rig.swap(Swap(one, answered.silenced(one, "Li", "here", 4000.0, now=rig.now, time=rig.now)))
    rig.tell()
    rig.add(later("k", variants=new("zoe")))
    assert rig.due() == rig.near(4000)


def test_an_urgent_digest_comes_at_once_and_changes_no_wait(rig: Rig) -> None:
    rig.add(first("k"), first("told"))
    rig.tell()
    rig.add(later("k", 3))
    assert rig.claim() == []
    (one,) = rig.claim(urgent=("k", "told", "unknown"))
    assert (one.key, one.untold) == ("k", 3)
    assert rig.claim("another", urgent=("k",)) == []
    rig.sent(one)
    rig.add(later("k", 4))
    rig.pass_time(60 - rig.grain_s)
    assert rig.claim() == []
    rig.pass_time(rig.grain_s)
    assert [one.untold for one in rig.claim()] == [4]


def test_an_urgent_one_that_was_refused_comes_at_once_too(rig: Rig) -> None:
    rig.add(first("k"))
    rig.release(*rig.claim(), wait_s=900.0)
    assert rig.claim() == []
    assert len(rig.claim(urgent=["k"])) == 1


def test_what_is_counted_while_it_is_told_waits_for_the_next(rig: Rig) -> None:
    rig.add(first("k", samples=(Sample(1.0, "told"),), own=Own(1)))
    (one,) = rig.claim()
    rig.pass_time(5)
    rig.add(later("k", 2, last=9.0, samples=(Sample(9.0, "to tell"),), own=Own(0, 2)))
    assert rig.sent(one) == [True]
    assert rig.claim() == []
    (row,) = rig.store.open(CHANNEL, 9)
    assert (row.count, row.told, row.since, row.last, row.samples) == (3, 1, 1.0, 9.0, (Sample(9.0, "to tell"),))
    assert row.own == (NOTHING if rig.is_shared else Own(0, 2))
    rig.pass_time(60)
    assert [(one.untold, one.count) for one in rig.claim()] == [(2, 3)]


def test_a_first_message_tells_one_and_leaves_the_rest_for_a_digest(rig: Rig) -> None:
    samples = (Sample(2.0, "second"), Sample(3.0, "third"))
    rig.add(first("k"), later("k", 2, samples=samples))
    (one,) = rig.claim()
    assert rig.sent(life.alone(one, rig.now)) == [True]
    (row,) = rig.store.open(CHANNEL, 9)
    assert (row.count, row.told, row.samples) == (3, 1, samples)
    assert rig.due() == rig.near(60)


def test_a_released_claim_waits_and_goes_to_anybody(rig: Rig) -> None:
    rig.add(first("k"))
    rig.release(*rig.claim(), wait_s=15.0, failed=1)
    assert rig.due() == rig.near(15)
    rig.pass_time(15 - rig.grain_s)
    assert rig.claim("other") == []
    rig.pass_time(rig.grain_s)
    assert [one.tries for one in rig.claim("other")] == [1]


def test_a_released_claim_without_a_wait_is_due_at_once(rig: Rig) -> None:
    rig.add(first("k"))
    rig.release(*rig.claim())
    assert rig.due() == 0
    assert len(rig.claim("other")) == 1


def test_more_of_a_released_incident_does_not_bring_it_forward(rig: Rig) -> None:
    rig.add(first("k"))
    rig.release(*rig.claim(), wait_s=15.0)
    rig.add(first("k", 5))
    assert rig.claim() == []
    rig.pass_time(15)
    assert [one.untold for one in rig.claim()] == [6]


def test_after_ten_quiet_windows_it_is_over(rig: Rig) -> None:
    rig.add(first("often"), first("once"))
    rig.tell()
    for some in (["often"], ["often"]):
        rig.add(*(later(key, 2) for key in some))
        rig.pass_time(120)
        rig.tell()
    assert rig.due() == rig.near(360)
    rig.pass_time(360)
    (once,) = rig.claim()
    assert (once.key, life.is_over(once, rig.now), life.has_closing_line(once)) == ("once", True, False)
    rig.end(once)
    rig.pass_time(240)
    (often,) = rig.claim()
    assert (often.key, life.is_over(often, rig.now), life.has_closing_line(often)) == ("often", True, True)
    assert often.count == 5
    assert rig.end(often) == [True]
    assert rig.add(later("often"), later("once")) == (None, None)
    assert rig.due() == float("inf")


def test_what_comes_while_a_closing_line_is_told_keeps_the_incident(rig: Rig) -> None:
    rig.add(first("k"))
    rig.tell()
    for _ in range(2):
        rig.add(later("k", 2))
        rig.pass_time(3600)
        rig.tell()
    rig.pass_time(600)
    (closing,) = rig.claim(lease_s=900.0)
    assert rig.add(later("k", 9, last=8.0, own=Own(0, 9))) == (5,)
    counted_at = rig.now
    rig.pass_time(30)
    rig.add(later("k", last=9.0))
    assert rig.end(closing) == [False]
    assert rig.release(closing) == [True]
    (one,) = rig.claim()
    assert (one.untold, one.since, one.last) == (10, 8.0, 9.0)
    assert one.untold_at == rig.near(counted_at)
    assert one.own == (NOTHING if rig.is_shared else Own(0, 9))


# Who tells it.


def test_a_lease_that_ends_gives_it_to_another_and_the_late_word_counts_nothing(rig: Rig) -> None:
    rig.add(first("k", own=Own(1)))
    (late,) = rig.claim("slow", lease_s=30)
    assert rig.due() == rig.near(30)
    rig.pass_time(30 - rig.grain_s)
    assert rig.claim("other") == []
    assert rig.claim("other", urgent=["k"]) == []
    rig.pass_time(rig.grain_s)
    assert rig.due() == 0
    (one,) = rig.claim("other")
    assert (rig.sent(late), rig.release(late), rig.end(late), rig.end(late, why="rejected")) == ([False],) * 4
    assert [(row.told, row.owner) for row in rig.store.open(CHANNEL, 9)] == [(0, "other")]
    assert rig.sent(one) == [True]
    assert rig.sent(one) == [False]
    assert [row.told for row in rig.store.open(CHANNEL, 9)] == [1]


def test_a_lease_that_has_ended_is_still_good_until_another_has_it(rig: Rig) -> None:
    rig.add(first("k"))
    (late,) = rig.claim(lease_s=30)
    rig.pass_time(45)
    assert rig.sent(late) == [True]


def test_the_same_key_opened_anew_is_another_incident(rig: Rig) -> None:
    rig.add(first("k"))
    (late,) = rig.claim(lease_s=30)
    rig.pass_time(30)
    rig.end(*rig.claim(), why="rejected")
    rig.add(first("k"))
    assert (rig.sent(late), rig.end(late, why="rejected")) == ([False], [False])
    assert [row.told for row in rig.store.open(CHANNEL, 9)] == [0]


def test_each_swap_is_on_its_own(rig: Rig) -> None:
    rig.add(first("a"), first("b"), first("c"))
    a, b, c = sorted(rig.claim(), key=lambda one: one.key)
    rig.release(b)
    assert rig.sent(a, b, c) == [True, False, True]


def test_what_nobody_has_claimed_can_be_swapped_as_it_is_open(rig: Rig) -> None:
    rig.add(first("k"))
    (row,) = rig.store.open(CHANNEL, 9, ["k"])
    rig.add(later("k", 2))
    assert rig.sent(row) == [True]
    assert [(row.count, row.told) for row in rig.store.open(CHANNEL, 9)] == [(3, 1)]


def test_counting_is_no_change_that_makes_a_claim_late(rig: Rig) -> None:
    rig.add(first("k"))
    (one,) = rig.claim()
    for _ in range(3):
        rig.add(later("k"))
    assert [row.version for row in rig.store.open(CHANNEL, 9)] == [one.version]
    assert rig.sent(one) == [True]


# Who goes first.


def test_the_highest_rank_comes_first_and_of_one_rank_the_oldest(rig: Rig) -> None:
    for number in range(30):
        rig.add(first(f"{number:02}", audience=f"audience {number % 3}"))
        rig.pass_time(0.01)
    rig.add(first("crowded", crowded=True), first("bad", level=50))
    found = rig.claim(most=4)
    assert keys(found) == ["bad", "00", "01", "02"]
    assert [one.rank for one in found] == [101, 81, 81, 81]
    assert keys(rig.claim(most=100)) == [f"{number:02}" for number in range(3, 30)] + ["crowded"]


def test_what_was_released_keeps_its_place_and_what_is_often_refused_goes_last(rig: Rig) -> None:
    for key in "abc":
        rig.add(first(key))
        rig.pass_time(0.01)
    (a,) = rig.claim(most=1)
    rig.release(a)
    assert keys(rig.claim(most=1)) == ["a"]
    (b,) = rig.claim(most=1)
    for _ in range(stored.PATIENCE):
        rig.release(b, failed=1)
        (b,) = rig.claim(most=1, urgent=["b"]) if b.tries < stored.PATIENCE - 1 else [b]
    assert keys(rig.claim()) == ["c", "b"]


def test_blocked_audiences_are_passed_by_and_one_audience_can_be_asked_for(rig: Rig) -> None:
    rig.add(first("a", audience="x"), first("b", audience="y", level=50), first("c"))
    assert sorted(keys(rig.claim(blocked=["y"], most=1) + rig.claim(blocked=["y"], most=9))) == ["a", "c"]
    assert rig.claim(audience="z") == []
    assert rig.claim(audience="y", blocked=["y"]) == []
    (b,) = rig.claim(audience="y")
    assert (b.key, b.audience) == ("b", "y")
    rig.release(b)
    assert rig.claim(audience="") == []
    assert rig.claim(audience="y", most=0) == []
    assert keys(rig.claim(audience="y", urgent=["b"])) == ["b"]


def test_an_urgent_one_of_another_lane_stays_where_it_stands(rig: Rig) -> None:
    rig.add(first("a", audience="x"))
    rig.tell()
    rig.add(later("a"))
    assert rig.claim(urgent=["a"], audience="y") == []
    assert rig.claim() == []


def test_a_blocked_audience_holds_an_urgent_one_too(rig: Rig) -> None:
    rig.add(first("a", audience="x"))
    rig.tell()
    rig.add(later("a"))
    assert rig.claim(urgent=["a"], blocked=["x"]) == []


def test_channels_know_nothing_of_each_other(rig: Rig) -> None:
    rig.add(first("k"))
    assert rig.claim(channel="bot b") == []
    assert rig.store.next_due("bot b", rig.now) == float("inf")
    assert rig.store.open("bot b", 9) == []
    assert rig.store.untold("bot b", WHO, ["k"]) == (0, [], [])
    rig.tell()
    rig.add(later("k"))
    assert rig.store.next_due("bot b", rig.now) == float("inf")
    assert rig.add(later("k"), channel="bot b") == (None,)


# What people see.


def test_it_says_what_is_untold(rig: Rig) -> None:
    rig.add(first("told"))
    rig.tell()
    rig.add(first("claimed"))
    rig.claim("another")
    rig.add(first("new"))
    number, untold, _ = rig.store.untold(CHANNEL, WHO, ["told", "claimed", "new", "unknown"])
    assert (number, sorted(untold)) == (3, ["claimed", "new"])


def test_what_is_open_the_newest_first(rig: Rig) -> None:
    rig.add(*(first(key, last=last, level=30) for key, last in (("a", 2.0), ("b", 4.0), ("c", 3.0))))
    rig.tell(most=1)
    rig.claim(most=1)
    assert keys(rig.store.open(CHANNEL, 9)) == ["b", "c", "a"]
    assert keys(rig.store.open(CHANNEL, 2)) == ["b", "c"]
    assert keys(rig.store.open(CHANNEL, 1, ["a", "c", "unknown"])) == ["c"]
    assert rig.store.open(CHANNEL, 9, []) == []
    (a,) = rig.store.open(CHANNEL, 9, ["a"])
    assert (a.level, a.first.alert.message, a.began, a.window_s) == (30, "alert a", 2.0, 60.0)


def alike(characters: int) -> list[str]:
    """Two keys whose short ids begin with the same characters."""
    seen: dict[str, str] = {}
    for number in itertools.count():
        other = seen.setdefault(short_id(f"key {number}")[:characters], f"key {number}")
        if other != f"key {number}":
            return [other, f"key {number}"]
    raise AssertionError


def test_short_ids_are_those_of_the_key_and_longer_where_two_would_have_the_same(rig: Rig) -> None:
    one, other = alike(LEAST)
    rig.add(first(one), first("else"))
    rig.add(first(other))
    names = {row.key: row.short_id for row in rig.store.open(CHANNEL, 9)}
    assert len(set(names.values())) == 3
    assert names[one] == short_id(one) == names[other][:LEAST]
    assert len(names[other]) == LEAST + 1
    assert {one.key: one.short_id for one in rig.claim()} == names
    assert read_short_id(f"#{names[other].upper()}") == names[other]
    rig.add(first(other), channel="bot b")
    assert rig.store.open("bot b", 9)[0].short_id == short_id(other)


def test_a_short_id_finds_its_incident_however_many_are_open(rig: Rig) -> None:
    rig.add(first("one", level=50, last=0.5))
    rig.tell()
    rig.add(*[first(f"other {number}") for number in range(1100)])
    (found,) = rig.store.open(CHANNEL, 1, short_id=short_id("one"))
    assert (found.key, found.short_id, found.told) == ("one", short_id("one"), 1)
    assert rig.store.open("bot b", 1, short_id=short_id("one")) == []
    for nobody in ("zzzz", "\udc80"):
        assert rig.store.open(CHANNEL, 1, short_id=nobody) == []
    rig.end(found)
    assert rig.store.open(CHANNEL, 1, short_id=short_id("one")) == []


def test_a_short_id_stays_while_it_is_open_and_is_free_then(rig: Rig) -> None:
    one, other = alike(LEAST)
    rig.add(first(one))
    rig.end(*rig.claim(), why="rejected")
    rig.add(first(other))
    rig.add(first(one))
    rig.tell()
    rig.add(later(one), later(other))
    names = {row.key: row.short_id for row in rig.store.open(CHANNEL, 9)}
    assert names[other] == short_id(other)
    assert names[one][:LEAST] == short_id(one)
    assert len(names[one]) == LEAST + 1


# What only the memory of a process has: the records of its counters.


@pytest.mark.parametrize("rig", ["memory"], indirect=True)
def test_the_records_of_a_process_end_once(rig: Rig) -> None:
    rig.add(first("k", own=Own(1)), later("k", 2, own=Own(0, 2, 1)))
    (one,) = rig.claim()
    assert one.own == Own(1, 2, 1)
    rig.add(later("k", 3, own=Own(0, 3)))
    assert rig.swap(Swap(one, life.released(one, rig.now))) == [NOTHING]
    (one,) = rig.claim()
    alone = life.alone(one, rig.now)
    rig.add(later("k", 4, own=Own(0, 4)))
    assert rig.swap(Swap(alone, life.sent(alone, rig.now))) == [Own(1, 0, 1)]
    (one,) = rig.claim(urgent=["k"])
    rig.add(later("k", 5, own=Own(0, 5)))
    assert rig.swap(Swap(one, None)) == [None]
    assert rig.swap(Swap(one, None, "rejected")) == [Own(0, 14)]
    assert rig.left == []


@pytest.mark.parametrize("rig", ["memory"], indirect=True)
def test_a_duplicate_report_of_what_is_told_ends_at_once_else_with_the_next_message(rig: Rig) -> None:
    rig.add(first("k", own=Own(1)))
    rig.add(first("k", 0, own=Own(seen=1)))
    (one,) = rig.tell()
    assert one.own == Own(1, 0, 1)
    rig.add(first("k", 0, own=Own(seen=2)))
    assert rig.left == [("k", "delivered", Own(seen=2))]
    rig.add(first("new", 0, own=Own(seen=3)))
    assert rig.left[1:] == [("new", "delivered", Own(seen=3))]
    assert rig.claim() == []
    assert rig.due() == rig.near(600)


# What processes share.


def test_who_opens_it_again_finds_it(shared: Rig) -> None:
    samples = (Sample(1.5, "é"),)
    counts = first("k", 3, text="disk full", level=50, audience="[[]]", window_s=30.0, samples=samples, crowded=True)
    shared.add(counts)
    (row,) = shared.again().open(CHANNEL, 9)
    (one,) = shared.claim(store=shared.again())
    assert (row.owner, one.owner) == ("", WHO)
    for name in ["key", "short_id", "level", "rank", "audience", "count", "told", "began", "since", "last", "samples"]:
        assert getattr(row, name) == getattr(one, name), name
    assert [one.counted_at, one.untold_at] == shared.near([shared.now] * 2)
    assert (one.key, one.level, one.rank, one.audience, one.window_s) == ("k", 50, 100, "[[]]", 30.0)
    assert (one.count, one.samples, one.first.alert) == (3, samples, counts.first.alert if counts.first else None)
    assert shared.batch(later("k"), store=shared.again(), number=1).before == 1
    shared.sent(one)
    assert [row.told for row in shared.again().open(CHANNEL, 9)] == [3]


def test_hosts_and_processes_are_counted(shared: Rig) -> None:
    shared.add(first("k"))
    shared.tell()
    for host, who in (("a", "1"), ("a", "2"), ("b", "3"), ("b", "3#1"), ("b", "3#2")):
        shared.add(later("k", 10, own=Own(0, 10)), host=host, who=who)
    shared.pass_time(60)
    (one,) = shared.claim()
    assert (one.hosts, one.processes, one.own) == (3, 4, NOTHING)
    shared.sent(one)
    assert [(row.hosts, row.processes) for row in shared.store.open(CHANNEL, 9)] == [(3, 4)]


def test_the_books_balance_at_every_moment(shared: Rig) -> None:
    assert shared.counters() == (0, 0, 0, 0, 0)
    shared.add(first("a", 3), first("b"), later("unknown", 7), first("a", 0))
    shared.batch(first("a", 9), number=1)
    assert shared.counters() == (4, 0, 4, 0, 0)
    found = shared.claim()
    assert shared.counters() == (4, 0, 4, 0, 0)
    shared.add(later("a", 2), first("c", 5), channel=CHANNEL)
    assert shared.counters() == (11, 0, 11, 0, 0)
    shared.sent(*found)
    assert shared.counters() == (11, 4, 7, 0, 0)
    shared.end(*shared.claim(), why="rejected")
    assert shared.counters() == (11, 4, 2, 5, 0)
    shared.add(first("k", 6), channel="bot b")
    assert shared.counters() == (17, 4, 8, 5, 0)
    (a,) = shared.claim(urgent=["a"])
    assert shared.end(a) == [True]  # without a reason
    assert shared.counters() == (17, 4, 6, 5, 2)


def test_what_is_given_up_is_kept_for_people(shared: Rig) -> None:
    shared.add(first("k", 3, text="disk full", level=30, last=7.0))
    (one,) = shared.claim()
    shared.add(later("k", 2, last=8.0))
    (waiting,) = shared.store.held(9)
    assert (waiting.why, waiting.claimed, waiting.count, waiting.key) == ("", True, 5, "k")
    shared.end(one, why="rejected")
    (held,) = shared.store.held(9)
    assert (held.key, held.short_id, held.channel, held.level, held.count, held.why, held.claimed, held.last) == (
        *("k", one.short_id, CHANNEL, 30, 5, "rejected", False, 8.0),
    )
    assert load(held.entry).message == "disk full"
    assert (shared.claim(), shared.store.open(CHANNEL, 9), shared.due()) == ([], [], float("inf"))
    assert shared.store.requeue(["unknown"], shared.now) == 0
    assert shared.store.requeue((), shared.now) == 1
    assert shared.counters() == (5, 0, 5, 0, 0)
    assert [held.why for held in shared.store.held(9)] == [""]
    (again,) = shared.claim()
    assert (again.untold, again.told, again.first.alert.message, again.level) == (5, 0, "disk full", 30)
    assert shared.sent(again, one) == [True, False]


def test_what_is_given_up_goes_to_what_is_open_meanwhile(shared: Rig) -> None:
    shared.add(first("k", 3))
    shared.end(*shared.claim(), why="rejected")
    shared.add(first("k"))
    shared.tell()
    assert shared.store.requeue(["k"], shared.now) == 1
    assert [(row.count, row.told) for row in shared.store.open(CHANNEL, 9)] == [(4, 1)]
    assert shared.counters() == (4, 1, 3, 0, 0)
    assert shared.due() == shared.near(60)


def test_only_what_nobody_was_told_is_given_up(shared: Rig) -> None:
    shared.add(first("k", 3), first("over"))
    shared.tell()
    shared.add(later("k", 2))
    shared.pass_time(600)
    shared.end(*shared.claim(), why="rejected")
    assert [(held.key, held.count) for held in shared.store.held(9)] == [("k", 2)]
    assert shared.counters() == (6, 4, 0, 2, 0)


def test_what_was_refused_is_given_up_and_the_incident_goes_on(shared: Rig) -> None:
    shared.add(first("k", 3, text="disk full"))
    (one,) = shared.claim()
    shared.add(later("k", 2))
    assert shared.refuse(one) == [True]
    assert shared.refuse(one) == [False]
    assert sorted((held.count, held.why) for held in shared.store.held(9)) == [(2, ""), (3, "rejected")]
    assert shared.counters() == (5, 0, 2, 3, 0)
    assert shared.due() == shared.near(60)
    shared.pass_time(60)
    assert [(one.count, one.untold) for one in shared.tell()] == [(5, 2)]
    assert shared.store.requeue((), shared.now) == 1
    assert shared.counters() == (5, 2, 3, 0, 0)
    (one,) = shared.claim(urgent=["k"])
    assert (one.untold, one.first.alert.message) == (3, "disk full")


def test_what_is_held_the_newest_first(shared: Rig) -> None:
    for key, last in (("a", 2.0), ("b", 4.0)):
        shared.add(first(key, last=last))
    shared.end(*shared.claim(), why="rejected")
    shared.add(first("c", last=3.0))
    assert [held.key for held in shared.store.held(9)] == ["b", "c", "a"]
    assert [held.key for held in shared.store.held(2)] == ["b", "c"]


def test_people_may_discard_what_waits_and_what_was_given_up(shared: Rig) -> None:
    shared.add(first("a", 3), first("told"))
    for one in shared.claim():
        shared.end(one, why="rejected") if one.key == "a" else shared.sent(one)
    shared.add(first("b", 4), first("c", 5))
    (claimed,) = shared.claim(most=1)
    assert shared.store.discard({"a", "b", "told", "unknown"}) == 2
    assert shared.counters() == (13, 1, 5, 0, 7)
    assert shared.store.discard(()) == 1
    assert shared.counters() == (13, 1, 0, 0, 12)
    assert shared.sent(claimed) == [False]
    assert (shared.store.held(9), keys(shared.store.open(CHANNEL, 9))) == ([], ["told"])


def test_it_says_which_channels_it_knows(shared: Rig) -> None:
    shared.add(first("k"))
    shared.add(first("k"), channel="bot b/..")
    assert sorted(shared.again().channels()) == [CHANNEL, "bot b/.."]


def test_it_says_what_it_is(shared: Rig) -> None:
    assert shared.store.check()
    shared.store.close()
    assert shared.store.check()


# Rate windows.


def test_the_window_is_exact_over_all_who_share_it(shared: Rig) -> None:
    other = shared.again()
    rules = [(3, 60.0)]
    for store in (shared.store, other, shared.store):
        taken = store.reserve(CHANNEL, "who", [""], rules, shared.now)
        assert taken.wait_s == 0
        assert taken.number
        shared.pass_time(1)
    taken = other.reserve(CHANNEL, "who", [""], rules, shared.now)
    assert (taken.wait_s, taken.number) == (shared.near(57), "")
    assert sorted(taken.ages[""]) == shared.near([1, 2, 3])
    shared.pass_time(57.01)
    assert other.reserve(CHANNEL, "who", [""], rules, shared.now).wait_s == 0


def test_a_reservation_moves_to_when_wecom_has_answered(shared: Rig) -> None:
    taken = shared.store.reserve(CHANNEL, "who", ["u"], [(1, 60.0)], shared.now)
    shared.pass_time(5)
    shared.store.landed(CHANNEL, ["u"], taken.number, shared.now)
    shared.pass_time(56)
    assert shared.store.reserve(CHANNEL, "who", ["u"], [(1, 60.0)], shared.now).wait_s == shared.near(4)


def test_several_receivers_are_reserved_together_or_not_at_all(shared: Rig) -> None:
    rules = [(2, 60.0), (3, 3600.0)]

    def wait(*receivers: str) -> float:
        seconds: float = shared.store.reserve(CHANNEL, "who", receivers, rules, shared.now).wait_s
        return seconds

    assert [wait("a"), wait("a"), wait("a", "b"), wait("b"), wait("b")] == shared.near([0, 0, 60, 0, 0])
    shared.pass_time(61)
    assert [wait("a", "b"), wait("a")] == shared.near([0, 3600 - 61])


def test_who_has_a_short_rule_forgets_nothing_of_a_longer_one(shared: Rig) -> None:
    long, short = [(2, 3600.0)], [(30, 60.0)]
    for _ in range(2):
        assert shared.store.reserve(CHANNEL, "who", ["a"], long, shared.now).wait_s == 0
        shared.pass_time(100)
    assert shared.again().reserve(CHANNEL, "other", ["b"], short, shared.now).wait_s == 0
    assert shared.store.reserve(CHANNEL, "who", ["a"], long, shared.now).wait_s == shared.near(3400)


def test_a_message_to_everybody_counts_for_every_member(shared: Rig) -> None:
    def wait(receiver: str) -> float:
        seconds: float = shared.store.reserve(CHANNEL, "who", [receiver], [(2, 60.0)], shared.now).wait_s
        return seconds

    waits = [wait("a"), wait(""), wait("a"), wait(""), wait("b"), wait("b")]
    assert waits == shared.near([0, 0, 60, 60, 0, 60])


def test_the_windows_of_channels_are_their_own(shared: Rig) -> None:
    for channel in (CHANNEL, "bot b"):
        assert shared.store.reserve(channel, "who", [""], [(1, 60.0)], shared.now).wait_s == 0
    shared.store.pause("bot b", 300.0, shared.now)
    assert shared.store.reserve(CHANNEL, "who", [""], [(1, 60.0)], shared.now).wait_s == shared.near(60)


def test_a_pause_holds_everybody(shared: Rig) -> None:
    shared.store.pause(CHANNEL, 30.0, shared.now)
    shared.store.pause(CHANNEL, 5.0, shared.now)
    assert shared.again().reserve(CHANNEL, "who", [""], [(20, 60.0)], shared.now).wait_s == shared.near(30)
    shared.pass_time(31)
    assert shared.store.reserve(CHANNEL, "who", [""], [(20, 60.0)], shared.now).wait_s == 0


def test_it_says_how_many_processes_use_it(shared: Rig) -> None:
    def peers(who: str, channel: str = CHANNEL) -> int:
        number: int = shared.store.reserve(channel, who, [""], [(20, 60.0)], shared.now).peers
        return number

    assert [peers("a"), peers("b"), peers("a"), peers("c", "bot b")] == [1, 2, 2, 3]
    shared.pass_time(61)
    assert peers("d") == 1


# Tokens.


def test_one_process_at_a_time_asks_for_a_token(shared: Rig) -> None:
    store = shared.store
    assert store.token("app", shared.now) is None
    assert store.lock_token("app", "a", shared.now)
    assert not store.lock_token("app", "b", shared.now)
    assert store.lock_token("other app", "b", shared.now)
    store.put_token("app", "a", "token-1", 7200, shared.now)
    shared.pass_time(100)
    found = shared.again().token("app", shared.now)
    assert found is not None
    assert found == ("token-1", shared.near(7100))
    assert store.lock_token("app", "b", shared.now)
    shared.pass_time(7200)
    assert store.token("app", shared.now) is None


def test_a_lock_ends_and_the_late_one_overwrites_nothing(shared: Rig) -> None:
    store = shared.store
    assert store.lock_token("app", "slow", shared.now)
    shared.pass_time(16)
    assert store.lock_token("app", "next", shared.now)
    store.put_token("app", "next", "new", 7200, shared.now)
    store.put_token("app", "slow", "old", 7200, shared.now)
    assert store.token("app", shared.now)[0] == "new"


def test_a_failed_fetch_unlocks(shared: Rig) -> None:
    assert shared.store.lock_token("app", "a", shared.now)
    shared.store.put_token("app", "a", "", 0, shared.now)
    assert shared.store.lock_token("app", "b", shared.now)
    assert shared.store.token("app", shared.now) is None


def test_only_the_token_that_failed_is_dropped(shared: Rig) -> None:
    shared.store.lock_token("app", "a", shared.now)
    shared.store.put_token("app", "a", "new", 7200, shared.now)
    shared.store.drop_token("app", "old")
    assert shared.store.token("app", shared.now) is not None
    shared.store.drop_token("app", "new")
    assert shared.store.token("app", shared.now) is None


# What people do with it.


def say(rig: Rig, verb: str, who: str = "Li", key: str = "k", **more: float) -> Answer | None:
    """Somebody does it. Gives what somebody else did that is in the way."""
    found = answer(
        rig.store,
        CHANNEL,
        key,
        lambda one: getattr(answered, verb)(one, who, "here", now=rig.now, time=rig.now, **more),
        lambda one: answered.in_the_way(one, verb, who, rig.now),
        rig.now,
    )
    assert found is not None
    return found.other


def told(rig: Rig) -> list[tuple[str, int, str]]:
    """Tell what is due: of each its key, how many it tells, and what somebody did."""
    found = [(one, answered.news(one)) for one in rig.tell()]
    return [(one.key, one.untold, news.verb if news else "") for one, news in found]


def test_what_somebody_has_taken_is_counted_and_told_when_that_ends(rig: Rig) -> None:
    rig.add(first("k"))
    rig.tell()
    rig.add(later("k", 4))
    assert say(rig, "taken") is None
    assert told(rig) == [("k", 4, "taken")]
    rig.add(later("k", 300))
    rig.add(later("k", 12), who="another")
    assert rig.due() == rig.near(1800.0)
    rig.pass_time(1800 - rig.grain_s)
    assert rig.claim() == []
    assert rig.claim(urgent=["k"]) == []
    assert rig.store.untold(CHANNEL, WHO, ["k"])[1:] == (["k"], ["k"])
    rig.pass_time(rig.grain_s)
    (one,) = rig.tell()
    assert one.answers.now is not None
    assert (one.untold, one.count - one.answers.now.count, one.answers.now.who) == (312, 312, "Li")
    assert rig.store.untold(CHANNEL, WHO, ["k"])[1:] == ([], [])
    if rig.is_shared:
        assert rig.counters() == (317, 317, 0, 0, 0)


def test_a_silence_is_told_once_with_exact_numbers_or_that_nothing_came(rig: Rig) -> None:
    rig.add(first("k"), first("none"))
    rig.tell()
    for key in ("k", "none"):
        assert say(rig, "silenced", key=key, length_s=7200.0) is None
    assert sorted(told(rig)) == [("k", 0, "silenced"), ("none", 0, "silenced")]
    for _ in range(10):
        rig.add(later("k", 500))
        rig.pass_time(600)
        assert rig.claim(urgent=["k"]) == []
    assert rig.due() == rig.near(1200.0)
    rig.store = rig.again()
    rig.pass_time(1200)
    found = {one.key: one for one in rig.claim()}
    assert {key: (one.untold, answered.news(one) is not None) for key, one in found.items()} == {
        "k": (5000, False),
        "none": (0, True),
    }
    assert rig.sent(found["k"]) == rig.end(found["none"]) == [True]
    assert [one.key for one in rig.store.open(CHANNEL, 9)] == ["k"]


def test_what_has_ended_comes_again_with_its_own_first_and_is_given_longer(rig: Rig) -> None:
    rig.add(first("k", text="old"))
    for number in range(2, 4):
        rig.sent(*rig.claim())
        rig.pass_time(700.0 * number)
        (over,) = rig.claim()  # nothing came for so long
        assert rig.sent(over) == [True]
        rig.add(first("k", text=f"the {number}."), later("k"))
        (one,) = rig.claim()
        assert (one.first.alert.message, one.untold, answered.times(one)) == (f"the {number}.", 2, number)
        rig.release(one)
    rig.sent(*rig.claim())
    (one,) = rig.store.open(CHANNEL, 9)
    assert (one.times, one.wait_s, life.quiet_s(one)) == (3, 240.0, 2400.0)


def test_what_was_closed_is_new_when_it_comes_again_with_its_own_first(rig: Rig) -> None:
    rig.add(first("k", 7, text="old", event="a"))
    rig.tell()
    say(rig, "done")
    assert told(rig) == [("k", 0, "done")]
    assert rig.due() == rig.near(life.CLOSED_S)
    assert len(rig.store.open(CHANNEL, 9)) == 1
    rig.pass_time(3600)
    rig.add(first("k", 2, text="new", event="b"))
    rig.add(first("k", 2, text="newer", event="b"))
    assert rig.due() == 0
    (one,) = rig.claim()
    assert (one.first.alert.message, one.count, answered.total(one), answered.comes_again(one)) == ("new", 9, 2, True)
    assert rig.sent(one) == [True]
    (one,) = rig.store.open(CHANNEL, 9)
    assert (one.digests, answered.total(one), one.answers.now) == (0, 2, None)
    assert [one.verb for one in one.answers.journal] == ["done"]
    rig.add(first("k", text="newest", event="c"))
    assert rig.store.open(CHANNEL, 9)[0].first.alert.message == "new"


def test_of_two_who_take_it_at_once_one_has_it_and_the_other_sees_who(rig: Rig) -> None:
    rig.add(first("k"))
    rig.tell()
    (seen,) = rig.store.open(CHANNEL, 9, ["k"], rig.now)
    assert say(rig, "taken", "Li") is None
    late = answered.taken(seen, "Wang", "here", now=rig.now, time=rig.now)
    assert rig.swap(Swap(seen, late)) == [None]
    other = say(rig, "taken", "Wang")
    assert other is not None
    assert (other.who, other.verb, other.at) == ("Li", "taken", rig.now)
    assert say(rig, "silenced", "Wang", length_s=60.0) == other
    assert say(rig, "done", "Wang") is None
    assert [one.who for one in rig.store.open(CHANNEL, 9)[0].answers.journal] == ["Li", "Wang"]


def test_what_is_being_sent_can_be_taken_and_is_told_once(rig: Rig) -> None:
    rig.add(first("k"), first("other"))
    claims = rig.claim()
    assert say(rig, "taken") is None
    assert rig.claim("another") == []  # the lease goes on
    assert sorted(own is not None for own in rig.swap(*(Swap(one, life.sent(one, rig.now)) for one in claims))) == [
        False,
        True,
    ]
    (lent,) = (one for one in claims if one.key == "k")
    assert swap_lent(rig.store, CHANNEL, [Swap(lent, life.sent(lent, rig.now))], rig.now) != [None]
    assert swap_lent(rig.store, CHANNEL, [Swap(lent, life.sent(lent, rig.now))], rig.now) == [None]
    assert told(rig) == [("k", 0, "taken")]
    if rig.is_shared:
        assert rig.counters() == (2, 2, 0, 0, 0)


def test_what_is_being_sent_and_given_up_is_gone_though_it_was_taken(rig: Rig) -> None:
    rig.add(first("k"))
    (lent,) = rig.claim()
    say(rig, "taken")
    assert swap_lent(rig.store, CHANNEL, [Swap(lent, None, "expired")], rig.now) != [None]
    assert rig.store.open(CHANNEL, 9) == []


def test_a_claim_of_which_the_lease_has_ended_is_late_also_where_it_was_taken(rig: Rig) -> None:
    rig.add(first("k"))
    (lent,) = rig.claim(lease_s=20.0)
    say(rig, "taken")
    rig.pass_time(30)
    (mine,) = rig.claim("another")
    say(rig, "undone")
    assert swap_lent(rig.store, CHANNEL, [Swap(lent, life.sent(lent, rig.now))], rig.now) == [None]
    assert swap_lent(rig.store, CHANNEL, [Swap(mine, life.sent(mine, rig.now))], rig.now) != [None]


def test_who_answers_what_is_not_open_is_told_so(rig: Rig) -> None:
    assert answer(rig.store, CHANNEL, "k", lambda one: one, lambda one: None, rig.now) is None


def test_what_changes_all_the_time_is_said(rig: Rig) -> None:
    rig.add(first("k"))

    def become(one: Incident) -> Incident:
        rig.release(*rig.claim())
        return answered.taken(one, "Li", "here", now=rig.now, time=rig.now)

    found = answer(rig.store, CHANNEL, "k", become, lambda one: None, rig.now)
    assert found is not None
    assert found.is_busy


# What is no record.


def test_a_row_that_no_record_has_opened_lives_as_any_other(rig: Rig) -> None:
    missed = stored.opened(first("missed", text="a job did not run"), short_id="", version=0, now=rig.now)
    waits = replace(missed, key="waits", not_before=rig.now + 300)
    assert [rig.store.begin(CHANNEL, one, rig.now) for one in (missed, missed, waits)] == [True, False, True]
    assert rig.due() == 0
    (one,) = rig.claim()
    assert (one.key, one.first.alert.message, one.untold) == ("missed", "a job did not run", 1)
    assert one.short_id == short_id("missed")
    assert rig.add(later("missed", 2)) == (0,)
    assert rig.sent(one) == [True]
    assert rig.due() == rig.near(60)
    rig.pass_time(300)
    assert sorted(keys(rig.claim())) == ["missed", "waits"]
    assert [(row.count, row.told) for row in rig.store.open(CHANNEL, 9, ["missed"])] == [(3, 1)]
    assert not rig.is_shared or rig.counters() == (4, 1, 3, 0, 0)
    assert not rig.store.begin(CHANNEL, missed, rig.now)


def test_a_fact_is_changed_by_one_and_ends(shared: Rig) -> None:
    store = shared.store
    assert store.get(CHANNEL, "quiet", 100.0) is None
    assert store.put(CHANNEL, "quiet", 0, "until the morning 早", 200.0, 100.0)
    assert not store.put(CHANNEL, "quiet", 0, "another", 0.0, 100.0)
    found = shared.again().get(CHANNEL, "quiet", 100.0)
    assert found is not None
    assert (found.text, found.ends, found.version > 0) == ("until the morning 早", 200.0, True)
    assert store.put(CHANNEL, "quiet", found.version, "until noon", 300.0, 100.0)
    assert not store.put(CHANNEL, "quiet", found.version, "too late", 0.0, 100.0)
    assert store.put(CHANNEL, "seen", 0, "for ever", 0.0, 100.0)
    assert store.get("bot b", "quiet", 100.0) is None
    ended = store.get(CHANNEL, "quiet", 299.0)
    assert ended is not None
    assert (ended.text, store.get(CHANNEL, "quiet", 300.0)) == ("until noon", None)
    assert not store.put(CHANNEL, "quiet", ended.version, "it has ended", 0.0, 300.0)
    assert store.put(CHANNEL, "quiet", 0, "anew", 400.0, 300.0)
    (anew, for_ever) = (store.get(CHANNEL, name, 300.0) for name in ("quiet", "seen"))
    assert (anew.text, for_ever.text) == ("anew", "for ever")
    assert store.put(CHANNEL, "quiet", anew.version, "", 0.0, 300.0)
    assert store.get(CHANNEL, "quiet", 300.0) is None
    assert shared.counters() == (0, 0, 0, 0, 0)


def test_all_facts_of_a_channel_are_given_at_once(shared: Rig) -> None:
    store = shared.store
    assert store.facts(CHANNEL, 100.0) == {}
    for name, ends in (("对账", 0.0), ("quiet", 200.0), ("over", 150.0)):
        assert store.put(CHANNEL, name, 0, f"text of {name}", ends, 100.0)
    assert store.put("bot b", "another", 0, "of another channel", 0.0, 100.0)
    found = store.facts(CHANNEL, 150.0)
    assert {name: (one.text, one.ends) for name, one in found.items()} == {
        "对账": ("text of 对账", 0.0),
        "quiet": ("text of quiet", 200.0),
    }
    assert found["对账"] == store.get(CHANNEL, "对账", 150.0)


# What a process adds.


class Late:
    """A store whose first answer is lost."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._is_late = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def add(self, *batch: Any) -> Added:
        added = self._store.add(*batch)
        if self._is_late:
            self._is_late = False
            raise LateAnswerError("no answer in time")
        return added


def test_a_batch_whose_answer_is_lost_is_there_once_and_known(shared: Rig) -> None:
    late: Any = Late(shared.store)
    batches = Batches(CHANNEL, Shared("test", lambda _: late, None, lambda *_: True), "web-1")
    assert batches.add([first("k", 2)], 1.0).told == (0,)
    assert [one.count for one in shared.claim()] == [2]
