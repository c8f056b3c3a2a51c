"""When a message of an incident goes, by the wall, and to whom, by people: what `Duties` says of the new incident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._config.duty import quiet_hours
from wecom_logging._duty.duties import Duties
from wecom_logging._incidents import outcomes
from wecom_logging._incidents.duty import duty_text
from wecom_logging._incidents.plan import Act
from wecom_logging._incidents.values import By, Hold, Incident
from wecom_logging.errors import PermissionDeniedError
from wecom_logging.model import Call, Recipients
from wecom_logging.model.alert import SILENCED, TAKEN
from wecom_logging.model.duty import Duty, Rota, Scope, Step, Swap

from ..incidents.test_apply import M, added, answered, first, opened, sent

ZONE = ZoneInfo("Asia/Shanghai")
NIGHTS = duty_text(Duty(zone=ZONE.key, quiet=quiet_hours("22:00-08:00")))
WEB = Rota("web", (("zhangsan",), ("lisi", "wangwu")), "2026-12-07 10:00", days=7)
OF_WEB = duty_text(Duty(zone=ZONE.key, rotas=(WEB,)))
OPS, BY_WEB = Recipients(users=("ops",)), Recipients(users=("on-call:web",))


def at(wall: str) -> float:
    return datetime.fromisoformat(wall).replace(tzinfo=ZONE).timestamp()


FIRST_WEEK, SECOND_WEEK = at("2026-12-08 12:00"), at("2026-12-15 12:00")


def duties(**more: Any) -> Duties:
    said: Callable[[str, str], object] = lambda cause, text: None  # noqa: E731 # nothing is to be said
    given = {"own": OPS, "rules": "", "warn_once": said, "mask": str, "clock": lambda: 0.0}
    return Duties(**{**given, **more})


# When.


def test_quiet_hours_hold_what_is_below_their_level_from_now_until_they_end() -> None:
    night, morning = at("2026-12-08 23:30"), at("2026-12-09 08:00")
    assert duties().holds(opened(duty=NIGHTS), night) == Hold(morning, By.HOURS, night)
    assert duties().holds(opened(duty=NIGHTS), morning) is None
    assert duties().holds(opened(duty=NIGHTS, level=50), night) is None
    assert duties().holds(opened(), night) is None


@pytest.mark.parametrize(
    ("scopes", "level", "until"),
    [
        ([("shop", 10, False)], 40, 10),
        ([("shop.pay", 10, False), ("shop", 20, False)], 40, 20),
        ([("web", 10, False)], 40, 10),
        ([("shop.payment", 10, False)], 40, None),
        ([("we", 10, False)], 40, None),
        ([("shop", 10, False)], 50, None),
        ([("shop", 10, True)], 50, 10),
        ([("shop", 0, False)], 40, None),
    ],
    ids=str,
)
def test_a_maintenance_holds_its_service_and_its_logger_and_all_below(
    scopes: list[tuple[str, int, bool]], level: int, until: int | None
) -> None:
    found = [Scope(name, 0.0, minutes * M, "key=s3cret", critical=critical) for name, minutes, critical in scopes]
    door = duties(scopes=lambda: found, mask=lambda text: text.replace("s3cret", "***"))
    hold = door.holds(opened(scopes=("web", "shop.pay"), level=level), 1.0)
    assert (hold and (hold.until, hold.by, hold.since, hold.why)) == (until and (until * M, By.SCOPE, 1.0, "key=***"))


def test_a_mask_that_raises_costs_no_message() -> None:
    def mask(text: str) -> str:
        raise ValueError(text)

    door = duties(scopes=lambda: [Scope("web", 0.0, 10 * M, "deploy")], mask=mask)
    assert door.holds(opened(scopes=("web", "shop")), 1.0) is None


def test_what_has_waited_says_the_night_or_the_maintenance() -> None:
    night, morning = at("2026-12-08 23:30"), at("2026-12-09 08:00")
    incident = opened(duty=NIGHTS)
    held = duties().waited(outcomes.held(incident, Hold(morning, By.HOURS, night), Act.FIRST), morning)
    assert held is not None
    assert (held.began, held.until, held.zone) == (at("2026-12-08 22:00"), morning, ZONE)
    scoped = outcomes.held(incident, Hold(20 * M, By.SCOPE, M, "web", "deploy"), Act.FIRST)
    held = duties().waited(scoped, 20 * M)
    assert held is not None
    assert (held.began, held.until, held.scope, held.why) == (M, 20 * M, "web", "deploy")
    assert duties().waited(outcomes.failed(incident, 20 * M), 20 * M) is None
    ends = duties().waited(incident, night)  # the program ends in the night
    assert ends is not None
    assert ends.until == morning


# To whom.


def test_people_stand_in_the_place_of_a_rota_by_the_week() -> None:
    door, incident = duties(own=BY_WEB), opened(duty=OF_WEB)
    assert door.known(None, incident, FIRST_WEEK) == Recipients(users=("zhangsan",))
    assert door.known(BY_WEB, incident, SECOND_WEEK) == Recipients(users=("lisi", "wangwu"))
    assert door.known(OPS, incident, FIRST_WEEK) is OPS
    called = door.called(None, [(incident, Act.FIRST)], SECOND_WEEK)
    assert called is not None
    assert (called.recipients.users, called.nobody) == (("lisi", "wangwu"), ())


def test_a_swap_stands_in_the_place_of_a_turn() -> None:
    swap = Swap("web", ("zhaoliu",), FIRST_WEEK - M, FIRST_WEEK + M)
    door = duties(own=BY_WEB, swaps=lambda: [swap], rules=OF_WEB)
    assert door.known(None, opened(duty=OF_WEB), FIRST_WEEK) == Recipients(users=("zhaoliu",))
    (shown,) = door.shown(FIRST_WEEK)
    assert (shown.rota, shown.people, shown.until, shown.then) == (
        "web",
        ("zhaoliu",),
        FIRST_WEEK + M,
        ("zhangsan",),
    )


def test_where_nobody_is_on_call_all_people_of_the_rota_get_it() -> None:
    called = duties(own=BY_WEB).without(None, opened(duty=OF_WEB), FIRST_WEEK)
    assert called is not None
    assert (called.recipients.users, called.nobody) == (("zhangsan", "lisi", "wangwu"), ("web",))
    assert duties().without(None, opened(), FIRST_WEEK) is None


def test_who_took_it_keeps_it_over_a_hand_over() -> None:
    begins = SECOND_WEEK - 100 * M
    incident = answered(sent(opened(begins, duty=OF_WEB), begins), TAKEN, begins, 30 * M, who="zhangsan")
    called = duties(own=BY_WEB).called(None, [(incident, Act.DIGEST)], SECOND_WEEK)
    assert called is not None
    assert called.recipients.users == ("lisi", "wangwu", "zhangsan")


def taken(user: str = "lisi") -> Incident:
    incident = sent(opened(), 0.0)
    take = replace(answered(incident, TAKEN, M, 5 * M).answers[-1], user=user)
    after = replace(incident, answers=(take,))
    return sent(after, M)


@pytest.mark.parametrize(
    ("minute", "act", "own", "users"),
    [
        (2, Act.DIGEST, OPS, None),
        (6, Act.DIGEST, OPS, ("ops", "lisi")),
        (6, Act.NEWS, OPS, ("ops", "lisi")),
        (2, Act.END, OPS, ("ops", "lisi")),
        (6, Act.NEWS, Recipients(users=("lisi",)), None),
        (6, Act.NEWS, Recipients(users=("@all",)), ("@all",)),
        (6, Act.NEWS, Recipients(chats=("lisi",)), None),
        (6, Act.NEWS, Recipients(), None),
    ],
    ids=str,
)
def test_who_took_it_gets_the_message_that_says_that_this_is_over(
    minute: int, act: Act, own: Recipients, users: tuple[str, ...] | None
) -> None:
    called = duties(own=own).called(None, [(taken(), act)], minute * M)
    assert (called and called.recipients.users) == users


def test_the_message_after_that_goes_to_those_of_the_audience_alone() -> None:
    incident = sent(taken(), 6 * M)
    assert duties().called(None, [(incident, Act.DIGEST)], 60 * M) is None
    assert duties().called(None, [(answered(incident, SILENCED, 7 * M, M), Act.NEWS)], 8 * M) is None


def test_who_got_it_and_is_on_call_no_more_gets_its_end() -> None:
    incident = outcomes.reached(sent(opened(duty=OF_WEB), 0.0), ("zhangsan",), ("zhangsan",))
    door = duties(own=BY_WEB)
    assert door.after_hand_over(None, incident, FIRST_WEEK) is incident
    after = door.after_hand_over(None, incident, SECOND_WEEK)
    assert len(after.sent.audiences) == 1
    assert "zhangsan" in after.sent.audiences[0]
    assert door.after_hand_over(None, after, SECOND_WEEK) is after


def test_a_rota_of_one_program_is_another_in_the_next() -> None:
    other = duty_text(Duty(zone=ZONE.key, rotas=(replace(WEB, people=(("zhaoliu",),)),)))
    one, two = opened(duty=OF_WEB), opened(duty=other)
    assert not duties(own=BY_WEB).are_for_same(None, one, two)
    assert duties(own=BY_WEB).are_for_same(None, one, one)
    assert duties().are_for_same(None, one, two)


# Steps.

STEPS = duty_text(Duty(steps=(Step(600.0, OPS), Step(1800.0, Recipients(users=("zhaoliu",)), calls=True))))


def test_the_step_that_is_due_and_the_one_whose_phones_ring() -> None:
    incident = sent(opened(duty=STEPS, steps=(600.0, 1800.0), calls=(2,)), 0.0)
    door = duties()
    assert (step := door.step(incident, Act.STEP)) is not None
    assert step.after_s == 600.0
    for minute in (10, 30):
        incident = outcomes.step_sent(incident, "", "ops", minute * M, count=1)
    assert (step := door.step(incident, Act.CALL)) is not None
    assert step.calls
    assert door.step(incident, Act.STEP) is None
    newer = added(None, first(0.0, duty='{"steps": 7}', steps=(600.0,)), 0.0)
    assert door.step(newer, Act.STEP) is None


def test_each_person_who_got_it_before_a_step_is_named_once_by_whichever_name() -> None:
    ids = {"张三": "zhangsan", "李四": "lisi"}

    def known(recipients: Recipients) -> list[str]:
        return [ids.get(who, who) for who in recipients.users]

    incident = outcomes.reached(sent(opened(), 0.0), (), ("zhangsan", "lisi"))
    incident = replace(incident, sent=replace(incident.sent, audiences=("[['zhangsan', '李四'], [], [], []]",)))
    told = duties(own=Recipients(users=("张三", "left-out"))).told(None, incident, M, known, str.isascii)
    assert told == ("张三", "李四")
    assert duties().who(Recipients(users=("张三",)), ("zhangsan",), known, str.isascii) == "张三"


class Phones:
    def __init__(self, *calls: Call, error: PermissionDeniedError | None = None) -> None:
        self.calls, self.error = calls, error

    def ring(self, recipients: Recipients) -> tuple[Call, ...]:
        if self.error is not None:
            raise self.error
        return self.calls


def test_it_is_said_whether_phones_rang() -> None:
    door = duties()
    assert door.ring(Phones(Call("ops", "1")), OPS).phoned == "called"
    assert "ops 7" in door.ring(Phones(Call("ops", "", 7)), OPS).phoned
    assert door.ring(Phones(), OPS).phoned == ""
    error = PermissionDeniedError(301050, "not enabled")
    assert door.ring(Phones(error=error), OPS).error is error
