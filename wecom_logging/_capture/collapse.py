"""Variants that differ in names alone (`user 'bob' not found`) become one incident, once there are many in a day.

A name can be what matters (`No module named 'numpy'`) or a value (`user 'bob' not found`): how many different ones come
decides. Of an exception of one type that one place raised in one way, all that varies in its text is a name. Of any
other text, names are collapsed where most of the words are the same. A code is no name. Nothing here takes a lock:
what a calling thread does to a table is one call in C.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from operator import eq
from typing import NamedTuple, TypeVar

from .._incidents.limits import MAX_VARIANTS

HANDFUL = 5
"""So many variants stay apart."""

MANY = 11
"""So many in a sentence of fewer words, but at least `LEAST_HAN` characters, that are the same on both sides."""

LEAST_HAN = 4

FOLDED = "*"
LEAST_WORDS = 3
"""Beside a name, where no exception says what is the same; one less if it is quoted. Two Han characters are one."""

DAY_S = 24 * 3600.0
"""What was seen before that is forgotten."""

MAX_PLACES = 2048
"""Of which texts are kept."""

MAX_TEXTS = 2048
"""That are kept of all places together, taken apart."""

MAX_ALIKE = 32
"""Of one place and number of words."""

MAX_COLLAPSED = 512
"""Places that have forms, each at most `MAX_FORMS`: a form remembers `MAX_VARIANTS` texts."""

MAX_FORMS = 8

_MAX_TRIES = 8
_MAX_TOKENS = 96
_MAX_HAN = 40
"""Longer texts have no name sought within a run of Han characters; a run as a whole may still be one."""

_MAX_WIDTH = 4
"""Han characters of a name that stands between others without a sign: `用户张三登录失败`."""

_MAX_RUN = 16
_MAX_NAME = 6
_MAX_SAID = 512
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_SIGNS = r"=:,;()\[\]{}<>|/\u2018-\u201f\u3001\u3002\u3008-\u3011\uff01-\uff0f\uff1a-\uff20"
_TOKEN = re.compile(
    rf"""(?<!\w)'[^'\n]{{0,48}}'(?!\w)|"[^"\n]{{0,48}}"|[{_HAN}]+|[^\s{_SIGNS}"'{_HAN}]+|['"{_SIGNS}]"""
    r"|[ \t]*\n[ \t\n]*"
)
_NAME = re.compile(r"""(?:['"]|[^\W_]|[-_.\\~@$]+\w)\D*\Z""")
_CODE = re.compile(
    r"(?<![\w.:-])[\w.:-]*\d[\w.:-]*|\bE[A-Z]{4,15}\b|(?<=occurred \()\w+(?=\))"
    r"|(?<![A-Za-z])(?:error[ _]?code|status|(?<=[\"'])code)[\"']?\s?[:=]\s?[\"']?[A-Za-z][\w.]*"
)
"""In a text whose values are replaced, what has a digit is a code; some have none."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_STATE = re.compile(r"[A-Z][A-Z_]{2,}")
"""It may be the very thing: where it is not all that varies, it is no name."""

_IS_HAN = re.compile(f"[{_HAN}]")

F = TypeVar("F", bound="Form")
Spans = tuple[tuple[int, int], ...]
"""Where names stand: the first token of each, and the one behind it."""


class Words(NamedTuple):
    """A text taken apart. Each Han character is a token where they are few; of each, ``left`` says how many of its run
    begin there, and 0 of another token. ``runs`` is how many tokens there are where a run is one."""

    tokens: tuple[str, ...]
    left: tuple[int, ...]
    runs: int


def words_of(text: str) -> Words:
    """A text taken apart into words, signs, and what is quoted."""
    found = _TOKEN.findall(text)
    if text.isascii() or not 0 < len(_IS_HAN.findall(text)) <= _MAX_HAN:
        return Words(tuple(found), (0,) * len(found), len(found))
    tokens: list[str] = []
    left: list[int] = []
    for token in found:
        if _IS_HAN.match(token):
            tokens += token
            left += range(len(token), 0, -1)
        else:
            tokens.append(token)
            left.append(0)
    return Words(tuple(tokens), tuple(left), len(found))


def _codes(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_CODE.findall(text)))


def _weight(tokens: Iterable[str]) -> int:
    """Twice the number of their words."""
    return sum(2 * len(_WORD.findall(one)) if one.isascii() or not _IS_HAN.match(one) else len(one) for one in tokens)


def _is_name(words: Words, start: int, end: int) -> bool:
    """Whether these tokens may be one name."""
    tokens, run = words.tokens[start:end], words.left[start]
    if FOLDED in tokens:
        return True
    if not run:
        return len(tokens) == 1 and _NAME.match(tokens[0]) is not None
    is_whole = len(tokens) == run and (start == 0 or words.left[start - 1] <= 1)
    return 2 <= len(tokens) <= min(run, _MAX_WIDTH) or (is_whole and run <= _MAX_RUN)


def _called(tokens: Iterable[str]) -> str:
    """Names as they are shown; a number in one was replaced."""
    return " ".join(dict.fromkeys(" ".join(tokens).replace("'", " ").replace('"', " ").replace("#", " ").split()))


class Form:
    """What many texts are one incident by. ``at`` is when one of them came last, and endless while they are counted."""

    __slots__ = ("at", "seen", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = float("inf")
        self.seen: dict[int, None] = {}
        """The texts that came, as many as are told by their names."""

    def name_in(self, text: str) -> str | None:
        """What is the name in a text of this form; None in another text."""
        raise NotImplementedError

    def is_new(self, text: str) -> bool:
        """Whether a text of it never came before, and few enough have that it is told."""
        if hash(text) in self.seen or len(self.seen) >= MAX_VARIANTS:
            return False
        self.seen[hash(text)] = None
        return True


class Failure(Form):
    """That of all an exception says with the same codes."""

    __slots__ = ("codes", "common")

    def __init__(self, codes: tuple[str, ...], texts: Sequence[str]) -> None:
        super().__init__(_form(codes))
        self.codes = codes
        first, *others = (words_of(one[:_MAX_SAID]).tokens for one in texts)
        self.common = frozenset(first).intersection(*others)

    def name_in(self, text: str) -> str | None:
        return self.called(text) if _codes(text) == self.codes else None

    def called(self, text: str) -> str:
        """What is not the same in all of them, or how it begins."""
        names = [one for one in words_of(text[:_MAX_SAID]).tokens if one not in self.common and _NAME.match(one)]
        return _called(names[:_MAX_NAME]) or text[:_MAX_RUN]


def failure_form(text: str) -> str:
    """What the text of an exception becomes when there are many with its codes."""
    return _form(_codes(text))


def _form(codes: Iterable[str]) -> str:
    return " ".join([*codes, FOLDED])


class Alike(Form):
    """That of texts in which all but some names is the same; ``words`` are those of one, without the names."""

    __slots__ = ("fixed", "size", "spans", "words")

    def __init__(self, words: Words, spans: Spans) -> None:
        self.spans = spans
        self.size = len(words.tokens)
        begins, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), self.size]
        self.fixed = [(start, end, words.tokens[start:end]) for start, end in zip(begins, ends, strict=True)]
        tokens, left = [*words.tokens], [*words.left]
        for start, end in reversed(spans):
            tokens[start:end], left[start:end] = [FOLDED], [0]
        self.words = Words(tuple(tokens), tuple(left), words.runs)
        super().__init__(" ".join(tokens))

    def names(self, words: Words) -> list[tuple[str, ...]] | None:
        """The tokens of each name in a text of this form; None in another text."""
        tokens, longer = words.tokens, len(words.tokens) - self.size
        if any(tokens[start:end] != wanted for start, end, wanted in self.fixed[:-1]):
            return None
        start, _, wanted = self.fixed[-1]
        if tokens[max(start + longer, 0) :] != wanted:
            return None
        last, until = self.spans[-1]
        spans = (*self.spans[:-1], (last, until + longer))
        if not all(start < end and _is_name(words, start, end) for start, end in spans):
            return None
        return [tokens[start:end] for start, end in spans]

    def name_in(self, text: str) -> str | None:
        found = self.names(words_of(text))
        return None if found is None else _called("".join(one) for one in found)


class Collapse(NamedTuple):
    """What a text becomes, and the names in it."""

    form: Form
    name: str
    is_new: bool


class _Kept(NamedTuple):
    words: Words
    at: float


class Collapses:
    """Which names of which texts are collapsed, for one handler."""

    def __init__(self) -> None:
        self._few: dict[int, tuple[tuple[str, float], ...] | None] = {}
        """The texts of a place while they are a handful, so that none is taken apart; None where there are more."""
        self._kept: dict[int, tuple[_Kept, ...]] = {}
        """Those of a place that has more, by their number of words."""
        self._number = 0
        self._forms: dict[int, tuple[Form, ...]] = {}

    def collapse(self, place: Hashable, text: str, now: float, *, is_failure: bool) -> Collapse | None:
        """What a text becomes that was said there; None: its names count."""
        found = self._failure(place, text, now) if is_failure else self._alike(place, text, now)
        return None if found is None else Collapse(*found, found[0].is_new(text))

    def _failure(self, place: Hashable, text: str, now: float) -> tuple[Form, str] | None:
        codes = _codes(text)
        seed = hash((place, codes))
        for known in self._fresh(seed, now):
            if isinstance(known, Failure):
                return known, known.called(text)
        few = self._few_of(seed, text, now)
        if few is None:  # none of them came within a day
            self._few[seed] = ((text, now),)
        if few is None or len(few) <= HANDFUL:
            return None
        form = self._add(seed, Failure(codes, few))
        return form, form.called(text)

    def _alike(self, place: Hashable, text: str, now: float) -> tuple[Form, str] | None:
        seed = hash(place)
        few = self._few_of(seed, text, now)
        if few is not None and len(few) <= HANDFUL:
            return None
        for earlier in (few or ())[:-1]:
            taken = words_of(earlier)
            self._keep(hash((seed, taken.runs)), taken, now)
        words = words_of(text)
        if not 0 < len(words.tokens) <= _MAX_TOKENS:
            return None
        key = hash((seed, words.runs))
        for known in self._fresh(key, now):
            if isinstance(known, Alike) and (names := known.names(words)) is not None:
                return known, _called(map("".join, names))
        if (form := _found(words, self._keep(key, words, now))) is None:
            return None
        self._put(
            key, (*(one for one in self._kept.get(key, ()) if form.names(one.words) is None), _Kept(form.words, now))
        )
        return self._add(key, form), form.name_in(text) or ""

    def _few_of(self, seed: int, text: str, now: float) -> list[str] | None:
        """The texts of a place, this one the last, while they are a handful or have just become more."""
        if (few := self._few.get(seed, ())) is None:
            return None
        kept = [one for one in few if one[0] != text and _is_fresh(one[1], now)] + [(text, now)]
        if len(self._few) >= MAX_PLACES and seed not in self._few:
            self._few.clear()  # at worst variants stay apart for longer
        self._few[seed] = tuple(kept) if len(kept) <= HANDFUL else None
        return [one for one, _ in kept]

    def _keep(self, key: int, words: Words, now: float) -> list[Words]:
        """Keep a text, and give the others that may be like it."""
        kept = [one for one in self._kept.get(key, ()) if one.words != words and _is_fresh(one.at, now)]
        self._put(key, (*kept[1 - MAX_ALIKE :], _Kept(words, now)))
        return [one.words for one in kept]

    def _put(self, key: int, kept: tuple[_Kept, ...]) -> None:
        before = self._kept.get(key, ())
        self._number += len(kept) - len(before)
        if self._number > MAX_TEXTS or (len(self._kept) >= MAX_PLACES and not before):
            self._kept.clear()  # as above
            self._number = len(kept)
        self._kept[key] = kept

    def _fresh(self, key: int, now: float) -> Iterator[Form]:
        """The forms of which a text came within a day, the newest first."""
        return (form for form in self._forms.get(key, ()) if _is_fresh(form.at, now))

    def _add(self, key: int, form: F) -> F:
        if len(self._forms) >= MAX_COLLAPSED and key not in self._forms:
            self._forms.clear()  # they are found again when there are many
        forms: tuple[Form, ...] = (form, *self._forms.get(key, ()))
        self._forms[key] = forms[:MAX_FORMS]
        return form


def _is_fresh(at: float, now: float) -> bool:
    return abs(now - at) <= DAY_S or at == float("inf")


def _found(words: Words, others: Sequence[Words]) -> Alike | None:
    """The form of a text of which many others are, each with other names; the fewest names that are many."""
    found = Counter(spans for one in others if (spans := _difference(words, one)))
    for spans, _ in sorted(found.most_common(_MAX_TRIES), key=lambda one: sum(end - start for start, end in one[0])):
        form = Alike(words, spans)
        if (mine := form.names(words)) is None or not (most := _most(words, spans)):
            continue
        all_names = [mine, *(names for one in others if (names := form.names(one)) is not None)]
        if all(any(FOLDED in name for name in one) or len(set(one)) > most for one in zip(*all_names, strict=True)):
            return form
    return None


def _difference(words: Words, other: Words) -> Spans:
    """Where a text says something else than another that is the same in the greater part; nowhere in the others."""
    mine, its = words.tokens, other.tokens
    has_han = any(words.left)
    if len(its) == len(mine):
        if (2 if has_han else 1.5) * sum(map(eq, mine, its)) < len(mine):
            return ()
        at: Iterable[int] = [place for place, one in enumerate(mine) if one != its[place]]
    elif has_han:
        start = _same(mine, its)
        end = len(mine) - min(_same(mine[::-1], its[::-1]), len(mine) - start, len(its) - start)
        at = range(start, end)
    else:
        return ()
    spans: list[tuple[int, int]] = []
    for place in at:
        if spans and spans[-1][1] == place and words.left[place - 1] > 1:
            spans[-1] = spans[-1][0], place + 1
        else:
            spans.append((place, place + 1))
    return tuple(_whole_name(words, *one) for one in spans)


def _whole_name(words: Words, start: int, end: int) -> tuple[int, int]:
    """No name between others is one Han character: another had the same first or last one."""
    if end > start + 1 or not words.left[start]:
        return start, end
    if start and words.left[start - 1] > 1:
        return start - 1, end
    return start, end + (words.left[start] > 1)


def _same(mine: Sequence[str], its: Sequence[str]) -> int:
    """How many tokens are the same at the beginning."""
    pairs = enumerate(zip(mine, its, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(mine), len(its)))


def _most(words: Words, spans: Spans) -> int:
    """How many names stay apart there, by how much is the same beside them; 0: however many there are."""
    tokens = words.tokens
    names = {tokens[start:end] for start, end in spans}
    if len(names) > 1 and any(_STATE.fullmatch(token) for name in names for token in name):
        return 0
    start, end = spans[-1]
    if end == len(tokens) and end - start >= _MAX_WIDTH:
        return 0  # so long, and at the end, it is a reason
    names_are_quoted = any(name[0][0] in "'\"" for name in names)
    fixed = [one for place, one in enumerate(tokens) if not any(begin <= place < until for begin, until in spans)]
    if _weight(fixed) >= 2 * (max(LEAST_WORDS, 2 * len(names)) - names_are_quoted):
        return HANDFUL
    stands_between = spans[0][0] > 0 and spans[-1][1] < len(tokens)
    is_sentence = sum(map(len, filter(_IS_HAN.match, fixed))) >= LEAST_HAN
    return MANY if is_sentence and stands_between and len(names) == 1 else 0
