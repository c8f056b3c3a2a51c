"""``sqlite:///path``: the processes of one machine send one alert for a failure, and send what another has left.

Source of what SQLite promises: https://www.sqlite.org/lockingv3.html, https://www.sqlite.org/atomiccommit.html
"""

from __future__ import annotations

import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .._incidents.incident import Incident
from .base import Wanted
from .documents import DocumentStore, Step
from .sql import SqlStep, utf8
from .sqlite_file import SqliteFile
from .sqlite_schema import prepare


class SqliteStep(SqlStep):
    exact = "hex(key)"

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._db.execute(statement, values).fetchall()


class SqliteStore(DocumentStore):
    """The contract over one file. ``is_alive`` says of a process whether it still holds what it has claimed; ``clock``
    is the one of which ``now`` comes."""

    def __init__(
        self,
        path: str,
        *,
        is_alive: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = SqliteFile(path, lambda db, version: prepare(SqliteStep(db), db, version, clock()))
        self._is_alive = is_alive
        self.path = self._file.path

    @contextmanager
    def step(self) -> Iterator[Step]:
        with self._file.transaction() as db:
            yield SqliteStep(db)

    def is_alive(self, who: str) -> bool:
        return self._is_alive is None or self._is_alive(who)

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        self._free(channel, who, now)
        return super().claim(channel, who, now, lease_s, wanted)

    def next_due(self, channel: str, now: float) -> float:
        self._free(channel, "", now)
        return super().next_due(channel, now)

    def _free(self, channel: str, who: str, now: float) -> None:
        """What a process has claimed that is gone is due now."""
        with self._file.transaction() as db:
            of = "FROM rows WHERE channel=? AND owner!=''"
            for (owner,) in db.execute(f"SELECT DISTINCT owner {of}", (utf8(channel),)).fetchall():
                if owner != who and not self.is_alive(str(owner)):
                    where = "channel=? AND owner=? AND due>?"
                    db.execute(f"UPDATE rows SET due=? WHERE {where}", (now, utf8(channel), owner, now))

    def check(self) -> str:
        with self._file.transaction() as db:
            db.execute("UPDATE boot SET id=id")
            mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        return f"SQLite {sqlite3.sqlite_version}, journal {mode}, {self.path}"

    def close(self) -> None:
        self._file.close()
