"""Reads exceptions without any code of theirs: what led to one, the frames that it passed, what stands in it."""

from __future__ import annotations

import os
from collections import deque
from types import TracebackType
from typing import Any, NamedTuple

from .._render.traceback_text import HEAD_FRAMES, TAIL_FRAMES

_PACKAGE = os.path.dirname(os.path.dirname(__file__))

BETWEEN = (os.path.join(_PACKAGE, "decorators.py"), os.path.join(_PACKAGE, "integrations", ""))
"""Files whose frames stand between a program's own and say nothing."""

MAX_MEMBERS = (8, 4, 2, 1)
"""Of an ExceptionGroup, of one inside it, and so on: 64 at the deepest."""

CHAIN_END = 16
"""So many exceptions of each end of a chain are looked at."""

_MAX_WALK = 100_000

# Read as the interpreter itself reads it: a subclass may have put something else in the place of these attributes.
_CAUSE, _CONTEXT, _SUPPRESS, TRACE = (
    BaseException.__dict__[name] for name in ("__cause__", "__context__", "__suppress_context__", "__traceback__")
)
INSIDE = BaseExceptionGroup.__dict__["exceptions"]


class Chain(NamedTuple):
    """An exception and what led to it. ``ends``: each with its link to the next, the newest first, without the middle
    of a long chain. ``ids``: of all of them. Nothing here is an object for each link, which the program's garbage
    collector would have to look through."""

    ends: list[tuple[str, BaseException]]
    ids: set[int]
    is_circle: bool


def chain_of(error: BaseException | None) -> Chain:
    """What led to an exception."""
    newest: list[tuple[str, BaseException]] = []
    oldest: deque[tuple[str, BaseException]] = deque(maxlen=CHAIN_END)
    seen: set[int] = set()
    link = ""
    while error is not None and id(error) not in seen and len(seen) < _MAX_WALK:
        (newest if len(seen) < CHAIN_END else oldest).append((link, error))
        seen.add(id(error))
        link, error = _earlier(error)
    return Chain([*newest, *oldest], seen, error is not None and id(error) in seen)


def is_chained(error: BaseException) -> bool:
    """Whether another exception led to it."""
    return _earlier(error)[1] is not None


def _earlier(error: BaseException) -> tuple[str, BaseException | None]:
    if (cause := _CAUSE.__get__(error)) is not None:
        return "cause", cause
    return "context", None if _SUPPRESS.__get__(error) else _CONTEXT.__get__(error)


def frames_kept(trace: TracebackType | None) -> tuple[list[TracebackType], int]:
    """Both ends of a traceback, without what stands between a program's own frames; and how many are left out."""
    first: list[TracebackType] = []
    last: deque[TracebackType] = deque(maxlen=TAIL_FRAMES)
    count = 0
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(BETWEEN):
            (first if count < HEAD_FRAMES else last).append(trace)
            count += 1
        trace = trace.tb_next
    return [*first, *last], max(count - len(first) - len(last), 0)


def own_of(holder: object) -> dict[str, Any]:
    """The attributes of an object that stand in it, without asking it."""
    try:
        found = object.__getattribute__(holder, "__dict__") if holder is not None else None
    except Exception:  # it has none
        return {}
    return found if type(found) is dict else {}
