"""The command ``wecom-logging``. Exit codes: 0 done, 1 not delivered or refused, 2 usage, 3 configuration.

Secrets come from the environment, a file or standard input, never from an argument: those show in the process list.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from ..errors import ConfigurationError, MessageError, WeComError
from . import answers, completion, demo, directory, doctor, incidents, pending, run, sandbox, send
from .printing import say_error

COMMANDS = (demo, sandbox, send, run, doctor, incidents, answers, pending, directory)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _open_streams()
    if isinstance(sys.stdout, TextIOWrapper):  # a ✓ or a name may be more than the terminal's encoding has
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, TextIOWrapper):  # nor is what a program pipes into us always in the locale's
        sys.stdin.reconfigure(errors="replace")
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # argparse would repeat them with their values, which may be secrets
        names = [name.partition("=")[0] for name in unknown if name.startswith("--")]
        more = "--help after the command shows what it takes; secrets come from the environment or a file"
        parser.error(f"{' '.join(['unknown arguments', *names])}: {more}")
    try:
        return int(options.run(options))
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


def _open_streams() -> None:
    """Those that whoever started us has closed (``2>&-``), in the order in which their numbers are free."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 # until the end


def _parser() -> argparse.ArgumentParser:
    from .._runtime.version import __version__

    parser = argparse.ArgumentParser(
        prog="wecom-logging", description="Alerts from Python programs into WeCom (企业微信)"
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    completion.add(commands, parser)
    return parser
