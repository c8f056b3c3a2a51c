"""Jobs that are expected to run, for a person in a chat: a list of them, and the end of waiting for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._jobs.expected import due_at
from .._jobs.job import Job
from .._render.times import every, short_time
from .._render.words import (
    JOB_LAST,
    JOB_MISSED_TIMES,
    JOB_NEXT,
    JOB_OVERDUE,
    JOB_PAUSED,
    JOB_RUNS,
    MORE_JOBS,
    NO_JOBS,
    RUN_FAILED,
)
from .._text import inert
from .._text.said import Language
from .place import Place

_MOST = 50


def expected(places: Sequence[Place]) -> list[Job]:
    """By their names. Raises `StateError`."""
    found = {row.job.spec.name: row.job for place in places for row in place.jobs.all()[0].values()}
    return [found[name] for name in sorted(found)]


def forget(places: Sequence[Place], name: str) -> None:
    """Expect one no more. Raises `StateError`."""
    for place in places:
        place.jobs.forget(name)


def remember(places: Sequence[Place], name: str) -> None:
    """Expect it again, as before. Raises `StateError`."""
    for place in places:
        place.jobs.remember(name)


def listed(jobs: Sequence[Job], now: float, language: Language, mask: Callable[[str], str]) -> str:
    """A line for each."""
    lines = [_line(one, now, language, mask) for one in jobs[:_MOST]]
    if len(jobs) > _MOST:
        lines.append(MORE_JOBS.within(language, len(jobs) - _MOST))
    return "\n".join(lines) or NO_JOBS.within(language)


def _line(job: Job, now: float, language: Language, mask: Callable[[str], str]) -> str:
    """``对账 · 30 2 * * * · last 11-29 02:30 · next 02:30 · missed 2 times``"""
    from .._jobs.schedule import schedule_of

    spec, seen = job.spec, job.seen
    try:
        due = due_at(spec, seen, schedule_of(spec.cron, spec.zone))
    except (ImportError, ValueError, KeyError):  # without the extra, or a zone that this machine lacks
        due = float("inf")
    to_run = JOB_NEXT if due > now else JOB_OVERDUE
    failed = RUN_FAILED.within(language) if seen.has_failed else ""
    parts = [
        mask(spec.name),
        spec.cron or (every(spec.every_s, language) if spec.every_s else ""),
        JOB_LAST.within(language, short_time(seen.began, now, language), failed) if seen.began else "",
        to_run.within(language, short_time(due, now, language)) if due < float("inf") else "",
        JOB_RUNS.within(language) if seen.runs else "",
        JOB_MISSED_TIMES.within(language, seen.missed) if seen.missed else "",
        JOB_PAUSED.within(language, short_time(seen.paused_until, now, language)) if seen.paused_until > now else "",
    ]
    return " · ".join(inert.in_both_markdowns(inert.line(part)) for part in parts if part)
