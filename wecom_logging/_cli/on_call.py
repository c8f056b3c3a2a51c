"""``wecom-logging on-call``: who is on call, and what would happen now; a swap, which the state keeps.

The rotas are those of the environment (WECOM_DUTY), or of a logging config.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from .._answers.command import Command
from .._answers.desk import Desk
from .._answers.shared_place import SharedPlace
from .._config.on_call import persons
from .._duty.hours import instant
from .._duty.moment import Moment
from .._render.times import local_time
from .._state.shared import alone
from .._state.swaps import add_swap
from .._text import inert
from .._text.said import Reader, Said, labelled
from .._wecom.channels import AppChannel
from ..errors import StateError
from ..model import Recipients, Text
from ..model.duty import OnDuty, Rota, Swap
from .doctor.outlook import Planned, day_and_time, line_of, planned
from .doctor.recipients import members
from .doctor.targets import Target, targets
from .environment import mask
from .incidents import name_of_user
from .parser import command
from .printing import clock, print_json, print_table, refuse, say
from .texts import explained, language, said, text

HEADER = ("rota", "on_call", "until", "then", "because")
_WALL = re.compile(r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[ T])?([0-9]{1,2}):([0-9]{2})")


def add(commands: Any) -> None:
    parser = command(commands, "on-call", "on_call.help", "on_call.about")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    show = command(verbs, "show", "on_call.show", "on_call.about", json=True)
    show.add_argument("--at", metavar="TIME", help="on_call.at")
    show.set_defaults(run=_show)
    swap = command(verbs, "swap", "on_call.swap", "on_call.swap_about", json=True)
    swap.add_argument("rota", metavar="ROTA", help="on_call.rota")
    swap.add_argument("people", nargs="+", metavar="PERSON", help="incidents.whom")
    swap.add_argument("--from", dest="begins", metavar="TIME", help="on_call.begins")
    swap.add_argument("--to", dest="ends", metavar="TIME", required=True, help="on_call.ends")
    swap.add_argument("--tell", action="store_true", help="on_call.tell")
    swap.add_argument("--as", dest="who", metavar="NAME", help="main.as")
    swap.set_defaults(run=_swap)
    for one in (show, swap):
        one.add_argument("--config", metavar="FILE", help="doctor.config")
        one.add_argument("--handler", metavar="NAME", help="doctor.handler")


def _targets(options: argparse.Namespace) -> list[Target]:
    found = targets(options.config, options.handler)
    for target in found:
        for error in target.errors:
            say(labelled(target.name, language(), explained(error)))
    return found


def _show(options: argparse.Namespace) -> int:
    shown: list[tuple[Planned, list[OnDuty], Said]] = []
    sees_swaps = True
    looked_at = _targets(options)
    for target in looked_at:
        with planned(target) as one:
            if one is None:
                continue
            if options.at is not None:
                one = replace(one, moment=replace(one.moment, time=_time(options.at, one.moment)))
            shown.append((one, one.duties.on_call.shown(one.moment), line_of(one, is_now=options.at is None)))
            sees_swaps &= one.shared is alone or one.shared.is_up
    if not shown:
        if any(target.errors for target in looked_at):  # which is said
            return 3
        refuse("on_call.none", 1)
    if not sees_swaps:
        say(text("on_call.no_swaps"))
    if options.json:
        print_json({"handlers": [_as_json(*one) for one in shown]})
        return 0
    for number, (one, found, line) in enumerate(shown):
        if number:
            print()
        if len(shown) > 1:
            print(inert.line(one.name))
        if found:
            print_table(HEADER, [_for_people(each, one.moment) for each in found])
        print(inert.line(line.within(language())))
    return 0


def _for_people(one: OnDuty, moment: Moment) -> dict[str, object]:
    rota = next(rota for rota in moment.duty.rotas if rota.name == one.rota)
    return {
        "rota": one.rota,
        "on_call": one.people or text("on_call.nobody"),
        "until": "" if one.until == float("inf") else day_and_time(one.until, moment, language()),
        "then": one.then,
        "because": _because(one, rota).within(language()),
    }


def _because(one: OnDuty, rota: Rota) -> Said:
    if one.swapped_by is not None:
        return said("on_call.swapped", who=one.swapped_by) if one.swapped_by else said("on_call.swapped_so")
    if rota.who:
        return said("on_call.by_function", name=rota.who)
    return said("on_call.by_turn")


def _as_json(one: Planned, found: Sequence[OnDuty], line: Said) -> dict[str, Any]:
    rotas = [
        {
            "rota": each.rota,
            "on_call": list(each.people),
            "until": "" if each.until == float("inf") else _iso(one, each.until),
            "then": list(each.then),
            "swapped": each.swapped_by is not None,
        }
        for each in found
    ]
    return {"handler": one.name, "at": _iso(one, one.moment.time), "rotas": rotas, "said": line.en, "said_zh": line.zh}


def _iso(one: Planned, at: float) -> str:
    """As programs read it, in the zone of the rules."""
    return local_time(at, Reader("en", one.moment.zone)).isoformat(timespec="seconds")


# A swap.


def _swap(options: argparse.Namespace) -> int:
    """For all handlers that have the rota; one line says it, and whichever is an app tells people."""
    codes, names, lines, has_app = list[int](), list[str](), set[Said](), False
    looked_at = _targets(options)
    for target in looked_at:
        with planned(target, makes_state=True) as one:
            if one is None:
                continue
            names += [rota.name for rota in one.moment.duty.rotas]
            rota = next((each for each in one.moment.duty.rotas if each.name == options.rota), None)
            if rota is not None:
                has_app |= isinstance(one.channel, AppChannel)
                codes.append(_swap_in(one, rota, options, lines))
    if not codes:
        if any(target.errors for target in looked_at):
            return 3
        refuse("on_call.no_rota", 2, name=options.rota, names=", ".join(dict.fromkeys(names)) or "–")
    if options.tell and not has_app:
        refuse("on_call.only_an_app", 1)
    return max(codes)


def _swap_in(one: Planned, rota: Rota, options: argparse.Namespace, lines: set[Said]) -> int:
    begin = one.moment.time if options.begins is None else _time(options.begins, one.moment)
    end = _time(options.ends, replace(one.moment, time=begin))
    if not begin < end or end <= one.moment.time:
        refuse("on_call.not_before", 2)
    if one.shared is alone:
        refuse("on_call.needs_state", 3)
    who = name_of_user(options.who)
    people = persons("people", options.people)
    if isinstance(one.channel, AppChannel):
        for person in people:
            members(one.channel.client, person)
    before = one.duties.on_call.people(rota, replace(one.moment, time=begin)) or ()
    try:
        add_swap(one.shared, one.channel_id, Swap(rota.name, people, begin, end, who))
    except StateError as error:
        refuse("store.failed", 1, error=error)
    shown = {
        "rota": rota.name,
        "people": list(people),
        "from": _iso(one, begin),
        "to": _iso(one, end),
        "before": list(before),
    }
    line = said(
        "on_call.swap_done",
        rota=rota.name,
        people=", ".join(people),
        begin=clock(_iso(one, begin))[:16],
        end=clock(_iso(one, end))[:16],
        before=", ".join(before) or "–",
    )
    if options.json:
        print_json({**shown, "said": line.en, "said_zh": line.zh})
    elif line not in lines:
        lines.add(line)
        print(inert.line(line.within(language())))
    return _tell(one, people, before, line) if options.tell and isinstance(one.channel, AppChannel) else 0


def _tell(one: Planned, people: Sequence[str], before: Sequence[str], line: Said) -> int:
    """Those on call then get what is open, those whose turn it was a line."""
    desk = Desk(lambda: [SharedPlace(one.shared)], language=language(), mask=mask(), time_s=one.shared.time_s)
    shown = inert.line(line.within(language()))
    others = tuple(who for who in before if who not in people)
    messages = [(tuple(people), f"{shown}\n{desk.do(Command('list'), 'cli', 'cli').text}"), (others, shown)]
    for users, content in messages:
        if users:
            outcome = one.channel.deliver(Text(content), Recipients(users), lambda: None)
            if not outcome.delivered:
                return 1
    return 0


def _time(given: str, moment: Moment) -> float:
    """A time of the wall in the zone of the rotas, the next where it has no date."""
    found = _WALL.fullmatch(given.strip())
    now = local_time(moment.time, Reader("en", moment.zone)).replace(tzinfo=None)
    try:
        if found is None or not "2000" <= (found[1] or "2000")[:4] < "2100":
            raise ValueError
        day = datetime.fromisoformat(found[1]) if found[1] else now.replace(hour=0, minute=0, second=0, microsecond=0)
        wall = day.replace(hour=int(found[2]), minute=int(found[3]))
        at = instant(wall, moment.zone)
        return instant(wall + timedelta(days=1), moment.zone) if not found[1] and at <= moment.time else at
    except (ValueError, OverflowError):
        refuse("on_call.no_time", 2, given=given[:40])
