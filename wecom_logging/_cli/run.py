"""``wecom-logging run -- COMMAND …``: runs a command unchanged, and sends an alert when it failed.

The command has our standard input, and its output goes through at once and unchanged; only the end of it is remembered.
Nothing of ours may cost the command anything: a wrong configuration is said and the command runs all the same.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import re
import shlex
from collections.abc import Sequence
from typing import Any

from .._masking.redact import MASK, redact
from .._render.words import HOURS_AND_MINUTES, MINUTES_AND_SECONDS, NONE, SHORT_SECONDS
from ..handlers import AlertHandler
from ..telling import in_our_words
from .environment import handlers, mask
from .printing import say
from .process import BY_SIGNAL, End, ended, open_standard_streams

_NAME = re.compile(r"-{0,2}[\w.-]+")
_INTERPRETER = re.compile(r"(python|pypy|node|perl|ruby|Rscript|julia|(ba|da|z|k)?sh)[\d.]*(\.exe)?")
_MOST_WORDS = 200


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
            _tell(told, command, end, output)
    except KeyboardInterrupt:  # the user does not want to wait; the command has ended already
        pass
    return end.status


def _tell(handlers: Sequence[AlertHandler], command: Sequence[str], end: End, output: str) -> None:
    """One record into each handler. It is sent while the interpreter exits, within ``exit_timeout``."""
    name = _name(command)
    if not handlers:
        say(f"{name}: {end.failure} (nobody is told)")
    # A place in this file would say nothing, so the record has none; the command is what logs.
    record = logging.LogRecord(name, logging.ERROR, "", 0, end.failure, None, None)
    hide = mask()  # a handler knows its own secrets, the command has those of both
    shown = hide(output)
    if shown and end.status < BY_SIGNAL:  # it gave up by itself: the last that it said may be why
        record.msg = f"{end.failure}: {_shortened(shown.rpartition(chr(10))[2].strip())}"
    fields = {"command": hide(_line(command))}
    if end.pid is not None:
        record.process = end.pid
        fields = {"took": duration(end.seconds), **fields, **({} if output else {"output": NONE.en})}
    record.wecom = {"fields": fields}
    in_our_words(record, end.said, fields)
    # As a stack, of which the last lines stay where not all fit, and which is masked before anything is cut.
    record.stack_info = shown or None
    for handler in handlers:
        handler.handle(record)


def _name(command: Sequence[str]) -> str:
    """What is run: the command, or the script or module that an interpreter runs."""
    name = os.path.basename(command[0].rstrip("/")) or command[0] or "(no name)"
    if not _INTERPRETER.fullmatch(name):
        return name
    for option, word in itertools.pairwise(command):
        if option == "-c":
            return name
        if option == "-m":
            return word
        if not word.startswith("-") and os.path.isfile(word):
            return os.path.basename(word)
    return name


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_WORDS else f"{text[: _MOST_WORDS - 1]}…"


def _line(command: Sequence[str]) -> str:
    """The command as a shell would take it. The handler masks it, too, but cannot see any more what is one argument."""
    shown: list[str] = []
    for before, word in zip(["", *command], command, strict=False):
        hidden = before.startswith("-") and MASK in redact(repr([before, "x"]))
        shown.append(MASK if hidden and not word.startswith("-") else _word(word))
    return " ".join(shown)


def _word(word: str) -> str:
    """One argument, masked and then quoted: of ``--password=it's long`` and ``TOKEN=it's long`` all is the value."""
    name, sign, _ = word.partition("=")
    if sign and _NAME.fullmatch(name) and redact(f"{name}=x") == f"{name}={MASK}":
        return f"{name}={MASK}"
    return shlex.quote(redact(word))


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 5 s``, ``26 h 4 min``"""
    if seconds < 10:
        return SHORT_SECONDS.en.format(f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return HOURS_AND_MINUTES.en.format(hours, minutes)
    return MINUTES_AND_SECONDS.en.format(minutes, rest) if minutes else SHORT_SECONDS.en.format(rest)
