"""What a channel refuses for good goes to another handler: marked, once, never in a circle, and with a number."""

from __future__ import annotations

import gc
import io
import logging
import logging.config
import logging.handlers
import weakref
from typing import Any

import pytest

from tests.programs import app_handler, run, until, word
from tests.scripted import ScriptedWeCom, ok
from wecom_logging import WeComBotHandler
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError
from wecom_logging.handlers import AlertHandler
from wecom_logging.model import Stats


def bot_handler(url: str, key: str = "sandbox-bot", **options: Any) -> WeComBotHandler:
    return WeComBotHandler(webhook=f"{url}/cgi-bin/webhook/send?key={key}", **options)


def log(handler: logging.Handler, text: str = "order 4711 is lost", missing: str = "price") -> None:
    try:
        raise KeyError(missing)
    except KeyError as error:
        info = (type(error), error, error.__traceback__)
        handler.handle(logging.LogRecord("shop", logging.ERROR, "shop.py", 7, text, None, info))


def settled(*handlers: AlertHandler) -> None:
    until(lambda: all(handler.stats().pending == 0 for handler in handlers))


@pytest.mark.case("W03", "W09", "W10", "W12")
@pytest.mark.parametrize(
    ("path", "errcode"),
    [("message/send", 81013), ("message/send", 60020), ("message/send", 45002), ("gettoken", 40001)],
)
def test_what_the_app_refuses_arrives_through_the_bot(
    sandbox: Sandbox, path: str, errcode: int, capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_fault({"path": f"/cgi-bin/{path}", "errcode": errcode})
    bot = bot_handler(sandbox.url)
    app = app_handler(sandbox.url, fallback=bot, service="web shop")
    log(app)
    settled(app, bot)
    (message,) = sandbox.messages()
    assert message["channel"] == "bot"
    for words in (
        "web shop",
        "order 4711 is lost",
        "KeyError",
        "fallback",
        "WeComHandler could not deliver it: ",
        str(errcode),
    ):
        assert words in message["content"]
    assert (app.stats(), bot.stats()) == (Stats(accepted=1, handed_over=1), Stats(accepted=1, delivered=1))
    assert f"errcode {errcode}" in capfd.readouterr().err


@pytest.mark.case("W10")
def test_what_errcode_0_says_reached_nobody_arrives_through_the_bot(capfd: pytest.CaptureFixture[str]) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/message/send", ok(invaliduser="sandbox-user"))
        bot = bot_handler(wecom.url)
        with_one, alone = app_handler(wecom.url, fallback=bot), app_handler(wecom.url)
        for app in (with_one, alone):
            log(app)
        settled(with_one, alone, bot)
        (sent,) = wecom.bodies("/cgi-bin/webhook/send")
    assert "order 4711 is lost" in sent.decode()
    assert (with_one.stats(), bot.stats()) == (Stats(accepted=1, handed_over=1), Stats(accepted=1, delivered=1))
    assert alone.stats() == Stats(accepted=1, dropped={"rejected": 1})
    assert "errcode 81013" in capfd.readouterr().err


def test_what_the_bot_refuses_arrives_through_the_app(sandbox: Sandbox) -> None:
    app = app_handler(sandbox.url)
    bot = bot_handler(sandbox.url, "removed", fallback=app)
    log(bot)
    settled(app, bot)
    (message,) = sandbox.messages()
    assert (message["channel"], message["receivers"]) == ("app", ["sandbox-user"])
    assert "errcode 93000" in message["content"]


@pytest.mark.case("W03")
def test_each_alert_is_handed_over_at_once_while_the_configuration_is_wrong(sandbox: Sandbox) -> None:
    app = app_handler(sandbox.url)
    bot = bot_handler(sandbox.url, "removed", fallback=app)
    for number in range(3):
        log(bot, f"number {word(number)}", word(number))  # of one cause they would share a message
    settled(app, bot)
    assert len(sandbox.messages()) == 3


def test_it_never_goes_in_a_circle(sandbox: Sandbox) -> None:
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 45002, "times": 9})
    first = bot_handler(sandbox.url, fallback="third")
    second = bot_handler(sandbox.url, fallback=first)
    third = bot_handler(sandbox.url, fallback=second)
    third.name = "third"
    log(first)
    until(lambda: second.stats().dropped)
    assert [handler.stats() for handler in (first, third)] == [Stats(accepted=1, handed_over=1)] * 2
    assert second.stats() == Stats(accepted=1, dropped={"rejected": 1})
    assert [call.errcode for call in sandbox.calls] == [45002] * 3


def test_nor_through_handlers_of_another_kind(sandbox: Sandbox) -> None:
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 45002, "times": 99})
    queue = logging.handlers.MemoryHandler(1)
    handler = bot_handler(sandbox.url, fallback=queue, window=1)
    queue.setTarget(handler)
    log(handler)
    until(lambda: handler.stats().dropped)
    settled(handler)
    assert handler.stats() == Stats(accepted=2, handed_over=1, dropped={"rejected": 1})


