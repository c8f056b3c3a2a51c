"""What this process expects to run, for the workers that are to know it. Light: a worker asks before it loads more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .._incidents.job import Spec


class Declared(NamedTuple):
    """A job, and what gives the channels that tell of it, each of a handler that is there now."""

    spec: Spec
    channels: Callable[[], Collection[str]]
    pid: int
    handler: object = None
    """Which was named."""

    def is_like(self, other: Declared) -> bool:
        """Whether the later of the two takes the place of the other."""
        return self.spec.name == other.spec.name and self.handler == other.handler


declared: list[Declared] = []
