"""What every backend of the state promises, in a time that is handed in."""

from __future__ import annotations

from dataclasses import replace

from .conftest import CHANNEL, Rig


def test_a_first_is_claimed_once_and_told(rig: Rig) -> None:
    assert rig.count("k", entry="the alert", level=40)
    (claim,) = rig.claim()
    assert (claim.entry, claim.level, claim.count, claim.total, claim.is_first) == ("the alert", 40, 1, 1, True)
    assert rig.claim("another") == []
    rig.told(claim)
    books = rig.state.books()
    assert (books.counted, books.told, books.waiting) == (1, 1, 0)
    assert rig.claim() == []


def test_without_an_entry_only_open_groups_are_counted(rig: Rig) -> None:
    assert not rig.count("k", entry="")
    assert rig.state.books().counted == 0
    rig.count("k")
    assert rig.count("k", 5, entry="")
    assert rig.state.books().counted == 6


def test_digests_come_after_waits_that_double(rig: Rig) -> None:
    rig.count("k")
    rig.told(*rig.claim())
    for wait in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        rig.count("k", 7, entry="")
        rig.pass_time(wait - rig.grain_s)
        assert rig.claim() == []
        rig.pass_time(rig.grain_s)
        (claim,) = rig.claim()
        assert (claim.count, claim.is_first, claim.quiet_s) == (7, False, 0)
        rig.told(claim)
    assert claim.total == 1 + 7 * 8


def test_a_forced_digest_comes_at_once_and_changes_no_wait(rig: Rig) -> None:
    rig.count("k")
    rig.told(*rig.claim())
    rig.count("k", 3)
    assert rig.claim() == []
    (claim,) = rig.claim(forced=("k", "unknown"))
    assert claim.count == 3
    rig.told(claim, forced=True)
    rig.count("k", 4)
    rig.pass_time(60)
    assert [claim.count for claim in rig.claim()] == [4]


def test_what_is_counted_while_it_is_told_waits_for_the_next(rig: Rig) -> None:
    rig.count("k")
    (claim,) = rig.claim()
    rig.count("k", 2)
    rig.told(claim)
    assert rig.claim() == []
    rig.pass_time(60)
    (claim,) = rig.claim()
    assert (claim.count, claim.total) == (2, 3)


def test_after_ten_quiet_windows_a_group_closes(rig: Rig) -> None:
    rig.count("often")
    rig.count("seldom")
    rig.told(*rig.claim())
    for keys in (["often", "seldom"], ["often"]):
        for key in keys:
            rig.count(key, 2)
        rig.pass_time(120)
        rig.told(*rig.claim())
    rig.pass_time(600)
    (claim,) = rig.claim()
    assert (claim.key, claim.count, claim.total, claim.quiet_s) == ("often", 0, 5, 600)
    rig.told(claim)
    assert not rig.count("often", entry="")
    assert not rig.count("seldom", entry="")
    assert rig.state.next_due(CHANNEL, rig.now) == float("inf")


def test_what_comes_while_a_closing_line_is_told_keeps_the_group(rig: Rig) -> None:
    rig.count("k")
    rig.told(*rig.claim())
    for _ in range(2):
        rig.count("k", 2)
        rig.pass_time(3600)
        rig.told(*rig.claim())
    rig.pass_time(600)
    (closing,) = rig.claim()
    assert rig.count("k", 9, entry="")
    rig.told(closing)
    rig.pass_time(60)
    assert [claim.count for claim in rig.claim()] == [9]


def test_a_lease_that_ends_gives_the_claim_to_another_and_the_late_word_counts_nothing(rig: Rig) -> None:
    rig.count("k")
    (late,) = rig.claim("slow", lease_s=30)
    rig.pass_time(30 - rig.grain_s)
    assert rig.claim("other") == []
    rig.pass_time(rig.grain_s)
    (claim,) = rig.claim("other")
    rig.told(late)
    assert rig.state.books().told == 0
    rig.told(claim)
    assert rig.state.books().told == 1


def test_a_released_claim_waits_and_goes_to_anybody(rig: Rig) -> None:
    rig.count("k")
    rig.state.release(CHANNEL, rig.claim(), rig.now, 15.0)
    assert rig.state.next_due(CHANNEL, rig.now) == rig.near(15)
    rig.pass_time(15 - rig.grain_s)
    assert rig.claim("other") == []
    rig.pass_time(rig.grain_s)
    assert len(rig.claim("other")) == 1


def test_more_of_a_released_group_does_not_bring_it_forward(rig: Rig) -> None:
    rig.count("k")
    rig.state.release(CHANNEL, rig.claim(), rig.now, 15.0)
    rig.count("k", 5)
    assert rig.claim() == []
    rig.pass_time(15)
    assert [claim.count for claim in rig.claim()] == [6]


