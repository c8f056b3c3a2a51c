"""The fixed words of messages: in both languages, complete, and none outside of the table."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.programs import ROOT
from wecom_logging._masking.redact import RAISED, RETURNED
from wecom_logging._render import words
from wecom_logging._text.said import Said, labelled


@pytest.mark.parametrize(
    ("row", "values", "said"),
    [
        (words.TAKEN_BY, ("李四", "10:18"), "李四于 10:18 认领"),
        (words.TAKEN_BY, ("Li", "12-03 09:00"), "Li 于 12-03 09:00 认领"),
        (words.TAKEN_BY, ("张 三", "10:18"), "张 三于 10:18 认领"),
        (words.GIVEN_TO, ("王五", "李四", "10:18"), "李四于 10:18 转给王五"),
        (words.CARD_SILENT, ("12-03 09:00",), "静默至 12-03 09:00"),
        (words.NOTHING_OF_LEVEL, ("严重",), "没有未结束的严重事件"),
        (words.NOTHING_OF_LEVEL, ("AUDIT",), "没有未结束的 AUDIT 事件"),
        (words.JOB_MISSED, ("对账",), "任务对账错过了执行时间"),
        (words.JOB_MISSED, ("sync {x}",), "任务 sync {x} 错过了执行时间"),
    ],
)
def test_a_blank_stands_between_chinese_and_latin_signs_alone(row: Said, values: tuple[str, ...], said: str) -> None:
    assert row.within("zh", *values) == said


def test_a_colon_is_chinese_behind_a_chinese_sign_in_a_chinese_text() -> None:
    assert labelled("上次运行", "zh") + words.NONE.zh == "上次运行：无"
    assert (labelled("status", "zh"), labelled("地址", "en")) == ("status: ", "地址: ")
    assert (labelled("users", "zh", "未设置"), labelled("users", "zh", "none")) == ("users：未设置", "users: none")


def test_what_stands_for_a_text_that_could_not_be_masked_is_found_again() -> None:
    assert (words.REDACT_RAISED.en, words.REDACT_RETURNED.en) == (RAISED, RETURNED)


@pytest.mark.parametrize("table", [words.LEVELS, words.REASONS, words.FIELDS])
def test_each_name_has_one_in_chinese(table: dict[str, str]) -> None:
    assert all(name and not re.search("[A-Za-z]", name) for name in table.values())


NO_FIELDS = {
    *("fields", "fingerprint", "title"),  # of a record's ``wecom``
    *("delivered", "merged", "handed_over"),  # outcomes that Prometheus gets
    *("exception", "fatal", "warn"),  # methods of structlog
    *("headers", "options"),  # of a message of Celery
    "…",
}
"""Keys of other dictionaries in integrations."""


def keys(tree: ast.AST) -> Iterator[str]:
    """Of each dictionary that is written out, and of each item that is set."""
    for node in ast.walk(tree):
        found = list(node.keys) if isinstance(node, ast.Dict) else []
        if isinstance(node, ast.Assign):
            found += [target.slice for target in node.targets if isinstance(target, ast.Subscript)]
        yield from (key.value for key in found if isinstance(key, ast.Constant) and isinstance(key.value, str))


def test_each_field_of_an_integration_has_a_name_in_chinese() -> None:
    files = (ROOT / "wecom_logging" / "integrations").rglob("*.py")
    written = {key for path in files for key in keys(ast.parse(path.read_text(encoding="utf-8")))}
    assert len(written) > 25
    assert written - words.FIELDS.keys() - NO_FIELDS == set(), "a row in FIELDS of _render/words.py is missing"
