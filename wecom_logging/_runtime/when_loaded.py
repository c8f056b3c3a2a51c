"""`when_loaded`: does something when a module of a framework is about to run, and imports none of it itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_waiting: dict[str, Callable[[], object]] = {}


def when_loaded(module: str, then: Callable[[], object]) -> None:
    """Call it once, right before the code of ``module`` runs; at once where it is loaded. Nobody hears what it raises.

    It needs a finder in ``sys.meta_path``, which asks the others: a program in which the package of the module is not
    installed gets none. ``then`` may import and take locks: an ``import`` statement stands where a program does, too.
    """
    package = module.partition(".")[0]
    if module in sys.modules:
        with suppress(Exception):  # it must not break the code that asks
            then()
    elif package in sys.modules or PathFinder.find_spec(package) is not None:
        _waiting[module] = then
        if _Finder not in sys.meta_path:
            sys.meta_path.insert(0, _Finder)


class _Finder:
    """Stays when all have come: who takes it out amid a search makes Python skip the finder behind it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Asks the other finders. The loader does what waits: amid a search Python holds a lock of all imports."""
        if name not in _waiting:
            return None
        finders = [one for one in sys.meta_path if one is not _Finder and hasattr(one, "find_spec")]
        spec = next(filter(None, (one.find_spec(name, path, target) for one in finders)), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment] # it is as the one that it stands for
        return spec


class _Loader:
    """Stands for another loader until the module runs."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        with suppress(Exception):  # it must not break the import of the program
            _waiting.pop(module.__name__)()
        self._loader.exec_module(module)
