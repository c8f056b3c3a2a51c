"""`DocumentStore`: the contract of a store, done over what a database can do in one atomic step.

A store reads and writes rows (an incident each, as one document, beside the columns by which it is found) and notes
(everything else, by kind, channel and name). What an incident becomes is decided by `_incidents.life`.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from .._incidents import life
from .._incidents.codec import as_line, dump, load, plain, read, shifted, typed
from .._incidents.incident import NOTHING, Count, Incident, Kin, Own, Place
from .._incidents.short_id import short_id, short_ids
from .base import (
    DAY_S,
    KEEP_S,
    LOCK_S,
    MAX_OPEN,
    MINUTE_S,
    PART,
    Added,
    DeadLetter,
    Fact,
    Rules,
    SharedCounters,
    StateError,
    Swap,
    Taken,
    Wanted,
)
from .entries import MAX_CHARACTERS, Entry, text_of
from .windows import Windows

MAX_DEAD = 10_000
"""Dead letters that are kept: beyond that, the oldest are discarded."""

ALL = 2**31
_PIECE = 500
"""Of very many rows so many are removed in one step."""

_MAX_TOKEN_LIFE_S = 7200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Which rows of a channel, and in which order. None: all.

    ``due``: those that are due by then; of those that somebody has, the ones whose lease has ended ``by``. ``but``: not
    of these audiences.
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

    def wants(self, row: Incident) -> bool:
        """For a store that looks at all that it has."""
        return (
            (self.keys is None or row.key in self.keys)
            and self.short_id in (None, row.short_id)
            and self.audience in (None, row.audience)
            and row.audience not in self.but
            and self.cause in (None, row.cause)
            and (self.due is None or life.due_at(row) <= (self.by if row.owner else self.due))
            and (row.untold > 0 or not self.is_untold)
        )

    def place(self, row: Incident) -> tuple[float, ...]:
        """The same: whose is the least comes first."""
        if self.order == "turn":
            return turn(row)
        if self.order == "cause":
            return (-max(row.told_at, row.untold_at),)
        return life.leaves_before(row) if self.order == "leave" else (-row.last,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is stored beside rows: of a kind, a name in a channel, a text, a number and a time."""

    kind: str
    channel: str = ""
    name: str = ""
    text: str = ""
    number: int = 0
    at: float = 0.0


class Broken(Protocol):
    """What to do with a row that cannot be read, of which so many are untold."""

    def __call__(self, channel: str, key: str, untold: int, entry: str) -> object: ...


class Step(Protocol):
    """What a database does within one atomic step. What it finds that is none of ours it passes by."""

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

    def channels(self) -> list[str]:
        """The channels that have a row or a note, but ""."""

    def notes(
        self, kind: str, channel: str | None, name: str | None = None, *, most: int = ALL, skip: int = 0
    ) -> list[Note]:
        """Notes of one channel, or of all (None), the newest first, without the first ones."""

    def put(self, note: Note) -> None:
        """A note, new or in the place of that of its kind, channel and name."""

    def drop(self, kind: str, channel: str, name: str) -> None:
        """A note."""

    def forget(self, kind: str, channel: str | None, until: float) -> None:
        """Notes that are as old as that or older."""

    def ahead(self, now: float) -> float:
        """By how much the clock of the store is ahead of that of the caller, where it has one of its own; else 0."""


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
    return (_shortened(host), _shortened(who.partition(PART)[0])) if host else None


@functools.lru_cache(1024)
def _shortened(name: str) -> str:
    """As version 2 has it in Redis."""
    return hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()[:8]


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


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = ""
    ends: float = 0.0
    owner: str = ""
    locked: float = 0.0


