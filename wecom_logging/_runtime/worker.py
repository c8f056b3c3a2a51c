"""`Worker` makes a handler's turns: in a background thread, or, where none can be started, in the thread that waits.

What the calling thread does here takes no lock that it could wait for. What happens at a fork and at the exit of the
program is here too, once for all handlers.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from .._lines import line
from . import forks
from .clock import within
from .counters import Number
from .forks import Children, prefork
from .standing import standing
from .threads import Runner, runner_of
from .warn import warn_once

MEND_S = 15.0
"""After a defect of ours, or a library that cannot be loaded."""

_LOOK_S = 0.5
"""Where all wait together: Ctrl-C that comes just before the wait for a lock is noticed only behind it."""

MAX_FALLBACKS = 10
"""How long a chain of handlers, each the fallback of the one before, is followed at exit."""


class Job(Protocol):
    """What a worker works on."""

    exit_timeout_s: float
    draining: bool
    """Whether it drains: `flush` or the exit waits for it."""

    def turn(self) -> float:
        """Do what is due; return the seconds until something is due again (infinity: when an alert comes)."""

    def waits_for(self) -> object | None:
        """Make all that was accepted due now; what that is, or None where some of it cannot be yet."""

    def prepare(self) -> None:
        """Load what the turns need."""

    def settled(self) -> bool:
        """Whether nothing waits."""

    def is_told(self, mark: Any) -> bool:
        """Whether what `waits_for` gave is settled."""

    def closed(self) -> bool:
        """Whether no alert will be accepted any more."""

    def finished(self) -> bool:
        """Whether, besides, nothing will ever be due again."""

    def end(self) -> None:
        """The program ends: from now on `waits_for` makes due, too, what waits for its time in this process alone."""

    def give_up(self, has_time: Callable[[], bool] = bool) -> int:
        """Settle all that waits as lost at exit, but for what comes amid this and ``has_time``; return how many."""

    def problem(self) -> str:
        """Says behind a line of ours why the last message has not arrived so far; "" where nothing is known."""

    def rests_s(self) -> float:
        """For how many seconds nothing is tried, as WeCom refuses what it needs or has asked for a pause; else 0."""

    def open(self) -> None:
        """Look for what others have left, where there is a state."""

    def reset_after_fork(self, *, inherits: bool = False) -> None:
        """In a forked child: forget what belongs to the parent, or send it in the parent's place."""


