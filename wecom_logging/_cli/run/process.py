"""The command as a process: how it is started, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..printing import say
from .output import Copy, end_of
from .signals import Signals

NOT_FOUND, NOT_EXECUTABLE, BY_SIGNAL = 127, 126, 128
"""What a shell's exit codes mean: a signal's number is added to the last."""


@dataclass(frozen=True, slots=True)
class End:
    """How a command ended. ``failure`` is empty where there is nothing to tell."""

    status: int
    failure: str
    seconds: float = 0.0
    pid: int | None = None
    copies: tuple[Copy, ...] = ()

    @property
    def has_last_words(self) -> bool:
        """Whether it gave up by itself, and said something on stderr, which is the end of the output."""
        return self.status < BY_SIGNAL and any(copy.tail.lines() for copy in self.copies[1:])

    def output(self) -> str:
        """Wait for what is still on its way through; the end of it."""
        return end_of(self.copies)


def ended(command: Sequence[str]) -> End:
    """Run a command to its end."""
    with Signals() as signals:
        began = time.monotonic()
        try:
            # No descriptor that the command would have without us is closed.
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, close_fds=False
            )
        except (OSError, ValueError) as error:
            return _not_started(command, error)
        assert process.stdout is not None  # they are pipes
        assert process.stderr is not None
        signals.watch(process)
        copies = (Copy(process.stdout, 1), Copy(process.stderr, 2))
        for copy in copies:
            copy.start()
        code = signals.wait()
    status = code if code >= 0 else BY_SIGNAL - code
    by_person = status - BY_SIGNAL in signals.stopped  # who stopped it knows
    return End(status, "" if by_person else _failure(code), time.monotonic() - began, process.pid, copies)


def _not_started(command: Sequence[str], error: OSError | ValueError) -> End:
    why = f"cannot be started: {getattr(error, 'strerror', None) or type(error).__name__}"
    say(f"{command[0]}: {why}")
    return End(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE, why)


def _failure(code: int) -> str:
    """``exit code 3``, ``killed by SIGTERM``; empty for 0."""
    if code >= 0:
        return f"exit code {code}" if code else ""
    try:
        name = signal.Signals(-code).name
    except ValueError:  # one of the real-time signals
        name = f"signal {-code}"
    return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def open_standard_streams() -> None:
    """A descriptor that whoever started us has closed would become one of our pipes, and be taken for our output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free, which is this one
