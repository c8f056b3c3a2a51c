"""``wecom-logging pending``: what waits in the state or was given up: list it, send it again, discard it.

Like every process that opens the state it takes over what dead ones have left.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._incidents import life
from .._incidents.short_id import LEAST, read_short_id
from .._incidents.short_id import MOST as LONGEST
from .._incidents.view import first_line
from .._render.layout import level_name
from .._state.base import DeadLetter, SharedCounters, Swap
from .._state.entries import load
from .._state.shared import Shared
from .._text import inert
from .._text.cut import trim
from ..errors import MessageError
from ..model import DeliveryReport
from .environment import MOST, handlers, mask, names_a_password, state_options, use
from .printing import agreed, brief, clock, iso, print_json, print_table, say

UNREADABLE = "(cannot be read)"
LEAST_KEY = 8
HEADER = ("id", "last", "level", "logger", "count", "what", "text")
_MAX_NAME = 60
FLUSH_S = 15.0
_MOST_REASONS = 20
WHO_SENDS = (
    "whichever process has this state open, or opens it next, for the same app or bot sends what waits; "
    "--now sends it from here"
)

Verb = Callable[[argparse.Namespace, Shared], int]


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident. ``state`` is waiting, sending or given_up; ``reason`` says why it was given up."""

    id: str
    key: str
    state: str
    reason: str
    last: str
    level: str
    logger: str
    count: int
    text: str
    channel: str


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "pending",
        help="pending and undeliverable alerts in the state: list, send again, discard / 待发与已放弃的告警",
        description="Shows the pending and undeliverable alerts in the state of WECOM_STATE, the newest first, and the "
        "counters of the state.",
    )
    _state(parser, run_list, limit=True)
    verbs = parser.add_subparsers(metavar="[list|send|discard]")
    listing = verbs.add_parser("list", help="the same as without a verb", description=parser.description)
    _state(listing, run_list, verb=True, limit=True)
    again = _verb(
        verbs, "send", run_send, "queue undeliverable alerts again; with --now, send pending alerts from this process"
    )
    again.add_argument(
        "--now",
        action="store_true",
        help="send from this process what is due for the app and bots of the WECOM_… variables",
    )
    discarding = _verb(verbs, "discard", run_discard, "discard pending or undeliverable alerts")
    discarding.add_argument("--yes", action="store_true", help="do not ask; needed where there is no terminal")


