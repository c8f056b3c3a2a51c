"""`Raised`: an exception as it is read for one record, without any code of its own but for its text.

What led to it, the frames that it passed, what stands in it. Its traceback is walked once, and its text is asked for
once, however many look at them.
"""

from __future__ import annotations

import linecache
import opcode
import os
from collections import deque
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from .._incidents.pattern import pattern
from .._render.traceback_text import HEAD_FRAMES, TAIL_FRAMES, is_line, kind_of
from .texts import once, own_of, text_of, type_name

_PACKAGE = os.path.dirname(os.path.dirname(__file__))

BETWEEN = (
    *(os.path.join(_PACKAGE, name) for name in ("decorators.py", "_expect.py")),
    os.path.join(_PACKAGE, "integrations", ""),
)
"""Files whose frames stand between a program's own and say nothing."""

MAX_MEMBERS = (8, 4, 2, 1)
"""Of an ExceptionGroup, of one inside it, and so on: 64 at the deepest."""

CHAIN_END = 16
"""So many exceptions of each end of a chain are looked at."""

_LEAST_TOLD = 6
"""A shorter text stands in a message by chance."""

_MAX_STATEMENT = 16
"""So many lines of one are looked at."""

_MAX_WALK = 100_000
_MAX_ORIGINS = 256
_MAX_CODE = 10_000_000
_OF_PYTHON = os.path.dirname(getattr(os, "__file__", "<frozen>/os.py")) + os.sep
_NOT_OF_PYTHON = ("site-packages", "dist-packages")
_RAISES = opcode.opmap["RAISE_VARARGS"]

_CODES = (
    *("errno", "winerror", "status_code", "status", "code", "errcode", "error_code", "err_code"),
    *("sqlstate", "pgcode", "returncode", "exit_code", "retcode", "smtp_code", "sqlite_errorcode"),
)
"""Attributes in which exceptions carry a code."""

# Read as the interpreter itself reads it: a subclass may have put something else in the place of these attributes.
_CAUSE, _CONTEXT, _SUPPRESS, _TRACE = (
    BaseException.__dict__[name] for name in ("__cause__", "__context__", "__suppress_context__", "__traceback__")
)
_INSIDE = BaseExceptionGroup.__dict__["exceptions"]
_ERRNO, _STRERROR = OSError.__dict__["errno"], OSError.__dict__["strerror"]
_ARGS = BaseException.__dict__["args"]


class Chain(NamedTuple):
    """An exception and what led to it. ``ends``: each with its link to the next, the newest first, without the middle
    of a long chain. ``ids``: of all of them. Nothing here is an object for each link, which the program's garbage
    collector would have to look through."""

    ends: list[tuple[str, BaseException]]
    ids: set[int]
    is_circle: bool


