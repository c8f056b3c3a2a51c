"""What version 2 has left in Redis, under keys of its own: it is read here, and becomes rows of ours.

There ``open`` has what is open, with ``i:KEY`` of each; ``dead`` what was given up, with ``d:ID``. What a process of
that version is sending stays there until its lease ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._incidents.codec import as_line, load
from .._incidents.incident import Incident
from .entries import Entry
from .redis_rows import NOT_OURS, digest, unpack
from .redis_server import RedisServer

_BASE = "wecom-logging:2:{wecom}:"


@dataclass(frozen=True, slots=True)
class Left:
    """One row, on the server's clock.

    ``place``: its key, where it stands, and as what. ``why`` it was given up, or "".
    """

    channel: str
    place: tuple[str, str, str]
    incident: Incident
    why: str


def left(server: RedisServer, offset_s: float) -> Iterator[Left]:
    """All that is there; what is read has to be taken away."""

    def run(script: str, name: str, *arguments: Any) -> Any:
        return server.run(script, _BASE + name, _BASE + "channels", repr(offset_s), *arguments)

    for name in run("ask", "", "ZRANGE", "channels", 0, -1):
        try:
            channel = unpack(name)
        except ValueError:  # not written by us
            continue
        base = f"{digest(channel)}:"
        for turn, begin in ("open", "i:"), ("dead", "d:"):
            stay, number = 0, 100
            while number == 100:
                number, rows = run("older", base, turn, begin, stay)
                stay += number - len(rows)
                for member, *row in rows:
                    found = _converted(*row)
                    if found is None:
                        stay += 1
                    else:
                        yield Left(channel, (f"{_BASE}{base}{begin}{member}", f"{_BASE}{base}{turn}", member), *found)


def _converted(text: str, version: str, entry: str, fields: Sequence[str]) -> tuple[Incident, str] | None:
    """A row of version 2, on the server's clock, and why it was given up, or "". None where it is none of ours."""
    try:
        row = json.loads(text)
        level, window_s, audience, began, digests, tries, wait_s, *_ = json.loads(row["rest"])
        hosts, processes = ([name[2:10] for name in fields if name[:2] == kind] for kind in ("h:", "p:"))
        document = {
            **{name: row[name] for name in ("rank", "count", "told", "since", "last")},
            **{name: float(row[name]) for name in ("told_at", "counted_at", "untold_at", "not_before")},
            "version": int(version),
            "key": unpack(row["key"]),
            "short_id": row["id"],
            "level": level,
            "window_s": window_s,
            "audience": audience,
            "began": began,
            "digests": digests,
            "tries": tries,
            "wait_s": wait_s,
            "held_until": row.get("held") or 0.0,
            "owner": unpack(row["owner"]) if row["owner"] else "",
            "until": row["wake"] if row["owner"] else 0.0,
            "samples": [{"time": at, "text": unpack(sample)} for at, sample in row["samples"] or ()],
            "kinds": [
                {"name": unpack(name), "count": count, "text": unpack(sample), "time": at, "is_new": bool(is_new)}
                for name, count, sample, at, is_new in row.get("kinds") or ()
            ],
            "rates": row["rates"] or [],
            "places": [[hosts[at % len(hosts)], process] for at, process in enumerate(processes) if hosts],
            "cause": unpack(row["cause"]) if row.get("cause") else "",
            "event": unpack(row["event"]) if row["event"] else "",
            "answers": json.loads(unpack(row["answers"])) if row.get("answers") else {},
            "lent": int(row.get("lent") or 0),
        }
        return load(as_line(document), Entry(unpack(entry))), unpack(row["why"]) if "why" in row else ""
    except NOT_OURS:  # what others have changed
        return None
