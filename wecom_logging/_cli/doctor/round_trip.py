"""The round trip, in its order: first what all handlers share, then each handler."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from ... import _config as config
from ..._config.duty import with_file
from ..._render.times import local_time
from ..._state.base import StateError
from ..._state.jobs import UNWATCHED_S, Jobs
from ..._state.takeover import taken_over
from ..._wecom import WeComClient
from ..._wecom.bot import bots
from ...errors import ConfigurationError
from ..environment import configured, is_unused, obstacle
from ..texts import remedy_of_field, said
from .channels import look_at_aibot, look_at_app, look_at_bot, send_through_app, send_through_bot
from .findings import Finding, Notes
from .network import Reached, look_at_network
from .outlook import line_of, look_at_duty, look_at_rotas, persons_of, planned, without_rotas
from .recipients import KINDS, look_at_recipients
from .targets import Target

_CLIENT = (
    *("corp_id", "secret", "contacts_secret", "agent_id", "api_base", "webhook"),
    *("bot_id", "chats", "url", "class", "args", "kwargs"),
)
"""Options without which nothing can be asked."""


@dataclass(frozen=True, slots=True)
class Trip:
    """How to go. ``timeout_s`` is for one request, instead of the handler's own."""

    timeout_s: float
    send: bool


def round_trip(targets: list[Target], trip: Trip) -> list[Finding]:
    """All findings, in the order in which one failure causes others."""
    findings: list[Finding] = []
    reached: dict[str, tuple[Reached, str]] = {}
    of_apps = {host for target in targets if target.channel == "app" for host in _hosts_of(target)}
    for api_base in dict.fromkeys(host for target in targets for host in _hosts_of(target)):
        notes = Notes("")
        answer = look_at_network(notes, api_base, app=api_base in of_apps, timeout_s=trip.timeout_s)
        reached[api_base] = answer, notes.blocked_by
        findings += notes.findings
    if any(_lacks_zone(target) for target in targets if target.enabled):
        shared = Notes("")
        shared.bad("timezone", said("found.in_utc"), remedy_of_field("timezone"), warning=True)
        findings += shared.findings
    for target in targets:
        findings += _look_at(target, reached, trip)
    return findings


def _hosts_of(target: Target) -> list[str]:
    """Of an app the one, of a group that of each bot; none if that cannot be told."""
    if not target.enabled or target.channel == "aibot":
        return []
    base = target.options.get("api_base")
    try:
        if target.channel == "app":
            return [config.api_base(base)]
        found = config.webhooks(target.options.get("webhook"), None if base is None else config.api_base(base))
        return [host for host, _ in found]
    except ConfigurationError:  # the checks of the options have said so
        return []


def _look_at(target: Target, reached: Mapping[str, tuple[Reached, str]], trip: Trip) -> list[Finding]:
    answer, blocked_by = next((reached[host] for host in _hosts_of(target)), (Reached(), ""))
    notes = Notes(target.name, blocked_by)
    if not target.enabled:
        notes.bad("enabled", said("found.disabled"), remedy_of_field("enabled"))
        return notes.findings
    _note_configuration(notes, target)
    if target.lacks(*_CLIENT):
        notes.blocked_by = notes.blocked_by or "configuration"
        notes.down = True
    if target.channel == "aibot":
        look_at_aibot(notes, target.options, trip.timeout_s, send=trip.send)
    elif target.channel == "bot":
        _look_at_bots(notes, target, reached, trip)
    else:
        _look_at_app(notes, target, answer, trip)
    return notes.findings


def _note_configuration(notes: Notes, target: Target) -> None:
    for error in target.errors:
        check, subject = ("state", "") if error.field == "state" else ("configuration", error.field)
        notes.refused(check, error, subject)
    if not target.errors:
        notes.good("configuration", said("found.can_be_built"))
    if not target.errors:
        look_at_duty(notes, target.options)
    with planned(target) as one:
        if one is not None:
            notes.good("outlook", line_of(one))
    if not target.lacks("state"):
        look_at_state(notes, target.options.get("state"))
    if not target.used:
        notes.unknown("logger", said("found.unused"), said("found.use_it"))


