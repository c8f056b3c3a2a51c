"""What the documents say that masking cannot do, it cannot do, and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wecom_logging._masking import forms
from wecom_logging._masking.redact import redact

from ..faults.test_masking import YARDSTICKS

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```text\n(.*?)```", re.DOTALL)


def told(name: str) -> list[list[str]]:
    """The lines of both lists, without what is said of each."""
    return [[re.split(r" +# ", line)[0] for line in block.splitlines()] for block in BLOCK.findall(read(name))]


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


SHOWN, CHANGED = told("masking.md")


@pytest.mark.parametrize("line", SHOWN)
def test_what_is_said_to_be_shown_is_shown(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize("line", CHANGED)
def test_what_is_said_to_change_changes_so(line: str) -> None:
    before, after = re.split(r" +→ ", line)
    assert redact(before) == after


def test_both_languages_say_the_same() -> None:
    assert told("masking.zh.md") == [SHOWN, CHANGED]
    assert (len(SHOWN), len(CHANGED)) == (20, 5)


def test_the_numbers_are_those_of_the_code() -> None:
    least, without_digit, most = forms._LEAST_TELLING, forms._LEAST_WITHOUT_DIGIT, forms._MOST
    english, chinese = read("masking.md"), read("masking.zh.md")
    assert f"{least} characters or more with a digit, or {without_digit} without one; up to {most} values" in english
    assert f"at most {YARDSTICKS} times as long" in english
    assert f"至少 {least} 个字符，或不含数字且至少 {without_digit} 个字符；每条告警最多 {most} 个值" in chinese
    assert f"调用的 {YARDSTICKS} 倍" in chinese
