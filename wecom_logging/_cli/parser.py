"""The parser of the command line. What it says of a command or an option is a row of `help.toml`, in the language of
who reads it; the table is read when help is asked for, or an argument is wrong.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

from .._render.words import retold
from .._tables import table
from .._text.said import Phrase
from .printing import wrapped
from .texts import language

_USAGE = "usage:"
"""As wide as it is in Chinese, by which its other lines are indented."""
_ROW = re.compile(r"([a-z_]+)\.([a-z_]+)")
_GIVEN = re.compile(
    r"(?s)(: invalid (?:choice|\w+ value)|: ignored explicit argument):? .*?(?=(?: \(choose from [^()]*\))?\Z)"
)
"""What `argparse` repeats of the command line: that may be a secret behind an option that there is not."""


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return table(__package__, "help")


def told(row: str) -> str:
    """A row, ``section.row``, or what `argparse` says by itself, in the reader's language."""
    if (found := _ROW.fullmatch(row)) is not None:
        en, zh = _table()[found[1]][found[2]]
        return str(zh if language() == "zh" else en)
    if language() == "zh":
        for one in _table()["argparse"].values():
            if (said := retold(row, Phrase(*one))) != row:
                return said
    return row


def sentence(text: str) -> str:
    """What is no sentence yet, as one."""
    if text[-1] in ".。）)":
        return text
    return f"{text}。" if language() == "zh" else f"{text[0].upper()}{text[1:]}."


class Formatter(argparse.HelpFormatter):
    """Help in the reader's language. A Chinese character takes two columns."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return told(action.help or "")

    def add_text(self, text: str | None) -> None:
        said = [sentence(told(row)) if _ROW.fullmatch(row) else row for row in (text or "").split()]
        super().add_text(text and ("" if language() == "zh" else " ").join(said))

    def start_section(self, heading: str | None) -> None:
        super().start_section(heading and told(heading))

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        own = _USAGE if language() == "zh" else f"{_USAGE} "
        super().add_usage(usage, actions, groups, own if prefix is None else prefix)

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        for one in self._iter_indented_subactions(action):  # before Python 3.13 without what they are indented by
            length = len(self._format_action_invocation(one)) + self._current_indent
            self._action_max_length = max(self._action_max_length, length)

    def format_help(self) -> str:
        text = super().format_help()
        if language() != "zh":
            return text
        return re.sub("(?m)(?<=[一-鿿]):$", "：", re.sub(rf"\A{_USAGE}", told("argparse.usage"), text))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [line.strip() for line in wrapped(" ".join(text.split()), width)]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}" for line in self._split_lines(text, width))


def command(
    commands: Any, name: str, row: str, about: str = "", *, json: bool = False, **options: Any
) -> argparse.ArgumentParser:
    """One command, or a verb of one, with its ``row`` of help, and what it is ``about`` if that is more.

    ``json``: whether it prints for programs, too.
    """
    made: argparse.ArgumentParser = commands.add_parser(name, help=row, description=about or row, **options)
    made.set_defaults(parser=made, has_json=json)
    return made


class Parser(argparse.ArgumentParser):
    """That of the command, and of each below it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Formatter, **options})

    def error(self, message: str) -> NoReturn:
        message = _GIVEN.sub(r"\1", message)
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {'错误：' if language() == 'zh' else 'error: '}{told(message)}\n")
