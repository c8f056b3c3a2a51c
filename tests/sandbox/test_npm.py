"""Clients from npm that others wrote do all that they can in the sandbox: wechat-enterprise-api and push-all-in-one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from wecom_logging._sandbox import Sandbox

from .clients import OK, note

FILES = Path(__file__).parent / "npm"
NPM, NODE = shutil.which("npm"), shutil.which("node")
pytestmark = [pytest.mark.skipif(not (NPM and NODE), reason="node and npm are not installed"), pytest.mark.slow]

NOT_BUILT = "40058"
GONE = "TypeError"  # a path that WeCom itself has no longer: this client reads errcode of a body that is empty
CSV = "姓名,帐号,部门名称,部门ID,父部门ID\n李四,lisi,运维部,2,1\n"

REFUSED = {
    ("wechat-enterprise-api", "createUser again"): "60102",
    ("wechat-enterprise-api", "send to nobody"): "81013",
    ("wechat-enterprise-api", "send with a wrong secret"): "40001",
    ("wechat-enterprise-api", "deleteUser"): "60111",
    ("wechat-enterprise-api", "batchInviteUser"): GONE,
    ("wechat-enterprise-api", "inviteUser"): GONE,
    ("wechat-enterprise-api", "getTicket"): NOT_BUILT,
    ("wechat-enterprise-api", "getUserIdByCode"): NOT_BUILT,
    ("push-all-in-one", "app with a wrong secret"): "invalid credential",
    ("push-all-in-one", "bot with a wrong key"): "93000",
}


def test_all_that_they_can_do(tmp_path: Path) -> None:
    assert NPM
    assert NODE
    place = shutil.copytree(FILES, tmp_path / "npm")
    install = [NPM, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(install, cwd=place, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    (place / "people.csv").write_text(CSV, encoding="utf-8")
    with Sandbox() as sandbox:
        sandbox.fail("agent/list", 42001)  # one of them tries again
        run = subprocess.run(
            [NODE, "clients.js", "people.csv"],
            cwd=place,
            env={**os.environ, **sandbox.environment, "NO_PROXY": "true"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        messages = sandbox.messages()
    ended = {(client, action): outcome for client, action, outcome in map(json.loads, run.stdout.splitlines())}
    for (client, action), outcome in ended.items():
        note(client, action, outcome)
    assert len(ended) == 53
    assert {call: outcome for call, outcome in ended.items() if outcome != OK} == REFUSED
    kinds = {channel: [m["msgtype"] for m in messages if m["channel"] == channel] for channel in ("app", "bot")}
    assert kinds["app"] == ["text", "news", "file", "text", "text", "markdown", "text"]
    assert kinds["bot"] == ["text", "markdown", "text", "news", "image", "template_card"]
    assert "price missing" in messages[0]["content"]
