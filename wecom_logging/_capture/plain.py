"""Plain records say no more than their text. From a place that is new they wait, to be identified by the worker.

Which incident it belongs to is found out later. All that may change after the call is copied: a message with arguments
is made at once, and only of texts and numbers.
"""

from __future__ import annotations

import logging

from .._runtime.hiding import OUR_LIBRARIES
from .._text.cut import cap
from ..model import Sample
from .context import context, passed_by
from .duplicates import SERVERS, about
from .identity import Spot
from .reading import SMALL, VALUES, Values, is_plain
from .snapshot import Make, PendingAlert
from .tally import Seen, Tally

MAX_WAITING = 4096
"""Some 900 bytes each, 2400 once it is identified: 10 MiB of them, with texts of a hundred characters."""

MAX_AT_ONE_PLACE = 5
"""So many of one place wait, so that a storm costs the worker no more than the calling thread."""

_SIMPLE = frozenset({str, int, float, bool, type(None)})
_OTHERS = (*OUR_LIBRARIES, *SERVERS)
"""Whose records may be our own traffic, or a failure said once more."""


Place = tuple[int, str, str, str]
"""A level, logger, file and function: what texts that may be kinds of one have in common."""


def place_of(values: Values) -> Place:
    return values[0], values[2], values[7], values[9]


class Plain:
    """A copy of a record that says no more than its text.

    ``tally`` is the one that is to count it, once that is found; where its alert is the tally's first, it has opened
    that. Several threads may look for it: what they publish here goes by ``__dict__.setdefault``, in one step.
    """

    tally: Tally | None = None
    kind: Seen | None = None

    def __init__(self, values: Values, message: str, spot: Spot, *, has_arguments: bool) -> None:
        self.values = values
        self.message = message
        self.spot = spot
        self.place = place_of(values)
        self.has_arguments = has_arguments

    def has_opened(self, tally: Tally) -> bool:
        """Whether the tally has it as the first."""
        first = self.__dict__.get("_first")
        return first is not None and tally.first is first

    def first(self, make: Make) -> PendingAlert:
        """The alert of it, one for all threads."""
        made: PendingAlert = self.__dict__.setdefault("_first", PendingAlert(self.values, self.message))
        made.make = make
        return made

    def count_in(self, tally: Tally) -> bool:
        """Have it counted there. False where another thread has found another: one tally has it, and no more."""
        return self.__dict__.setdefault("tally", tally) is tally

    def sample(self) -> Sample:
        return Sample(self.values[3], cap(self.message, SMALL))


def plain_of(record: logging.LogRecord, pid: int) -> Plain | None:
    """The copy of a record that says no more than its text, and was made here; None of any other."""
    if type(record) is not logging.LogRecord or record.exc_info or record.exc_text or record.stack_info:
        return None
    values, more = VALUES(record), record.__dict__
    level, _, logger, _, process, _, _, path, line, function, _, msg = values
    if not is_plain(values) or process != pid or len(msg) > SMALL or "wecom" in more or "wecom_words" in more:
        return None
    if logger.startswith(_OTHERS) or context.get() is not None or passed_by.get() or about(record) is not None:
        return None
    args = record.args
    if args and (type(args) is not tuple or not _SIMPLE.issuperset(map(type, args))):
        return None
    try:
        message = record.getMessage()  # of the program's own, where it has put one there
    except Exception:  # they do not fit: what is told then is said elsewhere
        return None
    if type(message) is not str or len(message) > SMALL or "\n" in message:
        return None
    return Plain(values, message, (line, level, logger, path, function, pid, None, None), has_arguments=bool(args))
