"""``wecom-logging run -- COMMAND …``: runs a command as if nobody watched, and tells when it failed.

The command has our standard input, and its output goes through at once and unchanged; only the end of it is remembered.
Nothing of ours may cost the command anything: a wrong configuration is said and the command runs all the same.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any

from .. import config
from ..errors import ConfigurationError, WeComLoggingError
from ..handlers import AlertHandler, WeComBotHandler, WeComHandler
from ..render.redact import MASK, redact
from .say import say_error

NOT_FOUND, NOT_EXECUTABLE, BY_SIGNAL = 127, 126, 128
"""What a shell's exit codes mean: a signal's number is added to the last."""

TAIL_BYTES = 16 * 1024
GRACE_S = 2.0
"""How long output is awaited after the command has ended: what it left running may hold the pipe for ever."""

_STDERR_LINES = 20
_CHUNK_BYTES = 64 * 1024
_FULL_PIPE_CHUNKS = 16  # Linux lets a pipe hold 1 MiB at most, unless root says otherwise
_NAMELESS = 512

_PASSED_ON = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]
_FROM_KEYS = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
_WAITS_FOR_SIGNALS = hasattr(signal, "sigtimedwait")  # not on macOS, not on Windows

# Colours, movements of the cursor, titles and links of a terminal.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]",
)


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="run a command (a cron job, a training run); if it fails, tell, with the end of its output",
        description="Runs COMMAND and passes its exit code on. A failure is told to what the WECOM_… variables of the "
        "environment configure: the app's recipients, the bot's group, or both.",
        usage="wecom-logging run [-h] [--service NAME] -- COMMAND …",
        allow_abbrev=False,
    )
    parser.add_argument("--service", metavar="NAME", help="said before the command's name in the first line")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="with its arguments")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("wecom-logging: nothing to run: wecom-logging run -- COMMAND …", file=sys.stderr)
        return 2
    _open_standard_streams()
    handlers = _handlers(options.service)
    end = _run(command)
    try:
        output = end.output()
        if end.failure:
            _tell(handlers, command, end, output)
    except KeyboardInterrupt:  # the user does not want to wait; the command has ended already
        pass
    return end.status


# What is told.


@dataclass(frozen=True, slots=True)
class _End:
    """How a command ended. ``failure`` is empty where there is nothing to tell."""

    status: int
    failure: str
    seconds: float = 0.0
    pid: int | None = None
    copies: tuple[_Copy, ...] = ()

    def output(self) -> str:
        """Wait for what is still on its way through; the end of it.

        What was said on stderr comes last, whenever it came: a program whose stdout is a pipe writes that in large
        pieces, the last of them when it exits, after the error that made it exit.
        """
        until = time.monotonic() + GRACE_S
        for copy in self.copies:
            copy.end(until)
        for copy in self.copies:  # where a pipe cannot be polled, a reader cannot be called back
            copy.join(None if hasattr(select, "poll") else max(until - time.monotonic(), 0.0))
        out, err = [copy.tail.lines() for copy in self.copies] or ([], [])
        return "\n".join([*out, *(err[-_STDERR_LINES:] if out else err)])


def _tell(handlers: Sequence[AlertHandler], command: Sequence[str], end: _End, output: str) -> None:
    """One record into each handler. It is sent while the interpreter exits, within ``exit_timeout``."""
    if not handlers:
        _say(WeComLoggingError(f"{_base_name(command)}: {end.failure} (nobody is told)"))
    # A place in this file would say nothing, so the record has none; the command is what logs.
    record = logging.LogRecord(_base_name(command), logging.ERROR, "", 0, end.failure, None, None)
    fields = {"command": _line(command)}
    if end.pid is not None:
        record.process = end.pid
        fields = {"took": _duration(end.seconds), **fields, **({} if output else {"output": "(none)"})}
    record.wecom = {"fields": fields}
    # As a stack, of which the last lines stay where not all fit, and which is masked before anything is cut.
    record.stack_info = output or None
    for handler in handlers:
        handler.handle(record)


def _handlers(service: str | None) -> list[AlertHandler]:
    """The handlers that the environment configures; what is wrong with it is said, one line each."""
    made: list[AlertHandler] = []
    try:
        kinds = _kinds()
    except ConfigurationError as error:
        _say(error)
        return []
    for kind in kinds:
        try:
            made.append(kind(service=service))
        except ConfigurationError as error:
            _say(error)
        except Exception as error:  # nobody foresaw it; the command must run
            _say(WeComLoggingError(f"{kind.__name__} cannot be made ({type(error).__name__})"))
    return made


def _kinds() -> list[type[WeComHandler | WeComBotHandler]]:
    if not config.enabled(None):
        return [WeComBotHandler]  # one that needs nothing and sends nothing
    found: list[type[WeComHandler | WeComBotHandler]] = []
    if os.environ.get("WECOM_CORP_ID"):
        found.append(WeComHandler)
    if os.environ.get("WECOM_WEBHOOK") or os.environ.get("WECOM_WEBHOOK_FILE"):
        found.append(WeComBotHandler)
    if not found:
        raise ConfigurationError(
            "WECOM_CORP_ID", "neither an app (WECOM_CORP_ID …) nor a bot (WECOM_WEBHOOK) is set in the environment"
        )
    return found


def _say(error: WeComLoggingError) -> None:
    try:
        if sys.stderr is not None:
            say_error(error)
    except (OSError, ValueError):  # nobody reads it: no reason not to run
        pass


def _base_name(command: Sequence[str]) -> str:
    return os.path.basename(command[0].rstrip("/")) or command[0] or "(no name)"


def _line(command: Sequence[str]) -> str:
    """The command as a shell would take it. The handler masks it, too, but cannot see any more what is one argument."""
    shown: list[str] = []
    for before, word in zip(["", *command], command, strict=False):
        hidden = before.startswith("-") and MASK in redact(repr([before, "x"]))
        shown.append(MASK if hidden and not word.startswith("-") else shlex.quote(word))
    return " ".join(shown)


def _failure(code: int) -> str:
    """``exit code 3``, ``killed by SIGTERM``; empty for 0."""
    if code >= 0:
        return f"exit code {code}" if code else ""
    try:
        name = signal.Signals(-code).name
    except ValueError:  # one of the real-time signals
        name = f"signal {-code}"
    return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 5 s``, ``26 h 4 min``"""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


