"""`Lease`: the right of one process among many to have a bot's connection."""

from __future__ import annotations

from typing import Protocol


class Lease(Protocol):
    """Of all processes that share a state one holds it, and renews it."""

    def hold(self) -> bool:
        """Take it, or renew it; whether this process has it now."""

    def release(self) -> None:
        """Let another process have it."""


class Unshared:
    """Where no process knows of others."""

    def hold(self) -> bool:
        return True

    def release(self) -> None:
        return
