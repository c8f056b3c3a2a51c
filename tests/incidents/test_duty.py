"""Rules of time and persons as they travel with an incident: what comes back is what went, or is refused."""

from __future__ import annotations

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
