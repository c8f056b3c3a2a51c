"""An exception that says another name each time is one incident for all processes, once one of them has seen many."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wecom_logging._capture.collapse import HANDFUL
from wecom_logging._delivery.pipeline import Pipeline

from ..storms import BOT_RULES, Recorder, pipeline, record
from .conftest import STORES
from .test_one_cause import Time, assert_exact, failure, go_on, states

pytestmark = pytest.mark.slow

NAMES = ["amy", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]


def short_id(text: str) -> str:
    return re.findall(r"#(\w+)", text)[0]


def fail(job: Pipeline, name: str) -> None:
    job.collector.take(record("no session", error=failure(ValueError(f"user {name} is not known"))))


@pytest.mark.parametrize("kind", [one for one in STORES if one != "memory"])
def test_what_is_new_in_another_process_is_one_kind_more(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Time(1_000_000.0)
    channel = Recorder(clock)
    with states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        jobs = [pipeline(channel, clock, rules=BOT_RULES, shared=one) for one in shared]
        for name in NAMES[: HANDFUL + 2]:
            fail(jobs[0], name)
            for _ in range(20):
                go_on(jobs, clock)
        assert sum("is not known" in one.text for one in channel.told) == HANDFUL + 1
        for _ in range(60):
            go_on(jobs, clock, 5.0)
        before = len(channel.told)
        fail(jobs[1], "zoe")
        fail(jobs[2], "joe")
        for _ in range(150):
            go_on(jobs, clock)
        told = channel.told[before:]
        assert len(told) <= 2
        assert {short_id(one.text) for one in told} == {short_id(channel.told[HANDFUL].text)}  # it is the same incident
        text = "\n".join(one.text for one in told)
        assert all(f"user {name} is not known × 1 (new)" in text for name in ("zoe", "joe"))
        assert not any("zoe" in one.text or "joe" in one.text for one in jobs[1].incidents())
        failed = HANDFUL + 4
        for _ in range(200):
            fail(jobs[1], "zoe")
            failed += 1
            go_on(jobs, clock, 10.0)
        assert len(channel.told) <= before + 7
        for _ in range(200):
            go_on(jobs, clock, 30.0)
        assert_exact(jobs, channel, failed, is_shared=True)


@pytest.mark.parametrize("kind", [one for one in STORES if one != "memory"])
def test_what_is_new_is_named_also_where_two_processes_have_seen_many(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Time(1_000_000.0)
    channel = Recorder(clock)
    with states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        jobs = [pipeline(channel, clock, rules=BOT_RULES, shared=one) for one in shared]
        names = [*NAMES[: HANDFUL + 1], *NAMES[:HANDFUL], "zoe"]
        for number, name in enumerate(names):
            jobs[number // (HANDFUL + 1)].collector.take(record(f"the user {name} is not known"))
            for _ in range(20):
                go_on(jobs, clock)
        for _ in range(60):
            go_on(jobs, clock, 5.0)
        assert sum(" ERROR shop: the user" in one.first_line for one in channel.told) == HANDFUL + 1
        assert any("the user zoe is not known × 1 (new)" in one.text for one in channel.told)
        for _ in range(200):
            go_on(jobs, clock, 30.0)
        assert_exact(jobs, channel, len(names), is_shared=True)
