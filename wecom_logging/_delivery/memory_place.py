"""`MemoryPlace`: where people do something with the incidents of a handler without a shared state; a `Place`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._incidents import answered
from .._incidents.incident import Incident, Kept
from .._state.base import Answered, answer
from .._state.scopes import Scopes, change_scopes, known_scopes
from .._state.shared import Shared, alone
from ..model import Answer

if TYPE_CHECKING:
    from .._state.jobs import Jobs
    from .turn import Turn

_STUCK_S = 2.0


@dataclass(eq=False, repr=False)
class MemoryPlace:
    """Those in the memory of this process. Any thread may ask.

    ``begun`` is what the worker has, if anything has asked for it; ``turn`` makes it.
    """

    _channel_id: str
    _shared: Shared
    _begun: Callable[[], Turn | None]
    _turn: Callable[[], Turn]
    _nudge: Callable[[], None]
    _clock: Callable[[], float]

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Incident]]:
        """What is open in the memory of this process, the newest first or that of an id, with short ids; none with a
        shared state."""
        if self._shared is not alone or (turn := self._begun()) is None:
            return []
        memory = turn.store.memory
        found: list[Incident] = []
        rows = memory.open(self._channel_id, most, short_id=short_id)
        if short_id is not None and not any(map(answered.is_open, rows)):  # it may be one whose alert was not made yet
            rows += [one for one in memory.rows(self._channel_id) if not one.short_id]
        for one in rows:
            with suppress(Exception):  # of one that cannot be made there is nothing to say
                found.append(replace(one, short_id=turn.alerts.short_id(one)))
        return [(self._channel_id, one) for one in found if short_id in (None, one.short_id)]

    @property
    def jobs(self) -> Jobs:
        """Those that are expected to run, of this process."""
        return self._turn().watch.jobs

    def whole(self, channel: str, incident: Incident) -> Incident:
        """One of the rows, with all texts masked that are shown of it."""
        turn = self._turn()
        alert = turn.ledger.details.find(incident.key)
        return turn.alerts.whole(incident if alert is None else replace(incident, first=Kept(alert)))

    def scopes(self, become: Callable[[Scopes], Scopes] | None = None) -> Scopes:
        """The maintenances that hold here, or in the shared state, which ``become`` makes others. Raises
        `StateError`."""
        if become is None:
            return known_scopes(self._shared)
        after = change_scopes(self._shared, become)
        self._nudge()
        return after

    def answer(
        self,
        channel: str,
        key: str,
        become: Callable[[Incident, float], Incident],
        in_the_way: Callable[[Incident], Answer | None],
    ) -> Answered | None:
        """Let an incident of this process's memory become another, as `answering.answer`, with all that was logged by
        now. The worker tells the line about it."""
        turn, now = self._turn(), self._clock()
        if turn.section.acquire(timeout=_STUCK_S):  # else it is counted a second later
            try:
                turn.take_in(now, at_once=True)
            finally:
                turn.section.release()
        found = answer(turn.store.memory, channel, key, lambda one: become(one, now), in_the_way, now)
        self._nudge()
        return found
