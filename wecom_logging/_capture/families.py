"""Folds kinds that differ in a name alone (`user 'bob' not found`) into one incident, once there are many.

A name can be what matters (`No module named 'numpy'`) or a value (`user 'bob' not found`): how many different ones come
within a window decides. Whoever folds only by the call site would hide what else is said there: a name is folded where
all other words are the same. Nothing here takes a lock: what a calling thread does to a table is one call in C.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from .._masking.patterns import lazy

HANDFUL = 5
"""So many kinds stay apart."""

FOLDED = "*"
LEAST_WORDS = 3
"""Beside the name, where no exception says what is the same; one less if it is quoted. Two Han characters are one."""

MAX_SEEN = 8192
MAX_PLACES = 2048
"""Whose texts are kept while they are a handful."""
_MAX_TOKENS = 96
_MAX_HAN = 40
"""Longer texts have no name sought within a run of Han characters; a run as a whole may still be one."""

_WIDTHS = (2, 3, 4)
"""Han characters of a name that stands between others without a sign: `用户张三登录失败`."""

_MAX_RUN = 16
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_CHINESE_SIGNS = r"\u2018-\u201f\u3001\u3002\u3008-\u3011\uff01-\uff0f\uff1a-\uff20"
_SIGNS = rf"=:,;()\[\]{{}}<>|/{_CHINESE_SIGNS}"
_TOKENS = (
    rf"""(?<!\w)'[^'\n]{{0,128}}'(?!\w)|"[^"\n]{{0,128}}"|[{_HAN}]+|[^\s{_SIGNS}"'{_HAN}]+|['"{_SIGNS}]"""
    r"|[ \t]*\n[ \t\n]*"
)
_TOKEN = re.compile(_TOKENS.replace(f"[{_HAN}]+|", "").replace(_HAN, "").replace(_CHINESE_SIGNS, ""))
_TOKEN_NEAR_HAN = lazy(_TOKENS)
_NAME = re.compile(r"""['"]|[^\W_]|[-_.\\~@$]+\w""")
_WORD = re.compile(r"[^\W\d_]{2,}")
_IS_HAN = lazy(f"[{_HAN}]")
_END = "\x1f"


def prepare_for_han() -> None:
    """Compile what only texts with Han characters need, so that no log call does."""
    _tokens("\u4e2d")


def _tokens(text: str) -> tuple[list[str], list[int]]:
    """Those of a text, a Han character being one where there are few; and of each how many of a run begin there."""
    found = (_TOKEN if text.isascii() else _TOKEN_NEAR_HAN).findall(text)
    if text.isascii() or not 0 < len(_IS_HAN.findall(text)) <= _MAX_HAN:
        return found, [0] * len(found)
    tokens: list[str] = []
    left: list[int] = []
    for token in found:
        if _IS_HAN.match(token):
            tokens += token
            left += range(len(token), 0, -1)
        else:
            tokens.append(token)
            left.append(0)
    return tokens, left


def _weight(token: str) -> int:
    """Twice the number of its words."""
    return len(token) if _IS_HAN.match(token) else 2 * len(_WORD.findall(token))


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
        name = f"([^{_END}]+(?:{_END}[{_HAN}]){{0,{_MAX_RUN - 1}}})"
        form = _END.join(name if token == FOLDED else re.escape(token) for token in self.tokens)
        found = re.fullmatch(form, _END.join(_tokens(text)[0]))
        return None if found is None else " ".join(_bare(one.replace(_END, "")) for one in found.groups())


class Families:
    """Which names of which texts are folded, for one handler. What was seen before ``window_s`` is forgotten."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._few: dict[int, list[tuple[str, float]] | None] = {}
        """The texts of a place while they are a handful, so that nobody looks into them; None where there are more."""
        self._seen: dict[int, tuple[float, ...]] = {}
        self._folded: dict[int, None] = {}

    def fold(self, place: object, text: str, now: float, *, least_words: int) -> Fold | None:
        """What a text becomes that was said there; None: its names count."""
        seed = hash(place)
        if len(self._few) >= MAX_PLACES and seed not in self._few:
            self._few.clear()  # at worst kinds stay apart for longer
        few = self._few.setdefault(seed, [])
        if few is not None:
            if any(text == earlier for earlier, _ in few):  # two threads are at the same record
                return None
            if len(few) < HANDFUL:
                few.append((text, now))
                return None
            self._few[seed] = None
            for earlier, at in few:
                self._fold(seed, earlier, at, least_words)
        return self._fold(seed, text, now, least_words)

    def _fold(self, seed: int, text: str, now: float, least_words: int) -> Fold | None:
        tokens, left = _tokens(text)
        if not 0 < len(tokens) <= _MAX_TOKENS:
            return None
        weights = [2 * len(_WORD.findall(token)) for token in tokens] if text.isascii() else [*map(_weight, tokens)]
        names, folds = [""] * len(tokens), []
        while (best := self._find(tokens, weights, left, seed, now, 2 * least_words)) is not None:
            at, width, fold = best
            names[at : at + width] = [_bare("".join(tokens[at : at + width]))]
            tokens[at : at + width], weights[at : at + width], left[at : at + width] = [FOLDED], [0], [0]
            folds.append(fold)
        name = " ".join(filter(None, names))
        return Fold(" ".join(tokens), name, tuple(tokens), tuple(folds)) if folds else None

    def _find(
        self, tokens: list[str], weights: list[int], left: list[int], seed: int, now: float, least: int
    ) -> tuple[int, int, int] | None:
        """The tokens that are a name to fold, if there are any: where, how many, and the fold."""
        heads = list(itertools.accumulate(tokens, lambda before, token: hash((before, token)), initial=seed))
        tails = [0]
        all_weights, most, number_of = sum(weights), HANDFUL, len(tokens)
        best: tuple[int, int, int] | None = None
        for at in range(number_of - 1, -1, -1):
            token = tokens[at]
            if _NAME.match(token):
                wanted = least - 2 if least and token[0] in "'\"" else least
                for width in self._widths(left, at) if left[at] else (1,):
                    end = at + width
                    weight = weights[at] if width == 1 else width
                    if all_weights - weight < wanted:
                        break
                    fold = hash((heads[at], number_of - end, tails[number_of - end]))
                    if fold in self._folded:
                        return at, width, fold
                    name = hash(token if width == 1 else tuple(tokens[at:end]))
                    if (number := self._count(fold, name, now)) > most:
                        best, most = (at, width, fold), number
            tails.append(hash((tails[-1], token)))
        if best is not None:
            if len(self._folded) >= MAX_SEEN:
                self._folded.clear()  # they are folded again when there are many
            self._folded[best[2]] = None
        return best

    @staticmethod
    def _widths(left: list[int], at: int) -> list[int]:
        """How many Han characters may be one name there, the fewest first; of a run as a whole any number."""
        until = left[at]
        found = [width for width in _WIDTHS if width <= until]
        if (at == 0 or left[at - 1] <= 1) and until not in found and until <= _MAX_RUN:
            found.append(until)
        return found

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
