"""What one message tells: an alert, and how often the same came since the last message about it."""

from __future__ import annotations

from dataclasses import dataclass

from .alert import Alert
from .answer import Answer
from .failure import Sample


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the kinds of an incident: the name that is different in it, and how often it came.

    ``is_new``: no message has shown it yet. ``text`` is that of its first record, masked, which came at ``time``
    (seconds since the epoch); it can be missing where the kind is not new.
    """

    name: str
    count: int
    text: str = ""
    time: float = 0.0
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """The first of a group of alerts that are the same, with the numbers of those that followed.

    ``count`` is how many came since the last message about them, ``total`` how many in all; both include the first
    when it is new, so that a first message has ``count == total``. ``since`` and ``last`` are the times (seconds since
    the epoch) at which that count began and at which the newest came; 0 for unknown. ``rates`` is what was counted in
    equal spans of time since the last message, the oldest first. ``quiet_s`` is more than 0 in the closing line of a
    group: for so many seconds nothing came. ``hosts`` and ``processes`` are how many have had it. ``short_id`` is that
    of the incident, without ``#``. ``kinds``: of an incident that stands for many kinds, those of which something came
    since the last message, the most frequent first. ``answer``: what a person did with it, ``answered_s`` seconds ago,
    which is in force or has just ended; ``answered_count`` came since. ``is_news``: the message is about that.
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
    kinds: tuple[Kind, ...] = ()
    answer: Answer | None = None
    answered_s: float = 0.0
    answered_count: int = 0
    is_news: bool = False
