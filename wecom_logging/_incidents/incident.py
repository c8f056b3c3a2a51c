"""`Count`, what a process adds to an incident, and `Incident`, a row of a store.

Two clocks: times that people read (``began``, ``since``, ``last``) are seconds since the epoch; each `StoreTime` is on
the clock of the store, and means nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from ..model import Alert, Answer, Sample, Variant

StoreTime = Annotated[float, "on the clock of the store"]
"""A time that moves with that clock: a store that is opened after a new start of the machine shifts it. 0 is none."""

SOON_S = 0.05
"""Clocks of a store and of a process may differ by so much."""

Place = tuple[str, str]
"""Where counts came from: a host and a process, each shortened."""


class First(Protocol):
    """The alert that opens an incident, or as much of it as its later digests show. Masked when it is asked for."""

    @property
    def alert(self) -> Alert:
        """The alert. Raises `Exception` where it cannot be made or read."""

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert that is masked already."""

    alert: Alert
    size: int = 2048


@dataclass(frozen=True, slots=True)
class Own:
    """The records of this process's counters that an incident stands for; all 0 for what comes out of a shared store.

    ``captured`` have a text of their own, ``counted`` were only counted, ``seen`` are duplicate reports of exceptions.
    """

    captured: int = 0
    counted: int = 0
    seen: int = 0

    def __add__(self, other: Own) -> Own:
        return Own(self.captured + other.captured, self.counted + other.counted, self.seen + other.seen)

    def __sub__(self, other: Own) -> Own:
        return Own(self.captured - other.captured, self.counted - other.counted, self.seen - other.seen)


NOTHING = Own()


@dataclass(frozen=True, slots=True)
class Answers:
    """What people did with an incident.

    ``now`` is in force; ``before`` was, and is again when that is undone. ``is_said``: a message has told the newest of
    the ``journal``, or need not; ``was_said``: so it was with what came before ``now``. ``base`` is how many had come
    when a person closed it: what came later is counted anew. ``seen`` are further places that were told the newest, by
    a refusal.
    """

    now: Answer | None = None
    before: Answer | None = None
    is_said: bool = True
    was_said: bool = True
    journal: tuple[Answer, ...] = ()
    base: int = 0
    seen: tuple[str, ...] = ()


NO_ANSWERS = Answers()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """So many more of one incident. ``first`` opens it where it is not open; without one, it is counted or left out.

    ``number`` may be 0: only ``own`` records are added, which no message counts. ``event`` is the id of a single alert
    that may have been added before: where it is the one that opened the incident, it is not counted again.
    ``cause`` is the same for all that an exception of the same kind has caused. ``audience`` says in text who gets it,
    the same for all that may share a message. ``among`` is the key of the incident of many variants that a first alert
    counts in, as one of its ``variants``, where that is open.
    """

    key: str
    number: int = 1
    level: int = 0
    window_s: float = 60.0
    last: float = 0.0
    first: First | None = None
    samples: tuple[Sample, ...] = ()
    variants: tuple[Variant, ...] = ()
    crowded: bool = False
    audience: str = ""
    event: str = ""
    cause: str = ""
    among: str = ""
    own: Own = NOTHING
    duty: str = ""
    """`model.duty.Duty` as a text: the rules of time and persons that it is told by."""
    steps: tuple[float, ...] = ()
    """When the steps of its escalation come, in seconds after its first message."""


@dataclass(frozen=True, slots=True)
class Related:
    """As much of an incident as others of its cause ask for; ``told_at`` is 0 where it was never told."""

    cause: str
    key: str
    told_at: float
    untold_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident, as it was when a store gave it. The rules of its life are in `life` and what
    that imports, and nowhere else.

    ``version`` is another one after each change but counting; no other incident of the store ever has the same.
    ``count`` is how many came in all, ``told`` how many of them stand in a message that was sent. ``owner`` may send it
    until ``until``, no other process. Nothing is told before ``not_before``. ``event`` is that of the count that has
    opened it. ``beyond`` is what a later version has written in its document.
    """

    key: str
    short_id: str
    version: int
    level: int
    window_s: float
    rank: int
    audience: str
    first: First
    count: int
    told: int = 0
    digests: int = 0
    digests_with_new: int = 0
    """How many of the last in a row have had a variant that was new."""
    tries: int = 0
    wait_s: float = 0.0
    told_at: StoreTime = 0.0
    counted_at: StoreTime
    """When something was counted last."""
    untold_at: StoreTime
    """When the oldest was counted that no message has told."""
    not_before: StoreTime = 0.0
    owner: str = ""
    until: StoreTime = 0.0
    began: float = 0.0
    since: float = 0.0
    last: float = 0.0
    samples: tuple[Sample, ...] = ()
    variants: tuple[Variant, ...] = ()
    rates: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()
    """In a shared store: those that have added to it, up to `stored.MAX_PLACES`."""
    cause: str = ""
    event: str = ""
    answers: Answers = NO_ANSWERS
    held_until: StoreTime = 0.0
    lent: int = 0
    ended: bool = False
    """It is over, and kept for a day in case that it comes again."""
    times: int = 1
    """How many times it came, each after an end less than a day ago; the first of them at ``times_since``."""
    times_since: float = 0.0
    duty: str = ""
    steps: tuple[float, ...] = ()
    """As they were when it began: see `Count`."""
    step: int = 0
    """So many steps have begun, since ``steps_from``; ``step_at``: when the next one does; 0: no further one."""
    steps_from: StoreTime = 0.0
    step_at: StoreTime = 0.0
    stepping_at: StoreTime = 0.0
    """When the message of the step that began last is due; 0: it was sent."""
    told_too: tuple[str, ...] = ()
    """The audiences that steps have told, the one told last at the end."""
    heard: tuple[str, ...] = ()
    """The persons who were on call when a message told it."""
    sent_ids: tuple[str, ...] = ()
    """The user ids of those who got a message about it, as they were found when it was sent: they may answer."""
    quiet_since: float = 0.0
    """Since when quiet hours or a maintenance hold it, in seconds since the epoch; 0: they do not."""
    quiet_by: str = ""
    """What the maintenance is of; "": quiet hours."""
    quiet_why: str = ""
    own: Own = NOTHING
    beyond: Mapping[str, Any] | None = None

    @property
    def hosts(self) -> int:
        """On how many hosts it was counted."""
        return len({host for host, _ in self.places}) or 1

    @property
    def processes(self) -> int:
        """By how many processes it was counted."""
        return len(self.places) or 1

    @property
    def untold(self) -> int:
        """How many came that no message has told."""
        return self.count - self.told
