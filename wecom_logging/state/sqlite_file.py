"""One SQLite file for the processes of a machine: opened safely, checked before each use, never used across a fork."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .base import StateError

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x57434C47
SCHEMA_VERSION = 1
BUSY_S = 1.0
_CLOSE_S = 0.1
MAX_BYTES = 512 * 1024 * 1024
_PAGE = 4096
_COMPANIONS = ("-journal", "-wal", "-shm")
_SAFE_WAL = (3, 51, 3)
"""Older versions may corrupt a WAL database when two connections write and checkpoint at one moment:
https://www.sqlite.org/wal.html#walresetbug"""


class SqliteFile:
    """Gives out a connection in a transaction. ``prepare`` makes the tables in a new file."""

    def __init__(self, path: str, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self.path = os.path.abspath(path)  # the program may change its directory
        self._prepare = prepare
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._is_ours = False

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Read and write, all or nothing. Raises `StateError` for whatever the file or the disk refuses."""
        import sqlite3

        if os.getpid() != self._pid:  # a parent's connection is neither used nor closed here
            self._lock, self._connection, self._pid = threading.RLock(), None, os.getpid()
        if not self._lock.acquire(timeout=BUSY_S):
            raise StateError(f"{self.path} is busy")
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        except sqlite3.Error as error:
            self._after(error)
            raise StateError(f"{self.path}: {error}") from None
        except OSError as error:
            self.close()
            raise StateError(f"{self.path}: {error.strerror}") from None
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the file, unless another thread is at it; the next transaction opens it again."""
        if os.getpid() != self._pid or not self._lock.acquire(timeout=_CLOSE_S):
            return
        try:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            try:
                if _inode(os.lstat(self.path)) == self._inode:
                    return self._connection
            except FileNotFoundError:
                pass
            self.close()  # it was removed or replaced
        self._inode = self._look()
        connection = self._connect()
        try:
            if _inode(os.lstat(self.path)) != self._inode:
                raise StateError(f"{self.path} changed while it was opened")
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _look(self) -> tuple[int, int]:
        """Make the file, or see that it is ours alone. Not with a connection open: closing a file drops its locks."""
        careful = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | careful, 0o600)
        try:
            found = os.fstat(descriptor)
            mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or not mine:
                raise StateError(f"{self.path} is no file of this user alone")
            for companion in _COMPANIONS:
                try:
                    if not stat.S_ISREG(os.lstat(self.path + companion).st_mode):
                        raise StateError(f"{self.path}{companion} is no file")
                except FileNotFoundError:
                    continue
            if found.st_size and found.st_mode & 0o077:
                raise StateError(f"{self.path} can be read by others; chmod 600 it")
            head = os.read(descriptor, 100)
            if head and not head.startswith(b"SQLite format 3\0"):
                raise StateError(f"{self.path} is no SQLite file; choose another path")
            owner = int.from_bytes(head[68:72], "big")
            self._is_ours = not head or owner == APPLICATION_ID
            if owner not in (0, APPLICATION_ID):
                raise StateError(f"{self.path} belongs to another program; choose another path")
            return _inode(found)
        finally:
            os.close(descriptor)

    def _connect(self) -> sqlite3.Connection:
        import sqlite3
        from urllib.parse import quote

        uri = f"file:{quote(self.path)}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)

    def _set_up(self, connection: sqlite3.Connection) -> None:
        import sqlite3

        mode = "WAL" if sqlite3.sqlite_version_info >= _SAFE_WAL else "TRUNCATE"
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise StateError(f"{self.path} belongs to another program; choose another path")
            connection.execute("PRAGMA auto_vacuum = FULL")
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA max_page_count = {MAX_BYTES // _PAGE}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StateError(f"{self.path} was made by a newer version of wecom_logging; choose another path")
            if version == 0:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._prepare(connection)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def _after(self, error: Exception) -> None:
        """Set a broken file aside, so that the next call begins anew; everything else may pass."""
        import sqlite3

        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return
        self.close()
        broken = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        if not (broken and self._is_ours):
            return
        aside = f"{self.path}.broken-{time.time_ns()}"
        for companion in ("", *_COMPANIONS):  # a journal that stayed would be rolled back into the new file
            try:
                os.rename(self.path + companion, aside + companion)
            except OSError:  # there is none, somebody else was faster, or the directory is read-only
                continue


def _inode(found: os.stat_result) -> tuple[int, int]:
    return (found.st_dev, found.st_ino)
