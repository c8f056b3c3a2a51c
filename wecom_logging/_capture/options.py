"""`CaptureOptions`: the options of a handler that decide what becomes of a record, and what follows from them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._runtime.warn import warn_once

if TYPE_CHECKING:
    from ..model import Recipients, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOptions:
    """What the calling thread needs to know, and the intake."""

    name: str
    max_pending: int = 10_000
    max_pending_bytes: int = 16 * 1024 * 1024
    routes: tuple[Route, ...] = ()
    window_s: float = 60.0
    fingerprint: Callable[[logging.LogRecord], str] | None = None
    mask_may_log: bool = True
    duty: str = ""
    """Rules of time and persons, `model.duty.Duty` as a text."""
    steps_s: tuple[float, ...] = ()
    """After how long the steps of an escalation come, of what is no less severe than ``steps_level``."""
    steps_level: int = logging.CRITICAL

    def steps(self, level: int) -> tuple[float, ...]:
        return self.steps_s if level >= self.steps_level else ()

    def recipients(self, logger: str, level: int, own: Recipients | None) -> Recipients | None:
        """A record's own, or those of the first route that fits; None: the channel's."""
        if own is not None or not self.routes:
            return own
        return next((route.recipients for route in self.routes if route.fits(logger, level)), None)

    def warn_once(self, cause: str, text: str) -> bool:
        """One line on stderr that says whose it is; False if the cause had one less than a minute ago."""
        return warn_once(f"{cause} {self.name}", f"{self.name}: {text}")
