"""What was missed of a job, what still runs, and when it is looked at: values in, values out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from wecom_logging._incidents.codec import as_line, plain, read, typed
from wecom_logging._jobs import expected
from wecom_logging._jobs.expected import declared, ended, judged, look_at, slot, started
from wecom_logging._jobs.job import Job, News, Run, Seen, Spec, Target
from wecom_logging._jobs.schedule import Cron
from wecom_logging.model import Recipients

DAILY = Cron("30 2 * * *", UTC)
SPEC = Spec(name="daily", cron="30 2 * * *", zone="UTC", grace_s=1200, max_runtime_s=7200)
HOURLY = Spec(name="hourly", every_s=3600)


def at(text: str) -> float:
    """``29 02:30``: of November."""
    return datetime.fromisoformat(f"2026-11-{text.replace(' ', 'T')}").replace(tzinfo=UTC).timestamp()


def told(seen: Seen) -> list[tuple[str, float, int]]:
    return [(one.kind, one.due, one.number) for one in seen.news]


SEEN = Seen(base=at("10 12:00"))


def test_an_occurrence_is_missed_at_the_very_end_of_its_grace() -> None:
    end = at("11 02:50")
    assert look_at(SPEC, SEEN, DAILY) == end
    assert judged(SPEC, SEEN, end - 0.1, DAILY) is SEEN
    assert told(judged(SPEC, SEEN, end, DAILY)) == [("missed", at("11 02:30"), 1)]


def test_several_are_missed_at_once_as_one_news_and_judged_once() -> None:
    seen = judged(SPEC, SEEN, at("13 12:00"), DAILY)
    assert (told(seen), seen.missed) == ([("missed", at("11 02:30"), 3)], 3)
    again = replace(seen, news=())
    assert judged(SPEC, again, at("13 12:00"), DAILY) is again
    assert told(judged(SPEC, again, at("14 02:50"), DAILY)) == [("missed", at("14 02:30"), 1)]


@pytest.mark.parametrize(
    ("begins", "serves"),
    [("11 02:28:30", "11 02:30"), ("11 02:28:29", "10 02:30"), ("11 02:30", "11 02:30"), ("11 23:59", "11 02:30")],
)
def test_a_run_serves_the_time_before_it_or_the_next_if_that_is_near(begins: str, serves: str) -> None:
    assert slot(at(begins), DAILY) == at(serves)


def test_early_serves_the_nearer_of_two() -> None:
    each_minute = Cron("* * * * *", UTC)
    assert slot(at("11 02:00:29"), each_minute) == at("11 02:00")
    assert slot(at("11 02:00:31"), each_minute) == at("11 02:01")


def test_the_next_run_closes_what_was_missed_with_its_start() -> None:
    seen = replace(judged(SPEC, SEEN, at("12 12:00"), DAILY), news=())
    seen = started(seen, "a", at("12 13:00"))
    assert (told(seen), seen.missed) == ([("ran", at("12 13:00"), 2)], 0)
    seen = ended(seen, "a", at("12 13:10"), has_failed=True)
    assert [one.has_failed for one in seen.news] == [True]
    assert (len(seen.news), seen.took_s, seen.has_failed, seen.runs) == (1, 600, True, ())
    assert look_at(SPEC, replace(seen, news=()), DAILY) == at("13 02:50")


def test_an_end_without_a_start_is_a_run() -> None:
    seen = ended(SEEN, "", at("11 02:35"), has_failed=False)
    assert look_at(SPEC, seen, DAILY) == at("12 02:50")


def test_the_oldest_open_run_is_over_though_later_ones_start() -> None:
    seen = SEEN
    for number in range(3):
        seen = started(seen, f"run {number}", at("11 02:30") + 3600 * number)
    assert look_at(SPEC, seen, DAILY) == at("11 04:30")
    seen = replace(judged(SPEC, seen, at("11 04:30"), DAILY), news=())
    assert (seen.over, [run.is_told for run in seen.runs]) == (1, [True, False, False])
    assert started(seen, "another", at("11 04:31")).news == ()
    seen = ended(seen, "run 0", at("11 04:40"), has_failed=False)
    assert told(seen) == [("ended", at("11 02:30"), 1)]
    assert [one.took_s for one in seen.news] == [7800]


def test_a_run_that_was_killed_is_given_up_with_the_end_of_a_later_one() -> None:
    seen = replace(judged(SPEC, started(SEEN, "killed", at("11 02:30")), at("11 05:00"), DAILY), news=())
    seen = ended(started(seen, "next", at("12 02:30")), "next", at("12 02:40"), has_failed=False)
    assert (told(seen), seen.runs) == ([("ended", at("12 02:30"), 1)], ())
    assert [one.took_s for one in seen.news] == [0]


def test_the_ninth_open_run_ends_the_oldest_and_that_is_told() -> None:
    seen = SEEN
    for number in range(expected.MAX_RUNS + 1):
        seen = started(seen, str(number), at("11 02:30") + number)
    assert (len(seen.runs), told(seen)) == (8, [("over", at("11 02:30"), 1)])


def test_over_comes_before_missed() -> None:
    seen = judged(SPEC, started(SEEN, "hangs", at("11 02:30")), at("12 03:00"), DAILY)
    assert [one.kind for one in seen.news] == ["over", "missed"]


def test_every_counts_from_the_last_start() -> None:
    seen = started(Seen(base=at("10 12:00")), "a", at("10 12:40"))
    assert look_at(HOURLY, seen, None) == at("10 13:45")
    assert told(judged(HOURLY, seen, at("10 15:50"), None)) == [("missed", at("10 13:40"), 3)]


def test_what_falls_into_a_pause_is_not_missed_and_its_end_is_the_base() -> None:
    seen = replace(SEEN, paused_until=at("12 12:00"))
    assert judged(SPEC, seen, at("12 11:59"), DAILY) is seen
    assert look_at(SPEC, started(seen, "a", at("11 12:00")), DAILY) == at("12 12:00")
    assert judged(SPEC, seen, at("13 02:49"), DAILY) is seen
    assert told(judged(SPEC, seen, at("13 02:50"), DAILY)) == [("missed", at("13 02:30"), 1)]


def test_the_same_declared_again_changes_nothing_and_another_schedule_is_judged_from_then() -> None:
    assert declared(Job(spec=SPEC, seen=SEEN), replace(SPEC, grace_s=60), at("12 12:00")) is SEEN
    assert declared(Job(spec=SPEC, seen=SEEN), replace(SPEC, cron="0 3 * * *"), at("12 12:00")).base == at("12 12:00")
    assert declared(None, SPEC, at("12 12:00")) == expected.new(at("12 12:00"))
    hourly = Job(spec=HOURLY, seen=SEEN)
    assert declared(hourly, replace(HOURLY, zone="UTC"), at("12 12:00")) is SEEN  # it only says how times are shown


def test_what_fell_due_while_nobody_watched_is_unwatched_after_its_grace() -> None:
    gap = (at("11 02:00"), at("11 03:10"))
    assert look_at(SPEC, SEEN, DAILY, gap) == at("11 03:30")
    assert judged(SPEC, SEEN, at("11 03:29"), DAILY, gap) is SEEN
    seen = judged(SPEC, SEEN, at("11 03:30"), DAILY, gap)
    assert (told(seen), seen.missed) == ([("unwatched", at("11 02:30"), 1)], 0)
    seen = replace(seen, news=())
    assert told(judged(SPEC, seen, at("12 02:50"), DAILY, gap)) == [("missed", at("12 02:30"), 1)]
    late = started(SEEN, "late", at("11 03:20"))
    assert judged(SPEC, late, at("11 03:30"), DAILY, gap) is late


def test_a_gap_hides_no_miss_of_before_and_many_occurrences_in_it_are_one() -> None:
    gap = (at("11 02:31"), at("11 03:10"))
    assert told(judged(SPEC, SEEN, at("11 03:10"), DAILY, gap)) == [("missed", at("11 02:30"), 1)]
    seen = judged(replace(HOURLY, every_s=60), SEEN, at("11 04:00"), None, (at("10 12:00"), at("11 03:55")))
    assert [one.kind for one in seen.news] == ["unwatched"]


def test_time_that_nobody_watched_makes_no_run_too_long() -> None:
    seen = started(SEEN, "a", at("11 02:30"))
    assert look_at(SPEC, seen, DAILY, (at("11 02:40"), at("11 12:40"))) == at("11 14:30")


def test_a_clock_that_was_set_back_hides_no_miss() -> None:
    seen = ended(started(SEEN, "a", at("20 02:30")), "a", at("20 02:40"), has_failed=False)
    seen = judged(SPEC, seen, at("18 02:00"), DAILY)
    assert look_at(SPEC, seen, DAILY) == at("18 02:50")
    assert told(judged(SPEC, seen, at("18 02:50"), DAILY)) == [("missed", at("18 02:30"), 1)]


def test_a_job_is_kept_as_a_document() -> None:
    target = Target(channel="app", recipients=Recipients(users=("a",)), steps=(60.0,), duty="{}")
    seen = Seen(base=1.0, runs=(Run("a", 2.0, True),), news=(News("missed", 1.0, 2.0, 3),), missed=3)
    job = Job(spec=replace(SPEC, name="对账", targets=(target,)), seen=seen)
    assert typed(read(as_line(plain(job)), 10_000), Job) == job
