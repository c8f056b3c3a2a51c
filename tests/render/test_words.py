"""The fixed words of messages: in both languages, complete, and none outside of the table."""

from __future__ import annotations

import re

import pytest

from wecom_logging._render import words
from wecom_logging._render.words import Said

ROWS = {name: row for name, row in vars(words).items() if isinstance(row, Said)}


def test_each_row_has_both_languages_with_the_same_places_to_fill_in() -> None:
    for name, row in ROWS.items():
        assert row.zh, name
        assert not re.search("[A-Za-z]", re.sub(r"\{\w*\}|%s", "", row.zh)), name
        assert row.en.count("%s") == row.zh.count("%s"), name
        places = [sorted(re.findall(r"\{\w*\}", text)) for text in (row.en, row.zh)]
        assert places[0] == places[1], name


@pytest.mark.parametrize("table", [words.LEVELS, words.REASONS, words.FIELDS])
def test_each_name_has_one_in_chinese(table: dict[str, str]) -> None:
    assert all(name and not re.search("[A-Za-z]", name) for name in table.values())
