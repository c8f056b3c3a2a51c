"""`MemoryPlace`: where people do something with the incidents of a handler without a shared state; a `Place`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._incidents import answered
from .._incidents.incident import Incident, Kept
from .._incidents.known import Known, Verdict
from .._incidents.scopes import Scopes
from .._incidents.view import known
from .._state.base import answer, answer_to
from .._state.scopes import change_scopes, known_scopes
from .._state.shared import Shared, alone
from ..model import Answer

if TYPE_CHECKING:
    from .._jobs.base import Jobs
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

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Known]]:
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
        found = [one for one in found if answered.is_open(one) or not one.ended]
        return [(self._channel_id, known(one)) for one in found if short_id in (None, one.short_id)]

    @property
    def jobs(self) -> Jobs:
        """Those that are expected to run, of this process."""
        return self._turn().watch.jobs

    def whole(self, channel: str, incident: Known) -> Known:
        turn = self._turn()
        row = next(iter(turn.store.memory.open(channel, 1, [incident.key])), None)
        alert = turn.ledger.details.find(incident.key)
        if row is None:
            return incident
        shown = turn.alerts.whole(replace(row, short_id=incident.short_id))
        return known(shown if alert is None else replace(shown, first=Kept(alert)))

    def scopes(self, become: Callable[[Scopes], Scopes] | None = None) -> Scopes:
        """The maintenances that hold here, or in the shared state, which ``become`` makes others. Raises
        `StateError`."""
        if become is None:
            return known_scopes(self._shared)
        after = change_scopes(self._shared, become)
        self._nudge()
        return after

    def answer(self, channel: str, key: str, answer: Answer, *, is_seen: bool) -> Verdict | None:
        """With all that was logged by now. The worker sends the line about it."""
        turn, now = self._turn(), self._clock()
        if turn.section.acquire(timeout=_STUCK_S):  # else it is counted a second later
            try:
                turn.take_in(now, at_once=True)
            finally:
                turn.section.release()
        found = answer_to(turn.store.memory, channel, key, answer, now, is_seen=is_seen)
        self._nudge()
        return found

    def seen(self, channel: str, key: str, where: str) -> None:
        memory = self._turn().store.memory
        answer(memory, channel, key, lambda one: answered.seen(one, where), lambda one: None, self._clock())
