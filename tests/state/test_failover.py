"""What one process does with a store that comes and goes: what it hands over, takes back, and tells of later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from tests.programs import Clock
from wecom_logging._incidents import answered, life
from wecom_logging._incidents.incident import Count, Incident
from wecom_logging._runtime.clock import seconds_left, within
from wecom_logging._state import batches, failover
from wecom_logging._state.base import StateError, Swap, Wanted
from wecom_logging._state.failover import Claim, FailoverStore
from wecom_logging._state.memory import UNNAMED, MemoryStore
from wecom_logging._state.shared import BACK_OFF_S, Shared

from .conftest import first

CHANNEL = "bot"
ALL = Wanted(100)


def new(key: str, number: int = 1) -> Count:
    """What memory does not know the group key of yet, as of each new alert."""
    return first(f"{UNNAMED}{key}", number)


def memory() -> MemoryStore:
    return MemoryStore(lambda key, reason, own: iter(()))


class There:
    """The store that processes share. ``loses`` says what of a call is lost."""

    def __init__(self) -> None:
        self.store = memory()
        self.loses = ""

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **more: Any) -> Any:
            if self.loses == "the request":
                raise StateError("the request is lost")
            found = getattr(self.store, name)(*given, **more)
            if self.loses == name:
                self.loses = "the request"  # and all that follow
                raise StateError("the answer is lost")
            return found

        return call

    def close(self) -> None:
        return


class Process:
    """One process, and what it shares with others."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.link = There()
        self.redact: Callable[[], object] = bool
        self.handed: list[tuple[str, str]] = []
        self.store = self.handler()

    @property
    def there(self) -> MemoryStore:
        return self.link.store

    def handler(self) -> FailoverStore:
        return FailoverStore(
            CHANNEL,
            memory(),
            Shared("a state", lambda _: self.link, None, lambda cause, text: None, self.clock),
            host="host",
            timeout_s=1.0,
            publish=self._publish,
            handed=lambda incident, key, how, own: self.handed.append((key, how)),
            warn_once=lambda cause, text: None,
        )

    def _publish(self, incident: Incident) -> Count:
        self.redact()
        key = incident.key.removeprefix(UNNAMED)
        event = "" if key == incident.key or incident.told else f"event of {key}"
        return replace(first(key), number=incident.untold, first=incident.first, event=event)

    def log(self, *counts: Count) -> None:
        self.store.add(counts, self.clock())

    def hand_over(self) -> None:
        self.store.hand_over(self.clock())

    def goes(self) -> None:
        """The store is away, which this process finds."""
        self.link.loses = "the request"
        with pytest.raises(StateError):
            self.store.shared.call(lambda store: store.next_due(CHANNEL, self.clock()))

    def comes(self) -> None:
        self.link.loses = ""
        self.clock.now += BACK_OFF_S[1]

    def claim(self, **more: Any) -> list[Claim]:
        return self.store.claim(self.clock(), replace(ALL, **more), draining=True)

    def tell(self, *claims: Claim, why: str = "") -> None:
        end = life.refused if why else life.sent
        now = self.clock()
        self.store.swap([(claim, end(claim.incident, now), why) for claim in claims], now)

    def rows(self) -> dict[str, tuple[int, int]]:
        """What is in the shared store: of each how many came, and how many were told."""
        return {one.key: (one.count, one.told) for one in self.there.open(CHANNEL, 100)}

    def tell_elsewhere(self) -> None:
        """Another process sends what is due in the shared store."""
        now = self.clock()
        for one in self.there.claim(CHANNEL, "another", now, 60.0, ALL):
            self.there.swap(CHANNEL, [Swap(one, life.sent(one, now))], now)

    def waits(self) -> list[str]:
        """What this process tells from memory."""
        return sorted(claim.key.removeprefix(UNNAMED) for claim in self.claim() if not claim.is_shared)


@pytest.fixture
def process() -> Process:
    return Process()


# Handed over.


def test_what_is_handed_over_is_sent_with_the_object_that_was_captured(process: Process) -> None:
    one = first("a")
    process.log(one)
    process.there.add(CHANNEL, "another", "host", 1, [first("b")], process.clock())
    process.hand_over()
    assert process.handed == [("a", "handed_over")]
    firsts = {claim.key: claim.incident.first for claim in process.claim()}
    assert firsts["a"] is one.first
    assert firsts.keys() == {"a", "b"}


def test_a_hand_over_that_fails_leaves_all_in_memory(process: Process) -> None:
    process.log(new("a"), new("b"))
    process.link.loses = "the request"
    process.hand_over()
    assert process.waits() == ["a", "b"]


