"""Computes the identity of a record: two records with one identity are one incident.

It runs in the calling thread, for plain records in the worker. The identity, and the group key, which is a digest of
it, have: logger, level, file and function; the template, or else the text without what changes; of an exception the
types of its chain, the frames that it passed, each once, and what it and its root cause say, without what changes. No
line and no address: they outlive a deployment, and neither recursion nor code that is compiled anew splits them.
"""

from __future__ import annotations

import opcode
import os
import re
from collections.abc import Hashable, Iterable
from functools import lru_cache
from types import CodeType, TracebackType
from typing import Any

from .._incidents.pattern import pattern
from .._render.source import short
from .._render.traceback_text import outline, root_line
from .exceptions import INSIDE, MAX_MEMBERS, TRACE, frames_kept, is_chained, own_of
from .identity import MAX_TEMPLATE, Identity, Spot
from .plain import Plain
from .reading import Reading
from .templates import ENGINES, template_frames
from .texts import type_name

_MAX_OWN = 256
_MAX_WAY = 128
_MAX_WAYS = 256
_MAX_CODE = 10_000_000
_ABOUT_INPUT = "JSONDecodeError"
"""The place in the input where reading it has failed says nothing of the program."""

_OF_PYTHON = os.path.dirname(getattr(os, "__file__", "<frozen>/os.py")) + os.sep
_NOT_OF_PYTHON = ("site-packages", "dist-packages")
_RAISES = opcode.opmap["RAISE_VARARGS"]
_NUMBER = re.compile(r"\d+")
_QUOTED = re.compile(r"'[^'\n]{0,512}'|\"[^\"\n]{0,512}\"")

_CODES = (
    *("errno", "winerror", "status_code", "status", "code", "errcode", "error_code", "err_code"),
    *("sqlstate", "pgcode", "returncode", "exit_code", "retcode", "smtp_code"),
)
"""Attributes in which exceptions carry a code."""

_COMPREHENSION = re.compile(r"(?:\.<locals>)?\.?<(?:listcomp|dictcomp|setcomp|genexpr)>")
"""A part of its function, as CPython 3.12 has it."""
_ERRNO = OSError.__dict__["errno"]
_OWN_WORD = re.compile(r"[^\W\d_]{2,}")
_PLACEHOLDER = re.compile(r"%(?:\(\w*+\))?[-#0 +]*+[\d.*]*+[hlL]?[a-zA-Z%](?:[a-zA-Z]{2}(?![a-zA-Z]))?")
"""With a unit right behind it (``%.2fms``)."""


def identity_of(reading: Reading, error: BaseException | None, pid: int, own: str | None) -> Identity:
    """What makes a record the same as another of this process. ``own``: what the user says that does, if anything.

    The process is in it: no child that was forked without hooks finds an incident of its parent. A record's own process
    is not: short-lived processes may all send theirs here, by a queue or a socket.
    """
    level, _, logger, _, _, _, _, path, line, function, *_ = reading.values
    if own is not None:
        found = Identity((level, own), "")
    else:
        found = _identity(reading, error, (level, logger, file_of(path), function))
    found.whom = (pid, reading.recipients, reading.mention)
    if reading.is_plain and reading.recipients is None is reading.mention:
        found.spot = (line, level, logger, path, function, pid, None, None)
    return found


def identity_of_text(plain: Plain) -> Identity:
    """The same of a record that says no more than its text."""
    level, _, logger, _, pid, _, _, path, _, function, _, msg = plain.values
    template = msg if plain.has_arguments and has_own_word(msg) else ""
    place = (level, logger, file_of(path), function, template)
    found = Identity(place, "" if template else pattern(plain.message), is_free=not template)
    found.whom, found.spot = (pid, None, None), plain.spot
    if template or not plain.has_arguments:
        found.constant = msg
    return found


