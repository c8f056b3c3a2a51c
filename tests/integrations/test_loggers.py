"""Other ways to log, real ones: loguru and structlog say what they know; Prometheus shows the books."""

from __future__ import annotations

import pytest
import requests
import structlog

from tests.programs import run
from wecom_logging._sandbox import Sandbox

START = """
import logging, sys
from wecom_logging import WeComHandler
handler = WeComHandler()
"""


def told(sandbox: Sandbox, code: str) -> list[str]:
    ended = run(START + code, url=sandbox.url)
    assert ended.status == 0, ended.err
    return [one["content"] for one in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]


@pytest.mark.slow
@pytest.mark.parametrize("enqueue", [False, True])
def test_loguru(sandbox: Sandbox, enqueue: bool) -> None:
    (text,) = told(
        sandbox,
        f"""
from loguru import logger
from wecom_logging.integrations.loguru import WeComSink
logger.remove()
logger.add(WeComSink(), level="ERROR", enqueue={enqueue}, diagnose=True, backtrace=True)
def price(order, secret_code):
    try:
        1 / (order - order)
    except ZeroDivisionError:
        logger.bind(order=order, password="canary-word-1c2b").exception("no price for {{}}", order)
logger.info("all is well")
price(7, "canary-local-77aa")
logger.complete()
""",
    )
    assert "no price for 7" in text
    assert "order: 7" in text
    assert "ZeroDivisionError: division by zero" in text
    assert ("│   ＜string>:12 in price" in text) is (not enqueue)  # loguru's queue keeps no frames
    assert "canary" not in text


@pytest.mark.slow
def test_loguru_with_values_that_fit_nowhere(sandbox: Sandbox) -> None:
    first, second = told(
        sandbox,
        """
import pickle
from loguru import logger
from wecom_logging.integrations.loguru import WeComSink
logger.remove()
logger.add(WeComSink(), catch=False)
logger.bind(order=7, wecom={"fields": None, "title": "stock"}).error("no price")
logger.remove()
logger.add(WeComSink(), enqueue=True)
class NoStock(Exception):
    def __reduce__(self):
        raise pickle.PicklingError("it goes through no queue")
try:
    raise NoStock
except NoStock:
    logger.exception("no stock")
logger.complete()
""",
    )
    assert "stock" in first.splitlines()[0]
    assert "order: 7" in first
    assert "NoStock" in second


@pytest.mark.slow
def test_structlog_with_fields_that_are_none(sandbox: Sandbox) -> None:
    (text,) = told(
        sandbox,
        """
import structlog
from wecom_logging.integrations.structlog import WeComProcessor
structlog.configure(processors=[WeComProcessor(), structlog.processors.JSONRenderer()])
structlog.get_logger().error("no price", order=7, wecom={"fields": None})
""",
    )
    assert "order: 7" in text


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(structlog.stdlib.BoundLogger, "aerror"), reason="this structlog has none")
def test_structlog_with_await_says_who_has_logged(sandbox: Sandbox) -> None:
    (text,) = told(
        sandbox,
        """
import asyncio
import structlog
from wecom_logging.integrations.structlog import WeComProcessor
structlog.configure(processors=[WeComProcessor(), structlog.processors.JSONRenderer()])
async def price():
    await structlog.get_logger().aerror("no price")
asyncio.run(price())
""",
    )
    assert "＜string>:11 in price" in text
    assert "concurrent" not in text


def test_structlog(sandbox: Sandbox) -> None:
    (text,) = told(
        sandbox,
        """
import structlog
from wecom_logging.integrations.structlog import WeComProcessor
from structlog.processors import JSONRenderer, add_log_level
structlog.configure(processors=[add_log_level, WeComProcessor(), JSONRenderer()])
log = structlog.get_logger().bind(order=7, password="canary-word-1c2b")
handler.setLevel("WARNING")
log.info("all is well")
def price():
    try:
        {}["stock"]
    except KeyError:
        log.exception("no price")
price()
""",
    )
    assert "ERROR" in text
    assert "no price" in text
    assert "order: 7" in text
    assert "KeyError: 'stock'" in text
    assert "in price" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "processors",
    [
        "format_exc_info, structlog.processors.JSONRenderer()",
        "dict_tracebacks, structlog.processors.JSONRenderer()",
        "TimeStamper(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter",
    ],
)
def test_structlog_on_top_of_logging_says_its_event_in_the_first_line(sandbox: Sandbox, processors: str) -> None:
    failed, other = told(
        sandbox,
        f"""
import structlog
structlog.configure(
    processors=[structlog.stdlib.add_log_level, structlog.processors.{processors}],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
logging.getLogger().addHandler(handler)
log = structlog.get_logger("shop").bind(order=7, password="canary-word-1c2b")
def price():
    try:
        {{}}["stock"]
    except KeyError:
        log.error("no price", exc_info=True)
price()
logging.getLogger("shop").error('{{"event": 7, "of": "another kind"}}')
""",
    )
    assert failed.splitlines()[0].endswith("ERROR shop: no price: KeyError: 'stock'")
    assert "│ order: 7\n" in failed
    assert "in price" in failed
    assert "canary" not in failed
    assert '"of": "another kind"' in other


def test_structlog_s_own_formatter_gets_its_own_records(sandbox: Sandbox) -> None:
    (text,) = told(
        sandbox,
        """
import structlog
structlog.configure(
    processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
)
handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.processors.KeyValueRenderer()))
logging.getLogger().addHandler(handler)
structlog.get_logger("shop").error("no price", order=7)
""",
    )
    assert "event='no price'" in text
    assert "order=7" in text


def test_prometheus_shows_the_books(sandbox: Sandbox, tmp_path: object) -> None:
    ended = run(
        START
        + f"""
handler.set_name("main")
from prometheus_client import CollectorRegistry, generate_latest
from wecom_logging.integrations.prometheus import WeComCollector
registry = CollectorRegistry()
registry.register(WeComCollector())
log = logging.getLogger("shop")
log.addHandler(handler)
for number in range(5):
    log.error("order %d", number)
other = WeComHandler(state="sqlite://{tmp_path}/alerts.db")
other.set_name("shared")
handler.flush(10)
handler.close()
logging.getLogger("shop").error("late")
print(generate_latest(registry).decode())
""",
        url=sandbox.url,
    )
    assert ended.status == 0, ended.err
    assert 'wecom_state_up{handler="shared"} 1.0' in ended.out
    assert 'wecom_alerts_pending{handler="shared"} 0.0' in ended.out
    assert 'wecom_alerts_total{handler="shared",outcome="delivered"} 0.0' in ended.out
