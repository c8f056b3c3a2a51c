"""What a disk may hold up, done in a thread of its own: the caller waits for a moment and no longer."""

from __future__ import annotations

import _thread
import gc
import queue
import sys
from collections.abc import Callable
from types import FrameType

from .forks import prefork

BOUND_S = 0.04
"""So long a caller waits for a disk, which leaves the rest of 50 ms to what else a log call does. A write that a disk
takes costs some ten microseconds."""

_LOOKS = 20
"""Of two threads that wait for a turn among many, either may be the first: that one is it so often is no chance."""

_LOOK_S = BOUND_S / _LOOKS
_MOST_LOOKS = 10 * _LOOKS
"""Also where the thread gets on, but slowly, or has not begun."""

_IDLE_S = 1.0
"""After so long without work the thread ends; while there is some, another would cost more than the work."""

_NO_ANSWER = "the disk does not answer"


class Bounded:
    """Work that ends in time, or goes on alone. While some is late, all other work is refused at once.

    A caller that waits looks where the thread is, again and again. A thread that is held up by the program's other
    threads, or by other programs, is soon at another place: it has its turns as its caller has. One that a disk holds
    up stays where it is.
    """

    def __init__(self) -> None:
        self._late: set[_Call] = set()
        self._doing: _Call | None = None
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._running = _thread.allocate_lock()
        """Held while there is a thread."""

    @property
    def is_late(self) -> bool:
        """Whether a call still goes on that was given up."""
        return bool(self._late)

    def end(self) -> None:
        """Let the thread end; the next call starts another."""
        if self._running.locked():
            self._calls.put(None)

    def call(self, work: Callable[[], object]) -> None:
        """Raises what the work raises. Raises TimeoutError where it is late, and goes on alone, or was not begun."""
        if self._late:
            raise TimeoutError(_NO_ANSWER)
        # A thread of gevent would only hold up the caller. Where a thread waits in a queue while uWSGI forks, its
        # workers end with a segmentation fault (from Python 3.13 on).
        if _thread.start_new_thread.__module__ != "_thread" or prefork.is_ahead():
            work()
            return
        one = _Call(work)
        self._calls.put(one)
        if not self._wait(one):
            if one.begin.acquire(blocking=False):  # the thread will not do it any more
                if self._doing is not None:  # it is held up by another's
                    raise TimeoutError(_NO_ANSWER)
                work()
                return
            self._late.add(one)
            if not one.over.acquire(blocking=False):
                raise TimeoutError(_NO_ANSWER)
            self._late.discard(one)  # it ended in this very moment
        if one.error is not None:
            raise one.error

    def _has_thread(self) -> bool:
        """Start it where there is none: also where it has ended just when a call came."""
        if self._running.acquire(blocking=False):
            try:
                _thread.start_new_thread(self._run, ())
            except RuntimeError:  # there can be no more threads, or the program ends
                self._running.release()
                return False
        return True

    def _wait(self, one: _Call) -> bool:
        """Whether it is done, while there is a thread that gets on."""
        at, looks_there = None, 0
        for _ in range(_MOST_LOOKS):
            if not self._has_thread():
                break
            if one.over.acquire(timeout=_LOOK_S):
                return True
            before, at = at, self._place()
            looks_there = looks_there + 1 if at and at == before else 0
            if looks_there >= _LOOKS - 1:
                break
        return False

    def _place(self) -> tuple[int, ...]:
        """Of what the thread does, and of its next step there; empty while it does nothing."""
        if (doing := self._doing) is None:
            return ()
        frame = _frame_of(doing.thread)
        return (id(doing),) if frame is None else (id(doing), id(frame), frame.f_lasti)

    def _run(self) -> None:
        try:
            while (one := self._calls.get(timeout=_IDLE_S)) is not None:
                if one.begin.acquire(blocking=False):
                    self._doing = one
                    one.run()
                    self._doing = None
                    self._late.discard(one)
        except queue.Empty:
            pass  # idle: the thread ends
        finally:
            self._running.release()


class _Call:
    """``begin`` is taken once: by the thread, or by the caller, who does without it then."""

    thread = 0
    error: BaseException | None = None

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self.begin, self.over = _thread.allocate_lock(), _thread.allocate_lock()
        self.over.acquire()

    def run(self) -> None:
        self.thread = _thread.get_ident()
        try:
            self._work()
        except BaseException as error:
            self.error = error
        self.over.release()


def _frame_of(thread: int) -> FrameType | None:
    """Where a thread is.

    Before 3.12 Python may collect garbage amid that, with its list of threads locked. A finaliser that lets other
    threads run, as that of a socket does, would stop the program: https://github.com/python/cpython/issues/106883
    """
    if sys.version_info >= (3, 12) or not gc.isenabled():
        return sys._current_frames().get(thread)
    gc.disable()
    try:
        return sys._current_frames().get(thread)
    finally:
        gc.enable()
