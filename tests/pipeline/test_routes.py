"""Recipients by logger and level: the first route that fits wins, what a record says itself comes before it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.programs import app_handler
from wecom_logging import WeComHandler
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError

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
        ([{"users": "a|b"}], "users"),
        ([{"departments": range(1, 200)}], "departments"),
    ],
    ids=str,
)
def test_a_wrong_route_is_named_when_the_handler_is_built(routes: Any, field: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{field}:"):
        WeComHandler(corp_id="ww", agent_id=1, secret="s", users="a", routes=routes)
