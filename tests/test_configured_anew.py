"""A later logging config: which handlers go on, which are gone, and what a new one takes over."""

from __future__ import annotations

import gc
import json
import logging
import logging.config
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComAIBotHandler, WeComBotHandler, notify_on_exception
from wecom_logging._runtime.threads import of_closed
from wecom_logging._sandbox import Sandbox
from wecom_logging.handlers import live_handlers
from wecom_logging.testing import capture_alerts

from .programs import app_handler, run, until
from .scripted import ScriptedWeCom

LOGGER = "configured"


@pytest.fixture
def log(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """A logger, and a WeCom in the environment."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    logger = logging.getLogger(LOGGER)
    logger.propagate = False
    yield logger
    for handler in [*logger.handlers, *live_handlers()]:
        logger.removeHandler(handler)
        handler.close()


def config(kind: str = "WeComBotHandler", **options: Any) -> dict[str, Any]:
    """A logging config with a handler."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"alerts": {"class": f"wecom_logging.{kind}", **options}},
        "loggers": {LOGGER: {"handlers": ["alerts"]}},
    }


FOREIGN: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.NullHandler"}},
    "loggers": {"uvicorn": {"handlers": ["console"]}},
}
"""That of a server, which names its own loggers."""
WITHOUT: dict[str, Any] = {**FOREIGN, "loggers": {LOGGER: {"handlers": ["console"]}}}
"""One that takes the handler away."""


def the_handler(log: logging.Logger) -> WeComBotHandler:
    (handler,) = log.handlers
    assert isinstance(handler, WeComBotHandler)
    return handler


def texts(sandbox: Sandbox) -> list[str]:
    return [message["content"].splitlines()[0] for message in sandbox.messages()]


def shut_down(handler: logging.Handler) -> None:
    logging.shutdown([lambda: handler])


@pytest.mark.parametrize(
    "close", [lambda _: logging.config.dictConfig(FOREIGN), shut_down], ids=["dictConfig", "logging.shutdown"]
)
def test_a_handler_that_logging_has_closed_goes_on(
    sandbox: Sandbox, log: logging.Logger, capfd: pytest.CaptureFixture[str], close: Callable[[logging.Handler], None]
) -> None:
    handler = WeComBotHandler()
    log.addHandler(handler)
    log.error("before")
    assert handler.flush(20)
    close(handler)
    log.error("before")
    log.error("after")
    assert handler.flush(20)
    before, again, after = texts(sandbox)
    assert ("before" in before, "× 1, 2 in all" in again, "after" in after) == (True, True, True)
    stats = handler.stats()
    assert (stats.accepted, stats.delivered, stats.merged, stats.dropped) == (3, 2, 1, {})
    assert capfd.readouterr().err == ""


def test_what_is_found_by_name_or_without_one_is_found_after_a_foreign_config(
    sandbox: Sandbox, log: logging.Logger
) -> None:
    logging.config.dictConfig(config())
    logging.config.dictConfig(FOREIGN)
    for number, handler in enumerate((None, "alerts")):
        with pytest.raises(KeyError), notify_on_exception(handler=handler):
            raise KeyError(number)
    assert the_handler(log).flush(20)
    assert len(texts(sandbox)) == 2


def test_hooks_reach_those_that_a_logger_has_or_else_those_that_the_program_has(log: logging.Logger) -> None:
    alone = WeComBotHandler()
    logging.config.dictConfig(FOREIGN)
    assert live_handlers() == [alone]
    logging.config.dictConfig(config(service="shop"))
    logging.config.dictConfig(config(service="bank"))
    assert live_handlers() == log.handlers


def test_a_child_forked_after_a_foreign_config_tells_its_own(sandbox: Sandbox) -> None:
    code = f"""
    import logging.config, os
    from wecom_logging import WeComBotHandler
    logging.getLogger().addHandler(WeComBotHandler())
    logging.config.dictConfig({FOREIGN})
    logging.error("parent")
    if (child := os.fork()) == 0:
        logging.config.dictConfig({FOREIGN})
        logging.error("child")
    else:
        os.waitpid(child, 0)
    """
    ended = run(code, url=sandbox.url)
    assert (ended.status, ended.err.count("wecom_logging")) == (0, 0)
    assert sorted(text.partition("**")[2] for text in texts(sandbox)) == ["child**", "parent**"]


