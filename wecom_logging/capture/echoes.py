"""What is said once more right after an alert, in other words or by another process: one failure is one alert.

A library logs a traceback as text, and its caller raises the exception itself. A server logs an exception, and next
that it cannot go on. A worker process tells why it cannot start, and its master that it has ended.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
import zlib
from collections.abc import Hashable
from dataclasses import dataclass

from ..render.traceback_text import outline
from ..runtime import forks
from .sightings import is_told
from .snapshot import TRACE, Reading, type_name
from .tally import Tally

MOMENT_S = 2.0
"""How long after an alert something counts as said once more; a server that stops waits for its workers first."""

SERVERS = ("gunicorn", "uvicorn")
"""Their loggers say what an exception means for the server itself after they have logged it. Nobody else's records
without an exception are taken for that."""


@dataclass(frozen=True, slots=True)
class Cause:
    """An exception that was told: in ``tally``, or, where that is None, by another process."""

    tally: Tally | None
    level: float
    server: str
    raised: Hashable
    is_text: bool
    at: float


class Echoes:
    """What was told last in each thread, for one handler; ``channel`` is what it has in common with other processes."""

    def __init__(self, channel: str) -> None:
        global _wanted
        self._told = threading.local()
        self._newest: Cause | None = None
        self._channel = zlib.crc32(channel.encode())
        _wanted = True

    def told(self, reading: Reading, error: BaseException | None, tally: Tally) -> None:
        """A tally was opened in this thread by a record that may have an exception."""
        raised = _raised(reading, error)
        if raised is not None:
            at, server = time.monotonic(), _server_of(reading.values[2])
            self._told.cause = self._newest = Cause(tally, tally.level, server, raised, error is None, at)

    def cause_of(self, reading: Reading, error: BaseException | None) -> Cause | None:
        """What a record says once more, if it does."""
        cause: Cause | None = getattr(self._told, "cause", None)
        if cause is not None and time.monotonic() - cause.at > MOMENT_S:
            cause = self._told.cause = None
        if reading.recipients is not None or reading.mention is not None:
            return None
        level, _, logger, *_ = reading.values
        server = _server_of(logger)
        if cause is None and server and error is None:
            cause = self._told.cause = self._last_words(reading, server)
        if cause is None or level > cause.level or not (cause.tally is None or is_told(cause.tally)):
            return None
        raised = _raised(reading, error)
        if raised is None:
            return cause if server and server == cause.server else None
        return cause if raised == cause.raised and (error is None) is not cause.is_text else None

    def leave_last_words(self) -> None:
        """At the exit of this process: say to its parent that a failure right before it was told."""
        newest = self._newest
        if newest is None or newest.tally is None or newest.tally.ended not in ("delivered", "handed_over"):
            return
        if _page is not None and newest.server and time.monotonic() - newest.at <= MOMENT_S:
            level = min(max(int(newest.level), 0), _MAX_LEVEL)
            words = (os.getpid(), self._channel, level, time.monotonic())
            _WORDS.pack_into(_page, _place(os.getpid(), self._channel), *words)

    def _last_words(self, reading: Reading, server: str) -> Cause | None:
        """A process that this record names has ended a moment ago, and has told why."""
        said, page = reading.record.args, _page
        if page is None or not isinstance(said, tuple):
            return None
        for number in said:
            if type(number) is int and 0 < number < 1 << 32:
                pid, channel, level, at = _WORDS.unpack_from(page, _place(number, self._channel))
                if (pid, channel) == (number, self._channel) and time.monotonic() - at <= MOMENT_S:
                    return Cause(None, level, server, None, False, at)
        return None


def _server_of(logger: str) -> str:
    top = logger.partition(".")[0]
    return top if top in SERVERS else ""


def _raised(reading: Reading, error: BaseException | None) -> Hashable:
    """The type of an exception and the line that raised it, also where it is a text; None where there is none."""
    if error is None:
        text = reading.record.exc_text
        shape = outline(text if type(text) is str else reading.message())[1]
        return (shape[0], shape[-1]) if shape else None
    trace = last = TRACE.__get__(error)
    while trace is not None:
        last, trace = trace, trace.tb_next
    if last is None:
        return (type_name(type(error)), None)
    code = last.tb_frame.f_code
    return (type_name(type(error)), (code.co_filename, str(last.tb_lineno), code.co_name))


_WORDS = struct.Struct("=IIId")
_PAGE_BYTES = 4096
_MAX_LEVEL = (1 << 32) - 1
_page: mmap.mmap | None = None
"""What processes that were forked say to those that forked them."""
_wanted = False


def _place(pid: int, channel: int) -> int:
    return (pid + channel) % (_PAGE_BYTES // _WORDS.size) * _WORDS.size


def _before_fork() -> None:
    """Have a place where children can say that they have told something."""
    global _page
    if _wanted and _page is None:
        try:
            _page = mmap.mmap(-1, _PAGE_BYTES)  # both sides see it
        except (OSError, ValueError):
            return


forks.before(_before_fork)
