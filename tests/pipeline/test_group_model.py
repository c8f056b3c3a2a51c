"""What is told of repeats, when and with which counts, against the rules of a group's life in their plainest form."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging._capture import intake

from ..programs import Clock
from ..storms import Recorder, Told, pass_time, pipeline, record, tell_counted, turn

TICK = 8.0
WINDOW = 64.0
KINDS = ("disk", "network", "password")

Sent = tuple[float, str, int, int]
"""When, which kind, how many since the last message, and how many in all; 0 of a closing line that has no more."""

QUIET, FRESH, GATHER = 10 * WINDOW, 2 * WINDOW, 2 * WINDOW
HOUR, DAY = 3600.0, 24 * 3600.0


@dataclass
class Kind:
    """A group that is open."""

    told_at: float
    counted_at: float
    look_at: float = 0.0
    wait: float = WINDOW
    counted: int = 0
    total: int = 1
    digests: int = 0
    times: int = 1

    def __post_init__(self) -> None:
        self.wait = min(WINDOW * 2 ** (self.times - 1), HOUR)

    @property
    def over_at(self) -> float:
        return max(self.told_at, self.counted_at) + self.quiet

    @property
    def quiet(self) -> float:
        return min(QUIET * 2 ** (self.times - 1), HOUR)


@dataclass
class Rules:
    """All groups, looked at tick after tick."""

    now: float
    open: dict[str, Kind] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    over: dict[str, tuple[float, int]] = field(default_factory=dict)

    def records(self, name: str, number: int) -> None:
        if name not in self.open:
            ended_at, times = self.over.get(name, (0.0, 0))
            self.open[name] = self.opens(1 + times * (self.now < ended_at + DAY))
            self.sent.append((self.now, name, 1, 1))
            number -= 1
        if number:
            self.open[name].counted += number
            self.open[name].counted_at = self.now
            self.open[name].look_at = 0.0
        self.look()

    def opens(self, times: int) -> Kind:
        return Kind(self.now, self.now, times=times)

    def pass_ticks(self, number: int) -> None:
        for _ in range(number):
            self.now += TICK
            self.look()

    def look(self) -> None:
        for name, kind in list(self.open.items()):
            self.look_at(name, kind)

    def look_at(self, name: str, kind: Kind) -> None:
        over_at = kind.over_at
        due_at = kind.told_at + min(kind.wait, kind.quiet) if kind.counted else over_at
        if self.now < max(due_at, kind.look_at):
            return
        if self.now >= over_at:
            kind.look_at = (over_at // GATHER + 1) * GATHER
            if self.now >= kind.look_at or not self.has_line(kind):
                self.end(name)
        elif self.now >= kind.told_at + kind.wait and self.now <= kind.counted_at + FRESH:
            self.digest(name)
        else:
            digest_at = max(kind.told_at + kind.wait, self.now)
            tell_at = digest_at if digest_at <= kind.counted_at + FRESH else over_at
            kind.look_at = min(tell_at, max(kind.told_at + kind.wait, self.now + WINDOW))

    def has_line(self, kind: Kind) -> bool:
        """Whether a message says that it is over."""
        return kind.counted > 0 or kind.digests > 0

    def digest(self, name: str) -> None:
        kind = self.open[name]
        kind.total += kind.counted
        self.sent.append((self.now, name, kind.counted, kind.total))
        if self.now >= kind.told_at + kind.wait:
            kind.wait = min(2 * kind.wait, HOUR)
        kind.counted, kind.told_at, kind.look_at, kind.digests = 0, self.now, 0.0, kind.digests + 1

    def end(self, name: str) -> None:
        kind = self.open.pop(name)
        self.over[name] = self.now, kind.times
        if self.has_line(kind):
            total = kind.total + kind.counted if kind.counted else 0
            self.sent.append((self.now, name, kind.counted, total))

    def flush(self) -> None:
        for name, kind in list(self.open.items()):
            if self.has_line(kind) and self.now >= kind.over_at:
                self.end(name)
            elif kind.counted:
                self.digest(name)


def sent(told: list[Told]) -> list[Sent]:
    found = []
    for one in told:
        (kind,) = set(re.findall("|".join(KINDS), one.text))
        found.append((one.at, kind, one.count, one.total))
    return sorted(found)


RECORDS = st.tuples(st.sampled_from(KINDS), st.integers(1, 3))
TICKS = st.sampled_from([1, 2, 7, 8, 9, 16, 79, 80, 81, 200, 450, 900])
STEPS = st.lists(st.one_of(RECORDS, TICKS, st.just("flush")), max_size=40)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_what_is_told_is_what_the_rules_say(steps: list[tuple[str, int] | int | str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "READ_EVERY_S", 0.0)  # else a count may be a second late
        follow(steps)


def follow(steps: list[tuple[str, int] | int | str]) -> None:
    clock = Clock(0.0)
    channel = Recorder(clock)
    storm = pipeline(channel, clock, window_s=WINDOW)
    rules = Rules(clock.now)
    made = 0
    for step in steps:
        if isinstance(step, int):
            rules.pass_ticks(step)
            pass_time(storm, clock, step * TICK)
        elif isinstance(step, tuple):
            kind, number = step
            rules.records(kind, number)
            for _ in range(number):
                made += 1
                # Each kind has recipients of its own: digests of one audience go along with each other.
                storm.collector.take(record(f"{kind} failed %d", made, wecom={"users": [kind]}))
            turn(storm)
        else:
            rules.flush()
            tell_counted(storm)
            turn(storm)
        assert sent(channel.told) == sorted(rules.sent)
        counted = sum(kind.counted for kind in rules.open.values())
        told = sum(count for _, _, count, _ in rules.sent)
        stats = storm.stats()
        firsts = sum(count == total == 1 for _, _, count, total in rules.sent)
        assert (stats.accepted, stats.pending, stats.delivered, stats.merged) == (made, counted, firsts, told - firsts)
        assert (stats.dropped, stats.handed_over) == ({}, 0)


def test_a_storm_hastens_no_digest_of_others() -> None:
    """Each has recipients of its own: neither is told a moment earlier because the other is."""
    clock = Clock(0.0)
    channel = Recorder(clock)
    storm = pipeline(channel, clock)
    for second in range(0, 5400, 20):
        for name in ("disk", "network") if second >= 1000 else ("disk",):
            storm.collector.take(record(f"{name} failed", wecom={"users": [name]}))
        pass_time(storm, clock, 20)
    disk = [one.at for one in channel.told if "disk" in one.text]
    assert [round(after - before, -1) for before, after in itertools.pairwise(disk)] == [60, 120, 240, 480, 960, 1920]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=60))
def test_a_lone_storm_costs_few_messages_and_loses_none(gaps: list[int]) -> None:
    """However its records are spread: in an hour no more than one at once, and one for each wait that doubled."""
    clock = Clock(0.0)
    channel = Recorder(clock)
    storm = pipeline(channel, clock, window_s=WINDOW)
    for number, gap in enumerate(gaps):
        storm.collector.take(record("disk failed %d", number))
        pass_time(storm, clock, gap)
    pass_time(storm, clock, 3600 + 10 * WINDOW)
    assert sum(one.count for one in channel.told) == len(gaps)
    told = [one for one in channel.told if not (one.is_closing and one.count == 0)]
    starts = [place for place, one in enumerate(told) if one.count == one.total]
    for begin, end in zip(starts, [*starts[1:], len(told)], strict=True):
        life = told[begin:end]
        assert sum(one.count for one in life) == life[-1].total
        life = [one for one in life if not one.is_closing]
        waits = [after.at - before.at for before, after in itertools.pairwise(life)]
        assert all(wait >= min(WINDOW * 2**place, 3600) for place, wait in enumerate(waits))
        assert len(life) <= 2 + math.log2(3600 / WINDOW) + (life[-1].at - life[0].at) / 3600
