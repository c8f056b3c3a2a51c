"""Plain records say no more than their text. From a place that is new they wait, to be identified by the worker.

Which incident one belongs to is found out later. All that may change after the call is copied: a message with arguments
is made at once, and only of texts and numbers.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from logging import CRITICAL
from typing import TypeVar

from .._runtime.counters import Number
from .._runtime.hiding import OUR_LIBRARIES
from .context import context, passed_by
from .pending import Make, PendingAlert, snapshot
from .record import SMALL, Reading, Values
from .tally import Seen, Tally

Entry = TypeVar("Entry")
Queues = tuple[deque[Entry], deque[Entry]]
"""What is critical, and the rest, which waits for that: ``queues[level < CRITICAL]`` is the queue of a level."""

MAX_WAITING = 4096
"""In each queue: some 900 bytes each, 2400 once it is identified: 10 MiB, with texts of a hundred characters."""

MAX_AT_ONE_PLACE = 5
"""So many of one place wait, so that a storm costs the worker no more than the calling thread."""

_SIMPLE = frozenset({str, int, float, bool, type(None)})

Place = tuple[int, str, str, str]
"""A level, logger, file and function: what texts that may be variants of one have in common."""


class Plain:
    """A plain record that waits.

    ``tally`` is the one that is to count it, once that is found; where its alert is the tally's first, it has opened
    that. Several threads may look for it: what they publish here goes by ``__dict__.setdefault``, in one step.
    """

    tally: Tally | None = None
    variant: Seen | None = None

    def __init__(self, reading: Reading, place: Place) -> None:
        self.reading = reading
        self.place = place

    def has_opened(self, tally: Tally) -> bool:
        """Whether the tally has it as the first."""
        first = self.__dict__.get("_first")
        return first is not None and tally.first is first

    def first(self, make: Make) -> PendingAlert:
        """The alert of it, one for all threads."""
        made: PendingAlert = self.__dict__.setdefault("_first", snapshot(self.reading))
        made.make = make
        return made

    def count_in(self, tally: Tally) -> bool:
        """Have it counted there. False where another thread has found another: one tally has it, and no more."""
        return self.__dict__.setdefault("tally", tally) is tally


class PlainRecords:
    """Those of one handler that wait. ``identify`` finds the tally of one, or opens it with this one as its first."""

    def __init__(self, accepted: Number, identify: Callable[[Plain], None]) -> None:
        self.queues: Queues[tuple[Plain, int]] = deque(), deque()
        """All of them, each with its number."""
        self.at: dict[Place, list[Plain]] = {}
        """Those that are not identified yet."""
        self._accepted = accepted.count
        self._identify = identify

    def put(self, reading: Reading) -> bool:
        """Queue one that has let go of its record, and count it, in one step in C; False where too many wait."""
        place = place_of(reading.values)
        queue = self.queues[place[0] < CRITICAL]
        if len(queue) >= MAX_WAITING or len(self.at.get(place, ())) >= MAX_AT_ONE_PLACE:
            return False
        plain = Plain(reading, place)
        queue.extend(zip((plain,), self._accepted, strict=False))
        if len(self.at) > 2 * MAX_WAITING:
            self.at.clear()
        self.at.setdefault(place, []).append(plain)
        if plain.tally is not None:  # another thread was faster
            self.identify_at(place)
        return True

    def identify_all(self) -> None:
        """Find the tallies of all that wait."""
        urgent, others = self.queues
        for plain, _ in [*urgent, *others]:
            if plain.tally is None:
                self.identify(plain)

    def identify(self, plain: Plain) -> None:
        """Find the tally of one, after those that have come before it at its place."""
        self.identify_at(plain.place)
        if plain.tally is None:
            self._identify(plain)

    def identify_at(self, place: Place) -> None:
        """Find the tallies of those of one place, in their order, before another of it is identified: also of one that
        another thread is at, which may wait for its turn."""
        if (waiting := self.at.get(place)) is None:
            return
        for plain in list(waiting):
            if plain.tally is None:
                self._identify(plain)
            with suppress(ValueError):  # another thread was faster
                waiting.remove(plain)
        if not waiting:
            self.at.pop(place, None)


def place_of(values: Values) -> Place:
    return values[0], values[2], values[7], values[9]


def is_plain(reading: Reading, pid: int) -> bool:
    """Whether a record that is about no exception says no more than its text, and was made here."""
    record, values = reading.record, reading.values
    if type(record) is not logging.LogRecord or record.exc_info or record.exc_text or record.stack_info:
        return False
    if not reading.is_usual or values[4] != pid or len(values[-1]) > SMALL:
        return False
    if reading.extra or "wecom_words" in record.__dict__:
        return False
    if values[2].startswith(OUR_LIBRARIES) or context.get() is not None or passed_by.get():
        return False
    if reading.has_arguments and (type(record.args) is not tuple or not _SIMPLE.issuperset(map(type, record.args))):
        return False
    message = reading.message
    return len(message) <= SMALL and "\n" not in message
