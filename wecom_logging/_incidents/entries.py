"""The kinds of `Entry`: what a process appends to a journal. What each does to an incident is in `apply`.

An entry is a value that holds no rule. Its texts are masked. Times are seconds since the epoch, on the clock of the
host that made it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Alert, Answer, Sample, Variant
from .values import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A record that its process has not met, or not since it ended: it opens its incident, or is counted in it.

    ``count``: so many more like it came with it; ``sent`` of them the process has sent alone. ``alert.id`` tells it
    from all others; a process may append it again, which counts once while its incident is known by that alert. The
    rules (``duty``, ``steps``, ``calls``), the ``link`` and the names of its ``scopes`` are those of its handler.
    ``is_crowded``: others of its line of code waited when it came.
    """

    key: str
    alert: Alert
    last: float
    level: int = 0
    service: str = ""
    window_s: float = 60.0
    audience: str = ""
    cause: str = ""
    link: str = ""
    scopes: tuple[str, ...] = ()
    duty: str = ""
    steps: tuple[float, ...] = ()
    calls: tuple[int, ...] = ()
    is_crowded: bool = False
    count: int = 1
    sent: int = 0
    variants: tuple[Variant, ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """So many more records of an incident that a process has opened, ``sent`` of which it has sent alone."""

    key: str
    count: int
    last: float
    sent: int = 0
    samples: tuple[Sample, ...] = ()
    variants: tuple[Variant, ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAlone:
    """So many records of an incident that a process has sent itself while the journal was away, the last ``at`` that
    time. They have been counted by other entries."""

    key: str
    count: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A person's answer, or that of a run of a job, about the incident of a ``key``; without one, of a ``short_id``.

    The first in the journal wins: another one that it refuses changes nothing.
    """

    answer: Answer
    key: str = ""
    short_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """A ``run`` of a ``job`` that began, and, where ``ended`` is not 0, ended with the code ``exit``."""

    job: str
    run: str
    began: float
    ended: float = 0.0
    exit: int = 0


@dataclass(frozen=True, slots=True)
class Flush:
    """All of its writer is due at once."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Its writer has ended, and keeps nothing."""


OfIncident = Opened | Counted | SentAlone | Answered
"""Entries that change one incident; the others concern a job, or the book as a whole."""

Entry = OfIncident | JobRun | Flush | Ended