def _identity(reading: Reading, error: BaseException | None, site: Spot) -> Identity:
    record = reading.record
    msg, args = record.msg, record.args
    template = msg if type(msg) is str and args and len(msg) <= MAX_TEMPLATE and has_own_word(msg) else ""
    thrown: list[Hashable] = []
    said: list[str] = []
    if error is not None:
        thrown.append(_thrown(error, reading, said))
    elif type(record.exc_text) is str:
        thrown.append(_text_thrown(record.exc_text, said))
    for other in _in_arguments(msg, args):
        if error is None or id(other) not in reading.chain(error).ids:
            thrown.append(kind := type_name(type(other)))
            _say(other, kind, reading, said)
    if not template:
        text = reading.message()
        if not thrown and (shape := _text_thrown(text, said, begins=False)):
            thrown.append(shape)  # a queue has made text of an exception
            text = outline(text)[0]
        said.insert(0, pattern(text))
    place = (*site, template, *thrown)
    found = Identity(place, "\n".join(said), is_free=not template or bool(thrown), is_failure=bool(thrown))
    if (template and not thrown) or (not (thrown or args) and type(msg) is str and len(msg) <= MAX_TEMPLATE):
        found.constant = msg
    return found


def has_own_word(template: str) -> bool:
    """Whether a template has a word beside its placeholders; most begin with one."""
    template = template[:MAX_TEMPLATE]
    begin = template.partition("%")[0]
    return bool(_OWN_WORD.search(begin) or _OWN_WORD.search(_PLACEHOLDER.sub("", template)))


@lru_cache(maxsize=4096)
def file_of(path: str) -> str:
    """The path below the entry of ``sys.path`` that it is imported from; code that was compiled of a text has none."""
    if "ipykernel_" in path or path.startswith("<ipython-"):
        return "<notebook>"
    return pattern(path) if path.startswith("<") else short(path)


def bounded(fingerprint: str) -> str:
    """A user's fingerprint, of any length, as a short and exact string."""
    text = str.__str__(fingerprint)
    if len(text) <= _MAX_OWN:
        return text
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


# Exceptions. What they are is read without any code of theirs, but for their text.


def _thrown(error: BaseException, reading: Reading, said: list[str], depth: int = 0) -> Spot:
    """The types of a chain, and where the newest and the oldest of it passed; what these say goes into ``said``."""
    kind, root = type_name(type(error)), error
    found: list[Hashable] = [kind]
    if is_chained(error):
        ends = reading.chain(error).ends
        root = ends[-1][1]
        found += dict.fromkeys(type_name(type(one)) for _, one in ends)
    for one in (error,) if root is error else (error, root):
        found.append(_passed(TRACE.__get__(one)))
        _say(one, kind if one is error else type_name(type(one)), reading, said)
        if issubclass(type(one), BaseExceptionGroup) and depth < len(MAX_MEMBERS):
            found.append(_members(one, reading, said, depth))
    return tuple(found)


def _members(error: BaseException, reading: Reading, said: list[str], depth: int) -> Spot:
    """Those inside an ExceptionGroup, in whatever order and number."""
    inside: tuple[BaseException, ...] = INSIDE.__get__(error)
    members: dict[Spot, list[str]] = {}
    for member in inside[: MAX_MEMBERS[depth]]:
        words: list[str] = []
        shape = _thrown(member, reading, words, depth + 1)
        members[(*shape, "\n".join(words))] = words
    ordered = sorted(members, key=repr)
    said += [word for member in ordered for word in members[member]]
    return tuple(member[:-1] for member in ordered)


class Way:
    """The functions that an exception has passed, each once, the outermost first, as a text. ``renders``: one of them
    is that of an engine, which renders all templates. ``codes`` keeps alive what it is found by."""

    __slots__ = ("codes", "renders", "text")

    def __init__(self, trace: TracebackType | None, codes: list[CodeType]) -> None:
        kept = (one.tb_frame.f_code for one in frames_kept(trace)[0])
        self.text = "\n".join(
            dict.fromkeys(f"{file_of(code.co_filename)} {_function(code.co_qualname)}" for code in kept)
        )
        self.renders = any(code.co_filename.endswith(ENGINES) for code in codes)
        self.codes = codes


