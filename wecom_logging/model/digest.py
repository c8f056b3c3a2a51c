"""What one message tells: an alert, and how often the same came since the last message about it."""

from __future__ import annotations

from dataclasses import dataclass

from .alert import Alert


@dataclass(frozen=True, slots=True)
class Sample:
    """A later record of the same failure: its time (seconds since the epoch) and its text, masked."""

    time: float
    text: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The first of a group of alerts that are the same, with the numbers of those that followed.

    ``count`` is how many came since the last message about them, ``total`` how many in all; both include the first
    when it is new, so that a first message has ``count == total``. ``since`` and ``last`` are the times (seconds since
    the epoch) at which that count began and at which the newest came; 0 for unknown. ``rates`` is what was counted in
    equal spans of time since the last message, the oldest first. ``quiet_s`` is more than 0 in the closing line of a
    group: for so many seconds nothing came. ``hosts`` and ``processes`` are how many have had it. ``short_id`` is that
    of the incident, without ``#``.
    """

    alert: Alert
    count: int = 1
    total: int = 1
    since: float = 0.0
    last: float = 0.0
    samples: tuple[Sample, ...] = ()
    rates: tuple[int, ...] = ()
    quiet_s: float = 0.0
    hosts: int = 1
    processes: int = 1
    short_id: str = ""
