"""`Place`: where `Desk` finds and changes incidents, a shared state or the memory of a handler."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from .._incidents.incident import Incident
from .._state.answering import Answered, answer
from .._state.shared import Shared
from ..model import Answer

Become = Callable[[Incident, float], Incident]
"""What an incident becomes; with now, on the clock of the place."""
InTheWay = Callable[[Incident], Answer | None]


class Place(Protocol):
    """A shared state, or a handler that has none (`Pipeline`). Any thread may ask; a call may take a second or so."""

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Incident]]:
        """What is open or was closed by a person, each with its channel: of each channel the newest, or what has this
        short id, however many are open. Raises `StateError`.
        """

    def answer(self, channel: str, key: str, become: Become, in_the_way: InTheWay) -> Answered | None:
        """As `answering.answer`. Raises `StateError`."""

    def whole(self, channel: str, incident: Incident) -> Incident:
        """One of the rows, with all texts masked that are shown of it."""


class SharedPlace:
    """All channels of a shared state."""

    def __init__(self, shared: Shared, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._clock = clock

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Incident]]:
        return [
            (channel, incident)
            for channel in self._shared.call(lambda store: store.channels())
            for incident in self._shared.call(lambda store: store.open(channel, most, short_id=short_id))  # noqa: B023 # called at once
        ]

    def answer(self, channel: str, key: str, become: Become, in_the_way: InTheWay) -> Answered | None:
        now = self._clock()
        return self._shared.call(
            lambda store: answer(store, channel, key, lambda one: become(one, now), in_the_way, now)
        )

    def whole(self, channel: str, incident: Incident) -> Incident:
        return incident  # what a process hands over is masked
