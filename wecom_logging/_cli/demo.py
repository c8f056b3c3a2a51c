"""``wecom-logging demo``: the main job with nothing to set up. A program fails, and its alerts arrive."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from .sandbox import CREDENTIALS, DEFAULT_PORT, load

if TYPE_CHECKING:
    from .._sandbox import Sandbox


def add(commands: Any) -> None:
    parser = commands.add_parser("demo", help="see alerts arrive in a local WeCom, with nothing to set up")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default %(default)s, or any free one")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    server = _started(options.port)
    try:
        print(f"1. A local WeCom is at {server.url}. Nothing leaves this machine.")
        print("2. A small program with a logging config of its own runs, fails here and there, and ends:\n")
        status = _run_program(server.url)
        print(f"\n   It ended with exit code {status}. It waited for nothing but its last alerts.")
        messages = server.messages()
        print(f"3. {len(messages)} messages arrived:\n")
        for message in messages:
            _show(message)
        watched = sys.stdin is not None and sys.stdin.isatty()
        if watched:
            print(f"They are also at {server.url}/ as a page, until Ctrl-C.")
        print("Next: three lines in your own logging config (see the README).", flush=True)
        if watched:
            server.serve_forever()
        return 0 if status == 0 and messages else 1
    finally:
        server.stop()


def _started(port: int) -> Sandbox:
    server = load(port)
    try:
        server.start()
    except OSError:  # the usual port is taken: any other will do
        server = load(0)
        server.start()
    return server


def _run_program(url: str) -> int:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    environment = {**mine, **CREDENTIALS, "WECOM_API_BASE": url}
    return subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli.demo_program"], env=environment, check=False
    ).returncode


def _show(message: dict[str, Any]) -> None:
    to = "the group of the bot" if message["channel"] == "bot" else f"to {', '.join(message['receivers'])}"
    print(f"   ┌ {message['channel']}, {message['msgtype']}, {to}")
    for line in message["content"].splitlines():
        print(f"   │ {line}")
    print("   └")
