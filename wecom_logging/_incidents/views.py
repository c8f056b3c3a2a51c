"""An incident as people and programs read it. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..model import Alert, IncidentView
from ..model.alert import SILENCED, TAKEN
from .apply import in_force
from .values import Incident, began, comes_again, is_closed, total

_MAX_TEXT = 240
NO_TEXT = "(no text)"


def view(incident: Incident, alert: Alert, now: float) -> IncidentView:
    """What is shown of an incident, whose ``alert`` its messages show."""
    answer, count, places = in_force(incident, now), total(incident), incident.counts.places
    verb = "" if answer is None else answer.verb
    return IncidentView(
        short_id=incident.opening.short_id,
        level=incident.opening.level,
        level_name=alert.level_name,
        logger=alert.logger,
        text=first_line(alert),
        count=count,
        told=max(incident.sent.count - incident.counts.count + count, 0),
        messages=incident.sent.digests + (incident.sent.count > 0),
        since=began(incident),
        last=incident.counts.last,
        place=alert.place,
        hosts=hosts(incident),
        processes=len(places) or 1,
        taken_by=answer.who if answer is not None and verb == TAKEN else "",
        silenced_by=answer.who if answer is not None and verb == SILENCED else "",
        silent_until=answer.until if answer is not None and verb == SILENCED else 0.0,
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


def first_line(alert: Alert) -> str:
    """Its title, message or exception, whichever it has."""
    failures = (f"{failure.type}: {failure.text}" for failure in alert.failures[-1:])
    for text in (alert.title, alert.message, alert.formatted or "", *failures):
        if line := text[: 16 * _MAX_TEXT].strip().partition("\n")[0]:
            return line[:_MAX_TEXT]
    return NO_TEXT
