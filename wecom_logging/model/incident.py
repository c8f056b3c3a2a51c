"""An incident that is open, as people and programs read it."""

from __future__ import annotations

from dataclasses import dataclass

from .failure import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """One incident that is open: all alerts that are the same, over time.

    ``short_id`` stands in every message about it, there with ``#``. ``count`` is how many came in all, ``told`` how
    many of these stand in messages, of which there were ``messages``. ``since`` and ``last`` are when the first and the
    newest came, in seconds since the epoch. ``place`` is where it was logged. ``taken_by`` is who has taken it, or "";
    ``silent_until`` is when its silence ends, in seconds since the epoch, or 0.
    """

    short_id: str
    level: int
    level_name: str
    logger: str
    text: str
    count: int
    told: int
    messages: int
    since: float
    last: float
    place: Frame
    hosts: int = 1
    processes: int = 1
    taken_by: str = ""
    silent_until: float = 0.0
