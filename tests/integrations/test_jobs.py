"""Frameworks that run jobs, real ones: a job that fails for good is one alert that says which."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.programs import CREDENTIALS, ROOT, run, running, until
from tests.scripted import ScriptedWeCom, after, ok
from wecom_logging._sandbox import Sandbox

from ..valkey_server import valkey

pytestmark = pytest.mark.slow

START = """
import logging, threading, time
from wecom_logging import WeComHandler
handler = WeComHandler()
logging.getLogger().addHandler(handler)
"""


def told(sandbox: Sandbox) -> list[str]:
    return [one["content"] for one in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]


def program(sandbox: Sandbox, code: str) -> str:
    ended = run(START + code, url=sandbox.url)
    assert ended.status == 0, ended.err
    return ended.out


def test_apscheduler_tells_what_fails_was_missed_or_has_no_room(sandbox: Sandbox) -> None:
    program(
        sandbox,
        """
import datetime
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from wecom_logging.integrations.apscheduler import listen
now = datetime.datetime.now(datetime.timezone.utc)
seen = threading.Event()
go_on = threading.Event()
def fails():
    raise ValueError("no price")
def fails_too():
    raise ValueError("no weight")
def lasts():
    go_on.wait(20)
scheduler = BackgroundScheduler(timezone="UTC", executors={"slow": ThreadPoolExecutor(1)})
listen(scheduler)
scheduler.add_job(fails, id="price", misfire_grace_time=60)
scheduler.add_job(fails_too, id="weight", misfire_grace_time=60, executor="slow")
scheduler.add_job(fails, "date", run_date=now - datetime.timedelta(hours=2), id="late", misfire_grace_time=1)
scheduler.add_job(lasts, "interval", seconds=0.2, id="stock", max_instances=1)
scheduler.add_listener(lambda event: seen.set(), EVENT_JOB_MAX_INSTANCES)
scheduler.start()
assert seen.wait(20)
go_on.set()
scheduler.shutdown()
""",
    )
    texts = told(sandbox)
    (failed,) = [text for text in texts if "ValueError: no price" in text]
    assert failed.split("\n")[0].endswith(': Job "price" raised an exception: ValueError: no price')
    assert "job: price" in failed
    assert "function: __main__:fails" in failed
    (weight,) = [text for text in texts if "ValueError: no weight" in text]
    assert "job: weight" in weight
    (late,) = [text for text in texts if "job: late" in text]
    assert "was missed by" in late
    (stock,) = [text for text in texts if "job: stock" in text]
    assert "maximum number of running instances reached" in stock
    assert "function: __main__:lasts" in stock
    assert len(texts) == 4


def test_apscheduler_tells_once_and_of_each_job_where_its_own_log_does_not_reach_us(sandbox: Sandbox) -> None:
    program(
        sandbox,
        """
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from wecom_logging.integrations.apscheduler import listen
logging.getLogger().removeHandler(handler)
logging.getLogger().addHandler(logging.NullHandler())
def fails():
    raise ValueError("no price")
def misses():
    pass
scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(1)})
listen(scheduler)
scheduler.add_job(fails, id="price", misfire_grace_time=60)
for name in ("monday", "tuesday"):
    scheduler.add_job(misses, "date", run_date="2020-01-01", id=name)
over = [threading.Event() for _ in range(3)]
events = iter(over)
scheduler.add_listener(lambda event: next(events).set(), EVENT_JOB_ERROR | EVENT_JOB_MISSED)
scheduler.start()
assert over[-1].wait(20)
scheduler.shutdown()
""",
    )
    texts = sorted(text.partition(": ")[2].splitlines()[0] for text in told(sandbox))
    assert texts == [
        "job monday missed its run",
        "job price failed: ValueError: no price",
        "job tuesday missed its run",
    ]
    assert all("function: __main__:" in text for text in told(sandbox))


def test_apscheduler_tells_a_failure_while_its_job_store_is_away(sandbox: Sandbox) -> None:
    program(
        sandbox,
        """
