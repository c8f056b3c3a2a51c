"""The cause key: what several incidents fail for. Only the worker loads this; what captures needs it not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fingerprint import digest, environment_of
from .pattern import pattern
from .unreachable import unreachable

if TYPE_CHECKING:
    from ..model import Alert


def cause_key(alert: Alert) -> str:
    """The same for all alerts of one cause, in one environment; empty where nothing says one.

    That is what cannot be reached, whoever says it; else the exception at the end of the chain that was raised, its
    type and what it says.
    """
    root = alert.failures[0] if alert.failures else None
    texts = (alert.message, *(failure.text for failure in alert.failures))
    cause = next(filter(None, map(unreachable, texts)), "")
    if cause:
        return digest(cause, *environment_of(alert))[:16]
    if root is None or not root.frames:
        return ""
    return digest(root.type, pattern(root.text), *environment_of(alert))[:16]
