"""`Options`: the checked options of a handler, and of them its `Looks`; `Target`: its fallback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .._capture.options import CaptureOptions
from .._capture.pending import Origin
from .._config import RateRules
from .._state.shared import Shared, alone
from .._text.said import Language, Reader

if TYPE_CHECKING:
    from datetime import tzinfo

    from .._render.mask import Mask
    from ..model import DeliveryReport, Secret


class Target(NamedTuple):
    """The other handler. ``key`` tells ours apart, each in its process; other kinds of handlers have none.

    ``away`` is the line that says why it takes nothing, if it does not: what it is given would be lost.
    """

    handler: logging.Handler
    key: int | None = None
    away: str = ""


Find = Callable[[], Target | None]
"""Finds the other handler when it is needed: None where there is none of its name."""


class Looks(NamedTuple):
    """What a handler's options say about its messages."""

    markdown: bool
    overflow: str = "trim"
    link: str = ""
    mention: tuple[str, ...] = ()
    mention_level: int = logging.CRITICAL
    language: Language = "en"
    zone: tzinfo | None = None
    """Of all times that people read; None is the machine's."""
    frames: str = "own"
    answers: str = ""
    """``"aibot"``: a message says in its last line how to answer."""
    buttons: bool = False
    """Whether it goes through an AI bot: one alert as a card that can be answered, where the chat takes cards."""

    @property
    def reader(self) -> Reader:
        return Reader(self.language, self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CaptureOptions):
    """What a pipeline needs to know beyond its channels."""

    origin: Origin
    looks: Looks
    mask: Mask
    rules: RateRules = ()
    timeout_s: float = 10.0
    exit_timeout_s: float = 5.0
    fallback: Find | None = None
    shared: Shared = alone
    on_outcome: Callable[[DeliveryReport], object] | None = None
    heartbeat_url: Secret | None = None
    celery: bool = True
    """True: it is wired to a Celery worker without `connect`."""
