"""Child processes that end by ``os._exit``: those of `multiprocessing`, of billiard and of Celery run no exit hook."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any


class Children:
    """Calls ``hook`` at the end of each, as if the program ended.

    They run the finalisers of `multiprocessing.util`, which billiard shares; the processes of Celery's pool not even
    those, but receivers of one signal.
    """

    def __init__(self, hook: Callable[[], object]) -> None:
        self._hook = hook
        self._known: set[str] = set()
        self._begun: tuple[int, Any] = 0, None

    def look(self) -> None:
        """See whether those libraries are loaded by now: before each fork, and where a handler is made."""
        util, process = sys.modules.get("multiprocessing.util"), sys.modules.get("multiprocessing.process")
        signals = sys.modules.get("celery.signals")
        try:
            if util is not None and process is not None:
                if "multiprocessing" not in self._known:
                    util.register_after_fork(self, Children._begin)  # a child begins by forgetting all finalisers
                    self._known.add("multiprocessing")
                if process.parent_process() or hasattr(process.current_process(), "_inheriting"):
                    self._begin()  # in a child, or in one that is being spawned and imports the main module
            if signals is not None and "celery" not in self._known:
                signals.worker_process_shutdown.connect(self._end, weak=False, dispatch_uid=__name__)
                self._known.add("celery")
        except AttributeError:  # another thread is just importing it
            return

    def _begin(self) -> None:
        where, finalizer = self._begun
        if where != os.getpid() or not finalizer.still_active():
            util = sys.modules["multiprocessing.util"]
            self._begun = os.getpid(), util.Finalize(None, self._hook, exitpriority=-1000)

    def _end(self, **_: object) -> None:
        self._hook()
