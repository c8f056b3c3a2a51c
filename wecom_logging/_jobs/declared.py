"""What this process expects to run. It is light: a worker asks whether there is anything before it loads more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .job import Spec


class Declared(NamedTuple):
    """A job, and what gives the channels that tell of it, each of a handler that is there now."""

    spec: Spec
    channels: Callable[[], Collection[str]]
    pid: int
    handler: object = None
    """Which was named."""

    @property
    def place(self) -> tuple[str, object]:
        """Of two with the same one the later holds."""
        return self.spec.name, self.handler


declared: list[Declared] = []
newest: dict[tuple[str, object], Declared] = {}
"""The last of each place."""
