"""A maintenance: a service or a logger is quiet until its end, which comes by itself; then what it held is told."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComHandler
from wecom_logging._answers.command import Command, read
from wecom_logging._answers.desk import Desk
from wecom_logging._answers.shared_place import SharedPlace
from wecom_logging._incidents import life
from wecom_logging._incidents.scopes import begun, is_a_scope
from wecom_logging._masking.redact import masker, redact
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import scopes
from wecom_logging._state.scopes import known_scopes
from wecom_logging._state.standing import MOST as MAX_SCOPES
from wecom_logging.errors import ConfigurationError
from wecom_logging.model.duty import Scope
from wecom_logging.teams import maintenance

from ..incidents.test_life import opened
from ..logged import CANARY
from ..programs import app_handler, until
from ..storms import CLOCK, record, turn
from .conftest import Office
from .test_aibot import run_cli

over_a_state = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
"""A case of `tests/cases/answers.txt` holds it in memory."""


@pytest.fixture
def office(desk: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Its time is that of the wall, too."""
    with monkeypatch.context() as patch:
        patch.setattr("time.time", desk.time_s)
        patch.setattr("time.monotonic", desk.clock)
        yield desk


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("静默 Shop.pay 30m", Command("quiet", length_s=1800.0, scope="Shop.pay")),
        ("静默 shop.pay 30m 部署 v2", Command("quiet", length_s=1800.0, scope="shop.pay", reason="部署 v2")),
        ("quiet shop.pay for 2 hours deploy", Command("quiet", length_s=7200.0, scope="shop.pay", reason="deploy")),
        ("静默 服务 payments 30分钟", Command("quiet", length_s=1800.0, scope="payments")),
        ("mute service web 1h", Command("quiet", length_s=3600.0, scope="web")),
        ("撤销 shop.pay", Command("undo", scope="shop.pay")),
        ("静默 shop.pay", Command("quiet", scope="shop.pay", why="length")),
        ("静默 k7f2 1.5h", Command("quiet", "k7f2", 5400.0)),
        ("静默 k7f2 30m", Command("quiet", "k7f2", 1800.0)),
        ("静默 payments 30m", Command("quiet", "payments", 1800.0)),  # may be an id
        ("维护 payments 30m", Command("quiet", length_s=1800.0, scope="payments")),
        ("维护 订单 2小时 部署", Command("quiet", length_s=7200.0, scope="订单", reason="部署")),
        ("维护 服务 Web 1h", Command("quiet", length_s=3600.0, scope="Web")),
        ("maintenance web 1h", Command("quiet", length_s=3600.0, scope="web")),
        ("维护 shop.pay", Command("quiet", scope="shop.pay", why="length")),
        ("维护", Command("quiet", why="scope")),
        ("结束维护 payments", Command("undo", scope="payments")),
    ],
)
def test_a_name_with_a_dot_or_after_a_word_that_says_so_is_no_id(text: str, expected: Command) -> None:
    assert read(text) == expected


@over_a_state
def test_q8_what_was_told_before_has_no_further_message_inside_and_one_at_the_end(office: Office) -> None:
    office.log()
    office.go_on()
    reply = office.type("静默 服务 shop 10m 部署")
    assert reply.why == ""
    assert reply.said.en.startswith("maintenance of shop until ")
    assert re.fullmatch(rf"shop 维护至 {CLOCK}（部署，由 Li 设置）；期间严重告警仍会发送", reply.said.zh)
    assert reply.said.en.endswith(", by Li; CRITICAL alerts are sent nevertheless")
    office.log(30)
    assert office.go_on(500) == []
    assert office.type("list").text.startswith("maintenance of shop until ")
    (told,) = office.go_on(200)
    assert "× 30" in told
    assert "maintenance shop (部署) " in told
    assert not office.type("list").text.startswith("maintenance")
    office.assert_balance()