def test_the_most_severe_and_the_newest_come_first(rig: Rig) -> None:
    for number in range(30):
        rig.count(f"old {number}", level=40, last=float(number))
    rig.count("bad", level=50)
    rig.count("fresh", level=40, last=100.0)
    assert [claim.key for claim in rig.claim(most=3)] == ["bad", "fresh", "old 29"]
    assert len(rig.claim(most=100)) == 29


def test_an_event_that_opened_its_group_is_not_counted_twice(rig: Rig) -> None:
    for event in ("a", "a", "b"):
        rig.count("k", event=event)
    assert [claim.count for claim in rig.claim()] == [2]
    assert rig.state.books().counted == 2


def test_it_says_of_what_is_counted_whether_something_was_told(rig: Rig) -> None:
    assert [rig.count("k", event="id"), rig.count("k"), rig.count("k", event="id"), rig.count("", entry="")] == [
        2,
        2,
        2,
        0,
    ]
    rig.told(*rig.claim())
    assert [rig.count("k"), rig.count("k", event="id"), rig.count("new")] == [1, 1, 2]


def test_it_says_since_when_it_keeps_things(rig: Rig) -> None:
    born = rig.state.born(CHANNEL)
    rig.count("k")
    rig.told(*rig.claim())
    rig.pass_time(4000)
    rig.claim()
    rig.state.discard(())
    assert born
    assert rig.state.born(CHANNEL) == rig.again().born(CHANNEL) == born


def test_what_nobody_has_claimed_can_be_told_as_it_was_counted(rig: Rig) -> None:
    rig.count("claimed", event="id of that")
    (claimed,) = rig.claim()
    unclaimed = [replace(claimed, key=key, number=0) for key in ("claimed", "new", "unknown")]
    rig.count("new")
    rig.told(*unclaimed)
    assert rig.state.untold(CHANNEL, ["claimed", "new", "unknown"]) == ["claimed"]
    assert (rig.state.books().told, rig.state.books().waiting) == (1, 1)


def test_it_says_what_is_untold(rig: Rig) -> None:
    rig.count("told")
    rig.told(*rig.claim())
    rig.count("claimed")
    rig.claim("another")
    rig.count("new")
    assert sorted(rig.state.untold(CHANNEL, ["told", "claimed", "new", "unknown"])) == ["claimed", "new"]


def test_channels_know_nothing_of_each_other(rig: Rig) -> None:
    rig.count("k")
    assert rig.state.claim("bot b", "me", rig.now, lease_s=60, most=9) == []
    assert rig.state.next_due("bot b", rig.now) == float("inf")


def test_what_is_given_up_is_kept_for_people(rig: Rig) -> None:
    rig.count("k", 3, entry="the alert", level=30)
    rig.state.give_up(CHANNEL, rig.claim(), "rejected", rig.now)
    (held,) = rig.state.held(10)
    assert (held.key, held.channel, held.level, held.count, held.why, held.entry) == (
        *("k", CHANNEL, 30, 3, "rejected", "the alert"),
    )
    books = rig.state.books()
    assert (books.counted, books.waiting, books.given_up) == (3, 0, 3)
    assert rig.state.again((), rig.now) == 1
    assert [claim.count for claim in rig.claim()] == [3]
    assert rig.state.books().given_up == 0
    assert rig.state.books().counted == 3


def test_people_may_discard_what_waits_and_what_was_given_up(rig: Rig) -> None:
    rig.count("a", 3)
    rig.state.give_up(CHANNEL, rig.claim(), "rejected", rig.now)
    rig.count("b", 4)
    rig.count("c", 5)
    assert [held.why for held in rig.state.held(10)].count("rejected") == 1
    assert rig.state.discard({"a", "b"}) == 2
    books = rig.state.books()
    assert (books.counted, books.told, books.waiting, books.given_up, books.discarded) == (12, 0, 5, 0, 7)


def test_hosts_processes_samples_and_the_curve(rig: Rig) -> None:
    rig.count("k")
    rig.told(*rig.claim())
    for number, (host, who) in enumerate((("a", "1"), ("a", "2"), ("b", "3"))):
        rig.count("k", 10, host=host, who=who, samples=tuple((float(at), f"{who} {at}") for at in range(4)))
        rig.pass_time(15 + number)
    rig.pass_time(60)
    (claim,) = rig.claim()
    assert (claim.hosts, claim.processes) == (3, 4)
    assert claim.samples[:5] == ((0.0, "1 0"), (1.0, "1 1"), (2.0, "1 2"), (3.0, "1 3"), (0.0, "2 0"))
    assert len(claim.samples) == 8
    assert (sum(claim.rates), len(claim.rates)) == (30, 5)


def test_the_window_is_exact_over_all_who_share_it(rig: Rig) -> None:
    other = rig.again()
    rules = [(3, 60.0)]
    for state in (rig.state, other, rig.state):
        taken = state.reserve(CHANNEL, "who", [""], rules, rig.now)
        assert taken.wait_s == 0
        assert taken.number
        rig.pass_time(1)
    taken = other.reserve(CHANNEL, "who", [""], rules, rig.now)
    assert (taken.wait_s, taken.number) == (rig.near(57), "")
    assert sorted(taken.ages[""]) == rig.near([1, 2, 3])
    rig.pass_time(57.01)
    assert other.reserve(CHANNEL, "who", [""], rules, rig.now).wait_s == 0


