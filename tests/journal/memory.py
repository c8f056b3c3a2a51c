"""The package's own journal of a single process, over the simulation's clock: others come between its calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from wecom_logging._journal.base import Batch, Changes
from wecom_logging._journal.memory import MemoryJournal

from .world import Process, World


class Pausing(deque[Batch]):
    """Before each operation of the deque others may come: each is one step of the interpreter."""

    def __init__(self, world: World, batches: list[Batch]) -> None:
        super().__init__(batches)
        self.world = world

    def append(self, batch: Batch) -> None:
        self.world.pause()
        super().append(batch)

    def popleft(self) -> Batch:
        self.world.pause()
        return super().popleft()

    def __iter__(self) -> Iterator[Batch]:
        self.world.pause()
        return iter([self[at] for at in range(len(self))])


class MemoryModel(MemoryJournal):
    in_call = False

    def __init__(self, process: Process, batches: list[Batch] | None = None) -> None:
        super().__init__()
        self.process, self.world, self.version = process, process.world, "0"
        self._batches = Pausing(self.world, batches or [])

    def in_child(self, child: Process) -> MemoryModel:
        if self.world.has("a child begins anew"):
            return MemoryModel(child)
        return MemoryModel(child, [self._batches[at] for at in range(len(self._batches))])

    def clock(self) -> float:
        return self.world.wall

    def save(self, changes: Changes) -> str:
        if not self.world.has("trimmed is what this save has saved"):
            while self._batches:
                self._batches.popleft()
        return super().save(changes)

    def is_leading(self) -> bool:
        return True

    def is_keen(self) -> bool:
        return True

    def kept(self) -> list[Batch]:
        return []

    def look(self) -> None: ...
    def rotate(self) -> None: ...

    def has_trim(self) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        self.world.sleep(seconds)
