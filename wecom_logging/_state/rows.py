"""`RowStore`: the contract of a store as to incidents, done over rows that are found, written and removed in one step.

A row is an incident, beside the columns by which it is found. What it becomes is decided by `_incidents.stored`.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from .._incidents import life, stored
from .._incidents.codec import load, shifted
from .._incidents.incident import Count, First, Incident, Own, Place, Related
from .._incidents.short_id import short_id, short_ids
from .base import MAX_OPEN, PART, Added, StateError, Swap, Wanted
from .entries import MAX_CHARACTERS, Entry, text_of

ALL = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Which rows of a channel, and in which order. None: all.

    ``due``: those that are due by then; of those that a process has, the ones whose lease has ended ``by``. ``but``:
    not of these audiences.
    """

    order: str = "newest"
    """``turn``: as they are claimed; ``cause``: those that were told or began last; ``leave``: those first that leave
    where there are too many; ``newest``: by their last record."""
    most: int = ALL
    keys: Collection[str] | None = None
    short_id: str | None = None
    audience: str | None = None
    but: Collection[str] = ()
    cause: str | None = None
    due: float | None = None
    by: float = 0.0
    is_untold: bool = False

    def place(self, row: Incident) -> tuple[float, ...]:
        """For a store that orders all that it has: whose is the least comes first."""
        if self.order == "turn":
            return turn(row)
        if self.order == "cause":
            return (-max(row.told_at, row.untold_at),)
        return stored.leaves_before(row) if self.order == "leave" else (-row.last,)


Broken = Callable[[str, str, int, str], object]
"""What to do with a row that cannot be read: its channel, its key, how many of it are untold, its entry."""


class Rows(Protocol):
    """What a store does with rows within one atomic step. What it finds that is none of ours it passes by."""

    def find(self, channel: str, find: Find, broken: Broken) -> list[Incident]:
        """Rows, in the order that is asked for, each as `loaded` reads it."""

    def write(self, channel: str, row: Incident, before: Incident | None) -> None:
        """A row, new or in the place of ``before``: its `columns`, its document; its first alert where that is new."""

    def remove(self, channel: str, key: str) -> None:
        """A row."""

    def next_due(self, channel: str) -> float:
        """When the first row of a channel is due; infinity without one."""

    def size(self, channel: str) -> int:
        """How many rows a channel has."""

    def ahead(self, now: float) -> float:
        """By how much the clock of the store is ahead of that of the caller, where it has one of its own; else 0."""


StepT = TypeVar("StepT", bound=Rows)


def turn(row: Incident) -> tuple[float, ...]:
    """The highest rank first, of one rank the oldest."""
    return -row.rank, row.untold_at


def columns(row: Incident) -> dict[str, str | int | float]:
    """By what a row is ordered and found."""
    return {
        "key": row.key,
        "short_id": row.short_id,
        "due": float(life.due_at(row)),
        "rank": row.rank,
        "audience": row.audience,
        "cause": row.cause,
        "owner": row.owner,
        "untold": row.untold,
        "untold_at": float(row.untold_at),
        "changed_at": float(max(row.told_at, row.untold_at)),
        "last": float(row.last),
    }


def loaded(document: object, entry: object) -> Incident | None:
    """A row again; None where it is none of ours."""
    if not (isinstance(document, str) and isinstance(entry, str)):
        return None
    try:
        return load(document, Entry(entry))
    except (ValueError, RecursionError):
        return None


def new_version() -> int:
    """At random, not one more: what was put back from a backup must not repeat what claims in hand have.

    As large as a number of Lua is exact, with room for as many as one step needs.
    """
    return int.from_bytes(os.urandom(7), "big") >> 4 or 1


def place_of(host: str, who: str) -> Place | None:
    """Where a batch comes from; None: from no process."""
    return (digest(host)[:8], digest(who.partition(PART)[0])[:8]) if host else None


@functools.lru_cache(1024)
def digest(name: str) -> str:
    """As version 2 has it in Redis."""
    return hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()


