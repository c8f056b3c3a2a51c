"""``wecom-logging jobs``: the jobs that are expected to run, in all programs of a state; pause or forget one.

``wecom-logging watch``: a process that only watches jobs, and sends what others leave in the state.
"""

from __future__ import annotations

import argparse
import getpass
import math
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from .. import _config as config
from .._incidents import answered
from .._incidents.incident import Incident
from .._jobs.expected import due_at
from .._jobs.job import Job, Row, Spec, Target
from .._jobs.schedule import schedule_of, zone_to_show
from .._render.card import job_of
from .._render.times import every, local_time
from .._render.words import NO_JOBS
from .._runtime.warn import warn_once
from .._state.base import Store, answer
from .._state.jobs import UNWATCHED_S, Jobs
from .._state.shared import Shared
from .._text import inert
from ..errors import ConfigurationError
from .environment import ended_by_signal, handlers, mask, opened, use
from .parser import command
from .printing import Refusal, iso, print_json, print_table, refuse, say
from .run import duration
from .texts import explained, language, text

HEADER = ("name", "schedule", "last_run", "took", "next", "runs", "missed", "paused_until")

_LOOKED_AT = 1000
_LOOK_S = 1.0


def add(commands: Any) -> None:
    parser = command(commands, "jobs", "jobs.help", "jobs.about", json=True)
    parser.set_defaults(run=run)
    verbs = parser.add_subparsers(metavar="[VERB]")
    for verb in (pause, forget):
        one = command(verbs, verb.__name__, f"jobs.{verb.__name__}")
        one.add_argument("name", metavar="NAME")
        one.set_defaults(run=verb)
    verbs.choices["pause"].add_argument("length", metavar="LENGTH", help="jobs.length")
    command(commands, "watch", "watch.help", "watch.about").set_defaults(run=watch)


def run(options: argparse.Namespace) -> int:
    return use(lambda shared: _print(*_listed(shared), options), lambda: _print([], 0.0, options))


def _print(found: list[Job], now: float, options: argparse.Namespace) -> int:
    shown = [_shown(job, now) for job in found]
    if options.json:
        print_json({"jobs": shown})
    elif found:
        print_table(HEADER, [one | _for_people(job, one) for job, one in zip(found, shown, strict=True)])
    else:
        print(NO_JOBS.within(language()))
    return 0


def _listed(shared: Shared) -> tuple[list[Job], float]:
    rows, watched = (jobs := Jobs(shared)).all()
    now = jobs.time()
    if rows and (watched is None or now - watched.at > UNWATCHED_S):
        say(text("jobs.nobody_watches"))
    return [rows[name].job for name in sorted(rows)], now


def _shown(job: Job, now: float) -> dict[str, Any]:
    """One job. ``overdue``: the time in ``next`` has passed, and it has not run. ``runs``: how many are open.
    ``missed``: how many times since its last run; ``words``: its schedule in words."""
    spec, seen, hide = job.spec, job.seen, mask()
    words, due = "", math.inf
    try:
        schedule = schedule_of(spec.cron, spec.zone)
        words, due = getattr(schedule, "explained", str)(), due_at(spec, seen, schedule)
    except (ImportError, ValueError, KeyError):  # without the extra, or a zone that this machine lacks
        say(text("jobs.not_read", name=hide(spec.name)))
    return {
        "name": inert.line(hide(spec.name)),
        "schedule": spec.cron or (every(spec.every_s, "en") if spec.every_s else ""),
        "words": words,
        "zone": spec.zone,
        "grace_s": spec.grace_s,
        "max_runtime_s": spec.max_runtime_s,
        "last_run": iso(seen.began) if seen.began else "",
        "took_s": round(seen.took_s, 1),
        "has_failed": seen.has_failed,
        "next": "" if math.isinf(due) else iso(due),
        "overdue": due <= now,
        "runs": len(seen.runs),
        "missed": seen.missed,
        "paused_until": iso(seen.paused_until) if seen.paused_until > now else "",
    }


