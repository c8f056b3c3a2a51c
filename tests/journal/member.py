"""What each process has: a writer, and a worker that leads or follows. And a toy
of a book: how many of a key, how many sent."""

from __future__ import annotations

import json
from collections import deque
from typing import Protocol

from wecom_logging._journal.base import Batch, Changes, LostLease, Offset
from wecom_logging.errors import StateError

from .folder import FolderModel
from .server import ServerModel
from .world import Process, Thread, World

ROUND_S, EXIT_S = 2.0, 5.0


class Message(Protocol):
    key: str
    first: int
    last: int


class Part:
    """Of a key, the records after ``first`` up to ``last``."""

    def __init__(self, key: str, first: int, last: int) -> None:
        self.key, self.first, self.last = key, first, last


class Book(Protocol):
    """What the leader's loop needs of a book; the package's own takes its place when it is there."""

    def take(self, batch: Batch) -> None: ...
    def due(self, now: float) -> Message | None: ...
    def sent(self, message: Message, now: float) -> None: ...
    def changes(self) -> Changes: ...
    def saved(self) -> None: ...
    def counted(self) -> dict[str, tuple[int, object]]: ...
    def whole(self) -> None: ...


class ToyBook:
    def __init__(self, loaded: Changes) -> None:
        self.rows: dict[str, list[int]] = {}  # count, sent
        self.openers: dict[str, tuple[str, int]] = {}
        self.at = {writer: offset.number for writer, offset in loaded.offsets.items()}
        self.unsent = {writer: set(offset.unsent) for writer, offset in loaded.offsets.items()}
        self.sent_at: dict[str, float] = {}
        for key, text in loaded.rows.items():
            count, sent, writer, number = json.loads(text)
            self.rows[key], self.openers[key] = [count, sent], (writer, number)
        self.changed: set[str] = set()
        self.heard: set[str] = set()

    def take(self, batch: Batch) -> None:
        if batch.number <= self.at.get(batch.writer, 0):
            return
        self.at[batch.writer] = batch.number
        self.heard.add(batch.writer)
        for key in map(str, batch.entries):
            if key not in self.rows:
                self.rows[key], self.openers[key] = [0, 0], (batch.writer, batch.number)
                self.unsent.setdefault(batch.writer, set()).add(batch.number)
            self.rows[key][0] += 1
            self.changed.add(key)

    def due(self, now: float) -> Message | None:
        for key, (count, sent) in self.rows.items():
            if count > sent and (not sent or now >= self.sent_at.get(key, 0.0) + ROUND_S):
                return Part(key, sent, count)
        return None

    def sent(self, message: Message, now: float) -> None:
        self.rows[message.key][1], self.sent_at[message.key] = message.last, now
        self.changed.add(message.key)
        writer, number = self.openers[message.key]
        if number in self.unsent.get(writer, ()):
            self.unsent[writer].discard(number)
            self.heard.add(writer)

    def changes(self) -> Changes:
        rows = {key: json.dumps([*self.rows[key], *self.openers[key]]) for key in sorted(self.changed)}
        at = {one: Offset(self.at.get(one, 0), tuple(sorted(self.unsent.get(one, ())))) for one in sorted(self.heard)}
        return Changes(rows, at)

    def saved(self) -> None:
        self.changed.clear()
        self.heard.clear()

    def whole(self) -> None:
        """All of it is written with the next save."""
        self.changed, self.heard = set(self.rows), set(self.at)

    def counted(self) -> dict[str, tuple[int, object]]:
        """How many of each key, and which batch opened it: a row that was opened anew is another one."""
        return {key: (row[0], self.openers[key]) for key, row in self.rows.items()}


class Truth:
    """What was logged, what of it is certain to be counted, what was sent, what was said to be lost."""

    def __init__(self) -> None:
        self.logged: dict[str, list[tuple[str, float]]] = {}  # key: process, when
        self.appended: dict[str, int] = {}
        self.sent: dict[str, list[Message]] = {}
        self.first_sent: dict[str, float] = {}
        self.maybe: dict[str, int] = {}
        self.lost = self.messages = 0


