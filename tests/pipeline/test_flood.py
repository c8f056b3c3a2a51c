"""More kinds than three messages can hold: a summary and a file, one a minute; and what becomes of them otherwise."""

from __future__ import annotations

import itertools
import logging
import re
from typing import Any

import pytest

from wecom_logging import errors
from wecom_logging._delivery.pipeline import Pipeline

from ..programs import Clock, word
from ..storms import BOT_RULES, Recorder, Told, pass_time, pipeline, record, settled, tell_counted, turn

REFUSED = errors.InvalidMessageError(40058, "scripted")


@pytest.fixture
def storm(channel: Recorder, clock: Clock) -> Pipeline:
    return pipeline(channel, clock, rules=BOT_RULES)


def flood(storm: Pipeline, number: int, *, begin: int = 0, level: int = logging.ERROR) -> None:
    for kind in range(begin, begin + number):
        storm.collector.take(record(f"broken {word(kind)}", level=level))


def floods(channel: Recorder) -> list[Told]:
    return [one for one in channel.told if one.is_flood]


def kinds_told(channel: Recorder) -> list[str]:
    """Each kind once for each time that it was told."""
    texts = [one.text for one in channel.told if not one.is_flood] + [
        row["what"] for one in floods(channel) for row in one.rows
    ]
    return [name for text in texts for name in text.replace("\n", " ").split() if name.startswith("x")]


