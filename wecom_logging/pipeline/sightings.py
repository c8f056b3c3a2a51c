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


def sighted(error: BaseException, key: int, record: logging.LogRecord, who: Who) -> Group | None:
    """The open group of this pipeline that tells them the very same exception object, at least as severe."""
    level = finite(record.levelno, logging.ERROR)
    return next((group for group in _open(error, key) if level <= group.level and _tells(group, who)), None)


def mark(error: BaseException, key: int, group: Group) -> None:
    """Remember on the exception that this pipeline tells it."""
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            return  # what sets attributes in its own way could not be copied or unpickled with ours
        object.__setattr__(error, _MARK, {**_marks(error), key: (group, *_open(error, key))})
    except Exception:  # a class without room for attributes
        return


def _tells(group: Group, who: Who) -> bool:
    """Whether its message is for them; who is called by name has to be called."""
    recipients, mention = who
    return group.recipients == recipients and (not mention or group.mention == mention)


def _open(error: BaseException, key: int) -> list[Group]:
    """The groups of this pipeline that tell it, the newest first."""
    groups = _marks(error).get(key)
    return [
        group
        for group in (groups if type(groups) is tuple else ())
        if type(group) is Group and not group.closed and group.ended in (None, "delivered", "handed_over")
    ]


def _marks(error: BaseException) -> dict[int, object]:
    """By pipeline. Copies and unpickled exceptions carry something empty in a group's place (Group.__reduce__)."""
    try:
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    return found if type(found) is dict else {}