def entry_of(row: Incident | Count) -> str:
    """The first alert as text; "" where it cannot be made: what is claimed so is given up as unreadable, with its
    number."""
    if row.first is None:
        return ""
    try:
        entry = text_of(row.first)
    except Exception:  # user code of the record: see above
        return ""
    if len(entry) > MAX_CHARACTERS:
        raise StateError(f"an alert of {len(entry)} characters is too long for a state")
    return entry


class RowStore(ABC, Generic[StepT]):
    """The contract of `base.Incidents`. It has no rule of its own."""

    @abstractmethod
    def step(self) -> AbstractContextManager[StepT]:
        """Read and write, all or nothing; no other process meanwhile. Raises `StateError`."""

    @abstractmethod
    def _mark(self, step: StepT, channel: str, who: str, number: int = 0, now: float = 0.0) -> int:
        """Note the number of a batch, if it is a newer one; that of the newest before, 0 for none."""

    def _first(self, one: Count | Incident) -> First:
        """A first alert, as it is stored."""
        return Entry(entry_of(one))

    def _book(self, step: StepT, account: str, number: int) -> None:
        """Add to a number that people see."""

    def _bury(self, step: StepT, channel: str, there: Incident, letter: Incident, why: str) -> None:
        """Keep for people what is given up for a reason."""

    def _settled(self, step: StepT) -> None:
        """Several were told or given up: make room for what is kept of such."""

    def _free(self, step: StepT, channel: str, who: str, now: float) -> None:
        """What another process than this has claimed that is gone, where that is known, is due now."""

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        place, told, counted = place_of(host, who), list[int | None](), 0
        counts = [one if one.first is None else replace(one, first=self._first(one)) for one in counts]
        with self.step() as step:
            now += step.ahead(now)
            before = self._mark(step, channel, who, number, now)
            rows = {row.key: row for row in self._find(step, channel, Find(keys=[one.key for one in counts]))}
            for one in counts:
                row = rows.get(one.key)
                if number > before:
                    new = self._added(step, channel, row, one, now, place)
                    if new is not None:
                        counted += new.count - (row.count if row is not None else 0)
                        rows[one.key] = new
                told.append(row.told if row is not None else 0 if one.key in rows else None)
            self._book(step, "counted", counted)
            if number > before and any(one.first is not None for one in counts):
                self._make_room(step, channel)
        return Added(before, tuple(told))

    def begin(self, channel: str, incident: Incident, now: float) -> bool:
        first = self._first(incident)
        with self.step() as step:
            if self._find(step, channel, Find(keys=[incident.key])):
                return False
            name, row = self._free_name(step, channel, incident.key), shifted(incident, step.ahead(now))
            step.write(channel, replace(row, first=first, short_id=name, version=new_version()), None)
            self._book(step, "counted", incident.untold)
            self._make_room(step, channel)
            return True

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        audience, cause = wanted.audience, wanted.cause or None
        find = functools.partial(
            Find, order="turn", most=wanted.most, audience=audience, but=wanted.blocked, cause=cause
        )
        with self.step() as step:
            ahead = step.ahead(now)
            now += ahead
            self._free(step, channel, who, now)
            due = now + (life.NEAR_S if wanted.cause else 0.0)
            found = self._find(step, channel, find(keys=wanted.urgent)) if wanted.urgent else []
            rows = {row.key: row for row in found if life.may_go_early(row)}
            if step.next_due(channel) <= due:
                rows |= {row.key: row for row in self._find(step, channel, find(due=due, by=now))}
            lent = [
                (row, stored.claimed(row, owner=who, until=now + lease_s, version=new_version()))
                for row in sorted(rows.values(), key=turn)[: wanted.most]
            ]
            for before, row in lent:
                step.write(channel, row, before)
        return [shifted(row, -ahead) for _, row in lent]

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        done = list[Own | None]()
        with self.step() as step:
            found = self._find(step, channel, Find(keys=[one.before.key for one in swaps]))
            rows: dict[str, Incident | None] = {row.key: row for row in found}
            ahead = step.ahead(now)
            for one in swaps:
                there = rows.get(one.before.key)
                after = None if one.after is None else shifted(one.after, ahead)
                moved = stored.moved(there, one.before, after, one.why, new_version)
                if there is None or moved is None:
                    done.append(None)
                    continue
                self._move(step, channel, there, moved, one.why)
                rows[there.key] = moved.row
                done.append(there.own if moved.row is None else there.own - moved.row.own)
            self._settled(step)
        return done

    def open(
        self,
        channel: str,
        most: int,
        keys: Collection[str] | None = None,
        now: float | None = None,
        short_id: str | None = None,
    ) -> list[Incident]:
        with self.step() as step:
            ahead = step.ahead(time.monotonic() if now is None else now)
            return [
                shifted(row, -ahead) for row in self._find(step, channel, Find(most=most, keys=keys, short_id=short_id))
            ]

    def related(self, channel: str, audience: str, causes: Collection[str], now: float) -> list[Related]:
        with self.step() as step:
            ahead = step.ahead(now)
            return [
                Related(row.cause, row.key, row.told_at - ahead if row.told else 0.0, row.untold_at - ahead)
                for cause in causes
                for row in self._find(
                    step, channel, Find(order="cause", most=life.MAX_RELATED, audience=audience, cause=cause)
                )
            ]

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        with self.step() as step:
            rows = self._find(step, channel, Find(keys=keys, is_untold=True))
            number = self._mark(step, channel, who)
        return number, [row.key for row in rows], [row.key for row in rows if row.held_until]

    def next_due(self, channel: str, now: float) -> float:
        with self.step() as step:
            now += step.ahead(now)
            self._free(step, channel, "", now)
            return max(step.next_due(channel) - now, 0.0)

    # What the calls above are made of.

    def _find(self, step: StepT, channel: str, find: Find) -> list[Incident]:
        """Rows. One that cannot be read is given up, with its number."""
        if find.keys is not None and not find.keys:
            return []
        broken = list[tuple[str, str, int, str]]()
        found = step.find(channel, find, lambda *what: broken.append(what))
        for _, key, untold, entry in broken:
            count = Count(key=key, number=untold, first=Entry(entry))
            row = stored.opened(count, short_id=short_id(key), version=new_version(), now=0.0)
            self._move(step, channel, row, stored.removed(row, "unreadable"), "unreadable")
        return found

    def _added(
        self, step: StepT, channel: str, there: Incident | None, count: Count, now: float, place: Place | None
    ) -> Incident | None:
        row = stored.added(
            there,
            count,
            now=now,
            short_id=lambda: self._free_name(step, channel, count.key),
            version=new_version,
            place=place,
        )
        if row is not None and row is not there:
            step.write(channel, row, there)
        return row

    def _move(self, step: StepT, channel: str, there: Incident, moved: stored.Moved, why: str) -> None:
        self._book(step, moved.account, moved.number)
        if moved.letter is not None:
            self._bury(step, channel, there, moved.letter, why)
        if moved.row is None:
            step.remove(channel, there.key)
        else:
            step.write(channel, self._kept(moved.row, there), there)

    def _kept(self, row: Incident, there: Incident) -> Incident:
        """A row with the alert that is stored, and not as whoever sent it had it."""
        return replace(row, first=there.first)

    def _make_room(self, step: StepT, channel: str) -> None:
        excess = step.size(channel) - MAX_OPEN
        if excess > 0:
            for row in self._find(step, channel, Find(order="leave", most=excess + MAX_OPEN // 100)):
                self._move(step, channel, row, stored.removed(row, ""), "")

    def _free_name(self, step: StepT, channel: str, key: str) -> str:
        """A short id that no other open incident of the channel has."""
        for name in short_ids(key):
            if not step.find(channel, Find(short_id=name, most=1), lambda *what: None):
                break
        return name