def test_a_fallback_that_no_logger_has_outlives_a_foreign_config(sandbox: Sandbox, log: logging.Logger) -> None:
    given = config("WeComHandler", users=["nobody"], fallback="group")
    given["handlers"]["group"] = {"class": "wecom_logging.WeComBotHandler"}
    logging.config.dictConfig(given)
    logging.config.dictConfig(FOREIGN)
    gc.collect()
    log.error("hello")
    until(lambda: "hello" in "".join(texts(sandbox)))
    logging.config.dictConfig(WITHOUT)
    gc.collect()
    assert live_handlers() == []


def test_the_same_config_again_tells_what_was_told_once(sandbox: Sandbox, log: logging.Logger) -> None:
    gone = []
    for _ in range(6):
        logging.config.dictConfig(config())
        log.error("stock is empty")
        until(lambda: the_handler(log).stats().delivered == 1)
        gone.append(weakref.ref(the_handler(log)))
    gc.collect()  # logging's own config goes round in a circle
    stats = the_handler(log).stats()
    assert (stats.accepted, stats.delivered, len(texts(sandbox))) == (6, 1, 1)
    assert the_handler(log).flush(20)
    assert "× 5, 6 in all" in texts(sandbox)[1]
    assert [handler() for handler in gone[:-1]] == [None] * 5


def test_a_config_that_comes_back_goes_on_where_it_was(sandbox: Sandbox, log: logging.Logger) -> None:
    logging.config.dictConfig(config())
    log.error("stock is empty")
    log.error("stock is empty")
    handler, thread = weakref.ref(the_handler(log)), the_handler(log)._pipeline._worker.runner
    of_handler = weakref.ref(the_handler(log)._pipeline._worker)
    until(lambda: len(texts(sandbox)) == 1)
    logging.config.dictConfig(WITHOUT)
    gc.collect()
    assert handler() is None
    until(lambda: len(texts(sandbox)) == 2)  # what was only counted is told when the handler is gone
    until(lambda: thread.ident is None)  # and with it its thread
    until(lambda: of_handler() not in of_closed._workers)  # other tests may have left it more
    logging.config.dictConfig(config())
    log.error("stock is empty")
    log.error("something else")
    until(lambda: len(texts(sandbox)) == 3)
    assert the_handler(log).stats().accepted == 4
    worker = the_handler(log)._pipeline._worker
    until(lambda: worker.runner is thread and thread.ident is not None)


def test_two_that_are_alike_go_on_each_with_its_own(log: logging.Logger) -> None:
    given = config()
    given["handlers"]["second"] = given["handlers"]["alerts"]
    given["loggers"][LOGGER]["handlers"] = ["alerts", "second"]
    logging.config.dictConfig(given)
    log.handlers[1].handle(logging.LogRecord("x", 40, "x.py", 1, "x", (), None))
    logging.config.dictConfig(given)
    assert [handler.stats().accepted for handler in log.handlers] == [0, 1]


def mask(text: str) -> str:
    return text


APP: dict[str, Any] = {"users": ["sandbox-user"], "service": "shop", "redact": mask}


