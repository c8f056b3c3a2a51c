"""What users test their own logging with: nothing goes out, and what would have is there."""

from __future__ import annotations

import logging
import logging.config
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from wecom_logging import WeComAIBotHandler, WeComBotHandler, WeComHandler, notify_on_exception, progress
from wecom_logging._runtime import clock
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError, MissingDependencyError
from wecom_logging.model import Recipients
from wecom_logging.testing import capture_alerts
from wecom_logging.testing import sandbox as whole_wecom

from .programs import run
from .scripted import ScriptedWeCom

pytest_plugins = ["pytester"]

CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "app": {
            "class": "wecom_logging.WeComHandler",
            "level": "ERROR",
            "corp_id": "any",
            "agent_id": 1,
            "secret": "anything",
            "users": ["zhangsan"],
            "routes": [{"logger": "shop.pay", "level": "CRITICAL", "tags": ["值班"]}],
        },
        "bot": {
            "class": "wecom_logging.WeComBotHandler",
            "level": "WARNING",
            "webhook": "key",
            "mention": ["lisi", "@all"],
        },
    },
    "loggers": {"shop": {"handlers": ["app", "bot"]}},
}


@pytest.fixture
def shop() -> Iterator[logging.Logger]:
    logging.config.dictConfig(CONFIG)
    logger = logging.getLogger("shop")
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def test_each_record_reaches_those_whom_the_config_names(shop: logging.Logger) -> None:
    with capture_alerts(timeout=30) as alerts:
        logging.getLogger("shop.stock").warning("few left, api_key=canary-1")
        assert [(one.channel, one.level, one.markdown) for one in alerts] == [("bot", logging.WARNING, True)]
        assert "few left" in alerts[0].text
        assert "canary" not in repr(alerts)
        assert alerts[0].recipients == Recipients()
        alerts.clear()
        logging.getLogger("shop.stock").error("none left")
        assert {one.channel: one.recipients for one in alerts} == {
            "app": Recipients(users=("zhangsan",)),
            "bot": Recipients(),
        }
        alerts.clear()
        logging.getLogger("shop.pay").critical("nobody can pay")
    app, bot = sorted(alerts, key=lambda one: one.channel)
    assert app.recipients == Recipients(tags=("值班",))
    assert (bot.mentioned, bot.markdown) == (("lisi", "@all"), False)


def test_time_passes_when_a_test_says_so() -> None:
    handler = WeComBotHandler(webhook="key", window=3600)
    logger = logging.getLogger("shop.hours")
    logger.addHandler(handler)
    try:
        with capture_alerts(timeout=30) as alerts:
            for hour in range(4):
                logger.error("no stock in hour %d", hour)
                alerts.advance(3600)
            assert [f"{number} in all" in text for number, text in enumerate(alerts.texts, 1)] == [
                False,
                True,
                True,
                True,
            ]
            alerts.advance(10 * 3600)
            assert len(alerts) == 5
            assert "quiet for 10 hours (not tried again, or over), 4 in all" in alerts.texts[-1]
            for seconds in (-1, float("inf"), float("nan")):
                with pytest.raises(ValueError, match="zero or more"):
                    alerts.advance(seconds)
    finally:
        logger.removeHandler(handler)
        handler.close()


def test_time_that_passes_passes_on_the_wall_too_as_quiet_hours_have_it() -> None:
    begin = datetime.fromtimestamp(clock.wall(), UTC) + timedelta(hours=1)
    handler = WeComBotHandler(
        webhook="sandbox-bot", timezone="UTC", quiet_hours=f"{begin:%H:%M}-{begin + timedelta(hours=2):%H:%M}"
    )
    record = logging.LogRecord("shop", 40, __file__, 1, "no stock", (), None)
    try:
        with capture_alerts(timeout=30) as alerts:
            alerts.advance(2 * 3600)
            handler.handle(record)
            assert len(alerts) == 0
            alerts.advance(2 * 3600)
            (text,) = alerts.texts
            assert re.search(rf"quiet hours (\d\d-\d\d )?{begin:%H:%M}–", text)  # it may be past midnight by now
    finally:
        handler.close()


