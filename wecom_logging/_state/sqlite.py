"""``sqlite:///path``: the processes of one machine send one alert for a failure, and send what another has left.

Source of what SQLite promises: https://www.sqlite.org/lockingv3.html, https://www.sqlite.org/atomiccommit.html
"""

from __future__ import annotations

import sqlite3  # noqa: TID253 # this module is loaded with the first state
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

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
        self._file = SqliteFile(path, lambda db: prepare(SqliteStep(db), db, clock()))
        self._is_alive = is_alive
        self.path = self._file.path

    @contextmanager
    def step(self) -> Iterator[Step]:
        with self._file.transaction() as db:
            yield SqliteStep(db)

    def is_alive(self, who: str) -> bool:
        return self._is_alive is None or self._is_alive(who)

    def _free(self, step: Step, channel: str, who: str, now: float) -> None:
        assert isinstance(step, SqliteStep)
        found = step.run("SELECT DISTINCT owner FROM rows WHERE channel=? AND owner!=''", (utf8(channel),))
        for (owner,) in found:
            if owner != who and not self.is_alive(str(owner)):
                where = "channel=? AND owner=? AND due>?"
                step.run(f"UPDATE rows SET due=? WHERE {where}", (now, utf8(channel), owner, now))

    def check(self) -> str:
        with self._file.transaction() as db:
            db.execute("UPDATE boot SET id=id")
            mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        return f"SQLite {sqlite3.sqlite_version}, journal {mode}, {self.path}"

    def close(self) -> None:
        self._file.close()
