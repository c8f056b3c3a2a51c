"""What a disk may hold up, done in a thread of its own: the caller waits for a moment and no longer."""

from __future__ import annotations

import _thread
import queue
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")

BOUND_S = 0.04
"""So long a caller waits, which leaves the rest of 50 ms to what else a log call does. A write that a disk takes costs
some ten microseconds."""

_BEGINS_S = 0.01
"""A thread that has not begun by then is held up by the program's own threads, not by a disk."""

_BUSY_S = 1.0
"""For so long such a program does without: each change of threads costs it more than the write."""

_IDLE_S = 1.0
"""After so long without work the thread ends; while there is some, another would cost more than the work."""

_ENDS_S = 0.25
"""How much longer a caller waits that was itself held up so: the work may be done, and no thread could say so."""


class Bounded(Generic[_T]):
    """Calls that end in time, or go on alone. While one is late, all others are refused at once."""

    def __init__(self, undo: Callable[[_T], object]) -> None:
        self._undo = undo
        self._late: set[_Call[_T]] = set()
        self._direct_until = float("-inf")
        self._calls: queue.SimpleQueue[_Call[_T] | None] = queue.SimpleQueue()
        self._is_running = False

    @property
    def is_late(self) -> bool:
        """Whether a call still goes on that was given up."""
        return bool(self._late)

    def end(self) -> None:
        """Let the thread end; the next call starts another."""
        if self._is_running:
            self._calls.put(None)

    def call(self, work: Callable[[], _T]) -> _T:
        """What the work returns or raises. Raises TimeoutError where it is late: ``undo`` gets what it returns then."""
        if self._late:
            raise TimeoutError("the disk does not answer")
        # A thread of gevent is none: it would only hold up the caller in its turn.
        if time.monotonic() < self._direct_until or _thread.start_new_thread.__module__ != "_thread":
            return work()
        one = _Call(work)
        self._calls.put(one)
        if not self._is_running:
            self._is_running = True
            try:
                _thread.start_new_thread(self._run, ())
            except RuntimeError:  # there can be no more threads, or the program ends
                self._is_running = False
        if not one.over.acquire(timeout=_BEGINS_S):
            if one.begin.acquire(blocking=False):
                self._direct_until = time.monotonic() + _BUSY_S
                return work()
            if not self._has_ended(one):
                self._late.add(one)
                if one.end.acquire(blocking=False):
                    raise TimeoutError("the disk does not answer")
                self._late.discard(one)
                one.over.acquire()  # it ended in this very moment
        return one.result()

    def _run(self) -> None:
        """Where it ends just when a call comes, the caller does the work itself."""
        try:
            while (one := self._calls.get(timeout=_IDLE_S)) is not None:
                one.run(self._ended)
        except queue.Empty:
            pass
        finally:
            self._is_running = False

    @staticmethod
    def _has_ended(one: _Call[_T]) -> bool:
        wait_s = BOUND_S - _BEGINS_S
        until = time.monotonic() + wait_s
        if one.over.acquire(timeout=wait_s):
            return True
        is_busy = time.monotonic() - until > _BEGINS_S / 2
        return is_busy and one.over.acquire(timeout=_ENDS_S)

    def _ended(self, one: _Call[_T]) -> None:
        """No caller waits for it any more."""
        try:
            if one.error is None:
                self._undo(one.result())
        finally:
            self._late.discard(one)


class _Call(Generic[_T]):
    """``begin`` and ``end`` are taken once: by the thread, or by the caller, who does without it then."""

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._results: list[_T] = []
        self.error: BaseException | None = None
        self.begin, self.end, self.over = (_thread.allocate_lock() for _ in range(3))
        self.over.acquire()

    def run(self, left: Callable[[_Call[_T]], None]) -> None:
        if not self.begin.acquire(blocking=False):
            return
        try:
            self._results.append(self._work())
        except BaseException as error:
            self.error = error
        if not self.end.acquire(blocking=False):
            left(self)
        self.over.release()

    def result(self) -> _T:
        if self.error is not None:
            raise self.error
        return self._results[0]
