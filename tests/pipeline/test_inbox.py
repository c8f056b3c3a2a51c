"""What the calling threads have queued and counted, as entries: a collector, records, and what comes out."""

from __future__ import annotations

import gc
import logging
import os
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from wecom_logging._capture.collector import Collector
from wecom_logging._capture.context import carry
from wecom_logging._capture.pending import Origin
from wecom_logging._capture.tally import MAX_TALLIES, Tally
from wecom_logging._delivery.inbox import NOTHING, PART, Inbox
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.options import Options
from wecom_logging._incidents.apply import apply
from wecom_logging._incidents.duty import duty_text
from wecom_logging._incidents.entries import Counted, Opened
from wecom_logging._incidents.outcomes import ended, sent
from wecom_logging._incidents.plan import Act
from wecom_logging._incidents.values import Counts, Incident, Opening, Sent
from wecom_logging._masking.redact import masker, redact
from wecom_logging.model import Alert, Digest, Recipients, Route, Variant
from wecom_logging.model.duty import Duty, Step

from ..storms import Recorder, record, settled, warned

WINDOW_S = 60.0
PNG = b"\x89PNG\r\n\x1a\n"


class Idle:
    """In place of a worker."""

    pid = os.getpid()
    lacks_thread = False
    nudges = 0

    def nudge(self) -> None:
        self.nudges += 1


class Rig:
    """A collector with its inbox, and the rows that its entries make."""

    def __init__(self, **changes: Any) -> None:
        plain = {
            "name": "test",
            "origin": Origin(service="shop"),
            "looks": Composer(markdown=False),
            "mask": masker([], redact),
        }
        self.options = Options(**{**plain, **changes})
        worker: Any = Idle()
        make: Callable[[Any], Alert] = lambda first: self.inbox.make(first)  # noqa: E731 # it comes after the collector
        self.collector = Collector(self.options, worker, make, None, lambda number: None)
        self.inbox = Inbox(self.collector, self.options, Recorder(lambda: 0.0))
        self.rows: dict[str, Incident] = {}
        self.lost: set[str] = set()
        self.now = 1000.0

    def log(self, *args: Any, **more: Any) -> None:
        self.collector.emit(record(*args, **more))

    def fail(self) -> None:
        """Log an exception, always the same."""
        try:
            raise ValueError("no stock")
        except ValueError as error:
            self.log("order failed", error=error)

    def take(self, *, at_once: bool = True) -> list[Opened | Counted]:
        entries = self.inbox.take(self.now, at_once=at_once)
        for entry in entries:
            after = apply(self.rows.get(entry.key), entry, self.now, "k7f2")
            if after is None:  # one that had ended once counts late: it is lost as the row was, as the leader does
                assert entry.key in self.lost, "counted before it was opened"
                self.inbox.lost(entry.key, "queue_overflow", entry.count)
                continue
            self.rows[entry.key] = after
        return entries

    def opened(self) -> list[Opened]:
        return [one for one in self.take() if isinstance(one, Opened)]

    def send(self, key: str, how: str = "delivered") -> None:
        """A message that shows all of an incident."""
        row = self.rows[key]
        self.inbox.settle(how, row)
        self.rows[key] = sent(row, row, Act.DIGEST if row.sent.count else Act.FIRST, self.now)
        self.inbox.settled(key, how, self.now)

    def end(self, key: str) -> None:
        self.rows[key] = ended(self.rows[key], self.now)
        self.inbox.over(key)

    @property
    def stats(self) -> dict[str, Any]:
        found = self.collector.counters.stats()
        assert found.accepted == settled(found) + found.pending
        assert found.pending >= 0
        return {"accepted": found.accepted, "pending": found.pending} | {
            name: number
            for name, number in [
                ("delivered", found.delivered),
                ("merged", found.merged),
                ("handed_over", found.handed_over),
                *found.dropped.items(),
            ]
            if number
        }

    @property
    def unsent(self) -> int:
        return sum(row.unsent for row in self.rows.values())


# What a record becomes.


def test_a_record_becomes_an_entry_that_opens_its_incident_masked() -> None:
    rig = Rig(steps_s=(300.0,), steps_level=logging.ERROR)
    rig.log("login failed, password=hunter2", line=7)
    (entry,) = rig.opened()
    assert entry.alert.message == "login failed, password=***"
    assert (entry.level, entry.service, entry.scopes) == (logging.ERROR, "shop", ("shop", "shop"))
    assert (entry.window_s, entry.steps, entry.count) == (WINDOW_S, (300.0,), 1)
    assert entry.last == entry.alert.time
    assert "hunter2" not in repr(entry)


