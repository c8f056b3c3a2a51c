"""The group bot: what the sandbox's WeCom gets for each type, and what is refused before that."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.scripted import ScriptedWeCom, errcode, ok
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import BotClient
from wecom_logging._wecom.channels import BotChannel
from wecom_logging.errors import ConfigurationError, CredentialError, MessageError, RateLimitedError
from wecom_logging.model import (
    Article,
    File,
    Image,
    Markdown,
    MarkdownV2,
    Message,
    News,
    TemplateCard,
    Text,
    TextCard,
)

from .failures import at_once

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
URL = "https://example.com/"
CARD = {"card_type": "text_notice", "main_title": {"title": "down"}, "card_action": {"type": 1, "url": URL}}
TYPES: list[tuple[Message, dict[str, Any]]] = [
    (
        Text("磁盘已满", mentioned=("zhangsan", "@all"), mentioned_mobiles=("13800000000",)),
        {
            "msgtype": "text",
            "text": {
                "content": "磁盘已满",
                "mentioned_list": ["zhangsan", "@all"],
                "mentioned_mobile_list": ["13800000000"],
            },
        },
    ),
    (Markdown("**down** <@zhangsan>"), {"msgtype": "markdown", "markdown": {"content": "**down** <@zhangsan>"}}),
    (MarkdownV2("| a |\n|---|"), {"msgtype": "markdown_v2", "markdown_v2": {"content": "| a |\n|---|"}}),
    (
        Image(data=PNG),
        {
            "msgtype": "image",
            "image": {"base64": base64.b64encode(PNG).decode(), "md5": hashlib.md5(PNG).hexdigest()},
        },
    ),
    (
        News((Article("一", URL),)),
        {"msgtype": "news", "news": {"articles": [{"title": "一", "description": "", "url": URL}]}},
    ),
    (TemplateCard(CARD), {"msgtype": "template_card", "template_card": CARD}),
]


@pytest.mark.parametrize(("message", "body"), TYPES, ids=lambda value: type(value).__name__)
def test_each_type_arrives_as_the_documents_describe_it(
    sandbox: Sandbox, bot: BotClient, message: Message, body: dict[str, Any]
) -> None:
    outcome = bot.send(message)
    (found,) = sandbox.messages()
    assert found["body"] == body
    assert found["key"] == "sandbox-bot"
    assert (outcome.reason, outcome.msgid) == ("delivered", "")


def test_a_string_is_sent_as_text(sandbox: Sandbox, bot: BotClient) -> None:
    bot.send("hello")
    assert [found["body"] for found in sandbox.messages()] == [{"msgtype": "text", "text": {"content": "hello"}}]


def test_a_file_is_uploaded_and_sent(sandbox: Sandbox, bot: BotClient) -> None:
    bot.send(File(bot.upload("日志.log", b"a long log")))
    assert [(found["msgtype"], found["content"]) for found in sandbox.messages()] == [("file", "日志.log")]


def test_a_handler_s_channel_uploads_and_sends(sandbox: Sandbox, bot: BotClient) -> None:
    channel, tries = BotChannel(bot), []
    outcome = channel.deliver(channel.upload("a.log", b"a long log"), None, lambda: tries.append(1))
    assert outcome.delivered
    assert tries == [1]
    assert [found["content"] for found in sandbox.messages()] == ["a.log"]


def test_a_whole_webhook_url_keeps_its_own_host(sandbox: Sandbox) -> None:
    with_url = BotClient(f"{sandbox.url}/cgi-bin/webhook/send?key=sandbox-bot", api_base="https://wecom.invalid")
    with_url.send("hello")
    with_url.close()
    assert len(sandbox.messages()) == 1
    assert "sandbox-bot" not in repr(with_url)


def test_the_key_is_read_from_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_WEBHOOK", "sandbox-bot")
    monkeypatch.setenv("WECOM_API_BASE", sandbox.url)
    BotClient().send("hello")
    assert len(sandbox.messages()) == 1


def test_a_wrong_key_is_a_credential_error(sandbox: Sandbox) -> None:
    with pytest.raises(CredentialError) as caught:
        BotClient("wrong-key", api_base=sandbox.url, sleep=at_once).send("hello")
    assert (caught.value.errcode, caught.value.retryable) == (93000, False)


def test_the_twenty_first_message_of_a_minute_is_a_rate_limit(sandbox: Sandbox, bot: BotClient) -> None:
    for i in range(20):
        bot.send(f"{i}")
    calls = len(sandbox.calls)
    with pytest.raises(RateLimitedError) as caught:
        bot.send("one too many")
    assert (caught.value.errcode, caught.value.retry_after_s) == (45009, 60)
    assert len(sandbox.calls) == calls + 1


def test_a_busy_wecom_is_asked_again_with_the_same_bytes(scripted: ScriptedWeCom) -> None:
    scripted.script("/cgi-bin/webhook/send", errcode(-1), errcode(-1), ok())
    assert BotClient("key", api_base=scripted.url, sleep=at_once).send("hello").delivered
    assert len(scripted.requests) == 3
    assert len({request.body for request in scripted.requests}) == 1


WRONG: dict[str, Any] = {
    "text too long": "磁" * 682 + "abc",
    "markdown too long": Markdown("💥" * 1024 + "a"),
    "markdown_v2 too long": MarkdownV2("磁" * 1365 + "ab"),
    "textcard": TextCard("t", "d", URL),
    "image by id": Image("media-id"),
    "image too big": Image(data=PNG + bytes(2 * 1024 * 1024)),
    "image of another kind": Image(data=b"GIF89a" + bytes(100)),
    "article url": News((Article("t", "example.com"),)),
    "None": None,
    "card that answers back": TemplateCard({"card_type": "button_interaction", "main_title": {"title": "x"}}),
    "card that is no JSON": TemplateCard({"card_type": "text_notice", "x": {1, 2}}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_bot_cannot_send_is_refused_before_any_request(sandbox: Sandbox, bot: BotClient, name: str) -> None:
    with pytest.raises(MessageError):
        bot.send(WRONG[name])
    assert sandbox.calls == ()


@pytest.mark.parametrize(
    "message",
    [Text("磁" * 682 + "ab"), Markdown("💥" * 1024), MarkdownV2("磁" * 1365 + "a")],
    ids=lambda message: type(message).__name__,
)
def test_exactly_as_many_bytes_as_the_limit_are_sent(sandbox: Sandbox, bot: BotClient, message: Any) -> None:
    bot.send(message)
    assert sandbox.messages()[0]["content"] == message.content


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"12345", "file"),
        (b"0123456789", "image"),
        (b"0123456789", "video"),
        (bytes(20 * 1024 * 1024 + 1), "file"),
        (bytes(2 * 1024 * 1024 + 1), "voice"),
    ],
    ids=["small", "image", "video", "big file", "big voice"],
)
def test_what_a_bot_cannot_upload_is_refused_before_any_request(
    sandbox: Sandbox, bot: BotClient, data: bytes, kind: str
) -> None:
    with pytest.raises(MessageError):
        bot.upload("a", data, type=kind)
    assert sandbox.calls == ()


@pytest.mark.parametrize(
    "webhook", ["", "https://example.com/", "not a key", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"]
)
def test_a_wrong_webhook_is_a_configuration_error(webhook: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook"):
        BotClient(webhook)