@pytest.mark.parametrize(
    ("text", "says", "send"),
    [
        ("静默 shop 20h", "#shop ", "静默 服务 shop 20h"),
        ("静默 shop 2d", "#shop ", "静默 服务 shop 24h"),
        ("静默 web 2 天 部署", "请写编号", "静默 服务 web 24h 部署"),
        ("静默 web 2h 部署", "请写编号", "静默 服务 web 2h 部署"),
        ("静默 订单 30 分钟", "请写编号", "静默 服务 订单 30 分钟"),
        ("撤销 payments", "#payments ", "撤销 服务 payments"),
        ("维护 payments", "多久", "静默 服务 payments 1h"),
        ("维护", "哪个服务或模块", "静默 服务 shop 1h"),
    ],
)
def test_a_name_that_is_no_id_is_answered_as_typed_with_what_to_send_for_a_service(
    office: Office, text: str, says: str, send: str
) -> None:
    office.log()
    office.go_on()
    reply = office.type(text)
    assert reply.why
    assert says in reply.said.zh
    assert send in reply.said.zh
    if text.startswith("静默"):
        assert office.type(send).why == ""
    assert "服务" not in office.type("静默 k7f9 2h").said.zh  # as ids mostly are


@over_a_state
def test_q9_it_ends_by_itself_though_all_who_knew_of_it_are_gone(office: Office) -> None:
    office.type("quiet service shop 10m")
    office.log()
    assert office.go_on(590) == []
    (told,) = office.go_on(30)
    assert told
    office.assert_balance()


@over_a_state
def test_a_person_ends_it_before_its_time(office: Office) -> None:
    office.type("quiet service shop 10m")
    office.log()
    assert office.go_on(60) == []
    assert office.type("undo service shop").text == "the maintenance of shop is over"
    (told,) = office.go_on(20)
    assert told
    assert office.type("undo service shop").why == "unknown"


@pytest.mark.parametrize(
    ("word", "name"), [("撤销", "shop"), ("恢复", "订单"), ("undo", "web-2"), ("取消静默", "shop")]
)
def test_the_word_that_undoes_ends_a_maintenance_by_its_name_alone(office: Office, word: str, name: str) -> None:
    office.type(f"维护 {name} 30m")
    assert name in office.type("list").text
    asked = office.type(word).said
    assert f"undo {name}" in asked.en
    assert f"撤销 {name}" in asked.zh
    reply = office.type(f"{word} {name}")
    assert (reply.why, reply.said.en) == ("", f"the maintenance of {name} is over")
    assert re.fullmatch(f"{name} ?维护已结束", reply.said.zh)
    assert "maintenance" not in office.type("list").text
    assert office.type(f"{word} {name}").why


@over_a_state
def test_an_incident_comes_before_a_maintenance_whose_name_is_its_id(office: Office) -> None:
    office.log()
    office.go_on()
    office.type(f"take {office.name}")
    office.type(f"quiet service {office.name} 30m")
    assert office.type(f"undo {office.name}").text.startswith(f"#{office.name} ")
    assert "maintenance" in office.type("list").text


def test_what_is_held_by_a_process_that_has_not_heard_of_its_end_is_told_when_it_has(office: Office) -> None:
    job = office.jobs[-1]
    office.type("quiet service shop 10m")
    job.collector.take(record("before the end", line=1))
    turn(job)
    office.type("undo service shop")
    job.collector.take(record("after the end", line=2))
    turn(job)
    told = "".join(office.go_on(20))
    assert "before the end" in told
    assert "after the end" in told


@over_a_state
def test_a_person_makes_it_shorter_which_holds_for_what_waits_already(office: Office) -> None:
    office.type("quiet service shop 2h")
    office.log()
    assert office.go_on(60) == []
    office.type("quiet service shop 10m")
    assert office.go_on(590) == []
    (told,) = office.go_on(30)
    assert told
    office.assert_balance()


@over_a_state
@pytest.mark.parametrize("said", ["quiet {} 2h", "take {}"])
def test_what_a_person_has_said_for_a_time_ends_by_the_wall_where_the_machine_has_slept(
    office: Office, said: str
) -> None:
    office.log()
    office.go_on()
    assert office.type(said.format(office.name)).why == ""
    office.go_on(60)
    office.log(3)
    assert office.go_on(600) == []
    office._began += 7200
    office.log()
    (told,) = office.go_on(60)
    assert "× 4" in told
    office.assert_balance()


