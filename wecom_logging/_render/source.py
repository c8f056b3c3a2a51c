"""In the worker: short paths and source lines for the frames of an alert, and which of them are the user's own code."""

from __future__ import annotations

import linecache
import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from ..model import Alert, Failure, Frame
from .cut import cap

_LIBRARY = os.path.dirname(os.__file__)
_PACKAGES = ("site-packages", "dist-packages")
_MAX_SOURCE_BYTES = 1024
_MAX_FILE_BYTES = 4 * 1024 * 1024
_SYSTEM = ("/proc/", "/dev/", "/sys/")


def with_source(alert: Alert) -> Alert:
    """The alert with ``code``, ``own`` and a short ``file`` in each frame."""
    return replace(alert, place=_located(alert.place, code=False), failures=_all(alert.failures))


def _all(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    return tuple(
        replace(
            failure,
            frames=tuple(_located(frame) for frame in failure.frames),
            members=tuple(_all(chain) for chain in failure.members),
        )
        for failure in failures
    )


def placed(frame: Frame) -> Frame:
    """A frame of a traceback that was text, with its own source line."""
    return replace(frame, file=_short(frame.file), own=_is_own(frame.file))


def _located(frame: Frame, *, code: bool = True) -> Frame:
    if frame.code:  # it is placed already
        return frame
    line = _source_line(frame) if code else ""
    return Frame(_short(frame.file), frame.line, frame.name, own=_is_own(frame.file), code=line)


def _source_line(frame: Frame) -> str:
    try:
        linecache.checkcache(frame.file)
        if frame.file not in linecache.cache and not _is_source(frame.file):
            return ""
        return cap(linecache.getline(frame.file, frame.line).strip(), _MAX_SOURCE_BYTES)
    except Exception:  # a file name that no file can have, or a loader that fails
        return ""


def _is_source(path: str) -> bool:
    """Code can say that it comes from any file: one that never ends, that is huge, or that holds what is secret."""
    path = os.path.realpath(path)
    found = os.stat(path)
    return stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_FILE_BYTES and not path.startswith(_SYSTEM)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed while the program ran
        return ""


_WORKING_DIRECTORY = _working_directory()


@lru_cache(maxsize=4096)
def _is_own(path: str) -> bool:
    if path.startswith("<frozen"):
        return False
    return not any(f"{os.sep}{name}{os.sep}" in path for name in _PACKAGES) and not path.startswith(_LIBRARY + os.sep)


@lru_cache(maxsize=4096)
def _short(path: str) -> str:
    """The path below the entry of ``sys.path`` that it is imported from."""
    # Some programs put a Path into sys.path, which the import system passes over too.
    entries = [
        entry.rstrip(os.sep) + os.sep for entry in (*sys.path, _WORKING_DIRECTORY) if type(entry) is str and entry
    ]
    roots = [entry for entry in entries if path.startswith(entry)]
    return path[len(max(roots, key=len)) :] if roots else path
