"""Finds records that report a failure once more, and counts them with its alert: no second one is sent.

An exception that was captured bears a mark, by which decorators, hooks and later log calls find the tally that counted
it. The mark holds while that tally is open, and after the exit has closed it. An exception that cannot be marked is
merely sent again.

`Duplicates` finds a failure in other words. A library logs a traceback as text, and its caller raises the exception.
A server logs an exception, and next that it cannot go on. A worker process logs why it cannot start, and its master
that it has ended.
"""

from __future__ import annotations

import itertools
import logging
import mmap
import os
import struct
import threading
import time
import weakref
import zlib
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from .._render.traceback_text import COMPARED_FRAMES, outline
from .._runtime import forks
from .._runtime.hiding import OUR_LIBRARIES
from .record import Reading
from .tally import Tally
from .texts import text_of, whole

# The same exception object: decorators, hooks and later log calls count it again and send no second alert.

TOLD = ("delivered", "handed_over")
"""How a message ends that a person gets."""

_MARK = "_wecom_logging_told"

_beside: dict[int, tuple[weakref.ref[BaseException], dict[int, object]]] = {}
"""Of exceptions that set attributes in their own way, by id: with one of ours they could not be copied any more."""

_about: dict[int, tuple[weakref.ref[logging.LogRecord], BaseException]] = {}
"""What records are about that hold no exception, by id. Not on the record: programs pickle those."""


def reported(error: BaseException, key: int, record: logging.LogRecord, *, at_exit: bool = False) -> Tally | None:
    """The tally of this pipeline that has the very same exception object, at least as severe as this record: an open
    one, or, ``at_exit``, where all are closed, one that was told."""
    tally = _marks(error).get(key)
    if type(tally) is not Tally or not (is_told(tally) or (at_exit and tally.ended in TOLD)):
        return None
    return tally if whole(record.levelno, logging.ERROR) <= tally.level else None


def is_told(tally: Tally) -> bool:
    """Whether a tally is open, and its last message was not refused."""
    return not tally.closed and (not tally.ended or tally.ended in TOLD)


def mark(error: BaseException, key: int, tally: Tally) -> None:
    """Remember on the exception that this pipeline has captured it."""
    try:
        marks = {**_marks(error), key: tally}
        if type(error).__setattr__ is BaseException.__setattr__:
            object.__setattr__(error, _MARK, marks)
        else:
            number = id(error)
            _beside[number] = weakref.ref(error, lambda _: _beside.pop(number, None)), marks
    except Exception:  # a class without room for attributes
        return


def is_the_same(error: BaseException, known: BaseException) -> None:
    """Two exception objects are one failure: an alert of the one is an alert of the other."""
    for key, tally in _marks(known).items():
        if isinstance(tally, Tally):
            mark(error, key, tally)


def is_about(record: logging.LogRecord, error: BaseException) -> None:
    """A record that holds no exception is about one all the same, or about something that an exception stands for."""
    number = id(record)
    _about[number] = weakref.ref(record, lambda _: _about.pop(number, None)), error


def about(record: logging.LogRecord) -> BaseException | None:
    found = _about.get(id(record)) if _about else None
    return found[1] if found is not None and found[0]() is record else None


def _marks(error: BaseException) -> dict[int, object]:
    """By pipeline. Copies and unpickled exceptions carry something empty in the tally's place (Tally.__reduce__)."""
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            known, found = _beside.get(id(error), (None, None))
            return found if known is not None and known() is error and found else {}
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    return found if type(found) is dict else {}


# The same failure in other words.

MOMENT_S = 2.0
"""How long after an alert something counts as said once more."""

WORDS_S = 60.0
"""The same where another process has told it: a server that stops ends its other workers first."""

LAST_WORDS = {
    "ServerApp": ("{\n", "500 "),
    "gunicorn": ("Worker (pid:%s) exited with code", "Dirty arbiter (pid:%s) exited", "Shutting down: ", "Reason: "),
    "uvicorn": ("Application startup failed", "Application shutdown failed"),
    "prefect": ("Finished in state",),
    "sanic": ("The error response will not be sent to the client",),
    "tornado": ("%d %s %.2fms",),
    "twisted": ("Unhandled error in Deferred",),
}
"""What servers log once they have told an exception, of what it means for themselves or for its request. All else that
they log is news: of another request, or of another worker. Twisted logs its line right before the exception. Jupyter
Server (``ServerApp``) logs the headers of the request, and then its line."""

