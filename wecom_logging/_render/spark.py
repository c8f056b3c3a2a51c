"""Numbers as a line of little bars."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def spark(rates: Sequence[int]) -> str:
    """A bar for each of the numbers (0 or more), the largest the tallest; only 0 is the lowest bar.

    Empty where there is nothing to compare: for fewer than two numbers, or zeros alone.
    """
    top = max(rates, default=0)
    if len(rates) < 2 or top <= 0:
        return ""
    return "".join(_BARS[-(-rate * (len(_BARS) - 1) // top)] for rate in rates)
