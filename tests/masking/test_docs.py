"""What the documents say that masking cannot do, it cannot do, and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wecom_logging._masking import forms
from wecom_logging._masking.redact import redact

from ..faults.test_masking import YARDSTICKS

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `([^`]+)` \| (?:`([^`]+)` \| )?[^|`]+ \|$", re.MULTILINE)


def told(name: str) -> list[tuple[str, str]]:
    """The rows of both tables: what is shown, and what becomes of what."""
    text = read(name)
    return ROW.findall(text[text.index("hunter2") - 40 : text.index("redactor(extra=[", text.index("hunter2"))])


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


ROWS = told("masking.md")


@pytest.mark.parametrize(("before", "after"), ROWS)
def test_what_is_said_to_be_shown_is_shown_and_what_changes_changes_so(before: str, after: str) -> None:
    assert redact(before) == (after or before)


def test_both_languages_say_the_same() -> None:
    assert told("masking.zh.md") == ROWS
    assert (len(ROWS), sum(bool(after) for _, after in ROWS)) == (31, 7)


def test_the_numbers_are_those_of_the_code() -> None:
    least, digits, without_digit = forms._LEAST_TELLING, forms._LEAST_OF_DIGITS, forms._LEAST_WITHOUT_DIGIT
    most = forms._MOST
    english, chinese = read("masking.md").replace("\n", " "), read("masking.zh.md")
    assert (
        f"{least} characters or more with a digit, {digits} digits, or {without_digit} characters without one"
        in english
    )
    assert f"up to {most} values" in english
    assert f"at most {YARDSTICKS} times as long" in english
    assert f"至少 {least} 个字符，纯数字至少 {digits} 位，或不含数字且至少 {without_digit} 个字符" in chinese
    assert f"每条告警最多 {most} 个值" in chinese
    assert f"调用的 {YARDSTICKS} 倍" in chinese
