"""The journal of a single process: nothing of it outlives that, and nobody else leads."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator
from threading import Event

from .base import Batch, Changes, Facts


class MemoryJournal:
    """A deque. One thread appends, so that the order of the numbers is that of the batches; any thread reads."""

    def __init__(self) -> None:
        self.writer = "here"
        self.numbers: Iterator[int] = itertools.count(1)
        self._batches: deque[Batch] = deque()
        self._saved, self._saves, self._news = 0, 0, Event()
        self._facts: dict[str, tuple[str, float]] = {}
        self._puts = 0

    def append(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._news.set()

    def lead(self, stands: bool, renew: bool = False) -> str | None:
        return str(self._saves)

    def clock(self) -> float:
        return time.time()

    def resign(self) -> None: ...

    def load(self) -> Changes:
        return Changes()  # a book is loaded once, and nothing was before it

    def read(self) -> list[Batch]:
        return list(self._batches)

    def save(self, changes: Changes) -> str:
        self._saved = max(self._saved, *(offset.number for offset in changes.offsets.values()), 0)
        while self._batches and self._batches[0].number <= self._saved:
            self._batches.popleft()
        self._saves += 1
        return str(self._saves)

    def facts(self, version: str) -> Facts | None:
        there, now = dict(self._facts), self.clock()  # any thread may put
        texts = {name: text for name, (text, ends) in there.items() if ends > now}
        for name in there.keys() - texts.keys():
            self._facts.pop(name, None)
            self._puts += 1
        return None if version == str(self._puts) else Facts(str(self._puts), texts)

    def put(self, name: str, text: str, ends: float) -> None:
        self._facts[name] = (text, ends)
        self._puts += 1

    def wait(self, seconds: float) -> None:
        self._news.wait(seconds)
        self._news.clear()

    def is_saved(self, number: int) -> bool:
        return number <= self._saved
