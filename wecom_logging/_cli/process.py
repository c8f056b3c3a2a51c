"""The command of ``wecom-logging run`` as a process: how it is started, which signals it gets, its output, its end.

What Ctrl-C makes has reached the command already, as it reaches all of the terminal's foreground group; a program
that gets it twice breaks off its own cleaning up.

A person stops a command by SIGINT (Ctrl-C, a notebook's or an IDE's stop button, ``kill -INT``) or by SIGQUIT from
the terminal's keys. SIGTERM and SIGHUP are what others send: a time limit, a supervisor, the end of a connection, a
shutdown.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any, NamedTuple

from .._errors_in_chinese import SYSTEM
from .._render.words import EXIT_CODE, KILLED, KILLED_BY_NUMBER, KILLED_OUT_OF_MEMORY, NOT_STARTED
from .._text.said import Language, Phrase, labelled
from .printing import say
from .texts import language

NOT_FOUND, NOT_EXECUTABLE, BY_SIGNAL = 127, 126, 128
"""What a shell's exit codes mean: a signal's number is added to the last."""


class Output(NamedTuple):
    """The end of what a command has written, on stdout and on stderr."""

    out: str
    err: str


@dataclass(frozen=True, slots=True)
class End:
    """How a command ended: ``said`` of ``value`` is what failed; None where there is nothing to tell."""

    status: int
    said: Phrase | None
    value: object = None
    seconds: float = 0.0
    pid: int | None = None
    copies: tuple[Copy, ...] = ()

    def failure(self, language: Language = "en") -> str:
        """What failed; empty where there is nothing to tell."""
        value = SYSTEM.get(str(self.value), self.value) if language == "zh" else self.value
        return "" if self.said is None else self.said.within(language, value)

    def output(self) -> Output:
        """Wait for what is still on its way through, the command having ended; the end of it."""
        until = time.monotonic() + GRACE_S
        for copy in self.copies:
            copy.end(until)
        for copy in self.copies:  # where a pipe cannot be polled, a reader cannot be called back
            copy.join(None if hasattr(select, "poll") else max(until - time.monotonic(), 0.0))
        out, err = [copy.tail.lines() for copy in self.copies] or ([], [])
        return Output("\n".join(out), "\n".join(err[-_STDERR_LINES:] if out else err))


def ended(command: Sequence[str]) -> End:
    with Signals() as signals:
        began = time.monotonic()
        pipe = subprocess.PIPE
        try:  # no descriptor that the command would have without us is closed
            process = subprocess.Popen(command, stdout=pipe, stderr=pipe, bufsize=0, close_fds=False)
        except (OSError, ValueError) as error:
            status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            end = End(status, NOT_STARTED, getattr(error, "strerror", None) or type(error).__name__)
            say(labelled(command[0], language(), end.failure(language())))
            return end
        assert process.stdout is not None  # they are pipes
        assert process.stderr is not None
        signals.watch(process)
        copies = (Copy(process.stdout, 1), Copy(process.stderr, 2))
        for copy in copies:
            copy.start()
        code = signals.wait()
    status = code if code >= 0 else BY_SIGNAL - code
    by_person = status - BY_SIGNAL in signals.stopped  # who stopped it knows
    said, value = _failure(code)
    return End(status, None if by_person else said, value, time.monotonic() - began, process.pid, copies)


def _failure(code: int) -> tuple[Phrase | None, object]:
    """``exit code 3``, ``killed by SIGTERM``, as a phrase and its value; none for 0."""
    if code >= 0:
        return (EXIT_CODE if code else None), code
    try:
        name = signal.Signals(-code).name
    except ValueError:  # one of the real-time signals
        return KILLED_BY_NUMBER, -code
    return (KILLED_OUT_OF_MEMORY if name == "SIGKILL" else KILLED), name


def open_standard_streams() -> None:
    """One that the process which started us has closed would become one of our pipes, and be taken for our output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free, which is this one


# signals


_NAMES = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_PASSED_ON = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
_FROM_KEYS = [getattr(signal, name) for name in _NAMES[:2] if hasattr(signal, name)]
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


# output


TAIL_BYTES = 16 * 1024
GRACE_S = 2.0
"""How long output is awaited after the command has ended: what it left running may hold the pipe for ever."""

_STDERR_LINES = 20
_CHUNK_BYTES = 64 * 1024
_FULL_PIPE_CHUNKS = 16  # Linux lets a pipe hold 1 MiB at most, unless root says otherwise
_NAMELESS = 512

# Colours, movements of the cursor, titles and links of a terminal.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]",
)


class Copy(threading.Thread):
    """Copies what the command writes to where it would have gone, and remembers its end."""

    def __init__(self, source: IO[bytes], target: int) -> None:
        super().__init__(daemon=True)
        self.tail = Tail()
        self._source = source
        self._target = target
        self._until: float | None = None
        self._chunks_left = _FULL_PIPE_CHUNKS
        self._ended, self._end = os.pipe()  # wakes the thread

    def end(self, until: float) -> None:
        """The command has ended: wait for more until then, and take what the pipe holds, however long that takes."""
        self._until = until
        os.close(self._end)

    def run(self) -> None:
        with self._source:  # closed where nobody reads our output: the command finds out as it would without us
            try:
                while self._is_more() and (data := os.read(self._source.fileno(), _CHUNK_BYTES)):
                    self.tail.add(data)
                    _write(self._target, data)
            except BrokenPipeError:  # whoever read our output has gone
                return

    def _is_more(self) -> bool:
        """Wait until there is something to read; False when it is not the command's any more."""
        if not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        if self._until is None:
            poll.register(self._ended, select.POLLIN)
            if self._source.fileno() in dict(poll.poll()):
                return True
            poll.unregister(self._ended)
        left_s = max((self._until or 0.0) - time.monotonic(), 0.0)
        if left_s == 0.0:
            self._chunks_left -= 1
        return self._chunks_left >= 0 and bool(poll.poll(left_s * 1000))


def _write(target: int, data: bytes) -> None:
    """All of it, also into a descriptor that does not block. Raises BrokenPipeError where no process reads it."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            select.select([], [target], [])
        except BrokenPipeError:
            raise
        except OSError:  # the disk is full, the terminal is gone: that is no reason to end the command
            return


class Tail:
    def __init__(self) -> None:
        self._data = bytearray()
        self._cut = False

    def add(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * _CHUNK_BYTES:
            self._data = self._data[-TAIL_BYTES:]
            self._cut = True

    def lines(self) -> list[str]:
        """As a terminal would show them, without colours; from the first whole line on."""
        data = bytes(self._data)  # a copy: where something else holds the pipe, more may come
        text = _ESCAPES.sub("", data[-TAIL_BYTES:].decode("utf-8", "replace"))
        if self._cut or len(data) > TAIL_BYTES:
            # from the next line on: half a line may show half a secret, or one without the name that says what it is
            rest = text.partition("\n")[2]
            text = rest if rest.strip() else re.sub(r"\S*", "", text[_NAMELESS:], count=1)
        lines = [_shown(line) for line in text.split("\n")]
        while lines and not lines[-1].strip():
            lines.pop()
        return lines


def _shown(line: str) -> str:
    """Of a progress bar, which overwrites its line again and again, what it wrote last."""
    written = [piece for piece in line.split("\r") if piece.strip()]
    return written[-1].rstrip() if written else ""
