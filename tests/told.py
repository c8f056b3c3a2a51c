"""What a message in English says of what it tells, read from its text."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from wecom_logging.model import Recipients

_COUNT = re.compile(r"× (\d+)(?: since [-\d: ]+)?(?:, (\d+) in all)?")
_AT_ITS_END = re.compile(r" quiet(?: for [^×\n]*)?, × (\d+)")
_NEWS = re.compile(r"[✋✅⏫] [^:]*: #\w+ (.* by|→) .* \d\d:\d\d")
_IN_ALL = re.compile(r"(\d+) in all")
_HEADLINE = re.compile(r"\S+ (\d+) alerts? of (\d+) kinds?")


@dataclass(frozen=True)
class Told:
    """A message that got through."""

    at: float
    text: str
    recipients: Recipients | None = None
    file: bytes = b""

    @property
    def first_line(self) -> str:
        return self.text.split("\n", 1)[0]

    @property
    def is_flood(self) -> bool:
        return bool(self.file)

    @property
    def rows(self) -> list[dict[str, str]]:
        """What stands in its file."""
        return list(csv.DictReader(io.StringIO(self.file.decode("utf-8-sig"), newline="")))

    @property
    def whole(self) -> str:
        """What its file says, or its text."""
        return "".join(f"{row['what']}\n" for row in self.rows) if self.file else self.text

    @property
    def is_shared(self) -> bool:
        return _HEADLINE.match(self.first_line) is not None

    @property
    def is_closing(self) -> bool:
        return self.first_line.startswith("✅")

    @property
    def is_news(self) -> bool:
        """Whether it is about what a person did."""
        return _NEWS.match(self.first_line) is not None

    @property
    def count(self) -> int:
        """How many records it says that it is about."""
        if self.is_news:
            found = _COUNT.search(self.text.split("\n")[2])
            return 0 if found is None else int(found[1])
        ended = [row["count"] for row in self.rows if row["level"] == "quiet"] if self.file else []
        ends = sum(map(int, ended or _AT_ITS_END.findall(self.text)))
        if self.is_closing:
            return ends
        if found := _HEADLINE.match(self.first_line):
            return int(found[1]) + ends
        found = _COUNT.search(self.first_line)
        return int(found[1]) if found else 1

    @property
    def total(self) -> int:
        """How many it says were made in all; only of a message that is not shared."""
        if self.is_news:
            return int(_IN_ALL.findall(self.text.split("\n")[2])[0])
        found = _COUNT.search(self.first_line)
        return self.count if found is None else int(found[2] or found[1])
