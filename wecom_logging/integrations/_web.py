"""What the web frameworks have in common: an exception that no code handled.

While a request is served, ``context`` has a function that gives its fields. Each integration sets and resets it itself:
for a request that does not fail that is all, and a context manager would cost more than it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .._capture.context import context, fields_of
from .._incidents.pattern import pattern
from .._render.words import FAILED, REQUEST_FAILED
from .._telling import Teller, record_of, text_of

_MAX_PATH = 512


def failed(
    teller: Teller,
    error: BaseException,
    logger: str,
    fields: Callable[[], Mapping[str, object]],
    status: int | None = 500,
) -> None:
    """No code handled it. ``status``: what the client gets, or has got already; None where that is not known."""
    what, shown = _request(fields, status)
    message, names = (FAILED, [what]) if what else (REQUEST_FAILED, [])
    teller.tell(record_of(error, message, *names, logger=logger, fields=shown))


def _request(fields: Callable[[], Mapping[str, object]], status: int | None) -> tuple[str, dict[str, object]]:
    """What a request is called, if that is known, and what of it does not stand in its context."""
    told = dict(fields_of(fields))
    what = " ".join(text_of(told[name]) for name in ("method", "route") if name in told)
    shown = {} if context.get() else told
    return what, shown if status is None else {**shown, "status": status}


def shape_of(path: str) -> str:
    """A raw path without ids, where there is no template; of a long one the first whole parts, and all in one line."""
    if len(path) > _MAX_PATH:
        path = f"{path[:_MAX_PATH].rpartition('/')[0]}/…"
    return "/".join(map(pattern, " ".join(path.splitlines()).split("/")))
