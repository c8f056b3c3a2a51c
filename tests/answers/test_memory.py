"""Answers in the memory of a process without a shared state: options, threads, the exit, and the numbers."""

from __future__ import annotations

import logging
import re
import threading

import pytest

from wecom_logging._answers.command import Command, read
from wecom_logging._answers.desk import Desk
from wecom_logging._answers.place import Place
from wecom_logging._build_aibot import _places
from wecom_logging._delivery.leader_place import LeaderPlace
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.shared import alone
from wecom_logging.handlers import AlertHandler

from ..programs import Clock, app_handler, run, until
from ..storms import Recorder, pipeline, record, settled, turn

ANSWERS = """
import atexit, logging, time
from wecom_logging import WeComHandler
from wecom_logging._answers.command import read
from wecom_logging._answers.desk import Desk
from wecom_logging._state.shared import alone
from wecom_logging._build_aibot import _places
handler = WeComHandler(rate_limit=None, exit_timeout=5)
shop = logging.getLogger("shop")
shop.addHandler(handler)
desk = Desk(lambda: _places(alone))
def log(number):
    for _ in range(number):
        shop.error("the disk of %s is full", "atlas")
log(1)
assert handler.flush(30)
name = handler.incidents()[0].short_id
print(desk.do(read("quiet " + name + " 25h"), "Li", "chat").text)
print(desk.do(read(COMMAND + " " + name + LENGTH), "Li", "chat").why)
while handler.incidents()[0].messages < 2:  # the line about it
    time.sleep(0.01)
log(5)
print(handler.flush(30), handler.stats().pending)
log(7)
atexit.register(lambda: log(2))  # runs before our own hook, which was registered first
"""


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "length", "fact"), [("take", "", "taken by Li"), ("quiet", " 1h", "silenced by Li")])
def test_the_exit_tells_what_an_answer_held_back_and_flush_does_not_wait_for_it(
    sandbox: Sandbox, verb: str, length: str, fact: str
) -> None:
    program = ANSWERS.replace("COMMAND", repr(verb)).replace("LENGTH", repr(length))
    ended = run(program, url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")
    limit, why, flushed = ended.out.splitlines()
    assert limit.endswith("may be silent for at most 24 hours")
    assert (why, flushed) == ("", "True 5")
    first, said, last = (message["content"] for message in sandbox.messages())
    assert "×" not in first.split("\n")[0]
    assert re.match(rf"✋ .* {fact} ", said)
    assert re.match(r"🔴 ERROR × 14, 15 in all", last)
    assert re.search(rf"^{fact}", last, re.M)


@pytest.mark.slow
def test_what_cannot_be_told_at_the_exit_is_lost_with_its_number(sandbox: Sandbox) -> None:
    program = ANSWERS.replace("COMMAND", "'take'").replace("LENGTH", "''").replace("exit_timeout=5", "exit_timeout=0")
    ended = run(program, url=sandbox.url)
    assert ended.status == 0
    assert ended.err.count("\n") == 1
    assert re.search(r": 14 alerts were not sent within exit_timeout \(0 s\): they are lost$", ended.err.strip())
    assert len(sandbox.messages()) == 2


def test_what_is_taken_is_kept_for_half_an_hour_and_silenced_for_a_day_or_of_critical_for_an_hour() -> None:
    channel = Recorder(clock := Clock())
    storm = pipeline(channel, clock)
    storm._worker.nudge = lambda: None  # its turns are made here
    desk = Desk(lambda: [storm.place], time_s=clock)
    for level in (logging.ERROR, logging.CRITICAL):
        storm.collector.take(record("disk full", level=level))
        turn(storm)
        name = storm.incidents()[0].short_id
        assert desk.do(Command("quiet", name, 86_401.0), "Li", "chat").why == "limit"
        assert desk.do(Command("quiet", name, 3601.0), "Li", "chat").why == ("limit" if level > 40 else "")
        incident = desk.do(Command("take", name), "Li", "chat").incident
        assert incident is not None
        assert incident.standing is not None
        assert incident.standing.length_s == 1800


def test_threads_that_log_one_that_sends_and_many_that_answer(sandbox: Sandbox) -> None:
    handler = app_handler(sandbox.url, state="memory://", rate_limit=None, window=1)
    logger = logging.getLogger("answers.threads")
    logger.addHandler(handler)
    logger.propagate = False
    desk = Desk(lambda: _places(alone))
    assert handler._pipeline.place in _places(alone)
    ended = threading.Event()
    made = 0
    try:
        logger.error("disk %d", 0)
        assert handler.flush(30)
        name = handler.incidents()[0].short_id

        def log() -> None:
            for number in range(2000):
                logger.error("disk %d", number)

        def answer(who: str) -> None:
            while not ended.is_set():
                for text in ("take {}", "quiet {} 1m", "undo {}", "undo {}", "list", "done {}"):
                    assert desk.do(read(text.format(name)), who, "chat").text

        loggers = [threading.Thread(target=log) for _ in range(4)]
        people = [threading.Thread(target=answer, args=(who,)) for who in ("Li", "Wang")]
        for thread in (*loggers, *people):
            thread.start()
        for thread in loggers:
            thread.join()
        made = 1 + 4 * 2000
        ended.set()
        for thread in people:
            thread.join()
        while desk.do(read(f"undo {name}"), "Li", "chat").why == "":
            pass
        until(lambda: handler.flush(30) and handler.stats().pending == 0)
        stats = handler.stats()
        assert stats.accepted == settled(stats) == made
        assert not stats.dropped
    finally:
        ended.set()
        logger.removeHandler(handler)
        handler.close()


def test_a_handler_with_a_state_or_switched_off_has_no_memory_to_answer_in(sandbox: Sandbox, tmp_path: object) -> None:
    def memories() -> set[Place]:
        return {one for one in _places(alone) if isinstance(one, LeaderPlace)}

    before = memories()
    made: list[AlertHandler] = [
        app_handler(sandbox.url, state=f"sqlite://{tmp_path}/alerts.db"),
        app_handler(sandbox.url, enabled=False),
    ]
    assert memories() == before
    for one in made:
        one.close()