@over_a_state
@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_a_silence_lasts_no_longer_where_the_clock_on_the_wall_is_set(office: Office, ahead_s: int) -> None:
    office.log()
    office.go_on()
    assert office.type(f"quiet {office.name} 2h").why == ""
    office.go_on(60)
    office.log(3)
    assert office.go_on(60) == []
    office._began += ahead_s
    assert office.go_on(3400 if ahead_s > 0 else 7000) == []
    (told,) = office.go_on(300)
    assert "× 3" in told


def test_of_two_of_one_name_the_longer_one_holds_wherever_it_stands() -> None:
    """A block begins its own beside those of others; what waits for the longer one stays as it is."""
    held = life.quietened(opened(now=0.0), 7200.0, time=1.0, by="shop")
    short, long = (Scope("shop", 0.0, length_s) for length_s in (600.0, 7200.0))
    for both in ((short, long), (long, short)):
        assert scopes.woken([held], both, 0.0, 0.0) == []
    assert [one.before for one in scopes.woken([held], (short,), 0.0, 0.0)] == [held]


def test_critical_goes_through_and_a_scope_of_all_is_refused(office: Office) -> None:
    assert office.type("quiet service all 10m").why == "scope"
    assert office.type("quiet service shop 25h").why == "limit"
    assert is_a_scope("shop")
    assert not is_a_scope("root")
    many = tuple(Scope(f"a{number}", 0, 1) for number in range(MAX_SCOPES))
    assert len(begun(many, Scope("a1", 0, 2))) == MAX_SCOPES
    critical = Command("quiet", length_s=600.0, scope="shop", critical=True)
    assert office.desk.do(critical, "Li", "chat ops").why == ""
    too_long = Command("quiet", length_s=3601.0, scope="shop", critical=True)
    assert office.desk.do(too_long, "Li", "chat ops").why == "limit"


def test_what_is_critical_is_told_where_a_maintenance_of_its_name_holds_it_no_more(office: Office) -> None:
    critical = Command("quiet", length_s=600.0, scope="shop", critical=True)
    assert office.desk.do(critical, "Li", "chat ops").why == ""
    office.log()
    office.log(text="no power", level=logging.CRITICAL)
    assert office.go_on(60) == []
    assert office.type("quiet service shop 10m").why == ""
    (told,) = office.go_on(30)
    assert "no power" in told
    assert office.go_on(540) == []
    (told,) = office.go_on(60)
    assert "disk full" in told
    office.assert_balance()


@pytest.mark.parametrize("desk", ["memory"], indirect=True)
def test_a_reason_that_was_given_elsewhere_shows_no_secret_in_a_list(office: Office) -> None:
    place, end = office.jobs[0].place, office.time_s() + 60
    place.scopes(lambda found: begun(found, Scope("shop.a", 0, end, f"token={CANARY}", f"Li password={CANARY}")))
    desk = Desk(lambda: [place], mask=masker([], redact), time_s=office.time_s)
    found = desk.do(Command("list"), "Li", "chat ops").text
    assert found.startswith("maintenance of shop.a until ")
    assert CANARY not in found


@pytest.mark.parametrize("desk", ["memory"], indirect=True)
def test_a_reason_that_was_given_elsewhere_shows_no_secret_in_the_message_at_the_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._masking.redact._remembered", (CANARY,))
    place, end = office.jobs[0].place, office.time_s() + 60
    place.scopes(lambda found: begun(found, Scope("shop", 0, end, f"v2 {CANARY}", "Li")))
    office.log()
    assert office.go_on(50) == []
    (told,) = office.go_on(30)
    assert "maintenance shop (v2 " in told
    assert CANARY not in told