def test_a_reservation_moves_to_when_wecom_has_answered(rig: Rig) -> None:
    taken = rig.state.reserve(CHANNEL, "who", ["u"], [(1, 60.0)], rig.now)
    rig.pass_time(5)
    rig.state.landed(CHANNEL, ["u"], taken.number, rig.now)
    rig.pass_time(56)
    assert rig.state.reserve(CHANNEL, "who", ["u"], [(1, 60.0)], rig.now).wait_s == rig.near(4)


def test_several_receivers_are_reserved_together_or_not_at_all(rig: Rig) -> None:
    rules = [(2, 60.0), (3, 3600.0)]

    def wait(*receivers: str) -> float:
        return rig.state.reserve(CHANNEL, "who", receivers, rules, rig.now).wait_s

    assert [wait("a"), wait("a"), wait("a", "b"), wait("b"), wait("b")] == rig.near([0, 0, 60, 0, 0])
    rig.pass_time(61)
    assert [wait("a", "b"), wait("a")] == rig.near([0, 3600 - 61])


def test_who_has_a_short_rule_forgets_nothing_of_a_longer_one(rig: Rig) -> None:
    long, short = [(2, 3600.0)], [(30, 60.0)]
    for _ in range(2):
        assert rig.state.reserve(CHANNEL, "who", ["a"], long, rig.now).wait_s == 0
        rig.pass_time(100)
    assert rig.again().reserve(CHANNEL, "other", ["b"], short, rig.now).wait_s == 0
    assert rig.state.reserve(CHANNEL, "who", ["a"], long, rig.now).wait_s == rig.near(3400)


def test_a_message_to_everybody_counts_for_every_member(rig: Rig) -> None:
    def wait(receiver: str) -> float:
        return rig.state.reserve(CHANNEL, "who", [receiver], [(2, 60.0)], rig.now).wait_s

    waits = [wait("a"), wait(""), wait("a"), wait(""), wait("b"), wait("b")]
    assert waits == rig.near([0, 0, 60, 60, 0, 60])


def test_a_pause_holds_everybody(rig: Rig) -> None:
    rig.state.pause(CHANNEL, 30.0, rig.now)
    rig.state.pause(CHANNEL, 5.0, rig.now)
    assert rig.again().reserve(CHANNEL, "who", [""], [(20, 60.0)], rig.now).wait_s == rig.near(30)
    rig.pass_time(31)
    assert rig.state.reserve(CHANNEL, "who", [""], [(20, 60.0)], rig.now).wait_s == 0


def test_it_says_how_many_processes_use_it(rig: Rig) -> None:
    def peers(who: str) -> int:
        return rig.state.reserve(CHANNEL, who, [""], [(20, 60.0)], rig.now).peers

    assert [peers("a"), peers("b"), peers("a")] == [1, 2, 2]
    rig.pass_time(61)
    assert peers("c") == 1


def test_one_process_at_a_time_asks_for_a_token(rig: Rig) -> None:
    state = rig.state
    assert state.token("app", rig.now) is None
    assert state.lock_token("app", "a", rig.now)
    assert not state.lock_token("app", "b", rig.now)
    state.put_token("app", "a", "token-1", 7200, rig.now)
    rig.pass_time(100)
    found = rig.again().token("app", rig.now)
    assert found is not None
    assert found == ("token-1", rig.near(7100))
    assert state.lock_token("app", "b", rig.now)


def test_a_lock_ends_and_the_late_one_overwrites_nothing(rig: Rig) -> None:
    state = rig.state
    assert state.lock_token("app", "slow", rig.now)
    rig.pass_time(16)
    assert state.lock_token("app", "next", rig.now)
    state.put_token("app", "next", "new", 7200, rig.now)
    state.put_token("app", "slow", "old", 7200, rig.now)
    assert state.token("app", rig.now)[0] == "new"  # type: ignore[index] # there is one


def test_a_failed_fetch_unlocks(rig: Rig) -> None:
    assert rig.state.lock_token("app", "a", rig.now)
    rig.state.put_token("app", "a", "", 0, rig.now)
    assert rig.state.lock_token("app", "b", rig.now)
    assert rig.state.token("app", rig.now) is None


def test_only_the_token_that_failed_is_dropped(rig: Rig) -> None:
    rig.state.lock_token("app", "a", rig.now)
    rig.state.put_token("app", "a", "new", 7200, rig.now)
    rig.state.drop_token("app", "old")
    assert rig.state.token("app", rig.now) is not None
    rig.state.drop_token("app", "new")
    assert rig.state.token("app", rig.now) is None


def test_it_says_what_it_is(rig: Rig) -> None:
    assert rig.state.check()
