"""What version 1 of the state has left in Redis, under keys of its own: it is read here, and becomes rows of ours.

There ``untold`` has in order what waits, with ``g:KEY`` of each; ``given`` what was given up, with ``x:ID``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._incidents.fingerprint import lane_of
from .._incidents.incident import Count
from .base import DAY_S
from .entries import MAX_CHARACTERS, Entry, load
from .redis_rows import digest, number_of, pack, unpack
from .redis_server import RedisServer

_BASE = "wecom-logging:1:{wecom}:"
_WAITS = ("level", "count", "told", "digests", "wait", "window", "told_at", "since", "last")
_GIVEN_UP = ("level", "count", "last", "window")
"""The numbers of a row, in order."""


@dataclass(frozen=True, slots=True)
class Left:
    """One row; ``who`` names it, and no other. ``why`` it was given up, or ""."""

    channel: str
    who: str
    count: Count
    why: str


def left(server: RedisServer) -> Iterator[Left]:
    """All that is there. Each is removed when the next is asked for."""

    def run(script: str, name: str, *arguments: Any) -> Any:
        return server.run(script, _BASE + name, _BASE + "channels", "0", *arguments)

    for name in filter(str.isascii, run("ask", "", "ZRANGE", "channels", 0, -1)):  # what is not was not packed by us
        own = f"{digest(_unpacked(name))}:"
        for turn, begin, numbers in ("untold", "g:", _WAITS), ("given", "x:", _GIVEN_UP):
            while rows := run("older", own, turn, begin):
                for member, *texts in rows:
                    yield _left(_unpacked(name), member, numbers, *texts)
                    run("ask", own, "ZREM", turn, member)
                    run("ask", own, "UNLINK", begin + member)
        run("ask", "", "ZREM", "channels", name)


def _left(channel: str, member: str, names: tuple[str, ...], state: str, entry: str, key: str, why: str) -> Left:
    """What of it can be read. A text that cannot is given up where it is claimed, with its number."""
    numbers = dict(zip(names, map(number_of, state.split()), strict=False))
    text, lane = _unpacked(entry), ""
    if not text or len(pack(text)) > MAX_CHARACTERS:
        text = "?"
    with contextlib.suppress(ValueError):  # it cannot be read, as said
        lane = lane_of(load(text).recipients)
    count = Count(
        key=_unpacked(key or member)[:500] or "?",
        number=max(int(numbers.get("count", 1) - numbers.get("told", 0)), 1),
        level=int(numbers.get("level", 0)),
        window_s=min(numbers.get("window", 0.0), DAY_S) or 60.0,
        last=numbers.get("last", 0.0),
        first=Entry(text),
        lane=lane,
    )
    return Left(channel, f"version 1 {member} {state}", count, _unpacked(why))


def _unpacked(text: str) -> str:
    """Empty where it was not packed by us."""
    try:
        return unpack(text)
    except (ValueError, RecursionError):
        return ""
