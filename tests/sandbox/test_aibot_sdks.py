"""Two bots made with WeCom's own SDKs, for Node.js and for Python, live in the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wecom_logging._sandbox import Sandbox

from ..programs import until
from .clients import OK, note
from .talker import Talker

pytestmark = pytest.mark.slow

FILES = Path(__file__).parent / "aibot_sdks"
NPM, NODE = shutil.which("npm"), shutil.which("node")
ME = "sandbox-user"

DONE = {
    "subscribe": OK,
    "push a card": OK,
    "push to a stranger": "93006",
    "click": "ack:A17 a17",
    "rewrite": OK,
    "rewrite again": "846605",
    "message": "hello",
    "stream": OK,
    "stream, its end": OK,
    "welcome": OK,
}


class Bot:
    """A program, and what it has told so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.told: list[tuple[str, str]] = []

    def hear(self, *actions: str) -> None:
        """Until all of them were told."""
        missing = set(actions) - {action for action, _ in self.told}
        while missing:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            assert line, f"it ended before {missing}: {self.told}"
            action, outcome = json.loads(line)
            self.told.append((action, outcome))
            missing.discard(action)


@contextmanager
def running(sandbox: Sandbox, *command: str, cwd: Path = FILES, **variables: str) -> Iterator[Bot]:
    env = {**os.environ, **sandbox.environment, "NO_PROXY": "*", **variables}
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Bot(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    if not (NPM and NODE):
        pytest.skip("node and npm are not installed")
    place = shutil.copytree(FILES, tmp_path_factory.mktemp("npm") / "bot")
    install = [NPM, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(install, cwd=place, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    return NODE, place


def live(sandbox: Sandbox, bot: Bot, client: str) -> None:
    """A card is pushed, clicked and rewritten; a text is answered, an entry welcomed."""
    (card,) = sandbox.wait(channel="aibot", msgtype="template_card")
    assert card["cards"][ME]["main_title"] == {"title": "A17 · 312 errors"}
    bot.hear("push to a stranger")
    assert sandbox.aibot.click("a17", ME, "ack:A17")
    bot.hear("rewrite again")
    assert sandbox.aibot.say(ME, ME, "hello")
    bot.hear("stream, its end")
    assert sandbox.aibot.enter(ME)
    bot.hear("welcome")
    done = dict(bot.told)
    for action, outcome in done.items():
        note(client, action, outcome)
    assert {action: done[action] for action in DONE} == DONE
    (card,) = sandbox.messages(msgtype="template_card")
    assert card["cards"][ME]["main_title"] == {"title": "A17 · taken by sandbox-user"}
    assert [message["content"] for message in sandbox.messages(msgtype="stream")] == ["thought"]
    assert [message["content"] for message in sandbox.messages(channel="aibot", msgtype="text")] == ["welcome"]
    until(lambda: any(call.path == "/aibot/ping" and call.errcode == 0 for call in sandbox.calls))


def test_node_sdk(node: tuple[str, Path]) -> None:
    with Sandbox() as sandbox, running(sandbox, node[0], "bot.js", cwd=node[1]) as bot:
        bot.hear("push a file")
        assert dict(bot.told)["push a file"] == OK
        live(sandbox, bot, "@wecom/aibot-node-sdk")
        with Talker(sandbox):
            bot.hear("kicked")  # and it does not come back


def test_python_sdk(tmp_path: Path) -> None:
    with Sandbox(ca_file=str(tmp_path / "ca.pem")) as sandbox, running(sandbox, sys.executable, "bot.py") as bot:
        live(sandbox, bot, "wecom-aibot-python-sdk")
        sandbox.aibot.close_after(0)
        with Talker(sandbox) as other:
            bot.hear("disconnected")
            bot.told.clear()
            bot.hear("subscribe")  # it does come back
            assert other.hear()["body"]["event"] == {"eventtype": "disconnected_event"}


def test_a_wrong_secret(node: tuple[str, Path], tmp_path: Path) -> None:
    with Sandbox(ca_file=str(tmp_path / "ca.pem")) as sandbox:
        wrong = {"WECOM_AIBOT_SECRET": "wrong"}
        with (
            running(sandbox, node[0], "bot.js", cwd=node[1], **wrong) as one,
            running(sandbox, sys.executable, "bot.py", **wrong) as other,
        ):
            for bot in (one, other):
                bot.hear("error")
                assert "invalid bot_id or secret" in bot.told[0][1]
        assert not sandbox.messages()
