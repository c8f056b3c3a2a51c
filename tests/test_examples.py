"""Each example runs as its first line says, against a real local WeCom."""

from __future__ import annotations

from pathlib import Path

import pytest

from wecom_logging.sandbox import Sandbox

from .programs import ROOT, run

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

ARRIVES = {
    "airflow_dag.py": ["task prices.convert failed: ValueError: could not convert", "dag: prices", "log: http"],
    "bot.py": ["17 of 2000 pages", "the proxy pool is empty", "日报", "please have a look"],
    "decorator.py": ["对账失败", "does not answer", "income: 10.0"],
    "dictconfig_yaml.py": ["order 4711", "customer: 张三", "no database answers", "https://logs.example.com/search?q="],
    "django_site.py": [
        "GET /orders/＜int:number>/price failed: KeyError: 4711",
        "status: 500",
        "alerts of this Django project arrive",
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
    "scrapy_spider.py": [
        "spider books failed: ValueError: could not convert",
        "callback: parse",
        "spider books closed: finished",
        "items: 1",
    ],
    "who_gets_told.py": ["no payment for ten minutes", "the proxy pool", "cannot be priced"],
}


def test_each_example_is_tested() -> None:
    assert [path.name for path in EXAMPLES] == sorted(ARRIVES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example(path: Path, sandbox: Sandbox) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert "Run: " in first
    if path.name == "airflow_dag.py":
        pytest.importorskip("airflow", reason="Airflow is installed by .ci/run_airflow alone")
    ended = run(f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')", url=sandbox.url)
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
