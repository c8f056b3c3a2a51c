"""Folds kinds that differ in a name alone (`user 'bob' not found`) into one incident, once there are many.

A name can be what matters (`No module named 'numpy'`) or a value (`user 'bob' not found`): how many different ones come
within a window decides. Whoever folds only by the call site would hide what else is said there: a name is folded where
all other words are the same. Nothing here takes a lock: what a calling thread does to a table is one call in C.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

HANDFUL = 5
"""So many kinds stay apart."""

FOLDED = "*"
LEAST_WORDS = 3
"""Beside the name, where no exception says what is the same."""

MAX_SEEN = 8192
_MAX_TOKENS = 96
_TOKEN = re.compile(
    r"""(?<!\w)'[^'\n]{0,128}'(?!\w)|"[^"\n]{0,128}"|[^\s=:,;()\[\]{}<>|"']+|['"=:,;()\[\]{}<>|]|[ \t]*\n[ \t\n]*"""
)
_NAME = re.compile(r"""['"]|[^\W_]|[-_./\\~@$]+\w""")
_WORD = re.compile(r"[^\W\d_]{2,}")


def _bare(token: str) -> str:
    return token.strip("'\"")


class Fold(NamedTuple):
    """A text with ``*`` in place of each name that is folded, the names, and what `Families.forget` needs."""

    text: str
    name: str
    tokens: tuple[str, ...]
    folds: tuple[int, ...]

    def name_in(self, text: str) -> str | None:
        """The names in another text that becomes this one; None where it does not."""
        found = _TOKEN.findall(text)
        pairs = list(zip(found, self.tokens, strict=False))
        if len(found) != len(self.tokens) or any(mark not in (FOLDED, token) for token, mark in pairs):
            return None
        return " ".join(_bare(token) for token, mark in pairs if mark == FOLDED)


class Families:
    """Which names of which texts are folded, for one handler. What was seen before ``window_s`` is forgotten."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._seen: dict[int, tuple[float, ...]] = {}
        self._folded: dict[int, None] = {}

    def fold(self, place: object, text: str, now: float, *, least_words: int) -> Fold | None:
        """What a text becomes that was said there; None: its names count."""
        tokens = _TOKEN.findall(text)
        if not 0 < len(tokens) <= _MAX_TOKENS:
            return None
        words = [len(_WORD.findall(token)) for token in tokens]
        seed, names, folds = hash(place), {}, []
        while (best := self._find(tokens, words, seed, now, least_words)) is not None:
            at, fold = best
            names[at] = _bare(tokens[at])
            tokens[at], words[at] = FOLDED, 0
            folds.append(fold)
        name = " ".join(names[at] for at in sorted(names))
        return Fold(" ".join(tokens), name, tuple(tokens), tuple(folds)) if folds else None

    def _find(
        self, tokens: list[str], words: list[int], seed: int, now: float, least_words: int
    ) -> tuple[int, int] | None:
        """The token that is a name to fold, if there is one."""
        heads = list(itertools.accumulate(tokens, lambda before, token: hash((before, token)), initial=seed))
        after, all_words, most = 0, sum(words), HANDFUL
        best: tuple[int, int] | None = None
        for at in range(len(tokens) - 1, -1, -1):
            token = tokens[at]
            if _NAME.match(token) and all_words - words[at] >= least_words:
                fold = hash((heads[at], len(tokens), after))
                if fold in self._folded:
                    return at, fold
                if (number := self._count(fold, hash(token), now)) > most:
                    best, most = (at, fold), number
            after = hash((after, token))
        if best is not None:
            self._folded[best[1]] = None
        return best

    def _count(self, fold: int, name: int, now: float) -> int:
        """How many different names have stood there within the window."""
        seen = self._seen.get(fold, ())
        if not seen or not 0 <= now - seen[0] <= self._window_s:
            seen = (now,)
        if name not in seen[1:] and len(seen) <= HANDFUL + 1:
            if len(self._seen) >= MAX_SEEN:
                self._seen.clear()  # at worst kinds stay apart for longer
            self._seen[fold] = seen = (*seen, name)
        return len(seen) - 1

    def forget(self, folds: tuple[int, ...]) -> None:
        """The incident of what was folded is over."""
        for fold in folds:
            self._folded.pop(fold, None)
            self._seen.pop(fold, None)
