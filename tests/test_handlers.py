"""The handlers as a program uses them: real logging, a real local WeCom, real threads."""

from __future__ import annotations

import gc
import logging
import logging.config
import random
import re
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from wecom_logging import WeComBotHandler, WeComHandler
from wecom_logging import _build as build
from wecom_logging._masking import redact
from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.app import BOT_LIMIT, MEMBER_LIMITS

from .programs import CREDENTIALS, app_handler, until, word
from .scripted import ScriptedWeCom, hold


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of this test's own, which keeps its records from the root."""
    logger = logging.getLogger("test.handlers")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def app(sandbox: Sandbox, **options: Any) -> WeComHandler:
    return app_handler(sandbox.url, **options)


def test_no_handler_sends_more_than_the_sandbox_takes(sandbox: Sandbox) -> None:
    """Each has the numbers of WeCom's documents for itself."""
    bot = WeComBotHandler(webhook="a-key", api_base=sandbox.url)
    for handler, limits in ((bot, [BOT_LIMIT]), (app(sandbox), MEMBER_LIMITS)):
        assert handler._pipeline.options.rules == tuple((limit.count, limit.period_s) for limit in limits)
        handler.close()


def test_dict_config_with_nothing_but_documented_keys(sandbox: Sandbox) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "wecom": {
                    "class": "wecom_logging.WeComHandler",
                    "level": "ERROR",
                    "corp_id": "wwsandbox",
                    "agent_id": 1000002,
                    "secret": "sandbox-app-secret",
                    "users": ["sandbox-user"],
                    "api_base": sandbox.url,
                }
            },
            "loggers": {"test.dict": {"handlers": ["wecom"], "propagate": False}},
        }
    )
    logger = logging.getLogger("test.dict")
    (handler,) = logger.handlers
    assert isinstance(handler, WeComHandler)
    try:
        logger.warning("below the level")
        try:
            {}["missing"]
        except KeyError:
            logger.exception("it broke")
        assert handler.flush(20.0)
        (message,) = sandbox.messages()
        assert "ERROR test.dict: it broke" in message["content"]
        assert "KeyError: 'missing'" in message["content"]
        assert message["receivers"] == ["sandbox-user"]
        assert handler.stats().delivered == 1
    finally:
        logger.removeHandler(handler)
        handler.close()


def test_everything_can_come_from_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**CREDENTIALS, "WECOM_API_BASE": sandbox.url + "/cgi-bin/"}.items():
        monkeypatch.setenv(name, value)
    for handler in (WeComHandler(), WeComBotHandler()):
        handler.handle(logging.LogRecord("x", 40, "f", 1, "hello", (), None))
        assert handler.flush(20.0)
        handler.close()
    assert {message["channel"] for message in sandbox.messages()} == {"app", "bot"}


def test_disabled_needs_nothing_sends_nothing_and_counts(log: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = WeComHandler(enabled=False)
    log.addHandler(handler)
    log.error("x")
    assert handler.flush()
    assert (handler.stats().accepted, handler.stats().dropped) == (1, {"disabled": 1})
    monkeypatch.setenv("WECOM_ENABLED", "0")
    assert WeComBotHandler().stats().accepted == 0


@pytest.mark.case("E01", "E11")
def test_the_root_at_debug_sees_nothing_of_our_own_traffic(sandbox: Sandbox) -> None:
    root = logging.getLogger()
    seen: list[str] = []

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.name} {record.getMessage()}")

    everything, handler, level = Everything(), app(sandbox), root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(everything)
    root.addHandler(handler)
    try:
        for number in range(3):
            logging.getLogger("mine").debug("different " + "abc"[number] * 2)
        assert handler.flush(20.0)
        assert len(sandbox.messages()) == 3
        assert (handler.stats().accepted, handler.stats().delivered) == (3, 3)
        assert not any("access_token" in line or "sandbox-app-secret" in line for line in seen)
        requests.get(f"{sandbox.url}/sandbox/messages", timeout=5)  # the program's own traffic still alerts
        assert handler.flush(20.0)
        assert any(line.startswith("urllib3") for line in seen)
        assert handler.stats().accepted > 3
    finally:
        root.setLevel(level)
        root.removeHandler(everything)
        root.removeHandler(handler)
        handler.close()


