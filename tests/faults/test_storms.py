"""Storms from many threads, forked children and whole programs: counts exact to the unit, memory bounded."""

from __future__ import annotations

import gc
import json
import logging
import sys
import textwrap
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from wecom_logging import WeComBotHandler
from wecom_logging._capture import intake, plain
from wecom_logging._capture import tally as groups
from wecom_logging._capture.identity import has_own_word
from wecom_logging._incidents.pattern import pattern
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConnectError

from ..programs import Clock, app_handler, at_best, run, thread_seconds, until, word
from ..scripted import ScriptedWeCom
from ..storms import Recorder, Told, pass_time, pipeline, record, settled, turn

THREADS = 8
EACH = 2500


@pytest.fixture
def _threads_change_all_the_time() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], None], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Let threads work, each with a number of its own, and do something else again and again until they are done."""
    failed: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        meanwhile()
    assert failed == []


def told_in_all(channel: Recorder) -> int:
    return sum(one.count for one in channel.told)


@pytest.mark.slow
@pytest.mark.usefixtures("_threads_change_all_the_time")
@pytest.mark.case("P26")
def test_counts_are_exact_while_time_closes_the_groups(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, window_s=1.0)
    kinds, rounds = 5, 2

    def work(number: int) -> None:
        for count in range(EACH):
            storm.collector.take(record("order %d failed", count, line=count // 100 % kinds))

    def meanwhile() -> None:
        clock.now += 30.0
        turn(storm)
        stats = storm.stats()
        assert stats.pending >= 0
        assert told_in_all(channel) <= stats.accepted

    for _ in range(rounds):
        at_once(work, meanwhile)
        pass_time(storm, clock, 7300)
    stats = storm.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (rounds * THREADS * EACH, 0, {})
    assert told_in_all(channel) == stats.delivered + stats.merged == stats.accepted
    assert stats.delivered >= rounds * kinds


@pytest.mark.slow
@pytest.mark.usefixtures("_threads_change_all_the_time")
@pytest.mark.case("P26")
def test_counts_are_exact_while_a_full_table_closes_the_groups(
    channel: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MAX_TALLIES", 4)
    storm = pipeline(channel, clock, max_pending=1_000_000, max_pending_bytes=10**10)

    def work(number: int) -> None:
        for count in range(EACH // 2):
            if count % 2:
                storm.collector.take(record("order %d failed", count, line=count // 7 % 9))
            else:
                storm.collector.take(record(f"{word(count // 7 % 9)} failed", line=100))

    def meanwhile() -> None:
        clock.now += 1.0
        storm.turn()
        assert storm.stats().pending >= 0

    at_once(work, meanwhile)
    pass_time(storm, clock, 7300)
    stats = storm.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (THREADS * (EACH // 2), 0, {})
    assert told_in_all(channel) == stats.delivered + stats.merged == THREADS * (EACH // 2)
    assert stats.delivered >= 18


@pytest.mark.usefixtures("_threads_change_all_the_time")
@pytest.mark.case("P26")
def test_counts_are_exact_while_alerts_are_pushed_out(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, max_pending=3, window_s=1.0)

    def work(number: int) -> None:
        for count in range(EACH // 2):
            storm.collector.take(record(f"{word(count % 11)} failed", level=logging.ERROR + 10 * (number % 2)))

    def meanwhile() -> None:
        channel.error = None if channel.error else ConnectError("scripted")
        clock.now += 2.0
        storm.turn()

    at_once(work, meanwhile)
    channel.error = None
    pass_time(storm, clock, 7300)
    stats = storm.stats()
    assert (stats.accepted, stats.pending) == (THREADS * (EACH // 2), 0)
    assert set(stats.dropped) == {"queue_overflow"}
    assert told_in_all(channel) + stats.dropped["queue_overflow"] == stats.accepted


@pytest.mark.usefixtures("_threads_change_all_the_time")
@pytest.mark.case("P26")
def test_one_exception_that_many_threads_report_is_counted_by_each(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, window_s=1.0)
    errors = [ValueError(str(number)) for number in range(5)]

    def work(number: int) -> None:
        for count in range(EACH // 2):
            storm.collector.take(record("it broke", error=errors[count % 5], line=number))

    def meanwhile() -> None:
        clock.now += 3.0
        turn(storm)

    at_once(work, meanwhile)
    pass_time(storm, clock, 7300)
    stats = storm.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (THREADS * (EACH // 2), 0, {})
    assert stats.delivered <= told_in_all(channel) <= stats.delivered + stats.merged == stats.accepted


@pytest.mark.usefixtures("_threads_change_all_the_time")
@pytest.mark.case("P26")
def test_what_handlers_are_told_by_real_loggers_arrives_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MAX_TALLIES", 8)
    log = logging.getLogger("test.storms")
    log.propagate = False
    with ScriptedWeCom() as wecom:
        handler = app_handler(wecom.url, rate_limit=None, window=1, max_pending=1_000_000)
        log.addHandler(handler)
        try:

            def work(number: int) -> None:
                for count in range(EACH // 5):
                    log.error("order %d failed", count)
                    log.error("no connection")
                    log.error("%s", word(count // 20 % 20) + " failed")

            def meanwhile() -> None:
                stats = handler.stats()
                assert stats.accepted == settled(stats) + stats.pending
                assert stats.pending >= 0

            at_once(work, meanwhile)
            assert handler.flush(30)
            stats = handler.stats()
            assert (stats.accepted, stats.pending, stats.dropped) == (THREADS * (EACH // 5) * 3, 0, {})
            sent = [json.loads(body) for body in wecom.bodies("/cgi-bin/message/send")]
            texts = [one["text"]["content"] for one in sent if "text" in one]  # the others are files of summaries
            assert sum(Told(0, text).count for text in texts) == stats.accepted
            assert stats.delivered + stats.merged == stats.accepted
        finally:
            log.removeHandler(handler)
            handler.close()


@pytest.mark.parametrize("opened_anew", [False, True], ids=["for good", "and opened anew"])
def test_an_increment_that_meets_a_closed_group_counts_in_the_next(
    channel: Recorder, clock: Clock, opened_anew: bool
) -> None:
    """The group is over between the instant at which a record finds it and that at which it counts."""
    storm = pipeline(channel, clock, window_s=1.0)

    class Slow:
        asked = 0

        def __str__(self) -> str:
            self.asked += 1
            if self.asked == 1:
                pass_time(storm, clock, 20)
                if opened_anew:
                    storm.collector.take(record("%s", "no connection"))
            return "no connection"

    storm.collector.take(record("%s", "no connection"))
    turn(storm)
    storm.collector.take(record("%s", Slow()))
    pass_time(storm, clock, 60)
    made = 3 if opened_anew else 2
    stats = storm.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (made, 0, {})
    assert told_in_all(channel) == stats.delivered + stats.merged == made
    totals = [one.total for one in channel.told if not one.is_closing]
    assert totals == ([1, 1, 2] if opened_anew else [1, 1])


def test_increments_that_meet_a_closed_group_one_after_the_other_count_once_each(
    channel: Recorder, clock: Clock
) -> None:
    storm = pipeline(channel, clock, window_s=1.0)

    class Text:
        """Does something when it is read for the first time."""

        def __init__(self, *steps: Callable[[], object]) -> None:
            self.steps = list(steps)

        def __str__(self) -> str:
            steps, self.steps = self.steps, []
            for step in steps:
                step()
            return "no connection"

    def log(*steps: Callable[[], object]) -> None:
        storm.collector.take(record("%s", Text(*steps)))

    log()
    turn(storm)
    # All three find the group open; the innermost sees its end and the beginning of the next.
    log(
        lambda: log(lambda: log(lambda: pass_time(storm, clock, 20), log), lambda: turn(storm)),
        lambda: turn(storm),
    )
    pass_time(storm, clock, 60)
    stats = storm.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (5, 0, {})
    assert (stats.delivered, stats.merged, told_in_all(channel)) == (2, 3, 5)
    assert [one.total for one in channel.told if not one.is_closing][-1] == 4


def test_what_a_group_inherits_while_its_first_is_being_captured_is_told_after_that(
    channel: Recorder, clock: Clock
) -> None:
    storm = pipeline(channel, clock, window_s=1.0)
    captures, may_go_on = threading.Event(), threading.Event()

    class Title:
        def __str__(self) -> str:
            captures.set()
            assert may_go_on.wait(10)
            return "a title"

    first = record("%s", "no connection", wecom={"title": Title()})
    opens = threading.Thread(target=storm.collector.take, args=(first,))

    class Slow:
        def __str__(self) -> str:
            if not captures.is_set():
                pass_time(storm, clock, 20)
                opens.start()
                assert captures.wait(10)
            return "no connection"

    storm.collector.take(record("%s", "no connection"))
    turn(storm)
    storm.collector.take(record("%s", Slow()))
    pass_time(storm, clock, 5)
    assert len(channel.told) == 1
    may_go_on.set()
    opens.join()
    pass_time(storm, clock, 60)
    stats = storm.stats()
    assert (stats.delivered, stats.merged, stats.pending, stats.dropped) == (2, 1, 0, {})
    assert "a title" in channel.told[1].text
    assert told_in_all(channel) == 3


def test_records_that_meet_a_handler_which_closes_are_told_without_a_wait(channel: Recorder, clock: Clock) -> None:
    """They have passed the door, and find no open group."""
    everybody_is_in = threading.Barrier(4)

    def fingerprint(made: logging.LogRecord) -> str:
        everybody_is_in.wait(10)
        everybody_is_in.wait(10)
        return "mine"

    storm = pipeline(channel, clock, fingerprint=fingerprint)
    threads = [threading.Thread(target=storm.collector.take, args=(record(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    everybody_is_in.wait(10)
    storm.close()
    everybody_is_in.wait(10)
    for thread in threads:
        thread.join()
    turn(storm)
    stats = storm.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (3, 0, {})
    assert told_in_all(channel) == 3


def test_flush_is_not_done_while_what_was_accepted_before_waits_for_its_first() -> None:
    channel = Recorder(time.monotonic)
    storm = pipeline(channel, time.monotonic)
    captures, may_go_on = threading.Event(), threading.Event()

    class Title:
        def __str__(self) -> str:
            captures.set()
            assert may_go_on.wait(20)
            return "a title"

    first = record("no connection", wecom={"title": Title()})
    opens = threading.Thread(target=storm.collector.emit, args=(first,))
    opens.start()
    assert captures.wait(10)
    storm.collector.emit(record(first.msg))
    assert storm.stats().accepted == 1
    assert not storm.flush(0.2)
    may_go_on.set()
    opens.join()
    assert storm.flush(10)
    assert told_in_all(channel) == 2
    storm.close()


def test_what_a_thread_has_made_is_settled_when_its_flush_is_done(sandbox: Sandbox) -> None:
    handler = app_handler(sandbox.url, rate_limit=None)
    unsettled: list[int] = []

    def work(number: int) -> None:
        for count in range(12):
            for _ in range(10):
                handler.handle(record("order %d failed", count, line=count % 3 + number % 2))
            accepted = handler.stats().accepted
            if not handler.flush(20) or settled(handler.stats()) < accepted:
                unsettled.append(count)

    at_once(work, lambda: time.sleep(0.01))
    stats = handler.stats()
    handler.close()
    assert unsettled == []
    assert (stats.accepted, stats.pending, stats.dropped) == (THREADS * 120, 0, {})


@pytest.mark.slow
@pytest.mark.case("L05")
def test_a_critical_amid_ten_thousand_kinds_is_seen_in_the_group_within_ten_seconds(sandbox: Sandbox) -> None:
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url)
    for number in range(10_000):
        handler.handle(record(f"broken {word(number)}", level=logging.WARNING))
    until(lambda: len(sandbox.messages()) >= 6)
    handler.handle(record("urgent", level=logging.CRITICAL, line=2))
    until(lambda: any("urgent" in message["content"] for message in sandbox.messages()), within_s=10)
    handler.close()
    handler._pipeline.give_up()
    assert {call.errcode for call in sandbox.calls} == {0}


def living_groups() -> int:
    gc.collect()
    return sum(type(one) is groups.Tally for one in gc.get_objects())


@pytest.mark.slow
@pytest.mark.parametrize("differ", ["texts", "call sites"])
def test_more_than_a_hundred_thousand_kinds_take_bounded_memory(differ: str) -> None:
    """Also while the worker waits for a better time, and looks at nothing."""
    number, most = 120_000, 1000
    channel = Recorder(time.monotonic)
    channel.error = ConnectError("scripted")
    storm = pipeline(channel, time.monotonic, max_pending=most)
    before, living = living_groups(), 0
    made = record()
    for kind in range(number):
        if differ == "texts":
            made.msg = f"broken {word(kind)}"
        else:
            made.funcName = f"line_{kind}"
        storm.collector.emit(made)
        if kind % 40_000 == 20_000:
            living = max(living, living_groups() - before)
    assert 0 < living <= groups.MAX_TALLIES + 2 * most + plain.MAX_WAITING
    stats = storm.stats()
    assert stats.accepted == number == settled(stats) + stats.pending
    # In memory, and what came while that sorts in a part.
    assert stats.pending <= most + 3 * intake.MAX_QUEUED + plain.MAX_WAITING
    storm.close()
    storm.give_up()
    stats = storm.stats()
    assert (stats.pending, stats.delivered, set(stats.dropped)) == (0, 0, {"queue_overflow", "exit_timeout"})


@pytest.mark.slow
def test_texts_that_were_told_are_not_kept_for_the_comparison(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock)
    tracemalloc.start()
    try:
        for kind in range(40):
            storm.collector.emit(record(f"broken {word(kind)} " + "word " * 100_000))
            turn(storm)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    until(lambda: storm.stats().delivered == 40, within_s=10)  # the worker's thread may have the last one
    assert living_groups() >= 40
    assert kept < 8_000_000  # of twenty million characters


@pytest.mark.parametrize("text", ["a" * 65_536, "%(" * 32_768, "1 " * 32_768], ids=["letters", "signs", "numbers"])
def test_a_hostile_text_is_compared_in_a_moment(text: str) -> None:
    def compare() -> None:
        assert not has_own_word("1 " + text) or text[0] == "a"
        pattern(text)

    # 0.2 ms on a core of its own: a call may take one. What grows with the square of it takes a second and more.
    assert at_best(lambda: thread_seconds(compare), 0.02) <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize("error", [None, ValueError("it broke")], ids=["a text", "an exception"])
def test_a_repeat_wakes_a_worker_that_has_nothing_to_do(error: Exception | None) -> None:
    channel = Recorder(time.monotonic)
    storm = pipeline(channel, time.monotonic, window_s=3.0)
    for number in range(2):
        storm.collector.emit(record("%s", f"no connection {number}", error=ValueError(error) if error else None))
        # Before its end, which would tell it, too, after 30 s.
        until(lambda number=number: told_in_all(channel) == number + 1 and storm.settled(), within_s=28)
    storm.close()


SET_UP = """
import atexit, logging, os, sys, threading, time
from wecom_logging import WeComHandler
handler = WeComHandler(exit_timeout=float(os.environ.get("EXIT_TIMEOUT", "20")), rate_limit=None, window=600)
log = logging.getLogger("program")
log.addHandler(handler)
"""


def counts(sandbox: Sandbox) -> list[int]:
    return [Told(0, message["content"]).count for message in sandbox.messages()]


RSS = """
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""


