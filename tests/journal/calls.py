"""The calling threads of a process: they log, and ask for a flush, an answer, a maintenance."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from wecom_logging._journal.base import Batch
from wecom_logging.errors import StateError

from .book import ToyBook, Truth, row_of
from .folder import FolderModel
from .memory import MemoryModel
from .server import ServerModel
from .world import Process, Thread, World

Model = MemoryModel | FolderModel | ServerModel


def logged(batches: Iterable[Batch]) -> set[int]:
    """Return the ids of the records in them."""
    return {entry[2] for one in batches for entry in one.entries if isinstance(entry, tuple) and entry[0] == "log"}


class Calls:
    world: World
    process: Process
    journal: Model
    truth: Truth
    book: ToyBook | None
    worker: Thread
    asks: bool
    waiting: deque[Batch]  # not appended yet
    under_way: list[Batch]
    away_since: float
    is_exiting: bool
    is_quiet: bool  # its program logs no more
    is_nudged: bool

    def call(self, often_s: float) -> None:
        random = self.world.random
        while not (self.is_exiting or self.is_quiet):
            self.log(random.choice([f"k{random.randrange(12)}", f"u{self.world.steps}"]))
            if self.asks and random.random() < 0.06:
                random.choice((self.flush, self.answer, self.hold))()
            self.world.sleep(random.random() * often_s)

    def log(self, key: str) -> None:
        id = len(self.truth.logged)
        self.truth.logged[id] = (self.process.name, key, self.world.now)
        self.say(("log", key, id))

    def say(self, entry: tuple[object, ...]) -> int:
        """Append in this thread where the journal can do so, else leave it to the worker. Returns its number."""
        number = next(self.journal.numbers)
        batch = Batch(self.journal.writer, number, (entry,))
        if (self.journal.in_call or not self.world.has("one thread appends")) and not self.waiting:
            self.under_way.append(batch)
            self.world.pause()
            try:
                self.journal.append(batch)
            except StateError:
                self.waiting.append(batch)
            self.under_way.remove(batch)
        else:
            self.waiting.append(batch)
        self.is_nudged = True
        self.worker.wakes = min(self.worker.wakes, self.world.now)
        return number

    def flush(self) -> None:
        calls = {
            entry[2]
            for one in self.under_way
            for entry in one.entries
            if isinstance(entry, tuple) and entry[0] == "log"
        }
        before = [id for id, (name, *_) in self.truth.logged.items() if name == self.process.name and id not in calls]
        number, ends = self.say(("flush",)), self.world.now + 5.0
        while self.world.now < ends and not self.is_exiting:
            if number in {one.number for one in (*self.waiting, *self.under_way)} or self.away_since:
                self.world.sleep(0.1)
                continue
            if self.ask_flushed(number):
                self.truth.flushes += 1
                missing = [id for id in before if not self.truth.sent[id] and id not in self.truth.unsure]
                if missing:
                    self.world.note(self.process.name, "WRONG flush", number, missing)
                    self.truth.wrong.append(f"flush: {self.process.name} said that {missing} are sent")
                return
            self.world.sleep(0.1)

    def ask_flushed(self, number: int) -> bool:
        try:
            if not isinstance(self.journal, MemoryModel):
                is_saved = self.journal.is_saved(number)
                return is_saved and (
                    not self.world.has("flush waits for what is unsent") or self.journal.is_flushed(number)
                )
        except StateError:
            return False
        unsent = self.book.unsent.get(self.journal.writer, ()) if self.book else ()
        is_unsent = number in unsent and self.world.has("flush waits for what is unsent")
        return self.journal.is_saved(number) and not is_unsent

    def answer(self) -> None:
        key = f"k{self.world.random.randrange(4)}"
        number = self.say(("answer", key, f"{self.process.name}.{self.world.steps}"))
        for _ in range(20):
            self.world.sleep(0.1)
            try:
                waits = number in {one.number for one in (*self.waiting, *self.under_way)}
                if not waits and self.journal.is_saved(number):
                    if isinstance(self.journal, MemoryModel):
                        text = self.book.rows[key].text() if self.book and key in self.book.rows else ""
                    else:
                        text = self.journal.row(key)
                    if text and row_of(text).answer:
                        where = f"{self.process.name} " if isinstance(self.journal, MemoryModel) else ""
                        self.truth.told(where + key, row_of(text).answer)
                    return
            except StateError:
                pass

    def hold(self) -> None:
        """A maintenance of 3 s: it holds for each message that is composed after ``put`` has returned."""
        key, ends = f"k{self.world.random.randrange(12)}", self.world.now + 3.0
        try:
            self.journal.put(key, "held", self.journal.clock() + 3.0)
        except StateError:
            return
        where = self.process.name if isinstance(self.journal, MemoryModel) else ""
        self.truth.holds.append((where + key, self.world.now, ends))

    def only_here(self) -> set[int]:
        """What is in this process alone, as far as it knows: a death takes it along."""
        return logged([*self.waiting, *self.under_way])
