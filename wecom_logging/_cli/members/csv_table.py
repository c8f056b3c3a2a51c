"""Members as a CSV file: its columns and their Chinese names, encodings, and what Excel would run as a formula."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ...errors import MessageError

COLUMNS = (
    "user_id",
    "name",
    "departments",
    "mobile",
    "email",
    "biz_mail",
    "alias",
    "position",
    "gender",
    "telephone",
    "leader_of",
    "main_department",
    "direct_leaders",
    "enabled",
)
ERROR = "error"
"""The column that a report has besides; it is not read."""
# As the admin console's template of the directory and its export call them.
_CHINESE = {
    "帐号": "user_id",
    "账号": "user_id",
    "成员账号": "user_id",
    "姓名": "name",
    "部门": "departments",
    "所在部门": "departments",
    "手机": "mobile",
    "手机号": "mobile",
    "手机号码": "mobile",
    "邮箱": "email",
    "个人邮箱": "email",
    "企业邮箱": "biz_mail",
    "别名": "alias",
    "职务": "position",
    "性别": "gender",
    "座机": "telephone",
    "负责的部门": "leader_of",
    "主部门": "main_department",
    "直属上级": "direct_leaders",
    "启用": "enabled",
}
# What Excel, WPS and LibreOffice run as a formula, behind any number of our own apostrophes, so that a cell with an
# apostrophe of its own comes back as it was (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_PHONE = re.compile(r"\+?[0-9][0-9 \-]*")


@dataclass(frozen=True, slots=True)
class Row:
    """A member in a file, from ``line`` on. ``cells`` by field, without those that are empty; ``all`` as they stand."""

    line: int
    cells: dict[str, str]
    all: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberTable:
    """``header`` are the file's own names of its columns, ``fields`` what they mean."""

    header: tuple[str, ...]
    fields: tuple[str, ...]
    rows: tuple[Row, ...]
    separator: str


def read(path: Path) -> MemberTable:
    """A whole file. Raises `MessageError` where it is no such table; what a cell says is looked at later."""
    text, is_utf_8 = _text(path)
    separator = _separator(text)
    if separator != "," and not is_utf_8:  # of Europe's own encodings GB18030 would make names of nonsense
        raise MessageError(f"{path}: columns are not separated by commas, and it is no UTF-8; save it as “CSV UTF-8”")
    rows = _rows(path, text, separator)
    _, header = next(rows, (1, []))
    while header and not header[-1]:  # what a spreadsheet leaves of a column that was emptied
        header.pop()
    fields = tuple(_field(path, name) for name in header)
    if twice := [name for name, field in zip(header, fields, strict=True) if fields.count(field) > 1]:
        raise MessageError(f"{path}: line 1: the columns {', '.join(twice)} mean the same")
    if "user_id" not in fields:
        raise MessageError(
            f"{path}: line 1: there is no column user_id (账号); commas, semicolons or tabs separate columns"
        )
    found = [_row(path, line, cells, fields) for line, cells in rows if any(cells)]
    return MemberTable(tuple(header), fields, tuple(found), separator)


def _separator(text: str) -> str:
    """What Excel puts between columns is a matter of its locale; no name of a column holds any of these."""
    return max(",;\t", key=text.partition("\n")[0].count)


def _field(path: Path, name: str) -> str:
    field = _CHINESE.get(name, name.lower())
    if field not in COLUMNS and field != ERROR:
        known = ", ".join(COLUMNS)
        use = f"take it out, or use {known}, or their Chinese names in the admin console"
        raise MessageError(f"{path}: line 1: the column {name[:40]!r} is not known; {use}")
    return field


def _row(path: Path, line: int, cells: list[str], fields: Sequence[str]) -> Row:
    if len(cells) > len(fields):
        if any(cells[len(fields) :]):
            raise MessageError(f"{path}: line {line}: it has {len(cells)} cells, the header {len(fields)}")
        cells = cells[: len(fields)]
    cells += [""] * (len(fields) - len(cells))
    given = {field: cell for field, cell in zip(fields, cells, strict=True) if cell and field != ERROR}
    return Row(line, given, tuple(cells))


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The lines on which rows begin, and their cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, [read_cell(cell.strip(" ")) for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise MessageError(f"{path}: line {line}: it is no CSV ({error})") from None


def _text(path: Path) -> tuple[str, bool]:
    """UTF-8 (True) with or without a byte order mark, or else GB18030, as Excel writes in China."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MessageError(f"{path}: it cannot be read ({error.strerror or error})") from None
    try:
        return data.decode("utf-8").removeprefix("\ufeff"), True
    except UnicodeDecodeError as error:
        start = error.start
    # What begins as UTF-8 is UTF-8 with a fault: read as GB18030 it would make names of nonsense.
    if data.startswith(codecs.BOM_UTF8) or any(character > "\u07ff" for character in data[:start].decode("utf-8")):
        line = data.count(b"\n", 0, start) + 1
        raise MessageError(f"{path}: line {line}: it is no UTF-8 from there on; save it again as “CSV UTF-8”")
    try:
        return data.decode("gb18030"), False
    except UnicodeDecodeError:
        raise MessageError(f"{path}: it is neither UTF-8 nor GB18030; save it as “CSV UTF-8”") from None


class TableWriter:
    """Writes rows as `read` reads them."""

    def __init__(self, stream: TextIO, header: Iterable[str], separator: str = ",") -> None:
        self._writer = csv.writer(stream, delimiter=separator)
        self.row(header)

    def row(self, cells: Iterable[str]) -> None:
        """One row."""
        self._writer.writerow([written_cell(cell) for cell in cells])


def written_cell(text: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{text}" if _FORMULA.match(text) and not _PHONE.fullmatch(text) else text


def read_cell(text: str) -> str:
    """What `written_cell` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
