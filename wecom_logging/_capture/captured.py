"""`Captured`: the alert of a record that was copied; it is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..model import Alert, Digest
from .snapshot import Snapshot

_COUNTED_BYTES = 512


class Captured:
    """The alert of a record that was copied. It is made and masked when it is asked for, once.

    ``written``: it is in the write-ahead file, and ``ticket`` says where.
    """

    __slots__ = ("_alert", "_make", "depth", "digest", "picture", "snapshot", "ticket", "written")

    def __init__(self, made: Snapshot | None, depth: int, make: Make) -> None:
        self.snapshot = made
        self.depth = depth
        self.picture = made.picture if made is not None else b""
        self.digest: Digest | None = None  # another handler's
        self.written: Alert | None = None
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
        return len(self.picture) + (made.weigh() if made is not None else 8 * _COUNTED_BYTES)


Make = Callable[[Captured, Snapshot | None], Alert]
