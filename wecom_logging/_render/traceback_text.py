"""Parses a traceback that stands as text in a message, as `logging.handlers.QueueHandler` leaves it, into frames.

What a process of a pool raised stands so, too, in the cause of the exception that the pool raises again: its frames
are that one's. A text is masked as a whole before it is `read`: a secret may stretch over any number of its lines.
`outline`, which the calling thread asks for, is compared and never shown. Both are linear: each looks at a line once.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..model import Failure, Frame
from .source import placed

if TYPE_CHECKING:
    from ..model import Alert

AS_TEXT = "Traceback"
"""In the place of a type: there is a text alone."""

HEAD_FRAMES = 16
TAIL_FRAMES = 48
MAX_CHAIN = 10
COMPARED_FRAMES = 32
_OUTLINE_CHARACTERS = 32 * 1024
_MAX_CODE = 1024
_START = "Traceback (most recent call last):\n"
_LINE = f"\n{_START}"
_STACK = "\nStack (most recent call last):\n"
_LINKS = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
_LINES = (_START.rstrip(), *_LINKS)
_INDENTED = ('  File "', "  [Previous line repeated ")
_BETWEEN = re.compile(rf"\n\n({'|'.join(map(re.escape, _LINKS))})\n\n(?={re.escape(_START)})")
_FRAME = re.compile(r'  File "([^"\n]+)", line (\d{1,9})(?:, in (\S[^\n]*))?')
_FRAMES = re.compile(rf"^{_FRAME.pattern}$", re.MULTILINE)
_CARETS = re.compile(r"[\s~^]+")
_REPEATED = re.compile(r"  \[Previous line repeated \d+ more times?\]")
_RAISED = re.compile(r"([^\W\d][\w.<>]*)(?:: ?(.*)|$)", re.MULTILINE)
_NEXT = re.compile(r"^(?=\S)", re.MULTILINE)
REMOTE = "RemoteTraceback"
"""How the types end by which `multiprocessing`, `concurrent.futures` and their like carry a traceback as text."""
_QUOTES = '"""'
_REMOTE = re.compile(rf"^(?:[\w.]{{0,128}}{REMOTE}: ?\n{_QUOTES}\n){{1,8}}(?={re.escape(_START)})", re.MULTILINE)


def outline(text: str) -> tuple[str, tuple[Hashable, ...], str]:
    """What stands before a traceback; the type of its last exception with the frames that it passed; and its end.

    The whole text, and nothing else, where there is none.
    """
    at = _begin(text)
    if at < 0:
        return text, (), ""
    last = max(text.rfind(_LINE, at) + 1, at)
    frames = list(_FRAMES.finditer(text, last, last + _OUTLINE_CHARACTERS))
    end = _NEXT.search(text, frames[-1].end(), frames[-1].end() + _OUTLINE_CHARACTERS) if frames else None
    raised = _RAISED.match(text, end.start(), end.start() + _OUTLINE_CHARACTERS) if end else None
    if raised is None:
        return text, (), ""
    shape = (raised[1], *(frame.groups() for frame in frames[-COMPARED_FRAMES:]))
    return text[:at].rstrip("\n"), shape, text[raised.start() :].rstrip("\n")


def is_text(message: str) -> bool:
    """Whether a traceback stands in it."""
    return _begin(message) >= 0


def is_line(message: str) -> bool:
    """Whether a message is one line of a traceback, as some libraries log it, but none that says what was raised, and
    none of source."""
    if "\n" in message:
        return False
    return message in _LINES or message.startswith(_INDENTED) or not message.strip(" ~^")


def kind_of(line: str) -> str:
    """The type, where a line says what was raised."""
    found = _RAISED.fullmatch(line)
    return found[1] if found else ""


def root_line(text: str) -> str:
    """What the first exception of a chain says, its last line; empty where there is no chain."""
    ends = [at for words in _LINKS if (at := text.find(f"\n\n{words}\n\n")) >= 0]
    return text[: min(ends)].rpartition("\n")[2] if ends else ""


def read(alert: Alert) -> Alert:
    """A masked alert whose message ends with a traceback, or whose exception is but a text, with its exceptions.

    What Python itself would not have printed like that, and an ExceptionGroup, stays a text as it is.
    """
    before, template = alert.message, alert.template
    if not alert.failures:
        text = _REMOTE.sub("", alert.message)
        at = _begin(text)
        found, stack = _parsed(text[at:]) if at >= 0 else ((), "")
        if found:
            before = text[:at].rstrip("\n") or f"{found[-1].type}: {found[-1].text}".partition("\n")[0]
            template = before if template == alert.message else template
    elif alert.failures[0].type == AS_TEXT:
        found, stack = _parsed(_REMOTE.sub("", alert.failures[0].text))
    else:
        found, stack = _with_workers(alert.failures), ""
    if not found:
        return alert
    stack = "\n".join(filter(None, [stack, alert.stack]))
    return replace(alert, message=before, template=template, failures=found, stack=stack)


