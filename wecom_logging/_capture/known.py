"""`KnownTexts` finds the open tally of a text that was built before the call, without making its pattern.

Texts of one place that differ in values alone are one incident, and most values are digits. What a text is without
its digits is found in a microsecond. Which of its numbers are codes, and count, is learned once, from the patterns of
other texts with other numbers. Nothing here takes a lock; what is not known is looked at as a whole.
"""

from __future__ import annotations

import itertools
import logging
import re
import weakref
from collections.abc import Callable, Hashable
from typing import NamedTuple

from .._incidents.pattern import pattern
from .._runtime.hiding import OUR_LIBRARIES
from .exceptions import Raised
from .identity import MAX_TEMPLATE, CallSite, Identity, has_own_word, signature_of
from .record import Reading, named_in
from .tally import Tally

MAX_OUTLINES = 4096
"""Of all places together; beyond that they are learned again."""

MAX_TEXT, MAX_NUMBERS, MAX_CODES = 512, 18, 3
"""Longer texts, of which only both ends are compared, and those with more numbers or codes, are never known: an id may
be cut, or to learn which count would take too long."""

_USUAL_SITE = (int, int, str, str, str, int)
_TO_NOUGHTS = str.maketrans("123456789", "000000000")
_UUID = re.compile(
    r"(?<![0-9A-Za-z_-])(?=[A-Fa-f-]{0,35}\d)[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z_-])"
)
_NO_ID = "00000000-0000-0000-0000-000000000000"
_NUMBER = re.compile("0+")
_AND = "\0"
"""Between two texts that are known together."""

_VALUES = [(digits, _NO_ID.replace("00", two)) for digits, two in (("0", "00"), ("1", "1b"), ("4", "a4"), ("9", "9F"))]
_VALUES += [("258136947", _NO_ID), ("2581369", _NO_ID)]
"""What may stand in place of the noughts of each number in turn, and of an id: 111 and 444 may be a status, 999 not.
With the last two, no two numbers are always equal."""


class Known(NamedTuple):
    """The tally that counts a text, and the text of its variant, where it stands for many."""

    tally: weakref.ref[Tally]
    variant: str


Codes = tuple[slice, ...]
"""Where in a text the numbers are that count."""

UNCLEAR: Codes = ()
"""In place of codes: texts of that outline are never known."""

Outlines = dict[str | tuple[str], Known | Codes]
"""By outline; where some numbers count, by that with these numbers in it, in a tuple."""


def outline_of(text: str) -> str:
    """A text, as long, with a nought in place of each digit, and one id in place of each."""
    if text.count("-") >= 4:
        text = _UUID.sub(_NO_ID, text)
    return text.translate(_TO_NOUGHTS)


def find(outlines: Outlines, text: str) -> Known | None:
    """What is known of a text at its place."""
    if len(text) > MAX_TEXT:
        return None
    found = outlines.get(outline := outline_of(text))
    if found is not None and not isinstance(found, Known):
        found = outlines.get((_with(text, outline, found),))
    return found if isinstance(found, Known) else None


def text_of(reading: Reading, identity: Identity) -> tuple[CallSite, str] | None:
    """Where a record was logged that says no more than its text, which was built before the call, and that text."""
    logger, text = reading.values[2], reading.values[-1]
    if not identity.call_site or reading.error is not None or reading.has_arguments or "\n" in text or _AND in text:
        return None
    if not reading.is_plain and (reading.record.exc_text or logger.startswith(OUR_LIBRARIES)):
        return None
    return identity.call_site, text


