"""`LeaderPlace`: where people do something with the incidents of a handler without a shared state; a `Place`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .._incidents.apply import in_force, refuses
from .._incidents.entries import Answered
from .._incidents.known import NOTHING, Known, Verdict, is_again, is_by
from .._incidents.outcomes import all_said, seen
from .._incidents.scopes import Scopes
from .._journal import standing
from ..model import Answer
from ..model.alert import DONE, UNDONE
from ..model.duty import Scope

if TYPE_CHECKING:
    from .._jobs.base import Jobs
    from .leader import Leader


class LeaderPlace:
    """Those of one leader, if there is one: ``leading`` gives it; ``jobs`` those of its handler; ``nudge`` has its
    worker look. Any thread may ask."""

    def __init__(
        self,
        channel: str,
        leading: Callable[[], Leader | None],
        jobs: Callable[[], Jobs],
        nudge: Callable[[], None],
    ) -> None:
        self._channel, self._leading, self._jobs, self._nudge = channel, leading, jobs, nudge

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Known]]:
        """What is open, or was closed by a person, the newest first."""
        if (leader := self._leading()) is None:
            return []
        with leader.lock:
            rows = leader.book.rows() if short_id is None else leader.book.named(short_id)
            found = [one for one in rows if one.unsent or not one.sent.ended]
            found.sort(key=lambda one: one.counts.at, reverse=True)
            return [(self._channel, leader.known(one)) for one in found[:most]]

    def answer(self, channel: str, key: str, answer: Answer, *, is_seen: bool) -> Verdict | None:
        """With all that was logged by now. The worker sends the line about it."""
        if (leader := self._leading()) is None:
            return None
        with leader.lock:
            now = leader.take_in()
            there = leader.book.get(key)
            if there is None or (there.sent.ended and not there.unsent):
                return None
            is_undo = answer.verb in UNDONE.values()
            holds = in_force(there, now)
            if is_undo and holds is None:
                return Verdict(leader.known(there), NOTHING)
            if not is_undo and (other := refuses(there, answer, now)) is not None:
                return Verdict(leader.known(there), other)
            if is_undo or not is_again(holds, answer):
                answer = answer if holds is None or not is_undo else undo(answer, holds)
                leader.append([Answered(answer=answer, key=key)])
                leader.read(now)
                there = leader.book.get(key) or there
            if is_seen:
                leader.book.put(there := all_said(there), now)
            verdict = Verdict(leader.known(there))
        self._nudge()
        return verdict

    def seen(self, channel: str, key: str, where: str) -> None:
        if (leader := self._leading()) is None:
            return
        with leader.lock:
            if (there := leader.book.get(key)) is not None:
                leader.book.put(seen(there, where), leader.now())

    @property
    def jobs(self) -> Jobs:
        return self._jobs()

    def scopes(self, become: Callable[[Scopes], Scopes] | None = None) -> Scopes:
        """Those that hold in this process."""
        if become is None:
            return standing.standing(Scope)
        after = standing.change(Scope, become)
        self._nudge()
        return after


def undo(answer: Answer, holds: Answer) -> Answer:
    """As it undoes what is in force."""
    whose = "" if holds.verb == DONE or is_by(holds, answer.who, answer.user) else holds.who
    return replace(answer, verb=UNDONE[holds.verb], whose=whose, job=holds.job)
