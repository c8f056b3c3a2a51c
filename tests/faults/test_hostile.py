"""Recursion and hostile objects: whatever user code does inside a log call hurts nobody but the thread that logged."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest

from wecom_logging import WeComBotHandler, WeComHandler
from wecom_logging._sandbox import Sandbox
from wecom_logging.handlers import AlertHandler

from ..programs import app_handler, run, until, word
from ..scripted import ScriptedWeCom, Step, hold, ok_then_close, status
from ..valkey_server import Server

MAX_CALL_S = 0.05


@pytest.fixture
def handler(sandbox: Sandbox) -> Iterator[WeComHandler]:
    made = app_handler(sandbox.url, rate_limit=None)
    yield made
    made.close()


@pytest.fixture
def log(handler: WeComHandler) -> Iterator[logging.Logger]:
    """A logger with this one handler, whose records go nowhere else."""
    with logger_of(handler) as logger:
        yield logger


@contextmanager
def logger_of(*handlers: logging.Handler, name: str = "") -> Iterator[logging.Logger]:
    """Without a name one that pytest does not listen to, whose handler would fail where ours must not."""
    logger = logging.getLogger(name) if name else logging.Logger("test.hostile")
    propagates, level, logger.propagate = logger.propagate, logger.level, False
    logger.setLevel(logging.DEBUG)
    for each in handlers:
        logger.addHandler(each)
    yield logger
    for each in handlers:
        logger.removeHandler(each)
    logger.setLevel(level)
    logger.propagate = propagates


def texts(sandbox: Sandbox) -> str:
    return "\n".join(message["content"] for message in sandbox.messages())


def assert_others_can_log(log: logging.Logger, handler: AlertHandler, sandbox: Sandbox) -> None:
    """No lock is left held: another thread logs, and it arrives."""
    thread = threading.Thread(target=log.error, args=("from another thread",), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert handler.flush(30)
    assert "from another thread" in texts(sandbox)
    assert handler.stats().pending == 0


# E01, E02, E09: our own traffic.


@pytest.mark.slow
@pytest.mark.case("E01", "E09")
@pytest.mark.parametrize("step", [ok_then_close(), status(502), hold()], ids=["well", "down", "stalled"])
def test_with_the_root_at_debug_our_own_traffic_is_no_alert(step: Step, capfd: pytest.CaptureFixture[str]) -> None:
    from http.client import HTTPConnection

    gc.collect()  # what other tests left is not to warn here
    with ScriptedWeCom() as wecom, warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        wecom.always("/cgi-bin/message/send", step)
        handler = app_handler(wecom.url, timeout=1.5)
        with pytest.MonkeyPatch.context() as patch, at_debug(handler):
            patch.setattr(HTTPConnection, "debuglevel", 1)
            logging.getLogger("shop").debug("the only one")
            until(lambda: len(wecom.paths()) >= (1 + 2 if step.name == "status 200" else 1 + 3) or handler.flush(0.1))
            if step.name != "status 200":
                wecom.mend()
                wecom.release()
            assert handler.flush(20)
            gc.collect()  # what the worker left unclosed would warn
            assert handler.flush(30)
        logging.captureWarnings(False)
        handler.close()
    assert (handler.stats().accepted, handler.stats().delivered) == (1, 1)
    assert len([path for path in wecom.paths() if path == "gettoken"]) == 1
    out, err = capfd.readouterr()
    assert "send:" not in out
    assert len(err.splitlines()) <= 1


@contextmanager
def at_debug(*handlers: logging.Handler) -> Iterator[None]:
    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    for each in handlers:
        root.addHandler(each)
    yield
    root.setLevel(level)
    for each in handlers:
        root.removeHandler(each)


@pytest.mark.case("E02")
def test_two_handlers_that_fail_do_not_tell_of_each_other(capfd: pytest.CaptureFixture[str]) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("", status(502))
        app = app_handler(wecom.url, timeout=1, fallback=None)
        bot = WeComBotHandler(webhook="0123456789abcdef", api_base=wecom.url, timeout=1)
        with at_debug(app, bot):
            logging.getLogger("shop").error("the only one")
            until(lambda: len(wecom.requests) >= 9)  # at least three rounds of one, or two of each
            assert [app.stats().accepted, bot.stats().accepted] == [1, 1]
            wecom.mend()
            assert app.flush(20)
            assert bot.flush(20)
        assert [app.stats().accepted, app.stats().delivered] == [1, 1]
        assert [bot.stats().accepted, bot.stats().delivered] == [1, 1]
        app.close()
        bot.close()
    assert len(capfd.readouterr().err.splitlines()) <= 2  # one line for each cause


@pytest.mark.case("E09")
def test_warnings_and_the_debug_records_of_asyncio_alert_once_and_are_not_fed_back(sandbox: Sandbox) -> None:
    code = """
    import asyncio, logging, time, warnings
    from wecom_logging import WeComHandler
    handler = WeComHandler(rate_limit=None)
    logging.captureWarnings(True)
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    async def main():
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0.01
        loop.call_soon(time.sleep, 0.05)
        await asyncio.sleep(0.1)
    asyncio.run(main(), debug=True)
    open("/dev/null")
    print(handler.flush(30))
    first = handler.stats().accepted
    for _ in range(3):
        print(handler.flush(30), handler.stats().accepted - first)
    """
    ended = run(code, url=sandbox.url, args=("-W", "always"))
    assert ended.out.split() == ["True", *["True", "0"] * 3], ended.err
    told = texts(sandbox)
    assert "ResourceWarning: unclosed file" in told
    assert "Executing" in told  # asyncio's slow callback
    assert "urllib3" not in told


@pytest.mark.case("E11")
def test_the_programs_own_urllib3_records_alert_while_the_worker_sends() -> None:
    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/message/send", hold())
        handler = app_handler(wecom.url)
        with logger_of(handler, name="urllib3") as log:
            log.error("the first keeps the worker in its request")
            until(lambda: "message/send" in wecom.paths())
            logging.getLogger("urllib3.connectionpool").warning("Retrying the program's own request")
            assert handler.stats().accepted == 2
            wecom.release()
            assert handler.flush(30)
        assert b"own request" in b"".join(wecom.bodies("/cgi-bin/message/send"))
        handler.close()


# E03 to E07: what a log call meets.


class Odd:
    """Its text is made by any function."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.asked = 0

    def __str__(self) -> str:
        self.asked += 1
        return self.make()  # or anything else, which is the point

    __repr__ = __str__


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def make() -> NoReturn:
        raise error

    return make


