"""The output of the command: it is copied to where it would have gone, and its end is remembered."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections.abc import Sequence
from typing import IO

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


def end_of(copies: Sequence[Copy]) -> str:
    """Wait for what is still on its way through, the command having ended; the end of it.

    What was said on stderr comes last, whenever it came: a program whose stdout is a pipe writes that in large
    pieces, the last of them when it exits, after the error that made it exit.
    """
    until = time.monotonic() + GRACE_S
    for copy in copies:
        copy.end(until)
    for copy in copies:  # where a pipe cannot be polled, a reader cannot be called back
        copy.join(None if hasattr(select, "poll") else max(until - time.monotonic(), 0.0))
    out, err = [copy.tail.lines() for copy in copies] or ([], [])
    return "\n".join([*out, *(err[-_STDERR_LINES:] if out else err)])


class Tail:
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
