"""``wecom-logging incidents``: what is open now, in all processes that share the state, and who has it."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._answers.reply import held_by
from .._incidents import life
from .._incidents.incident import Incident
from .._incidents.view import view
from .._masking.redact import masker
from .._render.times import local_time
from .._render.trace import place
from .._state.shared import Shared
from .._text import inert
from .._text.cut import trim
from ..model import IncidentView
from . import answers
from .environment import secrets
from .pending import MOST, limit
from .printing import print_json, print_table, print_value
from .shared_state import use

UNREADABLE = "(cannot be read)"
HEADER = ("id", "level", "count", "since", "last", "messages", "who", "where", "text")
_MAX_TEXT = 160
_MAX_READ = 4096


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident: ``told`` of ``count`` are in ``messages``. ``channel`` names an app or a bot, without a secret.

    ``taken_by``: who has it; ``silent_until``: when its silence ends; each may be "".
    """

    id: str
    level: str
    logger: str
    count: int
    told: int
    messages: int
    since: str
    last: str
    where: str
    hosts: int
    processes: int
    text: str
    channel: str
    taken_by: str
    silent_until: str


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "incidents",
        help="what is open now: list, show, take, quiet, done, undo / 当前未结束的事件：查看、认领、静默、完成、撤销",
        description="Lists the open incidents in the state of WECOM_STATE, the newest first, or takes, silences or "
        "closes one. Those who got the alert are notified of who did what. (Without a state, each process knows only "
        "its own: handler.incidents().)",
    )
    _options(parser, None, False)
    _limit(parser, 20)
    verbs = parser.add_subparsers(metavar="[list|show|take|quiet|done|undo]")
    listing = verbs.add_parser("list", help="the same", description=parser.description)
    _options(listing, argparse.SUPPRESS, argparse.SUPPRESS)
    _limit(listing, argparse.SUPPRESS)
    answers.add(verbs, lambda one: _options(one, argparse.SUPPRESS, argparse.SUPPRESS), _show)


def _options(parser: argparse.ArgumentParser, state: Any, json: Any) -> None:
    """``SUPPRESS``: what stands before the verb stays."""
    parser.add_argument("--state", metavar="URL", default=state, help="instead of WECOM_STATE, without a password")
    parser.add_argument("--json", action="store_true", default=json, help="one JSON object")


def _limit(parser: argparse.ArgumentParser, most: Any) -> None:
    parser.add_argument("--limit", type=limit, default=most, metavar="N", help=f"how many, at most {MOST} (20)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return use(
        options.state, lambda shared: _print(_found(shared, options.limit + 1), options), lambda: _print([], options)
    )


def _found(shared: Shared, most: int) -> list[tuple[str, Incident]]:
    """With their channels, the newest first."""
    found = [
        (channel, incident)
        for channel in shared.call(lambda store: store.channels())
        for incident in _open(shared, channel, most)
    ]
    return sorted(found, key=lambda one: one[1].last, reverse=True)[:most]


def _open(shared: Shared, channel: str, most: int) -> list[Incident]:
    """A store has those for a while, too, that a person has closed."""
    looked_at = most
    while True:
        rows = shared.call(lambda store: store.open(channel, looked_at))  # noqa: B023 # called at once
        found = [one for one in rows if life.is_open(one)]
        if len(found) >= most or len(rows) < looked_at:
            return found
        looked_at *= 4


def _print(found: Sequence[tuple[str, Incident]], options: argparse.Namespace) -> int:
    mask = masker(secrets({}), None)
    found, more = found[: options.limit], len(found) > options.limit
    lines = [_shown(channel, incident, mask) for channel, incident in found]
    if options.json:
        print_json({"incidents": [asdict(one) for one in lines]})
        return 0
    if lines:
        print_table(HEADER, (_row(one, incident) for one, (_, incident) in zip(lines, found, strict=True)))
    else:
        print("nothing is open")
    if more:
        print(f"… these are the newest {len(lines)}; --limit shows more")
    return 0


def _show(found: Sequence[tuple[str, Incident]], options: argparse.Namespace) -> int:
    """All that is known of these, with what people did."""
    mask = masker(secrets({}), None)
    shown = [(_shown(channel, incident, mask), answers.journal(incident)) for channel, incident in found]
    if options.json:
        print_json({"incidents": [asdict(one) | {"journal": done} for one, done in shown]})
        return 0
    for number, (one, done) in enumerate(shown):
        if number:
            print()
        print_value(one)
        if done:
            print()
            print_table(tuple(done[0]), (tuple(entry.values()) for entry in done))
    return 0


def _shown(channel: str, incident: Incident, mask: Callable[[str], str]) -> Shown:
    seen = _seen(incident)
    level, logger, text, where = (
        (seen.level_name, seen.logger, seen.text, place(seen.place))
        if seen is not None
        else (logging.getLevelName(incident.level), "?", UNREADABLE, "")
    )
    level, logger, text, where = (
        trim(inert.line(mask(one[:_MAX_READ])), _MAX_TEXT) for one in (level, logger, text, where)
    )
    taken_by, silent_until = ("", 0.0) if seen is None else (seen.taken_by, seen.silent_until)
    count = life.total(incident)
    return Shown(
        id=incident.short_id,
        level=level,
        logger=logger,
        count=count,
        told=max(incident.told - incident.count + count, 0),
        messages=incident.digests + (incident.told > 0),
        since=local_time(incident.began).isoformat(timespec="seconds"),
        last=local_time(incident.last).isoformat(timespec="seconds"),
        where=where,
        hosts=incident.hosts,
        processes=incident.processes,
        text=text,
        channel=channel,
        taken_by=inert.line(taken_by),
        silent_until=local_time(silent_until).isoformat(timespec="seconds") if silent_until else "",
    )


def _seen(incident: Incident) -> IncidentView | None:
    try:
        return view(incident)
    except Exception:  # nothing that stands in a state is trusted
        return None


def _row(one: Shown, incident: Incident) -> Sequence[object]:
    since, last = (time[:19].replace("T", " ") for time in (one.since, one.last))
    who = held_by(incident)
    return f"#{one.id}", one.level, one.count, since, last, one.messages, who, one.where, one.text
