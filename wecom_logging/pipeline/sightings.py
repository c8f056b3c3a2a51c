"""One exception object is one alert, however many decorators, hooks and log calls it passes on its way up.

The group that counted it is remembered on the exception itself, and holds while that group is open, for those whom it
tells: for others, or at a higher level, it is another alert. An exception that cannot be marked is merely told again.
"""

from __future__ import annotations

import logging

from ..model import Recipients
from .capture import finite
from .groups import Group

Who = tuple[Recipients | None, tuple[str, ...] | None]
"""Whom an alert is for, and who is mentioned in it."""

_MARK = "_wecom_logging_told"


def tellers(error: BaseException, key: int) -> tuple[Group, ...]:
    """The open groups of this pipeline that tell the very same exception object, the newest first."""
    groups = _marks(error).get(key)
    if type(groups) is not tuple:
        return ()
    return tuple(
        group
        for group in groups
        if type(group) is Group and not group.closed and group.ended in (None, "delivered", "handed_over")
    )


def sighted(groups: tuple[Group, ...], record: logging.LogRecord, who: Who) -> Group | None:
    """One of them that is for the same people, calls whoever is to be called, and is as severe as the record."""
    level, (recipients, mention) = finite(record.levelno, logging.ERROR), who
    for group in groups:
        if level <= group.level and group.recipients == recipients and (not mention or group.mention == mention):
            return group
    return None


def mark(error: BaseException, key: int, groups: tuple[Group, ...]) -> None:
    """Remember on the exception which groups of this pipeline tell it."""
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            return  # what sets attributes in its own way could not be copied or unpickled with ours
        object.__setattr__(error, _MARK, {**_marks(error), key: groups})
    except Exception:  # a class without room for attributes
        return


def _marks(error: BaseException) -> dict[int, object]:
    """By pipeline. Copies and unpickled exceptions carry something empty in a group's place (Group.__reduce__)."""
    try:
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    return found if type(found) is dict else {}
