"""`Book`: all incidents of a channel, in the memory of its leader, and which of them are due.

It knows no lock, no clock and no journal: whoever uses it holds the leader's lock, and hands the time in (``now``, on
the clock of the journal).
"""

from __future__ import annotations

import pickle
import zlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from ..model import Alert
from .apply import apply
from .entries import OfIncident, Opened
from .limits import PATIENCE
from .outcomes import shifted
from .plan import NEVER, Act, drained, plan
from .short_id import OF_THE_ALERT, short_ids
from .values import Incident, is_closed, is_first

MAX_ROWS = 10_000

_MAX_FRESH = 64
"""So many alerts are kept as they are; older ones are packed."""
_MAX_TEXT = 16_384
"""One whose texts have more characters than this is packed at once."""

Order = tuple[int, int, bool, float, int, str]
Leaves = tuple[int, bool, float, int, str]
Mark = dict[str, int]
"""By key, how many records of an incident are to be sent."""


class Due(NamedTuple):
    """An incident, and what is due."""

    incident: Incident
    act: Act


class Book:
    """Those of one channel: at most ``most`` of which nobody was sent anything, at most `MAX_ROWS` in all (or ``most``,
    if that is more), whose alerts take at most ``most_bytes``, packed.

    ``left`` is called with each row that has to make room: with what nobody was sent of it, which is lost.
    """

    def __init__(self, most: int, most_bytes: int, left: Callable[[Incident], object]) -> None:
        self._most, self._most_bytes, self._left = most, most_bytes, left
        self._rows: dict[str, Incident] = {}
        self._at: dict[str, float] = {}
        """When each row is due, as the heap has it."""
        self._later: list[tuple[float, str]] = []
        self._due: list[Order] = []
        self._orders: dict[str, Order] = {}
        """Of those that are due."""
        self._waiting: list[Leaves] = []
        self._waits: dict[str, Leaves] = {}
        """Of those of which nobody was sent anything: the first of them leaves first."""
        self._numbers: dict[str, int] = {}
        """In which order the rows were opened."""
        self._number = 0
        self._audiences: dict[str, dict[str, None]] = {}
        self._names: dict[str, dict[str, None]] = {}
        """The keys by short id: one may stand for several, of a handler whose alerts go to several audiences."""
        self._alerts: dict[str, Alert | bytes] = {}
        self._fresh: dict[str, None] = {}
        self._bytes = 0

    # Rows.

    def take(self, entry: OfIncident, now: float) -> Incident | None:
        """Apply an entry. Returns the row after it; None: there is none, and the entry opens none."""
        key = entry.key or self._key_of(entry)
        before = self._rows.get(key)
        after = apply(before, entry, now, self._name(key) if before is None else "")
        if after is None or after is before:
            return after
        if isinstance(entry, Opened) and after.opening.alert == entry.alert.id:
            self._keep(key, entry.alert)
        self.put(after, now)
        if before is None:
            self._make_room()
        return after

    def put(self, incident: Incident, now: float) -> None:
        """Set a row, and look anew when it is due."""
        key = incident.opening.key
        if key not in self._rows:
            self._number += 1
            self._numbers[key] = self._number
            self._audiences.setdefault(incident.opening.audience, {})[key] = None
            self._names.setdefault(incident.opening.short_id, {})[key] = None
        self._rows[key] = incident
        self._not_due(key)
        self._plan(key, incident, now)
        self._wait(key, incident)

    def drop(self, key: str) -> Incident | None:
        """Forget a row."""
        incident = self._rows.pop(key, None)
        if incident is None:
            return None
        self._not_due(key)
        _leave(self._waiting, self._waits, key)
        self._at.pop(key, None)
        del self._numbers[key]
        for of, name in ((self._audiences, incident.opening.audience), (self._names, incident.opening.short_id)):
            of[name].pop(key, None)
            if not of[name]:
                del of[name]
        self._forget_alert(key)
        return incident

    def get(self, key: str) -> Incident | None:
        return self._rows.get(key)

    def still(self, shown: Incident) -> Incident | None:
        """The row of an incident as it is now. None: it has left, also where its key was opened once more."""
        there = self._rows.get(shown.opening.key)
        return there if there is not None and there.opening.first == shown.opening.first else None

    def named(self, short_id: str) -> list[Incident]:
        """Those of a short id."""
        return [self._rows[key] for key in self._names.get(short_id, ())]

    def rows(self) -> list[Incident]:
        """All of them, also those that are over."""
        return list(self._rows.values())

    def of(self, audience: str) -> Iterator[Incident]:
        """Those of an audience, the oldest first."""
        return (self._rows[key] for key in list(self._audiences.get(audience, ())))

    def alert(self, key: str) -> Alert:
        """The alert that the messages of a row show."""
        found = self._alerts[key]
        if isinstance(found, bytes):
            found = pickle.loads(zlib.decompress(found))  # this process has packed it
            assert isinstance(found, Alert)
        return found

    def leap(self, by_s: float, now: float) -> None:
        """The wall has leapt: intervals go on."""
        self._later, self._due, self._orders, self._at = [], [], {}, {}
        for key, incident in self._rows.items():
            self._rows[key] = after = shifted(incident, by_s)
            self._plan(key, after, now)
            self._wait(key, after)

    # What is due.

    def due(self, now: float, *, hurries: bool = False, closes: bool = False) -> Iterator[Due]:
        """What is due, the most severe first. Rows may be put while it goes on.

        ``hurries``: all that is unsent is due, but for what holds it; ``closes``: whatever holds it.
        """
        self._ripen(now)
        if hurries or closes:
            yield from self._drained(now, closes)
            return
        for *_, key in list(self._due):
            incident = self._rows.get(key)
            if incident is None or key not in self._orders:
                continue
            found = plan(incident, now)
            if found.at <= now:
                yield Due(incident, found.act)
            else:
                self._not_due(key)
                self._plan(key, incident, now)

    def later_at(self) -> float:
        """When more is due than there is now."""
        while self._later and self._at.get(self._later[0][1]) != self._later[0][0]:
            heappop(self._later)
        return self._later[0][0] if self._later else NEVER

    def mark(self, now: float, *, closes: bool) -> Mark:
        """What is to be sent of all rows."""
        found = ((one, drained(one, now, closes=closes)) for one in self._rows.values())
        return {one.opening.key: one.counts.count for one, plan in found if one.unsent and plan.at <= now}

    def is_sent(self, mark: Mark, now: float, *, closes: bool) -> bool:
        """True if all of it is settled, or held until a later time."""
        for key, count in mark.items():
            there = self._rows.get(key)
            if there is None or there.sent.count >= count:
                continue
            if drained(there, now, closes=closes).at <= now:
                return False
        return True

    def is_settled(self, now: float, *, closes: bool) -> bool:
        """True if nothing waits for a message."""
        rows = self._rows.values()
        return not any(one.unsent or drained(one, now, closes=closes).at <= now for one in rows)

    def _drained(self, now: float, closes: bool) -> Iterator[Due]:
        found = []
        for incident in self._rows.values():
            one = drained(incident, now, closes=closes)
            if one.at <= now:
                found.append((self.order(incident), Due(incident, one.act)))
        for _, due in sorted(found, key=lambda pair: pair[0]):
            if self._rows.get(due.incident.opening.key) is due.incident:
                yield due

    def _plan(self, key: str, incident: Incident, now: float) -> None:
        at = plan(incident, now).at
        self._at[key] = at
        if at <= now:
            self._orders[key] = place = self.order(incident)
            insort(self._due, place)
        elif at < NEVER:
            heappush(self._later, (at, key))
            if len(self._later) > 2 * len(self._rows) + 1000:
                self._later = [(one, name) for name, one in self._at.items() if one < NEVER]
                heapify(self._later)

    def _wait(self, key: str, incident: Incident) -> None:
        """Look anew at which place it leaves, if nobody was sent anything of it."""
        _leave(self._waiting, self._waits, key)
        if incident.unsent and is_first(incident):
            opening, since = incident.opening, incident.counts.unsent_at
            self._waits[key] = place = opening.level, not opening.is_crowded, since, self._numbers[key], key
            insort(self._waiting, place)

    def _ripen(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            at, key = heappop(self._later)
            if self._at.get(key) == at and key not in self._orders and (incident := self._rows.get(key)) is not None:
                self._plan(key, incident, now)

    def _not_due(self, key: str) -> None:
        _leave(self._due, self._orders, key)

    def order(self, incident: Incident, rounds: int = 0) -> Order:
        """The most severe first; of one level lines of code that are not flooding, then what has waited longest, then
        what was opened first. ``rounds`` of its message have failed so far."""
        opening, number = incident.opening, self._numbers.get(incident.opening.key, 0)
        is_late = int(incident.sent.tries + rounds >= PATIENCE)
        return is_late, -opening.level, opening.is_crowded, incident.counts.unsent_at, number, opening.key

    # Names, alerts, room.

    def _key_of(self, entry: OfIncident) -> str:
        names = self._names.get(getattr(entry, "short_id", ""), {})
        return next(iter(names), "")

    def _name(self, key: str) -> str:
        """A short id that no other alert of the channel has; the same alert for other people has the same."""
        for name in short_ids(key):
            if all(_is_same(other, key) for other in self._names.get(name, ())):
                return name
        return name

    def _keep(self, key: str, alert: Alert) -> None:
        self._forget_alert(key)
        self._alerts[key] = alert
        self._fresh[key] = None
        if _characters(alert) > _MAX_TEXT:
            self._pack(key)
        while len(self._fresh) > _MAX_FRESH:
            self._pack(next(iter(self._fresh)))

    def _pack(self, key: str) -> None:
        del self._fresh[key]
        packed = self._alerts[key] = zlib.compress(pickle.dumps(self._alerts[key], -1), 1)
        self._bytes += len(packed)

    def _forget_alert(self, key: str) -> None:
        self._fresh.pop(key, None)
        found = self._alerts.pop(key, None)
        self._bytes -= len(found) if isinstance(found, bytes) else 0

    def _make_room(self) -> None:
        """Of too many that wait the least severe leaves, of these what is crowded, and what has waited longest; of too
        many in all first those that are over, the oldest first, then those with nothing unsent."""
        while len(self._waiting) > self._most:
            self._leaves(self._waiting[0][-1])
        most = max(MAX_ROWS, self._most)
        if len(self._rows) <= most and self._bytes <= self._most_bytes:
            return
        for incident in sorted(self._rows.values(), key=_leaves_before)[:-1]:
            if len(self._rows) <= most - most // 64 and self._bytes <= self._most_bytes:
                return
            self._leaves(incident.opening.key)

    def _leaves(self, key: str) -> None:
        if (incident := self.drop(key)) is not None:
            self._left(incident)


def _characters(alert: Alert) -> int:
    texts = [alert.message, alert.stack, alert.formatted or "", *(one.text for one in alert.failures)]
    return sum(map(len, texts))


def _leave(places: list[Any], by_key: dict[str, Any], key: str) -> None:
    """Take the place of a key out of a list that is sorted."""
    place = by_key.pop(key, None)
    if place is not None:
        del places[bisect_left(places, place)]


def _leaves_before(incident: Incident) -> tuple[int, int, float]:
    state = 2 if incident.unsent else 0 if is_closed(incident) else 1
    return (
        state,
        incident.opening.level if state else 0,
        incident.counts.unsent_at if state == 2 else incident.counts.at,
    )


def _is_same(one: str, other: str) -> bool:
    return one[:OF_THE_ALERT] == other[:OF_THE_ALERT]
