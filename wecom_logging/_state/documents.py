"""`DocumentStore`: the contract of a store, done over what a database can do in one atomic step.

A store reads and writes rows (`rows`, an incident each, as one document) and notes (everything else, by kind, channel
and name).
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from .._incidents import stored
from .._incidents.codec import as_line, dump, plain, read, typed
from .._incidents.incident import Count, Incident
from .._incidents.short_id import short_id
from .._runtime.windows import Windows
from .base import DAY_S, KEEP_S, LOCK_S, MINUTE_S, DeadLetter, Fact, Rules, SharedCounters, Taken
from .entries import MAX_CHARACTERS, Entry
from .rows import ALL, Find, Rows, RowStore, entry_of, loaded, new_version

MAX_DEAD = 10_000
"""Dead letters that are kept: beyond that, the oldest are discarded."""

_PIECE = 500
"""Of very many rows so many are removed in one step."""

_MAX_TOKEN_LIFE_S = 7200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is stored beside rows: of a kind, a name in a channel, a text, a number and a time."""

    kind: str
    channel: str = ""
    name: str = ""
    text: str = ""
    number: int = 0
    at: float = 0.0


class Step(Rows, Protocol):
    """What a database does within one atomic step."""

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


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = ""
    ends: float = 0.0
    owner: str = ""
    locked: float = 0.0


class DocumentStore(RowStore[Step]):
    """The contract of `base.Store`. A store has a `step`, `check` and `close`, and no rule of its own."""

    @abstractmethod
    def check(self) -> str:
        """Try it, reading and writing: what it is, in words."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is open; the next call opens it again."""

    def is_alive(self, who: str) -> bool:
        """Whether a process still holds what it has claimed, as far as is known."""
        return True

    # As to incidents.

    def _mark(self, step: Step, channel: str, who: str, number: int = 0, now: float = 0.0) -> int:
        before = _number(step, "mark", channel, who)
        if number > before:
            if not before:
                step.forget("mark", None, now - KEEP_S)
            step.put(Note(kind="mark", channel=channel, name=who, number=number, at=now))
        return before

    def _book(self, step: Step, account: str, number: int) -> None:
        book(step, account, number)

    def _bury(self, step: Step, channel: str, there: Incident, letter: Incident, why: str) -> None:
        text = as_line([why, dump(letter), entry_of(there)])
        name, number = str(new_version()), letter.untold
        step.put(Note(kind="dead", channel=channel, name=name, text=text, number=number, at=letter.last))
        _forget_oldest(step)

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
            return _facts(step, channel, time, name).get(name)

    def put(self, channel: str, name: str, version: int, text: str, ends: float, time: float) -> bool:
        with self.step() as step:
            there = _facts(step, channel, time, name).get(name)
            if version != (there.version if there is not None else 0):
                return False
            if text:
                step.put(Note(kind="fact", channel=channel, name=name, text=text, number=new_version(), at=ends))
            else:
                step.drop("fact", channel, name)
            return True

    def facts(self, channel: str, time: float) -> dict[str, Fact]:
        with self.step() as step:
            return _facts(step, channel, time)

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

    def requeue(self, keys: Collection[str], now: float) -> int:
        with self.step() as step:
            now += step.ahead(now)
            letters = _letters(step, keys)
            for note, row in letters:
                _take(step, note, "")
                count = replace(stored.written_again(row), number=note.number)
                there = next(iter(self._find(step, note.channel, Find(keys=[row.key]))), None)
                self._added(step, note.channel, there, count, now, None)
        return len(letters)

    def discard(self, keys: Collection[str]) -> int:
        with self.step() as step:
            letters = _letters(step, keys)
            for note, _ in letters:
                _take(step, note, stored.DISCARDED)
            number, channels = len(letters), step.channels()
        for channel in channels:
            rows = True
            while rows:
                with self.step() as step:
                    found = self._find(step, channel, Find(keys=keys or None, is_untold=True, most=_PIECE))
                    for row in found:
                        self._move(step, channel, row, stored.removed(row, ""), "")
                number, rows = number + len(found), bool(found)
        return number

    def counters(self) -> SharedCounters:
        with self.step() as step:
            counted, *ended = (
                _number(step, "book", "", name) for name in ("counted", stored.TOLD, stored.GIVEN_UP, stored.DISCARDED)
            )
        told, given_up, discarded = ended
        waiting = max(counted - sum(ended), 0)
        return SharedCounters(waiting + sum(ended), told, waiting, given_up, discarded)


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


def _facts(step: Step, channel: str, time: float, name: str | None = None) -> dict[str, Fact]:
    notes = step.notes("fact", channel, name)
    return {note.name: Fact(note.text, note.number, note.at) for note in notes if not note.at or note.at > time}


# Dead letters: a note each, of a reason, the incident as it was, and its alert.


def _opened(note: Note) -> tuple[Incident, str]:
    """The incident and the reason; as much of them as can be read."""
    with suppress(ValueError, TypeError):  # foreign, or broken: its number is kept
        why, document, entry = read(note.text, 3 * MAX_CHARACTERS)
        if (row := loaded(document, entry)) is not None:
            return replace(row, count=note.number, told=0), str(why)
    count = Count(key=note.name, number=note.number, first=Entry(""))
    return stored.opened(count, short_id=short_id(note.name), version=1, now=0.0), "unreadable"


def _letters(step: Step, keys: Collection[str]) -> list[tuple[Note, Incident]]:
    """Those of these keys, or all; the oldest first."""
    found = [(note, _opened(note)[0]) for note in reversed(step.notes("dead", None))]
    return [(note, row) for note, row in found if not keys or row.key in keys]


def _forget_oldest(step: Step) -> None:
    for note in step.notes("dead", None, skip=MAX_DEAD):
        _take(step, note, stored.DISCARDED)


def _take(step: Step, note: Note, account: str) -> None:
    """A dead letter is no more kept."""
    step.drop("dead", note.channel, note.name)
    book(step, stored.GIVEN_UP, -note.number)
    if account:
        book(step, account, note.number)


def _letter(channel: str, row: Incident, why: str, *, claimed: bool = False) -> DeadLetter:
    entry = entry_of(row)
    return DeadLetter(row.key, row.short_id, channel, row.level, row.untold, row.last, entry, why, claimed)
