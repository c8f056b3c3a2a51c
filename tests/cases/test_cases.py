"""Every case: which messages come, when, to whom, and that the numbers balance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wecom_logging.errors import ConfigurationError

from ..told import Told
from .language import Case, Comes, cases, seconds, shown
from .rig import program

CASES = [(path.stem, case) for path in sorted(Path(__file__).parent.glob("*.txt")) for case in cases(path)]


def differs(case: Case, came: list[tuple[float, str, Told]]) -> Iterator[str]:
    """Where what came is not what the case says."""
    left = [one for row in case.rows for one in row.comes]
    for at, words, told in came:
        fits = next((one for one in left[: _firm(left)] if not why_not(one, at, words, told)), None)
        if fits is not None:
            del left[: left.index(fits) + 1]
        elif "free" not in case.options or words.startswith("step"):
            why = why_not(left[0], at, words, told) if left else "no row"
            yield f"{shown(at)} | {words}: {why}: {told.text!r}"
    yield from (f"did not come: {shown(one.at)} | {one.words} {one.texts}" for one in left if not one.may)


def _firm(left: list[Comes]) -> int:
    """How many may be next: up to the first that may not be left out."""
    return next((number for number, one in enumerate(left, 1) if not one.may), len(left))


def why_not(row: Comes, at: float, words: str, told: Told) -> str:
    if words != row.words:
        return f"not {row.words!r}"
    if not row.at - 0.1 <= at <= row.until:
        return "the time"
    return next((f"the text {text!r}" for text in row.texts if not re.search(text, told.text, re.M)), "")


def judge(case: Case) -> None:
    """Let it happen. Raises `AssertionError` with all that differs."""
    if wrong := case.options.get("refused"):
        with pytest.raises(ConfigurationError, match=wrong), program(case):
            pass
        return
    with program(case) as one:
        came = one.play()
        one.assert_balance()
        found = [*differs(case, came)]
        listed = "\n".join(f"{shown(at)} | {words}" for at, words, _ in came)
        assert not found, "\n".join([*found, "what came:", listed])


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=f"{table}: {case.says}",
            marks=[pytest.mark.xfail(reason=case.short["memory"], strict=True)] if case.short else [],
        )
        for table, case in CASES
    ],
)
def test_a_case(case: Case) -> None:
    judge(case)


def test_no_two_cases_say_the_same() -> None:
    assert len({case.says for _, case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "row",
    [
        "3 | taken disk 0 of 1",
        "15 | taken disk 0 of 1",
        "12 | given disk 0 of 1",
        "12 | taken disk 1 of 2",
        '12 | taken disk 0 of 1 "taken by Wang"',
        "12 | taken disk 0 of 1 to li",
        "",
        "12 | taken disk 0 of 1\n13 | more disk 1 of 2",
    ],
)
def test_a_row_that_says_otherwise_is_seen(row: str, tmp_path: Path) -> None:
    def written(rows: str) -> Case:
        path = tmp_path / "case.txt"
        path.write_text(
            f"= Who takes it is said\n0 log disk | first disk 1\n12 Li: take disk |\n{rows}\n20 |\n", "utf-8"
        )
        return cases(path)[0]

    judge(written("12 | taken disk 0 of 1"))
    with pytest.raises(AssertionError, match="what came"):
        judge(written(row))


@pytest.mark.parametrize(
    ("written", "seconds_s"), [("0", 0), ("90", 90), ("1m30", 90), ("2h", 7200), ("1h5s", 3605), ("1d1m0.5", 86_460.5)]
)
def test_a_time_is_read_and_shown(written: str, seconds_s: float) -> None:
    assert seconds(written) == seconds_s
    assert seconds(shown(seconds_s)) == seconds_s


@pytest.mark.parametrize("written", ["", "1h30", "1d5", "soon", "1m30m"])
def test_what_could_be_read_in_two_ways_is_no_time(written: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        seconds(written)
