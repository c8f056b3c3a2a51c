"""Rules of time and persons as a text: so they travel with an incident, whichever process tells it."""

from __future__ import annotations

import functools
import re
from datetime import datetime

from ..model.duty import NO_DUTY, Duty, Rota, Span
from .codec import MAX_CHARACTERS, as_line, plain, read, typed

_MAX_SPANS = 100
_MAX_LENGTH = 10_000
"""Of a turn, in days or hours."""
_KINDS = ("", "workdays", "off-days")
_DAY = 24 * 60
_WALL = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}")


def duty_text(duty: Duty) -> str:
    """As they travel; "" is none."""
    return "" if duty == NO_DUTY else as_line(plain(duty))


@functools.lru_cache(64)
def duty_of(text: str) -> Duty:
    """What such a text says. ValueError where it is none of ours, or nobody can follow it."""
    if not text:
        return NO_DUTY
    found = typed(read(text, MAX_CHARACTERS), Duty)
    assert isinstance(found, Duty)
    if not (len(found.quiet) <= _MAX_SPANS and all(map(_is_span, found.quiet)) and all(map(_is_rota, found.rotas))):
        raise ValueError("rules that nobody can follow")
    return found


def _is_span(span: Span) -> bool:
    is_days = span.kind in _KINDS and all(0 <= day < 7 for day in span.weekdays)
    return is_days and 0 <= span.begin < _DAY and 0 <= span.end <= _DAY and span.begin != span.end


def _is_rota(rota: Rota) -> bool:
    """Whether it has turns of a length, or none."""
    if not rota.people:
        return True
    is_time = _WALL.fullmatch(rota.since) and 2000 <= datetime.fromisoformat(rota.since).year < 2100
    lengths = sorted((rota.days, rota.hours))
    return bool(is_time) and all(rota.people) and lengths[0] == 0 < lengths[1] <= _MAX_LENGTH
