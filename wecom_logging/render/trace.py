"""A chain of exceptions as lines, each with how much it matters when there is not room for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model import Failure, Frame
from . import inert

LINKS = {
    "cause": "which was the direct cause of:",
    "context": "while this was handled, there came:",
}
# Smaller matters more: the last exception, its own frames from the inside out, how it began, other people's frames.
_LAST, _EARLIER, _OWN, _LIBRARY, _SOURCE, _MORE = 0, 1, 2, 3, 4, 5
_MAX_GROUP_DEPTH = 8


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of a traceback; ``rank`` orders lines by how much they matter, the smallest first."""

    text: str
    rank: tuple[int, ...]


def trace_lines(failures: tuple[Failure, ...]) -> list[TraceLine]:
    """The whole traceback, most recent call last."""
    found: list[TraceLine] = []
    for place, failure in enumerate(failures):
        age = len(failures) - 1 - place
        found += _failure(failure, age, depth=0)
        if failure.link:
            found.append(TraceLine(LINKS[failure.link], (_EARLIER, age, 1)))
    return found


def _failure(failure: Failure, age: int, depth: int) -> Iterator[TraceLine]:
    margin = "  " * depth
    importance = _LAST if age == 0 and depth == 0 else _EARLIER
    for place, frame in enumerate(failure.frames):
        if failure.omitted and place == failure.head:
            yield TraceLine(f"{margin}  … {failure.omitted} frames left out …", (_EARLIER, age + 1, 0))
        yield from _frame(frame, len(failure.frames) - place, age + depth, margin)
    first, *more = inert.lines(f"{failure.type}: {failure.text}" if failure.text else failure.type)
    yield TraceLine(margin + first, (importance, age, 0))
    for number, text in enumerate(more):
        yield TraceLine(f"{margin}    {text}", (_MORE, age, number))
    for note in failure.notes:
        for text in inert.lines(note):
            yield TraceLine(f"{margin}    {text}", (_OWN, age, 0))
    yield from _members(failure, age, depth)


def _frame(frame: Frame, distance: int, age: int, margin: str) -> Iterator[TraceLine]:
    kind = _OWN if frame.own else _LIBRARY
    yield TraceLine(f"{margin}  {location(frame)}", (kind, age, distance))
    if frame.code:
        yield TraceLine(f"{margin}      {inert.line(frame.code)}", (_SOURCE + (kind == _LIBRARY), age, distance))


def _members(failure: Failure, age: int, depth: int) -> Iterator[TraceLine]:
    if depth >= _MAX_GROUP_DEPTH:
        return
    for number, chain in enumerate(failure.members, 1):
        yield TraceLine(f"{'  ' * depth}  ({number} of {len(failure.members)})", (_EARLIER, age, number))
        for member in chain:
            yield from _failure(member, age, depth + 1)


def location(frame: Frame) -> str:
    """``app/pay.py:88 in charge``"""
    return inert.line(f"{frame.file}:{frame.line} in {frame.name}" if frame.name else f"{frame.file}:{frame.line}")
