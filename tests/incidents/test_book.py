"""The book of a leader: its room, who leaves it, how a row is found, and what an entry that comes again changes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from wecom_logging._incidents import book as book_module
from wecom_logging._incidents import outcomes
from wecom_logging._incidents.book import Book
from wecom_logging._incidents.entries import Answered, Counted, OfIncident, Opened, SentAlone
from wecom_logging._incidents.limits import PATIENCE
from wecom_logging._incidents.plan import Act
from wecom_logging._incidents.values import By, Hold, Incident
from wecom_logging._journal.base import Changes
from wecom_logging.model import Answer
from wecom_logging.model.alert import DONE, TAKEN

from ..state.conftest import alert
from ..storms import Clock, Recorder, pipeline, record

KEYS = {name: f"{number:08x}{'0' * 24}" for number, name in enumerate(("a", "b", "c", "d", "e"), 1)}
"""Group keys of alerts that differ; `of_others` is that of the same alert for other people."""


def of_others(name: str) -> str:
    return KEYS[name][:-1] + "f"


def opens(key: str, *, last: float = 0.0, text: str = "", **more: Any) -> Opened:
    return Opened(key=key, alert=replace(alert(text or key), id=f"alert {key}"), last=last, **{"level": 40, **more})


class Room:
    """A book, and what had to leave it. Each row comes a second after the one before."""

    def __init__(self, most: int = 100, most_bytes: int = 1 << 20) -> None:
        self.left: list[tuple[str, int]] = []
        self.book = Book(most, most_bytes, lambda one: self.left.append((one.opening.key, one.unsent)))
        self.now = 0.0

    def take(self, *entries: OfIncident) -> None:
        for entry in entries:
            self.now += 1.0
            self.book.take(entry, self.now)

    def sends(self, key: str, act: Act = Act.FIRST) -> None:
        there = self.book.get(key)
        assert there is not None
        self.book.put(outcomes.sent(there, there, act, self.now), self.now)

    def ends(self, key: str) -> None:
        there = self.book.get(key)
        assert there is not None
        self.book.put(outcomes.ended(there, self.now), self.now)

    @property
    def keys(self) -> set[str]:
        return {one.opening.key for one in self.book.rows()}


# Its room.

LEAVING: dict[str, tuple[Sequence[dict[str, Any]], str]] = {
    "the least severe": ([{"level": 50}, {"level": 40}, {"level": 30}, {"level": 40}], "2"),
    "of one level what is crowded": ([{}, {"is_crowded": True}, {}, {}], "1"),
    "of one level the one that has waited longest": ([{}, {}, {}, {}], "0"),
    "the new one, where it is the least severe": ([{"level": 50}, {"level": 50}, {"level": 40}, {"level": 30}], "3"),
    "the least severe, though another is crowded": ([{"level": 30}, {"is_crowded": True}, {}, {}], "0"),
}


@pytest.mark.parametrize("name", LEAVING)
def test_of_too_many_that_wait_for_their_first_message_leaves(name: str) -> None:
    rows, leaves = LEAVING[name]
    room = Room(most=3)
    room.take(*(opens(str(number), count=number + 2, **row) for number, row in enumerate(rows)))
    assert room.left == [(leaves, int(leaves) + 2)]  # with all its records, which are lost
    assert room.keys == {"0", "1", "2", "3"} - {leaves}


def test_what_was_sent_takes_no_place_of_those_that_wait() -> None:
    room = Room(most=2)
    for key in "abcd":
        room.take(opens(key))
        room.sends(key)
    room.take(opens("e"), opens("f"))
    assert room.left == []
    room.take(Counted(key="a", count=3, last=9.0))  # of it nobody waits for a first message
    assert room.left == []
    room.take(opens("g"))
    assert room.left == [("e", 1)]


def test_of_too_many_in_all_first_leaves_what_is_over_then_what_was_sent_then_what_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(book_module, "MAX_ROWS", 5)
    room = Room(most=3)
    for key, level in {"severe": 55, "sent": 50, "over old": 50, "over new": 40}.items():
        room.take(opens(key, level=level))
        room.sends(key)
    room.take(opens("waits"))
    room.ends("over old")
    room.now += 1.0
    room.ends("over new")
    assert room.left == []
    room.take(*(opens(key, level=60) for key in ("1", "2")))
    assert room.left == [("over old", 0), ("over new", 0)]
    room.sends("1")
    room.sends("2")
    room.take(opens("3", level=60))
    assert room.left[2:] == [("sent", 0)]
    room.sends("3")
    room.take(opens("4", level=60))
    assert room.left[3:] == [("severe", 0)]
    room.sends("4")
    room.take(Counted(key="1", count=2, last=9.0), Counted(key="2", count=2, last=9.0))
    room.take(*(Counted(key=key, count=2, last=9.0) for key in "34"), opens("5", level=60))
    assert room.left[4:] == [("waits", 1)]


def test_it_has_room_for_ten_thousand_and_for_more_where_more_may_wait() -> None:
    assert book_module.MAX_ROWS == 10_000
    for most, number in ((100, 10_000), (10_050, 10_050)):
        room = Room(most=most, most_bytes=1 << 30)
        for one in range(number):
            room.take(opens(str(one)))
            room.sends(str(one))
        assert (len(room.book.rows()), room.left) == (number, [])
        room.take(opens("more"))
        assert room.left
        assert len(room.book.rows()) == number - number // 64


def test_their_alerts_take_no_more_bytes_than_they_may() -> None:
    chance = random.Random(1)
    long = [chance.randbytes(2_000).hex() for _ in range(200)]  # nothing makes them shorter than 2 000 bytes
    room = Room(most=1_000, most_bytes=100_000)
    room.take(*(opens(str(number), text=text) for number, text in enumerate(long)))
    assert 0 < room.book._bytes <= 100_000
    assert 30 < len(room.book.rows()) < 64 + 50  # the newest 64 are as they came
    assert [key for key, _ in room.left] == [str(number) for number in range(len(room.left))]
    assert [room.book.alert(key).message for key in room.keys] == [long[int(key)] for key in room.keys]
    for key in room.keys:
        room.book.drop(key)
    assert (room.book._bytes, len(room.book.rows())) == (0, 0)
    assert (room.book._names, room.book._audiences) == ({}, {})


def test_an_alert_that_was_packed_is_the_same() -> None:
    room = Room(most=200)
    for number in range(200):
        room.take(opens(str(number), text=f"磁盘 {number}"))
    assert [room.book.alert(str(number)).message for number in range(200)] == [
        f"磁盘 {number}" for number in range(200)
    ]


# How a row is found.


def test_the_same_alert_for_other_people_has_the_same_short_id_and_each_is_found_by_it() -> None:
    room = Room()
    room.take(opens(KEYS["a"], audience="ops"), opens(of_others("a"), audience="dba"), opens(KEYS["b"]))
    names = {one.opening.key: one.opening.short_id for one in room.book.rows()}
    assert names[KEYS["a"]] == names[of_others("a")] != names[KEYS["b"]]
    assert [one.opening.key for one in room.book.named(names[KEYS["a"]])] == [KEYS["a"], of_others("a")]
    assert [one.opening.key for one in room.book.of("dba")] == [of_others("a")]
    assert room.book.named("none") == []
    room.book.drop(KEYS["a"])
    assert [one.opening.key for one in room.book.named(names[KEYS["a"]])] == [of_others("a")]


def test_two_alerts_have_two_short_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "short_ids", lambda key: iter(("k7f2", f"k7f2{key[:8]}")))
    room = Room()
    room.take(opens(KEYS["a"]), opens(KEYS["b"]))
    assert [one.opening.short_id for one in room.book.rows()] == ["k7f2", f"k7f2{KEYS['b'][:8]}"]
    room.book.drop(KEYS["a"])
    room.take(opens(KEYS["c"]))
    assert [one.opening.short_id for one in room.book.rows()][-1] == "k7f2"  # it is free again


def test_an_answer_finds_its_row_by_the_short_id_too() -> None:
    room = Room()
    room.take(opens(KEYS["a"]), opens(KEYS["b"]))
    there = room.book.get(KEYS["b"])
    assert there is not None
    room.take(Answered(answer=Answer(TAKEN, "李四", "cli", room.now, 60.0), short_id=there.opening.short_id))
    assert [len(one.answers) for one in room.book.rows()] == [0, 1]
    assert room.book.take(Answered(answer=Answer(TAKEN, "李四", "cli", 9.0, 60.0), short_id="none"), 9.0) is None


# An entry that comes again, and one that finds nothing.


AGAIN: dict[str, Callable[[float], OfIncident]] = {
    "opened": lambda now: opens("a"),
    "closed": lambda now: Answered(key="a", answer=Answer(DONE, "李四", "cli", now)),
    "sent alone": lambda now: SentAlone(key="a", count=9, at=now),  # no more than are unsent
}


@pytest.mark.parametrize("name", AGAIN)
def test_what_comes_again_changes_nothing(name: str) -> None:
    room = Room()
    room.take(opens("a"))
    entry = AGAIN[name](room.now)
    room.take(entry)
    once = room.book.get("a")
    room.take(entry)
    assert room.book.get("a") == once
    assert len(room.book.rows()) == 1


FINDS_NOTHING: dict[str, OfIncident] = {
    "counted": Counted(key="a", count=1, last=0.0),
    "sent alone": SentAlone(key="a", count=1, at=0.0),
    "answered": Answered(key="a", answer=Answer(DONE, "李四", "cli", 0.0)),
    "opened with nothing": opens("a", count=0),
}


@pytest.mark.parametrize("name", FINDS_NOTHING)
def test_what_is_not_open_is_opened_by_its_first_record_alone(name: str) -> None:
    room = Room()
    assert room.book.take(FINDS_NOTHING[name], 0.0) is None
    assert len(room.book.rows()) == 0


def test_a_batch_that_is_read_twice_is_counted_once() -> None:
    """Where saving has failed, the journal gives it again."""
    clock = Clock()
    storm = pipeline(Recorder(clock), clock)
    leader = storm.leader
    saves: list[Changes] = []
    leader._journal.save = lambda changes: saves.append(changes) or ""  # type: ignore[method-assign,func-returns-value] # counts its calls
    for number in range(5):
        storm.collector.take(record("disk %d is full", number))
        with leader.lock:
            leader.take_in(at_once=True)
    (row,) = leader.book.rows()
    assert row.counts.count == 5
    (before,) = leader.book.rows()
    with leader.lock:
        leader.read(clock())
    assert leader.book.rows() == [before]
    offsets = [save.offsets[leader._journal.writer].number for save in saves]
    assert offsets == sorted(set(offsets))  # each save goes on from the one before
    assert len(leader._journal.read()) == len(offsets)


# What is due.


def due(room: Room, **how: bool) -> list[tuple[str, Act]]:
    return [(one.incident.opening.key, one.act) for one in room.book.due(room.now, **how)]


def test_the_most_severe_is_due_first_of_one_level_what_is_not_crowded_then_what_waits_longest() -> None:
    room = Room()
    room.take(opens("crowded", is_crowded=True), opens("old"), opens("new"), opens("critical", level=50))
    assert [key for key, _ in due(room)] == ["critical", "old", "new", "crowded"]


def test_what_failed_too_often_goes_behind_all_others() -> None:
    room = Room()
    room.take(opens("refused", level=50), opens("new", level=30))

    def fails() -> None:
        there = room.book.get("refused")
        assert there is not None
        room.book.put(outcomes.failed(there, room.now, 1), room.now)

    for _ in range(PATIENCE - 1):
        fails()
    assert [key for key, _ in due(room)] == ["refused", "new"]
    fails()
    assert [key for key, _ in due(room)] == ["new", "refused"]


def test_what_holds_until_a_time_is_due_then_and_whoever_drains_waits_for_no_digest() -> None:
    room = Room()
    room.take(opens("a"), opens("b"))
    for key in "ab":
        room.sends(key)
    room.take(Counted(key="a", count=1, last=room.now))
    assert due(room) == []
    assert due(room, hurries=True) == [("a", Act.DIGEST)]
    there = room.book.get("a")
    assert there is not None
    assert room.book.later_at() > room.now
    room.book.put(outcomes.held(there, Hold(room.now + 5_000.0, By.HOURS), Act.DIGEST), room.now)
    assert due(room, hurries=True) == []
    assert due(room, closes=True) == [("a", Act.DIGEST)]


def test_where_the_wall_leaps_what_waits_for_an_interval_waits_for_the_rest_of_it() -> None:
    room = Room()
    room.take(opens("a"))
    room.sends("a")
    room.take(Counted(key="a", count=1, last=room.now))
    at = room.book.later_at()
    room.book.leap(3600.0, room.now + 3600.0)
    assert room.book.later_at() == pytest.approx(at + 3600.0)


# What flush waits for.


def test_what_was_marked_is_sent_when_a_message_has_said_so_or_something_holds_it() -> None:
    room = Room()
    room.take(opens("a", count=3), opens("b"))
    mark = room.book.mark(room.now, closes=False)
    assert mark == {"a": 3, "b": 1}

    def is_sent() -> bool:
        return room.book.is_sent(mark, room.now, closes=False)

    assert not is_sent()
    room.sends("b")
    room.take(Counted(key="b", count=1, last=9.0))  # which came later
    assert not is_sent()
    change(room, "a", lambda one: outcomes.held(one, Hold(room.now + 9.0, By.TRY), Act.FIRST))
    assert not is_sent()  # it was tried, and is tried again
    change(room, "a", lambda one: outcomes.held(one, Hold(room.now + 9.0, By.HOURS), Act.FIRST))
    assert is_sent()
    room.sends("b", Act.DIGEST)
    assert not room.book.is_settled(room.now, closes=False)
    room.book.drop("a")
    assert is_sent()
    assert room.book.is_settled(room.now, closes=False)
    room.now += 10_000.0  # its end is due, with which nothing is lost
    assert due(room) == [("b", Act.END)]
    assert room.book.mark(room.now, closes=False) == {}


def change(room: Room, key: str, become: Callable[[Incident], Incident]) -> None:
    there = room.book.get(key)
    assert there is not None
    room.book.put(become(there), room.now)
