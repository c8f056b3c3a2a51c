"""What waits: the bounds, who leaves first, who goes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wecom_logging.model import Recipients
from wecom_logging.pipeline.capture import Snapshot
from wecom_logging.pipeline.inbox import PATIENCE, Inbox, Waiting


def snapshot(message: str = "m") -> Snapshot:
    return Snapshot((40, "ERROR", "l", 0.0, 1, "p", "t", "f.py", 1, "f", "f", message), message)


def waiting(number: int, level: int = 40, size: int = 1, recipients: Recipients | None = None) -> Waiting:
    made = Waiting(level, recipients, None, 0.0)
    made.snapshot, made.number, made.size = snapshot(), number, size
    return made


class Box:
    """An inbox, and who had to leave it."""

    def __init__(self, max_number: int, max_bytes: int) -> None:
        self.gone: list[int] = []
        self.inbox = Inbox(max_number, max_bytes, lambda waiting: self.gone.append(waiting.number))

    def put(self, waiting: Waiting) -> list[int]:
        """Put one in; the numbers of those that had to leave for it."""
        before = len(self.gone)
        self.inbox.put([(waiting, waiting.number)])
        self.inbox.admit()
        return self.gone[before:]


def now(_: Recipients | None) -> float:
    return 0.0


def test_the_most_severe_goes_first_and_the_oldest_within_a_level() -> None:
    box = Box(10, 1000)
    for number, level in enumerate([20, 40, 50, 40]):
        assert box.put(waiting(number, level)) == []
    taken = [box.inbox.take(now)[0] for _ in range(4)]
    assert [one.number for one in taken if one] == [2, 1, 3, 0]
    assert box.inbox.take(now) == (None, float("inf"))


def test_a_full_inbox_pushes_out_the_lowest_level_and_there_the_oldest() -> None:
    box = Box(3, 1000)
    for number, level in enumerate([40, 30, 30]):
        box.put(waiting(number, level))
    assert box.put(waiting(3, 50)) == [1]
    assert box.put(waiting(4, 10)) == [4]  # itself the least severe
    assert len(box.inbox) == 3


def test_bytes_are_bounded_too_but_one_alert_always_stays() -> None:
    box = Box(100, 100)
    assert box.put(waiting(0, size=90)) == []
    assert box.put(waiting(1, size=90)) == [0]
    assert box.put(waiting(2, 50, size=500)) != []
    assert len(box.inbox) == 1


def test_recipients_with_room_go_before_more_severe_ones_without() -> None:
    box = Box(10, 1000)
    busy, free = Recipients(users=("busy",)), Recipients(users=("free",))
    box.put(waiting(0, 50, recipients=busy))
    box.put(waiting(1, 40, recipients=free))
    taken, _ = box.inbox.take(lambda recipients: 7.0 if recipients == busy else 0.0)
    assert taken is not None
    assert taken.number == 1
    assert box.inbox.take(lambda recipients: 7.0) == (None, 7.0)


def test_an_alert_that_failed_often_lets_all_others_go_first() -> None:
    box = Box(10, 1000)
    box.put(waiting(0, 50))
    box.put(waiting(1, 10))
    order = []
    for _ in range(PATIENCE + 1):
        taken, _wait = box.inbox.take(now)
        assert taken is not None
        order.append(taken.number)
        taken.rounds += 1
        box.inbox.put_back(taken)
    assert order == [0] * PATIENCE + [1]


def test_the_weight_grows_with_the_texts() -> None:
    def weight(message: str) -> int:
        made = waiting(0)
        made.snapshot = snapshot(message)
        return made.weigh()

    assert weight("x" * 10_000) - weight("") >= 2 * 9_000
    assert weight("汉" * 10_000) > weight("x" * 10_000)


@given(
    st.lists(st.tuples(st.sampled_from([10, 20, 30, 40, 50]), st.integers(1, 50), st.booleans()), max_size=60),
    st.integers(1, 8),
    st.integers(1, 120),
)
def test_nothing_is_lost_or_doubled_whatever_happens(
    steps: list[tuple[int, int, bool]], max_number: int, max_bytes: int
) -> None:
    box = Box(max_number, max_bytes)
    inside: set[int] = set()
    for number, (level, size, take) in enumerate(steps):
        if take:
            taken, _ = box.inbox.take(now)
            assert (taken is None) == (not inside)
            if taken is not None:
                inside.remove(taken.number)
                box.inbox.arrived()
        gone = box.put(waiting(number, level, size))
        inside.add(number)
        inside -= set(gone)
        assert len(box.inbox) == len(inside) <= max_number
        assert box.inbox.oldest_number() == min(inside, default=float("inf"))
    assert {one.number for one in box.inbox.take_if(lambda _: True)} == inside
    assert (len(box.inbox), len(box.inbox._sites)) == (0, 0)


def test_an_alert_that_only_the_limit_stopped_keeps_its_place() -> None:
    box = Box(10, 1000)
    for number in range(3):
        box.put(waiting(number))
    first, _ = box.inbox.take(now)
    assert first is not None
    box.inbox.put_back(first)
    again, _ = box.inbox.take(now)
    assert again is first


def test_who_has_left_is_forgotten() -> None:
    box = Box(10, 10_000)
    for number in range(1000):
        box.put(waiting(number))
        box.inbox.take(now)
        box.inbox.arrived()
    assert len(box.inbox._leaving) <= 65
