"""值班: who is on call, asked in a chat."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging import WeComAIBotHandler
from wecom_logging import _build_aibot as build
from wecom_logging._answers.command import Command, read
from wecom_logging._answers.desk import Desk
from wecom_logging._build_aibot import _on_call
from wecom_logging._incidents.duty import duty_text
from wecom_logging._incidents.incident import Kept
from wecom_logging._incidents.known import Known
from wecom_logging._incidents.view import known
from wecom_logging._runtime.worker import living_workers
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.memory import MemoryStore
from wecom_logging._text.said import Reader
from wecom_logging.model import Recipients
from wecom_logging.model.duty import Duty, OnDuty, Rota

from ..incidents.test_life import opened
from ..programs import app_handler, until
from ..state.conftest import alert

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 12, 13, 2, 14, tzinfo=SHANGHAI).timestamp()
FOUND = [
    OnDuty("web", ("张三",), NOW + 86_400, ("李四", "王五")),
    OnDuty("it", ("a<b>",)),
    OnDuty("db", ()),
    OnDuty("ops", ("li",), NOW + 3600, (), "Wang"),
]


@pytest.mark.parametrize(
    "text",
    ["值班", "@机器人 值班", "谁在值班？", "谁值班", "值班表", "oncall", "on-call", "Duty", "值班吧", "谁在值班?"],
)
def test_it_is_understood(text: str) -> None:
    assert read(text) == Command("on-call")


@pytest.mark.parametrize("text", ["值班室着火了", "值班 k7f2 什么", "今天值班"])
def test_talk_is_no_command(text: str) -> None:
    assert read(text).verb in ("", "on-call")


def test_each_rota_has_a_line_in_which_no_name_can_act() -> None:
    for language, lines in (
        (
            "en",
            [
                "web: 张三 until 12-14 02:14, then 李四, 王五",
                "it: a＜b>",
                "nobody is on call by the rota db",
                "ops: li until 03:14",
            ],
        ),
        ("zh", ["web：张三，至 12-14 02:14，之后李四、王五", "it：a＜b>", "值班表 db 无人值班", "ops：li，至 03:14"]),
    ):
        desk = Desk(list, language=Reader(language, SHANGHAI), time_s=lambda: NOW, on_call=lambda: FOUND)
        reply = desk.do(Command("on-call"), "Li", "chat")
        assert (reply.why, reply.text.split("\n")) == ("", lines)


def test_without_a_rota_it_says_so_and_help_does_not_name_it() -> None:
    assert Desk(list, language="zh").do(Command("on-call"), "Li", "chat").text == "没有配置值班表"
    assert "值班" not in Desk(list, language="zh").do(Command("help"), "Li", "chat").text
    assert "值班：谁在值班" in Desk(list, language="zh", on_call=lambda: FOUND).do(Command("help"), "Li", "chat").text


def test_the_rotas_of_all_handlers_of_the_process(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    since = {"since": "2026-12-07 10:00", "every": "1w"}
    options: dict[str, Any] = {"timezone": "Asia/Shanghai", "on_call": {"web": {"people": ["张三"], **since}}}
    handlers = [app_handler(sandbox.url, **options), app_handler(sandbox.url), app_handler(sandbox.url, **options)]
    workers = [one for one in living_workers() if one.job in [handler._pipeline for handler in handlers]]
    monkeypatch.setattr(build, "living_workers", lambda: workers)  # not those of other tests
    assert [(one.rota, one.people, one.then) for one in _on_call()] == [("web", ("张三",), ("张三",))]
    for one in handlers:
        one.close()


def test_an_incident_may_be_given_to_whoever_is_in_its_rota_or_on_call_by_it() -> None:
    rota = Rota("web", (("zhang",), ("li", "wang")), "2026-12-07 10:00", days=7)
    recipients = Recipients(("boss", "on-call:web"))
    named = replace(
        opened(now=0.0),
        first=Kept(replace(alert(), recipients=recipients)),
        duty=duty_text(Duty(zone="Asia/Shanghai", rotas=(rota,))),
    )
    memory = MemoryStore(lambda *_: iter(()), 9, 10**6)
    assert memory.begin("app", named, 0.0)
    (row,) = memory.open("app", 1)

    class Place:
        def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Known]]:
            return [("app", known(replace(row, short_id="k7f2")))]

    places: Any = [Place()]
    desk = Desk(lambda: places, on_call=lambda: [OnDuty("web", ("zhao",)), OnDuty("db", ("qian",))])
    assert sorted(desk.recipients("k7f2")) == ["boss", "li", "wang", "zhang", "zhao"]


def test_a_person_asks_the_bot(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    since = {"since": "2026-12-07 10:00", "every": "1w"}
    rotas = {"web": {"people": ["张三"], **since}}
    app = app_handler(sandbox.url, timezone="Asia/Shanghai", on_call=rotas, language="zh")
    bot = WeComAIBotHandler(chats=["sandbox-user"], language="zh")
    log = logging.Logger("shop")
    log.addHandler(bot)
    log.error("hello")
    assert bot.flush(30)
    assert sandbox.aibot.say("sandbox-user", "sandbox-user", "值班")
    until(lambda: any("web：张三，至" in str(one) for one in sandbox.messages(channel="aibot")))
    reception = bot._reception()
    bot.close()
    app.close()
    assert reception is not None
    reception.connection.close()
