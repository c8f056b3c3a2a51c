"""What the web frameworks have in common: an exception that nobody handled.

While a request is served, ``context`` has a function that gives its fields. Each integration sets and resets it itself:
for a request that does not fail that is all, and a context manager would cost more than it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from ..capture.context import context, fields_of
from ..incidents.fingerprint import without_what_changes
from ..telling import Teller, name_and_text, record_of, text_of

_MAX_PATH = 512


def failed(
    teller: Teller,
    error: BaseException,
    logger: str,
    fields: Callable[[], Mapping[str, object]],
    status: int | None = 500,
) -> None:
    """Nobody handled it. ``status``: what the client gets, or has got already; None where that is not known."""
    told = dict(fields_of(fields))
    if status is not None:
        told["status"] = status
    what = " ".join(text_of(told[name]) for name in ("method", "route") if name in told) or "a request"
    teller.tell(
        record_of(
            error,
            level=logging.ERROR,
            message="%s failed: %s: %s",
            args=(what, *name_and_text(error)),
            logger=logger,
            fields={name: value for name, value in told.items() if name == "status"} if context.get() else told,
        )
    )


def shape_of(path: str) -> str:
    """A raw path without ids, where there is no template; of a long one the first whole parts, and all in one line."""
    if len(path) > _MAX_PATH:
        path = f"{path[:_MAX_PATH].rpartition('/')[0]}/…"
    return without_what_changes(" ".join(path.splitlines()))
