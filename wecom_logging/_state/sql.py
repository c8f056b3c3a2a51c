"""The rows and notes of a store in SQL, as SQLite and PostgreSQL understand it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple
from typing import Any

from .._incidents.codec import dump
from .._incidents.incident import Incident
from .documents import Note
from .entries import MAX_CHARACTERS
from .rows import ALL, Broken, Find, columns, entry_of, loaded

ROWS = (
    "channel TEXT NOT NULL, key TEXT NOT NULL, short_id TEXT, due REAL, rank INTEGER, audience TEXT, cause TEXT,"
    " owner TEXT, untold INTEGER, untold_at REAL, changed_at REAL, last REAL, document TEXT, PRIMARY KEY (channel, key)"
)
FIRSTS = "channel TEXT, key TEXT, entry TEXT, PRIMARY KEY (channel, key)"
"""The first alerts have a table of their own, which counting does not touch."""

NOTES = "kind TEXT, channel TEXT, name TEXT, text TEXT, number INTEGER, at REAL, PRIMARY KEY (kind, channel, name)"
INDEXES = {
    "rows_turn": "rows (channel, rank DESC, untold_at, key, due, audience)",
    "rows_due": "rows (channel, due)",
    "rows_name": "rows (channel, short_id)",
    "rows_owner": "rows (channel, owner) WHERE owner!=''",
    "rows_cause": "rows (channel, cause) WHERE cause!=''",
    "notes_age": "notes (kind, at)",
}
"""SQLite's REAL has eight bytes; in PostgreSQL write DOUBLE PRECISION, and BIGINT for INTEGER."""

MAX_MARKS = 400
"""Of one list in a statement, which may have two: SQLite before 3.32 takes 999 values."""

_ORDERS = {
    "newest": "last DESC",
    "turn": "rank DESC, untold_at, key",
    "cause": "changed_at DESC",
    "leave": "untold>0, rank, untold_at",
}
_LARGE = 2**62


