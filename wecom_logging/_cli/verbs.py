"""The verbs of the commands about the directory: `departments list`, `members create`, `tags add` ….

What the client's checks find wrong in a verb's arguments is a mistake of usage: exit code 2.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..errors import MessageError
from .printing import say, say_error

SECRETS = (
    "It needs WECOM_CORP_ID, and WECOM_CONTACTS_SECRET (contacts sync, 通讯录同步) to change anything; "
    "reading takes that or WECOM_SECRET (an app's), each also as …_FILE."
)


def command(commands: Any, name: str, help: str) -> Any:
    """A command whose first argument is a verb; gives what `verb` takes."""
    parser = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}. {SECRETS}")
    return parser.add_subparsers(metavar="VERB", required=True)


def verb(verbs: Any, name: str, run: Callable[..., int], help: str, *, json: bool = False) -> argparse.ArgumentParser:
    """One verb; ``json`` gives it that option."""

    def checked(options: argparse.Namespace, **more: Any) -> int:
        try:
            return run(options, **more)
        except MessageError as error:
            say_error(error)
            return 2
        except BrokenPipeError:
            raise
        except OSError as error:  # of a file or of standard output: those of the network are the client's errors
            say(f"it cannot be written ({error.strerror or error})")
            return 1

    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    parser.set_defaults(run=checked, json=False)
    if json:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser
