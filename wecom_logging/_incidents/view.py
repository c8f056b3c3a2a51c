"""An open incident, as people and programs read it."""

from __future__ import annotations

from dataclasses import replace

from ..model import Alert, Digest, IncidentView
from ..model.alert import SILENCED, TAKEN
from . import answered
from .incident import Incident
from .views import first_line


def view(incident: Incident, time: float) -> IncidentView:
    """What is shown of an incident. Raises `Exception` where its alert cannot be read.

    ``time``: now, in seconds since the epoch.
    """
    alert = incident.first.alert
    answer = answered.in_force(incident, time)
    return IncidentView(
        short_id=incident.short_id,
        level=incident.level,
        level_name=alert.level_name,
        logger=alert.logger,
        text=first_line(alert),
        count=answered.total(incident),
        told=max(incident.told - incident.count + answered.total(incident), 0),
        messages=incident.digests + (incident.told > 0),
        since=answered.began(incident),
        last=incident.last,
        place=alert.place,
        hosts=incident.hosts,
        processes=incident.processes,
        taken_by=answer.who if answer is not None and answer.verb == TAKEN else "",
        silenced_by=answer.who if answer is not None and answer.verb == SILENCED else "",
        silent_until=answer.until if answer is not None and answer.verb == SILENCED else 0.0,
    )


def with_answer(digest: Digest, incident: Incident, time: float) -> Digest:
    """A digest with what a person did with its incident. ``time``: now, in seconds since the epoch."""
    news = answered.news(incident)
    answer = news or incident.answers.now
    digest = replace(digest, alert=anew(digest.alert, incident), told_at=time)
    if answer is None:
        return digest
    return replace(
        digest,
        answer=answer,
        answered_count=max(incident.count - answer.count, 0),
        is_news=news is not None,
        back=answered.back(incident, time),
    )


def anew(alert: Alert, incident: Incident) -> Alert:
    """Its first alert; of one that was closed and came again with the time of the first since."""
    began = answered.began(incident)
    if (incident.answers.base or answered.comes_again(incident)) and 0 < alert.time < began < float("inf"):
        return replace(alert, time=began)
    return alert
