"""What is told while people answer in memory, when and with which counts, against the rules in their plainest form."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging._answers.command import Command
from wecom_logging._answers.desk import AGAIN_S, Desk
from wecom_logging._incidents.life import CLOSED_S

from ..pipeline.test_group_model import KINDS, TICK, WINDOW, Kind, Rules, sent
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

    def tell(self, now: float, name: str, *, is_news: bool = False) -> tuple[float, str, int, int]:
        is_new = self.doing == "done" and not is_news
        self.total = self.counted + (0 if is_new else self.total)
        told = (now, name, self.counted, self.total)
        if now >= self.told_at + self.wait:
            self.wait = min(2 * self.wait, 3600.0)
        self.counted, self.told_at, self.digests = 0, now, self.digests + 1
        if is_new:
            self.wait, self.digests = WINDOW, 0
        if not is_news:
            self.held = 0.0
            if self.doing != "take":  # who has it, has it still
                self.doing, self.before = "", ("", 0.0)
        return told


class People(Rules):
    """All groups, with people."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.groups: dict[str, Answered] = {}
        self.opened = 0

    def records(self, name: str, number: int) -> None:
        if name not in self.groups:
            self.groups[name] = Answered(self.now)
            self.sent.append((self.now, name, 1, 1))
            self.opened += 1
            number -= 1
        self.groups[name].counted += number
        self.look()

    def look(self) -> None:
        for name, one in list(self.groups.items()):
            due = one.held or one.told_at + (0.0 if one.doing == "done" else one.wait)
            quiet = one.told_at + 10 * WINDOW
            if one.counted:
                if self.now >= due:
                    self.sent.append(one.tell(self.now, name))
            elif one.doing == "quiet":
                if self.now >= one.held:  # nothing came
                    self.sent.append(one.tell(self.now, name))
                    if self.now >= quiet:
                        del self.groups[name]
            elif self.now >= (one.told_at + CLOSED_S if one.doing == "done" else quiet):
                del self.groups[name]
                if one.doing == "take" or (one.digests >= 2 and not one.doing):
                    self.sent.append((self.now, name, 0, 0))

    def flush(self) -> None:
        for name, one in self.groups.items():
            if one.counted and not one.held:
                self.sent.append(one.tell(self.now, name))

    def answer(self, name: str, verb: str) -> bool:
        """Whether it may be, and is."""
        one = self.groups.get(name)
        if one is None or (not one.doing if verb == "undo" else one.doing == "done"):
            return False
        if verb == "undo":
            one.doing, one.until = one.before if one.before[1] > self.now else ("", 0.0)
            one.before, one.held = ("", 0.0), one.until
        else:
            one.before = (one.doing, one.until)
            one.doing, one.held = verb, self.now + LENGTHS[verb] if LENGTHS[verb] else 0.0
            one.until = one.held
        self.sent.append(one.tell(self.now, name, is_news=True))
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
    channel = Recorder(clock)
    storm = pipeline(channel, clock, window_s=WINDOW, take_for_s=LENGTHS["take"])
    storm._worker.nudge = lambda: None  # type: ignore[method-assign] # its turns are made here
    desk, rules, made = Desk(lambda: [storm], time_s=clock), People(clock.now), 0
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
            ids = [one.short_id for _, one in storm.rows(9) if str(name) in one.first.alert.message]
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
        counted = sum(one.counted for one in rules.groups.values())
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
