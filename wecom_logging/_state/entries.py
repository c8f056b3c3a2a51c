"""Alerts as text that others can read: JSON, with a version. What comes back is checked; it may come from any
process."""

from __future__ import annotations

from .._incidents.codec import as_line, plain, read, typed
from .._incidents.incident import First
from ..model import Alert

VERSION = 2
MAX_CHARACTERS = 2 * 1024 * 1024


def dump(alert: Alert) -> str:
    """An alert, masked already, as one line."""
    return as_line({"v": VERSION, "alert": plain(alert)})


def load(text: str) -> Alert:
    """The alert again. ValueError where it is none of ours, of this version."""
    found = read(text, MAX_CHARACTERS)
    if not isinstance(found, dict) or found.get("v") != VERSION:
        raise ValueError("an entry of another version")
    try:
        alert = typed(found.get("alert"), Alert)
    except RecursionError:
        raise ValueError("an entry as deep as this is none of ours") from None
    assert isinstance(alert, Alert)
    return alert


class Entry:
    """An alert as text, as a store has it. It is read when it is asked for."""

    __slots__ = ("_alert", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._alert: Alert | None = None

    @property
    def alert(self) -> Alert:
        """ValueError where it is none of ours, of this version."""
        if self._alert is None:
            self._alert = load(self.text)
        return self._alert

    @property
    def size(self) -> int:
        return 2 * len(self.text)


def text_of(first: First) -> str:
    """The text of an alert, made or not. Raises what making it raises."""
    return first.text if isinstance(first, Entry) else dump(first.alert)


def pack(text: str) -> str:
    """As ASCII, which is the same under every encoding that a given client may have."""
    return f"={text}" if text.isascii() and text.isprintable() else f"j{as_line(text)}"


def unpack(text: str) -> str:
    """ValueError where it was not packed by us."""
    if text[:1] == "=":
        return text[1:]
    found = read(text[1:], MAX_CHARACTERS) if text[:1] == "j" else None
    if not isinstance(found, str):
        raise ValueError("not packed")
    return found
