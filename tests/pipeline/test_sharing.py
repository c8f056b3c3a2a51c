"""Many alerts at once: which share a message, in which order, at which times, and what a refusal of one means."""

from __future__ import annotations

import itertools
import logging
import re

import pytest

from wecom_logging import errors
from wecom_logging._delivery.pipeline import Pipeline

from ..programs import Clock, word
from ..storms import BOT_RULES, Recorder, Told, pass_time, pipeline, record, settled, tell_counted, turn

REFUSED = errors.InvalidMessageError(40058, "scripted")


@pytest.fixture
def storm(channel: Recorder, clock: Clock) -> Pipeline:
    return pipeline(channel, clock, rules=BOT_RULES)


def five_alone(storm: Pipeline) -> None:
    """Use up what goes at once."""
    for number in range(5):
        storm.collector.take(record(f"alone {word(number)}"))
    turn(storm)


def shared(channel: Recorder) -> list[Told]:
    return [one for one in channel.told if one.is_shared]


@pytest.mark.slow
@pytest.mark.case("L05")
def test_a_fresh_critical_is_seen_within_ten_seconds_amid_ten_thousand_kinds(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(10_000):
        storm.collector.take(record(f"broken {word(number)}"))
    for line, pause in enumerate((0.0, 5.0, 30.0, 61.0, 200.0)):
        pass_time(storm, clock, pause)
        storm.collector.take(record(f"urgent {word(line)}", level=logging.CRITICAL, line=2))
        came = clock.now
        pass_time(storm, clock, 10)
        (seen,) = (one for one in channel.told if f"urgent {word(line)}" in one.text)
        assert seen.at - came <= 10
        assert "broken" not in seen.text[: seen.text.index("urgent")]
    for number in range(10_000, 10_200):  # the storm goes on
        storm.collector.take(record(f"broken {word(number)}"))
    pass_time(storm, clock, 3600)
    stats = storm.stats()
    assert (stats.accepted, stats.pending) == (10_205, 0)
    assert stats.delivered + stats.dropped.get("queue_overflow", 0) == 10_205
    assert sum(one.count for one in channel.told) == stats.delivered


@pytest.mark.parametrize("error", [None, ValueError("no rate")], ids=["a text", "an exception"])
@pytest.mark.case("L05")
def test_a_critical_waits_for_none_of_the_warnings_that_wait_for_the_worker(
    storm: Pipeline, channel: Recorder, clock: Clock, error: Exception | None
) -> None:
    five_alone(storm)
    for number in range(1000):
        storm.collector.take(record("no rate", level=logging.WARNING, line=number))
        storm.collector.take(record("no rate", level=logging.WARNING, line=number, error=KeyError(number)))
    storm.collector.take(record("the database is gone", level=logging.CRITICAL, line=0, error=error))
    clock.now += 4
    storm.turn()
    assert "the database is gone" in channel.told[-1].text


@pytest.mark.slow
def test_a_flood_from_one_line_lets_the_other_lines_go_first(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for number in range(3000):
        storm.collector.take(record(f"broken {word(number)}", level=logging.CRITICAL))
    for line, pause in enumerate((0.0, 5.0, 30.0, 61.0), 2):
        pass_time(storm, clock, pause)
        storm.collector.take(record(f"urgent {word(line)}", level=logging.CRITICAL, line=line))
        came = clock.now
        pass_time(storm, clock, 10)
        (seen,) = (one for one in channel.told if f"urgent {word(line)}" in one.text)
        assert seen.at - came <= 10
    pass_time(storm, clock, 3600)
    assert sum(one.count for one in channel.told) == storm.stats().delivered == storm.stats().accepted == 3004
    told = "".join(one.whole for one in channel.told)
    places = [told.index(f"broken {word(number)}\n") for number in range(5, 2995)]
    assert places == sorted(places)


def test_the_most_severe_stand_first_and_the_oldest_within_a_level(storm: Pipeline, channel: Recorder) -> None:
    five_alone(storm)
    levels = (logging.WARNING, logging.ERROR, logging.CRITICAL, logging.INFO)
    for number in range(12):
        storm.collector.take(record(f"waits {word(number)}", level=levels[number % 4]))
    storm.draining = True
    turn(storm)
    (message,) = shared(channel)
    assert message.first_line.startswith("🚨 12 alerts of 12 kinds")
    expected = [word(number) for level in (2, 1, 0, 3) for number in range(12) if number % 4 == level]
    assert re.findall(r"waits (\w+)", message.text) == expected


NO_FLOOD = 150
"""Short ones: three messages hold them."""


def test_those_for_whom_there_was_no_room_come_next(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    five_alone(storm)
    for number in range(NO_FLOOD):
        storm.collector.take(record(f"waits {word(number)}"))
    for _ in range(60):
        pass_time(storm, clock, 1)
        assert sum(one.count for one in channel.told) == storm.stats().delivered
    told = [re.findall(r"waits (\w+)", one.text) for one in shared(channel)]
    assert len(told) >= 3
    assert list(itertools.chain(*told)) == [word(number) for number in range(NO_FLOOD)]


@pytest.mark.slow
def test_messages_go_every_four_seconds_and_never_more_than_twenty_in_a_minute(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(1500):
        storm.collector.take(record(f"broken {word(number)}"))
        storm.collector.take(record("all the same %d", number, line=2))
        if number % 10 == 0:
            pass_time(storm, clock, 1)
    pass_time(storm, clock, 600)
    times = [one.at for one in channel.told]
    assert all(sum(time <= other < time + 60 for other in times) <= 20 for time in times)
    while_shared = [after.at - before.at for before, after in itertools.pairwise(channel.told) if after.is_shared]
    assert while_shared
    assert min(while_shared) >= 4.0
    assert storm.stats().pending == 0
    assert sum(one.count for one in channel.told) == settled(storm.stats()) == 3000


@pytest.mark.slow
def test_in_a_hurry_all_that_the_limit_has_left_goes_at_once(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for number in range(5000):
        storm.collector.take(record(f"broken {word(number)}"))
    tell_counted(storm)
    assert [one.is_flood for one in channel.told] == [False] * 5 + [True] * 5
    assert {one.at for one in channel.told} == {clock.now}
    assert storm.stats().delivered == 5000


def test_each_line_says_the_exact_count_of_its_kind(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    five_alone(storm)
    made = {word(number): number * number + 1 for number in range(9)}
    for kind, number in made.items():
        for _ in range(number):
            storm.collector.take(record(f"waits {kind}"))
    pass_time(storm, clock, 4)
    (message,) = shared(channel)
    lines = [line for line in message.text.split("\n") if "waits" in line]
    counts = {re.findall(r"waits (\w+)", line)[0]: re.findall(r"× (\d+)", line) for line in lines}
    assert counts == {kind: [str(number)] if number > 1 else [] for kind, number in made.items()}
    assert message.first_line.startswith(f"🔴 {sum(made.values())} alerts of 9 kinds")
    assert storm.stats().pending == 0


def test_digests_share_a_message_too(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for _ in range(7):
        for number in range(8):
            storm.collector.take(record(f"broken {word(number)}"))
        pass_time(storm, clock, 5)
    pass_time(storm, clock, 60)
    digests = [one for one in shared(channel) if "× 6, 7 in all" in one.text]
    assert digests
    pass_time(storm, clock, 3600)
    stats = storm.stats()
    assert (stats.delivered, stats.merged, stats.pending) == (8, 48, 0)
    assert sum(one.count for one in channel.told) == 56


def test_one_that_is_refused_costs_those_that_share_its_message_nothing(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    five_alone(storm)
    channel.refuses = lambda text: REFUSED if "poison" in text else None
    for number in range(20):
        storm.collector.take(record("poison" if number == 7 else f"waits {word(number)}"))
    pass_time(storm, clock, 300)
    stats = storm.stats()
    assert (stats.delivered, stats.dropped, stats.pending) == (24, {"rejected": 1}, 0)
    told = "\n".join(one.text for one in channel.told)
    assert [number for number in range(20) if number != 7 and f"waits {word(number)}" not in told] == []
    alone = [text for text in channel.tried if "poison" in text and "waits" not in text]
    assert len(alone) == 1
    assert sum("lost since the last message: 1 rejected" in one.text for one in channel.told) == 1


def test_one_that_was_refused_with_others_joins_no_message_any_more(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    five_alone(storm)
    channel.refuses = lambda text: REFUSED if "poison" in text else None
    for number in range(10):
        storm.collector.take(record("poison" if number == 7 else f"waits {word(number)}"))
    pass_time(storm, clock, 4)
    for number in range(10):
        storm.collector.take(record(f"urgent {word(number)}", level=logging.CRITICAL))
    pass_time(storm, clock, 300)
    tried = [text for text in channel.tried if "poison" in text]
    assert [text.count("\n") > 6 for text in tried] == [True, False]
    assert not any("urgent" in text for text in tried)
    stats = storm.stats()
    assert (stats.delivered, stats.dropped, stats.pending) == (24, {"rejected": 1}, 0)


def test_repeats_of_one_that_is_refused_are_lost_with_their_number(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    five_alone(storm)
    channel.refuses = lambda text: REFUSED if "poison" in text else None
    for number in range(30):
        storm.collector.take(record(f"waits {word(number % 3)}"))
        storm.collector.take(record("poison"))
    pass_time(storm, clock, 300)
    stats = storm.stats()
    assert (stats.delivered, stats.merged, stats.dropped, stats.pending) == (8, 27, {"rejected": 30}, 0)
    assert sum(one.count for one in channel.told) == 35


@pytest.mark.parametrize(
    "error",
    [
        errors.ConnectError("scripted"),
        errors.RequestTimeout("scripted"),
        errors.ServerBusyError(-1, "scripted", retryable=True),
        errors.RateLimitedError(45009, "scripted", retryable=True, retry_after_s=60.0),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.case("W16")
def test_a_shared_message_is_sent_again_byte_for_byte_whatever_comes_meanwhile(
    storm: Pipeline, channel: Recorder, clock: Clock, error: Exception
) -> None:
    five_alone(storm)
    for number in range(9):
        storm.collector.take(record(f"waits {word(number)}"))
    channel.error = error
    pass_time(storm, clock, 4)
    (first,) = channel.tried[5:]
    for number in range(9):
        storm.collector.take(record(f"waits {word(number)}"))
        storm.collector.take(record(f"comes later {word(number)}", level=logging.WARNING))
        pass_time(storm, clock, 1)
    channel.error = None
    pass_time(storm, clock, 120)
    assert [one.text for one in channel.told].count(first) == 1
    assert channel.tried.count(first) >= 2
    assert not [text for text in channel.tried if text != first and "waits" in text and "in all" not in text]
    pass_time(storm, clock, 3600)
    assert sum(one.count for one in channel.told) == settled(storm.stats()) == storm.stats().accepted == 5 + 27
    assert storm.stats().dropped == {}


def test_repeats_whose_first_was_pushed_out_disturb_no_message_that_others_share(
    channel: Recorder, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    storm = pipeline(channel, clock, rules=BOT_RULES, max_pending=5)
    storm._worker.nudge = lambda: None  # its turns are made here
    five_alone(storm)
    for _ in range(2):
        storm.collector.take(record("pushed out", line=2))
    turn(storm)
    storm.collector.take(record("urgent", level=logging.CRITICAL, line=3))
    for line in range(4, 8):
        storm.collector.take(record("told with it", line=line))
    pass_time(storm, clock, 60)
    (told,) = shared(channel)
    assert "urgent" in told.text
    assert told.text.count("told with it") == 4
    stats = storm.stats()
    assert (stats.delivered, stats.pending, stats.dropped) == (10, 0, {"queue_overflow": 2})
    assert "could not be made into a message" not in capfd.readouterr().err


def test_a_digest_of_which_half_the_wait_is_over_goes_with_one_that_is_due(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    """It is counted as told in time: the next comes after twice the wait."""
    began = clock.now

    def fails(*names: str) -> None:
        for name in names:
            storm.collector.take(record(f"{name} failed %d", 1))

    fails("disk")
    pass_time(storm, clock, 20)
    fails("network", "disk")
    pass_time(storm, clock, 25)
    fails("power", "network")
    pass_time(storm, clock, 10)
    fails("power", "network", "disk")
    pass_time(storm, clock, 590)
    told = [
        (one.at - began, one.is_shared, [name for name in ("disk", "network", "power") if name in one.text])
        for one in channel.told
    ]
    assert told == [
        (0, False, ["disk"]),
        (20, False, ["network"]),
        (45, False, ["power"]),
        (60, True, ["disk", "network"]),
        (105, False, ["power"]),
    ]
    assert sum(one.count for one in channel.told) == storm.stats().accepted == 8
    fails("network")
    pass_time(storm, clock, 60)
    assert next(one for one in reversed(channel.told) if not one.is_closing).at - began == 645


def test_own_recipients_share_no_message_with_others(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    five_alone(storm)
    for number in range(30):
        who = ("amy", "bob", None)[number % 3]
        more = {"wecom": {"users": [who]}} if who else {}
        storm.collector.take(record(f"for {who} {word(number)}", line=number, **more))
    pass_time(storm, clock, 60)
    for one in shared(channel):
        names = set(re.findall(r"for (\w+) x", one.text))
        assert names == {one.recipients.users[0] if one.recipients else "None"}
    assert storm.stats().pending == 0


def test_without_a_limit_what_waits_is_shared_and_goes_at_once(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, rules=())
    began = clock.now
    for number in range(500):
        storm.collector.take(record(f"broken {word(number)}"))
    turn(storm)
    assert {one.at for one in channel.told} == {began}
    assert [one.is_shared for one in channel.told[:6]] == [False] * 5 + [True]
    assert len(channel.told) < 40
    assert sum(one.count for one in channel.told) == 500
