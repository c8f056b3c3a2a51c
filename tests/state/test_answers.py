"""Somebody takes, silences or closes an incident that three processes tell: what is told, and the numbers."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComBotHandler
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._incidents import answered
from wecom_logging._incidents.incident import Incident
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.base import answer
from wecom_logging._state.failover import FailoverStore
from wecom_logging._state.shared import alone
from wecom_logging.model import Answer

from ..programs import Ended, run
from ..storms import CLOCK, Recorder, pipeline, record, settled, turn
from ..valkey_server import Server
from .conftest import SHARED
from .test_one_cause import Time, states


class Jobs:
    """Three processes, or one with its own memory."""

    def __init__(self, jobs: list[Pipeline], channel: Recorder, clock: Time) -> None:
        self.jobs = jobs
        self.channel = channel
        self.clock = clock
        self.made = self.seen = 0

    def log(self, number: int = 1, text: str = "disk full", level: int = logging.ERROR) -> None:
        for _ in range(number):
            self.jobs[self.made % len(self.jobs)].collector.take(record(text, level=level))
            self.made += 1

    def go_on(self, seconds: float = 12.0) -> list[str]:
        """What is told within that time."""
        ends = self.clock.now + seconds
        while self.clock.now < ends:
            for job in self.jobs:
                turn(job)
            self.clock.go(min(6.0, ends - self.clock.now))
        for job in self.jobs:
            turn(job)
        new, self.seen = self.channel.told[self.seen :], len(self.channel.told)
        return [one.text for one in new]

    def say(self, verb: str, who: str = "Li", **more: Any) -> Answer | None:
        """Somebody does it; gives what is in the way."""
        (incident,) = self.open()
        store: FailoverStore = self.jobs[0]._turn.store
        now, at = self.clock.now, self.jobs[0].options.shared.time_s()

        def become(one: Incident) -> Incident:
            after: Incident = getattr(answered, verb)(one, who, "here", now=now, time=at, **more)
            return after

        def ask(any_store: Any) -> Any:
            return answer(
                any_store,
                store.channel,
                incident.key,
                become,
                lambda one: answered.in_the_way(one, verb, who, at),
                now,
            )

        found = store.shared.call(ask) if store.shared.is_up else ask(store.memory)
        other: Answer | None = found.other
        return other

    def open(self) -> list[Any]:
        job: Any = self.jobs[0]
        return job._turn.store.incidents(9) if job.options.shared is not alone else job.leader.book.rows()

    def assert_balance(self) -> None:
        stats = [job.stats() for job in self.jobs]
        assert sum(one.accepted for one in stats) == sum(map(settled, stats)) == self.made
        assert sum(one.pending for one in stats) == 0
        assert all(not one.dropped for one in stats)
        if (shared := self.jobs[0].options.shared) is not alone and shared.is_up:
            books = shared.call(lambda one: one.counters())
            assert (books.counted, books.told) == (self.made, self.made)


@pytest.fixture(params=SHARED)
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Jobs]:
    clock = Time(1_000_000.0)
    channel = Recorder(clock)
    with states(request.param, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        yield Jobs([pipeline(channel, clock, shared=one) for one in shared], channel, clock)


def lines(text: str) -> list[str]:
    return text.split("\n")


@pytest.mark.slow
def test_who_takes_it_is_said_and_then_nothing_is_until_that_ends(jobs: Jobs) -> None:
    jobs.log(3)
    assert len(jobs.go_on()) == 1
    assert jobs.say("taken") is None
    assert [(one.taken_by, one.silent_until) for one in jobs.jobs[0].incidents()] == [("Li", 0.0)]
    (said,) = jobs.go_on()
    name = jobs.open()[0].short_id
    first, quoted, number = lines(said)
    assert re.fullmatch(rf"✋ shop: #{name} taken by Li {CLOCK}, quiet until {CLOCK}", first)
    assert quoted == "│ disk full"
    assert re.fullmatch(rf"#{name} 20\d\d-.* × 2, 3 in all( in 3 processes)?", number)
    for _ in range(10):
        jobs.log(31)
        assert jobs.go_on(150) == []
        for job in jobs.jobs:
            job.draining = True
        assert jobs.go_on(1.0) == []
        assert all(job.is_told(mark) for job in jobs.jobs if (mark := job.waits_for()) is not None)
        for job in jobs.jobs:
            job.draining = False
    (told,) = jobs.go_on(320)
    assert re.match(rf"🔴 ERROR none since {CLOCK}, × 310, 313 in all", lines(told)[0])
    assert re.search(r"^taken by Li \d+ (seconds?|minutes) ago(?: \(claim over\))?, × 310 since$", told, re.M)
    jobs.assert_balance()
    jobs.log(5)
    (told,) = jobs.go_on(3600)[:1]
    assert re.search(r"^taken by Li .* ago(?: \(claim over\))?, × 315 since$", told, re.M)
    closing = jobs.channel.told[-1].text
    assert re.match(r"✅ shop: disk full · quiet for 1\d minutes, (?:× 5 since .*, )?318 in all", closing)
    assert "taken by Li" in closing
    jobs.assert_balance()


ON_A_HOST = """
import sys, time
real = time.time
time.time = lambda: real() + {ahead}
from wecom_logging._cli import main
sys.argv = ["wecom-logging", "incidents", *{words!r}]
sys.exit(main())
"""


@pytest.mark.slow
def test_what_is_in_force_is_so_on_hosts_whose_clocks_differ(sandbox: Sandbox, server: Server) -> None:
    url = f"{server.url}?db=7"  # of which no other test's state has rested a moment ago

    def host(ahead: float, *words: str) -> Ended:
        code = ON_A_HOST.format(ahead=ahead, words=words)
        return run(code, url=sandbox.url, fresh=True, WECOM_STATE=url)

    with closing(WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, state=url)) as handler:
        handler.handle(record("disk full"))
        assert handler.flush(10)
        (incident,) = handler.incidents()
        for li, wang, minutes in ((0.0, 600.0, 5), (-600.0, 0.0, 4)):
            said = host(li, "quiet", incident.short_id, f"{minutes}m", "--as", "Li")
            assert (said.status, said.err) == (0, "")
            other = host(wang, "quiet", incident.short_id, "1m", "--as", "Wang")
            assert (other.status, "was silenced by Li" in other.err) == (1, True)
            (view,) = handler.incidents()
            assert 60 * minutes - 60 < view.silent_until - time.time() <= 60 * minutes


@pytest.mark.slow
def test_a_silence_ends_with_one_digest_and_exact_numbers(jobs: Jobs) -> None:
    jobs.log()
    jobs.go_on()
    jobs.say("silenced", length_s=7200.0)
    (said,) = jobs.go_on()
    assert re.search(rf"#\w+ silenced by Li {CLOCK}, until {CLOCK}$", lines(said)[0])
    assert lines(said)[-1].endswith(" 1 in all")
    (view,) = jobs.jobs[0].incidents()
    assert (view.taken_by, view.silent_until - jobs.jobs[0].options.shared.time_s() > 7000) == ("", True)
    for _ in range(11):
        jobs.log(41)
        assert jobs.go_on(600) == []
    (told,) = jobs.go_on(700)
    assert re.match(r"✅ shop: disk full · quiet for 1\d minutes, × 451 since .*, 452 in all", lines(told)[0])
    assert re.search(rf"^silenced by Li, {CLOCK} to {CLOCK}: × 451$", told, re.M)
    jobs.assert_balance()
    assert jobs.open()[0].answers.now is None


def test_a_silence_in_which_nothing_came_says_so(jobs: Jobs) -> None:
    jobs.log()
    jobs.go_on()
    jobs.say("silenced", length_s=3600.0)
    assert len(jobs.go_on()) == 1
    (told,) = jobs.go_on(4000)
    assert re.match(rf"✅ shop: #\w+ silenced by Li, {CLOCK} to {CLOCK}: nothing came$", lines(told)[0])
    assert [one.ended for one in jobs.open()] == [True]
    assert jobs.jobs[0].incidents() == []
    jobs.assert_balance()


def test_what_comes_after_a_silence_in_which_nothing_came_is_told_within_a_window(jobs: Jobs) -> None:
    jobs.log()
    for _ in range(4):  # its wait is long by now
        jobs.log()
        jobs.go_on(600)
    jobs.say("silenced", length_s=240.0)
    jobs.go_on()
    (told,) = jobs.go_on(240)
    assert lines(told)[0].endswith(": nothing came")
    jobs.log()
    assert jobs.go_on(20) == []
    (told,) = jobs.go_on(50)
    assert lines(told)[0].startswith("🔴 ERROR × 1, 6 in all ")
    jobs.assert_balance()


def test_the_end_of_a_silence_has_what_came_since_it_began(jobs: Jobs) -> None:
    jobs.log()
    jobs.go_on()
    jobs.log(4)
    jobs.go_on(1.5)  # it is counted, in the state too
    jobs.say("silenced", length_s=60.0)
    jobs.log(3)  # before the notice has left
    (said,) = jobs.go_on(24.0)
    assert lines(said)[0].startswith("✋ shop: #")
    assert re.search(r" × 4, 5 in all( in 3 processes)?$", said)
    (told,) = jobs.go_on(60.0)
    assert re.search(r"× 3, 8 in all", lines(told)[0])
    assert re.search(rf"^silenced by Li, {CLOCK}(?: to {CLOCK})?: × 3$", told, re.M)
    jobs.go_on(3600.0)
    jobs.assert_balance()


def test_what_somebody_closes_has_a_line_and_comes_again_as_new(jobs: Jobs) -> None:
    jobs.log(4)
    jobs.go_on()
    jobs.say("done")
    assert jobs.jobs[0].incidents() == []
    (said,) = jobs.go_on()
    assert re.match(rf"✅ shop: #\w+ closed by Li {CLOCK}$", lines(said)[0])
    assert lines(said)[-1].endswith(("× 3, 4 in all", "× 3, 4 in all in 3 processes"))
    assert jobs.go_on(300) == []
    jobs.log(2)
    told = jobs.go_on()
    assert re.match(rf"🔴 ERROR again, 2nd (?:time today|since {CLOCK})(?:, × 2.*)? shop: disk full", lines(told[0])[0])
    assert "\nclosed by Li " in told[0]
    assert "ago, and came again\n" in told[0]
    jobs.go_on(3600)
    assert [(one.answers.now, one.ended) for one in jobs.open()] == [(None, True)]
    jobs.assert_balance()


def test_what_comes_after_somebody_has_closed_it_and_before_all_know_is_new(jobs: Jobs) -> None:
    jobs.log(4)
    jobs.go_on()
    jobs.say("done")
    jobs.clock.go(1.0)
    jobs.log()
    said, told = [*jobs.go_on(), *jobs.go_on(300)]
    assert re.match(rf"✅ shop: #\w+ closed by Li {CLOCK}$", lines(said)[0])
    assert lines(said)[-1].endswith(("× 3, 4 in all", "× 3, 4 in all in 3 processes"))
    assert lines(told)[0].startswith("🔴 ERROR again, 2nd ")
    assert "\nclosed by Li " in told
    jobs.go_on(3600)
    jobs.assert_balance()


def test_what_is_undone_is_told_as_before(jobs: Jobs) -> None:
    jobs.log()
    jobs.go_on()
    jobs.say("taken")
    jobs.go_on()
    other = jobs.say("taken", "Wang")
    assert other is not None
    assert other.who == "Li"
    assert jobs.say("undone", "Wang") is None
    (said,) = jobs.go_on()
    assert re.search(rf"#\w+ claim of Li undone by Wang {CLOCK}; nobody has it now$", lines(said)[0])
    jobs.log(7)
    (told,) = jobs.go_on(70)
    assert lines(told)[0].startswith("🔴 ERROR × 7, 8 in all")
    assert "Li" not in told
    jobs.assert_balance()


def test_what_is_taken_while_it_is_sent_is_told_once(jobs: Jobs) -> None:
    answered = iter([None])

    def amid(text: str) -> None:
        if next(answered, 1) is None:
            jobs.say("taken")

    jobs.channel.refuses = amid
    jobs.log(2)
    told = jobs.go_on()
    assert [lines(text)[0][0] for text in told] == ["🔴", "✋"]
    jobs.log(3)
    assert jobs.go_on(1700) == []
    assert len(jobs.go_on(200)) == 1
    jobs.assert_balance()


def test_a_line_of_somebody_stands_alone_in_its_message(jobs: Jobs) -> None:
    jobs.log()
    jobs.go_on()
    jobs.log(2)
    jobs.say("taken")
    for number in range(40):
        jobs.made += 1
        jobs.jobs[0].collector.take(record(f"another {'abcdefghij'[number % 10]}{'klmn'[number // 10]}", line=number))
    told = [text for text in jobs.go_on(60) if "taken by Li" in text]
    assert [len(lines(text)) for text in told] == [3]
