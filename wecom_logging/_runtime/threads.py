"""The threads: one for each channel, which makes its handlers' turns, and one, `of_closed`, for all closed handlers.

However often a program configures its logging anew while WeCom stalls, it has a thread for each channel that an open
handler uses, and one more. What the calling thread does here takes no lock that it could wait for.
"""

from __future__ import annotations

import _thread
import threading
import time
import weakref
from collections import deque
from typing import Protocol

from . import forks
from .forks import prefork

RETRY_START_S = 1.0
_BEGINS_S = 2.0
"""How long a thread that was started may take to begin before another is."""


class Worker(Protocol):
    """Whom a thread works for; see the class of this name in worker.py."""

    channel: str
    runner: Runner
    nudged: bool
    """Whether there may be something to do at once."""
    due_at: float
    """When there is something to do again, on the monotonic clock."""
    joined: bool
    """Whether a thread knows it, or will when there is one."""

    @property
    def closed(self) -> bool:
        """Whether nothing new will come."""

    def finished(self) -> bool:
        """Whether nothing will ever be due again."""

    def take_turn(self) -> None:
        """Do what is due."""


class Runner:
    """A thread that makes the turns of its workers, each channel and those that are closed in their turn."""

    may_start = True
    """Not while the program ends: no thread could be started then."""

    ident: int | None = None
    """Of the thread."""

    def __init__(self) -> None:
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Without a thread; in a forked child the parent's is not here."""
        self._wake = _thread.allocate_lock()
        self.failed = False
        self.__dict__.pop("ident", None)
        self._begins_before = float("-inf")
        self._no_start_before = float("-inf")
        self._arrivals: deque[Worker] = deque()
        self._workers: list[Worker] = []
        self._turns = 0
        self._last_turns: dict[object, int] = {}

    # Any thread, at any instant.

    @property
    def running(self) -> bool:
        """Whether there is a thread, or one that was started a moment ago."""
        return self.ident is not None or time.monotonic() < self._begins_before

    def nudge(self, worker: Worker) -> bool:
        """Have a worker's turn made; whether there is a thread that will."""
        worker.nudged = True
        if not worker.joined:
            worker.runner._arrivals.append(worker)
            worker.joined = True  # only now: Ctrl-C may come in between
        runner = worker.runner  # read only now: a thread that gave it to another runner before that finds it nudged
        if not runner.running:
            runner.start()
        if runner._wake.locked():
            runner.wake()
        return runner.running

    def wake(self) -> None:
        """Let the thread, if there is one, look what is due."""
        try:
            self._wake.release()
        except RuntimeError:  # it is awake, or will be
            return

    def start(self) -> None:
        """Start the thread if there is none, at most once a second where none can be had.

        Nothing is held meanwhile: Ctrl-C may tear the calling thread out of it at any line.
        """
        if self.running or not Runner.may_start or time.monotonic() < self._no_start_before or prefork.is_ahead():
            return
        try:
            self._begins_before = time.monotonic() + _BEGINS_S
            _thread.start_new_thread(self._run, ())
            self.failed = False
        except RuntimeError:  # no thread to be had, or the interpreter is shutting down
            self._begins_before = float("-inf")
            self.failed = True
            self._no_start_before = time.monotonic() + RETRY_START_S
        except BaseException:  # Ctrl-C: the next call starts it; of two threads the second ends at once
            self._begins_before = float("-inf")
            raise

    # The thread.

    def _run(self) -> None:
        me = _thread.get_ident()
        if self.__dict__.setdefault("ident", me) != me:  # in one step: two callers may have started one each
            return
        self._begins_before = float("-inf")
        self._wake = _thread.allocate_lock()  # of the kind that such threads have: gevent may have come
        try:
            self._loop()
        except Exception:  # a defect of ours
            raise
        except BaseException:  # user code (redact) has ended the thread, which is said; its text may be a secret
            pass
        finally:
            self._begins_before = float("-inf")
            del self.ident  # the system gives it to another thread, which may flush
            if self._workers or self._arrivals:
                self.start()

    def _loop(self) -> None:
        """Turn after turn, until no worker is left."""
        while True:
            self._welcome()
            worker = self._next()
            if worker is not None:
                worker.take_turn()
                self._part_with(worker)
            now = time.monotonic()
            goes_on = worker is not None and (self._is_due(worker, now) or not worker.joined)
            if not goes_on and self._handed_over():
                return
            if not (self._workers or self._arrivals):
                return
            if worker is None and not self._arrivals:
                wait = min(each.due_at for each in self._workers) - now
                self._wake.acquire(timeout=-1 if wait == float("inf") else min(max(wait, 0.0), threading.TIMEOUT_MAX))

    def _welcome(self) -> None:
        while self._arrivals:
            worker = self._arrivals.popleft()
            if worker not in self._workers:
                self._workers.append(worker)

    def _next(self) -> Worker | None:
        """One that is due: of the channel, and of those open or closed, that waits longest for a turn."""
        now, first = time.monotonic(), dict[object, Worker]()
        for worker in self._workers:  # who had a turn stands behind the others
            if self._is_due(worker, now):
                first.setdefault((worker.channel, worker.closed), worker)
        if not first:
            return None
        group = min(first, key=lambda group: self._last_turns.get(group, 0))
        self._turns += 1
        self._last_turns[group] = self._turns
        self._workers.remove(first[group])
        self._workers.append(first[group])
        return first[group]

    @staticmethod
    def _is_due(worker: Worker, now: float) -> bool:
        return worker.nudged or worker.due_at <= now

    def _part_with(self, worker: Worker) -> None:
        """Forget a worker that is closed and has nothing left to send, or is open again and has another thread."""
        if self is of_closed and not worker.closed:
            self._hand_over([worker], runner_of(worker.channel))
        if worker.runner is not self or not worker.finished():
            return
        self._forget(worker)
        worker.joined = False
        if not worker.finished():  # one came at this instant
            self.nudge(worker)

    def _handed_over(self) -> bool:
        """Whether no worker here is open, and the thread for closed handlers goes on with them all."""
        if self is of_closed or not self._workers or not all(worker.closed for worker in self._workers):
            return False
        return self._hand_over(list(self._workers), of_closed) and not self._arrivals

    def _hand_over(self, workers: list[Worker], other: Runner) -> bool:
        """Let another thread go on with these; whether it is there."""
        other.start()
        if not other.running:
            return False
        for worker in workers:
            self._forget(worker)
            worker.runner = other
            other._arrivals.append(worker)
        if not other.running:  # it was about to end
            other.start()
        other.wake()
        return True

    def _forget(self, worker: Worker) -> None:
        self._workers.remove(worker)
        if not self._workers:
            self._last_turns.clear()


of_closed = Runner()
_runners: weakref.WeakValueDictionary[str, Runner] = weakref.WeakValueDictionary()


def runner_of(channel: str) -> Runner:
    """This process's runner for a channel, by its identity."""
    return _runners.setdefault(channel, Runner())


def reset_after_fork() -> None:
    """In a forked child: no thread is here."""
    for runner in [of_closed, *_runners.values()]:
        runner.reset_after_fork()


forks.in_child(reset_after_fork)
