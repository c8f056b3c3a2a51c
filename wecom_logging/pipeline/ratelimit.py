"""The rate windows of each channel, as this process knows them. Shared by all handlers of the process."""

from __future__ import annotations

import os

from ..state.windows import Windows

_channels: dict[str, Windows] = {}


def windows(channel: str) -> Windows:
    """This process's windows of a channel, by its identity."""
    return _channels.setdefault(channel, Windows())


def after_fork_in_child() -> None:
    """Whoever held a lock is not here."""
    for found in _channels.values():
        found.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork_in_child)
