"""A click on a card: what was chosen, whether the card is still true, and the card that takes its place. Pure."""

from __future__ import annotations

from .._incidents import life
from .._incidents.incident import Incident
from .._render.card import LENGTH_QUESTION, Pressed, card, no_card, offered
from .._text.said import Language
from .._wecom.body import Json
from ..model import Digest
from .length import seconds


def card_of(incident: Incident | None, found: Pressed, task_id: str, language: Language, now: float) -> Json:
    """The incident as it is now, in the place of the card that was clicked. None: it is over. ``now`` is in seconds
    since the epoch.
    """
    if incident is None:
        return {**no_card(found.short_id, language, now), "task_id": task_id}
    last = incident.answers.journal[-1:]
    made = max([now, incident.began, incident.since, *(answer.at for answer in last)])  # a clock may go back
    in_force = life.in_force(incident, now)
    body = card(
        _digest(incident, found.short_id, now),
        language,
        made,
        lengths=offered(incident.answers.quiet_limit_s),
        in_force="" if in_force is None else in_force.verb,
    )
    return {**body, "task_id": task_id}


def is_outdated(incident: Incident, found: Pressed) -> bool:
    """Whether it is another one since, or somebody did something with it after the card was made."""
    return life.began(incident) > found.made + 1.0 or any(
        answer.at > found.made + 0.001 for answer in incident.answers.journal
    )


def length_of(event: Json, incident: Incident) -> float:
    """Which length of the drop-down was chosen; without one, the first that is offered."""
    items = event.get("selected_items")
    items = items.get("selected_item") if isinstance(items, dict) else items
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("question_key") == LENGTH_QUESTION:
            ids = item.get("option_ids")
            ids = ids.get("option_id") if isinstance(ids, dict) else ids
            for one in ids if isinstance(ids, list) else ():
                if isinstance(one, str) and len(one) < 16 and (found := seconds(one)) is not None:
                    return found
    lengths = offered(incident.answers.quiet_limit_s)
    return (seconds(lengths[0]) if lengths else None) or incident.answers.quiet_limit_s


def _digest(incident: Incident, short_id: str, now: float) -> Digest:
    """As a card shows it: with what a person did last, also where that has been told."""
    last = incident.answers.journal[-1] if incident.answers.journal and not life.comes_again(incident) else None
    return Digest(
        incident.first.alert,
        answer=last,
        answered_s=0.0 if last is None else max(now - last.at, 0.0),
        count=max(incident.untold, 1),
        total=max(life.total(incident), 1),
        since=incident.began,
        last=incident.last,
        hosts=incident.hosts,
        processes=incident.processes,
        short_id=short_id,
    )
