"""Recipients by logger and level: the first route that fits wins, what a record says itself comes before it; and the
name of those who get an incident, which it carries until its message is sent."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Clock, app_handler, until, word
from tests.state.conftest import alert
from tests.storms import BOT_RULES, Recorder, pass_time, pipeline, record, turn
from wecom_logging import WeComBotHandler, WeComHandler
from wecom_logging._incidents.fingerprint import audience_of, recipients_of
from wecom_logging._incidents.incident import Count, Kept
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.shared import Shared, sqlite_state
from wecom_logging.errors import ConfigurationError
from wecom_logging.model import Recipients, Route

ROUTES = [
    {"logger": "payments", "level": "CRITICAL", "tags": ["值班"]},
    {"logger": "payments", "users": ["pay"]},
    {"level": "CRITICAL", "leader_of": ["运维部"]},
]


@pytest.mark.parametrize(
    ("name", "level", "receivers"),
    [
        ("payments", logging.CRITICAL, ["duty"]),
        ("payments.cards", logging.CRITICAL, ["duty"]),
        ("payments.cards", logging.ERROR, ["pay"]),
        ("paymentsx", logging.ERROR, ["sandbox-user"]),
        ("other", logging.CRITICAL, ["boss"]),
        ("other", logging.ERROR, ["sandbox-user"]),
    ],
)
def test_the_first_route_that_fits_wins(sandbox: Sandbox, name: str, level: int, receivers: list[str]) -> None:
    sandbox.add_department(3, name="运维部")
    for user in ("duty", "pay"):
        sandbox.add_member(user)
    sandbox.add_member("boss", departments=[3], leader_of=[3])
    sandbox.add_tag(7, name="值班", users=["duty"])
    handler = app_handler(sandbox.url, routes=ROUTES)
    handler.handle(logging.LogRecord(name, level, "p.py", 1, "hello", None, None))
    assert handler.flush(30)
    assert [message["receivers"] for message in sandbox.messages()] == [receivers]


def test_a_record_s_own_recipients_come_before_a_route(sandbox: Sandbox) -> None:
    sandbox.add_member("own")
    handler = app_handler(sandbox.url, routes=[{"users": ["nobody"]}])
    record = logging.LogRecord("x", logging.ERROR, "p.py", 1, "hello", None, None)
    record.wecom = {"users": ["own"]}
    handler.handle(record)
    assert handler.flush(30)
    assert [message["receivers"] for message in sandbox.messages()] == [["own"]]


@pytest.mark.parametrize(
    ("routes", "field"),
    [
        ("payments", "routes"),
        ({"logger": "x", "users": "a"}, "routes"),
        (["x"], r"routes\[0\]"),
        ([{"users": "a"}, {"logger": "x"}], r"routes\[1\]"),
        ([{"users": "a", "colour": "red"}], r"routes\[0\]"),
        ([{"users": "a", "level": "LOUD"}], r"routes\[0\].level"),
        ([{"users": "a", "logger": 3}], r"routes\[0\].logger"),
        ([{"users": "a<b"}], "users"),
        ([{"departments": range(1, 200)}], "departments"),
    ],
    ids=str,
)
def test_a_wrong_route_is_named_when_the_handler_is_built(routes: Any, field: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{field}:"):
        WeComHandler(corp_id="ww", agent_id=1, secret="s", users="a", routes=routes)


# The name of an audience.


class App(Recorder):
    """One whose own recipients have names."""

    own = Recipients(users=("li", "wang"))

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or self.own


@pytest.fixture
def app(clock: Clock) -> App:
    return App(clock)


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    made = sqlite_state(str(tmp_path / "alerts.db"), lambda cause, text: None)
    yield made
    made.close()


@pytest.mark.parametrize(
    "given",
    [
        Recipients(users=("li", "Wang O'Neil", "值班", "\udc80")),
        Recipients(departments=("1",), tags=("on call",), leader_of=('"',)),
        Recipients(chats=("group-1", "li")),
        Recipients(users=tuple(word(number) for number in range(1000))),
    ],
    ids=lambda given: audience_of(given)[:20],
)
def test_the_name_of_an_audience_names_all_of_them(given: Recipients) -> None:
    kinds = ("users", "departments", "tags", "leader_of", "chats")
    assert recipients_of(audience_of(given)) == Recipients(*(tuple(sorted(getattr(given, kind))) for kind in kinds))
    assert recipients_of(audience_of(None)) is None


@pytest.mark.parametrize(
    "name", ["x", "[[]]", "[[], [], [], [1]]", "['a', 'b', 'c', 'd']", "{}", "\0", "3", "(" * 999, "[" * 100_000, "é("]
)
def test_a_text_that_is_no_such_name_names_nobody(name: str) -> None:
    assert recipients_of(name) == Recipients()


def test_who_names_those_that_get_it_anyway_shares_a_message_with_who_names_nobody(app: App, clock: Clock) -> None:
    storm = pipeline(app, clock, rules=BOT_RULES)
    for number in range(9):
        more = {"wecom": {"users": ["wang", "li"]}} if number % 2 else {}
        storm.collector.take(record(f"broken {word(number)}", line=number, **more))
    pass_time(storm, clock, 30)
    assert [one.is_shared for one in app.told] == [False] * 5 + [True]
    assert {app.addressed(one.recipients) for one in app.told} == {App.own}


def test_a_route_gets_its_message_as_it_was_given(app: App, clock: Clock) -> None:
    pay = Recipients(users=("zhao", "amy"))
    storm = pipeline(app, clock, routes=(Route(pay, "shop"),))
    storm.collector.take(record("broken"))
    turn(storm)
    assert [one.recipients for one in app.told] == [pay]


@pytest.mark.parametrize(
    ("name", "in_the_alert"),
    [
        (audience_of(Recipients(tags=("on call",))), None),
        # As versions before have left it, and as one may that comes after.
        (audience_of(Recipients(tags=("on call",))), Recipients(tags=("on call",))),
        ("a name of another form", Recipients(tags=("on call",))),
    ],
)
def test_a_row_of_another_process_goes_to_those_whom_it_names(
    app: App, clock: Clock, shared: Shared, name: str, in_the_alert: Recipients | None
) -> None:
    storm = pipeline(app, clock, shared=shared)
    left = Kept(replace(alert("the disk is full"), recipients=in_the_alert))
    count = Count(key="k" * 32, level=40, last=time.time(), first=left, audience=name)
    shared.call(lambda store: store.add(app.identity, "another", "host", 1, [count], clock()))
    turn(storm)
    assert [one.recipients for one in app.told] == [Recipients(tags=("on call",))]


def test_what_comes_from_another_handler_goes_by_the_routes_of_this_one(sandbox: Sandbox) -> None:
    sandbox.add_member("pay")
    sandbox.remove_bot("sandbox-bot")
    app = app_handler(sandbox.url, routes=[{"logger": "payments", "users": ["pay"]}])
    bot = WeComBotHandler(webhook=f"{sandbox.url}/cgi-bin/webhook/send?key=sandbox-bot", fallback=app)
    for name in ("payments", "stock"):
        bot.handle(logging.LogRecord(name, logging.ERROR, "p.py", 1, "hello", None, None))
    until(lambda: bot.stats().pending + app.stats().pending == 0 and app.stats().accepted == 2)
    assert sorted(message["receivers"] for message in sandbox.messages()) == [["pay"], ["sandbox-user"]]
