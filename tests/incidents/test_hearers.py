"""Who gets a message of an incident beside those of its audience, and which steps one message is about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wecom_logging._incidents import outcomes
from wecom_logging._incidents.entries import Answered
from wecom_logging._incidents.fingerprint import audience_of
from wecom_logging._incidents.hearers import (
    is_for_others,
    is_late,
    is_step_line,
    missed_before,
    of_step,
    told_by_steps,
    who_hears,
)
from wecom_logging._incidents.plan import Act, plan
from wecom_logging._incidents.values import Incident
from wecom_logging.model import Answer, Recipients
from wecom_logging.model.alert import SILENCED, TAKEN, UNDONE, place_of

from .test_apply import M, added, answered, escalating, opened, sent

AMY, BOB, EVE = (Recipients(users=(name,)) for name in ("amy", "bob", "eve"))


def taken(where: str, verb: str = TAKEN) -> Incident:
    """Sent, and taken there, which no message has said."""
    return added(sent(opened(), 0.0), Answered(key="k", answer=Answer(verb, "Li", where, M, 5 * M)), M)


def escalated(*told: Recipients) -> Incident:
    """One whose steps were sent to these, to the last of them just now."""
    incident = escalating()
    for one in told:
        now, act = plan(incident, 0.0)
        incident = sent(incident, now) if act is Act.NEWS else incident
        now, act = plan(incident, 0.0)
        assert act is Act.STEP
        incident = outcomes.step_sent(incident, audience_of(one), one.users[0], now, count=1)
    return incident


def test_news_is_for_the_chats_in_which_the_answer_does_not_stand() -> None:
    chats = Recipients(chats=("ops", "li", "wang"))
    assert who_hears(taken(place_of("li")), Act.NEWS, chats).chats == ("ops", "wang")
    assert who_hears(taken(place_of("ops", "li")), Act.NEWS, chats).chats == ("wang",)
    assert who_hears(taken(place_of("li")), Act.NEWS, Recipients(chats=("li",))) == Recipients()  # nobody else
    assert who_hears(taken(place_of("li")), Act.NEWS, Recipients(users=("li",))) == Recipients(users=("li",))


def test_news_is_not_for_a_chat_in_which_another_was_refused() -> None:
    one = taken(place_of("li"))
    refused = replace(one, sent=replace(one.sent, seen=(place_of("ops", "eve"), place_of("wang"))))
    chats = Recipients(chats=("ops", "li", "wang", "eve", "zhao"))
    assert who_hears(refused, Act.NEWS, chats).chats == ("zhao",)
    undone = answered(refused, UNDONE[TAKEN], 2 * M, who="Li")
    assert undone.sent.seen == ()


def test_everybody_gets_the_end_of_a_silence() -> None:
    over = sent(taken(place_of("li"), SILENCED), M)
    chats = Recipients(chats=("ops", "li"))
    assert plan(over, 6 * M).act is Act.NEWS
    assert who_hears(over, Act.NEWS, chats) == chats


def test_the_line_of_a_step_is_for_those_before_it_and_all_else_for_everybody() -> None:
    incident = escalated(AMY, BOB)
    assert is_step_line(incident, Act.NEWS)
    assert who_hears(incident, Act.NEWS, EVE).users == ("eve", "amy")
    assert who_hears(incident, Act.NEWS, Recipients(users=("eve", "bob"))).users == ("eve", "amy")
    said = sent(incident, 30 * M)
    assert told_by_steps(said) == [AMY, BOB]
    assert who_hears(answered(said, TAKEN, 31 * M), Act.NEWS, EVE).users == ("eve", "amy", "bob")
    assert is_for_others(said, Act.END)
    assert not is_for_others(said, Act.DIGEST)
    assert who_hears(said, Act.END, EVE).users == ("eve", "amy", "bob")
    assert not is_for_others(sent(opened(), 0.0), Act.END)
    assert who_hears(said, Act.END, Recipients(users=("@all",))).users == ("@all",)


def test_who_is_known_by_another_name_gets_no_line_of_his_own_step() -> None:
    names = {"li": "bob", "bob": "bob"}
    found = who_hears(
        escalated(AMY, BOB), Act.NEWS, Recipients(users=("li",)), lambda one: [names.get(who, who) for who in one.users]
    )
    assert found.users == ("amy",)


def test_steps_of_one_moment_go_in_one_message_where_it_says_the_same() -> None:
    due = escalating()
    other = replace(due, opening=replace(due.opening, key="other", short_id="p3q4"))
    assert of_step(due, Act.STEP) == of_step(other, Act.STEP)
    assert of_step(due, Act.STEP) != of_step(escalated(AMY), Act.STEP)
    assert of_step(due, Act.DIGEST) is None
    line = escalated(AMY)
    assert of_step(line, Act.NEWS) == of_step(replace(line, opening=other.opening), Act.NEWS)
    assert of_step(line, Act.NEWS) != of_step(escalated(BOB), Act.NEWS)
    assert of_step(taken("cli"), Act.NEWS) is None


def test_a_step_that_reached_nobody_is_said_by_the_next_one_alone() -> None:
    incident = escalating()
    assert missed_before(incident) == ""
    missed = outcomes.step_missed(incident, "nobody amy", 10 * M)
    assert (missed_before(missed), plan(missed, 10 * M).act) == ("nobody amy", Act.STEP)
    assert missed_before(outcomes.step_sent(missed, audience_of(BOB), "bob", 10 * M, count=1)) == ""
    begins_anew = sent(sent(answered(missed, TAKEN, 11 * M, 5 * M), 11 * M), 16 * M)
    assert missed_before(begins_anew) == ""


@pytest.mark.parametrize(("minute", "late"), [(29.9, False), (30.0, True)])
def test_a_step_is_tried_until_the_one_after_it_is_due(minute: float, late: bool) -> None:
    failed = outcomes.step_failed(escalating(), 10 * M)
    assert is_late(failed, minute * M) is late
    assert not is_late(escalating(), minute * M)  # it was not tried
    last = outcomes.step_failed(escalated(AMY), 30 * M)
    assert not is_late(last, 1000 * M)
