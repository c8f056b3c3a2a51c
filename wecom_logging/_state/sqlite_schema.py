"""The tables of a SQLite state: of a new file, of one of the version before, and of one from before a restart."""

from __future__ import annotations

import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time

from .._incidents import life
from .._incidents.codec import shifted
from .documents import Step
from .rows import Find
from .sql import FIRSTS, INDEXES, NOTES, ROWS
from .sqlite_older import take_over

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


def _shift(step: Step, now: float) -> None:
    """Times of another clock become those of this one, as if the newest had been a moment ago; nobody has a claim."""
    for_channel = {channel: step.find(channel, Find(), lambda *what: None) for channel in step.channels()}
    times = [max(row.counted_at, row.told_at) for rows in for_channel.values() for row in rows]
    by = now - max(times, default=0.0)
    for channel, rows in for_channel.items():
        for row in rows:
            step.write(channel, shifted(life.unclaimed(row) if row.owner else row, by), row)
