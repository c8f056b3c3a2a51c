"""`Heartbeat`: when a connection was heard last, and when it is to be asked whether it is still there."""

from __future__ import annotations

PING_S = 30.0
FRESH_S = 10.0
"""What was silent for longer is asked by a ping before anything is written: a sleeping laptop's socket looks well."""
ALIVE_S = 5.0
"""A ping that is not answered within it ends the connection."""


class Heartbeat:
    """Of one connection, which was opened ``now``. Whatever comes in answers a ping."""

    def __init__(self, now: float) -> None:
        self.heard_at = self._ping_at = now
        self.waits = False
        """Whether a ping is not answered."""

    def heard(self, now: float) -> None:
        self.heard_at, self.waits = now, False

    def pinged(self, now: float) -> None:
        self._ping_at, self.waits = now, True

    def is_fresh(self, now: float) -> bool:
        return now - self.heard_at <= FRESH_S

    def seconds(self, now: float) -> float:
        """Until the next ping, or until it is dead; 0 or less: it is so now."""
        return self._ping_at + (ALIVE_S if self.waits else PING_S) - now
