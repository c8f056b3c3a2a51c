"""``wecom-logging incidents``: what is open now, in all processes that share the state, and who has it; and what a
person does with one: show it, take it, give it to another, silence it, close it, and undo that.

No program of the state has to run: the process that sends the incident next sends the line about it.
"""

from __future__ import annotations

import argparse
import getpass
import logging
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from .._answers.command import Command, seconds
from .._answers.desk import LOOKED_AT, Desk, Person
from .._answers.maintenance import maintained, standing
from .._answers.reply import Reply, held_by, people, place_in_list
from .._answers.shared_place import SharedPlace
from .._incidents.known import Known, view
from .._incidents.short_id import read_short_id
from .._masking.redact import redact
from .._render.facts import MAX_NAME_BYTES, level_word
from .._render.retold import headline_of
from .._render.times import local_time
from .._render.trace import place
from .._state.shared import Shared
from .._text import inert
from .._text.cut import trim
from .._text.said import Language
from ..model import Alert, Frame
from ..model.duty import Scope
from .environment import MOST, limit_option, mask, use
from .parser import command
from .printing import Refusal, brief, clock, iso, print_json, print_table, print_value, refuse, say
from .texts import language, said, text

HEADER = ("id", "level", "count", "since", "last", "messages", "who", "service", "where", "text")

Found = Sequence[tuple[str, Known]]
"""Incidents, each with its channel."""


def add(commands: Any) -> None:
    parser = command(commands, "incidents", "incidents.help", "incidents.about", json=True)
    limit_option(parser)
    parser.set_defaults(run=run)
    verbs = parser.add_subparsers(metavar="[VERB]")
    for name in ("show", "take", "give", "quiet", "done", "undo"):
        one = command(verbs, name, f"incidents.{name}", json=True)
        has_scope = name in ("quiet", "undo")
        one.add_argument("id", metavar="ID", nargs="?" if has_scope else None, help="incidents.id")
        if name == "quiet":
            one.add_argument("length", nargs="*", metavar="LENGTH", help="incidents.length")
            one.add_argument("--why", default="", metavar="TEXT", help="incidents.why")
            one.add_argument("--critical", action="store_true", help="incidents.critical")
        if has_scope:
            one.add_argument("--scope", default="", metavar="NAME", help="incidents.scope")
        if name == "give":
            one.add_argument("whom", nargs="+", metavar="NAME", help="incidents.whom")
        if name != "show":
            one.add_argument("--as", dest="who", metavar="NAME", help="main.as")
        one.set_defaults(run=lambda given, name=name: _run(given, name))


def run(options: argparse.Namespace) -> int:
    def run(shared: Shared) -> int:
        found, now = _found(shared, options.limit + 1, each=options.json), shared.time_s()
        return _print(found, options, now, [] if options.json else standing([SharedPlace(shared)], now))

    return use(run, lambda: _print([], options, 0.0, []))


def _found(shared: Shared, most: int, *, each: bool) -> list[tuple[str, Known]]:
    """With their channels, in the order of the list in a chat; what two channels tell is one, if not ``each``."""
    found = SharedPlace(shared).open(max(most, LOOKED_AT))
    if not each:
        found.sort(key=lambda one: one[1].total)
        found = list({one[1].short_id: one for one in found}.values())
    now = shared.time_s()
    found.sort(key=lambda one: place_in_list(one[1], now))
    return [(channel, _readable(incident)) for channel, incident in found[:most]]


def _print(found: Found, options: argparse.Namespace, now: float, scopes: Iterable[Scope]) -> int:
    hide = mask()
    found, more = found[: options.limit], len(found) > options.limit
    lines = [_shown(channel, incident, hide, now, "en" if options.json else language()) for channel, incident in found]
    if options.json:
        print_json({"incidents": lines})
        return 0
    for scope in scopes:
        print(hide(maintained(scope, now, language())))
    if lines:
        rows = [
            _for_people(one, incident, hide) | {"id": f"#{one['id']}", "who": held_by(incident, now, language())}
            for one, (_, incident) in zip(lines, found, strict=True)
        ]
        print_table([name for name in HEADER if name != "service" or any(row[name] for row in rows)], rows)
    else:
        print(text("incidents.none"))
    if more:
        print(text("incidents.more", count=len(lines), most=MOST))
    return 0


def _show(found: Found, options: argparse.Namespace, now: float) -> int:
    """All that is known of one, of which these are the channels, with what people did."""
    hide = mask()
    if options.json:
        print_json({"incidents": [_shown(*one, hide, now) | {"journal": _journal(one[1])} for one in found]})
        return 0
    incident = found[0][1]
    channels = ", ".join(dict.fromkeys(channel for channel, _ in found))
    print_value(_for_people(_shown(channels, incident, hide, now, language()), incident, hide))
    print("", *map(inert.line, people(incident, now, language())), sep="\n")
    return 0