class Member:
    def __init__(self, world: World, process: Process, journal: FolderModel | ServerModel, truth: Truth) -> None:
        self.world, self.process, self.journal, self.truth = world, process, journal, truth
        self.book: Book | None = None
        self.version: str | None = None
        self.waiting: deque[Batch] = deque()
        self.under_way: list[Batch] = []
        self.born, self.is_exiting = world.now, False
        self.saved: dict[str, tuple[int, object]] = {}
        self.worker: Thread | None = None
        self.is_quiet = False  # its program logs no more

    def begin(self, callers: int, often_s: float) -> None:
        self.process.start(self.work)
        self.worker = self.process.threads[-1]
        for _ in range(callers):
            self.process.start(lambda: self.call(often_s))

    # The calling threads.

    def call(self, often_s: float) -> None:
        while not (self.is_exiting or self.is_quiet):
            self.log(self.world.random.choice([f"k{self.world.random.randrange(12)}", f"u{self.world.steps}"]))
            self.world.sleep(self.world.random.random() * often_s)

    def log(self, key: str) -> None:
        self.truth.logged.setdefault(key, []).append((self.process.name, self.world.now))
        batch = Batch(self.journal.writer, next(self.journal.numbers), (key,))
        if self.journal.in_call and not self.waiting:
            self.under_way.append(batch)
            try:
                self.journal.append(batch)
            except StateError:
                self.waiting.append(batch)
            self.under_way.remove(batch)
        else:
            self.waiting.append(batch)
        if self.worker is not None:
            self.worker.wakes = min(self.worker.wakes, self.world.now)

    def unsure(self) -> list[Batch]:
        """What is in this process alone, as far as it knows: a death takes it along."""
        return [*self.waiting, *self.under_way]

    # The worker.

    def work(self) -> None:
        while not self.is_exiting:
            self.world.sleep(self.turn())
        self.leave()

    def append(self) -> None:
        while self.waiting:
            self.journal.append(self.waiting[0])
            self.waiting.popleft()

    def turn(self) -> float:
        """The order of everything. Returns the seconds until there may be more."""
        try:
            return self._turn()
        except LostLease:
            self.version = None
            return 0.05
        except StateError:
            return 1.0

    def _turn(self) -> float:
        world, journal = self.world, self.journal
        self.append()
        journal.rotate()
        journal.look()
        is_keen, age = journal.is_keen(), world.now - self.born
        at_once = is_keen and world.has("who has something to say stands at once")
        version = journal.lead(at_once or self.is_exiting or age > 1.0)
        if version is None:
            self.process.is_sending = False
            if self.book is not None and world.has("who loses its lease says what the book has lost"):
                self.say_what_is_gone(ToyBook(journal.load()))
            self.book = self.version = None
            return 0.5 if is_keen and world.has("who has something unsaved looks each 0.5 s") else 5.0
        if self.book is None or version != self.version:
            self.load(version)
        book = self.book
        assert book is not None
        for batch in journal.read():
            book.take(batch)
        self.save(book)
        if (message := book.due(world.now)) is None:
            return 0.3
        self.process.is_sending = True
        if world.has("the lease is renewed before each request") and journal.lead(True, renew=True) is None:
            self.process.is_sending = False
            return 0.05
        self.send(message)
        book.sent(message, world.now)
        self.save(book)
        self.process.is_sending = False
        return 0.0

    def load(self, version: str) -> None:
        loaded = self.journal.load()
        if self.book is not None and version == "" and self.world.has("a book is given to a store without one"):
            self.book.whole()
            self.version = version
            return
        book = ToyBook(loaded)
        if self.book is not None:
            self.say_what_is_gone(book)
        self.book, self.version, self.saved = book, version, book.counted()

    def say_what_is_gone(self, now: Book) -> None:
        is_now = now.counted()
        gone = 0
        for key, (count, opener) in self.saved.items():
            left, by = is_now.get(key, (0, None))
            gone += max(count - left, 0) if by == opener else count
        if gone:
            self.truth.lost += gone
            self.world.note(self.process.name, "says that records are gone:", gone)

    def save(self, book: Book) -> None:
        changes = book.changes()
        if changes or self.journal.has_trim():
            self.version = self.journal.save(changes)
            book.saved()
            self.saved = book.counted()

    def send(self, message: Message) -> None:
        self.world.pause()
        self.truth.messages += 1
        self.truth.sent.setdefault(message.key, []).append(message)
        self.truth.first_sent.setdefault(message.key, self.world.now)
        self.world.note(self.process.name, "sends", message.key, message.first, message.last)
        self.world.sleep(self.world.random.random() * 0.2)

    def leave(self) -> None:
        """The exit: append, wait until it is saved; where nobody leads, lead."""
        ends = self.world.now + EXIT_S
        while self.world.now < ends:
            wait = self.turn()
            if not self.waiting and not self.under_way:
                if not self.world.has("the exit waits for the offset"):
                    break
                with_news = wait == 0.0
                try:
                    if not with_news and self.journal.is_saved():
                        break
                except StateError:
                    pass
            self.world.sleep(min(wait, 0.05))
        else:
            self.world.note(self.process.name, "ends before all of it is saved")
            for key, all_of in self.truth.logged.items():
                mine = sum(name == self.process.name for name, _ in all_of)
                self.truth.maybe[key] = self.truth.maybe.get(key, 0) + mine
        try:
            if self.journal.is_leading():
                self.journal.resign()
        except StateError:
            pass
        self.process.is_sending = False
        self.world.note(self.process.name, "has ended")
        self.process.is_dead = True
        for told in self.world.at_death:
            told(self.process)
