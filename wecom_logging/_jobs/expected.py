"""Jobs that are expected to run: what was missed, what still runs, and when to look. Read `judged` first.

Pure. All times are seconds since the epoch, on the clock of the store. What is judged is each occurrence of a schedule,
not the gap since the last run.
"""

from __future__ import annotations

from dataclasses import replace

from .job import ENDED, MISSED, NO_GAP, OVER, RAN, UNWATCHED, Gap, Job, News, Run, Seen, Spec, Watched
from .schedule import Cron

EARLY_S = 90.0
"""A run so much before its time serves it, where that is nearer than the time before."""

MAX_RUNS = 8
"""Open runs of one job; the ninth ends the oldest."""

MAX_NEWS = 32
MAX_DUE = 10_000
"""So many occurrences are judged at once: the row of a job may say anything."""

GAP_S = 300.0
"""Where nobody has looked for so long, nobody watched."""

_JOINED_S = 3600.0
"""Two gaps so near to each other are one."""


def gap_of(before: Watched | None, time: float) -> Gap:
    """The last time in which nobody looked; none where that is not known, or the clock was set back behind it."""
    if before is None or not before.at or before.gap[1] > time + EARLY_S:
        return NO_GAP
    if time - before.at <= GAP_S:
        return before.gap
    is_one = before.gap[1] > 0 and before.at - before.gap[1] < _JOINED_S
    return (before.gap[0] if is_one else before.at, time)


def new(now: float) -> Seen:
    """Of a job of which nothing is known. The serial numbers of one that was forgotten do not come again."""
    return Seen(base=now, serial=int(now))


def declared(before: Job | None, spec: Spec, now: float) -> Seen:
    """A job that is new, or has another schedule, is judged from now on. The same again changes nothing."""
    if before is None:
        return new(now)
    return before.seen if before.spec.schedule == spec.schedule else replace(before.seen, base=now)


def forgotten(job: Job | None) -> Job | None:
    """A job that a person has stopped watching."""
    if job is None or job.is_forgotten:
        return job
    return Job(spec=Spec(name=job.spec.name), seen=job.seen, forgotten=job.spec)


def remembered(job: Job | None) -> Job | None:
    """The same, watched again as before."""
    if job is None or job.forgotten is None or not job.is_forgotten:
        return job
    return Job(spec=job.forgotten, seen=job.seen)


def started(seen: Seen, run: str, now: float) -> Seen:
    """A run has begun: it is the end of what was missed. Which occurrence it serves, its `slot`, is seen later."""
    seen = _set_back(seen, now)
    runs = (*seen.runs, Run(run, now))
    if len(runs) > MAX_RUNS:
        seen, runs = _over(seen, runs[0], now), runs[1:]
    missed, seen = seen.missed, replace(seen, runs=runs, began=now, missed=0)
    return _told(seen, News(RAN, now, now, missed)) if missed else seen


def ended(seen: Seen, run: str, now: float, *, has_failed: bool) -> Seen:
    """A run has ended; one that never said that it began is a run as well. Older ones that are over are given up."""
    seen = _set_back(seen, now)
    if all(one.id != run for one in seen.runs):
        seen = started(seen, run, now)
    mine = next(one for one in seen.runs if one.id == run)
    runs = tuple(one for one in seen.runs if one is not mine and not (one.is_told and one.began <= mine.began))
    took_s, news = max(now - mine.began, 0.0), seen.news
    if has_failed:  # that it has begun is told with its end, where nobody has looked meanwhile
        news = tuple(replace(one, has_failed=True) if (one.kind, one.due) == (RAN, mine.began) else one for one in news)
    seen = replace(seen, runs=runs, ended=now, took_s=took_s, has_failed=has_failed, news=news)
    if not seen.over or any(one.is_told for one in runs):
        return seen
    late_s = took_s if mine.is_told else 0.0
    end = News(ENDED, now, mine.began, seen.over, took_s=late_s, has_failed=has_failed)
    return _told(replace(seen, over=0), end)


