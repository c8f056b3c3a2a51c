"""`Incident`, a row of a book, in six values; and what follows from them alone.

One clock: each time is in seconds since the epoch, on the clock of the journal. `Counts.began`, `since` and `last` are
shown to people: they are the times of the records, on the clock of the host that logged them. 0 is none.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

from ..model import Answer, Sample, Variant
from ..model.alert import DONE, ESCALATED, OVER, SILENCED, TAKEN, UNDONE

Place = tuple[str, str]
"""Where records came from: a host and a process, each shortened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An incident as its first record made it; nothing that comes later changes it, but for ``alert``.

    ``first`` is the id of the alert that has opened it: what opens the same key once more is another incident.
    ``alert`` is the id of the alert that its messages show, whose text the book keeps beside the row: that of the first
    record, and of one that ended and came again that of the record that came. ``scopes`` are the names by which a
    maintenance holds it. ``duty`` (`model.duty.Duty` as a text) and ``steps`` are the rules as they were when it began:
    when each step of its escalation comes, in seconds after the first message; ``calls`` are the numbers, from 1 on, of
    the steps that ring phones. ``is_crowded``: others of its line of code waited when it came, so that other lines go
    first.
    """

    key: str
    short_id: str
    first: str = ""
    alert: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The records of an incident, and what is shown of those that no message has sent.

    ``count`` is how many came in all, ``base`` how many of them before it ended and came again. ``at``: when something
    was counted last, ``unsent_at``: when the oldest was that is not sent; both on the clock of the journal. ``began``
    is the time of its first record, ``since`` of the first that is not sent, ``last`` of the newest. ``samples``,
    ``variants`` and ``rates`` are those since the last message.
    """

    count: int
    at: float
    unsent_at: float
    began: float = 0.0
    since: float = 0.0
    last: float = 0.0
    base: int = 0
    samples: tuple[Sample, ...] = ()
    variants: tuple[Variant, ...] = ()
    rates: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The messages of an incident, all of which WeCom has taken.

    ``count`` is how many of the records stand in one; ``at``: when the last was sent; ``digests``: how many followed
    the first, ``digests_with_new`` how many of the last in a row had a new variant. ``wait_s`` is between the last and
    the next digest. ``tries``: so many rounds have failed since.

    ``said``: so many of the answers stand in a message, or need none; ``over``: of so many a message has said that they
    are over. ``seen``: places that know the newest by a refusal. ``ended``: it is over, and kept for a day in case
    it comes again, for the ``times``th time since ``times_since``.

    ``audiences`` are those that steps were sent to, the newest last; ``people``: who was on call at a message;
    ``ids``: the user ids of all who got one, who may answer.
    """

    count: int = 0
    at: float = 0.0
    digests: int = 0
    digests_with_new: int = 0
    wait_s: float = 0.0
    tries: int = 0
    said: int = 0
    over: int = 0
    seen: tuple[str, ...] = ()
    ended: bool = False
    times: int = 1
    times_since: float = 0.0
    audiences: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


class By(enum.Enum):
    """What holds an incident. A person holds it by an answer, which is no `Hold`."""

    HOURS = "quiet hours"
    SCOPE = "a maintenance"
    TRY = "a try that failed"
    CAUSE = "a message about the same cause that was sent a moment ago"


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when messages of an incident wait, but for those of its steps. ``name`` and ``why`` are those of the
    maintenance; ``since``: when quiet hours or a maintenance began to hold it."""

    until: float
    by: By
    since: float = 0.0
    name: str = ""
    why: str = ""

    @property
    def is_of_wall(self) -> bool:
        """True for quiet hours and a maintenance: at their end all that has waited is sent."""
        return self.by in (By.HOURS, By.SCOPE)


