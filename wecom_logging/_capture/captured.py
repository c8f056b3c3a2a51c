"""`Captured`: the alert of a record that was copied; it is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..model import Alert, Digest
from .snapshot import Snapshot

_MADE_BYTES = 4096


class Captured:
    """The alert of a record that was copied. It is made and masked when it is asked for, once.

    ``ticket``: where it is in the write-ahead file.
    """

    __slots__ = ("_alert", "_make", "depth", "digest", "picture", "snapshot", "ticket")

    def __init__(self, depth: int, make: Make) -> None:
        self.snapshot: Snapshot | None = None
        self.depth = depth
        self.picture = b""
        self.digest: Digest | None = None  # another handler's
        self.ticket: Any = None
        self._make = make
        self._alert: Alert | None = None

    @property
    def alert(self) -> Alert:
        made = self.snapshot  # first: another thread that makes it, too, forgets it last
        if self._alert is None:
            self._alert = self._make(self, made)
            self.snapshot = None
        return self._alert

    @property
    def size(self) -> int:
        made = self.snapshot
        return len(self.picture) + (made.weigh() if made is not None else _MADE_BYTES)


Make = Callable[[Captured, Snapshot | None], Alert]
