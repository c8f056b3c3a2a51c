"""What is told again, and what ends, shares messages over every store; what comes again is known by all."""

from __future__ import annotations

import itertools
import logging
import re
from pathlib import Path

import pytest

from ..programs import word
from ..storms import BOT_RULES, Recorder, pipeline, record
from .conftest import STORES
from .test_one_cause import Time, assert_exact, go_on, states

TEXTS = ("disk full on %d", "no route to the bank %d", "row %d of the import is bad")


@pytest.mark.slow
@pytest.mark.parametrize("kind", STORES)
def test_digests_that_are_due_within_a_round_and_ends_share_messages(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Time(1_000_000.0)
    channel = Recorder(clock)
    with states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        jobs = [pipeline(channel, clock, rules=BOT_RULES, window_s=8.0, shared=one) for one in shared[:1]]
        made = [0]

        def fail(seconds: float) -> None:
            began, due = clock.now, [clock.now + 0.7 * number for number in range(3)]
            while clock.now < began + seconds:
                for number, text in enumerate(TEXTS):
                    if clock.now >= due[number]:
                        jobs[0].collector.take(record(text, made[0], line=number, created=clock.now))
                        due[number] += 0.5
                        made[0] += 1
                go_on(jobs, clock, 0.1)

        def pass_time(seconds: float) -> None:
            for _ in range(int(seconds)):
                go_on(jobs, clock, 1.0)

        began = clock.now
        fail(60.0)
        firsts, digests = channel.told[:3], channel.told[3:]
        assert [one.is_shared for one in firsts] == [False] * 3
        assert [one.is_shared for one in digests] == [True] * len(digests)
        assert [all(text.partition(" %d")[0] in one.text for text in TEXTS) for one in digests] == [True] * len(digests)
        assert 2 <= len(digests) <= 3  # after 8, 24 and 56 seconds
        pass_time(300.0)
        (end,) = channel.told[3 + len(digests) :]
        assert end.is_closing
        assert 60.0 + 80.0 <= end.at - began <= 60.0 + 100.0
        assert end.first_line == "✅ 3 kinds are quiet"
        assert re.findall(r"#\w+", end.text) != []
        fail(4.0)
        again = channel.told[-3:]
        assert ["again, 2nd " in one.first_line for one in again] == [True] * 3
        names = {name for one in firsts for name in re.findall(r"#\w+", one.text)}
        assert {name for one in again for name in re.findall(r"#\w+", one.text)} == names
        assert {one.short_id for one in jobs[0].incidents()} == {name[1:] for name in names}
        pass_time(300.0)
        assert jobs[0].incidents() == []
        assert_exact(jobs, channel, made[0], is_shared=kind != "memory")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_those_that_share_a_message_stand_in_the_order_in_which_they_came_the_most_severe_first(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Time(1_000_000.0)
    channel = Recorder(clock)
    names = [word(number) for number in range(30)]
    with states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        (job,) = [pipeline(channel, clock, rules=BOT_RULES, shared=one) for one in shared[:1]]
        go_on([job], clock, 1.0)  # its state is open
        for number, name in enumerate(names):
            level = logging.CRITICAL if number in (7, 20) else logging.ERROR
            at = clock.now + number / 100
            job.collector.take(record(f"{name} is away", level=level, line=number // 10, created=at))
        job.waits_for()
        for _ in range(20):
            go_on([job], clock, 3.0)
    told = [re.findall(rf"\b({'|'.join(names)}) is away", one.text) for one in channel.told]
    assert len(told) > 1
    assert list(dict.fromkeys(itertools.chain(*told)))[:2] in ([names[7], names[20]], [names[20], names[7]])
    for one in told:
        assert list(dict.fromkeys(one)) == sorted(
            {*one}, key=lambda name: (name not in (names[7], names[20]), names.index(name))
        )


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_at_an_exit_one_message_tells_what_is_left_and_a_state_keeps_what_may_wait(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Time(1_000_000.0)
    channel = Recorder(clock)
    with states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        (job,) = [pipeline(channel, clock, shared=one) for one in shared[:1]]

        def fail(number: int) -> None:
            job.collector.take(record(TEXTS[number], number, line=number, created=clock.now))

        fail(0)
        go_on([job], clock, 30.0)
        fail(1)
        go_on([job], clock, 5.0)
        for number in (0, 1):
            fail(number)
            go_on([job], clock, 2.0)
        fail(2)
        go_on([job], clock, 21.0)  # the wait of the first is over now, not that of the second
        told = len(channel.told)
        job.end()
        job.draining = True
        for _ in range(3):
            go_on([job], clock, 0.5)
        texts = [one.text for one in channel.told[told:]]
        assert [text.count(" in all") for text in texts] == ([2] if kind == "memory" else [1])
