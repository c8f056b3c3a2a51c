"""The sliding windows, against the plainest model that there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging._runtime.windows import ANSWER, Windows
from wecom_logging.model.recipients import EVERYBODY_LOG

MINUTE = ((20, 60.0),)
MEMBER = ((30, 60.0), (1000, 3600.0))
ALL = (EVERYBODY_LOG,)


def test_twenty_in_a_minute_and_then_the_exact_time_to_wait() -> None:
    windows = Windows()
    assert [windows.reserve(ALL, MINUTE, now=float(second)) for second in range(20)] == [0.0] * 20
    assert windows.reserve(ALL, MINUTE, now=20.0) == 40.0
    assert windows.reserve(ALL, MINUTE, now=59.5) == 0.5
    assert windows.reserve(ALL, MINUTE, now=60.0) == 0.0
    assert windows.reserve(ALL, MINUTE, now=60.0) == 1.0


def test_a_message_to_several_members_takes_one_of_each_or_of_none() -> None:
    windows = Windows()
    for _ in range(30):
        assert windows.reserve(("a",), MEMBER, 0.0) == 0.0
    assert windows.reserve(("a", "b"), MEMBER, 1.0) == 59.0
    for _ in range(30):
        assert windows.reserve(("b",), MEMBER, 1.0) == 0.0
    assert windows.reserve(("b",), MEMBER, 1.0) == 60.0


def test_a_message_to_everybody_counts_for_each_member_and_fits_beside_the_fullest() -> None:
    windows = Windows()
    for _ in range(10):
        windows.reserve(("a",), MEMBER, 0.0)
    for _ in range(20):
        assert windows.reserve(ALL, MEMBER, 1.0) == 0.0
    assert windows.reserve(("a",), MEMBER, 2.0) == 58.0
    assert windows.reserve(ALL, MEMBER, 2.0) == 58.0
    assert windows.reserve(("b",), MEMBER, 2.0) == 0.0  # b has had 20


def test_the_hour_holds_beside_the_minute() -> None:
    windows = Windows()
    sent = [second * 3.0 for second in range(1000)]
    assert all(windows.reserve(("a",), MEMBER, now) == 0.0 for now in sent)
    assert windows.reserve(("a",), MEMBER, 3000.0) == 600.0


def test_a_reservation_counts_from_the_answer_since_wecom_saw_it_at_some_time_before() -> None:
    windows = Windows()
    for _ in range(20):
        windows.reserve(ALL, MINUTE, 0.0)
    windows.landed(ALL, [0.0] * 20, 9.0)
    assert windows.wait(ALL, MINUTE, 60.0) == 9.0


def test_handlers_with_other_rules_do_not_make_a_channel_forget() -> None:
    windows = Windows()
    for _ in range(5):
        windows.reserve(ALL, ((5, 3600.0),), 0.0)
    windows.reserve(ALL, ((30, 60.0),), 100.0)
    assert windows.wait(ALL, ((5, 3600.0),), 100.0) > 3000


def test_a_pause_holds_everything_and_is_not_shortened() -> None:
    windows = Windows()
    windows.pause(100.0, 0.0)
    windows.pause(50.0, 0.0)
    assert windows.reserve(ALL, (), 40.0) == 60.0
    assert windows.reserve(ALL, (), 100.0) == 0.0


def test_without_rules_nothing_waits_and_what_is_remembered_is_forgotten() -> None:
    windows = Windows()
    assert all(windows.reserve(ALL, (), 0.0) == 0.0 for _ in range(1000))
    assert windows.reserve(ALL, (), 60.0) == 0.0
    assert {name: list(log) for name, log in windows._logs.items()} == {"": [60.0]}


def sent(windows: Windows, rules: tuple[tuple[int, float], ...], *times: float) -> None:
    for time in times:
        assert windows.reserve(ALL, rules, time) == 0.0


def test_a_quarter_goes_alone_and_the_rest_is_spread_over_what_is_left() -> None:
    bot = ((20, 60.0),)
    windows = Windows()
    sent(windows, bot, 0.0, 1.0, 2.0, 3.0)
    assert windows.pace(ALL, bot, 3.0) == (False, 0.0)
    sent(windows, bot, 3.0)
    assert windows.pace(ALL, bot, 3.0) == (True, 4.0)
    assert windows.pace(ALL, bot, 8.0)[0] is True
    assert windows.pace(ALL, bot, 8.0)[1] <= 0.0
    assert windows.pace(ALL, bot, 60.0) == (False, 0.0)


@pytest.mark.parametrize(("number", "alone"), [(1, 1), (2, 1), (20, 5), (30, 8)])
def test_while_fewer_than_a_quarter_went_out_the_next_goes_alone(number: int, alone: int) -> None:
    rules = ((number, 60.0),)
    windows = Windows()
    for _ in range(alone):
        assert windows.pace(ALL, rules, 0.0) == (False, 0.0)
        sent(windows, rules, 0.0)
    assert windows.pace(ALL, rules, 0.0)[0]


def test_answers_in_a_chat_fill_its_limit_and_do_not_slow_its_alerts() -> None:
    alerts, windows = ((24, 60.0),), Windows()
    for second in range(15):
        assert windows.reserve((f"{ANSWER}ops",), MEMBER, float(second)) == 0.0
        assert windows.pace(("ops",), alerts, second + 0.1) == (False, 0.0)
    for _ in range(9):
        assert windows.reserve(("ops",), alerts, 15.0) == 0.0
    assert windows.wait(("ops",), alerts, 15.0) == 45.0
    assert windows.wait(("li",), alerts, 15.0) == 0.0
    sent = [windows.reserve((f"{ANSWER}ops",), MEMBER, 15.0) for _ in range(7)]
    assert sent == [*[0.0] * 6, 45.0]  # thirty in all


def test_the_tightest_rule_says_the_pace() -> None:
    app = ((30, 60.0), (1000, 3600.0))
    windows = Windows()
    sent(windows, app, *(12.0 * number for number in range(250)))  # a quarter of an hour's
    shared, wait = windows.pace(ALL, app, 12.0 * 249)
    assert shared
    assert wait == pytest.approx(3600.0 / 750)


def test_without_a_limit_five_a_minute_go_alone_and_nothing_waits() -> None:
    windows = Windows()
    sent(windows, (), 0.0, 0.0, 0.0, 0.0)
    assert windows.pace(ALL, (), 0.0) == (False, 0.0)
    sent(windows, (), 0.0)
    assert windows.pace(ALL, (), 0.0) == (True, 0.0)


def test_how_much_of_a_limit_is_used_is_said_by_its_tightest_rule_and_fullest_receiver() -> None:
    windows = Windows()
    assert windows.use(ALL, MINUTE, 0.0) == 0.0
    sent(windows, MINUTE, *map(float, range(10)))
    assert windows.use(ALL, MINUTE, 10.0) == 0.5
    assert windows.use(ALL, ((100, 3600.0), *MINUTE), 10.0) == 0.5
    assert windows.use(ALL, MINUTE, 64.0) == 0.25
    assert windows.use(ALL, (), 10.0) == 0.5
    windows.reserve(("a",), MINUTE, 10.0)
    assert windows.use(("a", "b"), MINUTE, 10.0) == 0.55


RULES = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([2.0, 5.0, 11.0])), min_size=1, max_size=2).map(tuple)
MESSAGES = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([("a",), ("b",), ("a", "b"), ALL])), min_size=1, max_size=50
)


@given(RULES, MESSAGES)
def test_no_member_ever_gets_more_in_any_window_and_the_wait_is_the_shortest(
    rules: tuple[tuple[int, float], ...], messages: list[tuple[int, tuple[str, ...]]]
) -> None:
    windows = Windows()
    got: dict[str, list[float]] = {"a": [], "b": [], "c": []}  # c gets only what everybody gets
    now = 0.0

    def members(receivers: tuple[str, ...]) -> list[str]:
        return list(got) if receivers == ALL else list(receivers)

    def fits(receivers: tuple[str, ...], time: float) -> bool:
        return all(
            sum(1 for sent in got[member] if sent > time - period) < number
            for member in members(receivers)
            for number, period in rules
        )

    for pause, receivers in messages:
        now += pause
        wait = windows.reserve(receivers, rules, now)
        assert (wait == 0.0) == fits(receivers, now)
        if wait > 0:
            assert fits(receivers, now + wait)
            assert not fits(receivers, now + wait - 0.5)
        else:
            for member in members(receivers):
                got[member].append(now)
