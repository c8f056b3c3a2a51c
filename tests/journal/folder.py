"""A folder, as far as a journal sees it: names, links, locks, a transaction; and the journal over it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from wecom_logging._journal.base import Batch, Changes, Facts, LostLease, Offset
from wecom_logging.errors import StateError

from .world import Process, World

RENEW_S, PATIENCE_S, ROTATE = 1.5, 5.0, 12
UNSENT = "a file stays while something of it is unsent"


class File:
    """A lock is held by all processes that have the description open: it is free when each has closed it or is dead."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, tuple[object, ...]]] = []
        self.lock: set[Process] = set()
        self.links, self.text, self.name = 0, "", ""


class Disk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.names: dict[str, File] = {}
        self.is_full = False
        self.book, self.generation, self.version = Changes(), 0, 0
        self.files: list[File] = []
        self.facts: dict[str, tuple[str, float]] = {}
        self.puts = 0
        world.at_death.append(self.died)

    def died(self, process: Process) -> None:
        for one in self.files:
            one.lock.discard(process)

    def forked(self, parent: Process, child: Process) -> None:
        for one in self.files:
            if parent in one.lock:
                one.lock.add(child)

    def make(self) -> File:
        self.world.pause()
        if self.is_full:
            raise StateError("no space")
        self.files.append(file := File())
        return file

    def lock(self, file: File, process: Process) -> None:
        self.world.pause()
        file.lock = {process}

    def link(self, file: File, name: str) -> bool:
        self.world.pause()
        if name in self.names:
            return False
        self.names[name], file.name = file, name
        file.links += 1
        return True

    def unlink(self, name: str) -> None:
        self.world.pause()
        if file := self.names.pop(name, None):
            file.links -= 1

    def write(self, file: File, number: int | None, entries: tuple[object, ...]) -> int:
        if self.is_full:
            raise StateError("no space")
        file.lines.append((number or len(file.lines) + 1, entries))
        return file.lines[-1][0]

    def listed(self, prefix: str) -> list[str]:
        self.world.pause()
        return [name for name in self.names if name.startswith(prefix)]

    def is_free(self, name: str) -> bool:
        self.world.pause()
        return (file := self.names.get(name)) is not None and not file.lock