def _begin(text: str) -> int:
    """Where a line says that a traceback follows."""
    if _START not in text:
        return -1
    return 0 if text.startswith(_START) else text.find(_LINE) + 1 or -1


def _parsed(text: str) -> tuple[tuple[Failure, ...], str]:
    """The exceptions of a traceback, the oldest first, and a stack that follows; nothing unless all is understood."""
    text, begin, stack = text.partition(_STACK)
    blocks = _BETWEEN.split(text.strip("\n")) if text.startswith(_START) else []
    links = [*(_LINKS[words] for words in blocks[1::2]), ""]
    if not blocks or len(links) > MAX_CHAIN:
        return (), ""
    chain = [_failure(block, link) for block, link in zip(blocks[::2], links, strict=True)]
    failures: list[Failure] = []
    for failure in chain:
        if failure is None:
            return (), ""
        is_again = failures and failures[-1].link == "cause" and failures[-1].text.endswith(f"\n{_QUOTES}")
        failures.append(_raised_again(failures.pop(), failure) if is_again else failure)
    return tuple(failures), (begin + stack).strip("\n")


def _with_workers(failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """A chain of exceptions, with the frames of other processes for those that carry them as text."""
    found: list[Failure] = []
    worker: Failure | None = None
    for failure in failures:
        if failure.members:
            failure = replace(failure, members=tuple(map(_with_workers, failure.members)))
        if worker is not None:
            failure, worker = _raised_again(worker, failure), None
        elif failure.link == "cause" and failure.type.endswith(REMOTE):
            text = failure.text.lstrip("\n").removeprefix(f"{_QUOTES}\n").rstrip("\n").removesuffix(_QUOTES)
            chain, stack = _parsed(_REMOTE.sub("", text))
            if chain and not stack:
                *before, worker = chain
                found += before
                continue
        found.append(failure)
    return tuple(found)


def _raised_again(worker: Failure, failure: Failure) -> Failure:
    """What a process of a pool raised, with its frames below those of the program that waited for it."""
    outer, inner = failure.frames, worker.frames
    head, omitted = failure.head, failure.omitted
    if not omitted:
        head, omitted = len(outer) + worker.head, worker.omitted
    elif worker.omitted:
        omitted += len(outer) - head + worker.head + worker.omitted
        outer, inner = outer[:head], inner[worker.head :]
    return replace(failure, frames=(*outer, *inner), head=head, omitted=omitted)


def _failure(block: str, link: str) -> Failure | None:
    """One exception: frames with their source lines, and from the first line without a margin on what it says."""
    frames: list[Frame] = []
    notes: list[str] = []
    lines = block.split("\n")
    at = 1
    while at < len(lines) and lines[at].startswith("  "):
        if found := _FRAME.fullmatch(lines[at]):
            at, code = _code(lines, at + 1)
            if len(code) > _MAX_CODE:
                return None
            frames.append(placed(Frame(found[1], int(found[2]), found[3] or "", code=code)))
        elif _REPEATED.fullmatch(lines[at]):
            notes.append(lines[at].strip())
            at += 1
        else:
            return None
    raised = _RAISED.fullmatch(lines[at]) if frames and at < len(lines) else None
    if raised is None:
        return None
    omitted = max(len(frames) - HEAD_FRAMES - TAIL_FRAMES, 0)
    return Failure(
        type=raised[1],
        text="\n".join([raised[2] or "", *lines[at + 1 :]]),
        frames=(*frames[:HEAD_FRAMES], *frames[HEAD_FRAMES + omitted :]),
        omitted=omitted,
        head=HEAD_FRAMES,
        notes=tuple(notes),
        link=link,
    )


def _code(lines: list[str], at: int) -> tuple[int, str]:
    """The source below a frame, without the signs that point to a part of it; and where that ends."""
    code: list[str] = []
    while at < len(lines) and (lines[at].startswith("    ") or (lines[at].isspace() and code)):
        if not _CARETS.fullmatch(lines[at]):
            code.append(lines[at].strip())
        at += 1
    return at, " ".join(code)
