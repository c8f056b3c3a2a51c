"""`Watch`: looks whether jobs have run that are expected to, and opens and closes their incidents.

Of all workers that share a state, one looks: who is the first to say so. What it finds is written into the row of the
job, then told, then crossed out; whoever finds it written tells it, and each channel takes it once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .._incidents.cause import cause_of
from .._incidents.fingerprint import group_key
from .._lines import line
from .._render import words
from .._render.mask import masked
from .._render.times import every, exactly
from .._text.said import Phrase
from ..errors import StateError
from ..model import Alert, Answer, Frame, Recipients
from ..model.alert import BY_RUN, DONE, RunEnd
from . import expected
from .base import JobRows, Jobs, Missed, Options
from .declared import declared
from .job import ENDED, MISSED, OVER, RAN, UNWATCHED, Gap, Job, News, Row, Spec, Target
from .schedule import Cron, schedule_of, zone_to_show

LOOK_S = 30.0
"""So often somebody looks; all others ask when that was."""

_STAND_BY_S = 10.0
"""So much later another process does."""

IDLE_S = 300.0
"""So often it is asked whether there are jobs, where there were none."""

_MOST_S = 1.0
"""So long jobs are declared, and rows judged, in one turn: alerts come first."""

_WINDOW_S = 30 * 86400.0
"""Of an incident of a job: its end is the next run, not a silence."""

_MOST_NAMES = 20

_CLOSES = {RAN: MISSED, ENDED: OVER}
_OPENS = tuple(_CLOSES.values())


@dataclass(eq=False, repr=False)
class Watch:
    """That of one handler in one process."""

    _rows: JobRows
    jobs: Jobs
    _options: Options
    _meant: Callable[[str, int, Recipients | None], Recipients | None]
    _clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._next = self.turned_at = float("-inf")
        self._heard = 0
        """So many of `declared` are known here."""
        self._last = -1.0
        """When this process has looked."""
        self._failures = self._options.shared.failures
        self._away = 0.0
        """When the state answered again that had not."""
        self._look_at: dict[str, tuple[int, Gap, float]] = {}
        """When each row has to be judged, of its version."""
        self._has_more = False
        """Whether this process looks, and has not judged all that is due."""

    def turn(self, now: float) -> float:
        """Look, if it is time. Returns the seconds until it is again."""
        self.turned_at = now
        if now < self._next and self._heard == len(declared):
            return self._next - now
        wait = IDLE_S
        try:
            wait = self._look(now) if self._declare(now + _MOST_S) else 0.0
        except StateError:  # said already
            wait = max(self._options.shared.seconds_to_next_try, 1.0)
        except ImportError:
            self._options.warn_once("cronsim", line("no_cronsim"))
        except Exception as error:  # a defect of ours: alerts go on
            self._options.warn_once("jobs", line("no_watch", error=type(error).__name__))
        self._next = now + wait
        return wait

    # What this process expects.

    def _declare(self, ends: float) -> bool:
        """Whether that is all."""
        new = declared[self._heard :]
        newest = {one.place: one for one in new}
        for one in new:
            is_mine = self.jobs.is_shared or one.pid == os.getpid()
            if is_mine and newest[one.place] is one and self._rows.channel in (channels := one.channels()):
                self._declare_one(one.spec, channels)
            self._heard += 1
            if self._clock() >= ends:
                break
        return self._heard == len(declared)

    def _declare_one(self, spec: Spec, channels: Iterable[str]) -> None:
        mine = self._target(spec)

        def become(job: Job | None, now: float) -> Job:
            job = None if job is not None and job.is_forgotten else job
            others = [one for one in (job.spec.targets if job else ()) if one.channel in channels]
            targets = (*(one for one in others if one.channel != mine.channel), mine)
            new = replace(spec, targets=tuple(sorted(targets, key=lambda one: one.channel)))
            seen = expected.declared(job, new, now)
            if job is not None and job.spec.targets and job.spec.schedule != new.schedule:
                name, before, after = self._options.mask(spec.name), _schedule_of(job.spec), _schedule_of(new)
                said = line("other_schedule", name=name, before=before, after=after)
                self._options.warn_once(f"schedule {spec.name}", said)
            if job is not None and (seen.missed or seen.over or seen.news):
                left = {*seen.left, *self._places(job.spec, *_OPENS)} - {*self._places(new, *_OPENS)}
                seen = replace(seen, left=tuple(sorted(left)[:_MOST_NAMES]))
            return Job(spec=new, seen=seen)

        self.jobs.change(spec.name, become)

    def _target(self, spec: Spec) -> Target:
        options = self._options
        given = spec.targets[0].recipients if spec.targets else None
        return Target(
            channel=self._rows.channel,
            recipients=self._meant(spec.name, spec.level, given),
            service=options.origin.service,
            environment=options.origin.environment,
            duty=options.duty,
            steps=options.steps(spec.level),
        )

    # Who looks.

    def _look(self, now: float) -> float:
        before, time = self.jobs.watched(), self.jobs.time()
        is_mine = before is not None and before.at == self._last
        in_s = LOOK_S if is_mine else LOOK_S + _STAND_BY_S  # who has looked knows most rows
        if before is not None and 0 <= time - before.at < in_s - 1 and not self._has_more:
            return in_s - (time - before.at)
        rows, before = self.jobs.all()
        if not rows:
            return IDLE_S
        time = self.jobs.time()  # no report that was read is of a later moment
        if self._failures != self._options.shared.failures:
            self._failures, self._away = self._options.shared.failures, time
        schedules = {name: self._schedule(row.job.spec) for name, row in rows.items()}
        gap = expected.gap_of(before, time)
        if not self.jobs.watch(before, time, gap):
            return LOOK_S
        is_whole = all(schedules[name] is not None or not row.job.spec.cron for name, row in rows.items())
        self._last = time if is_whole else -1.0  # else whoever knows all zones goes on with it
        is_set_back = before is not None and before.at > time + expected.EARLY_S
        ends = float("inf") if is_set_back else now + _MOST_S
        found, due = dict[str, tuple[int, Gap, float]](), list[tuple[str, Row]]()
        for name, row in rows.items():
            with self._apart(row.job.spec):
                known = self._look_at.get(name, (0, gap, 0.0))
                if known[:2] != (row.version, gap):
                    at = expected.look_at(row.job.spec, row.job.seen, schedules[name], gap)
                    known = (row.version, gap, at)
                found[name] = known
                if (
                    (known[2] <= time or is_set_back)
                    and self._clock() < ends
                    and (new := self._judge(name, row, time, gap)) is not None
                ):
                    due.append((name, new))
        self._look_at = found
        told = list[tuple[str, Row]]()
        began: dict[str, float] = {}
        for job in (row.job for row in rows.values()):
            began[job.spec.scheduler] = max(began.get(job.spec.scheduler, 0.0), job.seen.began)
        for name, row in due:
            with self._apart(row.job.spec):
                for news in row.job.seen.news:
                    self._tell(row.job, news, began[row.job.spec.scheduler])
                told.append((name, row))
        self._tell_unwatched([row.job for _, row in told], gap, time)
        for name, row in told:  # where a report has come meanwhile it is told again, and taken once
            seen = row.job.seen
            left = () if any(news.kind in _CLOSES for news in seen.news) else seen.left
            self.jobs.swap(name, row, replace(row.job, seen=replace(seen, news=(), left=left)))
        self._has_more = self._clock() >= ends
        return 0.0 if self._has_more else LOOK_S

    def _schedule(self, spec: Spec) -> Cron | None:
        with self._apart(spec):
            return schedule_of(spec.cron, spec.zone)
        return None

    @contextmanager
    def _apart(self, spec: Spec) -> Iterator[None]:
        """A zone that this machine lacks, or what another hand has written of one job, holds up no other."""
        try:
            yield
        except (StateError, ImportError):
            raise
        except Exception as error:
            name, why = self._options.mask(spec.name), f"{type(error).__name__}: {spec.zone}"
            self._options.warn_once(f"job {spec.name}", line("no_schedule", name=name, why=why))

    def _judge(self, name: str, row: Row, time: float, gap: Gap) -> Row | None:
        """A job with what is to be told of it, which is written down by then; None: nothing."""
        spec, before = row.job.spec, row.job.seen
        seen = expected.judged(spec, before, time, self._schedule(spec), gap)
        if seen is not before:
            if not self.jobs.swap(name, row, replace(row.job, seen=seen)):  # a report has come: it is judged again
                return None
            found = self.jobs.find(name)
            return found if found is not None and found.job.seen.news else None
        return row if seen.news else None

    # What is told.

    def _tell(self, job: Job, news: News, began: float) -> None:
        """``began``: when the newest run did of all jobs that its scheduler starts."""
        if (kind := _CLOSES.get(news.kind)) is not None:
            for channel, key in (*self._places(job.spec, kind), *job.seen.left):
                self._close(job.spec, kind, channel, key, news)
        elif news.kind != UNWATCHED:
            has_ended = bool(job.spec.scheduler) and news.kind == MISSED and began < news.due
            for target in job.spec.targets:
                alert = self._alert(job.spec, target, news, *self._said(job, news))
                cause = cause_of(job.spec.scheduler, target.service) if has_ended else ""
                self._add(job.spec, target, alert, news, _WINDOW_S, cause)

    def _places(self, spec: Spec, *kinds: str) -> list[tuple[str, str]]:
        """Channel and group key of each of its incidents of these kinds, as it is declared."""
        alerts = [
            (one, self._alert(spec, one, News(kind, 0.0, 0.0), words.JOB_DID_NOT_RUN, ("", ""), ()))
            for one in spec.targets
            for kind in kinds
        ]
        return [(one.channel, group_key(alert, one.recipients)) for one, alert in alerts]

    def _add(self, spec: Spec, target: Target, alert: Alert, news: News, window_s: float, cause: str = "") -> None:
        key, who = group_key(alert, target.recipients), _numbered(spec, news.kind)
        self._rows.missed(who, Missed(target, masked(alert, self._options.mask), key, news, window_s, cause))

    def _close(self, spec: Spec, kind: str, channel: str, key: str, news: News) -> None:
        run = None
        if news.took_s or news.has_failed:
            most_s = spec.max_runtime_s if news.took_s else 0.0
            run = RunEnd(began=news.due, took_s=news.took_s, most_s=most_s, has_failed=news.has_failed)
        self._rows.ran(
            _numbered(spec, kind),
            channel,
            key,
            news,
            Answer(DONE, self._options.mask(spec.name), BY_RUN, news.at, run=run),
        )

    def _tell_unwatched(self, jobs: Iterable[Job], gap: Gap, time: float) -> None:
        """One line for all of a channel and its recipients, of whatever level."""
        found: dict[Target, list[tuple[Spec, News]]] = {}
        steps = self._options.steps(logging.WARNING)
        for job in jobs:
            for news in job.seen.news:
                for target in job.spec.targets if news.kind == UNWATCHED else ():
                    found.setdefault(replace(target, steps=steps), []).append((job.spec, news))
        for target, unwatched in found.items():
            names = sorted({spec.name for spec, _ in unwatched})
            shown = ", ".join(names[:_MOST_NAMES]) + (f", … ({len(names)})" if len(names) > _MOST_NAMES else "")
            args = (self._clock_time(gap[0]), self._clock_time(gap[1]), shown)
            spec = Spec(name=f"{gap[0]} {shown}", level=logging.WARNING)
            for one, news in unwatched:
                alert = self._alert(spec, target, news, words.NOBODY_WATCHED, args, ())
                self._add(one, target, replace(alert, logger="jobs"), replace(news, at=time), 0.0)

    def _said(self, job: Job, news: News) -> tuple[Phrase, tuple[str, ...], tuple[tuple[str, str], ...]]:
        """What an alert says of it: phrase, arguments, fields."""
        spec, seen = job.spec, job.seen
        due = self._clock_time(news.due, spec.zone)
        last = self._clock_time(seen.began, spec.zone) if seen.began else words.NONE.en
        fields = (("last run", last), ("schedule", _schedule_of(spec)))
        if news.kind == OVER:
            if not spec.max_runtime_s:
                return words.JOB_IS_BEHIND, (spec.name, due, str(expected.MAX_RUNS)), fields[1:]
            return words.JOB_IS_NOT_OVER, (spec.name, due, exactly(spec.max_runtime_s, "en")), fields[1:]
        is_away = self._away >= news.due - expected.EARLY_S
        return words.JOB_DID_NOT_REPORT if is_away else words.JOB_DID_NOT_RUN, (spec.name, due), fields

    def _alert(
        self,
        spec: Spec,
        target: Target,
        news: News,
        phrase: Phrase,
        args: tuple[str, ...],
        fields: tuple[tuple[str, str], ...],
    ) -> Alert:
        return Alert(
            id=os.urandom(4).hex(),
            level=spec.level,
            level_name=logging.getLevelName(spec.level),
            logger=spec.name,
            message=phrase.en % args,
            template=phrase.en,
            time=news.at,
            host="",
            process=None,
            process_name="",
            thread_name="",
            place=Frame("", 0, ""),
            module="",
            service=target.service,
            environment=target.environment,
            fields=fields,
            fingerprint=f"{'overrun' if news.kind == OVER else 'job'} {spec.name}",
            recipients=target.recipients,
            ours=(phrase.en, *(name for name, _ in fields)),
        )

    def _clock_time(self, at: float, zone: str = "") -> str:
        """``11-29 02:30 Asia/Shanghai``"""
        there = zone_to_show(zone) or self._options.looks.zone
        found = datetime.fromtimestamp(at, UTC).astimezone(there)
        return f"{found:%m-%d %H:%M} {there if there is not None else found.isoformat()[-6:]}"


def _numbered(spec: Spec, kind: str) -> str:
    """By what the news of a kind are numbered. What nobody watched is told behind the rest: numbered by itself, else
    what came after it would hide it."""
    return f"{kind if kind in (UNWATCHED, OVER) else 'job'} {spec.name}"


def _schedule_of(spec: Spec) -> str:
    if spec.cron:
        return f"{spec.cron} ({spec.zone})"
    return every(spec.every_s, "en") if spec.every_s else words.NONE.en
