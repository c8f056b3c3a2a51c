"""``sqlite:///path``: the processes of one machine send one alert for a failure, and send what another has left.

A row is read, given to `_incidents.life`, and written, in one transaction. Source of what SQLite promises:
https://www.sqlite.org/lockingv3.html, https://www.sqlite.org/atomiccommit.html
"""

from __future__ import annotations

import math
import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from .._incidents import life
from .._incidents.incident import NOTHING, Count, Incident, Kin, Own
from .._incidents.short_id import short_id
from .base import DAY_S, KEEP_S, LOCK_S, MINUTE_S, Added, DeadLetter, Rules, SharedCounters, Swap, Taken, Wanted
from .sqlite_file import SqliteFile
from .sqlite_rows import (
    COUNT,
    ENTRY,
    MAX_MARKS,
    NUMBER,
    UNTOLD,
    add_one,
    conditions,
    count,
    discard_dead,
    earliest_due,
    entry_of,
    ids_of,
    make_room,
    new_version,
    newest_batch,
    number_told,
    open_again,
    question_marks,
    remove,
    save,
    swap_one,
    utf8,
    whole_of,
)
from .sqlite_schema import prepare
from .windows import Windows

_MAX_TOKEN_LIFE_S = 7200.0


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
        self._file = SqliteFile(path, lambda db, version: prepare(db, version, clock()))
        self._is_alive = is_alive or (lambda who: True)
        self.path = self._file.path

    # Incidents.

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        entries = [entry_of(one) for one in counts]
        with self._file.transaction() as db:
            before = newest_batch(db, channel, who)
            if before >= number:
                return Added(before, tuple(number_told(db, channel, one.key) for one in counts))
            if not before:
                db.execute("DELETE FROM marks WHERE at<?", (now - KEEP_S,))
            db.execute("INSERT OR REPLACE INTO marks VALUES (?,?,?,?)", (channel, who, number, now))
            added = [
                add_one(db, channel, who, utf8(host), one, entry, now)
                for one, entry in zip(counts, entries, strict=True)
            ]
            count(db, "counted", sum(number for _, number in added))
            make_room(db)
        return Added(before, tuple(told for told, _ in added))

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        lanes = [utf8(one) for one in wanted.busy][:MAX_MARKS]
        where, only = f"lane NOT IN ({question_marks(lanes)})", lanes
        if wanted.lane is not None:
            where, only = f"{where} AND lane=?", [*lanes, utf8(wanted.lane)]
        if wanted.cause:
            where, only = f"{where} AND cause=?", [*only, wanted.cause]
        until = now + (life.NEAR_S if wanted.cause else 0.0)
        found = []
        with self._file.transaction() as db:
            self._free(db, channel, who, now)
            for among, keys in conditions(wanted.urgent) if wanted.urgent else ():
                db.execute(
                    "UPDATE incidents SET due=? WHERE channel=? AND owner='' AND count>told AND held_until=0"
                    f" AND due>? AND {among} AND {where}",
                    (now, channel, now, *keys, *only),
                )
            if earliest_due(db, channel) > until:
                return []
            rows = db.execute(
                f"SELECT id FROM incidents WHERE channel=? AND +due<=? AND (owner='' OR +due<=?) AND {where}"
                " ORDER BY rank DESC, untold_at, id LIMIT ?",
                (channel, until, now, *only, wanted.most),
            ).fetchall()
            for (row,) in rows:
                incident = whole_of(db, row)
                if incident is None:
                    remove(db, row, "unreadable")
                    continue
                claimed = life.claimed(incident, owner=who, until=now + lease_s, version=new_version())
                save(db, row, incident, claimed, life.due_at(claimed))
                found.append(claimed)
        return found

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        with self._file.transaction() as db:
            return [NOTHING if swap_one(db, channel, one) else None for one in swaps]

    def open(
        self,
        channel: str,
        most: int,
        keys: Collection[str] | None = None,
        now: float | None = None,
        short_id: str | None = None,
    ) -> list[Incident]:
        with self._file.transaction() as db:
            named = None if short_id is None else [("short_id=?", [utf8(short_id)])]
            rows = [
                row
                for among, some in named or (conditions(keys) if keys is None or keys else ())
                for row in db.execute(
                    f"SELECT last, id FROM incidents WHERE channel=? AND {among} ORDER BY last DESC LIMIT ?",
                    (channel, *some, most),
                )
            ]
            rows = [row for row in rows if type(row[0]) is float]
            found = [whole_of(db, row) for _, row in sorted(rows, reverse=True)[:most]]
        return [incident for incident in found if incident is not None]

    def kin(self, channel: str, lane: str, causes: Collection[str], now: float) -> list[Kin]:
        found = []
        with self._file.transaction() as db:
            for cause in causes:
                found += db.execute(
                    "SELECT cause, key, CASE WHEN told>0 THEN told_at ELSE 0.0 END, untold_at FROM incidents"
                    " WHERE channel=? AND cause!='' AND cause=? AND lane=?"
                    " ORDER BY max(told_at, untold_at) DESC LIMIT ?",
                    (channel, cause, utf8(lane), life.MAX_KIN),
                ).fetchall()
        return [Kin(*row) for row in found if [type(value) for value in row] == [str, str, float, float]]

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        with self._file.transaction() as db:
            found = [
                row
                for among, some in (conditions(keys) if keys else ())
                for row in db.execute(
                    f"SELECT key, held_until!=0 FROM incidents WHERE channel=? AND count>told AND {among}",
                    (channel, *some),
                )
            ]
            return newest_batch(db, channel, who), [key for key, _ in found], [key for key, is_held in found if is_held]

    def next_due(self, channel: str, now: float) -> float:
        with self._file.transaction() as db:
            self._free(db, channel, "", now)
            return max(earliest_due(db, channel) - now, 0.0)

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
        longest = max((period for _, period in rules), default=MINUTE_S)
        with self._file.transaction() as db:
            # Who is known to be here is not written again each time: every page that changes costs.
            db.execute("DELETE FROM peers WHERE at<=? OR who=? AND at<=?", (now - MINUTE_S, who, now - MINUTE_S / 4))
            db.execute("INSERT OR IGNORE INTO peers VALUES (?,?)", (who, now))
            longest = _remembered(db, f"longest {channel}", longest)
            db.execute(
                "DELETE FROM sent WHERE channel=? AND (at<=? OR at>? OR typeof(at)!='real')",
                (channel, now - max(longest, MINUTE_S), now + MINUTE_S),  # nobody is so far ahead
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
        return Taken(max(wait, 0.0), number, windows.ages(now, MINUTE_S), max(peers, 1))

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

    def time(self) -> float:
        return time.time()

    def channels(self) -> list[str]:
        with self._file.transaction() as db:
            rows = db.execute(
                " UNION ".join(f"SELECT channel FROM {table}" for table in ("incidents", "marks", "dead", "sent"))
            ).fetchall()
        return [channel for (channel,) in rows if type(channel) is str]

    def held(self, most: int) -> list[DeadLetter]:
        # A text that is none goes through bytes.
        texts = f"CAST(key AS BLOB), CAST(short_id AS BLOB), CAST(channel AS BLOB), CAST({ENTRY} AS BLOB)"
        numbers = "CAST(level AS INTEGER), CAST(last AS REAL)"
        with self._file.transaction() as db:
            waiting = db.execute(
                f"SELECT {texts}, x'', {numbers}, {UNTOLD}, owner FROM incidents LEFT JOIN firsts USING (id)"
                " WHERE count>told ORDER BY last DESC LIMIT ?",
                (most,),
            ).fetchall()
            dead = db.execute(
                f"SELECT {texts}, CAST(why AS BLOB), {numbers}, {COUNT}, '' FROM dead ORDER BY last DESC LIMIT ?",
                (most,),
            ).fetchall()
        claimed = {owner for *_, owner in waiting if owner and self._is_alive(str(owner))}
        found = [_letter(row, row[-1] in claimed) for row in (*waiting, *dead)]
        return sorted(found, key=lambda held: held.last, reverse=True)[:most]

    def again(self, keys: Collection[str], now: float) -> int:
        with self._file.transaction() as db:
            rows = ids_of(db, "SELECT rowid FROM dead WHERE", keys)
            for row in rows:
                found = db.execute(
                    f"SELECT channel, key, level, window_s, lane, {ENTRY}, last, {COUNT} FROM dead WHERE rowid=?",
                    (row,),
                ).fetchone()
                db.execute("DELETE FROM dead WHERE rowid=?", (row,))
                count(db, "given_up", -found[-1])
                open_again(db, found, now)
        return len(rows)

    def discard(self, keys: Collection[str]) -> int:
        with self._file.transaction() as db:
            dead = ids_of(db, "SELECT rowid FROM dead WHERE", keys)
            for row in dead:
                discard_dead(db, row)
            waiting = ids_of(db, "SELECT id FROM incidents WHERE count>told AND", keys)
            for row in waiting:
                remove(db, row, "")
        return len(dead) + len(waiting)

    def counters(self) -> SharedCounters:
        with self._file.transaction() as db:
            found = dict(db.execute(f"SELECT name, {NUMBER} FROM books").fetchall())
            waiting = db.execute(f"SELECT CAST(total({UNTOLD}) AS INTEGER) FROM incidents").fetchone()[0]
        numbers = [found.get(name, 0) for name in ("counted", "told", "given_up", "discarded")]
        return SharedCounters(numbers[0], numbers[1], waiting, numbers[2], numbers[3])

    def check(self) -> str:
        with self._file.transaction() as db:
            db.execute("UPDATE boot SET id=id")
            mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        return f"SQLite {sqlite3.sqlite_version}, journal {mode}, {self.path}"

    def close(self) -> None:
        self._file.close()


def _letter(row: tuple[Any, ...], claimed: bool) -> DeadLetter:
    *texts, level, last, count, _ = row
    key, name, channel, entry, why = ((text or b"").decode("utf-8", "replace") for text in texts)
    return DeadLetter(key, name or short_id(key), channel, level or 0, count, last or 0.0, entry, why, claimed)


def _remembered(db: sqlite3.Connection, name: str, least: float) -> float:
    """Handlers of one channel may have rules of their own: the longest period decides what is remembered."""
    found = db.execute("SELECT number FROM books WHERE name=? AND typeof(number)='integer'", (name,)).fetchone()
    if found and least <= found[0] <= DAY_S:
        return float(found[0])
    db.execute("INSERT OR REPLACE INTO books VALUES (?,?)", (name, math.ceil(least)))
    return least