def way_of(trace: TracebackType | None) -> Way:
    """That of a traceback; known ways are looked up."""
    codes: list[CodeType] = []
    at = trace
    while at is not None:
        codes.append(at.tb_frame.f_code)
        at = at.tb_next
    ids = tuple(map(id, codes))
    if (found := _ways.get(ids)) is None:
        found = Way(trace, codes)
        if len(codes) <= _MAX_WAY:
            if len(_ways) >= _MAX_WAYS:
                _ways.clear()
            _ways[ids] = found
    return found


def _passed(trace: TracebackType | None) -> str:
    """The functions, and the templates that an engine has rendered."""
    way = way_of(trace)
    return "\n".join([way.text, *_templates(trace)]) if way.renders else way.text


def _templates(trace: TracebackType | None) -> Iterable[str]:
    return dict.fromkeys(file_of(frame.file) for frame in template_frames(frames_kept(trace)[0]).values())


def _function(name: str) -> str:
    return _COMPREHENSION.sub("", name) or "<module>"


_ways: dict[tuple[int, ...], Way] = {}
"""By the ids of code objects."""


def _say(error: BaseException, kind: str, reading: Reading, said: list[str]) -> None:
    text = "" if kind.endswith(_ABOUT_INPUT) else _without_input(error, pattern(reading.said(error)))
    said.append(" ".join([*codes_of(error), text]))


def _without_input(error: BaseException, text: str) -> str:
    """What an exception of Python's own says, without the input that it is about."""
    kind = type(error)
    if kind is KeyError:
        return _NUMBER.sub("#", text)  # a key is no code
    if kind is UnicodeDecodeError or kind is UnicodeEncodeError:
        return text.partition(" can't ")[0]  # the codec
    if kind is ValueError and ("'" in text or '"' in text) and is_of_python(TRACE.__get__(error)):
        return _QUOTED.sub("#", text)
    return text


def is_of_python(trace: TracebackType | None) -> bool:
    """Whether it comes from a function in C, or from Python's library: `int("x")`, `datetime.strptime`."""
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    code, at = trace.tb_frame.f_code, trace.tb_lasti
    if (known := _origins.get((id(code), at))) is not None:
        return known[0]
    file, made = code.co_filename, code.co_code
    found = file.startswith(_OF_PYTHON) and not any(name in file for name in _NOT_OF_PYTHON)
    found = found or (0 <= at < len(made) and made[at] != _RAISES)
    if len(_origins) >= _MAX_WAYS:
        _origins.clear()
    _origins[id(code), at] = found, code
    return found


_origins: dict[tuple[int, int], tuple[bool, CodeType]] = {}
"""What is known of places that raise, by the ids of code objects, which live as long."""


def codes_of(error: BaseException) -> list[str]:
    """The codes that it carries as data, of its own or in its response: better evidence than what it says."""
    found: list[str] = []
    own = own_of(error)
    for holder in (own, own_of(own.get("response"))) if own else ():
        for value in [holder[name] for name in _CODES if name in holder]:
            if issubclass(type(value), int) and type(value) is not bool:
                code = int.__int__(value)
                found += [str(code)] if -_MAX_CODE < code < _MAX_CODE else []
            elif type(name := own_of(value).get("_name_", value)) is str and 0 < len(name) <= 64:
                found.append(pattern(name))
    if issubclass(type(error), OSError) and type(number := _ERRNO.__get__(error)) is int:
        found.append(str(number))
    return found


def _in_arguments(msg: object, args: object) -> list[BaseException]:
    """Exceptions that a record names in its text: `log.error("sync failed: %s", error)`."""
    named: tuple[Any, ...] = (msg, *args) if type(args) is tuple else (msg,)
    return [one for one in named if issubclass(type(one), BaseException)]


def _text_thrown(text: str, said: list[str], *, begins: bool = True) -> Spot:
    """The same of a traceback that is text already: its last exception with the frames that it passed."""
    _, shape, end = outline(text)
    if not shape:
        if begins:
            said.append(pattern(text))
        return ()
    said.append(pattern(end))
    if root := root_line(text):
        said.append(pattern(root))
    frames: Iterable[Any] = shape[1:]
    return (shape[0], tuple(dict.fromkeys((file_of(file), _function(name or "")) for file, _, name in frames)))
