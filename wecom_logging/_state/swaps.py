"""Swaps of rotas (调班): who is on call for a time in the place of whose turn it is. They are a fact of a channel."""

from __future__ import annotations

import time
import weakref

from ..model.duty import Swap
from .shared import Shared
from .standing import change_standing, read_standing

Swaps = tuple[Swap, ...]

_NAME = "swaps"
_READ_S = 5.0
"""So old may be what this process knows of them."""

_known: weakref.WeakKeyDictionary[Shared, dict[str, tuple[float, Swaps]]] = weakref.WeakKeyDictionary()


def known_swaps(shared: Shared, channel: str) -> Swaps:
    """Those that have not ended, the newest last, as this process knows them; it asks every few seconds at most. Raises
    nothing: where the state is away, those known before hold."""
    of_channels = _known.setdefault(shared, {})
    read_at, swaps = of_channels.get(channel, (float("-inf"), ()))
    if (now := time.monotonic()) >= read_at + _READ_S:
        swaps = shared.try_call(lambda store: read_standing(store, channel, _NAME, Swap)[1], swaps)
        of_channels[channel] = now, swaps
    return swaps


def add_swap(shared: Shared, channel: str, swap: Swap) -> Swaps:
    """One more, which is the newest. Raises `StateError`."""
    swaps = shared.call(lambda store: change_standing(store, channel, _NAME, Swap, lambda before: (*before, swap)))
    _known.setdefault(shared, {})[channel] = time.monotonic(), swaps
    return swaps
