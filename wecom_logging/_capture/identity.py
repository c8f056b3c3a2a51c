"""`Identity`: what makes a record the same as another. Two records with one identity are one incident.

It is computed in the calling thread, for plain records in the worker. The identity, and the group key, which is a
digest of it, have: logger, level, file and function; the template, or else the text without what changes; of an
exception the types of its chain, the frames that it passed, each once, and what it and its root cause say, without what
changes. No line and no address: they outlive a deployment, and neither recursion nor code that is compiled anew splits
them.
"""

from __future__ import annotations

import contextvars
import logging
import re
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from typing import Any

from .._incidents.pattern import pattern
from .._lines import line
from .._render.source import short
from .._render.traceback_text import outline, root_line
from .._runtime.warn import warn_once
from .._text.sha256 import sha256
from .exceptions import MAX_MEMBERS, Raised
from .record import Reading, named_in
from .templates import ENGINES, template_frames
from .texts import type_name

CallSite = tuple[Hashable, ...]
"""Where a record comes from, as `AlertHandler.handle` looks for it: line, level, logger, path, function, process."""

NO_TEMPLATE = object()

MAX_TEMPLATE = 1024
"""Longer texts are none that a program is made of; they are not searched for a word, and not kept."""

_MAX_OWN = 256
_MAX_SIGNATURE = 128
_MAX_SIGNATURES = 256
_ABOUT_INPUT = "JSONDecodeError"
"""The place in the input where reading it has failed says nothing of the program."""

_NUMBER = re.compile(r"\d+")
_QUOTED = re.compile(r"'[^'\n]{0,512}'|\"[^\"\n]{0,512}\"")

_COMPREHENSION = re.compile(r"(?:\.<locals>)?\.?<(?:listcomp|dictcomp|setcomp|genexpr)>")
"""A part of its function, as CPython 3.12 has it."""
_OWN_WORD = re.compile(r"[^\W\d_]{2,}")
_PLACEHOLDER = re.compile(r"%(?:\(\w*+\))?[-#0 +]*+[\d.*]*+[hlL]?[a-zA-Z%](?:[a-zA-Z]{2}(?![a-zA-Z]))?")
"""With a unit right behind it (``%.2fms``)."""


class Identity:
    """What a record has in common with those that are the same.

    ``place`` says where and of what kind, ``text`` what was said there. ``is_free``: its words are not those of a
    template, so that variants of it may be collapsed; ``is_failure``: an exception is a part of it. ``constant`` is a
    template that says all: records of this ``call_site`` that have the same object need no look at anything else.
    """

    __slots__ = ("call_site", "constant", "is_failure", "is_free", "place", "text", "whom")

    def __init__(self, place: CallSite, text: str, *, is_free: bool = False, is_failure: bool = False) -> None:
        self.place = place
        self.text = text
        self.is_free = is_free
        self.is_failure = is_failure
        self.constant: object = NO_TEMPLATE
        self.call_site: CallSite = ()
        self.whom: Hashable = None

    def collapsed(self, text: str) -> Identity:
        """That of all variants of it."""
        found = Identity(self.place, text, is_failure=self.is_failure)
        found.whom = self.whom
        return found

    @property
    def key(self) -> CallSite:
        return (self.whom, self.place, self.text)


def digest_of(identity: Identity, mask: Callable[[str], str]) -> str:
    """The same on every host and in every run: 32 hex digits. What is masked in a message is masked here, too."""
    words = mask("\n".join([*_flat(identity.place), identity.text]))
    return sha256(words).hexdigest()[:32]


def _flat(parts: Iterable[Any]) -> list[str]:
    found = list[str]()
    for part in parts:
        found += (f"({len(part)}", *_flat(part)) if isinstance(part, tuple) else (str(part),)
    return found


def identity_of(reading: Reading, pid: int, own: str | None) -> Identity:
    """What makes a record the same as another of this process. ``own``: what the user says that does, if anything.

    The process is in it: no child that was forked without hooks finds an incident of its parent. A record's own process
    is not: short-lived processes may all send theirs here, by a queue or a socket.
    """
    level, _, logger, _, _, _, _, path, line, function, *_ = reading.values
    if own is not None:
        found = Identity((level, own), "")
    else:
        found = _identity(reading, (level, logger, file_of(path), function))
    found.whom = (pid, reading.recipients, reading.mention)
    if reading.is_usual and reading.recipients is None is reading.mention:
        found.call_site = (line, level, logger, path, function, pid, None, None)
    return found


def _identity(reading: Reading, site: CallSite) -> Identity:
    msg, has_arguments = reading.values[-1], reading.has_arguments
    template = msg if has_arguments and len(msg) <= MAX_TEMPLATE and has_own_word(msg) else ""
    said: list[str] = []
    thrown = [] if reading.is_plain else _all_thrown(reading, said)
    if not template:
        text = reading.message
        if not thrown and (shape := _text_thrown(text, said, begins=False)):
            thrown.append(shape)  # a queue has made text of an exception
            text = outline(text)[0]
        said.insert(0, pattern(text))
    found = Identity(
        (*site, template, *thrown), "\n".join(said), is_free=not template or bool(thrown), is_failure=bool(thrown)
    )
    is_constant = (template or not has_arguments) and len(msg) <= MAX_TEMPLATE
    if is_constant and reading.is_usual and not thrown and reading.failure is None:
        found.constant = msg
    return found


