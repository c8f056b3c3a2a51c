"""An AI bot's handler against the sandbox: alerts go out as cards and words, people answer, the state follows."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComAIBotHandler, WeComBotHandler, WeComHandler
from wecom_logging._answers.desk import Desk
from wecom_logging._incidents.entries import Opened
from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.aibot.state import open_userid
from wecom_logging._sandbox.page.nodes import V1_BOT, V2
from wecom_logging._state.base import Wanted
from wecom_logging._state.shared import alone
from wecom_logging._wecom.long_connection import MAX_BACKOFF_S, STANDBY_S, LongConnection
from wecom_logging.errors import ConfigurationError, StateError
from wecom_logging.model import Secret

from ..programs import ROOT, Clock, run, until, word
from ..state.conftest import first
from ..storms import CLOCK
from ..valkey_server import Server

ME, GROUP, NAME = "sandbox-user", "sandbox-group", "沙箱用户"


@pytest.fixture
def wecom(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return sandbox


@pytest.fixture
def make(wecom: Sandbox) -> Iterator[Callable[..., WeComAIBotHandler]]:
    made = []

    def handler(**options: Any) -> WeComAIBotHandler:
        found = WeComAIBotHandler(**{"chats": [ME], **options})
        made.append(found)
        return found

    yield handler
    for one in made:
        end(one)


def end(handler: WeComAIBotHandler) -> None:
    """Close it, and let nothing of it wait for a server that is gone, or be listed by another test."""
    handler.forget_incidents()
    handler.close()
    reception = handler._reception()
    assert reception is not None
    reception.connection.close()


def log_to(handler: logging.Handler) -> logging.Logger:
    log = logging.Logger("shop.pay")
    log.addHandler(handler)
    return log


def card_of(wecom: Sandbox, at: int = -1) -> dict[str, Any]:
    """A card's message, as it is now."""
    return wecom.messages(channel="aibot", msgtype="template_card")[at]


def press(wecom: Sandbox, verb: str, who: str = ME, **selected: str) -> str:
    """Somebody presses a button of the newest card."""
    message = card_of(wecom)
    card = message["cards"][who]
    key = next(one["key"] for one in card["button_list"] if one["key"].startswith(f"{verb}:"))
    return wecom.aibot.click(message["task_id"], who, key, selected=selected)


def title(wecom: Sandbox, who: str = ME) -> str:
    found: str = card_of(wecom)["cards"][who]["main_title"]["title"]
    return found


def words(wecom: Sandbox) -> list[str]:
    return [one["content"] for one in wecom.messages(channel="aibot", msgtype="markdown")]


