"""Marks an exception that was captured: decorators, hooks and later log calls count it again and send no second alert.

The mark is the tally that counted it, and holds while that tally is open, and after the exit has closed it. An
exception that cannot be marked is merely sent again.
"""

from __future__ import annotations

import logging
import weakref

from .tally import Tally
from .texts import whole

TOLD = ("delivered", "handed_over")
"""How a message ends that somebody gets."""

_MARK = "_wecom_logging_told"

_beside: dict[int, tuple[weakref.ref[BaseException], dict[int, object]]] = {}
"""Of exceptions that set attributes in their own way, by id: with one of ours they could not be copied any more."""

_about: weakref.WeakKeyDictionary[logging.LogRecord, BaseException] = weakref.WeakKeyDictionary()
"""Not on the record: programs pickle those."""


def sighted(error: BaseException | None, key: int, record: logging.LogRecord, *, at_exit: bool = False) -> Tally | None:
    """The tally of this pipeline that has the very same exception object, at least as severe as the record: an open
    one, or, ``at_exit``, where all are closed, one that was told."""
    tally = _marks(error).get(key) if error is not None else None
    if type(tally) is not Tally or not (is_told(tally) or (at_exit and tally.ended in TOLD)):
        return None
    return tally if whole(record.levelno, logging.ERROR) <= tally.level else None


def is_told(tally: Tally) -> bool:
    """Whether a tally is open, and its last message was not refused."""
    return not tally.closed and (not tally.ended or tally.ended in TOLD)


def mark(error: BaseException, key: int, tally: Tally) -> None:
    """Remember on the exception that this pipeline has captured it."""
    try:
        marks = {**_marks(error), key: tally}
        if type(error).__setattr__ is BaseException.__setattr__:
            object.__setattr__(error, _MARK, marks)
        else:
            number = id(error)
            _beside[number] = weakref.ref(error, lambda _: _beside.pop(number, None)), marks
    except Exception:  # a class without room for attributes
        return


def is_the_same(error: BaseException, known: BaseException) -> None:
    """Two exception objects are one failure: an alert of the one is an alert of the other."""
    for key, tally in _marks(known).items():
        if isinstance(tally, Tally):
            mark(error, key, tally)


def is_about(record: logging.LogRecord, error: BaseException) -> None:
    """A record that holds no exception is about one all the same, or about something that an exception stands for."""
    _about[record] = error


def about(record: logging.LogRecord) -> BaseException | None:
    """What a record that holds no exception is about."""
    return _about.get(record) if _about else None


def _marks(error: BaseException) -> dict[int, object]:
    """By pipeline. Copies and unpickled exceptions carry something empty in the tally's place (Tally.__reduce__)."""
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            known, found = _beside.get(id(error), (None, None))
            return found if known is not None and known() is error and found else {}
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    return found if type(found) is dict else {}
