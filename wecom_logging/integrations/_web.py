"""What the web frameworks have in common: the fields of a request, and an exception that nobody handled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ..pipeline.context import context
from ..pipeline.fingerprint import without_what_changes
from ..telling import Teller, record_of, text_of

Fields = Callable[[], Mapping[str, object]]


@contextmanager
def request(fields: Fields) -> Iterator[None]:
    """While a request is served: what is logged says in which."""
    token = context.set(fields)
    try:
        yield
    finally:
        context.reset(token)


def failed(teller: Teller, error: BaseException, logger: str, fields: Mapping[str, object]) -> None:
    """Nobody handled it: the client gets a 500."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    told = {**fields, "status": fields.get("status", 500)}
    what = " ".join(str(told[name]) for name in ("method", "route") if name in told) or "a request"
    teller.tell(
        record_of(
            error,
            level=logging.ERROR,
            message="%s failed: %s: %s",
            args=(what, type(error).__name__, text_of(error)),
            logger=logger,
            place=place,
            fields={name: value for name, value in told.items() if name == "status"} if context.get() else told,
        )
    )


def shape_of(path: str) -> str:
    """A raw path without ids, where there is no template of its route."""
    return without_what_changes(path)
