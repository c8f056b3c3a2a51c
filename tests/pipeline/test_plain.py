"""Plain records of new places wait, to be identified by the worker: what comes of them is what came of them before."""

from __future__ import annotations

import logging
import signal
import sys
import textwrap
import threading
from typing import Any

import pytest

from wecom_logging._capture import plain
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConnectError

from ..programs import Clock, app_handler, run, word
from ..storms import Recorder, pipeline, record, turn


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def channel(clock: Clock) -> Recorder:
    return Recorder(clock)


@pytest.fixture
def storm(channel: Recorder, clock: Clock) -> Pipeline:
    return pipeline(channel, clock)


def waiting(storm: Pipeline) -> int:
    return sum(map(len, storm.collector.plain.queues))


def totals(storm: Pipeline) -> list[tuple[str, int]]:
    """How many came of what, once the worker has looked."""
    turn(storm)
    assert storm.waits_for() is not None
    return [(one.text, one.count) for one in storm.incidents()]


def test_equal_texts_are_one_incident_before_the_worker_has_looked(storm: Pipeline, channel: Recorder) -> None:
    for number in range(3):
        storm.collector.take(record(f"order {number} cannot be priced"))
    assert (waiting(storm), len(storm.collector.tallies)) == (3, 0)
    assert (storm.stats().accepted, storm.stats().pending) == (3, 3)
    assert totals(storm) == [("order 0 cannot be priced", 3)]
    assert "order 0" in channel.told[0].text
    storm.draining = True
    turn(storm)
    assert (channel.told[1].count, channel.told[1].total) == (2, 3)
    assert (storm.stats().delivered, storm.stats().merged, storm.stats().pending) == (1, 2, 0)


def test_the_first_stays_the_first_for_who_does_not_wait(storm: Pipeline, channel: Recorder) -> None:
    storm.collector.take(record("disk 1 is full"))
    storm.collector.take(record("disk 2 is full", wecom={"title": "a closer look"}))
    assert totals(storm) == [("disk 1 is full", 2)]
    assert "disk 1" in channel.told[0].text
    assert "a closer look" not in channel.told[0].text


def test_what_was_logged_first_is_told_first(storm: Pipeline, channel: Recorder) -> None:
    storm.collector.take(record("the first", line=1))
    storm.collector.take(record("the second", line=2, error=ValueError("no rate")))
    storm.collector.take(record("the third", line=3))
    turn(storm)
    assert [one.first_line.partition(": ")[2].partition(":")[0] for one in channel.told] == [
        "the first",
        "the second",
        "the third",
    ]


def test_what_changes_after_the_call_is_told_as_it_was(storm: Pipeline, channel: Recorder) -> None:
    names = ["ann"]
    for made in (record("user %s is %s", "bob", 5), record("users %s", names, line=2)):
        storm.collector.take(made)
        made.msg, made.args, made.levelname, made.name = "changed", (), "DEBUG", "other"
    names.append("eve")
    turn(storm)
    assert [one.first_line for one in channel.told] == ["🔴 ERROR shop: user bob is 5", "🔴 ERROR shop: users ['ann']"]


def test_a_storm_from_a_place_that_is_new_stays_bounded(storm: Pipeline) -> None:
    for number in range(1000):
        storm.collector.take(record(f"{word(number)} cannot be read"))
        assert waiting(storm) <= number % (plain.MAX_AT_ONE_PLACE + 1) + number // (plain.MAX_AT_ONE_PLACE + 1) * 5 + 1
        unidentified = [one for one, _ in storm.collector.plain.queues[1] if one.tally is None]
        assert len(unidentified) <= plain.MAX_AT_ONE_PLACE
    assert sum(count for _, count in totals(storm)) == 1000
    assert len(totals(storm)) == 6  # five of their own, and one of all that came next


def test_so_many_wait_and_no_more(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, max_pending=100_000, max_pending_bytes=10**9)
    for number in range(2 * plain.MAX_WAITING):  # each in a function of its own
        storm.collector.take(record(f"{word(number)} cannot be read", line=number))
    assert waiting(storm) == plain.MAX_WAITING
    assert storm.stats().pending == 2 * plain.MAX_WAITING
    assert storm.waits_for() is not None
    assert (waiting(storm), storm.collector.plain.at) == (0, {})
    assert (storm.stats().pending, storm.stats().dropped) == (2 * plain.MAX_WAITING, {})


@pytest.mark.parametrize("end", ["close", "forget_incidents", "give_up"])
def test_what_waits_is_as_one_with_what_came_with_it(storm: Pipeline, channel: Recorder, end: str) -> None:
    channel.error = ConnectError("scripted") if end == "give_up" else None
    for number in range(3):
        storm.collector.take(record(f"disk {number} is full"))
    getattr(storm, end)()
    storm.draining = True
    if end != "give_up":
        turn(storm)
        assert storm.waits_for() is not None
        turn(storm)
        assert [one.count for one in channel.told] == [1, 2]
    stats = storm.stats()
    assert (stats.accepted, stats.pending) == (3, 0)
    assert stats.dropped == ({"exit_timeout": 3} if end == "give_up" else {})


