"""Kills at every moment of a send, for a time of its own: ``python -m tools.kills``, and ``--random 200``.

Each process logs one alert and is killed: at its n-th audit event, for all n until it outlives them, or at a random
time after its log call. The next takes over what it left, and is killed too. At the end each alert whose log call had
returned must have been told, at most twice, and then with the same number.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import count, islice
from pathlib import Path

import requests

from tests.programs import run, word
from tests.state.test_processes import DIES_AT_EVENT, LOGS_ONE, OPENS
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.sqlite import SqliteStore

CHAIN = 8
"""Kills on one file and one sandbox, whose bot takes 20 messages a minute."""

NUMBER = re.compile(r"#[0-9a-z]{4,}")
AT_RANDOM = "import threading; threading.Timer({wait}, os.kill, (os.getpid(), 9)).start(); import time; time.sleep(2)"


@dataclass(frozen=True)
class Told:
    """Figures: kills, how many after the log call, and what became of those alerts."""

    kills: int = 0
    logged: int = 0
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    is_over: bool = False


def kill_at(sandbox: Sandbox, url: str, name: str, *, event: int = 0, wait: float | None = None) -> tuple[bool, bool]:
    """Whether the log call had returned, and whether the process was killed."""
    before, after = (
        ("", AT_RANDOM.format(wait=wait))
        if wait
        else (DIES_AT_EVENT.format(events=event), "import time; time.sleep(1)")
    )
    code = LOGS_ONE.format(name=name, before=before, after=after)
    ended = run(code, url=sandbox.url, WECOM_STATE=url, WECOM_RATE_LIMIT="off")
    return ended.out == "logged", ended.status == -9


def chain(moments: Iterator[tuple[int, float | None]], most: int) -> Told:
    """So many kills on one file, and what came of them."""
    logged: dict[str, bool] = {}
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alerts.db"
        url = f"sqlite://{path}"
        for event, wait in islice(moments, most):
            name = word(len(logged))
            logged[name], killed = kill_at(sandbox, url, name, event=event, wait=wait)
            if not killed:
                break
        else:
            killed = bool(logged)
        for _ in range(2):
            assert run(OPENS, url=sandbox.url, WECOM_STATE=url, WECOM_RATE_LIMIT="off").status == 0
        texts = [each["content"] for each in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]
        with closing(SqliteStore(str(path))) as state:
            books = state.counters()
        assert (books.waiting, books.given_up, books.counted) == (0, 0, books.told), books
        assert not [one.name for one in path.parent.iterdir() if ".own-" in one.name]
    found = {name: [text for text in texts if f"the disk of {name} is full" in text] for name in logged}
    return Told(
        kills=len(logged),
        logged=sum(logged.values()),
        lost=sum(had and not found[name] for name, had in logged.items()),
        twice=sum(len(copies) == 2 for copies in found.values()),
        wrong=sum(len(copies) > 2 or not set.intersection(*numbers(copies)) for copies in found.values() if copies),
        is_over=not killed,
    )


def numbers(texts: list[str]) -> list[set[str]]:
    """Of each message, those of the alerts in it: a shared one has several."""
    return [set(NUMBER.findall(text)) for text in texts]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=0, help="so many random moments instead of all events")
    parser.add_argument("--step", type=int, default=1, help="every so many events only")
    options = parser.parse_args()
    moments: Iterator[tuple[int, float | None]] = ((event, None) for event in count(0, options.step))
    if options.random:
        moments = ((0, random.expovariate(5) + 0.001) for _ in range(options.random))
    total = Told()
    while not total.is_over:
        told = chain(moments, CHAIN)
        total = Told(*map(sum, zip(astuple(total), astuple(told), strict=True)))
    print(total)
    return bool(total.lost or total.wrong)


if __name__ == "__main__":
    sys.exit(main())
