"""One exception object is one alert, however many decorators, hooks and log calls it passes on its way up.

The group that counted it is remembered on the exception itself, and holds while that group is open. An exception that
cannot be marked is merely told again.
"""

from __future__ import annotations

from .groups import Group

_MARK = "_wecom_logging_told"


def sighted(error: BaseException | None, key: int, level: int) -> Group | None:
    """The open group of this pipeline that has the very same exception object, at least as severe."""
    group = _marks(error).get(key)
    if group is None or group.closed or group.ended not in (None, "delivered", "handed_over"):
        return None
    return group if level <= group.level else None


def mark(error: BaseException | None, key: int, group: Group) -> None:
    """Remember on the exception that this pipeline tells it."""
    if error is None:
        return
    try:
        if type(error).__setattr__ is not BaseException.__setattr__:
            return  # what sets attributes in its own way could not be copied or unpickled with ours
        object.__setattr__(error, _MARK, {**_marks(error), key: group})
    except Exception:  # a class without room for attributes
        return


def _marks(error: BaseException | None) -> dict[int, Group]:
    if error is None:
        return {}
    try:
        found = vars(error).get(_MARK)
    except Exception:  # a class whose attributes cannot be read
        return {}
    # Copies and unpickled exceptions carry an empty one (Group.__reduce__).
    return {key: group for key, group in found.items() if type(group) is Group} if type(found) is dict else {}
