"""Who is on call: a rota on the wall of its zone, hand-overs across changes of the clock, swaps; who is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wecom_logging._duty import on_call
from wecom_logging._duty.on_call import called
from wecom_logging.model import Recipients
from wecom_logging.model.duty import Rota, Swap

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Shanghai",
    "Africa/Casablanca",
)


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def rota(*people: str, since: str = "2026-03-02 10:00", days: int = 7, hours: int = 0, name: str = "web") -> Rota:
    return Rota(name, tuple((one,) for one in people), since, 0 if hours else days, hours)


def on_duty(rota: Rota, time: float, zone: ZoneInfo, swaps: Sequence[Swap] = ()) -> tuple[str, ...]:
    return on_call.on_duty(rota, time, zone, swaps).people


def handover_at(rota: Rota, time: float, zone: ZoneInfo, swaps: Sequence[Swap] = ()) -> float:
    return on_call.on_duty(rota, time, zone, swaps).until


def wall(time: float, zone: ZoneInfo = BERLIN) -> str:
    return f"{datetime.fromtimestamp(time, zone):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize("sunday", ["2026-03-29", "2026-10-25"])  # the clock goes ahead, and back
def test_r1_a_hand_over_is_at_ten_on_both_sides_of_a_change_of_the_clock(sunday: str) -> None:
    daily = rota("a", "b", days=1)
    time = at(f"{sunday} 00:00") - 2 * 86_400
    for _ in range(5):
        before, end = on_duty(daily, time, BERLIN), handover_at(daily, time, BERLIN)
        assert wall(end).endswith(" 10:00")
        assert on_duty(daily, end - 0.001, BERLIN) == before != on_duty(daily, end, BERLIN)
        time = end


def test_r1_no_hour_is_without_a_person_and_none_has_two_turns() -> None:
    weekly, time, turns = rota("a", "b", "c"), at("2026-01-01 00:00"), []
    while time < at("2027-01-01 00:00"):
        turns.append((on_duty(weekly, time, BERLIN), wall(time)))
        time = handover_at(weekly, time, BERLIN)
    assert [who for (who,), _ in turns] == (18 * [*"abc"])[: len(turns)]
    assert all(one.endswith("10:00") for _, one in turns[1:])
    assert len(turns) == 53


@pytest.mark.parametrize(
    ("since", "end"),
    [
        ("2026-03-28 02:30", "2026-03-29 03:00"),  # skipped: the end of the gap
        ("2026-10-24 02:30", "2026-10-25 02:30"),  # twice: the first of the two
    ],
)
def test_r1_a_hand_over_at_a_time_that_is_skipped_or_comes_twice(since: str, end: str) -> None:
    daily = rota("a", "b", days=1, since=since)
    time = handover_at(daily, at(since), BERLIN)
    assert time == at(end)
    for minutes in range(-120, 240, 10):  # and no way back
        assert on_duty(daily, time + 60 * minutes, BERLIN) == (("a",) if minutes < 0 else ("b",))


def test_r1_before_its_begin_a_rota_goes_backwards() -> None:
    weekly = rota("a", "b", "c")
    turns = [on_duty(weekly, at("2026-03-02 10:00") + 7 * 86_400 * number, BERLIN)[0] for number in range(-4, 4)]
    assert "".join(turns) == "cabcabca"


def test_r1_hours_are_hours_and_one_person_alone_has_hand_overs() -> None:
    short = rota("a", "b", since="2026-12-07 10:00", hours=12)
    assert wall(handover_at(short, at("2026-12-07 10:00", SHANGHAI), SHANGHAI), SHANGHAI) == "2026-12-07 22:00"
    assert on_duty(short, at("2026-12-06 23:00", SHANGHAI), SHANGHAI) == ("b",)
    alone = rota("a")
    assert wall(handover_at(alone, at("2026-03-02 10:00"), BERLIN)) == "2026-03-09 10:00"


@given(
    some.sampled_from(ZONES),
    some.integers(1, 30),
    some.integers(0, 60 * 24 - 1),
    some.integers(0, 20 * 365 * 86_400),
)
def test_r1_every_moment_belongs_to_one_turn(name: str, days: int, minutes: int, seconds: int) -> None:
    """From 2010 on; Apia has left out a day, Casablanca changes its clock for a month."""
    zone = ZoneInfo(name)
    since = datetime(2015, 6, 1) + timedelta(minutes=minutes)
    one = rota("a", "b", "c", since=f"{since:%Y-%m-%d %H:%M}", days=days)
    time = datetime(2010, 1, 1, tzinfo=UTC).timestamp() + seconds
    end = handover_at(one, time, zone)
    assert time < end <= time + (days + 1.1) * 86_400
    assert on_duty(one, end - 0.001, zone) == on_duty(one, time, zone)
    shown = datetime.fromtimestamp(end, zone).replace(tzinfo=None)
    assert shown.time() == since.time() or shown > since + days * timedelta(
        days=round((shown - since) / timedelta(days))
    )


def test_r2_a_swap_replaces_for_its_time_and_ends_and_the_newest_wins() -> None:
    weekly = rota("a", "b")
    whole = Swap("web", ("c", "d"), at("2026-03-03 00:00"), at("2026-03-05 00:00"))
    inner = Swap("web", ("e",), at("2026-03-04 00:00"), at("2026-03-04 12:00"))
    other = Swap("db", ("f",), at("2026-03-03 00:00"), at("2026-03-05 00:00"))
    swaps = (other, whole, inner)
    seen, time = [], at("2026-03-02 12:00")
    while time < at("2026-03-10 00:00"):
        seen.append((wall(time)[5:], on_duty(weekly, time, BERLIN, swaps)))
        time = handover_at(weekly, time, BERLIN, swaps)
    assert seen == [
        ("03-02 12:00", ("a",)),
        ("03-03 00:00", ("c", "d")),
        ("03-04 00:00", ("e",)),
        ("03-04 12:00", ("c", "d")),
        ("03-05 00:00", ("a",)),
        ("03-09 10:00", ("b",)),
    ]
    assert on_duty(weekly, at("2026-03-04 01:00"), BERLIN, (inner, whole)) == ("c", "d")


def test_r2_a_swap_holds_over_a_hand_over_and_for_a_rota_that_a_function_knows() -> None:
    over = Swap("web", ("c",), at("2026-03-08 00:00"), at("2026-03-10 00:00"))
    assert wall(handover_at(rota("a", "b"), over.began, BERLIN, (over,))) == "2026-03-10 00:00"
    by_function = Rota("web", who="shop.duty:who")
    assert on_duty(by_function, over.began, BERLIN, (over,)) == ("c",)
    assert on_duty(by_function, over.until, BERLIN, (over,)) == ()
    assert handover_at(by_function, over.until, BERLIN, (over,)) == float("inf")


OWN = Recipients(("zhangsan", "on-call:db"), departments=("7",))
DB, WEB = rota("d1", "d2", name="db"), Rota("web", who="shop.duty:who")


def test_who_is_on_call_stands_in_the_place_of_the_rota() -> None:
    named = Recipients(("x", "on-call:db", "d1", "y"), tags=("1",))
    found = called(named, OWN, (WEB, DB), lambda one: ("d1", "d3"))
    assert found.recipients == Recipients(("x", "d1", "d3", "y"), tags=("1",))
    assert found.nobody == ()


def test_nobody_on_call_is_never_silence() -> None:
    """The handler's own recipients; where those are only that rota, all its people."""
    people = {"db": ("d2",), "web": ()}
    found = called(Recipients(("on-call:web",)), OWN, (WEB, DB), lambda one: people[one.name])
    assert (found.recipients, found.nobody) == (Recipients(("zhangsan", "d2"), departments=("7",)), ("web",))
    alone = Recipients(("on-call:db",))
    found = called(alone, alone, (DB,), lambda one: ())
    assert (found.recipients, found.nobody) == (Recipients(("d1", "d2")), ("db",))
    found = called(Recipients(("x", "on-call:gone")), OWN, (DB,), lambda one: ("d2",))  # of a newer version
    assert (found.recipients.users, found.nobody) == (("x", "zhangsan", "d2"), ("gone",))
