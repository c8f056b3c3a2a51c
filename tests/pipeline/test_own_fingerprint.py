"""A user's fingerprint: what it makes the same, and whatever it does wrong, which costs no record."""

from __future__ import annotations

import logging
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wecom_logging import WeComHandler
from wecom_logging._sandbox import Sandbox

from ..programs import app_handler
from ..storms import record, settled, warned

Make = Callable[..., WeComHandler]


@pytest.fixture
def handler(sandbox: Sandbox) -> Iterator[Make]:
    made: list[WeComHandler] = []
    sandbox.add_member("zhangsan", name="张三", departments=[1])

    def make(fingerprint: Callable[[logging.LogRecord], Any] | None = None) -> WeComHandler:
        made.append(app_handler(sandbox.url, rate_limit=None, fingerprint=fingerprint))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ended(handler: WeComHandler) -> tuple[int, int]:
    """How many were told with a text of their own, and how many were only counted."""
    assert handler.flush(30)
    stats = handler.stats()
    assert (stats.accepted, stats.pending, stats.dropped) == (settled(stats), 0, {})
    return stats.delivered, stats.merged


def test_it_decides_across_call_sites_and_texts(handler: Make) -> None:
    told = handler(lambda record: "disk" if "disk" in record.getMessage() else "other")
    for line, message in enumerate(("disk full", "no disk", "no connection", "disk gone", "wrong password")):
        told.handle(record(message, line=line))
    assert ended(told) == (2, 3)


def test_levels_and_recipients_are_kept_apart_all_the_same(handler: Make) -> None:
    told = handler(lambda record: "all")
    for level in (logging.ERROR, logging.CRITICAL):
        for users in (["zhangsan"], None):
            for _ in range(2):
                told.handle(record("it broke", level=level, **({"wecom": {"users": users}} if users else {})))
    assert ended(told) == (4, 4)


def test_one_of_the_record_beats_that_of_the_handler(handler: Make) -> None:
    told = handler(lambda record: record.getMessage())
    for text in ("disk full", "no connection", "wrong password"):
        told.handle(record(text, wecom={"fingerprint": "mine"}))
    told.handle(record("mine"))
    assert ended(told) == (1, 3)


def raises(record: logging.LogRecord) -> str:
    raise RuntimeError("canary")


@pytest.mark.parametrize(
    ("fingerprint", "wrong"),
    [
        (raises, "RuntimeError"),
        (lambda record: 17, "int"),
        (lambda record: b"bytes", "bytes"),
        (lambda record: record.no_such_attribute, "AttributeError"),
        (lambda record: None, ""),
        (lambda record: "", ""),
    ],
)
def test_one_that_is_wrong_is_said_once_and_records_are_compared_as_without_it(
    handler: Make, capfd: pytest.CaptureFixture[str], fingerprint: Callable[[logging.LogRecord], Any], wrong: str
) -> None:
    told = handler(fingerprint)
    for number in range(3):
        told.handle(record(f"order {number} failed"))
        told.handle(record("no connection", line=2))
    assert ended(told) == (2, 4)
    said = capfd.readouterr().err
    assert (said.count("\n"), warned()) == ((1, ["fingerprint"]) if wrong else (0, []))
    assert wrong in said
    assert "canary" not in said


@pytest.mark.parametrize("wrong", [17, b"bytes", ["a"], object()], ids=lambda value: type(value).__name__)
def test_a_wrong_one_of_a_record_is_said_and_left_out(
    handler: Make, capfd: pytest.CaptureFixture[str], wrong: object
) -> None:
    told = handler()
    for number in range(3):
        told.handle(record(f"order {number} failed", wecom={"fingerprint": wrong}))
    assert ended(told) == (1, 2)
    assert "a fingerprint must be a str" in capfd.readouterr().err


def test_a_megabyte_is_compared_in_whole_and_not_kept(handler: Make) -> None:
    def long(end: str) -> str:
        return "x" * 1_000_000 + end

    told = handler(lambda record: long(record.getMessage()))
    told.handle(record("warm"))
    assert told.flush(30)
    tracemalloc.start()
    try:
        for text in ("a", "b", "c", "b"):
            told.handle(record(text))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000
    assert ended(told) == (4, 1)


def test_a_text_that_no_encoding_takes_is_compared(handler: Make) -> None:
    told = handler(lambda record: record.getMessage() + "\ud800" * 1000)
    for text in ("a", "b", "a"):
        told.handle(record(text))
    assert ended(told) == (2, 1)


def test_a_subclass_of_str_with_an_odd_hash_is_taken_by_its_text(handler: Make) -> None:
    class Odd(str):
        def __hash__(self) -> int:
            raise RuntimeError

        def __eq__(self, other: object) -> bool:
            raise RuntimeError

    told = handler(lambda record: Odd("the same"))
    for text in ("disk full", "no connection"):
        told.handle(record(text))
    assert ended(told) == (1, 1)


def test_one_that_logs_is_asked_about_the_record_and_not_about_what_it_logs(handler: Make, sandbox: Sandbox) -> None:
    asked: list[str] = []

    def fingerprint(about: logging.LogRecord) -> str:
        asked.append(about.getMessage())
        told.handle(record("asked about a record"))  # not by a logger: that of Python 3.13.5 drops it
        return "mine"

    told = handler(fingerprint)
    for text in ("disk full", "no connection"):
        told.handle(record(text))
    assert ended(told) == (2, 2)
    assert asked == ["disk full", "no connection"]
    first_lines = sorted(message["content"].split("\n")[0].split(": ")[-1] for message in sandbox.messages())
    assert first_lines == ["asked about a record"] * 2 + ["disk full"] * 2


def test_no_lock_is_held_while_it_runs(handler: Make) -> None:
    """It may log to the same handler from another thread, and wait for that."""

    def fingerprint(made: logging.LogRecord) -> str:
        if threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=told.handle, args=(record("from another thread", line=2),))
            other.start()
            other.join(20)
            assert not other.is_alive()
        return made.getMessage()

    told = handler(fingerprint)
    told.handle(record("from the main thread"))
    assert ended(told) == (2, 0)
