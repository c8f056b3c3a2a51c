"""What people do with incidents, stored: of two at once one wins, and the other sees who did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .._incidents import life
from .._incidents.incident import Incident, Own
from ..model import Answer
from .base import Incidents, Swap

_TRIES = 20
"""Each time it was lent or answered since it was read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An incident as it is now. ``other``: what somebody did that is in the way; ``is_busy``: it changes all the time.
    In both cases nothing was changed."""

    incident: Incident
    other: Answer | None = None
    is_busy: bool = False


def answer(
    store: Incidents,
    channel: str,
    key: str,
    become: Callable[[Incident], Incident],
    in_the_way: Callable[[Incident], Answer | None],
    now: float,
) -> Answered | None:
    """Let an incident become another by a function of `life`, lent or not. None: it is not open any more.

    Where that gives the very incident, nothing is changed. Raises `StateError`.
    """
    for _ in range(_TRIES):
        found = store.open(channel, 1, [key], now)
        if not found:
            return None
        (before,) = found
        if (other := in_the_way(before)) is not None:
            return Answered(before, other)
        after = become(before)
        if after is before:
            return Answered(before)
        if store.swap(channel, [Swap(before, after)], now) != [None]:
            return Answered(after)
    return Answered(before, is_busy=True)


def swap_lent(store: Incidents, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
    """`Incidents.swap` for what was lent, also where a person did something with it meanwhile: that stays.

    What was to be removed as over, and of which something came meanwhile, is released.
    """
    found = store.swap(channel, swaps, now)
    late = {one.before.key: at for at, one in enumerate(swaps) if found[at] is None and one.before.owner}
    for there in store.open(channel, len(late), list(late), now) if late else ():
        one = swaps[late[there.key]]
        after = life.answered_meanwhile(there, one.before, one.after)
        if after is not None:
            before = replace(one.before, version=there.version)
            again = Swap(before, None if one.why and one.after is None else after, one.why)
            (found[late[there.key]],) = store.swap(channel, [again], now)
    moved = [one for one, own in zip(swaps, found, strict=True) if own is None and one.after is None and not one.why]
    if moved:
        swap_lent(store, channel, [Swap(one.before, life.released(one.before, now)) for one in moved], now)
    return found