# The command.


def _run(command: Sequence[str]) -> _End:
    """Run a command to its end."""
    with _Signals() as signals:
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
        copies = (_Copy(process.stdout, 1), _Copy(process.stderr, 2))
        for copy in copies:
            copy.start()
        code = signals.wait()
    status = code if code >= 0 else BY_SIGNAL - code
    by_user = signals.interrupted and status == BY_SIGNAL + signal.SIGINT  # who pressed Ctrl-C knows
    return _End(status, "" if by_user else _failure(code), time.monotonic() - began, process.pid, copies)


def _not_started(command: Sequence[str], error: OSError | ValueError) -> _End:
    why = f"cannot be started: {getattr(error, 'strerror', None) or type(error).__name__}"
    _say(WeComLoggingError(f"{command[0]}: {why}"))
    return _End(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE, why)


def _open_standard_streams() -> None:
    """A descriptor that whoever started us has closed would become one of our pipes, and be taken for our output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free, which is this one


class _Signals:
    """Passes on to the command what is sent to us, from before its start until its end.

    What Ctrl-C makes has reached the command already, as it reaches all of the terminal's foreground group; a program
    that gets it twice breaks off its own cleaning up.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
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
            process.send_signal(number)

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
        if by_keys:
            self.interrupted = True
        elif self._process is not None:
            self._process.send_signal(number)


class _Copy(threading.Thread):
    """Copies what the command writes to where it would have gone, and remembers its end."""

    def __init__(self, source: IO[bytes], target: int) -> None:
        super().__init__(daemon=True)
        self.tail = _Tail()
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
            except BrokenPipeError:
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
    """All of it, also into a descriptor that does not block. Raises BrokenPipeError where nobody reads it."""
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


class _Tail:
    """The end of what was written."""

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
            text = _without_torn_line(text)
        lines = [_shown(line) for line in text.split("\n")]
        while lines and not lines[-1].strip():
            lines.pop()
        return lines


def _without_torn_line(text: str) -> str:
    """From the next line on: half a line may show half a secret, or one without the name that says what it is."""
    _, _, rest = text.partition("\n")
    return rest if rest.strip() else re.sub(r"\S*", "", text[_NAMELESS:], count=1)


def _shown(line: str) -> str:
    """Of a progress bar, which overwrites its line again and again, what it wrote last."""
    written = [piece for piece in line.split("\r") if piece.strip()]
    return written[-1].rstrip() if written else ""
