from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scripted import ScriptedWeCom
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import BotClient, WeComClient

from .failures import at_once


@pytest.fixture
def scripted() -> Iterator[ScriptedWeCom]:
    with ScriptedWeCom() as server:
        yield server


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[WeComClient]:
    """An app of the sandbox."""
    found = WeComClient("wwsandbox", "sandbox-app-secret", agent_id=1000002, api_base=sandbox.url, sleep=at_once)
    yield found
    found.close()


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[BotClient]:
    """The sandbox's bot."""
    found = BotClient("sandbox-bot", api_base=sandbox.url, sleep=at_once)
    yield found
    found.close()
