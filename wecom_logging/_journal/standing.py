"""What has been said that holds for a time in this process (maintenances, swaps of rotas): facts of one journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any, TypeVar

from ..model.duty import Scope, Swap
from .memory import MemoryJournal

_MOST = 64
"""Of each kind so many, the newest."""

T = TypeVar("T", Scope, Swap)

_journal = MemoryJournal()


def standing(kind: type[T]) -> tuple[T, ...]:
    """All of a kind, the newest last; what is over, too, until more is said. Any thread may ask."""
    begins, facts = kind.__name__, _journal.facts("")
    if facts is None or not facts.texts:
        return ()
    return tuple(kind(**_fields(text)) for name, text in facts.texts.items() if name.startswith(begins))


def change(kind: type[T], become: Callable[[tuple[T, ...]], Sequence[T]]) -> tuple[T, ...]:
    """Let it become another. Each is a fact of its own: what another thread says at the same time is kept."""
    before = standing(kind)
    after = tuple(become(before))[-_MOST:]
    for one in before:
        if one not in after:
            _put(one, 0.0)
    for one in after:
        if one not in before:
            _put(one, float("inf"))
    return standing(kind)


def forget() -> None:
    """For tests: nothing was said."""
    global _journal
    _journal = MemoryJournal()


def _put(one: Scope | Swap, ends: float) -> None:
    text = json.dumps(asdict(one))
    _journal.put(f"{type(one).__name__} {text}", text, ends)


@lru_cache(maxsize=4 * _MOST)
def _fields(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(text)
    return {name: tuple(one) if isinstance(one, list) else one for name, one in fields.items()}
