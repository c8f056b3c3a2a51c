"""The one thread of a handler: started with the first alert, gone when a closed handler has nothing left to tell.

What the calling thread does here takes no lock that it could wait for. What happens at a fork and at the exit of the
program is here too, once for all handlers.
"""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..state import shared
from ..wecom import token
from ..wecom.deadline import within
from . import ratelimit
from .complaints import complain

RETRY_START_S = 1.0
GATE_S = 10.0
MAX_FALLBACKS = 10
"""How long a chain of handlers, each the fallback of the one before, is followed at exit."""


class Job(Protocol):
    """What a worker works on."""

    exit_timeout_s: float
    in_a_hurry: bool
    """Whether somebody waits for it."""

    def turn(self) -> float:
        """Do what is due; return the seconds until something is due again (infinity: when an alert comes)."""

    def tell_counted(self) -> bool:
        """Make all that is only counted due now; False where some of it cannot be yet."""

    def prepare(self) -> None:
        """Load what the turns need."""

    def settled(self) -> bool:
        """Whether nothing waits."""

    def unsettled_before(self, number: int) -> bool:
        """Whether an alert up to this number is still waiting or on its way."""

    def last_number(self) -> int:
        """The number of the newest alert."""

    def finished(self) -> bool:
        """Whether nothing will ever be due again."""

    def give_up(self) -> int:
        """Settle all that waits as lost at exit; return how many that were."""

    def start_anew(self) -> None:
        """In a forked child: forget what belongs to the parent."""