@pytest.mark.parametrize(
    "other",
    [
        {"users": ["zhangsan"]},
        {"service": "bank"},
        {"secret": "another"},
        {"agent_id": 1000003},
        {"api_base": "http://127.0.0.1:9"},
        {"routes": [{"level": "CRITICAL", "tags": [1]}]},
        {"redact": str},
        {"window": 61},
        {"fallback": "group"},
        {"rate_limit": "10/minute"},
        {"on_outcome": print},
        {"overflow": "file"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_one_with_another_option_begins_anew(log: logging.Logger, other: dict[str, Any]) -> None:
    logging.config.dictConfig(config("WeComHandler", **APP))
    first = log.handlers[0]
    logging.config.dictConfig(config("WeComHandler", **APP))
    second = log.handlers[0]
    logging.config.dictConfig(config("WeComHandler", **{**APP, **other}))
    third = log.handlers[0]
    assert first._pipeline is second._pipeline is not third._pipeline


class Incomparable:
    def __call__(self, text: str) -> str:
        return text

    def __eq__(self, other: object) -> bool:
        raise ValueError("the truth of an array is ambiguous")


def test_a_function_that_cannot_be_compared_begins_anew(log: logging.Logger) -> None:
    pipelines = []
    for _ in range(2):
        logging.config.dictConfig(config(redact=Incomparable()))
        pipelines.append(the_handler(log)._pipeline)
    assert pipelines[0] is not pipelines[1]


def test_an_ai_bot_is_heard_for_the_chats_of_one_handler(log: logging.Logger) -> None:
    def made(chat: str) -> WeComAIBotHandler:
        logging.config.dictConfig(config("WeComAIBotHandler", bot_id="b", secret="s", chats=[chat]))
        (handler,) = log.handlers
        assert isinstance(handler, WeComAIBotHandler)
        return handler

    first, second = made("a"), made("a")
    assert first._pipeline is second._pipeline is not made("b")._pipeline
    hears = second._reception()
    assert hears is not None
    assert [one.chats for one in hears._joined] == [{"a"}, {"b"}]


def test_another_class_begins_anew_and_the_look_is_that_of_the_new_one(log: logging.Logger) -> None:
    class Mine(WeComBotHandler):
        pass

    def made(kind: type[WeComBotHandler], formatter: logging.Formatter | None) -> WeComBotHandler:
        handler = kind()
        handler.setFormatter(formatter)
        shut_down(handler)
        return handler

    first = made(WeComBotHandler, logging.Formatter("%(name)s"))
    assert made(Mine, None)._pipeline is not first._pipeline
    again = WeComBotHandler()
    assert again._pipeline is not None
    assert again._pipeline is first._pipeline
    assert (again._pipeline.collector.formatter, again._pipeline.looks.markdown) == (None, True)


def test_every_other_close_is_final(log: logging.Logger) -> None:
    first = app_handler("http://127.0.0.1:9")
    first.close()
    shut_down(first)
    second = app_handler("http://127.0.0.1:9")
    assert second._pipeline is not first._pipeline
    shut_down(second)
    third = app_handler("http://127.0.0.1:9")
    assert third._pipeline is second._pipeline
    assert [one for one in live_handlers() if one in (first, second, third)] == [third]
    second.close()
    for handler in (first, second):
        handler.handle(logging.LogRecord("x", 40, "x.py", 1, "x", (), None))
    assert first.stats().dropped == third.stats().dropped == {"closed": 1}
    third.handle(logging.LogRecord("x", 40, "x.py", 1, "x", (), None))
    assert third.stats().dropped == {"closed": 1}
    third._pipeline.give_up()  # else the exit of the tests waits for it


def test_captured_alerts_begin_anew_whatever_was_configured_before(log: logging.Logger) -> None:
    for _ in range(2):
        with capture_alerts() as alerts:
            logging.config.dictConfig(config())
            log.error("stock is empty")
            assert [text.splitlines()[0].partition("**")[2] for text in alerts.texts] == ["stock is empty**"]
        logging.config.dictConfig(WITHOUT)


AGAIN_AND_AGAIN = """
import gc, json, logging, logging.config, os, resource, sys, time
from wecom_logging._delivery.pipeline import Pipeline
log = logging.getLogger("shop")

def configured(options):
    logging.config.dictConfig({
        "version": 1, "disable_existing_loggers": False,
        "handlers": {"alerts": {"class": "wecom_logging.WeComBotHandler", "rate_limit": None, **options}},
        "loggers": {"shop": {"handlers": ["alerts"], "propagate": False}},
    })

def figures():
    gc.collect()
    while len(os.listdir("/proc/self/task")) > 2 + len(fixed):
        time.sleep(0.01)
    gc.collect()
    with open("/proc/self/statm") as file:
        kib = int(file.read().split()[1]) * resource.getpagesize() // 1024
    pipelines = sum(isinstance(one, Pipeline) for one in gc.get_objects())
    return len(os.listdir("/proc/self/fd")), kib, pipelines

fixed, seen = os.listdir("/proc/self/task")[1:], []
for number in range(121):
    configured({"service": {"service": f"shop {number}"}, "channel": {"webhook": f"key-{number}"},
                "state": {"state": f"sqlite:///{FOLDER}/alerts.db"}}.get(KIND, {}))
    log.error("stock of %d is empty", number % 7)
    log.error("stock of %d is empty", number % 7)
    if KIND != "state" or number % 60 == 0:  # there it takes its time
        assert log.handlers[0].flush(20)
    if number % 60 == 0 and number:
        seen.append(figures())
print(json.dumps(seen))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["same", "state", "service", "channel"])
def test_configs_without_end_leave_no_thread_no_file_and_no_memory(kind: str, tmp_path: Path) -> None:
    with ScriptedWeCom() as wecom:
        ended = run(f"KIND, FOLDER = {kind!r}, {str(tmp_path)!r}\n{AGAIN_AND_AGAIN}", url=wecom.url)
    assert ended.status == 0, ended.err
    (files, kib, _), (files_later, kib_later, pipelines) = json.loads(ended.out)
    assert files_later <= files
    assert kib_later - kib < 2048
    assert pipelines <= 1 + (0 if kind in ("same", "state") else 32)  # 16 are kept, and of 121 some are about to end
