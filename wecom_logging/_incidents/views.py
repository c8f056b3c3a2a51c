"""An incident of the new engine as people and programs read it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..model import Alert
from .hearers import told_by_steps
from .known import Known
from .values import Incident, began, comes_again, is_closed, standing, total


def known(incident: Incident, alert: Callable[[], Alert]) -> Known:
    """What is shown of an incident; ``alert`` gives the one that its messages show."""
    opening, counts, sent = incident.opening, incident.counts, incident.sent
    is_again, stands = comes_again(incident), standing(incident)
    return Known(
        key=opening.key,
        short_id=opening.short_id,
        level=opening.level,
        make=lambda: anew(alert(), incident),
        total=total(incident),
        unsent=incident.unsent,
        messages=sent.digests + (sent.count > 0),
        began=began(incident),
        last=counts.last,
        is_open=is_open(incident),
        comes_again=is_again,
        answers=incident.answers,
        standing=None if is_again or stands is None else stands[1],
        further=tuple(told_by_steps(incident)),
        sent_ids=sent.ids,
        duty=opening.duty,
        samples=counts.samples,
        variants=counts.variants,
        rates=counts.rates,
        hosts=hosts(incident),
        processes=len(counts.places) or 1,
    )


def is_open(incident: Incident) -> bool:
    """True if it is open for people: what has ended is kept for a while, too."""
    return not is_closed(incident) or comes_again(incident)


def hosts(incident: Incident) -> int:
    """The number of hosts on which it was counted."""
    return len({host for host, _ in incident.counts.places}) or 1


def anew(alert: Alert, incident: Incident) -> Alert:
    """The alert; of an incident that was closed and came again, with the time of its first record since."""
    since = began(incident)
    if (incident.counts.base or comes_again(incident)) and 0 < alert.time < since < float("inf"):
        return replace(alert, time=since)
    return alert
