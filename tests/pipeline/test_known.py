"""Texts that are known without their pattern: counted where a look at all of them would have counted them."""

from __future__ import annotations

import gc
import logging
import random
import re
import sys
import uuid
import weakref
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging import WeComBotHandler
from wecom_logging._capture import collector, exceptions, identity, known
from wecom_logging._capture.known import KnownTexts, find, outline_of
from wecom_logging._capture.tally import Tally
from wecom_logging._incidents.pattern import pattern
from wecom_logging.testing import capture_alerts

from ..programs import ROOT

LINES = (ROOT / "tests" / "golden" / "lines.txt").read_text(encoding="utf-8").splitlines()
BITS = (
    *(
        "order {}",
        "HTTP {}",
        "exit code {}",
        "errno {}",
        "the bank answered {}",
        "p{}",
        "E{}:",
        "'{}'",
        "x{}y",
        "{} ms",
    ),
    *(
        "{}.{}",
        "{}:{}",
        "10.0.0.{}",
        "/srv/{}/a.csv",
        "v{}.{}",
        "ORA-{}",
        "错误码 {}",
        "第 {} 次",
        "-{}",
        "{}-{}",
        "$ {}",
    ),
    *(
        "2026-11-{}",
        "could not convert string '{}' near '{}'",
        "[{}]",
        "user {id}",
        "trace={id}",
        "{id}-{}",
        "line {}, {}",
    ),
)
NUMBERS = (0, 1, 5, 7, 42, 99, 100, 404, 500, 503, 599, 600, 999, 1213, 5432, 10053, 40001)


def texts(bits: list[str], draw: random.Random, number: int) -> list[str]:
    """Of one place: words that stay, and values that vary."""
    form = " ".join(bits)

    def value(found: re.Match[str]) -> str:
        return str(uuid.UUID(int=draw.getrandbits(128)) if found[1] else draw.choice(NUMBERS))

    return [re.sub(r"\{(id)?\}", value, form) for _ in range(number)]


