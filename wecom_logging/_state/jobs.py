"""`Jobs`: the jobs that are expected to run, as a state keeps them, all programs that share it see and report the same
ones.

Each is a fact. One more, `Watched`, says when somebody looked last: of those who watch, one looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from .._incidents.codec import as_line, plain, read, typed
from .._jobs import expected
from .._jobs.job import Gap, Job, Row, Seen, Spec, Watched
from .._runtime.clock import seconds_left
from ..errors import StateError
from .base import Fact
from .shared import JOBS as CHANNEL
from .shared import Shared

_JOB, _WATCHED = "job ", "watched"
_MAX_CHARACTERS = 64 * 1024
_TRIES = 50
_LATEST = 1e11
_KEPT_S = 32 * 86400.0
"""So long a job is known that reports, and that nobody has declared."""

UNWATCHED_S = 600.0
"""Nobody watches where nobody has looked for so long."""


class Jobs:
    """Those of a state. What it does raises `StateError`. ``time_s``: in place of the store's clock, for tests."""

    is_shared = True

    def __init__(self, shared: Shared, time_s: Callable[[], float] | None = None) -> None:
        self._shared = shared
        self._has_time = False
        self._time_s = time_s
        self._known: dict[str, Row] = {}

    def _use(self, use: Callable[[Any], Any]) -> Any:
        return self._shared.call(use)

    def time(self) -> float:
        """The store's, whatever this host's clock shows."""
        if self._time_s is not None:
            return self._time_s()
        if not self._has_time:  # a store with a clock of its own tells it with its answers
            self._use(lambda store: store.open(CHANNEL, 1, [_WATCHED]))
            self._has_time = True
        return float(self._use(lambda store: store.time()))

    def find(self, name: str) -> Row | None:
        """One of them; None also where another hand has been at it."""
        fact = self._fact(name)
        row = None if fact is None else _row(fact)
        return None if row is None or row.job.is_forgotten else row

    def _fact(self, name: str) -> Fact | None:
        now = self.time()
        fact: Fact | None = self._use(lambda store: store.get(CHANNEL, _JOB + name, now))
        return fact

    def all(self) -> tuple[Mapping[str, Row], Watched | None]:
        """All of them by their names, in one request, and who watched."""
        now = self.time()
        facts: dict[str, Fact] = self._use(lambda store: store.facts(CHANNEL, now))
        found: dict[str, Row] = {}
        for name, fact in facts.items():
            known = self._known.get(name)
            row = known if known is not None and known.version == fact.version else _row(fact)
            if name.startswith(_JOB) and row is not None:
                found[name] = row
        self._known = found
        shown = {name.removeprefix(_JOB): row for name, row in found.items() if not row.job.is_forgotten}
        return shown, _watched(facts.get(_WATCHED))

    def swap(self, name: str, before: Row | None, job: Job | None) -> bool:
        """Another in its place, if it is still that; None forgets it."""
        text = "" if job is None else as_line(_kept({} if before is None else before.document, plain(job), Job))
        return self._put(name, 0 if before is None else before.version, text, ends=job is None or not job.spec.targets)

    def _put(self, name: str, version: int, text: str, *, ends: bool) -> bool:
        now = self.time()
        until = now + _KEPT_S if ends else 0.0
        return bool(self._use(lambda store: store.put(CHANNEL, _JOB + name, version, text, until, now)))

    def change(self, name: str, become: Callable[[Job | None, float], Job | None]) -> Job | None:
        """Let it become another, whoever changes it meanwhile: what it is now."""
        for _ in range(_TRIES):
            fact, now = self._fact(name), self.time()
            row = None if fact is None else _row(fact)
            if fact is not None and row is None:  # another hand has been at it: it begins anew
                self._put(name, fact.version, "", ends=True)
                continue
            before = None if row is None else row.job
            after = become(before, now)
            if after == before or self.swap(name, row, after):
                return after
            if seconds_left() <= 0:
                break
        raise StateError("other processes change this job all the time")

    def forget(self, name: str) -> None:
        """Expect it no more, until a program declares it again; `remember` undoes that within a month."""
        self.change(name, lambda job, now: expected.forgotten(job))

    def remember(self, name: str) -> None:
        """Expect it again, as before."""
        self.change(name, lambda job, now: expected.remembered(job))

    def began(self, name: str, run: str) -> None:
        """A run begins."""
        self._note(name, lambda seen, now: expected.started(seen, run, now))

    def ended(self, name: str, run: str, *, has_failed: bool) -> None:
        """It has ended."""
        self._note(name, lambda seen, now: expected.ended(seen, run, now, has_failed=has_failed))

    def _note(self, name: str, become: Callable[[Seen, float], Seen]) -> None:
        def noted(job: Job | None, now: float) -> Job:
            job = job or Job(spec=Spec(name=name), seen=expected.new(now))
            return replace(job, seen=become(job.seen, now))

        self.change(name, noted)

    def watched(self) -> Watched | None:
        """When somebody looked last."""
        now = self.time()
        return _watched(self._use(lambda store: store.get(CHANNEL, _WATCHED, now)))

    def watch(self, before: Watched | None, at: float, gap: Gap) -> bool:
        """This process looks now, if nobody else does."""
        text, version = as_line({"at": at, "gap": list(gap)}), 0 if before is None else before.version
        return bool(self._use(lambda store: store.put(CHANNEL, _WATCHED, version, text, 0.0, at)))


def _row(fact: Fact) -> Row | None:
    try:
        document = read(fact.text, _MAX_CHARACTERS)
        job = typed(document, Job)
    except (ValueError, RecursionError):
        return None
    assert isinstance(job, Job)
    return Row(job, fact.version, document) if _is_sound(job.spec, job.seen) else None


def _is_sound(spec: Spec, seen: Seen) -> bool:
    """Whether a calendar has all its times."""
    lengths = (spec.every_s, spec.grace_s, spec.max_runtime_s, seen.took_s)
    times = (seen.base, seen.judged_to, seen.began, seen.ended, seen.paused_until, *(run.began for run in seen.runs))
    news = (time for one in seen.news for time in (one.at, one.due))
    return all(0 <= one < _LATEST for one in (*lengths, *times, *news))


def _kept(before: Any, after: dict[str, Any], kind: type) -> dict[str, Any]:
    """A document with what a later version has written beside what is known here."""
    known = {one.name for one in fields(kind)}
    beyond = {name: value for name, value in before.items() if name not in known}
    parts = {"spec": Spec, "seen": Seen} if kind is Job else {}
    inside = {name: _kept(before.get(name, {}), after[name], part) for name, part in parts.items()}
    return {**beyond, **after, **inside}


def _watched(fact: Fact | None) -> Watched | None:
    if fact is None:
        return None
    try:
        found = read(fact.text, _MAX_CHARACTERS)
        at, (since, until) = float(found["at"]), map(float, found["gap"])
        if not all(0 <= one < _LATEST for one in (at, since, until)):
            raise ValueError("no calendar has them")
    except (ValueError, TypeError, KeyError, RecursionError):  # another hand has been at it
        return Watched(0.0, version=fact.version)
    return Watched(at, (since, until), fact.version)