def slot(started: float, schedule: Cron) -> float:
    """The occurrence that a run serves."""
    before, after = schedule.before(started), schedule.after(started)
    return after if after - started <= EARLY_S and after - started < started - before else before


def judged(spec: Spec, seen: Seen, now: float, schedule: Cron | None, gap: Gap = NO_GAP) -> Seen:
    """What of it is over, missed or unwatched now: in its ``news``. The very same where nothing is."""
    seen = _set_back(seen, now)
    if now < seen.paused_until:
        return seen
    away = _away(spec, gap)
    for run in seen.runs:
        if not run.is_told and _over_at(spec, run, gap) <= now:
            runs = tuple(replace(one, is_told=True) if one is run else one for one in seen.runs)
            seen = _over(replace(seen, runs=runs), run, now)
    first, number, unwatched = 0.0, 0, 0.0
    for _ in range(MAX_DUE):
        due = due_at(spec, seen, schedule)
        if _deadline(spec, due, away) > now:
            break
        if away[0] < due <= away[1]:
            unwatched, seen = unwatched or due, replace(seen, judged_to=away[1])
        else:
            first, number, seen = first or due, number + 1, replace(seen, judged_to=due)
    if unwatched:
        seen = _told(seen, News(UNWATCHED, now, unwatched))
    if number:
        seen = _told(replace(seen, missed=seen.missed + number), News(MISSED, now, first, number))
    return seen


def look_at(spec: Spec, seen: Seen, schedule: Cron | None, gap: Gap = NO_GAP) -> float:
    """When it has to be judged again; infinity: not before a report comes."""
    if seen.news:
        return 0.0
    times = [_over_at(spec, run, gap) for run in seen.runs if not run.is_told]
    return max(min([_deadline(spec, due_at(spec, seen, schedule), _away(spec, gap)), *times]), seen.paused_until)


def due_at(spec: Spec, seen: Seen, schedule: Cron | None) -> float:
    """When it is to run next; infinity: never more."""
    base = max(seen.base, seen.judged_to, seen.paused_until)
    if spec.every_s:
        return max(base, seen.began) + spec.every_s
    if schedule is None:
        return float("inf")
    return schedule.after(max(base, slot(seen.began, schedule)) if seen.began else base)


def _away(spec: Spec, gap: Gap) -> Gap:
    """The time in which nobody watched, if a job may not be as late as that: what is due meanwhile is unwatched."""
    return gap if gap[1] - gap[0] > spec.grace_s else NO_GAP


def _deadline(spec: Spec, due: float, gap: Gap) -> float:
    """The very end of the grace has passed; after a gap there is time for it once more."""
    return (gap[1] if gap[0] < due <= gap[1] else due) + spec.grace_s


def _over_at(spec: Spec, run: Run, gap: Gap) -> float:
    """Time that nobody has watched, or that a clock has jumped over, is not counted."""
    away = gap[1] - gap[0] if run.began <= gap[0] else 0.0
    return run.began + spec.max_runtime_s + away if spec.max_runtime_s else float("inf")


def _over(seen: Seen, run: Run, now: float) -> Seen:
    return seen if run.is_told else _told(replace(seen, over=seen.over + 1), News(OVER, now, run.began))


def _told(seen: Seen, news: News) -> Seen:
    serial = seen.serial + 1
    return replace(seen, serial=serial, news=(*seen.news, replace(news, serial=serial))[-MAX_NEWS:])


def _set_back(seen: Seen, now: float) -> Seen:
    """Where the clock was set back: what was in the future then is now."""
    most = now + EARLY_S
    if max(seen.base, seen.judged_to, seen.began, *(one.began for one in seen.runs)) <= most:
        return seen
    runs = tuple(replace(one, began=min(one.began, now)) for one in seen.runs)
    times = {name: min(getattr(seen, name), now) for name in ("base", "judged_to", "began", "ended")}
    return replace(seen, runs=runs, **times)
