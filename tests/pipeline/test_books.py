"""The books, whatever happens in whatever order: records, time, faults, flushes, ends. And that losses are told."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from wecom_logging import errors
from wecom_logging._answers.command import Command
from wecom_logging._answers.desk import Desk
from wecom_logging._capture import tally as groups
from wecom_logging._delivery.options import Target
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging.model import Stats

from ..programs import Clock, until, word
from ..storms import BOT_RULES, Recorder, Told, pass_time, pipeline, record, settled, tell_counted, turn

FAULTS: dict[str, Exception] = {
    "network": errors.ConnectError("scripted"),
    "timeout": errors.RequestTimeout("scripted"),
    "rate limit": errors.RateLimitedError(45009, "scripted", retryable=True, retry_after_s=60.0),
    "busy": errors.ServerBusyError(-1, "scripted", retryable=True),
    "wrong configuration": errors.PermissionDeniedError(48002, "scripted"),
    "refused": errors.InvalidMessageError(40058, "scripted"),
    "unknown errcode": errors.APIError(999_999, "scripted"),
    "a defect of ours": RuntimeError("scripted"),
}
POISON = word(0)
WHO = ({}, {"users": ["amy"]}, {"users": ["bob"]})
LEVELS = (logging.WARNING, logging.ERROR, logging.CRITICAL)
A_DAY = 25 * 3600.0


class Life:
    """A pipeline, and what a test knows of it."""

    def __init__(self, channel: Recorder, clock: Clock, fallback: Callable[[], Target] | None) -> None:
        self.pipeline: Pipeline = pipeline(channel, clock, rules=BOT_RULES, max_pending=5, fallback=fallback)
        self.pipeline._worker.nudge = lambda: None  # its turns are made here
        self.made = self.reported = 0
        self.before = Stats()
        self.given_up = False

    def take(self, made: logging.LogRecord) -> None:
        self.pipeline.collector.take(made)
        self.made += 1

    def check(self) -> None:
        stats, before = self.pipeline.stats(), self.before
        assert stats.accepted == self.made
        assert stats.accepted == settled(stats) + stats.pending
        assert stats.pending >= 0
        for number in ("accepted", "delivered", "merged", "handed_over"):
            assert getattr(stats, number) >= getattr(before, number)
        assert all(stats.dropped.get(reason, 0) >= number for reason, number in before.dropped.items())
        assert not (self.given_up and stats.pending)
        self.before = stats


class Elsewhere(logging.Handler):
    """A fallback of another kind, which keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    @property
    def told(self) -> int:
        return sum(Told(0, text).count for text in self.texts)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


