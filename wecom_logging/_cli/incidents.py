"""``wecom-logging incidents``: what is open now, in all processes that share the state."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._incidents.incident import Incident
from .._incidents.view import view
from .._render import inert
from .._render.cut import trim
from .._render.redact import redactor
from .._render.times import local_time
from .._render.trace import location
from .._state.shared import Shared
from ..model import IncidentView
from .environment import secrets
from .pending import MOST, limit
from .printing import print_json, print_table
from .shared_state import use

UNREADABLE = "(cannot be read)"
HEADER = ("id", "level", "count", "since", "last", "messages", "where", "text")
_MAX_TEXT = 160
_LOOKED_AT = 4096


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident: ``told`` of ``count`` are in ``messages``. ``channel`` names an app or a bot, without a secret."""

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


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "incidents",
        help="what is open now, in all processes that share the state / 当前未结束的事件",
        description="Shows what is open in the state of WECOM_STATE, the newest first. (Without a state each process "
        "knows its own alone: handler.incidents().)",
    )
    _options(parser, None, 20)
    verbs = parser.add_subparsers(metavar="[list]")
    _options(verbs.add_parser("list", help="the same", description=parser.description), *[argparse.SUPPRESS] * 2)


def _options(parser: argparse.ArgumentParser, state: Any, most: Any) -> None:
    json = False if state is None else state  # what stands before the verb stays
    parser.add_argument("--state", metavar="URL", default=state, help="instead of WECOM_STATE, without a password")
    parser.add_argument("--json", action="store_true", default=json, help="one JSON object")
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
        for incident in shared.call(lambda store: store.open(channel, most))  # noqa: B023 # called at once
    ]
    return sorted(found, key=lambda one: one[1].last, reverse=True)[:most]


def _print(found: Sequence[tuple[str, Incident]], options: argparse.Namespace) -> int:
    mask = redactor(secrets({}), None)
    lines = [_shown(channel, incident, mask) for channel, incident in found[: options.limit]]
    if options.json:
        print_json({"incidents": [asdict(one) for one in lines]})
        return 0
    if lines:
        print_table(HEADER, map(_row, lines))
    else:
        print("nothing is open")
    if len(found) > len(lines):
        print(f"… these are the newest {len(lines)}; --limit shows more")
    return 0


def _shown(channel: str, incident: Incident, mask: Callable[[str], str]) -> Shown:
    seen = _seen(incident)
    level, logger, text, where = (
        (seen.level_name, seen.logger, seen.text, location(seen.place))
        if seen is not None
        else (logging.getLevelName(incident.level), "?", UNREADABLE, "")
    )
    level, logger, text, where = (
        trim(inert.line(mask(one[:_LOOKED_AT])), _MAX_TEXT) for one in (level, logger, text, where)
    )
    return Shown(
        id=incident.short_id,
        level=level,
        logger=logger,
        count=incident.count,
        told=incident.told,
        messages=incident.digests + (incident.told > 0),
        since=local_time(incident.began).isoformat(timespec="seconds"),
        last=local_time(incident.last).isoformat(timespec="seconds"),
        where=where,
        hosts=incident.hosts,
        processes=incident.processes,
        text=text,
        channel=channel,
    )


def _seen(incident: Incident) -> IncidentView | None:
    try:
        return view(incident)
    except Exception:  # nothing that stands in a state is trusted
        return None


def _row(one: Shown) -> Sequence[object]:
    since, last = (time[:19].replace("T", " ") for time in (one.since, one.last))
    return f"#{one.id}", one.level, one.count, since, last, one.messages, one.where, one.text
