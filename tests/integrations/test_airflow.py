"""A DAG in a real Airflow that fails: one alert that says where. It is installed by .ci/run_airflow alone."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import CREDENTIALS, ROOT
from wecom_logging._sandbox import Sandbox

pytestmark = pytest.mark.skipif(importlib.util.find_spec("airflow") is None, reason="Airflow is not installed")

DAGS = """
import datetime
from airflow.sdk import DAG, task
from wecom_logging import WeComHandler
from wecom_logging.integrations.airflow import WeComNotifier
told = WeComNotifier(WeComHandler(level="ERROR"))
with DAG("shop", default_args={"on_failure_callback": told}, on_failure_callback=told):
    @task
    def price(order):
        raise ValueError(f"order {order} has no price, password=canary-word-1c2b")
    @task
    def never():
        pass
    price(7) >> never()
"""


def airflow(folder: Path, sandbox: Sandbox, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    return subprocess.run(
        [sys.executable, "-m", "airflow", *command],
        env={
            **environment,
            **CREDENTIALS,
            "WECOM_API_BASE": sandbox.url,
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.timeout(300)
def test_a_task_that_fails_is_one_alert_and_so_is_its_run(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "shop.py").write_text(DAGS, encoding="utf-8")
    assert airflow(tmp_path, sandbox, "db", "migrate").returncode == 0
    assert airflow(tmp_path, sandbox, "dags", "reserialize").returncode == 0
    ended = airflow(tmp_path, sandbox, "dags", "test", "shop")
    texts = [message["content"] for message in sandbox.messages()]
    print(ended.stdout, ended.stderr, *texts, sep="\n")
    (failed,) = [text for text in texts if "task shop.price failed: ValueError: order 7 has no price" in text]
    for line in ("dag: shop", "task: price", "run: manual__", "try: 1", "log: http://localhost:8080/dags/shop/runs/"):
        assert f"│ {line}" in failed
    assert "shop.py:10 in price" in failed
    assert not any("task shop.never" in text for text in texts)
    assert sum("dag shop failed: task_failure" in text for text in texts) == 1
    assert len(texts) == 2
    assert "canary" not in "".join(texts)
