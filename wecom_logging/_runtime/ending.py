"""The end of the program and its forks, once for all handlers: what waits is sent, and what is lost is said."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from .._lines import line
from . import forks, threads
from .counters import Number
from .forks import Children, prefork
from .threads import Runner
from .warn import warn_once

if TYPE_CHECKING:
    from .worker import Worker

_LOOK_S = 0.5
"""Where all wait together: Ctrl-C that comes just before the wait for a lock is noticed only behind it."""

MAX_FALLBACKS = 10
"""How long a chain of handlers, each the fallback of the one before, is followed at exit."""


class _Exit:
    """The one exit hook: all handlers together get the longest ``exit_timeout``."""

    def __init__(self) -> None:
        self.begun = False
        self.over = False
        self.ends = 0.0
        self._longest = 0.0
        self._lost, self._lines = Number(), Number()
        self._ends_threads = False

    def be_heard_by_subinterpreter(self) -> None:
        """It waits for our thread before it runs exit hooks: the thread has to end before that."""
        if not self._ends_threads and threads.in_subinterpreter():
            self._ends_threads = True
            threading._register_atexit(self._end_threads)  # type: ignore[attr-defined] # as concurrent.futures does

    def _end_threads(self) -> None:
        self.hook()
        threads.end_all()

    def hook(self) -> None:
        workers = living_workers()
        if any(worker.pid != os.getpid() for worker in workers):
            forks.forked_without_hooks()  # what the parent has to send is not for this child to wait for
        if not self.begun:  # after the finalisers of multiprocessing it runs once more
            self._longest = _longest(workers)
            self.ends = time.monotonic() + self._longest
        self.begun, Runner.may_start = True, False
        before = None
        for worker in workers:
            worker.job.end()
        try:
            for _ in range(MAX_FALLBACKS):
                _flush_all(workers, self.ends)
                if time.monotonic() >= self.ends or all(worker.job.settled() for worker in workers):
                    break  # else one that was done already is the fallback of one that was not
        except KeyboardInterrupt:  # the user does not want to wait; a second one is not to cost the number of the lost
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            self.ends = 0.0
        finally:
            self.over = True  # from now on each thread sees itself to what it logs, before or after our last look
            lost = sum(worker.finish(self.ends) for worker in living_workers())
            for end in at_end:
                end()
            self.tell(lost)
            _stay_interrupted()
            if before is not None:
                signal.signal(signal.SIGINT, before)

    def tell(self, lost: int) -> None:
        """Say how many are lost. What comes after the first line is said, too, but not each of a storm."""
        if lost:
            self._lost.add_many(lost)
            number, in_all = self._lines.add(), self._lost.value
            row = "lost_in_all" if number > 1 else "one_lost" if in_all == 1 else "lost"
            text = line(row, count=in_all, seconds=self._longest)
            warn_once(f"exit {number if number < 10 else number.bit_length() + 10}", text)


def _stay_interrupted() -> None:
    """Where Ctrl-C has ended the program, it ends by that signal, for its parent to see.

    Python notes that, and forgets it with the next source text that it runs, as the import of a dataclass does.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):  # not of an earlier line
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")


def _flush_all(workers: list[Worker], ends: float) -> None:
    """Wait until then for all together; those that have no thread get equal shares of the time that is left."""
    asked = [(worker, worker.ask()) for worker in workers if not worker.job.settled()]
    for _, settled in asked:
        if settled is not None:
            while not settled.acquire(timeout=max(min(ends - time.monotonic(), _LOOK_S), 0.0)):
                if time.monotonic() >= ends:
                    break
    alone = [worker for worker, settled in asked if settled is None]
    for number, worker in enumerate(alone):
        worker.drain((ends - time.monotonic()) / (len(alone) - number))


def flush_all() -> None:
    """Wait until what all handlers have accepted is settled, together, at most the longest ``exit_timeout``."""
    workers = living_workers()
    _flush_all(workers, time.monotonic() + _longest(workers))


def _longest(workers: list[Worker]) -> float:
    return max((worker.job.exit_timeout_s for worker in workers), default=0.0)


def living_workers() -> list[Worker]:
    """In one step, while other threads may make handlers."""
    return [worker for reference in all_workers.valuerefs() if (worker := reference()) is not None]


all_workers: weakref.WeakValueDictionary[int, Worker] = weakref.WeakValueDictionary()
at_end: list[Callable[[], None]] = []
"""What is done when all handlers have ended."""

the_exit = _Exit()
end_all = the_exit.hook
"""Does what is done at the exit of the program, in a process that ends without it."""
children = Children(end_all)


def _after_fork_in_child() -> None:
    inherits = prefork.is_first_worker()
    for worker in living_workers():
        worker.job.reset_after_fork(inherits=inherits)
        worker.reset_after_fork()


def _forked_by_uwsgi() -> None:
    """In each process that uWSGI has forked, and in its only one if it forks none."""
    workers = living_workers()
    if any(worker.pid != os.getpid() for worker in workers):
        forks.forked_without_hooks()
    for worker in workers:  # what came while no thread could start is sent
        worker.job.open()
        if not worker.job.settled():
            worker.nudge()


prefork.then = _forked_by_uwsgi
forks.in_child(_after_fork_in_child, last=True)  # all that a job uses is as new then
forks.before(children.look)
atexit.register(end_all)
