"""A toy of a book (how many of a key, how many sent, who answered), and the truth it is judged by.

Entries are ``("log", key, id)``, ``("alone", key, ids)``, ``("answer", key, who)``, ``("flush",)``. A book counts; the
ids are there for the judge alone: so it knows of each record whether it is counted once, and which message it was in.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from wecom_logging._journal.base import Batch, Changes, Offset

ROUND_S = 2.0


class Message(NamedTuple):
    key: str
    ids: tuple[int, ...]


@dataclass
class Row:
    opener: tuple[str, int]
    ids: list[int] = field(default_factory=list)
    sent: int = 0
    sent_at: float = 0.0
    answer: str = ""

    def text(self) -> str:
        return json.dumps([self.opener, self.ids, self.sent, self.sent_at, self.answer])


def row_of(text: str) -> Row:
    opener, *rest = json.loads(text)
    return Row((opener[0], opener[1]), *rest)


class ToyBook:
    def __init__(self, loaded: Changes, without: frozenset[str] = frozenset()) -> None:
        self.without = without
        self.rows = {key: row_of(text) for key, text in loaded.rows.items()}
        self.at = {writer: offset.number for writer, offset in loaded.offsets.items()}
        self.unsent = {writer: set(offset.unsent) for writer, offset in loaded.offsets.items()}
        openers = {row.opener for row in self.rows.values()}
        self.flushes = {  # which flush waits until how many of what are sent
            (writer, number): self.open_now()
            for writer, numbers in self.unsent.items()
            for number in numbers
            if (writer, number) not in openers
        }
        self.changed: set[str] = set()
        self.heard: set[str] = set()

    def open_now(self) -> dict[str, int]:
        return {key: len(row.ids) for key, row in self.rows.items() if row.sent < len(row.ids)}

    def now_is(self, now: float) -> None:
        """What is later than now became so by a clock that was set back."""
        for key, row in self.rows.items():
            if row.sent_at > now:
                row.sent_at = now
                self.changed.add(key)

    def shift(self, seconds: float) -> None:
        for row in self.rows.values():
            row.sent_at += seconds if row.sent_at else 0.0
        self.changed = set(self.rows)

    def take(self, batch: Batch, now: float) -> None:
        if batch.number <= self.at.get(batch.writer, 0):
            return
        self.at[batch.writer] = batch.number
        self.heard.add(batch.writer)
        for entry in batch.entries:
            assert isinstance(entry, (tuple, list))
            match entry:
                case ["log", key, id]:
                    if key not in self.rows:
                        self.rows[key] = Row((batch.writer, batch.number))
                        self.unsent.setdefault(batch.writer, set()).add(batch.number)
                    self.rows[key].ids.append(id)
                    self.changed.add(key)
                case ["alone", key, ids] if key in self.rows:
                    self.sent_alone(key, ids, now)
                case ["answer", key, who] if key in self.rows:
                    row = self.rows[key]
                    if not row.answer or "the first answer in the journal wins" in self.without:
                        row.answer = who
                        self.changed.add(key)
                case ["flush"]:
                    if waits := self.open_now():
                        self.flushes[batch.writer, batch.number] = waits
                        self.unsent.setdefault(batch.writer, set()).add(batch.number)

    def sent_alone(self, key: str, ids: list[int], now: float) -> None:
        row, waiting = self.rows[key], self.rows[key].ids[self.rows[key].sent :]
        mine = [id for id in ids if id in waiting]  # ``sent`` never exceeds ``count``
        row.ids[row.sent :] = mine + [id for id in waiting if id not in mine]
        for waits in self.flushes.values():  # which waits for its own: what others sent does not end it
            if key in waits and "what was sent alone ends no flush" not in self.without:
                waits[key] += len(mine)
        if mine:
            self._sent(key, row.sent + len(mine), now)

    def due(self, now: float, held: frozenset[str]) -> Message | None:
        flushed = set().union(*self.flushes.values())
        for key, row in self.rows.items():
            is_due = not row.sent or key in flushed or now >= row.sent_at + ROUND_S
            if row.sent < len(row.ids) and is_due and key not in held:
                return Message(key, tuple(row.ids[row.sent :]))
        return None

    def sent(self, message: Message, now: float) -> None:
        row = self.rows[message.key]
        rest = [id for id in row.ids[row.sent :] if id not in message.ids]  # what came since
        row.ids[row.sent :] = [id for id in row.ids[row.sent :] if id in message.ids] + rest
        self._sent(message.key, len(row.ids) - len(rest), now)

    def _sent(self, key: str, upto: int, now: float) -> None:
        row = self.rows[key]
        row.sent, row.sent_at = upto, now
        self.changed.add(key)
        self._hear(*row.opener)
        for flush, waits in list(self.flushes.items()):
            if waits.get(key, upto + 1) <= upto:
                del waits[key]
            if not waits:
                del self.flushes[flush]
                self._hear(*flush)

    def _hear(self, writer: str, number: int) -> None:
        if number in self.unsent.get(writer, ()):
            self.unsent[writer].discard(number)
            self.heard.add(writer)

    def changes(self) -> Changes:
        rows = {key: self.rows[key].text() for key in sorted(self.changed)}
        at = {one: Offset(self.at.get(one, 0), tuple(sorted(self.unsent.get(one, ())))) for one in sorted(self.heard)}
        return Changes(rows, at)

    def saved(self) -> None:
        self.changed.clear()
        self.heard.clear()

    def whole(self) -> None:
        """All of it is written with the next save."""
        self.changed, self.heard = set(self.rows), set(self.at)

    def counted(self) -> dict[str, tuple[int, tuple[str, int]]]:
        """How many of each key, and which batch opened it: a row that was opened anew is another one."""
        return {key: (len(row.ids), row.opener) for key, row in self.rows.items()}


class Truth:
    """What was logged, what of it may die with its process, what was sent, what was said to be lost."""

    def __init__(self) -> None:
        self.logged: dict[int, tuple[str, str, float]] = {}  # id: process, key, when
        self.unsure: set[int] = set()
        self.sent: Counter[int] = Counter()
        self.first_at = 0.0
        self.lost = self.messages = self.twice = self.flushes = self.answers = 0
        self.winners: dict[str, str] = {}
        self.holds: list[tuple[str, float, float]] = []  # key, from when on no message is composed, until
        self.wrong: list[str] = []

    def send(self, message: Message, composed_at: float, now: float, where: str) -> None:
        """``where``: in memory each process has holds of its own."""
        self.messages += 1
        self.first_at = self.first_at or now
        self.twice += any(self.sent[id] for id in message.ids)
        self.sent.update(message.ids)
        for key, since, until in self.holds:
            if key == where + message.key and since < composed_at and now < until:
                self.wrong.append(f"held: {key} was composed at {composed_at:.3f}, held since {since:.3f}")

    def told(self, key: str, winner: str) -> None:
        """Somebody who answered reads who won."""
        self.answers += 1
        if self.winners.setdefault(key, winner) != winner:
            self.wrong.append(f"answer: {key} was won by {self.winners[key]}, then by {winner}")