def _all_thrown(reading: Reading, said: list[str]) -> list[Hashable]:
    """Its exception, or the text of one, and those that it names; what they say goes into ``said``."""
    error, text = reading.error, reading.record.exc_text
    thrown: list[Hashable] = []
    if error is not None:
        thrown.append(_thrown(error, reading, said))
    elif type(text) is str:
        thrown.append(_text_thrown(text, said))
    for other in named_in(reading.record):
        if error is None or id(other) not in error.chain.ids:
            named = reading.raised(other)
            thrown.append(named.type)
            _say(named, said)
    return thrown


@lru_cache(maxsize=1024)
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


def fingerprint_of(reading: Reading, ask: Callable[[logging.LogRecord], str] | None) -> str | None:
    """What the user says that makes records the same, in the record or by the handler's option; None: nothing."""
    made = reading.extra.get("fingerprint")
    if made is None and ask is not None and not _asking.get():
        token = _asking.set(True)
        try:
            made = ask(reading.record)
        except Exception as error:
            warn_once("fingerprint", line("fingerprint", error=type(error).__name__))
        finally:
            _asking.reset(token)
    if made is None:
        return None
    if not isinstance(made, str):
        warn_once("fingerprint", line("fingerprint_type", type=type(made).__name__))
        return None
    return _bounded(made) or None


_asking: contextvars.ContextVar[bool] = contextvars.ContextVar("wecom_logging_asking", default=False)
"""Whether a user's fingerprint runs: what it logs is compared as without it, or it would be asked about that too."""


def _bounded(fingerprint: str) -> str:
    """A user's fingerprint, of any length, as a short and exact string."""
    text = str.__str__(fingerprint)
    if len(text) <= _MAX_OWN:
        return text
    return sha256(text).hexdigest()


# Exceptions.


def _thrown(raised: Raised, reading: Reading, said: list[str], depth: int = 0) -> CallSite:
    """The types of a chain, and where the newest and the oldest of it passed; what these say goes into ``said``."""
    ends = [raised]
    found: list[Hashable] = [raised.type]
    if raised.is_chained:
        chain = raised.chain.ends
        found += dict.fromkeys(type_name(type(one)) for _, one in chain)
        if (root := chain[-1][1]) is not raised.error:
            ends.append(reading.raised(root))
    for one in ends:
        found.append(_passed(one))
        _say(one, said)
        if one.is_group and depth < len(MAX_MEMBERS):
            found.append(_members(one, reading, said, depth))
    return tuple(found)


def _members(raised: Raised, reading: Reading, said: list[str], depth: int) -> CallSite:
    """Those inside an ExceptionGroup, in whatever order and number."""
    members: dict[CallSite, list[str]] = {}
    for member in raised.inside[: MAX_MEMBERS[depth]]:
        words: list[str] = []
        shape = _thrown(reading.raised(member), reading, words, depth + 1)
        members[(*shape, "\n".join(words))] = words
    ordered = sorted(members, key=repr)
    said += [word for member in ordered for word in members[member]]
    return tuple(member[:-1] for member in ordered)


class Signature:
    """The functions that an exception has passed, each once, the outermost first, as a text. ``renders``: one of them
    is that of an engine, which renders all templates. ``codes`` keeps alive what it is found by."""

    __slots__ = ("codes", "renders", "text")

    def __init__(self, raised: Raised) -> None:
        self.codes = [one.tb_frame.f_code for one in raised.traces]
        kept = [one.tb_frame.f_code for one in raised.kept[0]]
        self.text = "\n".join(
            dict.fromkeys([f"{file_of(code.co_filename)} {_function(code.co_qualname)}" for code in kept])
        )
        self.renders = any(code.co_filename.endswith(ENGINES) for code in self.codes)


def signature_of(raised: Raised) -> Signature:
    """That of an exception; known ways are looked up."""
    ids = tuple(map(id, [one.tb_frame.f_code for one in raised.traces]))
    if (found := _signatures.get(ids)) is None:
        found = Signature(raised)
        if len(ids) <= _MAX_SIGNATURE:
            if len(_signatures) >= _MAX_SIGNATURES:
                _signatures.clear()
            _signatures[ids] = found
    return found


_signatures: dict[tuple[int, ...], Signature] = {}
"""By the ids of code objects."""


def _passed(raised: Raised) -> str:
    """The functions, and the templates that an engine has rendered."""
    signature = signature_of(raised)
    if not signature.renders:
        return signature.text
    templates = dict.fromkeys(file_of(frame.file) for frame in template_frames(raised.kept[0]).values())
    return "\n".join([signature.text, *templates])


def _function(name: str) -> str:
    return _COMPREHENSION.sub("", name) or "<module>"


def _say(raised: Raised, said: list[str]) -> None:
    text = "" if raised.type.endswith(_ABOUT_INPUT) else _without_input(raised, pattern(raised.text))
    said.append(" ".join([*raised.codes, text]))


def _without_input(raised: Raised, text: str) -> str:
    """What an exception of Python's own says, without the input that it is about."""
    kind = type(raised.error)
    if kind is KeyError:
        return _NUMBER.sub("#", text)  # a key is no code
    if kind is UnicodeDecodeError or kind is UnicodeEncodeError:
        return text.partition(" can't ")[0]  # the codec
    if kind is ValueError and ("'" in text or '"' in text) and raised.is_of_python:
        return _QUOTED.sub("#", text)
    return text


def _text_thrown(text: str, said: list[str], *, begins: bool = True) -> CallSite:
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
