"""Policy, as a table: what becomes of an incident that is due, by its state and what holds for its audience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from wecom_logging._delivery.shared_pipeline import SharedPipeline
from wecom_logging._duty.moment import Moment, is_of
from wecom_logging._incidents import answered, escalation, life, policy
from wecom_logging._incidents.fingerprint import audience_of
from wecom_logging._incidents.incident import SOON_S, Incident, Related
from wecom_logging._incidents.policy import Hold, Rules, Send, Why, what_held
from wecom_logging._runtime.clock import wall
from wecom_logging.model import Recipients
from wecom_logging.model.alert import place_of
from wecom_logging.model.duty import ALL_LEVELS, Duty, Held, Scope, Span

from ..programs import Clock
from ..storms import Recorder, pipeline, record, turn
from .test_life import more, opened, sent

NOW = 1000.0
TIME = 1_796_000_000.0
MOMENT = Moment(time=TIME)


def first(level: int = 40, **changes: Any) -> Incident:
    """One that nobody was told of, due now."""
    return replace(opened(now=NOW), level=level, **changes)


def repeated(waited_s: float = 60.0, **changes: Any) -> Incident:
    """One that came again, whose message was so long ago."""
    return replace(more(sent(opened(now=0.0), NOW - waited_s), 3, now=max(NOW - waited_s + 1, NOW - 90)), **changes)


def taken() -> Incident:
    """One that a person has taken, which the others do not know yet."""
    return answered.taken(repeated(), "Li", "chat", now=NOW, time=NOW)


def over(digests: int = 0, ended_at: float = NOW - 3 * 60) -> Incident:
    """One that was quiet for ten windows by then."""
    return replace(sent(opened(now=0.0), ended_at - 600), digests=digests)


def stopped(quiet_s: float = 180.0, wait_s: float = 480.0) -> Incident:
    """One that came again, but not for so long; its wait is over."""
    return replace(more(sent(opened(now=0.0), NOW - wait_s), 41, now=NOW - quiet_s), wait_s=wait_s)


def old() -> Incident:
    return opened(now=NOW - life.EXPIRES_S)


def related(told_at: float, untold_at: float = 0.0, key: str = "other", cause: str = "c") -> Related:
    return Related(cause, key, told_at, untold_at)


def decided(incident: Incident, related: Sequence[Related] = (), **rules: Any) -> Send | policy.Step | Hold | Held:
    return policy.decide(incident, NOW, MOMENT, Rules(**rules), lambda: related)


@pytest.mark.parametrize(
    ("incident", "rules", "expected"),
    [
        (first(), {}, Send()),
        (first(), {"shares": True}, Send(audience=True)),
        (repeated(), {}, Send(along=True)),
        (repeated(), {"shares": True}, Send(along=True, audience=True)),
        (over(1), {}, Send(along=True)),
        # A digest waits for its time; what has stopped is looked at in each window, and is told by its end.
        (repeated(59.0), {}, Hold(NOW + 1, Why.MORE)),
        (repeated(59.0), {"draining": True}, Send(along=True)),
        (stopped(120.0), {}, Send(along=True)),
        (stopped(121.0), {}, Hold(NOW + 60, Why.MORE)),
        (stopped(570.0, 900.0), {}, Hold(NOW + 30, Why.MORE)),
        (stopped(600.0, 900.0), {}, Hold(NOW + 80, Why.MORE)),
        (stopped(700.0, 900.0), {}, Send(along=True)),
        (stopped(120.0), {"draining": True}, Send(along=True)),
        # What is over waits for what else is over soon.
        (over(1, NOW - 1), {}, Hold(NOW + 80, Why.MORE)),
        (over(1, NOW - 41), {}, Send(along=True)),
        (over(1, NOW - 1), {"draining": True}, Send(along=True)),
        # The rate limit holds all, whatever it is.
        (first(50), {"room_at": NOW + 9}, Hold(NOW + 9, Why.ROOM)),
        (taken(), {"room_at": NOW + 9}, Hold(NOW + 9, Why.ROOM)),
        (first(), {"room_at": NOW + 9, "draining": True}, Hold(NOW + 9, Why.ROOM)),
        (first(), {"room_at": NOW}, Send()),
        # What a person did has a message of its own, and waits for no flood.
        (taken(), {"shares": True}, Send()),
        (taken(), {"summary_at": NOW - 1}, Send()),
        # A flood: what is not urgent is gathered for four seconds, or until the next summary.
        (first(), {"summary_at": NOW - 1}, Hold(NOW + 3, Why.SUMMARY)),
        (first(), {"gathers_until": NOW + 50}, Hold(NOW + 50, Why.SUMMARY)),
        (first(), {"gathers_until": NOW + 50, "draining": True}, Send()),
        (first(50), {"summary_at": NOW - 1}, Send(audience=True)),
        (replace(repeated(), level=50), {"summary_at": NOW - 1}, Hold(NOW + 3, Why.SUMMARY)),
        # For two minutes after a summary messages are shared.
        (first(), {"summary_at": NOW - 119}, Send(audience=True)),
        (first(), {"summary_at": NOW - 120}, Send()),
        # WeCom has refused it among others: it is judged alone.
        (first(), {"refused": True, "shares": True}, Send()),
        (repeated(), {"refused": True, "shares": True}, Send()),
        # Somebody waits for all that is left: that goes in one message.
        (repeated(), {"draining": True}, Send(along=True)),
    ],
)
def test_what_is_due_goes_alone_or_with_others_or_waits(
    incident: Incident, rules: dict[str, Any], expected: object
) -> None:
    assert decided(incident, **rules) == expected


@pytest.mark.parametrize(
    ("incident", "critical", "held"),
    [
        (first(), False, True),
        (first(50), False, False),
        (first(50), True, True),
        (taken(), False, True),  # told before: it has no further message inside
        (over(1), False, True),
    ],
)
def test_a_maintenance_holds_until_its_end_what_is_not_critical(incident: Incident, critical: bool, held: bool) -> None:
    scopes = [Scope("shop", TIME - 60, TIME + 600, critical=critical), Scope("shop.pay", TIME - 60, TIME + 30)]
    moment = Moment(time=TIME, scopes=scopes)
    found = policy.decide(incident, NOW, moment, Rules(), list)
    assert (found == Held(TIME - 60, TIME + 600, scope="shop")) is held
    after = Moment(time=TIME + 600, scopes=scopes)
    assert not isinstance(policy.decide(incident, NOW, after, Rules(), list), Hold | Held)
    closing = Moment(time=TIME, scopes=scopes, is_closing=True)
    assert not isinstance(policy.decide(incident, NOW, closing, Rules(), list), Hold | Held)


def test_of_quiet_hours_and_a_maintenance_that_holds_which_ends_last() -> None:
    for minutes, expected in ((30, HELD), (90, Held(TIME - 60, TIME + 5400, scope="shop"))):
        moment = replace(NIGHT, scopes=[Scope("shop", TIME - 60, TIME + 60 * minutes)])
        assert policy.decide(first(), NOW, moment, Rules(), list) == expected


def test_what_a_maintenance_is_of_is_a_service_or_a_logger_with_all_below_it() -> None:
    scope = Scope("shop.pay", 0, 1)
    assert is_of(scope, "shop.pay", "other")
    assert is_of(scope, "web", "shop.pay")
    assert is_of(scope, "web", "shop.pay.refund")
    assert not is_of(scope, "web", "shop.payment")
    assert not is_of(scope, "web", "shop")


@pytest.mark.parametrize(
    ("incident", "related", "expected"),
    [
        (first(), [], Send()),
        # Told within the window: the others of the cause share the next message.
        (first(), [related(NOW - 10)], Hold(NOW + 50, Why.CAUSE)),
        (first(), [related(NOW - 10), related(NOW - 30)], Hold(NOW + 50, Why.CAUSE)),
        (first(untold_at=NOW - 50), [related(NOW - 60)], Send(cause=True)),
        (first(), [related(NOW - 60)], Send()),
        (repeated(), [related(NOW - 10)], Hold(NOW + 50, Why.CAUSE)),
        (repeated(), [], Send(cause=True, along=True)),
        # Of several that are new the oldest goes first, of one age the one of the smaller key.
        (first(), [related(0.0, NOW - 1)], Hold(NOW + 59, Why.CAUSE)),
        (first(), [related(0.0, NOW + 1)], Send()),
        (first(), [related(0.0, NOW, key="a")], Hold(NOW + 60, Why.CAUSE)),
        (first(), [related(0.0, NOW, key="z")], Send()),
        # Itself, and other causes, are none of them.
        (first(), [related(NOW - 10, key="k"), related(NOW - 10, cause="d")], Send()),
        # What is urgent waits for no other.
        (first(50), [related(NOW - 10)], Send()),
        # Clocks differ a little.
        (first(), [related(NOW - 60 + SOON_S)], Send(cause=True)),
    ],
)
def test_one_message_of_a_cause_goes_in_a_window(incident: Incident, related: list[Related], expected: object) -> None:
    assert decided(replace(incident, cause="c"), related) == expected


def test_in_a_drain_nothing_waits_for_its_cause() -> None:
    assert decided(first(cause="c"), [related(NOW - 10)], draining=True) == Send(cause=True)


@pytest.mark.parametrize(
    ("incident", "rules"),
    [
        (first(), {}),
        (first(cause="c"), {"room_at": NOW + 1}),
        (first(cause="c"), {"gathers_until": NOW + 1}),
        (first(cause="c"), {"refused": True}),
        (replace(taken(), cause="c"), {}),
    ],
)
def test_the_related_are_looked_up_only_where_a_rule_needs_them(incident: Incident, rules: dict[str, Any]) -> None:
    def asked() -> Sequence[Related]:
        raise AssertionError("nobody needs to know")

    policy.decide(incident, NOW, MOMENT, Rules(**rules), asked)


MINUTE = int(MOMENT.time) % 86_400 // 60
MIDNIGHT = TIME - TIME % 86_400
HELD = Held(MIDNIGHT + (MINUTE - 60) * 60, MIDNIGHT + (MINUTE + 60) * 60, UTC)
NIGHT = replace(MOMENT, duty=Duty(quiet=(Span(tuple(range(7)), begin=MINUTE - 60, end=MINUTE + 60),)))
CLOSING = replace(NIGHT, is_closing=True)
SINCE = Held(TIME - 3600, TIME)


def waited(incident: Incident) -> Incident:
    """One that quiet hours have held until now."""
    return life.quietened(incident, NOW, time=MOMENT.time - 3600)


@pytest.mark.parametrize(
    ("incident", "moment", "rules", "expected"),
    [
        # In quiet hours nothing below the level goes, whatever it is, nor for who waits for all that is left.
        *[
            (one, NIGHT, {"draining": drains}, HELD)
            for one in (first(), repeated(), repeated(59.0), over(1), taken(), first(cause="c"))
            for drains in (False, True)
        ],
        (first(), NIGHT, {"room_at": NOW + 9}, HELD),
        (first(50), NIGHT, {}, Send()),
        (first(50), replace(NIGHT, duty=replace(NIGHT.duty, quiet_level=ALL_LEVELS)), {}, HELD),
        (first(30), replace(NIGHT, duty=replace(NIGHT.duty, quiet_level=30)), {}, Send()),
        # A program that ends, and that no other can tell of, holds nothing: it goes in one message.
        (first(), CLOSING, {"draining": True}, Send(held=HELD)),
        (waited(repeated()), CLOSING, {"draining": True}, Send(held=HELD)),
        (first(50), CLOSING, {"draining": True}, Send()),
        # At the end what has waited goes in one message, also where a digest or an end would wait for its time.
        (waited(first()), MOMENT, {}, Send(held=SINCE)),
        (waited(repeated(59.0)), MOMENT, {}, Send(held=SINCE)),
        (waited(over(1, NOW - 1)), MOMENT, {}, Send(held=SINCE)),
        (waited(first(cause="c")), MOMENT, {}, Send(held=SINCE)),
        (waited(first()), MOMENT, {"room_at": NOW + 9}, Hold(NOW + 9, Why.ROOM)),
        (waited(first()), MOMENT, {"summary_at": NOW - 1}, Hold(NOW + 3, Why.SUMMARY)),
        (waited(first()), MOMENT, {"gathers_until": NOW + 3}, Hold(NOW + 3, Why.SUMMARY)),
        (waited(first()), MOMENT, {"gathers_until": NOW + 3, "draining": True}, Send(held=SINCE)),
        # What a person did, and what WeCom refused among others, has a message of its own.
        (waited(taken()), MOMENT, {}, Send()),
        (waited(first()), MOMENT, {"refused": True}, Send()),
    ],
)
def test_quiet_hours_hold_it_and_their_end_tells_all_at_once(
    incident: Incident, moment: Moment, rules: dict[str, Any], expected: object
) -> None:
    assert policy.decide(incident, NOW, moment, Rules(**rules), list) == expected


def test_what_has_waited_goes_in_no_other_message() -> None:
    assert policy.stands_alone(waited(first()), NOW, refused=False)
    assert not policy.stands_alone(first(), NOW, refused=False)
    assert not policy.may_go_along(waited(repeated()), NOW)


def test_what_has_held_it_is_said() -> None:
    assert what_held(waited(first()), NIGHT) == HELD
    assert what_held(waited(first()), MOMENT) == SINCE  # a maintenance


@pytest.mark.parametrize(
    ("incident", "closed", "ends"),
    [
        (first(), False, False),
        (first(), True, False),
        (old(), False, True),
        (over(), False, True),
        (over(1), False, False),
        (over(1), True, True),
        (more(over(), 41, now=NOW - 600), False, False),
        (more(over(), 41, now=NOW - 600), True, False),
        (life.ended(over(1), 0.0), False, True),
        (taken(), False, False),
    ],
)
def test_what_is_too_old_or_over_in_silence_ends_without_a_message(
    incident: Incident, closed: bool, ends: bool
) -> None:
    assert policy.ends(incident, NOW, closed=closed) is ends


@pytest.mark.parametrize(
    ("number", "rules", "waits"),
    [
        (11, {"summary_at": NOW - 59}, True),
        (10, {"summary_at": NOW - 59}, False),
        (11, {"summary_at": NOW - 60}, False),
        (11, {"summary_at": NOW - 59, "draining": True}, False),
        (11, {"summary_at": NOW - 59, "no_files_until": NOW + 1}, False),
        (11, {}, False),
    ],
)
def test_what_is_more_than_a_summary_names_waits_for_the_next(number: int, rules: dict[str, Any], waits: bool) -> None:
    assert policy.waits_for_summary(number, 10, NOW, Rules(**rules)) is waits


@pytest.mark.parametrize(
    ("rules", "may"),
    [
        ({}, True),
        ({"summary_at": NOW - 60}, True),
        ({"summary_at": NOW - 59}, False),
        ({"summary_at": NOW - 59, "draining": True}, True),
        ({"no_files_until": NOW + 1, "draining": True}, False),
    ],
)
def test_one_summary_goes_in_a_minute_while_files_can_be_sent(rules: dict[str, Any], may: bool) -> None:
    assert policy.may_send_summary(NOW, Rules(**rules)) is may


@pytest.mark.parametrize(("levels", "most", "number"), [("uuc", 2, 2), ("uuu", 2, 0), ("cuu", 2, 0), ("ccc", 2, 0)])
def test_what_is_urgent_goes_before_a_summary_if_one_message_holds_it(levels: str, most: int, number: int) -> None:
    assert policy.urgent_first([first(50 if one == "u" else 40) for one in levels], most) == number


def test_a_digest_goes_along_once_half_of_its_wait_is_over() -> None:
    assert policy.may_go_along(repeated(30.0), NOW)
    assert not policy.may_go_along(repeated(29.0), NOW)
    assert policy.may_go_along(repeated(29.0), NOW, draining=True)
    assert policy.may_go_along(stopped(120.0), NOW)
    assert not policy.may_go_along(stopped(121.0), NOW)
    assert policy.may_go_along(over(1, NOW), NOW)
    assert policy.may_go_along(more(over(1, NOW - 30), 41, now=NOW - 600), NOW)
    assert not policy.may_go_along(first(), NOW)
    assert not policy.may_go_along(taken(), NOW)


def test_the_worker_hands_in_the_time_of_all_who_share_a_state(
    channel: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, asked = policy.decide, []

    def watched(incident: Incident, now: float, moment: Moment, *others: Any) -> Send | policy.Step | Hold | Held:
        asked.append((now, moment))
        return decide(incident, now, moment, *others)

    monkeypatch.setattr(policy, "decide", watched)
    storm = SharedPipeline([channel], pipeline(channel, clock).options, clock)
    storm.collector.take(record())
    turn(storm)
    ((now, moment),) = asked
    assert now == clock.now
    assert abs(moment.time - wall()) < 60


def test_a_notice_is_for_the_chats_in_which_the_answer_does_not_stand() -> None:
    all_chats = Recipients(chats=("ops", "li", "wang"))
    taken = answered.taken(repeated(), "Li", place_of("li"), now=NOW, time=NOW)
    assert policy.who_is_told(taken, all_chats).chats == ("ops", "wang")
    in_group = answered.taken(repeated(), "Li", place_of("ops", "li"), now=NOW, time=NOW)
    assert policy.who_is_told(in_group, all_chats).chats == ("wang",)
    assert policy.who_is_told(taken, Recipients(chats=("li",))) == Recipients()  # there is nobody else
    refused = answered.seen(answered.seen(taken, place_of("ops", "eve")), place_of("wang"))
    assert policy.who_is_told(refused, Recipients(chats=("ops", "li", "wang", "eve", "zhao"))).chats == ("zhao",)
    assert answered.seen(refused, place_of("wang")) is refused
    on_its_way = replace(taken, owner="me")
    assert answered.seen(on_its_way, place_of("wang")) is on_its_way
    undone = answered.undone(refused, "Li", place_of("li"), now=NOW, time=NOW)
    assert undone.answers.seen == ()
    assert policy.who_is_told(taken, Recipients(users=("li",))) == Recipients(users=("li",))
    silent = answered.silenced(repeated(), "Li", place_of("li"), 60.0, now=NOW, time=NOW)
    over = life.sent(silent, NOW)  # all get its end
    assert over is not None
    assert policy.who_is_told(over, all_chats) == all_chats


AMY, BOB, EVE = (Recipients(users=(name,)) for name in ("amy", "bob", "eve"))


def escalated(*told: Recipients, **changes: Any) -> Incident:
    """One whose steps have told these, the last of them just now."""
    incident = sent(opened(now=0.0, steps=(60.0, 120.0, 180.0)), 0.0)
    for number, one in enumerate(told, 1):
        incident = escalation.stepped(incident, now=60.0 * number, time=1000.0 + number)
        incident = escalation.step_told(incident, audience_of(one), one.users[0] if one.users else "")
    return replace(incident, **changes)


def test_a_line_about_a_step_goes_to_those_told_before_and_all_else_to_everybody_who_was_told() -> None:
    incident = escalated(AMY, BOB)
    assert policy.who_is_told(incident, EVE).users == ("eve", "amy")
    assert policy.who_is_told(incident, Recipients(users=("eve", "bob"))).users == ("eve", "amy")  # bob has the step's
    said = life.sent(incident, 130.0)
    assert said is not None
    taken = answered.taken(said, "Li", "chat x", now=140.0, time=1140.0)
    assert policy.who_is_told(taken, EVE).users == ("eve", "amy", "bob")
    assert policy.who_is_told(said, EVE).users == ("eve", "amy", "bob")  # its end
    again = replace(escalated(AMY, BOB, AMY))
    assert policy.who_is_told(again, EVE).users == ("eve", "bob")
    broken = replace(said, told_too=("none of ours", *said.told_too))
    assert policy.who_is_told(broken, Recipients(users=("@all",))).users == ("@all",)


def test_the_end_of_what_others_were_told_of_goes_alone() -> None:
    said = life.sent(escalated(AMY), 70.0)
    assert said is not None
    over = replace(said, steps=(), step_at=0.0, stepping_at=0.0)
    assert life.is_over(over, NOW)
    assert policy.decide(over, NOW + 120, MOMENT, Rules(), list) == Send()
    assert policy.stands_alone(over, NOW, refused=False)
    assert not policy.may_go_along(over, NOW, draining=True)
    assert policy.may_go_along(replace(over, told_too=()), NOW, draining=True)


def test_the_line_about_a_step_goes_before_the_next_step_where_there_is_room_for_it() -> None:
    due = escalated(AMY, step_at=NOW)
    assert policy.is_step_due(due, NOW)
    assert decided(due) == Send()
    assert decided(due, room_at=NOW + 1) == policy.Step()
    assert policy.of_step(due, NOW) != policy.of_step(replace(due, step_at=NOW + 60), NOW)  # that one does not begin


def test_a_step_that_is_due_goes_before_all_else_whatever_its_audience_waits_for() -> None:
    due = more(sent(opened(now=0.0, steps=(60.0,)), 0.0), 3, now=NOW - 1)
    for rules in ({}, {"room_at": NOW + 60}, {"gathers_until": NOW + 60}, {"draining": True}):
        assert decided(due, **rules) == policy.Step()
    assert not policy.may_go_along(due, NOW, draining=True)
    assert policy.stands_alone(due, NOW, refused=False)


def test_what_waits_for_more_or_for_its_cause_waits_no_longer_than_until_its_step() -> None:
    waits = replace(repeated(30.0), steps=(600.0,), step_at=NOW + 20)
    assert decided(waits) == Hold(NOW + 20, Why.MORE)
    of_cause = replace(repeated(), steps=(600.0,), step_at=NOW + 20, cause="c")
    assert decided(of_cause, [related(NOW - 10)]) == Hold(NOW + 20, Why.CAUSE)