SERVERS = tuple(LAST_WORDS)
OTHERS = (*OUR_LIBRARIES, *SERVERS)
"""The loggers whose records may be our own traffic, or a failure said once more."""

_SAID_CHARACTERS = 256


class Thrown(NamedTuple):
    """An exception, also where it is a text: its type, and the frames that it passed, each with its line."""

    type: str
    frames: tuple[Hashable, ...]

    def is_like(self, other: Thrown) -> bool:
        """Whether both may be one failure: of that one may have passed more frames than the other, farther out."""
        common = min(len(self.frames), len(other.frames))
        return self.type == other.type and self.frames[-common:] == other.frames[-common:]


class Cause(NamedTuple):
    """An exception that was captured: in ``tally``, or, where that is None, by another process."""

    tally: Tally | None
    level: float
    server: str
    thrown: Thrown | None
    said: str
    is_text: bool
    at: float
    request: str = ""
    """What the record names first, where that is a text."""


class _Told(threading.local):
    """Of each thread, what it told last."""

    cause: Cause | None = None


class Duplicates:
    """The last capture in each thread, for one handler; ``channel`` is what it has in common with other processes."""

    def __init__(self, channel: str) -> None:
        global _wanted
        self._told = _Told()
        self._newest: Cause | None = None
        self._ends_at = float("inf")
        self._channel = zlib.crc32(channel.encode())
        _wanted = True

    def told(self, reading: Reading, tally: Tally) -> None:
        """A record that may have an exception was counted in this thread: the first of a tally, or one of a tally that
        has duplicates."""
        thrown, said = _thrown(reading)
        if thrown is not None:
            at, server = time.monotonic(), _server_of(reading.values[2])
            is_text, request = reading.error is None, _argument(reading, 0)
            self._told.cause = self._newest = Cause(tally, tally.level, server, thrown, said, is_text, at, request)

    def told_again(self, record: logging.LogRecord, tally: Tally) -> None:
        """An exception that was captured already passed a logger: of a server, what comes next is about it."""
        if _server_of(text_of(record.name)) and (reading := Reading(record)).failure is not None:
            self.told(reading, tally)

    def follows_text(self) -> bool:
        """Whether this thread has told an exception as a text, which the exception itself may follow."""
        cause = self._told.cause
        return cause is not None and cause.is_text

    def cause_of(self, reading: Reading) -> Cause | None:
        """What a record says once more, if it does."""
        cause, error = self._told.cause, reading.error
        if cause is None and (error is not None or not reading.values[2].startswith(SERVERS)):
            return None
        if cause is not None and time.monotonic() - cause.at > (WORDS_S if cause.tally is None else MOMENT_S):
            cause = self._told.cause = None
        if reading.recipients is not None or reading.mention is not None:
            return None
        level = reading.values[0]
        if error is None and (server := _ends(reading)):
            if server == "twisted":
                return Cause(None, level, server, None, "", False, time.monotonic())
            if (words := self._last_words(reading, server)) is not None:
                cause = self._told.cause = words
            elif cause is not None and cause.tally is None and _numbers(reading):
                return None  # of another process
            elif cause is not None and not _is_about(reading, cause, server):
                return None
            return cause if cause is not None and server == cause.server and self._holds(cause, level) else None
        if cause is None or cause.thrown is None or (error is None) is cause.is_text or not self._holds(cause, level):
            return None
        thrown, said = _thrown(reading)
        if thrown is None or not thrown.is_like(cause.thrown) or said != cause.said:
            return None
        if server := _server_of(reading.values[2]):  # what it says next is about this
            self._told.cause = cause._replace(server=server)
        return cause

    def _holds(self, cause: Cause, level: float) -> bool:
        return level <= cause.level and (cause.tally is None or is_told(cause.tally))

    def end(self) -> None:
        """The exit of this process begins: it sends first what waits, however long that takes."""
        self._ends_at = min(self._ends_at, time.monotonic())

    def leave_last_words(self) -> None:
        """At the end of the exit: say to the parent of this process that a failure right before it was sent."""
        newest = self._newest
        if newest is None or newest.tally is None or newest.tally.ended not in TOLD:
            return
        if _page is not None and newest.server and self._ends_at - newest.at <= MOMENT_S:
            level = min(max(int(newest.level), 0), _MAX_LEVEL)
            words = (os.getpid(), self._channel, level, time.monotonic())
            _WORDS.pack_into(_page, _place(os.getpid(), self._channel), *words)

    def _last_words(self, reading: Reading, server: str) -> Cause | None:
        """A process that this record names has ended a while ago, and has sent why."""
        if (page := _page) is None:
            return None
        for number in _numbers(reading):
            if 0 < number < 1 << 32:
                pid, channel, level, at = _WORDS.unpack_from(page, _place(number, self._channel))
                if (pid, channel) == (number, self._channel) and time.monotonic() - at <= WORDS_S:
                    return Cause(None, level, server, None, "", False, time.monotonic())
        return None


