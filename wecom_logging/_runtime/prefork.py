"""Starts no thread of ours under uWSGI before its workers are forked.

uWSGI loads an application and then forks it in C. Where a thread runs at that moment the workers hang; with fork hooks
they do not, but the master may stop that thread amid what it does, with the state locked. What was logged by then is
sent by the worker process that comes first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

from .warn import warn_once

_TEXT = (
    "uWSGI loads the application and then forks its workers; a worker hangs if a thread runs at that moment. So the "
    "first worker sends what is logged before the fork. With --lazy-apps each worker loads the application itself and "
    "sends at once. If threads of other packages run, try --py-call-uwsgi-fork-hooks. Both need --enable-threads"
)


class _Prefork:
    """A process that uWSGI is going to fork. ``then`` is run in each that is forked."""

    def __init__(self) -> None:
        self.then: Callable[[], object] = bool
        self._pid = os.getpid()
        self._before: Callable[[], object] = bool
        self._token: tuple[int, os.stat_result] | None = None
        self._said = False

    def is_ahead(self) -> bool:
        """Whether uWSGI will fork this process."""
        uwsgi = _uwsgi()
        if uwsgi is None or uwsgi.worker_id():
            return False
        if os.getpid() != self._pid or uwsgi.masterpid() not in (0, self._pid):  # a mule, or the program's own fork
            return False
        self._be_called_by(uwsgi)
        return True

    def _be_called_by(self, uwsgi: Any) -> None:
        """``uwsgidecorators`` takes the hook when it is imported, from any owner: this is done again each time."""
        if (hook := getattr(uwsgi, "post_fork_hook", None)) != self._forked:
            self._before = hook or bool
            uwsgi.post_fork_hook = self._forked
        if self._said:
            return
        self._said = True
        if not uwsgi.opt.get("py-call-uwsgi-fork-hooks"):
            warn_once("uwsgi", _TEXT)
        if uwsgi.masterpid():
            reader, writer = os.pipe()
            os.write(writer, b"x")
            os.close(writer)
            self._token = reader, os.fstat(reader)

    def _forked(self) -> None:
        try:
            self.then()
        finally:
            self._before()

    def is_undecided(self) -> bool:
        """In a child whose fork hooks run: whether it may become a worker, which uWSGI says only after them."""
        uwsgi = _uwsgi()
        return self._token is not None and uwsgi is not None and not uwsgi.worker_id()

    def is_first_worker(self) -> bool:
        """In a forked process: whether it is the first worker, which sends what was logged before.

        Without a master there is none: the process that loaded the application is the first worker.
        """
        uwsgi = _uwsgi()
        if self._token is None or uwsgi is None or not uwsgi.worker_id():
            return False
        (reader, made), self._token = self._token, None
        try:
            if not os.path.samestat(os.fstat(reader), made):  # the program has closed it
                return False
            first = os.read(reader, 1) == b"x"  # of all that share the pipe one gets it
            os.close(reader)
        except OSError:  # the program has closed it
            return False
        return first


def _uwsgi() -> Any:
    """Its own module, which is there only inside it; not what tests of a program may have put in its place."""
    module = sys.modules.get("uwsgi")
    return module if isinstance(getattr(module, "worker_id", None), BuiltinFunctionType) else None


prefork = _Prefork()
