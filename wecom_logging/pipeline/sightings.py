"""One exception object is one alert, however many decorators, hooks and log calls it passes on its way up.

The group that counted it is remembered on the exception itself, and holds while that group is open. An exception that
cannot be marked is merely told again.
"""

from __future__ import annotations

import logging
import weakref

from .capture import finite
from .groups import Group

_MARK = "_wecom_logging_told"

_beside: dict[int, tuple[weakref.ref[BaseException], dict[int, object]]] = {}
"""Of exceptions that set attributes in their own way, by id: with one of ours they could not be copied any more."""

_about: weakref.WeakKeyDictionary[logging.LogRecord, BaseException] = weakref.WeakKeyDictionary()
"""Not on the record: programs pickle those."""


def sighted(error: BaseException | None, key: int, record: logging.LogRecord) -> Group | None:
    """The open group of this pipeline that has the very same exception object, at least as severe as the record."""
    group = _marks(error).get(key) if error is not None else None
    if type(group) is not Group or not is_told(group):
        return None
    return group if finite(record.levelno, logging.ERROR) <= group.level else None


def is_told(group: Group) -> bool:
    """Whether a group is open, and its last message was not refused."""
    return not group.closed and group.ended in (None, "delivered", "handed_over")


def mark(error: BaseException, key: int, group: Group) -> None:
    """Remember on the exception that this pipeline tells it."""
    try:
        marks = {**_marks(error), key: group}
        if type(error).__setattr__ is BaseException.__setattr__:
            object.__setattr__(error, _MARK, marks)
        else:
            number = id(error)
            _beside[number] = weakref.ref(error, lambda _: _beside.pop(number, None)), marks
    except Exception:  # a class without room for attributes
        return


def is_the_same(error: BaseException, known: BaseException) -> None:
    """Two exception objects are one failure: what tells the one tells the other."""
    for key, group in _marks(known).items():
        if isinstance(group, Group):
            mark(error, key, group)


def is_about(record: logging.LogRecord, error: BaseException) -> None:
    """A record that holds no exception is about one all the same, or about something that an exception stands for."""
    _about[record] = error


def about(record: logging.LogRecord) -> BaseException | None:
    """What a record that holds no exception is about."""
    return _about.get(record) if _about else None


def _marks(error: BaseException) -> dict[int, object]:
    """By pipeline. Copies and unpickled exceptions carry something empty in the group's place (Group.__reduce__)."""
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            known, found = _beside.get(id(error), (None, None))
            return found if known is not None and known() is error and found else {}
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    return found if type(found) is dict else {}
