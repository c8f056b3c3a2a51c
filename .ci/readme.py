"""Paste a README into a clean copy, as a reader does: each of its commands and programs, without a letter changed.

``.venv/bin/python .ci/readme.py README.md README.zh-CN.md``: the copy is of what is committed, the environment has an
empty home and no variables but PATH and those of pip. The command for the tests is left out: ``.ci/run`` begins with
it. What one README has downloaded, the next takes from pip's cache.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}


def answer(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answered:
        return answered.read().decode()


class Reader:
    """Who stands in a clone, and pastes."""

    def __init__(self, name: str, home: Path) -> None:
        self.copy = home / "clone"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **PIP}
        self.copy.mkdir()
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=self.copy, input=archive, check=True)
        self.text = (self.copy / name).read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```", self.text, re.DOTALL | re.MULTILINE)

    def paste(self, command: str) -> None:
        print(f"$ {command}", flush=True)
        subprocess.run(["bash", "-c", command], cwd=self.copy, env=self.env, stdin=subprocess.DEVNULL, check=True)

    @contextmanager
    def served(self, command: str, until: str) -> Iterator[str]:
        """What a command has printed up to the line that begins so. It is ended by Ctrl-C, and must not mind."""
        print(f"$ {command}", flush=True)
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=self.copy, env=self.env, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # one in the background ignores Ctrl-C
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        printed = ""
        try:
            for line in process.stdout:
                printed += line
                if until in line:
                    break
            else:
                raise SystemExit(f"{printed}\nit has ended: {command}")
            yield printed
        finally:
            os.killpg(process.pid, signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
            print(printed + rest, flush=True)
        assert "Traceback" not in rest, rest
        assert process.returncode in (0, 130, -signal.SIGINT), process.returncode

    def read(self) -> None:
        demo, tests = (block.strip() for block in self.blocks("sh"))
        (sandbox,) = set(re.findall(r"`(\.venv/bin/wecom-logging sandbox)`", self.text))
        (site,) = re.findall(r"`(\.venv/bin/[^`]* && [^`]*)`", self.text)
        assert tests.endswith("-m pytest")
        self.paste(demo)
        with self.served(sandbox, "WECOM_AIBOT_URL") as printed:
            exports = "\n".join(re.findall(r"export .*", printed))
            (url,) = re.findall(r"its page is (\S+)\.", printed)
            for number, program in enumerate(self.blocks("python"), 1):
                (self.copy / f"program{number}.py").write_text(program, encoding="utf-8")
                self.paste(f"{exports}\n.venv/bin/python program{number}.py")
                arrived = json.loads(answer(f"{url}sandbox/messages"))
                assert len(arrived) == number, arrived
                print(arrived[-1]["content"])
        with self.served(site, "Serving on") as printed:
            (url,) = re.findall(r"Serving on (\S+)", printed)
            assert "wecom_logging" in answer(url)

    def read_without_the_extra(self) -> None:
        """What `pip install .` gives: the command names what is missing, and its remedy works."""
        self.paste("python3 -m venv plain && plain/bin/pip install -q .")
        command = "plain/bin/wecom-logging sandbox"
        refused = subprocess.run(
            command.split(), cwd=self.copy, env=self.env, capture_output=True, text=True, check=False
        )
        (remedy,) = re.findall(r"(?<=: )pip install .*", refused.stderr)
        self.paste(f"plain/bin/{remedy}")
        with self.served(command, "WECOM_AIBOT_URL"):
            pass


with tempfile.TemporaryDirectory() as cache:
    PIP["PIP_CACHE_DIR"] = cache
    for readme in sys.argv[1:]:
        print(f"-- {readme}", flush=True)
        with tempfile.TemporaryDirectory() as home:
            Reader(readme, Path(home)).read()
    with tempfile.TemporaryDirectory() as home:
        Reader(sys.argv[1], Path(home)).read_without_the_extra()
