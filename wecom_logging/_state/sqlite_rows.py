"""The rows of an incident in SQLite: read, given to `_incidents.life`, written. Each function is within a transaction.

Whoever may write into the file may have written anything: what is read is checked.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sqlite3  # noqa: TID253 # this module is loaded with the first state
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from .._incidents import life
from .._incidents.incident import Count, First, Incident, Kept
from .._incidents.short_id import short_ids
from ..model import Alert, Kind, Sample
from .base import MAX_OPEN, PART, StateError, Swap
from .entries import MAX_CHARACTERS, dump, dump_answers, load, load_answers

_MAX_SOURCES = 1000
_MAX_DEAD = 10_000
MAX_MARKS = 450
"""Of one list in a statement, which may have two: SQLite before 3.32 takes 999."""
LARGE = 2**53
"""A number beyond that is none of ours."""

INCIDENT = (
    "key TEXT, short_id TEXT, version INTEGER, level INTEGER, window_s REAL, rank INTEGER, lane TEXT, count INTEGER,"
    " told INTEGER, digests INTEGER, tries INTEGER, wait_s REAL, told_at REAL, counted_at REAL, untold_at REAL,"
    " not_before REAL, owner TEXT, until REAL, began REAL, since REAL, last REAL, samples TEXT, kinds TEXT, rates TEXT,"
    " cause TEXT, answers TEXT, held_until REAL, lent INTEGER"
)
"""Its columns, as they are in `Incident`; its first alert has a table of its own, which counting does not touch."""
_KINDS: dict[str, type] = {"TEXT": str, "INTEGER": int, "REAL": float}
_COLUMNS = {name: _KINDS[kind] for name, kind in (column.split() for column in INCIDENT.split(","))}
_NAMES = ", ".join(_COLUMNS)

# A column may hold whatever somebody has put into it: what goes to Python is made what it should be, and not too long.
ENTRY = f"CASE WHEN length(entry)<={MAX_CHARACTERS} THEN entry ELSE '' END"
COUNT, NUMBER, UNTOLD = (
    f"min(max(coalesce(CAST({number} AS INTEGER), 0), 0), {LARGE})" for number in ("count", "number", "count-told")
)
_NOT_READ: First = Kept(cast(Alert, None), 0)


def read(db: sqlite3.Connection, where: str, *values: Any) -> tuple[tuple[int, str, float] | None, Incident | None]:
    """Of a row its id, event and due; and the incident, if it can be one of ours."""
    row = db.execute(f"SELECT id, event, due, {_NAMES} FROM incidents WHERE {where}", values).fetchone()
    if row is None:
        return None, None
    found = dict(zip(_COLUMNS, row[3:], strict=True))
    is_sound = (
        all(type(found[name]) is kind for name, kind in _COLUMNS.items())
        and all(abs(number) <= LARGE for number in found.values() if type(number) is not str)
        and 0 <= found["told"] <= found["count"]
        and type(row[2]) is float
    )
    if not is_sound:
        return row[:3], None
    found["samples"] = tuple(Sample(*one) for one in _list(found["samples"]) if _is_sample(one))
    found["kinds"] = tuple(Kind(*one) for one in _list(found["kinds"]) if _is_kind(one))
    found["rates"] = tuple(number for number in _list(found["rates"]) if type(number) is int and 0 <= number <= LARGE)
    found["rates"] = found["rates"][: life.MAX_RATES]
    found["answers"] = load_answers(found["answers"])
    return row[:3], Incident(first=_NOT_READ, **found)


def whole_of(db: sqlite3.Connection, row: int) -> Incident | None:
    """The same with its first alert, and of how many processes it is."""
    _, incident = read(db, "id=?", row)
    entry = db.execute(f"SELECT {ENTRY} FROM firsts WHERE id=?", (row,)).fetchone()
    hosts, processes = db.execute("SELECT count(DISTINCT host), count(*) FROM places WHERE id=?", (row,)).fetchone()
    if incident is None or entry is None or type(entry[0]) is not str:
        return None
    try:
        first: First = Kept(load(entry[0]), len(entry[0]))
    except ValueError:  # it is given up as unreadable, with its number
        return None
    return replace(incident, first=first, hosts=max(hosts, 1), processes=max(processes, 1))


def _column(incident: Incident, name: str) -> Any:
    value = getattr(incident, name)
    if name in ("samples", "kinds"):
        return json.dumps([dataclasses.astuple(one) for one in value])
    if name == "answers":
        return dump_answers(value)
    return json.dumps(value) if name == "rates" else value


def save(db: sqlite3.Connection, row: int, before: Incident, after: Incident, due: float | None) -> None:
    """Write what is another; ``due`` too, if it is given."""
    changed = {name: _column(after, name) for name in _COLUMNS if getattr(before, name) != getattr(after, name)}
    if due is not None:
        changed["due"] = due
    if changed:
        names = ", ".join(f"{name}=?" for name in changed)
        db.execute(f"UPDATE incidents SET {names} WHERE id=?", (*changed.values(), row))


def add_one(
    db: sqlite3.Connection, channel: str, who: str, host: str, one: Count, entry: str, now: float
) -> tuple[int | None, int]:
    """How many of it were told (None: it is not open), and how many were counted now."""
    found, incident = read(db, "channel=? AND key=?", channel, one.key)
    if found is not None and incident is None:
        remove(db, found[0], "unreadable")
        found = None
    if found is None or incident is None:
        if one.first is None or not one.number:
            return None, 0
        incident = life.opened(one, short_id=_free_name(db, channel, one.key), version=new_version(), now=now)
        incident = replace(incident, lane=utf8(incident.lane))
        values = [_column(incident, name) for name in _COLUMNS]
        row = db.execute(
            f"INSERT INTO incidents (channel, event, due, {_NAMES}) VALUES (?,?,?,{question_marks(values)})",
            (channel, one.event, life.due_at(incident), *values),
        ).lastrowid
        assert row is not None
        db.execute("INSERT OR REPLACE INTO firsts VALUES (?,?)", (row, entry))
    else:
        row, event, _ = found
        if one.event and one.event == event:
            return incident.told, 0
        if one.first is not None and life.takes_first(incident):
            db.execute("UPDATE incidents SET event=? WHERE id=?", (one.event, row))
            db.execute("INSERT OR REPLACE INTO firsts VALUES (?,?)", (row, entry))
        after = life.counted(incident, one, now)
        due = life.due_at(after)
        save(db, row, incident, after, due if due != life.due_at(incident) else None)
    if host:
        _add_place(db, row, host, who.partition(PART)[0])
    return incident.told, one.number


def _add_place(db: sqlite3.Connection, row: int, host: str, who: str) -> None:
    if db.execute("SELECT 1 FROM places WHERE id=? AND host=? AND process=?", (row, host, who)).fetchone():
        return
    if db.execute("SELECT count(*) FROM places WHERE id=?", (row,)).fetchone()[0] < _MAX_SOURCES:
        db.execute("INSERT INTO places VALUES (?,?,?)", (row, host, who))


def swap_one(db: sqlite3.Connection, channel: str, swap: Swap) -> bool:
    """Whether it is another row now: only where its version is still that of ``swap.before``."""
    before, after = swap.before, swap.after
    found, there = read(db, "channel=? AND key=?", channel, before.key)
    if found is None or there is None or there.version != before.version:
        return False
    row, _, _ = found
    if after is None:
        if there.count != before.count and not swap.why:
            return False
        remove(db, row, swap.why)
        return True
    new = replace(life.merged(there, before, after), version=new_version())
    save(db, row, there, new, life.due_at(new))
    if swap.why:
        _bury(db, row, new.told - there.told, swap.why)
    else:
        count(db, "told", new.told - there.told)
    return True


def _bury(db: sqlite3.Connection, row: int, number: int, why: str) -> None:
    """So many of it are given up, and kept for people."""
    count(db, "given_up", number)
    if not number:
        return
    db.execute(
        f"INSERT INTO dead SELECT channel, key, short_id, level, window_s, lane, {ENTRY}, ?, last, ?"
        " FROM incidents LEFT JOIN firsts USING (id) WHERE id=?",
        (number, why, row),
    )
    for (old,) in db.execute(
        "SELECT rowid FROM dead WHERE rowid<=(SELECT max(rowid) FROM dead)-?", (_MAX_DEAD,)
    ).fetchall():
        discard_dead(db, old)


def remove(db: sqlite3.Connection, row: int, why: str) -> None:
    """With a reason, what nobody was told of it is kept for people; else it is discarded."""
    untold = db.execute(f"SELECT {UNTOLD} FROM incidents WHERE id=?", (row,)).fetchone()[0]
    if why:
        _bury(db, row, untold, why)
    else:
        count(db, "discarded", untold)
    for table in ("incidents", "firsts", "places"):
        db.execute(f"DELETE FROM {table} WHERE id=?", (row,))


def discard_dead(db: sqlite3.Connection, row: int) -> None:
    """A dead letter is no more kept."""
    number = db.execute(f"SELECT {COUNT} FROM dead WHERE rowid=?", (row,)).fetchone()[0]
    db.execute("DELETE FROM dead WHERE rowid=?", (row,))
    count(db, "given_up", -number)
    count(db, "discarded", number)


def open_again(db: sqlite3.Connection, found: tuple[Any, ...], now: float) -> None:
    """A dead letter is an incident that waits, as it was."""
    kinds: tuple[Callable[[], Any], ...] = (str, str, int, float, str, str, float, int)
    channel, key, level, window_s, lane, entry, last, number = (
        value if type(value) is kind else kind() for value, kind in zip(found, kinds, strict=True)
    )
    one = Count(key=key, number=number or 1, level=level, window_s=window_s, last=last, first=_NOT_READ, lane=lane)
    add_one(db, channel, "", "", one, entry, now)


def make_room(db: sqlite3.Connection) -> None:
    """Where there are too many: first what is told already, else the least severe and oldest, as lost."""
    excess = db.execute("SELECT count(*) FROM incidents").fetchone()[0] - MAX_OPEN
    if excess <= 0:
        return
    rows = db.execute(
        "SELECT id FROM incidents ORDER BY count>told, rank, untold_at LIMIT ?", (excess + MAX_OPEN // 100,)
    ).fetchall()
    for (row,) in rows:
        remove(db, row, "")


def _free_name(db: sqlite3.Connection, channel: str, key: str) -> str:
    """A short id that no other open incident of the channel has."""
    for name in short_ids(key):
        if not db.execute("SELECT 1 FROM incidents WHERE channel=? AND short_id=?", (channel, name)).fetchone():
            break
    return name


def number_told(db: sqlite3.Connection, channel: str, key: str) -> int | None:
    """How many of an open incident were told."""
    _, incident = read(db, "channel=? AND key=?", channel, key)
    return None if incident is None else incident.told


def newest_batch(db: sqlite3.Connection, channel: str, who: str) -> int:
    """The number of the newest batch that a process has added; 0 before the first."""
    found = db.execute("SELECT number FROM marks WHERE channel=? AND who=?", (channel, who)).fetchone()
    return found[0] if found and type(found[0]) is int else 0


def earliest_due(db: sqlite3.Connection, channel: str) -> float:
    """When the first of a channel is due; infinite where none will be."""
    due = db.execute("SELECT min(due) FROM incidents WHERE channel=? AND typeof(due)='real'", (channel,)).fetchone()[0]
    return math.inf if due is None else float(due)


def new_version() -> int:
    """At random, not one more: a file that was put back from a backup must not repeat what claims in hand have."""
    return int.from_bytes(os.urandom(7), "big") >> 3


# Values.


def entry_of(one: Count) -> str:
    """The first alert as text; "" where it cannot be made: what is claimed so is given up as unreadable, with its
    number."""
    if one.first is None:
        return ""
    try:
        entry = dump(one.first.alert)
    except Exception:  # user code of the record: see above
        return ""
    if len(entry) > MAX_CHARACTERS:
        raise StateError(f"an alert of {len(entry)} characters is too long for a state")
    return entry


def utf8(text: str) -> str:
    """Text that SQLite takes, the same for the same."""
    return text.encode("utf-8", "backslashreplace").decode()


def _list(text: str) -> list[Any]:
    """A list that is stored as JSON; empty where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # nothing that stands in a file is trusted
        return []
    return found if isinstance(found, list) else []


