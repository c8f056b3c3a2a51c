"""The jobs of a process without a state, and the journal that they come from."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from wecom_logging._incidents.entries import JobRun
from wecom_logging._jobs import expected
from wecom_logging._jobs.book import JobBook
from wecom_logging._jobs.facts import spec_of, text_of
from wecom_logging._jobs.job import NO_GAP, Job, Spec, Target
from wecom_logging._journal.base import Batch
from wecom_logging._journal.memory import MemoryJournal
from wecom_logging.model import Recipients

DAY = 86400.0
SPEC = Spec(name="对账", every_s=3600.0, targets=(Target(channel="app", recipients=Recipients(users=("zhangsan",))),))


class Kept(MemoryJournal):
    """One that remembers what was appended."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[object] = []

    def append(self, batch: Batch) -> None:
        self.all += batch.entries
        super().append(batch)


class Clock:
    now = 1_764_072_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def declared(book: JobBook, spec: Spec = SPEC) -> None:
    book.change(spec.name, lambda job, now: Job(spec=spec, seen=expected.declared(job, spec, now)))


def test_a_run_is_an_entry_of_the_journal(clock: Clock) -> None:
    journal = Kept()
    book = JobBook(clock, journal)
    declared(book)
    book.began("对账", "a")
    assert journal.all == [JobRun(job="对账", run="a", began=clock.now)]
    clock.now += 60
    book.ended("对账", "a", has_failed=True)
    row = book.find("对账")
    assert row is not None
    seen = row.job.seen
    assert (seen.began, seen.took_s, seen.has_failed, seen.runs) == (clock.now - 60, 60.0, True, ())
    assert journal.read() == []  # it is in the book


def test_each_entry_counts_once_whoever_asks(clock: Clock) -> None:
    book = JobBook(clock)
    threads = [threading.Thread(target=book.began, args=("对账", f"run {number}")) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    rows = [book.find("对账"), book.all()[0]["对账"]]
    assert [len(row.job.seen.runs) for row in rows if row is not None] == [8, 8]


def test_what_is_declared_is_a_fact_of_the_journal(clock: Clock) -> None:
    journal = MemoryJournal()
    declared(JobBook(clock, journal))
    other = JobBook(clock, journal)
    assert other.all()[0]["对账"].job.spec == SPEC
    facts = journal.facts("")
    assert facts is not None
    assert [spec_of(text) for text in facts.texts.values()] == [SPEC]


@pytest.mark.parametrize("target", [Target(channel="app"), Target(channel="b", steps=(600.0, 1200.0), duty="{}")])
def test_the_text_of_a_fact_is_read_as_it_was_written(target: Target) -> None:
    spec = replace(SPEC, cron="30 2 * * *", every_s=0.0, zone="Asia/Shanghai", targets=(target, *SPEC.targets))
    assert spec_of(text_of(spec)) == spec


def test_who_stops_watching_a_job_may_undo_that(clock: Clock) -> None:
    book = JobBook(clock)
    declared(book)
    book.forget("对账")
    assert (book.find("对账"), book.all()[0]) == (None, {})
    book.remember("对账")
    row = book.find("对账")
    assert row is not None
    assert row.job.spec == SPEC


def test_what_nobody_has_declared_is_known_for_a_month_after_its_last_run(clock: Clock) -> None:
    book = JobBook(clock)
    declared(book)
    book.began("another", "a")
    clock.now += 20 * DAY
    book.ended("another", "a", has_failed=False)
    clock.now += 31 * DAY
    assert set(book.all()[0]) == {"对账", "another"}
    clock.now += 2 * DAY
    assert set(book.all()[0]) == {"对账"}


def test_a_row_that_has_changed_meanwhile_is_not_replaced(clock: Clock) -> None:
    book = JobBook(clock)
    declared(book)
    before = book.find("对账")
    assert before is not None
    book.began("对账", "a")
    assert not book.swap("对账", before, before.job)
    there = book.find("对账")
    assert there is not None
    assert book.swap("对账", there, replace(there.job, seen=replace(there.job.seen, missed=1)))


def test_who_looks_says_so(clock: Clock) -> None:
    book = JobBook(clock)
    assert book.watched() is None
    assert book.watch(None, clock.now, NO_GAP)
    watched = book.watched()
    assert watched is not None
    assert watched.at == clock.now


def test_a_batch_of_another_kind_is_passed_over(clock: Clock) -> None:
    journal = MemoryJournal()
    book = JobBook(clock, journal)
    journal.append(Batch(journal.writer, next(journal.numbers), ("not of jobs",)))
    book.began("对账", "a")
    assert set(book.all()[0]) == {"对账"}
