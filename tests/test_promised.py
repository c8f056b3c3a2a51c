"""What people are promised of an incident's end, its coming again, its taker and a job, over each kind of state.

Through handlers, a state's URL, the sandbox and the command line. The time of the machine is in the hand of a test.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComAIBotHandler, WeComHandler
from wecom_logging._cli import main
from wecom_logging._runtime.worker import living_workers
from wecom_logging._sandbox import Sandbox
from wecom_logging.handlers import AlertHandler
from wecom_logging.teams import expect

from .programs import until
from .valkey_server import Server

pytestmark = pytest.mark.slow
M = 60.0


class World:
    """Handlers over one state, people with phones, and time, which goes on when a test says so."""

    def __init__(self, wecom: Sandbox, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wecom, self.state = wecom, state
        self.handlers: list[AlertHandler] = []
        self._ahead_s = 0.0
        for name in ("time", "monotonic"):
            real = getattr(time, name)
            monkeypatch.setattr(time, name, lambda real=real: real() + self._ahead_s)

    def app(self, **options: Any) -> WeComHandler:
        given = {"users": ["zhangsan"], "language": "zh", "answers": "aibot", "timezone": "UTC", "rate_limit": None}
        made = WeComHandler(state=self.state, **{**given, **options})
        self.handlers.append(made)
        return made

    def bot(self, **options: Any) -> WeComAIBotHandler:
        """It hears what people say."""
        made = WeComAIBotHandler(chats=["lisi"], state=self.state, language="zh", timezone="UTC", **options)
        self.handlers.append(made)
        reception = made._reception()
        assert reception is not None
        reception.connection.start()
        self.wecom.aibot.wait_for_subscriber()
        return made

    def go(self, seconds: float, step_s: float = 10.0) -> None:
        """Let time pass, and all do what is due by then."""
        while seconds > 0:
            step = min(step_s, seconds)
            self._ahead_s += step
            seconds -= step
            for one in self.handlers:
                self._move_server(one)
            workers = [one for one in living_workers() if not one.closed]
            for worker in workers:
                worker.due_at = float("-inf")  # until it has made a turn
                worker.nudge()
            until(lambda workers=workers: all(one.due_at > time.monotonic() for one in workers))

    def _move_server(self, handler: AlertHandler) -> None:
        """A server's clock is its own: that of a state on one is moved in the state that this process has open."""
        if self.state.startswith("redis") and handler._pipeline is not None:
            handler._pipeline.options.shared._opened().offset_s = self._ahead_s

    def told(self, user: str = "") -> list[str]:
        """What the app has sent so far, to a person."""
        which = {"receiver": user} if user else {}
        return [str(one["content"]) for one in self.wecom.messages(channel="app", **which)]

    def cards(self, user: str = "lisi") -> list[str]:
        """The title of each card of the bot."""
        found = self.wecom.messages(channel="aibot", msgtype="template_card", receiver=user)
        return [str(one["cards"][user]["main_title"]) for one in found]

    def say(self, user: str, text: str) -> str:
        """What the bot answers to a person."""

        def answers() -> list[Any]:
            return self.wecom.messages(channel="aibot", msgtype="markdown", receiver=user)

        before = len(answers())
        self.wecom.aibot.say(user, user, text)
        until(lambda: len(answers()) > before)
        return str(answers()[before]["content"])

    def close(self) -> None:
        for one in self.handlers:
            one.forget_incidents()
            one.close()
            if isinstance(one, WeComAIBotHandler) and (reception := one._reception()) is not None:
                reception.connection.close()


def log_of(*handlers: logging.Handler) -> logging.Logger:
    log = logging.Logger("shop")
    for one in handlers:
        log.addHandler(one)
    return log


