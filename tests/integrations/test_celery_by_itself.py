"""A Celery worker of a program that has a handler, and knows nothing of `connect`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import CREDENTIALS, ROOT, running, until
from wecom_logging._sandbox import Sandbox

from ..valkey_server import valkey
from .test_jobs import celery_worker, told

pytestmark = pytest.mark.slow

PROGRAM = """
import logging, logging.config, os
import celery
from celery.utils.log import get_task_logger
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "console": {"class": "logging.StreamHandler"},
        "wecom": {"class": "wecom_logging.WeComHandler", "level": "ERROR", "service": "web shop"},
    },
    "root": {"level": "INFO", "handlers": ["console", "wecom"]},
})
app = celery.Celery("shop", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
@app.task
def price(order):
    if order == 1:
        raise ValueError("no price")
    if order == 2:
        logging.getLogger("shop").error("order %d is odd", order)
    else:
        get_task_logger("shop.tasks").error("order %d is late", order)
"""
SEND = "import shop\nfor order in (1, 2, 3): shop.price.delay(order)"


def told_by(
    sandbox: Sandbox, folder: Path, program: str, *options: str, send: str = SEND, number: int = 3
) -> tuple[list[str], str]:
    """What a worker has told when it has told so much, and its output."""
    with celery_worker(sandbox, folder, program, send, *options, "-c", "2", "--without-gossip") as (worker, _):
        until(lambda: len(told(sandbox)) >= number, 30)
        worker.terminate()
        assert worker.wait(60) == 0
    return told(sandbox), (folder / "output").read_text()


@pytest.mark.parametrize("pool", ["prefork", "gevent", "solo"])
def test_a_worker_whose_program_has_the_readme_s_config_tells_all_three(
    sandbox: Sandbox, tmp_path: Path, pool: str
) -> None:
    texts, output = told_by(sandbox, tmp_path, PROGRAM, "-P", pool)
    assert len(texts) == 3, texts
    for said in ("task shop.price failed: ValueError: no price", "order 2 is odd", "order 3 is late"):
        (text,) = [text for text in texts if said in text]
        assert "task: shop.price" in text
    assert "wecom_logging:" not in output


def test_beat_tells_that_it_cannot_send(sandbox: Sandbox, tmp_path: Path) -> None:
    program = PROGRAM.replace('os.environ["BROKER"]', '"redis://127.0.0.1:9"')
    program += "app.conf.beat_schedule = {'price': {'task': 'shop.price', 'schedule': 1, 'args': (1,)}}\n"
    (tmp_path / "shop.py").write_text(program, encoding="utf-8")
    settings = {**CREDENTIALS, "WECOM_API_BASE": sandbox.url, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    with running([sys.executable, "-m", "celery", "-A", "shop", "beat"], tmp_path, settings):
        until(lambda: told(sandbox), 30)
    assert "ERROR web shop celery.beat: beat: Connection error: " in told(sandbox)[0].splitlines()[0]


def test_a_worker_that_cannot_go_on_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    program = PROGRAM.replace('os.environ["BROKER"]', '"redis://127.0.0.1:9"')
    program += "from kombu import Connection\nConnection.ensure_connection = None\n"
    (tmp_path / "shop.py").write_text(program, encoding="utf-8")
    settings = {**CREDENTIALS, "WECOM_API_BASE": sandbox.url, "PYTHONPATH": f"{ROOT}:{tmp_path}", "C_FORCE_ROOT": "1"}
    with running([sys.executable, "-m", "celery", "-A", "shop", "worker", "-P", "solo"], tmp_path, settings) as worker:
        assert worker.wait(60) == 1
    (text,) = told(sandbox)
    assert "CRITICAL web shop celery.worker: Unrecoverable error: " in text.splitlines()[0]


def test_a_worker_that_a_program_starts_which_imports_celery_after_its_handler(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    imports, _, rest = PROGRAM.partition("import celery\n")
    config, _, app = rest.partition("app = ")
    get_task_logger, _, config = config.partition("\n")
    program = f"{imports}{config}import celery\n{get_task_logger}\napp = {app}"
    (tmp_path / "shop.py").write_text(program, encoding="utf-8")
    with valkey() as broker:
        settings = {
            **CREDENTIALS,
            "WECOM_API_BASE": sandbox.url,
            "BROKER": broker.connection_url,
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "C_FORCE_ROOT": "1",
        }
        subprocess.run([sys.executable, "-c", SEND], cwd=tmp_path, env=settings, check=True, timeout=120)
        main = "import shop; shop.app.worker_main(['worker', '-P', 'solo', '--without-mingle', '--without-gossip'])"
        with running([sys.executable, "-c", main], tmp_path, settings) as worker:
            until(lambda: len(told(sandbox)) >= 3, 30)
            worker.terminate()
            assert worker.wait(60) == 0
    assert len(told(sandbox)) == 3


def test_connect_beside_it_doubles_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    program = f"{PROGRAM}\nfrom wecom_logging.integrations.celery import connect\nconnect()\n"
    texts, _ = told_by(sandbox, tmp_path, program, "-P", "prefork")
    assert len(texts) == 3, texts


def test_a_handler_of_a_logger_of_the_program_gets_what_is_logged_there_and_no_more(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    program = PROGRAM.replace('"handlers": ["console", "wecom"]', '"handlers": ["console"]')
    program = program.replace('"disable', '"loggers": {"shop": {"handlers": ["wecom"]}}, "disable')
    (text,), _ = told_by(sandbox, tmp_path, program, "-P", "solo", number=1)
    assert "order 2 is odd" in text


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_handler_that_is_to_keep_out_says_once_that_it_stands_nowhere(
    sandbox: Sandbox, tmp_path: Path, pool: str
) -> None:
    program = PROGRAM.replace('"service": "web shop"', '"celery": False')
    with celery_worker(sandbox, tmp_path, program, SEND, "-P", pool, "-c", "2") as (worker, _):
        until(lambda: "is late" in (tmp_path / "output").read_text(), 30)
        worker.terminate()
        assert worker.wait(60) == 0
    assert told(sandbox) == []
    (line,) = [line for line in (tmp_path / "output").read_text().splitlines() if "wecom_logging:" in line]
    assert "WeComHandler stood on a logger and stands on none any more" in line
    assert "leave the option celery at True, or call connect()" in line
