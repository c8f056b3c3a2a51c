"""A day of five people, simulated: what is written of it is so."""

from __future__ import annotations

import pytest

from tools import day

from ..programs import ROOT


@pytest.mark.slow
def test_the_figures_of_the_day_are_those_of_the_simulation() -> None:
    _, by_what = day.tables()
    assert by_what in (ROOT / "tools" / "README.md").read_text(encoding="utf-8"), "python -m tools.day"
