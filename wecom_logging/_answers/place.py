"""Where incidents are that people do something with, jobs that are expected, and maintenances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .._incidents.incident import Incident
from .._state.base import Answered, answer
from .._state.scopes import Scopes, change_scopes, known_scopes
from .._state.shared import Shared
from ..model import Answer

if TYPE_CHECKING:
    from .._state.jobs import Jobs

Become = Callable[[Incident, float], Incident]
"""What an incident becomes; with now, on the clock of the place."""
InTheWay = Callable[[Incident], Answer | None]


class Place(Protocol):
    """A shared state, or a handler that has none (`MemoryPlace`). Any thread may ask; a call may take a second."""

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Incident]]:
        """What is open or was closed by a person, each with its channel: of each channel the newest, or what has this
        short id, however many are open. Raises `StateError`.
        """

    def answer(self, channel: str, key: str, become: Become, in_the_way: InTheWay) -> Answered | None:
        """As `answering.answer`. Raises `StateError`."""

    @property
    def jobs(self) -> Jobs:
        """Those that are expected to run."""

    def whole(self, channel: str, incident: Incident) -> Incident:
        """One of the rows, with all texts masked that are shown of it."""

    def scopes(self, become: Callable[[Scopes], Scopes] | None = None) -> Scopes:
        """The maintenances, which ``become`` makes others. Raises `StateError`."""


class SharedPlace:
    """All channels of a shared state."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Incident]]:
        return [
            (channel, incident)
            for channel in self._shared.call(lambda store: store.channels())
            for incident in self._shared.call(lambda store: store.open(channel, most, short_id=short_id))  # noqa: B023 # called at once
        ]

    def answer(self, channel: str, key: str, become: Become, in_the_way: InTheWay) -> Answered | None:
        now = self._shared.clock()
        return self._shared.call(
            lambda store: answer(store, channel, key, lambda one: become(one, now), in_the_way, now)
        )

    @property
    def jobs(self) -> Jobs:
        from .._state.jobs import Jobs

        return Jobs(self._shared)

    def whole(self, channel: str, incident: Incident) -> Incident:
        return incident  # what a process hands over is masked

    def scopes(self, become: Callable[[Scopes], Scopes] | None = None) -> Scopes:
        return known_scopes(self._shared) if become is None else change_scopes(self._shared, become)
