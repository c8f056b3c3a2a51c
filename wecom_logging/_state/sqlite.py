"""``sqlite:///path``: the processes of one machine send one alert for a failure, and send what another has left.

A row is read, given to `_incidents.life`, and written, in one transaction. Source of what SQLite promises:
https://www.sqlite.org/lockingv3.html, https://www.sqlite.org/atomiccommit.html
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from .._incidents import life
from .._incidents.fingerprint import lane_of
from .._incidents.incident import NOTHING, Count, First, Incident, Kept, Kin, Own
from .._incidents.short_id import short_id, short_ids
from ..model import Alert, Kind, Sample
from .base import KEEP_S, LOCK_S, MAX_OPEN, PART, Added, DeadLetter, Rules, SharedCounters, StateError, Swap, Taken
from .entries import MAX_CHARACTERS, dump, dump_answers, load, load_answers
from .sqlite_file import SqliteFile
from .windows import Windows

_PEER_S = 60.0
_MAX_TOKEN_LIFE_S = 7200.0
_DAY_S = 24 * 3600.0
_MAX_SOURCES = 1000
_MAX_DEAD = 10_000
_MARKS = 900
"""Of one statement: SQLite before 3.32 takes 999."""
_LARGE = 2**53
"""A number beyond that is none of ours."""

_INCIDENT = (
    "key TEXT, short_id TEXT, version INTEGER, level INTEGER, window_s REAL, rank INTEGER, lane TEXT, count INTEGER,"
    " told INTEGER, digests INTEGER, tries INTEGER, wait_s REAL, told_at REAL, counted_at REAL, untold_at REAL,"
    " not_before REAL, owner TEXT, until REAL, began REAL, since REAL, last REAL, samples TEXT, kinds TEXT, rates TEXT,"
    " cause TEXT, answers TEXT, held_until REAL, lent INTEGER"
)
"""Its columns, as they are in `Incident`; its first alert has a table of its own, which counting does not touch."""
_KINDS: dict[str, type] = {"TEXT": str, "INTEGER": int, "REAL": float}
_COLUMNS = {name: _KINDS[kind] for name, kind in (column.split() for column in _INCIDENT.split(","))}
_NAMES = ", ".join(_COLUMNS)
_DEFAULTS = {"TEXT": "''", "INTEGER": "0", "REAL": "0.0"}
"""Of what an older version does not know when it writes, or a file does not have yet."""
_DECLARED = [f"{column} DEFAULT {_DEFAULTS[column.split()[1]]}" for column in _INCIDENT.split(", ")]
_TABLES = f"""
CREATE TABLE IF NOT EXISTS incidents (id INTEGER PRIMARY KEY, channel TEXT, due REAL, event TEXT,
    {", ".join(_DECLARED)}, UNIQUE (channel, key));
