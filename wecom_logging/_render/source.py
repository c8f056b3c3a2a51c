"""In the worker: short paths and source lines for the frames of an alert, and which of them are the user's own code."""

from __future__ import annotations

import linecache
import os
import re
import stat
import sys
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from .._text.cut import cap
from ..model.captured import each

if TYPE_CHECKING:
    from ..model import Alert, Failure, Frame

_LIBRARY = os.path.dirname(os.__file__)
_PACKAGES = ("site-packages", "dist-packages")
# The interpreter's own modules, and code that libraries make: attrs, SQLAlchemy, decorator, NumPy, SymPy.
_GENERATED = re.compile(r"<(?:frozen [^>]*|[\w.]+[ -](?:\w*generated|gen)\b[^>]*|__array_function__ internals)")
_STANDARD = re.compile(r"[/\\]lib(?:64)?[/\\]python3\.\d+t?[/\\]|\bpython3\d+\.zip\b")
_MAX_SOURCE_BYTES = 1024
_MAX_FILE_BYTES = 4 * 1024 * 1024
_SYSTEM = ("/proc/", "/dev/", "/sys/")


def with_source(alert: Alert) -> Alert:
    """The alert with ``code``, ``own`` and a short ``file`` in each frame of its exceptions."""

    def located(failure: Failure) -> Failure:
        frames = (one if one.code else replace(placed(one), code=_source_line(one)) for one in failure.frames)
        return replace(failure, frames=tuple(frames))

    return replace(alert, failures=each(alert.failures, located)) if alert.failures else alert


def placed(frame: Frame) -> Frame:
    """A frame without its source line, or with one of its own."""
    return replace(frame, file=short(frame.file), own=is_own(frame.file, frame.name))


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


_WORKING_DIRECTORY = ""
with suppress(OSError):  # it was removed while the program ran
    _WORKING_DIRECTORY = os.getcwd()


@lru_cache(maxsize=4096)
def is_own(path: str, name: str) -> bool:
    """Whether a function of this name in this file is the program's, not a library's."""
    if path.startswith("<"):  # a dataclass's methods come from <string>, as what the program itself compiles
        return not (_GENERATED.match(path) or (path == "<string>" and name.startswith("__create_fn__.")))
    if any(f"{os.sep}{folder}{os.sep}" in path for folder in _PACKAGES):
        return False
    if path.endswith((".pyx", ".pxi", ".pxd")) and not os.path.isabs(path):  # as it was when Cython compiled it
        file = getattr(sys.modules.get(name.partition(".")[0]), "__file__", None)
        return not (isinstance(file, str) and os.path.isabs(file)) or is_own(file, "")
    return not path.startswith(_LIBRARY + os.sep) and not _STANDARD.search(path)


@lru_cache(maxsize=4096)
def short(path: str) -> str:
    """The path below the entry of ``sys.path`` that it is imported from."""
    # Some programs put a Path into sys.path, which the import system passes over too.
    entries = [
        entry.rstrip(os.sep) + os.sep for entry in (*sys.path, _WORKING_DIRECTORY) if type(entry) is str and entry
    ]
    roots = [entry for entry in entries if path.startswith(entry)]
    return path[len(max(roots, key=len)) :] if roots else path
