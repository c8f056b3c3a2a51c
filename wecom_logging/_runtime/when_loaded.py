"""`when_loaded`: does something when a module of a framework begins to be imported, and imports none of it itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.machinery import PathFinder

_waiting: dict[str, Callable[[], object]] = {}


def when_loaded(module: str, then: Callable[[], object]) -> None:
    """Call it once, when ``module`` is about to be imported; at once where it is loaded. Nobody hears what it raises.

    It needs a finder in ``sys.meta_path``, which finds nothing: a program in which the package of the module is not
    installed gets none. ``then`` may import and take locks: an ``import`` statement stands where a program does, too.
    """
    package = module.partition(".")[0]
    if module in sys.modules:
        with suppress(Exception):
            then()
    elif package in sys.modules or PathFinder.find_spec(package) is not None:
        _waiting[module] = then
        if _Finder not in sys.meta_path:
            sys.meta_path.insert(0, _Finder)


class _Finder:
    """Stays when all have come: who takes it out amid a search makes Python skip the finder behind it."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name in _waiting:
            with suppress(Exception):
                _waiting.pop(name)()
