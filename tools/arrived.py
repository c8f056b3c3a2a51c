"""What arrived in a sandbox, by incident: how many records its messages tell of, and how many messages came twice.

A sandbox, and the processes that log to it, are forked from here: nobody who forks has a thread.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from wecom_logging._sandbox import Sandbox

FORK = multiprocessing.get_context("fork")
PEOPLE = ("sandbox-user", "lisi")

STEP = "⏫ Escalation"
"""So begins what a step of an escalation sends, which is about one incident; what the others hear of it does not."""

_PIECE = re.compile(r"(?m)^(?=[🚨🔴🟠🔵⚪✅⏫✋🚫])")
_ID = re.compile(r"#([0-9a-z]{4,})")
_AGAIN = re.compile(r"again, (\d+)")
_IN_ALL = re.compile(r"(\d+) in all")
_COUNT = re.compile(r"× (\d+)")


@dataclass
class Heard:
    """What the messages say of one incident."""

    short_id: str = ""
    lives: dict[int, int] = field(default_factory=dict)
    """Of each time that it was open, how many records in all."""
    steps: int = 0
    parts: list[tuple[float, str]] = field(default_factory=list)
    """When each message came, and what it says of this one."""
    is_over: bool = False

    @property
    def count(self) -> int:
        return sum(self.lives.values())

    def hear(self, text: str, at: float) -> bool:
        """A message, or its part, that is about this incident alone: whether it was known already."""
        title = text.split("\n", 1)[0]
        self.parts.append((at, text))
        self.short_id = (_ID.findall(text) or [self.short_id])[0]
        if title.startswith(STEP):
            self.steps += 1
            return False
        again = _AGAIN.search(title)
        is_end = title.startswith("✅")
        life = int(again[1]) if again else max(self.lives, default=1) + (self.is_over and not is_end)
        told = self.lives.get(life, 0)
        numbers = _IN_ALL.findall(text) or _COUNT.findall(title)
        self.is_over = is_end
        if is_end or title.startswith(("✋", "⏫")):  # its end, what a person did, whom a step told; and what is new
            self.lives[life] = max(told, 0, *map(int, numbers))
            return False
        total = int(numbers[0]) if numbers else 1
        self.lives[life] = max(told, total)
        return total <= told


class Arrived:
    """All that has arrived at ``url`` so far, by the name that stands in a text; `read` looks for more."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name, self._last = f"{url}/sandbox/messages", re.compile(name), ""
        self.found: defaultdict[str, Heard] = defaultdict(Heard)
        self.texts: list[str] = []
        self.twice = 0
        """Messages, each of which may be about several incidents."""

    def read(self) -> None:
        after = {"after": self._last} if self._last else {}
        for message in requests.get(self._url, params=after, timeout=30).json():
            self._last, at = message["id"], message["time"]
            if message["msgtype"] == "file":  # a flood: what its summary shows stands in it, too
                self._read_file(requests.get(f"{self._url}/{self._last}/files/0", timeout=30).content, at)
            elif "all are in the file" not in message["content"]:
                self.texts.append(message["content"])
                is_step = message["content"].startswith(STEP)
                pieces = [message["content"]] if is_step else _PIECE.split(message["content"])
                self._read_parts([(named[1], piece) for piece in pieces if (named := self._name.search(piece))], at)

    def _read_file(self, data: bytes, at: float) -> None:
        parts = []
        for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
            if named := self._name.search(row[7]):
                sign = "✅" if row[1] == "quiet" else "🔴"
                parts.append((named[1], f"{sign} {row[7]} × {row[2]}, {row[3]} in all {row[0]}"))
        self._read_parts(parts, at)

    def _read_parts(self, parts: list[tuple[str, str]], at: float) -> None:
        """Those of one message."""
        again = [self.found[name].hear(part, at) for name, part in parts]
        self.twice += any(again)


@contextmanager
def wecom() -> Iterator[str]:
    """The URL of a sandbox without limits, in a process of its own."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _serve(connection: Any) -> None:
    sandbox = Sandbox()
    sandbox.seed({"limits": [{"channel": "app", "limits": []}]})
    for number, name in enumerate(PEOPLE):
        sandbox.add_member(name, name=name, departments=[1], mobile=f"1380000000{number}")
    sandbox.start()
    connection.send(sandbox.url)
    sandbox.serve_forever()
