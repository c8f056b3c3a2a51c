"""What a framework does is the same with and without us: retries, results, exit codes and what it prints itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.programs import run
from wecom_logging._sandbox import Sandbox

from ..valkey_server import valkey

START = """
import logging, os, sys
WITH = os.environ["WITH"] == "us"
if WITH:
    from wecom_logging import WeComHandler
    handler = WeComHandler()
    logging.getLogger().addHandler(handler)
logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))  # or logging's last resort writes without us
"""

LOGURU = """
from loguru import logger
logger.remove()
logger.add(sys.stdout, format="{level} {message} {extra}", backtrace=True, diagnose=True)
if WITH:
    from wecom_logging.integrations.loguru import WeComSink
    logger.add(WeComSink(), level="ERROR")
@logger.catch(reraise=True)
def price(order):
    return 1 / (order - order)
logger.bind(order=7).error("no price")
price(7)
"""

STRUCTLOG = """
import structlog
processors = [structlog.processors.add_log_level, structlog.processors.format_exc_info]
if WITH:
    from wecom_logging.integrations.structlog import WeComProcessor
    processors.insert(1, WeComProcessor())
structlog.configure(processors=[*processors, structlog.processors.JSONRenderer()])
log = structlog.get_logger().bind(order=7)
log.info("priced")
try:
    {}["stock"]
except KeyError:
    log.exception("no price")
sys.exit(3)
"""

APSCHEDULER = """
import datetime, threading
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler import events
scheduler = BackgroundScheduler(timezone="UTC")
if WITH:
    from wecom_logging.integrations.apscheduler import listen
    listen(scheduler)
over = threading.Event()
def fails():
    raise ValueError("no price")
def seen(event):
    print(event.code == events.EVENT_JOB_ERROR, event.job_id, repr(event.exception))
    over.set()
scheduler.add_listener(seen, events.EVENT_JOB_ERROR)
scheduler.add_job(fails, id="price", misfire_grace_time=60)
scheduler.start()
assert over.wait(20)
scheduler.get_jobs()  # it has the lock when the scheduler is done with the job
scheduler.shutdown()
"""

DRAMATIQ = """
import dramatiq
from dramatiq.brokers.stub import StubBroker
broker = StubBroker()
if WITH:
    from wecom_logging.integrations.dramatiq import WeComMiddleware
    broker.add_middleware(WeComMiddleware())
dramatiq.set_broker(broker)
tries = []
@dramatiq.actor(max_retries=2, min_backoff=1, max_backoff=1)
def price(order):
    tries.append(order)
    raise ValueError("no price")
logging.getLogger("dramatiq").setLevel("CRITICAL")
worker = dramatiq.Worker(broker, worker_timeout=50)
worker.start()
price.send(7)
broker.join("default", fail_fast=False)
worker.join()
worker.stop()
print(tries, len(broker.dead_letters), broker.dead_letters[0].options["retries"])
"""

RQ = """
sys.path.insert(0, os.environ["SHOP"])
import shop
from redis import Redis
from rq import Queue, Retry, Worker
connection = Redis.from_url(os.environ["SERVER"])
queue = Queue(connection=connection)
job = queue.enqueue(shop.price, 7, retry=Retry(max=2))
more = {}
if WITH:
    from wecom_logging.integrations.rq import WeComExceptionHandler
    more = {"exception_handlers": [WeComExceptionHandler()]}
print(Worker([queue], connection=connection, **more).work(burst=True, logging_level="CRITICAL"))
print(job.get_status().value, connection.llen("tries"), len(queue.failed_job_registry.get_job_ids()))
"""
SHOP = """
import os
from redis import Redis
def price(order):
    Redis.from_url(os.environ["SERVER"]).rpush("tries", order)
    raise ValueError("no price")
"""

CELERY = """
import celery
app = celery.Celery("shop", broker="memory://")
if WITH:
    from wecom_logging.integrations.celery import connect
    connect()
tries = []
@app.task(bind=True, max_retries=2, default_retry_delay=0)
def price(self, order):
    tries.append(self.request.retries)
    try:
        raise LookupError("no stock")
    except LookupError as error:
        raise self.retry(exc=error)
logging.getLogger("celery").setLevel("CRITICAL")
found = price.apply((7,))
print(tries, found.state, repr(found.result))
price.apply((7,), throw=True)
"""

JUPYTER = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.colors = "nocolor"
if WITH:
    shell.run_line_magic("load_ext", "wecom_logging.integrations.jupyter")
first = "%%wecom job\\n" if WITH else "# job\\n"
for text in ("x = 6", "x * 7", "x / 0", "1 +", "raise SystemExit(3)"):
    result = shell.run_cell(first + text, store_history=True)
    print(result.success, result.result, repr(result.error_in_exec), result.execution_count)
"""

HOOKS = """
import threading
if WITH:
    from wecom_logging import install_hooks
    install_hooks()
thread = threading.Thread(target=lambda: 1 / 0, name="crawler")
thread.start()
thread.join()
raise KeyError("stock")
"""

DECORATOR = """
def decorated(function):
    return function
if WITH:
    from wecom_logging import notify_on_exception as decorated
@decorated
def price(order):
    raise ValueError(order)
try:
    price(7)
except ValueError as error:
    print(repr(error), error.__cause__, price.__name__)
price(8)
"""

PROGRAMS = {
    "loguru": (LOGURU, 1),
    "structlog": (STRUCTLOG, 3),
    "APScheduler": (APSCHEDULER, 0),
    "Dramatiq": (DRAMATIQ, 0),
    "Celery": (CELERY, 1),
    "Jupyter": (JUPYTER, 0),
    "hooks": (HOOKS, 1),
    "decorator": (DECORATOR, 1),
}


def printed(text: str) -> list[str]:
    """Lines without frames (a decorator adds one), and without addresses, times of day and numbers of processes."""
    return [
        re.sub(r"0x[0-9a-f]+|(?:[\d-]+ )?\d\d:\d\d:\d\d|\(\d+\)|(?i:pid) \d+|\d{4,}", "#", line)
        for line in text.splitlines()
        if not line.startswith("  ")
    ]


def compare(sandbox: Sandbox, code: str, status: int, **environment: str) -> None:
    without, ours = (run(START + code, url=sandbox.url, WITH=who, **environment) for who in ("nobody", "us"))
    assert (without.status, ours.status) == (status, status), ours.err
    assert printed(ours.out) == printed(without.out)
    assert printed(ours.err) == printed(without.err)
    assert without.out or without.err
    assert sandbox.messages()


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_happens_with_us(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    code, status = PROGRAMS[name]
    compare(sandbox, code, status, IPYTHONDIR=str(tmp_path))


@pytest.mark.slow
def test_the_same_happens_with_us_in_rq(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    outs = []
    for who in ("nobody", "us"):
        with valkey() as server:
            ended = run(START + RQ, url=sandbox.url, WITH=who, SHOP=str(tmp_path), SERVER=server.connection_url)
        assert ended.status == 0, ended.err
        outs.append(ended.out)
    assert outs[0].splitlines()[-1] == "failed 3 1"
    assert outs[0] == outs[1]
    assert sandbox.messages()
