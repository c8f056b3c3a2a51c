"""A traceback that is text already, as a queue, another process or ``traceback.format_exc()`` leaves it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..model import Failure, Frame

HEAD_FRAMES = 16
TAIL_FRAMES = 48
MAX_CHAIN = 10
_MARK = "(most recent call last):"
START = f"Traceback {_MARK}"
_BEGIN = re.compile(r"^(?:Traceback|Stack|  \+ Exception Group Traceback) \(most recent call last\):$", re.MULTILINE)
_STACK = re.compile(r"^Stack \(most recent call last\):\n?", re.MULTILINE)
LINKS = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
_BETWEEN = re.compile(rf"^\n?({'|'.join(map(re.escape, LINKS))})\n$", re.MULTILINE)
_FRAME = re.compile(r'  File "(.{1,1024})", line (\d{1,9})(?:, in ([\w.<>]{1,256}))?')
_LAST = re.compile(r"([A-Za-z_][\w.<>]{0,255})(?:: (.*)|:?)")
_REPEATED = re.compile(r"  \[Previous line repeated \d{1,9} more times?\]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text says: exceptions, the oldest first, and what there is besides them, such as a stack."""

    failures: tuple[Failure, ...] = ()
    rest: str = ""


def cut(message: str) -> tuple[str, str]:
    """A message without the traceback at its end, and that; a message that is nothing else says what was raised."""
    found = _BEGIN.search(message) if _MARK in message else None
    if found is None:
        return message, ""
    before, trace = message[: found.start()].rstrip("\n"), message[found.start() :]
    return before or raised(trace), trace


def raised(trace: str) -> str:
    """The last line that is not indented: of a traceback the exception, unless its text has several lines."""
    lines = [line for line in trace.split("\n") if line.strip()]
    return next((line for line in reversed(lines) if not line.startswith(" ")), lines[-1])


def parse(text: str) -> Parsed:
    """The exceptions of a traceback as Python prints it. What it does not know, such as a group, stays a text."""
    text, *stacks = _STACK.split(text, maxsplit=1)
    text = text.strip("\n")
    stack = "".join(stacks).strip("\n")
    if not text:
        return Parsed((), stack)
    blocks = _BETWEEN.split(text)
    parsed = [_failure(block.strip("\n")) for block in blocks[::2]]
    failures = [failure for failure in parsed if failure is not None]
    if len(failures) < len(parsed):
        return Parsed((), f"{text}\n{stack}".strip("\n"))
    links = [*(LINKS[words] for words in blocks[1::2]), ""]
    chain = [
        Failure(one.type, one.text, one.frames, one.omitted, one.head, one.notes, link)
        for one, link in zip(failures, links, strict=True)
    ]
    return Parsed(tuple(chain[-MAX_CHAIN:]), stack)


def _failure(block: str) -> Failure | None:
    """One traceback: its head, frames with their source, and from the first line without margin on the exception."""
    head, *lines = block.split("\n")
    if head != START:
        return None
    frames: list[Frame] = []
    notes: list[str] = []
    for number, line in enumerate(lines):
        if not line.startswith("  "):
            return _made("\n".join(lines[number:]), frames, notes)
        if found := _FRAME.fullmatch(line):
            frames.append(Frame(found[1], int(found[2]), found[3] or "", code=_code(lines, number + 1)))
        elif _REPEATED.fullmatch(line):
            notes.append(line.strip())
    return None


def _code(lines: list[str], at: int) -> str:
    line = lines[at] if at < len(lines) else ""
    return line.strip() if line.startswith("    ") else ""


def _made(text: str, frames: list[Frame], notes: list[str]) -> Failure | None:
    found = _LAST.fullmatch(text.split("\n", 1)[0])
    if found is None:
        return None
    more = text[found.end() :]
    omitted = max(len(frames) - HEAD_FRAMES - TAIL_FRAMES, 0)
    kept = [*frames[:HEAD_FRAMES], *frames[HEAD_FRAMES + omitted :]]
    return Failure(found[1], (found[2] or "") + more, tuple(kept), omitted, HEAD_FRAMES, tuple(notes))