@pytest.mark.slow
@pytest.mark.case("L01")
def test_a_million_identical_errors_are_three_messages_and_two_mebibytes(sandbox: Sandbox) -> None:
    code = """
    def storm(number):
        for count in range(number):
            log.error("order %d failed", count)
    storm(20_000)
    handler.flush(30)
    before = rss()
    storm(1_000_000)
    grown = rss() - before
    print(grown, handler.flush(30), handler.stats().delivered, handler.stats().merged)
    """
    ended = run(SET_UP + RSS + textwrap.dedent(code), url=sandbox.url)
    grown, *rest = ended.out.split()
    assert rest == ["True", "1", "1019999"], ended.err
    assert int(grown) <= 2 * 1024 * 1024
    assert counts(sandbox) == [1, 19_999, 1_000_000]
    assert "1020000 in all" in sandbox.messages()[-1]["content"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "made",
    ["log.exception('it broke')", "log.error(f'order {count} failed')", "log.error('it broke', exc_info=kept)"],
    ids=["exceptions", "texts", "one exception"],
)
def test_repeats_on_the_long_way_take_no_memory_either(sandbox: Sandbox, made: str) -> None:
    code = f"""
    kept = ValueError("kept")
    def storm(number):
        for count in range(number):
            try:
                raise ValueError(str(count))
            except ValueError:
                {made}
    storm(20_000)
    handler.flush(30)
    before = rss()
    storm(100_000)
    print(rss() - before, handler.flush(30), handler.stats().delivered, handler.stats().merged)
    """
    ended = run(SET_UP + RSS + textwrap.dedent(code), url=sandbox.url)
    grown, *rest = ended.out.split()
    assert rest == ["True", "1", "119999"], ended.err
    assert int(grown) <= 2 * 1024 * 1024
    assert len(sandbox.messages()) <= 3


