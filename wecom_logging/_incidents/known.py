"""`Known`: an incident as people and programs read it, whichever engine has it; and what follows from that alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..model import Alert, Answer, IncidentView, Recipients, Sample, Variant
from ..model.alert import DONE, ESCALATED, SILENCED, TAKEN, UNDONE

AGAIN_S = 10.0
"""Who does the same again within so many seconds has tapped twice, or was heard twice: once is enough."""

_MAX_TEXT = 240
NO_TEXT = "(no text)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An incident, as it was when a place gave it. Times are in seconds since the epoch.

    ``total`` is how many came in all, ``unsent`` how many of them stand in no message, of which there were
    ``messages``; what ended and came again (``comes_again``: no message says so yet) is counted anew. ``answers`` are
    what people did, and the steps that were sent, the oldest first; ``standing`` is the one that is in force while its
    time has not passed (`in_force`). ``is_open``: for people, too; else a person has closed it. ``further`` are those
    whom steps were sent to, ``sent_ids`` the user ids of all who got a message, ``duty`` the rules of time and persons
    as a text. ``samples``, ``variants`` and ``rates`` are those since the last message.
    """

    key: str
    short_id: str
    level: int
    make: Callable[[], Alert] = field(repr=False, compare=False)
    total: int
    unsent: int
    messages: int
    began: float
    last: float
    is_open: bool = True
    comes_again: bool = False
    answers: tuple[Answer, ...] = ()
    standing: Answer | None = None
    further: tuple[Recipients, ...] = ()
    sent_ids: tuple[str, ...] = ()
    duty: str = ""
    samples: tuple[Sample, ...] = ()
    variants: tuple[Variant, ...] = ()
    rates: tuple[int, ...] = ()
    hosts: int = 1
    processes: int = 1

    @property
    def alert(self) -> Alert:
        """The alert that its messages show. Raises `Exception` where it cannot be made or read."""
        return self.make()


NOTHING = Answer("", "", "", 0.0)
"""In the way of an undo: there is nothing to undo."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a person's answer: the incident as it is now. ``other``: what a person did that is in the way;
    ``is_busy``: it changes all the time. In both cases nothing was changed."""

    incident: Known
    other: Answer | None = None
    is_busy: bool = False


def in_force(known: Known, now: float) -> Answer | None:
    """What a person did with it that still holds."""
    answer = known.standing
    return answer if answer is not None and (answer.verb == DONE or answer.until > now) else None


def back(known: Known, now: float) -> Answer | None:
    """What is in force again, where the last thing a person did was to undo another."""
    last = known.answers[-1:]
    return in_force(known, now) if last and last[0].verb in UNDONE.values() else None


def newest(known: Known, now: float) -> Answer | None:
    """What a person did with it since it began: what still holds, else what was done last."""
    answer = in_force(known, now)
    if answer is not None or not known.answers:
        return answer
    last = known.answers[-1]
    return None if last.verb == DONE or known.comes_again or last.at < known.began else last


def by_persons(known: Known) -> list[Answer]:
    """What people did with it; a step is none of that."""
    return [one for one in known.answers if one.verb != ESCALATED]


def is_by(answer: Answer, who: str, user: str = "") -> bool:
    """True if that person gave it: by the user ids, and by the names where one of these is not known."""
    return answer.user.lower() == user.lower() if answer.user and user else answer.who == who


def is_again(standing: Answer | None, answer: Answer) -> bool:
    """True if the same person has just given the same answer, which is in force: it changes nothing."""
    return (
        standing is not None
        and standing.verb == answer.verb
        and is_by(standing, answer.who, answer.user)
        and (answer.verb != SILENCED or standing.length_s == answer.length_s)
        and 0 <= answer.at - standing.at < AGAIN_S
    )


def view(known: Known, now: float) -> IncidentView:
    """What programs read of it. Raises `Exception` where its alert cannot be read."""
    alert, answer = known.alert, in_force(known, now)
    return IncidentView(
        short_id=known.short_id,
        level=known.level,
        level_name=alert.level_name,
        logger=alert.logger,
        text=first_line(alert),
        count=known.total,
        told=max(known.total - known.unsent, 0),
        messages=known.messages,
        since=known.began,
        last=known.last,
        place=alert.place,
        hosts=known.hosts,
        processes=known.processes,
        taken_by=answer.who if answer is not None and answer.verb == TAKEN else "",
        silenced_by=answer.who if answer is not None and answer.verb == SILENCED else "",
        silent_until=answer.until if answer is not None and answer.verb == SILENCED else 0.0,
    )


def first_line(alert: Alert) -> str:
    """Its title, message or exception, whichever it has."""
    failures = (f"{failure.type}: {failure.text}" for failure in alert.failures[-1:])
    for text in (alert.title, alert.message, alert.formatted or "", *failures):
        if line := text[: 16 * _MAX_TEXT].strip().partition("\n")[0]:
            return line[:_MAX_TEXT]
    return NO_TEXT
