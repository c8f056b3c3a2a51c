"""The command ``wecom-logging``. Exit codes: 0 done, 1 not delivered or refused, 2 usage, 3 configuration.

Secrets come from the environment, a file or standard input, never from an argument: those show in the process list.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from io import TextIOWrapper
from itertools import takewhile

from ..errors import ConfigurationError, MessageError, WeComError
from .parser import Parser
from .printing import Refusal, names_a_password, refuse, say, say_error
from .texts import text

COMMANDS = {
    **dict.fromkeys(("demo", "sandbox"), "sandbox"),
    **dict.fromkeys(("send", "call"), "send"),
    **{name: name for name in ("run", "doctor", "incidents")},
    "on-call": "on_call",
    **dict.fromkeys(("jobs", "watch"), "jobs"),
    **{name: name for name in ("answers", "pending")},
    **dict.fromkeys(("departments", "members", "tags"), "directory"),
}
"""Each with its module, in the order of the help."""

_BEFORE = {"--state": "--state URL", "--json": "--json"}
"""Options of all commands, as a usage shows them."""


def main(arguments: Sequence[str] | None = None) -> int:
    # Those that the process which started us has closed (``2>&-``), in the order in which their numbers are free.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 # until the end
    if isinstance(sys.stdout, TextIOWrapper):  # a ✓ or a name may be more than the terminal's encoding has
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, TextIOWrapper):  # nor is what a program pipes into us always in the locale's
        sys.stdin.reconfigure(errors="replace")
    given = sys.argv[1:] if arguments is None else arguments
    before, named = _until_command(given)
    parser = _parser(named)
    if named != "run":  # what stands behind that may be another command's
        _refuse_late(parser, named, takewhile(lambda word: word != "--", given[before + 1 :]))
    options, unknown = parser.parse_known_args(given)
    words = getattr(options, "length", None)
    if isinstance(words, list) and not any(one.startswith("-") for one in unknown):
        words += unknown  # argparse takes none that stands behind an option
        unknown = []
    _refuse_late(parser, named, unknown)
    if unknown:  # argparse would repeat them with their values, which may be secrets
        names = [name.partition("=")[0] for name in unknown if name.startswith("--")]
        options.parser.error(text("usage.unknown", names=" ".join(names)).replace(" :", ":").replace(" ：", "："))
    if options.json and not options.has_json:
        options.parser.error(text("usage.no_json", command=options.parser.prog))
    try:
        if options.state is not None:
            if names_a_password(options.state):
                refuse("store.password", 2)
            os.environ["WECOM_STATE"] = options.state
        return int(options.run(options))
    except Refusal as no:
        say(str(no))
        return no.code
    except ConfigurationError as error:
        say_error(error)
        return 3
    except (WeComError, MessageError) as error:
        say_error(error)
        return 1
    except BrokenPipeError:  # whoever read our output has gone
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:  # as a shell says it: 128 + SIGINT
        return 130


def _until_command(given: Sequence[str]) -> tuple[int, str]:
    """How many words stand before the command, and its name."""
    words = enumerate(given)
    for place, word in words:
        if word == "--state":
            next(words, None)
        elif not word.startswith("-"):
            return place, word
    return len(given), ""


def _refuse_late(parser: argparse.ArgumentParser, name: str, behind: Iterable[str]) -> None:
    """Refuse what goes before the command and stands behind it."""
    for word in behind:
        if option := _BEFORE.get(word.partition("=")[0]):
            parser.error(text("usage.before", option=option, command=name))


def _parser(given: str = "") -> argparse.ArgumentParser:
    """That of all commands; of the one that is ``given`` alone, so that no other is loaded."""
    from .._runtime.version import __version__

    parser = Parser(prog="wecom-logging", description="main.about")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--state", metavar="URL", help="main.state")
    parser.add_argument("--json", action="store_true", help="main.json")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in [COMMANDS[given]] if given in COMMANDS else dict.fromkeys(COMMANDS.values()):
        import_module(f"{__name__}.{name}").add(commands)
    return parser
