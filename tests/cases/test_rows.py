"""Quiet hours, answers, jobs and escalations: each row of the tables is a case that happens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from . import answers, escalation, jobs, quiet_hours
from .case import Case, Row, judge


@pytest.mark.parametrize(
    "case", [*quiet_hours.CASES, *answers.CASES, *jobs.CASES], ids=lambda case: case.name.replace(" ", "_")
)
def test_what_comes_is_what_the_case_says(case: Case) -> None:
    judge(case)


@pytest.mark.parametrize(
    "row",
    [
        (3, "taken", 0),
        (15, "taken", 0),
        (12, "given", 0),
        (12, "taken", 1),
        (12, "taken", 0, "taken by Wang"),
        (12, "taken", 0, {"to": "li"}),
        (),
    ],
    ids=["too late", "too early", "another kind", "another count", "another text", "another reader", "no row"],
)
def test_a_row_that_says_otherwise_is_seen(row: Row) -> None:
    happens = ((0, "log", "disk full"), (12, "say", "Li", "take {}"))
    right = Case("who takes it is said", {}, happens, 20, ((0, "new", 1), (12, "taken", 0)))
    judge(right)
    with pytest.raises(AssertionError, match="who takes it is said"):
        judge(replace(right, comes=((0, "new", 1), row) if row else ((0, "new", 1),)))
    with pytest.raises(AssertionError, match="did not come"):
        judge(replace(right, comes=(*right.comes, (13, "more", 1))))


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
