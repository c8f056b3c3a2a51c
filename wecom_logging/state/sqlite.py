"""``sqlite:///path``: the processes of one machine tell each failure once, and what one leaves untold another tells.

Source of what SQLite promises: https://www.sqlite.org/lockingv3.html, https://www.sqlite.org/atomiccommit.html
"""

from __future__ import annotations

import json
import math
import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from .base import (
    EXPIRES_S,
    LEAST_DIGESTS,
    LOCK_S,
    MAX_GROUPS,
    MAX_SAMPLES,
    MAX_WAIT_S,
    QUIET_WINDOWS,
    SPANS,
    Claim,
    Count,
    Held,
    Rules,
    SharedBooks,
    Taken,
)
from .entries import MAX_CHARACTERS
from .sqlite_file import SqliteFile
from .windows import Windows

_PEER_S = 60.0
_MAX_TOKEN_LIFE_S = 7200.0
_DAY_S = 24 * 3600
_MAX_SOURCES = 1000
_MAX_GIVEN_UP = 10_000
_MARKS = 500
"""Of one statement: SQLite before 3.32 takes 999."""
_PAUSE = "SELECT until FROM pauses WHERE channel=? AND typeof(until)='real'"
_ENTRY = f"CASE WHEN length(entry)<={MAX_CHARACTERS} THEN entry ELSE '' END"
"""What somebody made larger than we ever do is not even read."""
_COUNT, _NUMBER = (f"min(max(coalesce(CAST({column} AS INTEGER), 0), 0), {2**62})" for column in ("count", "number"))
"""A column may hold whatever somebody has put into it."""
_TABLES = """
CREATE TABLE IF NOT EXISTS groups (
    channel TEXT, key TEXT, level INTEGER, entry TEXT, count INTEGER, told INTEGER, digests INTEGER, wait REAL,
    window REAL, at REAL, seen REAL, told_at REAL, made REAL, since REAL, last REAL, samples TEXT, rates TEXT,
    owner TEXT, claim INTEGER, event TEXT, PRIMARY KEY (channel, key));
CREATE INDEX IF NOT EXISTS groups_turn ON groups (channel, level DESC, last DESC, at);
CREATE INDEX IF NOT EXISTS groups_at ON groups (channel, at);
CREATE INDEX IF NOT EXISTS groups_made ON groups (made);
CREATE INDEX IF NOT EXISTS groups_owner ON groups (channel, owner) WHERE owner!='';
CREATE TABLE IF NOT EXISTS sources (channel TEXT, key TEXT, host TEXT, process TEXT,
    PRIMARY KEY (channel, key, host, process)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS given_up (channel TEXT, key TEXT, level INTEGER, entry TEXT, count INTEGER, last REAL,
    window REAL, why TEXT);
CREATE TABLE IF NOT EXISTS sent (channel TEXT, receiver TEXT, number TEXT, at REAL,
    PRIMARY KEY (channel, receiver, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pauses (channel TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (app TEXT PRIMARY KEY, value TEXT, ends REAL, owner TEXT, locked REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS peers (who TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS books (name TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS boot (id TEXT);
"""


