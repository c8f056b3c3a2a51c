"""What makes two alerts the same, as a short text that is equal on every host and in every process.

No path, line number or address goes into it, so that it outlives a deployment.
"""

from __future__ import annotations

import hashlib
import re

from .._render.cut import CAP_BYTES
from ..model import Alert, Recipients

MAX_TEMPLATE = 1024
"""Longer texts are none that a program is made of; nobody searches them for a word, or keeps them."""

_ENDS = 256
_CHANGING = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"  # UUID
    r"|0[xX][0-9a-fA-F]+|(?=[a-fA-F]{0,64}\d)[0-9a-fA-F]{8,}"  # hex; no look ahead over all of a long run of letters
    r"|\"[^\"]{0,256}\"|'[^']{0,256}'"  # quoted
    r"|\d+(?:\.\d+)*"
)
_FRAME = re.compile(r'^ +File "[^"\n]*", line \d+, in ([^\n]{1,64})', re.MULTILINE)
_MAX_FRAMES = 32
_OWN_WORD = re.compile(r"[^\W\d_]{2,}")
_PLACEHOLDER = re.compile(r"%(?:\(\w*+\))?[-#0 +]*+[\d.*]*+[hlL]?[a-zA-Z%]")


def group_key(alert: Alert, meant: Recipients | None) -> str:
    """One for all alerts that are the same, wherever they come from: 32 hex digits. ``meant``: who gets them."""
    parts = [str(alert.level), _names(meant or Recipients()), repr(alert.mention), fingerprint(alert)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def lane_of(recipients: Recipients | None) -> str:
    """Those who may share a message, as text; empty for those of the channel."""
    return "" if recipients is None else _names(recipients)


def _names(who: Recipients) -> str:
    return repr([sorted(names) for names in (who.users, who.departments, who.tags, who.leader_of)])


def fingerprint(alert: Alert) -> str:
    """Sixteen hex digits over logger, level, function, text pattern, exception type and the functions it passed.

    Of an ExceptionGroup also the types of its members.
    """
    if alert.fingerprint:
        return alert.fingerprint
    last = alert.failures[-1] if alert.failures else None
    parts = [
        alert.logger,
        str(alert.level),
        alert.module,
        alert.place.name,
        _pattern(alert),
        last.type if last else "",
        *(frame.name for frame in (last.frames[-_MAX_FRAMES:] if last else ())),
        *(sorted(chain[-1].type for chain in last.members if chain) if last else ()),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _pattern(alert: Alert) -> str:
    """The template, if it says something of its own; else the text without what changes."""
    if alert.template != alert.message and has_own_word(alert.template):
        return alert.template
    return without_what_changes(ends(alert.message))


def has_own_word(template: str) -> bool:
    """Whether a template has a word beside its placeholders; most begin with one."""
    template = template[:MAX_TEMPLATE]
    begin = template.partition("%")[0]
    return bool(_OWN_WORD.search(begin) or _OWN_WORD.search(_PLACEHOLDER.sub("", template)))


def ends(text: str) -> str:
    """What is compared of a text: the first and the last 256 characters, and between them the way of a traceback."""
    if len(text) <= 2 * _ENDS:
        return text
    way = _FRAME.findall(text[-CAP_BYTES:])[-_MAX_FRAMES:] if '\n  File "' in text else ()
    return "\n".join((text[:_ENDS], *way, text[-_ENDS:]))


def without_what_changes(text: str) -> str:
    """A text without numbers, UUIDs, hex and quoted parts."""
    return _CHANGING.sub("#", text)
