"""``wecom-logging watch``: a process that only watches jobs, and sends what others leave in the state."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import threading
from typing import Any

from .environment import handlers, opened
from .printing import say
from .texts import text

_LOOK_S = 1.0


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "watch",
        help="watch.help",
        description="watch.about",
    )
    parser.set_defaults(run=serve)


def serve(options: argparse.Namespace) -> int:
    """Until a signal ends it."""
    opened(None)  # or it says that there is none
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    made = handlers(None)
    pipelines = [one._pipeline for one in made if one._pipeline is not None]
    if not pipelines:
        if made:
            say(text("usage.switched_off"))
        return 0 if made else 3
    for one in pipelines:
        one.look()
    print(text("jobs.watching"), flush=True)
    _tell_systemd("READY=1")
    while not ended.wait(_LOOK_S):
        if all(one.is_watching() for one in pipelines):
            _tell_systemd("WATCHDOG=1")
    _tell_systemd("STOPPING=1")
    return 0


def _tell_systemd(state: str) -> None:
    """As sd_notify does. Where nobody listens that is no failure."""
    if not (path := os.environ.get("NOTIFY_SOCKET")):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.connect(f"\0{path[1:]}" if path.startswith("@") else path)
            there.send(state.encode())
    except OSError as error:
        say(text("jobs.no_systemd", error=error.strerror or type(error).__name__))
