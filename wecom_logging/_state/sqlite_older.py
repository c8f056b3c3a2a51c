"""What version 2 has left in a SQLite file becomes rows and notes; that was the one of 1.0.0rc1."""

from __future__ import annotations

import json
import sqlite3  # noqa: TID253 # this module is loaded with the first state
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .._incidents import life
from .._incidents.codec import as_line, dump
from .._incidents.incident import Count
from .documents import Note, Step, book
from .entries import MAX_CHARACTERS, Entry
from .rows import loaded, new_version, place_of

_TABLES = ("incidents", "firsts_of_2", "places", "marks", "dead", "sent", "pauses", "tokens", "peers", "books")
_ENTRY = f"CASE WHEN length(entry)<={MAX_CHARACTERS} THEN entry ELSE '' END AS entry"
_MEMBERS = {"samples": ("time", "text"), "kinds": ("name", "count", "text", "time", "is_new")}
"""Those that were lists stand by position."""

_NOTES = {
    "mark": "SELECT channel, who AS name, '' AS text, number, at FROM marks",
    "sent": "SELECT channel, number || ' ' || receiver AS name, receiver AS text, 0 AS number, at FROM sent",
    "pause": "SELECT channel, '' AS name, '' AS text, 0 AS number, until AS at FROM pauses",
    "peer": "SELECT '' AS channel, who AS name, '' AS text, 0 AS number, at FROM peers",
    "book": "SELECT '' AS channel, name, '' AS text, number, 0.0 AS at FROM books WHERE name NOT LIKE 'longest %'",
    "longest": "SELECT substr(name, 9) AS channel, '' AS name, '' AS text, number, 0.0 AS at FROM books"
    " WHERE name LIKE 'longest %'",
}


def take_over(step: Step, db: sqlite3.Connection) -> None:
    """Rows, dead letters, numbers, windows and tokens; the tables of before go. ValueError where they are others."""
    try:
        _take_over(step, db)
    except KeyError as error:
        raise ValueError(f"no column {error}") from None
    for table in _TABLES:
        db.execute(f"DROP TABLE {table}")


def _take_over(step: Step, db: sqlite3.Connection) -> None:
    for kind, select in _NOTES.items():
        for row in _all(db, select):
            channel, name, text = (str(row[part]) for part in ("channel", "name", "text"))
            at = row["at"] if type(row["at"]) is float else 0.0
            step.put(Note(kind=kind, channel=channel, name=name, text=text, number=_number(row["number"]), at=at))
    for row in _all(db, "SELECT value, ends, owner, locked, app FROM tokens"):
        step.put(Note(kind="token", name=str(row.pop("app")), text=as_line(row)))
    for row in _all(db, f"SELECT *, {_ENTRY} FROM dead"):
        _bury(step, row, str(row["why"]), _number(row["count"]))
    for row in _all(db, f"SELECT incidents.*, {_ENTRY} FROM incidents LEFT JOIN firsts_of_2 USING (id)"):
        places = db.execute("SELECT host, process FROM places WHERE id=?", (row["id"],)).fetchall()
        incident = loaded(_document(row), row["entry"])
        if incident is None:
            untold = max(_number(row["count"]) - _number(row["told"]), 0)
            _bury(step, row, "unreadable", untold)
            book(step, life.GIVEN_UP, untold)
        else:
            found = tuple(one for host, who in places if (one := place_of(str(host), str(who))) is not None)
            step.write(str(row["channel"]), replace(incident, places=found[: life.MAX_PLACES]), None)


def _document(row: dict[str, Any]) -> str:
    """What was in columns of its own, as one document."""
    found = {name: value for name, value in row.items() if name not in ("id", "channel", "due", "entry")}
    found["audience"] = found.pop("lane")
    for name in ("samples", "kinds", "rates", "answers"):
        value = _read(found.get(name))
        if name in _MEMBERS and isinstance(value, list):
            value = [dict(zip(_MEMBERS[name], one, strict=False)) if isinstance(one, list) else one for one in value]
        found[name] = {} if value is None and name == "answers" else value
    return as_line(found)


def _bury(step: Step, row: dict[str, Any], why: str, number: int) -> None:
    """A dead letter, with as much of its incident as it had."""
    level, key, audience = _number(row["level"]), str(row["key"]), str(row["lane"])
    window_s, last = (row[name] if type(row[name]) is float else 0.0 for name in ("window_s", "last"))
    count = Count(key=key, number=number, level=level, window_s=window_s, last=last, first=Entry(""), audience=audience)
    letter = life.opened(count, short_id=str(row["short_id"]), version=new_version(), now=0.0)
    text = as_line([why, dump(letter), row["entry"] or ""])
    name = str(new_version())
    step.put(Note(kind="dead", channel=str(row["channel"]), name=name, text=text, number=number, at=last))


def _all(db: sqlite3.Connection, select: str) -> Iterator[dict[str, Any]]:
    cursor = db.execute(select)
    names = [name for name, *_ in cursor.description]
    for row in cursor.fetchall():
        yield {name: "" if isinstance(value, bytes) else value for name, value in zip(names, row, strict=True)}


def _number(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**53 else 0


def _read(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) and text else None
    except (ValueError, RecursionError):
        return None