def _lacks_zone(target: Target) -> bool:
    """A machine in UTC, as containers are, beside messages in Chinese: where no zone is given, that is an oversight."""
    with suppress(ConfigurationError):
        is_chinese = config.language(target.options.get("language")) == "zh"
        is_given = config.timezone(with_file(cast(config.CommonOptions, target.options)).get("timezone")) is not None
        return is_chinese and not is_given and local_time(time.time(), "zh").tzname() == "UTC"
    return False


def _look_at_app(notes: Notes, target: Target, reached: Reached, trip: Trip) -> None:
    if target.lacks(*_CLIENT):
        notes.skip("token", "app", "trusted_ip", "visible_range", "recipient")
        return
    names = ("corp_id", "secret", "agent_id", "contacts_secret", "api_base")
    options: Any = {name: target.options.get(name) for name in names}
    client = WeComClient(**options, timeout=trip.timeout_s)
    try:
        look_at_app(notes, client, reached.ip)
        audiences = [] if target.lacks(*KINDS) else [config.recipients(*map(target.options.get, KINDS))]
        routes = () if target.lacks("routes") else config.routes(target.options.get("routes"))
        named = [("", without_rotas(one)) for one in (*audiences, *(route.recipients for route in routes))]
        with planned(target) as plan:
            steps = () if plan is None else plan.moment.duty.steps
            told = [*(one for _, one in named), *(one.recipients for one in steps)]
            if target.options.get("answers") and not all(one.may_answer for one in told):
                notes.bad("answers", said("found.may_not_answer"), said("found.name_persons"), warning=True)
            look_at_recipients(notes, client, [*named, *persons_of(plan)])
            if plan is not None:
                look_at_rotas(notes, plan)
                audiences = [plan.recipients()]
        if trip.send and audiences:
            send_through_app(notes, client, audiences[0])
    finally:
        client.close()


def _look_at_bots(notes: Notes, target: Target, reached: Mapping[str, tuple[Reached, str]], trip: Trip) -> None:
    if target.lacks(*_CLIENT):
        notes.skipped("bot")
        return
    options = target.options
    clients = bots(options.get("webhook"), api_base=options.get("api_base"), timeout=trip.timeout_s)
    for number, client in enumerate(clients, 1):
        which = str(number) if len(clients) > 1 else ""
        _, notes.blocked_by = reached[client.api_base]  # what is wrong with one bot says nothing about the next
        try:
            look_at_bot(notes, client, which)
            if trip.send:
                send_through_bot(notes, client, which)
        finally:
            client.close()


# the state


def look_at_state(notes: Notes, option: object) -> None:
    """``option`` has passed its check. Makes nothing where no process has used it: the file would be the doctor's."""
    shared = None
    try:
        shared = configured(option)
        if shared is None:
            notes.good("state", said("found.in_memory"), "memory://")
        elif not is_unused(shared):
            for _ in taken_over(shared, time.monotonic(), lambda cause, text: None):
                pass  # what dead processes have left waits, too
            what, counters = shared.call(lambda state: (state.check(), state.counters()))
            waiting, given_up = counters.waiting, counters.given_up
            row = "found.state_holds" if waiting or given_up else "found.state_good"
            waits = said("found.waits" if waiting == 1 else "found.wait", count=waiting)
            lost = said("found.was_given_up" if given_up == 1 else "found.were_given_up", count=given_up)
            notes.good("state", said(row, what=what, waits=waits, given_up=lost))
            _look_at_jobs(notes, Jobs(shared))
        elif why := obstacle(shared):
            raise StateError(why)
        else:
            notes.good("state", said("found.state_unused"), shared.name)
    except StateError as error:
        cause = said("found.state_failed", error=error)
        is_file = shared is not None and shared.write_ahead is not None
        notes.bad("state", cause, said(f"state_remedies.{'file' if is_file else 'server'}"))
    except ConfigurationError as error:
        notes.refused("state", error)


def _look_at_jobs(notes: Notes, jobs: Jobs) -> None:
    """Where jobs are expected, somebody has to watch."""
    rows, watched = jobs.all()
    number = sum(bool(row.job.spec.targets) for row in rows.values())
    if number and (watched is None or jobs.time() - watched.at > UNWATCHED_S):
        notes.bad("jobs", said("found.unwatched", count=number), said("found.watch"), warning=True)
    elif number:
        notes.good("jobs", said("found.watched", count=number))
