"""The tables of a SQLite state: of a new file, and of one from before a restart."""

from __future__ import annotations

import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time

from .._incidents import stored
from .._incidents.codec import shifted
from .documents import Step
from .rows import Find
from .sql import FIRSTS, INDEXES, NOTES, ROWS

_TEXTS = {
    "rows": f"CREATE TABLE rows ({ROWS})",
    "firsts": f"CREATE TABLE firsts ({FIRSTS})",
    "notes": f"CREATE TABLE notes ({NOTES})",
    "boot": "CREATE TABLE boot (id TEXT)",
    **{name: f"CREATE INDEX {name} ON {on}" for name, on in INDEXES.items()},
}
"""By name, as SQLite keeps them in its `sqlite_master`."""


def prepare(step: Step, db: sqlite3.Connection, now: float) -> None:
    """Make the tables that are not there. ``now`` is of the store's clock."""
    for name, text in _TEXTS.items():
        if db.execute("SELECT sql FROM sqlite_master WHERE name=? COLLATE NOCASE", (name,)).fetchone() is None:
            db.execute(text)
    boot = _boot()
    if db.execute("SELECT id FROM boot").fetchone() != (boot,):  # the clock has begun anew
        db.execute("DELETE FROM boot")
        db.execute("INSERT INTO boot VALUES (?)", (boot,))
        db.execute("DELETE FROM notes WHERE kind IN ('sent', 'pause', 'token', 'peer', 'mark')")
        _shift(step, now)


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
