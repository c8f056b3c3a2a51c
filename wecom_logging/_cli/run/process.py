"""The command as a process: how it is started, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..._render.words import EXIT_CODE, KILLED, KILLED_BY_NUMBER, KILLED_OUT_OF_MEMORY, NOT_STARTED
from ..._text.said import Phrase
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
    said: Phrase
    seconds: float = 0.0
    pid: int | None = None
    copies: tuple[Copy, ...] = ()

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
    failure, said = _failure(code)
    return End(status, "" if by_person else failure, said, time.monotonic() - began, process.pid, copies)


def _not_started(command: Sequence[str], error: OSError | ValueError) -> End:
    why = NOT_STARTED.en % (getattr(error, "strerror", None) or type(error).__name__)
    say(f"{command[0]}: {why}")
    return End(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE, why, NOT_STARTED)


def _failure(code: int) -> tuple[str, Phrase]:
    """``exit code 3``, ``killed by SIGTERM``; empty for 0. And the phrase that it is made of."""
    if code >= 0:
        return EXIT_CODE.en % code if code else "", EXIT_CODE
    try:
        name = signal.Signals(-code).name
    except ValueError:  # one of the real-time signals
        return KILLED_BY_NUMBER.en % -code, KILLED_BY_NUMBER
    said = KILLED_OUT_OF_MEMORY if name == "SIGKILL" else KILLED
    return said.en % name, said


def open_standard_streams() -> None:
    """A descriptor that whoever started us has closed would become one of our pipes, and be taken for our output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free, which is this one
