"""What a state holds, as people and programs read it. Nothing that stands there is trusted: it may be anybody's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..._incidents.short_id import MOST
from ..._incidents.view import first_line
from ..._render.layout import level_name
from ..._render.times import local_time
from ..._state.base import DeadLetter, SharedCounters
from ..._state.entries import load
from ..._text import inert
from ..._text.cut import trim

UNREADABLE = "(cannot be read)"
LEAST_KEY = 8
HEADER = ("id", "last", "level", "logger", "count", "what", "text")
_MAX_TEXT = 160
_MAX_NAME = 60
_LOOKED_AT = 4096


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident. ``state`` is waiting, sending or given_up; ``reason`` says why it was given up."""

    id: str
    key: str
    state: str
    reason: str
    last: str
    level: str
    logger: str
    count: int
    text: str
    channel: str


def shown(held: DeadLetter, mask: Callable[[str], str]) -> Shown:
    level, logger, text = _read(held.entry) or (logging.getLevelName(held.level), "?", UNREADABLE)
    return Shown(
        id=held.short_id if 0 < len(held.short_id) <= MOST else held.key[:LEAST_KEY],
        key=held.key,
        state="given_up" if held.why else "sending" if held.claimed else "waiting",
        reason=held.why,
        last=local_time(held.last).isoformat(timespec="seconds"),
        level=level,
        logger=trim(inert.line(mask(logger[:_LOOKED_AT])), _MAX_NAME),
        count=held.count,
        text=trim(inert.line(mask(text)), _MAX_TEXT),
        channel=held.channel,
    )


def _read(entry: str) -> tuple[str, str, str] | None:
    try:
        alert = load(entry)
    except ValueError:  # shown as an entry that cannot be read
        return None
    return level_name(alert), alert.logger, first_line(alert)


def row(one: Shown) -> Sequence[object]:
    """Its line below `HEADER`."""
    words = {"waiting": "waits", "sending": "is being sent"}.get(one.state, f"given up: {one.reason}")
    last = one.last[:19].replace("T", " ")
    return f"#{one.id}", last, one.level, one.logger, one.count, trim(words, _MAX_NAME), one.text


def counters_line(counters: SharedCounters) -> str:
    """``counted 7 = told 4 + waiting 2 + given up 1 + discarded 0``"""
    return (
        f"counted {counters.counted} = told {counters.told} + waiting {counters.waiting} + given up {counters.given_up}"
        f" + discarded {counters.discarded}"
    )