class SqlStep(ABC):
    """A `documents.Step`. What is read may be anything: it is checked."""

    exact = "key"
    """A key as it is, where a database may hold one that is no text."""

    @abstractmethod
    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Execute a statement with a ``?`` for each value; the rows that it gives."""

    def find(self, channel: str, find: Find, broken: Broken) -> list[Incident]:
        found = list[Any]()
        for among in _pieces(find.keys):
            where, values = _conditions(channel, find, among)
            found += self.run(
                f"SELECT key, {self.exact}, untold, {_short('document')}, {_short('entry')} FROM rows"
                f" LEFT JOIN firsts USING (channel, key) WHERE {where} ORDER BY {_ORDERS[find.order]} LIMIT ?",
                (*values, find.most),
            )
        rows = list[Incident]()
        for key, exact, untold, document, entry in found:
            row = loaded(document, entry)
            if row is not None and utf8(row.key) == key:
                rows.append(row)
            else:
                for table in ("rows", "firsts"):
                    self.run(f"DELETE FROM {table} WHERE channel=? AND {self.exact}=?", (utf8(channel), exact))
                broken(channel, _of(key, str) or "?", max(_of(untold, int), 0), _of(entry, str))
        return sorted(rows, key=find.place)[: find.most] if find.keys is not None else rows

    def write(self, channel: str, row: Incident, before: Incident | None) -> None:
        found = {name: utf8(value) if isinstance(value, str) else value for name, value in columns(row).items()}
        names = ["channel", *found, "document"]
        self._put("rows", names, [utf8(channel), *found.values(), dump(row)], 2)
        if before is None or row.first is not before.first:
            self._put("firsts", ["channel", "key", "entry"], [utf8(channel), utf8(row.key), entry_of(row)], 2)

    def remove(self, channel: str, key: str) -> None:
        for table in ("rows", "firsts"):
            self.run(f"DELETE FROM {table} WHERE channel=? AND key=?", (utf8(channel), utf8(key)))

    def next_due(self, channel: str) -> float:
        ((due,),) = self.run("SELECT min(due) FROM rows WHERE channel=?", (utf8(channel),))
        return due if type(due) is float else math.inf

    def size(self, channel: str) -> int:
        ((size,),) = self.run("SELECT count(*) FROM rows WHERE channel=?", (utf8(channel),))
        return int(size)

    def channels(self) -> list[str]:
        found = self.run("SELECT channel FROM rows UNION SELECT channel FROM notes")
        return [channel for (channel,) in found if isinstance(channel, str) and channel]

    def notes(
        self, kind: str, channel: str | None, name: str | None = None, *, most: int = ALL, skip: int = 0
    ) -> list[Note]:
        where, values = _equal(kind=kind, channel=channel, name=name)
        found = self.run(
            f"SELECT kind, channel, name, {_short('text', 3)}, number, at FROM notes WHERE {where}"
            " ORDER BY at DESC LIMIT ? OFFSET ?",
            (*values, most, skip),
        )
        return [
            Note(kind=kind, channel=of, name=called, text=_of(text, str), number=_of(number, int), at=_of(at, float))
            for kind, of, called, text, number, at in found
            if type(of) is type(called) is str
        ]

    def put(self, note: Note) -> None:
        names = ["kind", "channel", "name", "text", "number", "at"]
        values = [utf8(value) if isinstance(value, str) else value for value in astuple(note)]
        self._put("notes", names, [*values[:5], float(note.at)], 3)

    def drop(self, kind: str, channel: str, name: str) -> None:
        where, values = _equal(kind=kind, channel=channel, name=name)
        self.run(f"DELETE FROM notes WHERE {where}", values)

    def forget(self, kind: str, channel: str | None, until: float) -> None:
        where, values = _equal(kind=kind, channel=channel)
        self.run(f"DELETE FROM notes WHERE {where} AND at<=?", (*values, until))

    def ahead(self, now: float) -> float:
        return 0.0

    def _put(self, table: str, names: Sequence[str], values: Sequence[Any], keys: int) -> None:
        others = ", ".join(f"{name}=excluded.{name}" for name in names[keys:])
        self.run(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(values)})"
            f" ON CONFLICT ({', '.join(names[:keys])}) DO UPDATE SET {others}",
            values,
        )


def utf8(text: str) -> str:
    """Text that a database takes, the same for the same."""
    return text.encode("utf-8", "backslashreplace").decode()


def marks(values: Collection[Any]) -> str:
    """Of a statement with these values."""
    return ",".join("?" * len(values))


def _of(value: Any, kind: type[str | int | float]) -> Any:
    """Nothing where it is none of ours."""
    is_ours = type(value) is kind and (isinstance(value, str) or abs(value) < _LARGE)
    return value if is_ours else kind()


def _short(column: str, times: int = 1) -> str:
    """What another program has made huge does not come into memory."""
    return f"CASE WHEN length({column})<={times * MAX_CHARACTERS} THEN {column} ELSE '' END"


def _equal(**values: str | None) -> tuple[str, list[str]]:
    given = {name: utf8(value) for name, value in values.items() if value is not None}
    return " AND ".join(f"{name}=?" for name in given), list(given.values())


def _pieces(keys: Collection[str] | None) -> Iterator[list[str] | None]:
    if keys is None:
        yield None
        return
    several = [*dict.fromkeys(keys)]
    for start in range(0, len(several), MAX_MARKS):
        yield several[start : start + MAX_MARKS]


def _conditions(channel: str, find: Find, keys: Sequence[str] | None) -> tuple[str, list[Any]]:
    where, values = _equal(channel=channel, short_id=find.short_id, audience=find.audience, cause=find.cause)
    found, given = [where], list[Any](values)
    if keys is not None:
        found.append(f"key IN ({marks(keys)})")
        given += map(utf8, keys)
    if but := [utf8(audience) for audience in find.but][:MAX_MARKS]:
        found.append(f"audience NOT IN ({marks(but)})")
        given += but
    if find.due is not None:
        found.append("+due<=? AND (owner='' OR +due<=?)")  # by the order, not by the time
        given += [find.due, find.by]
    if find.is_untold:
        found.append("untold>0")
    return " AND ".join(found), given
