"""Jobs in a chat: 任务 lists them, and the card of one that did not come has a button that ends the waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wecom_logging._answers.command import Command, read
from wecom_logging._answers.desk import Desk
from wecom_logging._jobs import declared as declared_here
from wecom_logging._sandbox import Sandbox
from wecom_logging.teams import expect

from ..programs import until
from ..test_expect import Service, soon
from .test_aibot import ME, card_of, log_to, make, press, state, wecom, words

__all__ = ["make", "state", "wecom"]


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    declared_here.declared.clear()
    declared_here.newest.clear()


@pytest.mark.parametrize("text", ["任务", "@机器人 任务", "jobs", "任务列表", "Jobs"])
def test_it_is_understood(text: str) -> None:
    assert read(text) == Command("jobs")


@pytest.mark.parametrize("text", ["不再等它 k7f2", "forget k7f2", "k7f2 不再等", "不再等它k7f2"])
def test_the_end_of_waiting_is_understood(text: str) -> None:
    assert read(text) == Command("forget", "k7f2")


def test_without_a_job_it_says_so() -> None:
    desk = Desk(list, language="zh")
    assert desk.do(Command("jobs"), "Li", "chat").text == "没有已声明的任务"
    assert "任务" not in desk.do(Command("help"), "Li", "chat").text


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_job_is_listed_and_forgotten_by_its_card(wecom: Sandbox, make: Any, state: str, language: str) -> None:
    handler = make(state=state, language=language, timezone="Asia/Shanghai", service="shop")
    service = Service(handler, wecom)
    service.at("2026-11-29T12:30")
    job = expect("对账", cron="0 * * * *", grace="20m")
    assert soon(lambda: service.jobs.find("对账") is not None)
    service.until("2026-11-29T13:00")
    with job:
        pass
    service.until("2026-11-29T14:22")
    until(lambda: wecom.messages(channel="aibot", msgtype="template_card"))
    shown = [one["text"] for one in card_of(wecom)["cards"][ME]["button_list"]]
    forget = {"en": "Forget it", "zh": "不再等它"}[language]
    assert shown[-1] == forget
    wecom.aibot.say(ME, ME, {"en": "jobs", "zh": "任务"}[language])
    until(lambda: words(wecom))
    (line,) = words(wecom)
    missed, following = {"en": ("missed 1", "overdue since "), "zh": ("错过 1 次", "已逾期")}[language]
    assert line.startswith("对账 · 0 ")
    assert missed in line
    assert following in line
    wecom.aibot.say(ME, ME, "help")
    until(lambda: {"en": "\njobs – ", "zh": "\n任务："}[language] in words(wecom)[-1])
    press(wecom, "forget")
    until(lambda: service.jobs.find("对账") is None)
    until(lambda: "沙箱用户" in str(card_of(wecom)["cards"][ME]))
    assert "forget" not in str(card_of(wecom)["cards"][ME]["button_list"])
    assert {"en": "did not run", "zh": "没有运行"}[language] in str(card_of(wecom)["cards"][ME])
    until(lambda: {"en": "对账 is expected no more", "zh": "不再等待任务“对账”"}[language] in words(wecom)[-1])
    assert {"en": "沙箱用户 stopped watching job 对账", "zh": "停止监视任务“对账”"}[language] in words(wecom)[-1]
    assert {"en": "unwatched ", "zh": "停止监视"}[language] in str(card_of(wecom)["cards"][ME]["main_title"])
    service.until("2026-11-29T17:00")
    assert len(wecom.messages(channel="aibot", msgtype="template_card")) == 1
    wecom.aibot.say(ME, ME, {"en": "jobs", "zh": "任务"}[language])
    until(lambda: {"en": "no job is expected", "zh": "没有已声明的任务"}[language] in words(wecom)[-1])
    press(wecom, "undo")
    until(lambda: service.jobs.find("对账") is not None)
    until(lambda: {"en": "对账 is expected again", "zh": "任务“对账”恢复监视"}[language] in words(wecom)[-1])
    assert {"en": "沙箱用户 watches job 对账 again", "zh": "恢复监视任务“对账”"}[language] in words(wecom)[-1]
    service.until("2026-11-29T17:30")
    with job:
        service.until("2026-11-29T17:35")
    until(lambda: {"en": " ran again 11-29 17:30", "zh": " 11-29 17:30 已再次运行"}[language] in words(wecom)[-1])


def test_an_alert_that_is_no_job_has_no_such_button_and_is_not_forgotten(wecom: Sandbox, make: Any) -> None:
    handler = make()
    log_to(handler).error("the disk is full", extra={"wecom": {"fingerprint": "job 对账"}})
    assert handler.flush(10)
    message = card_of(wecom)
    assert [one["key"].split(":")[0] for one in message["cards"][ME]["button_list"]] == ["take", "quiet", "details"]
    (incident,) = handler.incidents()
    desk = Desk(lambda: [handler._pipeline.place], language="zh")
    reply = desk.do(Command("forget", incident.short_id), "Li", "chat")
    assert (reply.why, reply.text) == ("job", f"#{incident.short_id} 不是任务告警")