def test_what_was_told_before_is_told_anew_and_repeats_are_in_a_digest(shop: logging.Logger) -> None:
    for _ in range(2):
        with capture_alerts(timeout=30) as alerts:
            for _ in range(3):
                shop.error("no stock")
        for channel in ("app", "bot"):
            first, digest = [one.text for one in alerts if one.channel == channel]
            assert "no stock" in first
            assert "× 2, 3 in all" in digest


def test_nothing_goes_out_and_afterwards_everything_does(sandbox: Sandbox) -> None:
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url)
    record = logging.LogRecord("shop", 40, __file__, 1, "no stock", (), None)
    with capture_alerts(timeout=30) as alerts:
        handler.handle(record)
    assert len(alerts) == 1
    assert sandbox.calls == ()
    handler.forget_incidents()
    handler.handle(record)
    assert handler.flush(10)
    assert len(sandbox.messages()) == 1
    assert (handler.stats().accepted, handler.stats().delivered, len(alerts)) == (2, 2, 1)
    handler.close()


def test_no_request_is_made_at_all() -> None:
    with ScriptedWeCom() as wecom, capture_alerts() as alerts:
        handler = WeComHandler(corp_id="x", agent_id=1, secret="x", users=["张三"], api_base=wecom.url)
        handler.handle(logging.LogRecord("shop", 40, __file__, 1, "no stock", (), None))
        assert alerts[0].recipients.users == ("张三",)
        assert not wecom.requests
        handler.close()


def test_decorators_progress_and_pictures(shop: logging.Logger) -> None:
    @notify_on_exception(handler="app", title="prices")
    def work() -> None:
        raise ValueError("x")

    png = b"\x89PNG\r\n\x1a\n" + b"a chart"
    with capture_alerts(timeout=30) as alerts:
        with pytest.raises(ValueError, match="x"):
            work()
        with progress("training", handler="bot", attach=png):
            pass
    raised, done, picture = sorted(alerts, key=lambda one: one.channel)  # each handler has a thread of its own
    assert (raised.channel, done.channel, picture.channel) == ("app", "bot", "bot")
    assert "prices" in raised.text
    assert "training: done" in done.text
    assert (picture.text, picture.attachment) == ("", png)
    assert sorted(alerts.texts) == sorted([raised.text, done.text])


def test_the_inner_of_two_captures(shop: logging.Logger) -> None:
    with capture_alerts() as outer:
        with capture_alerts() as inner:
            shop.warning("inside")
        shop.warning("outside")
    assert len(inner) == len(outer) == 1
    assert "outside" in outer[0].text


def test_handlers_that_are_switched_off_are_captured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WECOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WECOM_ENABLED", "0")
    logger = logging.getLogger("shop.ci")
    before: list[logging.Handler] = [
        WeComHandler(level="ERROR"),
        WeComHandler(tags=["on-call"], routes=[{"logger": "shop.ci", "level": "CRITICAL", "users": ["li"]}]),
        WeComBotHandler(mention="@all", mention_level="ERROR"),
        WeComAIBotHandler(chats=["li"]),
    ]
    for handler in before:
        logger.addHandler(handler)
    try:
        logger.error("nobody looks")
        with capture_alerts(timeout=30) as alerts:
            inside = WeComHandler(users=["zhang"], enabled=False)
            before.append(inside)
            logger.addHandler(inside)
            logger.error("no stock, token=%s", "a8f7-secret")
            assert sorted((one.channel, one.recipients.users + one.recipients.tags) for one in alerts) == [
                ("aibot", ()),
                ("app", ("captured",)),
                ("app", ("on-call",)),
                ("app", ("zhang",)),
                ("bot", ()),
            ]
            assert all("no stock" in text and "a8f7" not in text for text in alerts.texts)
            assert [one.mentioned for one in alerts if one.channel == "bot"] == [("@all",)]
            alerts.clear()
            with progress("training"):  # goes to every live handler, once
                pass
            assert len(alerts) == 5
            alerts.clear()
            logger.critical("no shop")
            assert ("li",) in [one.recipients.users for one in alerts]
        logger.error("nobody looks any more")
        assert not any("looks" in text for text in alerts.texts)
        assert isinstance(before[0], WeComHandler)
        assert before[0].stats().dropped == {"disabled": 2}
    finally:
        for handler in before:
            logger.removeHandler(handler)
            handler.close()


