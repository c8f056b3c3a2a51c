"""One exception object is one alert, however many decorators, hooks and log calls it passes on its way up.

The group that counted it is remembered on the exception itself, and holds while that group is open. An exception that
cannot be marked is merely told again.
"""

from __future__ import annotations

import logging

from .capture import finite
from .groups import Group

_MARK = "_wecom_logging_told"


def sighted(error: BaseException | None, key: int, record: logging.LogRecord) -> Group | None:
    """The open group of this pipeline that has the very same exception object, at least as severe as the record."""
    group = _marks(error).get(key) if error is not None else None
    if type(group) is not Group or group.closed or group.ended not in (None, "delivered", "handed_over"):
        return None
    return group if finite(record.levelno, logging.ERROR) <= group.level else None


def mark(error: BaseException, key: int, group: Group) -> None:
    """Remember on the exception that this pipeline tells it."""
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            return  # what sets attributes in its own way could not be copied or unpickled with ours
        object.__setattr__(error, _MARK, {**_marks(error), key: group})
    except Exception:  # a class without room for attributes
        return


def is_the_same(error: BaseException, known: BaseException) -> None:
    """Two exception objects are one failure: what tells the one tells the other."""
    for key, group in _marks(known).items():
        if isinstance(group, Group):
            mark(error, key, group)


def _marks(error: BaseException) -> dict[int, object]:
    """By pipeline. Copies and unpickled exceptions carry something empty in the group's place (Group.__reduce__)."""
    try:
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    return found if type(found) is dict else {}
