"""One clock for real handlers, which is put ahead when a judge says so: ``ahead.advance(600)``.

The judges in `tools/` speak to handlers, URLs and the sandbox alone. A handler takes no clock, so this file is the only
one of theirs that knows an engine from inside; an engine of another kind needs another `one_clock`, `look` and
`pass_time`, and no other judge. ``python -m tests.one_clock 3600 --json incidents`` is the command line an hour ahead.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from multiprocessing.sharedctypes import RawValue
from pkgutil import walk_packages
from typing import Any
from unittest.mock import patch

import wecom_logging
from wecom_logging._cli import main
from wecom_logging._runtime import clock
from wecom_logging._runtime.worker import Worker, living_workers
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.redis import RedisStore

from .programs import ROOT


class Ahead:
    """By how much the clock of this process and of all that it forks is ahead of the system's, in seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._value = RawValue("d", seconds)

    def __float__(self) -> float:
        return float(self._value.value)

    def __radd__(self, seconds: float) -> float:
        return seconds + float(self)

    def __call__(self) -> float:
        """Seconds since the epoch, as this clock has them."""
        return time.time() + float(self)

    def advance(self, seconds: float) -> None:
        self._value.value += seconds


turns = 0
"""How many the handlers of this process have made since `one_clock` began."""
_turning: set[int] = set()
_gate = threading.Lock()


@contextmanager
def one_clock(ahead: Ahead) -> Iterator[None]:
    """Of this process and those that it forks, and of a server as they see it."""
    take_turn = Worker.take_turn

    def seen(worker: Worker) -> None:
        global turns
        _turning.add(id(worker))
        with _gate:  # another handler's turn is not made at the same time, which is no loss here
            pass
        take_turn(worker)
        turns += 1
        _turning.discard(id(worker))

    with ExitStack() as stack:
        stack.enter_context(patch.object(Worker, "take_turn", seen))
        stack.enter_context(patch.object(clock, "_ahead_s", ahead))  # it is added as a number is
        stack.enter_context(patch.object(RedisStore, "time", lambda store: ahead()))
        theirs = property(lambda store: float(ahead), lambda store, value: None)
        stack.enter_context(patch.object(RedisStore, "offset_s", theirs, create=True))
        yield


def look() -> None:
    """The handlers of this process look what is due now: no thread of theirs sees that the clock was put ahead."""
    for worker in living_workers():
        worker.nudge()


@contextmanager
def paused() -> Iterator[None]:
    """No handler of this process makes a turn; to be called where all is done that is due."""
    with _gate:
        yield


def pass_time(ahead: Ahead, seconds: float, then: Callable[[float], object] = float, *, least: float = 0.001) -> None:
    """Let time pass in this process, from one time at which something is due to the next, by ``least`` seconds at
    least; what is due then is done. Nothing is made due, as a flush and `capture_alerts` do. ``then`` hears of each
    step, in seconds.
    """
    while seconds > 0:
        step = min(max(rest(), least), seconds)
        ahead.advance(step)
        then(step)
        seconds -= step
    rest()


def rest() -> float:
    """Wait until all that is due now is done; the seconds until more is."""
    look()
    pause = 0.0001
    while any(_is_busy(one) for one in _running()):
        time.sleep(pause)
        pause = min(2 * pause, 0.005)
    return min([one.due_at for one in _running()] or [float("inf")]) - time.monotonic()


def _running() -> list[Worker]:
    """Without those that were closed and are done: no thread is theirs, and what they were due stays so for ever."""
    return [one for one in living_workers() if not one.finished()]


def _is_busy(worker: Worker) -> bool:
    """Asked in this order: it ceases to be nudged within its turn, which says when the next is due."""
    return worker.nudged or id(worker) in _turning or worker.due_at <= time.monotonic()


def load_all() -> None:
    """What a handler would load later is loaded, for processes that are forked many times."""
    for module in walk_packages(wecom_logging.__path__, "wecom_logging."):
        if not module.name.endswith("__main__") and ".integrations" not in module.name:
            import_module(module.name)


def command_line(ahead: Ahead, state: str, *arguments: str, language: str = "en") -> Any:
    """What a command says with ``--json`` about a state, in a process of its own; None where it refuses."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.one_clock", repr(float(ahead)), "--json", *arguments],
        cwd=ROOT,
        env={**os.environ, "WECOM_STATE": state, "WECOM_LANGUAGE": language},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return None if done.returncode else json.loads(done.stdout)


@contextmanager
def wecom(ahead: Ahead, members: Iterable[str]) -> Iterator[dict[str, str]]:
    """The sandbox in a process of its own, by the clock of all; its variables."""
    reads, writes = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            sandbox = Sandbox(clock=ahead)
            for number, name in enumerate(members):
                sandbox.add_member(name, name=name, departments=[1], mobile=f"138000{number:05}")
            sandbox.start()
            os.write(writes, json.dumps(sandbox.environment).encode())
            sandbox.serve_forever()
        finally:
            os._exit(0)
    try:
        yield json.loads(os.read(reads, 4096))
    finally:
        os.close(reads)
        os.close(writes)
        end(pid)


def end(pid: int) -> None:
    """Kill a process of ours that may have ended."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    with one_clock(Ahead(float(sys.argv[1]))):
        sys.exit(main(sys.argv[2:]))
