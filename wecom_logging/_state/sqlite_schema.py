"""The tables of a SQLite state: of a new file, of one of the version before, and of one from before a restart."""

from __future__ import annotations

import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time

from .._incidents import life
from .._incidents.fingerprint import lane_of
from .entries import load
from .sqlite_rows import ENTRY, INCIDENT, LARGE, UNTOLD, open_again, read, save

_DEFAULTS = {"TEXT": "''", "INTEGER": "0", "REAL": "0.0"}
"""Of what an older version does not know when it writes, or a file does not have yet."""
_DECLARED = [f"{column} DEFAULT {_DEFAULTS[column.split()[1]]}" for column in INCIDENT.split(", ")]
_MADE = f"""
CREATE TABLE incidents (id INTEGER PRIMARY KEY, channel TEXT, due REAL, event TEXT,
    {", ".join(_DECLARED)}, UNIQUE (channel, key));
CREATE INDEX incidents_turn ON incidents (channel, rank DESC, untold_at, due, lane);
CREATE INDEX incidents_due ON incidents (channel, due);
CREATE INDEX incidents_name ON incidents (channel, short_id);
CREATE INDEX incidents_owner ON incidents (channel, owner) WHERE owner!='';
CREATE INDEX incidents_cause ON incidents (channel, cause) WHERE cause!='';
CREATE TABLE firsts (id INTEGER PRIMARY KEY, entry TEXT);
CREATE TABLE places (id INTEGER, host TEXT, process TEXT, PRIMARY KEY (id, host, process)) WITHOUT ROWID;
CREATE TABLE marks (channel TEXT, who TEXT, number INTEGER, at REAL,
    PRIMARY KEY (channel, who)) WITHOUT ROWID;
CREATE TABLE dead (channel TEXT, key TEXT, short_id TEXT, level INTEGER, window_s REAL, lane TEXT,
    entry TEXT, count INTEGER, last REAL, why TEXT);
CREATE TABLE sent (channel TEXT, receiver TEXT, number TEXT, at REAL,
    PRIMARY KEY (channel, receiver, number)) WITHOUT ROWID;
CREATE TABLE pauses (channel TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
CREATE TABLE tokens (app TEXT PRIMARY KEY, value TEXT, ends REAL, owner TEXT, locked REAL) WITHOUT ROWID;
CREATE TABLE peers (who TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
CREATE TABLE books (name TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
CREATE TABLE boot (id TEXT)
"""
_TEXTS = {text.split()[2]: text for text in map(str.strip, _MADE.split(";"))}
"""By name, as SQLite keeps them in its `sqlite_master`."""


def prepare(db: sqlite3.Connection, version: int, now: float) -> list[str]:
    """Make the tables that are not there, or not as they should be.

    ``version`` is the file's, and ``now`` of the store's clock. Triggers and views that somebody has planted are first
    removed; answers their names. ValueError where that cannot be done.
    """
    planted = _planted(db)
    for kind, name in planted:
        quoted = name.replace('"', '""')
        if kind != "table":
            db.execute(f'DROP {kind} IF EXISTS "{quoted}"')
    if left := _planted(db):
        raise ValueError(f"{left[0][1]} cannot be removed")
    for name, text in _TEXTS.items():
        found = db.execute("SELECT sql FROM sqlite_master WHERE name=? COLLATE NOCASE", (name,)).fetchone()
        if found is None:
            db.execute(text)
        elif found[0] != text:
            _make_anew(db, name, text, found[0])
    boot = _boot()
    if db.execute("SELECT id FROM boot").fetchone() != (boot,):  # the clock has begun anew
        db.execute("DELETE FROM boot")
        db.execute("INSERT INTO boot VALUES (?)", (boot,))
        for table in ("sent", "pauses", "tokens", "peers", "marks"):
            db.execute(f"DELETE FROM {table}")
        _shift(db, now)
    if version == 1:
        _take_over(db, now)
    return [f"{kind} {name}" for kind, name in planted if kind != "index"]


def _planted(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Triggers, views and indexes that are not ours, by what their text says: of another table nothing is executed."""
    rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    tables = ("CREATE TABLE ", "CREATE VIRTUAL TABLE ")
    ours = _TEXTS.values()
    return [(kind, str(name)) for kind, name, text in rows if text not in ours and not str(text).startswith(tables)]


def _make_anew(db: sqlite3.Connection, name: str, text: str, before: str) -> None:
    """A table of before a column was thought of, or that somebody has changed: its rows go on in one of ours."""
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


def _shift(db: sqlite3.Connection, now: float) -> None:
    """Times of another clock become those of this one, as if the newest had been a moment ago; nobody has a claim."""
    newest = db.execute(
        "SELECT max(max(counted_at, told_at)) FROM incidents WHERE abs(counted_at)<? AND abs(told_at)<?",
        (LARGE, LARGE),
    ).fetchone()[0]
    by = now - (newest or 0.0)
    times = ("due", "told_at", "counted_at", "untold_at", "not_before")
    db.execute(f"UPDATE incidents SET {', '.join(f'{name}={name}+?' for name in times)}", (by,) * len(times))
    db.execute("UPDATE incidents SET held_until=held_until+? WHERE held_until!=0", (by,))
    for (row,) in db.execute("SELECT id FROM incidents WHERE owner!=''").fetchall():
        _, incident = read(db, "id=?", row)
        if incident is not None:
            free = life.unclaimed(incident)
            save(db, row, incident, free, life.due_at(free))


def _take_over(db: sqlite3.Connection, now: float) -> None:
    """What the version before has not told, or has given up; the counters stay as they are."""
    db.create_function("lane", 1, _lane)
    alert = f"level, window, lane({ENTRY}), {ENTRY}"
    for found in db.execute(
        f"SELECT channel, key, {alert}, last, {UNTOLD} FROM groups WHERE count>told ORDER BY made"
    ).fetchall():
        open_again(db, found, now)
    db.execute(f"INSERT INTO dead SELECT channel, key, '', {alert}, count, last, why FROM given_up")
    for table in ("groups", "sources", "given_up"):
        db.execute(f"DROP TABLE {table}")


def _lane(entry: object) -> str:
    try:
        return lane_of(load(str(entry)).recipients)
    except ValueError:
        return ""