def test_a_wrong_option_of_a_handler_that_is_switched_off_is_found() -> None:
    handler = WeComBotHandler(enabled=False, window=-1)
    try:
        with pytest.raises(ConfigurationError, match="window"), capture_alerts():
            pass
        assert handler.stats().accepted == 0
    finally:
        handler.close()


# The plugin, in test runs of its own.


def ran(pytester: pytest.Pytester, code: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(code)
    return pytester.runpytest_subprocess("-p", "no:hypothesispytest", *options)  # which takes a second to load


SHOP = """
import logging
import pytest
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(webhook="key", api_base="http://127.0.0.1:9")
log = logging.getLogger("shop")
log.addHandler(handler)

@pytest.mark.parametrize("number", [1, 2])
def test_told(wecom_alerts, number):
    log.error("no stock")
    assert len(wecom_alerts) == 1
    assert "no stock" in wecom_alerts[0].text
"""


@pytest.mark.slow
def test_the_fixture_is_there_by_itself(pytester: pytest.Pytester) -> None:
    ran(pytester, SHOP, "-W", "error").assert_outcomes(passed=2)


WHOLE = """
import logging, os, subprocess, sys, pytest

def test_a_program_of_its_own(wecom_sandbox):
    assert os.environ["WECOM_API_BASE"] == wecom_sandbox.url
    assert "WECOM_SECRET_FILE" not in os.environ
    code = "import logging, wecom_logging\\nlogging.getLogger().addHandler(wecom_logging.WeComHandler())"
    code += "\\nlogging.error('disk full')"
    subprocess.run([sys.executable, "-c", code], check=True)
    (message,) = wecom_sandbox.wait(contains="DISK FULL", level="error", timeout=60)
    assert message["receivers"] == ["sandbox-user"]

def test_each_test_has_its_own(wecom_sandbox):
    assert wecom_sandbox.messages() == []
    with pytest.raises(TimeoutError):
        wecom_sandbox.wait(timeout=0)
    wecom_sandbox.clock.advance(3600)

def test_afterwards_the_variables_are_as_before():
    assert os.environ["WECOM_SECRET_FILE"] == "/nowhere"
    assert "WECOM_API_BASE" not in os.environ
"""


@pytest.mark.slow
def test_a_whole_wecom_is_a_fixture_too(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WECOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WECOM_SECRET_FILE", "/nowhere")
    ran(pytester, WHOLE, "-W", "error").assert_outcomes(passed=3)


def test_a_whole_wecom_takes_seeds_and_may_be_strict() -> None:
    with whole_wecom(strict=True, seed={"members": [{"user_id": "zhangsan"}]}) as wecom:
        assert [row["userid"] for row in wecom.members()] == ["sandbox-user", "zhangsan"]
        assert requests.post(f"{wecom.url}/cgi-bin/gettoken", timeout=10).json()["errcode"] == 40058
        wecom.reset()
        assert [row["userid"] for row in wecom.members()] == ["sandbox-user", "zhangsan"]
    with pytest.raises(ValueError, match="people"), whole_wecom(seed={"people": []}):
        pass


def test_a_whole_wecom_may_speak_tls(shop: logging.Logger) -> None:
    with whole_wecom(tls=True) as wecom:
        assert wecom.url.startswith("https://")
        handler = WeComHandler()
        shop.addHandler(handler)
        try:
            shop.error("disk full")
            (message,) = wecom.wait(contains="disk full")
        finally:
            shop.removeHandler(handler)
            handler.close()
    assert message["receivers"] == ["sandbox-user"]


def test_what_tls_needs_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(MissingDependencyError, match=r"cryptography.*\[sandbox\]"), whole_wecom(tls=True):
        pass


@pytest.mark.slow
def test_the_plugin_loads_nothing_that_is_not_asked_for(pytester: pytest.Pytester) -> None:
    done = ran(
        pytester,
        """
        import sys
        def test():
            ours = {name for name in sys.modules if name.startswith("wecom_logging")}
            assert ours == {"wecom_logging", "wecom_logging.integrations", "wecom_logging.integrations.pytest"}
        """,
    )
    done.assert_outcomes(passed=1)


def test_it_can_be_imported_without_pytest(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pytest'] = None; import wecom_logging.testing, wecom_logging.integrations.pytest"
    assert run(code).status == 0
