"""What the commands about the directory have in common: their verbs, and how they print what they found."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import MessageError
from ..model import Change
from ..render import inert
from .say import say_error
from .table import aligned

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SECRETS = (
    "It needs WECOM_CORP_ID, and WECOM_CONTACTS_SECRET (contacts sync, 通讯录同步) to change anything; "
    "reading takes that or WECOM_SECRET (an app's), each also as …_FILE."
)


def command(commands: Any, name: str, help: str) -> Any:
    """A command whose first argument is a verb; gives what `verb` takes."""
    parser = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}. {SECRETS}")
    return parser.add_subparsers(metavar="VERB", required=True)


def verb(verbs: Any, name: str, run: Callable[..., int], help: str, *, json: bool = False) -> argparse.ArgumentParser:
    """One verb. What the client's checks find wrong in its arguments is a mistake of usage: exit code 2."""

    def checked(options: argparse.Namespace, **more: Any) -> int:
        try:
            return run(options, **more)
        except MessageError as error:
            say_error(error)
            return 2
        except BrokenPipeError:
            raise
        except OSError as error:  # of a file or of standard output: those of the network are the client's errors
            print(f"wecom-logging: it cannot be written ({error.strerror or error})", file=sys.stderr)
            return 1

    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    parser.set_defaults(run=checked, json=False)
    if json:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def print_json(value: DataclassInstance | dict[str, Any]) -> None:
    """One value as a line of JSON; plain ASCII, so that no name in it can act on a terminal."""
    print(json.dumps(value if isinstance(value, dict) else asdict(value)))


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows below their header."""
    for line in aligned([header, *([cell(value) for value in row] for row in rows)]):
        print(line)


def print_fields(value: DataclassInstance) -> None:
    """One value, a field a line; those that are empty are left out."""
    shown = {name: cell(found) for name, found in asdict(value).items()}
    for line in aligned([(name, found) for name, found in shown.items() if found]):
        print(line)


def cell(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def print_change(change: Change, done: str, *, as_json: bool) -> int:
    """How a call about many ended; gives the exit code."""
    if as_json:
        print_json(change)
    elif change.complete:
        print(done)
    else:
        print(f"{done}; not for:")
        refused = (("users", change.invalid_users), ("departments", change.invalid_departments))
        for name, ids in (*refused, ("tags", change.invalid_tags)):
            if ids:
                print(inert.line(f"  {name} {cell(ids)}"))
        print("wecom-logging: these do not exist, or may not be touched", file=sys.stderr)
    return 0 if change.complete else 1
