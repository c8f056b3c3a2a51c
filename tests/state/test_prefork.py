"""Servers that fork their workers, on one state: a thousand failures are counted exactly, with one token."""

from __future__ import annotations

import http.client
import os
import re
import signal
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs import CREDENTIALS, ROOT, run, running, until
from tests.valkey_server import Server
from wecom_logging._sandbox import Sandbox

from .conftest import SHARED
from .test_processes import OPENS, PATIENT, messages, told_in_all

FAILURES = 1000

SHOP = f"""{PATIENT}
import logging, os
from wecom_logging import WeComHandler
logging.getLogger("shop").addHandler(WeComHandler(exit_timeout=10, window=1))
with open("workers", "a") as file:
    file.write("loaded\\n")

def price(order):
    try:
        raise LookupError("no stock")
    except LookupError:
        logging.getLogger("shop").exception("order %d cannot be priced", order)
"""
APPLICATION = """
def application(environ, start_response):
    price(int(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""
TASKS = """
import celery, celery.signals
from wecom_logging.integrations.celery import connect
connect()
app = celery.Celery("shop", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)

@app.task
def fails(order):
    with open("done", "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    raise LookupError("no stock")

@celery.signals.worker_ready.connect
def send(**_):
    for order in range({failures}):
        fails.delay(order)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(save="")
    yield server
    server.close()


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> str:
    with server.client() as client:
        client.flushall()
    return f"sqlite://{tmp_path}/alerts.db" if request.param == "sqlite" else server.url


@contextmanager
def serving(command: list[str], folder: Path, **environment: str) -> Iterator[None]:
    """A server that is to be ended by SIGTERM, and well."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    paths = f"{ROOT}:{folder}:{sysconfig.get_path('purelib')}"
    settings = {**clean, **CREDENTIALS, "PYTHONPATH": paths, "C_FORCE_ROOT": "1", **environment}
    with running([sys.executable, "-m", *command], folder, settings) as process:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert "wecom_logging:" not in (folder / "output").read_text()


def numbers(text: str) -> tuple[str, ...]:
    """What a message that comes again has in common with itself: its id and its counts, which grow from one to the
    next."""
    return tuple(re.findall(r"#\w+|× \d+|\d+ in all", text))


def told_exactly(sandbox: Sandbox, url: str, while_served: Sequence[str]) -> None:
    """Once somebody has told what the workers have left: the sum, and the requests for a token.

    Each message came once ``while_served``. One that a worker was sending as it ended may come again, the same: nobody
    has noted WeCom's answer.
    """
    assert len({numbers(text) for text in while_served}) == len(while_served), while_served
    opens = OPENS.replace("WeComBotHandler", "WeComHandler")
    waits = """
import time
while any(one.told < one.count for one in handler.incidents()):
    time.sleep(0.05)
"""
    assert run(opens + waits, url=sandbox.url, WECOM_STATE=url).status == 0
    texts = messages(sandbox)
    once = list({numbers(text): text for text in texts}.values())
    assert told_in_all(once) == FAILURES, texts
    assert len(texts) - len(once) <= 1, texts  # one process has the right to send it
    assert "in all in " in texts[-1]
    assert [call.path for call in sandbox.calls].count("/cgi-bin/gettoken") == 1


@pytest.mark.slow
@pytest.mark.case("P05")
def test_gunicorn_with_four_preloaded_workers(sandbox: Sandbox, tmp_path: Path, url: str) -> None:
    (tmp_path / "shop_application.py").write_text(SHOP + APPLICATION)

    def port() -> str:
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", (tmp_path / "output").read_text())
        return found[1] if found else ""

    def ask(order: int) -> int:
        connection = http.client.HTTPConnection(f"127.0.0.1:{port()}", timeout=60)
        try:
            connection.request("GET", f"/?{order}")
            return int(connection.getresponse().read())
        finally:
            connection.close()

    command = ["gunicorn", "--bind", "127.0.0.1:0", "--workers", "4", "--preload", "shop_application:application"]
    with serving(command, tmp_path, WECOM_STATE=url, WECOM_API_BASE=sandbox.url), ThreadPoolExecutor(8) as pool:
        until(port)
        workers = list(pool.map(ask, range(FAILURES)))
        served = messages(sandbox)
    assert (tmp_path / "workers").read_text() == "loaded\n"
    assert len(set(workers)) > 1
    told_exactly(sandbox, url, served)


@pytest.mark.slow
def test_celery_with_four_processes(sandbox: Sandbox, tmp_path: Path, url: str, server: Server) -> None:
    (tmp_path / "shop.py").write_text(SHOP + TASKS.format(failures=FAILURES))
    environment = {"WECOM_STATE": url, "WECOM_API_BASE": sandbox.url, "BROKER": server.url.replace("/0", "/1")}
    command = ["celery", "-A", "shop", "worker", "-P", "prefork", "-c", "4", "-l", "CRITICAL"]
    done = tmp_path / "done"
    with serving([*command, "--without-mingle", "--without-gossip"], tmp_path, **environment):
        until(lambda: done.exists() and len(done.read_text().splitlines()) == FAILURES, within_s=80)
        served = messages(sandbox)
    assert len(set(done.read_text().splitlines())) > 1
    told_exactly(sandbox, url, served)
