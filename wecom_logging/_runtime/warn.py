"""The package's own troubles: one line on stderr, at most once a minute for each cause. It never blocks or raises."""

from __future__ import annotations

import logging
import select
import sys
import time
from collections.abc import Callable

from .._text import inert

QUIET_S = 60.0

_last: dict[str, float] = {}


def warn_once(cause: str, text: str, *, clock: Callable[[], float] = time.monotonic) -> bool:
    """Say on stderr what is wrong and what to do; False if this cause had its line less than a minute ago.

    ``logging.raiseExceptions = False`` silences it too.
    """
    now = clock()
    if not logging.raiseExceptions or now - _last.get(cause, float("-inf")) < QUIET_S:
        return False
    if len(_last) > 1000:
        _last.clear()
    _last[cause] = now
    try:
        _write(f"wecom_logging: {inert.line(' '.join(text.split()))}\n")
    except Exception:  # stderr closed, replaced by something odd, or busy: there is no place left to say so
        pass
    return True


def _write(line: str) -> None:
    stream = sys.stderr
    if stream is not None and not _is_full(stream):
        stream.write(line)
        stream.flush()


def _is_full(stream: object) -> bool:
    """Whether writing would wait: a pipe that no process reads must not stop the program."""
    try:
        descriptor = stream.fileno()  # type: ignore[attr-defined] # a StringIO or a notebook's stream has none
        return not select.select([], [descriptor], [], 0)[1]
    except (OSError, ValueError, AttributeError):
        return False
