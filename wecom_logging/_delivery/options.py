"""`Options`: the checked options of a handler; `Target`: its fallback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from .._capture.options import CaptureOptions
from .._capture.snapshot import Origin
from .._render.mask import Mask
from .._state.shared import Shared, alone
from ..config import RateRules
from ..model import DeliveryReport
from .message_builder import Composer


@dataclass(frozen=True, slots=True)
class Target:
    """The other handler. ``key`` tells ours apart, each in its process; other kinds of handlers have none.

    ``away`` says why it takes nothing, if it does not: what it is given would be lost.
    """

    handler: logging.Handler
    key: int | None = None
    away: str = ""


Find = Callable[[], Target | None]
"""Finds the other handler when it is needed: None where there is none of its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CaptureOptions):
    """What a pipeline needs to know beyond its channels."""

    origin: Origin
    composer: Composer
    mask: Mask
    rules: RateRules = ()
    timeout_s: float = 10.0
    exit_timeout_s: float = 5.0
    fallback: Find | None = None
    shared: Shared = alone
    on_outcome: Callable[[DeliveryReport], object] | None = None
