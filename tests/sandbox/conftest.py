from __future__ import annotations

from collections.abc import Iterator

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as running:
        yield running


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
