"""What grouping and rendering make of our own records is what the golden files say."""

from __future__ import annotations

import difflib

import pytest

from tools import golden


@pytest.mark.parametrize("part", golden.PARTS)
def test_a_golden_file_is_as_the_code_says(part: str) -> None:
    path = golden.golden(part)
    was, now = path.read_text(encoding="utf-8").splitlines(), golden.made(part).splitlines()
    name = path.relative_to(golden.FOLDER).as_posix()
    difference = list(difflib.unified_diff(was, now, name, "as the code says now", lineterm=""))
    if difference:
        shown = "\n".join([*difference[:200], *[f"… {len(difference) - 200} more lines"] * (len(difference) > 200)])
        advice = "If it is meant: `python -m tools.golden`, and say in the commit why readers get something else."
        pytest.fail(f"{shown}\n\n{advice}", pytrace=False)