@pytest.fixture(params=["memory", "sqlite"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else f"sqlite://{tmp_path}/alerts.db"


def test_a_chat_gets_a_card_and_a_group_the_words(wecom: Sandbox, make: Any) -> None:
    handler = make(chats=[ME, GROUP], service="shop")
    log_to(handler).error("the disk of %s is full", "db-1")
    assert handler.flush(10)
    card, markdown = wecom.messages(channel="aibot")
    assert (card["chat"], markdown["chat"]) == (ME, GROUP)
    assert card["cards"][ME]["main_title"]["title"] == "the disk of db-1 is full"
    assert [one["text"] for one in card["cards"][ME]["button_list"]] == ["I take it", "Quiet", "Details"]
    assert "the disk of db-1 is full" in markdown["content"]
    assert handler.stats().delivered == 1


def test_a_text_means_the_same_in_both_markdowns(wecom: Sandbox, make: Any) -> None:
    handler = make(chats=[GROUP], service="shop", rate_limit="off")
    log = log_to(handler)
    try:
        raise ValueError("the module __init__ of _a_ is missing")
    except ValueError:
        log.exception("no __main__\nin __all__")
    assert handler.flush(10)
    (one,) = handler.incidents()
    for number in range(9):
        (other := logging.Logger(f"shop.{'abcdefghi'[number]}")).addHandler(handler)
        other.error("__the disk__ is full")
    assert handler.flush(10)
    for said in ("认领", "详情", "list"):
        before = len(words(wecom))
        wecom.aibot.say(GROUP, ME, f"{said} {one.short_id}")
        wecom.wait(before + 1, channel="aibot", msgtype="markdown")
    found = words(wecom)
    for text in found:
        assert "<" not in text
        first, second = (re.sub(r'\\n|", "|\s', "", json.dumps(one.nodes(text, {}))) for one in (V1_BOT, V2))
        assert first == second
    details = next(text for text in found if "messages so far" in text)
    quotes = [node for node in V2.nodes(details, {}) if node[0] == "quote"]
    assert quotes
    assert "messages so far" not in json.dumps(quotes)
    assert "＿＿init＿＿" in json.dumps(quotes, ensure_ascii=False)
    assert any("alerts of" in text for text in found)


def test_a_card_offers_no_silence_that_is_not_allowed(wecom: Sandbox, make: Any) -> None:
    handler = make()
    for level, lengths in ((logging.ERROR, ["1h", "30m", "2h", "8h", "24h"]), (logging.CRITICAL, ["1h", "30m"])):
        log_to(handler).log(level, "the disk is full")
        assert handler.flush(10)
        shown = card_of(wecom)["cards"][ME]["button_selection"]
        assert [one["id"] for one in shown["option_list"]] == lengths


def test_i_take_it(wecom: Sandbox, make: Any, state: str) -> None:
    handler = make(state=state)
    log = log_to(handler)
    log.error("the disk is full")
    assert handler.flush(10)
    assert press(wecom, "take")
    until(lambda: "taken " in title(wecom))
    (one,) = handler.incidents()
    assert one.taken_by == NAME
    assert [key["text"] for key in card_of(wecom)["cards"][ME]["button_list"]] == ["Done", "Undo", "Details"]
    assert press(wecom, "undo")
    until(lambda: "given back " in title(wecom))
    assert handler.incidents()[0].taken_by == ""
    assert press(wecom, "quiet", length="2h")
    until(lambda: "quiet to " in title(wecom))
    log.error("the disk is full")
    assert handler.flush(10)
    assert words(wecom) == []  # the card has said it all
    assert wecom.aibot.say(ME, ME, f"完成 {one.short_id}")
    (reply,) = wecom.wait(channel="aibot", msgtype="markdown")
    assert "closed by" in reply["content"]


def crowd(handler: WeComAIBotHandler) -> None:
    """Twenty others are open, and newer."""
    found: Any = handler._pipeline
    now = time.monotonic()
    if found.options.shared is alone:
        others = [first(f"other {number}", last=time.time() + 60) for number in range(20)]
        with found.leader.lock:
            found.leader.append([Opened(key=one.key, alert=one.first.alert, last=one.last, sent=1) for one in others])
            found.leader.read(found.leader.now() + 1)
        return
    with found._turn.section:  # nothing of this is sent
        found._turn.store.add([first(f"other {number}", last=time.time() + 60) for number in range(20)], now)
        found._turn.store.hand_over(now)
        found._turn.ledger.sent(found._turn.store.claim(now, Wanted(100), draining=True), "delivered", now)


def test_a_click_finds_its_incident_however_many_are_open(
    wecom: Sandbox, make: Any, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._answers.desk.LOOKED_AT", 5)
    handler = make(state=state)
    log_to(handler).critical("the roof is on fire")
    assert handler.flush(10)
    crowd(handler)
    assert len(handler.incidents()) == 21
    assert press(wecom, "take")
    until(lambda: "taken " in title(wecom))
    assert [one.text for one in handler.incidents() if one.taken_by] == ["the roof is on fire"]


def test_of_two_at_once_one_wins_and_the_other_sees_who(wecom: Sandbox, make: Any, state: str) -> None:
    wecom.add_member("lisi")
    wecom.aibot.say("lisi", "lisi", "hello")
    handler = make(state=state, chats=[ME, "lisi"])
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    mine, theirs = wecom.messages(channel="aibot", msgtype="template_card")
    for message, who in ((mine, ME), (theirs, "lisi")):
        wecom.aibot.click(message["task_id"], who, message["cards"][who]["button_list"][0]["key"])
    until(lambda: all(one["rewrites"] for one in wecom.messages(channel="aibot", msgtype="template_card")))
    cards = wecom.messages(channel="aibot", msgtype="template_card")
    titles = {one["cards"][one["chat"]]["main_title"]["title"] for one in cards}
    assert len(titles) == 1
    assert handler.incidents()[0].taken_by == NAME
    (said,) = wecom.wait(
        channel="aibot",
        msgtype="markdown",
        contains=f"nothing was changed: #{handler.incidents()[0].short_id} taken by {NAME} ",
    )
    assert said["chat"] == "lisi"


def rest(handler: WeComAIBotHandler, seconds: float) -> None:
    """No message of its own goes for so long."""
    found: Any = handler._pipeline
    senders = found.leader.senders if found.options.shared is alone else found._turn.senders
    senders._senders[0].back_off_until = found._clock() + seconds


def test_who_was_refused_gets_no_notice_of_the_same(wecom: Sandbox, make: Any, state: str) -> None:
    for who in ("lisi", "wangwu"):
        wecom.add_member(who)
        wecom.aibot.say(who, who, "hello")
    handler = make(state=state, chats=[ME, "lisi", "wangwu", GROUP])
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    (name,) = (one.short_id for one in handler.incidents())
    cards = {one["chat"]: one for one in wecom.messages(channel="aibot", msgtype="template_card")}

    def take(who: str) -> None:
        wecom.aibot.click(cards[who]["task_id"], who, cards[who]["cards"][who]["button_list"][0]["key"])

    rest(handler, 3.0)
    take(ME)
    until(lambda: handler.incidents()[0].taken_by == NAME)
    take("lisi")
    wecom.aibot.say(GROUP, "lisi", f"take {name}")
    wecom.wait(2, channel="aibot", msgtype="markdown", contains=f"taken by {NAME}")
    notices = wecom.wait(channel="aibot", msgtype="markdown", contains="✋ ")
    assert [one["chat"] for one in notices] == ["wangwu"]
    rest(handler, 2.0)
    wecom.aibot.say("wangwu", "wangwu", f"undo {name}")  # what was seen is over
    told = wecom.wait(4, channel="aibot", msgtype="markdown", contains="undone by")
    assert sorted(one["chat"] for one in told) == sorted([ME, "lisi", "wangwu", GROUP])


def test_who_has_it_may_be_another_person_whom_it_is_given(wecom: Sandbox, make: Any, state: str) -> None:
    wecom.add_member("lisi")
    wecom.aibot.say("lisi", "lisi", "hello")
    handler = make(state=state, chats=[ME, "lisi", GROUP], answerers={"lisi": "李四"}, language="zh")
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    (name,) = (one.short_id for one in handler.incidents())
    wecom.aibot.say(GROUP, ME, "列表")
    wecom.wait(channel="aibot", contains=f"#{name} 错误 × 1 · 自 ")
    wecom.aibot.say(ME, ME, f"转给 王五 {name}")
    wecom.wait(channel="aibot", msgtype="markdown", contains=f"王五不接收这些告警，可以转给：李四、{NAME}")
    wecom.aibot.say(ME, ME, f"give #{name} to LiSi")
    wecom.wait(3, channel="aibot", msgtype="markdown", contains="转给李四")  # the answer, and the line for the others
    until(lambda: {one["chat"] for one in wecom.messages(channel="aibot", contains="转给李四")} == {ME, "lisi", GROUP})
    assert handler.incidents()[0].taken_by == "李四"
    wecom.aibot.say("lisi", "lisi", f"静默 {name} 1h")  # it is his
    until(lambda: handler.incidents()[0].silent_until > 0)
    for who in ("", "李四"):
        wecom.aibot.say(ME, ME, f"撤销 {name}")
        until(lambda who=who: handler.incidents()[0].taken_by != who)


def test_of_two_with_one_name_one_has_it(wecom: Sandbox, make: Any) -> None:
    wecom.add_member("lisi")
    wecom.aibot.say("lisi", "lisi", "hello")
    handler = make(chats=[ME, "lisi"], answerers={ME: "张伟", "lisi": "张伟"}, language="zh")
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    (name,) = (one.short_id for one in handler.incidents())
    wecom.aibot.say(ME, ME, f"认领 {name}")
    until(lambda: handler.incidents()[0].taken_by == "张伟")
    wecom.aibot.say("lisi", "lisi", f"认领 {name}")
    (said,) = wecom.wait(channel="aibot", msgtype="markdown", contains=f"#{name} 已由张伟于 ")
    assert said["chat"] == "lisi"


def test_a_notice_goes_not_where_the_answer_stands(wecom: Sandbox, make: Any) -> None:
    wecom.add_member("lisi")
    wecom.aibot.say("lisi", "lisi", "hello")
    handler = make(chats=[ME, "lisi", GROUP], rate_limit="off")
    for text in ("the disk is full", "the net is down"):
        log_to(handler).error(text)
        assert handler.flush(10)
    alerts = wecom.messages(channel="aibot")
    assert [one["chat"] for one in alerts] == [ME, "lisi", GROUP] * 2
    first, second = (one.short_id for one in handler.incidents())
    changes = [(ME, "take"), ("lisi", "undo"), (GROUP, "quiet 1h"), (ME, "undo"), ("lisi", "take"), (GROUP, "done")]
    changes += [("lisi", "undo"), (ME, "done")]
    count = len(alerts)
    for number, (chat, said) in enumerate(changes, 1):
        short_id = second if number > 4 else first
        wecom.aibot.say(chat, "lisi" if chat == "lisi" else ME, f"{said} #{short_id}")
        chats = ["lisi", GROUP] if chat == GROUP else [ME, "lisi", GROUP]  # who said it in the group is not told alone
        count += len(chats)
        told = wecom.wait(count, channel="aibot")[-len(chats) :]
        assert sorted(one["chat"] for one in told) == sorted(chats)
        (reply,) = (one for one in told if one["chat"] == chat)
        assert reply["content"].startswith(f"#{short_id} ")
        assert all(
            f"#{short_id} " in one["content"] and one["content"][0] in "✋✅" for one in told if one is not reply
        )
    assert len(wecom.messages(channel="aibot")) == count == 6 + 8 + 14


def test_handlers_that_share_a_state_send_into_their_own_chats(wecom: Sandbox, make: Any, tmp_path: Path) -> None:
    wecom.add_member("lisi")
    wecom.aibot.say("lisi", "lisi", "hello")
    state = f"sqlite://{tmp_path}/alerts.db"
    mine, theirs = make(state=state), make(state=state, chats=["lisi"])
    for at in range(6):
        for handler, chat in ((mine, ME), (theirs, "lisi")):
            log_to(handler).error(f"{word(at)} fails for {chat}")
    assert mine.flush(10)
    assert theirs.flush(10)
    found = [
        (one["chat"], one["content"].split(" fails for ")[1].split()[0]) for one in wecom.messages(channel="aibot")
    ]
    assert sorted(found) == [("lisi", "lisi")] * 6 + [(ME, ME)] * 6


def test_what_an_app_a_bot_and_an_ai_bot_send_has_one_id_and_is_taken_once(
    wecom: Sandbox, make: Any, state: str
) -> None:
    others = [WeComBotHandler(answers="aibot", state=state), WeComHandler(answers="aibot", state=state)]
    handlers = [make(state=state), *others]
    log = log_to(handlers[0])
    for one in others:
        log.addHandler(one)
    log.error("the disk is full")
    assert all(one.flush(10) for one in handlers)
    (short_id,) = {one.short_id for handler in handlers for one in handler.incidents()}
    told = [one["content"] for one in wecom.messages() if one["channel"] in ("app", "bot")]
    assert [f"to the bot: take {short_id} · quiet {short_id} 1h" in text for text in told] == [True, True]
    press(wecom, "take")
    until(lambda: [one.taken_by for handler in handlers for one in handler.incidents()] == [NAME] * 3)
    for one in others:
        one.close()


def test_who_got_the_alert_of_a_process_that_has_ended_may_answer(
    wecom: Sandbox, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._answers.desk.LOOKED_AT", 5)
    wecom.add_member("lisi")
    wecom.add_member("wangwu")
    for who in ("lisi", "wangwu"):
        wecom.aibot.say(who, who, "hello")
    state = f"sqlite://{tmp_path}/alerts.db"
    with started("-c", JOB, "the disk is full", "lisi", state) as job:
        assert job.wait(30) == 0
    handler = make(state=state)
    handler._reception().connection.start()
    wecom.aibot.wait_for_subscriber()
    message = card_of(wecom)
    assert message["chat"] == "lisi"
    crowd(handler)
    wecom.aibot.click(message["task_id"], "lisi", message["cards"]["lisi"]["button_list"][0]["key"])
    until(lambda: "taken " in title(wecom, "lisi"))
    short_id = message["task_id"].partition("-")[0]
    wecom.aibot.say("wangwu", "wangwu", f"undo {short_id}")
    (no,) = wecom.wait(channel="aibot", receiver="wangwu")
    assert no["content"].startswith("Sorry")
    assert seen(short_id, state)["journal"][-1]["who"] == "lisi"
    assert [one["chat"] for one in wecom.messages(channel="aibot")] == ["lisi", "wangwu"]  # the card has said it


@pytest.mark.slow
def test_whom_an_app_has_told_by_a_step_answers_the_bot(wecom: Sandbox, make: Any, tmp_path: Path) -> None:
    wecom.add_member("lisi", name="李四", departments=[1])
    wecom.aibot.say("lisi", "lisi", "hello")
    state = f"sqlite://{tmp_path}/alerts.db"
    bot = make(state=state, language="zh")
    app = WeComHandler(answers="aibot", state=state, escalation=[{"after": "1s", "users": ["lisi"]}], language="zh")
    bot._reception().connection.start()
    wecom.aibot.wait_for_subscriber()
    log_to(app).critical("disk full")
    (told,) = wecom.wait(channel="app", receiver="lisi", contains="回复机器人：认领")
    wecom.wait(channel="app", contains="→ lisi")  # it is in the state by then
    (asked,) = re.findall(r"认领 \w+", told["content"])
    wecom.aibot.say("lisi", "lisi", asked)
    until(lambda: app.incidents()[0].taken_by == "李四")
    app.close()


def fall(left: int) -> None:
    if left:
        return fall(left - 1)
    raise ValueError("no room left")


def test_details_have_all_frames_and_are_cut_where_a_message_does_not_hold_them(
    wecom: Sandbox, make: Any, state: str
) -> None:
    handler = make(state=state)
    try:
        fall(20)
    except ValueError:
        log_to(handler).exception("the disk is full")
    assert handler.flush(10)
    press(wecom, "details")
    (text,) = wecom.wait(channel="aibot", msgtype="markdown")
    assert len(re.findall(r" in fall$", text["content"], re.M)) == 21
    lines = "\n".join(f"order {number} cannot be priced: " + "no price, " * 10 for number in range(300))
    log_to(handler).error("no price\n%s", lines)
    assert handler.flush(10)
    press(wecom, "details")
    (_, cut) = wecom.wait(2, channel="aibot", msgtype="markdown")
    assert "order 0 cannot be priced" in cut["content"]


def test_who_taps_twice_is_not_told_that_the_card_was_old(wecom: Sandbox, make: Any) -> None:
    handler = make()
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    message = card_of(wecom)
    for _ in range(2):
        wecom.aibot.click(message["task_id"], ME, message["cards"][ME]["button_list"][0]["key"])
    until(lambda: len(card_of(wecom)["rewrites"]) == 2)
    wecom.aibot.say(ME, ME, "list")
    (listed,) = wecom.wait(channel="aibot", msgtype="markdown")
    assert f" · {NAME} · the disk is full" in listed["content"]


def test_an_old_card_changes_nothing_and_shows_how_it_is_now(wecom: Sandbox, make: Any) -> None:
    handler = make()
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    message = card_of(wecom)
    take = message["cards"][ME]["button_list"][0]["key"]
    wecom.aibot.say(ME, ME, f"take {handler.incidents()[0].short_id}")
    wecom.wait(channel="aibot", msgtype="markdown", contains="taken by")
    wecom.aibot.say(ME, ME, f"undo {handler.incidents()[0].short_id}")
    wecom.wait(channel="aibot", msgtype="markdown", contains="given back")
    wecom.aibot.click(message["task_id"], ME, take)  # of before both
    until(lambda: card_of(wecom)["rewrites"])
    wecom.wait(channel="aibot", msgtype="markdown", contains="this card is out of date, nothing was changed: #")
    assert handler.incidents()[0].taken_by == ""
    press(wecom, "take")
    until(lambda: handler.incidents()[0].taken_by == NAME)


@pytest.mark.parametrize("created", [-86_400.0, 1e300])
def test_a_record_of_an_impossible_time_is_told_and_can_be_answered(wecom: Sandbox, make: Any, created: float) -> None:
    handler = make()
    for _ in range(2):  # the second is for a digest, whose card is as old as its last record
        odd = logging.LogRecord("shop", logging.ERROR, "pay.py", 1, "the disk is full", (), None)
        odd.created = created
        handler.handle(odd)
        assert handler.flush(10)
    assert handler.stats().pending == 0
    assert handler.stats().dropped == {}
    assert len(wecom.messages(channel="aibot", msgtype="template_card")) == 2
    press(wecom, "details")
    assert "the disk is full" in wecom.wait(channel="aibot", msgtype="markdown")[0]["content"]


def test_buttons_work_where_the_clock_was_put_back(wecom: Sandbox, make: Any) -> None:
    handler = make()
    later = logging.LogRecord("shop", logging.ERROR, "pay.py", 1, "the disk is full", (), None)
    later.created += 86_400.0  # by a clock that is a day ahead
    handler.handle(later)
    assert handler.flush(10)
    press(wecom, "take")
    until(lambda: handler.incidents()[0].taken_by == NAME)
    until(lambda: "taken " in title(wecom))
    press(wecom, "undo")
    until(lambda: handler.incidents()[0].taken_by == "")
    for _ in range(3):
        handler.handle(logging.LogRecord("shop", logging.ERROR, "pay.py", 1, "the disk is full", (), None))
        assert handler.flush(10)
    assert [one["msgtype"] for one in wecom.messages(channel="aibot")] == ["template_card"] * 4
    assert handler.stats().merged == 3


def test_a_click_while_the_state_is_away_changes_nothing_and_says_so(
    wecom: Sandbox, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Any:
        raise StateError("a state: it does not answer")

    handler = make()
    log_to(handler).critical("the disk is full")
    assert handler.flush(10)
    before = title(wecom)
    monkeypatch.setattr(Desk, "find", away)
    press(wecom, "take")
    until(lambda: words(wecom) == ["the shared state is away; nothing was changed"])
    assert title(wecom) == before


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("take zzzz", "no open incident #zzzz; open are #"),
        ("静默 {id} for ever", "for how long? Such as quiet {id} 1h"),
        ("quiet {id} 48h", "24 hours"),
        ("dance", "take {id} – "),
        ("x" * 10_000, "take {id} – "),
        ("list", " · web shop: the disk is full"),
        ("pair 12345678", "not known"),
    ],
)
def test_what_cannot_be_done_is_said(wecom: Sandbox, make: Any, text: str, answer: str) -> None:
    handler = make(service="web shop")
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    short_id = handler.incidents()[0].short_id
    wecom.aibot.say(ME, ME, text.replace("{id}", short_id))
    (reply,) = wecom.wait(channel="aibot", msgtype="markdown")
    assert answer.replace("{id}", short_id) in reply["content"]
    assert handler.incidents()[0].taken_by == ""


def test_the_next_page_is_that_after_the_one_this_chat_has_seen(
    wecom: Sandbox, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._answers.reply.MAX_LISTED", 1)
    handler = make(chats=[ME, GROUP])
    log = log_to(handler)
    for kind in range(3):
        log.critical("%s", word(kind), extra={"wecom": {"fingerprint": word(kind)}})
    assert handler.flush(10)
    told = len(words(wecom))
    listed = []
    for number, (chat, text) in enumerate(
        ((ME, "列表 严重"), (GROUP, "列表 2"), (ME, "下一页"), (ME, "next"), (ME, "next"))
    ):
        wecom.aibot.say(chat, ME, text)
        until(lambda number=number: len(words(wecom)) > told + number)
        listed.append(words(wecom)[-1].split("\n"))
    pages = [one[0][:5] for one in listed[1:4]]
    assert pages == [listed[1][0][:5]] * 2 + [listed[3][0][:5]]
    assert len({listed[0][0][:5], *pages}) == 3
    assert [one[-1].split(": ")[-1] for one in listed[:3]] == ["list CRITICAL 2", "list 3", "list CRITICAL 3"]
    assert listed[4] == ["there is no page 4; page 3 is the last:", listed[3][0]]


def test_the_next_page_follows_a_list_that_a_button_has_shown(
    wecom: Sandbox, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._answers.reply.MAX_LISTED", 1)
    handler = make()
    log = log_to(handler)
    log.error("it is over")
    assert handler.flush(10)
    handler.forget_incidents()
    press(wecom, "take")
    until(lambda: " is over" in title(wecom))
    for kind in range(2):
        log.critical("%s", word(kind), extra={"wecom": {"fingerprint": word(kind)}})
    assert handler.flush(10)
    message, told = card_of(wecom, 0), len(words(wecom))
    wecom.aibot.click(message["task_id"], ME, message["cards"][ME]["button_list"][0]["key"])
    wecom.aibot.say(ME, ME, "下一页")
    until(lambda: len(words(wecom)) == told + 2)
    first, second = (re.findall(r"#\w+", one)[0] for one in words(wecom)[-2:])
    assert {first[1:], second[1:]} == {one.short_id for one in handler.incidents()}


def test_strangers_get_one_polite_no_and_forged_keys_nothing(wecom: Sandbox, make: Any) -> None:
    wecom.add_member("lisi")
    wecom.add_member("wangwu")
    wecom.aibot.add_group("ops", ["lisi", "wangwu"], written=True)
    handler = make(answerers={"wangwu": "王五"})
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    short_id = handler.incidents()[0].short_id
    wecom.aibot.say("ops", "lisi", f"take {short_id}")
    (no,) = wecom.wait(channel="aibot", msgtype="markdown")
    assert no["content"].startswith("Sorry")
    assert handler.incidents()[0].taken_by == ""
    wecom.aibot.say("ops", "wangwu", f"take {short_id}")
    until(lambda: handler.incidents()[0].taken_by == "王五")
    wecom.wait(channel="aibot", msgtype="markdown", contains="王五", count=2)
    reception = handler._reception()
    before = len(wecom.messages(channel="aibot"))
    for key in ("", "take", "take:k7f2", "take:k7f2:zz:1", "a" * 2000, "../..:x:1", 7, None, ["x"]):
        event = {"eventtype": "template_card_event", "template_card_event": {"event_key": key, "task_id": "x-1"}}
        body = {"msgid": f"m-{key!r}", "from": {"userid": ME}, "msgtype": "event", "event": event}
        reception.hear({"cmd": "aibot_event_callback", "headers": {"req_id": "r"}, "body": body})
    for body in ({}, {"from": 1}, {"from": {"userid": ""}}, {"from": {"userid": ME}, "event": 1}):
        reception.hear({"cmd": "aibot_event_callback", "headers": {"req_id": "r"}, "body": body})
    log_to(handler).error("another")
    assert handler.flush(10)
    assert len(wecom.messages(channel="aibot")) <= before + 2  # the alert, and who has taken the other


def test_encrypted_ids_are_read_by_the_app(wecom: Sandbox, make: Any) -> None:
    wecom.aibot.hide_userids()
    handler = make(chats=[open_userid(ME)])
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    press(wecom, "take")
    until(lambda: card_of(wecom)["rewrites"])
    assert handler.incidents()[0].taken_by == NAME


def test_a_storm_of_clicks_is_not_answered_beyond_the_limit(wecom: Sandbox, make: Any) -> None:
    handler = make()
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    short_id = handler.incidents()[0].short_id
    for _ in range(200):
        wecom.aibot.say(ME, ME, f"take {short_id}")
    until(lambda: len(handler._reception()._heard) >= 200)
    until(lambda: len(wecom.messages(channel="aibot")) >= 17)
    assert len([one for one in words(wecom) if one.startswith("Too many commands")]) == 1
    assert handler._pipeline.leader.senders.wait(None) == 0.0
    log_to(handler).error("another failure")
    assert handler.flush(10)  # it need not wait for those who type
    assert len(wecom.messages(channel="aibot")) == 18
    assert not [call for call in wecom.calls if call.errcode in (45009, 846607)]


def test_a_lost_subscription_is_taken_again_and_the_alert_told_once(wecom: Sandbox, make: Any) -> None:
    handler = make()
    log = log_to(handler)
    log.error("one")
    assert handler.flush(10)
    wecom.aibot.lose_subscription()
    log.warning("two")
    assert handler.flush(20)
    assert [one["cards"][ME]["main_title"]["title"] for one in wecom.messages(msgtype="template_card")] == [
        "one",
        "two",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["drop", "go_silent"])
def test_a_dead_connection_is_opened_again(wecom: Sandbox, make: Any, how: str) -> None:
    handler = make(timeout=3.0)
    log = log_to(handler)
    log.error("one")
    assert handler.flush(10)
    connection = handler._reception().connection
    connection._heartbeat.heard_at -= 60  # it was silent for a minute
    getattr(wecom.aibot, how)()
    log.warning("two")
    assert handler.flush(30)
    assert [one["cards"][ME]["main_title"]["title"] for one in wecom.messages(msgtype="template_card")] == [
        "one",
        "two",
    ]
    assert handler.stats().delivered == 2


def test_an_answer_that_is_lost_is_told_at_most_once(
    wecom: Sandbox, make: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    other = WeComBotHandler()
    handler = make(timeout=1.0, fallback=other)
    wecom.fail("aibot_send_msg", times=1, withhold=True)
    log_to(handler).error("the disk is full")
    assert handler.flush(20)
    assert other.flush(20)
    assert len(wecom.messages(channel="aibot")) == 1
    assert "the disk is full" in wecom.messages(channel="bot")[0]["content"]
    assert handler.stats().dropped == {"handed_over": 1} or handler.stats().handed_over == 1
    assert "not known whether" in capfd.readouterr().err
    other.close()


def test_another_program_takes_the_bot(wecom: Sandbox, make: Any, capfd: pytest.CaptureFixture[str]) -> None:
    handler = make()
    log_to(handler).error("one")
    assert handler.flush(10)
    environment = wecom.environment
    other = LongConnection(
        environment["WECOM_AIBOT_URL"], environment["WECOM_AIBOT_ID"], Secret(environment["WECOM_AIBOT_SECRET"])
    )
    other.request("aibot_send_msg", {"chatid": ME, "msgtype": "markdown", "markdown": {"content": "mine"}})
    until(lambda: not handler._reception().connection.is_open)
    log_to(handler).warning("two")
    handler.flush(1)
    assert other.is_open  # nobody fights
    said = capfd.readouterr().err
    assert said.count("another program has taken the connection") >= 1
    assert "give all programs of a bot one state" in said
    other.close()


class Turns:
    """A lease that this process has, as long as the test says so."""

    def __init__(self) -> None:
        self.has, self.asked, self.released = True, 0, 0

    def hold(self) -> bool:
        self.asked += 1
        return self.has

    def release(self) -> None:
        self.released += 1


@contextmanager
def pushed_out(wecom: Sandbox, lease: Turns, clock: Clock, has: bool) -> Iterator[LongConnection]:
    """A connection that another program has pushed out of its place; the lease is still its own, or not."""
    environment = wecom.environment
    who = environment["WECOM_AIBOT_URL"], environment["WECOM_AIBOT_ID"], Secret(environment["WECOM_AIBOT_SECRET"])
    ours, other = LongConnection(*who, lease=lease, clock=clock), LongConnection(*who)
    pushed = {"chatid": ME, "msgtype": "markdown", "markdown": {"content": "mine"}}
    try:
        ours.request("aibot_send_msg", pushed)
        lease.has = has
        other.request("aibot_send_msg", pushed)
        until(lambda: not ours.is_open)
        yield ours
    finally:
        ours.close()
        other.close()


def test_who_is_pushed_out_by_another_process_of_the_state_stands_by(wecom: Sandbox) -> None:
    clock = Clock()
    with pushed_out(wecom, Turns(), clock, False) as ours:
        until(lambda: ours.is_elsewhere)
        assert "another program" not in str(ours.error)
        assert ours._back_off_until <= clock.now + MAX_BACKOFF_S


def test_who_is_pushed_out_by_another_state_keeps_the_lease_so_that_none_of_its_own_pushes_back(wecom: Sandbox) -> None:
    lease, clock = Turns(), Clock()
    with pushed_out(wecom, lease, clock, True) as ours:
        until(lambda: "another program" in str(ours.error))
        asked = lease.asked
        clock.now += STANDBY_S
        ours._waiter.wake()
        until(lambda: lease.asked > asked)
        assert (lease.released, ours.is_open, ours.is_elsewhere) == (0, False, False)
        lease.has = False  # it was lost: another process of the state has it
        clock.now += STANDBY_S
        ours._waiter.wake()
        until(lambda: ours.is_elsewhere)


@pytest.mark.slow
def test_a_wrong_secret_is_said_once_and_the_alert_waits(
    wecom: Sandbox, make: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = make(secret="a-wrong-secret-0123")
    log_to(handler).error("one")
    assert not handler.flush(3)
    assert handler.stats().pending == 1
    said = capfd.readouterr().err
    assert "errcode 853000" in said
    assert "a-wrong-secret" not in said
    assert len([call for call in wecom.calls if call.path.endswith("aibot_subscribe")]) == 1


def test_a_forked_child_closes_its_copy_and_the_parent_goes_on(wecom: Sandbox, make: Any) -> None:
    handler = make()
    log = log_to(handler)
    log.error("one")
    assert handler.flush(10)
    reception = handler._reception()
    with reception._joining:  # by a thread that the child has not
        child = os.fork()
        if child == 0:
            locks = reception._joining.locked()
            os._exit(2 * locks + reception.connection.is_open)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    log.warning("two")
    assert handler.flush(10)
    assert [call.path for call in wecom.calls].count("/aibot/aibot_subscribe") == 1


def test_the_connection_ends_with_its_last_handler(wecom: Sandbox, make: Any) -> None:
    handler = make()
    log_to(handler).error("one")
    assert handler.flush(10)
    connection = handler._reception().connection
    handler.close()
    connection._waiter.wake()
    until(lambda: wecom.aibot.connections == 0)
    again = make()
    log_to(again).error("two")
    assert again.flush(10)
    assert wecom.aibot.connections == 1


HOLDER = """
import logging, sys, time
from wecom_logging import WeComAIBotHandler
handler = WeComAIBotHandler(chats="sandbox-user", state=sys.argv[1])
log = logging.getLogger("shop"); log.addHandler(handler)
if len(sys.argv) > 2:
    log.error(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def process(wecom: Sandbox) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        settings = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", HOLDER, *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started.append(subprocess.Popen(command, env=settings, text=True, **pipes))
        assert started[-1].stdout.readline() == "ready\n"
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.mark.slow
def test_one_process_has_the_connection_and_the_others_hand_over(wecom: Sandbox, process: Any, tmp_path: Path) -> None:
    state = f"sqlite://{tmp_path}/alerts.db"
    first = process(state, "one")
    wecom.wait(channel="aibot", contains="one")
    second = process(state, "two is another kind")
    third = process(state, "the third has its own words")
    wecom.wait(3, channel="aibot", timeout=20)
    assert [call.path for call in wecom.calls].count("/aibot/aibot_subscribe") == 1
    first.send_signal(signal.SIGKILL)
    first.wait()
    fourth = process(state, "number four has come")
    wecom.wait(4, channel="aibot", timeout=40)
    assert len(wecom.messages(channel="aibot")) == 4
    assert {one.poll() for one in (second, third, fourth)} == {None}


@pytest.mark.slow
def test_the_holder_is_killed_amid_a_click(wecom: Sandbox, process: Any, tmp_path: Path) -> None:
    state = f"sqlite://{tmp_path}/alerts.db"
    first = process(state, "the disk is full")
    wecom.wait(channel="aibot", contains="the disk is full")
    press(wecom, "take")
    first.send_signal(signal.SIGKILL)
    first.wait()
    process(state, "something else fails")
    wecom.wait(2, channel="aibot", contains="", timeout=40, msgtype="template_card")
    message = wecom.messages(channel="aibot", msgtype="template_card")[0]
    in_force = "taken by" in run_cli("--state", state, "incidents")
    assert in_force or not message["rewrites"]
    assert len(wecom.messages(channel="aibot", msgtype="template_card")) == 2


def run_cli(*arguments: str) -> str:
    command = [sys.executable, "-m", "wecom_logging._cli", "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ)).stdout


@pytest.mark.parametrize(
    ("options", "field", "remedy"),
    [
        ({"bot_id": ""}, "bot_id", "non-empty"),
        ({"chats": []}, "chats", "wecom-logging answers pair"),
        ({"chats": [f"u{n}" for n in range(21)]}, "chats", "at most 20"),
        ({"url": "ws://example.com"}, "url", "wss:"),
        ({"url": "https://example.com"}, "url", "wss://"),
        ({"url": "wss://me:pw@example.com"}, "url", "password"),
        ({"url": "wss://exa%mple.com"}, "url", "character"),
        ({"url": "wss://[::1"}, "url", "not a URL"),
        ({"answerers": ["=x"]}, "answerers", "ids"),
        ({"secret": " "}, "secret", "empty"),
        ({"webhook": "x"}, "webhook", "no such option"),
    ],
)
def test_bad_options(wecom: Sandbox, options: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy) as caught:
        WeComAIBotHandler(**{"chats": [ME], **options})
    assert caught.value.field == field


def test_missing_variables_are_named() -> None:
    for name in ("bot_id", "secret", "chats"):
        given = {"bot_id": "b", "secret": "s3cret-of-the-bot", "chats": [ME]}
        del given[name]
        with pytest.raises(ConfigurationError, match=f"{name}: not set.*WECOM_AIBOT_"):
            WeComAIBotHandler(**given)


def test_importing_the_package_loads_nothing_of_it() -> None:
    ended = run("import sys, wecom_logging; print(sorted(m for m in sys.modules if 'websocket' in m or 'aibot' in m))")
    assert ended.out == "[]\n"


PROGRAM = """
import logging, sys
from wecom_logging import WeComAIBotHandler
handler = WeComAIBotHandler(chats=["sandbox-user", "lisi"], state=sys.argv[1], window=1)
log = logging.getLogger("shop"); log.addHandler(handler)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        log.error("the disk is full")
    print(handler.flush(20), flush=True)
"""


@pytest.fixture(params=["valkey", "sqlite"])
def shared_state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/alerts.db"
        return
    server = Server()
    yield server.url
    server.close()


@pytest.mark.slow
def test_two_people_three_processes_and_a_command_at_the_same_instant(
    wecom: Sandbox, shared_state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wecom.add_member("lisi")
    wecom.aibot.say("lisi", "lisi", "hello")
    monkeypatch.setenv("WECOM_STATE", shared_state)
    with ExitStack() as ended:
        programs = [ended.enter_context(started("-c", PROGRAM, shared_state)) for _ in range(3)]
        for one in programs:
            assert line_of(one) == "ready"
        assert log_in(programs[0], 1) == "True"
        mine, _ = wecom.wait(2, channel="aibot", msgtype="template_card", timeout=30)
        short_id = mine["task_id"].partition("-")[0]
        third = ended.enter_context(started(*CLI, "incidents", "quiet", short_id, "1h", "--as", "wangwu"))
        wecom.aibot.click(mine["task_id"], ME, mine["cards"][ME]["button_list"][0]["key"])
        wecom.aibot.say("lisi", "lisi", f"静默 {short_id} 1h")
        third.wait(60)
        until(lambda: card_of(wecom, 0)["rewrites"])
        verbs = [(one["verb"], one["who"]) for one in seen(short_id)["journal"]]
        assert verbs[0] in [("taken", NAME), ("silenced", "lisi"), ("silenced", "wangwu")]
        assert verbs[1:] in ([], [("taken", NAME)]), verbs  # what is silenced may be taken
        for one in programs:
            log_in(one, 5)
        until(lambda: seen(short_id)["count"] == 16)
        run_cli("incidents", "undo", short_id, "--as", "wangwu")
        until(lambda: seen(short_id)["told"] == 16)
        for chat in (ME, "lisi"):
            assert numbers_told(wecom, chat) == 15  # beside the first


def numbers_told(wecom: Sandbox, chat: str) -> int:
    """How many a chat was told of after the first."""
    texts = [one["content"] for one in wecom.messages(channel="aibot") if one["chat"] == chat]
    found = [re.search(r"× (\d+)", text) for text in texts]
    return sum(int(number[1]) for number in found if number)


def seen(short_id: str, state: str = "") -> dict[str, Any]:
    """An incident, as the command shows it."""
    shown: list[str] = []
    where = ("--state", state) if state else ()
    until(lambda: shown.append(run_cli(*where, "incidents", "show", short_id)) or shown[-1])  # the file may be busy
    (found,) = json.loads(shown[-1])["incidents"]
    return dict(found)


CLI = ("-m", "wecom_logging._cli")


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": settings}
    with subprocess.Popen([sys.executable, *arguments], **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().rstrip("\n")


def log_in(program: subprocess.Popen[str], number: int) -> str:
    assert program.stdin is not None
    print(number, file=program.stdin, flush=True)
    return line_of(program)


def test_pairing_tells_the_id_of_a_chat(wecom: Sandbox) -> None:
    with started(*CLI, "answers", "pair") as pair:
        assert pair.stdout is not None
        code = next(line.split()[-1] for line in pair.stdout if line.startswith("    绑定 "))
        wecom.aibot.wait_for_subscriber()
        wecom.aibot.add_group("ops", [ME])
        wecom.aibot.say("ops", ME, "绑定")
        wecom.wait(channel="aibot", contains="add the code that the terminal shows: pair ")
        wecom.aibot.say("ops", ME, "绑定 22222222")
        wecom.wait(channel="aibot", contains="not known")
        wecom.aibot.say("ops", ME, f"绑定 {code}")
        out = pair.stdout.read()
        assert pair.wait(30) == 0
    assert f"A group: ops; {ME} typed it." in out
    assert f"export WECOM_AIBOT_CHATS={wecom.environment['WECOM_AIBOT_CHATS']},ops" in out
    assert "known now" in wecom.messages(channel="aibot", msgtype="markdown")[-1]["content"]


JOB = """
import logging, sys, wecom_logging
chats, state = sys.argv[2:] or (None, None)
logging.getLogger().addHandler(wecom_logging.WeComAIBotHandler(chats=chats, state=state, exit_timeout=60))
logging.error(sys.argv[1])
"""


@pytest.mark.slow
def test_a_service_answers_for_programs_that_have_ended(
    wecom: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_STATE", f"sqlite://{tmp_path}/alerts.db")
    with started("-c", JOB, "the disk is full") as job:
        assert job.wait(30) == 0
    wecom.wait(channel="aibot", msgtype="template_card")
    with started(*CLI, "answers") as service:
        assert line_of(service).startswith("connected")
        press(wecom, "take")
        line = line_of(service)
        assert re.match(r"\d\d-\d\d \d\d:\d\d:\d\d ", line)  # it may run for weeks
        assert f"taken by {NAME}" in line
        with started("-c", JOB, "another failure") as job:
            assert job.wait(30) == 0
        wecom.wait(2, channel="aibot", msgtype="template_card")
        service.terminate()
        assert service.wait(30) == 0
    assert wecom.aibot.connections == 0
    assert [call.path for call in wecom.calls].count("/aibot/aibot_subscribe") == 2


@pytest.mark.slow
def test_who_gets_a_step_takes_it_by_its_card_and_all_who_were_told_are_told_that(wecom: Sandbox, make: Any) -> None:
    wecom.add_member("lisi", name="李四", departments=[1])
    wecom.aibot.say("lisi", "lisi", "hello")
    handler = make(language="zh", escalation=[{"after": "1s", "chats": ["lisi"]}, {"after": "7s", "chats": [GROUP]}])
    log_to(handler).critical("disk full")
    assert handler.flush(10)
    until(lambda: len(wecom.messages(channel="aibot", msgtype="template_card")) == 2)
    step = card_of(wecom)["cards"]["lisi"]
    assert re.match(rf"#\w+ · {CLOCK} 升级通知", step["main_title"]["title"])
    (line,) = wecom.wait(channel="aibot", msgtype="markdown", contains="→ lisi")
    assert line["chat"] == ME
    assert press(wecom, "take", "lisi")
    until(lambda: handler.incidents()[0].taken_by == "李四")
    wecom.wait(channel="aibot", msgtype="markdown", contains="李四于")
    assert all(one["chat"] != GROUP for one in wecom.messages(channel="aibot"))


@pytest.mark.slow
def test_a_step_makes_no_card_old(wecom: Sandbox, make: Any) -> None:
    wecom.add_member("lisi", name="李四", departments=[1])
    wecom.aibot.say("lisi", "lisi", "hello")
    handler = make(language="zh", escalation=[{"after": "1s", "chats": ["lisi"]}])
    log_to(handler).critical("disk full")
    wecom.wait(channel="aibot", msgtype="markdown", contains="→ lisi")
    first = card_of(wecom, 0)
    key = next(one["key"] for one in first["cards"][ME]["button_list"] if one["key"].startswith("take:"))
    assert wecom.aibot.click(first["task_id"], ME, key)
    until(lambda: handler.incidents()[0].taken_by == NAME)
    wecom.aibot.say(ME, ME, f"详情 {handler.incidents()[0].short_id}")
    (told,) = wecom.wait(channel="aibot", msgtype="markdown", contains="已发消息")
    assert re.search(r"升级，已通知 lisi", told["content"])
    assert "认领" in told["content"]
