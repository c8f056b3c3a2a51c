"""What was being done and what broke, in one line: `job 17 failed: KeyError: 'price'`.

A notification on a phone shows no more than this, so the exception always stands in it, and stands in it once.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from .._text import inert
from .._text.cut import head, size, tail, trim
from ..model import Failure
from .traceback_text import AS_TEXT, REMOTE

if TYPE_CHECKING:
    from ..model import Alert

_MAX_COMPARED = 512
_MAX_LINES = 4
_MAX_TEXT = 8192
_ENOUGH = 60
_MAX_WHAT_BYTES = 160  # below the frames it stands whole
_MAX_MEMBERS = 3
_MAX_BYTES = 400
_MAX_DEPTH = 8
_CAUSE = " ← "
_BUILTIN = frozenset(dir(builtins))
_NUMBER_OF_MEMBERS = re.compile(r" \(\d+ sub-exceptions?\)$")
_ERRNO = re.compile(r"^\[(?:Errno|WinError) -?\d+\] ")
_REQUEST = re.compile(r"[A-Z]{2,16} https?://([^\s/]{1,255})")
_LABELLED = re.compile(r"[A-Z][\w ]{1,31}: ")
_ANSWER = re.compile(r"(?:[A-Z][\w ]{1,31}: )?\{(?=\")")
_MESSAGE = re.compile(r'"(?:message|detail|error_description)" ?: ?"((?:[^"\\\n]|\\.){1,512})"')
_MAPPING = re.compile(r"(?:[A-Z][\w ]{1,31}: )?\w*\(?\{'[^\n]*\}\)?")
_RAISED = re.compile(r"[ |]{0,64}((?:[^\W\d]\w*\.)*[A-Z]\w*)(?:: (.*)|$)")


def headline(said: str, failures: tuple[Failure, ...], safe: Callable[[str], str], most: int) -> tuple[str, str]:
    """One line of at most ``most`` bytes, and what was said if that does not stand in it whole.

    Neither what was being done nor the exception pushes the other out. ``failures`` is the chain of the exception, the
    oldest first; ``safe`` makes text of the program inert.
    """
    if failures[-1].type == AS_TEXT:
        failures = _read(failures[-1].text)
    doing, what = said, ""
    if failures:
        last = failures[-1]
        doing, what = (
            safe(inert.line(part)) for part in _parts(said, short_type(last.type), _text(last), _what(failures))
        )
    what = _both_ends(what, _MAX_WHAT_BYTES)
    begun = trim(doing, max(most // 2, most - size(what)), "…: ")
    return trim(begun + what, most), "" if begun == doing else said


def of_alert(alert: Alert) -> str:
    """The same of a masked alert, by its title, or its formatter's text, where it has one."""
    if alert.title:
        return trim(inert.line(alert.title), _MAX_BYTES)
    if alert.formatted is not None:
        return trim(inert.line(alert.formatted.strip().partition("\n")[0]), _MAX_BYTES)
    said = inert.line(in_one_line(alert.message.strip(), alert.failures).partition("\n")[0])
    return headline(said, alert.failures, str, _MAX_BYTES)[0] if alert.failures else trim(said, _MAX_BYTES)


def in_one_line(said: str, failures: tuple[Failure, ...]) -> str:
    """What was said, and where the exception's text stands in it, that as `headline` says it, not in many lines."""
    text = failures[-1].text.strip() if failures else ""
    return said.replace(text, _text(failures[-1]), 1) if "\n" in text else said


def named(said: str, kind: str, text: str) -> str:
    """What was said, with an exception's type and text where they do not stand in it already."""
    name = short_type(kind)
    return "".join(_parts(said, name, text, _joined(name, text)))


def short_type(kind: str) -> str:
    """``KeyError``, ``Order.DoesNotExist``; ``requests.ConnectionError`` where the name alone means something else."""
    *before, name = kind.rpartition("<locals>.")[2].split(".")
    while before and not before[-1][:1].isupper():
        before.pop()
    classes = [part for part in before if part[:1].isupper()]
    if classes:
        return ".".join([*classes, name])
    package = kind.partition(".")[0]
    is_needed = name in _BUILTIN or name.lower() in ("error", "exception", "warning", "timeout")
    return f"{package}.{name}" if is_needed and package != name else name


