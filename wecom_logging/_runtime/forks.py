"""Calls what has to run before a fork and in the child, and holds the gate that a fork waits for.

Its hooks are registered when this module is imported, after those of `logging`: a fork waits for the gate before it
takes logging's own locks. They must be there before a thread of ours can be inside the gate, so that no fork misses
them.
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
from types import MethodType

from .prefork import prefork

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