def test_an_entry_bears_its_route_and_the_steps_that_ring() -> None:
    steps = (Step(60.0, Recipients(users=("zhangsan",))), Step(300.0, Recipients(users=("lisi",)), calls=True))
    rig = Rig(
        routes=(Route(Recipients(users=("zhangsan",)), "shop"),),
        duty=duty_text(Duty(steps=steps)),
        steps_s=(60.0, 300.0),
    )
    rig.log("disk full", level=logging.CRITICAL)
    rig.log("disk slow")
    critical, error = rig.opened()
    assert (critical.steps, critical.calls) == ((60.0, 300.0), (2,))
    assert (error.steps, error.calls) == ((), ())
    assert "zhangsan" in error.audience


def test_what_repeats_is_counted_under_the_key_of_the_first_once_a_second() -> None:
    rig = Rig()
    rig.fail()
    (first,) = rig.take(at_once=False)
    rig.fail()  # what was quiet before wakes the worker
    assert [(one.key, one.count) for one in rig.take(at_once=False)] == [(first.key, 1)]
    for _ in range(5):
        rig.fail()
    rig.now += 0.5
    assert rig.take(at_once=False) == []
    assert 0 < rig.inbox.seconds_to_next_take(rig.now) <= 0.5
    rig.now += 0.5
    assert [(one.key, one.count) for one in rig.take(at_once=False)] == [(first.key, 5)]


def test_what_is_critical_comes_first_and_a_part_at_a_time() -> None:
    rig = Rig()
    for number in range(PART + 10):
        rig.log("broken", line=number)
    rig.log("disk full", level=logging.CRITICAL)
    part = rig.take(at_once=False)
    assert len(part) == PART
    assert part[0].level == logging.CRITICAL
    assert rig.inbox.seconds_to_next_take(rig.now) == 0.0
    assert len(rig.take(at_once=False)) == 11
    assert rig.inbox.seconds_to_next_take(rig.now) == float("inf")


def test_what_was_hidden_in_the_first_is_hidden_in_later_texts() -> None:
    rig = Rig()
    rig.log("login with password=Xk29sLq0 of job %s failed", 1)
    rig.take()
    rig.log("login with password=Xk29sLq0 of job %s failed", "Xk29sLq0")
    (counted,) = rig.take()
    assert isinstance(counted, Counted)
    assert counted.samples
    assert "Xk29sLq0" not in repr(counted)


def test_variants_of_one_text_are_one_incident_which_names_each_once() -> None:
    rig = Rig()
    for number in range(30):
        rig.log(f"cannot load the module of {chr(97 + number % 26)}{chr(97 + number // 26)}xy for the shop", line=1)
    entries = rig.take()
    many = [one for one in entries if isinstance(one, Counted) and one.variants]
    (counted,) = many
    assert counted.count >= 10
    assert sum(variant.is_new for variant in counted.variants) == len(counted.variants)
    assert "cxy" not in {variant.name for variant in counted.variants}  # its own message has it
    rig.log("cannot load the module of bbxy for the shop", line=1)
    (again,) = rig.take()
    assert isinstance(again, Counted)
    assert again.key == counted.key
    (variant,) = again.variants
    assert (variant.name, variant.count, variant.is_new) == ("bbxy", 1, False)


def test_after_its_end_the_next_record_opens_it_with_its_own_alert() -> None:
    rig = Rig()
    rig.log("order %s failed", 1)
    (first,) = rig.opened()
    rig.send(first.key)
    rig.end(first.key)
    rig.log("order %s failed", 2)
    (again,) = rig.opened()
    assert again.key == first.key
    assert again.alert.message == "order 2 failed"
    assert again.alert.id != first.alert.id


def test_what_had_to_make_room_and_comes_again_is_counted_and_made_no_more() -> None:
    masks: list[str] = []

    def mask(text: str) -> str:
        masks.append(text)
        return text

    rig = Rig(mask=mask)
    rig.log("the first of many", line=0)
    (first,) = rig.opened()
    for number in range(MAX_TALLIES + 1):
        rig.log("one of many", line=number + 1)
    rig.take()
    masks.clear()
    rig.log("the first of many", line=0)
    rig.log("the first of many", line=0)
    assert [(one.key, one.count) for one in rig.take() if isinstance(one, Counted)] == [(first.key, 1)] * 2
    assert masks == ["the first of many"]  # as a sample
    rig.inbox.over(first.key)
    rig.log("the first of many", line=0)
    (anew,) = rig.opened()
    assert anew.key == first.key


