"""`Identity`, the value that `identify` makes, and `digest_of`, which the group key is made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

Spot = tuple[Hashable, ...]
"""Where a record comes from, as `AlertHandler.handle` looks for it: line, level, logger, path, function, process."""

NO_TEMPLATE = object()

MAX_TEMPLATE = 1024
"""Longer texts are none that a program is made of; nobody searches them for a word, or keeps them."""


class Identity:
    """What a record has in common with those that are the same.

    ``place`` says where and of what kind, ``text`` what was said there. ``is_free``: its words are not those of a
    template, so that kinds of it may be folded; ``is_failure``: an exception is a part of it. ``constant`` is a
    template that says all: records of this ``spot`` that have the same object need no look at anything else.
    """

    __slots__ = ("constant", "is_failure", "is_free", "place", "spot", "text", "whom")

    def __init__(self, place: Spot, text: str, *, is_free: bool = False, is_failure: bool = False) -> None:
        self.place = place
        self.text = text
        self.is_free = is_free
        self.is_failure = is_failure
        self.constant: object = NO_TEMPLATE
        self.spot: Spot = ()
        self.whom: Hashable = None

    def folded(self, text: str) -> Identity:
        """That of all kinds of it."""
        found = Identity(self.place, text, is_failure=self.is_failure)
        found.whom = self.whom
        return found

    @property
    def key(self) -> Spot:
        return (self.whom, self.place, self.text)


def digest_of(identity: Identity, mask: Callable[[str], str]) -> str:
    """The same on every host and in every run: 32 hex digits. What is masked in a message is masked here, too."""
    import hashlib

    words = mask("\n".join([*_flat(identity.place), identity.text]))
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32]


def _flat(parts: Iterable[Any]) -> Iterable[str]:
    for part in parts:
        if isinstance(part, tuple):
            yield f"({len(part)}"
            yield from _flat(part)
        else:
            yield str(part)
