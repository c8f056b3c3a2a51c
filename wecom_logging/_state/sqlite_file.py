"""One SQLite file for the processes of a machine: opened safely, checked before each use, never used across a fork."""

from __future__ import annotations

import os
import sqlite3  # noqa: TID253 # this module is loaded with the first state
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import quote

from .._runtime import forks
from .._runtime.clock import seconds_left
from .base import VERSION, InUseError, StateError
from .disk import CAREFULLY, is_ours, resolved

APPLICATION_ID = 0x57434C47
SCHEMA_VERSION = VERSION
BUSY_S = 2.0
_CLOSE_S = 0.1
MAX_BYTES = 512 * 1024 * 1024
_PAGE = 4096
_COMPANIONS = ("-journal", "-wal", "-shm")
_VERSION_AT, _OWNER_AT = 60, 68
"""Where user_version and application_id stand in a file: https://www.sqlite.org/fileformat2.html#the_database_header"""

_parents: list[object] = []
"""Connections of the process that this one was forked from: to close one would undo what it is doing."""


class SqliteFile:
    """Gives out a connection in a transaction. ``prepare`` makes the tables that are not there."""

    def __init__(self, path: str, prepare: Callable[[sqlite3.Connection], object]) -> None:
        self.path = resolved(path)
        self._prepare = prepare
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._schema = -1
        """SQLite's number of the tables as they were made or seen to be ours; it changes with them."""

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Read and write, all or nothing. Raises `StateError` for whatever the file or the disk refuses."""
        with self._alone(BUSY_S):
            try:
                connection = self._begin()
                try:
                    yield connection
                    _patiently(connection, "COMMIT")
                except BaseException:
                    connection.rollback()
                    raise
            except sqlite3.Error as error:
                self._after(error)
                raise StateError(f"{self.path}: {error}") from None
            except OSError as error:
                self.close()
                raise StateError(f"{self.path}: {error.strerror}") from None

    def close(self) -> None:
        """Let go of the file; the next transaction opens it again. Not in the middle of another thread's."""
        with suppress(StateError), self._alone(_CLOSE_S):  # in use: it stays open
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def _alone(self, wait_s: float) -> Iterator[None]:
        """No other thread uses the connection, and none forks: SQLite has locks of its own, which no thread would open
        in a child that was forked then."""
        self._leave_to_parent()
        with ExitStack() as held:
            for lock in (self._lock, forks.gate):
                if not lock.acquire(timeout=max(min(wait_s, seconds_left()), 0.0)):
                    raise InUseError(f"{self.path} is in use by another thread of this process")
                held.callback(lock.release)
            yield

    def _leave_to_parent(self) -> None:
        """In a forked child: a parent's connection is neither used nor closed, not even by the garbage collector."""
        if os.getpid() != self._pid:
            _parents.append(self._connection)
            self._lock, self._connection, self._pid = threading.RLock(), None, os.getpid()

    def _begin(self) -> sqlite3.Connection:
        """In a transaction, with tables that are ours: another version may have made others since."""
        connection = self._open()
        for _ in range(3):
            _patiently(connection, "BEGIN IMMEDIATE")
            if _pragma(connection, "schema_version") == self._schema:
                return connection
            try:
                self._make_tables(connection)
            except BaseException:
                self.close()
                raise
        raise StateError(f"{self.path} is changed by others at each try")

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            try:
                if _inode(os.lstat(self.path)) == self._inode:
                    return self._connection
            except FileNotFoundError:  # it was removed; else it was replaced
                pass
            self.close()
        self._inode = self._look()
        connection = self._connect()
        try:
            if _inode(os.lstat(self.path)) != self._inode:
                raise StateError(f"{self.path} changed while it was opened")
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._schema = connection, -1
        return connection

    def _look(self) -> tuple[int, int]:
        """Make the file, or see that it is ours alone. Not with a connection open: closing a file drops its locks."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | CAREFULLY, 0o600)
        try:
            found = os.fstat(descriptor)
            for companion in ("", *_COMPANIONS):
                with suppress(FileNotFoundError):  # SQLite has not made it yet
                    if not is_ours(os.lstat(self.path + companion) if companion else found):
                        raise StateError(f"{self.path}{companion} is not a regular file that this user alone owns")
            if found.st_mode & 0o077:
                if found.st_size:
                    raise StateError(
                        f"{self.path} can be read by others; chmod 600 it if it is a state, else choose another path"
                    )
                os.chmod(self.path, 0o600)
            self._recognise(os.read(descriptor, 100), found.st_size)
            return _inode(found)
        finally:
            os.close(descriptor)

    def _recognise(self, head: bytes, size: int) -> None:
        """What is not ours is not even opened: SQLite may change what it opens."""
        if head and not head.startswith(b"SQLite format 3\0"):
            raise StateError(f"{self.path} is no SQLite file; choose another path")
        owner, version = _number(head, _OWNER_AT), _number(head, _VERSION_AT)
        begun = (owner, version) == (0, 0) and size <= _PAGE  # a new one, by another process, in this moment
        if head and owner != APPLICATION_ID and not begun:
            raise StateError(f"{self.path} belongs to another program; choose another path")
        if head and not begun:
            self._refuse_other(version)

    def _refuse_other(self, version: int) -> None:
        if version != SCHEMA_VERSION:
            raise StateError(
                f"{self.path} is of another version of wecom_logging; use that one, or choose another path"
            )

    def _connect(self) -> sqlite3.Connection:
        uri = f"file://{quote(os.fsencode(self.path))}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        # Not WAL: before 3.51.3 two connections could corrupt it (https://www.sqlite.org/wal.html#walresetbug), and a
        # machine may have Pythons with and without that. It needs shared memory, too, which some file systems lack.
        for pragma in (
            "auto_vacuum = FULL",  # of a new file
            "journal_mode = TRUNCATE",
            "synchronous = NORMAL",
            f"max_page_count = {MAX_BYTES // _PAGE}",
            "trusted_schema = OFF",
            "foreign_keys = OFF",
        ):
            _patiently(connection, f"PRAGMA {pragma}")

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        """In a transaction, which this ends."""
        if _pragma(connection, "application_id") != APPLICATION_ID:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:  # of this very moment
                raise StateError(f"{self.path} belongs to another program; choose another path")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._refuse_other(_pragma(connection, "user_version"))
        self._prepare(connection)
        schema = _pragma(connection, "schema_version")
        _patiently(connection, "COMMIT")
        self._schema = schema

    def _after(self, error: Exception) -> None:
        """Set a broken file aside, so that the next call begins anew; everything else may pass."""
        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return
        self.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return
        self._set_aside(f"is damaged ({error})")

    def _set_aside(self, why: str) -> None:
        try:
            if _inode(os.lstat(self.path)) != self._inode:
                return  # somebody was faster, and has made a new one
        except OSError:  # somebody has moved it already
            return
        aside = f"{self.path}.broken-{time.time_ns()}"
        for companion in ("", *_COMPANIONS):  # a journal that stayed would be rolled back into the new file
            try:
                os.rename(self.path + companion, aside + companion)
            except OSError:  # there is none, or the directory is read-only
                continue
        raise StateError(f"{self.path} {why}; it is now {aside}, with the alerts that were not sent") from None


def _number(head: bytes, at: int) -> int:
    return int.from_bytes(head[at : at + 4], "big")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    found: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return found


def _inode(found: os.stat_result) -> tuple[int, int]:
    return (found.st_dev, found.st_ino)


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Wait for other processes, at most `BUSY_S`, and no longer than the deadline of this thread; where it has locked
    nothing yet, let this one fork meanwhile."""
    ends, wait = time.monotonic() + min(BUSY_S, seconds_left()), 0.001
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() + wait > ends:
                raise
        if connection.in_transaction:
            time.sleep(wait)
        else:
            gate = forks.gate
            gate.release()
            try:
                time.sleep(wait)
            finally:
                gate.acquire()
        wait = min(2 * wait, 0.01)
