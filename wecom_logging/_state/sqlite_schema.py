"""The tables of a SQLite state: of a new file, of one of the version before, and of one from before a restart.

What version 2 has left, that of 1.0.0rc1, becomes rows and notes.
"""

from __future__ import annotations

import json
import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .._incidents import stored
from .._incidents.codec import as_line, dump, shifted
from .._incidents.incident import Count
from .documents import Note, Step, book
from .entries import MAX_CHARACTERS, Entry
from .rows import Find, loaded, new_version, place_of
from .sql import FIRSTS, INDEXES, NOTES, ROWS

_TEXTS = {
    "rows": f"CREATE TABLE rows ({ROWS})",
    "firsts": f"CREATE TABLE firsts ({FIRSTS})",
    "notes": f"CREATE TABLE notes ({NOTES})",
    "boot": "CREATE TABLE boot (id TEXT)",
    **{name: f"CREATE INDEX {name} ON {on}" for name, on in INDEXES.items()},
}
"""By name, as SQLite keeps them in its `sqlite_master`."""


def prepare(step: Step, db: sqlite3.Connection, version: int, now: float) -> list[str]:
    """Make the tables that are not there, or not as they should be.

    ``version`` is the file's, and ``now`` of the store's clock. Triggers and views that another program has planted are
    first removed; answers their names. ValueError where that cannot be done.
    """
    planted = _planted(db)
    for kind, name in planted:
        quoted = name.replace('"', '""')
        if kind != "table":
            db.execute(f'DROP {kind} IF EXISTS "{quoted}"')
    if left := _planted(db):
        raise ValueError(f"{left[0][1]} cannot be removed")
    if version == 2:
        db.execute("ALTER TABLE firsts RENAME TO firsts_of_2")
    for name, text in _TEXTS.items():
        found = db.execute("SELECT sql FROM sqlite_master WHERE name=? COLLATE NOCASE", (name,)).fetchone()
        if found is None:
            db.execute(text)
        elif found[0] != text:
            _make_anew(db, name, text, found[0])
    if version == 1:
        raise ValueError("version 1, which 1.0.0rc1 can read")
    if version == 2:
        take_over(step, db)
    boot = _boot()
    if db.execute("SELECT id FROM boot").fetchone() != (boot,):  # the clock has begun anew
        db.execute("DELETE FROM boot")
        db.execute("INSERT INTO boot VALUES (?)", (boot,))
        db.execute("DELETE FROM notes WHERE kind IN ('sent', 'pause', 'token', 'peer', 'mark')")
        _shift(step, now)
    return [f"{kind} {name}" for kind, name in planted if kind != "index"]


def _planted(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Triggers, views and indexes that are not ours, by what their text says: of another table nothing is executed."""
    rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    tables = ("CREATE TABLE ", "CREATE VIRTUAL TABLE ")
    ours = _TEXTS.values()
    return [(kind, str(name)) for kind, name, text in rows if text not in ours and not str(text).startswith(tables)]


def _make_anew(db: sqlite3.Connection, name: str, text: str, before: str) -> None:
    """A table of before a column was thought of, or that another program has changed: its rows go on in one of ours."""
    if not before.startswith("CREATE TABLE "):
        raise ValueError(f"{name} is a virtual table")
    db.execute(f"DROP TABLE IF EXISTS {name}_before")
    db.execute(f"ALTER TABLE {name} RENAME TO {name}_before")
    db.execute(text)
    has, had = (
        [column for _, column, *_, hidden in db.execute(f"PRAGMA table_xinfo({table})") if not hidden]  # not generated
        for table in (name, f"{name}_before")
    )
    both = ", ".join(column for column in has if column in had)
    if both:
        db.execute(f"INSERT INTO {name} ({both}) SELECT {both} FROM {name}_before")
    db.execute(f"DROP TABLE {name}_before")


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip()
    except OSError:  # not Linux: the minute in which the clock began
        return str(round((time.time() - time.monotonic()) / 60))


def _shift(step: Step, now: float) -> None:
    """Times of another clock become those of this one, as if the newest had been a moment ago; no process has a
    claim."""
    for_channel = {channel: step.find(channel, Find(), lambda *what: None) for channel in step.channels()}
    times = [max(row.counted_at, row.told_at) for rows in for_channel.values() for row in rows]
    by = now - max(times, default=0.0)
    for channel, rows in for_channel.items():
        for row in rows:
            step.write(channel, shifted(stored.unclaimed(row) if row.owner else row, by), row)


# What version 2 has left, that of 1.0.0rc1, becomes rows and notes.

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
            book(step, stored.GIVEN_UP, untold)
        else:
            found = tuple(one for host, who in places if (one := place_of(str(host), str(who))) is not None)
            step.write(str(row["channel"]), replace(incident, places=found[: stored.MAX_PLACES]), None)


def _document(row: dict[str, Any]) -> str:
    """What was in columns of its own, as one document."""
    found = {name: value for name, value in row.items() if name not in ("id", "channel", "due", "entry")}
    found["audience"] = found.pop("lane")
    for name in ("samples", "kinds", "rates", "answers"):
        value = _read(found.get(name))
        if name in _MEMBERS and isinstance(value, list):
            value = [dict(zip(_MEMBERS[name], one, strict=False)) if isinstance(one, list) else one for one in value]
        found[name] = {} if value is None and name == "answers" else value
    found["variants"] = found.pop("kinds")
    return as_line(found)


def _bury(step: Step, row: dict[str, Any], why: str, number: int) -> None:
    """A dead letter, with as much of its incident as it had."""
    level, key, audience = _number(row["level"]), str(row["key"]), str(row["lane"])
    window_s, last = (row[name] if type(row[name]) is float else 0.0 for name in ("window_s", "last"))
    count = Count(key=key, number=number, level=level, window_s=window_s, last=last, first=Entry(""), audience=audience)
    letter = stored.opened(count, short_id=str(row["short_id"]), version=new_version(), now=0.0)
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
