"""``wecom-logging completion``: a script with which bash, zsh or fish completes this command on TAB.

`shtab` (extra ``cli``) makes the script from the parser. A shell reads it once, so that TAB starts no Python; with
`argcomplete`, which serves the same shells, each TAB would start this command and wait for its imports.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Any

from .._runtime.installation import with_extra
from ..errors import MissingDependencyError

SHELLS = ("bash", "zsh", "fish")
FILE = "FILE"
"""The metavar of arguments that are files."""
FISH_FILE = "(__fish_complete_path (commandline -ct | string replace -r -- '^--[^=]*=' ''))"
"""That of `shtab` looks for a file whose name begins with ``--config=``, where the option is written so."""

COMMAND: dict[str, str | dict[str, str]] = {
    "bash": "_wecom_logging_command_or_file",
    "zsh": "{_command_names -e; _files}",
    "fish": "(__fish_complete_subcommand --fcs-skip=2 --service)",
    "preamble": {"bash": '_wecom_logging_command_or_file() {\n  compgen -A command -A file -- "$1"\n}'},
}
"""How each shell completes a command with its arguments, those of `run`."""


def add(commands: Any, parser: argparse.ArgumentParser) -> None:
    """``parser`` is the one whose commands are completed."""
    completion = commands.add_parser(
        "completion",
        help="print a script that completes this command in bash, zsh or fish",
        description="Prints a script for a shell, which then completes commands, options and files on TAB. "
        "The first lines of the script say where to put it.",
    )
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(run=partial(run, parser))


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        import shtab
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "completion", "needs_package", package="shtab", install=with_extra("cli")
        ) from None
    for one in _parsers(parser):
        one.description = None  # of a command, beside its name: the one line of its help is enough
        for action in one._actions:
            if action.metavar == FILE:
                action.complete = {**shtab.FILE, "fish": FISH_FILE}  # type: ignore[attr-defined] # what shtab looks for
            elif action.nargs == argparse.REMAINDER:
                action.complete = COMMAND  # type: ignore[attr-defined] # shtab asks for it
    print(shtab.complete(parser, options.shell))
    return 0


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of its commands and verbs."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from _parsers(one)
