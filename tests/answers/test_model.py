"""What is told while people answer in memory, when and with which counts, against the rules in their plainest form."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging._answers.command import Command
from wecom_logging._answers.desk import AGAIN_S, Desk
from wecom_logging._incidents.life import CLOSED_S

from ..pipeline.test_group_model import GATHER, KINDS, TICK, WINDOW, Kind, Rules, sent
from ..programs import Clock
from ..storms import Recorder, pass_time, pipeline, record, tell_counted, turn

LENGTHS = {"take": 240 * TICK, "quiet": 150 * TICK, "done": 0.0}


@dataclass
class Answered(Kind):
    """A group that people may have answered: ``doing`` is in force, and ended by itself at ``until``."""

    doing: str = ""
    until: float = 0.0
    before: tuple[str, float] = ("", 0.0)
    held: float = 0.0


class People(Rules):
    """All groups, with people."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.open: dict[str, Answered] = {}
        self.opened = 0

    def opens(self, times: int) -> Answered:
        self.opened += 1
        return Answered(self.now, self.now, times=times)

    def look_at(self, name: str, kind: Answered) -> None:
        if kind.doing == "done":
            if kind.counted:  # it comes again
                self.tell(name)
            elif self.now >= kind.told_at + CLOSED_S:
                del self.open[name]
        elif kind.held and (kind.counted or kind.doing == "quiet"):
            if self.now >= max(kind.held, kind.look_at):
                self.after_hold(name, kind)
        else:
            super().look_at(name, kind)

    def after_hold(self, name: str, kind: Answered) -> None:
        over_at = kind.over_at
        if self.now < over_at:
            self.tell(name)
        elif not kind.counted:  # nothing came
            self.tell(name)
            self.over[name] = self.now, kind.times
            del self.open[name]
        else:
            kind.look_at = (over_at // GATHER + 1) * GATHER
            if self.now >= kind.look_at:
                self.end(name)

    def has_line(self, kind: Answered) -> bool:
        return super().has_line(kind) or kind.doing == "take"

    def digest(self, name: str) -> None:
        self.tell(name)

    def tell(self, name: str, *, is_news: bool = False) -> None:
        one = self.open[name]
        if is_again := one.doing == "done" and not is_news:
            one.total, one.wait, one.digests = 0, 0.0, -1
        super().digest(name)
        if is_again:
            one.times += 1
            one.__post_init__()
        if not is_news:
            one.held = 0.0
            if one.doing != "take":  # who has it, has it still
                one.doing, one.before = "", ("", 0.0)

    def flush(self) -> None:
        for name, one in list(self.open.items()):
            if not one.counted or one.held:
                continue
            if self.now >= one.over_at:
                self.end(name)
            else:
                self.tell(name)

    def answer(self, name: str, verb: str) -> bool:
        """Whether it may be, and is."""
        one = self.open.get(name)
        if one is None:
            return False
        in_force = one.doing == "done" or (one.doing != "" and one.until > self.now)
        if not in_force if verb == "undo" else one.doing == "done":
            return False
        if verb == "undo":
            one.doing, one.until = one.before if one.before[1] > self.now else ("", 0.0)
            one.before, one.held = ("", 0.0), one.until
        else:
            one.before = (one.doing, one.until)
            one.doing, one.held = verb, self.now + LENGTHS[verb] if LENGTHS[verb] else 0.0
            one.until = one.held
        self.tell(name, is_news=True)
        return True


NAMES = st.sampled_from(KINDS[:2])
RECORDS = st.tuples(NAMES, st.integers(1, 3))
ANSWERS = st.tuples(st.just("answer"), NAMES, st.sampled_from([*LENGTHS, "undo"]))
TICKS = st.sampled_from([1, 8, 9, 80, 150, 240, 10_800])
STEPS = st.lists(st.one_of(RECORDS, RECORDS, ANSWERS, ANSWERS, TICKS, st.just("flush")), min_size=10, max_size=40)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_what_is_told_is_what_the_rules_say_also_where_people_answer(
    steps: list[tuple[object, ...] | int | str],
) -> None:
    clock = Clock(0.0)
    with (
        patch("wecom_logging._state.shared.wall", clock),  # what a person has said for a time ends by the wall
        patch("wecom_logging._incidents.answered.TAKE_FOR_S", LENGTHS["take"]),
    ):
        live(steps, clock)


def live(steps: list[tuple[object, ...] | int | str], clock: Clock) -> None:
    channel = Recorder(clock)
    storm = pipeline(channel, clock, window_s=WINDOW)
    storm._worker.nudge = lambda: None  # type: ignore[method-assign] # its turns are made here
    desk, rules, made = Desk(lambda: [storm.place], time_s=clock), People(clock.now), 0
    for step in steps:
        if isinstance(step, int):
            rules.pass_ticks(step)
            pass_time(storm, clock, step * TICK)
        elif step == "flush":
            rules.flush()
            tell_counted(storm)
            turn(storm)
        elif step[0] == "answer":
            _, name, verb = step
            rules.pass_ticks(2)  # or it is the same once more
            pass_time(storm, clock, 2 * TICK)
            assert 2 * TICK > AGAIN_S
            ids = [one.short_id for _, one in storm.place.rows(9) if str(name) in one.first.alert.message]
            reply = desk.do(Command(str(verb), *ids, length_s=LENGTHS.get(str(verb), 0.0)), "Li", "chat")
            assert (not reply.why) == rules.answer(str(name), str(verb))
            turn(storm)
        else:
            name, number = step
            rules.records(str(name), int(str(number)))
            for _ in range(int(str(number))):
                made += 1
                storm.collector.take(record(f"{name} failed %d", made, wecom={"users": [name]}))
            storm.waits_for()  # what comes again is told at once, not within a second
            turn(storm)
        assert sent(channel.told) == sorted(rules.sent)
        counted = sum(one.counted for one in rules.open.values())
        told = sum(count for _, _, count, _ in rules.sent)
        stats = storm.stats()
        assert (stats.accepted, stats.pending) == (made, counted)
        assert (stats.delivered, stats.merged) == (rules.opened, told - rules.opened)
        assert (stats.dropped, stats.handed_over) == ({}, 0)
    storm.end()  # the program ends: what is held back is told
    tell_counted(storm)
    assert storm.stats().pending == 0
    assert storm.give_up() == 0
    assert sum(one.count for one in channel.told) == made
