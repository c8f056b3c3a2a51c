"""docs/team.md, walked in both languages by its own text: each block is typed into a shell, against the sandbox that
the page has started, and what arrives and is printed is what the page shows."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from .programs import ROOT, until
from .test_journey import environment

PAGES = [("team.md", "en_US.UTF-8"), ("team.zh.md", "zh_CN.UTF-8")]
VARIABLES = 11
"""What the page has its readers copy of what the sandbox prints."""
DONE = "---- a block of the page is done"


class Terminal:
    """A shell in which blocks are typed one after the other."""

    def __init__(self, shell: subprocess.Popen[str]) -> None:
        self._shell = shell

    def types(self, block: str) -> str:
        """A block: what it prints."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{block}\necho '{DONE}'\n")
        self._shell.stdin.flush()
        printed = ""
        while not printed.endswith(f"{DONE}\n"):
            line = self._shell.stdout.readline()
            assert line, printed
            printed += line
        return printed.removesuffix(f"{DONE}\n")


@contextmanager
def terminal(settings: dict[str, str], folder: Path) -> Iterator[Terminal]:
    """What it has started ends with it."""
    with subprocess.Popen(
        ["bash"],
        cwd=folder,
        env=settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as shell:
        there = Terminal(shell)
        try:
            yield there
        finally:
            there.types("kill $(jobs -p); wait")
            assert shell.stdin is not None
            shell.stdin.close()


@contextmanager
def local_wecom(command: str, settings: dict[str, str], folder: Path) -> Iterator[str]:
    """Started as the page says, but for the port; the lines to copy."""
    starts = ["bash", "-c", f"exec {command.strip()} --port 0"]
    with subprocess.Popen(
        starts, cwd=folder, env=settings, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout is not None
            yield "".join(islice((line for line in process.stdout if "export " in line), VARIABLES))
        finally:
            process.terminate()


def anywhere(text: str) -> str:
    """Without what differs from one walk to the next: times, ids, hosts, processes."""
    text = re.sub(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}|(?:\d\d-\d\d |tomorrow |明天 )?\b\d\d:\d\d\b(?! every)", "TIME", text
    )
    text = re.sub(r"#[0-9a-z]{4,}", "#ID", text)
    text = re.sub(r"(认领|静默|take|quiet) [0-9a-z]{4,}\b", r"\1 ID", text)
    text = re.sub(r"^\S+ · (pid|进程) \d+$", r"HOST · \1 N", text, flags=re.MULTILINE)
    return re.sub(r"\d+\.\d s|  +", "  ", text).strip()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize(("page", "language"), PAGES)
def test_a_team_of_four_gets_to_its_first_step_as_the_page_says(page: str, language: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    kinds = ["sh", "yaml", "sh", "toml", "sh", "bash", "py", "bash", "output", "output", "output", "bash", "output"]
    assert [kind for kind, _ in found] == [*kinds, "sh", "output"]
    install, team, starts, rota, exports, answers, program, runs, first, step, line, takes, taken, job, jobs = (
        block for _, block in found
    )
    assert install == "pip install 'wecom-logging[sandbox,jobs,aibot]'\n"
    (tmp_path / "team.yaml").write_text(team, encoding="utf-8")
    now = datetime.now(ZoneInfo("Asia/Shanghai"))  # the first of the four is on call in the week of the walk
    monday = (now - timedelta(hours=10)).date()
    monday -= timedelta(days=monday.weekday())
    assert rota.count("2026-12-07") == 1
    (tmp_path / "duty.toml").write_text(rota.replace("2026-12-07", f"{monday}"), encoding="utf-8")
    (tmp_path / "shop.py").write_text(program, encoding="utf-8")
    settings = {**environment(language), "PYTHONUNBUFFERED": "1"}
    with local_wecom(starts, settings, tmp_path) as lines, terminal(settings, tmp_path) as shell:
        url = lines.partition("=")[2].partition("\n")[0]

        def arrived(channel: str, number: int) -> list[dict[str, str]]:
            wanted = {"channel": channel}
            until(lambda: len(requests.get(f"{url}/sandbox/messages", wanted, timeout=10).json()) >= number, 60)
            messages: list[dict[str, str]] = requests.get(f"{url}/sandbox/messages", wanted, timeout=10).json()
            assert len(messages) == number
            return messages

        shell.types(lines)
        shell.types(exports)
        shell.types(answers)
        until(lambda: requests.get(f"{url}/sandbox/aibot", timeout=10).json()["subscribers"], 60)
        shell.types(runs)
        messages = arrived("app", 3)
        short_id = re.findall(r"#([0-9a-z]+)", messages[0]["content"])[0]
        shell.types(takes.replace("k7f2", short_id))
        messages = arrived("app", 4)
        (reply,) = arrived("aibot", 1)
        asks = {"chat": "lisi", "user_id": "lisi", "text": "值班"}
        requests.post(f"{url}/sandbox/aibot/say", json=asks, timeout=10).raise_for_status()
        (_, on_call) = arrived("aibot", 2)
        printed = shell.types(job)
    assert [one["receivers"] for one in messages[:3]] == [["zhangsan"], ["zhaoliu"], ["zhangsan"]]
    assert sorted(messages[3]["receivers"]) == ["zhangsan", "zhaoliu"]
    shown = [first, step, line, taken]
    assert [anywhere(one["content"]) for one in messages] == [*map(anywhere, shown)]
    assert anywhere(reply["content"]) in anywhere(taken)
    assert re.match("web[:：] ?张三.*李四", on_call["content"])
    assert anywhere(jobs) in anywhere(printed)  # what receives the answers prints them, too
