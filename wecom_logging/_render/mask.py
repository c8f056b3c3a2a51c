"""Masks all texts of an alert, before anything is cut or shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from .._masking.redact import again, hide, noting
from .._text.cut import cap
from ..model import Alert, Failure, Frame
from ..model.captured import each
from .traceback_text import read

Mask = Callable[[str], str]
_TEXTS = (
    *("message", "template", "level_name", "logger", "module", "title", "stack"),
    *("thread_name", "process_name", "host", "service", "environment", "fingerprint"),
)
_PROBE = "Pr0be"
_SLIM_BYTES = 2048
_SLIM_TEXTS = ("message", "template", "title", "stack")
_SLIM_FRAMES = 8
_SLIM_FIELDS = 8
_SLIM_DEPTH = 2


def masked(alert: Alert, mask: Mask) -> Alert:
    """The alert with ``mask`` applied to all its texts; only then is a traceback in them read.

    What stays is no text: ids of recipients, which WeCom has to read, and digests. A value that was hidden in one text
    is hidden in the others, too, where nothing says what it is.
    """
    with noting() as hidden:
        whole = _whole(alert, mask)
    hide(*hidden)  # who asks for this alert may want to know it, too
    further = again(hidden) if hidden else None
    return read(_whole(whole, further) if further else whole)


def _whole(alert: Alert, mask: Mask) -> Alert:
    """The same object where nothing of it is another: most alerts have no secret."""
    found: dict[str, Any] = {name: mask(text) for name in _TEXTS if (text := getattr(alert, name))}
    found |= {
        "fields": tuple(_field(name, value, mask) for name, value in alert.fields),
        "failures": each(
            alert.failures,
            lambda one: replace(retexted(one, mask), frames=tuple(_frame(frame, mask) for frame in one.frames)),
        ),
        "formatted": None if alert.formatted is None else mask(alert.formatted),
        "place": _frame(alert.place, mask),
        "ours": tuple(map(mask, alert.ours)),
    }
    changes = {name: value for name, value in found.items() if value != getattr(alert, name)}
    return replace(alert, **changes) if changes else alert


def slim(alert: Alert) -> Alert:
    """As much of a masked alert as its later digests show, in a few KiB: there may be thousands of groups."""
    texts: dict[str, Any] = {name: cap(getattr(alert, name), _SLIM_BYTES) for name in _SLIM_TEXTS}
    return replace(  # of its exceptions what the first line is made of: the last one, and by name what caused it
        alert,
        formatted=None if alert.formatted is None else cap(alert.formatted, _SLIM_BYTES),
        fields=tuple((cap(name, 128), cap(value, 256)) for name, value in alert.fields[:_SLIM_FIELDS]),
        failures=(*map(_named, _root(alert.failures)), *map(_slim, alert.failures[-1:])),
        **texts,
    )


def _root(failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """The exception that caused the last one, if one did, and one on the way that notes something."""
    first = len(failures) - 1
    while first > 0 and failures[first - 1].link == "cause" and failures[first - 1].type[:1] != "(":
        first -= 1
    return tuple(one for one in failures[first:-1] if one is failures[first] or one.notes)[:2]


def _slim(failure: Failure) -> Failure:
    frames = failure.frames
    last = len(frames) - 1
    worth = sorted(range(len(frames)), key=lambda place: (place != last, not frames[place].own, -place))
    kept = sorted(worth[:_SLIM_FRAMES])
    gaps = [here - before - 1 for before, here in pairwise([-1, *kept])]
    if failure.omitted:
        gaps[next((at for at, place in enumerate(kept) if place >= failure.head), 0)] += failure.omitted
    return replace(
        failure,
        text=cap(failure.text, _SLIM_BYTES),
        notes=_notes(failure),
        frames=tuple(frames[place] for place in kept),
        omitted=sum(gaps),
        head=gaps.index(max(gaps)) if gaps else 0,  # one place stands for all that is left out
        members=_named_members(failure, 0),
    )


def _named(failure: Failure, depth: int = 0) -> Failure:
    members = _named_members(failure, depth)
    return Failure(failure.type, cap(failure.text, 256), notes=_notes(failure), link=failure.link, members=members)


def _notes(failure: Failure) -> tuple[str, ...]:
    return tuple(cap(note, 256) for note in failure.notes[:2])


def _named_members(failure: Failure, depth: int) -> tuple[tuple[Failure, ...], ...]:
    chains = failure.members if depth < _SLIM_DEPTH else ()
    return tuple(tuple(_named(one, depth + 1) for one in (*_root(chain), *chain[-1:])) for chain in chains)


def _field(name: str, value: str, mask: Mask) -> tuple[str, str]:
    """A field's name may be what says that its value is a secret, all of it."""
    counts = name.lower().endswith("tokens") and value.isdecimal()
    if _PROBE not in mask(f"{name}={_PROBE}") and not counts:
        return mask(name), hide(value)
    return mask(name), mask(value)


def retexted(failure: Failure, change: Mask) -> Failure:
    """With all that it says changed, but for its frames and members."""
    notes = tuple(map(change, failure.notes))
    return replace(failure, type=change(failure.type), text=change(failure.text), notes=notes)


def _frame(frame: Frame, mask: Mask) -> Frame:
    file, name, code = mask(frame.file), mask(frame.name), mask(frame.code) if frame.code else ""
    if (file, name, code) == (frame.file, frame.name, frame.code):  # so are most
        return frame
    return replace(frame, file=file, name=name, code=code)
