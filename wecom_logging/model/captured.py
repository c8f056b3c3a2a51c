"""What the calling thread takes of a record: its exceptions with their frames, what a later one says, a picture."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Sample:
    """A later record of the same failure: its time (seconds since the epoch) and its text, masked."""

    time: float
    text: str