class BooksMachine(RuleBasedStateMachine):
    """One channel, one handler after another, and anything that can happen to them."""

    has_fallback = False

    @initialize()
    def start(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(groups, "MAX_TALLIES", 6)
        self.clock = Clock(0.0)
        self.channel = Recorder(self.clock)
        self.elsewhere = Elsewhere()
        self.lives: list[Life] = []
        self.begin_anew()
        self.error = ValueError("it broke")

    def begin_anew(self) -> None:
        fallback = (lambda: Target(self.elsewhere)) if self.has_fallback else None
        self.lives.append(Life(self.channel, self.clock, fallback))

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @rule(
        number=st.integers(1, 4),
        kind=st.integers(0, 3),
        level=st.sampled_from(LEVELS),
        who=st.sampled_from(WHO),
        worker_looks=st.booleans(),
    )
    def log(self, number: int, kind: int, level: int, who: dict[str, Any], worker_looks: bool) -> None:
        for count in range(number):
            more = {"wecom": who} if who else {}
            self.life.take(record(f"{word(kind)} failed %d", count, level=level, line=kind, **more))
        if worker_looks:
            turn(self.life.pipeline)

    @rule(level=st.sampled_from(LEVELS), line=st.integers(1, 2), anew=st.booleans())
    def log_one_exception(self, level: int, line: int, anew: bool) -> None:
        if anew:
            self.error = ValueError("it broke")
        self.life.take(record("reported", level=level, line=line, error=self.error))
        self.life.reported += 1

    @rule(number=st.integers(6, 20), level=st.sampled_from(LEVELS), begin=st.integers(10, 100))
    def log_more_than_may_wait(self, number: int, level: int, begin: int) -> None:
        for kind in range(begin, begin + number):
            self.life.take(record(f"{word(kind)} overflows", level=level))

    @rule(names=st.lists(st.integers(0, 40), min_size=1, max_size=12), level=st.sampled_from(LEVELS))
    def log_names(self, names: list[int], level: int) -> None:
        """Of a user each: apart while they are few, then kinds of one incident."""
        for name in names:
            self.life.take(record(f"user {word(name)} is not known here", level=level, created=self.clock.now))

    @rule()
    def the_worker_looks(self) -> None:
        for life in self.lives:
            turn(life.pipeline)

    @rule(seconds=st.sampled_from([1.0, 4.0, 15.0, 59.0, 60.0, 300.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        ends = self.clock.now + seconds
        while self.clock.now + (wait := min(turn(life.pipeline) for life in self.lives)) <= ends:
            self.clock.now += wait
        self.clock.now = ends

    @rule()
    def the_machine_sleeps_for_a_day(self) -> None:
        self.clock.now += A_DAY

    @rule(fault=st.sampled_from(sorted(FAULTS)))
    def something_is_wrong(self, fault: str) -> None:
        self.channel.error = FAULTS[fault]

    @rule()
    def all_is_well(self) -> None:
        self.channel.error = None
        self.channel.refuses = lambda text: None

    @rule()
    def one_kind_is_refused(self) -> None:
        self.channel.refuses = lambda text: FAULTS["refused"] if f"{POISON} " in text else None

    @rule()
    def flush(self) -> None:
        job = self.life.pipeline
        tell_counted(job)
        job.draining = True
        turn(job)
        job.draining = False

    @rule(
        place=st.integers(0, 9),
        verb=st.sampled_from(["take", "quiet", "done", "undo"]),
        length_s=st.sampled_from([60.0, 3600.0]),
    )
    def somebody_answers(self, place: int, verb: str, length_s: float) -> None:
        rows = self.life.pipeline.place.rows(place + 1)
        desk = Desk(lambda: [self.life.pipeline.place], time_s=self.clock)
        if rows:
            reply = desk.do(Command(verb, rows[-1][1].short_id, length_s), "Li", "chat")
            assert reply.why in ("", "other", "nothing", "over", "unknown")

    @rule()
    def close(self) -> None:
        self.life.pipeline.close()
        self.begin_anew()

    @rule(number=st.integers(1, 3))
    def log_to_one_that_is_closed(self, number: int) -> None:
        for life in self.lives[:-1]:
            if not life.pipeline.collector.closed:
                continue
            before = life.pipeline.stats().dropped.get("closed", 0)
            for _ in range(number):
                life.take(record("too late"))
            assert life.pipeline.stats().dropped["closed"] == before + number

    @rule(closed=st.booleans())
    def the_program_ends(self, closed: bool) -> None:
        self.life.pipeline.end()
        if not self.channel.error:
            self.flush()
        if closed:
            self.life.pipeline.close()
        self.give_up(self.life)
        self.begin_anew()

    @rule(number=st.integers(1, 3))
    def log_after_the_end(self, number: int) -> None:
        """In an atexit function, say: it is lost at once."""
        for life in self.lives[:-1]:
            if life.given_up:
                life.given_up = False
                for _ in range(number):
                    life.take(record("very late"))
                self.give_up(life)

    def give_up(self, life: Life) -> None:
        before = life.pipeline.stats()
        lost = life.pipeline.give_up()
        after = life.pipeline.stats()
        pushed_out = after.dropped.get("queue_overflow", 0) - before.dropped.get("queue_overflow", 0)
        assert lost == after.dropped.get("exit_timeout", 0) - before.dropped.get("exit_timeout", 0)
        assert 0 <= before.pending - lost - pushed_out <= life.reported  # duplicate reports are merged without a word
        life.given_up = True

    @invariant()
    def books_are_right(self) -> None:
        for life in self.lives:
            life.check()
        stats = [life.pipeline.stats() for life in self.lives]
        told = sum(one.count for one in self.channel.told)
        # Duplicate reports of an exception are merged without a word.
        assert 0 <= sum(one.delivered + one.merged for one in stats) - told <= sum(life.reported for life in self.lives)
        handed_over = sum(one.handed_over for one in stats)
        assert 0 <= handed_over - self.elsewhere.told <= sum(life.reported for life in self.lives)

    def teardown(self) -> None:
        if not hasattr(self, "patch"):
            return
        self.patch.undo()
        self.all_is_well()
        for life in self.lives:
            pass_time(life.pipeline, self.clock, 2 * 3600.0)
            life.check()
            assert life.pipeline.stats().pending == 0


def test_a_duplicate_report_while_its_message_is_tried_again_is_told_with_it() -> None:
    machine = BooksMachine()
    machine.start()
    machine.log_one_exception(level=30, line=1, anew=False)
    machine.something_is_wrong(fault="busy")
    machine.flush()
    machine.log_one_exception(level=30, line=1, anew=False)
    machine.all_is_well()
    machine.time_passes(seconds=15.0)
    assert machine.life.pipeline.stats().pending == 0
    machine.teardown()


class BooksMachineWithFallback(BooksMachine):
    """The same where what is refused goes to another handler."""

    has_fallback = True


class TestBooks(BooksMachine.TestCase):
    settings = settings(max_examples=25, stateful_step_count=30)


class TestBooksWithFallback(BooksMachineWithFallback.TestCase):
    settings = settings(max_examples=25, stateful_step_count=30)


@pytest.mark.slow
class TestBooksAtLength(BooksMachine.TestCase):
    settings = settings(max_examples=200, stateful_step_count=30)


@pytest.mark.slow
class TestBooksWithFallbackAtLength(BooksMachineWithFallback.TestCase):
    settings = settings(max_examples=200, stateful_step_count=30)


def test_a_shared_message_that_is_pushed_out_is_lost_with_all_that_stand_in_it(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, rules=BOT_RULES, max_pending=5)
    for number in range(5):
        storm.collector.take(record(f"alone {word(number)}"))
    turn(storm)
    channel.error = FAULTS["network"]
    for number in range(5):
        storm.collector.take(record(f"shared {word(number)}"))
    pass_time(storm, clock, 5)
    assert "5 alerts of 5 kinds" in channel.tried[-1]
    for number in range(5):
        storm.collector.take(record(f"new {word(number)}"))
    turn(storm)
    assert (storm.stats().dropped, storm.stats().pending) == ({"queue_overflow": 5}, 5)
    channel.error = None
    pass_time(storm, clock, 60)
    assert (storm.stats().delivered, storm.stats().pending) == (10, 0)


def test_a_message_that_was_kept_says_nothing_of_what_opens_its_key_once_more(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock)
    for number in range(5):
        storm.collector.take(record("disk full"))
        if not number:
            turn(storm)
    pass_time(storm, clock, 120)
    channel.error = FAULTS["network"]
    pass_time(storm, clock, 900)
    assert "quiet for" in channel.tried[-1]
    key = storm.leader.book.rows()[0].opening.key
    storm.leader.book.drop(key)  # as one that makes room
    storm.leader.inbox.over(key)
    storm.collector.take(record("disk full"))
    channel.error = None
    pass_time(storm, clock, 90_000)
    assert [one.total for one in channel.told] == [1, 5, 1]
    assert (storm.stats().accepted, storm.stats().pending) == (6, 0)
    assert settled(storm.stats()) == 6


def test_of_two_threads_that_give_up_at_once_each_counts_what_it_has_lost(
    channel: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    storm = pipeline(channel, clock)
    for number in range(3):
        storm.collector.take(record(word(number)))
    lock, asked = storm.leader.lock, []

    class Watched:
        release, __enter__, __exit__ = lock.release, lock.__enter__, lock.__exit__

        def acquire(self, timeout: float) -> bool:
            asked.append(timeout)
            return lock.acquire(timeout=timeout)

    monkeypatch.setattr(storm.leader, "lock", Watched())
    with ThreadPoolExecutor(2) as pool:
        with lock:
            giving_up = [pool.submit(storm.give_up) for _ in range(2)]
            until(lambda: len(asked) == 2)
        assert sum(one.result() for one in giving_up) == storm.stats().dropped["exit_timeout"] == 3


def test_a_fallback_is_told_why_also_where_the_defect_is_ours(channel: Recorder, clock: Clock) -> None:
    elsewhere = Elsewhere()
    storm = pipeline(channel, clock, fallback=lambda: Target(elsewhere))
    channel.error = FAULTS["a defect of ours"]
    storm.collector.take(record())
    turn(storm)
    assert storm.stats().handed_over == 1
    assert "fallback: test could not deliver it: it could not be made into a message" in elsewhere.texts[0]


@pytest.mark.parametrize("has_fallback", [False, True])
def test_what_becomes_of_an_alert_is_said_before_the_books_have_it(
    channel: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch, has_fallback: bool
) -> None:
    """A program that waits for its books, and ends then, has shown why."""
    said: list[tuple[str, int]] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            said.append((text, storm.stats().pending))
            return len(text)

    storm = pipeline(channel, clock, fallback=(lambda: Target(Elsewhere())) if has_fallback else None)
    channel.error = FAULTS["refused"]
    monkeypatch.setattr("sys.stderr", Stream())
    storm.collector.take(record())
    turn(storm)
    ((text, pending),) = said
    assert ("went to the fallback" if has_fallback else "was refused") in text
    assert (pending, storm.stats().pending) == (1, 0)


def notes(channel: Recorder) -> list[str]:
    """What each message says of losses."""
    return [line for one in channel.told for line in one.text.split("\n") if "lost since the last message" in line]


def overflow(storm: Pipeline, channel: Recorder, begin: int, number: int) -> None:
    """Let so many come that only five of them find room, while nothing can be sent."""
    channel.error = FAULTS["network"]
    for kind in range(begin, begin + number):
        storm.collector.take(record(f"{word(kind)} failed"))
    turn(storm)
    channel.error = None


def test_losses_are_told_once_in_the_next_message_that_gets_through(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, max_pending=5)
    overflow(storm, channel, 0, 12)
    pass_time(storm, clock, 30)
    assert len(channel.told) == 5
    assert notes(channel) == ["lost since the last message: 7 queue_overflow"]
    assert notes(channel)[0] in channel.told[0].text
    overflow(storm, channel, 100, 8)
    pass_time(storm, clock, 30)
    assert notes(channel)[1:] == ["lost since the last message: 3 queue_overflow"]
    assert storm.stats().dropped == {"queue_overflow": 10}


def test_losses_that_a_refused_message_would_have_told_stand_in_the_next(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, max_pending=5)
    channel.refuses = lambda text: FAULTS["refused"] if "CRITICAL" in text else None
    storm.collector.take(record("never seen", level=logging.CRITICAL))
    overflow(storm, channel, 0, 9)
    pass_time(storm, clock, 30)
    assert notes(channel) == ["lost since the last message: 5 queue_overflow, 1 rejected"]
    assert storm.stats().dropped == {"queue_overflow": 5, "rejected": 1}


def test_what_expired_is_told(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock)
    channel.error = FAULTS["network"]
    for number in range(3):
        storm.collector.take(record(f"{word(number)} failed"))
    turn(storm)
    clock.now += A_DAY
    turn(storm)
    channel.error = None
    storm.collector.take(record("another failure", line=2))
    pass_time(storm, clock, 30)
    assert "lost since the last message: 3 expired" in channel.told[0].text
    pass_time(storm, clock, 2 * 3600)
    assert (storm.stats().dropped, storm.stats().pending) == ({"expired": 3}, 0)
    assert len(notes(channel)) == 1


def test_losses_stand_in_a_shared_message_too(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, rules=BOT_RULES, max_pending=50)
    for number in range(5):
        storm.collector.take(record(f"alone {word(number)}"))
    turn(storm)
    for number in range(80):
        storm.collector.take(record(f"waits {word(number)}"))
    pass_time(storm, clock, 60)
    assert "alerts of" in channel.told[5].first_line
    assert "lost since the last message: 30 queue_overflow" in channel.told[5].text
    assert len(notes(channel)) == 1


def test_a_group_that_lost_its_first_to_others_is_told_when_it_comes_again(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, max_pending=2)
    channel.error = FAULTS["network"]
    for number in range(6):
        for _ in range(4):
            storm.collector.take(record(f"{word(number)} failed"))
    turn(storm)
    stats = storm.stats()
    assert (stats.accepted, stats.dropped["queue_overflow"], stats.pending) == (24, 16, 8)
    channel.error = None
    pass_time(storm, clock, 60)
    storm.collector.take(record(f"{word(1)} failed"))
    pass_time(storm, clock, 60)
    told = [one for one in channel.told if f"{word(1)} failed" in one.text]
    assert [(one.count, one.total) for one in told] == [(1, 1)]
    assert sum(one.count for one in channel.told) == 9


def test_the_exit_says_how_many_were_pushed_out_in_all_also_soon_after_an_earlier_line(
    channel: Recorder, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    storm = pipeline(channel, clock, rules=BOT_RULES, max_pending=5)
    channel.error = FAULTS["network"]
    for number in range(20):
        storm.collector.take(record(f"alone {word(number)}"))
    turn(storm)
    assert "15 alerts are lost so far" in capsys.readouterr().err
    for number in range(20, 30):
        storm.collector.take(record(f"alone {word(number)}"))
    storm.give_up()
    assert "25 alerts are lost in all: more waited than max_pending allows" in capsys.readouterr().err