def _server_of(logger: str) -> str:
    top = logger.partition(".")[0]
    return top if top in LAST_WORDS else ""


def _ends(reading: Reading) -> str:
    """The server whose end a record tells, if it does."""
    server = _server_of(reading.values[2])
    return server if server and (reading.values[-1] or reading.message).startswith(LAST_WORDS[server]) else ""


def _numbers(reading: Reading) -> tuple[int, ...]:
    """The numbers among the arguments of a record: it names processes by them."""
    said = reading.record.args
    return tuple(number for number in said if type(number) is int) if isinstance(said, tuple) else ()


def _is_about(reading: Reading, cause: Cause, server: str) -> bool:
    """Whether a line names the request that its cause was in, or what that said, where a server's lines do so."""
    if server == "tornado":
        return _argument(reading, 1) == cause.request
    if server == "ServerApp":  # the headers name no request: they say nothing without the next line
        said = reading.message.partition(" ")[2]
        return reading.message[0] == "{" or _asked_for(said) == _asked_for(cause.request)
    return server not in ("prefect", "sanic") or cause.said in reading.message


def _asked_for(said: str) -> str:
    """Method and path of a request: of what follows, one line may hide a part."""
    return said.partition(" (")[0].partition("?")[0]


def _argument(reading: Reading, place: int) -> str:
    """One of the arguments of a record, if it is a text: Tornado names requests by it."""
    said = reading.record.args
    found = said[place] if isinstance(said, tuple) and len(said) > place else ""
    return found if type(found) is str else ""


def _thrown(reading: Reading) -> tuple[Thrown | None, str]:
    """The exception of a record, the innermost frames of it, and what it says, if there is one."""
    if reading.error is not None:
        traces = reading.error.traces[-COMPARED_FRAMES:]
        codes = [(one.tb_frame.f_code, str(one.tb_lineno)) for one in traces]
        frames = _once((code.co_filename, line, code.co_name) for code, line in codes)
        return Thrown(reading.error.type, frames), _first_line(reading.error.text)
    if reading.is_plain:
        return None, ""
    text = reading.record.exc_text
    _, shape, end = outline(text if type(text) is str else reading.message)
    if not shape:
        return None, ""
    return Thrown(str(shape[0]), _once(shape[1:])), _first_line(end.partition(":")[2])


def _first_line(text: str) -> str:
    return text.partition("\n")[0].strip()[:_SAID_CHARACTERS]


def _once(frames: Iterable[Hashable]) -> tuple[Hashable, ...]:
    """Frames without those that are like the one before: of a recursion a text shows but some."""
    return tuple(frame for frame, _ in itertools.groupby(frames))


_WORDS = struct.Struct("=IIId")
_PAGE_BYTES = 4096
_MAX_LEVEL = (1 << 32) - 1
_page: mmap.mmap | None = None
"""What processes that were forked say to those that forked them."""
_wanted = False


def _place(pid: int, channel: int) -> int:
    return (pid + channel) % (_PAGE_BYTES // _WORDS.size) * _WORDS.size


def _before_fork() -> None:
    """Have a place where children can say that they have sent something."""
    global _page
    if _wanted and _page is None:
        try:
            _page = mmap.mmap(-1, _PAGE_BYTES)  # both sides see it
        except (OSError, ValueError):  # no memory to share: what children have sent is not known
            return


forks.before(_before_fork)
