"""`Job`: what is expected of a job (`Spec`), and what was seen of it (`Seen`). A state keeps it as one document.

All times are seconds since the epoch, on the clock of the store. The rules are in `expected`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model import Recipients

MAX_NAME = 100
"""Bytes of the name of a job."""

GRACE_S = 300.0
"""How late a job may start, unless it is said otherwise."""

MISSED, OVER, RAN, ENDED, UNWATCHED = "missed", "over", "ran", "ended", "unwatched"
"""Kinds of news of a job. A run that begins (`RAN`) is the end of what was missed, one that ends (`ENDED`) of what was
over its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a channel tells, and how: as its handler says."""

    channel: str
    recipients: Recipients | None = None
    service: str = ""
    environment: str = ""
    duty: str = ""
    steps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What is expected: ``cron`` in ``zone``, or ``every_s`` from start to start; neither: nothing is missed."""

    name: str
    cron: str = ""
    every_s: float = 0.0
    zone: str = ""
    grace_s: float = GRACE_S
    max_runtime_s: float = 0.0
    level: int = 40
    targets: tuple[Target, ...] = ()
    scheduler: str = ""
    """The scheduler that starts it, and all other jobs of that name and service; "": that is not known."""

    @property
    def schedule(self) -> tuple[str, float, str]:
        return self.cron, self.every_s, self.zone if self.cron else ""


@dataclass(frozen=True, slots=True)
class Run:
    """One that has begun, and has not ended. ``is_told``: that it is over its time."""

    id: str
    began: float
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told: of ``number`` occurrences, the first of which was ``due``; of a run that began then.
    ``took_s`` is more than 0 of one that was over its time, ``has_failed`` of one that has ended so.

    Its ``serial`` number is larger than that of all news of its job before: a channel takes each once.
    """

    kind: str
    at: float
    due: float
    number: int = 1
    serial: int = 0
    took_s: float = 0.0
    has_failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a job. From ``base`` on it is judged: it was declared, or its schedule changed.

    ``judged_to`` is the newest occurrence that was missed or unwatched, ``began`` when the newest run did.
    ``missed`` were told since the last run that began, ``over`` since the last that ended: while one is not 0, its
    incident is open. ``news`` is to be told by whoever looks next. ``left``: channels and group keys of what was told
    as the job was declared before, which the next run closes as well.
    """

    base: float
    judged_to: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    took_s: float = 0.0
    has_failed: bool = False
    runs: tuple[Run, ...] = ()
    missed: int = 0
    over: int = 0
    paused_until: float = 0.0
    serial: int = 0
    news: tuple[News, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A row of a state. ``forgotten``: as it was expected until a person stopped watching it, who may undo that."""

    spec: Spec
    seen: Seen
    forgotten: Spec | None = None

    @property
    def is_forgotten(self) -> bool:
        """True: no program has declared it since."""
        return self.forgotten is not None and not self.spec.targets


Gap = tuple[float, float]
"""In which nobody watched: from, to."""

NO_GAP: Gap = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Watched:
    """When somebody looked last, and the last time in which nobody did."""

    at: float
    gap: Gap = NO_GAP
    version: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A job as it was read. ``document``: all of it in a state, also what a later version has written."""

    job: Job
    version: int
    document: Mapping[str, Any] = field(default_factory=dict)