def _shown(
    channel: str, incident: Known, mask: Callable[[str], str], now: float, language: Language = "en"
) -> dict[str, Any]:
    """One incident: ``told`` of ``count`` are in ``messages``. ``channel`` names an app or a bot, without a secret.

    ``taken_by``, ``silenced_by``: who has it; ``silent_until``: until when; each may be "". In English for a program,
    whatever the language of the environment is.
    """
    seen = view(incident, now)
    service, at = incident.alert.service, place(seen.place, language)
    texts = (level_word(seen.level_name, language), service, seen.logger, seen.text, at)
    level, service, logger, first, where = (brief(one, mask) for one in texts)
    return {
        "id": seen.short_id,
        "level": level,
        "service": service,
        "logger": logger,
        "count": seen.count,
        "told": seen.told,
        "messages": seen.messages,
        "since": iso(seen.since),
        "last": iso(seen.last),
        "where": where,
        "hosts": seen.hosts,
        "processes": seen.processes,
        "text": first,
        "channel": channel,
        "taken_by": inert.line(seen.taken_by),
        "silenced_by": inert.line(seen.silenced_by),
        "silent_until": iso(seen.silent_until) if seen.silent_until else "",
    }


def _for_people(one: dict[str, Any], incident: Known, mask: Callable[[str], str]) -> dict[str, Any]:
    """With what its message says in the first line, in the language of who reads it."""
    line = brief(headline_of(incident.alert, mask, language()), mask)
    return one | {"text": line} | {name: clock(one[name]) for name in ("since", "last", "silent_until")}


def _readable(incident: Known) -> Known:
    """With another alert in the place of one that cannot be read."""
    try:
        alert = incident.alert
    except ValueError:
        alert = _unreadable(incident.level)
    return replace(incident, make=lambda: alert)


def _unreadable(level: int) -> Alert:
    """In the place of an alert that cannot be read."""
    return Alert(
        id="",
        level=level,
        level_name=logging.getLevelName(level),
        logger="?",
        message=text("usage.unreadable"),
        template="",
        time=0.0,
        host="",
        process=None,
        process_name="",
        thread_name="",
        place=Frame("", 0, ""),
        module="",
    )


def _run(options: argparse.Namespace, name: str) -> int:
    command = _command(options, name)
    wanted, who = command.short_id, "" if name == "show" else name_of_user(options.who)

    def run(shared: Shared) -> int:
        places, undo = [SharedPlace(shared)], said("incidents.undo_it")
        desk = Desk(lambda: places, language=language(), mask=mask(), time_s=shared.time_s, undo=undo)
        if name == "show":
            if not (found := desk.find(wanted)):
                _refuse(desk.unknown(wanted))
            return _show([(channel, _readable(incident)) for _, channel, incident in found], options, shared.time_s())
        where, whom = f"cli {socket.gethostname()}", Person("")
        if name == "give":
            words = options.whom[1:] if options.whom[0] == "to" and len(options.whom) > 1 else options.whom
            whom, others = _whom(" ".join(words), desk, shared, wanted)
            if not whom.name:
                _refuse(desk.no_recipient(" ".join(words), others))
        reply = desk.carry_out(replace(command, whom=whom.name, whom_id=whom.user), who, where)
        if reply.why:
            _refuse(reply)
        if options.json and not command.scope:
            return _show([(channel, _readable(one)) for channel, one in reply.done], options, shared.time_s())
        print_json({"said": reply.said.en, "said_zh": reply.said.zh}) if options.json else print(reply.text)
        return 0

    return use(run, None if command.scope else lambda: _refuse(Desk(list).unknown(wanted)))


def _command(options: argparse.Namespace, name: str) -> Command:
    scope = getattr(options, "scope", "")
    words = [*([options.id] if scope and options.id else []), *getattr(options, "length", ())]
    if not (scope or options.id):
        refuse("incidents.no_id", 2)
    if name == "quiet" and not words:
        refuse("incidents.how_long", 2, what="--scope NAME" if scope else "ID")
    length_s = _length(" ".join(words)) if name == "quiet" else 0.0
    if not scope:
        return Command(name, read_short_id(options.id), length_s)
    if name == "quiet":
        return Command(name, length_s=length_s, scope=scope, reason=redact(options.why), critical=options.critical)
    return Command(name, scope=scope)


def _whom(said: str, desk: Desk, shared: Shared, short_id: str) -> tuple[Person, Iterable[Person]]:
    """Who is to have it, without a name if that person does not get it, and who does. Who is in a group or a
    department is not known."""
    from .._build_aibot import people_of  # nothing else needs it

    people = people_of(shared, lambda cause, line: say(line))
    others = desk.recipients(short_id, called=str if people is None else people.name)
    return (others.get(said.lower(), Person("")) if others else Person(said)), others.values()


def _refuse(reply: Reply) -> NoReturn:
    raise Refusal(reply.said.within(language()), 2 if reply.why == "limit" else 1)


def _journal(incident: Known) -> Sequence[dict[str, Any]]:
    """What people did with it, the oldest first."""
    return [
        {
            "verb": one.verb,
            "who": one.who,
            "by": one.by,
            "where": one.where,
            "at": iso(one.at),
            "until": iso(one.until) if one.until else "",
            "count": one.count,
        }
        for one in incident.answers
    ]


def _length(said: str) -> float:
    found = seconds(said, local_time(time.time(), language()))
    if found is None:
        refuse("incidents.no_length", 2, said=said[:40])
    return found


def name_of_user(given: str | None) -> str:
    name = given
    if name is None:
        try:
            name = getpass.getuser()
        except (KeyError, OSError, ImportError):  # a container's user has none
            name = ""
    name = trim(inert.line(name).strip(), MAX_NAME_BYTES)
    if not name:
        refuse("incidents.no_name", 2)
    return name
