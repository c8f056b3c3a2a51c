"""What of ours others are not to see: frames whose variables hold secrets, and records that our own requests make."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from traceback import clear_frames
from typing import ParamSpec

from ..errors import ConfigurationError

P = ParamSpec("P")


def hiding_frames(build: Callable[P, None]) -> Callable[P, None]:
    """A constructor whose exceptions lead to no frame of ours with an argument, or with what was made of it.

    Tools that report errors show the local variables of each frame: secrets, URLs with passwords, texts of files.
    """

    @wraps(build)
    def __init__(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            return build(*args, **kwargs)
        except ConfigurationError as error:
            refusal = error.with_traceback(None)
            wanted = kwargs.get("language")
            refusal.language = wanted if isinstance(wanted, str) and wanted in ("en", "zh") else ""
        except Exception as error:  # of an argument's own code: where it was stays to be seen
            clear_frames(error.__traceback__ and error.__traceback__.tb_next)
            raise
        finally:
            del args, kwargs
        refusal.__cause__ = refusal.__context__ = None
        try:
            raise refusal
        finally:
            del refusal  # or the error and its traceback would hold each other

    return __init__


own_traffic: contextvars.ContextVar[bool] = contextvars.ContextVar("wecom_logging_own_traffic", default=False)
"""Whether this thread is inside a network call of ours: records that those make are no alerts."""

OUR_LIBRARIES = ("urllib3", "requests", "charset_normalizer", "idna", "tenacity", "redis", "valkey")
"""Whose records, made there, are left out. The program's own use of them alerts as ever."""


@contextmanager
def as_own_traffic() -> Iterator[None]:
    """What is called here is ours."""
    outer = own_traffic.set(True)
    try:
        yield
    finally:
        own_traffic.reset(outer)
