"""Says once that a handler which stood on a logger stands on none any more: what is logged does not reach it.

`logging` tells nobody that a logger's handlers were taken away, and no log call comes by that could notice. A thread
that looks would run in every program, also in those that fork; a patched `logging.Logger` would be in everybody's way.
So it is looked at moments that are there anyway:

* a logging config closes all handlers before it takes them from their loggers (Prefect, Litestar): a thread looks after
  `GRACE_S`, and ends;
* Celery's worker says when it has set up logging, which empties the root logger;
* a turn of the worker, every `EVERY_S` at most; a fork; the exit.

Code that empties a logger by itself is noticed by the latter alone: in a program that has sent nothing before, at its
exit, and only if some moment has seen the handler there.
"""

from __future__ import annotations

import _thread
import logging
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress

from .._lines import line
from . import forks
from .forks import prefork
from .threads import Runner
from .warn import warn_once

GRACE_S = 2.0
"""A handler that is missed for less than that may be on its way to another logger, or in a test."""
EVERY_S = 10.0

_HOSTS = (
    ("celery.apps.worker", "celery_took"),
    ("celery.apps.beat", "celery_took"),
    ("litestar", "litestar_took"),
    ("prefect", "prefect_took"),
)
"""A module that is loaded where such a framework runs, and the line of its remedy."""


class _Watched:
    """``missed_at``: when it was first seen on no logger, after it had stood on one."""

    def __init__(self, handler: logging.Handler) -> None:
        self.kind = type(handler).__name__
        self.handler = weakref.ref(handler)
        self.stood = self.was_taken = False
        """``was_taken``: a later logging config has closed it; it goes on where a logger has it."""
        self.missed_at: float | None = None

    @property
    def stands(self) -> bool:
        return self.stood and self.missed_at is None


class Standing:
    """The handlers of this process that are not closed for good. Who takes away the last reference may be the host."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: list[_Watched] = []
        self._waits = False
        self._next = float("-inf")

    def watch(self, handler: logging.Handler) -> None:
        self._watched.append(_Watched(handler))

    def forget(self, handler: logging.Handler) -> None:
        self._watched = [one for one in self._watched if one.handler() is not handler]

    def look(self) -> None:
        """See who stands, and who is missed."""
        loggers = [logging.root, *logging.root.manager.loggerDict.copy().values()]
        stand = {id(one) for logger in loggers if isinstance(logger, logging.Logger) for one in logger.handlers}
        for one in self._watched:
            if (handler := one.handler()) is not None and id(handler) in stand:
                one.stood, one.missed_at = True, None
            elif one.stood and one.missed_at is None:
                one.missed_at = self._clock()
        self._watched = [one for one in self._watched if one.stood or one.handler() is not None]

    def closed_by_logging(self, handler: logging.Handler, caller: object) -> None:
        """Look now, and once more when the logging config, of which ``caller`` is the code, is done."""
        self.look()
        for one in self._watched:
            if one.handler() is handler:
                one.was_taken = True
                if caller is logging.basicConfig.__code__:
                    one.stood = True  # with force=True: it takes away each, then closes it
        if self._waits or not Runner.may_start or prefork.is_ahead():
            return
        if any(one.stood for one in self._watched):
            with suppress(RuntimeError):  # no thread to be had
                _thread.start_new_thread(self._look_later, ())
                self._waits = True

    def _look_later(self) -> None:
        time.sleep(GRACE_S)
        self._waits = False
        if Runner.may_start:
            self.tell(taken_s=0)

    def now_and_then(self) -> None:
        """Look, if it is time to; called by the worker."""
        if (now := self._clock()) >= self._next:
            self._next = now + EVERY_S
            self.tell()

    def tell(self, *, taken_s: float = GRACE_S, others_s: float = GRACE_S) -> None:
        """Look, and say which have been missed for so long, each once: those that a logging config has taken away, and
        those that other code has.
        """
        self.look()
        now, stand = self._clock(), any(one.stands and not one.was_taken for one in self._watched)
        due = [
            one
            for one in self._watched
            if one.missed_at is not None and now - one.missed_at >= (taken_s if one.was_taken else others_s)
        ]
        self._watched = [one for one in self._watched if one not in due]
        for one in due:
            if one.was_taken and stand:  # the later config has one of ours, too
                continue
            if (handler := one.handler()) is None or not _is_behind_another(handler):
                remedy = line(next((row for module, row in _HOSTS if module in sys.modules), "something_took"))
                warn_once(f"standing {one.kind}", line("stands_nowhere", kind=one.kind, remedy=remedy))

    def at_exit(self) -> None:
        """Says who is missed; what other code takes away at the very end is part of the program's end."""
        with suppress(Exception):  # modules are taken apart at the exit
            self.tell(taken_s=0)

    def in_child(self) -> None:
        """Forgets who was missed before the fork, which the parent says."""
        self._watched = [one for one in self._watched if one.missed_at is None]
        self._waits = False


def _is_behind_another(handler: logging.Handler) -> bool:
    """Says whether another handler hands on to it: a MemoryHandler, one with it as its ``fallback``, a QueueListener.

    Logging does not know the latter, which is found by its thread.
    """
    known = [*logging._handlerList]  # type: ignore[attr-defined] # what logging.shutdown closes
    holders: list[object] = [found for reference in known if (found := reference()) is not None]
    holders += [getattr(getattr(thread, "_target", None), "__self__", None) for thread in threading.enumerate()]
    for holder in holders:
        for value in [*getattr(holder, "__dict__", {}).values()]:
            several = value if isinstance(value, list | tuple) else ()
            if value is handler or any(one is handler for one in several):
                return True
    return False


standing = Standing()
forks.before(standing.look)
forks.in_child(standing.in_child)
