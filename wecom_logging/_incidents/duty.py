"""Rules of time and persons as a text: so they travel with an incident, whichever process tells it."""

from __future__ import annotations

import functools

from ..model.duty import NO_DUTY, Duty
from .codec import MAX_CHARACTERS, as_line, plain, read, typed


def duty_text(duty: Duty) -> str:
    """As they travel; "" is none."""
    return "" if duty == NO_DUTY else as_line(plain(duty))


@functools.lru_cache(64)
def duty_of(text: str) -> Duty:
    """What such a text says. ValueError where it is none of ours."""
    if not text:
        return NO_DUTY
    found = typed(read(text, MAX_CHARACTERS), Duty)
    assert isinstance(found, Duty)
    return found