@pytest.mark.slow
def test_two_thousand_errors_in_four_minutes_are_a_handful_of_messages(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(2000):
        storm.collector.take(record(f"broken {word(number)}"))
        pass_time(storm, clock, 0.12)
    pass_time(storm, clock, 300)
    stats = storm.stats()
    assert (stats.accepted, stats.delivered, stats.pending, stats.dropped) == (2000, 2000, 0, {})
    assert sum(one.count for one in channel.told) == 2000
    assert {*kinds_told(channel)} >= {word(number) for number in range(2000)}
    assert len(channel.told) + len(channel.summaries) <= 22
    assert all(after.at - before.at >= 60 for before, after in itertools.pairwise(floods(channel)))


@pytest.mark.parametrize("number", [30, 120])
def test_each_that_a_message_tells_has_its_id(storm: Pipeline, channel: Recorder, clock: Clock, number: int) -> None:
    flood(storm, number)
    pass_time(storm, clock, 30)
    shown = {name for one in channel.told for name in re.findall(r"#(\w+)", one.text)}
    shown |= {row["id"].lstrip("#") for one in floods(channel) for row in one.rows}
    assert shown == {one.short_id for one in storm.incidents()}
    assert len(shown) == number


def test_the_summary_says_how_many_since_when_the_worst_and_from_where(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    flood(storm, 5)
    turn(storm)
    for number in range(5, 205):
        for _ in range(number % 50 + 1):
            storm.collector.take(
                record(f"broken {word(number)}", level=logging.WARNING if number % 2 else logging.ERROR)
            )
    pass_time(storm, clock, 4)
    (told,) = floods(channel)
    assert told.first_line.startswith(f"🔴 {told.count} alerts of 200 kinds")
    assert told.count == 4 * sum(range(1, 51))
    assert len(told.rows) == 200
    assert sum(int(row["count"]) for row in told.rows) == told.count
    lines = told.text.split("\n")
    assert lines[1].startswith("since ")
    assert lines[2] == f"from shop × {told.count}"
    worst = [line for line in lines if "broken" in line]
    assert len(worst) == 10
    assert all("ERROR × 49" in line for line in worst[:4])
    ids = [row["id"] for row in told.rows]
    assert [line.rsplit(" ", 1)[1] for line in worst] == ids[:10]
    assert len(set(ids)) == 200


def test_a_fresh_critical_goes_by_itself_amid_a_flood(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    flood(storm, 500)
    pass_time(storm, clock, 10)
    assert floods(channel)
    flood(storm, 500, begin=500)
    pass_time(storm, clock, 10)
    storm.collector.take(record("urgent", level=logging.CRITICAL))
    came = clock.now
    pass_time(storm, clock, 5)
    (seen,) = (one for one in channel.told if "urgent" in one.text)
    assert seen.at - came <= 4
    assert "broken" not in seen.text
    assert len(floods(channel)) == 1
    pass_time(storm, clock, 600)
    assert storm.stats().delivered == sum(one.count for one in channel.told) == 1001


def test_what_is_critical_goes_before_a_flood_that_begins(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    flood(storm, 5)
    turn(storm)
    flood(storm, 300, begin=5)
    storm.collector.take(record("urgent", level=logging.CRITICAL))
    pass_time(storm, clock, 4)
    assert channel.told[-1].text.startswith("🚨 CRITICAL")
    assert "broken" not in channel.told[-1].text
    pass_time(storm, clock, 4)
    assert channel.told[-1].is_flood


def test_after_a_flood_the_few_that_come_are_told_as_ever(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    flood(storm, 500)
    pass_time(storm, clock, 10)
    assert floods(channel)
    for number in range(5):
        storm.collector.take(record(f"after it {word(number)}"))
        came = clock.now
        pass_time(storm, clock, 5)
        assert channel.told[-1].at - came <= 4
        assert f"after it {word(number)}" in channel.told[-1].text


@pytest.mark.slow
@pytest.mark.parametrize("error", [REFUSED, errors.ConnectError("scripted"), errors.PermissionDeniedError(48002, "x")])
def test_where_the_upload_fails_messages_are_shared(
    storm: Pipeline, channel: Recorder, clock: Clock, error: Exception
) -> None:
    channel.no_files = error
    flood(storm, 400)
    pass_time(storm, clock, 240)
    assert not floods(channel)
    assert not channel.summaries
    assert storm.stats().delivered == sum(one.count for one in channel.told) == 400
    assert sorted(kinds_told(channel)) == sorted(map(word, range(400)))
    channel.no_files = None
    pass_time(storm, clock, 600)
    flood(storm, 400, begin=400)
    pass_time(storm, clock, 60)
    assert floods(channel)


def test_what_stands_in_a_summary_whose_file_is_refused_is_not_told_twice(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    channel.refuses = lambda text: REFUSED if text.startswith("file ") else None
    flood(storm, 400)
    pass_time(storm, clock, 300)
    (summary,) = channel.summaries
    shown = [name for name in summary.split() if name.startswith("x")]
    assert len(shown) == 10
    told = kinds_told(channel)
    assert sorted(told + shown) == sorted(map(word, range(400)))
    assert storm.stats().delivered == 400


def test_a_summary_that_is_refused_costs_nothing(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    channel.refuses = lambda text: REFUSED if "all are in the file" in text else None
    flood(storm, 400)
    pass_time(storm, clock, 300)
    assert sorted(kinds_told(channel)) == sorted(map(word, range(400)))
    stats = storm.stats()
    assert (stats.delivered, stats.dropped, stats.pending) == (400, {}, 0)


def test_a_flood_that_meets_a_broken_network_is_kept_and_uploaded_once(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    channel.refuses = lambda text: errors.ConnectError("scripted") if "all are in" in text and clock.now < 60 else None
    clock.now = 0.0
    flood(storm, 400)
    pass_time(storm, clock, 300)
    (told,) = floods(channel)
    assert len(channel.files) == 1
    assert told.count == len(told.rows)
    assert storm.stats().delivered == sum(one.count for one in channel.told) == 400


@pytest.mark.slow
def test_a_file_has_a_thousand_kinds_and_what_is_more_waits(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    flood(storm, 2500)
    pass_time(storm, clock, 10)
    (told,) = floods(channel)
    assert len(told.rows) == 1000
    assert storm.stats().pending == 1495
    pass_time(storm, clock, 300)
    assert [len(one.rows) for one in floods(channel)] == [1000, 1000, 495]
    assert storm.stats().delivered == 2500


@pytest.mark.slow
def test_each_of_several_recipients_has_a_flood_of_its_own(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for number in range(600):
        storm.collector.take(record(f"broken {word(number)}", wecom={"users": [("amy", "bob")[number % 2]]}))
    pass_time(storm, clock, 60)
    told = floods(channel)
    assert {one.recipients.users for one in told if one.recipients} == {("amy",), ("bob",)}
    for one in told:
        assert one.recipients is not None
        of = {int(one.recipients.users == ("bob",))}
        assert {
            number % 2 for number in range(600) if word(number) in {row["what"].split()[1] for row in one.rows}
        } == of
    assert storm.stats().delivered == 600


def test_repeats_of_a_flood_come_in_the_next_with_their_counts(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    flood(storm, 300)
    pass_time(storm, clock, 10)
    for _ in range(3):
        flood(storm, 300)
    pass_time(storm, clock, 3 * 3600)
    stats = storm.stats()
    assert (stats.delivered, stats.merged, stats.pending) == (300, 900, 0)
    assert sum(one.count for one in channel.told) == 1200
    digest, end = floods(channel)[-2:]
    assert {(row["count"], row["in all"]) for row in digest.rows} == {("3", "4")}
    assert {(row["level"], row["in all"]) for row in end.rows} == {("quiet", "4")}


def test_a_flush_tells_a_flood_at_once(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    flood(storm, 400)
    pass_time(storm, clock, 10)
    flood(storm, 400, begin=400)
    pass_time(storm, clock, 5)
    tell_counted(storm)
    assert storm.stats().pending == 0
    assert len(floods(channel)) == 2


def test_no_cell_is_a_formula_and_each_is_one_short_line(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    bad = ["=HYPERLINK(1)", "+1+1", "-2", "@SUM(1)", "\t=1", "＝1", 'a,b"c\nd', "long " * 400]
    for number in range(300):
        storm.collector.take(record(f"{bad[number % len(bad)]} {word(number)}", line=number))
    pass_time(storm, clock, 30)
    cells = [row["what"] for one in floods(channel) for row in one.rows]
    assert len(cells) > 200
    assert all("\n" not in cell and len(cell.encode()) <= 301 for cell in cells)
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@＝")]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_no_secret_stands_in_a_file(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, rules=BOT_RULES, mask=lambda text: text.replace("hunter2hunter2", "***"))
    for number in range(300):
        storm.collector.take(record(f"login failed {word(number)} password=hunter2hunter2", line=number))
    pass_time(storm, clock, 30)
    assert floods(channel)
    assert b"hunter2" not in b"".join(channel.files)


def test_a_process_that_dies_amid_a_flood_loses_nothing_that_stays_in_memory(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    channel.refuses = lambda text: errors.ConnectError("scripted") if text.startswith("file ") else None
    flood(storm, 400)
    pass_time(storm, clock, 20)
    assert channel.summaries
    lost = storm.give_up()
    stats = storm.stats()
    assert stats.accepted == settled(stats) == 400
    assert stats.dropped == {"exit_timeout": lost}


def test_a_row_changes_amid_a_message_under_the_lock_of_the_exit_alone(
    storm: Pipeline, channel: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def watched(change: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            held.append(storm.leader.lock._is_owned())  # an RLock has it
            return change(*args, **options)

        return call

    for name in ("take", "put", "drop"):
        monkeypatch.setattr(storm.leader.book, name, watched(getattr(storm.leader.book, name)))
    for begin in (0, 5, 40, 340):
        flood(storm, 300 if begin == 40 else 35, begin=begin)
        pass_time(storm, clock, 70)
    assert floods(channel)
    assert storm.stats().delivered == 375
    assert len(held) > 20
    assert all(held)
