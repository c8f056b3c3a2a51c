"""The life of a group on a clock that is handed in: waits, digests, samples, times, the closing line, one exception."""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._state import memory
from wecom_logging._state.shared import Shared
from wecom_logging.errors import ConnectError, InvalidMessageError

from ..programs import Clock, word
from ..storms import Recorder, Told, pass_time, pipeline, record, tell_counted, turn

NOON = 1_764_043_200.0  # 2025-11-25 12:00 in China


@pytest.fixture
def storm(channel: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    clock.now = NOON
    monkeypatch.setattr(Shared, "time_s", lambda self: clock.now)
    return pipeline(channel, clock)


@pytest.fixture
def in_china(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


def ends(storm: Pipeline, *delivered_and_merged: int) -> bool:
    stats = storm.stats()
    return (stats.delivered, stats.merged, stats.pending, stats.dropped) == (*delivered_and_merged, 0, {})


def counts(told: list[Told]) -> list[tuple[int, int]]:
    return [(one.count, one.total) for one in told]


def waits(channel: Recorder) -> list[float]:
    """The seconds from each message to the next."""
    return [after.at - before.at for before, after in itertools.pairwise(channel.told)]


def test_the_first_is_told_at_once_and_a_thousand_repeats_in_one_digest(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    began = clock.now
    storm.collector.take(record("order %d failed", 1))
    turn(storm)
    assert [one.at for one in channel.told] == [began]
    for number in range(1000):
        storm.collector.take(record("order %d failed", number))
    turn(storm)
    assert len(channel.told) == 1
    pass_time(storm, clock, 60)
    assert [one.at - began for one in channel.told] == [0, 60]
    assert counts(channel.told) == [(1, 1), (1000, 1001)]
    assert ends(storm, 1, 1000)


def test_waits_double_up_to_an_hour_while_it_goes_on(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    message = "order %d failed"
    for _ in range(4 * 3600 // 30):
        storm.collector.take(record(message, 1))
        pass_time(storm, clock, 30)
    assert waits(channel)[:7] == [60, 120, 240, 480, 960, 1920, 3600]
    assert set(waits(channel)[7:]) == {3600}
    assert [one.count for one in channel.told[1:8]] == [1, 4, 8, 16, 32, 64, 120]


def test_a_window_of_its_own_is_the_first_wait(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, window_s=5.0)
    message = "order %d failed"
    for _ in range(60):
        storm.collector.take(record(message, 1))
        pass_time(storm, clock, 1)
    assert waits(channel) == [5, 10, 20]


def test_a_window_longer_than_an_hour_does_not_shrink(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, window_s=7200.0)
    message = "order %d failed"
    for _ in range(6 * 12):
        storm.collector.take(record(message, 1))
        pass_time(storm, clock, 300)
    assert waits(channel) == [7200, 7200, 7200]


def test_a_repeat_after_the_wait_is_told_at_once(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    message = "order %d failed"
    storm.collector.take(record(message, 1))
    pass_time(storm, clock, 300)
    storm.collector.take(record(message, 2))
    turn(storm)
    assert channel.told[-1].at == clock.now
    assert counts(channel.told) == [(1, 1), (1, 2)]


def test_after_ten_quiet_windows_the_next_is_a_first_again_and_nothing_was_said(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    message = "order %d failed"
    storm.collector.take(record(message, 1))
    pass_time(storm, clock, 600)
    storm.collector.take(record(message, 2))
    pass_time(storm, clock, 600)
    assert counts(channel.told) == [(1, 1), (1, 1)]
    assert not any(one.is_closing for one in channel.told)
    assert ends(storm, 2, 0)


@pytest.mark.usefixtures("in_china")
def test_the_closing_line(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    message = "order %d failed"
    for minute in range(4):
        storm.collector.take(record(message, minute, created=NOON + 60 * minute))
        pass_time(storm, clock, 50)
    assert counts(channel.told) == [(1, 1), (1, 2), (2, 4)]
    last = channel.told[-1].at
    pass_time(storm, clock, last + 599 - clock.now)
    assert not channel.told[-1].is_closing
    pass_time(storm, clock, 120)
    closing = channel.told[-1]
    assert last + 600 <= closing.at
    assert re.sub(r"#\w+", "#id", closing.text) == (
        "✅ shop: order 0 failed · quiet for 10 minutes (not tried again, or over), 4 in all, 12:00 to 12:03\n"
        "#id 2025-11-25 12:03:00.000 +08:00"
    )
    assert ends(storm, 1, 3)
    pass_time(storm, clock, 24 * 3600)
    assert channel.told[-1] is closing


def test_what_came_once_ends_in_silence(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    storm.collector.take(record("order %d failed", 1))
    pass_time(storm, clock, 3600)
    assert counts(channel.told) == [(1, 1)]
    storm.collector.take(record("bill %d failed", 1))
    storm.collector.take(record("bill %d failed", 2))
    pass_time(storm, clock, 3600)
    assert counts(channel.told) == [(1, 1), (1, 1), (1, 2), (0, 0)]


@pytest.mark.usefixtures("in_china")
@pytest.mark.parametrize("minutes", [20, 75, 130])
def test_what_stops_before_its_digest_is_due_ends_with_one_message_and_no_red_one(
    minutes: int, storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(6 * minutes):
        storm.collector.take(record("order %d failed", number, created=NOON + 10 * number))
        pass_time(storm, clock, 10)
    ended, told = clock.now - 10, len(channel.told)
    last = next(one for one in reversed(channel.told) if not one.is_closing)
    pass_time(storm, clock, 4 * 3600)
    (end,) = channel.told[told:]
    assert end.is_closing
    assert ended + 600 <= end.at <= ended + 720
    since = NOON + 10 * last.total
    assert f"× {end.count} since {time.strftime('%H:%M', time.localtime(since))}, {6 * minutes} in all" in end.text
    assert (end.total, last.total + end.count) == (6 * minutes, 6 * minutes)
    assert "not tried" not in end.text
    assert ends(storm, 1, 6 * minutes - 1)


@pytest.mark.parametrize("payments", [2, 3, 4, 8])
def test_a_failure_that_comes_seldom_is_not_said_to_have_stopped(
    payments: int, storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(payments):
        storm.collector.take(record("payment %d failed", number, created=NOON + 130 * number))
        turn(storm)
        pass_time(storm, clock, 130)
    red = [one.first_line for one in channel.told if not one.is_closing]
    assert len(red) >= min(payments, 4)
    assert [line for line in red if "none since" in line] == []


def test_a_digest_whose_newest_record_is_old_says_so_first(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for _ in range(5):
        storm.collector.take(record("order %d failed", 1, created=NOON))
    pass_time(storm, clock, 90)
    assert " since" not in channel.told[-1].first_line
    storm.collector.take(record("order %d failed", 1, created=NOON))
    turn(storm)
    clock.now += 61
    tell_counted(storm)
    turn(storm)
    assert re.match(r"🔴 ERROR none since \d\d:\d\d, × 1, 6 in all shop: ", channel.told[-1].first_line)


@pytest.mark.usefixtures("in_china")
def test_what_comes_again_within_a_day_after_its_end_says_which_time_it_is(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    began = clock.now

    def fails(at: float, number: int = 1) -> Told:
        pass_time(storm, clock, began + at - clock.now)
        for _ in range(number):
            storm.collector.take(record("order %d failed", at, created=NOON + at))
        turn(storm)
        told = channel.told[-1]
        pass_time(storm, clock, 3600)
        return told

    told = [fails(0, 3), fails(3600), fails(2 * 3600), fails(14 * 3600)]
    names = [one.first_line.partition(" shop: ")[0] for one in told]
    assert names == [
        "🔴 ERROR",
        "🔴 ERROR again, 2nd time today",
        "🔴 ERROR again, 3rd time today",
        "🔴 ERROR again, 4th since 11-25 12:00",
    ]
    assert "order 7200 failed" in told[2].first_line  # the record that came, and not the first of the day
    (name,) = {re.findall(r"#\w+", one.text)[0] for one in told}
    assert [one.short_id for one in storm.incidents()] == []
    assert fails(40 * 3600).first_line.startswith("🔴 ERROR shop: ")
    assert name in channel.told[-1].text


def test_what_comes_again_each_quarter_of_an_hour_is_one_incident_from_the_second_time_on(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(8):
        for _ in range(2):
            storm.collector.take(record("order %d failed", number, created=NOON + 900 * number))
        pass_time(storm, clock, 900)
    first_lines = [one.first_line for one in channel.told]
    assert sum("ERROR again," in line for line in first_lines) == 1
    pass_time(storm, clock, 7200)
    ends = [one.first_line for one in channel.told if one.is_closing]
    assert [line.count("quiet for 10 minutes") for line in ends] == [1, 0]
    assert "quiet for 20 minutes" in ends[-1]
    assert sum(one.count for one in channel.told) == 16


def test_what_ends_together_is_told_together_each_with_its_own_first_words(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    what = ["disk", "bank", "queue", "cache", "mail", "search", "bills", "login", "backup", "import", "export", "door"]
    texts = [f"{one} {word(number)} {'is down ' * number}" for number, one in enumerate(what)]
    for _ in range(20):
        for text in texts:
            storm.collector.take(record(text))
            pass_time(storm, clock, 2)
    pass_time(storm, clock, 3600)
    (end,) = [one for one in channel.told if one.is_closing]
    assert end.first_line == "✅ 12 kinds are quiet"
    assert sorted(line.split()[2] for line in end.text.split("\n")[1:]) == sorted(what)
    assert ends(storm, 12, 12 * 19)


def test_digests_that_nobody_saw_are_no_reason_for_a_closing_line(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    message = "order %d failed"
    storm.collector.take(record(message, 0))
    turn(storm)
    channel.error = InvalidMessageError(40058, "scripted")
    for number in range(3):
        storm.collector.take(record(message, number))
        pass_time(storm, clock, 300)
    channel.error = None
    pass_time(storm, clock, 3600)
    assert storm.stats().dropped == {"rejected": 3}
    assert counts(channel.told) == [(1, 1)]


def test_at_exit_all_that_waits_is_listed_once(
    storm: Pipeline, channel: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.error = ConnectError("scripted")
    for number in range(500):
        storm.collector.take(record(f"lost {word(number)}"))
    storm.turn()
    looks: list[str] = []
    for name in ("open", "rows"):
        look = getattr(memory.MemoryStore, name)
        monkeypatch.setattr(
            memory.MemoryStore,
            name,
            lambda store, *given, look=look, name=name: (looks.append(name), look(store, *given))[1],
        )
    assert storm.give_up() == 500
    assert len(looks) <= 3  # at what is claimed, at all, and that there is no more


def test_the_end_of_one_kind_ends_no_other_of_the_same_call_site(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    """Whichever came first, and however often that happens."""
    for text in ("disk full", "no connection", "wrong password"):
        storm.collector.take(record("%s", text))
    turn(storm)
    for _ in range(20):
        pass_time(storm, clock, 400)
        storm.collector.take(record("%s", "wrong password"))
    pass_time(storm, clock, 400)
    assert storm.stats().delivered == 3
    storm.collector.take(record("%s", "disk full"))
    turn(storm)
    assert storm.stats().delivered == 4


def test_a_closing_line_that_fails_is_sent_again_and_counts_nothing(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    message = "order %d failed"
    for number in range(4):
        storm.collector.take(record(message, number))
        pass_time(storm, clock, 61)
    pass_time(storm, clock, 300)
    channel.error = ConnectError("scripted")
    pass_time(storm, clock, 700)
    channel.error = None
    pass_time(storm, clock, 30)
    assert [one.is_closing for one in channel.told] == [False] * (len(channel.told) - 1) + [True]
    assert ends(storm, 1, 3)


def test_a_digest_shows_what_says_more_than_other_values(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    grouped = {"fingerprint": "orders"}
    for text in ("order 1 failed", "order 2 failed", "no price for order 3", "no price for order 4", "order 5 failed"):
        storm.collector.take(record(text, wecom=grouped))
    pass_time(storm, clock, 60)
    lines = channel.told[-1].text.split("\n")
    assert lines[0] == "🔴 ERROR × 4, 5 in all shop: order 1 failed"
    assert [line for line in lines if "order" in line[2:] and line.startswith("│")] == [lines[1]]
    assert lines[1].endswith(" no price for order 3")
    for text in ("no price for order 6", "no stock for order 7"):
        storm.collector.take(record(text, wecom=grouped))
    pass_time(storm, clock, 120)
    lines = channel.told[-1].text.split("\n")
    assert lines[0].endswith("× 2, 7 in all shop: order 1 failed")
    (line,) = (line for line in lines if line.startswith("│"))
    assert line.endswith(" no stock for order 7")
    storm.collector.take(record("order %d failed", 6, error=caught("order 6")))
    for number in range(7, 12):
        storm.collector.take(record("order %d failed", number, error=caught(f"order {number}")))
    turn(storm)
    assert "│ ValueError: order 6" in channel.told[-1].text
    pass_time(storm, clock, 60)
    assert "│" not in channel.told[-1].text
    assert channel.told[-1].first_line == "🔴 ERROR × 5, 6 in all shop: order 6 failed: ValueError"


@pytest.mark.usefixtures("in_china")
def test_a_digest_says_when_the_first_came_and_when_the_newest(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    message = "order %d failed"
    for minute in (0, 1, 2):
        storm.collector.take(record(message, minute, created=NOON + 10 * minute))
    pass_time(storm, clock, 60)
    assert "2025-11-25 12:00:00.000 +08:00" in channel.told[1].text
    assert "last 12:00:20.000" in channel.told[1].text


def test_the_sparkline_shows_when_in_the_wait_they_came(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    message = "order %d failed"
    storm.collector.take(record(message, 0))
    turn(storm)
    for number in (80, 1, 1, 1, 1, 1, 1, 40):
        for _ in range(number):
            storm.collector.take(record(message, 0))
        pass_time(storm, clock, 7.5)
    (bars,) = re.findall("[▁▂▃▄▅▆▇█]{2,}", channel.told[1].text)
    assert channel.told[1].count == 126
    assert (bars[0], bars[-1], bars.count("▂")) == ("█", "▅", 6)


def test_what_is_asked_for_by_flush_is_told_now_and_doubles_no_wait(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    message = "order %d failed"
    storm.collector.take(record(message, 0))
    turn(storm)
    for _ in range(5):
        pass_time(storm, clock, 10)
        storm.collector.take(record(message, 0))
        tell_counted(storm)
        turn(storm)
        assert (channel.told[-1].count, channel.told[-1].at) == (1, clock.now)
    told_at = clock.now
    storm.collector.take(record(message, 0))
    pass_time(storm, clock, 60)
    storm.collector.take(record(message, 0))
    pass_time(storm, clock, 120)
    assert [one.at - told_at for one in channel.told[-2:]] == [60, 180]
    assert ends(storm, 1, 7)


def test_a_flush_with_nothing_counted_sends_nothing(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    storm.collector.take(record())
    turn(storm)
    for _ in range(3):
        tell_counted(storm)
        turn(storm)
    assert len(channel.told) == 1


def test_a_real_flush_settles_what_was_only_counted(channel: Recorder) -> None:
    storm = pipeline(channel, time.monotonic)
    message = "order %d failed"
    for number in range(100):
        storm.collector.emit(record(message, number))
    assert storm.flush(30)
    assert ends(storm, 1, 99)
    assert sum(one.count for one in channel.told) == 100
    storm.close()


def test_repeats_that_came_before_the_first_could_be_sent_are_told_with_it(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    channel.error = ConnectError("scripted")
    message = "order %d failed"
    for number in range(10):
        storm.collector.take(record(message, number))
        pass_time(storm, clock, 20)
    channel.error = None
    pass_time(storm, clock, 200)
    assert sum(one.count for one in channel.told) == 10
    assert [one.total for one in channel.told][-1] == 10
    assert ends(storm, 1, 9)


def test_a_turn_of_another_thread_sends_nothing_that_is_on_its_way(
    storm: Pipeline, channel: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = channel.deliver

    def slowly(*given: Any) -> Any:
        monkeypatch.setattr(channel, "deliver", deliver)
        storm.collector.take(record("the second"))
        other = threading.Thread(target=turn, args=(storm,))
        other.start()
        other.join(10)
        return deliver(*given)

    monkeypatch.setattr(channel, "deliver", slowly)
    storm.collector.take(record("the first"))
    turn(storm)
    assert sorted(one.first_line.partition(": ")[2] for one in channel.told) == ["the first", "the second"]
    assert ends(storm, 2, 0)


def test_close_tells_what_is_counted_and_no_closing_line(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    message = "order %d failed"
    for _ in range(8):
        storm.collector.take(record(message, 1))
        pass_time(storm, clock, 50)
    counted = 8 - sum(one.count for one in channel.told)
    assert counted > 0
    storm.close()
    pass_time(storm, clock, 24 * 3600)
    assert channel.told[-1].count == counted
    assert not any(one.is_closing for one in channel.told)
    assert sum(one.count for one in channel.told) == 8


def caught(text: str = "it broke") -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_duplicate_reports_of_one_exception_are_merged_and_change_no_number_that_is_told(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    error = caught()
    storm.collector.take(record("inside", error=error))
    for line in range(2, 7):
        storm.collector.take(record("further up", error=error, line=line, level=logging.WARNING))
    turn(storm)
    storm.collector.take(record("at the top", error=error, line=9))
    pass_time(storm, clock, 3600)
    assert counts(channel.told) == [(1, 1)]
    assert "inside" in channel.told[0].text
    assert ends(storm, 1, 6)


def test_duplicate_reports_stand_beside_repeats_and_are_not_counted_among_them(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(10):
        error = caught(f"order {number}")
        for line in (1, 2, 3):
            storm.collector.take(record("it broke", error=error, line=line))
    pass_time(storm, clock, 60)
    assert counts(channel.told) == [(1, 1), (9, 10)]
    assert ends(storm, 1, 29)


def test_duplicate_reports_beside_a_repeat_are_no_points_of_the_curve(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    error = caught()
    for one in (caught(), error):
        storm.collector.take(record("it broke", error=one))
        turn(storm)
    for _ in range(1000):
        clock.now += 0.05
        storm.collector.take(record("further up", error=error))
        turn(storm)
    pass_time(storm, clock, 60)
    assert counts(channel.told) == [(1, 1), (1, 2)]
    assert channel.told[1].text.count("▁") < 20
    assert ends(storm, 1, 1001)


def test_an_exception_that_cannot_be_marked_is_told_again_at_the_next_place(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    class Closed(Exception):
        __slots__ = ()  # no weak reference can be made to it

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    error = Closed("it broke")
    for line in (1, 2):
        storm.collector.take(record("it broke", error=error, line=line))
    turn(storm)
    assert counts(channel.told) == [(1, 1), (1, 1)]
    assert ends(storm, 2, 0)


def test_what_is_counted_while_the_first_is_given_up_is_lost_with_its_number(storm: Pipeline, clock: Clock) -> None:
    class Ending:
        def __str__(self) -> str:
            storm.collector.take(record("order %s failed", [1]))
            raise SystemExit

    with pytest.raises(SystemExit):
        storm.collector.take(record("order %s failed", Ending()))
    turn(storm)
    stats = storm.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (1, 0, {"rejected": 1})


def test_a_redact_that_logs_what_the_program_logs_too_is_not_told_of_for_ever(channel: Recorder, clock: Clock) -> None:
    def mask(text: str) -> str:
        storm.collector.take(record("by a helper"))
        return text

    storm = pipeline(channel, clock, mask=mask)
    storm.collector.take(record("by a helper"))
    pass_time(storm, clock, 100_000)
    stats = storm.stats()
    assert (len(channel.told), stats.pending, set(stats.dropped)) == (3, 0, {"rejected"})
    assert stats.accepted == stats.delivered + stats.merged + stats.dropped["rejected"]
