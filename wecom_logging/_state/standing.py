"""What people have said that holds for a time (maintenances, swaps of rotas): each kind is a fact of a shared state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from .._incidents.codec import MAX_CHARACTERS, as_line, plain, read, typed
from ..model.duty import Scope, Swap
from .base import Store

MOST = 64
_KEPT_S = 3600.0
_TRIES = 20
_LAST = 253_402_000_000.0
"""In the year 9999: no date is later."""


T = TypeVar("T", Scope, Swap)


def read_standing(store: Store, channel: str, name: str, kind: type[T]) -> tuple[int, tuple[T, ...]]:
    """The version of the fact, and what has not ended yet, the newest last."""
    now = store.time()
    if (fact := store.get(channel, name, now)) is None:
        return 0, ()
    try:
        found: tuple[T, ...] = typed(read(fact.text, MAX_CHARACTERS), tuple[kind, ...])  # type: ignore[valid-type] # at run time
    except ValueError:  # nothing that stands in a state is trusted
        found = ()
    return fact.version, standing(found, now)


def change_standing(
    store: Store, channel: str, name: str, kind: type[T], become: Callable[[tuple[T, ...]], Sequence[T]]
) -> tuple[T, ...]:
    """Let it become another; what it is then."""
    for _ in range(_TRIES):  # another person may do the same now
        now = store.time()
        version, before = read_standing(store, channel, name, kind)
        after = standing(become(before), now)
        text = as_line(plain(after)) if after else ""
        ends = max((one.until for one in after), default=now) + _KEPT_S
        if (not text and not version) or store.put(channel, name, version, text, ends, now):
            break
    return after


def standing(found: Sequence[T], now: float) -> tuple[T, ...]:
    """What has not ended, at most so many."""
    return tuple(one for one in found if now < one.until <= _LAST)[-MOST:]
