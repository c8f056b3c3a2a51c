"""An open incident of the old engine, as people and programs read it."""

from __future__ import annotations

from dataclasses import replace

from ..model import Alert, Digest
from . import answered
from .fingerprint import recipients_of
from .incident import Incident
from .known import Known


def known(incident: Incident) -> Known:
    """What is shown of an incident, whose alert is made on demand."""
    comes_again = answered.comes_again(incident)
    return Known(
        key=incident.key,
        short_id=incident.short_id,
        level=incident.level,
        make=lambda: anew(incident.first.alert, incident),
        total=answered.total(incident),
        unsent=incident.untold,
        messages=incident.digests + (incident.told > 0),
        began=answered.began(incident),
        last=incident.last,
        is_open=answered.is_open(incident),
        comes_again=comes_again,
        answers=incident.answers.journal,
        standing=None if comes_again else incident.answers.now,
        further=tuple(filter(None, map(recipients_of, incident.told_too))),
        sent_ids=incident.sent_ids,
        duty=incident.duty,
        samples=incident.samples,
        variants=incident.variants,
        rates=incident.rates,
        hosts=incident.hosts,
        processes=incident.processes,
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
