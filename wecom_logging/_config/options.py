"""What is told of each option: `options.toml`, which the commands and the pages read, and no handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from .._tables import table


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One row. Of two texts, the first is in English, the second in Chinese."""

    name: str
    handler: str
    """``"app"``, ``"bot"``, ``"aibot"`` or ``"all"``."""
    variable: str = ""
    secret: bool = False
    value: str | float | bool | None = None
    unit: Literal["", "s"] = ""
    default: str | Sequence[str] = ""
    doctor: Literal["", "needed", "default", "given"] = ""
    meaning: Sequence[str]
    remedy: Sequence[str] = ()

    @property
    def keyword(self) -> str:
        """As programs write it."""
        return self.name.removeprefix("aibot_")

    @property
    def variables(self) -> tuple[str, ...]:
        """All that it is read from."""
        return tuple(f"{self.variable}{end}" for end in ("", "_FILE")[: 1 + self.secret] if self.variable)


@cache
def all_options() -> Mapping[str, Option]:
    """All of them, by their name."""
    return {one.name: one for one in _rows()}


def _rows() -> Iterator[Option]:
    for handler, rows in table(__package__, "options").items():
        for name, row in rows.items():
            yield Option(name=name, handler=handler, **row)