class Worker:
    """Runs a job's turns in a thread of its own."""

    def __init__(self, job: Job, clock: Callable[[], float]) -> None:
        self._job = job
        self._clock = clock
        self.start_anew()
        _workers[id(self)] = self

    @property
    def exit_timeout_s(self) -> float:
        return self._job.exit_timeout_s

    def start_anew(self) -> None:
        """Without a thread; in a forked child the parent's is not here."""
        self.pid = os.getpid()
        self._wake = _thread.allocate_lock()
        self._wake.acquire()
        self._starting = _thread.allocate_lock()
        self._turning = _thread.allocate_lock()
        self._running = False
        self._ident: int | None = None
        self._no_start_before = float("-inf")
        self._waiters: deque[tuple[int | None, _thread.LockType]] = deque()

    def after_fork(self) -> None:
        """In the child: a new worker, and a job without the parent's alerts."""
        self._job.start_anew()
        self.start_anew()

    def nudge(self) -> None:
        """Say that there is an alert. Never waits, but for one that comes after the exit hook."""
        if not self._running:
            self._start()
        if self._wake.locked():
            self.wake()
        if _exit.over:  # nobody will wait for it later
            _exit.tell(self.finish(_exit.ends))

    def wake(self) -> None:
        """Let the thread, if there is one, look what is due."""
        try:
            self._wake.release()
        except RuntimeError:  # it is awake, or will be
            return

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was accepted so far is settled; False if that took longer."""
        if self._job.settled():
            return True
        if _thread.get_ident() == self._ident:  # asked by user code that runs in this very thread
            return False
        self._start()
        if not self._running:
            return self.drain(timeout_s)
        settled = _thread.allocate_lock()
        settled.acquire()
        self._waiters.append((None, settled))
        self.wake()
        return settled.acquire(timeout=min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))

    def drain(self, timeout_s: float) -> bool:
        """Without a thread (none could be started): do the turns here."""
        ends = self._clock() + timeout_s
        if self._running or timeout_s <= 0 or not self._turning.acquire(blocking=False):
            return False
        try:
            self._job.prepare()
            self._job.tell_counted()
            self._job.in_a_hurry = True
            while self._clock() < ends and not self._job.settled():
                with within(ends):
                    wait = self._job.turn()
                time.sleep(min(wait, max(ends - self._clock(), 0.0)))
        except Exception as error:
            self._complain(error)
        finally:
            self._turning.release()
        return self._job.settled()

    def tell_all(self, ends: float) -> None:
        """At exit: wait until then for what is left to tell."""
        try:
            self.flush(ends - self._clock())
        except Exception as error:  # the other handlers' alerts must not be lost with these
            self._complain(error)

    def settled(self) -> bool:
        """Whether nothing is left to tell."""
        return self._job.settled()

    def finish(self, ends: float) -> int:
        """At exit: wait until then, and settle what is left; return how many alerts were lost."""
        self.tell_all(ends)
        try:
            return self._job.give_up()
        except Exception as error:  # as above
            self._complain(error)
            return 0

    def _start(self) -> None:
        if (
            self._running
            or _exit.begun
            or self._clock() < self._no_start_before
            or not self._starting.acquire(blocking=False)
        ):
            return
        try:
            if not self._running:
                self._running = True
                _thread.start_new_thread(self._run, ())
        except RuntimeError:  # no thread to be had, or the interpreter is shutting down
            self._running = False
            self._no_start_before = self._clock() + RETRY_START_S
        finally:
            self._starting.release()

    def _run(self) -> None:
        self._ident = _thread.get_ident()
        try:
            with _gate:  # a child that is forked in the middle of an import could never finish it
                self._job.prepare()
            with self._turning:
                self._loop()
        except Exception as error:
            self._complain(error)
            self._no_start_before = self._clock() + RETRY_START_S
        finally:
            self._ident = None  # the system gives it to another thread, which may flush
            self._running = False
            if not self._job.finished():
                self._start()

    def _loop(self) -> None:
        """Turn after turn, until a closed handler has nothing left to tell."""
        while True:
            self._hear_waiters()
            self._job.in_a_hurry = bool(self._waiters)
            wait = self._job.turn()
            self._tell_waiters()
            if wait > 0:
                if self._job.finished():
                    return
                self._wake.acquire(timeout=-1 if wait == float("inf") else min(wait, threading.TIMEOUT_MAX))

    def _complain(self, error: Exception) -> None:
        what = str(error) if isinstance(error, ImportError) else type(error).__name__
        hint = "; a program that gives up rights or changes its root must log once before that"
        complain("worker", f"alerts wait, nothing can be sent: {what}{hint if isinstance(error, ImportError) else ''}")

    def _hear_waiters(self) -> None:
        """Who has come to wait waits for all that is counted by now."""
        heard = len(self._waiters)  # who comes later may have counted something that is not told now
        if any(number is None for number, _ in list(self._waiters)) and self._job.tell_counted():
            last = self._job.last_number()
            for _ in range(heard):
                number, settled = self._waiters.popleft()
                self._waiters.append((last if number is None else number, settled))

    def _tell_waiters(self) -> None:
        for _ in range(len(self._waiters)):
            number, settled = self._waiters.popleft()
            if number is None or self._job.unsettled_before(number):
                self._waiters.append((number, settled))
            else:
                settled.release()


class _Exit:
    """The one exit hook: all handlers together get the longest ``exit_timeout``."""

    def __init__(self) -> None:
        self.begun = False
        self.over = False
        self.ends = 0.0
        self._longest = 0.0

    def hook(self) -> None:
        self.begun = True
        workers = _living_workers()
        self._longest = max((worker.exit_timeout_s for worker in workers), default=0.0)
        self.ends = time.monotonic() + self._longest
        try:
            for _ in range(MAX_FALLBACKS):
                for worker in workers:
                    worker.tell_all(self.ends)
                if all(worker.settled() for worker in workers):
                    break  # else one that was done already is the fallback of one that was not
        except KeyboardInterrupt:  # the user does not want to wait
            self.ends = 0.0
        finally:
            lost = sum(worker.finish(self.ends) for worker in workers)
            self.over = True
            shared.close_all()
            self.tell(lost)

    def tell(self, lost: int) -> None:
        if lost:
            text = "1 alert was" if lost == 1 else f"{lost} alerts were"
            complain("exit", f"{text} not sent within exit_timeout ({self._longest:g} s) and lost")


def _living_workers() -> list[Worker]:
    """In one step, while other threads may make handlers."""
    return [worker for reference in _workers.valuerefs() if (worker := reference()) is not None]


_workers: weakref.WeakValueDictionary[int, Worker] = weakref.WeakValueDictionary()
_gate = threading.RLock()
_exit = _Exit()


def _before_fork() -> None:
    _gate.acquire(timeout=GATE_S)


def _after_fork_in_parent() -> None:
    try:
        _gate.release()
    except RuntimeError:  # the gate could not be had in time
        return


def _after_fork_in_child() -> None:
    global _gate
    _gate = threading.RLock()
    for worker in _living_workers():
        worker.after_fork()


def forked_without_hooks() -> None:
    """In a child whose server (uWSGI) forks in C: what the hooks would have done, and without the gate.

    A module that was half imported at that instant would stay so for ever; dropped, it is imported anew. So is all
    below it: a package finds its submodules as attributes only where it has imported them itself.
    """
    modules = list(sys.modules.items())
    half = {name for name, module in modules if getattr(getattr(module, "__spec__", None), "_initializing", False)}
    for name, _ in modules:
        if any(name == other or name.startswith(f"{other}.") for other in half):
            del sys.modules[name]
    token.after_fork_in_child()
    ratelimit.after_fork_in_child()
    shared.after_fork_in_child()
    _after_fork_in_child()


atexit.register(_exit.hook)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