logging.getLogger("apscheduler").setLevel("CRITICAL")
from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from wecom_logging.integrations.apscheduler import listen
class Away(MemoryJobStore):
    def lookup_job(self, job_id):
        raise OSError("no database")
def fails():
    raise ValueError("no price")
scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": Away()})
listen(scheduler)
over = threading.Event()
scheduler.add_listener(lambda event: over.set(), EVENT_JOB_ERROR)
scheduler.start()
scheduler.add_job(fails, id="price", misfire_grace_time=60)
assert over.wait(20)
scheduler.shutdown()
""",
    )
    (text,) = told(sandbox)
    assert "job price failed: ValueError: no price" in text


def test_dramatiq_tells_after_the_last_retry(sandbox: Sandbox) -> None:
    out = program(
        sandbox,
        """
handler.setLevel("WARNING")
import dramatiq
from dramatiq.brokers.stub import StubBroker
from wecom_logging.integrations.dramatiq import WeComMiddleware
broker = StubBroker(middleware=[dramatiq.middleware.Retries()])
broker.add_middleware(WeComMiddleware())
dramatiq.set_broker(broker)
tries = []
@dramatiq.actor(max_retries=2, min_backoff=1, max_backoff=1)
def price(order, password):
    tries.append(order)
    raise ValueError("no price")
@dramatiq.actor(throws=(LookupError,))
def expected():
    raise LookupError("sold out")
@dramatiq.actor(max_retries=2, min_backoff=1, max_backoff=1)
def weigh():
    tries.append("weigh")
    if tries.count("weigh") == 1:
        raise ValueError("no weight")
worker = dramatiq.Worker(broker, worker_timeout=50)
worker.start()
expected.send()
weigh.send()
price.send(7, password="canary-word-1c2b")
broker.join("default", fail_fast=False)
worker.join()
worker.stop()
print(len(tries))
""",
    )
    assert out == "5\n"
    (text,) = told(sandbox)
    assert "actor price failed: ValueError: no price" in text
    assert "tries: 3" in text
    assert "canary" not in text


def test_dramatiq_tells_at_once_where_nothing_is_tried_again(sandbox: Sandbox) -> None:
    program(
        sandbox,
        """
import dramatiq
from dramatiq.brokers.stub import StubBroker
from wecom_logging.integrations.dramatiq import WeComMiddleware
handler.setLevel("ERROR")
broker = StubBroker(middleware=[])
broker.add_middleware(WeComMiddleware())
dramatiq.set_broker(broker)
@dramatiq.actor
def price(order):
    raise ValueError("no price")
worker = dramatiq.Worker(broker, worker_timeout=50)
worker.start()
price.send(7)
broker.join("default", fail_fast=False)
worker.join()
worker.stop()
""",
    )
    (text,) = told(sandbox)
    assert "actor price failed: ValueError: no price" in text
    assert "tries: 1" in text


RQ = """
import logging, os
from wecom_logging import WeComHandler
handler = WeComHandler()
def price(order, password):
    raise ValueError("no price")
class Basket:
    def __setstate__(self, state):
        raise LookupError("of an older version")
def count(basket):
    pass
class Parcel:
    def __repr__(self):
        if "WORKER" in os.environ:
            raise LookupError("it is gone")
        return "Parcel()"
def weigh(parcel):
    raise ValueError("no weight")