def test_what_had_to_make_room_is_kept_no_longer() -> None:
    before, rig = living_tallies(), Rig()
    for again in range(3):
        for number in range(2 * MAX_TALLIES):
            rig.log(f"{again} of many", line=number)
        rig.take()
    assert living_tallies() - before <= 2 * MAX_TALLIES + 1


def living_tallies() -> int:
    gc.collect()
    return sum(isinstance(one, Tally) for one in gc.get_objects())


def test_what_comes_after_all_ended_is_new() -> None:
    rig = Rig()
    rig.log("db down")
    rig.take()
    rig.inbox.end_all()
    rig.log("db down")
    assert len(rig.opened()) == 1


# What cannot be made.


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)], ids=["an error", "an exit"])
def test_a_record_whose_text_cannot_be_masked_is_rejected_alone(error: BaseException) -> None:
    def mask(text: str) -> str:
        if "poison" in text:
            raise error
        return text

    rig = Rig(mask=mask)
    rig.log("good", line=1)
    rig.log("poison", line=2)
    rig.log("poison", line=2)
    rig.log("better", line=3)
    entries: list[Opened | Counted] = []
    if isinstance(error, Exception):
        entries = rig.take()
    else:
        with pytest.raises(SystemExit):
            rig.take()
        entries = rig.take()
    assert [one.alert.message for one in entries if isinstance(one, Opened)] == ["good", "better"]
    assert rig.stats == {"accepted": 4, "pending": 2, "rejected": 2}
    assert "defect test" in warned()


def test_a_later_text_that_cannot_be_masked_is_counted_and_not_shown() -> None:
    def mask(text: str) -> str:
        if "7" in text:
            raise ValueError
        return text

    rig = Rig(mask=mask)
    rig.log("order %s failed", 1)
    rig.take()
    rig.log("order %s failed", 7)
    (counted,) = rig.take()
    assert isinstance(counted, Counted)
    assert (counted.count, counted.samples) == (1, ())
    assert rig.stats == {"accepted": 2, "pending": 2}


# What is kept beside an entry.


def test_what_another_handler_hands_over_is_an_incident_of_its_own_with_its_numbers() -> None:
    alert = Rig()
    alert.log("db down, password=hunter2")
    (entry,) = alert.opened()
    given = [Digest(entry.alert, count=1, total=1), Digest(entry.alert, count=9, total=10)]
    rig = Rig()
    for one in given:
        carry(given_on := record(), one)
        rig.collector.emit(given_on)
    first, second = rig.opened()
    assert first.key != second.key
    assert first.key[:8] == second.key[:8] == entry.key[:8]
    beside = rig.inbox.beside(second.key)
    assert beside.digest is not None
    assert beside.digest.total == 10
    rig.send(second.key)
    assert rig.inbox.beside(second.key) is NOTHING
    assert rig.stats == {"accepted": 2, "pending": 1, "delivered": 1}


def test_a_picture_is_kept_until_its_message_and_takes_no_more_room_than_there_is() -> None:
    rig = Rig(max_pending_bytes=2048)
    keys = []
    for number in range(3):
        rig.log("chart", line=number, wecom={"attach": PNG + bytes(1000)})
        keys += [one.key for one in rig.opened()]
    assert [len(rig.inbox.beside(key).picture) > 1000 for key in keys] == [False, True, True]
    rig.send(keys[2])
    assert rig.inbox.beside(keys[2]) is NOTHING


def test_pictures_that_wait_in_the_queue_have_a_bound_and_their_alerts_are_kept() -> None:
    rig = Rig(max_pending_bytes=2048)
    for number in range(3):
        rig.log("chart", line=number, wecom={"attach": PNG + bytes(1000)})
    assert [len(rig.inbox.beside(one.key).picture) > 1000 for one in rig.opened()] == [True, True, False]


# How records end.