@pytest.mark.slow
def test_what_threads_count_up_to_the_end_of_a_program_is_told_or_counted_as_lost(sandbox: Sandbox) -> None:
    code = """
    import itertools
    made = itertools.count()
    def at_last():
        stats = handler.stats()
        print(next(made) - stats.accepted, stats.pending, stats.delivered + stats.merged, sum(stats.dropped.values()))
    def work():
        for _ in range(3000):
            next(made)
            log.error("order %s failed", "x")
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    """
    code = "import atexit\natexit.register(lambda: at_last())\n" + SET_UP + textwrap.dedent(code)
    ended = run(code, url=sandbox.url)
    assert ended.out.split() == ["0", "0", "24000", "0"], ended.err
    assert ended.err == ""
    assert sum(counts(sandbox)) == 24_000


@pytest.mark.slow
@pytest.mark.case("P11")
def test_a_program_whose_wecom_is_away_counts_all_repeats_as_lost_at_its_end() -> None:
    code = "import atexit\natexit.register(lambda: print(handler.stats()))\n" + SET_UP
    code += "for n in range(500): log.error('order %d failed', n)\nfor n in range(3): log.error('again')"
    ended = run(code, url="http://127.0.0.1:9", EXIT_TIMEOUT="0.5")
    assert "503 alerts were not sent within exit_timeout" in ended.err
    assert "accepted=503, delivered=0, merged=0" in ended.out
    assert "{'exit_timeout': 503}" in ended.out
    assert "pending=0" in ended.out


