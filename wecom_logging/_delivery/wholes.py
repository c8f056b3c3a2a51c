"""`Wholes`: the alerts of what was told last with all frames and texts, for who asks for details.

A memory store keeps but the beginning of each that was told: there may be thousands of them.
"""

from __future__ import annotations

import zlib

from .._state.entries import dump, load
from ..model import Alert

MAX_BYTES = 4 * 1024 * 1024


class Wholes:
    """Masked alerts by the key of their incident, packed, the newest in at most `MAX_BYTES`. One thread keeps them."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._bytes = 0

    def keep(self, key: str, alert: Alert) -> None:
        self._bytes -= len(self._packed.pop(key, b""))
        packed = zlib.compress(dump(alert).encode(), 1)
        if len(packed) <= MAX_BYTES:
            self._packed[key] = packed
            self._bytes += len(packed)
        while self._bytes > MAX_BYTES:
            self._bytes -= len(self._packed.pop(next(iter(self._packed))))

    def find(self, key: str) -> Alert | None:
        """Any thread may ask."""
        packed = self._packed.get(key)
        return None if packed is None else load(zlib.decompress(packed).decode())