def recurse() -> str:
    return recurse()


WAYS: dict[str, Callable[[logging.Logger, Any], None]] = {
    "message": lambda log, odd: log.error(odd),
    "argument": lambda log, odd: log.error("it broke: %s", odd),
    "mapping": lambda log, odd: log.error("it broke: %(x)s", {"x": odd}),
    "title": lambda log, odd: log.error("it broke", extra={"wecom": {"title": odd}}),
    "field": lambda log, odd: log.error("it broke", extra={"wecom": {"fields": {"x": odd, odd: "x"}}}),
    "exception": lambda log, odd: log.error("it broke", exc_info=Exceptional(odd)),
    "note": lambda log, odd: log.error("it broke", exc_info=noted(odd)),
    "fingerprint": lambda log, odd: log.error("it broke", extra={"wecom": {"fingerprint": odd}}),
}


class Exceptional(Exception):
    def __init__(self, odd: object) -> None:
        self.odd = odd

    def __str__(self) -> str:
        return str(self.odd)


def noted(note: object) -> Exception:
    error = ValueError("noted")
    error.__notes__ = [note]  # no text, on purpose
    return error


ERRORS = [ValueError("canary"), RecursionError(), MemoryError(), AssertionError(), StopIteration(), AttributeError()]


@pytest.mark.case("E04")
@pytest.mark.parametrize("way", WAYS)
def test_no_exception_of_a_text_leaves_the_call(
    log: logging.Logger, handler: WeComHandler, sandbox: Sandbox, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for make in (*map(raising, ERRORS), recurse, lambda: 3, lambda: None):
        WAYS[way](log, Odd(make))
    assert_others_can_log(log, handler, sandbox)
    stats = handler.stats()
    assert stats.accepted == len(ERRORS) + 3 + 1
    assert stats.delivered + stats.merged == stats.accepted
    assert "canary" not in texts(sandbox) + capfd.readouterr().err


@pytest.mark.case("E04")
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
@pytest.mark.parametrize("way", WAYS)
def test_what_ends_a_program_may_pass_and_leaves_no_lock_held(
    log: logging.Logger, handler: WeComHandler, sandbox: Sandbox, way: str, error: type[BaseException]
) -> None:
    try:
        WAYS[way](log, Odd(raising(error())))
    except error:
        passed = 1
    else:
        passed = 0
    assert_others_can_log(log, handler, sandbox)
    stats = handler.stats()
    assert stats.accepted + passed >= 2
    assert stats.accepted == stats.delivered + stats.merged + sum(stats.dropped.values())


@pytest.mark.case("E03", "E04")
def test_a_formatter_or_a_filter_that_ends_the_program_leaves_no_lock_held(
    log: logging.Logger, handler: WeComHandler, sandbox: Sandbox
) -> None:
    class Ending(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            raise KeyboardInterrupt

    def ending(record: logging.LogRecord) -> bool:
        raise SystemExit(3)

    handler.setFormatter(Ending())
    with pytest.raises(KeyboardInterrupt):
        log.error("formatted")
    handler.setFormatter(None)
    handler.addFilter(ending)
    with pytest.raises(SystemExit):
        log.error("filtered")
    handler.removeFilter(ending)
    assert_others_can_log(log, handler, sandbox)


@pytest.mark.case("E04")
def test_a_redact_that_ends_the_exit_costs_no_other_handler_its_numbers(sandbox: Sandbox, tmp_path: Path) -> None:
    code = f"""
    import atexit, logging, sys
    from wecom_logging import WeComBotHandler, WeComHandler
    def leave(text):
        if "leave" in text:
            raise SystemExit
        return text
    first = WeComHandler(redact=leave, state="sqlite:///{tmp_path / "alerts.db"}", exit_timeout=0)
    second = WeComBotHandler(exit_timeout=0)
    log = logging.getLogger("shop")
    log.addHandler(first)
    log.error("order %s failed", "one")
    print(first.flush(20))
    log.addHandler(second)
    for text in ("two", "leave"):
        log.error("order %s failed", text)
    print([handler.stats().pending for handler in (first, second)])
    atexit._run_exitfuncs()
    print([(handler.stats().pending, dict(handler.stats().dropped)) for handler in (first, second)])
    """
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "delay_s": 5})
    ended = run(code, url=sandbox.url)
    assert ended.out.splitlines() == ["True", "[2, 2]", "[(0, {'rejected': 2}), (0, {'exit_timeout': 2})]"], ended.err


