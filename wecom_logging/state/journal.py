"""A file of each process's own beside the database: an alert is in it before the log call returns.

One append, no lock to wait for. While its owner lives it holds the ``.lock`` file; whoever finds that free takes over
what is in the ``.log`` files and was not handed over to the database. A crash of the process loses nothing of them, a
loss of power may.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .base import VERSION, StateError

_MARK = ".own-"
_ROTATE_BYTES = 256 * 1024
_GRACE_S = 10.0
"""After this no thread is still about to write into a file that was replaced."""
_MAX_LINE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One alert that a process has left. ``number`` is its place in its file."""

    number: int
    channel: str
    key: str
    level: int
    window_s: float
    host: str
    entry: str


@dataclass(slots=True)
class Segment:
    """One file that is being written. ``undone`` are the numbers that were not handed over."""

    file: Any
    path: str
    undone: set[int] = field(default_factory=set)
    numbers: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)
    replaced_at: float = 0.0
    torn: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where an alert was written down."""

    segment: Segment
    number: int

    def done(self) -> None:
        """It was handed over, or told, or is lost: nobody has to take it over."""
        try:
            _write(self.segment, json.dumps([VERSION, self.number]))
        except (OSError, ValueError):  # whoever takes it over later tells it once more
            pass
        self.segment.undone.discard(self.number)


class Journal:
    """The file of this process, and those that dead ones have left. ``who`` names its owner."""

    def __init__(self, database: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = os.path.abspath(database)
        self._directory, name = os.path.split(self._database)
        self._prefix = name + _MARK
        self._clock = clock
        self.start_anew()

    def start_anew(self) -> None:
        """At first, and in a forked child: the parent's files are the parent's."""
        for descriptor in (getattr(self, "_lock", None), *(one.file for one in getattr(self, "_segments", ()))):
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    descriptor.close()
        self.who = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._lock: Any = None
        self._segments: list[Segment] = []
        self._current: Segment | None = None
        self._files = itertools.count(1)

    # The calling thread.

    def append(self, channel: str, key: str, level: int, window_s: float, host: str, entry: str) -> Ticket:
        """Write an alert down. Raises `StateError` where that is not possible."""
        try:
            segment = self._current or self._open_segment()
            number = segment.numbers()
            segment.undone.add(number)
            try:
                _write(segment, json.dumps([VERSION, number, channel, key, level, window_s, host, entry]))
            except BaseException:
                segment.undone.discard(number)
                raise
            return Ticket(segment, number)
        except (OSError, ValueError) as error:  # ValueError: the file was closed, by a fork
            raise StateError(f"{self._directory}: {getattr(error, 'strerror', None) or error}") from None

    # The worker.

    def tidy(self) -> None:
        """Begin a new file where one has become long, and remove those of which nothing is left."""
        now, current = self._clock(), self._current
        for segment in list(self._segments):
            if segment is not current and not segment.undone and now - segment.replaced_at >= _GRACE_S:
                self._segments.remove(segment)
                _remove(segment)
        if current is not None and not current.undone:
            with contextlib.suppress(OSError, ValueError):
                if os.fstat(current.file.fileno()).st_size >= _ROTATE_BYTES:
                    self._open_segment()
                    current.replaced_at = now

    def hold(self) -> None:
        """Make the lock file, by which others see that this process lives. Raises `StateError`."""
        if self._lock is not None:
            return
        try:
            for _ in range(10):
                path = self._lock_path(self.who)
                file = _make(path)
                if _lock(file) and _is_there(file, path):
                    self._lock = file
                    return
                file.close()  # somebody took it for one of a dead process, between two steps
                self.who = f"{os.getpid()}-{os.urandom(4).hex()}"
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}") from None
        raise StateError(f"{self._directory}: no file of our own can be made")

    def is_alive(self, who: str) -> bool:
        """Whether a process still holds its lock file."""
        if who == self.who:
            return True
        try:
            with open(self._lock_path(who), "rb", buffering=0) as file:
                return not _lock(file)
        except (OSError, ValueError):  # ValueError: a name that is none of ours
            return False

    def orphans(self) -> Iterator[list[Line]]:
        """What processes have left that are gone, one after the other.

        Each is locked until the next is asked for, and removed then: whoever cannot use it stops asking.
        """
        for lock, files in self._others():
            try:
                with open(lock, "rb", buffering=0) as file:
                    if _lock(file) and _is_there(file, lock):
                        yield from self._take_over(files)
                        os.unlink(lock)
            except OSError:  # another process has just taken it over
                continue

    def _others(self) -> Iterator[tuple[str, list[str]]]:
        """Of every other process, dead or alive: the lock file, and what it wrote."""
        try:
            names = os.listdir(self._directory)
        except OSError:
            return
        for name in names:
            if name.startswith(self._prefix) and name.endswith(".lock") and name != f"{self._prefix}{self.who}.lock":
                stem = name.removesuffix("lock")
                files = sorted(one for one in names if one.startswith(stem) and one.endswith(".log"))
                yield self._path(name), [self._path(one) for one in files]

    def _take_over(self, files: list[str]) -> Iterator[list[Line]]:
        for path in files:
            lines, is_whole = _read(path)
            if lines:
                yield lines
            if is_whole:
                os.unlink(path)
            else:
                os.rename(path, f"{path}.broken")

    def is_used(self) -> bool:
        """Whether there is a database, or a file of another process."""
        return os.path.exists(self._database) or any(True for _ in self._others())

    def close(self) -> None:
        """At the end of the process: remove what is of no use any more."""
        self._current = None
        for segment in self._segments:
            if not segment.undone:
                _remove(segment)
        if self._lock is not None and not any(segment.undone for segment in self._segments):
            with contextlib.suppress(OSError):
                os.unlink(self._lock_path(self.who))
        self.start_anew()

    def _open_segment(self) -> Segment:
        self.hold()
        path = self._path(f"{self._prefix}{self.who}.{next(self._files):06d}.log")
        segment = Segment(_make(path), path)
        self._segments.append(segment)
        self._current = segment
        return segment

    def _lock_path(self, who: str) -> str:
        return self._path(f"{self._prefix}{who}.lock")

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)


def _make(path: str) -> Any:
    careful = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | careful, 0o600)
    return open(descriptor, "ab", buffering=0)


def _write(segment: Segment, line: str) -> None:
    data = (("\n" if segment.torn else "") + line + "\n").encode()
    written = segment.file.write(data)
    segment.torn = written != len(data)
    if segment.torn:
        raise OSError(0, "the disk took a part of a line only")


def _lock(file: Any) -> bool:
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_there(file: Any, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except OSError:
        return False


def _remove(segment: Segment) -> None:
    with contextlib.suppress(OSError):
        segment.file.close()
        os.unlink(segment.path)


def _read(path: str) -> tuple[list[Line], bool]:
    """The alerts that were not handed over, and whether every line could be read."""
    found: dict[int, Line] = {}
    is_whole = True
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        while data := file.readline(_MAX_LINE):
            try:
                values = json.loads(data)
                version, number, *rest = values
                if version != VERSION or type(number) is not int:
                    raise ValueError
                if not rest:
                    found.pop(number, None)
                    continue
                line = Line(number, *rest)
                if [type(one) for one in rest] != [str, str, int, float, str, str]:
                    raise ValueError
                found[number] = line
            except (ValueError, TypeError, RecursionError):
                is_whole = is_whole and not data.strip()
    return list(found.values()), is_whole
