"""What each process has: threads that log, a worker that leads or follows, an ear while a request is on its way."""

from __future__ import annotations

from collections import deque

from wecom_logging._journal.base import Batch, Changes, LostLease
from wecom_logging.errors import StateError

from .book import Message, ToyBook, Truth
from .calls import Calls, Model, logged
from .memory import MemoryModel
from .world import Process, World

EXIT_S, AWAY_S, TRY_S = 5.0, 2.0, 1.0


class Member(Calls):
    def __init__(self, world: World, process: Process, journal: Model, truth: Truth, asks: bool = True) -> None:
        self.world, self.process, self.journal, self.truth, self.asks = world, process, journal, truth, asks
        self.book: ToyBook | None = None
        self.version: str | None = None
        self.saved: dict[str, tuple[int, tuple[str, int]]] = {}  # of the book, as this process saved or loaded it last
        self.waiting: deque[Batch] = deque()  # not appended yet
        self.under_way: list[Batch] = []
        self.alone: ToyBook | None = None  # while the journal is away: a book of what this process has
        self.away_since = self.try_at = 0.0
        self.sent_alone: dict[str, list[int]] = {}
        self.taken_alone: set[int] = set()
        self.holds: frozenset[str] = frozenset()
        self.facts, self.leap = "", world.leap
        self.born, self.is_exiting, self.is_quiet = world.now, False, False
        self.is_nudged = False
        self.in_request = self.ear_is_busy = False

    def begin(self, callers: int, often_s: float) -> None:
        self.worker = self.process.start(self.work)
        self.process.start(self.listen)
        for _ in range(callers):
            self.process.start(lambda: self.call(often_s))

    # The worker.

    def work(self) -> None:
        while not self.is_exiting:
            self.is_nudged = False
            wait = self.turn()
            self.world.sleep(0.0 if self.is_nudged and self.world.has("a nudge amid a turn is not lost") else wait)
        self.leave()

    def listen(self) -> None:
        """While a request is on its way the lease is renewed, and what comes is taken."""
        while not self.process.is_dead:
            self.world.sleep(0.3)
            if not self.in_request:
                continue
            self.ear_is_busy = True
            try:
                if self.book is None or self.version is None:
                    pass
                elif self.journal.lead(True) == self.version:
                    self.take_in(self.book)
                else:
                    self.version = None
            except LostLease:
                self.version = None
            except StateError:
                pass
            self.ear_is_busy = False

    def append(self) -> None:
        while self.waiting:
            self.journal.append(self.waiting[0])
            self.waiting.popleft()

    def turn(self) -> float:
        """The order of everything. Returns the seconds until there may be more."""
        if self.away_since and self.world.now < self.try_at:
            return self.turn_alone()
        try:
            if self.away_since:
                self.journal.load()  # raises, or it is back
                self.come_back()
            return self._turn()
        except LostLease:
            self.version = None
            return 0.05
        except StateError:
            self.away_since, self.try_at = self.away_since or self.world.now, self.world.now + TRY_S
            return 0.05

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
        if world.leap != self.leap and world.has("a leap of the clock shifts the book"):
            book.shift(world.leap - self.leap)
            if world.has("what is later than now after a shift becomes now"):
                book.now_is(journal.clock())  # it was sent after the leap, and before this turn
        self.leap = world.leap
        self.take_in(book)
        looked_at = self.look_at_facts()
        if (message := book.due(journal.clock(), self.holds)) is None:
            return 0.3
        if world.has("the lease is renewed before each request"):
            version = journal.lead(True, renew=True)
            if version != self.version and (version is None or world.has("a renewal finds the book that was loaded")):
                self.version = None
                return 0.05
        self.process.is_sending = True
        self.send(message, looked_at)
        if self.version is None and world.has("an outcome is for its book"):
            return 0.0
        book.sent(message, journal.clock())
        self.save(book)
        self.process.is_sending = False
        return 0.0

    def take_in(self, book: ToyBook) -> None:
        for batch in self.journal.read():
            book.take(batch, self.journal.clock())
        self.save(book)

    def look_at_facts(self) -> float:
        looked_at = self.world.now
        if self.facts and not self.world.has("the facts are looked at before each message"):
            return looked_at
        found = self.journal.facts(self.facts)
        if found is not None:
            self.facts, self.holds = found.version, frozenset(found.texts)
        return looked_at

    def load(self, version: str) -> None:
        loaded = Changes() if isinstance(self.journal, MemoryModel) else self.journal.load()
        if self.book is not None and version == "" and self.world.has("a book is given to a store without one"):
            self.book.whole()
            self.version = self.journal.version = version
            return
        book = ToyBook(loaded, self.world.without)
        if self.world.has("what is later than now at a load becomes now"):
            book.now_is(self.journal.clock())
        if self.book is not None:
            self.say_what_is_gone(book)
        self.book, self.version, self.saved, self.leap = book, version, book.counted(), self.world.leap

    def say_what_is_gone(self, now: ToyBook) -> None:
        is_now, gone = now.counted(), 0
        for key, (count, opener) in self.saved.items():
            left, by = is_now.get(key, (0, None))
            is_other = by != opener and self.world.has("what is gone is counted by row")
            gone += count if is_other else max(count - left, 0)
        if gone:
            self.truth.lost += gone
            self.world.note(self.process.name, "says that records are gone:", gone)

    def save(self, book: ToyBook) -> None:
        changes = book.changes()
        if changes or self.journal.has_trim():
            if (
                not self.version
                and self.world.now < self.born + 10.0
                and not self.world.has("a new state is saved at once")
            ):
                return
            self.version = self.journal.save(changes)
            book.saved()
            self.saved = book.counted()

    def send(self, message: Message, composed_at: float) -> None:
        self.in_request = True
        self.world.pause()
        where = self.process.name if isinstance(self.journal, MemoryModel) else ""
        self.truth.send(message, composed_at, self.world.now, where)
        self.world.note(self.process.name, "sends", *message)
        self.world.sleep(self.world.random.choice((0.01, 0.1, 0.2, 0.2, 1.5)))
        self.in_request = False
        while self.ear_is_busy:
            self.world.sleep(0.01)

    # While the journal is away.

    def turn_alone(self) -> float:
        """Send what certainly was not appended at once, what may have been after 2 s; a book of others' waits."""
        if self.alone is None:
            self.alone = ToyBook(Changes())
            self.process.is_sending = False
        is_late = self.world.now > self.away_since + AWAY_S
        kept = self.journal.kept() if is_late and not isinstance(self.journal, MemoryModel) else []
        tried = {one.number for one in (kept if is_late else self.journal.kept())}
        for batch in [*kept, *(one for one in self.waiting if one.number not in tried)]:
            if batch.number not in self.taken_alone:
                self.taken_alone.add(batch.number)
                self.world.hits += batch.number in tried  # it may be sent by another, too
                self.alone.at.clear()
                self.alone.take(batch, self.world.now)
        try:
            looked_at = self.look_at_facts()
        except StateError:
            looked_at = 0.0  # the holds that it knows are all that it has
        if (message := self.alone.due(self.world.now, self.holds)) is None:
            return 0.1
        self.send(message, looked_at)
        self.alone.sent(message, self.world.now)
        self.sent_alone.setdefault(message.key, []).extend(message.ids)
        return 0.0

    def come_back(self) -> None:
        """What was sent alone says so in its own batch; of what may have been appended, a batch at the end does."""
        self.away_since = 0.0
        if self.alone is None:
            return
        tried = {one.number for one in self.journal.kept()}
        waiting, self.waiting = self.waiting, deque()
        for batch in waiting:
            if batch.number not in tried and self.world.has("what was sent alone says so in its own batch"):
                batch = batch._replace(entries=(*batch.entries, *self.told_alone(logged([batch]))))
            self.waiting.append(batch)
        if rest := self.told_alone(set(self.truth.logged)):
            batch = Batch(self.journal.writer, next(self.journal.numbers), rest)
            if self.world.has("SentAlone comes after what it is about"):
                self.waiting.append(batch)
            else:
                self.waiting.appendleft(batch)
        self.alone, self.sent_alone, self.taken_alone = None, {}, set()

    def told_alone(self, ids: set[int]) -> tuple[tuple[object, ...], ...]:
        """Of these records the ones that were sent alone, as entries; each is told once."""
        found = {key: [id for id in sent if id in ids] for key, sent in self.sent_alone.items()}
        self.sent_alone = {key: [id for id in sent if id not in ids] for key, sent in self.sent_alone.items()}
        return tuple(("alone", key, sent) for key, sent in found.items() if sent)

    # The exit.

    def leave(self) -> None:
        """Append, wait until it is saved; where nobody leads, lead. What is in memory alone is sent."""
        ends, flush = self.world.now + EXIT_S, 0
        if isinstance(self.journal, MemoryModel):
            flush, ends = self.say(("flush",)), self.world.now + 60.0
        while self.world.now < ends:
            wait = self.turn()
            if not self.waiting and not self.under_way and not self.away_since:
                if not self.world.has("the exit waits for the offset"):
                    break
                is_known = self.book is None or self.version is not None  # else it is not said yet what was lost
                try:
                    if not is_known and self.world.has("the exit goes on until all is saved"):
                        pass
                    elif wait and (self.ask_flushed(flush) if flush else self.journal.is_saved()):
                        if not flush and self.journal.is_leading():
                            self.journal.resign()
                        break
                except StateError:
                    pass
            self.world.sleep(min(wait, 0.05))
        else:
            self.world.note(self.process.name, "ends before all of it is saved")
            if self.book is not None:
                self.turn()  # it may have been stopped since it last looked
            is_known = self.book is None or self.version is not None
            if not is_known and self.world.has("who ends too early says what may be gone"):
                self.truth.lost += sum(count for count, _ in self.saved.values())  # at most: it could not look
            self.truth.unsure |= {id for id, (name, _, _) in self.truth.logged.items() if name == self.process.name}
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
