"""What a state holds, as people and programs read it. Nothing that stands there is trusted: it may be anybody's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...model import Alert
from ...render import inert
from ...render.cut import trim
from ...render.layout import NO_TEXT, level_name
from ...render.times import local_time
from ...state.base import Held, SharedBooks
from ...state.entries import load

UNREADABLE = "(cannot be read)"
LEAST_PREFIX = 8
HEADER = ("key", "last", "level", "logger", "count", "what", "text")
_MAX_TEXT = 160
_MAX_NAME = 60
_LOOKED_AT = 4096


@dataclass(frozen=True, slots=True)
class Shown:
    """One group. ``state`` is waiting, sending or given_up; ``reason`` says why it was given up."""

    key: str
    state: str
    reason: str
    last: str
    level: str
    logger: str
    count: int
    text: str
    channel: str


def shown(held: Held, mask: Callable[[str], str]) -> Shown:
    level, logger, text = _read(held.entry) or (logging.getLevelName(held.level), "?", UNREADABLE)
    return Shown(
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
    return level_name(alert), alert.logger, _first_line(alert)


def _first_line(alert: Alert) -> str:
    """Its title, message or exception, whichever it has."""
    failures = (f"{failure.type}: {failure.text}" for failure in alert.failures[-1:])
    for text in (alert.title, alert.message, alert.formatted or "", *failures):
        if line := text[:_LOOKED_AT].strip().partition("\n")[0]:
            return line
    return NO_TEXT


def row(one: Shown, prefix: str) -> Sequence[object]:
    """Its line below `HEADER`."""
    words = {"waiting": "waits", "sending": "is being sent"}.get(one.state, f"given up: {one.reason}")
    last = one.last[:19].replace("T", " ")
    return prefix, last, one.level, one.logger, one.count, trim(words, _MAX_NAME), one.text


def prefixes(keys: Iterable[str]) -> dict[str, str]:
    """By key, so much of it that it is no other's."""
    found = sorted(set(keys))
    most = dict.fromkeys(found, LEAST_PREFIX)
    for before, after in pairwise(found):
        same = _common(before, after) + 1
        most[before], most[after] = max(most[before], same), max(most[after], same)
    return {key: key[:length] for key, length in most.items()}


def _common(one: str, other: str) -> int:
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))


def books_line(books: SharedBooks) -> str:
    """``counted 7 = told 4 + waiting 2 + given up 1 + discarded 0``"""
    return (
        f"counted {books.counted} = told {books.told} + waiting {books.waiting} + given up {books.given_up}"
        f" + discarded {books.discarded}"
    )
