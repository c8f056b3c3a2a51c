"""What says once more what was just told is merged with it; what may be news is told."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import requests

from tests.programs import app_handler
from wecom_logging import Stats, WeComHandler
from wecom_logging._capture import duplicates
from wecom_logging._sandbox import Sandbox

SERVER = logging.getLogger("uvicorn.error")
OTHER = logging.getLogger("shop")


def fails() -> None:
    raise LookupError("no price")


def fails_too() -> None:
    raise LookupError("no price")


def fails_about(what: str) -> None:
    raise LookupError(f"no price of {what}")


def deep(left: int = 100) -> None:
    deep(left - 1) if left else fails()


def log_exception(logger: logging.Logger = SERVER, fail: Callable[[], None] = fails) -> None:
    try:
        fail()
    except LookupError:
        logger.exception("it failed")


def log_as_text(fail: Callable[[], None] = fails, severity: int = logging.ERROR) -> None:
    try:
        fail()
    except LookupError:
        OTHER.log(severity, "the traceback is\n%s", traceback.format_exc())


def logs_text_and_raises(fail: Callable[[], None] = fails) -> None:
    try:
        fail()
    except LookupError:
        OTHER.error("the traceback is\n%s", traceback.format_exc())
        raise


def logs_and_raises() -> None:
    try:
        fails()
    except LookupError:
        SERVER.exception("it failed")
        raise


def through_another_way() -> None:
    fails()


def in_another_thread() -> None:
    thread = threading.Thread(target=log_as_text)
    thread.start()
    thread.join()


def says(text: str, fail: Callable[[], None] = fails) -> None:
    """A text made before the call, in the block that handles what it tells."""
    try:
        fail()
    except LookupError as error:
        OTHER.error(text.format(error, repr(error), type(error).__name__))
        raise


def books(handler: WeComHandler, *steps: Callable[[], object]) -> Stats:
    loggers = [SERVER, OTHER]
    try:
        for logger in loggers:
            logger.addHandler(handler)
        for step in steps:
            step()
        assert handler.flush(20)
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
    return handler.stats()


def first_texts(sandbox: Sandbox, *steps: Callable[[], object]) -> list[str]:
    """The message of each alert, sent apart."""
    handler = app_handler(sandbox.url, rate_limit=None)
    for step in steps:
        OTHER.addHandler(handler)
        try:
            step()
            assert handler.flush(20)
        finally:
            OTHER.removeHandler(handler)
    handler.close()
    return [message["content"] for message in sandbox.messages()]


@pytest.mark.parametrize(
    "steps",
    [
        (lambda: log_exception(fail=logs_text_and_raises),),
        (lambda: log_as_text(logs_and_raises),),
        (lambda: log_exception(fail=lambda: logs_text_and_raises(deep)),),
        (lambda: log_exception(fail=lambda: says("order 13 is lost: {0}")),),
        (lambda: log_exception(fail=lambda: says("order 13 is lost: {1}")),),
    ],
    ids=[
        *("a text first", "an exception first", "a recursion"),
        *("its text in a block", "its repr in a block"),
    ],
)
def test_what_says_it_once_more_is_merged(sandbox: Sandbox, steps: tuple[Callable[[], object], ...]) -> None:
    stats = books(app_handler(sandbox.url), *steps)
    assert (stats.accepted, stats.delivered, stats.merged) == (2, 1, 1)
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize(
    "steps",
    [
        (log_exception, lambda: SERVER.error("Application startup failed. Exiting.")),
        (log_exception, lambda: log_as_text(severity=logging.CRITICAL)),
        (log_exception, in_another_thread),
        (log_as_text, lambda: log_exception(fail=fails_too)),
        (log_as_text, lambda: log_exception(fail=through_another_way)),
        (log_exception, lambda: log_as_text(through_another_way)),
        (lambda: log_as_text(lambda: fails_about("tea")), lambda: log_exception(fail=lambda: fails_about("ham"))),
        (lambda: log_exception(fail=lambda: says("order 13 is lost")),),
    ],
    ids=[
        "no exception",
        "more severe",
        "another thread",
        "another line",
        "another way",
        "another way, as text",
        "other words",
        "in a block, without what it says",
    ],
)
def test_what_may_be_news_is_told(sandbox: Sandbox, steps: tuple[Callable[[], object], ...]) -> None:
    stats = books(app_handler(sandbox.url), *steps)
    assert (stats.accepted, stats.delivered, stats.merged) == (2, 2, 0)


def test_a_text_in_a_block_that_handles_what_it_tells_has_type_cause_and_frames(sandbox: Sandbox) -> None:
    def lost(number: int) -> None:
        try:
            try:
                fails()
            except LookupError as cause:
                raise OSError(f"shelf {number} is empty") from cause
        except OSError as error:
            OTHER.error(f"order {number} is lost: {error}")

    text, again = first_texts(sandbox, lambda: lost(7), lambda: lost(13))
    assert "× 1, 2 in all" in again
    assert "order 7 is lost: OSError: shelf 7 is empty ← LookupError: no price" in text.partition("\n")[0]
    assert 'raise OSError(f"shelf {number} is empty") from cause' in text


def test_what_a_text_that_is_asked_for_logs_is_told_once_and_ends(sandbox: Sandbox) -> None:
    class Chatty(Exception):
        def __str__(self) -> str:
            OTHER.error(f"asked for the text of {type(self).__name__}")
            return "what was said"

    def chat() -> None:
        try:
            raise Chatty
        except Chatty as error:
            OTHER.error(f"it failed: {error}")

    handler = app_handler(sandbox.url, rate_limit=None)
    stats = books(handler, chat)
    assert (stats.delivered, stats.merged) == (2, stats.accepted - 2)
    assert stats.accepted < 8


def test_an_exception_of_which_only_the_repr_says_something_says_that(sandbox: Sandbox) -> None:
    class Refused(Exception):
        def __str__(self) -> str:
            return ""

        def __repr__(self) -> str:
            return f"Refused: {self.args}"

    errors = Refused(ConnectionRefusedError(111, "no entry")), TimeoutError(), ValueError("")
    found = first_texts(sandbox, *(lambda error=error: OTHER.error("no broker", exc_info=error) for error in errors))
    assert [text.partition("\n")[0].partition("no broker")[2] for text in found] == [
        ": Refused: ConnectionRefusedError(111, 'no entry')",
        ": TimeoutError",
        ": ValueError",
    ]


def test_lines_in_a_block_that_only_look_like_a_traceback_are_told(sandbox: Sandbox) -> None:
    def report() -> None:
        try:
            fails()
        except LookupError as error:
            OTHER.error(f"order 13 is lost: {error}")
            OTHER.error("    the disk is full")
            OTHER.error("OSError: the disk is full")

    stats = books(app_handler(sandbox.url), report)
    assert (stats.accepted, stats.delivered, stats.merged) == (3, 3, 0)


def test_a_line_that_tells_one_exception_again_is_counted_as_another_record(sandbox: Sandbox) -> None:
    def report() -> None:
        try:
            fails()
        except LookupError as error:
            for item in range(3):
                OTHER.error(f"item {item} is lost: {error}")

    assert "6 in all" in first_texts(sandbox, report, report)[-1]


def test_an_exception_that_is_false_is_known_as_told(sandbox: Sandbox) -> None:
    class Empty(LookupError):
        def __len__(self) -> int:
            return 0

    def nothing() -> None:
        raise Empty("no rows")

    stats = books(app_handler(sandbox.url), lambda: log_exception(fail=lambda: says("order 13 is lost: {0}", nothing)))
    assert (stats.accepted, stats.delivered, stats.merged) == (2, 1, 1)


@pytest.mark.parametrize("begin", ["Unknown exception: {0}", ""], ids=["its text first", "no more than its lines"])
def test_a_traceback_that_is_logged_line_by_line_is_one_alert(sandbox: Sandbox, begin: str) -> None:
    def transport() -> None:
        try:
            try:
                raise EOFError
            except EOFError:
                fails()
        except LookupError as error:
            for line in filter(None, [begin.format(error)]):
                OTHER.error(line)
            for line in traceback.format_exc().split("\n"):
                OTHER.error(line)
            OTHER.error("     ^^^^^^")

    stats = books(app_handler(sandbox.url), transport, transport)
    assert stats.delivered == 1
    assert stats.merged == stats.accepted - 1 > 20
    assert "LookupError: no price" in sandbox.messages()[0]["content"].partition("\n")[0]


@pytest.mark.parametrize(
    "once", [lambda: log_exception(fail=logs_text_and_raises), lambda: log_as_text(logs_and_raises)]
)
def test_what_fails_again_later_has_its_echo_too(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, once: Callable[[], None]
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(duplicates, "time", SimpleNamespace(monotonic=lambda: now))

    def later() -> None:
        nonlocal now
        now += 60

    stats = books(app_handler(sandbox.url), once, later, once, later, once)
    assert (stats.accepted, stats.delivered, stats.merged) == (6, 1, 5)


def test_later_it_is_told(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOMENT_S", -1.0)
    stats = books(app_handler(sandbox.url), log_exception, log_as_text)
    assert stats.delivered == 2


def test_what_was_refused_is_no_reason_to_leave_anything_out(sandbox: Sandbox) -> None:
    handler = app_handler(sandbox.url)
    fault = {"path": "/cgi-bin/message/send", "errcode": 40058, "times": 1}
    assert requests.post(f"{sandbox.url}/sandbox/faults", json=fault, timeout=10).status_code == 200

    def refused() -> None:
        log_exception()
        assert handler.flush(20)

    stats = books(handler, refused, log_as_text)
    assert (stats.delivered, stats.merged, stats.dropped["rejected"]) == (1, 0, 1)
    (message,) = sandbox.messages()
    assert "the traceback is" in message["content"]


LIBRARY = """
import logging
class Refused(Exception):
    def __init__(self, error):
        super().__init__()
        self.error = error
