"""A server with a stream, a hash and a key that ends, and the journal over it."""

from __future__ import annotations

import copy
import itertools

from wecom_logging._journal.base import Batch, Changes, Facts, LostLease, Offset
from wecom_logging.errors import StateError

from .folder import write
from .world import Process, World

LEASE_S, RENEW_S, PATIENCE_S, AGAIN_S, LOOK_S = 5.0, 1.5, 5.0, 10.0, 0.5


class Data:
    def __init__(self) -> None:
        self.book, self.version = Changes(), ""
        self.stream: list[tuple[int, Batch]] = []
        self.lease, self.ends, self.id = "", 0.0, 0
        self.facts: dict[str, tuple[str, float]] = {}
        self.puts = 0


class Server:
    def __init__(self, world: World) -> None:
        self.world, self.data, self.snapshots = world, Data(), [Data()]
        self.away: dict[str, float] = {}
        self.late: dict[str, float] = {}

    def ask(self, process: Process) -> Data:
        """Return what the server has; each call of it begins so."""
        self.world.pause()
        if self.away.get(process.name, 0.0) > self.world.now:
            self.world.hit(process)
            raise StateError("away")
        return self.data

    def answer(self, process: Process) -> None:
        """What was asked is done; the answer may be lost."""
        self.world.pause()
        if self.late.get(process.name, 0.0) > self.world.now and self.world.random.random() < 0.5:
            self.world.hit(process)
            raise StateError("no answer")

    def lease_of(self) -> str:
        return self.data.lease if self.world.now < self.data.ends else ""

    def keep(self) -> None:
        self.snapshots = [*self.snapshots[-2:], copy.deepcopy(self.data)]