class SqliteState:
    """The contract over one file. ``is_alive`` says of a process whether it still holds what it has claimed."""

    def __init__(
        self, path: str, *, is_alive: Callable[[str], bool] | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        self._file = SqliteFile(path, _prepare)
        self._is_alive = is_alive or (lambda who: True)
        self._wall = wall
        self.path = self._file.path

    # Groups.

    def count(self, channel: str, who: str, host: str, counts: Sequence[Count], now: float) -> list[int]:
        with self._file.transaction() as db:
            return [_count_one(db, channel, who, host, one, now, self._wall()) for one in counts]

    def claim(
        self, channel: str, who: str, now: float, *, lease_s: float, most: int, forced: Collection[str] = ()
    ) -> list[Claim]:
        with self._file.transaction() as db:
            self._forget(db, channel, who, now)
            for marks, some in _marked(forced):
                db.execute(
                    f"UPDATE groups SET at=? WHERE channel=? AND owner='' AND count>told AND at>? AND key IN ({marks})",
                    (now, channel, now, *some),
                )
            rows = db.execute(
                f"SELECT key, {_ENTRY}, level, count, told, digests, since, last, claim, window, rates, samples, seen"
                " FROM groups WHERE channel=? AND at<=? ORDER BY level DESC, last DESC LIMIT ?",
                (channel, now, most),
            ).fetchall()
            claims = (_claim_one(db, channel, who, row, now + lease_s) for row in rows)
            return [claim for claim in claims if claim is not None]

    def _forget(self, db: sqlite3.Connection, channel: str, who: str, now: float) -> None:
        """Claims of processes that are gone, groups that are over in silence, and what is a day old."""
        owners = db.execute("SELECT DISTINCT owner FROM groups WHERE channel=? AND owner!=''", (channel,)).fetchall()
        for (owner,) in owners:
            if owner != who and not self._is_alive(owner):
                db.execute("UPDATE groups SET owner='', at=? WHERE channel=? AND owner=?", (now, channel, owner))
        day_ago = self._wall() - EXPIRES_S
        old = db.execute(
            "SELECT channel, key FROM groups WHERE made<? AND count>told AND max(made, last)+wait<? LIMIT 1000",
            (day_ago, day_ago),
        ).fetchall()
        for found, key in old:
            _give_up(db, found, key, "expired")

    def told(self, channel: str, claims: Sequence[Claim], now: float, *, forced: bool) -> None:
        with self._file.transaction() as db:
            for claim in claims:
                row = db.execute(
                    "SELECT wait, window, count FROM groups WHERE channel=? AND key=? AND claim=?",
                    (channel, claim.key, claim.number),
                ).fetchone()
                if row is None:  # the lease had ended: somebody else tells it, too
                    continue
                wait, window, count = row
                if claim.quiet_s:
                    if count == claim.total:
                        _remove(db, channel, claim.key)
                        continue
                    wait = 0.0
                wait = window if claim.is_first or not wait else wait if forced else min(2 * wait, MAX_WAIT_S)
                untold = count - claim.total
                due = now + (wait if untold else QUIET_WINDOWS * window)
                db.execute(
                    "UPDATE groups SET told=told+?, digests=digests+?, wait=?, told_at=?, at=?, since=last, owner='',"
                    " samples='[]', rates='[]' WHERE channel=? AND key=?",
                    (claim.count, not claim.is_first, wait, now, due, channel, claim.key),
                )
                _add(db, "told", claim.count)

    def release(self, channel: str, claims: Sequence[Claim], now: float, wait_s: float) -> None:
        with self._file.transaction() as db:
            db.executemany(
                "UPDATE groups SET owner='', at=? WHERE channel=? AND key=? AND claim=?",
                [(now + wait_s, channel, claim.key, claim.number) for claim in claims],
            )

    def give_up(self, channel: str, claims: Sequence[Claim], why: str, now: float) -> None:
        with self._file.transaction() as db:
            for claim in claims:
                _give_up(db, channel, claim.key, why, number=claim.number)

    def untold(self, channel: str, keys: Collection[str]) -> list[str]:
        found: list[str] = []
        with self._file.transaction() as db:
            for marks, some in _marked(keys):
                rows = db.execute(
                    f"SELECT key FROM groups WHERE channel=? AND count>told AND key IN ({marks})", (channel, *some)
                )
                found += [key for (key,) in rows]
        return found

    def born(self, channel: str) -> str:
        with self._file.transaction() as db:
            found = db.execute("SELECT number FROM books WHERE name='born'").fetchone()
        return str(found[0]) if found else ""

    def next_due(self, channel: str, now: float) -> float:
        with self._file.transaction() as db:
            at = db.execute("SELECT min(at) FROM groups WHERE channel=?", (channel,)).fetchone()[0]
        return float("inf") if at is None else max(at - now, 0.0)

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

    def held(self, most: int) -> list[Held]:
        with self._file.transaction() as db:
            waiting = db.execute(
                f"SELECT {_HELD}, x'', {_NUMBERS}, count-told, owner FROM groups WHERE count>told"
                " ORDER BY last DESC LIMIT ?",
                (_MAX_SHOWN_ENTRY, most),
            ).fetchall()
            given_up = db.execute(
                f"SELECT {_HELD}, CAST(why AS BLOB), {_NUMBERS}, CAST(count AS INTEGER), '' FROM given_up"
                " ORDER BY last DESC LIMIT ?",
                (_MAX_SHOWN_ENTRY, most),
            ).fetchall()
        claimed = {owner for *_, owner in waiting if owner and self._is_alive(str(owner))}
        found = [_held(row, row[-1] in claimed) for row in (*waiting, *given_up)]
        return sorted(found, key=lambda held: held.last, reverse=True)[:most]

    def again(self, keys: Collection[str], now: float) -> int:
        with self._file.transaction() as db:
            rows = _among(
                db, f"SELECT rowid, channel, key, level, {_ENTRY}, {_COUNT}, last, window FROM given_up", keys
            )
            for rowid, channel, key, level, entry, count, last, window in rows:
                db.execute("DELETE FROM given_up WHERE rowid=?", (rowid,))
                _add(db, "given_up", -count)
                _add(db, "counted", -count)
                one = Count(key, count, last, entry, level, window)
                _count_one(db, channel, "", "", one, now, self._wall())
        return len(rows)

    def discard(self, keys: Collection[str]) -> int:
        with self._file.transaction() as db:
            given_up = _among(db, f"SELECT rowid, key, {_COUNT} FROM given_up", keys)
            for rowid, _, count in given_up:
                db.execute("DELETE FROM given_up WHERE rowid=?", (rowid,))
                _add(db, "given_up", -count)
                _add(db, "discarded", count)
            waiting = _among(db, "SELECT channel, key, count-told FROM groups WHERE count>told", keys)
            for channel, key, count in waiting:
                _remove(db, channel, key)
                _add(db, "discarded", count)
        return len(given_up) + len(waiting)

    def books(self) -> SharedBooks:
        with self._file.transaction() as db:
            found = dict(db.execute("SELECT name, number FROM books").fetchall())
            waiting = db.execute("SELECT CAST(total(count-told) AS INTEGER) FROM groups").fetchone()[0]
        numbers = [found.get(name, 0) for name in ("counted", "told", "given_up", "discarded")]
        return SharedBooks(numbers[0], numbers[1], waiting, numbers[2], numbers[3])

    def check(self) -> str:
        with self._file.transaction() as db:
            db.execute("UPDATE boot SET id=id")
            mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        return f"SQLite {sqlite3.sqlite_version}, journal {mode}, {self.path}"

    def close(self) -> None:
        self._file.close()


_MAX_SHOWN_ENTRY = 512 * 1024
# A column of SQLite holds whatever somebody has put into it: text goes through bytes, numbers are made such.
_HELD = "CAST(key AS BLOB), CAST(channel AS BLOB), CAST(CASE WHEN length(entry)<=? THEN entry ELSE '' END AS BLOB)"
_NUMBERS = "CAST(level AS INTEGER), CAST(last AS REAL)"


def _held(row: tuple[Any, ...], claimed: bool) -> Held:
    *texts, level, last, count, _ = row
    key, channel, entry, why = ((text or b"").decode("utf-8", "replace") for text in texts)
    return Held(key, channel, level or 0, count or 0, last or 0.0, entry, why, claimed)


def _prepare(db: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        db.execute(statement)
    db.execute("INSERT OR IGNORE INTO books VALUES ('born', ?)", (time.time_ns(),))
    boot = _boot()
    if db.execute("SELECT id FROM boot").fetchone() != (boot,):  # the clock has begun anew
        db.execute("DELETE FROM boot")
        db.execute("INSERT INTO boot VALUES (?)", (boot,))
        for table in ("sent", "pauses", "tokens", "peers"):
            db.execute(f"DELETE FROM {table}")
        db.execute("UPDATE groups SET owner='', at=0, seen=0, told_at=0")


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip()
    except OSError:  # not Linux: the minute in which the clock began
        return str(round((time.time() - time.monotonic()) / 60))


def _count_one(db: sqlite3.Connection, channel: str, who: str, host: str, one: Count, now: float, wall: float) -> int:
    row = db.execute(
        "SELECT count, told, wait, told_at, at, samples, rates, owner, since, event FROM groups"
        " WHERE channel=? AND key=?",
        (channel, one.key),
    ).fetchone()
    if row is not None and not all(type(number) in (int, float) for number in row[:5]):
        _give_up(db, channel, one.key, "unreadable")
        row = None
    if row is None:
        if not one.entry:
            return 0
        _make_room(db)
        db.execute(
            "INSERT INTO groups VALUES (?,?,?,?,?,0,0,0,?,?,?,0,?,?,?,?,'[]','',0,?)",
            (
                *(channel, one.key, one.level, one.entry, one.number, one.window_s, now, now, wall),
                *(one.last, one.last, json.dumps(one.samples), one.event),
            ),
        )
        _add(db, "groups", 1)
    else:
        count, told, wait, told_at, at, samples, rates, owner, since, event = row
        if one.event and one.event == event:
            return 1 if told else 2
        if count == told:
            since = one.last
            at = at if owner else told_at + wait
        kept = json.dumps([*_list(samples), *one.samples][:MAX_SAMPLES]) if one.samples else samples
        db.execute(
            "UPDATE groups SET count=?, at=?, seen=?, last=max(last, ?), samples=?, rates=?, since=?"
            " WHERE channel=? AND key=?",
            (
                *(count + one.number, at, now, one.last, kept, _rated(rates, one.number, now - told_at, wait), since),
                *(channel, one.key),
            ),
        )
    _add(db, "counted", one.number)
    if host:
        number = db.execute("SELECT count(*) FROM sources WHERE channel=? AND key=?", (channel, one.key)).fetchone()[0]
        if number < _MAX_SOURCES:
            db.execute("INSERT OR IGNORE INTO sources VALUES (?,?,?,?)", (channel, one.key, host, who))
    return 1 if row is not None and told else 2


def _rated(rates: str, number: int, age_s: float, wait_s: float) -> str:
    """The curve of the rate with so many more: one number for each eighth of the wait."""
    curve = [number for number in _list(rates) if type(number) is int]
    span = min(int(age_s / wait_s * SPANS), 4 * SPANS) if wait_s > 0 else 0
    curve += [0] * (span + 1 - len(curve))
    curve[span] += number
    return json.dumps(curve)


def _claim_one(db: sqlite3.Connection, channel: str, who: str, row: tuple[Any, ...], until: float) -> Claim | None:
    key, entry, level, count, told, digests, since, last, number, window, rates, samples, _ = row
    if not _is_sound(row):
        _give_up(db, channel, key, "unreadable")
        return None
    is_quiet = count == told
    if is_quiet and digests < LEAST_DIGESTS:
        _remove(db, channel, key)
        return None
    db.execute(
        "UPDATE groups SET owner=?, claim=?, at=? WHERE channel=? AND key=?", (who, number + 1, until, channel, key)
    )
    hosts, processes = db.execute(
        "SELECT count(DISTINCT host), count(*) FROM sources WHERE channel=? AND key=?", (channel, key)
    ).fetchone()
    return Claim(
        key=key,
        number=number + 1,
        entry=entry,
        level=level,
        count=count - told,
        total=count,
        since=since,
        last=last,
        hosts=hosts,
        processes=processes,
        is_first=told == 0,
        quiet_s=QUIET_WINDOWS * window if is_quiet else 0.0,
        rates=tuple(number for number in _list(rates) if type(number) is int),
        samples=tuple((float(one[0]), str(one[1])) for one in _list(samples) if _is_sample(one)),
    )


def _is_sound(row: tuple[Any, ...]) -> bool:
    """Whether a group can be one of ours; whoever may write into the file may have written anything."""
    key, entry, level, count, told, digests, since, last, number, window, *_ = row
    return (
        all(type(one) is str for one in (key, entry))
        and all(type(one) is int and abs(one) < 2**62 for one in (level, count, told, digests, number))
        and all(type(one) is float and math.isfinite(one) for one in (since, last, window))
        and 0 <= told <= count
    )


def _list(text: Any) -> list[Any]:
    """A list that is stored as JSON; empty where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _is_sample(one: Any) -> bool:
    return isinstance(one, list) and [type(part) for part in one] == [float, str] and math.isfinite(one[0])


def _marked(keys: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Question marks for a statement, and the keys that they stand for."""
    several = list(keys)
    for start in range(0, len(several), _MARKS):
        some = several[start : start + _MARKS]
        yield ",".join("?" * len(some)), some


def _make_room(db: sqlite3.Connection) -> None:
    """Where there are too many groups: first what is told already, else the least severe and oldest, as lost."""
    number = db.execute(f"SELECT {_NUMBER} FROM books WHERE name='groups'").fetchone()
    if number is None or number[0] < MAX_GROUPS:
        return
    db.execute("UPDATE books SET number=(SELECT count(*) FROM groups) WHERE name='groups'")  # it may have been wrong
    if db.execute("SELECT number FROM books WHERE name='groups'").fetchone()[0] < MAX_GROUPS:
        return
    rows = db.execute(
        "SELECT channel, key FROM groups ORDER BY count>told, level, last LIMIT ?", (max(MAX_GROUPS // 100, 1),)
    ).fetchall()
    for channel, key in rows:
        _give_up(db, channel, key, "queue_overflow", keep=False)


def _give_up(
    db: sqlite3.Connection, channel: str, key: str, why: str, *, number: int | None = None, keep: bool = True
) -> None:
    row = db.execute("SELECT count-told, claim FROM groups WHERE channel=? AND key=?", (channel, key)).fetchone()
    if row is None or (number is not None and row[1] != number):
        return
    count = row[0]
    if count and keep:
        db.execute(
            "INSERT INTO given_up SELECT channel, key, level, entry, count-told, last, window, ? FROM groups"
            " WHERE channel=? AND key=?",
            (why, channel, key),
        )
    if count:
        _add(db, "given_up" if keep else "discarded", count)
    _remove(db, channel, key)
    for rowid, old in db.execute(
        f"SELECT rowid, {_COUNT} FROM given_up WHERE rowid<=(SELECT max(rowid) FROM given_up)-?", (_MAX_GIVEN_UP,)
    ).fetchall():
        db.execute("DELETE FROM given_up WHERE rowid=?", (rowid,))
        _add(db, "given_up", -old)
        _add(db, "discarded", old)


def _remove(db: sqlite3.Connection, channel: str, key: str) -> None:
    db.execute("DELETE FROM groups WHERE channel=? AND key=?", (channel, key))
    db.execute("DELETE FROM sources WHERE channel=? AND key=?", (channel, key))
    _add(db, "groups", -1)


def _add(db: sqlite3.Connection, name: str, number: int) -> None:
    db.execute("INSERT OR IGNORE INTO books VALUES (?,0)", (name,))
    db.execute(f"UPDATE books SET number={_NUMBER}+? WHERE name=?", (number, name))


def _remembered(db: sqlite3.Connection, name: str, least: float) -> float:
    """Handlers of one channel may have rules of their own: the longest period decides what is remembered."""
    found = db.execute("SELECT number FROM books WHERE name=? AND typeof(number)='integer'", (name,)).fetchone()
    if found and least <= found[0] <= _DAY_S:
        return float(found[0])
    db.execute("INSERT OR REPLACE INTO books VALUES (?,?)", (name, math.ceil(least)))
    return least


def _among(db: sqlite3.Connection, select: str, keys: Collection[str]) -> list[tuple[Any, ...]]:
    rows = db.execute(select).fetchall()
    at = [column[0] for column in db.execute(f"{select} LIMIT 0").description].index("key")
    return [row for row in rows if not keys or row[at] in keys]
