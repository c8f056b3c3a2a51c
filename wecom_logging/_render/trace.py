"""A chain of exceptions as lines, each with how much it matters when there is not room for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model import Failure, Frame
from . import inert
from .cut import size, tail, trim

LINKS = {
    "cause": "which was the direct cause of:",
    "context": "while this was handled, there came:",
}
# Smaller matters more: the last exception and where it left the user's own code, how it began, the user's other frames
# from the inside out, with their source, other people's frames, and theirs.
MUST, _EARLIER, _OWN, _OWN_SOURCE, _LIBRARY, _LIBRARY_SOURCE, _MORE = 0, 1, 2, 3, 4, 5, 5
_MAX_GROUP_DEPTH = 8
_MAX_FILE_BYTES = 160
_MAX_NAME_BYTES = 80
_MAX_CODE_BYTES = 240
_MAX_COMPARED = 512


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of a traceback; ``rank`` orders lines by how much they matter, the smallest first.

    ``is_source``: of the frame in the line before, which says where it is found; no mark stands for it.
    """

    text: str
    rank: tuple[int, ...]
    is_source: bool = False


def named(said: str, kind: str, text: str) -> str:
    """What was said, with as much of an exception's type and text as does not stand in it already."""
    if not _stands_in(text, said):
        return f"{said} ({kind}: {text})"
    return said if _stands_in(kind.rpartition(".")[2], said) else f"{said} ({kind})"


def _stands_in(words: str, text: str) -> bool:
    """Whether they stand there by themselves, not as a part of other words; looked for where a first line may be."""
    words, text = words[:_MAX_COMPARED], text[: 4 * _MAX_COMPARED]
    at = text.find(words)
    while at >= 0 and words:
        end = at + len(words)
        begins = not (words[0].isalnum() and text[max(at - 1, 0) : at].isalnum())
        ends = len(words) == _MAX_COMPARED or not (words[-1].isalnum() and text[end : end + 1].isalnum())
        if begins and ends:
            return True
        at = text.find(words, at + 1)
    return not words


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
    last = age == 0 and depth == 0
    innermost = max((place for place, frame in enumerate(failure.frames) if frame.own), default=None) if last else None
    for place, frame in enumerate(failure.frames):
        if failure.omitted and place == failure.head:
            yield TraceLine(f"{margin}  … {failure.omitted} frames left out …", (_EARLIER, age + 1, 0))
        rank = (MUST, 1) if place == innermost else None
        yield from _frame(frame, len(failure.frames) - place, age + depth, margin, rank)
    first, *more = inert.lines(f"{failure.type}: {failure.text}" if failure.text else failure.type)
    yield TraceLine(margin + first, (MUST if last else _EARLIER, age, 0))
    for number, text in enumerate(more):
        yield TraceLine(f"{margin}    {text}", (_MORE, age, number))
    for note in failure.notes:
        for text in inert.lines(note):
            yield TraceLine(f"{margin}    {text}", (_OWN, age, 0))
    yield from _members(failure, age, depth)


def _frame(frame: Frame, distance: int, age: int, margin: str, rank: tuple[int, ...] | None) -> Iterator[TraceLine]:
    kind, source = (_OWN, _OWN_SOURCE) if frame.own else (_LIBRARY, _LIBRARY_SOURCE)
    yield TraceLine(f"{margin}  {location(frame)}", rank or (kind, age, distance))
    if frame.code:
        yield TraceLine(
            f"{margin}      {trim(inert.line(frame.code), _MAX_CODE_BYTES)}",
            (source, age, distance),
            is_source=True,
        )


def _members(failure: Failure, age: int, depth: int) -> Iterator[TraceLine]:
    if depth >= _MAX_GROUP_DEPTH:
        return
    for number, chain in enumerate(failure.members, 1):
        yield TraceLine(f"{'  ' * depth}  ({number} of {len(failure.members)})", (_EARLIER, age, number))
        for member in chain:
            yield from _failure(member, age, depth + 1)


def location(frame: Frame) -> str:
    """``app/pay.py:88 in charge``; of a long path the end."""
    file = inert.line(frame.file)
    if size(file) > _MAX_FILE_BYTES:
        file = f"…{tail(file, _MAX_FILE_BYTES - 3)}"
    name = trim(inert.line(frame.name), _MAX_NAME_BYTES)
    return f"{file}:{frame.line} in {name}" if name else f"{file}:{frame.line}"
