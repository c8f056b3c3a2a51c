"""Makes a `Failure` of an exception, and of what led to it."""

from __future__ import annotations

import re
from types import TracebackType

from .._render.traceback_text import AS_TEXT, HEAD_FRAMES, MAX_CHAIN
from .._render.words import CHAIN_IS_A_CIRCLE, EXCEPTIONS_LEFT_OUT, MORE_EXCEPTIONS
from ..model import Failure, Frame
from .exceptions import INSIDE, MAX_MEMBERS, TRACE, frames_kept, own_of
from .reading import Reading
from .templates import template_frames
from .texts import text_of, type_name

_MAX_MEMBER_CHAIN = 2
_MAX_NOTES = 32
_MAX_METHOD = 16
_END_OF_HOST = re.compile(r"[/?#]")


def failures(error: BaseException | None, reading: Reading, depth: int = 0) -> tuple[Failure, ...]:
    """An exception and what led to it, the oldest first; of a long chain the last ones and the first."""
    chain = reading.chain(error)
    ends = chain.ends
    most = _MAX_MEMBER_CHAIN if depth else MAX_CHAIN
    left_out = len(chain.ids) - most
    shown = ends if left_out <= 0 else ends[: most - 1]
    found = [_failure(failed, link, reading, depth) for link, failed in shown]
    if left_out > 0:
        (link, _), (last_link, last) = ends[-2:]
        found.append(Failure(EXCEPTIONS_LEFT_OUT.en % left_out, "", link=link))
        found.append(_failure(last, last_link, reading, depth))
    if chain.is_circle:
        found.append(Failure(CHAIN_IS_A_CIRCLE.en, "", link="context"))
    return tuple(reversed(found))


def failure_of_text(reading: Reading) -> tuple[Failure, ...]:
    """A traceback that is text already, as a queue or another process leaves it."""
    text = reading.record.exc_text
    return (Failure(type=AS_TEXT, text=reading.text(text)),) if text else ()


def _failure(error: BaseException, link: str, reading: Reading, depth: int) -> Failure:
    frames, omitted = _frames(TRACE.__get__(error))
    return Failure(
        type=type_name(type(error)),
        text=reading.text(reading.said(error)),
        frames=frames,
        omitted=omitted,
        head=HEAD_FRAMES,
        notes=(*_notes(error, reading), *_asked(error)),
        link=link,
        members=_members(error, reading, depth),
    )


def _frames(trace: TracebackType | None) -> tuple[tuple[Frame, ...], int]:
    kept, omitted = frames_kept(trace)
    templates = template_frames(kept)
    return tuple(templates.get(place) or _frame(trace) for place, trace in enumerate(kept)), omitted


def _frame(trace: TracebackType) -> Frame:
    code = trace.tb_frame.f_code
    return Frame(code.co_filename, trace.tb_lineno or 0, code.co_qualname)


def _notes(error: BaseException, reading: Reading) -> tuple[str, ...]:
    try:
        notes = getattr(error, "__notes__", ())
        return tuple(reading.text(note) for note in list(notes)[:_MAX_NOTES]) if isinstance(notes, list | tuple) else ()
    except Exception:  # a property that raises: the exception itself is still captured
        return ()


def _asked(error: BaseException) -> tuple[str, ...]:
    """Which host was asked: httpx says it beside its exceptions, not in their texts."""
    asked = own_of(own_of(error).get("_request"))
    method, url = asked.get("method"), asked.get("url")
    if type(method) is not str or type_name(type(url)) != "httpx.URL":
        return ()
    scheme, _, rest = text_of(url).partition("://")
    return (f"{method[:_MAX_METHOD]} {scheme}://{_END_OF_HOST.split(rest, 1)[0].rpartition('@')[2]}",)


def _members(error: BaseException, reading: Reading, depth: int) -> tuple[tuple[Failure, ...], ...]:
    if not issubclass(type(error), BaseExceptionGroup) or depth >= len(MAX_MEMBERS):
        return ()
    inside: tuple[BaseException, ...] = INSIDE.__get__(error)
    shown = [failures(member, reading, depth + 1) for member in inside[: MAX_MEMBERS[depth]]]
    if more := len(inside) - len(shown):
        shown.append((Failure(MORE_EXCEPTIONS.en % more, ""),))
    return tuple(shown)
