"""The page of comparisons shows the day as it is simulated."""

from __future__ import annotations

import pytest

from tools import day

from ..programs import ROOT


@pytest.mark.slow
def test_the_page_has_the_day_as_it_is() -> None:
    pages = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("comparison.md", "comparison.zh.md")]
    for table in day.tables():
        assert table in pages[0], "python -m tools.day"
        assert day.in_chinese(table) in pages[1]
