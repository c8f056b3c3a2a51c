"""A file of each process's own beside the database: an alert is in it before the log call returns.

One append, no lock to wait for. While its owner lives it holds the ``.lock`` file; a process that finds that free takes
over what is in the ``.log`` files and was not handed over to the database. A crash of the process loses nothing of
them, a loss of power may.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._incidents.codec import as_line
from . import disk
from .base import StateError
from .entries import MAX_CHARACTERS, VERSION

_MARK = ".own-"
_ROTATE_BYTES = 256 * 1024
_BROKEN = re.compile(r"\.broken(-\d+)?\Z")
"""Ends the name of a file that was set aside."""
_GRACE_S = 10.0
"""After this no thread is still about to write into a file that was replaced."""
_MAX_LINE = 4 * 1024 * 1024
MAX_BYTES = 64 * 1024 * 1024
"""Of all files of one process: while nothing can be handed over, more alerts are in its memory only."""


class Line(NamedTuple):
    """One alert, as it is written down."""

    channel: str
    key: str
    level: int
    window_s: float
    host: str
    entry: str
    duty: str = ""
    steps: tuple[float, ...] = ()


@dataclass(slots=True)
class Segment:
    """One file that is being written. ``undone`` are the numbers that were not handed over."""

    file: Any
    path: str
    undone: set[int] = field(default_factory=set)
    numbers: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)
    replaced_at: float = float("inf")
    size: int = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """A name, and the lock file that is held for it."""

    who: str
    file: Any


class Ticket:
    """Where an alert is written down."""

    def __init__(self, write_ahead: WriteAhead) -> None:
        self._write_ahead = write_ahead
        self._place: tuple[Segment, int] | None = None

    @property
    def is_written(self) -> bool:
        """Whether the alert is in the file now."""
        return self._place is not None

    def written(self, segment: Segment, number: int) -> None:
        """For who has written it."""
        self._place = segment, number

    def done(self) -> None:
        """It was handed over, or sent, or is lost: no other process has to take it over."""
        if self._place is not None:
            self._write_ahead.strike(*self._place)


class WriteAhead:
    """The file of this process, and those that dead ones have left. ``who`` names its owner."""

    def __init__(self, database: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = disk.resolved(database)
        self._directory, name = os.path.split(self._database)
        self._prefix = name + _MARK
        self._clock = clock
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """At first, and in a forked child: the parent's files are the parent's."""
        owner: Owner | None = self.__dict__.pop("_owner", None)
        for file in (owner and owner.file, *(one.file for one in getattr(self, "_segments", ()))):
            if file is not None:
                with contextlib.suppress(OSError):  # nothing is left to write to it
                    file.close()
        self._segments: list[Segment] = []
        self._current: Segment | None = None
        self._files = itertools.count(1)

    @property
    def who(self) -> str:
        """This process, as others see it; "" before `hold`."""
        owner: Owner | None = self.__dict__.get("_owner")
        return "" if owner is None else owner.who

    # The calling thread.

    def append(self, ticket: Ticket, line: Line) -> None:
        """Write an alert down, for as long as the disk takes. Raises `StateError` where that is not possible."""
        try:
            self._append(ticket, line)
        except (OSError, ValueError) as error:  # ValueError: the file was closed, by a fork
            raise StateError(f"{self._directory}: {getattr(error, 'strerror', None) or error}") from None

    def _append(self, ticket: Ticket, line: Line) -> None:
        segment = self._current or self._open_segment()
        if sum(one.size for one in tuple(self._segments)) >= MAX_BYTES:
            raise StateError(f"{self._directory}: {MAX_BYTES >> 20} MiB of alerts wait in the files of one process")
        number = segment.numbers()
        segment.undone.add(number)
        try:
            written = line if line.duty else line[:_WITHOUT_DUTY]  # shorter without rules of time and persons
            _write(segment, as_line([VERSION, number, *written]))
        except BaseException:
            segment.undone.discard(number)
            raise
        ticket.written(segment, number)

    def strike(self, segment: Segment, number: int) -> None:
        """An alert is done. Where the disk does not say so to others, they may send it once more."""
        segment.undone.discard(number)
        _strike(segment, number)

    # The worker.

    def tidy(self) -> None:
        """Begin a new file where one has become long, and remove those of which nothing is left."""
        now, current = self._clock(), self._current
        for segment in list(self._segments):
            if segment is not current and not segment.undone and now - segment.replaced_at >= _GRACE_S:
                with contextlib.suppress(ValueError):  # the worker of another handler was faster
                    self._segments.remove(segment)
                _remove(segment)
        if current is not None and current.size >= _ROTATE_BYTES:
            with contextlib.suppress(StateError, OSError):  # the old one goes on
                self._open_segment()

    def hold(self) -> None:
        """Make the lock file, by which others see that this process lives. Raises `StateError`.

        Several threads may come here at once, and a signal handler in the middle of it: the first one's counts.
        """
        if "_owner" in self.__dict__:
            return
        if not disk.has_locks:
            raise StateError(disk.NO_LOCKS)
        try:
            for _ in range(10):
                who = f"{os.getpid()}-{os.urandom(4).hex()}"
                path = self._lock_path(who)
                made = Owner(who, disk.make(path))
                if not (disk.lock(made.file) and disk.is_there(made.file, path)):
                    made.file.close()  # somebody took it for one of a dead process, between two steps
                    continue
                if self.__dict__.setdefault("_owner", made) is not made:
                    os.unlink(path)
                    made.file.close()
                return
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}") from None
        raise StateError(f"{self._directory}: this process cannot make a file of its own there")

    def is_alive(self, who: str) -> bool:
        """Whether a process still holds its lock file."""
        if who == self.who:
            return True
        try:
            with disk.open_ours(self._lock_path(who)) as file:
                return not disk.lock(file)
        except (FileNotFoundError, ValueError):  # ValueError: a name that is none of ours
            return False
        except OSError:  # it cannot be found out now: what it has claimed is free when the lease ends
            return True

    def orphans(self) -> Iterator[tuple[list[Line], str]]:
        """What processes have left that are gone, file by file, and where one is that could not be read whole.

        Each is locked until the next is asked for, and removed then: a caller that cannot use it stops asking.
        """
        for lock, files in self._others():
            try:
                with disk.open_ours(lock) as file:
                    if disk.lock(file) and disk.is_there(file, lock):
                        yield from self._take_over(files)
                        os.unlink(lock)
            except OSError:  # another process has just taken it over, or it is somebody else's
                continue

    def _others(self) -> Iterator[tuple[str, list[str]]]:
        """Of every other process, dead or alive: the lock file, and what it wrote."""
        own, names = f"{self._prefix}{self.who}.", self._names()
        found: dict[str, list[str]] = {}
        for name in names:
            if name.startswith(self._prefix) and not name.startswith(own):
                stem, _, end = name.removeprefix(self._prefix).partition(".")
                if end == "lock" or end.endswith(".log"):
                    found.setdefault(f"{self._prefix}{stem}.lock", []).extend([name] * (end != "lock"))
        for lock, files in found.items():
            if lock not in names:  # it ended while one of its threads was still writing
                with contextlib.suppress(OSError):  # the next look tries again
                    disk.make(self._path(lock)).close()
            yield self._path(lock), [self._path(one) for one in files]

    def _take_over(self, files: list[str]) -> Iterator[tuple[list[Line], str]]:
        for path in files:
            found = _read(path)
            if found is None:
                continue
            lines, is_whole = found
            aside = "" if is_whole else f"{path}.broken"
            if lines or aside:
                yield lines, aside
            if aside:
                os.rename(path, aside)
            else:
                os.unlink(path)

    def is_used(self) -> bool:
        """Whether there is a database, or a file of another process."""
        return os.path.exists(self._database) or any(True for _ in self._others()) or bool(self.set_aside())

    def set_aside(self) -> list[str]:
        """For people, once what dead processes have left is taken over: the files that cannot be read, or that a newer
        version has left."""
        begin = os.path.basename(self._database) + "."
        found = [self._path(name) for name in self._names() if name.startswith(begin) and _BROKEN.search(name)]
        for lock, files in self._others():
            if files and not self.is_alive(lock.removeprefix(self._path(self._prefix)).removesuffix(".lock")):
                found += files
        return found

    def close(self) -> None:
        """At the end of the process: remove what is of no use any more."""
        self._current = None
        for segment in self._segments:
            if not segment.undone:
                _remove(segment)
        if self.who and not any(segment.undone for segment in self._segments):
            with contextlib.suppress(OSError):  # a lock that nobody holds is removed by the next look
                os.unlink(self._lock_path(self.who))
        self.reset_after_fork()

    def _open_segment(self) -> Segment:
        self.hold()
        before = self._current
        path = self._path(f"{self._prefix}{self.who}.{next(self._files):06d}.log")
        segment = Segment(disk.make(path), path)
        self._segments.append(segment)
        self._current = segment
        if before is not None:
            before.replaced_at = self._clock()
        return segment

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._directory))
        except OSError:  # a folder that is gone holds nobody's
            return []

    def _lock_path(self, who: str) -> str:
        return self._path(f"{self._prefix}{who}.lock")

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)


def _write(segment: Segment, line: str) -> None:
    """Append a line that can be read whatever stands before it: a full disk may have taken a part of another."""
    data = f"\n{line}\n".encode()
    written = segment.file.write(data)
    segment.size += written or 0
    if written != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _strike(segment: Segment, number: int) -> None:
    line = as_line([VERSION, number])
    try:
        if segment.file.closed:  # by a fork: this process sends what its parent has written down
            with disk.open_ours(segment.path, "ab") as file:
                _write(Segment(file, segment.path), line)
        else:
            _write(segment, line)
    except (OSError, ValueError):  # the process that takes it over sends it once more
        pass
    segment.undone.discard(number)


def _remove(segment: Segment) -> None:
    with contextlib.suppress(OSError):  # what stays has nothing undone in it
        segment.file.close()
        os.unlink(segment.path)


def _read(path: str) -> tuple[list[Line], bool] | None:
    """The alerts that were not handed over, and whether every line could be read. None: it is a newer version's."""
    found: dict[int, Line] = {}
    is_whole = True
    with disk.open_ours(path) as file:
        while data := file.readline(_MAX_LINE):
            try:
                values = json.loads(data)
                version, number, *rest = values
                if type(version) is int and version > VERSION:
                    return None
                if version != VERSION or type(number) is not int:
                    raise ValueError
                if not rest:
                    found.pop(number, None)
                    continue
                found[number] = _line(*rest)
            except (ValueError, TypeError, RecursionError):
                is_whole = is_whole and not data.strip()
    return list(found.values()), is_whole


def _line(*rest: Any) -> Line:
    """What was read, if it can be one of ours. Raises ValueError or TypeError."""
    if [type(one) for one in rest] not in _LINES:
        raise ValueError
    line = Line(*rest)
    if abs(line.level) >= 2**31 or not 0 < line.window_s <= 86_400 or len(line.entry) > MAX_CHARACTERS:
        raise ValueError
    if len(line.duty) > MAX_CHARACTERS or not all(type(one) in (int, float) and 0 < one < 2**31 for one in line.steps):
        raise ValueError
    "".join((line.channel, line.key, line.host, line.entry, line.duty)).encode()
    return line._replace(window_s=float(line.window_s), steps=tuple(map(float, line.steps)))


_LINES = [[str, str, int, kind, str, str, *more] for kind in (float, int) for more in ([], [str, list])]
"""The types in a line."""

_WITHOUT_DUTY = min(map(len, _LINES))
