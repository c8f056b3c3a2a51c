"""Our two formatters, alone and in a handler."""

from __future__ import annotations

import logging
import sys

import pytest

from wecom_logging import MarkdownFormatter, TextFormatter, WeComBotHandler, WeComHandler
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError


def record() -> logging.LogRecord:
    try:
        raise KeyError("<@all> password=canary")
    except KeyError:
        return logging.LogRecord("shop", 40, __file__, 1, "**%s**", ("it broke",), sys.exc_info(), "charge")


def test_text_shows_level_logger_message_place_and_traceback() -> None:
    text = TextFormatter().format(record())
    first, *_, last = text.splitlines()
    assert first == "🔴 ERROR shop: **it broke**: KeyError: '＜@all> password=***'"
    assert last == "│ KeyError: '＜@all> password=***'"
    assert "test_formatters.py:1 in charge" in text
    assert 'raise KeyError("＜@all> password=***' in text


def test_markdown_has_colours_and_nothing_of_the_program_acts() -> None:
    text = MarkdownFormatter().format(record())
    assert text.startswith('🔴 <font color="warning">ERROR</font> shop: **∗∗it broke∗∗: KeyError: ')
    assert "<@" not in text
    assert text.splitlines()[-1].startswith("> KeyError: ")


def test_any_logging_handler_can_use_them(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(TextFormatter())
    handler.handle(record())
    assert "🔴 ERROR shop: **it broke**" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [TextFormatter, MarkdownFormatter])
def test_they_take_what_a_config_hands_to_every_formatter_but_no_format(kind: type[TextFormatter]) -> None:
    assert kind(None, None, "%").format(record())
    assert kind(None, None, "{", validate=True, defaults=None).format(record())
    with pytest.raises(ConfigurationError, match=r"format: .*takes none"):
        kind("%(message)s")  # the wrong type is the point
    with pytest.raises(ConfigurationError, match="datefmt: "):
        kind(None, "%H:%M")  # the wrong type is the point


def test_each_handler_can_have_the_others_look(sandbox: Sandbox) -> None:
    app = WeComHandler(
        corp_id="wwsandbox", agent_id=1000002, secret="sandbox-app-secret", users="sandbox-user", api_base=sandbox.url
    )
    bot = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url)
    app.setFormatter(MarkdownFormatter())
    bot.setFormatter(TextFormatter())
    for handler in (app, bot):
        handler.handle(logging.LogRecord("shop", 40, "f", 1, "one", (), None))
        assert handler.flush(10.0)
    assert [message["msgtype"] for message in sandbox.messages()] == ["markdown", "text"]
    sandbox.clear()
    bot.setFormatter(logging.Formatter("%(message)s"))
    bot.setFormatter(None)
    app.setFormatter(TextFormatter())
    for handler in (app, bot):
        handler.handle(logging.LogRecord("shop", 40, "f", 1, "two", (), None))
        assert handler.flush(10.0)
        handler.close()
    assert [message["content"].splitlines()[0] for message in sandbox.messages()] == [
        "🔴 ERROR shop: two",
        '🔴 <font color="warning">ERROR</font> shop: **two**',  # without a formatter, the bot's own look
    ]