class Lost(Exception):
    pass
class Socket:
    pass
io, flow = logging.getLogger("mq.io"), logging.getLogger("mq.flow")
def refused(reason="Connection refused"):
    return ConnectionRefusedError(111, reason)
def no_socket():
    io.error("Socket failed: %s; error=%s (%s)", Socket(), 111, "Connection refused")
def attempt(error):
    flow.error("attempt failed: %r", error)
def report(error):
    flow.error("failure: %r", Refused(error))
def lost(error):
    flow.error("lost: %r", Lost(f"stream lost: {error!r}"))
def other_attempt(error):
    flow.error("another attempt failed: %r", error)
def gives_up(error):
    try:
        raise Refused([error])
    except Refused:
        io.exception("it gives up")
"""
mq: dict[str, Callable[..., object]] = {}
exec(compile(LIBRARY, "/srv/site-packages/mq/flow.py", "exec"), mq)
program: dict[str, Callable[..., object]] = {}
exec(compile(LIBRARY, "/srv/shop/flow.py", "exec"), program)


def told_of(sandbox: Sandbox, *steps: Callable[[], object]) -> tuple[int, int]:
    library = logging.getLogger("mq")
    handler = app_handler(sandbox.url, rate_limit=None)
    library.addHandler(handler)
    try:
        for step in steps:
            step()
        assert handler.flush(20)
    finally:
        library.removeHandler(handler)
        handler.close()
    stats = handler.stats()
    assert stats.accepted == stats.delivered + stats.merged
    return stats.delivered, stats.merged


def failed_connection() -> None:
    error = mq["refused"]()
    mq["no_socket"]()
    for say in ("attempt", "report", "lost", "gives_up"):
        mq[say](error)


def test_what_a_library_says_of_one_failure_in_several_lines_is_one_alert(sandbox: Sandbox) -> None:
    assert told_of(sandbox, failed_connection, failed_connection) == (1, 9)


@pytest.mark.parametrize(
    "lines",
    [
        ((mq, "attempt", "refused"), (mq, "other_attempt", "refused")),
        ((mq, "no_socket", None), (mq, "attempt", "no route to it")),
        ((program, "no_socket", None), (program, "attempt", "refused")),
        ((mq, "attempt", "no entry to it"), (mq, "lost", "refused")),
    ],
    ids=["another of the same", "another reason", "a program", "another that is wrapped"],
)
def test_what_a_library_says_of_another_failure_is_told(
    sandbox: Sandbox, lines: tuple[tuple[dict[str, Callable[..., object]], str, str | None], ...]
) -> None:
    def say(code: dict[str, Callable[..., object]], line: str, reason: str | None) -> Callable[[], object]:
        if reason is None:
            return code[line]
        error = code["refused"]() if reason == "refused" else code["refused"](reason)
        return lambda: code[line](error)

    assert told_of(sandbox, *(say(*line) for line in lines)) == (2, 0)
