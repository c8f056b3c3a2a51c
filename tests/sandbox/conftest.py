from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from . import clients
from .caller import Caller, Clerk, FakeClock


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What a client noted in whatever process comes with the report of its test."""
    if report.when == "teardown":
        clients.TABLE.update(found for name, found in report.user_properties if name == clients.PROPERTY)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if clients.TABLE:
        terminalreporter.section("what other clients did in the sandbox")
        for line in clients.lines():
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest) -> Iterator[None]:
    clients.NOTES.clear()
    yield
    request.node.user_properties += [(clients.PROPERTY, row) for row in clients.NOTES]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as running:
        yield running


@pytest.fixture
def strict(clock: FakeClock) -> Iterator[Caller]:
    """A caller of a sandbox that refuses what WeCom takes though its documents forbid it."""
    with Sandbox(clock=clock, strict=True) as running:
        caller = Caller(running)
        yield caller
        caller.session.close()


@pytest.fixture
def wecom(sandbox: Sandbox) -> Iterator[Caller]:
    caller = Caller(sandbox)
    yield caller
    caller.session.close()


@pytest.fixture
def clerk(wecom: Caller) -> Clerk:
    """Contacts-sync."""
    return Clerk(wecom)


@pytest.fixture
def app(wecom: Caller) -> Clerk:
    return Clerk(wecom, "sandbox-app-secret")