class Worker:
    """Has a job's turns made."""

    def __init__(self, job: Job, clock: Callable[[], float], channel: str) -> None:
        self.channel = channel
        self.job = job
        self._clock = clock
        self.reset_after_fork()
        _children.look()
        _workers[id(self)] = self

    def reset_after_fork(self) -> None:
        """Without a thread; in a forked child the parent's is not here."""
        self.pid = os.getpid()
        self.runner: Runner = runner_of(self.channel)
        self.joined = self.nudged = self._prepared = False
        self.due_at = float("-inf")
        self._turning = _thread.allocate_lock()
        self._finishing: dict[int, bool] = {}
        """The threads that do, and whether more has come meanwhile."""
        self._waiters: deque[tuple[object | None, _thread.LockType]] = deque()

    # Any thread.

    def nudge(self) -> None:
        """Say that there is an alert. Never waits, but after the exit hook."""
        self.runner.nudge(self)
        if _exit.over:  # nothing waits for it later
            _exit.tell(self.finish(_exit.ends), [self])

    @property
    def lacks_thread(self) -> bool:
        """Whether one was wanted and could not be had."""
        return self.runner.failed and not self.runner.running

    def retire(self) -> None:
        """Say that there will be no more alerts."""
        if self.joined:
            self.runner.nudge(self)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was accepted so far is settled; False if that took longer."""
        if self.pid != os.getpid():
            forks.forked_without_hooks()
        if self.job.settled():
            return True
        if _thread.get_ident() == self.runner.ident:  # asked by user code that runs in this very thread
            return False
        if (settled := self.ask()) is None:
            return self.drain(timeout_s)
        return settled.acquire(timeout=min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))

    def ask(self) -> _thread.LockType | None:
        """A lock that can be had when all is settled that was accepted so far; None if no thread sees to that."""
        settled = _thread.allocate_lock()
        settled.acquire()
        waiter = (None, settled)
        self._waiters.append(waiter)
        if not self.runner.nudge(self):
            with suppress(ValueError):  # a thread came, and has taken it
                self._waiters.remove(waiter)
                return None
        return settled

    def drain(self, timeout_s: float) -> bool:
        """Without a thread (none could be started): do the turns here."""
        ends = time.monotonic() + timeout_s
        if self.runner.running or timeout_s <= 0 or forks.torn or not self._turning.acquire(blocking=False):
            return False
        try:
            self.job.prepare()
            self.job.draining = True
            with within(ends):
                self.job.waits_for()
                while time.monotonic() < ends and not self.job.settled():
                    time.sleep(min(self.job.turn(), max(ends - time.monotonic(), 0.0)))
        except Exception as error:
            self._warn_once(error)
        finally:
            self._turning.release()
        return self.job.settled()

    def finish(self, ends: float) -> int:
        """At exit: wait until then, and settle what is left; return how many alerts were lost.

        A signal handler that logs amid this leaves its alert to it: our thread may need what this holds.
        """
        me, lost = _thread.get_ident(), 0
        if me in self._finishing:
            self._finishing[me] = True
            return 0
        while True:
            self._finishing[me] = False
            try:
                self.flush(ends - time.monotonic())
            except BaseException as error:  # also of user code: the other handlers' alerts must not be lost with these
                self._warn_once(error)
            try:
                lost += self.job.give_up(lambda: self._finishing[me] and time.monotonic() < ends)
            except BaseException as error:  # as above
                self._warn_once(error)
            if not self._finishing.pop(me, False):
                return lost

    # The thread.

    @property
    def closed(self) -> bool:
        return self.job.closed()

    def finished(self) -> bool:
        return self.job.finished() and not self._waiters

    def take_turn(self) -> None:
        """Do what is due, for those who wait and for the others."""
        wait = 0.0  # if user code ends the thread, the next goes on at once
        self.nudged = False
        try:
            with self._turning:
                if not self._prepared:
                    with forks.gate:  # a child that is forked in the middle of an import could never finish it
                        self.job.prepare()
                    self._prepared = True
                self._hear_waiters()
                self.job.draining = bool(self._waiters)
                wait = self.job.turn()
                self._tell_waiters()
            standing.now_and_then()
        except Exception as error:
            wait = MEND_S
            self._warn_once(error)
        finally:
            self.due_at = time.monotonic() + wait

    def _warn_once(self, error: BaseException) -> None:
        why = type(error).__name__
        if isinstance(error, ImportError):
            why = line("late_import", error=error)
        elif isinstance(error, OSError) and error.errno:
            why = f"{why}: {os.strerror(error.errno)}"
        warn_once("worker", line("no_turn", why=why))

    def _hear_waiters(self) -> None:
        """Waiters that have come wait for all that is accepted by now."""
        heard = len(self._waiters)  # who comes later may have counted something that is not due now
        if any(mark is None for mark, _ in list(self._waiters)) and (now := self.job.waits_for()) is not None:
            for _ in range(heard):
                mark, settled = self._waiters.popleft()
                self._waiters.append((now if mark is None else mark, settled))

    def _tell_waiters(self) -> None:
        for _ in range(len(self._waiters)):
            mark, settled = self._waiters.popleft()
            if mark is None or not self.job.is_told(mark):
                self._waiters.append((mark, settled))
            else:
                settled.release()


class _Exit:
    """The one exit hook: all handlers together get the longest ``exit_timeout``."""

    def __init__(self) -> None:
        self.begun = self.over = False
        self.ends = self._longest = 0.0
        self._lost, self._lines = Number(), Number()

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
                waits = [worker for worker in workers if not worker.job.settled()]
                if waits and all(_is_in_vain(worker, self.ends) for worker in waits):
                    self.ends = 0.0
                if time.monotonic() >= self.ends or not waits:
                    break  # else one that was done already is the fallback of one that was not
        except KeyboardInterrupt:  # the user does not want to wait; a second one is not to cost the number of the lost
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            self.ends = 0.0
        finally:
            self.over = True  # from now on each thread sees itself to what it logs, before or after our last look
            lost = sum(worker.finish(self.ends) for worker in living_workers())
            for end in at_end:
                end()
            self.tell(lost, living_workers())
            _stay_interrupted()
            if before is not None:
                signal.signal(signal.SIGINT, before)

    def tell(self, lost: int, workers: list[Worker]) -> None:
        """Say how many are lost. What comes after the first line is said, too, but not each of a storm."""
        if lost:
            self._lost.add_many(lost)
            number, in_all = self._lines.add(), self._lost.value
            row = "lost_in_all" if number > 1 else "one_lost" if in_all == 1 else "lost"
            why = next(filter(None, (worker.job.problem() for worker in workers)), "")
            has_waited = all(worker.job.rests_s() <= self._longest for worker in workers)
            within = line("within", seconds=self._longest) if has_waited else ""
            text = line(row, count=in_all, within=within, why=why)
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
    for worker, settled in [(worker, lock) for worker, lock in asked if lock is not None]:
        while not settled.acquire(timeout=max(min(ends - time.monotonic(), _LOOK_S), 0.0)):
            if time.monotonic() >= ends or _is_in_vain(worker, ends):
                break
    alone = [worker for worker, settled in asked if settled is None]
    for number, worker in enumerate(alone):
        worker.drain((ends - time.monotonic()) / (len(alone) - number))


def _is_in_vain(worker: Worker, ends: float) -> bool:
    """Whether it tries nothing until then."""
    return time.monotonic() + worker.job.rests_s() > ends > time.monotonic()


def flush_all() -> None:
    """Wait until what all handlers have accepted is settled, together, at most the longest ``exit_timeout``."""
    workers = living_workers()
    _flush_all(workers, time.monotonic() + _longest(workers))


def _longest(workers: list[Worker]) -> float:
    return max((worker.job.exit_timeout_s for worker in workers), default=0.0)


def living_workers() -> list[Worker]:
    """In one step, while other threads may make handlers."""
    return [worker for reference in _workers.valuerefs() if (worker := reference()) is not None]


_workers: weakref.WeakValueDictionary[int, Worker] = weakref.WeakValueDictionary()
at_end: list[Callable[[], None]] = [standing.at_exit]
"""What is done when all handlers have ended."""

_exit = _Exit()
end_all = _exit.hook
"""Does what is done at the exit of the program, in a process that ends without it."""
_children = Children(end_all)


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
forks.before(_children.look)
atexit.register(end_all)
