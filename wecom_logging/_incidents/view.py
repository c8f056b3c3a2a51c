"""An open incident, as people and programs read it."""

from __future__ import annotations

from ..model import Alert, IncidentView
from .incident import Incident

_MAX_TEXT = 240
NO_TEXT = "(no text)"


def view(incident: Incident) -> IncidentView:
    """What is shown of an incident. Raises `Exception` where its alert cannot be read."""
    alert = incident.first.alert
    return IncidentView(
        short_id=incident.short_id,
        level=incident.level,
        level_name=alert.level_name,
        logger=alert.logger,
        text=first_line(alert),
        count=incident.count,
        told=incident.told,
        messages=incident.digests + (incident.told > 0),
        since=incident.began,
        last=incident.last,
        place=alert.place,
        hosts=incident.hosts,
        processes=incident.processes,
    )


def first_line(alert: Alert) -> str:
    """Its title, message or exception, whichever it has."""
    failures = (f"{failure.type}: {failure.text}" for failure in alert.failures[-1:])
    for text in (alert.title, alert.message, alert.formatted or "", *failures):
        if line := text[: 16 * _MAX_TEXT].strip().partition("\n")[0]:
            return line[:_MAX_TEXT]
    return NO_TEXT