class Raised:
    """An exception, and what was read of it so far."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    @once
    def type(self) -> str:
        return type_name(type(self.error))

    @once
    def text(self) -> str:
        """What it says; its ``repr`` where its ``str`` says nothing, as drivers of message queues have it."""
        return text_of(self.error) or self._inside_repr()

    @once
    def repr(self) -> str:
        return text_of(self.error, say=repr)

    def _inside_repr(self) -> str:
        """What stands behind the name in it, without its brackets; empty where that is no word."""
        said = self.repr.removeprefix(self.name).strip(" :")
        if said.startswith("(") and said.endswith(")"):
            said = said[1:-1].removesuffix(",")
        return said if said[:1] != "<" and any(map(str.isalnum, said)) else ""

    @property
    def name(self) -> str:
        """Its type without a module."""
        return self.type.rpartition(".")[2]

    @property
    def reason(self) -> str:
        """What it says, without an errno."""
        said = _STRERROR.__get__(self.error) if issubclass(type(self.error), OSError) else None
        return said if type(said) is str else self.text

    @property
    def carried(self) -> list[BaseException]:
        """The exceptions that led to it, that it was made with, and that are its attributes."""
        values: list[Any] = [error for _, error in self.chain.ends[1:]]
        for one in (*_ARGS.__get__(self.error), *own_of(self.error).values()):
            values += one[:CHAIN_END] if type(one) is list or type(one) is tuple else [one]
        return [one for one in values if issubclass(type(one), BaseException)]

    def is_told_in(self, message: str) -> bool:
        """Whether a message says it: its text, its ``repr``, or its name with as little as it says."""
        text, is_named = self.text, self.name in message
        if text and text in message and (is_named or len(text) >= _LEAST_TOLD):
            return True
        return len(self.repr) >= _LEAST_TOLD and self.repr in message

    def has_line(self, message: str) -> bool:
        """Whether a message is one line of its traceback, as some libraries log it."""
        if is_line(message):
            return True
        if message.startswith("    "):
            return any(Raised(one)._passed(message.strip()) for _, one in self.chain.ends)
        kind = kind_of(message)
        return bool(kind) and any(kind == type_name(type(one)) for _, one in self.chain.ends)

    def _passed(self, source: str) -> bool:
        """Whether a line of source is one that it passed, of a file that was read for a traceback already."""
        for trace in self.kept[0]:
            entry = linecache.cache.get(trace.tb_frame.f_code.co_filename, ())
            at = trace.tb_lineno - 1
            if len(entry) > 2 and any(line.strip() == source for line in entry[2][at : at + _MAX_STATEMENT]):
                return True
        return False

    @once
    def traces(self) -> list[TracebackType]:
        """The frames that it passed, the outermost first."""
        found: list[TracebackType] = []
        trace = _TRACE.__get__(self.error)
        while trace is not None:
            found.append(trace)
            trace = trace.tb_next
        return found

    @once
    def kept(self) -> tuple[list[TracebackType], int]:
        """Both ends of them, without what stands between a program's own; and how many are left out."""
        own = [one for one in self.traces if not one.tb_frame.f_code.co_filename.startswith(BETWEEN)]
        omitted = max(len(own) - HEAD_FRAMES - TAIL_FRAMES, 0)
        return [*own[:HEAD_FRAMES], *own[HEAD_FRAMES + omitted :]], omitted

    @property
    def is_chained(self) -> bool:
        return _earlier(self.error)[1] is not None

    @once
    def chain(self) -> Chain:
        """What led to it, which may be a long way to go."""
        error: BaseException | None = self.error
        newest: list[tuple[str, BaseException]] = []
        oldest: deque[tuple[str, BaseException]] = deque(maxlen=CHAIN_END)
        seen: set[int] = set()
        link = ""
        while error is not None and id(error) not in seen and len(seen) < _MAX_WALK:
            (newest if len(seen) < CHAIN_END else oldest).append((link, error))
            seen.add(id(error))
            link, error = _earlier(error)
        return Chain([*newest, *oldest], seen, error is not None and id(error) in seen)

    @property
    def is_group(self) -> bool:
        return issubclass(type(self.error), BaseExceptionGroup)

    @property
    def inside(self) -> tuple[BaseException, ...]:
        found: tuple[BaseException, ...] = _INSIDE.__get__(self.error) if self.is_group else ()
        return found

    @once
    def codes(self) -> list[str]:
        """The codes that it carries as data, of its own or in its response: better evidence than what it says."""
        found: list[str] = []
        own = own_of(self.error)
        for holder in (own, own_of(own.get("response"))) if own else ():
            for value in [holder[name] for name in _CODES if name in holder]:
                if issubclass(type(value), int) and type(value) is not bool:
                    code = int.__int__(value)
                    found += [str(code)] if -_MAX_CODE < code < _MAX_CODE else []
                elif type(name := own_of(value).get("_name_", value)) is str and 0 < len(name) <= 64:
                    found.append(f"status={pattern(name)}")
        if issubclass(type(self.error), OSError) and type(number := _ERRNO.__get__(self.error)) is int:
            found.append(str(number))
        return found

    @property
    def is_of_python(self) -> bool:
        """Whether it comes from a function in C, or from Python's library: `int("x")`, `datetime.strptime`."""
        if not (traces := self.traces):
            return False
        trace = traces[-1]
        code, at = trace.tb_frame.f_code, trace.tb_lasti
        if (known := _origins.get((id(code), at))) is not None:
            return known[0]
        file, made = code.co_filename, code.co_code
        found = file.startswith(_OF_PYTHON) and not any(name in file for name in _NOT_OF_PYTHON)
        found = found or (0 <= at < len(made) and made[at] != _RAISES)
        if len(_origins) >= _MAX_ORIGINS:
            _origins.clear()
        _origins[id(code), at] = found, code
        return found


_origins: dict[tuple[int, int], tuple[bool, CodeType]] = {}
"""What is known of places that raise, by the ids of code objects, which live as long."""


def _earlier(error: BaseException) -> tuple[str, BaseException | None]:
    if (cause := _CAUSE.__get__(error)) is not None:
        return "cause", cause
    return "context", None if _SUPPRESS.__get__(error) else _CONTEXT.__get__(error)