def _verb(verbs: Any, name: str, verb: Verb, help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    _state(parser, verb, verb=True, json=False)
    parser.add_argument(
        "key", nargs="*", metavar="ID", help="the id that `pending list` and each message show, or a key"
    )
    parser.add_argument("--all", action="store_true", help="in place of ID")
    return parser


def _state(parser: argparse.ArgumentParser, run: Verb, **which: bool) -> None:
    state_options(parser, **which)
    parser.set_defaults(run=lambda options: _run(options, run))


def _run(options: argparse.Namespace, verb: Verb) -> int:
    if verb is not run_list and bool(options.key) == options.all and not names_a_password(options.state):
        say("give ID, as `wecom-logging pending` shows it, or --all")
        return 2
    nothing = SharedCounters(0, 0, 0, 0, 0)
    return use(
        options.state,
        lambda shared: verb(options, shared),
        lambda: _print_list([], nothing, [], options) if verb is run_list else 0,
    )


def run_list(options: argparse.Namespace, shared: Shared) -> int:
    held = shared.call(lambda state: state.held(options.limit + 1))
    return _print_list(held, shared.call(lambda state: state.counters()), shared.set_aside(), options)


def _print_list(
    held: list[DeadLetter], counters: SharedCounters, set_aside: list[str], options: argparse.Namespace
) -> int:
    hide = mask()
    found = [_shown(one, hide) for one in held[: options.limit]]
    if options.json:
        print_json({"alerts": [asdict(one) for one in found], "counters": asdict(counters), "set_aside": set_aside})
        return 0
    if found:
        print_table(HEADER, map(_row, found))
    else:
        print("nothing waits, and nothing was given up")
    if len(held) > len(found):
        print(f"… these are the newest {len(found)}; --limit shows more")
    for file in set_aside:
        print(f"set aside, not read: {inert.line(file)}")
    print(_counters_line(counters))
    return 0


def _shown(held: DeadLetter, mask: Callable[[str], str]) -> Shown:
    level, logger, text = _read(held.entry) or (logging.getLevelName(held.level), "?", UNREADABLE)
    return Shown(
        id=held.short_id if 0 < len(held.short_id) <= LONGEST else held.key[:LEAST_KEY],
        key=held.key,
        state="given_up" if held.why else "sending" if held.claimed else "waiting",
        reason=held.why,
        last=iso(held.last),
        level=level,
        logger=brief(logger, mask, _MAX_NAME),
        count=held.count,
        text=brief(text, mask),
        channel=held.channel,
    )


def _read(entry: str) -> tuple[str, str, str] | None:
    try:
        alert = load(entry)
    except ValueError:  # shown as an entry that cannot be read
        return None
    return level_name(alert), alert.logger, first_line(alert)


def _row(one: Shown) -> Sequence[object]:
    """Its line below `HEADER`."""
    words = {"waiting": "waits", "sending": "is being sent"}.get(one.state, f"given up: {one.reason}")
    return f"#{one.id}", clock(one.last), one.level, one.logger, one.count, trim(words, _MAX_NAME), one.text


def _counters_line(counters: SharedCounters) -> str:
    """``counted 7 = told 4 + waiting 2 + given up 1 + discarded 0``"""
    return (
        f"counted {counters.counted} = told {counters.told} + waiting {counters.waiting} + given up {counters.given_up}"
        f" + discarded {counters.discarded}"
    )


def run_send(options: argparse.Namespace, shared: Shared) -> int:
    keys = _chosen(options, shared)
    if keys is None:
        return 1
    given_up = {one.key for one in shared.call(lambda state: state.held(MOST)) if one.why}
    number = shared.call(lambda state: state.again(keys, time.monotonic()))
    _hasten(keys or given_up, shared)
    after = shared.call(lambda state: state.counters())
    if number or not options.now:
        print(f"wait again: {_groups(number)}")
    if options.now:
        return _send_from_here(options, shared)
    if after.waiting:
        say(f"{_alerts(after.waiting)} waiting; {WHO_SENDS}")
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
    made = handlers(None, state=options.state, on_outcome=lambda report: failed.update(_failed(report)))
    if not made:
        return 3
    ends, after, waiting = time.monotonic() + FLUSH_S, before, before.waiting + 1
    while after.waiting < waiting and time.monotonic() < ends:  # as long as something goes
        waiting = after.waiting
        for handler in made:
            handler.flush(max(ends - time.monotonic(), 0.0))
        after = shared.call(lambda state: state.counters())
    told, given_up = after.told - before.told, after.given_up - before.given_up
    print(f"{_alerts(told)} sent from here, {given_up} given up again, {after.waiting} still waiting")
    if after.waiting:
        own = {id for one in made if one._pipeline is not None for id in one._pipeline.channel_ids}
        held = [one for one in shared.call(lambda state: state.held(MOST)) if not one.why][:_MOST_REASONS]
        for one in held:
            say(f"#{one.short_id}: {_why(one, own, failed)}")
        if after.waiting > sum(one.count for one in held):
            say("… and more: `wecom-logging pending`")
    return 0 if told or not (given_up or after.waiting) else 1


def _failed(report: DeliveryReport) -> dict[str, str]:
    """By short id, why the last try to send it failed."""
    error = report.outcome.error
    return {} if report.reason != "kept" or error is None else dict.fromkeys(report.incidents, str(error))


def _why(one: DeadLetter, own: Collection[str], failed: Mapping[str, str]) -> str:
    """Why it still waits."""
    if one.channel not in own:
        return "it is for another app or bot than the WECOM_… variables configure"
    if one.short_id in failed:
        return f"it could not be sent now: {failed[one.short_id]}"
    if one.claimed:
        return "another process is sending it"
    return "it is not due yet: repeats wait for the next digest, the end of a silence, or the rate limit"


def run_discard(options: argparse.Namespace, shared: Shared) -> int:
    keys = _chosen(options, shared)
    if keys is None:
        return 1
    before = shared.call(lambda state: state.counters())
    which = f"{_alerts(before.waiting)} waiting, {before.given_up} given up" if options.all else _listed(keys)
    if not options.yes and not agreed(f"Discard: {which}?", "nothing is discarded", what="discard alerts"):
        return 2
    number = shared.call(lambda state: state.discard(keys))
    after = shared.call(lambda state: state.counters())
    print(f"discarded: {_alerts(after.discarded - before.discarded)} of {_groups(number)}")
    return 0


def _chosen(options: argparse.Namespace, shared: Shared) -> set[str] | None:
    """The whole keys; none for --all, None where one is not there."""
    if options.all:
        return set()
    held = shared.call(lambda state: state.held(MOST))
    found: set[str] = set()
    for given in dict.fromkeys(options.key):
        wanted = read_short_id(given)
        if len(wanted) < LEAST:
            raise MessageError(f"an id has at least {LEAST} characters")
        fitting = {one.key for one in held if one.short_id == wanted} or {
            one.key for one in held if one.key.startswith(given)
        }
        if len(fitting) > 1:
            raise MessageError(f"{given} fits {len(fitting)} keys: {', '.join(sorted(fitting)[:5])}")
        if not fitting:
            more = f" among the newest {MOST}" if len(held) >= MOST else ""
            say(f"there is no {given}{more}; nothing is done")
            return None
        found |= fitting
    return found


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))


def _groups(number: int) -> str:
    return "1 incident" if number == 1 else f"{number} incidents"


def _alerts(number: int) -> str:
    return "1 alert" if number == 1 else f"{number} alerts"
