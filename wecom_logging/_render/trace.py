"""A chain of exceptions as lines, each with how much it matters when there is not room for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .._text import inert
from .._text.cut import size, tail, trim
from .._text.said import Language
from ..model import Failure, Frame
from .words import CAUSE, CONTEXT, FRAMES_FOLDED, FRAMES_LEFT_OUT, MEMBER, PLACE

LINKS = {"cause": CAUSE, "context": CONTEXT}
# Smaller matters more: the last exception and where it left the user's own code, how it began, the user's other frames
# from the inside out, with their source, other people's frames, and theirs.
MUST, _EARLIER, _OWN, _OWN_SOURCE, _LIBRARY, _LIBRARY_SOURCE, _MORE = 0, 1, 2, 3, 4, 5, 5
_MAX_GROUP_DEPTH = 8
_MAX_FILE_BYTES = 160
_MAX_NAME_BYTES = 80
_MAX_CODE_BYTES = 240
_MAX_LIBRARY_BYTES = 40
_MOST_NAMES = 3
_LEAST_ECHO = 80
_MAX_ECHO = 2048
_MOST_USEFUL = 3
_MADE = re.compile(r"<(?:frozen )?([\w.]+)")
_INSTALLED = re.compile(r"(?:site|dist)-packages[/\\]|[/\\]lib(?:64)?[/\\]python3\.\d+t?[/\\]")
_PART = re.compile(r"[/\\]|\.(?!py$)")


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of a traceback; ``rank`` orders lines by how much they matter, the smallest first.

    ``is_source``: of the frame in the line before, which says where it is found; no mark stands for it.
    """

    text: str
    rank: tuple[int, ...]
    is_source: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """Its language, whether every frame is shown, and whether any is the program's own."""

    language: Language
    is_whole: bool
    has_own: bool


def trace_lines(failures: tuple[Failure, ...], language: Language, frames: str = "own") -> list[TraceLine]:
    """The traceback, most recent call last: with all its ``frames``, or those of libraries folded."""
    look = _Look(language, frames == "all", any(frame.own for failure in failures for frame in failure.frames))
    found: list[TraceLine] = []
    for place, failure in enumerate(failures):
        age = len(failures) - 1 - place
        found += _failure(_without_echo(failure, failures[place + 1 :]), age, 0, look)
        if failure.link:
            found.append(TraceLine(LINKS[failure.link].within(look.language), (_EARLIER, age, 1)))
    return found


def _without_echo(failure: Failure, later: tuple[Failure, ...]) -> Failure:
    """Of a long text that the next exception repeats there is the mark alone."""
    text = failure.text[:_MAX_ECHO]
    if not later or not _LEAST_ECHO <= len(failure.text) <= _MAX_ECHO or text not in later[0].text[: 2 * _MAX_ECHO]:
        return failure
    return replace(failure, text="…")


def _failure(failure: Failure, age: int, depth: int, look: _Look) -> Iterator[TraceLine]:
    margin = "  " * depth
    last = age == 0 and depth == 0
    innermost = max((place for place, frame in enumerate(failure.frames) if frame.own), default=None) if last else None
    shown = set(range(len(failure.frames))) if look.is_whole else _shown(failure, look.has_own or not last)
    folded: list[Frame] = []
    for place, frame in enumerate(failure.frames):
        if folded and (place in shown or (failure.omitted and place == failure.head)):
            yield TraceLine(
                f"{margin}  {_fold(folded, look.language)}", (_LIBRARY, age + depth, len(failure.frames) - place)
            )
            folded = []
        if failure.omitted and place == failure.head:
            left_out = FRAMES_LEFT_OUT.within(look.language, failure.omitted)
            yield TraceLine(f"{margin}  {left_out}", (_EARLIER, age + 1, 0))
        if place not in shown:
            folded.append(frame)
            continue
        rank = (MUST, 1) if place == innermost else None
        with_code = frame if frame.own or look.is_whole or not look.has_own else replace(frame, code="")
        yield from _frame(with_code, len(failure.frames) - place, age + depth, margin, rank, look.language)
    first, *more = inert.lines(f"{failure.type}: {failure.text}" if failure.text else failure.type, look.language)
    yield TraceLine(margin + first, (MUST if last else _EARLIER, age, 0))
    for number, text in enumerate(more):
        yield TraceLine(f"{margin}    {text}", (_MORE, age, number))
    for note in failure.notes:
        for text in inert.lines(note, look.language):
            yield TraceLine(f"{margin}    {text}", (_OWN, age, 0))
    yield from _members(failure, age, depth, look)


def _shown(failure: Failure, has_own: bool) -> set[int]:
    """The frames that are not folded: the program's own, the one by which it went into a library, and the last."""
    frames = failure.frames
    own = {place for place, frame in enumerate(frames) if frame.own}
    last = {len(frames) - 1} if frames else set()
    if not own:  # of an exception that has left none of the program's code, the way into the library and its end
        return last if has_own else {0, *range(max(len(frames) - _MOST_USEFUL, 0), len(frames))}
    return own | last | {place + 1 for place in own if place + 1 < len(frames)}


def _fold(frames: list[Frame], language: Language) -> str:
    """``… 14 in fastapi, starlette``"""
    names = dict.fromkeys(library(frame.file) for frame in frames)
    shown = [*names][:_MOST_NAMES]
    return FRAMES_FOLDED.within(language, len(frames), ", ".join([*shown, "…"] if len(names) > len(shown) else shown))


def library(file: str) -> str:
    """The package that a file is of: ``django``, ``asyncio``; of a module that it made itself, too."""
    made = _MADE.match(file)
    path = made[1] if made else _INSTALLED.split(file)[-1].lstrip("/\\")
    return trim(inert.line(_PART.split(path)[0].removesuffix(".py")) or "?", _MAX_LIBRARY_BYTES)


def _frame(
    frame: Frame, distance: int, age: int, margin: str, rank: tuple[int, ...] | None, language: Language
) -> Iterator[TraceLine]:
    kind, source = (_OWN, _OWN_SOURCE) if frame.own else (_LIBRARY, _LIBRARY_SOURCE)
    yield TraceLine(f"{margin}  {location(frame, language)}", rank or (kind, age, distance))
    if frame.code:
        yield TraceLine(
            f"{margin}      {trim(inert.line(frame.code, language), _MAX_CODE_BYTES)}",
            (source, age, distance),
            is_source=True,
        )


def _members(failure: Failure, age: int, depth: int, look: _Look) -> Iterator[TraceLine]:
    if depth >= _MAX_GROUP_DEPTH:
        return
    for number, chain in enumerate(failure.members, 1):
        words = MEMBER.within(look.language, number, len(failure.members))
        yield TraceLine(f"{'  ' * depth}  {words}", (_EARLIER, age, number))
        for member in chain:
            yield from _failure(member, age, depth + 1, look)


def place(frame: Frame, language: Language = "en") -> str:
    """Where a record was logged; "" where nothing says so."""
    return location(frame, language) if frame.file else ""


def location(frame: Frame, language: Language = "en") -> str:
    """``app/pay.py:88 in charge``; of a long path the end. ``〈module〉`` is spelt as in a message, also elsewhere."""
    file = inert.line(frame.file)
    if size(file) > _MAX_FILE_BYTES:
        file = f"…{tail(file, _MAX_FILE_BYTES - 3)}"
    name = trim(inert.line(frame.name), _MAX_NAME_BYTES)
    return inert.in_text(PLACE.within(language, file, frame.line, name) if name else f"{file}:{frame.line}")