def test_many_threads_and_the_books_balance(sandbox: Sandbox, log: logging.Logger) -> None:
    handler = app(sandbox, rate_limit=None, max_pending=50)
    log.addHandler(handler)

    def noise(number: int) -> None:
        for count in range(50):
            log.error("thread %d failed " + word(count // 2) + word(number), number)

    threads = [threading.Thread(target=noise, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        stats = handler.stats()
        assert stats.pending >= 0
        assert stats.accepted == stats.delivered + stats.merged + sum(stats.dropped.values()) + stats.pending
    assert handler.flush(20.0)
    stats = handler.stats()
    assert (stats.accepted, stats.pending) == (400, 0)
    assert stats.delivered + stats.merged + stats.dropped.get("queue_overflow", 0) == 400


def test_nothing_starts_before_the_first_alert_and_a_closed_handler_leaves_no_thread(
    sandbox: Sandbox, log: logging.Logger
) -> None:
    handler = app(sandbox)
    log.addHandler(handler)
    worker = handler._pipeline._worker
    assert worker.runner.ident is None
    log.error("x")
    assert handler.flush(20.0)
    thread = worker.runner.ident
    assert thread in sys._current_frames()
    handler.close()
    until(lambda: worker.runner.ident is None and thread not in sys._current_frames())
    assert not worker.runner.running


@contextmanager
def stalled() -> Iterator[tuple[ScriptedWeCom, WeComHandler]]:
    """A WeCom that answers when it is released, and a handler for it. Whoever waits for the answer fails."""
    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/message/send", hold())
        handler, began = app_handler(wecom.url, timeout=30, exit_timeout=30), time.monotonic()
        yield wecom, handler
        assert time.monotonic() - began < 20


def test_close_does_not_wait_and_what_was_accepted_still_arrives(log: logging.Logger) -> None:
    with stalled() as (wecom, handler):
        log.addHandler(handler)
        log.error("x")
        handler.close()
        wecom.release()
        until(lambda: handler.stats().delivered == 1)
        log.error("too late")
        assert handler.stats().dropped == {"closed": 1}


def test_flush_returns_false_when_the_time_is_over(log: logging.Logger) -> None:
    with stalled() as (wecom, handler):
        log.addHandler(handler)
        log.error("x")
        assert handler.flush(0.05) is False
        wecom.release()
        assert handler.flush(20.0) is True
        assert handler.flush(0.0) is True


def test_dict_config_and_shutdown_do_not_wait_for_the_network(log: logging.Logger) -> None:
    with stalled() as (wecom, handler):
        log.addHandler(handler)
        log.error("x")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        logging.shutdown([lambda: handler])
        wecom.release()
        until(lambda: handler.stats().delivered == 1)


@pytest.mark.case("E03")
@pytest.mark.case("C23")
def test_the_secret_of_a_handler_that_has_sent_nothing_is_masked_in_what_another_sends(
    sandbox: Sandbox, log: logging.Logger
) -> None:
    handler = app_handler(sandbox.url)
    log.addHandler(handler)
    for secret in ("warmgreenmeadow", "coldgreymeadow"):
        silent = WeComBotHandler(webhook=secret, api_base=sandbox.url)
        log.error("the meadow is %s", secret)
        assert handler.flush(20.0)
        silent.close()
    told = [message["content"] for message in sandbox.messages()]
    assert [text.count("the meadow is ***") for text in told] == [1, 1]
    assert not any(secret in text for text in told for secret in ("warmgreenmeadow", "coldgreymeadow"))


def test_no_secret_shows_while_a_mask_learns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = build._mask([], False)
    assert mask("the meadow") == "the meadow"
    monkeypatch.setitem(build.secrets_of_all, "warmgreenmeadow", None)
    seen: list[str] = []

    def amid(*secrets: str) -> None:
        monkeypatch.undo()
        build.secrets_of_all["warmgreenmeadow"] = None
        seen.append(mask("the meadow is warmgreenmeadow"))

    monkeypatch.setattr(redact, "remember", amid)
    mask("the meadow is warmgreenmeadow")
    seen.append(mask("the meadow is warmgreenmeadow"))
    assert set(seen) == {"the meadow is ***"}


def test_a_filter_may_give_another_record_in_its_place(sandbox: Sandbox, log: logging.Logger) -> None:
    handler = app(sandbox)
    log.addHandler(handler)

    class Replacing(logging.Filter):
        def filter(self, record: logging.LogRecord) -> Any:  # from Python 3.12 on
            return logging.LogRecord("other", 40, "f", 1, "in its place", (), None)

    handler.addFilter(Replacing())
    handler.filter = Replacing().filter
    log.error("the first")
    assert handler.flush(20.0)
    assert "other: in its place" in sandbox.messages()[0]["content"]


@pytest.mark.case("E03")
def test_a_user_filter_that_raises_does_not_hide_the_record(
    sandbox: Sandbox, log: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = app(sandbox)
    log.addHandler(handler)

    class Broken(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("canary")

    handler.addFilter(Broken())
    log.error("still told")
    assert handler.flush(20.0)
    assert "still told" in sandbox.messages()[0]["content"]
    said = capfd.readouterr().err
    assert "a filter raised RuntimeError" in said
    assert "canary" not in said


def test_stock_formatter_text_goes_as_text_masked_and_inert(sandbox: Sandbox, log: logging.Logger) -> None:
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url)
    handler.setFormatter(logging.Formatter("%(levelname)s|%(message)s"))
    log.addHandler(handler)
    log.error("<@all> password=hunter2")
    assert handler.flush(20.0)
    (message,) = sandbox.messages()
    assert message["msgtype"] == "text"
    assert message["content"].splitlines()[0] == "ERROR|＜@all> password=***"


@pytest.mark.parametrize("state", ["memory", "sqlite"])
def test_the_log_call_makes_the_records_own_text_and_masks_only_what_it_writes_ahead(
    sandbox: Sandbox, log: logging.Logger, tmp_path: Path, state: str
) -> None:
    made, masked = set[threading.Thread](), set[threading.Thread]()

    class Own(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            made.add(threading.current_thread())
            return super().format(record)

    def mask(text: str) -> str:
        masked.add(threading.current_thread())
        return text

    url = f"sqlite:///{tmp_path / 'alerts.db'}" if state == "sqlite" else "memory://"
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, redact=mask, state=url)
    handler.setFormatter(Own())
    log.addHandler(handler)
    log.error("disk full")
    here = {threading.current_thread()}
    if state == "sqlite":
        assert masked == here
    assert handler.flush(20.0)
    assert made == here
    assert (masked == here) if state == "sqlite" else (masked and not masked & here)


def test_who_asks_whether_all_is_settled_waits_for_no_function_of_the_program(
    sandbox: Sandbox, log: logging.Logger
) -> None:
    """It may need what the asking thread holds, such as logging's own lock amid a `dictConfig`."""
    entered, may_end = threading.Event(), threading.Event()

    def mask(text: str) -> str:
        entered.set()
        assert may_end.wait(20)
        return text

    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, redact=mask)
    log.addHandler(handler)
    log.error("disk full")
    assert entered.wait(20)
    assert not handler.flush(0)
    may_end.set()
    assert handler.flush(20)
    assert handler.stats().delivered == 1


def test_basic_config_without_a_format_leaves_the_handlers_own_look(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives `logging.BASIC_FORMAT` to each handler that has no formatter: nobody has chosen that."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url)
    logging.basicConfig(handlers=[handler])
    try:
        {}["price"]
    except KeyError:
        root.exception("no price")
    assert handler.flush(20.0)
    handler.close()
    (message,) = sandbox.messages()
    assert message["msgtype"] == "markdown"
    assert "**no price: KeyError: 'price'**" in message["content"].splitlines()[0]


@pytest.mark.case("C23")
def test_a_handler_shows_no_secret_in_its_repr_or_attributes(sandbox: Sandbox) -> None:
    handler = app(sandbox)
    shown = repr(handler) + repr(vars(handler)) + repr(vars(handler._pipeline))
    assert "sandbox-app-secret" not in shown


def test_the_random_numbers_of_the_program_stay_its_own(sandbox: Sandbox, log: logging.Logger) -> None:
    """A training run that is seeded must give the same with us, and two of them must not make the same alert."""
    sandbox.add_fault({"path": "/cgi-bin/message/send", "status": 502, "times": 4})  # a round and a wait
    handler = app_handler(sandbox.url)
    log.addHandler(handler)
    for _ in range(2):
        random.seed(1)
        before = random.getstate()
        log.error("a record")
        log.error("another")
        assert handler.flush(10)
        assert random.getstate() == before
        handler.close()
        log.removeHandler(handler)
        handler = app_handler(sandbox.url)
        log.addHandler(handler)
    numbers = re.findall(r"#([0-9a-z]{4})", "".join(message["content"] for message in sandbox.messages()))
    assert len(numbers) == 4
    assert len(set(numbers)) == 2  # the same failure has the same id, whoever tells it


def test_an_alert_arrives_soon(sandbox: Sandbox, log: logging.Logger) -> None:
    """What a user waits for, loosely: the figures are in the benchmark's hands, this fails where a second is lost."""
    handler = app(sandbox)
    log.addHandler(handler)
    log.error("the first loads the libraries")
    assert handler.flush(20.0)
    took = []
    for number in range(3):  # a busy machine may lose one
        began = time.monotonic()
        log.error(f"the later ones do not: {word(number)}")
        until(lambda number=number: len(sandbox.messages()) == 2 + number)
        took.append(time.monotonic() - began)
    assert min(took) < 1.0


def test_unclosed_handlers_leave_no_resource_warning(sandbox: Sandbox) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        handler = app(sandbox)
        handler.handle(logging.LogRecord("x", 40, "f", 1, "hello", (), None))
        assert handler.flush(20.0)
        handler.close()
        worker = handler._pipeline._worker
        until(lambda: not worker.runner.running)
        del handler
        gc.collect()
