"""What ``wecom-logging incidents`` does with one: show it, take it, silence it, close it, and undo that.

No program of the state has to run: the process that sends the incident next sends the line about it.
"""

from __future__ import annotations

import argparse
import getpass
import socket
from collections.abc import Callable, Sequence
from typing import Any

from .._answers.command import Command
from .._answers.desk import Desk
from .._answers.length import length
from .._answers.places import SharedPlace
from .._answers.reply import Reply, did
from .._incidents.incident import Incident
from .._incidents.short_id import read_short_id
from .._masking.redact import masker
from .._render.answers import MAX_NAME_BYTES
from .._render.times import local_time
from .._state.shared import Shared
from .._text import inert
from .._text.cut import trim
from ..errors import MessageError
from .environment import secrets
from .printing import say
from .shared_state import use

Found = Sequence[tuple[str, Incident]]
"""Incidents, each with its channel."""
Print = Callable[[Found, argparse.Namespace], int]


def add(verbs: Any, options: Callable[[argparse.ArgumentParser], None], show: Print) -> None:
    """The verbs about one incident, each with ``options``; ``show`` prints incidents as they are now."""
    for name, help in (
        ("show", "all that is known of one, with what people did / 详情"),
        ("take", "take (acknowledge) it: repeats are counted, and sent again after take_for / 认领"),
        ("quiet", "silence (snooze) it: repeats are counted, and sent as one digest when the time is over / 静默"),
        ("done", "close it; if it comes again it is new / 完成"),
        ("undo", "as it was before: take back what is in force / 撤销"),
    ):
        parser = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        options(parser)
        parser.add_argument("id", metavar="ID", help="the id that each message and `incidents` show, such as k7f2")
        if name == "quiet":
            parser.add_argument("length", nargs="+", metavar="LENGTH", help="such as 30m or 2h")
        if name != "show":
            parser.add_argument("--as", dest="who", metavar="NAME", help="who does it (the user of this machine)")
        parser.set_defaults(run=lambda given, name=name: _run(given, name, show))


def _run(options: argparse.Namespace, name: str, show: Print) -> int:
    try:
        wanted = read_short_id(options.id)
        length_s = length(" ".join(options.length)) if name == "quiet" else 0.0
        who = "" if name == "show" else _name(options.who)
    except MessageError as error:
        say(str(error))
        return 2

    def run(shared: Shared) -> int:
        desk = Desk(lambda: [SharedPlace(shared)], mask=masker(secrets({}), None), time_s=shared.time_s)
        if name == "show":
            found = desk.find(wanted)
            return show([one[1:] for one in found], options) if found else _say(desk.unknown(wanted))
        where = f"cli {socket.gethostname()}"
        reply = desk.carry_out(Command(name, wanted, length_s), who, where)
        if reply.why:
            return _say(reply)
        if options.json:
            return show(reply.done, options)
        for _, incident in reply.done:
            print(inert.line(did(incident, "en")))
        return 0

    return use(options.state, run, lambda: _say(Desk(list).unknown(wanted)))


def _say(reply: Reply) -> int:
    """Why nothing was done, in both languages; gives the exit code."""
    say(f"{reply.said.en} / {reply.said.zh}")
    return 2 if reply.why == "limit" else 1


def journal(incident: Incident) -> Sequence[dict[str, Any]]:
    """What people did with it, the oldest first."""
    return [
        {
            "verb": one.verb,
            "who": one.who,
            "where": one.where,
            "at": _iso(one.at),
            "until": _iso(one.until) if one.until else "",
            "count": one.count,
        }
        for one in incident.answers.journal
    ]


def _name(given: str | None) -> str:
    """Who does it. Raises `MessageError` where nobody is named."""
    name = given
    if name is None:
        try:
            name = getpass.getuser()
        except (KeyError, OSError, ImportError):  # a container's user has none
            name = ""
    name = trim(inert.line(name).strip(), MAX_NAME_BYTES)
    if not name:
        raise MessageError("say who does it: --as NAME / 请用 --as 写明姓名")
    return name


def _iso(at: float) -> str:
    return local_time(at).isoformat(timespec="seconds")
