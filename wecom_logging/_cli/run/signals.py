"""The signals that are sent to us, passed on to the command.

What Ctrl-C makes has reached the command already, as it reaches all of the terminal's foreground group; a program
that gets it twice breaks off its own cleaning up.

A person stops a command by SIGINT (Ctrl-C, a notebook's or an IDE's stop button, ``kill -INT``) or by SIGQUIT from
the terminal's keys. SIGTERM and SIGHUP are what others send: a time limit, a supervisor, the end of a connection, a
shutdown.
"""

from __future__ import annotations

import signal
import subprocess
from types import FrameType
from typing import Any

_PASSED_ON = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]
_FROM_KEYS = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
_WAITS_FOR_SIGNALS = hasattr(signal, "sigtimedwait")  # not on macOS, not on Windows


class Signals:
    """Passes on what comes, from before the command's start until its end."""

    def __init__(self) -> None:
        self.stopped: set[int] = set()
        """The signals by which a person asked for the end."""
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in _PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup: the command ignores it, too
                self._before[number] = signal.signal(number, self._take)
        if hasattr(signal, "SIGCHLD"):  # where it is ignored, the system keeps no exit code
            self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return self

    def __exit__(self, *_: object) -> None:
        if _WAITS_FOR_SIGNALS:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, list(self._before))  # what came late goes to `_take`
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what came while the command was being started, and see from now on where each signal is from."""
        if _WAITS_FOR_SIGNALS:  # not before the start: the command would inherit that they are blocked
            signal.pthread_sigmask(signal.SIG_BLOCK, list(self._before))
        self._process = process
        for number in self._early:
            self._pass_on(number, by_keys=False)

    def wait(self) -> int:
        """Wait for the command's end; its return code as `subprocess` has it."""
        assert self._process is not None
        if not _WAITS_FOR_SIGNALS:
            return self._process.wait()
        while (code := self._process.poll()) is None:
            came = signal.sigtimedwait(list(self._before), 1.0)
            if came is not None and came.si_signo != signal.SIGCHLD:
                self._pass_on(came.si_signo, by_keys=came.si_signo in _FROM_KEYS and came.si_code > 0)  # by the kernel
        return code

    def _take(self, number: int, frame: FrameType | None) -> None:
        """Where nothing says where a signal is from, Ctrl-C is taken for the user's."""
        if self._process is None:
            self._early.append(number)
        else:
            self._pass_on(number, by_keys=number in _FROM_KEYS)

    def _pass_on(self, number: int, *, by_keys: bool) -> None:
        if by_keys or number == signal.SIGINT:
            self.stopped.add(number)
        if not by_keys and self._process is not None:
            self._process.send_signal(number)
