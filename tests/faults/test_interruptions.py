"""Records made at the worst instant: in signal handlers, finalisers, redact functions, and from elsewhere."""

from __future__ import annotations

import logging
import signal
import textwrap
import threading
from types import FrameType
from typing import Any

import pytest

from wecom_logging import WeComHandler
from wecom_logging._sandbox import Sandbox

from ..programs import app_handler, run, word
from ..storms import warned


def app(sandbox: Sandbox, **options: Any) -> WeComHandler:
    return app_handler(sandbox.url, rate_limit=None, **options)


def record(message: str, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.ERROR, __file__, 1, message, (), None)
    made.__dict__.update(more)
    return made


@pytest.mark.slow
@pytest.mark.case("E12")
def test_a_storm_of_signals_that_log_leaves_the_books_exact(sandbox: Sandbox) -> None:
    handler = app(sandbox, max_pending=50)
    made = 0

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal made
        handler.handle(record("from the signal handler"))
        made += 1

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for number in range(4000):
            handler.handle(record(f"from the program {word(number % 500)}"))
            handler.flush(0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handler.flush(30)
    stats = handler.stats()
    handler.close()
    assert made > 10
    assert (stats.accepted, stats.pending) == (4000 + made, 0)
    assert stats.delivered + stats.merged + stats.dropped.get("queue_overflow", 0) == 4000 + made
    assert set(stats.dropped) <= {"queue_overflow"}


@pytest.mark.slow
@pytest.mark.case("E12")
def test_finalisers_that_log_are_told_whatever_thread_the_collector_runs_in(sandbox: Sandbox) -> None:
    code = """
    import gc, logging
    from wecom_logging import WeComHandler
    handler = WeComHandler(rate_limit=None, max_pending=100000)
    log = logging.getLogger("x")
    log.addHandler(handler)
    gc.set_threshold(50)
    ended = 0
    class Connection:
        def __init__(self):
            self.me = self
        def __del__(self):
            global ended
            log.warning("not closed")
            ended += 1
    for number in range(300):
        Connection()
        log.error("an error %d", number)
        if number % 20 == 0:
            handler.flush(10)
    gc.disable()
    gc.collect()
    print(handler.flush(20), handler.stats().accepted - ended - 300, handler.stats().pending)
    """
    ended = run(textwrap.dedent(code), url=sandbox.url)
    assert ended.out.split() == ["True", "0", "0"], ended.err


@pytest.mark.parametrize(
    "odd",
    [
        {"levelno": None},
        {"levelno": "ERROR"},
        {"levelno": float("nan")},
        {"levelno": [40]},
        {"levelno": 10**30},
        {"created": None},
        {"created": "yesterday"},
        {"created": float("inf")},
        {"process": "17"},
        {"lineno": "5"},
        {"args": "not a tuple %s"},
        {"exc_info": "text"},
    ],
    ids=str,
)
def test_odd_records_from_elsewhere_are_told_and_so_is_what_follows(sandbox: Sandbox, odd: dict[str, Any]) -> None:
    handler = app(sandbox)
    handler.handle(record("the odd one", **odd))
    handler.handle(record("the next one"))
    assert handler.flush(30)
    assert handler.stats().delivered == 2
    handler.close()


def test_a_record_without_its_usual_attributes_is_counted(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    handler = app(sandbox)
    bare = record("x")
    del bare.pathname
    handler.handle(bare)
    assert handler.stats().dropped == {"rejected": 1}
    assert "AttributeError" in capfd.readouterr().err
    handler.close()


@pytest.mark.case("E05")
def test_a_redact_that_logs_comes_to_an_end(sandbox: Sandbox) -> None:
    log = logging.getLogger("test.redact")
    log.propagate = False

    def redact(text: str) -> str:
        log.error("masking")
        return text

    handler = app(sandbox, redact=redact)
    log.addHandler(handler)
    try:
        log.error("the first")
        assert handler.flush(30)
        assert handler.flush(30)
        stats = handler.stats()
        assert stats.pending == 0
        assert stats.dropped.get("rejected", 0) > 0
        assert any("masking" in message["content"] for message in sandbox.messages())
        assert [cause.partition(" ")[0] for cause in warned()] == ["rejected"]
    finally:
        log.removeHandler(handler)
        handler.close()


@pytest.mark.case("E04")
def test_no_exception_leaves_a_log_call_at_the_end_of_the_stack(sandbox: Sandbox) -> None:
    code = """
    import logging, sys
    from wecom_logging import WeComHandler
    handler = WeComHandler(rate_limit=None, max_pending=100000)
    sys.setrecursionlimit(300)
    made = escaped = 0
    def descend():
        global made, escaped
        r = logging.LogRecord("x", 40, "f.py", 1, "deep %s", ("x",), None)
        made += 1
        try:
            handler.handle(r)
        except RecursionError as error:  # it may come from calling us, not from what we do
            trace, depth = error.__traceback__, 0
            while trace is not None:
                trace, depth = trace.tb_next, depth + 1
            escaped += depth > 4
        descend()
    try:
        descend()
    except RecursionError:  # it is what is tried
        pass
    sys.setrecursionlimit(1000)
    handler.flush(20)
    print(escaped, handler.stats().pending)
    """
    ended = run(textwrap.dedent(code), url=sandbox.url)
    assert ended.out.split() == ["0", "0"], ended.err


def test_threads_with_many_own_recipients_stay_exact(sandbox: Sandbox) -> None:
    handler = app(sandbox, max_pending=40)

    def noise(name: str) -> None:
        for number in range(200):
            handler.handle(record("x", wecom={"users": [f"{name}{number % 50}", "sandbox-user"]}))

    threads = [threading.Thread(target=noise, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert handler.flush(30)
    stats = handler.stats()
    handler.close()
    assert (stats.accepted, stats.pending) == (800, 0)
    assert stats.delivered + stats.merged + stats.dropped["queue_overflow"] == 800


def test_the_programs_own_import_of_requests_meets_ours_and_both_succeed(sandbox: Sandbox) -> None:
    code = """
    import logging, sys, threading, time
    from wecom_logging import WeComBotHandler
    handler = WeComBotHandler()
    logging.getLogger("shop").addHandler(handler)
    class InTheMiddle:
        def find_spec(self, name, path=None, target=None):
            if name == "requests" and threading.current_thread() is threading.main_thread():
                logging.getLogger("shop").error("the lamp is off")
                time.sleep(0.5)
    sys.meta_path.insert(0, InTheMiddle())
    import requests
    requests.sessions.HTTPAdapter
    print(handler.flush(10))
    """
    ended = run(code, url=sandbox.url, fresh=True)
    assert (ended.status, ended.out, ended.err) == (0, "True\n", "")
