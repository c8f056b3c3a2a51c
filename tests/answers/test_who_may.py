"""Who was told may answer: an app tells people, and they write to the AI bot beside it, each in a chat of their own."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComAIBotHandler, WeComHandler
from wecom_logging._sandbox import Sandbox

from ..programs import until

TEAM = {"zhangsan": "张三", "lisi": "李四", "wangwu": "王五"}
TURN = {"since": "2026-12-07 10:00", "every": "1w"}
NO = "抱歉"
pytestmark = pytest.mark.slow


class Team:
    """People who have written to the bot, an app that tells them, and the bot, whose own chat is that of another."""

    def __init__(self, wecom: Sandbox, state: str) -> None:
        self.wecom = wecom
        steps = [{"after": "1s", "chats": ["lisi"]}]
        self.bot = WeComAIBotHandler(chats=["sandbox-user"], state=state, language="zh", escalation=steps)
        self.app: WeComHandler | None = None
        for user_id, name in TEAM.items():
            wecom.add_member(user_id, name=name, departments=[1])
            wecom.aibot.say(user_id, user_id, "你好")
        reception = self.bot._reception()
        assert reception is not None
        self.connection = reception.connection
        self.connection.start()
        wecom.aibot.wait_for_subscriber()
        self.state = state

    def log(self, level: int = logging.CRITICAL, *, by_card: bool = False, **options: Any) -> str:
        """Something fails; what it is called."""
        self.app = WeComHandler(answers="aibot", state=self.state, language="zh", timezone="Asia/Shanghai", **options)
        log = logging.Logger("shop.pay")
        for one in [self.app, *([self.bot] if by_card else [])]:
            log.addHandler(one)
        log.log(level, "disk full")
        assert self.app.flush(10)
        return self.app.incidents()[0].short_id

    def told(self, user_id: str, contains: str = "disk full") -> str:
        """What the app has sent to a person."""
        (one, *_) = self.wecom.wait(channel="app", receiver=user_id, contains=contains)
        return str(one["content"])

    def say(self, user_id: str, text: str, chat: str = "") -> str:
        """What the bot answers to a person."""
        before = len(self.wecom.messages(channel="aibot"))
        self.wecom.aibot.say(chat or user_id, user_id, text)
        until(lambda: len(self.wecom.messages(channel="aibot")) > before)
        return str(self.wecom.messages(channel="aibot")[before]["content"])

    @property
    def taken_by(self) -> str:
        assert self.app is not None
        return self.app.incidents()[0].taken_by

    def close(self) -> None:
        for one in (self.app, self.bot):
            if one is not None:
                one.forget_incidents()
                one.close()
        self.connection.close()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def team(
    request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Team]:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WECOM_USERS", raising=False)
    urls = {"memory": "memory://", "sqlite": f"sqlite://{tmp_path}/alerts.db"}
    made = Team(sandbox, urls.get(request.param) or request.getfixturevalue("server").url)
    yield made
    made.close()


WAYS: dict[str, dict[str, Any]] = {
    "by name": {"users": ["张三"]},
    "by id": {"users": ["zhangsan"]},
    "by a rota of names": {"users": ["on-call:web"], "on_call": {"web": {"people": ["张三"], **TURN}}},
    "by a rota of ids": {"users": ["on-call:web"], "on_call": {"web": {"people": ["zhangsan"], **TURN}}},
    "by a route": {"users": ["wangwu"], "routes": [{"logger": "shop", "users": ["张三"]}]},
}


@pytest.mark.parametrize("way", WAYS)
def test_who_is_told_takes_it_with_the_words_of_the_message(team: Team, way: str) -> None:
    team.log(**WAYS[way])
    (asked,) = re.findall(r"回复机器人：(认领 \w+)", team.told("zhangsan"))
    assert team.say("lisi", asked).startswith(NO)  # whom nobody has told
    assert "张三" in team.say("zhangsan", asked)
    assert team.taken_by == "张三"


def test_who_is_told_by_a_step_takes_it_and_gives_it_to_who_was_told_before(team: Team) -> None:
    short_id = team.log(users=["张三"], escalation=[{"after": "1s", "users": ["李四"]}])
    (asked,) = re.findall(r"回复机器人：(认领 \w+)", team.told("lisi", "升级 1/1"))
    until(lambda: not team.say("lisi", asked).startswith(NO))  # the state has it by then
    assert team.taken_by == "李四"
    team.say("lisi", f"转给 张三 {short_id}")
    assert team.taken_by == "张三"
    assert team.say("wangwu", f"完成 {short_id}").startswith(NO)


def test_who_is_told_may_ask_what_is_open_and_who_is_on_call_also_in_a_group(team: Team) -> None:
    team.wecom.aibot.add_group("ops", ["zhangsan", "lisi"], written=True)
    short_id = team.log(users=["on-call:web"], on_call={"web": {"people": ["张三"], **TURN}})
    assert team.say("lisi", "列表").startswith(NO)
    assert f"#{short_id}" in team.say("zhangsan", "列表")
    assert "web：张三" in team.say("zhangsan", "值班")
    assert team.say("lisi", f"认领 {short_id}", "ops").startswith(NO)
    team.say("zhangsan", f"认领 {short_id}", "ops")
    assert team.taken_by == "张三"


@pytest.mark.parametrize(
    "who",
    [
        {"departments": [1]},
        {"users": ["@all"]},
        {"users": ["张三"], "departments": [1]},
        {"users": ["张三", *(f"u{number}" for number in range(100))]},
    ],
    ids=["department", "all", "both", "many"],
)
def test_where_it_is_not_known_who_is_told_no_message_asks_for_an_answer(team: Team, who: dict[str, Any]) -> None:
    team.log(**who)
    assert "回复机器人" not in team.told("zhangsan")


def test_a_step_names_each_person_once_and_none_whom_wecom_has_left_out(team: Team) -> None:
    steps = [{"after": "1s", "users": ["zhangsan", "李四"]}, {"after": "3s", "users": ["wangwu"]}]
    team.log(users=["张三", "nosuch"], escalation=steps)
    (first,) = re.findall("⏫ 升级 1/2：.*", team.told("lisi", "升级 1/2"))
    assert first.endswith("，已通知张三")
    (second,) = re.findall("⏫ 升级 2/2.*", team.told("wangwu", "升级 2/2"))
    assert second.endswith("，已通知张三、李四")


def test_who_gets_the_card_of_a_step_takes_it_for_the_app_too(team: Team) -> None:
    team.log(users=["张三"], by_card=True)
    (message,) = team.wecom.wait(channel="aibot", msgtype="template_card", receiver="lisi")
    key = next(one["key"] for one in message["cards"]["lisi"]["button_list"] if one["key"].startswith("take:"))
    team.wecom.wait(channel="aibot", receiver="sandbox-user", contains="⏫")  # then it is noted who was told
    team.wecom.aibot.click(message["task_id"], "lisi", key)
    until(lambda: team.taken_by == "李四")
    assert [one.taken_by for one in team.bot.incidents()] == ["李四"]


def test_several_ids_are_done_at_once_and_a_word_that_is_none_is_talk(team: Team) -> None:
    first = team.log(users=["张三"])
    assert team.app is not None
    log = logging.Logger("shop.disk")
    log.addHandler(team.app)
    log.error("no room")
    assert team.app.flush(10)
    (second,) = {one.short_id for one in team.app.incidents()} - {first}
    said = team.say("zhangsan", f"完成 {first} {second} test")
    assert [line[:5] for line in said.split("\n")] == [f"#{first}", f"#{second}"]
    until(lambda: team.app is not None and not team.app.incidents())
    assert "#k7f9" in team.say("zhangsan", f"完成 {first} k7f9")  # as it may be one that is mistyped


def test_an_id_that_is_named_again_is_done_once(team: Team) -> None:
    short_id = team.log(users=["张三"])
    said = team.say("zhangsan", f"完成 {short_id} {short_id} #{short_id}")
    assert said.count("\n") == 0


def test_who_begins_or_ends_a_maintenance_by_phone_tells_the_other_chats_of_the_bot(team: Team) -> None:
    team.log(users=["张三"])
    said = team.say("zhangsan", "维护 shop 2h 部署")
    assert said.endswith("（部署，由张三设置）；期间严重告警仍会发送")
    for text in (said, "shop 维护已结束"):
        if text != said:
            team.say("zhangsan", "撤销 shop")
        both = team.wecom.wait(2, channel="aibot", contains=text)
        assert sorted(who for one in both for who in one["receivers"]) == ["sandbox-user", "zhangsan"]


def test_why_there_is_a_maintenance_calls_nobody_and_is_no_link_in_any_chat(team: Team) -> None:
    team.log(users=["张三"])
    said = team.say("zhangsan", "维护 shop 2h <@all> [部署](http://a.example) **!**")
    (told,) = team.wecom.wait(channel="aibot", receiver="sandbox-user")
    assert told["content"] == said
    assert "（＜@all> [部署] (http://a.example) ∗∗!∗∗，由张三设置）" in said
