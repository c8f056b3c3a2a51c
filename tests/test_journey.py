"""docs/start.md, walked in both languages by its own text: the commands as they stand there, and what they print.

The sandbox of the page is started by the page's command, at a free port, and stands for the console and the phones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

import pytest
import requests

from wecom_logging._sandbox.page.phone import in_wechat

from .programs import ROOT, printed

PAGES = [("start.md", "en_US.UTF-8"), ("start.zh.md", "zh_CN.UTF-8")]
STARTS = "wecom-logging sandbox\n"
BEGINS = "---- a block of the page begins"
VARIABLES = 6
"""What the page has its readers copy of what the sandbox prints."""


def blocks(page: str) -> list[tuple[str, str]]:
    """Those of the walk, each with its language: all above the part about groups, which has a program of its own."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    walk = text[: text.rindex("\n## ")]
    return re.findall(r"^```(sh|python|output)\n(.*?)^```", walk, re.DOTALL | re.MULTILINE)


def environment(language: str) -> dict[str, str]:
    """That of a reader in China who has activated the virtual environment."""
    ours = ("WECOM_", "LC_", "LANG", "PYTHON")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
    return {**clean, "PATH": path, "LANG": language, "TZ": "Asia/Shanghai", "PYTHONPATH": str(ROOT)}


@contextmanager
def local_wecom(settings: dict[str, str]) -> Iterator[list[str]]:
    """Started as the page says, but for the port; the lines to copy."""
    command = ["bash", "-c", f"exec {STARTS.strip()} --port 0"]
    settings = {**settings, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            yield list(islice((line.strip() for line in process.stdout if "export " in line), VARIABLES))
        finally:
            process.terminate()


def walk(lines: list[str], steps: list[str], settings: dict[str, str], folder: Path) -> list[str]:
    """What a terminal shows of each step, typed one after the other."""
    script = "\n".join([*lines, *(f"echo '{BEGINS}'\n{step}" for step in steps)])
    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=folder,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    printed.append(done.stdout)
    return done.stdout.split(f"{BEGINS}\n")[1:]


def anywhere(text: str) -> str:
    """Without what differs from one walk to the next: times, ids, hosts, processes, and spaces that end a line."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "TIME", text)
    text = re.sub(r"#[0-9a-z]{4,}", "#ID", text)
    text = re.sub(r"^\S+ · (pid|进程) \d+$", r"HOST · \1 N", text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize(("page", "language"), PAGES)
def test_the_journey_goes_as_the_page_says(page: str, language: str, tmp_path: Path) -> None:
    install, start, *rest = blocks(page)
    assert (install[1], start[1]) == ("pip install 'wecom-logging[sandbox]'\n", STARTS)
    (program,) = [block for kind, block in rest if kind == "python"]
    (tmp_path / "orders.py").write_text(program, encoding="utf-8")
    steps = [block for kind, block in rest if kind == "sh"]
    settings = environment(language)
    with local_wecom(settings) as lines:
        shown = dict(zip(steps, walk(lines, steps, settings, tmp_path), strict=True))
        url = lines[0].partition("=")[2]
        arrived = requests.get(f"{url}/sandbox/messages", timeout=10).json()
    sent, alert, markdown = arrived
    assert [message["receivers"] for message in arrived] == [["zhangsan"]] * 3
    shown["python orders.py\n"] = alert["content"]  # on the phone
    says = {step: anywhere(block) for (_, step), (kind, block) in pairwise(rest) if kind == "output"}
    assert len(says) == 6
    for step, text in says.items():
        is_shown = re.compile(re.escape(text).replace("…", "(?s:.*)"))  # the page leaves something out
        assert is_shown.fullmatch(anywhere(shown[step])), f"{step}prints\n{shown[step]}"
    assert (sent["content"], markdown["content"]) == ("hello", "**hello**")
    assert [in_wechat(message["msgtype"]) for message in arrived] == [True, True, False]