@pytest.mark.slow
@pytest.mark.case("P02")
def test_a_forked_child_counts_from_nothing_and_leaves_its_parents_counts_alone(sandbox: Sandbox) -> None:
    code = """
    def storm(number):
        for count in range(number):
            log.error("order %d failed", count)
    storm(100)
    pid = os.fork()
    if pid == 0:
        empty = handler.stats()
        storm(30)
        done = handler.flush(10)
        stats = handler.stats()
        good = done and (empty.accepted, empty.pending) == (0, 0) and (stats.delivered, stats.merged) == (1, 29)
        os._exit(0 if good else 9)
    storm(1000)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    done = handler.flush(10)
    print(status, done, handler.stats().delivered, handler.stats().merged, handler.stats().pending)
    """
    ended = run(SET_UP + textwrap.dedent(code), url=sandbox.url)
    assert ended.out.split() == ["0", "True", "1", "1099", "0"], ended.err
    told = [Told(0, message["content"]) for message in sandbox.messages()]
    assert sorted((one.count, one.total) for one in told) == [(1, 1), (1, 1), (29, 30), (1099, 1100)]


@pytest.mark.slow
def test_children_forked_in_the_middle_of_a_storm_lose_nothing_and_double_nothing(sandbox: Sandbox) -> None:
    code = """
    stop = False
    made = 0
    def storm():
        global made
        while not stop:
            log.error("order %s failed", "x")
            made += 1
    thread = threading.Thread(target=storm)
    thread.start()
    children = []
    for number in range(8):
        pid = os.fork()
        if pid == 0:
            for count in range(50):
                log.error("order %s failed", "x")
            done = handler.flush(20)
            stats = handler.stats()
            os._exit(0 if done and stats.accepted == stats.delivered + stats.merged == 50 else 9)
        children.append(pid)
    statuses = {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children}
    stop = True
    thread.join()
    done = handler.flush(20)
    stats = handler.stats()
    print(*statuses, done, stats.accepted - made, stats.delivered + stats.merged - made, stats.pending)
    """
    ended = run(SET_UP + textwrap.dedent(code), url=sandbox.url, args=("-W", "ignore"))
    assert ended.out.split() == ["0", "True", "0", "0", "0"], ended.err
