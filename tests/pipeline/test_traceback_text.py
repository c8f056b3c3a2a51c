"""Tracebacks that are text already: what Python itself prints is read again, all else stays as it is."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from wecom_logging.pipeline.traceback_text import cut, parse


def printed(fails: Callable[[], object]) -> str:
    try:
        fails()
    except Exception:
        return traceback.format_exc()
    raise AssertionError("it did not fail")


def charge() -> None:
    {}["stock"]


def wrapped() -> None:
    try:
        charge()
    except KeyError as error:
        raise ValueError("no price\nof order 7") from error


def while_handling() -> None:
    try:
        charge()
    except KeyError:
        raise OSError from None if not wrapped else wrapped.__globals__["charge"]()


def deep(number: int = 80) -> None:
    deep(number - 1) if number else charge()


def test_an_exception_its_frames_and_their_source() -> None:
    found = parse(printed(charge))
    (failure,) = found.failures
    assert (failure.type, failure.text, found.rest) == ("KeyError", "'stock'", "")
    assert [frame.name for frame in failure.frames] == ["printed", "charge"]
    assert failure.frames[-1].code == '{}["stock"]'
    assert failure.frames[-1].file == __file__


def test_a_chain_and_a_text_of_several_lines() -> None:
    first, last = parse(printed(wrapped)).failures
    assert (first.type, first.link) == ("KeyError", "cause")
    assert (last.type, last.text, last.link) == ("ValueError", "no price\nof order 7", "")
    first, last = parse(printed(while_handling)).failures
    assert (first.link, last.type) == ("context", "KeyError")


def test_of_many_frames_the_outer_and_the_inner_ones_stay() -> None:
    from types import SimpleNamespace

    text = "Traceback (most recent call last):\n"
    text += "".join(f'  File "a.py", line {number}, in f\n    f()\n' for number in range(1, 101))
    (failure,) = parse(text + "ValueError\n").failures
    lines = SimpleNamespace(first=failure.frames[15].line, next=failure.frames[16].line, last=failure.frames[-1].line)
    assert (len(failure.frames), failure.omitted, failure.head) == (64, 36, 16)
    assert (lines.first, lines.next, lines.last) == (16, 53, 100)


def test_lines_that_python_left_out_are_said() -> None:
    (failure,) = parse(printed(deep)).failures
    assert failure.notes == ("[Previous line repeated 78 more times]",)
    assert failure.frames[-1].name == "charge"


def group() -> None:
    raise ExceptionGroup("two", [ValueError("x"), KeyError("y")])


@pytest.mark.parametrize(
    "text",
    [
        printed(group).strip("\n"),
        "Traceback (most recent call last):\n  File",
        "Traceback (most recent call last):\nhello world",
        "ValueError: a formatter of somebody else's",
    ],
)
def test_what_is_not_known_stays_a_text(text: str) -> None:
    assert (parse(text).failures, parse(text).rest) == ((), text)


def test_a_stack_stands_after_the_exception() -> None:
    stack = 'Stack (most recent call last):\n  File "a.py", line 3, in main\n    go()'
    found = parse(printed(charge) + stack)
    assert [failure.text for failure in found.failures] == ["'stock'"]
    assert found.rest == '  File "a.py", line 3, in main\n    go()'
    assert parse(stack).failures == ()


@pytest.mark.parametrize(
    ("message", "before", "is_cut"),
    [
        ("no price", "no price", False),
        ("it said (most recent call last): nothing", "it said (most recent call last): nothing", False),
        (f"no price\n{printed(charge)}", "no price", True),
        (f"no price\n\n{printed(group)}", "no price", True),
        (printed(charge), "KeyError: 'stock'", True),
        (f"look\n{printed(charge)}Stack (most recent call last):\n  File", "look", True),
    ],
)
def test_a_message_is_cut_where_the_traceback_begins(message: str, before: str, is_cut: bool) -> None:
    found, trace = cut(message)
    assert (found, bool(trace)) == (before, is_cut)
    assert message.endswith(trace)
