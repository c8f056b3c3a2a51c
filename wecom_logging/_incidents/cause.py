"""The cause key: what several incidents fail for. Only the worker loads this; what captures needs it not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .fingerprint import digest, environment_of
from .pattern import pattern

if TYPE_CHECKING:
    from ..model import Alert

_SCHEDULER = "scheduler "


def cause_key(alert: Alert) -> str:
    """The same for all alerts of one cause, in one environment; empty where nothing says one.

    That is what cannot be reached, whoever says it; else the exception at the end of the chain that was raised, its
    type and what it says.
    """
    root = alert.failures[0] if alert.failures else None
    texts = (alert.message, *(failure.text for failure in alert.failures))
    cause = next(filter(None, map(unreachable, texts)), "")
    if cause:
        return digest(cause, *environment_of(alert))[:16]
    if root is None or not root.frames:
        return ""
    return digest(root.type, pattern(root.text), *environment_of(alert))[:16]


def cause_of(scheduler: str, service: str) -> str:
    """The same for jobs that a scheduler has not started, which seems to have ended."""
    return f"{_SCHEDULER}{scheduler} {service}"


def scheduler_of(cause: str) -> str:
    """Which one that is; "" for any other cause."""
    return cause.removeprefix(_SCHEDULER).partition(" ")[0] if cause.startswith(_SCHEDULER) else ""


# What cannot be reached, as drivers say it: a refused connection to a host and port, or a name that no host has. Each
# library says it in words and under a type of its own; what they have in common is the address.

_MOST = 4096
"""So much of a text is looked at: an address stands near its beginning, or in its last line."""

_REFUSED = re.compile(r"refused|Connect call failed|\[Errno (?:111|61)\]|WinError 10061|积极拒绝|拒绝连接", re.I)
_NO_NAME = re.compile(
    r"Name or service not known|name resolution|nodename nor servname|getaddrinfo failed|Name does not resolve"
    r"|No address associated|could not translate host name|Failed to resolve|no such host|NXDOMAIN|不知道这样的主机",
    re.I,
)
_HOST = r"[A-Za-z0-9_](?:[\w.-]{0,252}\w)?"
_PORT = r"[1-9]\d{0,4}"
_ADDRESSES = tuple(
    re.compile(form)
    for form in (
        rf"host='(?P<host>{_HOST}|[0-9a-f:]+)', port=(?P<port>{_PORT})\b",
        rf"""at ["'](?P<host>{_HOST}|[0-9a-f:]+)["'](?: \([^()]{{1,64}}\))?, port (?P<port>{_PORT})\b""",
        rf"\('(?P<host>{_HOST}|[0-9a-f:]+)', (?P<port>{_PORT})[,)]",
        rf"(?:^|[\s(<@=/\"'])(?P<host>{_HOST}|\d{{1,3}}(?:\.\d{{1,3}}){{3}}):(?P<port>{_PORT})(?!\w|\.\w)",
        rf"\[(?P<host>[0-9a-f:]+)\]:(?P<port>{_PORT})(?!\w)",
        rf"(?:ipv4|ipv6|tcp):\[?(?P<host>{_HOST}|[0-9a-f:]+)\]?:(?P<port>{_PORT})(?!\w)",
    )
)
_NAMES = tuple(
    re.compile(form)
    for form in (
        rf"(?:host name|resolve|resolving|lookup|host) [\"'](?P<host>{_HOST})[\"']",
        rf"host='(?P<host>{_HOST})'",
        rf"server on '(?P<host>{_HOST})'",
        rf"(?:lookup|connecting to|connect to host) (?P<host>{_HOST})",
        rf"(?:\w+://)(?:[^\s@/]{{1,64}}@)?(?P<host>{_HOST})",
    )
)
_NO_HOST = re.compile(r"\d+|.+\.(?:py[xi]?|js|ts|go|java|kt|rs|rb|php|cc?|cpp)")
"""The hours of a time; a file, of which the line stands behind it."""
_THIS_HOST = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1|0\.0\.0\.0")


def unreachable(text: str) -> str:
    """``refused db.internal:5432``, ``no name db.internal``; empty where a text says neither, or not of what."""
    if len(text) > _MOST:
        text = f"{text[: _MOST // 2]}\n{text[-_MOST // 2 :]}"
    if _NO_NAME.search(text):
        return next((f"no name {found['host'].lower()}" for found in _found(_NAMES, text)), "")
    if not _REFUSED.search(text):
        return ""
    return next((f"refused {_plain(found['host'])}:{found['port']}" for found in _found(_ADDRESSES, text)), "")


def _found(forms: tuple[re.Pattern[str], ...], text: str) -> Iterator[re.Match[str]]:
    for form in forms:
        yield from (match for match in form.finditer(text) if not _NO_HOST.fullmatch(match["host"]))


def _plain(host: str) -> str:
    return "localhost" if _THIS_HOST.fullmatch(host) else host.lower()
