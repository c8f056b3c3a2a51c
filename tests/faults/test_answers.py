"""What WeCom answers when much is sent, to alerts that must not be lost by it."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.programs import Clock, until, word
from tests.scripted import ScriptedWeCom, Step, errcode, ok
from tests.secrets import ACCESS_TOKEN, BOT_KEY, CORP_SECRET, assert_no_secret
from wecom_logging import WeComBotHandler, WeComHandler
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import BotClient

from .rig import GETTOKEN, PUSH, SEND, Rig

WORDS = [word(number) for number in range(60)]


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as server:
        yield server


def storm(rig: Rig) -> None:
    rig.log(*(f"disk {word} full" for word in WORDS))


def told(contents: list[str]) -> dict[str, int]:
    """How often each word of the storm stands in messages."""
    return Counter(found for content in contents for found in content.split() if found in set(WORDS))


@pytest.mark.case("W06")
def test_a_bot_that_others_have_used_up_gets_the_backlog_in_a_few_messages(sandbox: Sandbox, clock: Clock) -> None:
    stranger = BotClient("sandbox-bot", api_base=sandbox.url)
    for number in range(20):
        stranger.send(f"of somebody else {number}")
    rig = Rig(sandbox.url, bot=True, for_sandbox=True, rules=((20, 60.0),), clock=clock)
    storm(rig)
    assert 60 <= rig.run_until_settled(within_s=120) < 90
    refused = [call.time for call in sandbox.calls if call.errcode == 45009]
    taken = [call.time for call in sandbox.calls if call.errcode == 0][20:]
    assert len(refused) == 1
    assert min(taken) >= refused[0] + 60
    assert len(taken) <= 8
    assert told([message["content"] for message in sandbox.messages()]) == dict.fromkeys(WORDS, 1)
    assert rig.stats().delivered == len(WORDS)


@pytest.mark.case("W05")
def test_an_app_that_is_limited_is_left_alone_and_gets_the_backlog_in_a_few_messages(
    sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.add_fault({"path": SEND, "errcode": 45009, "times": 3})
    rig = Rig(sandbox.url, for_sandbox=True, rules=((30, 60.0), (1000, 3600.0)), clock=clock)
    storm(rig)
    assert 180 <= rig.run_until_settled(within_s=240) < 210
    times = [call.time for call in sandbox.calls if call.path == SEND]
    assert [later - earlier >= 60 for earlier, later in itertools.pairwise(times[:4])] == [True] * 3
    assert len(times) <= 3 + 10
    assert told([message["content"] for message in sandbox.messages()]) == dict.fromkeys(WORDS, 1)


def log_to(handler: WeComHandler | WeComBotHandler, texts: list[str]) -> None:
    for number, text in enumerate(texts):
        handler.handle(logging.LogRecord("shop", 40, __file__, number, text, (), None))


def _one_at_a_time(wait_s: float, refused: list[int]) -> Step:
    """45033 for whoever comes while another is being served; their ports go to ``refused``."""
    busy = threading.Lock()

    def act(line: Any) -> bool:
        if not busy.acquire(blocking=False):
            refused.append(line.port)
            return errcode(45033).act(line)
        try:
            time.sleep(wait_s)
            return ok().act(line)
        finally:
            busy.release()

    return Step("one at a time", act)


@pytest.mark.case("W07")
def test_several_bots_at_a_server_that_takes_one_at_a_time_lose_nothing() -> None:
    with ScriptedWeCom() as wecom:
        refused: list[int] = []
        wecom.always(PUSH, _one_at_a_time(0.02, refused))
        keys = [f"{BOT_KEY}-{number}" for number in range(4)]  # each has a thread of its own
        handlers = [WeComBotHandler(webhook=key, api_base=wecom.url, rate_limit=None) for key in keys]
        for number, handler in enumerate(handlers):
            log_to(handler, [f"disk {word} full" for word in WORDS[number::4]])
        until(lambda: all(handler.stats().pending == 0 for handler in handlers), within_s=30)
        assert len(refused) > 3
        assert sum(handler.stats().delivered for handler in handlers) == len(WORDS)
        for handler in handlers:
            handler.close()


@pytest.mark.case("W03", "W09")
@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        (SEND, 60020, ("203.0.113.9", "可信IP")),
        (GETTOKEN, 60020, ("203.0.113.9", "可信IP")),
        (GETTOKEN, 40001, ("secret", "WECOM_SECRET")),
        (GETTOKEN, 40013, ("corp_id",)),
    ],
)
def test_a_wrong_configuration_is_said_with_its_remedy_and_keeps_everything(
    capfd: pytest.CaptureFixture[str], path: str, code: int, words: tuple[str, ...]
) -> None:
    with ScriptedWeCom(token=ACCESS_TOKEN) as wecom:
        wecom.always(path, errcode(code, f"refused, hint: [1], from ip: 203.0.113.9, {CORP_SECRET}"))
        rig = Rig(wecom.url)
        storm(rig)
        rig.run(1800)
        (line,) = capfd.readouterr().err.splitlines()
        assert [found for found in words if found not in line] == []
        assert_no_secret(line, CORP_SECRET, ACCESS_TOKEN)
        assert (rig.stats().pending, rig.stats().dropped) == (len(WORDS), {})
        asked = wecom.requests
        assert len([request for request in asked if request.path == path]) <= 7
        wecom.mend()
        rig.run_until_settled(within_s=310)
        contents = [request.json["text"]["content"] for request in wecom.requests[len(asked) :] if request.body]
    assert told(contents) == dict.fromkeys(WORDS, 1)
    assert rig.stats().delivered == len(WORDS)
