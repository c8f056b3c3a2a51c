"""Numbers as bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging._render.times import spark


@pytest.mark.parametrize(
    ("rates", "shown"),
    [
        ((), ""),
        ((7,), ""),
        ((0, 0, 0), ""),
        ((1, 0), "█▁"),
        ((3, 3, 3), "███"),
        ((1, 5, 0, 9), "▂▅▁█"),
        ((0, 1, 2, 3, 4, 5, 6, 7), "▁▂▃▄▅▆▇█"),
        ((1, 1_000_000), "▂█"),
    ],
)
def test_bars(rates: tuple[int, ...], shown: str) -> None:
    assert spark(rates) == shown


@pytest.mark.slow
@given(st.lists(st.integers(0, 10**12), min_size=2).filter(any))
def test_a_larger_number_has_no_lower_bar_and_only_zero_the_lowest(rates: list[int]) -> None:
    shown = spark(rates)
    assert len(shown) == len(rates)
    assert max(shown) == "█"
    pairs = sorted(zip(rates, shown, strict=True))
    assert [bar for _, bar in pairs] == sorted(shown)
    assert all((rate == 0) == (bar == "▁") for rate, bar in pairs)
