"""Files of this user that several processes open: each under one name, locked by one, and of nobody else's making."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

try:
    import fcntl
except ImportError:  # no POSIX: nobody could see whether the owner of a file still lives
    fcntl = None  # type: ignore[assignment] # there is no other name for a module that is not there

has_locks = fcntl is not None
NO_LOCKS = "a state of sqlite:// needs the file locks of Unix; redis:// does not"

CAREFULLY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""How a file is opened that others may have put there."""


def is_ours(found: os.stat_result) -> bool:
    """Whether it is a regular file, which this user alone owns."""
    is_mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and is_mine


def resolved(path: str) -> str:
    """One name for one file, whatever directory the program goes to. Two connections of a process that do not know of
    each other would lose their locks: closing a file drops all of a process."""
    directory, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(directory), name)


def make(path: str) -> Any:
    """A new one, to be added to. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | CAREFULLY, 0o600)
    return open(descriptor, "ab", buffering=0)


def open_ours(path: str, mode: str = "rb") -> Any:
    """A file to be read or added to, which no other user can have put there. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | CAREFULLY)  # RDWR: elsewhere a lock asks for it
    if not is_ours(os.fstat(descriptor)):
        os.close(descriptor)
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    return open(descriptor, mode, buffering=0 if mode == "ab" else -1)


def lock(file: Any) -> bool:
    """Whether this process has it alone from now on, until it closes it. Raises `OSError` where there are no locks."""
    if not has_locks:
        raise OSError(errno.ENOTSUP, NO_LOCKS)
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it
        return False
    return True


def is_there(file: Any, path: str) -> bool:
    """Whether it is the one that stands under this name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except OSError:  # it was taken away
        return False
