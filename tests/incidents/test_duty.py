"""Rules of time and persons as they travel with an incident: what comes back is what went, or is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wecom_logging._incidents.duty import duty_of, duty_text
from wecom_logging.model.duty import Duty, Rota, Span

TURNS = (("zhang",), ("li", "wang"))
RULES = Duty(
    zone="Asia/Shanghai",
    quiet=(Span((4,), "", 22 * 60, 8 * 60), Span(kind="off-days"), Span((0,), "", 20 * 60, 0)),
    rotas=(
        Rota("web", TURNS, "2026-12-07 10:00", days=7),
        Rota("day", TURNS, "2026-12-07 10:00", hours=12),
        Rota("who", who="shop.duty:who"),
    ),
)


def test_rules_come_back_as_they_went() -> None:
    assert duty_of(duty_text(RULES)) == RULES


@pytest.mark.parametrize(
    "span",
    [{"begin": -(2**50)}, {"end": 2**60}, {"begin": 1440}, {"end": 0}, {"begin": 60, "end": 60}, {"kind": "feast"}],
)
def test_hours_that_no_wall_shows_are_refused(span: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="nobody can follow"):
        duty_of(json.dumps({"quiet": [{"weekdays": [*range(7)], **span}]}))


@pytest.mark.parametrize(
    "changes", [{"since": "tomorrow"}, {"days": 0}, {"days": -3}, {"hours": 5}, {"days": 10**9}, {"people": [[]]}]
)
def test_a_rota_without_an_end_of_its_turns_is_refused(changes: dict[str, Any]) -> None:
    given = {"name": "web", "people": [["zhang"]], "since": "2026-12-07 10:00", "days": 7, **changes}
    with pytest.raises(ValueError, match="nobody can follow"):
        duty_of(json.dumps({"rotas": [given]}))


def test_more_spans_than_a_week_has_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="nobody can follow"):
        duty_of(json.dumps({"quiet": [{"weekdays": [0]}] * 10_000}))
