"""Whose code runs: the modules on the stack of a thread."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType

OWN_MODULES = tuple(f"wecom_logging.{room}" for room in ("_capture", "_delivery", "_runtime", "_state", "_wecom"))


def modules(frame: FrameType | None) -> Iterator[str]:
    """The name of that of a frame, and of those that have called it."""
    while frame is not None:
        yield str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