CREATE INDEX IF NOT EXISTS incidents_turn ON incidents (channel, rank DESC, untold_at, due, lane);
CREATE INDEX IF NOT EXISTS incidents_due ON incidents (channel, due);
CREATE INDEX IF NOT EXISTS incidents_name ON incidents (channel, short_id);
CREATE INDEX IF NOT EXISTS incidents_owner ON incidents (channel, owner) WHERE owner!='';
CREATE TABLE IF NOT EXISTS firsts (id INTEGER PRIMARY KEY, entry TEXT);
CREATE TABLE IF NOT EXISTS places (id INTEGER, host TEXT, process TEXT, PRIMARY KEY (id, host, process)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (channel TEXT, who TEXT, number INTEGER, at REAL,
    PRIMARY KEY (channel, who)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (channel TEXT, key TEXT, short_id TEXT, level INTEGER, window_s REAL, lane TEXT,
    entry TEXT, count INTEGER, last REAL, why TEXT);
CREATE TABLE IF NOT EXISTS sent (channel TEXT, receiver TEXT, number TEXT, at REAL,
    PRIMARY KEY (channel, receiver, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pauses (channel TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (app TEXT PRIMARY KEY, value TEXT, ends REAL, owner TEXT, locked REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS peers (who TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS books (name TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS boot (id TEXT);
"""

# A column may hold whatever somebody has put into it: what goes to Python is made what it should be, and not too long.
_ENTRY = f"CASE WHEN length(entry)<={MAX_CHARACTERS} THEN entry ELSE '' END"
_COUNT, _NUMBER, _UNTOLD = (
    f"min(max(coalesce(CAST({number} AS INTEGER), 0), 0), {_LARGE})" for number in ("count", "number", "count-told")
)
_NOT_READ: First = Kept(cast(Alert, None), 0)


class SqliteStore:
    """The contract over one file. ``is_alive`` says of a process whether it still holds what it has claimed; ``clock``
    is the one of which ``now`` comes."""

    def __init__(
        self,
        path: str,
        *,
        is_alive: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = SqliteFile(path, lambda db, version: _prepare(db, version, clock()))
        self._is_alive = is_alive or (lambda who: True)
        self.path = self._file.path

    # Incidents.

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        entries = [_entry(one) for one in counts]
        with self._file.transaction() as db:
            before = _mark(db, channel, who)
            if before >= number:
                return Added(before, tuple(_told(db, channel, one.key) for one in counts))
            if not before:
                db.execute("DELETE FROM marks WHERE at<?", (now - KEEP_S,))
            db.execute("INSERT OR REPLACE INTO marks VALUES (?,?,?,?)", (channel, who, number, now))
            added = [
                _add_one(db, channel, who, _utf8(host), one, entry, now)
                for one, entry in zip(counts, entries, strict=True)
            ]
            _add(db, "counted", sum(number for _, number in added))
            _make_room(db)
        return Added(before, tuple(told for told, _ in added))

    def claim(
        self,
        channel: str,
        who: str,
        now: float,
        *,
        lease_s: float,
        most: int,
        urgent: Collection[str] = (),
        busy: Collection[str] = (),
        lane: str | None = None,
        cause: str = "",
    ) -> list[Incident]:
        lanes = [_utf8(one) for one in busy][:_MARKS]
        where, only = f"lane NOT IN ({_marks(lanes)})", lanes
        if lane is not None:
            where, only = f"{where} AND lane=?", [*lanes, _utf8(lane)]
        if cause:
            where, only = f"{where} AND cause=?", [*only, cause]
        until = now + (life.NEAR_S if cause else 0.0)
        found = []
        with self._file.transaction() as db:
            self._free(db, channel, who, now)
            for among, keys in _among(urgent) if urgent else ():
                db.execute(
                    "UPDATE incidents SET due=? WHERE channel=? AND owner='' AND count>told AND held_until=0"
                    f" AND due>? AND {among}",
                    (now, channel, now, *keys),
                )
            if _next_due(db, channel) > until:
                return []
            rows = db.execute(
                f"SELECT id FROM incidents WHERE channel=? AND +due<=? AND (owner='' OR +due<=?) AND {where}"
                " ORDER BY rank DESC, untold_at, id LIMIT ?",
                (channel, until, now, *only, most),
            ).fetchall()
            for (row,) in rows:
                incident = _whole(db, row)
                if incident is None:
                    _remove(db, row, "unreadable")
                    continue
                claimed = life.claimed(incident, owner=who, until=now + lease_s, version=_version())
                _save(db, row, incident, claimed, life.due_at(claimed))
                found.append(claimed)
        return found

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        with self._file.transaction() as db:
            return [NOTHING if _swap_one(db, channel, one) else None for one in swaps]

    def open(
        self, channel: str, most: int, keys: Collection[str] | None = None, now: float | None = None
    ) -> list[Incident]:
        with self._file.transaction() as db:
            rows = [
                row
                for among, some in (_among(keys) if keys is None or keys else ())
                for row in db.execute(
                    f"SELECT last, id FROM incidents WHERE channel=? AND {among} ORDER BY last DESC LIMIT ?",
                    (channel, *some, most),
                )
            ]
            rows = [row for row in rows if type(row[0]) is float]
            found = [_whole(db, row) for _, row in sorted(rows, reverse=True)[:most]]
        return [incident for incident in found if incident is not None]

    def kin(self, channel: str, lane: str, causes: Collection[str], now: float) -> list[Kin]:
        found = []
        with self._file.transaction() as db:
            for cause in causes:
                found += db.execute(
                    "SELECT cause, key, CASE WHEN told>0 THEN told_at ELSE 0.0 END, untold_at FROM incidents"
                    " WHERE channel=? AND cause!='' AND cause=? AND lane=?"
                    " ORDER BY max(told_at, untold_at) DESC LIMIT ?",
                    (channel, cause, _utf8(lane), life.MAX_KIN),
                ).fetchall()
        return [Kin(*row) for row in found if [type(value) for value in row] == [str, str, float, float]]

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        with self._file.transaction() as db:
            found = [
                row
                for among, some in (_among(keys) if keys else ())
                for row in db.execute(
                    f"SELECT key, held_until!=0 FROM incidents WHERE channel=? AND count>told AND {among}",
                    (channel, *some),
                )
            ]
            return _mark(db, channel, who), [key for key, _ in found], [key for key, is_held in found if is_held]

    def next_due(self, channel: str, now: float) -> float:
        with self._file.transaction() as db:
            self._free(db, channel, "", now)
            return max(_next_due(db, channel) - now, 0.0)

    def _free(self, db: sqlite3.Connection, channel: str, who: str, now: float) -> None:
        """What a process has claimed that is gone is due now."""
        owners = db.execute("SELECT DISTINCT owner FROM incidents WHERE channel=? AND owner!=''", (channel,)).fetchall()
        for (owner,) in owners:
            if owner != who and not self._is_alive(str(owner)):
                db.execute(
                    "UPDATE incidents SET due=? WHERE channel=? AND owner=? AND due>?", (now, channel, owner, now)
                )

    # Rate windows.

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        longest = max((period for _, period in rules), default=_PEER_S)
        with self._file.transaction() as db:
            # Who is known to be here is not written again each time: every page that changes costs.
            db.execute("DELETE FROM peers WHERE at<=? OR who=? AND at<=?", (now - _PEER_S, who, now - _PEER_S / 4))
            db.execute("INSERT OR IGNORE INTO peers VALUES (?,?)", (who, now))
            longest = _remembered(db, f"longest {channel}", longest)
            db.execute(
                "DELETE FROM sent WHERE channel=? AND (at<=? OR at>? OR typeof(at)!='real')",
                (channel, now - max(longest, _PEER_S), now + _PEER_S),  # nobody is so far ahead
            )
            windows = Windows()
            for receiver, at in db.execute("SELECT receiver, at FROM sent WHERE channel=? ORDER BY at", (channel,)):
                windows.record(receiver, at)
            pause = db.execute(
                "SELECT until FROM pauses WHERE channel=? AND typeof(until)='real'", (channel,)
            ).fetchone()
            wait = max(windows.wait(tuple(receivers), rules, now), pause[0] - now if pause else 0.0)
            number = "" if wait > 0 else f"{now:020.6f} {uuid.uuid4().hex}"  # the newest beside each other in the file
            if number:
                rows = [(channel, receiver, number, now) for receiver in receivers]
                db.executemany("INSERT INTO sent VALUES (?,?,?,?)", rows)
                for receiver in receivers:
                    windows.record(receiver, now)
            peers = db.execute("SELECT count(*) FROM peers").fetchone()[0]
        return Taken(max(wait, 0.0), number, windows.ages(now, _PEER_S), max(peers, 1))

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        with self._file.transaction() as db:
            rows = [(now, channel, receiver, number) for receiver in receivers]
            db.executemany("UPDATE sent SET at=? WHERE channel=? AND receiver=? AND number=?", rows)

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        with self._file.transaction() as db:
            found = db.execute(
                "SELECT until FROM pauses WHERE channel=? AND typeof(until)='real'", (channel,)
            ).fetchone()
            until = max(now + wait_s, found[0] if found else 0.0)
            db.execute("INSERT OR REPLACE INTO pauses VALUES (?,?)", (channel, until))

    # Tokens.

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        with self._file.transaction() as db:
            row = db.execute(
                "SELECT value, ends FROM tokens WHERE app=? AND typeof(value)='text' AND typeof(ends)='real'"
                " AND length(value) BETWEEN 1 AND 512 AND ends>? AND ends<=?",
                (app, now, now + _MAX_TOKEN_LIFE_S),
            ).fetchone()
        return (row[0], row[1] - now) if row else None

    def lock_token(self, app: str, who: str, now: float) -> bool:
        with self._file.transaction() as db:
            row = db.execute(
                "SELECT owner FROM tokens WHERE app=? AND typeof(owner)='text' AND typeof(locked)='real'"
                " AND locked>? AND locked<=?",
                (app, now, now + 2 * LOCK_S),
            ).fetchone()
            if row and row[0] not in ("", who) and self._is_alive(row[0]):
                return False
            db.execute("INSERT OR IGNORE INTO tokens VALUES (?,'',0,'',0)", (app,))
            db.execute("UPDATE tokens SET owner=?, locked=? WHERE app=?", (who, now + LOCK_S, app))
            return True

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        with self._file.transaction() as db:
            if value:
                db.execute(
                    "UPDATE tokens SET value=?, ends=?, owner='', locked=0 WHERE app=? AND owner=?",
                    (value, now + life_s, app, who),
                )
            else:
                db.execute("UPDATE tokens SET owner='', locked=0 WHERE app=? AND owner=?", (app, who))

    def drop_token(self, app: str, value: str) -> None:
        with self._file.transaction() as db:
            db.execute("UPDATE tokens SET value='', ends=0 WHERE app=? AND value=?", (app, value))

    # For people.

    def channels(self) -> list[str]:
        with self._file.transaction() as db:
            rows = db.execute(
                " UNION ".join(f"SELECT channel FROM {table}" for table in ("incidents", "marks", "dead", "sent"))
            ).fetchall()
        return [channel for (channel,) in rows if type(channel) is str]

    def held(self, most: int) -> list[DeadLetter]:
        # A text that is none goes through bytes.
        texts = f"CAST(key AS BLOB), CAST(short_id AS BLOB), CAST(channel AS BLOB), CAST({_ENTRY} AS BLOB)"
        numbers = "CAST(level AS INTEGER), CAST(last AS REAL)"
        with self._file.transaction() as db:
            waiting = db.execute(
                f"SELECT {texts}, x'', {numbers}, {_UNTOLD}, owner FROM incidents LEFT JOIN firsts USING (id)"
                " WHERE count>told ORDER BY last DESC LIMIT ?",
                (most,),
            ).fetchall()
            dead = db.execute(
                f"SELECT {texts}, CAST(why AS BLOB), {numbers}, {_COUNT}, '' FROM dead ORDER BY last DESC LIMIT ?",
                (most,),
            ).fetchall()
        claimed = {owner for *_, owner in waiting if owner and self._is_alive(str(owner))}
        found = [_letter(row, row[-1] in claimed) for row in (*waiting, *dead)]
        return sorted(found, key=lambda held: held.last, reverse=True)[:most]

    def again(self, keys: Collection[str], now: float) -> int:
        with self._file.transaction() as db:
            rows = _ids(db, "SELECT rowid FROM dead WHERE", keys)
            for row in rows:
                found = db.execute(
                    f"SELECT channel, key, level, window_s, lane, {_ENTRY}, last, {_COUNT} FROM dead WHERE rowid=?",
                    (row,),
                ).fetchone()
                db.execute("DELETE FROM dead WHERE rowid=?", (row,))
                _add(db, "given_up", -found[-1])
                _open_again(db, found, now)
        return len(rows)

    def discard(self, keys: Collection[str]) -> int:
        with self._file.transaction() as db:
            dead = _ids(db, "SELECT rowid FROM dead WHERE", keys)
            for row in dead:
                _discard_dead(db, row)
            waiting = _ids(db, "SELECT id FROM incidents WHERE count>told AND", keys)
            for row in waiting:
                _remove(db, row, "")
        return len(dead) + len(waiting)

    def counters(self) -> SharedCounters:
        with self._file.transaction() as db:
            found = dict(db.execute(f"SELECT name, {_NUMBER} FROM books").fetchall())
            waiting = db.execute(f"SELECT CAST(total({_UNTOLD}) AS INTEGER) FROM incidents").fetchone()[0]
        numbers = [found.get(name, 0) for name in ("counted", "told", "given_up", "discarded")]
        return SharedCounters(numbers[0], numbers[1], waiting, numbers[2], numbers[3])

    def check(self) -> str:
        with self._file.transaction() as db:
            db.execute("UPDATE boot SET id=id")
            mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        return f"SQLite {sqlite3.sqlite_version}, journal {mode}, {self.path}"

    def close(self) -> None:
        self._file.close()


# A new file, one of the version before, and one of before the machine was started.


def _prepare(db: sqlite3.Connection, version: int, now: float) -> None:
    for statement in _TABLES.split(";"):
        db.execute(statement)
    there = {name for _, name, *_ in db.execute("PRAGMA table_info(incidents)")}
    for column in _DECLARED:
        if column.split()[0] not in there:  # a file of before the column was thought of
            db.execute(f"ALTER TABLE incidents ADD COLUMN {column}")
    db.execute("CREATE INDEX IF NOT EXISTS incidents_cause ON incidents (channel, cause) WHERE cause!=''")
    boot = _boot()
    if db.execute("SELECT id FROM boot").fetchone() != (boot,):  # the clock has begun anew
        db.execute("DELETE FROM boot")
        db.execute("INSERT INTO boot VALUES (?)", (boot,))
        for table in ("sent", "pauses", "tokens", "peers", "marks"):
            db.execute(f"DELETE FROM {table}")
        _shift(db, now)
    if version == 1:
        _take_over(db, now)


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
        (_LARGE, _LARGE),
    ).fetchone()[0]
    by = now - (newest or 0.0)
    times = ("due", "told_at", "counted_at", "untold_at", "not_before")
    db.execute(f"UPDATE incidents SET {', '.join(f'{name}={name}+?' for name in times)}", (by,) * len(times))
    db.execute("UPDATE incidents SET held_until=held_until+? WHERE held_until!=0", (by,))
    for (row,) in db.execute("SELECT id FROM incidents WHERE owner!=''").fetchall():
        _, incident = _read(db, "id=?", row)
        if incident is not None:
            free = life.unclaimed(incident)
            _save(db, row, incident, free, life.due_at(free))


def _take_over(db: sqlite3.Connection, now: float) -> None:
    """What the version before has not told, or has given up; the counters stay as they are."""
    db.create_function("lane", 1, _lane)
    alert = f"level, window, lane({_ENTRY}), {_ENTRY}"
    for found in db.execute(
        f"SELECT channel, key, {alert}, last, {_UNTOLD} FROM groups WHERE count>told ORDER BY made"
    ).fetchall():
        _open_again(db, found, now)
    db.execute(f"INSERT INTO dead SELECT channel, key, '', {alert}, count, last, why FROM given_up")
    for table in ("groups", "sources", "given_up"):
        db.execute(f"DROP TABLE {table}")


def _lane(entry: object) -> str:
    try:
        return lane_of(load(str(entry)).recipients)
    except ValueError:
        return ""


# Rows.


def _read(db: sqlite3.Connection, where: str, *values: Any) -> tuple[tuple[int, str, float] | None, Incident | None]:
    """Of a row its id, event and due; and the incident, if it can be one of ours. Who may write into the file may
    have written anything."""
    row = db.execute(f"SELECT id, event, due, {_NAMES} FROM incidents WHERE {where}", values).fetchone()
    if row is None:
        return None, None
    found = dict(zip(_COLUMNS, row[3:], strict=True))
    is_sound = (
        all(type(found[name]) is kind for name, kind in _COLUMNS.items())
        and all(abs(number) <= _LARGE for number in found.values() if type(number) is not str)
        and 0 <= found["told"] <= found["count"]
        and type(row[2]) is float
    )
    if not is_sound:
        return row[:3], None
    found["samples"] = tuple(Sample(*one) for one in _list(found["samples"]) if _is_sample(one))
    found["kinds"] = tuple(Kind(*one) for one in _list(found["kinds"]) if _is_kind(one))
    found["rates"] = tuple(number for number in _list(found["rates"]) if type(number) is int and 0 <= number <= _LARGE)
    found["rates"] = found["rates"][: life.MAX_RATES]
    found["answers"] = load_answers(found["answers"])
    return row[:3], Incident(first=_NOT_READ, **found)


def _whole(db: sqlite3.Connection, row: int) -> Incident | None:
    """The same with its first alert, and of how many processes it is."""
    _, incident = _read(db, "id=?", row)
    entry = db.execute(f"SELECT {_ENTRY} FROM firsts WHERE id=?", (row,)).fetchone()
    hosts, processes = db.execute("SELECT count(DISTINCT host), count(*) FROM places WHERE id=?", (row,)).fetchone()
    if incident is None or entry is None or type(entry[0]) is not str:
        return None
    try:
        first: First = Kept(load(entry[0]), len(entry[0]))
    except ValueError:
        return None
    return replace(incident, first=first, hosts=max(hosts, 1), processes=max(processes, 1))


def _column(incident: Incident, name: str) -> Any:
    value = getattr(incident, name)
    if name in ("samples", "kinds"):
        return json.dumps([dataclasses.astuple(one) for one in value])
    if name == "answers":
        return dump_answers(value)
    return json.dumps(value) if name == "rates" else value


def _save(db: sqlite3.Connection, row: int, before: Incident, after: Incident, due: float | None) -> None:
    """Write what is another; ``due`` too, if it is given."""
    changed = {name: _column(after, name) for name in _COLUMNS if getattr(before, name) != getattr(after, name)}
    if due is not None:
        changed["due"] = due
    if changed:
        names = ", ".join(f"{name}=?" for name in changed)
        db.execute(f"UPDATE incidents SET {names} WHERE id=?", (*changed.values(), row))


def _add_one(
    db: sqlite3.Connection, channel: str, who: str, host: str, one: Count, entry: str, now: float
) -> tuple[int | None, int]:
    """How many of it were told (None: it is not open), and how many were counted now."""
    found, incident = _read(db, "channel=? AND key=?", channel, one.key)
    if found is not None and incident is None:
        _remove(db, found[0], "unreadable")
        found = None
    if found is None or incident is None:
        if one.first is None or not one.number:
            return None, 0
        incident = life.opened(one, short_id=_free_name(db, channel, one.key), version=_version(), now=now)
        incident = replace(incident, lane=_utf8(incident.lane))
        values = [_column(incident, name) for name in _COLUMNS]
        row = db.execute(
            f"INSERT INTO incidents (channel, event, due, {_NAMES}) VALUES (?,?,?,{_marks(values)})",
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
        _save(db, row, incident, after, due if due != life.due_at(incident) else None)
    if host:
        _add_place(db, row, host, who.partition(PART)[0])
    return incident.told, one.number


def _add_place(db: sqlite3.Connection, row: int, host: str, who: str) -> None:
    if db.execute("SELECT 1 FROM places WHERE id=? AND host=? AND process=?", (row, host, who)).fetchone():
        return
    if db.execute("SELECT count(*) FROM places WHERE id=?", (row,)).fetchone()[0] < _MAX_SOURCES:
        db.execute("INSERT INTO places VALUES (?,?,?)", (row, host, who))


def _swap_one(db: sqlite3.Connection, channel: str, swap: Swap) -> bool:
    before, after = swap.before, swap.after
    found, there = _read(db, "channel=? AND key=?", channel, before.key)
    if found is None or there is None or there.version != before.version:
        return False
    row, _, _ = found
    if after is None:
        if there.count != before.count and not swap.why:
            return False
        _remove(db, row, swap.why)
        return True
    new = replace(life.merged(there, before, after), version=_version())
    _save(db, row, there, new, life.due_at(new))
    if swap.why:
        _bury(db, row, new.told - there.told, swap.why)
    else:
        _add(db, "told", new.told - there.told)
    return True


def _bury(db: sqlite3.Connection, row: int, number: int, why: str) -> None:
    """So many of it are given up, and kept for people."""
    _add(db, "given_up", number)
    if not number:
        return
    db.execute(
        f"INSERT INTO dead SELECT channel, key, short_id, level, window_s, lane, {_ENTRY}, ?, last, ?"
        " FROM incidents LEFT JOIN firsts USING (id) WHERE id=?",
        (number, why, row),
    )
    for (old,) in db.execute(
        "SELECT rowid FROM dead WHERE rowid<=(SELECT max(rowid) FROM dead)-?", (_MAX_DEAD,)
    ).fetchall():
        _discard_dead(db, old)


def _remove(db: sqlite3.Connection, row: int, why: str) -> None:
    """With a reason, what nobody was told of it is kept for people; else it is discarded."""
    untold = db.execute(f"SELECT {_UNTOLD} FROM incidents WHERE id=?", (row,)).fetchone()[0]
    if why:
        _bury(db, row, untold, why)
    else:
        _add(db, "discarded", untold)
    for table in ("incidents", "firsts", "places"):
        db.execute(f"DELETE FROM {table} WHERE id=?", (row,))


def _discard_dead(db: sqlite3.Connection, row: int) -> None:
    number = db.execute(f"SELECT {_COUNT} FROM dead WHERE rowid=?", (row,)).fetchone()[0]
    db.execute("DELETE FROM dead WHERE rowid=?", (row,))
    _add(db, "given_up", -number)
    _add(db, "discarded", number)


def _open_again(db: sqlite3.Connection, found: tuple[Any, ...], now: float) -> None:
    kinds: tuple[Callable[[], Any], ...] = (str, str, int, float, str, str, float, int)
    channel, key, level, window_s, lane, entry, last, number = (
        value if type(value) is kind else kind() for value, kind in zip(found, kinds, strict=True)
    )
    one = Count(key=key, number=number or 1, level=level, window_s=window_s, last=last, first=_NOT_READ, lane=lane)
    _add_one(db, channel, "", "", one, entry, now)


def _make_room(db: sqlite3.Connection) -> None:
    """Where there are too many: first what is told already, else the least severe and oldest, as lost."""
    excess = db.execute("SELECT count(*) FROM incidents").fetchone()[0] - MAX_OPEN
    if excess <= 0:
        return
    rows = db.execute(
        "SELECT id FROM incidents ORDER BY count>told, rank, untold_at LIMIT ?", (excess + MAX_OPEN // 100,)
    ).fetchall()
    for (row,) in rows:
        _remove(db, row, "")


def _free_name(db: sqlite3.Connection, channel: str, key: str) -> str:
    """A short id that no other open incident of the channel has."""
    for name in short_ids(key):
        if not db.execute("SELECT 1 FROM incidents WHERE channel=? AND short_id=?", (channel, name)).fetchone():
            break
    return name


def _told(db: sqlite3.Connection, channel: str, key: str) -> int | None:
    _, incident = _read(db, "channel=? AND key=?", channel, key)
    return None if incident is None else incident.told


def _mark(db: sqlite3.Connection, channel: str, who: str) -> int:
    found = db.execute("SELECT number FROM marks WHERE channel=? AND who=?", (channel, who)).fetchone()
    return found[0] if found and type(found[0]) is int else 0


def _next_due(db: sqlite3.Connection, channel: str) -> float:
    due = db.execute("SELECT min(due) FROM incidents WHERE channel=? AND typeof(due)='real'", (channel,)).fetchone()[0]
    return math.inf if due is None else float(due)


def _version() -> int:
    """At random, not one more: a file that was put back from a backup must not repeat what claims in hand have."""
    return int.from_bytes(os.urandom(7), "big") >> 3


# Values.


def _entry(one: Count) -> str:
    """The first alert as text; "" where it cannot be made: what is claimed so is given up as unreadable, with its
    number."""
    if one.first is None:
        return ""
    try:
        entry = dump(one.first.alert)
    except Exception:
        return ""
    if len(entry) > MAX_CHARACTERS:
        raise StateError(f"an alert of {len(entry)} characters is too long for a state")
    return entry


def _utf8(text: str) -> str:
    """Text that SQLite takes, the same for the same."""
    return text.encode("utf-8", "backslashreplace").decode()


def _list(text: str) -> list[Any]:
    """A list that is stored as JSON; empty where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _is_sample(one: Any) -> bool:
    return isinstance(one, list) and [type(part) for part in one] == [float, str] and math.isfinite(one[0])


def _is_kind(one: Any) -> bool:
    if not isinstance(one, list) or [type(part) for part in one] != [str, int, str, float, bool]:
        return False
    return 0 < one[1] <= _LARGE and math.isfinite(one[3])


def _letter(row: tuple[Any, ...], claimed: bool) -> DeadLetter:
    *texts, level, last, count, _ = row
    key, name, channel, entry, why = ((text or b"").decode("utf-8", "replace") for text in texts)
    return DeadLetter(key, name or short_id(key), channel, level or 0, count, last or 0.0, entry, why, claimed)


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _among(keys: Collection[str] | None) -> Iterator[tuple[str, list[str]]]:
    """Conditions for these keys, with their values, in as many statements as it takes; none: all."""
    several = list(keys or ())
    for start in range(0, len(several) or 1, _MARKS):
        some = several[start : start + _MARKS]
        yield (f"key IN ({_marks(some)})" if some else "1"), some


def _ids(db: sqlite3.Connection, select: str, keys: Collection[str]) -> list[int]:
    return [row for among, some in _among(keys) for (row,) in db.execute(f"{select} {among}", some)]


def _add(db: sqlite3.Connection, name: str, number: int) -> None:
    if number:
        db.execute("INSERT OR IGNORE INTO books VALUES (?,0)", (name,))
        db.execute(f"UPDATE books SET number=max({_NUMBER}+?, 0) WHERE name=?", (number, name))


def _remembered(db: sqlite3.Connection, name: str, least: float) -> float:
    """Handlers of one channel may have rules of their own: the longest period decides what is remembered."""
    found = db.execute("SELECT number FROM books WHERE name=? AND typeof(number)='integer'", (name,)).fetchone()
    if found and least <= found[0] <= _DAY_S:
        return float(found[0])
    db.execute("INSERT OR REPLACE INTO books VALUES (?,?)", (name, math.ceil(least)))
    return least