"""


def test_rq_tells_what_is_not_tried_again(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(RQ, encoding="utf-8")
    with valkey() as server:
        ended = run(
            """
            import logging, os, sys
            sys.path.insert(0, os.environ["SHOP"])
            import shop
            from redis import Redis
            from rq import Queue, Retry, Worker
            shop.handler.setLevel("ERROR")
            logging.getLogger().addHandler(shop.handler)  # RQ logs each failed try as a text
            from wecom_logging.integrations.rq import WeComExceptionHandler
            connection = Redis.from_url(os.environ["SERVER"])
            queue = Queue(connection=connection)
            queue.enqueue(shop.price, 7, password="canary-word-1c2b", retry=Retry(max=1))
            worker = Worker([queue], connection=connection, exception_handlers=[WeComExceptionHandler()])
            worker.work(burst=True)
            print(len(queue.failed_job_registry.get_job_ids()))
            """,
            url=sandbox.url,
            SHOP=str(tmp_path),
            SERVER=server.connection_url,
        )
    assert (ended.status, ended.out) == (0, "1\n"), ended.err
    (text,) = told(sandbox)
    assert "job shop.price failed: ValueError: no price" in text
    assert "queue: default" in text
    assert "canary" not in text


RQ_PROCESSES = """
import logging, os, signal
from wecom_logging import WeComHandler
handler = WeComHandler(level="WARNING")
logging.getLogger().addHandler(handler)
def survives(order):
    try:
        raise LookupError("no stock")
    except LookupError:
        logging.getLogger("shop").exception("the order waits")
def leaves(order):
    os._exit(3)
def dies(order):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_rq_s_worker_sends_what_a_job_logs_and_how_its_process_died(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(RQ_PROCESSES, encoding="utf-8")
    with valkey() as server:
        ended = run(
            """
            import os, sys
            sys.path.insert(0, os.environ["SHOP"])
            import shop
            from redis import Redis
            from rq import Queue, Retry
            from wecom_logging.integrations.rq import WeComWorker
            connection = Redis.from_url(os.environ["SERVER"])
            queue = Queue(connection=connection)
            queue.enqueue(shop.survives, 7)
            queue.enqueue(shop.leaves, 7, retry=Retry(max=1))
            queue.enqueue(shop.dies, 7)
            while queue.count:  # RQ 2.0 ends where the process of a job has died
                WeComWorker([queue], connection=connection).work(burst=True)
            """,
            url=sandbox.url,
            SHOP=str(tmp_path),
            SERVER=server.connection_url,
        )
    assert ended.status == 0, ended.err
    (logged,) = [text for text in told(sandbox) if "its process" not in text and "ERROR rq.worker: " not in text]
    died = [text for text in told(sandbox) if "its process" in text]
    assert "the order waits" in logged
    assert "LookupError: no stock" in logged
    assert sorted(text.splitlines()[0].partition("ERROR ")[2] for text in died) == [
        "rq: job shop.dies failed: its process was killed by SIGKILL",
        "rq: job shop.leaves failed: its process ended with exit code 3",
    ]
    assert all("args: shop." in text and "queue: default" in text for text in died)


@pytest.mark.parametrize("state", ["sqlite", "redis"])
def test_rq_s_worker_with_a_state_sends_one_alert_of_jobs_that_fail_alike(
    sandbox: Sandbox, tmp_path: Path, state: str
) -> None:
    (tmp_path / "shop.py").write_text(RQ, encoding="utf-8")
    with valkey() as server:
        ended = run(
            """
            import os, sys
            sys.path.insert(0, os.environ["SHOP"])
            import shop
            from redis import Redis
            from rq import Queue
            from wecom_logging.integrations.rq import WeComWorker
            connection = Redis.from_url(os.environ["SERVER"])
            queue = Queue(connection=connection)
            for order in range(3):
                queue.enqueue(shop.price, order, "")
            WeComWorker([queue], connection=connection).work(burst=True, logging_level="CRITICAL")
            print(len(queue.failed_job_registry.get_job_ids()))
            """,
            url=sandbox.url,
            SHOP=str(tmp_path),
            SERVER=server.connection_url,
            WECOM_STATE=f"sqlite://{tmp_path}/alerts" if state == "sqlite" else server.connection_url,
        )
    assert (ended.status, ended.out, ended.err) == (0, "3\n", "")
    (text,) = told(sandbox)
    assert "job shop.price failed: ValueError: no price" in text


def test_rq_keeps_a_job_whose_arguments_cannot_be_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(RQ, encoding="utf-8")
    with valkey() as server:
        ended = run(
            """
            import os, sys
            sys.path.insert(0, os.environ["SHOP"])
            import shop
            from redis import Redis
            from rq import Queue, Worker
            from wecom_logging.integrations.rq import WeComExceptionHandler
            connection = Redis.from_url(os.environ["SERVER"])
            queue = Queue(connection=connection)
            basket = shop.Basket()
            basket.items = 3
            jobs = [queue.enqueue(shop.count, basket), queue.enqueue(shop.weigh, shop.Parcel())]
            os.environ["WORKER"] = "1"
            worker = Worker([queue], connection=connection, exception_handlers=[WeComExceptionHandler()])
            worker.work(burst=True, logging_level="CRITICAL")
            print(*(job.latest_result().exc_string.splitlines()[-1] for job in jobs))
            """,
            url=sandbox.url,
            SHOP=str(tmp_path),
            SERVER=server.connection_url,
        )
    assert (ended.status, ended.out) == (0, "rq.exceptions.DeserializationError ValueError: no weight\n"), ended.err
    basket, parcel = sorted(told(sandbox))
    assert "DeserializationError" in basket
    assert "LookupError: of an older version" in basket
    assert "job shop.weigh failed: ValueError: no weight" in parcel
    assert "args: (not to be found out: LookupError)" in parcel


CELERY = """
import logging, logging.config, os, sys
import celery
from wecom_logging.integrations.celery import connect
logging.config.dictConfig({
    "version": 1,
    "handlers": {"wecom": {"class": "wecom_logging.WeComHandler"}},
    "root": {"handlers": ["wecom"], "level": "ERROR"},
})
connect()
app = celery.Celery("shop", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
@app.task(bind=True, max_retries=2, default_retry_delay=0)
def price(self, order, password=""):
    if order == 1:
        try:
            raise LookupError("no stock")
        except LookupError as error:
            raise self.retry(exc=error)
    if order == 2:
        raise ValueError("no price")
    logging.getLogger("shop").error("order %d is odd", order)
@app.task
def end():
    app.control.shutdown()
"""


@contextmanager
def celery_worker(
    wecom: Sandbox | ScriptedWeCom, folder: Path, program: str, send: str, *options: str
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[str], None]]]:
    """A worker of ``shop.py`` for what ``send`` has put into its broker, and what runs more code beside it."""
    (folder / "shop.py").write_text(program, encoding="utf-8")
    with valkey() as broker:
        settings = {
            **CREDENTIALS,
            "WECOM_API_BASE": wecom.url,
            "BROKER": broker.connection_url,
            "PYTHONPATH": f"{ROOT}:{folder}",
            "C_FORCE_ROOT": "1",
        }

        def beside(code: str) -> None:
            subprocess.run([sys.executable, "-c", code], cwd=folder, env=settings, check=True, timeout=120)

        beside(send)
        command = [sys.executable, "-m", "celery", "-A", "shop", "worker", "-l", "ERROR", "--without-mingle", *options]
        with running(command, folder, settings) as worker:
            yield worker, beside


