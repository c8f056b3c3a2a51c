"""Child processes that end by ``os._exit``: those of `multiprocessing`, of billiard and of Celery run no exit hook.

They run the finalisers of `multiprocessing.util`, which billiard shares; the processes of Celery's pool not even those,
but receivers of one signal. What is registered here runs there, in each of them, as if the program ended.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable
from typing import Any

from . import forks

_at_end: dict[Callable[[], object], int] = {}
_known: set[str] = set()
_begun: dict[Callable[[], object], tuple[int, Any]] = {}
"""What is registered: in which process, and as which finaliser."""


def at_end(callback: Callable[[], object], priority: int) -> None:
    """Call this at the end of each such process, the highest priority first.

    The exception that ends it is `sys.exception()` then: `BaseProcess._bootstrap` calls finalisers on its way out.
    """
    _at_end[callback] = priority
    look()


def look() -> None:
    """See whether one of those libraries is loaded by now: before each fork, and where a handler is made."""
    util, process = sys.modules.get("multiprocessing.util"), sys.modules.get("multiprocessing.process")
    signals = sys.modules.get("celery.signals")
    try:
        if util is not None and process is not None and "multiprocessing" not in _known:
            util.register_after_fork(_begin, operator.call)  # a child begins by forgetting all finalisers
            _known.add("multiprocessing")
        if process is not None and (process.parent_process() or hasattr(process.current_process(), "_inheriting")):
            _begin()  # in a child, or in one that is being spawned, and imports the main module
        if signals is not None and "celery" not in _known:
            signals.worker_process_shutdown.connect(_end, weak=False, dispatch_uid=__name__)
            _known.add("celery")
    except AttributeError:  # another thread is just importing it
        return


def _begin() -> None:
    """In a child: have its finalisers call what is to be called."""
    util = sys.modules["multiprocessing.util"]
    for callback, priority in _at_end.items():
        where, finalizer = _begun.get(callback, (0, None))
        if where != os.getpid() or not finalizer.still_active():
            _begun[callback] = os.getpid(), util.Finalize(None, callback, exitpriority=priority)


def _end(**_: object) -> None:
    for callback in sorted(_at_end, key=_at_end.__getitem__, reverse=True):
        callback()


forks.before(look)
