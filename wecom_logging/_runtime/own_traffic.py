"""Whether this thread is inside our own network calls: records that those make are no alerts."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

own_traffic: contextvars.ContextVar[bool] = contextvars.ContextVar("wecom_logging_own_traffic", default=False)

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
