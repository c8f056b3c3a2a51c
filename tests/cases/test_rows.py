"""Quiet hours, answers and jobs: each row of the tables is a case that happens."""

from __future__ import annotations

import pytest

from . import answers, jobs, quiet_hours
from .case import Case, judge


@pytest.mark.parametrize(
    "case", [*quiet_hours.CASES, *answers.CASES, *jobs.CASES], ids=lambda case: case.name.replace(" ", "_")
)
def test_what_comes_is_what_the_case_says(case: Case) -> None:
    judge(case)