class FolderModel:
    """The rules of a folder journal over ``Disk``."""

    in_call = True

    def __init__(self, disk: Disk, process: Process) -> None:
        self.disk, self.world, self.process = disk, disk.world, process
        self.writer, self.numbers = process.name, self._numbers()
        self.own: File | None = None
        self.files, self.lease, self.generation = 0, None, 0
        self.offsets: dict[str, int] = {}
        self.over: set[str] = set()
        self.version = self.seen = ""
        self.seen_at = self.looked = 0.0
        self.appended_at = float("-inf")
        self.ends: dict[int, tuple[str, int]] = {}  # number of a batch: its file and its end there

    lease: File | None

    def _numbers(self) -> Iterator[int]:
        return itertools.count(1)

    def in_child(self, child: Process) -> FolderModel:
        self.disk.forked(self.process, child)
        if self.world.has("a child closes its copies"):
            for one in self.disk.files:
                one.lock.discard(child)
        return FolderModel(self.disk, child)

    def _open(self) -> File:
        name, file = f"log.{self.writer}.{self.files}", self.disk.make()
        self.files += 1
        if self.world.has("a file is locked before it has its name"):
            self.disk.lock(file, self.process)
            self.disk.link(file, name)
        else:
            self.disk.link(file, name)
            self.disk.lock(file, self.process)
        return file

    def append(self, batch: Batch) -> None:
        if self.own is None or not self.own.links:
            new = self._open()
            if self.own is None or not self.own.links:  # two threads may come here: the second one's file stays empty
                self.own = new
            else:
                new.lock.clear()
        own = self.own
        self.world.pause()
        if self.world.has("a write under way ends in a locked file"):
            own = self.own  # the same number of a file, which is of the new one by now
        number = None if self.world.has("the end of a batch is its number") else batch.number
        if not own.links:
            raise StateError("removed")
        self.ends[batch.number] = own.name, self.disk.write(own, number, batch.entries)
        self.appended_at = self.world.now

    def rotate(self) -> None:
        """Go on in a new file: the worker alone does it."""
        if (old := self.own) is not None and len(old.lines) >= ROTATE / (1 + 5 * bool(self.world.slow)) and old.links:
            self.own = self._open()
            old.lock.discard(self.process)

    def is_keen(self) -> bool:
        return self.world.now < self.appended_at + 2 * PATIENCE_S

    def look(self) -> None:
        """A folder needs no second look: what was appended is in the writer's own file."""

    def _offset(self, name: str) -> Offset | None:
        """Return how far this file is in the book; None: all of it is, and it is gone."""
        return self.disk.book.offsets.get(name, Offset()) if name in self.disk.names else None

    def is_saved(self, number: int = 0) -> bool:
        ends = [self.ends.get(number, ("", 0))] if number else list(self.ends.values())
        return all((at := self._offset(name)) is None or end <= at.number for name, end in ends)

    def is_flushed(self, number: int) -> bool:
        at = self._offset(self.ends.get(number, ("", 0))[0])
        return at is None or (self.ends[number][1] <= at.number and self.ends[number][1] not in at.unsent)

    def kept(self) -> list[Batch]:
        return []

    def row(self, key: str) -> str:
        self.world.pause()
        return self.disk.book.rows.get(key, "")

    def put(self, name: str, text: str, ends: float) -> None:
        self.world.pause()
        self.disk.facts[name] = (text, ends)
        self.disk.puts += 1

    def facts(self, version: str) -> Facts | None:
        self.world.pause()
        texts = {name: text for name, (text, ends) in self.disk.facts.items() if ends > self.clock()}
        found = f"{self.disk.puts}:{len(texts)}"
        return None if found == version else Facts(found, texts)

    def clock(self) -> float:
        return self.world.wall

    def _is_mine(self) -> bool:
        self.world.pause()
        return (
            self.lease is not None and bool(self.lease.links) and f"lead.{self.generation + 1}" not in self.disk.names
        )

    def is_leading(self) -> bool:
        return self.lease is not None

    def lead(self, stands: bool, renew: bool = False) -> str | None:
        if self.lease is not None:
            if not self._is_mine():
                self._lose()
                return None
            if renew or self.world.now > self.looked + RENEW_S:
                self.lease.text, self.looked = f"{self.process.name} {self.world.now}", self.world.now
            return self.version
        if not stands:
            return None
        last = max((int(name[5:]) for name in self.disk.listed("lead.")), default=0)
        if last:
            name = f"lead.{last}"
            text = file.text if (file := self.disk.names.get(name)) is not None else ""
            now = self.world.looker()
            if (name + text) != self.seen:
                self.seen, self.seen_at = name + text, now
            if now < self.seen_at + PATIENCE_S and not self.disk.is_free(name):
                return None
        return self._take(last + 1)

    def _take(self, generation: int) -> str | None:
        file = self.disk.make()
        self.disk.lock(file, self.process)
        file.text = f"{self.process.name} {self.world.now}"
        if not self.disk.link(file, f"lead.{generation}"):
            return None
        self.lease, self.generation, self.looked = file, generation, self.world.now
        for name in self.disk.listed("lead."):
            if int(name[5:]) < generation:
                self.disk.unlink(name)
        self.world.pause()
        if self.disk.generation < generation:
            self.disk.generation = generation
        return str(self.disk.version)

    def _lose(self) -> None:
        if self.lease is not None:
            self.lease.lock.discard(self.process)
        self.lease = None

    def resign(self) -> None:
        self._lose()

    def load(self) -> Changes:
        self.world.pause()
        book = self.disk.book
        self.version = str(self.disk.version)
        self.offsets = {name: offset.number for name, offset in book.offsets.items()}
        self.over.clear()
        return Changes(dict(book.rows), dict(book.offsets), dict(book.documents))

    def read(self) -> list[Batch]:
        found = []
        in_order = len if self.world.has("a writer's files are read in their order") else bool
        for name in sorted(self.disk.listed("log."), key=lambda name: (in_order(name), name)):
            is_free = self.disk.is_free(name)  # before its end is read: who is dead writes no more
            if (file := self.disk.names.get(name)) is None:
                continue
            at = self.offsets.get(name, 0)
            new = [Batch(name, number, entries) for number, entries in file.lines if number > at]
            found += new
            if new:
                self.offsets[name] = max(one.number for one in new)
            if is_free:
                self.over.add(name)
        return found

    def save(self, changes: Changes) -> str:
        self.world.pause()
        if self.disk.is_full:
            self.world.hit(self.process)
            raise StateError("no space")
        if self.disk.generation != self.generation and self.world.has("a save is fenced"):
            self._lose()
            raise LostLease("another leads")
        if str(self.disk.version) != self.version and self.world.has("a save is fenced"):
            raise LostLease("another book")
        write(self.disk.book, changes)
        self.disk.version += 1
        self.version = str(self.disk.version)
        if not self._is_mine():
            self._lose()
            raise LostLease("another leads")
        for name in sorted(self.over):
            if (at := self.disk.book.offsets.get(name)) and at.unsent and self.world.has(UNSENT):
                continue  # who waits for its flush looks there
            self.disk.unlink(name)
            self.disk.book.offsets.pop(name, None)
            self.offsets.pop(name, None)
        self.over.clear()
        return self.version

    def has_trim(self) -> bool:
        return bool(self.over)

    def wait(self, seconds: float) -> None:
        self.world.sleep(seconds)


def write(book: Changes, changes: Changes) -> None:
    """What is done in one step."""
    for name, text in changes.rows.items():
        if text:
            book.rows[name] = text
        else:
            book.rows.pop(name, None)
    book.offsets.update(changes.offsets)
    book.documents.update(changes.documents)
