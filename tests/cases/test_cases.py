"""Every case on every engine: which messages come, when, to whom, and that the numbers balance."""

from __future__ import annotations

from pathlib import Path

import pytest

from wecom_logging._state.shared import Shared

from .engines import ENGINES
from .language import Case, cases, seconds, shown
from .runner import Play, difference

HERE = Path(__file__).parent
CASES = [(path.stem, case) for path in sorted(HERE.glob("*.txt")) for case in cases(path)]


def played() -> list[object]:
    """Each with its engine. What falls short is known, and seen when it no longer does."""
    return [
        pytest.param(
            engine,
            case,
            id=f"{engine} {table}: {case.says}",
            marks=[pytest.mark.xfail(reason=case.short[engine], strict=True)] if engine in case.short else [],
        )
        for engine in ENGINES
        for table, case in CASES
    ]


@pytest.mark.parametrize(("engine", "case"), played())
def test_a_case(engine: str, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(case, ENGINES[engine])
    monkeypatch.setattr(Shared, "time_s", lambda self: play.clock.now)  # two clocks of today are one
    found = play.play()
    play.assert_balance()
    came = "\n".join(f"{shown(at)} | {said}" for at, said in found)
    assert not difference(case.expected, found), f"what came:\n{came}"


def test_no_two_cases_say_the_same() -> None:
    assert len({case.says for _, case in CASES}) == len(CASES)


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