class DocumentStore(ABC):
    """The contract of `base.Store`. A store has a `step`, `check` and `close`, and no rule of its own."""

    @abstractmethod
    def step(self) -> AbstractContextManager[Step]:
        """Read and write, all or nothing; no other process meanwhile. Raises `StateError`."""

    @abstractmethod
    def check(self) -> str:
        """Try it, reading and writing: what it is, in words."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is open; the next call opens it again."""

    def is_alive(self, who: str) -> bool:
        """Whether a process still holds what it has claimed, as far as is known."""
        return True

    # Incidents.

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        place, told, counted = place_of(host, who), list[int | None](), 0
        entries = [Entry(entry_of(one)) if one.first is not None else None for one in counts]
        with self.step() as step:
            now += step.ahead(now)
            before = _number(step, "mark", channel, who)
            rows = {row.key: row for row in self._find(step, channel, Find(keys=[one.key for one in counts]))}
            if number > before:
                if not before:
                    step.forget("mark", None, now - KEEP_S)
                step.put(Note(kind="mark", channel=channel, name=who, number=number, at=now))
            for one, entry in zip(counts, entries, strict=True):
                row = rows.get(one.key)
                if number > before:
                    new = self._added(step, channel, row, replace(one, first=entry), now, place)
                    if new is not None:
                        counted += new.count - (row.count if row is not None else 0)
                        rows[one.key] = new
                told.append(row.told if row is not None else 0 if one.key in rows else None)
            book(step, "counted", counted)
            if number > before and any(one is not None for one in entries):
                self._make_room(step, channel)
        return Added(before, tuple(told))

    def begin(self, channel: str, incident: Incident, now: float) -> bool:
        entry = Entry(entry_of(incident))
        with self.step() as step:
            if self._find(step, channel, Find(keys=[incident.key])):
                return False
            name, row = _free_name(step, channel, incident.key), shifted(incident, step.ahead(now))
            step.write(channel, replace(row, first=entry, short_id=name, version=new_version(), own=NOTHING), None)
            book(step, "counted", incident.untold)
            self._make_room(step, channel)
            return True

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        find = Find(
            order="turn", most=wanted.most, audience=wanted.audience, but=wanted.busy, cause=wanted.cause or None
        )
        with self.step() as step:
            ahead = step.ahead(now)
            now += ahead
            due = now + (life.NEAR_S if wanted.cause else 0.0)
            found = self._find(step, channel, replace(find, keys=wanted.urgent)) if wanted.urgent else []
            rows = {row.key: row for row in found if life.may_go_early(row)}
            if step.next_due(channel) <= due:
                rows |= {row.key: row for row in self._find(step, channel, replace(find, due=due, by=now))}
            lent = [
                (row, life.claimed(row, owner=who, until=now + lease_s, version=new_version()))
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
                moved = life.moved(there, one.before, after, one.why, new_version)
                if there is not None and moved is not None:
                    self._move(step, channel, there, moved, one.why)
                    rows[there.key] = moved.row
                done.append(None if moved is None else NOTHING)
            if any(one.why for one in swaps):
                _forget_oldest(step)
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

    def kin(self, channel: str, audience: str, causes: Collection[str], now: float) -> list[Kin]:
        with self.step() as step:
            ahead = step.ahead(now)
            return [
                Kin(row.cause, row.key, row.told_at - ahead if row.told else 0.0, row.untold_at - ahead)
                for cause in causes
                for row in self._find(
                    step, channel, Find(order="cause", most=life.MAX_KIN, audience=audience, cause=cause)
                )
            ]

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        with self.step() as step:
            rows = self._find(step, channel, Find(keys=keys, is_untold=True))
            number = _number(step, "mark", channel, who)
        return number, [row.key for row in rows], [row.key for row in rows if row.held_until]

    def next_due(self, channel: str, now: float) -> float:
        with self.step() as step:
            return max(step.next_due(channel) - now - step.ahead(now), 0.0)

    # What the calls above are made of.

    def _find(self, step: Step, channel: str, find: Find) -> list[Incident]:
        """Rows. One that cannot be read is given up, with its number."""
        if find.keys is not None and not find.keys:
            return []
        broken = list[tuple[str, str, int, str]]()
        found = step.find(channel, find, lambda *what: broken.append(what))
        for _, key, untold, entry in broken:
            count = Count(key=key, number=untold, first=Entry(entry))
            row = life.opened(count, short_id=short_id(key), version=new_version(), now=0.0)
            self._move(step, channel, row, life.removed(row, "unreadable"), "unreadable")
        if broken:
            _forget_oldest(step)
        return found

    def _added(
        self, step: Step, channel: str, there: Incident | None, count: Count, now: float, place: Place | None
    ) -> Incident | None:
        row = life.added(
            there,
            count,
            now=now,
            short_id=lambda: _free_name(step, channel, count.key),
            version=new_version,
            place=place,
        )
        if row is not None and row is not there:
            step.write(channel, row := replace(row, own=NOTHING), there)
        return row

    def _move(self, step: Step, channel: str, there: Incident, moved: life.Moved, why: str) -> None:
        book(step, moved.account, moved.number)
        if moved.letter is not None:
            text = as_line([why, dump(moved.letter), entry_of(there)])
            letter = Note(kind="dead", channel=channel, name=str(new_version()), text=text, number=moved.number)
            step.put(replace(letter, at=moved.letter.last))
        if moved.row is None:
            step.remove(channel, there.key)
        else:  # with the alert that is stored, and not as whoever sent it had it
            step.write(channel, replace(moved.row, first=there.first), there)

    def _make_room(self, step: Step, channel: str) -> None:
        excess = step.size(channel) - MAX_OPEN
        if excess > 0:
            for row in self._find(step, channel, Find(order="leave", most=excess + MAX_OPEN // 100)):
                self._move(step, channel, row, life.removed(row, ""), "")

    # Rate windows.

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        with self.step() as step:
            now += step.ahead(now)
            # Who is known to be here is not written again each time: every page that changes costs.
            step.forget("peer", "", now - MINUTE_S)
            if not any(note.at > now - MINUTE_S / 4 for note in step.notes("peer", "", who)):
                step.put(Note(kind="peer", name=who, at=now))
            longest = max([MINUTE_S, *(math.ceil(period) for _, period in rules)])
            if longest > (remembered := min(_number(step, "longest", channel), DAY_S)):
                step.put(Note(kind="longest", channel=channel, number=longest))
            step.forget("sent", channel, now - max(longest, remembered))
            windows = Windows()
            for note in reversed(step.notes("sent", channel)):
                if note.at <= now + MINUTE_S:  # nobody is so far ahead
                    windows.record(note.text, note.at)
                else:
                    step.drop("sent", channel, note.name)
            pause = max((note.at - now for note in step.notes("pause", channel)), default=0.0)
            wait = max(windows.wait(tuple(receivers), rules, now), pause)
            number = "" if wait > 0 else f"{now:020.6f} {new_version()}"
            for receiver in receivers if number else ():
                name = f"{number} {receiver}"
                step.put(Note(kind="sent", channel=channel, name=name, text=receiver, at=now))
                windows.record(receiver, now)
            peers = len(step.notes("peer", ""))
        return Taken(max(wait, 0.0), number, windows.ages(now, MINUTE_S), max(peers, 1))

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        with self.step() as step:
            now += step.ahead(now)
            for receiver in receivers:
                for note in step.notes("sent", channel, f"{number} {receiver}"):
                    step.put(replace(note, at=now))

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        with self.step() as step:
            now += step.ahead(now)
            until = max((note.at for note in step.notes("pause", channel)), default=0.0)
            step.put(Note(kind="pause", channel=channel, at=max(now + wait_s, until)))

    # Tokens.

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        with self.step() as step:
            now += step.ahead(now)
            token = _token(step, app)
        is_good = 1 <= len(token.value) <= 512 and now < token.ends <= now + _MAX_TOKEN_LIFE_S
        return (token.value, token.ends - now) if is_good else None

    def lock_token(self, app: str, who: str, now: float) -> bool:
        with self.step() as step:
            now += step.ahead(now)
            token = _token(step, app)
            is_held = token.owner not in ("", who) and now < token.locked <= now + 2 * LOCK_S
            if is_held and self.is_alive(token.owner):
                return False
            _put_token(step, app, replace(token, owner=who, locked=now + LOCK_S))
            return True

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        with self.step() as step:
            now += step.ahead(now)
            token = _token(step, app)
            if token.owner == who:
                token = replace(token, value=value, ends=now + life_s) if value else token
                _put_token(step, app, replace(token, owner="", locked=0.0))

    def drop_token(self, app: str, value: str) -> None:
        with self.step() as step:
            token = _token(step, app)
            if token.value == value:
                _put_token(step, app, replace(token, value="", ends=0.0))

    # Facts.

    def get(self, channel: str, name: str, time: float) -> Fact | None:
        with self.step() as step:
            return _fact(step, channel, name, time)

    def put(self, channel: str, name: str, version: int, text: str, ends: float, time: float) -> bool:
        with self.step() as step:
            there = _fact(step, channel, name, time)
            if version != (there.version if there is not None else 0):
                return False
            if text:
                step.put(Note(kind="fact", channel=channel, name=name, text=text, number=new_version(), at=ends))
            else:
                step.drop("fact", channel, name)
            return True

    def until(self, channel: str, time: float) -> float:
        with self.step() as step:
            return min((note.at for note in step.notes("fact", channel) if note.at > time), default=math.inf)

    # For people.

    def time(self) -> float:
        return time.time()

    def channels(self) -> list[str]:
        with self.step() as step:
            return step.channels()

    def held(self, most: int) -> list[DeadLetter]:
        found = list[DeadLetter]()
        with self.step() as step:
            for channel in step.channels():
                for row in self._find(step, channel, Find(most=most, is_untold=True)):
                    found.append(_letter(channel, row, "", claimed=bool(row.owner) and self.is_alive(row.owner)))
            found += [_letter(note.channel, *_opened(note)) for note in step.notes("dead", None, most=most)]
        return sorted(found, key=lambda one: one.last, reverse=True)[:most]

    def again(self, keys: Collection[str], now: float) -> int:
        with self.step() as step:
            now += step.ahead(now)
            letters = _letters(step, keys)
            for note, row in letters:
                _take(step, note, "")
                count = replace(life.written_again(row), number=note.number)
                there = next(iter(self._find(step, note.channel, Find(keys=[row.key]))), None)
                self._added(step, note.channel, there, count, now, None)
        return len(letters)

    def discard(self, keys: Collection[str]) -> int:
        with self.step() as step:
            letters = _letters(step, keys)
            for note, _ in letters:
                _take(step, note, life.DISCARDED)
            number, channels = len(letters), step.channels()
        for channel in channels:
            rows = True
            while rows:
                with self.step() as step:
                    found = self._find(step, channel, Find(keys=keys or None, is_untold=True, most=_PIECE))
                    for row in found:
                        self._move(step, channel, row, life.removed(row, ""), "")
                number, rows = number + len(found), bool(found)
        return number

    def counters(self) -> SharedCounters:
        with self.step() as step:
            counted, *ended = (
                _number(step, "book", "", name) for name in ("counted", life.TOLD, life.GIVEN_UP, life.DISCARDED)
            )
        told, given_up, discarded = ended
        waiting = max(counted - sum(ended), 0)
        return SharedCounters(waiting + sum(ended), told, waiting, given_up, discarded)


def _free_name(step: Step, channel: str, key: str) -> str:
    """A short id that no other open incident of the channel has."""
    for name in short_ids(key):
        if not step.find(channel, Find(short_id=name, most=1), lambda *what: None):
            break
    return name


def _number(step: Step, kind: str, channel: str, name: str = "") -> int:
    return max((note.number for note in step.notes(kind, channel, name)), default=0)


def book(step: Step, name: str, number: int) -> None:
    """Add to a number that people see, which stays 0 or more."""
    if number:
        step.put(Note(kind="book", name=name, number=max(_number(step, "book", "", name) + number, 0)))


def _token(step: Step, app: str) -> _Token:
    for note in step.notes("token", "", app):
        with suppress(ValueError):
            token = typed(read(note.text, MAX_CHARACTERS), _Token)
            assert isinstance(token, _Token)
            return token
    return _Token()


def _put_token(step: Step, app: str, token: _Token) -> None:
    step.put(Note(kind="token", name=app, text=as_line(plain(token))))


def _fact(step: Step, channel: str, name: str, time: float) -> Fact | None:
    for note in step.notes("fact", channel, name):
        if not note.at or note.at > time:
            return Fact(note.text, note.number, note.at)
    return None


# Dead letters: a note each, of a reason, the incident as it was, and its alert.


def _opened(note: Note) -> tuple[Incident, str]:
    """The incident and the reason; as much of them as can be read."""
    with suppress(ValueError, TypeError):  # foreign, or broken: its number is kept
        why, document, entry = read(note.text, 3 * MAX_CHARACTERS)
        if (row := loaded(document, entry)) is not None:
            return replace(row, count=note.number, told=0), str(why)
    count = Count(key=note.name, number=note.number, first=Entry(""))
    return life.opened(count, short_id=short_id(note.name), version=1, now=0.0), "unreadable"


def _letters(step: Step, keys: Collection[str]) -> list[tuple[Note, Incident]]:
    """Those of these keys, or all; the oldest first."""
    found = [(note, _opened(note)[0]) for note in reversed(step.notes("dead", None))]
    return [(note, row) for note, row in found if not keys or row.key in keys]


def _forget_oldest(step: Step) -> None:
    for note in step.notes("dead", None, skip=MAX_DEAD):
        _take(step, note, life.DISCARDED)


def _take(step: Step, note: Note, account: str) -> None:
    """A dead letter is no more kept."""
    step.drop("dead", note.channel, note.name)
    book(step, life.GIVEN_UP, -note.number)
    if account:
        book(step, account, note.number)


def _letter(channel: str, row: Incident, why: str, *, claimed: bool = False) -> DeadLetter:
    entry = entry_of(row)
    return DeadLetter(row.key, row.short_id, channel, row.level, row.untold, row.last, entry, why, claimed)