def _shown(number: int, *, before: int = 0, variants: tuple[Variant, ...] = ()) -> Incident:
    counts = Counts(count=before + number, at=1.0, unsent_at=1.0, variants=variants)
    return Incident(opening=Opening(key="k", short_id="k7f2"), counts=counts, sent=Sent(count=before))


NEW, OLD = Variant("bob", 2, is_new=True), Variant("ann", 2)


@pytest.mark.parametrize(
    ("shown", "how", "expected"),
    [
        (_shown(1), "delivered", {"delivered": 1}),
        (_shown(5), "delivered", {"delivered": 1, "merged": 4}),
        (_shown(5, before=3), "delivered", {"merged": 5}),
        (_shown(5, before=3, variants=(NEW, OLD)), "delivered", {"delivered": 1, "merged": 4}),
        (_shown(1, variants=(NEW,)), "delivered", {"delivered": 1}),
        (_shown(0, before=3), "delivered", {}),
        (_shown(5), "rejected", {"rejected": 5}),
        (_shown(5, before=3), "expired", {"expired": 5}),
        (_shown(5), "handed_over", {"handed_over": 5}),
    ],
)
def test_a_message_settles_each_record_that_it_shows(shown: Incident, how: str, expected: dict[str, int]) -> None:
    rig = Rig()
    for _ in range(5):
        rig.inbox.accept()
    rig.inbox.settle(how, shown)
    number = sum(expected.values())
    assert rig.stats == {"accepted": 5, "pending": 5 - number} | expected


def test_a_duplicate_report_is_merged_when_it_is_seen() -> None:
    rig = Rig()
    failure = ValueError("no stock")
    rig.log("order failed", error=failure)
    rig.log("request failed", error=failure, line=2)
    entries = rig.take()
    assert [type(one) for one in entries] == [Opened]
    assert rig.stats == {"accepted": 2, "pending": 1, "merged": 1}


def test_what_leaves_the_book_is_lost_with_all_that_was_counted() -> None:
    rig = Rig()
    rig.fail()
    rig.fail()
    (entry,) = rig.opened()
    rig.fail()
    row = rig.rows.pop(entry.key)
    rig.inbox.lost(entry.key, "queue_overflow", row.unsent)
    rig.take()
    assert rig.stats == {"accepted": 3, "pending": 0, "queue_overflow": 3}
    rig.fail()
    assert len(rig.opened()) == 1


def test_what_no_turn_comes_for_is_given_up_with_its_number() -> None:
    rig = Rig()
    rig.log("db down")
    rig.take()
    for number in range(5):
        rig.log("broken", line=number)
        rig.log("db down")
    rig.inbox.give_up("exit_timeout")
    assert rig.stats == {"accepted": 11, "pending": 1, "exit_timeout": 10}


@pytest.mark.parametrize("seed", range(4))
def test_each_record_is_settled_once_whatever_comes_between(seed: int) -> None:
    """Threads log, while the incidents are sent, refused, ended and lost at random."""
    rig, dice, stop = Rig(), random.Random(seed), threading.Event()

    def storm(number: int) -> None:
        mine = random.Random(f"{seed} {number}")
        while not stop.is_set():
            kind = mine.randrange(40)
            try:
                raise ValueError(f"no stock of {kind % 7}")
            except ValueError as error:
                rig.log("failed", line=kind, error=error if kind % 3 else None)
                if kind % 5 == 0:
                    rig.log("failed again", line=100 + kind, error=error)

    threads = [threading.Thread(target=storm, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        rig.now += dice.uniform(0.0, 2.0)
        rig.take(at_once=dice.random() < 0.3)
        assert rig.stats["pending"] >= rig.unsent
        for key in dice.sample(sorted(rig.rows), min(len(rig.rows), 5)):
            match dice.randrange(5):
                case 0:
                    rig.lost.add(key)
                    rig.inbox.lost(key, "queue_overflow", rig.rows.pop(key).unsent)
                case 1 if not rig.rows[key].unsent:
                    rig.end(key)
                case 2:
                    rig.send(key, "rejected")
                case _:
                    rig.send(key)
    stop.set()
    for thread in threads:
        thread.join()
    for _ in range(3):  # what a closed tally has counted too late comes with its successor
        rig.take()
    assert rig.stats["pending"] == rig.unsent
    for key in rig.rows:
        rig.send(key)
    assert rig.stats["pending"] == 0
    assert {"delivered", "merged", "rejected", "queue_overflow"} <= rig.stats.keys()
