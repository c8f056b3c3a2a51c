"""What the commands print: lines on standard error, and values as JSON, as a table or as fields on standard output.

Nothing in a text can act on the terminal.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from .. import _config as config
from .._render.times import local_time
from .._text import inert
from .._text.cut import trim
from ..errors import WeComLoggingError
from ..model import Change, Outcome
from .texts import explained, field, language, text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Value = DataclassInstance | dict[str, Any]


GAP = "  "
MAX_COLUMN = 200
"""A longer cell pushes its own row aside, rather than all rows apart."""
_LOOKED_AT = 4096


def say(text: str) -> None:
    """A line on standard error, if a process reads that."""
    try:
        if sys.stderr is not None:
            print(f"wecom-logging: {inert.line(text)}", file=sys.stderr, flush=True)
    except (OSError, ValueError):  # it is closed: no reason to end
        pass


def say_error(error: WeComLoggingError) -> None:
    say(explained(error))


class Refusal(Exception):
    """Nothing more is done: why, which `main` says, and the exit code."""

    def __init__(self, why: str, code: int) -> None:
        super().__init__(why)
        self.code = code


def refuse(row: str, code: int, /, **values: object) -> NoReturn:
    """Raises `Refusal`, with a row of `texts.toml`."""
    raise Refusal(text(row, **values), code)


def names_a_password(url: str) -> bool:
    """Whether a URL may hold one, in whatever form; sqlite:// never does."""
    return not url.startswith("sqlite:") and bool(re.search("@|passw|credential", url, re.I))


def agree(question: str, otherwise: str, *, what: str) -> None:
    """Ask at a terminal. ``what`` is it for which --yes is needed elsewhere, ``otherwise`` the row for a no."""
    if sys.stdin is None or not sys.stdin.isatty():
        refuse("usage.nobody_to_ask", 2, what=what)
    print(inert.line(f"{question} [y/N] "), end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        refuse(otherwise, 2)


def _plain(value: Value) -> dict[str, Any]:
    return value if isinstance(value, dict) else asdict(value)


def print_json(value: Value, *, indent: int | None = None) -> None:
    """One value as JSON, on a line of its own unless it is indented; a reader gets the same in every encoding."""
    text = json.dumps(_plain(value), ensure_ascii=False, indent=indent)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(_NO_ASCII.sub(lambda match: _in_json(match[0], encoding), text))


_NO_ASCII = re.compile("[^\x00-\x7e]")


@cache
def _in_json(character: str, encoding: str) -> str:
    """The character, or its escape where it could act on a terminal or the encoding has no such character."""
    try:
        character.encode(encoding)
        if character.isprintable() or ord(character) in config.JOINERS_AND_SPACES:
            return character
    except UnicodeError:
        pass  # the escape, as below
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def brief(text: str, mask: Callable[[str], str], most: int = 160) -> str:
    """What fits into a table of a text from a state, where nothing is trusted."""
    return trim(inert.line(mask(text[:_LOOKED_AT])), most)


def iso(at: float) -> str:
    """A time as programs read it."""
    return local_time(at, language()).isoformat(timespec="seconds")


def clock(time: str) -> str:
    """A time of `iso` as people read it."""
    return time[:19].replace("T", " ")


def print_table(header: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Of each row what is below the header."""
    cells = ([_cell(row[name]) for name in header] for row in rows)
    for line in aligned([[field(name) for name in header], *cells]):
        print(line)


def print_rows(header: Sequence[str], found: Iterable[tuple[Value, dict[str, Any]]], *, as_json: bool) -> int:
    """Values, each with what people read otherwise: as JSON or as a table. Gives the exit code."""
    if as_json:
        for value, _ in found:
            print_json(value)
    else:
        print_table(header, (_plain(value) | read for value, read in found))
    return 0


def print_value(value: Value, *, as_json: bool = False) -> int:
    """One value, as JSON or a field a line; those that are empty are left out. Gives the exit code."""
    if as_json:
        print_json(value)
        return 0
    shown = {field(name): _cell(found) for name, found in _plain(value).items()}
    for line in aligned([(name, found) for name, found in shown.items() if found]):
        print(line)
    return 0


def left_out_of(outcome: Outcome) -> Sequence[str]:
    """Whom WeCom has not sent it to."""
    return [*outcome.invalid_users, *outcome.invalid_departments, *outcome.invalid_tags, *outcome.unlicensed_users]


def print_change(change: Change, done: str, *, as_json: bool) -> int:
    """How a call about many ended; gives the exit code."""
    if as_json:
        print_json(change)
    elif change.complete:
        print(done)
    else:
        print(text("directory.not_for", done=done))
        refused = (("users", change.invalid_users), ("departments", change.invalid_departments))
        for name, ids in (*refused, ("tags", change.invalid_tags)):
            if ids:
                print(inert.line(f"  {field(name)} {_cell(ids)}"))
        say(text("directory.not_accepted"))
    return 0 if change.complete else 1


def _cell(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows as lines of columns. Blanks at the beginning of a cell stay."""
    shown = [[one_line(cell) for cell in row] for row in rows]
    widths = [min(max(map(width, column)), MAX_COLUMN) for column in zip(*shown, strict=True)]
    for row in shown:
        yield GAP.join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip()


def one_line(text: str) -> str:
    """A text as one line, with its own blanks before it."""
    words = text.lstrip(" ")
    return text[: len(text) - len(words)] + inert.line(words)


def width(text: str) -> int:
    """The columns that a terminal gives to a text: two for a Chinese character or an emoji."""
    return sum(map(_columns, text))


_WIDE = "\u2e80-\u9fff\uf900-\ufaff"
_OPENING, _CLOSING = "（《「『“‘", "、。，；：！？）》」』”’"
_PIECES = re.compile(rf" +|[{_OPENING}(\[]*(?:[{_WIDE}]|[^ {_WIDE}{_OPENING}{_CLOSING}]+)?[{_CLOSING})\]]*")
"""Of a line: blanks, words, and Chinese characters one by one, each with the signs that stay with it."""


def wrapped(line: str, columns: int) -> Iterator[str]:
    """A line as several that fit into a terminal. No word is torn; what is longer than a line has one of its own."""
    begin = line[: len(line) - len(line.lstrip(" "))]
    text, used = begin, len(begin)
    for piece in _PIECES.findall(line[len(begin) :]):
        if used + width(piece.rstrip(" ")) > columns and text.strip():
            yield text.rstrip(" ")
            text, used = f"{begin}  ", len(begin) + 2
            piece = piece.lstrip(" ")
        text, used = text + piece, used + width(piece)
    yield text.rstrip(" ")


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
