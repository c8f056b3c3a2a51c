"""On call: the option and what is wrong with it; who gets a message, worked out when it goes; never silence."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging import WeComHandler
from wecom_logging._config import on_call as of_on_call
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._duty import people
from wecom_logging._incidents.duty import duty_text
from wecom_logging._incidents.entries import Opened
from wecom_logging._incidents.limits import TAKE_FOR_S
from wecom_logging._runtime import functions
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.shared import Shared
from wecom_logging.errors import ConfigurationError, InvalidRecipientError, MessageError, ServerBusyError
from wecom_logging.model import Answer, Outcome, Recipients, Route
from wecom_logging.model.alert import DONE, TAKEN
from wecom_logging.model.duty import Duty, Rota, Step

from .logged import CANARY
from .programs import app_handler, run, until
from .state.conftest import alert
from .state.test_one_cause import Time
from .storms import BOT_RULES, Recorder, pass_time, pipeline, record, turn

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEB: dict[str, Any] = {"people": ["张三", ["李四", "王五"]], "since": "2026-12-07 10:00", "every": "1w"}


# The option.


def test_what_the_option_says_is_a_rota() -> None:
    value = {
        "web": WEB,
        "db": {"people": "zhangsan", "since": datetime(2026, 12, 7, 10), "every": "3d"},
        "ops": {"people": ["a", "b,c"], "since": "2026-12-07T10:00", "every": "12h"},
        "it": {"who": "shop.duty:on_call"},
    }
    value["db"] = {**value["db"], "people": ["zhangsan"]}
    assert of_on_call.rotas(value, SHANGHAI) == (
        Rota("web", (("张三",), ("李四", "王五")), "2026-12-07 10:00", days=7),
        Rota("db", (("zhangsan",),), "2026-12-07 10:00", days=3),
        Rota("ops", (("a",), ("b", "c")), "2026-12-07 10:00", hours=12),
        Rota("it", who="shop.duty:on_call"),
    )
    assert of_on_call.rotas(None, None) == of_on_call.rotas({}, None) == ()


@pytest.mark.parametrize(
    ("value", "field", "code"),
    [
        (["web"], "on_call", "not_a_mapping"),
        ({"web": ["zhangsan"]}, "on_call.web", "not_a_mapping"),
        ({"a:b": WEB}, "on_call", "not_a_rota_name"),
        ({" web": WEB}, "on_call", "not_a_rota_name"),
        ({7: WEB}, "on_call", "not_a_string"),
        ({"web": {}}, "on_call.web.people", "missing"),
        ({"web": {**WEB, "every": None}}, "on_call.web.every", "missing"),
        ({"web": {**WEB, "zone": "UTC"}}, "on_call.web", "unknown_name"),
        ({"web": {**WEB, "who": "a:b"}}, "on_call.web", "unknown_name"),
        ({"web": {"who": "a:b", "every": "1w"}}, "on_call.web", "unknown_name"),
        ({"web": {**WEB, "people": []}}, "on_call.web.people", "nobody_on_call"),
        ({"web": {**WEB, "people": ["a", []]}}, "on_call.web.people[1]", "nobody_on_call"),
        ({"web": {**WEB, "people": ["a", " "]}}, "on_call.web.people[1]", "nobody_on_call"),
        ({"web": {**WEB, "people": "a"}}, "on_call.web.people", "not_a_list"),
        ({"web": {**WEB, "people": ["a<b"]}}, "on_call.web.people[0]", "bad_id"),
        ({"web": {**WEB, "people": ["@all"]}}, "on_call.web.people[0]", "no_person"),
        ({"web": {**WEB, "people": ["on-call:db"]}}, "on_call.web.people[0]", "no_person"),
        ({"web": {**WEB, "since": "2026-12-07"}}, "on_call.web.since", "not_a_wall_time"),
        ({"web": {**WEB, "since": "2026-13-07 10:00"}}, "on_call.web.since", "not_a_wall_time"),
        ({"web": {**WEB, "since": "0001-01-01 10:00"}}, "on_call.web.since", "not_a_wall_time"),
        ({"web": {**WEB, "since": datetime(2026, 1, 1, tzinfo=UTC)}}, "on_call.web.since", "not_a_wall_time"),
        ({"web": {**WEB, "every": "0d"}}, "on_call.web.every", "not_a_turn"),
        ({"web": {**WEB, "every": "-1w"}}, "on_call.web.every", "not_a_turn"),
        ({"web": {**WEB, "every": 7}}, "on_call.web.every", "not_a_turn"),
        ({"web": {**WEB, "every": "1m"}}, "on_call.web.every", "not_a_turn"),
        ({"web": {"who": "duty"}}, "on_call.web.who", "not_a_function_name"),
        ({"web": {"who": len}}, "on_call.web.who", "not_a_string"),
    ],
    ids=str,
)
def test_r3_what_is_wrong_is_named_with_its_field(value: Any, field: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        of_on_call.rotas(value, SHANGHAI)
    assert (raised.value.field, raised.value.code) == (field, code)


def test_r1_hours_are_refused_where_the_clock_is_changed_and_a_zone_is_needed() -> None:
    value = {"web": {**WEB, "every": "24h"}}
    assert of_on_call.rotas(value, SHANGHAI)[0].hours == 24
    for name in ("Europe/Berlin", "Australia/Lord_Howe"):
        with pytest.raises(ConfigurationError, match=f"{name} has daylight saving time") as raised:
            of_on_call.rotas(value, ZoneInfo(name))
        assert raised.value.field == "on_call.web.every"
    with pytest.raises(ConfigurationError, match="timezone: not set"):
        of_on_call.rotas({"web": WEB}, None)


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ({"users": ["on-call:db"]}, "users", "unknown_rota"),
        (
            {"routes": [{"users": ["li"]}, {"logger": "shop", "users": ["on-call:db"]}]},
            "routes[1].users",
            "unknown_rota",
        ),
        ({"users": ["on-call:it"]}, "users", "only_on_call"),
        ({"users": ["on-call:it", "on-call:night"]}, "users", "only_on_call"),
        ({"on_call": None, "users": ["on-call:web"]}, "users", "unknown_rota"),
        ({"timezone": None}, "timezone", "missing"),
    ],
    ids=str,
)
def test_r3_a_rota_that_is_not_there_or_names_nobody_is_an_error_when_the_handler_is_built(
    options: dict[str, Any], field: str, code: str
) -> None:
    rotas = {"web": WEB, "it": {"who": "a:b"}, "night": {"who": "a:c"}}
    with pytest.raises(ConfigurationError) as raised:
        handler(**{"users": ["on-call:web"], "timezone": "Asia/Shanghai", "on_call": rotas, **options})
    assert (raised.value.field, raised.value.code) == (field, code)
    assert raised.value.remedy


@pytest.mark.parametrize("users", [["on-call:web"], ["on-call:it", "on-call:web"], ["on-call:it", "zhangsan"]])
def test_a_handler_with_a_rota_is_built_where_somebody_is_always_told(users: list[str]) -> None:
    handler(users=users, timezone="Asia/Shanghai", on_call={"web": WEB, "it": {"who": "a:b"}}).close()


def test_a_file_may_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "duty.toml"
    file.write_text(
        'timezone = "Asia/Shanghai"\n[on_call.web]\npeople = ["zhangsan", ["lisi", "wangwu"]]\n'
        'since = 2026-12-07 10:00:00\nevery = "1w"\n'
    )
    monkeypatch.setenv("WECOM_DUTY", str(file))
    handler(users=["on-call:web"]).close()
    with pytest.raises(ConfigurationError, match="no rota 'db'; there are: on-call:web"):
        handler(users=["on-call:db"])


def handler(url: str = "http://127.0.0.1:1", **options: Any) -> logging.Handler:
    return WeComHandler(corp_id="wwsandbox", agent_id=1000002, secret="sandbox-app-secret", api_base=url, **options)


# Who gets it.


class App(Recorder):
    """One whose own recipients are on call, and whose WeCom knows some persons."""

    own = Recipients(("on-call:web",))
    knows: Callable[[Recipients], bool] = staticmethod(lambda recipients: True)

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or self.own

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        return self.addressed(recipients).users

    def deliver(self, message: Any, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        if not self.knows(self.addressed(recipients)):
            raise MessageError("no recipient is left")
        return super().deliver(message, recipients, before_try)

    @property
    def users(self) -> list[tuple[str, ...]]:
        return [one.recipients.users for one in self.told if one.recipients is not None]


class Wall:
    """What the wall shows: the one clock."""

    def __init__(self, clock: Time) -> None:
        self.clock = clock

    def set(self, text: str) -> None:
        self.clock.now = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()

    def __call__(self, _: object = None) -> float:
        return self.clock.now


@pytest.fixture
def clock() -> Time:
    return Time(1_000_000.0)


@pytest.fixture
def app(clock: Time) -> App:
    return App(clock)


@pytest.fixture
def wall(clock: Time, monkeypatch: pytest.MonkeyPatch) -> Wall:
    made = Wall(clock)
    monkeypatch.setattr(Shared, "time_s", made)
    monkeypatch.setattr(functions, "given", {ASKED.who})
    made.set("2026-12-13 09:00")
    return made


ROTA = Rota("web", (("zhangsan",), ("lisi", "wangwu")), "2026-12-07 10:00", days=7)
ASKED = Rota("it", who="duty_of_the_tests:who")


def duty(*rotas: Rota) -> str:
    return duty_text(Duty(zone="Asia/Shanghai", rotas=rotas or (ROTA, ASKED)))


def test_e7_who_is_on_call_gets_it_and_a_hand_over_in_the_middle_is_seen(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty())
    wall.set("2026-12-14 09:59")
    storm.collector.take(record("disk full"))
    turn(storm)
    assert app.users == [("zhangsan",)]
    pass_time(storm, clock, 90)  # past ten: a hand-over alone sends nothing
    assert app.users == [("zhangsan",)]
    storm.collector.take(record("disk full"))
    pass_time(storm, clock, 90)
    assert app.users == [("zhangsan",), ("lisi", "wangwu")]
    assert len(storm.incidents()) == 1  # for both
    assert len({one.text.split("#")[1][:4] for one in app.told if "#" in one.text}) == 1


def test_e7_who_was_told_before_a_hand_over_hears_that_it_is_over(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty())
    wall.set("2026-12-14 09:58")
    for _ in range(2):
        storm.collector.take(record("disk full"))
        storm.collector.take(record("no stock", line=7))
        pass_time(storm, clock, 1)
    turn(storm)
    assert app.users == [("zhangsan",)] * 2
    pass_time(storm, clock, 200)
    before = len(app.told)
    storm.collector.take(record("disk full"))  # what goes on is told to who is on call
    storm.collector.take(record("no power", line=8))
    storm.collector.take(record("no power", line=8))
    pass_time(storm, clock, 90)
    assert {one.recipients.users for one in app.told[before:] if one.recipients} == {("lisi", "wangwu")}
    before = len(app.told)
    pass_time(storm, clock, 3600)
    closing = {line: one.recipients.users for one in app.told[before:] for line in one.text.split("\n") if "✅" in line}
    assert len(closing) == 3
    heard = {text: next(to for line, to in closing.items() if text in line) for text in ("full", "stock", "power")}
    assert heard["full"] == heard["stock"] == ("lisi", "wangwu", "zhangsan")
    assert heard["power"] == ("lisi", "wangwu")


def test_e7_who_was_told_before_a_hand_over_hears_who_has_closed_it(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty())
    wall.set("2026-12-14 09:59")
    storm.collector.take(record("disk full"))
    turn(storm)
    pass_time(storm, clock, 90)
    ((channel, incident),) = storm.place.rows(9)
    storm.place.answer(channel, incident.key, Answer(DONE, "lisi", "here", wall()), is_seen=False)
    turn(storm)
    assert app.users == [("zhangsan",), ("lisi", "wangwu", "zhangsan")]


@pytest.mark.parametrize(("step", "others"), [("boss", ("lisi", "wangwu", "zhangsan")), ("on-call:web", ("zhangsan",))])
def test_e7_a_step_after_a_hand_over_says_who_was_told_and_no_other(
    app: App, clock: Time, wall: Wall, step: str, others: tuple[str, ...]
) -> None:
    rules = duty_text(Duty(zone="Asia/Shanghai", rotas=(ROTA,), steps=(Step(600.0, Recipients((step,))),)))
    storm = pipeline(app, clock, duty=rules, steps_s=(600.0,), steps_level=logging.CRITICAL)
    wall.set("2026-12-14 09:55")
    storm.collector.take(record("no power", level=logging.CRITICAL))
    pass_time(storm, clock, 630)
    _, whole, line = app.told
    assert whole.first_line.endswith(", told so far: zhangsan")
    assert line.recipients == Recipients(others)


def test_e7_a_message_that_waits_for_another_try_goes_to_who_is_on_call_then(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty())
    wall.set("2026-12-14 09:59:50")
    app.error = ServerBusyError(-1, "busy")
    storm.collector.take(record("disk full"))
    turn(storm)
    pass_time(storm, clock, 30)
    app.error = None
    pass_time(storm, clock, 60)
    assert app.users == [("lisi", "wangwu")]


def test_who_is_named_by_a_route_or_a_record_is_on_call_too(app: App, clock: Time, wall: Wall) -> None:
    app.own = Recipients(("boss",))
    to = Recipients(("on-call:web", "clerk"), tags=("1",))
    storm = pipeline(app, clock, duty=duty(), routes=(Route(to, "shop"),))
    storm.collector.take(record("disk full"))
    storm.collector.take(record("no paper", line=2, wecom={"users": "on-call:web"}))
    turn(storm)
    assert [one.recipients for one in app.told] == [
        Recipients(("zhangsan", "clerk"), tags=("1",)),
        Recipients(("zhangsan",)),
    ]


def test_the_rate_of_who_is_on_call_is_looked_at_not_that_of_the_rota(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty(), rules=BOT_RULES)
    for number in range(30):
        storm.collector.take(record(f"broken {'abcdefghijklmnopqrstuvwxyzABCD'[number] * 3}", line=number))
    pass_time(storm, clock, 60)
    assert any(one.is_shared for one in app.told)
    assert set(app.users) == {("zhangsan",)}


def test_an_incident_is_told_by_the_rota_it_came_with(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty(Rota("web", (("zhaoliu",),), ROTA.since, days=7)))
    storm.collector.take(record("disk full"))
    turn(storm)
    assert app.users == [("zhaoliu",)]


def test_a_name_in_a_record_that_is_no_rota_is_said_and_the_own_recipients_are_told(
    app: App, clock: Time, wall: Wall
) -> None:
    storm = pipeline(app, clock, duty=duty())
    storm.collector.take(record("disk full", wecom={"users": "on-call:wbe"}))
    turn(storm)
    assert app.users == [("zhangsan",)]
    assert app.told[0].first_line == "nobody is on call by the rota wbe"
    assert "disk full" in app.told[0].text.split("\n")[1]


def test_a_function_that_no_option_here_names_is_not_called(
    app: App, clock: Time, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name stands in the state, where another hand may have written it."""
    called: list[str] = []
    monkeypatch.setattr("os.abort", lambda: called.append("abort"))
    app.own = Recipients(("on-call:web", "boss"))
    storm = pipeline(app, clock, duty=duty(Rota("web", who="os:abort")))
    storm.collector.take(record("disk full"))
    turn(storm)
    assert called == []
    assert app.users == [("boss",)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nobody_that_wecom_knows_is_on_call_the_others_get_it(app: App, clock: Time, wall: Wall, language: Any) -> None:
    """Never silence: a person who has left the company, a directory that cannot be read."""
    app.own = Recipients(("on-call:web",), departments=("7",))
    app.knows = lambda recipients: "zhangsan" not in recipients.users
    storm = pipeline(app, clock, duty=duty(), looks=Composer(markdown=False, language=language))
    storm.collector.take(record("disk full"))
    turn(storm)
    assert [one.recipients for one in app.told] == [Recipients(departments=("7",))]
    assert app.told[0].first_line == (
        "nobody is on call by the rota web" if language == "en" else "值班表 web 无人值班"
    )
    app.own = Recipients(("on-call:web",))
    app.knows = lambda recipients: recipients.users != ("zhangsan",)
    storm = pipeline(app, clock, duty=duty())
    storm.collector.take(record("no paper", line=2))
    turn(storm)
    assert app.users[-1] == ("zhangsan", "lisi", "wangwu")


def test_where_wecom_knows_none_of_them_it_is_refused_once(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty())
    app.refuses = lambda text: InvalidRecipientError(81013, "none")
    storm.collector.take(record("disk full"))
    turn(storm)
    assert len(app.tried) == 2  # for who is on call, and for all people of the rota
    assert storm.stats().dropped == {"rejected": 1}


# A function.


@pytest.fixture
def who() -> Iterator[ModuleType]:
    """A module of the program with the function ``who``."""
    made = ModuleType("duty_of_the_tests")
    made.asked = 0
    made.answer = lambda: ["zhaoliu"]

    def function() -> object:
        made.asked += 1
        return made.answer()

    made.who = function
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


@pytest.fixture
def asked(app: App, clock: Time, wall: Wall) -> Any:
    """A pipeline whose rota is a function; gives who gets one alert more."""
    app.own = Recipients(("on-call:it", "boss"))
    storm = pipeline(app, clock, duty=duty(), routes=(Route(Recipients(("on-call:it",))),))
    lines = iter(range(1000))

    def tell() -> tuple[str, ...]:
        number = next(lines)
        storm.collector.take(record(f"broken {'abcdefghijklmnop'[number] * 3}", line=number))
        turn(storm)
        return app.users[-1]

    return tell


def test_a_function_says_who_it_is_and_is_asked_once_a_minute(asked: Any, who: Any, clock: Time) -> None:
    assert asked() == asked() == ("zhaoliu",)
    assert who.asked == 1
    who.answer = lambda: "qian, sun"
    clock.go(61)
    assert asked() == ("qian", "sun")
    assert who.asked == 2


def test_e6_a_function_that_fails_is_not_nobody_its_last_answer_holds_for_an_hour(
    asked: Any, who: Any, clock: Time, app: App, capfd: pytest.CaptureFixture[str]
) -> None:
    assert asked() == ("zhaoliu",)

    def fails() -> None:
        raise OSError(f"https://duty.example.com/now?token={CANARY}")

    who.answer = fails
    for _ in range(59):
        clock.go(60)
        if _ % 20 == 0:
            assert asked() == ("zhaoliu",)
    clock.go(120)
    assert asked() == ("boss",)
    assert app.told[-1].first_line == "nobody is on call by the rota it"
    err = capfd.readouterr().err
    assert "on call it: who it is cannot be found out (OSError); " in err
    assert CANARY not in err
    who.answer = lambda: ["zhaoliu"]
    clock.go(61)
    assert asked() == ("zhaoliu",)


@pytest.mark.parametrize(
    "answer",
    [
        list,
        lambda: None,
        lambda: "@all",
        lambda: ["on-call:web"],
        lambda: ["a<b"],
        lambda: {"a": 1},
        lambda: sys.exit(3),
        lambda: ["x" * 65],
    ],
    ids=range(8),
)
def test_e5_a_function_that_names_nobody_or_no_person_is_never_silence(asked: Any, who: Any, answer: Any) -> None:
    who.answer = answer
    assert asked() == ("boss",)


@pytest.mark.parametrize("in_worker", [True, False])
def test_where_the_program_ends_and_has_no_more_threads_the_worker_asks_itself(
    asked: Any, who: Any, monkeypatch: pytest.MonkeyPatch, in_worker: bool
) -> None:
    start = threading.Thread.start

    def no_more(thread: threading.Thread) -> None:
        if thread.name == "wecom on call":
            raise RuntimeError("can't create new thread at interpreter shutdown")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", no_more)
    told: list[tuple[str, ...]] = []
    if in_worker:
        worker = threading.Thread(target=lambda: told.append(asked()))
        worker.start()
        worker.join(30)
    else:
        told.append(asked())
    assert told == [("zhaoliu",) if in_worker else ("boss",)]


def test_a_function_that_is_not_there_is_said(asked: Any, app: App, capfd: pytest.CaptureFixture[str]) -> None:
    assert asked() == ("boss",)
    assert "ModuleNotFoundError" in capfd.readouterr().err


def test_a_function_that_hangs_holds_up_one_message_for_a_moment(
    asked: Any, who: Any, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "BOUND_S", 0.05)
    goes_on = threading.Event()
    who.answer = lambda: [goes_on.wait(30), "late"][1:]
    assert asked() == ("boss",)
    began = time.monotonic()
    clock.go(61)
    monkeypatch.setattr(people, "BOUND_S", 30.0)
    assert asked() == ("boss",)  # and is not asked again meanwhile
    assert time.monotonic() - began < 10
    goes_on.set()
    until(lambda: all(one.name != "wecom on call" for one in threading.enumerate()))
    assert asked() == ("late",)
    assert who.asked == 1


@pytest.mark.parametrize(
    "rota",
    [
        replace(ROTA, since="soon"),
        replace(ROTA, since="9999-12-31 10:00", days=999_999_999),
        replace(ROTA, since=""),
        replace(ROTA, days=0),
        replace(ROTA, days=-7),
        replace(ROTA, days=0, hours=-1),
        replace(ROTA, people=((), ())),
        Rota("web"),
    ],
    ids=range(8),
)
def test_a_rota_of_a_state_that_no_option_says_holds_up_nothing(app: App, clock: Time, wall: Wall, rota: Rota) -> None:
    app.own = Recipients(("on-call:web", "boss"))
    storm = pipeline(app, clock, duty=duty(rota))
    storm.collector.take(record("disk full"))
    turn(storm)
    assert app.users == [("boss",)]
    assert app.told[0].first_line == "nobody is on call by the rota web"


def test_an_incident_of_another_program_calls_no_function_that_is_not_configured_here(
    app: App, clock: Time, wall: Wall, who: Any
) -> None:
    app.own = Recipients(("on-call:it", "boss"))
    storm = pipeline(app, clock, duty=duty(ROTA))
    leader = storm.leader
    leader.inbox.accept()
    rules = duty(Rota("it", who="duty_of_the_tests:who"))
    leader.append([Opened(key="k" * 32, alert=alert(), last=clock.now, level=40, duty=rules)])
    turn(storm)
    assert app.users == [("boss",)]
    assert who.asked == 0


# The steps of an escalation.

STEPS = (
    Step(600.0, Recipients(("on-call:it",))),
    Step(1500.0, Recipients(("on-call:web",))),
)


@pytest.fixture
def escalated(app: App, clock: Time, wall: Wall) -> Any:
    """An alert that nobody takes; gives who was told what from then on, by the minute."""
    app.own = Recipients(("boss",))
    wall.set("2026-12-14 09:40")
    rules = duty_text(Duty(zone="Asia/Shanghai", rotas=(ROTA, ASKED), steps=STEPS))
    storm = pipeline(app, clock, duty=rules, steps_s=tuple(one.after_s for one in STEPS))
    storm.collector.take(record("disk full", level=logging.CRITICAL))
    turn(storm)
    began = clock.now

    def wait(minutes: float) -> list[tuple[int, tuple[str, ...], str]]:
        before = len(app.told)
        pass_time(storm, clock, 60 * minutes)
        return [
            (int((one.at - began) / 60 + 0.05), one.recipients.users, one.first_line)
            for one in app.told[before:]
            if one.recipients is not None and "⏫ Escalation" in one.text
        ]

    return wait


def test_e7_a_step_tells_who_is_on_call_at_that_moment(escalated: Any, who: Any) -> None:
    found = escalated(40)
    assert [(minute, users) for minute, users, _ in found] == [(10, ("zhaoliu",)), (25, ("lisi", "wangwu"))]


def test_e5_a_step_by_whose_rota_nobody_is_on_call_goes_on_to_the_next_at_once(escalated: Any, who: Any) -> None:
    who.answer = list
    ((minute, users, line),) = escalated(20)
    assert (minute, users) == (10, ("zhangsan",))
    assert "the step before told nobody" in line


def test_e6_a_step_whose_rota_cannot_be_looked_up_waits_until_the_next(escalated: Any, who: Any) -> None:
    who.answer = lambda: 1 / 0
    assert escalated(14) == []
    who.answer = lambda: ["zhaoliu"]
    ((minute, users, _),) = escalated(5)
    assert 14 <= minute <= 15
    assert users == ("zhaoliu",)


def test_e6_a_step_that_could_not_be_looked_up_is_skipped_by_the_next_one(escalated: Any, who: Any) -> None:
    who.answer = lambda: 1 / 0
    ((minute, users, line),) = escalated(30)
    assert (minute, users) == (25, ("lisi", "wangwu"))
    assert "the step before told nobody" in line


# Swaps, and who has taken it.


def test_who_has_taken_it_keeps_it_over_a_hand_over_and_then_both_are_told(app: App, clock: Time, wall: Wall) -> None:
    storm = pipeline(app, clock, duty=duty())
    wall.set("2026-12-14 09:55")
    storm.collector.take(record("disk full"))
    turn(storm)
    ((channel, incident),) = storm.place.rows(9)
    taken = Answer(TAKEN, "zhangsan", "here", wall(), TAKE_FOR_S)
    storm.place.answer(channel, incident.key, taken, is_seen=False)
    turn(storm)
    pass_time(storm, clock, 600)
    assert app.users == [("zhangsan",)] * 2  # the alert, and that he has it
    for _ in range(4):
        storm.collector.take(record("disk full"))
        pass_time(storm, clock, 300)
    storm.collector.take(record("disk full"))
    pass_time(storm, clock, 600)
    assert app.users[2] == ("lisi", "wangwu", "zhangsan")


# With a real WeCom.


def test_names_in_a_rota_are_looked_up_as_users_are(sandbox: Sandbox) -> None:
    sandbox.add_member("zs", name="张三")
    since = f"{datetime.now(SHANGHAI):%Y-%m-%d 00:00}"
    rotas = {
        "web": {"people": ["张三"], "since": since, "every": "1w"},
        "db": {"people": ["没有这个人"], "since": since, "every": "1w"},
    }
    options: dict[str, Any] = {"timezone": "Asia/Shanghai", "on_call": rotas}
    made = app_handler(
        sandbox.url, routes=[{"logger": "web", "users": ["on-call:web"]}, {"users": ["on-call:db"]}], **options
    )
    for name in ("web", "db"):
        made.handle(logging.LogRecord(name, logging.ERROR, "p.py", 1, "hello", None, None))
    assert made.flush(30)
    receivers = {tuple(message["receivers"]): message["content"].split("\n")[0] for message in sandbox.messages()}
    assert receivers.keys() == {("zs",), ("sandbox-user",)}
    assert receivers["sandbox-user",] == "nobody is on call by the rota db"
    assert made.stats().delivered == 2


def test_a_program_without_a_rota_loads_nothing_of_it(sandbox: Sandbox) -> None:
    program = """
import sys, logging
from wecom_logging import WeComClient, WeComHandler
handler = WeComHandler()
logging.getLogger().addHandler(handler)
logging.error("hello")
assert handler.flush(30)
print([name for name in sys.modules if name.endswith(("on_call", "_duty.people", "swaps"))])
"""
    ended = run(program, url=sandbox.url)
    assert (ended.status, ended.err, ended.out.strip()) == (0, "", "[]")
