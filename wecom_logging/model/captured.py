"""What the calling thread takes of a record: exceptions with their frames, what a later one says; and `Stats`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

PNG, JPG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
"""What the bytes of a picture begin with."""

MAX_BOT_IMAGE_BYTES = 2 * 1024 * 1024
"""Of a picture that a group bot sends; an app sends larger ones, too."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of a traceback. ``own`` and ``code`` (the source line) are filled in by the worker."""

    file: str
    line: int
    name: str
    own: bool = True
    code: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception: its type, its text and where it passed.

    ``frames`` go from the outermost to the innermost; ``omitted`` frames are missing after the first ``head`` of them.
    ``link`` says how it led to the next failure of the chain: ``"cause"`` (raise … from), ``"context"`` (raised while
    it was handled), or ``""`` for the last. ``members`` are the exceptions inside an ExceptionGroup, each a chain.
    """

    type: str
    text: str
    frames: tuple[Frame, ...] = ()
    omitted: int = 0
    head: int = 0
    notes: tuple[str, ...] = ()
    link: str = ""
    members: tuple[tuple[Failure, ...], ...] = ()


def each(failures: Iterable[Failure], change: Callable[[Failure], Failure]) -> tuple[Failure, ...]:
    """All of a chain changed, those inside of groups first."""
    return tuple(change(replace(one, members=tuple(each(chain, change) for chain in one.members))) for one in failures)


@dataclass(frozen=True, slots=True)
class Sample:
    """A later record of the same failure: its time (seconds since the epoch) and its text, masked."""

    time: float
    text: str


@dataclass(frozen=True, slots=True)
class Stats:
    """The counters of a handler, as numbers of records. At every moment ``accepted`` is the sum of all the others.

    ``delivered``: the text is in a message that WeCom took for at least one of its recipients. ``merged``: only
    counted, in such a message, or one more report of an exception. ``handed_over``: given to another handler or a
    shared state, whose counters go on with it. ``dropped``: lost, a mapping from the reason to the number, which is a
    copy. ``pending``: not sent yet.
    """

    accepted: int = 0
    delivered: int = 0
    merged: int = 0
    handed_over: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    pending: int = 0