@pytest.mark.case("E06")
def test_an_exit_does_not_wait_until_a_slow_redact_has_seen_all_that_a_state_is_to_have() -> None:
    code = """
    import atexit, logging, time
    from wecom_logging import WeComBotHandler
    def redact(text):
        time.sleep(0.1)
        return text
    handler = WeComBotHandler(redact=redact, exit_timeout=0.5)
    for number in range(60):
        log = logging.getLogger(f"shop.{number}")
        log.addHandler(handler)
        log.error("the disk is full")
    began = time.monotonic()
    atexit._run_exitfuncs()
    took, stats = time.monotonic() - began, handler.stats()
    print(took < 15, stats.accepted, stats.pending, sum(stats.dropped.values()) + stats.delivered + stats.handed_over)
    """
    with closing(Server()) as server, ScriptedWeCom() as wecom:
        ended = run(code, url=wecom.url, WECOM_STATE=server.url)
    assert ended.out.split() == ["True", "60", "0", "60"], ended.err


@pytest.mark.case("E04")
def test_the_text_of_what_ends_the_thread_is_not_shown(sandbox: Sandbox) -> None:
    code = """
    import logging
    from wecom_logging import WeComBotHandler
    class Panic(BaseException):
        "As a library in Rust raises it."
    def redact(text):
        if "canary" in text:
            raise Panic(text)
        return text
    handler = WeComBotHandler(redact=redact, rate_limit=None)
    log = logging.getLogger("shop")
    log.addHandler(handler)
    log.error("the canary is ill")
    log.warning("all is well")
    print(handler.flush(20), handler.stats().delivered, dict(handler.stats().dropped))
    """
    ended = run(code, url=sandbox.url)
    assert ended.out.splitlines() == ["True 1 {'rejected': 1}"]
    assert "canary" not in ended.err
    assert "could not be made into a message (Panic)" in ended.err


