"""What says once more what was just told is merged with it; what may be news is told."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

import pytest
import requests

from tests.programs import app_handler
from wecom_logging import Stats, WeComHandler
from wecom_logging.capture import echoes
from wecom_logging.sandbox import Sandbox

SERVER = logging.getLogger("uvicorn.error")
OTHER = logging.getLogger("shop")


def fails() -> None:
    raise LookupError("no price")


def fails_too() -> None:
    raise LookupError("no price")


def log_exception(logger: logging.Logger = SERVER, fail: Callable[[], None] = fails) -> None:
    try:
        fail()
    except LookupError:
        logger.exception("it failed")


def log_as_text(fail: Callable[[], None] = fails) -> None:
    try:
        fail()
    except LookupError:
        OTHER.error("the traceback is\n%s", traceback.format_exc())


def in_another_thread() -> None:
    thread = threading.Thread(target=SERVER.error, args=("the server ends",))
    thread.start()
    thread.join()


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


@pytest.mark.parametrize(
    "steps",
    [
        (log_exception, lambda: SERVER.error("the server ends")),
        (log_as_text, log_exception),
        (log_exception, log_as_text),
    ],
    ids=["a server's end", "a text first", "an exception first"],
)
def test_what_says_it_once_more_is_merged(sandbox: Sandbox, steps: tuple[Callable[[], object], ...]) -> None:
    stats = books(app_handler(sandbox.url), *steps)
    assert (stats.accepted, stats.delivered, stats.merged) == (2, 1, 1)
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize(
    "steps",
    [
        (lambda: log_exception(OTHER), lambda: OTHER.error("the order is lost")),
        (lambda: log_exception(OTHER), lambda: SERVER.error("the server ends")),
        (log_exception, lambda: SERVER.critical("the server ends")),
        (log_exception, in_another_thread),
        (log_as_text, lambda: log_exception(fail=fails_too)),
        (lambda: SERVER.error("the server sleeps"), lambda: SERVER.error("the server ends")),
    ],
    ids=["no server", "another's", "more severe", "another thread", "another line", "no exception"],
)
def test_what_may_be_news_is_told(sandbox: Sandbox, steps: tuple[Callable[[], object], ...]) -> None:
    stats = books(app_handler(sandbox.url), *steps)
    assert (stats.accepted, stats.delivered, stats.merged) == (2, 2, 0)


def test_later_it_is_told(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echoes, "MOMENT_S", -1.0)
    stats = books(app_handler(sandbox.url), log_exception, lambda: SERVER.error("the server ends"))
    assert stats.delivered == 2


def test_what_was_refused_is_no_reason_to_leave_anything_out(sandbox: Sandbox) -> None:
    handler = app_handler(sandbox.url)
    fault = {"path": "/cgi-bin/message/send", "errcode": 40058, "times": 1}
    assert requests.post(f"{sandbox.url}/sandbox/faults", json=fault, timeout=10).status_code == 200

    def refused() -> None:
        log_exception()
        assert handler.flush(20)

    stats = books(handler, refused, lambda: SERVER.error("the server ends"))
    assert (stats.delivered, stats.merged, stats.dropped["rejected"]) == (1, 0, 1)
    (message,) = sandbox.messages()
    assert "the server ends" in message["content"]
