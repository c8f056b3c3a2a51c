"""A picture that goes after an alert: it arrives, and it never costs the alert."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComBotHandler, WeComHandler
from wecom_logging._capture.pending import Origin
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.options import Options
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import BotClient
from wecom_logging._wecom.channels import BotChannel
from wecom_logging.handlers import AlertHandler

from ..programs import Clock, app_handler, word

PNG = b"\x89PNG\r\n\x1a\n" + b"a chart"
JPG = b"\xff\xd8\xff" + b"a photo"


def bot(url: str, **options: Any) -> WeComBotHandler:
    return WeComBotHandler(webhook="sandbox-bot", api_base=url, **options)


def told(handler: AlertHandler, picture: object, text: str = "done", level: int = logging.ERROR) -> None:
    made = logging.LogRecord("shop", level, __file__, 1, text, (), None)
    made.wecom = {"attach": picture}
    handler.handle(made)


@pytest.mark.parametrize("make", [app_handler, bot])
@pytest.mark.parametrize("picture", [PNG, JPG])
def test_it_follows_the_text(sandbox: Sandbox, make: Any, picture: bytes) -> None:
    handler = make(sandbox.url)
    told(handler, picture)
    assert handler.flush(30)
    handler.close()
    text, image = sandbox.messages()
    assert "done" in text["content"]
    assert image["msgtype"] == "image"
    stats = handler.stats()
    assert (stats.accepted, stats.delivered, stats.pending) == (1, 1, 0)


def test_one_that_wecom_does_not_take_is_noted_and_the_alert_is_delivered(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = app_handler(sandbox.url)
    sandbox.add_fault({"path": "/cgi-bin/media/upload", "errcode": 40009, "times": 1})
    told(handler, PNG)
    assert handler.flush(30)
    handler.close()
    assert [message["msgtype"] for message in sandbox.messages()] == ["text"]
    assert (handler.stats().delivered, handler.stats().dropped) == (1, {})
    assert "a picture could not be sent: " in capfd.readouterr().err


@pytest.mark.parametrize("picture", [b"no picture", "a path", PNG + bytes(2 * 1024 * 1024), 3])
def test_what_is_no_picture_is_left_out_and_said(
    sandbox: Sandbox, picture: object, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = bot(sandbox.url)
    told(handler, picture)
    assert handler.flush(30)
    handler.close()
    assert [message["msgtype"] for message in sandbox.messages()] == ["markdown"]
    assert "must be the bytes of a JPG or PNG, at most 2 MiB; it is left out" in capfd.readouterr().err


def test_it_counts_in_the_bound_of_what_waits_in_memory(sandbox: Sandbox) -> None:
    handler = bot(sandbox.url)
    for number in range(30):
        told(handler, PNG + bytes(1024 * 1024), f"chart {word(number)}")
    assert handler.flush(30)
    handler.close()
    stats = handler.stats()
    assert stats.dropped["queue_overflow"] >= 10
    assert stats.delivered + stats.dropped["queue_overflow"] == 30


def test_with_a_shared_state_the_process_that_tells_it_sends_it(sandbox: Sandbox, tmp_path: Path) -> None:
    handler = WeComHandler(
        corp_id="wwsandbox",
        agent_id=1000002,
        secret="sandbox-app-secret",
        users=["sandbox-user"],
        api_base=sandbox.url,
        state=f"sqlite://{tmp_path}/alerts.db",
    )
    told(handler, PNG)
    assert handler.flush(30)
    handler.close()
    assert [message["msgtype"] for message in sandbox.messages()] == ["text", "image"]


def test_pictures_of_a_shared_message_come_after_it(sandbox: Sandbox) -> None:
    clock = Clock()
    channel = BotChannel(BotClient("sandbox-bot", api_base=sandbox.url))
    rules = ((4, 60.0),)
    pipeline = Pipeline(
        [channel],
        Options(name="test", origin=Origin(), looks=Composer(markdown=False), mask=str, rules=rules),
        clock,
    )
    for text, extra in (("one", {}), ("two", {"attach": PNG}), ("three", {}), ("four", {"attach": JPG})):
        made = logging.LogRecord("shop", 40, __file__, 1, f"the {text} thing", (), None)
        made.wecom = extra
        pipeline.collector.take(made)
    for _ in range(100):
        clock.now += pipeline.turn() if pipeline.stats().pending else 0
    kinds = [message["msgtype"] for message in sandbox.messages()]
    assert kinds == ["text", "text", "image", "image"]
    assert pipeline.stats().delivered == 4
