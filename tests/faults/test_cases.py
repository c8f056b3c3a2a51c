"""The table of cases at the end of a run, what it says of slow tests, and which run has those."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from ..programs import ROOT
from .cases import CASES, NOT_TRIED, table


def lines(results: dict[str, list[bool]], left_out: list[tuple[str, bool]]) -> dict[str, str]:
    return {line.split()[0]: line for line in table(results, CASES, left_out)}


def test_a_case_with_a_test_that_failed_has_failed() -> None:
    told = lines({"N01": [True, True], "N02": [True, False]}, [])
    assert told["N01"].split()[1:3] == ["passed", "2/2"]
    assert told["N02"].split()[1:3] == ["FAILED", "1/2"]


def test_a_case_of_which_all_tests_are_slow_is_no_hole() -> None:
    told = lines({"N01": [True]}, [("N02", True), ("N03", True), ("N03", False), ("N04", False)])
    assert "not run here (slow)" in told["N02"]
    assert "not run here (quick)" in told["N04"]
    for name in ("N03", "N06"):  # of one, tests of both kinds were left out; of the other there was none
        assert told[name].split()[1:3] == ["not", "run"]
        assert "here" not in told[name]


def test_a_case_says_how_many_slow_tests_did_not_run() -> None:
    told = lines({"N01": [True], "N15": [True]}, [("N01", True), ("N01", True), ("N15", True)])
    assert told["N01"].endswith("(and 2 slow, not run here)")
    assert told["N15"].endswith(f"(and 1 slow, not run here; not tried: {NOT_TRIED['N15']})")


def test_a_failure_is_told_also_where_slow_tests_were_left_out() -> None:
    assert lines({"N01": [False]}, [("N01", True)])["N01"].split()[1:3] == ["FAILED", "0/1"]


FOLDER = "tests/faults"
FILE = f"{FOLDER}/test_cases.py"
ERRCODES = "tests/wecom/test_errcodes.py"


def output(*asked: str) -> str:
    """What a run of the tests prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", *asked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "is_chosen"),
    [
        ([FILE], True),
        ([FILE, "-m", "not slow"], False),
        ([FOLDER], False),
    ],
)
def test_what_is_named_runs_whole(asked: list[str], is_chosen: bool) -> None:
    """A file or a test that is asked for runs, slow or not; a marker has the last word; a folder has its quick ones."""
    assert (f"{FILE}::test_what_is_named_runs_whole" in output("--collect-only", *asked)) is is_chosen


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        [f"{ERRCODES}::test_an_untrusted_ip_is_named_where_the_admin_reads"],
        ["--case", "W09", ERRCODES],
        ["tests/wecom", "-k", "an_untrusted_ip_is_named"],
    ],
)
def test_where_something_is_named_the_table_has_what_ran(asked: list[str]) -> None:
    assert re.findall(r"^([A-Z]\d\d)  (\w+)", output(*asked), re.MULTILINE) == [("W09", "passed")]
