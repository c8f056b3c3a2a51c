"""Fields of the current request or task, such as method and route: integrations set them, a captured record gets them.

``context`` holds a function that gives fields by name. It is called only for a record that is captured, so that a
request that does not fail costs one variable, set and reset.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping

context: contextvars.ContextVar[Callable[[], Mapping[str, object]] | None] = contextvars.ContextVar(
    "wecom_logging_context", default=None
)

logged: contextvars.ContextVar[list[BaseException] | None] = contextvars.ContextVar(
    "wecom_logging_logged", default=None
)
"""Where an integration wants to know it: the exception that was logged last in this request."""


def fields_of_context() -> Mapping[str, object]:
    """What there is to say now; nothing if it cannot be found out."""
    make = context.get()
    return {} if make is None else fields_of(make)


def fields_of(make: Callable[[], Mapping[str, object]]) -> Mapping[str, object]:
    """What a function of an integration gives; nothing if it fails."""
    try:
        return make()
    except Exception:  # a framework that is not as it was: the alert is worth more than its context
        return {}