def celery_tells(sandbox: Sandbox, folder: Path, pool: str, program: str, send: str, number: int) -> list[str]:
    """Run a worker until it has told so much; give what it told."""
    with celery_worker(sandbox, folder, program, send, "-P", pool, "-c", "2", "--without-gossip") as (worker, _):
        until(lambda: len(told(sandbox)) >= number, 90)
        worker.terminate()
        assert worker.wait(60) == 0
        texts = told(sandbox)
        assert len(texts) == number
    return texts


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_celery_tells_what_fails_for_good_with_its_task(sandbox: Sandbox, tmp_path: Path, pool: str) -> None:
    send = "import shop\nfor order in (1, 2, 3): shop.price.delay(order, password='canary-word-1c2b')"
    texts = celery_tells(sandbox, tmp_path, pool, CELERY, send, 3)
    (retried,) = [text for text in texts if "no stock" in text]
    (failed,) = [text for text in texts if "no price" in text]
    (logged,) = [text for text in texts if "order 3 is odd" in text]
    assert "retries: 2" in retried
    for text in texts:
        assert "task: shop.price" in text
        assert "id: " in text
        assert "canary" not in text
    assert failed != logged


@pytest.mark.parametrize("call", ["connect()", ""], ids=["connected", "by itself"])
def test_celery_finds_a_handler_that_is_made_after_its_app_as_django_makes_it(
    sandbox: Sandbox, tmp_path: Path, call: str
) -> None:
    """Django reads LOGGING when the worker imports the modules of tasks: then the project's ``celery.py`` is done."""
    imports, _, rest = CELERY.partition("logging.config.dictConfig(")
    config, _, app = rest.partition("connect()\n")
    late = f"""{imports}
from celery import signals
{call}
@signals.import_modules.connect
def configure(**_):
    logging.config.dictConfig({config}{app}"""
    send = "import shop\nfor order in (1, 2, 3): shop.price.delay(order)"
    with celery_worker(sandbox, tmp_path, late, send, "-P", "prefork", "-c", "2", "--without-gossip") as (worker, _):
        until(lambda: len(told(sandbox)) >= 3, 90)
        worker.terminate()
        assert worker.wait(60) == 0
    assert len(told(sandbox)) == 3
    assert "no WeCom handler" not in (tmp_path / "output").read_text()


