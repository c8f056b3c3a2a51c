"""Each example runs as its first line says, against a real local WeCom."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from wecom_logging._sandbox import Sandbox

from .programs import ROOT, run
from .valkey_server import valkey

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

ARRIVES = {
    "airflow_dag.py": ["task prices.convert failed: ValueError: could not convert", "dag: prices", "log: http"],
    "apscheduler_jobs.py": [
        "\napscheduler_jobs.py:17 in close_the_day\n",  # not in the scheduler
        "job close-the-day failed: ValueError: 对账失败",
        "job: close-the-day",
    ],
    "bot.py": ["17 of 2000 pages", "the proxy pool is empty", "日报", "please have a look"],
    "celery_tasks.py": ["task shop.price failed: KeyError: 4711", "args: (4711,)", "retries: 2"],
    "decorator.py": ["对账失败", "does not answer", "income: 10.0"],
    "dictconfig_yaml.py": ["order 4711", "customer: 张三", "no database answers", "https://logs.example.com/search?q="],
    "django_site.py": [
        "GET /orders/＜int:number>/price failed: KeyError: 4711",
        "status: 500",
        "alerts of this Django project arrive",
    ],
    "dramatiq_actors.py": [
        "actor ship failed: ConnectionError: the warehouse does not answer",
        "args: (4711,)",
        "tries: 3",
    ],
    "fastapi_site.py": [
        "ConnectionError: the warehouse does not answer",
        "route: /orders/{number}/price",
        "status: 200",
    ],
    "flask_site.py": ["GET /orders/＜int:number>/price failed: KeyError: 4711", "status: 500"],
    "hooks.py": ["a thread ends: ConnectionError: the proxy pool is empty", "thread: crawler-1"],
    "loguru_program.py": ["the order cannot be priced", "customer: 张三", "ZeroDivisionError"],
    "long_work.py": ["training: started", "training: done, 60 of 60 (100 %)", "loss: 1.67", "failed, 2 of 3 (66 %)"],
    "notebook.py": ["training of the second model: done", "loss / 0: failed", "ZeroDivisionError"],
    "own_tests.py": [],  # it says itself what does not go out
    "plain_script.py": ["row 3 has no usable price", "ValueError"],
    "processes.py": [" cannot be read", "ConnectionError: the proxy pool is empty", "3 in all"],
    "prometheus_metrics.py": ["order 4711 cannot be priced", "10 in all"],
    "rq_jobs.py": ["job rq_jobs.convert failed: ValueError: could not convert", "args: rq_jobs.convert('n/a')"],
    "scrapy_spider.py": [
        "spider books failed: ValueError: could not convert",
        "callback: parse",
        "spider books closed: finished",
        "items: 1",
    ],
    "structlog_program.py": ["shop: the order cannot be priced", "customer: 张三", "ZeroDivisionError"],
    "who_gets_told.py": ["no payment for ten minutes", "the proxy pool", "cannot be priced"],
    "wsgi_site.py": ["GET /orders/# failed: KeyError: 4711", "status: 500", "route: /orders/#"],
}


def test_each_example_is_tested() -> None:
    assert [path.name for path in EXAMPLES] == sorted(ARRIVES)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example(path: Path, sandbox: Sandbox) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert "Run: " in first
    if path.name == "airflow_dag.py":
        pytest.importorskip("airflow", reason="Airflow is installed by .ci/run_airflow alone")
    with valkey() if path.name == "rq_jobs.py" else nullcontext(None) as server:
        ended = run(
            f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')",
            url=sandbox.url,
            PYTHONPATH=f"{ROOT}{os.pathsep}{path.parent}",
            REDIS_URL=f"redis://127.0.0.1:{server.port}" if server is not None else "",
        )
    assert ended.status == (1 if "ends by an exception" in first else 0), ended.err
    arrived = "\n".join(message["content"] for message in sandbox.messages())
    assert [words for words in ARRIVES[path.name] if words not in arrived] == []


def test_each_alert_of_the_example_reaches_the_right_members(sandbox: Sandbox) -> None:
    ended = run((ROOT / "examples" / "who_gets_told.py").read_text(encoding="utf-8"), url=sandbox.url)
    assert (ended.out, ended.err) == ("not in the tag: ()\n", "")
    told = {message["content"].splitlines()[0].split(": ")[1]: message["receivers"] for message in sandbox.messages()}
    assert told == {
        "no payment for ten minutes": ["zhangsan", "lisi"],
        "the proxy pool is nearly empty": ["zhangsan"],
        "an order cannot be priced": ["zhangsan", "lisi"],
    }
