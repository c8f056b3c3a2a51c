"""One exception object is one alert, however many decorators, hooks and log calls it passes on its way up.

The alert is remembered on the exception itself. An exception that cannot be marked is merely told again.
"""

from __future__ import annotations

import logging

from .capture import exception_of
from .inbox import Waiting

SIGHTING_S = 60.0
"""How long one exception object stays one alert; some programs raise the same object again and again."""

_MARK = "_wecom_logging_told"


def sighted(record: logging.LogRecord, key: int, now: float) -> Waiting | None:
    """The alert of this pipeline about the very same exception object, waiting or told lately, at least as severe."""
    waiting = _marks(exception_of(record)).get(key)
    if (
        waiting is None
        or waiting.ended not in (None, "delivered", "handed_over")
        or not record.levelno <= waiting.level
    ):
        return None
    return waiting if now - waiting.accepted_at < SIGHTING_S else None


def mark(record: logging.LogRecord, key: int, waiting: Waiting) -> None:
    """Remember on the exception that this pipeline tells it."""
    error = exception_of(record)
    if error is None:
        return
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            return  # what sets attributes in its own way could not be copied or unpickled with ours
        object.__setattr__(error, _MARK, {**_marks(error), key: waiting})
    except Exception:  # a class without room for attributes
        return


def _marks(error: BaseException | None) -> dict[int, Waiting]:
    if error is None:
        return {}
    try:
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    # Copies and unpickled exceptions carry an empty one (Waiting.__reduce__).
    return {key: waiting for key, waiting in found.items() if type(waiting) is Waiting} if type(found) is dict else {}