CELERY_OWN_WAYS = (
    CELERY.replace('"version": 1,', '"version": 1, "disable_existing_loggers": False,')
    + """
import time
@app.task(throws=(LookupError,))
def expected():
    raise LookupError("sold out")
@app.task
def hidden(card, owner=""):
    raise ValueError("no such card")
@app.task(time_limit=1)
def hangs(order):
    time.sleep(60)
"""
)


def test_celery_tells_no_expected_exception_no_hidden_argument_and_a_killed_task_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    send = """
import shop
shop.expected.delay()
shop.hidden.apply_async(("canary-word-1c2b",), {"owner": "canary-word-3d4e"}, argsrepr="(a card)", kwargsrepr="{}")
shop.hangs.delay(7)
"""
    texts = celery_tells(sandbox, tmp_path, "prefork", CELERY_OWN_WAYS, send, 2)
    (hidden,) = [text for text in texts if "no such card" in text]
    assert "args: (a card)" in hidden
    (killed,) = [text for text in texts if "task shop.hangs failed: TimeLimitExceeded" in text]
    assert "id: " in killed
    assert "args: (7,)" in killed
    assert killed.splitlines()[0].endswith("task shop.hangs failed: TimeLimitExceeded(1,)")
    assert not any("canary" in text or "sold out" in text for text in texts)


CELERY_ALONE = """
import logging, os
import celery
from wecom_logging import WeComBotHandler
logging.getLogger("shop").addHandler(WeComBotHandler(rate_limit=None, exit_timeout=20))
app = celery.Celery("shop", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
@app.task
def price(order):
    logging.getLogger("shop").error("order %s is odd", order)
    open(order, "w").close()
"""


@pytest.mark.parametrize("options", [("--max-tasks-per-child", "1"), ()], ids=["recycled", "stopped"])
def test_celery_without_us_leaves_time_for_what_its_processes_have(tmp_path: Path, options: tuple[str, ...]) -> None:
    """At a WeCom that takes a second and a half for each alert; billiard gives a process one second at its end."""
    orders = ["alpha", "bravo", "charlie", "delta"]
    send = f"import shop\nfor order in {orders}: shop.price.delay(order)"
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/webhook/send", after(1.5, ok()))
        with celery_worker(wecom, tmp_path, CELERY_ALONE, send, "-c", "2", "--without-gossip", *options) as (worker, _):
            until(lambda: all((tmp_path / order).exists() for order in orders), 90)
            worker.terminate()
            assert worker.wait(60) == 0
        bodies = b"".join(wecom.bodies("/cgi-bin/webhook/send")).decode()
    assert [order for order in orders if f"order {order} is odd" not in bodies] == []
    assert "wecom_logging:" not in (tmp_path / "output").read_text()
