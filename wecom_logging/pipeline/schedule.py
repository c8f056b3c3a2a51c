"""When a group is told again: the waits between its digests, and its end. Runs in the worker; time is handed in."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator

from ..state.base import MAX_WAIT_S, QUIET_WINDOWS, SPANS
from .groups import MAX_GROUPS, Group

MAX_LOOKS = 4 * MAX_GROUPS


class Schedule:
    """Which group is to be looked at when.

    A group that nothing follows is not looked at before it closes: its next record wakes the worker.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._looks: list[tuple[float, int, Group]] = []
        self._number = itertools.count()

    def next_look(self) -> float:
        """When there is something to do again; infinity if never."""
        while self._looks and self._is_stale(self._looks[0]):
            heapq.heappop(self._looks)
        return self._looks[0][0] if self._looks else float("inf")

    def told(self, group: Group, now: float, *, digest: bool, forced: bool) -> None:
        """A message about it has ended: the next comes after a wait, which doubles with each digest."""
        life = group.life
        if not life.wait_s:
            life.wait_s = self._window_s
        elif digest and not forced:
            life.wait_s = max(life.wait_s, min(2 * life.wait_s, MAX_WAIT_S))
        life.told_at = life.quiet_since = now
        life.due = now + life.wait_s
        life.rates.clear()
        life.news = 0
        life.followed = False
        self._look_at(group, now)

    def due(self, now: float) -> Iterator[tuple[Group, bool]]:
        """The groups that have something to tell now; True: only that they are over."""
        while self.next_look() <= now:
            group = heapq.heappop(self._looks)[2]
            group.life.looks_at = float("inf")
            if group.closed or not group.has_begun or group.waiting is not None or group.flying:
                continue  # it is over, or comes back when its message has ended
            if (over := self._judge(group, now)) is not None:
                yield group, over

    def look(self, group: Group, now: float) -> None:
        """Look at a group as soon as `due` is asked, since something came, unless its news are followed already."""
        if not group.life.followed:
            self._look_at(group, now)

    def _judge(self, group: Group, now: float) -> bool | None:
        """Whether a group has something to tell, and if that is its end; None: to be looked at later."""
        life = group.life
        news = group.news
        life.rates.append(news - life.news)
        if news != life.news:
            life.news, life.quiet_since = news, now
        if news and now >= life.due:
            return False
        ends = life.quiet_since + QUIET_WINDOWS * self._window_s
        life.followed = news > 0
        if news:
            self._look_at(group, min(life.due, now + life.wait_s / SPANS))
        elif now >= ends:
            return True
        elif group.watch():
            life.rates.pop()
            self._look_at(group, ends)
        else:  # one came at this instant
            self._look_at(group, now)
        return None

    def _look_at(self, group: Group, at: float) -> None:
        if at < group.life.looks_at or group.life.looks_at == float("inf"):
            group.life.looks_at = at
            heapq.heappush(self._looks, (at, next(self._number), group))
            if len(self._looks) > MAX_LOOKS:
                self._looks = [look for look in self._looks if not self._is_stale(look)]
                heapq.heapify(self._looks)

    @staticmethod
    def _is_stale(look: tuple[float, int, Group]) -> bool:
        at, _, group = look
        return group.closed or group.life.looks_at != at
