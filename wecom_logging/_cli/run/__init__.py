"""``wecom-logging run -- COMMAND …``: runs a command unchanged, and sends an alert when it failed.

The command has our standard input, and its output goes through at once and unchanged; only the end of it is remembered.
Nothing of ours may cost the command anything: a wrong configuration is said and the command runs all the same.
"""

from __future__ import annotations

import argparse
from typing import Any

from ..printing import say
from .alert import handlers, tell
from .process import ended, open_standard_streams


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="run a command (a cron job, a training run); if it fails, send an alert with the end of its output",
        description="Runs COMMAND and passes its output and exit code through. If it fails, sends an alert to the "
        "recipients that the WECOM_… variables configure: those of the app, the bot's group, or both. If WeCom is down "
        "and WECOM_STATE is set, the alert is stored there, and the next process that opens the state sends it.",
        usage="wecom-logging run [-h] [--service NAME] -- COMMAND …",
        allow_abbrev=False,
    )
    parser.add_argument("--service", metavar="NAME", help="said before the command's name in the first line")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="with its arguments")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        say("nothing to run: wecom-logging run -- COMMAND …")
        return 2
    open_standard_streams()
    told = handlers(options.service)
    end = ended(command)
    try:
        output = end.output()
        if end.failure:
            tell(told, command, end, output)
    except KeyboardInterrupt:  # the user does not want to wait; the command has ended already
        pass
    return end.status
