"""`SharedPlace`: all channels of a shared state, for the old engine; a `Place`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._incidents import answered
from .._incidents.incident import Incident
from .._incidents.known import Known, Verdict
from .._incidents.scopes import Scopes
from .._incidents.view import known
from .._state.base import answer, answer_to
from .._state.scopes import change_scopes, known_scopes
from .._state.shared import Shared
from ..model import Answer

if TYPE_CHECKING:
    from .._jobs.base import Jobs


class SharedPlace:
    """All that processes have handed over to a state."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def incidents(self, most: int, short_id: str | None = None) -> list[tuple[str, Incident]]:
        """The same as `rows`, as the store has them, also what has ended."""
        return [
            (channel, incident)
            for channel in self._shared.call(lambda store: store.channels())
            for incident in self._shared.call(lambda store: store.open(channel, most, short_id=short_id))  # noqa: B023 # called at once
        ]

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Known]]:
        rows = self.incidents(most, short_id)
        return [(channel, known(one)) for channel, one in rows if answered.is_open(one) or not one.ended]

    def open(self, most: int) -> list[tuple[str, Known]]:
        """What is open, of each channel so many at least: a store has those for a while, too, that a person has closed.
        Raises `StateError`."""
        return [
            (channel, known(one))
            for channel in self._shared.call(lambda store: store.channels())
            for one in self._open(channel, most)
        ]

    def _open(self, channel: str, most: int) -> list[Incident]:
        looked_at = most
        while True:
            rows = self._shared.call(lambda store: store.open(channel, looked_at))  # noqa: B023 # called at once
            found = [one for one in rows if answered.is_open(one)]
            if len(found) >= most or len(rows) < looked_at:
                return found
            looked_at *= 4

    def answer(self, channel: str, key: str, answer: Answer, *, is_seen: bool) -> Verdict | None:
        now = self._shared.clock()
        return self._shared.call(lambda store: answer_to(store, channel, key, answer, now, is_seen=is_seen))

    def seen(self, channel: str, key: str, where: str) -> None:
        self.become(channel, key, lambda one, now: answered.seen(one, where))

    def become(self, channel: str, key: str, become: Callable[[Incident, float], Incident]) -> None:
        """Let it become another, whatever is in force."""
        now = self._shared.clock()

        def after(one: Incident) -> Incident:
            return become(one, now)

        self._shared.call(lambda store: answer(store, channel, key, after, lambda one: None, now))

    @property
    def jobs(self) -> Jobs:
        from .._state.jobs import Jobs

        return Jobs(self._shared)

    def scopes(self, become: Callable[[Scopes], Scopes] | None = None) -> Scopes:
        return known_scopes(self._shared) if become is None else change_scopes(self._shared, become)
