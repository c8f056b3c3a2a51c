"""What happened: an immutable copy of all that a message about a log record needs."""

from __future__ import annotations

from dataclasses import dataclass

from .failure import Failure, Frame
from .recipients import Recipients


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A log record, captured. Times are seconds since the epoch; texts are capped at 64 KiB each.

    ``failures`` is the chain of exceptions, the oldest first. ``formatted`` is what a stock `logging.Formatter` of the
    handler made of the record, else None. ``template`` is the unformatted message. ``kind`` is a digest of what
    it has in common with those that are the same. ``passed`` are the handlers that could not deliver it and gave it to
    their fallback. ``ours`` is what of it are words of this package, in English: the phrase of the message, or "" where
    that is the program's, and names of fields.
    """

    id: str
    level: int
    level_name: str
    logger: str
    message: str
    template: str
    time: float
    host: str
    process: int | None
    process_name: str
    thread_name: str
    place: Frame
    module: str
    service: str = ""
    environment: str = ""
    title: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    stack: str = ""
    failures: tuple[Failure, ...] = ()
    formatted: str | None = None
    fingerprint: str = ""
    kind: str = ""
    recipients: Recipients | None = None
    mention: tuple[str, ...] | None = None
    passed: tuple[int, ...] = ()
    ours: tuple[str, ...] = ()