@pytest.mark.parametrize(
    "changes",
    [{"fingerprint": lambda made: "mine"}, {"exc_text": "text"}, {"stack_info": "a stack"}, {"wecom": {"title": "x"}}],
    ids=["a fingerprint", "a text of an exception", "a stack", "an extra"],
)
def test_what_says_more_than_its_text_does_not_wait(channel: Recorder, clock: Clock, changes: dict[str, Any]) -> None:
    options = {name: changes[name] for name in changes if name == "fingerprint"}
    storm = pipeline(channel, clock, **options)
    storm.collector.take(record("disk full", **{name: changes[name] for name in changes if name not in options}))
    assert (waiting(storm), len(storm.collector.tallies)) == (0, 1)


@pytest.mark.parametrize("args", [(), ("bob",)], ids=["a text", "a template"])
def test_a_message_that_the_program_makes_itself_is_told(
    storm: Pipeline, channel: Recorder, monkeypatch: pytest.MonkeyPatch, args: tuple[object, ...]
) -> None:
    of_python = logging.LogRecord.getMessage
    monkeypatch.setattr(logging.LogRecord, "getMessage", lambda made: of_python(made).replace("wren", "***"))
    for line in range(1, 3):
        storm.collector.take(record("the wren of %s is away" if args else "the wren is away", *args, line=line))
    assert waiting(storm) == 2
    turn(storm)
    assert [("***" in one.text, "wren" in one.first_line) for one in channel.told] == [(True, False)] * 2


def test_what_cannot_be_identified_is_counted_and_holds_up_nobody(
    storm: Pipeline, channel: Recorder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    storm.collector.take(record("the first"))
    storm.collector.take(record("the second", line=2))
    find = storm.collector.tallies.find

    def once(*what: Any) -> Any:
        monkeypatch.setattr(storm.collector.tallies, "find", find)
        raise MemoryError

    monkeypatch.setattr(storm.collector.tallies, "find", once)
    turn(storm)
    stats = storm.stats()
    assert (stats.accepted, stats.delivered, stats.pending, stats.dropped) == (2, 1, 0, {"rejected": 1})
    assert "MemoryError" in capfd.readouterr().err


def test_threads_at_places_of_their_own_and_in_common(sandbox: Sandbox) -> None:
    handler = app_handler(sandbox.url, rate_limit=None)
    kinds, threads, each = 40, 4, 400

    def work(number: int) -> None:
        for count in range(each):
            handler.handle(record(f"{word(count % kinds)} {count} is full", line=count % 7 + 100 * (number % 2)))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert handler.flush(60)
    stats = handler.stats()
    counts = sum(one.count for one in handler.incidents())
    handler.close()
    assert (stats.accepted, stats.pending, stats.dropped) == (threads * each, 0, {})
    assert stats.delivered + stats.merged == counts == threads * each


AT_ONCE = """
import logging, os, signal, sys, time
from wecom_logging import WeComHandler, install_hooks
handler = WeComHandler(rate_limit=None)
log = logging.getLogger("shop")
log.addHandler(handler)
log.error("a warm-up")
handler.flush(20)
sys.setswitchinterval(30)  # the worker looks at nothing until this thread waits
for number in range(3):
    log.error(f"disk {number} is full")
assert handler._pipeline.collector.intake.waiting() == 3
"""


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("install_hooks(sigterm=True)\nsignal.raise_signal(signal.SIGTERM)", -signal.SIGTERM),
        ("handler.close()", 0),
        ("raise KeyboardInterrupt", -signal.SIGINT),
    ],
    ids=["the exit", "SIGTERM", "close", "Ctrl-C"],
)
def test_what_waits_at_the_end_of_the_process_is_told(sandbox: Sandbox, end: str, status: int) -> None:
    ended = run(AT_ONCE + end, url=sandbox.url)
    assert ended.status == status, ended.err
    assert sum("disk 0 is full" in message["content"] for message in sandbox.messages()) in (1, 2)
    assert [("× 2" in message["content"]) for message in sandbox.messages()].count(True) == 1


def test_a_forked_child_leaves_to_its_parent_what_waits(sandbox: Sandbox) -> None:
    code = """
    child = os.fork()
    if not child:
        stats = handler.stats()
        log.error("disk 9 is full")
        handler.flush(20)
        print(stats.pending, handler.stats().accepted, handler.stats().delivered, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print(handler.flush(20), handler.stats().delivered, handler.stats().merged)
    """
    ended = run(AT_ONCE + textwrap.dedent(code), url=sandbox.url)
    assert ended.out.splitlines() == ["0 1 1", "True 2 2"], ended
