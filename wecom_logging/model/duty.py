"""The rules of time and persons that a handler was given, as values.

A rule of them is a function in `_duty`; what is right or wrong of an option is said in `_config`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import MessageError, WeComError
from .recipients import Recipients

if TYPE_CHECKING:
    from datetime import tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_LEVELS = 2**31
"""A level that no record has."""


@dataclass(frozen=True, slots=True)
class Span:
    """Quiet on some days, in minutes of the wall: from ``begin`` until before ``end``, on the next day where that is no
    later. A night belongs to the day on which it begins.

    ``weekdays``: 0 is Monday; ``kind``: ``"workdays"`` or ``"off-days"`` of the calendar in their place.
    """

    weekdays: tuple[int, ...] = ()
    kind: str = ""
    begin: int = 0
    end: int = 24 * 60


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on call: ``people`` in turn, from ``since`` (``"2026-12-07 10:00"`` on the wall) on, each for ``days`` or
    ``hours``; or whom a function names (``who``)."""

    name: str
    people: tuple[tuple[str, ...], ...] = ()
    since: str = ""
    days: int = 0
    hours: int = 0
    who: str = ""


MAX_STEPS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """Of an escalation: so many seconds after the first message these are told, and called where ``calls``."""

    after_s: float
    recipients: Recipients
    calls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """All of them. Below ``quiet_level`` an incident waits in ``quiet`` hours; from ``steps_level`` on it escalates.

    ``zone`` is that of every time of the wall here. ``calendar``: ``""`` is Monday to Friday.
    """

    zone: str = "UTC"
    calendar: str = ""
    quiet: tuple[Span, ...] = ()
    quiet_level: int = logging.CRITICAL
    rotas: tuple[Rota, ...] = ()
    steps: tuple[Step, ...] = ()
    steps_level: int = logging.CRITICAL


@dataclass(frozen=True, slots=True)
class Scope:
    """A maintenance: what a service or a logger (and all below it) tells is quiet from ``began`` until before
    ``until``, in seconds since the epoch; what is critical, too, where ``critical``."""

    name: str
    began: float
    until: float
    why: str = ""
    who: str = ""
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """In the place of whose turn it is, ``people`` are on call by a rota in this time, in seconds since the epoch."""

    rota: str
    people: tuple[str, ...]
    began: float
    until: float
    who: str = ""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who is on call by a rota, until when (infinity: nobody knows), and who is then. ``swapped_by`` has said so."""

    rota: str
    people: tuple[str, ...]
    until: float = float("inf")
    then: tuple[str, ...] = ()
    swapped_by: str | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """Who gets a message, by ids and names; ``nobody`` are the rotas by which no person was found, of one of which that
    has ``failed``."""

    recipients: Recipients
    nobody: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What messages wait for, from ``began`` until ``until`` in seconds since the epoch: quiet hours in a
    ``zone``; without one a maintenance of ``scope``, and ``why``."""

    began: float
    until: float
    zone: tzinfo | None = None
    scope: str = ""
    why: str = ""


NO_DUTY = Duty()


@dataclass(frozen=True, slots=True)
class Rang:
    """``phoned`` says that phones rang, or why not, "" where nobody has one; ``error`` is what WeCom answered."""

    phoned: str
    error: WeComError | MessageError | None = None
