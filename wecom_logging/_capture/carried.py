"""A handler gives what it could not deliver to its ``fallback``: in a record that carries the digest."""

from __future__ import annotations

import contextvars
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model import Digest

_CARRIED = "_wecom_logging_digest"

passed_by: contextvars.ContextVar[tuple[int, ...]] = contextvars.ContextVar("wecom_logging_passed_by", default=())
"""Whom an alert has passed that this thread is handing over: what another kind of handler logs then is about it."""


def carry(record: logging.LogRecord, digest: Digest) -> None:
    """Put a digest into a record."""
    record.__dict__[_CARRIED] = digest


def carried(record: logging.LogRecord) -> Digest | None:
    """What another handler of ours gave, else None."""
    digest = record.__dict__.get(_CARRIED)
    if digest is None:
        return None
    from ..model import Digest

    return digest if type(digest) is Digest else None
