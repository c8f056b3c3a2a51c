"""What stands above the phones on the page: texts that whoever asks puts there, and heartbeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .calls import Json, there
from .corp import Corp
from .shapes import NAME, WrongField, check

MOST_PANELS = 8
MOST_HEARTBEATS = 20
GRACE_S = 180.0


@dataclass(slots=True)
class Heartbeat:
    """A URL that somebody is to GET again and again; ``last`` is when that was done."""

    name: str
    grace_s: float
    last: float
    count: int = 0


def put_panel(corp: Corp, wish: Mapping[str, Any]) -> None:
    """In the place of the one with its title; without a text it goes."""
    panels, title, text = corp.panels, wish["title"], wish.get("text", "")
    if not text.strip():
        panels.pop(title, None)
    elif title not in panels and len(panels) >= MOST_PANELS:
        raise WrongField("title", f"{MOST_PANELS} panels are there already; one goes with an empty text")
    else:
        panels[title] = text


def list_panels(corp: Corp) -> list[Json]:
    return [{"title": title, "text": text} for title, text in corp.panels.items()]


def ping(corp: Corp, name: str, grace_s: float = GRACE_S) -> Json:
    check(name, NAME, "name")
    if name not in corp.heartbeats and len(corp.heartbeats) >= MOST_HEARTBEATS:
        raise WrongField("name", f"{MOST_HEARTBEATS} heartbeats are there already; DELETE removes one")
    beat = corp.heartbeats.setdefault(name, Heartbeat(name, grace_s, 0.0))
    beat.grace_s, beat.last, beat.count = grace_s, corp.clock(), beat.count + 1
    return heartbeat_json(corp, beat)


def heartbeat_json(corp: Corp, beat: Heartbeat) -> Json:
    return {**asdict(beat), "late": corp.clock() - beat.last > beat.grace_s}


def list_heartbeats(corp: Corp) -> list[Json]:
    return [heartbeat_json(corp, beat) for beat in corp.heartbeats.values()]


def delete_heartbeat(corp: Corp, name: str) -> None:
    there(corp.heartbeats.pop(name, None), "heartbeat")
