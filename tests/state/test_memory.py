"""What only the memory of a process does: it makes room, and keeps names apart."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from wecom_logging._incidents import answered, life, limits
from wecom_logging._incidents.incident import Own
from wecom_logging._state import memory
from wecom_logging._state.base import Swap, Wanted
from wecom_logging._state.memory import MemoryStore
from wecom_logging._state.memory_rows import size_of
from wecom_logging.model import Sample

from ..programs import at_best, thread_seconds
from .conftest import CHANNEL, first, later

WHO, HOST = "here", "host"


class Memory:
    """One that says which incidents had to leave it."""

    def __init__(self, **bounds: int) -> None:
        self.left: list[tuple[str, str]] = []
        self.store = MemoryStore(self._ended, **bounds)
        self.number = 0
        self.now = 0.0

    def _ended(self, key: str, why: str, own: Own) -> Iterator[object]:
        self.left.append((key, why))
        return iter(())

    def add(self, *counts: object) -> None:
        self.number += 1
        self.store.add(CHANNEL, WHO, HOST, self.number, counts, self.now)

    def tell(self, most: int = 9) -> None:
        found = self.store.claim(CHANNEL, WHO, self.now, 60.0, Wanted(most))
        self.store.swap(CHANNEL, [Swap(one, life.sent(one, self.now)) for one in found], self.now)

    def keys(self) -> set[str]:
        return {one.key for one in self.store.open(CHANNEL, 99)}


def test_of_the_least_severe_the_oldest_leaves_and_nothing_that_was_told() -> None:
    made = Memory(max_number=3)
    made.add(first("told", level=10))
    made.tell()
    made.now = 10_000.0
    made.add(later("told"), first("severe", level=50), first("old", level=30), first("new", level=30))
    assert made.left == []
    assert made.store.claim(CHANNEL, WHO, made.now, 60.0, Wanted(0)) == []  # but all that is due stands ready
    made.add(first("more", level=40))
    assert made.left == [("old", "queue_overflow")]
    assert made.keys() == {"told", "severe", "new", "more"}


def test_who_leaves_is_found_at_once_however_many_lanes_wait() -> None:
    """A calling thread may have to make room for a hundred."""
    made = Memory(max_number=4000)
    made.add(*(first(f"old-{number}", audience=f"audience-{number}") for number in range(4000)))
    rounds = itertools.count()

    def a_hundred() -> float:
        one = next(rounds)
        more = [first(f"{one}-{number}", audience=f"{one}-{number}") for number in range(100)]
        return thread_seconds(lambda: made.add(*more))

    assert at_best(a_hundred, 0.02) < 0.02
    left = [f"old-{number}" for number in range(4000)][: len(made.left)]
    assert made.left == [(key, "queue_overflow") for key in left]


def test_what_comes_back_may_leave_as_before() -> None:
    made = Memory(max_number=2)
    made.add(first("old"), first("new"))
    (old,) = made.store.claim(CHANNEL, WHO, made.now, 60.0, Wanted(1))
    made.add(first("more"))
    assert made.left == [("new", "queue_overflow")]  # the oldest is on its way
    made.store.swap(CHANNEL, [Swap(old, life.released(old, made.now))], made.now)
    made.store.claim(CHANNEL, WHO, made.now, 60.0, Wanted(0))
    made.add(first("most"))
    assert made.left[1:] == [("old", "queue_overflow")]


def test_what_leaves_is_counted_once_though_another_thread_overtakes_amid_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_STUCK_S", 0.01)
    counted: list[str] = []
    overtaking = threading.Thread(target=lambda: store.next_due(CHANNEL, 0.0))

    def ended(key: str, why: str, own: Own) -> Iterator[object]:
        if overtaking.ident is None:
            overtaking.start()
            overtaking.join()
        return map(counted.append, [key])

    store = MemoryStore(ended, max_number=1)
    store.add(CHANNEL, WHO, HOST, 1, [first("a"), first("b"), first("c")], 0.0)
    assert counted == ["a", "b"]


def test_what_waits_is_bounded_by_all_that_it_has_by_then() -> None:
    one, two = first("one"), first("two")
    many = tuple(Sample(float(number), "x") for number in range(limits.MAX_SAMPLES))
    made = Memory(max_bytes=size_of(one) + size_of(two) + 1)
    made.add(one)
    made.add(later("one", samples=many))
    (claimed,) = made.store.claim(CHANNEL, WHO, made.now, 60.0, Wanted(1))
    made.store.swap(CHANNEL, [Swap(claimed, life.released(claimed, made.now))], made.now)
    made.add(two)
    assert [why for _, why in made.left] == ["queue_overflow"]


def test_of_what_was_told_the_first_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_TOLD", 2)
    made = Memory()
    for key in "abc":
        made.add(first(key))
        made.tell()
    assert made.keys() == {"b", "c"}
    assert made.left == [("a", "")]


def test_a_short_id_is_free_again_when_a_person_has_closed_its_incident() -> None:
    made = Memory()
    made.add(first("~1"), first("~2"))
    name = made.store.name(CHANNEL, "~1", "k")
    assert made.store.name(CHANNEL, "~2", "k") != name
    (one,) = made.store.open(CHANNEL, 1, ["~1"])
    made.store.swap(CHANNEL, [Swap(one, answered.done(one, "Li", "here", now=0.0, time=0.0))], 0.0)
    made.add(first("~3"))
    assert made.store.name(CHANNEL, "~3", "k") == name


def test_what_was_given_back_takes_no_place_of_another() -> None:
    made = Memory()
    made.add(first("old"), first("new"))
    (old,) = made.store.claim(CHANNEL, WHO, made.now, 60.0, Wanted(1))
    made.store.swap(CHANNEL, [Swap(old, life.released(old, made.now))], made.now)
    assert [one.key for one in made.store.claim(CHANNEL, WHO, made.now, 60.0, Wanted(2))] == ["old", "new"]