@pytest.fixture
def world(
    request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WECOM_USERS", raising=False)
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    for user_id, name in {"zhangsan": "张三", "lisi": "李四"}.items():
        sandbox.add_member(user_id, name=name, departments=[1])
        sandbox.aibot.say(user_id, user_id, "你好")
    scheme = request.param
    server = Server() if scheme == "redis" else None
    urls = {"memory": "memory://", "sqlite": f"sqlite://{tmp_path}/alerts.db"}
    state = urls.get(scheme) or (server.url if server is not None else "")
    monkeypatch.setenv("WECOM_STATE", state)
    made = World(sandbox, state, monkeypatch)
    yield made
    made.close()
    if server is not None:
        server.close()


def over(*schemes: str, red: str = "", why: str = "") -> Any:
    """A case for each kind of state; those of ``red`` are not so today, and ``why``."""
    mark = pytest.mark.xfail(strict=True, reason=why)
    cases = [pytest.param(name, marks=[mark] if name in red.split() else []) for name in schemes]
    return pytest.mark.parametrize("world", cases, indirect=True)


AGAIN = "what comes again after it was closed is told with the text of the record before"


def comes_again(world: World, later_s: float, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Which disk is shown where, of one that was closed and came again so much later with another."""
    app, bot = world.app(window=2), world.bot(window=2)
    log = log_of(app, bot)
    log.error("磁盘 %s 已满", "/data1")
    assert app.flush(20)
    assert bot.flush(20)
    (short_id,) = re.findall(r"认领 (\w+)", world.told()[0])
    world.go(2.0, 1.0)
    assert "关闭" in world.say("lisi", f"完成 {short_id}")
    world.go(later_s, 1.0)
    phone, cards = len(world.told()), len(world.cards())
    log.error("磁盘 %s 已满", "/data9")
    world.go(6.0, 1.0)
    capsys.readouterr()
    main(["incidents", "show", short_id])
    shown = {
        "phone": " ".join(world.told()[phone:]),
        "card": " ".join(world.cards()[cards:]),
        "details": world.say("lisi", f"详情 {short_id}"),
        "command line": capsys.readouterr().out,
    }
    if world.state == "memory://":  # no other process reads it
        del shown["command line"]
    return {where: " ".join(sorted({*re.findall("/data[0-9]", text)})) for where, text in shown.items()}


@over("memory", "sqlite", "redis", red="sqlite redis", why=AGAIN)
def test_what_comes_again_soon_after_it_was_closed_is_told_by_the_record_that_came(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    found = comes_again(world, 2.0, capsys)
    assert found == dict.fromkeys(found, "/data9")


@over("memory", "sqlite", "redis")
def test_what_comes_again_a_minute_after_it_was_closed_is_told_by_the_record_that_came(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    found = comes_again(world, 72.0, capsys)
    assert found == dict.fromkeys(found, "/data9")


TAKER = "who took an incident is told at the end of that only where its recipients name a rota"


@over("memory", "sqlite", "redis", red="sqlite redis", why=TAKER)
def test_who_took_an_incident_that_goes_on_is_told_at_the_end_of_that(world: World) -> None:
    app, _ = world.app(users=["zhangsan"]), world.bot()
    log = log_of(app)
    log.error("磁盘已满")
    assert app.flush(20)
    (short_id,) = re.findall(r"认领 (\w+)", world.told("zhangsan")[0])
    world.say("lisi", f"认领 {short_id}")
    assert app.incidents()[0].taken_by == "李四"
    before = len(world.told())
    for _ in range(16):
        log.error("磁盘已满")
        world.go(2 * M)
    at_the_end = [text for text in world.told()[before:] if not text.startswith("✋")]
    assert "李四" in at_the_end[0]  # all hear that he had it
    assert at_the_end[0] in world.told("lisi")


@over("memory", "sqlite", "redis")
def test_who_took_an_incident_of_a_rota_is_told_at_the_end_of_that(world: World) -> None:
    turn = {"people": ["zhangsan"], "since": "2026-11-30 10:00", "every": "1w"}
    app, _ = world.app(users=["on-call:web"], on_call={"web": turn}), world.bot()
    log = log_of(app)
    log.error("磁盘已满")
    assert app.flush(20)
    (short_id,) = re.findall(r"认领 (\w+)", world.told("zhangsan")[0])
    world.say("lisi", f"认领 {short_id}")
    for _ in range(16):
        log.error("磁盘已满")
        world.go(2 * M)
    assert any("李四" in text and not text.startswith("✋") for text in world.told("lisi"))


STEPS = "an incident that came often is over after ten quiet windows, whatever of its steps is due"


def goes_on_in_silence(world: World, number: int) -> list[str]:
    """Of so many records, after which none comes: when what began, by the minute."""
    steps = [{"after": "15m", "users": ["lisi"]}, {"after": "40m", "users": ["lisi"]}]
    app, _ = world.app(escalation=steps), world.bot()  # a way to take it
    log = log_of(app)
    for _ in range(number):
        log.critical("付款失败")
        world.go(3.0)
    found = list[str]()
    for minute in range(1, 121):
        before = len(world.told())
        world.go(M, 30.0)
        signs = [text.split("：")[0] if text[0] == "⏫" else text[0] for text in world.told()[before:]]
        found += [f"{minute // 5 * 5} {sign}" for sign in signs if sign == "✅" or "升级" in sign]
    return found


@over("memory", "sqlite", "redis", red="sqlite redis", why=STEPS)
def test_no_message_says_by_itself_that_what_came_often_is_over_while_its_steps_are_due(world: World) -> None:
    found = goes_on_in_silence(world, 20)
    assert found[:2] == ["15 ⏫ 升级 1/2", "40 ⏫ 升级 2/2（之后不再升级）"]
    assert [one.split()[1] for one in found[2:]] == ["✅"]


@over("memory", "sqlite", "redis")
def test_no_message_says_by_itself_that_what_came_seldom_is_over_while_its_steps_are_due(world: World) -> None:
    found = goes_on_in_silence(world, 2)
    assert found[:2] == ["15 ⏫ 升级 1/2", "40 ⏫ 升级 2/2（之后不再升级）"]
    assert [one.split()[1] for one in found[2:]] == ["✅"]


def restarts(world: World, away_s: float) -> list[str]:
    """What is told of a job that does not run, where the only program that watches is away when it is due."""
    due = datetime.fromtimestamp(time.time() + 10 * M, UTC).replace(second=0, microsecond=0)

    def begins() -> WeComHandler:
        made = world.app()
        expect("对账", cron=f"{due.minute} {due.hour} * * *", grace="20m", level="CRITICAL", handler=made)
        world.go(1.0)
        return made

    first = begins()
    world.go(due.timestamp() - time.time() - 2 * M, 2 * M)
    first.close()
    world.handlers.remove(first)
    world.go(away_s, away_s)
    begins()
    world.go(30 * M, 2 * M)
    return [text.split("\n")[0] for text in world.told("zhangsan")]


@over("sqlite", "redis")
def test_a_job_is_missed_though_nobody_watched_for_six_minutes_of_its_grace_of_twenty(world: World) -> None:
    (one,) = restarts(world, 6 * M)
    assert (one[0], "任务“对账”没有运行" in one) == ("🚨", True), one


@over("sqlite", "redis")
def test_a_job_is_missed_though_nobody_watched_for_four_minutes_of_its_grace_of_twenty(world: World) -> None:
    (one,) = restarts(world, 4 * M)
    assert (one[0], "任务“对账”没有运行" in one) == ("🚨", True), one
