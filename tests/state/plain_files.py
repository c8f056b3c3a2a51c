"""A store that is not shipped, of the base alone: one JSON file, read and written as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from wecom_logging._incidents import life
from wecom_logging._incidents.codec import dump
from wecom_logging._incidents.incident import Incident
from wecom_logging._state.documents import DocumentStore, Note
from wecom_logging._state.rows import ALL, Broken, Find, entry_of, loaded
from wecom_logging.errors import StateError


class PlainFiles(DocumentStore):
    """Over a directory, which is made. A process that uses the file holds its lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def step(self) -> Iterator[FileStep]:
        path = self._directory / "state.json"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._directory / "lock", "w") as lock:
                import fcntl  # not on Windows, where another module of these tests would not import

                fcntl.flock(lock, fcntl.LOCK_EX)
                step = FileStep(_read(path))
                before = step.text()
                yield step
                if (after := step.text()) != before:
                    path.with_suffix(".new").write_text(after)
                    path.with_suffix(".new").replace(path)
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}") from None

    def check(self) -> str:
        with self.step():
            return f"files in {self._directory}"

    def close(self) -> None:
        """Nothing stays open."""


AHEAD_S = 5e8
"""As a store on another machine, it has a clock of its own."""


class FileStep:
    def __init__(self, data: Any) -> None:
        self.rows: dict[tuple[str, str], list[Any]] = {tuple(key): row for key, row in data[0]}
        self.kept: dict[tuple[str, str, str], list[Any]] = {tuple(key): note for key, note in data[1]}

    def text(self) -> str:
        return json.dumps([list(self.rows.items()), list(self.kept.items())])

    def _all(self, channel: str, broken: Broken = lambda *what: None) -> Iterator[Incident]:
        for (of, key), (document, entry, untold) in list(self.rows.items()):
            if of == channel:
                row = loaded(document, entry)
                if row is None:
                    broken(channel, key, untold, entry)
                else:
                    yield row

    def find(self, channel: str, find: Find, broken: Broken) -> list[Incident]:
        return sorted(filter(find.wants, self._all(channel, broken)), key=find.place)[: find.most]

    def write(self, channel: str, row: Incident, before: Incident | None) -> None:
        self.rows[channel, row.key] = [dump(row), entry_of(row), row.untold]

    def remove(self, channel: str, key: str) -> None:
        self.rows.pop((channel, key), None)

    def next_due(self, channel: str) -> float:
        return min(map(life.due_at, self._all(channel)), default=float("inf"))

    def size(self, channel: str) -> int:
        return sum(of == channel for of, _ in self.rows)

    def channels(self) -> list[str]:
        return sorted({channel for channel, _ in self.rows} | {channel for _, channel, _ in self.kept} - {""})

    def notes(
        self, kind: str, channel: str | None, name: str | None = None, *, most: int = ALL, skip: int = 0
    ) -> list[Note]:
        found = [
            Note(kind=kind, channel=key[1], name=key[2], text=text, number=number, at=at)
            for key, (text, number, at) in self.kept.items()
            if key[0] == kind and channel in (None, key[1]) and name in (None, key[2])
        ]
        return sorted(found, key=lambda note: -note.at)[skip : skip + most]

    def put(self, note: Note) -> None:
        kind, channel, name, *others = astuple(note)
        self.kept[kind, channel, name] = others

    def drop(self, kind: str, channel: str, name: str) -> None:
        self.kept.pop((kind, channel, name), None)

    def forget(self, kind: str, channel: str | None, until: float) -> None:
        for note in self.notes(kind, channel):
            if note.at <= until:
                self.drop(kind, note.channel, note.name)

    def ahead(self, now: float) -> float:
        return AHEAD_S


def _read(path: Path) -> Any:
    with suppress(FileNotFoundError, ValueError):
        data = json.loads(path.read_text())
        if isinstance(data, list) and len(data) == 2:
            return data
    with suppress(FileNotFoundError):  # broken, or foreign
        path.replace(path.with_suffix(".aside"))
    return [[], []]