class ServerModel:
    """The rules of a Redis journal over ``Server``."""

    in_call = False

    def __init__(self, server: Server, process: Process) -> None:
        self.server, self.world, self.process = server, server.world, process
        self.writer, self.numbers = process.name, itertools.count(1)
        self.unsaved: dict[int, tuple[float, Batch]] = {}
        self.unsent: dict[int, Batch] = {}
        self.renamed: dict[int, int] = {}  # what was appended again
        self.aged: dict[int, str] = {}  # unsaved for 10 s: the version of the book when that was seen
        self.offset, self.known, self.looked_at = 0, "", 0.0
        self.leads, self.beat, self.renewed, self.version = False, 0, 0.0, ""
        self.seen, self.seen_at, self.free_since = "", 0.0, 0.0
        self.ids: list[int] = []
        self.looks = self.newest = 0

    def in_child(self, child: Process) -> ServerModel:
        new = ServerModel(self.server, child)
        if not self.world.has("a child has a new writer"):
            new.writer, new.numbers = self.writer, copy.copy(self.numbers)
        return new

    # Any process.

    def append(self, batch: Batch) -> None:
        self.unsaved.setdefault(batch.number, (self.world.now, batch))
        data = self.server.ask(self.process)
        data.id += 1
        data.stream.append((data.id, batch))
        self.server.answer(self.process)

    def look(self) -> None:
        """See how far the leader is, and append again what the state has lost."""
        if not self.is_keen() or self.world.now < self.looked_at + LOOK_S:
            return
        self.looked_at = self.world.now
        data = self.server.ask(self.process)
        done, version = data.book.offsets.get(self.writer, Offset()), data.version
        self.looks += 1
        look = self.looks
        self.server.answer(self.process)
        if look < self.newest and self.world.has("an older answer is no offset that fell"):
            return  # two threads have looked at once
        self.newest = look
        fell = done.number < self.offset and self.world.has("an offset that fell is noticed")
        for number in [number for number in self.unsaved if number <= done.number]:
            self.unsent[number] = self.unsaved.pop(number)[1]
        if not fell:
            for number in [number for number in self.unsent if number not in done.unsent]:
                if number <= done.number:
                    del self.unsent[number]
        aged = [n for n, (at, _) in self.unsaved.items() if self.world.now > at + AGAIN_S]
        self.offset = done.number
        is_lost = any(self.aged.setdefault(number, version) != version for number in aged)
        if not self.world.has("only a book saved 10 s after the append tells of a loss"):
            is_lost = bool(aged) and version != self.known
        if fell or is_lost:
            again = [*self.unsent.values(), *(one for _, one in self.unsaved.values())]
            self.world.note(self.writer, "appends again", [one.number for one in again])
            self.unsent.clear()
            self.unsaved.clear()
            self.aged.clear()
            new = [Batch(self.writer, next(self.numbers), one.entries) for one in again]
            self.renamed.update((old.number, one.number) for old, one in zip(again, new, strict=True))
            self.unsaved.update((one.number, (self.world.now, one)) for one in new)
            for one in new:
                self.append(one)
        self.known = version

    def is_keen(self) -> bool:
        return bool(self.unsaved or self.unsent)

    def is_saved(self, number: int = 0) -> bool:
        self.looked_at = 0.0
        self.look()
        return not self.unsaved

    def is_flushed(self, number: int) -> bool:
        while self.world.has("who waits follows the new number") and number in self.renamed:
            number = self.renamed[number]
        data = self.server.ask(self.process)
        at = data.book.offsets.get(self.writer, Offset())
        return number <= at.number and number not in at.unsent

    def kept(self) -> list[Batch]:
        """What may be in the journal, and is not sent as far as is known."""
        return sorted([*self.unsent.values(), *(one for _, one in self.unsaved.values())], key=lambda one: one.number)

    def row(self, key: str) -> str:
        return self.server.ask(self.process).book.rows.get(key, "")

    def put(self, name: str, text: str, ends: float) -> None:
        data = self.server.ask(self.process)
        data.facts[name] = (text, ends)
        data.puts += 1
        self.server.answer(self.process)

    def facts(self, version: str) -> Facts | None:
        data = self.server.ask(self.process)
        texts = {name: text for name, (text, ends) in data.facts.items() if ends > self.clock()}
        found = f"{data.puts}:{len(texts)}"
        self.server.answer(self.process)
        return None if found == version else Facts(found, texts)

    def clock(self) -> float:
        return self.world.wall

    def rotate(self) -> None: ...

    # Who leads.

    def is_leading(self) -> bool:
        return self.leads

    def lead(self, stands: bool, renew: bool = False) -> str | None:
        if self.leads and not renew and self.world.now < self.renewed + RENEW_S:
            return self.version
        asked_at = self.world.now
        data = self.server.ask(self.process)
        now, lease, token = self.world.now, self.server.lease_of(), f"{self.process.name}:"
        is_mine = lease.startswith(token) and (self.leads or renew or stands)
        looker = self.world.looker()
        is_still = lease != "" and lease == self.seen and looker > self.seen_at + PATIENCE_S
        if is_mine or (stands and (not lease or is_still)):
            self.beat += 1
            data.lease, data.ends = f"{token}{self.beat}", now + LEASE_S
            version = data.version
            self.server.answer(self.process)
            self.leads, self.renewed = True, asked_at
            return version
        if lease != self.seen:
            self.seen, self.seen_at = lease, looker
        self.leads = False
        return None

    def resign(self) -> None:
        """Give the lease back, if the book is still the one that was saved last: else its loss must be said first."""
        data = self.server.ask(self.process)
        if data.version != self.version and self.world.has("who resigns compares the version"):
            raise LostLease("another book")
        self.leads = False
        if self.server.lease_of().startswith(f"{self.process.name}:"):
            data.lease = ""

    def load(self) -> Changes:
        data = self.server.ask(self.process)
        self.version = data.version
        return copy.deepcopy(data.book)

    def read(self) -> list[Batch]:
        data = self.server.ask(self.process)
        found = list(data.stream)
        before = [] if self.world.has("trimmed are ids of this read") else self.ids
        self.ids = [*before, *(id for id, _ in found)]
        return [batch for _, batch in found]

    def save(self, changes: Changes) -> str:
        data = self.server.ask(self.process)
        if not self.server.lease_of().startswith(f"{self.process.name}:") and self.world.has("a save is fenced"):
            self.leads = False
            raise LostLease("another leads")
        if data.version != self.version and self.world.has("a save compares the version"):
            raise LostLease("another book")
        write(data.book, changes)
        gone = set(self.ids)
        data.stream = [one for one in data.stream if one[0] not in gone]
        data.version = f"{int(data.version.split(':')[0] or 0) + 1}:{self.process.name}"
        version = data.version
        self.server.answer(self.process)
        self.version = version
        return version

    def has_trim(self) -> bool:
        return bool(self.ids)

    def wait(self, seconds: float) -> None:
        self.world.sleep(seconds)