def test_a_redact_that_ends_the_thread_costs_one_alert(process: Process) -> None:
    process.log(new("a"), new("b"), new("c"))
    calls: list[int] = []

    def ends_the_second() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit

    process.redact = ends_the_second
    with pytest.raises(SystemExit):
        process.hand_over()
    assert [how for _, how in process.handed] == ["rejected"]
    process.goes()
    assert len(process.waits()) == 2


def test_what_there_was_no_time_for_is_handed_over_next(process: Process) -> None:
    process.log(new("a"), new("b"))
    process.redact = lambda: time.sleep(0.06)
    with within(time.monotonic() + 0.05):
        process.hand_over()
    assert len(process.rows()) == 1
    process.redact = bool
    process.hand_over()
    assert len(process.rows()) == 2


def test_what_was_made_slowly_is_handed_over_without_haste(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may be at the store just then."""
    left = list[float]()
    add = process.there.add

    def asked(*of: Any) -> Any:
        left.append(seconds_left())
        return add(*of)

    monkeypatch.setattr(failover, "_GIVE_S", 0.05)
    process.log(new("a"), new("b"))
    process.redact = lambda: time.sleep(0.06)
    with patch.object(process.there, "add", asked):
        process.hand_over()
    assert (left, len(process.rows())) == ([float("inf")] * 2, 2)


def test_what_is_open_there_is_counted_without_its_alert(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.log(first("a"))
    with patch.object(process.there, "add", wraps=process.there.add) as add:
        process.hand_over()
    ((*_, (count,), _),) = (call.args for call in add.call_args_list)
    assert (count.key, count.first) == ("a", None)
    assert process.rows() == {"a": (2, 0)}


def test_what_is_open_there_no_more_is_added_with_its_alert(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    (row,) = process.there.open(CHANNEL, 1)
    process.there.swap(CHANNEL, [Swap(row, None, "expired")], process.clock())
    process.log(first("a", 3))
    process.hand_over()
    assert process.rows() == {"a": (3, 0)}
    assert process.store.memory.open(CHANNEL, 9) == []


# Lost by the store.


def test_what_others_have_told_is_waited_for_no_more(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    assert process.store.batches.leaves_untold()
    process.tell_elsewhere()
    process.claim()
    assert not process.store.batches.leaves_untold()


def test_what_is_remembered_is_bounded(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_MAX_KEPT", 3)
    process.log(*[new(f"{number}") for number in range(5)])
    process.hand_over()
    assert len(process.store.mark().shared) == 3
    monkeypatch.setattr(batches, "_MAX_KEPT_BYTES", 1)
    process.log(new("large"))
    process.hand_over()
    assert process.store.mark().shared == {"large"}


def test_who_waits_looks_once_at_what_is_told(process: Process) -> None:
    process.goes()
    process.log(*[new(f"{number}") for number in range(40)])
    here = process.store.mark()
    process.tell(*process.claim()[:39])
    with patch.object(process.store.memory, "open", wraps=process.store.memory.open) as looks:
        assert [process.store.is_told(here) for _ in range(100)] == [False] * 100
    assert sum(len(call.args[2]) for call in looks.call_args_list) < 100 + 40


def test_who_waits_looks_once_at_what_is_told_of_the_shared_store(process: Process) -> None:
    process.log(*[new(f"{number}") for number in range(40)])
    process.hand_over()
    mark = process.store.mark()
    process.tell(*process.claim())
    process.clock.now += 1
    process.claim()
    assert process.store.is_told(mark)
    assert mark.shared == set()


# Taken back.


def test_an_alert_that_may_be_lost_with_the_store_is_told_from_memory_and_told_back(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.hand_over()  # once
    claims = process.claim()
    assert [(claim.key, claim.is_shared, claim.incident.untold) for claim in claims] == [("a", False, 1)]
    process.tell(*claims)
    assert not process.store.batches.leaves_untold()
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (1, 1)}


def test_what_was_taken_back_and_not_told_is_not_handed_over_again(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (1, 0)}


def test_what_was_told_in_part_is_not_taken_back_again(process: Process) -> None:
    process.log(new("a", 3))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.tell(*process.claim())
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (3, 1)}
    process.store.memory.remove(CHANNEL, "a")  # as when it is over here
    process.goes()
    process.hand_over()
    assert process.waits() == []


def test_what_memory_gave_up_takes_nothing_from_what_comes_later(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.store.swap([(claim, None, "expired") for claim in process.claim()], process.clock())
    process.comes()
    process.log(first("a", 2))
    process.hand_over()
    assert process.rows() == {"a": (3, 0)}


def test_what_another_process_may_have_told_is_not_taken_back(process: Process) -> None:
    now = process.clock()
    process.there.add(CHANNEL, "another", "host", 1, [first("a"), first("b")], now)
    process.tell_elsewhere()
    process.log(new("a"))  # so that what is new here is a repeat there
    process.hand_over()
    process.redact = bool
    process.goes()
    process.hand_over()
    assert process.waits() == []


def test_what_was_no_new_alert_is_not_taken_back(process: Process) -> None:
    process.log(new("a"))
    process.store._publish = lambda incident: first("a", incident.untold)
    process.hand_over()
    process.goes()
    process.hand_over()
    assert process.waits() == []


def test_what_this_process_is_at_is_not_taken_back(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    assert len(process.claim()) == 1
    process.goes()
    process.hand_over()
    assert process.waits() == []


def test_what_was_refused_from_memory_the_shared_store_tries_itself(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.tell(*process.claim(), why="rejected")
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (1, 0)}


def test_what_was_told_from_memory_is_not_marked_where_it_is_gone(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.tell(*process.claim())
    process.link.store = memory()  # emptied; and then another process has the same, later
    process.there.add(CHANNEL, "another", "host", 1, [first("a", last=5.0)], process.clock())
    process.comes()
    process.hand_over()
    assert process.rows()["a"] == (1, 0)


def test_what_another_process_is_at_is_not_marked(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.tell(*process.claim())
    process.there.claim(CHANNEL, "another", process.clock(), 600.0, ALL)
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (1, 0)}


def test_what_was_told_back_keeps_what_a_person_did(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.tell(*process.claim())
    (row,) = process.there.open(CHANNEL, 1)
    now = process.clock()
    silenced = answered.silenced(row, "Li", "here", 600.0, now=now, time=now)
    process.there.swap(CHANNEL, [Swap(row, silenced)], now)
    process.comes()
    process.hand_over()
    (row,) = process.there.open(CHANNEL, 1)
    assert (row.told, row.answers.now, row.held_until) == (1, silenced.answers.now, silenced.held_until)


# A lost answer.


def test_a_count_whose_answer_was_lost_is_told_from_memory_and_counted_once(process: Process) -> None:
    process.log(new("a", 3))
    process.link.loses = "add"
    process.hand_over()
    assert process.rows() == {"a": (3, 0)}
    claims = process.claim()
    assert [(claim.is_shared, claim.incident.untold) for claim in claims] == [(False, 3)]
    process.tell(*claims)
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (3, 3)}


def test_a_count_whose_answer_was_lost_and_that_waits_is_counted_once(process: Process) -> None:
    process.log(new("a", 3))
    process.link.loses = "add"
    process.hand_over()
    process.comes()
    process.log(first("a", 2))
    process.hand_over()
    assert process.rows() == {"a": (5, 0)}


def test_a_count_that_did_not_come_through_is_counted_once(process: Process) -> None:
    process.log(new("a", 3))
    process.link.loses = "the request"
    process.hand_over()
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (3, 0)}
    process.link.store = memory()
    process.claim()
    assert process.rows() == {"a": (3, 0)}


def test_a_mark_whose_answer_was_lost_is_made_once(process: Process) -> None:
    process.log(new("a", 2))
    process.hand_over()
    process.goes()
    process.hand_over()
    process.tell(*process.claim())
    process.comes()
    process.there.add(CHANNEL, "another", "host", 1, [first("a", 4, last=1.0)], process.clock())
    process.link.loses = "swap"
    process.hand_over()
    assert process.rows() == {"a": (6, 1)}
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (6, 1)}


def test_what_was_sent_while_the_store_went_is_marked_when_it_comes(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    claims = process.claim()
    process.link.loses = "the request"
    process.tell(*claims)
    assert process.rows() == {"a": (1, 0)}
    process.comes()
    process.hand_over()
    assert process.rows() == {"a": (1, 1)}


def test_what_did_not_come_through_and_was_told_from_memory_keeps_nobody_waiting(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    process.log(new("b"))
    process.link.loses = "the request"
    process.hand_over()
    process.tell(*process.claim())
    process.comes()
    process.hand_over()
    process.tell_elsewhere()
    process.claim()
    assert process.rows() == {"a": (1, 1)}
    assert not process.store.batches.leaves_untold()


def test_what_was_told_from_memory_is_not_marked_in_a_row_that_this_process_is_at(process: Process) -> None:
    process.log(new("a"))
    process.hand_over()
    claims = process.claim()
    process.log(first("a", 2))
    process.link.loses = "add"
    process.hand_over()
    process.tell(*process.claim())
    process.comes()
    process.hand_over()
    process.tell(*claims)
    assert process.rows() == {"a": (3, 1)}
