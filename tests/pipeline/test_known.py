"""Texts that are known without their pattern: counted where a look at all of them would have counted them."""

from __future__ import annotations

import logging
import random
import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging import WeComBotHandler
from wecom_logging._capture import identify, known
from wecom_logging._capture.known import MAX_OUTLINES, Known, KnownTexts, codes_in, find, outline_of
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


def test_what_counts_among_the_numbers_is_found_once() -> None:
    text = "order 4711: the bank answered 503 after 12.3 s"
    (code,) = codes_in(text, outline_of(text)) or ()
    assert text[code] == "503"
    assert codes_in("order 4711 of 12", "order 0000 of 00") is None


def test_outlines_have_a_bound() -> None:
    table, tally = KnownTexts(), Tally.__new__(Tally)
    for number in range(3 * MAX_OUTLINES):
        text = f"{number:x} is no word".translate(str.maketrans("0123456789", "ghijklmnop"))
        for _ in range(2):
            table.learn(("here",), text, tally, "")
    assert 0 < len(table.at(("here",)) or {}) <= MAX_OUTLINES
    assert len(table._once) <= MAX_OUTLINES


def test_a_tally_that_is_over_is_forgotten() -> None:
    table, tally = KnownTexts(), Tally.__new__(Tally)
    for number in (1, 2):
        table.learn(("here",), f"order {number}", tally, "")
    outlines = table.at(("here",)) or {}
    assert isinstance(outlines["order 0"], Known)
    del tally
    assert outlines["order 0"].tally() is None


# Through handlers.


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The texts whose pattern was asked for."""
    asked: list[str] = []

    def counted(text: str) -> str:
        asked.append(text)
        return pattern(text)

    for module in (identify, known):
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
                error.status_code = code  # type: ignore[attr-defined] # as a client of HTTP does
                raise error
            {}[f"{name} {value}"]
        except (OSError, ValueError, KeyError) as error:
            if value % 3:
                self.log.exception("order %d failed", value)
            else:
                self.log.error(f"order {value} failed", exc_info=error)


@pytest.mark.parametrize("seed", range(8))
def test_a_program_s_records_are_grouped_as_without_that(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    found = []
    for knows in (True, False):
        with capture_alerts():
            shop, handler = Shop(random.Random(seed)), WeComBotHandler(webhook="x")
            shop.log.addHandler(handler)
            if not knows:
                monkeypatch.setattr(KnownTexts, "learn", lambda *_: None)
            shop.run(1500)
            assert handler.flush(60)
            told = sorted((one.short_id, one.level, one.count) for one in handler.incidents())
            found.append((told, handler.stats()))
            handler.close()
    assert found[0] == found[1]
    assert len(found[0][0]) > 12
