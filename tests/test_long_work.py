"""`progress`: what long work tells, with the time handed in and a real local WeCom."""

from __future__ import annotations

import itertools
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComHandler, notify_on_exception, progress
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError

from .programs import Clock, app_handler, run

PNG = b"\x89PNG\r\n\x1a\n" + b"a chart"


@pytest.fixture
def handler(sandbox: Sandbox) -> Iterator[WeComHandler]:
    made = app_handler(sandbox.url, level="ERROR")
    yield made
    made.flush(10)
    made.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("wecom_logging._runtime.clock.now", clock)
    return clock


@pytest.fixture
def told(sandbox: Sandbox, handler: WeComHandler) -> Callable[[], list[str]]:
    def texts() -> list[str]:
        assert handler.flush(10)
        return [message["content"] for message in sandbox.messages() if message["msgtype"] == "text"]

    return texts


def heads(texts: list[str]) -> list[str]:
    return [text.splitlines()[0].split(": ", 1)[1] for text in texts]


def test_one_message_for_each_period_and_one_at_the_end(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    with progress("training", every="30m", total=100, start=True, handler=handler) as step:
        for number in range(100):
            clock.now += 60
            step(loss=round(1 / (number + 1), 3))
    texts = told()
    assert heads(texts) == [
        "training: started",
        "training: still running, 30 of 100 (30 %) in 30 min",
        "training: still running, 60 of 100 (60 %) in 1 h",
        "training: still running, 90 of 100 (90 %) in 90 min",
        "training: done, 100 of 100 (100 %) in 100 min",
    ]
    assert "│ steps: 100" in texts[0]
    assert re.search("│ rate: 1 a minute [▅▆▇█]{8,}\n", texts[1])
    assert "│ left: about 70 min, until " in texts[1]
    assert "│ loss: 0.033" in texts[1]
    assert "left" not in texts[-1]
    assert texts[1].startswith("🔵 INFO tests.test_long_work: ")  # whatever the handler's level


def test_items_are_steps_and_their_number_is_known(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    seen = []
    for item in progress(["a", "b", "c", "d"], "imports", every="100s", handler=handler):
        seen.append(item)
        clock.now += 60
    assert seen == ["a", "b", "c", "d"]
    assert heads(told()) == [
        "imports: still running, 2 of 4 (50 %) in 2 min",
        "imports: still running, 4 of 4 (100 %) in 4 min",
        "imports: done, 4 of 4 (100 %) in 4 min",
    ]


def test_without_steps_or_periods_there_is_only_the_end(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    with progress("backup", every=None, handler=handler) as step:
        clock.now += 7200
        step()
        clock.now += 7200
    with progress("empty", handler=handler):
        pass
    with progress("no rows", total=0, handler=handler):
        pass
    assert heads(told()) == ["backup: done, 1 in 4 h", "empty: done, 1 s", "no rows: done, 1 s"]


def test_no_step_of_several_threads_is_lost(
    handler: WeComHandler, told: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[BaseException] = []
    ticks = itertools.count()
    monkeypatch.setattr("wecom_logging._runtime.clock.now", lambda: next(ticks) / 10)

    def work(step: Callable[[], None]) -> None:
        try:
            for _ in range(10_000):
                step()
        except BaseException as error:
            failed.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with progress("crawl", every=None, total=80_000, handler=handler) as step:
            threads = [threading.Thread(target=work, args=(step,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not failed
    assert "80000 of 80000 (100 %)" in told()[0]


def test_an_exception_is_told_once_with_how_far_it_came(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    def work() -> None:
        with progress(range(10), "prices", handler=handler) as items:
            for number in items:
                clock.now += 1
                if number == 3:
                    raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock"):
        work()
    (text,) = told()
    assert text.startswith("🔴 ERROR tests.test_long_work: prices: failed, 3 of 10 (30 %) in 4 s: ValueError: no stock")
    assert "in test_an_exception_is_told_once_with_how_far_it_came.〈locals〉.work" in text
    assert handler.stats().accepted == 1


def test_what_was_logged_before_says_how_far_it_came_and_is_not_told_again(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    def work() -> None:
        with (
            progress("all", handler=handler),
            progress("prices", total=4, handler=handler) as step,
        ):
            step(2)
            try:
                raise KeyError("x")
            except KeyError:
                log.exception("it broke")
                raise

    log = logging.getLogger("prices")
    log.addHandler(handler)
    try:
        with pytest.raises(KeyError):
            work()
        log.error("afterwards")
    finally:
        log.removeHandler(handler)
    first, last = told()
    assert "it broke" in first
    assert "│ prices: 2 of 4 (50 %) in 1 s" in first
    assert "│ all: 1 s" in first
    assert "afterwards" in last
    assert "│" not in last
    assert (handler.stats().accepted, handler.stats().merged) == (4, 2)


def fails() -> Iterator[int]:
    yield 1
    raise OSError("no disk")


def test_an_exception_of_the_items_is_told(handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]) -> None:
    with pytest.raises(OSError, match="no disk"):
        list(progress(fails(), "reading", handler=handler))
    (text,) = told()
    assert "reading: failed, 1 in 1 s: OSError: no disk" in text
    assert "in fails" in text


def test_a_loop_alone_cannot_say_which_exception_of_its_body_ended_it_and_the_decorator_does(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    @notify_on_exception(handler=handler)
    def work() -> None:
        for number in progress(range(10), "import", handler=handler):
            if number == 2:
                raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock"):
        work()
    left, raised = sorted(told(), key=lambda text: "ERROR" in text)
    assert left.startswith(
        "🟠 WARNING tests.test_long_work: import: left before its end (break, return or an exception)"
    )
    assert "ValueError" not in left
    assert "ValueError: no stock" in raised


def test_a_loop_that_is_left_and_work_that_is_stopped_end_too(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    for number in progress(range(10), "search", handler=handler):
        if number == 4:
            break

    def work() -> None:
        with progress("night", handler=handler) as step:
            step()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    texts = told()
    assert heads(texts) == [
        "search: left before its end (break, return or an exception), 4 of 10 (40 %) in 1 s",
        "night: stopped by KeyboardInterrupt, 1 in 1 s",
    ]
    assert all("WARNING" in text for text in texts)


def test_repeated_messages_are_never_gathered(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    for _ in range(3):
        with progress("backup", handler=handler):
            pass
    assert len(told()) == 3
    assert handler.stats().delivered == 3


class Figure:
    def __init__(self, data: bytes = PNG) -> None:
        self.data = data

    def savefig(self, file: Any, format: str) -> None:
        assert format == "png"
        if not self.data:
            raise RuntimeError("no font")
        file.write(self.data)


def test_a_picture_goes_after_the_last_message(
    sandbox: Sandbox, handler: WeComHandler, clock: Clock, tmp_path: Path
) -> None:
    file = tmp_path / "loss.png"
    file.write_bytes(PNG)
    for picture in (PNG, bytearray(PNG), file, str(file), Figure()):
        sandbox.clear()
        with progress("training", handler=handler, attach=picture):
            pass
        assert handler.flush(10)
        assert [message["msgtype"] for message in sandbox.messages()] == ["text", "image"]
    sandbox.clear()

    def work() -> None:
        with progress("training", handler=handler) as step:
            step.attach = Figure()
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        work()
    assert handler.flush(10)
    assert [message["msgtype"] for message in sandbox.messages()] == ["text", "image"]


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (Figure(b""), "could not be made (RuntimeError)"),
        (Figure(b"no picture"), "is left out: a PNG or JPG of at most 2 MiB is needed"),
        (PNG + bytes(2 * 1024 * 1024), "is left out: a PNG"),
        ("/no/such.png", "could not be made (FileNotFoundError)"),
        ("/dev/zero", "could not be made (OSError)"),
        (object(), "could not be made (TypeError)"),
    ],
)
def test_a_picture_that_cannot_be_had_costs_nothing(
    handler: WeComHandler,
    clock: Clock,
    told: Callable[[], list[str]],
    capfd: pytest.CaptureFixture[str],
    picture: object,
    said: str,
) -> None:
    with progress("training", handler=handler, attach=picture):
        pass
    assert heads(told()) == ["training: done, 1 s"]
    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: progress("x", every="soon"), "every"),
        (lambda: progress("x", every="0s"), "every"),
        (lambda: progress("x", every=600), "every"),  # that is the point
        (lambda: progress("x", every=True), "every"),
        (lambda: progress(""), "title"),
        (lambda: progress([1]), "title"),
        (lambda: progress("x", total=-1), "total"),
        (lambda: progress("x", handler=5), "handler"),
    ],
)
def test_bad_input_is_refused_at_once(make: Callable[[], object], field: str) -> None:
    with pytest.raises(ConfigurationError, match=field):
        make()


def test_it_begins_once_and_needs_items_to_be_looped_over(handler: WeComHandler, clock: Clock) -> None:
    with progress("x", handler=handler) as step:
        with pytest.raises(RuntimeError, match="begun already"):
            step.__enter__()
        with pytest.raises(TypeError, match="has no items"):
            list(step)


@pytest.mark.slow
def test_every_live_handler_gets_it_and_nobody_is_said(sandbox: Sandbox) -> None:
    ended = run(
        """
        from wecom_logging import WeComBotHandler, WeComHandler, progress
        with progress("nobody"):
            pass
        app, bot = WeComHandler(level="CRITICAL"), WeComBotHandler(level="ERROR")
        for number in progress(range(1_000_000), "counting"):
            pass
        """,
        url=sandbox.url,
    )
    assert ended.status == 0
    assert ended.err == "wecom_logging: progress: no WeCom handler is set up; it was not sent\n"
    assert sorted(message["channel"] for message in sandbox.messages()) == ["app", "bot"]
    assert all("1000000 of 1000000 (100 %)" in message["content"] for message in sandbox.messages())


def test_the_rate_of_work_that_slows_down_falls(
    handler: WeComHandler, clock: Clock, told: Callable[[], list[str]]
) -> None:
    with progress("crawl", every=None, handler=handler) as step:
        for number in range(400):
            clock.now += 1 if number < 200 else 10
            step(5)
    (text,) = told()
    (line,) = [line for line in text.splitlines() if "rate:" in line]
    bars = line.rpartition(" ")[2]
    assert 8 <= len(bars) <= 16
    assert bars[0] == "█"
    assert bars[-1] in "▁▂"