def test_the_command_begins_lists_and_ends_one(tmp_path: Any) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    why = ("--why", f"deploy token={CANARY}")
    begin = run_cli("--state", state, "incidents", "quiet", "--scope", "shop.pay", "30m", "--as", "Li", *why)
    assert json.loads(begin)["said"].startswith("maintenance of shop.pay until ")
    assert "(deploy " in json.loads(begin)["said"]
    assert CANARY not in begin  # nor in the file
    end = run_cli("--state", state, "incidents", "undo", "--scope", "shop.pay", "--as", "Li")
    assert json.loads(end)["said"] == "the maintenance of shop.pay is over"


def test_a_block_holds_what_it_logs_and_what_it_held_is_told_after_it(sandbox: Sandbox) -> None:
    handler = app_handler(sandbox.url, rate_limit=None)
    shop = logging.getLogger("maintained.shop")
    shop.addHandler(handler)
    try:
        with maintenance("maintained", "30m", why="deploy"):
            shop.error("inside")
            assert handler.flush(10)
            assert handler.stats().pending == 1
            shop.critical("passes")
            assert handler.flush(10)
            assert [one["content"].split("\n")[0] for one in sandbox.messages()] == [
                "🚨 CRITICAL maintained.shop: passes"
            ]
        sandbox.wait(2, contains="")
        assert "inside" in sandbox.messages()[-1]["content"]
    finally:
        handler.close()


def told_of(sandbox: Sandbox, handler: WeComHandler, text: str) -> bool:
    handler.handle(logging.LogRecord("shop.pay", logging.ERROR, "/srv/pay.py", len(text), text, None, None, text))
    assert handler.flush(10)
    return any(text in message["content"] for message in sandbox.messages())


def test_the_end_of_a_block_ends_no_other_block_and_no_maintenance_of_a_person(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    handler = app_handler(sandbox.url, state=f"sqlite:///{tmp_path}/alerts.db")
    assert handler._pipeline is not None
    shared = handler._pipeline.options.shared
    with maintenance("shop.pay", "5m"):
        with maintenance("shop.pay", "1m", why=f"token={CANARY}"):  # which does not stand in the file
            pass
        assert not told_of(sandbox, handler, "inside")
        now = shared.time_s()
        SharedPlace(shared).scopes(lambda found: begun(found, Scope("shop.pay", now, now + 3600, "deploy", "Li")))
        with maintenance("shop.pay", "1m"):
            pass
    assert not told_of(sandbox, handler, "still quiet")
    (left,) = known_scopes(shared)
    assert (left.who, left.why) == ("Li", "deploy")
    handler.close()


def test_a_block_holds_from_its_beginning_on_the_clock_of_each_state(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._runtime.clock._ahead_s", 3600.0)  # this host's clock, and not that of the state
    handler = app_handler(sandbox.url, state=f"sqlite:///{tmp_path}/alerts.db")
    with maintenance("shop.pay", "5m"):
        assert not told_of(sandbox, handler, "inside")
    handler.close()


def test_where_the_state_is_away_a_block_holds_in_its_process(sandbox: Sandbox, tmp_path: Path) -> None:
    handler = app_handler(sandbox.url, state=f"sqlite:///{tmp_path}/alerts.db")
    assert handler._pipeline is not None
    worker = handler._pipeline._worker
    until(lambda: not worker.joined or worker.due_at > time.monotonic())  # what it asks the state now would be answered
    handler._pipeline.options.shared._back_off_until = float("inf")
    handler._pipeline.options.shared._problem = "away"
    with maintenance("shop.pay", "5m"):
        assert not told_of(sandbox, handler, "inside")
    assert told_of(sandbox, handler, "outside")
    handler.close()


@pytest.mark.parametrize(
    ("scope", "length", "more", "field"),
    [
        ("", "1h", {}, "scope"),
        ("root", "1h", {}, "scope"),
        ("shop.*", "1h", {}, "scope"),
        ("shop", "25h", {}, "length"),
        ("shop", "2h", {"critical": True}, "length"),
        ("shop", "soon", {}, "length"),
        ("shop", "1800", {}, "length"),
    ],
)
def test_what_is_wrong_with_a_block_is_said_where_it_begins(scope: str, length: str, more: Any, field: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{field}"), maintenance(scope, length, **more):
        pass