@pytest.mark.case("E03", "E05")
def test_texts_filters_and_formatters_that_log_are_told_with_what_they_log(
    log: logging.Logger, handler: WeComHandler, sandbox: Sandbox
) -> None:
    class Talking(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            if "inner" not in str(record.msg):
                log.error("inner by the formatter")
            return record.getMessage()

    def talk() -> str:
        log.error("inner by the text")
        return "an outer text"

    def talking(record: logging.LogRecord) -> bool:
        if "inner" not in str(record.msg):
            log.error("inner by the filter")
        return True

    handler.setFormatter(Talking())
    handler.addFilter(talking)
    odd = Odd(talk)
    log.error("outer: %s", odd)
    assert odd.asked <= 2  # by the formatter, which is the user's own, and by us
    assert_others_can_log(log, handler, sandbox)
    for words in ("inner by the formatter", "inner by the text", "inner by the filter", "outer: an outer text"):
        assert words in texts(sandbox)
    stats = handler.stats()
    assert stats.accepted == stats.delivered + stats.merged


@pytest.mark.case("E05")
@pytest.mark.parametrize("way", WAYS)
def test_a_text_that_logs_itself_comes_to_an_end(
    log: logging.Logger, handler: WeComHandler, sandbox: Sandbox, way: str
) -> None:
    limit = sys.getrecursionlimit()

    def again() -> str:
        log.error("and so on: %s", odd)
        return "a text"

    odd = Odd(again)
    sys.setrecursionlimit(400)
    try:
        WAYS[way](log, odd)
    finally:
        sys.setrecursionlimit(limit)
    assert_others_can_log(log, handler, sandbox)
    stats = handler.stats()
    assert stats.accepted == stats.delivered + stats.merged + sum(stats.dropped.values())


@pytest.mark.case("E06")
@pytest.mark.parametrize("place", ["message", "argument", "exception", "formatter", "filter", "fingerprint"])
def test_a_text_that_takes_long_keeps_only_its_own_thread(sandbox: Sandbox, place: str) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        if threading.current_thread() is slow_thread:
            begun.set()
            go_on.wait(30)
        return "slow"

    class Slow(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return slow() + super().format(record)

    options: dict[str, Any] = {"fingerprint": lambda record: slow() + record.msg} if place == "fingerprint" else {}
    handler = app_handler(sandbox.url, rate_limit=None, **options)
    if place == "formatter":
        handler.setFormatter(Slow())
    if place == "filter":
        handler.addFilter(lambda record: bool(slow()))
    with logger_of(handler) as log:
        slow_thread = threading.Thread(target=WAYS.get(place, WAYS["title"]), args=(log, Odd(slow)))
        slow_thread.start()
        assert begun.wait(10)
        calls = []
        for number in range(30):
            began = time.perf_counter()
            log.error(f"quick {word(number)}")
            calls.append(time.perf_counter() - began)
        assert sorted(calls)[20] < MAX_CALL_S
        until(lambda: f"quick {word(0)}" in texts(sandbox))
        began = time.monotonic()
        handler.close()
        assert time.monotonic() - began < handler._pipeline.exit_timeout_s
        go_on.set()
        slow_thread.join(10)
    until(lambda: handler.stats().pending == 0)
    stats = handler.stats()
    assert (stats.accepted, stats.delivered + stats.merged + stats.dropped.get("closed", 0)) == (31, 31)


@pytest.mark.slow
@pytest.mark.case("E07")
def test_a_text_of_100_mb_is_cut_at_once_and_its_memory_given_back(sandbox: Sandbox) -> None:
    code = """
    import gc, logging
    from wecom_logging import WeComHandler
    def rss(name):
        return int(next(l for l in open("/proc/self/status") if l.startswith(name)).split()[1]) // 1024
    handler = WeComHandler(rate_limit=None)
    log = logging.getLogger("x")
    log.addHandler(handler)
    log.error("the first loads all that is needed")
    handler.flush(30)
    class Huge:
        asked = 0
        def __str__(self):
            Huge.asked += 1
            return "word " * 20_000_000
    before = rss("VmRSS")
    log.error("huge %s", Huge())
    log.error(Huge())
    log.error("huge exception", exc_info=ValueError(Huge()))
    log.error("huge extra", extra={"wecom": {"title": Huge(), "fields": {"x": Huge()}}})
    print(handler.flush(20), Huge.asked, handler.stats().delivered)
    gc.collect()
    print(rss("VmRSS") - before < 20, rss("VmHWM") - before < 330)
    """
    ended = run(code, url=sandbox.url)
    assert ended.out.split() == ["True", "5", "5", "True", "True"], ended.err


class Text(str):
    """A str with hostile ways."""

    def hostile(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("canary")

    __len__ = __str__ = __repr__ = __eq__ = __iter__ = __getitem__ = __contains__ = hostile
    __hash__ = str.__hash__
    __mod__ = __add__ = __format__ = encode = split = splitlines = strip = replace = lower = isascii = hostile


@pytest.mark.case("E07")
@pytest.mark.parametrize("way", WAYS)
def test_a_str_of_a_hostile_class_is_taken(
    log: logging.Logger, handler: WeComHandler, sandbox: Sandbox, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    WAYS[way](log, Text("odd"))
    WAYS[way](log, Odd(lambda: Text("odd")))
    assert_others_can_log(log, handler, sandbox)
    stats = handler.stats()
    assert stats.accepted == stats.delivered + stats.merged == 3
    assert "canary" not in texts(sandbox) + capfd.readouterr().err


@pytest.mark.case("E10")
@pytest.mark.parametrize("raise_exceptions", [True, False])
def test_what_is_delivered_does_not_depend_on_raise_exceptions(
    log: logging.Logger,
    handler: WeComHandler,
    sandbox: Sandbox,
    raise_exceptions: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", raise_exceptions)
    handler.addFilter(lambda record: raising(ValueError("canary"))())
    log.error("too many arguments", 1, 2)
    log.error("not a number %d", "x")
    assert handler.flush(30)
    assert handler.stats().delivered == 2
    assert "canary" not in (said := capfd.readouterr().err)
    assert len(said.splitlines()) == (1 if raise_exceptions else 0)


@pytest.mark.case("E10")
def test_levels_and_switches_that_change_while_it_runs(handler: WeComHandler) -> None:
    with logger_of(handler, name="test.hostile") as log:
        told_only_what_is_switched_on(log, handler)


def told_only_what_is_switched_on(log: logging.Logger, handler: WeComHandler) -> None:
    log.error("told one")
    logging.disable(logging.CRITICAL)
    log.error("disabled")
    logging.disable(logging.NOTSET)
    log.disabled = True
    log.error("of a disabled logger")
    log.disabled = False
    handler.setLevel(logging.CRITICAL)
    log.error("below the level")
    handler.setLevel(logging.NOTSET)
    log.error("told two")
    log.setLevel(logging.CRITICAL)
    log.error("below the logger's level")
    log.setLevel(logging.NOTSET)
    log.error("told three")
    assert handler.flush(30)
    assert (handler.stats().accepted, handler.stats().delivered) == (3, 3)


# E12: records made while the same thread is inside our code.


@pytest.mark.case("E12")
def test_a_signal_handler_that_logs_between_any_two_steps_of_ours(sandbox: Sandbox) -> None:
    """A profile function stands at every call and return inside our code; there the signal comes."""
    handler = app_handler(sandbox.url, rate_limit=None, max_pending=5000)
    made = 0
    inside = False

    with logger_of(handler) as log:

        def on_signal(number: int, frame: FrameType | None) -> None:
            nonlocal made
            log.error("by the signal handler")
            made += 1

        def step(frame: FrameType, event: str, arg: object) -> None:
            nonlocal inside
            if not inside and "wecom_logging" in frame.f_code.co_filename:
                inside = True
                signal.raise_signal(signal.SIGUSR1)
                inside = False

        before = signal.signal(signal.SIGUSR1, on_signal)
        sys.setprofile(step)
        try:
            log.error("an alert")
            log.error("an alert")
            log.error("with an exception", exc_info=ValueError("x"))
            log.error("with extra", extra={"wecom": {"users": ["sandbox-user"], "fields": {"a": 1}}})
            handler.stats()
            flushed = handler.flush(30)
            handler.close()
        finally:
            sys.setprofile(None)
            signal.signal(signal.SIGUSR1, before)
        assert flushed
        assert made > 100
    until(lambda: handler.stats().pending == 0)
    stats = handler.stats()
    assert stats.accepted == made + 4
    assert stats.delivered + stats.merged + stats.dropped.get("closed", 0) == stats.accepted


@pytest.mark.slow
@pytest.mark.case("E12")
def test_weakref_callbacks_and_finalisers_that_log_inside_our_code(
    log: logging.Logger, handler: WeComHandler, sandbox: Sandbox
) -> None:
    ended = 0

    class Dying:
        def __init__(self, text: str) -> None:
            self.text = text

        def __str__(self) -> str:
            return self.text

        def __del__(self) -> None:
            nonlocal ended
            ended += 1
            log.warning("by a finaliser")

    def gone(reference: object) -> None:
        nonlocal ended
        ended += 1
        log.warning("by a weakref callback")

    def text() -> str:
        dying = Dying("a text")
        references.append(weakref.ref(dying, gone))
        gc.collect()
        return str(dying)  # it dies while we ask for it

    references: list[object] = []
    for _ in range(20):
        log.error("outer %s", Odd(text))
    assert_others_can_log(log, handler, sandbox)
    stats = handler.stats()
    assert ended == 2 * len(references) >= 2
    assert stats.accepted == 20 + ended + 1
    assert stats.delivered + stats.merged == stats.accepted
