"""``wecom-logging pending``: what waits in the state or was given up: list it, send it again, discard it.

Like every process that opens the state it takes over what dead ones have left.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any

from .._incidents import life
from .._incidents.known import first_line
from .._incidents.short_id import LEAST, read_short_id
from .._incidents.short_id import MOST as LONGEST
from .._render.facts import level_name, level_word
from .._render.retold import headline_of
from .._render.words import REASONS
from .._state.base import DeadLetter, SharedCounters, Swap
from .._state.entries import load
from .._state.shared import Shared
from .._text import inert
from .._text.cut import trim
from .._text.said import Language, labelled
from ..model import Alert, DeliveryReport
from .environment import MOST, handlers, limit_option, mask, use
from .parser import command
from .printing import agree, brief, clock, iso, print_json, print_table, refuse, say
from .texts import explained, language, text

LEAST_KEY = 8
HEADER = ("id", "last", "level", "logger", "count", "what", "text")
_MAX_NAME = 60
FLUSH_S = 15.0
_MOST_REASONS = 20

Verb = Callable[[argparse.Namespace, Shared], int]


def add(commands: Any) -> None:
    parser = command(commands, "pending", "pending.help", "pending.about", json=True)
    limit_option(parser)
    parser.set_defaults(run=run)
    verbs = parser.add_subparsers(metavar="[VERB]")
    _verb(verbs, "send", run_send).add_argument("--now", action="store_true", help="pending.now")
    _verb(verbs, "discard", run_discard).add_argument("--yes", action="store_true", help="main.yes")


def _verb(verbs: Any, name: str, verb: Verb) -> argparse.ArgumentParser:
    parser = command(verbs, name, f"pending.{name}")
    parser.set_defaults(run=lambda options: _run(options, verb))
    parser.add_argument("key", nargs="*", metavar="ID", help="pending.id")
    parser.add_argument("--all", action="store_true", help="pending.all")
    return parser


def _run(options: argparse.Namespace, verb: Verb) -> int:
    if bool(options.key) == options.all:
        refuse("pending.which", 2)
    return use(lambda shared: verb(options, shared), lambda: 0)


def run(options: argparse.Namespace) -> int:
    def listed(shared: Shared) -> int:
        held = shared.call(lambda state: state.held(options.limit + 1))
        return _print_list(held, shared.call(lambda state: state.counters()), shared.set_aside(), options)

    return use(listed, lambda: _print_list([], SharedCounters(0, 0, 0, 0, 0), [], options))


def _print_list(
    held: list[DeadLetter], counters: SharedCounters, set_aside: list[str], options: argparse.Namespace
) -> int:
    hide = mask()
    alerts = [_read(one.entry) for one in held[: options.limit]]
    said: Language = "en" if options.json else language()
    found = [_shown(one, alert, hide, said) for one, alert in zip(held, alerts, strict=False)]
    if options.json:
        print_json({"alerts": found, "counters": asdict(counters), "set_aside": set_aside})
        return 0
    if found:
        print_table(HEADER, [_for_people(one, alert, hide) for one, alert in zip(found, alerts, strict=True)])
    else:
        print(text("pending.none"))
    if len(held) > len(found):
        print(text("usage.more", count=len(found), most=MOST))
    for file in set_aside:
        print(text("pending.set_aside", file=inert.line(file)))
    print(text("pending.counters", **asdict(counters)))
    return 0


def _read(entry: str) -> Alert | None:
    try:
        return load(entry)
    except ValueError:  # shown as an entry that cannot be read
        return None


def _shown(held: DeadLetter, alert: Alert | None, mask: Callable[[str], str], language: Language) -> dict[str, Any]:
    """One incident. ``state`` is waiting, sending or given_up; ``reason`` says why it was given up."""
    level, logger, first = level_word(logging.getLevelName(held.level), language), "?", text("usage.unreadable")
    if alert is not None:
        level, logger, first = level_name(alert, language), alert.logger, first_line(alert)
    return {
        "id": held.short_id if 0 < len(held.short_id) <= LONGEST else held.key[:LEAST_KEY],
        "key": held.key,
        "state": "given_up" if held.why else "sending" if held.claimed else "waiting",
        "reason": held.why,
        "last": iso(held.last),
        "level": level,
        "logger": brief(logger, mask, _MAX_NAME),
        "count": held.count,
        "text": brief(first, mask),
        "channel": held.channel,
    }


def _for_people(one: dict[str, Any], alert: Alert | None, mask: Callable[[str], str]) -> dict[str, Any]:
    """With what its message says in the first line, in the language of who reads it."""
    line = one["text"] if alert is None else brief(headline_of(alert, mask, language()), mask)
    row = {"waiting": "waits", "sending": "being_sent"}.get(one["state"], "was_given_up")
    reason = REASONS.get(one["reason"], one["reason"]) if language() == "zh" else one["reason"]
    what = trim(text(f"pending.{row}", reason=reason), _MAX_NAME)
    return one | {"id": f"#{one['id']}", "last": clock(one["last"]), "what": what, "text": line}


def run_send(options: argparse.Namespace, shared: Shared) -> int:
    keys = _chosen(options, shared)
    given_up = {one.key for one in shared.call(lambda state: state.held(MOST)) if one.why}
    number = shared.call(lambda state: state.requeue(keys, time.monotonic()))
    _hasten(keys or given_up, shared)
    after = shared.call(lambda state: state.counters())
    if number or not options.now:
        print(text("pending.again", incidents=_incidents(number)))
    if options.now:
        return _send_from_here(options, shared)
    if after.waiting:
        say(text("pending.waiting", alerts=_alerts(after.waiting)))
    return 0


def _hasten(keys: set[str], shared: Shared) -> None:
    """Who asks for it wants it now, also where a message has told, or was to tell, the incident a moment ago."""
    for channel in shared.call(lambda state: state.channels()) if keys else ():
        found = shared.call(lambda state: state.open(channel, len(keys), keys))  # noqa: B023 # called at once
        swaps = [Swap(one, life.hastened(one)) for one in found if one.untold and not one.owner]
        shared.call(lambda state: state.swap(channel, swaps, time.monotonic()))  # noqa: B023 # as above


def _send_from_here(options: argparse.Namespace, shared: Shared) -> int:
    """All that is due for the channels that the environment configures."""
    before = shared.call(lambda state: state.counters())
    failed: dict[str, str] = {}
    made = handlers(None, on_outcome=lambda report: failed.update(_failed(report)))
    if not made:
        return 3
    ends, after, waiting = time.monotonic() + FLUSH_S, before, before.waiting + 1
    while after.waiting < waiting and time.monotonic() < ends:  # as long as something goes
        waiting = after.waiting
        for handler in made:
            handler.flush(max(ends - time.monotonic(), 0.0))
        after = shared.call(lambda state: state.counters())
    told, given_up = after.told - before.told, after.given_up - before.given_up
    print(text("pending.sent", alerts=_alerts(told), given_up=given_up, waiting=after.waiting))
    if after.waiting:
        own = {id for one in made if one._pipeline is not None for id in one._pipeline.channel_ids}
        held = [one for one in shared.call(lambda state: state.held(MOST)) if not one.why][:_MOST_REASONS]
        for one in held:
            say(labelled(f"#{one.short_id}", language(), _why(one, own, failed)))
        if after.waiting > sum(one.count for one in held):
            say(text("pending.and_more"))
    return 0 if told or not (given_up or after.waiting) else 1


def _failed(report: DeliveryReport) -> dict[str, str]:
    """By short id, why the last try to send it failed."""
    error = report.outcome.error
    return {} if report.reason != "kept" or error is None else dict.fromkeys(report.incidents, explained(error))


def _why(one: DeadLetter, own: Collection[str], failed: Mapping[str, str]) -> str:
    if one.channel not in own:
        return text("pending.other_channel")
    if one.short_id in failed:
        return text("pending.not_sent", error=failed[one.short_id])
    if one.claimed:
        return text("pending.sent_elsewhere")
    return text("pending.not_due")


def run_discard(options: argparse.Namespace, shared: Shared) -> int:
    keys = _chosen(options, shared)
    before = shared.call(lambda state: state.counters())
    which = ", ".join(sorted(keys))
    if options.all:
        which = text("pending.discard_all", alerts=_alerts(before.waiting), given_up=before.given_up)
    if not options.yes:
        question = text("pending.discard", which=which)
        agree(question, "pending.nothing_discarded", what=text("pending.to_discard"))
    number = shared.call(lambda state: state.discard(keys))
    after = shared.call(lambda state: state.counters())
    alerts = _alerts(after.discarded - before.discarded)
    print(text("pending.discarded", alerts=alerts, incidents=_incidents(number)))
    return 0


def _chosen(options: argparse.Namespace, shared: Shared) -> set[str]:
    """The whole keys; none for --all."""
    if options.all:
        return set()
    held = shared.call(lambda state: state.held(MOST))
    found: set[str] = set()
    for given in dict.fromkeys(options.key):
        wanted = read_short_id(given)
        if len(wanted) < LEAST:
            refuse("pending.short", 2, least=LEAST)
        fitting = {one.key for one in held if one.short_id == wanted} or {
            one.key for one in held if one.key.startswith(given)
        }
        if len(fitting) > 1:
            keys = ", ".join(sorted(fitting)[:5])
            refuse("pending.several", 2, id=given, count=len(fitting), keys=keys)
        if not fitting:
            refuse("pending.unknown_among" if len(held) >= MOST else "pending.unknown", 1, id=given, most=MOST)
        found |= fitting
    return found


def _incidents(number: int) -> str:
    return text("pending.incident" if number == 1 else "pending.incidents", count=number)


def _alerts(number: int) -> str:
    return text("pending.alert" if number == 1 else "pending.alerts", count=number)
