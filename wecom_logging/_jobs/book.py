"""`JobBook`: the jobs of a process without a state. It is the book of a channel to which nothing is sent.

What is expected is a fact of its journal, a run that begins or ends an entry. `Watch` judges what follows from both.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping

from .._incidents.entries import JobRun
from .._journal.base import Batch, Changes, Journal, Offset
from .._journal.memory import MemoryJournal
from .._runtime.clock import wall
from . import expected
from .facts import spec_of, text_of
from .job import Gap, Job, Row, Spec, Watched

_JOB = "job "
_KEPT_S = 32 * 86400.0
"""So long a job is known that reports, and that nobody has declared."""


class JobBook:
    """Those of one handler. Any thread may ask. ``time_s``: the clock on the wall."""

    is_shared = False

    def __init__(self, time_s: Callable[[], float] = wall, journal: Journal | None = None) -> None:
        self._journal = journal or MemoryJournal()
        self._time_s = time_s
        self._lock = threading.RLock()
        self._rows: dict[str, Row] = {}
        self._texts: dict[str, str] = {}
        """The fact of each job that is declared."""
        self._ends: dict[str, float] = {}
        """When each other job is forgotten."""
        self._versions = itertools.count(1)
        self._watched: Watched | None = None
        self._read = 0
        self._facts = ""

    def time(self) -> float:
        return self._time_s()

    # What runs say.

    def began(self, name: str, run: str) -> None:
        """A run begins."""
        self._append(JobRun(job=name, run=run, began=self.time()))

    def ended(self, name: str, run: str, *, has_failed: bool) -> None:
        """It has ended; one that never said that it began is a run as well."""
        now = self.time()
        self._append(JobRun(job=name, run=run, began=now, ended=now, exit=int(has_failed)))

    def _append(self, entry: JobRun) -> None:
        with self._lock:
            self._journal.append(Batch(self._journal.writer, next(self._journal.numbers), (entry,)))
            self._take_in()  # the journal does not grow, however many runs there are between two looks

    # What is known.

    def find(self, name: str) -> Row | None:
        """One of them. None: it is not known, or forgotten."""
        with self._lock:
            self._take_in()
            row = self._rows.get(name)
            return None if row is None or row.job.is_forgotten else row

    def all(self) -> tuple[Mapping[str, Row], Watched | None]:
        """All of them by their names, and when this process looked last."""
        with self._lock:
            self._take_in_facts()
            self._take_in()
            now = self.time()
            for name in [name for name, ends in self._ends.items() if ends <= now]:
                self._put(name, None)
            return {name: row for name, row in self._rows.items() if not row.job.is_forgotten}, self._watched

    def swap(self, name: str, before: Row | None, job: Job | None) -> bool:
        """Another in its place, if it is still that; None forgets it."""
        with self._lock:
            self._take_in()
            if self._rows.get(name) is not before:
                return False
            self._put(name, job)
            return True

    def change(self, name: str, become: Callable[[Job | None, float], Job | None]) -> Job | None:
        """Let it become another: what it is now."""
        with self._lock:
            self._take_in()
            row = self._rows.get(name)
            before = None if row is None else row.job
            after = become(before, self.time())
            if after != before:
                self._put(name, after)
            return after

    def forget(self, name: str) -> None:
        """Expect it no more, until the program declares it again; `remember` undoes that within a month."""
        self.change(name, lambda job, now: expected.forgotten(job))

    def remember(self, name: str) -> None:
        """Expect it again, as before."""
        self.change(name, lambda job, now: expected.remembered(job))

    def watched(self) -> Watched | None:
        """When this process looked last."""
        return self._watched

    def watch(self, before: Watched | None, at: float, gap: Gap) -> bool:
        """This process looks now."""
        self._watched = Watched(at, gap)
        return True

    # With the lock held.

    def _take_in_facts(self) -> None:
        """Bring in what others have declared."""
        if (facts := self._journal.facts(self._facts)) is not None:
            self._facts = facts.version
            for fact, text in facts.texts.items():
                name = fact.removeprefix(_JOB)
                if self._texts.get(name) != text:
                    self._declare(name, text)

    def _take_in(self) -> None:
        """Bring in what runs have said since."""
        for batch in self._journal.read():
            if batch.number > self._read:
                for entry in batch.entries:
                    if isinstance(entry, JobRun):
                        self._apply(entry)
                self._read = batch.number
                self._journal.save(Changes(offsets={self._journal.writer: Offset(self._read)}))

    def _declare(self, name: str, text: str) -> None:
        """Another has put this fact."""
        row, spec, now = self._rows.get(name), spec_of(text), self.time()
        before = None if row is None else row.job
        self._put(name, Job(spec=spec, seen=expected.declared(before, spec, now)))

    def _apply(self, entry: JobRun) -> None:
        now = entry.ended or entry.began
        row = self._rows.get(entry.job)
        job = Job(spec=Spec(name=entry.job), seen=expected.new(now)) if row is None else row.job
        if entry.ended:
            seen = expected.ended(job.seen, entry.run, now, has_failed=entry.exit != 0)
        else:
            seen = expected.started(job.seen, entry.run, now)
        self._put(entry.job, Job(spec=job.spec, seen=seen, forgotten=job.forgotten))

    def _put(self, name: str, job: Job | None) -> None:
        """Set a row; what is declared is a fact, and what is not is forgotten in a month."""
        if job is None:
            self._rows.pop(name, None)
        else:
            self._rows[name] = Row(job, next(self._versions))
        self._ends.pop(name, None)
        if job is not None and job.spec.targets:
            text = text_of(job.spec)
            if self._texts.get(name) != text:
                self._texts[name] = text
                self._journal.put(_JOB + name, text, float("inf"))
            return
        if self._texts.pop(name, None) is not None:
            self._journal.put(_JOB + name, "", self._journal.clock())
        if job is not None:
            self._ends[name] = self.time() + _KEPT_S