def failure_of(record: logging.LogRecord, error: Raised) -> tuple[CallSite, str] | None:
    """Where an exception was logged, and all that makes it the same as another but its text; and that, with that of
    the record where it was built before the call.

    None where it takes a closer look: of a chain, of a group, of a message without a template.
    """
    msg, args = record.msg, record.args
    if type(msg) is not str or len(msg) > MAX_TEMPLATE or error.is_chained or error.is_group:
        return None
    if args and (type(args) is not tuple or not has_own_word(msg) or named_in(record)):
        return None
    site = (record.lineno, record.levelno, record.name, record.pathname, record.funcName, record.process)
    if tuple(map(type, site)) != _USUAL_SITE:
        return None
    signature = signature_of(error)
    if signature.renders:
        return None
    kind = type(error.error)
    if kind is ValueError:
        quotes_input = error.is_of_python
    else:
        quotes_input = kind is KeyError or kind is UnicodeDecodeError or kind is UnicodeEncodeError
    text = error.text
    if not args:
        if _AND in msg or _AND in text:
            return None
        text = f"{msg}{_AND}{text}"
    return (*site, msg if args else None, error.type, quotes_input, signature.text, *error.codes), text


class KnownTexts:
    """By place and outline, for one handler. ``at(call_site)`` gives what is known of a place, if anything.

    An outline is learned when it comes for the second time: most texts whose words vary never come again.
    """

    def __init__(self) -> None:
        self._places: dict[CallSite, Outlines] = {}
        self.at: Callable[[CallSite], Outlines | None] = self._places.get
        self._once: set[int] = set()
        self._number = 0

    def learn(self, call_site: CallSite, text: str, tally: Tally, variant: str) -> None:
        """A text of this place was counted there, as this variant of it. A tally that is over forgets itself."""
        if len(text) > MAX_TEXT or len(_NUMBER.findall(outline := outline_of(text))) > MAX_NUMBERS:
            return
        if not self._came_before(call_site, outline):
            return
        if self._number >= MAX_OUTLINES:
            self._places.clear()
            self._number = 0
        known = self._places.setdefault(call_site, {})
        found = known.get(outline)
        if found is None:
            self._number += 1
            if (codes := codes_in(text, outline)) is not None:
                found = known[outline] = codes
        if found is None or isinstance(found, Known):
            known[outline] = Known(weakref.ref(tally), variant)
        elif found != UNCLEAR and self._came_before(call_site, with_codes := _with(text, outline, found), "codes"):
            if is_the_same(text, outline, found):
                self._number += 1
                known[with_codes,] = Known(weakref.ref(tally), variant)
            else:  # with other codes other numbers count
                known[outline] = UNCLEAR

    def _came_before(self, *what: Hashable) -> bool:
        if (once := hash(what)) in self._once:
            return True
        if len(self._once) >= MAX_OUTLINES:
            self._once.clear()
        self._once.add(once)
        return False


def codes_in(text: str, outline: str) -> Codes | None:
    """The numbers that count in a text of this outline: None where none does, `UNCLEAR` where that cannot be said."""
    kept = _pattern(text)  # with what stands beside them: another may be equal by chance
    spans = [one.span() for one in _NUMBER.finditer(outline)]
    codes = tuple(slice(start, end) for start, end in spans if text[max(start - 1, 0) : end + 1] in kept)
    return (codes or None) if len(codes) <= MAX_CODES and is_the_same(text, outline, codes) else UNCLEAR


def is_the_same(text: str, outline: str, codes: Codes) -> bool:
    """Whether all texts of this outline that have these numbers in common have one pattern."""
    wanted = _pattern(text)
    others = [([*digits], id) for digits, id in _VALUES]
    others += [([text[at]], _NO_ID) for at in codes]  # what is equal to a code may be the input that cannot be read
    return all(_pattern(_with(text, _other(outline, *other), codes)) == wanted for other in others)


def _pattern(text: str) -> str:
    """That of each of two texts: what stands at the begin of one counts."""
    return _AND.join(map(pattern, text.split(_AND))) if _AND in text else pattern(text)


def _other(outline: str, numbers: list[str], id: str) -> str:
    """Another text of this outline, with these in turn for its numbers, as long as they are there."""
    turn = itertools.cycle(numbers)
    return _NUMBER.sub(lambda number: (next(turn) * len(number[0]))[: len(number[0])], outline.replace(_NO_ID, id))


def _with(text: str, outline: str, codes: Codes) -> str:
    """The outline with the numbers of the text at these places."""
    for at in codes:
        outline = outline[: at.start] + text[at] + outline[at.stop :]
    return outline
