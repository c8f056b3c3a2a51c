"""What TAB makes of a line, in the shells themselves."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wecom_logging import _cli as cli
from wecom_logging._runtime.version import with_extra

LINES = {
    "mem": "members",
    "members cre": "members create",
    "members create --no-i": "members create --no-invite",
    "sandbox --seed staf": "sandbox --seed staff.yaml",
    "doctor --lang z": "doctor --lang zh",
    "doctor --config shared-l": "doctor --config shared-logging.toml",
    "pending send k7f2 --no": "pending send k7f2 --now",
    "run --ser": "run --service",
    "run -- nightly-ba": "run -- nightly-balance",
    "run -- nightly-balance shared-l": "run -- nightly-balance shared-logging.toml",
    "completion z": "completion zsh",
}
FISH_LINES = {**LINES, "doctor --config=shared-l": "doctor --config=shared-logging.toml"}
"""With ``=``, which the scripts for bash and zsh do not complete."""
PROMPT = "ready> "
SHELLS = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], "wecom-logging.bash", "source ./wecom-logging.bash"),
    "zsh": (["zsh", "-f", "-i"], "_wecom-logging", "fpath=($PWD $fpath); autoload -Uz compinit && compinit -u -D"),
}
"""How each is started without what a user has set up; the name of the script; how the shell takes it."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files to name, a command to run, and a `wecom-logging` that notes how it was called."""
    for name in ("staff.yaml", "shared-logging.toml"):
        (tmp_path / name).touch()
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, program in (("nightly-balance", ""), ("wecom-logging", 'echo "$*" >> calls')):
        (folder / name).write_text(f"#!/bin/sh\n{program}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("PS1", PROMPT)
    monkeypatch.delenv("HISTFILE", raising=False)
    return tmp_path


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_what_stands_beside_a_command_is_in_the_language_that_is_set(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, said in (("en", "silence (snooze) it"), ("zh", "静默：重复告警只计数")):
        monkeypatch.setenv("WECOM_LANGUAGE", language)
        assert cli.main(["completion", shell]) == 0
        found = capsys.readouterr().out
        assert said in found.replace("\\", "")
        assert "incidents.quiet" not in found


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


@contextmanager
def terminal(command: list[str], folder: Path) -> Iterator[Callable[[str], None]]:
    """A shell at a terminal of its own. Gives what types a line into it and waits for the next prompt."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True
    ) as shell:
        os.close(theirs)

        def prompt() -> None:
            shown = b""
            while PROMPT.encode() not in shown.rpartition(b"\n")[2]:
                assert select.select([ours], [], [], 30)[0], shown
                shown += os.read(ours, 65536)

        def enter(line: str) -> None:
            os.write(ours, f"{line}\n".encode())
            prompt()

        try:
            prompt()
            yield enter
        finally:
            shell.kill()
            os.close(ours)


@pytest.mark.skipif(sys.platform == "win32", reason="these shells want a Unix terminal")
@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_commands_options_and_files(shell: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, name, setup = SHELLS[shell]
    (home / name).write_text(script(shell, capsys), encoding="utf-8")
    with terminal(command, home) as enter:
        enter(setup)
        for typed in LINES:
            enter(f"wecom-logging {typed}\t")
    assert (home / "calls").read_text().splitlines() == list(LINES.values())


def test_fish_completes_commands_options_and_files(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "wecom-logging.fish").write_text(script("fish", capsys), encoding="utf-8")
    program = 'source wecom-logging.fish; for line in $argv; echo "> $line"; complete -C "wecom-logging $line"; end'
    done = subprocess.run(
        ["fish", "--no-config", "-c", program, *FISH_LINES],
        cwd=home, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    completed = {}
    for block in done.stdout.split("> ")[1:]:
        typed, *candidates = block.splitlines()
        assert len(candidates) == 1, block
        completed[typed] = f"{typed.rpartition(' ')[0]} {candidates[0].partition(chr(9))[0]}".lstrip()
    assert completed == FISH_LINES


def test_who_lacks_the_extra_is_told_which(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert cli.main(["completion", "bash"]) == 3
    assert f"pip install {with_extra('cli')}" in capsys.readouterr().err