def _is_sample(one: Any) -> bool:
    return isinstance(one, list) and [type(part) for part in one] == [float, str] and math.isfinite(one[0])


def _is_kind(one: Any) -> bool:
    if not isinstance(one, list) or [type(part) for part in one] != [str, int, str, float, bool]:
        return False
    return 0 < one[1] <= LARGE and math.isfinite(one[3])


def question_marks(values: Sequence[Any]) -> str:
    """Of a statement with these values."""
    return ",".join("?" * len(values))


def conditions(keys: Collection[str] | None) -> Iterator[tuple[str, list[str]]]:
    """Conditions for these keys, with their values, in as many statements as it takes; none: all."""
    several = list(keys or ())
    for start in range(0, len(several) or 1, MAX_MARKS):
        some = several[start : start + MAX_MARKS]
        yield (f"key IN ({question_marks(some)})" if some else "1"), some


def ids_of(db: sqlite3.Connection, select: str, keys: Collection[str]) -> list[int]:
    """What a ``select`` gives for these keys; without keys, all."""
    return [row for among, some in conditions(keys) for (row,) in db.execute(f"{select} {among}", some)]


def count(db: sqlite3.Connection, name: str, number: int) -> None:
    """Add to a number that people see, which stays 0 or more."""
    if number:
        db.execute("INSERT OR IGNORE INTO books VALUES (?,0)", (name,))
        db.execute(f"UPDATE books SET number=max({NUMBER}+?, 0) WHERE name=?", (number, name))
