"""From an alert to messages: mentions, long texts and the link, as pure functions and through both handlers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import unquote

import pytest

from wecom_logging import BotClient, WeComBotHandler, WeComClient, WeComHandler
from wecom_logging._answers.command import read
from wecom_logging._delivery.message_builder import Attachment, Composer
from wecom_logging._render.times import clock_time
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom.channels import AppChannel, BotChannel
from wecom_logging.handlers import AlertHandler
from wecom_logging.model import Answer, Digest, Failure, Markdown, Recipients, Text

from ..programs import word
from ..render.alerts import alert
from ..scripted import ScriptedWeCom

BOT = BotChannel(BotClient("sandbox-bot"))
APP = AppChannel(WeComClient("ww", "secret", agent_id=1), Recipients(("u",)))
CRITICAL = alert(level=50, level_name="CRITICAL")


def bot(sandbox: Sandbox | ScriptedWeCom, **options: Any) -> AlertHandler:
    return WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, **options)


def app(sandbox: Sandbox | ScriptedWeCom, **options: Any) -> AlertHandler:
    return WeComHandler(
        corp_id="wwsandbox",
        agent_id=1000002,
        secret="sandbox-app-secret",
        users="sandbox-user",
        api_base=sandbox.url,
        **options,
    )


def sent(handler: AlertHandler, sandbox: Sandbox, text: str, level: int = 40, **extra: Any) -> list[dict[str, Any]]:
    """What arrives when this is logged."""
    record = logging.LogRecord("shop", level, "app/pay.py", 88, "%s", (text,), None, "charge")
    if extra:
        record.wecom = extra
    try:
        handler.handle(record)
        assert handler.flush(20.0)
        assert handler.stats().delivered == 1
        return sandbox.messages()
    finally:
        handler.close()


# Mentions.


def test_a_bot_calls_user_ids_in_markdown_from_the_level_on() -> None:
    composer = Composer(True, mention=("alice", "bob"))
    (message,) = composer.compose(Digest(CRITICAL), BOT)
    assert isinstance(message, Markdown)
    assert message.content.endswith("\n<@alice>\n<@bob>")
    (quiet,) = composer.compose(Digest(alert()), BOT)
    assert isinstance(quiet, Markdown)
    assert "<@" not in quiet.content
    (told,) = Composer(True, mention=("alice",), mention_level=logging.ERROR).compose(Digest(alert()), BOT)
    assert isinstance(told, Markdown)
    assert "<@alice>" in told.content


@pytest.mark.parametrize("mobile", ["13800001111", "8613800001111", "+8613800001111", "+85212345678"])
def test_a_mobile_makes_that_message_text_with_its_list(mobile: str) -> None:
    (message,) = Composer(True, mention=("alice", mobile)).compose(Digest(CRITICAL), BOT)
    assert isinstance(message, Text)
    assert (message.mentioned, message.mentioned_mobiles) == (("alice",), (mobile,))
    (quiet,) = Composer(True, mention=(mobile,)).compose(Digest(alert()), BOT)
    assert isinstance(quiet, Markdown)


def test_at_all_makes_that_message_text() -> None:
    (message,) = Composer(True, mention=("@all",)).compose(Digest(CRITICAL), BOT)
    assert isinstance(message, Text)
    assert (message.mentioned, message.mentioned_mobiles) == (("@all",), ())


@pytest.mark.parametrize("number", ["20230001", "1000001", "99999999999"])
def test_a_user_id_of_digits_is_no_mobile(number: str) -> None:
    (message,) = Composer(True, mention=(number,)).compose(Digest(CRITICAL), BOT)
    assert isinstance(message, Markdown)
    assert f"<@{number}>" in message.content


def test_a_record_names_whom_to_call_or_nobody() -> None:
    composer = Composer(True, mention=("alice",), mention_level=logging.NOTSET)
    (message,) = composer.compose(Digest(alert(mention=("bob",))), BOT)
    assert isinstance(message, Markdown)
    assert message.content.endswith("\n<@bob>")
    assert "alice" not in message.content
    (nobody,) = composer.compose(Digest(alert(mention=())), BOT)
    assert isinstance(nobody, Markdown)
    assert "<@" not in nobody.content


def test_an_app_never_mentions() -> None:
    for markdown in (True, False):
        composer = Composer(markdown, mention=("@all", "alice", "13800001111"), mention_level=0)
        (message,) = composer.compose(Digest(alert(mention=("bob", "@all"))), APP)
        assert isinstance(message, Markdown if markdown else Text)
        assert "@" not in message.content
        assert not isinstance(message, Text) or (message.mentioned, message.mentioned_mobiles) == ((), ())


def test_a_thousand_names_leave_room_for_the_message() -> None:
    names = tuple(f"user-{number:05}" for number in range(1000))
    (message,) = Composer(True, mention=names).compose(Digest(CRITICAL), BOT)
    assert isinstance(message, Text)
    assert message.mentioned == names
    assert "it broke" in message.content


def test_a_text_of_the_users_own_formatter_goes_as_text() -> None:
    (message,) = Composer(True).compose(Digest(alert(formatted="mine"), short_id="k7f2"), BOT)
    assert isinstance(message, Text)
    assert message.content == f"mine\n#k7f2 {clock_time(alert().time, 'en')}"


# Long texts, end to end.

LONG = "".join(f"第{number}行 支付失败😀👨‍👩‍👧 " + ("\n" if number % 7 == 0 else "") for number in range(300))


@pytest.mark.parametrize(("make", "most"), [(bot, 4096), (app, 2048)])
@pytest.mark.parametrize("formatter", [None, logging.Formatter("%(levelname)s %(message)s")])
def test_a_long_text_that_is_trimmed_arrives_whole_in_one_message(
    sandbox: Sandbox, make: Callable[..., AlertHandler], most: int, formatter: logging.Formatter | None
) -> None:
    handler = make(sandbox)
    handler.setFormatter(formatter)
    (message,) = sent(handler, sandbox, LONG)
    content = message["body"][message["msgtype"]]["content"]
    assert content == message["content"]  # WeCom cut nothing
    most = most if message["msgtype"] == "markdown" else 2048
    assert most // 2 < len(content.encode("utf-8")) <= most
    assert "第0行 支付失败😀👨‍👩‍👧" in content
    assert "…" in content


@pytest.mark.parametrize("make", [bot, app])
def test_a_long_text_goes_as_a_file_that_holds_all_of_it(sandbox: Sandbox, make: Callable[..., AlertHandler]) -> None:
    message, file = sent(make(sandbox, overflow="file"), sandbox, LONG)
    assert "第0行" in message["content"]
    assert file["msgtype"] == "file"
    assert file["content"].startswith("alert-")
    assert file["content"].endswith(".txt")


@pytest.mark.parametrize("make", [bot, app])
def test_a_short_text_goes_without_a_file(sandbox: Sandbox, make: Callable[..., AlertHandler]) -> None:
    (message,) = sent(make(sandbox, overflow="file"), sandbox, "short")
    assert "short" in message["content"]


@pytest.mark.parametrize("make", [bot, app])
def test_the_uploaded_file_is_utf8_and_holds_the_whole_text(make: Callable[..., AlertHandler]) -> None:
    with ScriptedWeCom() as wecom:
        handler = make(wecom, overflow="file")
        handler.handle(logging.LogRecord("shop", 40, "app/pay.py", 88, "%s", (LONG,), None, "charge"))
        assert handler.flush(20.0)
        handler.close()
        (upload,) = wecom.bodies("/cgi-bin/" + ("webhook/upload_media" if make is bot else "media/upload"))
    text = upload.decode("utf-8")  # the parts of the form around it are ASCII
    assert all(f"第{number}行 支付失败😀👨‍👩‍👧" in text for number in range(300))


def test_the_attachment_holds_the_whole_text() -> None:
    message, attachment = Composer(True, "file").compose(Digest(alert(message=LONG), short_id="k7f2"), BOT)
    assert isinstance(message, Markdown)
    assert isinstance(attachment, Attachment)
    assert attachment.name.endswith("-k7f2.txt")
    text = attachment.data.decode("utf-8")
    assert all(f"第{number}行 支付失败😀👨‍👩‍👧" in text for number in range(300))


# The link.


def test_the_link_carries_its_values_percent_encoded(sandbox: Sandbox) -> None:
    template = "https://logs.example/find?f={fingerprint}&s={service}&t={time}#x"
    for make in (bot, app):
        sandbox.clear()
        handler = make(sandbox, link=template, service="pay & (shop) <@all> 支付")
        (message,) = sent(handler, sandbox, "x", fingerprint="my)](http://evil) key")
        last = message["content"].splitlines()[-1]
        url = last.removeprefix("[🔗 log](").removesuffix(")")
        assert last == (f"[🔗 log]({url})" if make is bot else url)
        assert url.isascii()
        assert not set(url) & set(" <>()[]\"'`*")
        assert "f=my%29%5D%28http%3A%2F%2Fevil%29%20key&s=" in url
        assert unquote(url.split("&s=")[1].split("&t=")[0]) == "pay & (shop) <@all> 支付"
        assert url.endswith("#x")


def test_a_link_too_long_for_a_message_is_left_out() -> None:
    composer = Composer(False, link="https://l.example/" + "{service}" * 50)
    (message,) = composer.compose(Digest(alert(service="支付" * 90)), APP)
    assert isinstance(message, Text)
    assert "l.example" not in message.content
    assert "it broke" in message.content


def test_without_a_fingerprint_of_its_own_the_link_has_the_short_id(sandbox: Sandbox) -> None:
    links = []
    for number in (1, 2):
        sandbox.clear()
        (message,) = sent(bot(sandbox, link="https://l.example/{fingerprint}"), sandbox, f"order {number} failed")
        (link,) = re.findall(r"https://l.example/(\w+)", message["content"])
        assert f"#{link}" in message["content"]
        links.append(link)
    assert links[0] == links[1]


def test_a_template_of_zeros_costs_linear_work() -> None:
    """A placeholder that goes on for 64 KiB took minutes once."""
    zeros = "%" + "0" * 60_000
    Composer(False, link="https://l.example/{fingerprint}").compose(Digest(alert(message=zeros, template=zeros)), APP)


# How to answer.


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "to the bot: take k7f2 · quiet k7f2 1h"), ("zh", "回复机器人：认领 k7f2 · 静默 k7f2 1h")],
)
@pytest.mark.parametrize("channel", [BOT, APP])
def test_the_last_line_says_how_to_answer_within_the_limit(channel: Any, language: Any, line: str) -> None:
    look = Composer(markdown=channel is BOT, answers="aibot", language=language)
    for text in ("disk full", "disk full\n" * 9000, "x" * 90_000):
        parts = look.compose(Digest(alert(message=text), short_id="k7f2"), channel)
        (content,) = [part.content for part in parts if isinstance(part, Markdown | Text)]
        last = content.split("\n")[-1]
        assert last == (f'<font color="comment">{line}</font>' if channel is BOT else line)
        assert len(content.encode()) <= channel.max_bytes[type(parts[0])]
        command = read(re.split("[:：·] ?", line)[1])
        assert (command.verb, command.short_id) == ("take", "k7f2")


def test_how_to_answer_a_message_of_many_or_of_news() -> None:
    look = Composer(markdown=False, answers="aibot")
    digests = [Digest(alert(message=f"{word(number)} full" * 20), short_id=f"k7f{number}") for number in range(60)]
    (message,), number = look.share(digests, BOT)
    assert isinstance(message, Text)
    assert 1 < number < 60
    assert message.content.endswith("\nto the bot: list")
    assert len(message.content.encode()) <= BOT.max_bytes[Text]
    (message, *_), _ = look.write(digests[:3], BOT, cause="no room")
    assert isinstance(message, Text)
    assert message.content.endswith("\nto the bot: list")
    taken = replace(digests[0], answer=Answer("taken", "Li", "chat", 0.0, 60.0), is_news=True)
    for one in (taken, replace(digests[0], quiet_s=600.0)):
        (message,) = look.compose(one, BOT)
        assert isinstance(message, Text)
        assert "to the bot" not in message.content
    (message,) = Composer(markdown=False).compose(digests[0], BOT)
    assert isinstance(message, Text)
    assert "to the bot" not in message.content


def test_a_message_of_one_cause_says_what_it_became_in_each_place() -> None:
    """Many services refuse a connection alike: the cause alone does not say which one is away."""
    root = Failure("ConnectionRefusedError", "refused", (), link="cause")
    raised = [Failure(kind, "x") for kind in ("redis.exceptions.ConnectionError", "x.StockError")]
    chains = [(root, raised[0]), (root, raised[1]), (root,)]
    digests = [Digest(alert(failures=chain), short_id=f"k7f{at}") for at, chain in enumerate(chains)]
    (message, *_), shown = Composer(markdown=False).write(digests, APP, cause="refused")
    assert isinstance(message, Text)
    first, *places, _ = message.content.split("\n")
    assert "ConnectionRefusedError: refused · 3 places" in first
    assert [line.partition(": ")[2] for line in places] == [
        "redis.ConnectionError × 1 #k7f0",
        "StockError × 1 #k7f1",
        "",
    ]
    assert shown == 3


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "✅ ConnectionRefusedError: refused · quiet · 2 places"),
        ("zh", "✅ ConnectionRefusedError: refused · 未再出现 · 2 处"),
    ],
)
@pytest.mark.parametrize("markdown", [True, False])
def test_the_end_of_all_places_of_one_cause_stands_apart_from_the_cause(
    markdown: bool, language: Literal["en", "zh"], said: str
) -> None:
    chain = (Failure("ConnectionRefusedError", "refused", ()),)
    digests = [Digest(alert(failures=chain), short_id=f"k7f{at}", quiet_s=600.0, total=9) for at in range(2)]
    (message, *_), _ = Composer(markdown=markdown, language=language).write(digests, APP, cause="refused")
    assert re.sub("<.*?>|[*]", "", message.content.split("\n")[0]) == said


def test_both_handlers_say_how_to_answer(sandbox: Sandbox) -> None:
    for made in (app, bot):
        (message,) = sent(made(sandbox, answers="aibot", language="en"), sandbox, "disk full")[-1:]
        name = re.findall(r"#(\w{4,})", message["content"])[0]
        assert f"to the bot: take {name} · quiet {name} 1h" in message["content"].split("\n")[-1]