@dataclass(frozen=True, slots=True)
class Step:
    """The escalation of an incident that was sent: so many (``number``) steps were sent, or reached nobody.

    The next one is due ``at``, 0: there is none; the steps count ``since`` then. ``not_before``: quiet hours or a
    maintenance hold the next one. ``sent_at``: when the last one was. ``call_at``: when the phones of that ring, 0:
    they do not, or did. ``tries``: so often the message of the next one has failed.
    """

    number: int = 0
    at: float = 0.0
    since: float = 0.0
    not_before: float = 0.0
    sent_at: float = 0.0
    call_at: float = 0.0
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident of a channel. It is made by `apply` and `outcomes`, and nowhere else."""

    opening: Opening
    counts: Counts
    sent: Sent = field(default_factory=Sent)
    answers: tuple[Answer, ...] = ()
    """What people did, and the steps that were sent (`ESCALATED`): the newest, the oldest of them first."""
    hold: Hold | None = None
    step: Step | None = None

    @property
    def unsent(self) -> int:
        """The number of records that no message has sent."""
        return self.counts.count - self.sent.count


# What people did.


def standing(incident: Incident) -> tuple[int, Answer] | None:
    """The answer that is in force, or a take that was, with its place in the answers. None: there is none.

    An undo brings back the one before, if that has not ended. What was done before an incident came again is past, and
    so is a silence of which a message has said that it is over.
    """
    if incident.sent.ended or not incident.answers:
        return None
    now: tuple[int, Answer] | None = None
    before: tuple[int, Answer] | None = None
    for place, one in enumerate(incident.answers):
        if one.count <= incident.counts.base or one.verb == ESCALATED:
            continue
        if one.verb in UNDONE:
            now, before = (place, one), now
        else:
            now, before = before if before is not None and before[1].until > one.at else None, None
    if now is not None and now[1].verb == SILENCED and now[0] < incident.sent.over:
        return None
    return now


def holding(incident: Incident) -> Answer | None:
    """The take or the silence that holds an incident, until a message says that it is over. A take holds nothing before
    the first message."""
    if not incident.answers:
        return None
    found = standing(incident)
    if found is None or found[1].verb not in (TAKEN, SILENCED) or found[0] < incident.sent.over:
        return None
    return found[1] if was_sent(incident) or found[1].verb == SILENCED else None


def is_said(incident: Incident) -> bool:
    """True if each answer stands in a message, or needs none."""
    return incident.sent.said >= len(incident.answers)


def has_person(incident: Incident) -> bool:
    """True while what a person did holds the steps: until that is said, and over."""
    is_new = not is_said(incident) and incident.answers[-1].verb != ESCALATED
    return is_new or holding(incident) is not None or is_closed(incident)


def news(incident: Incident, now: float) -> Answer | None:
    """The answer that a message of its own says: the newest, or one that is over and in which nothing came. None of an
    incident that nobody was sent."""
    if not was_sent(incident):
        return None
    if not is_said(incident):
        return incident.answers[-1]
    held = holding(incident)
    is_over = held is not None and held.until <= now and not incident.unsent
    return replace(held, verb=OVER) if held is not None and is_over else None


# Its end, and its coming again.


def is_closed(incident: Incident) -> bool:
    """True if it has ended, or a person has closed it."""
    if incident.sent.ended or not incident.answers:
        return incident.sent.ended
    found = standing(incident)
    return found is not None and found[1].verb == DONE


def comes_again(incident: Incident) -> bool:
    """True if it has ended, which all recipients know, and a record came since."""
    if not (incident.sent.ended or incident.answers):
        return False
    return incident.unsent > 0 and is_said(incident) and is_closed(incident)


def was_sent(incident: Incident) -> bool:
    """True if a message of it was sent; of one that came again and was answered before a message said so, since
    then."""
    return incident.sent.count > incident.counts.base


def is_first(incident: Incident) -> bool:
    """True if its next message is the first about it, or the first since it comes again."""
    return not was_sent(incident) or comes_again(incident)


def began(incident: Incident) -> float:
    """The time of its first record; of one that comes again, of the first since."""
    return incident.counts.since if comes_again(incident) else incident.counts.began


def total(incident: Incident) -> int:
    """The number of its records; of one that ended and came again, of those since."""
    return incident.counts.count - (incident.sent.count if comes_again(incident) else incident.counts.base)


def has_new_variant(incident: Incident) -> bool:
    """True if one of its variants stands in no message yet."""
    return any(variant.is_new for variant in incident.counts.variants)
