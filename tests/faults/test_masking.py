"""The worst texts for masking: linear work, and no step that keeps the other threads from running."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from wecom_logging._capture.pending import Origin, capture, snapshot
from wecom_logging._capture.record import Reading
from wecom_logging._masking.redact import redact
from wecom_logging._render.layout import fit, lay_out
from wecom_logging._render.mask import masked, slim
from wecom_logging._render.source import with_source
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._text.cut import CAP_BYTES
from wecom_logging.model import Digest

from ..masking.test_redact import WORST
from ..programs import thread_seconds

MAX_STEP_S = 0.005
"""With the 5 ms of sys.getswitchinterval() another thread waits at most 10 ms for its turn."""

LONG = [
    "\x00", "curl -u ", "curl ", "\u202e", "\ud800", "a\u0301", "e" + "\u0301" * 9, "\u200d", " \u200d", "\t", " ",
    "中", "\U0001f3f4\U000e0067", "a    x", "\n", "a\n", "'", '"', "<", "`", "--tokenpassword=[['a'", "<a:password>x",
    "'--password', ", "--password ", "password", "-----BEGIN PRIVATE KEY-----", "password: |\n", "secret_", "key=", "://",
    "token=({'",
]  # fmt: skip


def longest_step(work: Callable[[], object]) -> float:
    """The most seconds of this thread's own time between two instants where Python code could give way to others."""
    found = [0.0, time.thread_time()]

    def step(frame: FrameType, event: str, arg: object) -> Any:
        found[0] = max(found[0], time.thread_time() - found[1])
        found[1] = time.thread_time()
        return step

    gc.disable()
    sys.setprofile(step)
    sys.settrace(step)  # for each line, and each turn of a loop
    try:
        work()
    finally:
        sys.settrace(None)
        sys.setprofile(None)
        gc.enable()
    return found[0]


def all_that_the_worker_does(text: str) -> None:
    """Steps 5 and 8 for one text, in both looks."""
    record = logging.LogRecord("shop", 40, "pay.py", 1, text, (), None)
    alert = masked(with_source(capture(snapshot(Reading(record)), Origin())), redact)
    slim(alert)
    for style in (TEXT, MARKDOWN):
        layout = lay_out(Digest(alert), style)
        fit(layout, 2048)


def of_bytes(unit: str, number: int) -> str:
    return unit * (number // len(unit.encode("utf-8", "surrogatepass")))


@pytest.mark.slow
@pytest.mark.case("C22")
@pytest.mark.parametrize("unit", LONG, ids=ascii)
def test_no_text_keeps_other_threads_from_running(unit: str) -> None:
    text = of_bytes(unit, CAP_BYTES)
    all_that_the_worker_does(unit)  # patterns are compiled with their first use
    tries = (longest_step(lambda: all_that_the_worker_does(text)) for _ in range(5))  # some meet a busy machine
    assert any(seconds < MAX_STEP_S for seconds in tries)


@pytest.mark.case("C22")
def test_the_step_that_is_measured_can_be_too_long() -> None:
    assert longest_step(lambda: sum(range(10_000_000))) > MAX_STEP_S


PAIRS = [
    *("- token:\npassword={(\n'--password', ", "key='--password',   ", "'--password', --a-authorization"),
    *("auth=(", "auth=", "sign=", "password=Name(", "password=a1b2c3d", "password=Zk9vQ2x7 ", "'=password", "a/b.c1-"),
    *("==> Parameters: x(String)", "==> Parameters: ", "binding parameter [1] as [V] - [x] ", "Failing row contains ("),
    *("user,passwd\nb,c\n", "a|b\n--|--\n", "  |\n"),
    *("binding parameter [1] as [V] - [", "insert into u (password) values (?)\nbinding parameter [1] as [V] - [x]\n"),
]
"""The slowest of thousands that were put together at random, and those that masking looks at more than once."""

YARDSTICKS = 25
"""What 200 KB of any text take at most, as documents and `redact` say, too."""


def yardstick() -> object:
    """What 200 000 small calls cost here and now: 10 ms on a core of its own."""
    return "".join(sign.lower() for sign in "x y" * 66_666)


@pytest.mark.slow
@pytest.mark.case("C22")
@pytest.mark.timeout(600)  # hundreds of texts, each several times where others share the core
def test_two_hundred_kilobytes_of_the_worst_texts_are_masked_at_once() -> None:
    """Within 0.2 s on a core of its own: 17 to 19 yardsticks, and more where others share its cache."""
    units = [*WORST, *LONG]
    texts = [of_bytes(unit, 200_000 // len(units)) for unit in units]
    redact("".join(texts))
    mixed = ["".join(texts), "\n".join(texts), "".join(unit for _ in range(200_000 // 900) for unit in units)[:200_000]]
    for text in (*mixed, *(of_bytes(unit, 200_000) for unit in (*units, *PAIRS))):
        assert any(
            thread_seconds(lambda text=text: redact(text)) < YARDSTICKS * thread_seconds(yardstick) for _ in range(4)
        ), ascii(text[:40])
