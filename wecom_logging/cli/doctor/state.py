"""The state that is configured: what waits in it survives what, and whether it can be reached and written to.

A backend is one row in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .findings import Words
from .notes import Notes


def look_at_state(notes: Notes, url: str) -> None:
    """``url`` has been accepted by the configuration."""
    _BACKENDS[url.partition("://")[0]](notes, url)


def _memory(notes: Notes, url: str) -> None:
    notes.good("state", Words("what waits is kept in memory", "待发送的告警保存在内存中"), url)


_BACKENDS: Mapping[str, Callable[[Notes, str], None]] = {"memory": _memory}
