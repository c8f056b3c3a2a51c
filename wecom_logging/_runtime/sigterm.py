"""A polite SIGTERM and SIGHUP: what waits is sent, within the exit timeout; then the signal ends the process as ever.

One that comes at the very moment before the main thread enters a call that blocks is noticed when that call ends, as
with any handler in Python. `signal.set_wakeup_fd` would say it sooner, and is not used: a child between its fork and
its exec writes into the descriptor of its parent, event loops take the one that there is for themselves, and
what reads it would be a thread at each fork, and would stop a program under gevent.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from types import FrameType

from .._lines import line
from ..errors import ConfigurationError
from .forks import holds_loggings_lock
from .stack import OWN_MODULES, modules
from .warn import warn_once
from .worker import end_all

_BUSY_S = 0.5
"""How long the signal waits for what it has interrupted: a log call, or something whose locks our thread may need."""
_AGAIN_S = 0.005
_BUSY = (*OWN_MODULES, "wecom_logging.handlers", "wecom_logging._telling", "logging", "importlib")

_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
"""Of a terminal that is closed; not on Windows."""

_CONTAINER_S = 0.5
"""Process 1 of a container outlives its own SIGTERM; nothing else ends it so long after that."""


def install() -> None:
    """End politely from now on. Raises `ConfigurationError` outside the main thread.

    A handler that the program has set stays, which is said: where that ends by ``sys.exit``, the exit hook sends.
    """
    before = signal.getsignal(signal.SIGTERM)
    if before == _polite.handle:
        return
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        warn_once("sigterm", line("sigterm_of_child"))
        return
    if threading.current_thread() is threading.main_thread():
        if before is not signal.SIG_DFL or _is_handled_in_c(signal.SIGTERM):
            warn_once("sigterm", line("sigterm_of_program"))
            return
        try:
            signal.signal(signal.SIGTERM, _polite.handle)
            if _HANGUP and signal.getsignal(_HANGUP) is signal.SIG_DFL and not _is_handled_in_c(_HANGUP):
                signal.signal(_HANGUP, _polite.handle)  # else `nohup`, or the program reads its configuration anew
            return
        except ValueError:  # the main thread of a subinterpreter
            pass
    raise ConfigurationError("sigterm", "not_in_main_thread")


def _is_handled_in_c(number: int) -> bool:
    """Whether a server (uWSGI) handles or ignores it, of which Python knows nothing. It cannot be seen everywhere."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            masks = [line.split()[1] for line in file if line.startswith(("SigCgt:", "SigIgn:"))]
        return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
    except (OSError, ValueError, IndexError):  # not Linux
        return False


class _Polite:
    """The handler. Its process is remembered: a forked child begins anew."""

    def __init__(self) -> None:
        self._came: tuple[int, float] = (0, 0.0)
        self._ends = 0

    def handle(self, number: int, frame: FrameType | None) -> None:
        process, now = os.getpid(), time.monotonic()
        if self._ends == process:  # a second one ends nothing sooner: servers send it to a group, and to each of it
            return
        if self._came[0] != process:
            self._came = process, now
        if now - self._came[1] < _BUSY_S and (_is_busy(frame) or holds_loggings_lock()) and _comes_again(number):
            return
        self._ends = process
        try:
            end_all()
        finally:
            _end(number)


_polite = _Polite()


def _is_busy(frame: FrameType | None) -> bool:
    """Whether the signal came amid a log call, in our own code or in an import."""
    return any(name == each or name.startswith(f"{each}.") for name in modules(frame) for each in _BUSY)


def _comes_again(number: int) -> bool:
    """Let the signal come again in a moment; whether it will."""

    def send() -> None:
        time.sleep(_AGAIN_S)
        os.kill(os.getpid(), number)

    try:
        _thread.start_new_thread(send, ())
    except RuntimeError:  # no thread to be had
        return False
    return True


def _end(number: int) -> None:
    """By the signal itself, so that a parent that waits for the process sees it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    time.sleep(_CONTAINER_S)
    os._exit(128 + number)


def _after_fork_in_child() -> None:
    """As it was: who ends a child may wait for that without end, and a Python handler may run late.

    A signal that comes just before the main thread goes to sleep is noticed when it wakes; `Pool.terminate` would wait.
    """
    for number in (signal.SIGTERM, _HANGUP):
        if number and signal.getsignal(number) == _polite.handle:
            signal.signal(number, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
