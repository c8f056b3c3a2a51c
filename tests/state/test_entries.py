"""What a process writes down another can read, whatever a record holds."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wecom_logging._capture.texts import MOST_S
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._incidents import codec, stored
from wecom_logging._incidents.answered import MAX_JOURNAL
from wecom_logging._incidents.incident import Answers, Count, Kept
from wecom_logging._state.entries import dump, load
from wecom_logging._state.shared import Shared
from wecom_logging._state.sqlite import SqliteStore
from wecom_logging._state.takeover import taken_over
from wecom_logging._state.write_ahead import WriteAhead
from wecom_logging.model import Answer
from wecom_logging.model.alert import UNDONE

from ..odd_numbers import NO_NUMBERS, Level, Text, kinds
from ..programs import Clock
from ..storms import Recorder, pipeline, record, turn
from .conftest import Rig, alert

texts = st.one_of(st.text(max_size=20), st.text(st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF), max_size=3))
numbers = st.one_of(
    st.integers(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.decimals(),
    st.booleans(),
    st.none(),
    texts,
    st.sampled_from(
        [*kinds(60).values(), *NO_NUMBERS.values(), Level.SIXTY, Text.SIXTY, 2**31, -(2**31), 2**63, 1e300]
    ),
)
odd = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("levelno", "created", "lineno"), numbers),
        "process": numbers.filter(lambda value: "snan" not in repr(value).lower()),  # it is counted as rejected
        **{
            name: st.one_of(texts, st.just(Text.SIXTY), st.none(), st.integers())
            for name in ("name", "levelname", "processName", "threadName", "pathname", "funcName", "module", "msg")
        },
        "wecom": st.fixed_dictionaries(
            {},
            optional={
                "users": st.lists(numbers, max_size=3),
                "departments": numbers,
                "mention": st.lists(st.one_of(texts, numbers), max_size=3),
                "title": st.one_of(texts, numbers),
                "fields": st.dictionaries(texts, numbers, max_size=3),
                "fingerprint": texts,
            },
        ),
    },
)
keys = itertools.count()


@contextmanager
def a_process(folder: Path, clock: Clock) -> Iterator[tuple[Pipeline, WriteAhead]]:
    write_ahead = WriteAhead(str(folder / "alerts.db"))
    shared = Shared(
        "x", lambda _: SqliteStore(str(folder / "alerts.db"), clock=clock), write_ahead, lambda *_: None, clock
    )
    try:
        yield pipeline(Recorder(clock), clock, shared=shared), write_ahead
    finally:
        shared.close()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=odd, later=st.fixed_dictionaries({}, optional={"created": numbers}))
def test_what_is_written_down_is_read_equal(first: dict[str, Any], later: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        clock, folder = Clock(), Path(name)
        with a_process(folder, clock) as (job, write_ahead):
            made = record("disk full")
            made.__dict__.update(first)
            job.collector.take(made)
            (tally,) = job.collector.tallies
            assert tally.first is not None
            alert = tally.first.alert
            assert load(dump(alert)) == replace(alert, passed=())
            again = record("disk full")  # counted unseen, where the first was plain
            again.__dict__.update(first, **later)
            job.collector.take(again)
            assert abs(tally.last) < MOST_S
            write_ahead.reset_after_fork()  # it is gone
            with a_process(folder, clock) as (other, _):
                shared, said = other.options.shared, list[str]()
                ((channel, count),) = taken_over(shared, clock.now, lambda cause, text: said.append(cause))
                assert said == ["taken over"]
                (left,) = shared.call(lambda store: store.open(channel, 9, [count.key]))
                assert replace(left.first.alert, fields=alert.fields, ours=alert.ours) == alert
            turn(job)
            assert (job.stats().handed_over, job.stats().dropped) == (2, {})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(given={"created": -1})
@given(given=odd)
def test_what_every_store_is_given_it_gives_back(shared: Rig, given: dict[str, Any]) -> None:
    job = pipeline(Recorder(lambda: shared.now), lambda: shared.now)
    made = record("disk full")
    made.__dict__.update(given)
    job.collector.take(made)
    job.collector.plain.identify_all()
    (tally,) = job.collector.tallies
    assert tally.first is not None
    alert = tally.first.alert
    key = f"k{next(keys)}"
    shared.add(Count(key=key, level=tally.level, last=tally.last, first=Kept(alert)))
    (found,) = shared.claim()
    assert (found.key, found.level, found.first.alert) == (key, tally.level, replace(alert, passed=()))
    assert [found.began, found.since, found.last] == pytest.approx([tally.last] * 3, rel=1e-12)  # as Lua writes it
    assert shared.end(found, why="rejected") == [True]
    turn(job)


people = st.builds(
    Answer,
    verb=st.sampled_from(sorted(UNDONE)),
    who=texts,
    where=texts,
    at=st.floats(0, 4e9),
    length_s=st.floats(0, 86_400),
    count=st.integers(0, 2**53),
)


@given(
    st.builds(
        Answers,
        now=st.none() | people,
        before=st.none() | people,
        journal=st.lists(people, min_size=1, max_size=MAX_JOURNAL).map(tuple),
        base=st.integers(0, 2**53),
        take_for_s=st.floats(60, 86_400),
        quiet_limit_s=st.floats(60, 86_400),
    )
)
def test_what_people_did_is_read_equal(answers: Answers) -> None:
    row = stored.opened(Count(key="k", first=Kept(alert())), short_id="", version=1, now=0.0)
    found = codec.load(codec.dump(replace(row, answers=answers)), row.first).answers
    assert found == answers
    assert type(found.quiet_limit_s) is float
