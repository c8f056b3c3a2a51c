"""Quiet hours, answers, jobs and escalations: each row of the tables is a case that happens."""

from __future__ import annotations

from typing import Any

import pytest

from . import answers, escalation, jobs, quiet_hours
from .case import Case, judge


@pytest.mark.parametrize(
    "case", [*quiet_hours.CASES, *answers.CASES, *jobs.CASES], ids=lambda case: case.name.replace(" ", "_")
)
def test_what_comes_is_what_the_case_says(case: Case) -> None:
    judge(case)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            one,
            id=one["id"],
            marks=pytest.mark.xfail(reason=why, strict=True) if (why := escalation.NOT_YET.get(one["id"])) else (),
        )
        for one in escalation.TABLE
    ],
)
def test_who_is_told_at_which_second_is_what_the_table_says(document: dict[str, Any]) -> None:
    *others, last = escalation.read(document)
    if not any(map(holds, others)):
        judge(last)


def holds(case: Case) -> bool:
    try:
        judge(case)
    except AssertionError:
        return False
    return True
