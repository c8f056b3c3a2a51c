"""``on_outcome``: one value for each round of a message, and what it may not cost."""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import Any

import pytest

from tests.programs import app_handler, run, until
from tests.scripted import ScriptedWeCom, body
from wecom_logging import WeComBotHandler
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError, HTTPStatusError
from wecom_logging.handlers import AlertHandler
from wecom_logging.model import DeliveryReport, Stats

SEND = "/cgi-bin/message/send"


def log(handler: AlertHandler, text: str = "the disk of atlas is full", line: int = 7) -> None:
    handler.handle(logging.LogRecord("shop", logging.ERROR, "pay.py", line, text, None, None, f"line_{line}"))


def test_each_round_gives_one_frozen_value(sandbox: Sandbox) -> None:
    reports: list[DeliveryReport] = []
    threads: list[threading.Thread] = []

    def on_outcome(report: DeliveryReport) -> None:
        reports.append(report)
        threads.append(threading.current_thread())

    handler = app_handler(sandbox.url, on_outcome=on_outcome, rate_limit=None)
    sandbox.add_fault({"path": SEND, "status": 503, "times": 3})  # the tries of one round
    log(handler)
    assert handler.flush(30)
    (view,) = handler.incidents()
    kept, delivered = reports
    assert (kept.reason, delivered.reason) == ("kept", "delivered")
    assert kept.incidents == delivered.incidents == (view.short_id,)
    assert kept.channel == delivered.channel == "app"
    assert isinstance(kept.outcome.error, HTTPStatusError)
    assert (delivered.outcome.reason, delivered.outcome.error) == ("delivered", None)
    assert delivered.outcome.msgid
    assert 0 < delivered.seconds < 30
    assert threading.main_thread() not in threads
    with pytest.raises(dataclasses.FrozenInstanceError):
        kept.reason = "delivered"


def test_it_says_what_was_refused_and_what_went_to_the_fallback(sandbox: Sandbox) -> None:
    reports: list[DeliveryReport] = []
    sandbox.add_fault({"path": SEND, "errcode": 45002, "times": 2})
    alone = app_handler(sandbox.url, on_outcome=reports.append)
    log(alone, "one")
    assert alone.flush(30)
    bot = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, on_outcome=reports.append)
    helped = app_handler(sandbox.url, fallback=bot, on_outcome=reports.append)
    log(helped, "two")
    assert helped.flush(30)
    assert bot.flush(30)
    assert [(one.channel, one.reason, one.outcome.reason) for one in reports] == [
        ("app", "rejected", "rejected"),
        ("app", "handed_over", "rejected"),
        ("bot", "delivered", "delivered"),
    ]
    assert all(getattr(one.outcome.error, "errcode", 0) == 45002 for one in reports[:2])


def test_a_shared_message_names_all_its_incidents(sandbox: Sandbox) -> None:
    reports: list[DeliveryReport] = []
    handler = app_handler(sandbox.url, on_outcome=reports.append, rate_limit=None)
    sandbox.add_fault({"path": SEND, "delay_s": 0.5})
    for line in range(12):
        log(handler, line=line)
    assert handler.flush(30)
    assert sum(len(one.incidents) for one in reports) == 12
    assert max(len(one.incidents) for one in reports) > 1
    assert {name for one in reports for name in one.incidents} == {one.short_id for one in handler.incidents()}


@pytest.mark.parametrize("raised", [ValueError, SystemExit])
def test_what_it_raises_is_said_once_and_costs_nothing_else(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], raised: type[BaseException]
) -> None:
    calls: list[DeliveryReport] = []

    def on_outcome(report: DeliveryReport) -> None:
        calls.append(report)
        raise raised("canary")

    handler = app_handler(sandbox.url, on_outcome=on_outcome)
    for line in range(3):
        log(handler, line=line)
        until(lambda: len(calls) == line + 1 and handler.stats().pending == 0)  # noqa: B023 # asked at once
    assert handler.stats() == Stats(accepted=3, delivered=3)
    assert len(calls) == len(sandbox.messages()) == 3
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert f"on_outcome raised {raised.__name__}" in said
    assert "canary" not in said


def test_what_is_no_function_is_a_matter_of_configuration(sandbox: Sandbox) -> None:
    wrong: Any
    for wrong in ("report", 7, [print]):
        with pytest.raises(ConfigurationError) as raised:
            app_handler(sandbox.url, on_outcome=wrong)
        assert str(raised.value).startswith("on_outcome: ")
        assert "on_outcome(report)" in str(raised.value)


@pytest.mark.slow
def test_one_that_hangs_costs_no_more_than_the_exit_timeout(sandbox: Sandbox) -> None:
    program = """
    import logging, threading, time
    from wecom_logging import WeComHandler
    inside = threading.Event()
    def on_outcome(report):
        inside.set()
        time.sleep(600)
    handler = WeComHandler(exit_timeout=0.5, on_outcome=on_outcome)
    logging.getLogger("shop").addHandler(handler)
    logging.getLogger("shop").error("the disk of atlas is full")
    assert inside.wait(60)
    began = time.monotonic()
    logging.getLogger("shop").error("the roof is on fire")
    assert not handler.flush(0.1)
    assert [one.text for one in handler.incidents()][-1] == "the disk of atlas is full"
    assert time.monotonic() - began < 20
    import atexit
    atexit._run_exitfuncs()
    stats = handler.stats()
    print(time.monotonic() - began, stats.delivered, stats.pending)
    """
    ended = run(program, url=sandbox.url)
    assert ended.status == 0, ended.err
    seconds, *numbers = ended.out.split()
    assert float(seconds) < 40  # of 600
    assert numbers == ["1", "0"]
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("channel", ["app", "bot"])
def test_a_warning_about_any_part_is_passed_on_and_said_once(channel: str, capsys: pytest.CaptureFixture[str]) -> None:
    """WeCom took what it could read of a request, and says so beside errcode 0."""
    warned = body(b'{"errcode": 0, "errmsg": "ok. Warning: wrong json format. ", "msgid": "m"}')
    reports: list[DeliveryReport] = []
    with ScriptedWeCom() as wecom:
        path = SEND if channel == "app" else "/cgi-bin/webhook/send"
        wecom.script(path, warned)
        options: dict[str, Any] = {"on_outcome": reports.append, "rate_limit": None, "overflow": "file"}
        if channel == "app":
            handler: AlertHandler = app_handler(wecom.url, **options)
        else:
            handler = WeComBotHandler(webhook="key-of-a-bot", api_base=wecom.url, **options)
        log(handler, " ".join(f"word{i}" for i in range(800)), line=1)
        assert handler.flush(30)
        wecom.script(path, warned)
        log(handler, "short", line=2)
        assert handler.flush(30)
        handler.close()
        sent = [request for request in wecom.requests if request.path.endswith("/send")]
    long, short = reports
    assert (long.reason, long.outcome.warning) == ("delivered", short.outcome.warning)
    assert "warns of its format" in long.outcome.warning
    assert capsys.readouterr().err.count("warns of its format") == 1
    assert len(sent) == 3
