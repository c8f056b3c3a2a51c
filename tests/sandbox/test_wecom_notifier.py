"""A client for bots that others wrote, wecom-notifier, gets along with the sandbox."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from loguru import logger
from wecom_notifier import WeComNotifier

from wecom_logging._sandbox import Sandbox

from .caller import JPG
from .clients import OK, note


@pytest.fixture
def wecom() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def notifier() -> Iterator[Any]:
    logger.remove()  # it logs to stderr, and what it logs is not ours
    found = WeComNotifier(max_retries=1, retry_delay=0.01)
    yield found
    found.stop_all()


def address(wecom: Sandbox, key: str = "sandbox-bot") -> str:
    return f"{wecom.url}/cgi-bin/webhook/send?key={key}"


def outcome(action: str, result: Any) -> str:
    found = OK if result.is_success() else str(result.error)
    note("wecom-notifier", action, found)
    return found


def test_all_that_it_sends_arrives(notifier: Any, wecom: Sandbox) -> None:
    url = address(wecom)
    sent = {
        "text": notifier.send_text(url, "你好", async_send=False),
        "text with mentions": notifier.send_text(url, "x", ["@all"], ["13800000000"], async_send=False),
        "markdown": notifier.send_markdown(url, "**bold**", async_send=False),
        "markdown, then a mention alone": notifier.send_markdown(url, "x", mention_all=True, async_send=False),
        "image": notifier.send_image(url, image_base64=base64.b64encode(JPG).decode(), async_send=False),
    }
    assert {outcome(action, result) for action, result in sent.items()} == {OK}
    kinds = [message["msgtype"] for message in wecom.messages()]
    assert kinds == ["text", "text", "markdown_v2", "markdown_v2", "text", "image"]
    alone = wecom.messages()[4]
    assert (alone["content"], alone["body"]["text"]["mentioned_list"]) == ("", ["@all"])


@pytest.mark.slow
def test_a_long_text_comes_in_pieces(notifier: Any, wecom: Sandbox) -> None:
    result = notifier.send_text(address(wecom), "\n".join(f"line {i:04}" for i in range(600)), async_send=False)
    assert outcome("text of 6 000 bytes", result) == OK
    assert [message["warning"] for message in wecom.messages()] == [""] * 3


def test_a_strict_sandbox_shows_it_what_the_documents_forbid(notifier: Any) -> None:
    with Sandbox(strict=True) as strict:
        mention = notifier.send_markdown(address(strict), "x", mention_all=True, async_send=False)
        outcome("strict: markdown, then a mention alone", mention)
        assert [call.errcode for call in strict.calls] == [0, 40058]
        assert [message["msgtype"] for message in strict.messages()] == ["markdown_v2"]


def test_a_wrong_key_and_a_broken_answer_are_failures(notifier: Any, wecom: Sandbox) -> None:
    assert outcome("wrong key", notifier.send_text(address(wecom, "wrong"), "x", async_send=False)) != OK
    wecom.fail("webhook/send", status=502, times=5)
    assert outcome("HTTP 502", notifier.send_text(address(wecom), "x", async_send=False)) != OK