def test_nor_where_the_fallback_logs_about_it_anew(sandbox: Sandbox) -> None:
    class LogsAnew(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log(handler, f"could not be told: {record.getMessage()}")

    sandbox.add_fault({"path": "/cgi-bin/message/send", "errcode": 81013, "times": 99})
    handler = app_handler(sandbox.url, fallback=LogsAnew(), window=1)
    log(handler)
    until(lambda: handler.stats().dropped)
    settled(handler)
    assert handler.stats() == Stats(accepted=2, handed_over=1, dropped={"rejected": 1})


def test_a_handler_is_no_fallback_of_itself(sandbox: Sandbox) -> None:
    handler = app_handler(sandbox.url, fallback="self")
    handler.name = "self"
    sandbox.add_fault({"path": "/cgi-bin/message/send", "errcode": 81013})
    log(handler)
    settled(handler)
    assert handler.stats() == Stats(accepted=1, dropped={"rejected": 1})


def test_any_handler_may_be_the_fallback(sandbox: Sandbox) -> None:
    stream = io.StringIO()
    other = logging.StreamHandler(stream)
    other.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    sandbox.add_fault({"path": "/cgi-bin/message/send", "errcode": 81013})
    handler = app_handler(sandbox.url, fallback=other)
    log(handler, "password=hunter2secret")
    settled(handler)
    text = stream.getvalue()
    assert text.startswith("ERROR shop ")
    assert "KeyError" in text
    assert "fallback: WeComHandler could not deliver it" in text
    assert "hunter2secret" not in text


@pytest.mark.parametrize("fallback", ["missing", "broken"])
def test_a_fallback_that_fails_leaves_the_alert_in_the_books(
    sandbox: Sandbox, fallback: str, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise OSError("no")

    broken = Broken()
    broken.name = "broken"
    sandbox.add_fault({"path": "/cgi-bin/message/send", "errcode": 81013})
    handler = app_handler(sandbox.url, fallback=fallback)
    log(handler)
    settled(handler)
    assert handler.stats() == Stats(accepted=1, dropped={"rejected": 1})
    assert "fallback" in capfd.readouterr().err


@pytest.mark.parametrize(("away", "why"), [("closed", "is closed"), ("off", "is switched off"), ("filter", "a filter")])
def test_what_the_fallback_would_not_take_stays_in_the_line(
    sandbox: Sandbox, away: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    other = bot_handler(sandbox.url, enabled=away != "off")
    if away == "closed":
        other.close()
    if away == "filter":
        other.addFilter(lambda record: False)
    handler = bot_handler(sandbox.url, "removed", fallback=other)
    log(handler)
    until(lambda: sandbox.calls)
    said: list[str] = []

    def is_said() -> bool:
        said.append(capfd.readouterr().err)  # it may be there line by line
        return "alerts wait" in "".join(said) and why in "".join(said)

    until(is_said)
    assert (handler.stats(), other.stats()) == (Stats(accepted=1, pending=1), Stats())
    handler._pipeline.give_up()  # else the exit of the tests waits for it


def test_in_a_logging_config_it_is_named_and_may_come_later(sandbox: Sandbox) -> None:
    config = {
        "version": 1,
        "handlers": {
            "alerts": {
                "class": "wecom_logging.WeComHandler",
                "corp_id": "wwsandbox",
                "agent_id": 1000002,
                "secret": "sandbox-app-secret",
                "users": ["nobody"],
                "api_base": sandbox.url,
                "fallback": "group",
            },
            "group": {"class": "wecom_logging.WeComBotHandler", "webhook": "sandbox-bot", "api_base": sandbox.url},
        },
        "loggers": {"fallback-test": {"handlers": ["alerts"]}},
    }
    logging.config.dictConfig({**config, "disable_existing_loggers": False})
    gc.collect()  # no logger has the second handler
    logging.getLogger("fallback-test").error("hello")
    until(sandbox.messages)
    assert "errcode 81013" in sandbox.messages()[0]["content"]
    logging.getLogger("fallback-test").handlers.clear()


def test_at_exit_a_chain_of_fallbacks_is_waited_for(sandbox: Sandbox) -> None:
    code = """
        import logging
        from wecom_logging import WeComBotHandler
        last = WeComBotHandler()
        middle = WeComBotHandler(webhook="removed2", fallback=last)
        first = WeComBotHandler(webhook="removed1", fallback=middle)
        logging.getLogger().addHandler(first)
        logging.error("last words")
    """
    ended = run(code, url=sandbox.url)
    assert ended.status == 0
    assert "lost" not in ended.err
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("fallback", [3, "", ["bot"], object()])
def test_a_wrong_fallback_is_named_when_the_handler_is_built(fallback: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^fallback:"):
        app_handler("http://127.0.0.1:1", fallback=fallback)


def test_a_closed_handler_is_not_kept(sandbox: Sandbox) -> None:
    handler = bot_handler(sandbox.url)
    handler.name = "kept"
    handler.close()
    gone = weakref.ref(handler)
    del handler
    gc.collect()
    assert gone() is None
