"""Calls what has to run before a fork, in the child and at its end, and holds the gate that a fork waits for.

Its hooks are registered when this module is imported, after those of `logging`: a fork waits for the gate before it
takes logging's own locks. They must be there before a thread of ours can be inside the gate, so that no fork misses
them.

uWSGI loads an application and then forks it in C. Where a thread runs at that moment the workers hang; with fork hooks
they do not, but the master may stop that thread amid what it does, with the state locked. So no thread of ours starts
before that: what was logged by then is sent by the worker process that comes first.
"""

from __future__ import annotations

import itertools
import logging  # its hooks have to be registered before ours
import os
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import BuiltinFunctionType, MethodType
from typing import Any

from .._lines import line
from .warn import warn_once

_FORK_S = 10.0
"""For how long a fork waits for the gate: what is inside may hang, too."""

gate = threading.RLock()
"""Held for what a child could never finish if it were forked in the middle: imports, and SQLite at work.

A child has another one: write ``with forks.gate:``, and do not import it by its name.
"""

torn = False
"""Whether this is a child that was forked while a thread was inside the gate: what that imported never ends here."""

_has_gate = True
_before_callbacks: list[Callable[[], object]] = []
_callbacks: dict[int, Callable[[], Callable[[], object] | None]] = {}
_numbers = itertools.count()


def before(callback: Callable[[], object]) -> None:
    """Call this before each fork."""
    _before_callbacks.append(callback)


def in_child(callback: Callable[[], object], *, last: bool = False) -> None:
    """Call this in each forked child, after what was registered before, or, as the ``last``, after all the others. Of a
    method's object no more than the child has of it anyway: it is not kept alive."""
    number = next(_numbers) + (sys.maxsize if last else 0)
    if isinstance(callback, MethodType):
        _callbacks[number] = weakref.WeakMethod(callback, lambda _: _callbacks.pop(number, None))
    else:
        _callbacks[number] = lambda: callback


def forked_without_hooks() -> None:
    """In a child whose server (uWSGI) forks in C: what the hooks would have done, and without the gate.

    A module that was half imported at that instant would stay so for ever; dropped, it is imported anew. So is all
    below it: a package finds its submodules as attributes only where it has imported them itself.
    """
    modules = list(sys.modules.items())
    half = {name for name, module in modules if getattr(getattr(module, "__spec__", None), "_initializing", False)}
    for name, _ in modules:
        if any(name == other or name.startswith(f"{other}.") for other in half):
            del sys.modules[name]
    _start_anew()


def holds_loggings_lock() -> bool:
    """Whether this thread holds logging's own lock, as within a ``dictConfig``."""
    return bool(getattr(getattr(logging, "_lock", None), "_is_owned", bool)())


def _before() -> None:
    for callback in _before_callbacks:
        callback()
    # In a dictConfig, or what it makes, there is nothing to wait for: what the worker imports needs logging's lock.
    global _has_gate
    _has_gate = gate.acquire(timeout=0 if holds_loggings_lock() else _FORK_S)


def _in_parent() -> None:
    with suppress(RuntimeError):  # it could not be had in time
        gate.release()


def _in_child() -> None:
    global gate, torn
    gate, torn = threading.RLock(), torn or not _has_gate
    if not prefork.is_undecided():  # else uWSGI's own hook is next, or the first record finds out
        _start_anew()


def _start_anew() -> None:
    global gate
    gate = threading.RLock()
    with ExitStack() as all_of_them:  # one that fails does not keep the others from it
        for _, found in sorted(_callbacks.items(), reverse=True):
            if (callback := found()) is not None:
                all_of_them.callback(callback)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


# Under uWSGI.


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
            warn_once("uwsgi", line("uwsgi"))
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


# Children that run no exit hook.


class Children:
    """Calls ``hook`` at the end of each child that ends by ``os._exit``, as if the program ended: those of
    `multiprocessing`, of billiard and of Celery run no exit hook.

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