def _both_ends(text: str, most: int) -> str:
    """What broke is often said at the end, behind an address, a command or the exceptions around it."""
    if size(text) <= most:
        return text
    begin = head(text, most * 3 // 5)
    return f"{begin}…{tail(text, most - size(begin) - size('…'))}"


def _read(text: str) -> tuple[Failure, ...]:
    """The last line of a traceback of another form that tells an exception."""
    for line in reversed(text[-_MAX_TEXT:].splitlines()):
        if found := _RAISED.match(line):
            return (Failure(found[1], found[2] or ""),)
    return ()


def _parts(said: str, name: str, text: str, what: str) -> tuple[str, str]:
    """What was said up to the exception that it ends with, and the exception, unless it stands amid it."""
    bare = name.rpartition(".")[2]
    is_group = bool(_NUMBER_OF_MEMBERS.search(text))  # after which those that tell one name a member
    for words in (f"{bare}: {text}", text) if text else (bare,):
        end = (at := _found(words, said)) + len(words)
        if at > 0 and words == text and " " not in text and said[at - 2 : at] not in (": ", "= "):
            continue  # a word of the sentence: `call failed`, for one that says `failed`
        if at >= 0 and (end == len(said) or (is_group and said.startswith(": ", end))):
            before = said[:at]
            return "".join(before.rpartition(" ")[:2]) if before.endswith(".") else before, what
    is_named = _found(bare, said) >= 0
    if text and (is_named or not text.isdigit()) and _found(text, said) >= 0:  # a number stands there by chance
        what = "" if is_named else name
    said = said.rstrip(" :.\u3002\uff1a") if what else said
    return f"{said}: " if said and what else said, what


def _what(failures: tuple[Failure, ...], depth: int = 0) -> str:
    """An exception with its members, the template that it is about, and the exception that caused it; inert."""
    last = failures[-1]
    what = _group(last, depth) if last.members and depth < _MAX_DEPTH else _joined(short_type(last.type), _text(last))
    what = inert.line(what)
    place = _template(last)
    if place and place not in what:
        what = f"{what} ({place})"
    first = len(failures) - 1
    while first > 0 and _is_cause(failures[first - 1], failures[first]):
        first -= 1
    host = _asked(failures[first:])
    asked = f" ({host})" if host and host not in what else ""
    cause = failures[first]
    text = _text(cause)
    if first == len(failures) - 1 or _ERRNO.sub("", text) in what or cause.type.endswith(REMOTE):
        return what + asked
    told = _group(cause, depth + 1) if cause.members and depth < _MAX_DEPTH else _joined(short_type(cause.type), text)
    return f"{what}{_CAUSE}{told}{asked}"


def _is_cause(earlier: Failure, later: Failure) -> bool:
    """Whether it led to the later one: by ``from``, or by a ``raise`` in the function that has caught it.

    What a function raises that was called there has causes of its own: `except KeyError: load()`.
    """
    if earlier.type[:1] == "(" or earlier.link != "context" or not earlier.frames or not later.frames:
        return earlier.link == "cause" and earlier.type[:1] != "("
    caught, raised = earlier.frames[0], later.frames[-1]
    return (caught.file, caught.name) == (raised.file, raised.name)


def _group(failure: Failure, depth: int) -> str:
    """``ExceptionGroup: 3 × ValueError: bad 0, KeyError: 'x' (unhandled errors in a TaskGroup)``"""
    kinds: dict[str, list[str]] = {}
    for chain in failure.members:
        if chain:
            kinds.setdefault(chain[-1].type, []).append(_what(chain, depth + 1))
    inside = [f"{len(texts)} × {texts[0]}" if len(texts) > 1 else texts[0] for texts in kinds.values()]
    more = ["…"] if len(inside) > _MAX_MEMBERS else []
    text = _NUMBER_OF_MEMBERS.sub("", _text(failure))
    return f"{short_type(failure.type)}: {', '.join([*inside[:_MAX_MEMBERS], *more])}{f' ({text})' if text else ''}"


def _joined(name: str, text: str) -> str:
    """Type and text; a text that begins with the type says it itself."""
    bare = name.rpartition(".")[2]
    if not text:
        return name
    own = text.lstrip("<")
    return text if own.startswith(bare) and not own[len(bare) : len(bare) + 1].isalnum() else f"{name}: {text}"


def _text(failure: Failure) -> str:
    """Of what an exception says the first lines, until they have said something."""
    lines: list[str] = []
    told = 0
    for line in failure.text.strip()[: 4 * _MAX_COMPARED].splitlines():
        said = _said_in(line.strip()) if lines else line.strip()
        if any(map(str.isalnum, said)):
            announces = (lines and _LABELLED.match(said)) or (len(said) < _ENOUGH and said.endswith(":"))
            told += 0 if announces else len(said)
            lines.append(inert.line(said))
        if len(lines) == _MAX_LINES or told >= _ENOUGH:
            break
    if len(lines) > 1 and lines[-1].endswith(":"):  # what it announces is left out
        lines.pop()
    return " ⏎ ".join(lines)


def _said_in(line: str) -> str:
    """What a later line says: of an answer in JSON its message, of the headers of one nothing."""
    if (found := _ANSWER.match(line)) and (message := _MESSAGE.search(line, found.end())):
        return message[1].replace('\\"', '"')
    return "" if _MAPPING.fullmatch(line) else line


def _template(failure: Failure) -> str:
    """``mail.html:2``: the innermost frame of the program, where that is in no Python code."""
    frame = next((frame for frame in reversed(failure.frames) if frame.own), None)
    if frame is None or frame.file.endswith((".py", ".pyx", ".pyw", ".ipynb")) or frame.file.startswith("<"):
        return ""
    name = frame.file.replace("\\", "/").rpartition("/")[2]
    return f"{name}:{frame.line}" if "." in name else ""


def _asked(failures: tuple[Failure, ...]) -> str:
    """The host that was asked, where one of them notes a request."""
    found = (_REQUEST.fullmatch(note) for failure in reversed(failures) for note in failure.notes)
    return next((match[1] for match in found if match), "")


def _found(words: str, text: str) -> int:
    """Where they stand by themselves, not as a part of other words; -1 if nowhere that a first line may show."""
    words, text = words[:_MAX_COMPARED], text[: 4 * _MAX_COMPARED]
    at = text.find(words)
    while at >= 0 and words:
        end = at + len(words)
        begins = not (words[0].isalnum() and text[max(at - 1, 0) : at].isalnum())
        ends = len(words) == _MAX_COMPARED or not (words[-1].isalnum() and text[end : end + 1].isalnum())
        if begins and ends:
            return at
        at = text.find(words, at + 1)
    return -1
