"""Cards of the AI bot: what they may hold, clicks, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from ..programs import until
from .caller import FakeClock
from .talker import Talker, card, done

ME = "sandbox-user"
BUTTON = {"text": "go", "key": "k"}
OPTION = {"id": "1", "text": "one"}
VOTE = {"question_key": "q", "mode": 1, "option_list": [{**OPTION, "is_checked": True}, {"id": "2", "text": "two"}]}


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Talker]:
    with Talker(sandbox) as talker:
        yield talker


def clicked(bot: Talker) -> dict[str, Any]:
    event: dict[str, Any] = bot.hear()["body"]["event"]
    assert event["eventtype"] == "template_card_event"
    inner: dict[str, Any] = event["template_card_event"]
    return inner


def test_a_click_and_what_becomes_of_the_card(sandbox: Sandbox, bot: Talker) -> None:
    assert bot.push_card() == 0
    req_id = sandbox.aibot.click("a17-1", ME, "quiet:A17", selected={"for": "8h"})
    frame = bot.hear()
    assert frame["headers"] == {"req_id": req_id}
    assert {name: frame["body"][name] for name in ("aibotid", "chattype", "from", "msgtype")} == {
        "aibotid": "sandbox-aibot",
        "chattype": "single",
        "from": {"userid": ME},
        "msgtype": "event",
    }
    assert frame["body"]["event"]["template_card_event"] == {
        "card_type": "button_interaction",
        "event_key": "quiet:A17",
        "task_id": "a17-1",
        "selected_items": {"selected_item": [{"question_key": "for", "option_ids": {"option_id": ["8h"]}}]},
    }
    assert bot.code("aibot_respond_msg", req_id, msgtype="markdown", markdown={"content": "x"}) == 846605
    assert bot.rewrite(req_id, done("A17", "another-task")) == 42014
    assert bot.rewrite(req_id, done("A17 · taken 10:31")) == 0
    assert bot.rewrite(req_id, done("twice")) == 846605
    (message,) = sandbox.wait(contains="taken 10:31")
    assert message["cards"] == {ME: done("A17 · taken 10:31")}
    assert message["body"]["template_card"] == card()
    (rewrite,) = message["rewrites"]
    assert (rewrite["by"], rewrite["userids"], rewrite["card"]) == (ME, [ME], done("A17 · taken 10:31"))
    with pytest.raises(ValueError, match="it has nothing to click"):
        sandbox.aibot.click("a17-1", ME, "quiet:A17")


def test_five_seconds(sandbox: Sandbox, bot: Talker, clock: FakeClock) -> None:
    assert bot.push_card() == 0
    first, second = (sandbox.aibot.click("a17-1", ME, "ack:A17") for _ in range(2))
    assert clicked(bot)["event_key"] == clicked(bot)["event_key"] == "ack:A17"
    clock.now += 5
    assert bot.rewrite(first, done("in time")) == 0
    clock.now += 0.1
    assert bot.rewrite(second, done("too late")) == 846605
    assert bot.rewrite("never-heard", done("no click")) == 846605


def test_several_see_the_same_card(sandbox: Sandbox, bot: Talker) -> None:
    for user_id in ("lisi", "wangwu"):
        sandbox.add_member(user_id)
    sandbox.aibot.add_group("ops", [ME, "lisi"], written=True)
    assert bot.push_card("ops") == 40008
    req_id = sandbox.aibot.say("ops", "lisi", "list")
    bot.hear()
    assert bot.code("aibot_respond_msg", req_id, msgtype="template_card", template_card=card()) == 40008
    sandbox.aibot.allow_group_cards()
    assert [bot.push_card("ops"), bot.push_card("ops")] == [0, 42014]
    with pytest.raises(ValueError, match="does not see it"):
        sandbox.aibot.click("a17-1", "wangwu", "ack:A17")
    req_id = sandbox.aibot.click("a17-1", "lisi", "ack:A17")
    frame = bot.hear()
    assert (frame["body"]["chatid"], frame["body"]["chattype"]) == ("ops", "group")
    assert bot.rewrite(req_id, done("yours"), userids=["wangwu"]) == 40058
    assert bot.rewrite(req_id, done("yours"), userids=["lisi", "wangwu"]) == 0
    (message,) = sandbox.messages(msgtype="template_card")
    assert message["cards"] == {ME: card(), "lisi": done("yours")}
    req_id = sandbox.aibot.click(message["id"], ME, "ack:A17")  # who sees the old card may still click on it
    bot.hear()
    assert bot.rewrite(req_id, done("taken by lisi")) == 0
    (message,) = sandbox.messages(msgtype="template_card")
    assert set(map(str, message["cards"].values())) == {str(done("taken by lisi"))}
    assert [list(rewrite["userids"]) for rewrite in message["rewrites"]] == [["lisi"], [ME, "lisi"]]


def test_a_click_that_nobody_hears_is_lost(sandbox: Sandbox, bot: Talker) -> None:
    assert bot.push_card() == 0
    bot.socket.close()
    until(lambda: not sandbox.aibot.subscribers)
    assert sandbox.aibot.click("a17-1", ME, "ack:A17") == ""


@pytest.mark.parametrize(
    ("part", "key", "selected"),
    [
        ({"card_type": "vote_interaction", "submit_button": BUTTON, "checkbox": VOTE}, "k", {"q": ["1"]}),
        (
            {"card_type": "multiple_interaction", "submit_button": BUTTON}
            | {"select_list": [{"question_key": "a", "option_list": [OPTION]}]},
            "k",
            {"a": ["1"]},
        ),
        ({**done("x", "t"), "action_menu": {"desc": "d", "action_list": [BUTTON]}}, "k", {}),
        (card("t", button_list=[BUTTON]), "k", {"for": ["1h"]}),
    ],
)
def test_what_else_can_be_clicked(sandbox: Sandbox, bot: Talker, part: Any, key: str, selected: Any) -> None:
    whole = {"main_title": {"title": "x"}, "task_id": "t", **part}
    assert bot.push(msgtype="template_card", part=whole) == 0
    sandbox.aibot.click("t", ME, key)
    event = clicked(bot)
    items = event.get("selected_items", {"selected_item": []})["selected_item"]
    assert {item["question_key"]: item["option_ids"]["option_id"] for item in items} == selected


def test_a_tap_that_writes(sandbox: Sandbox, bot: Talker) -> None:
    jump = {"type": 3, "title": "Details", "question": "details A17"}
    assert bot.push(msgtype="template_card", part={**done("x"), "jump_list": [jump]}) == 0
    req_id = sandbox.aibot.click("a17-1", ME, "details A17")
    frame = bot.hear()
    assert (frame["headers"]["req_id"], frame["body"]["text"]["content"]) == (req_id, "details A17")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"button_list": []}, 40016),
        ({"button_list": [{**BUTTON, "key": str(i)} for i in range(7)]}, 40016),
        ({"button_list": [{"text": "", "key": "k"}]}, 40058),
        ({"button_list": [{"text": "x", "key": "k" * 1025}]}, 40058),
        ({"button_list": [{**BUTTON, "style": 5}]}, 40058),
        ({"button_selection": {"question_key": "q", "option_list": [OPTION] * 11}}, 40058),
        ({"button_selection": {"question_key": "q", "option_list": []}}, 40058),
        ({"task_id": "a b"}, 42014),
        ({"task_id": ""}, 42014),
        ({"task_id": "x" * 129}, 42014),
        ({"card_type": "dance"}, 42031),
        ({"main_title": {}}, 42033),
        ({"horizontal_content_list": [{"keyname": "a", "value": "b"}] * 7}, 42035),
        ({"action_menu": {"action_list": [BUTTON] * 4}}, 40058),
        ({"jump_list": [{"type": 3, "title": "x", "question": "汉" * 67}]}, 40058),
        ({"card_type": "text_notice"}, 42045),
        ({"card_type": "vote_interaction", "submit_button": BUTTON}, 40058),
        ({"card_type": "multiple_interaction", "submit_button": BUTTON, "select_list": []}, 40058),
    ],
)
def test_cards_that_are_refused(bot: Talker, changed: dict[str, Any], code: int) -> None:
    assert bot.push(msgtype="template_card", part=card(**changed)) == code
    assert bot.push_card() == 0


def test_long_texts_are_taken_but_not_when_strict(sandbox: Sandbox, bot: Talker) -> None:
    long = {"title": "x" * 27}
    assert bot.push_card(main_title=long) == 0
    (message,) = sandbox.messages(channel="aibot")
    assert message["warning"] == "body.template_card.main_title.title has 27 characters: the documents advise 26"
    with Sandbox(strict=True) as strict, Talker(strict) as talker:
        assert [talker.push_card(main_title=long), talker.push_card()] == [40058, 0]
