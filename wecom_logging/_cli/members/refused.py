"""The rows of an import that were refused, as a file that can be corrected and imported again."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from ..._render import inert
from ..printing import say
from .csv_table import ERROR, MemberTable, Row, TableWriter
from .whole_file import WholeFile


class Report:
    """The table's own columns and ``error``. It is kept, also when the work is broken off, if there is a row in it.

    Without a ``path`` there is no file.
    """

    def __init__(self, table: MemberTable, path: Path | None) -> None:
        self.path = path
        self.lines: dict[int, str] = {}
        """What is wrong, by the line of the file."""
        self._rows: dict[int, Row] = {}
        self._table = table
        self._file = WholeFile(path) if path is not None else None

    def refuse(self, row: Row, error: str) -> None:
        """Note a row and what is wrong with it."""
        self.lines[row.line] = error
        self._rows[row.line] = row

    def __enter__(self) -> Report:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is None:
            return
        if not self.lines:
            self._file.discard()
            return
        for line, text in sorted(self.lines.items()):
            say(f"line {line}: {text}")
        self._write(self._file)
        self._file.keep()
        say(f"{len(self.lines)} refused rows are in {self.path}")

    def _write(self, file: WholeFile) -> None:
        kept = [number for number, field in enumerate(self._table.fields) if field != ERROR]
        header = [*(self._table.header[number] for number in kept), ERROR]
        writer = TableWriter(file.stream, header, self._table.separator)
        for line in sorted(self.lines):
            row = self._rows[line]
            writer.row([*(row.all[number] for number in kept), inert.line(self.lines[line])])
