"""What a journal must do. It knows entries and text, and no rule of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..errors import StateError


class LostLease(StateError):
    """Another process leads, or the book is not the one that this process has loaded or saved last."""


class Batch(NamedTuple):
    """What a writer appends at once."""

    writer: str
    number: int
    """A book takes a batch if its number is above the writer's offset. Whoever appends takes it from ``numbers``; a
    folder puts the end of the batch in its file in its place."""
    entries: tuple[object, ...]


class Offset(NamedTuple):
    """How far a writer is in the book."""

    number: int = 0
    unsent: tuple[int, ...] = ()
    """The numbers of its batches that opened what nobody has sent yet."""


@dataclass(slots=True)
class Changes:
    """What one save writes in one step, and what a load gives. Names and texts are the book's; an empty text: gone."""

    rows: dict[str, str] = field(default_factory=dict)
    offsets: dict[str, Offset] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.offsets or self.documents)


class Facts(NamedTuple):
    """Scopes, swaps, declared jobs and names, as they are in this version."""

    version: str
    texts: Mapping[str, str]


class Journal(Protocol):
    """The journal and the book of one channel. All methods raise StateError: it cannot be used now."""

    writer: str
    numbers: Iterator[int]

    def append(self, batch: Batch) -> None:
        """Append it, in any process; when this returns it is the journal's care. After a StateError it may be in the
        journal all the same: append it again with the same number."""

    def lead(self, stands: bool, renew: bool = False) -> str | None:
        """Take or renew the lease. Returns the version of the book, or None: another process leads, or nobody."""

    def clock(self) -> float:
        """Return the journal's time, in seconds since the epoch."""

    def resign(self) -> None:
        """Give the lease back."""

    def load(self) -> Changes:
        """Return the book as it is saved. Its version is the one that ``lead`` has returned."""

    def read(self) -> list[Batch]:
        """Return what is not saved; the same batch may come again."""

    def save(self, changes: Changes) -> str:
        """Write all of it in one step, only then trim. Returns the new version. Raises LostLease."""

    def facts(self, version: str) -> Facts | None:
        """Return the facts; None: they are as in this version."""

    def put(self, name: str, text: str, ends: float) -> None:
        """Put a fact, until a time in seconds since the epoch."""

    def wait(self, seconds: float) -> None:
        """Return when somebody has appended, or after these seconds. For the leader."""

    def is_saved(self, number: int) -> bool:
        """Tell whether the batch of this number, of this writer, is in the book."""
