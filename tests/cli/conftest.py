"""A command line that is set up for a local WeCom, its directory included."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import _cli as cli
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import shared

from ..programs import CREDENTIALS

CONTACTS = {"WECOM_CORP_ID": CREDENTIALS["WECOM_CORP_ID"], "WECOM_CONTACTS_SECRET": "sandbox-contacts-secret"}
APP = {name: CREDENTIALS[name] for name in ("WECOM_CORP_ID", "WECOM_SECRET", "WECOM_AGENT_ID")}


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Said]


@pytest.fixture
def command(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, with the secret of the contacts sync."""
    for name, value in {**CONTACTS, "WECOM_API_BASE": sandbox.url}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> Said:
        return Said(cli.main([str(argument) for argument in arguments]), *capsys.readouterr())

    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a state, which no process has used yet."""
    return tmp_path / "alerts.db"


@pytest.fixture
def over_a_file(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, with the file as its state."""
    monkeypatch.setenv("WECOM_STATE", f"sqlite://{path}")

    def run(*arguments: str, json: bool = False) -> Said:
        try:
            status = cli.main([*["--json"] * json, *arguments])
        finally:
            shared.close_all()  # as the end of a process does
        return Said(status, *capsys.readouterr())

    return run


def parsers(parser: argparse.ArgumentParser | None = None) -> Iterator[argparse.ArgumentParser]:
    """That of the command line, and of each command and verb below it."""
    parser = cli._parser() if parser is None else parser
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from parsers(one)


def paths(sandbox: Sandbox) -> list[str]:
    """The calls that came in, without ``/cgi-bin/``."""
    return [call.path.removeprefix("/cgi-bin/") for call in sandbox.calls]