@given(st.lists(st.sampled_from(BITS), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_text_is_known_as_what_its_pattern_says(bits: list[str], draw: random.Random) -> None:
    assert_known_are_right([texts(bits, draw, 60)])


def test_so_are_the_lines_of_many_systems() -> None:
    assert_known_are_right([LINES * 3, [re.sub(r"\d", "7", line) for line in LINES] + LINES * 2])


def assert_known_are_right(places: list[list[str]]) -> None:
    table, tallies = KnownTexts(), {}
    for place, lines in enumerate(places):
        for text in lines:
            wanted = pattern(text)
            found = find(table.at((place,)) or {}, text)
            if found is not None:
                assert found.tally() is tallies[place, wanted], (text, outline_of(text))
            tally = tallies.setdefault((place, wanted), Tally.__new__(Tally))
            table.learn((place,), text, tally, "")


# Through handlers.


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The texts whose pattern was asked for."""
    asked: list[str] = []

    def counted(text: str) -> str:
        asked.append(text)
        return pattern(text)

    for module in (exceptions, identity, known):
        monkeypatch.setattr(module, "pattern", counted)
    with capture_alerts():
        yield asked


def numbered(log: logging.Logger, number: int) -> None:
    log.error(f"order {number} cannot be priced: {number % 7} items")


def answered(log: logging.Logger, number: int) -> None:
    log.error(f"order {number}: the bank answered {503 if number % 2 else 502}")


def identified(log: logging.Logger, number: int) -> None:
    log.error(f"user {uuid.UUID(int=number << 64)} 支付失败，第 {number % 9} 次")


def raised(log: logging.Logger, number: int) -> None:
    try:
        raise LookupError(f"no rate for order {number}")
    except LookupError:
        log.exception("order %d failed", number)


@pytest.mark.parametrize(("call", "incidents"), [(numbered, 1), (answered, 2), (identified, 1), (raised, 1)])
def test_of_a_text_that_varies_in_values_alone_no_pattern_is_made(
    looks: list[str], call: Callable[[logging.Logger, int], None], incidents: int
) -> None:
    log, handler = logging.Logger("shop"), WeComBotHandler(webhook="x")
    log.addHandler(handler)
    for number in range(1000, 1100):
        call(log, number)
    del looks[:]
    for number in range(1100, 3000):
        call(log, number)
    assert looks == []
    assert handler.flush(30)
    stats = handler.stats()
    assert (stats.delivered, stats.merged) == (incidents, 2000 - incidents)
    assert len(handler.incidents()) == incidents
    handler.close()


class Shop:
    """A program that logs in each of its places what differs in names, values and codes."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.log = logging.Logger("shop")

    def run(self, number: int) -> None:
        names = ("amy", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
        for _ in range(number):
            name, value, code = self.draw.choice(names), self.draw.choice(NUMBERS), self.draw.choice((404, 503, 42))
            place = self.draw.randrange(8)
            if place == 0:
                self.log.error(f"order {value} of {name} cannot be priced")
            elif place == 1:
                self.log.error(f"the bank answered {code} after {value} ms")
            elif place == 2:
                self.log.error("no stock for %s", name)
            elif place == 3:
                self.log.error("nobody can pay")
            elif place == 4:
                self.log.error(f"order {value} waits", extra={"wecom": {"fingerprint": "waits"}} if value % 2 else {})
            else:
                self.fail(place, name, value, code)

    def fail(self, place: int, name: str, value: int, code: int) -> None:
        try:
            if place == 5:
                raise OSError(code, f"no route {value}")
            if place == 6:
                error = ValueError(f"order {value} of {name} is wrong")
                error.status_code = code  # as a client of HTTP does
                raise error
            {}[f"{name} {value}"]
        except (OSError, ValueError, KeyError) as error:
            if value % 5 == 0:
                self.log.error(f"{code} for order {value}: {error}")
            elif value % 3:
                self.log.exception("order %d failed", value)
            else:
                self.log.error(f"order {value} failed", exc_info=error)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_a_program_s_records_are_grouped_as_without_that(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    found = []
    between = sys.getswitchinterval()
    for knows in (True, False):
        with capture_alerts():
            sys.setswitchinterval(60)  # until the flush the worker looks at nothing: in both runs at the same
            shop, handler = Shop(random.Random(seed)), WeComBotHandler(webhook="x")
            shop.log.addHandler(handler)
            if not knows:
                monkeypatch.setattr(KnownTexts, "learn", lambda *_: None)
            with monkeypatch.context() as asleep:  # who reads a file lets other threads run all the same
                asleep.setattr(handler._pipeline._worker, "nudge", lambda: None)
                shop.run(1500)
            sys.setswitchinterval(between)
            assert handler.flush(60)
            told = sorted((one.short_id, one.level, one.count) for one in handler.incidents())
            found.append((told, handler.stats()))
            handler.close()
    assert found[0] == found[1]
    assert len(found[0][0]) > 12


def compiled(log: logging.Logger, number: int) -> None:
    """Two functions that were made of a text, and are in the same line of the same file."""
    name, names = "ab"[number % 2], dict[str, Any]()
    code = f"""
def {name}(log, number):
    log.error(f"order {{number}} waits")
    log.error("waits")
"""
    exec(compile(code, "<string>", "exec"), names)
    names[name](log, number)


def worded(log: logging.Logger, number: int) -> None:
    try:
        raise LookupError("no rate")
    except LookupError:
        log.exception("%s", ("apples", "pears")[number % 2])


def cut(log: logging.Logger, number: int) -> None:
    """Of a text this long both ends are compared, and the first ends within the id."""
    id = uuid.UUID(f"{('1b2c', 'abcd')[number // 20]}{number:028x}")
    log.error(f"{'x' * 243} request {id} {'y' * 300}")


def strange(log: logging.Logger, number: int) -> None:
    try:
        raise LookupError(f"no rate for order {number}")
    except LookupError as error:
        info = (LookupError, error, error.__traceback__)
        record = log.makeRecord("shop", logging.ERROR, "/srv/shop.py", 7, "failed", (), info)
    record.funcName = [number % 2]  # as from a queue
    log.handle(record)


@pytest.mark.parametrize("call", [compiled, worded, cut, strange])
def test_what_differs_beside_the_text_separates_as_without_that(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[logging.Logger, int], None]
) -> None:
    found = []
    for knows in (True, False):
        with capture_alerts():
            log, handler = logging.Logger("shop"), WeComBotHandler(webhook="x")
            log.addHandler(handler)
            if not knows:
                handler.addFilter(lambda record: True)  # past the shortcut
                monkeypatch.setattr(collector, "failure_of", lambda *_: None)
            for number in range(40):
                call(log, number)
            assert handler.flush(30)
            found.append((sorted((one.short_id, one.count) for one in handler.incidents()), handler.stats()))
            handler.close()
    assert found[0] == found[1]
    assert len(found[0][0]) > 1
    assert not found[0][1].dropped


@pytest.mark.parametrize("call", ["f-string", "template", "exception"])
def test_a_fingerprint_is_asked_about_each_record(call: str) -> None:
    def about_seven(record: logging.LogRecord) -> str | None:
        said = record.exc_info[1] if record.exc_info else record.getMessage()
        return "seven" if "7" in str(said) else None

    with capture_alerts():
        log, handler = logging.Logger("shop"), WeComBotHandler(webhook="x", fingerprint=about_seven)
        log.addHandler(handler)
        for number in range(40):
            if call == "f-string":
                log.error(f"order {number} waits")
            elif call == "template":
                log.error("order %d waits", number)
            else:
                log.error("failed", exc_info=LookupError(f"order {number}"))
        assert handler.flush(30)
        assert sorted(one.count for one in handler.incidents()) == [4, 36]
        handler.close()


def test_an_exception_is_asked_once_what_it_says() -> None:
    asked = []

    class Slow(Exception):
        def __str__(self) -> str:
            asked.append(self)
            return f"no rate for {'abcdefgh'[len(asked)]}"

    with capture_alerts():
        log, handler = logging.Logger("shop"), WeComBotHandler(webhook="x")
        log.addHandler(handler)
        for _ in range(4):
            log.error("failed", exc_info=Slow())
        assert handler.flush(30)
        handler.close()
    assert len(asked) == 4


def test_code_that_is_compiled_anew_each_time_is_not_kept_alive() -> None:
    code = """
def fail():
    raise LookupError("order 1")
"""
    kept = weakref.WeakSet[CodeType]()
    with capture_alerts():
        log, handler = logging.Logger("shop"), WeComBotHandler(webhook="x")
        log.addHandler(handler)
        for _ in range(1000):
            names: dict[str, Any] = {}
            exec(code, names)
            kept.add(names["fail"].__code__)
            for _ in range(2):
                try:
                    names["fail"]()
                except LookupError:
                    log.exception("failed")
        assert handler.flush(30)
        gc.collect()
        assert len(kept) <= 600  # what the ways and origins that are remembered hold
        handler.close()
