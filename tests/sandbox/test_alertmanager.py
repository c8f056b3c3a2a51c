"""Alertmanager, which others wrote, tells its alerts to the sandbox: a rule fires through its API, and is over."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from wecom_logging._sandbox import Sandbox

from ..programs import until
from .clients import OK, note

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = [
    pytest.mark.skipif(not PROGRAM, reason="Debian's package prometheus-alertmanager is not installed"),
    pytest.mark.slow,
]
SECONDS = 60

RECEIVERS: dict[str, dict[str, Any]] = {
    "text": {"to_user": "sandbox-user"},
    "markdown": {"to_user": "sandbox-user", "message_type": "markdown"},
    "party": {"to_party": "1"},
    "everybody": {"to_user": "@all"},
    "nobody": {"to_user": "nobody"},
    "wrong-secret": {"to_user": "sandbox-user", "api_secret": "wrong"},
    "wrong-agent": {"to_user": "sandbox-user", "agent_id": "7"},
}


class Alertmanager:
    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, name: str, to: str, *, text: str = "no stock", over: bool = False) -> None:
        now = datetime.now(UTC)
        alert = {
            "labels": {"alertname": name, "to": to, "severity": "critical"},
            "annotations": {"summary": text},
            "startsAt": (now - timedelta(minutes=5)).isoformat(),
            "endsAt": (now - timedelta(seconds=1) if over else now + timedelta(hours=1)).isoformat(),
        }
        requests.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()

    def failed(self) -> float:
        lines = requests.get(f"{self.url}/metrics", timeout=10).text.splitlines()
        prefix = "alertmanager_notifications_failed_total{"
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith(prefix) and 'integration="wechat"' in line
        )


@pytest.fixture
def wecom() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def alertmanager(wecom: Sandbox, tmp_path: Path) -> Iterator[Alertmanager]:
    usual = {
        "api_url": f"{wecom.url}/cgi-bin/",
        "corp_id": "wwsandbox",
        "api_secret": "sandbox-app-secret",
        "agent_id": "1000002",
        "send_resolved": True,
        "message": "{{ .Status }} {{ .CommonLabels.alertname }}: {{ .CommonAnnotations.summary }}",
    }
    config = {
        "route": {
            "receiver": "text",
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
            "routes": [{"receiver": name, "matchers": [f'to="{name}"']} for name in RECEIVERS],
        },
        "receivers": [{"name": name, "wechat_configs": [{**usual, **own}]} for name, own in RECEIVERS.items()],
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(str(PROGRAM), "--config.file=/dev/stdin", f"--storage.path={tmp_path}"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="),
    ]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet) as process:
        assert process.stdin is not None
        process.stdin.write(yaml.safe_dump(config).encode())
        process.stdin.close()
        try:
            running = Alertmanager(f"http://127.0.0.1:{port}")
            until(lambda: _is_ready(running.url), SECONDS)
            yield running
        finally:
            process.terminate()
            process.wait(SECONDS)


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/-/ready", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def contents(wecom: Sandbox) -> list[str]:
    return [message["content"] for message in wecom.messages()]


def test_a_rule_that_fires_and_is_over_is_told(alertmanager: Alertmanager, wecom: Sandbox) -> None:
    for to in ("text", "markdown", "party", "everybody"):
        alertmanager.post(f"Stock-{to}", to)
        wecom.wait(contains=f"firing Stock-{to}: no stock", timeout=SECONDS)
        note("Alertmanager", f"fires, {to}", OK)
    (first,) = wecom.messages(contains="Stock-text")
    assert (first["receivers"], first["warning"]) == (["sandbox-user"], "")
    assert (first["body"]["safe"], first["body"]["agentid"]) == ("0", "1000002")
    assert wecom.messages(contains="Stock-markdown")[0]["msgtype"] == "markdown"
    alertmanager.post("Stock-text", "text", over=True)
    wecom.wait(contains="resolved Stock-text: no stock", timeout=SECONDS)
    note("Alertmanager", "is over", OK)
    assert {call.errcode for call in wecom.calls} == {0}


def test_what_is_longer_than_a_message_is_cut(alertmanager: Alertmanager, wecom: Sandbox) -> None:
    alertmanager.post("Long", "text", text="好" * 5000)
    (message,) = wecom.wait(contains="firing Long", timeout=SECONDS)
    assert 2040 < len(message["content"].encode()) <= 2048
    note("Alertmanager", "15 000 bytes", "ok, cut to 2 048 bytes by WeCom")


def test_a_limit_is_waited_for_and_tried_again(alertmanager: Alertmanager, wecom: Sandbox) -> None:
    wecom.fail("message/send", status=502)
    alertmanager.post("Again", "text")
    wecom.wait(contains="firing Again", timeout=SECONDS)
    note("Alertmanager", "HTTP 502", "ok, at the second try")


@pytest.mark.parametrize(("to", "errcode"), [("nobody", 81013), ("wrong-secret", 40001), ("wrong-agent", 40056)])
def test_what_is_refused_fails_there_too(alertmanager: Alertmanager, wecom: Sandbox, to: str, errcode: int) -> None:
    alertmanager.post("Refused", to)
    until(lambda: alertmanager.failed() > 0, SECONDS)
    note("Alertmanager", f"to {to}", str(errcode))
    assert errcode in [call.errcode for call in wecom.calls]
    assert contents(wecom) == []


def test_an_expired_token_is_renewed(alertmanager: Alertmanager, wecom: Sandbox) -> None:
    alertmanager.post("First", "text")
    wecom.wait(contains="First", timeout=SECONDS)
    wecom.clock.advance(7200)
    alertmanager.post("Second", "text")
    wecom.wait(contains="Second", timeout=SECONDS)
    note("Alertmanager", "its token expires", "ok, after 42001")
    assert 42001 in [call.errcode for call in wecom.calls]