def _for_people(job: Job, shown: Mapping[str, Any]) -> dict[str, object]:
    """As people read it: times in the zone of the job, with its name."""
    spec, seen = job.spec, job.seen
    last = _clock(seen.began, spec) if shown["last_run"] else ""
    due = _clock(due_at(spec, seen, schedule_of(spec.cron, spec.zone)), spec) if shown["next"] else ""
    in_words = f" ({shown['words']})" if shown["words"] and language() == "en" else ""
    return {
        "schedule": f"{spec.cron}{in_words}" if spec.cron or not spec.every_s else every(spec.every_s, language()),
        "last_run": text("jobs.failed_run", time=last) if seen.has_failed else last,
        "took": duration(seen.took_s) if seen.ended and seen.took_s else "",
        "next": text("jobs.overdue", time=due) if shown["overdue"] else due,
        "runs": shown["runs"] or "",
        "missed": seen.missed or "",
        "paused_until": _clock(seen.paused_until, spec) if shown["paused_until"] else "",
    }


def _clock(at: float, spec: Spec) -> str:
    there, zone = local_time(at, language()), zone_to_show(spec.zone)
    return f"{there:%m-%d %H:%M}" if zone is None else f"{there.astimezone(zone):%m-%d %H:%M} {zone}"


def pause(options: argparse.Namespace) -> int:
    try:
        seconds = config.duration("LENGTH", options.length, least=0, most=366 * 86_400)
    except ConfigurationError as error:
        raise Refusal(explained(error), 2) from None

    def become(job: Job | None, now: float) -> Job | None:
        return job and replace(job, seen=replace(job.seen, paused_until=now + seconds))

    def paused(shared: Shared, jobs: Jobs, row: Row) -> None:
        after = jobs.change(options.name, become)
        until = "" if after is None else _clock(after.seen.paused_until, after.spec)
        print(text("jobs.paused" if seconds else "jobs.goes_on", name=mask()(options.name), until=until))

    return _with_job(options, paused)


def forget(options: argparse.Namespace) -> int:
    def forgotten(shared: Shared, jobs: Jobs, row: Row) -> None:
        jobs.forget(options.name)
        for target in row.job.spec.targets:
            shared.call(lambda store: _close(store, options.name, target, jobs.time()))  # noqa: B023 # called at once
        print(text("jobs.forgotten", name=mask()(options.name)))

    return _with_job(options, forgotten)


def _with_job(options: argparse.Namespace, do: Callable[[Shared, Jobs, Row], None]) -> int:
    def unknown() -> NoReturn:
        refuse("jobs.unknown", 1, name=mask()(options.name))

    def change(shared: Shared) -> int:
        jobs = Jobs(shared)
        if (row := jobs.find(options.name)) is None:
            unknown()
        do(shared, jobs, row)
        return 0

    return use(change, unknown)


def _close(store: Store, name: str, target: Target, at: float) -> None:
    """An incident of a job that is not expected any more ends, with a line."""
    now, where = time.monotonic(), f"cli {socket.gethostname()}"
    who = getpass.getuser()

    def done(there: Incident) -> Incident:
        return answered.done(there, who, where, now=now, time=at, job=name)

    for one in store.open(target.channel, _LOOKED_AT, None, now):
        try:
            is_its = job_of(one.first.alert) == name
        except ValueError:  # nothing that stands in a state is trusted
            continue
        if is_its and answered.is_open(one):
            answer(store, target.channel, one.key, done, lambda there: None, now)


# watch


def watch(options: argparse.Namespace) -> int:
    """Until a signal ends it."""
    opened(warn_once)  # or it says that there is none
    ended = ended_by_signal()
    made = handlers(None)
    pipelines = [one._pipeline for one in made if one._pipeline is not None]
    if not pipelines:
        if made:
            refuse("usage.switched_off", 0)
        return 3
    for one in pipelines:
        one.look()
    print(text("jobs.watching"), flush=True)
    _tell_systemd("READY=1")
    while not ended.wait(_LOOK_S):
        if all(one.is_watching() for one in pipelines):
            _tell_systemd("WATCHDOG=1")
    _tell_systemd("STOPPING=1")
    return 0


def _tell_systemd(state: str) -> None:
    """As sd_notify does. Where nobody listens that is no failure."""
    if not (path := os.environ.get("NOTIFY_SOCKET")):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.connect(f"\0{path[1:]}" if path.startswith("@") else path)
            there.send(state.encode())
    except OSError as error:
        say(text("jobs.no_systemd", error=error.strerror or type(error).__name__))
