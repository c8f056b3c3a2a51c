"""Every store against an incident's life: whatever several processes do, it gives what `life` alone says."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from wecom_logging._incidents import answered, escalation, life, stored
from wecom_logging._incidents.incident import NOTHING, Count, Incident, Own
from wecom_logging._state.base import KEEP_S, Swap, answer, swap_lent
from wecom_logging.model import Sample, Variant

from ..valkey_server import Server
from .conftest import CHANNEL, STORES, Rig, first, later, rig_of

pytestmark = pytest.mark.slow

TICK = 8.0
"""All times are a whole number of it: a store whose clock goes on by itself agrees, unless it is late by so much."""

WINDOW = 64.0
KEYS = {"a": (40, ""), "b": (40, "x"), "c": (50, "")}
"""Level and audience."""

CAUSES = {"a": "refused", "b": "refused", "c": "refused"}
STEPS = {"a": (4 * TICK, 30 * TICK), "b": (), "c": (10 * TICK, 12 * TICK, 24 * TICK)}
"""After how long the steps of its escalation come."""
AUDIENCES = ("", "x", "nobody's")
EXAMPLES = {"memory": 150, "sqlite": 25, "redis": 40}
PROCESSES = ("one", "two", "three")
OWN = {
    *("short_id", "version", "lent"),  # the store gives them
    *("told_at", "counted_at", "untold_at", "not_before", "until", "held_until"),  # on its clock
    *("steps_from", "step_at", "stepping_at"),  # on that, too
    *("places", "own"),  # no rule of the life
    *("first", "samples", "variants", "rates", "owner"),  # compared below
}
"""Fields of an incident that need not be equal; all others are compared."""

SAME = [one.name for one in dataclasses.fields(Incident) if one.name not in OWN]


@dataclass
class Reference:
    """Incidents, each as `life` says; nothing is stored, indexed or locked."""

    rows: dict[str, Incident] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    marked_at: dict[str, float] = field(default_factory=dict)
    dead: list[tuple[Incident, str]] = field(default_factory=list)
    counted: int = 0
    told: int = 0
    given_up: int = 0
    discarded: int = 0
    version: int = 0

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def add(self, who: str, number: int, counts: list[Count], now: float) -> list[int | None]:
        if number <= self.marks.get(who, 0):
            return [self.rows[one.key].told if one.key in self.rows else None for one in counts]
        self.marks[who], self.marked_at[who] = number, now
        return [self._add(one, now) for one in counts]

    def _add(self, one: Count, now: float) -> int | None:
        there = self.rows.get(one.key)
        if there is None and one.first is None:
            return None
        if there is None:
            self.rows[one.key] = stored.opened(one, short_id="", version=self.next_version(), now=now)
            self.events[one.key] = one.event
        elif not one.event or one.event != self.events[one.key]:
            if one.first is not None and stored.takes_first(there):
                self.events[one.key] = one.event
            self.rows[one.key] = stored.counted(there, one, now)
        else:
            return there.told
        self.counted += one.number
        return self.rows[one.key].told

    def due(
        self, now: float, urgent: Collection[str], blocked: Collection[str], audience: str | None, cause: str = ""
    ) -> list[Incident]:
        near = now + (life.NEAR_S if cause else 0.0)
        found = [
            one
            for one in self.rows.values()
            if (
                life.due_at(one) <= (now if one.owner else near)
                or (one.key in urgent and one.untold and not (one.owner or one.held_until))
            )
            and one.audience not in blocked
            and audience in (None, one.audience)
            and cause in ("", one.cause)
        ]
        return sorted(found, key=lambda one: (-one.rank, one.untold_at))

    def settle(self, before: Incident, after: Incident | None, why: str) -> bool:
        """What was lent, also where a person did something with it meanwhile."""
        there = self.rows.get(before.key)
        if there is not None and there.version != before.version and there.lent == before.version:
            meanwhile = stored.answered_meanwhile(there, before, after)
            after = None if why and after is None else meanwhile
            before = replace(before, version=there.version)
        if self.swap(before, after, why):
            return True
        if after is None and not why:  # something of it came meanwhile
            self.swap(before, life.released(before, 0.0), "")
        return False

    def swap(self, before: Incident, after: Incident | None, why: str) -> bool:
        there = self.rows.get(before.key)
        if there is None or there.version != before.version:
            return False
        if after is None:
            if there.count > before.count and not why:
                return False
            self.remove(before.key, why)
            return True
        tells = after.told > before.told
        if why:
            self.bury(there, after.told - there.told, why)
        else:
            self.told += after.told - there.told
        self.rows[before.key] = replace(
            after,
            version=self.next_version(),
            count=there.count,
            counted_at=there.counted_at,
            last=there.last,
            untold_at=there.counted_at if tells and there.count > after.told else there.untold_at,
            since=after.since if tells else there.since,
            samples=there.samples[len(before.samples) :] if tells else there.samples,
            variants=self.left_of(there, before) if tells else there.variants,
            rates=() if tells else there.rates,
        )
        return True

    @staticmethod
    def left_of(there: Incident, before: Incident) -> tuple[Variant, ...]:
        told = {kind.name: kind.count for kind in before.variants}
        left = ((kind, kind.count - told.get(kind.name, 0)) for kind in there.variants)
        return tuple(
            replace(kind, count=number, is_new=kind.is_new and kind.name not in told) for kind, number in left if number
        )

    def remove(self, key: str, why: str) -> None:
        one = self.rows.pop(key)
        if why:
            self.bury(one, one.untold, why)
        else:
            self.discarded += one.untold

    def bury(self, one: Incident, number: int, why: str) -> None:
        self.given_up += number
        if number:
            self.dead.append((replace(one, count=number, told=0, owner=""), why))

    def requeue(self, keys: set[str], now: float) -> int:
        back = self._dig(keys)
        for one in back:
            more = Count(
                key=one.key, number=one.untold, level=one.level, window_s=WINDOW, last=one.last, audience=one.audience
            )
            more = replace(more, steps=one.steps)
            self._add(replace(more, first=one.first), now)
            self.counted -= one.untold
        return len(back)

    def discard(self, keys: set[str]) -> int:
        gone = self._dig(keys)
        self.discarded += sum(one.untold for one in gone)
        waiting = [key for key, one in self.rows.items() if one.untold and (not keys or key in keys)]
        for key in waiting:
            self.remove(key, "")
        return len(gone) + len(waiting)

    def _dig(self, keys: set[str]) -> list[Incident]:
        found = [pair for pair in self.dead if not keys or pair[0].key in keys]
        self.dead = [pair for pair in self.dead if pair not in found]
        self.given_up -= sum(one.untold for one, _ in found)
        return [one for one, _ in found]


@dataclass(frozen=True)
class InHand:
    """A claim as the store gave it, and as the rules say that it is."""

    given: Incident
    meant: Incident


Verb = Callable[[Incident, float], tuple[Incident, Incident | None, str]]
"""What becomes of a claim: as it was told, what it becomes, and why it is given up."""


def _stepping(one: Incident, now: float) -> Incident:
    """Its next step begins, or is told, where one is due."""
    if escalation.step_due_at(one) > now:
        return life.released(one, now)
    if one.stepping_at:
        return escalation.step_told(one, f"step {one.step}", "Li", phoned="called" if one.step == 1 else "")
    return escalation.stepped(one, now=now, time=1.0 + one.step)


VERBS: dict[str, Verb] = {
    "sent": lambda one, now: (one, life.sent(one, now), ""),
    "sent alone": lambda one, now: (life.alone(one, now), life.sent(life.alone(one, now), now), ""),
    "released": lambda one, now: (one, life.released(one, now), ""),
    "later": lambda one, now: (one, life.released(one, now, 10 * TICK, failed=1), ""),
    "quietened": lambda one, now: (one, life.quietened(one, now + 12 * TICK, time=now), ""),
    "ended": lambda one, now: (one, life.sent(one, now, ends=life.is_over(one, now)), ""),
    "refused": lambda one, now: (one, life.refused(one, now), "rejected"),
    "given up": lambda one, now: (one, None, "rejected"),
    "steps": lambda one, now: (one, _stepping(one, now), ""),
    "steps later": lambda one, now: (
        one,
        escalation.step_later(one, now + TICK) if one.stepping_at else life.released(one, now),
        "",
    ),
    "misses a step": lambda one, now: (
        one,
        escalation.step_missed(one, "nobody", now=now, time=2.0 + one.step)
        if one.stepping_at
        else life.released(one, now),
        "",
    ),
    "removed": lambda one, now: (one, life.sent(one, now), "") if one.untold else (one, None, ""),
}
MOSTLY = ["", "sent", "sent", "steps", "steps", "misses a step", "sent alone", "released", "later", "quietened"]
MOSTLY += ["refused", "given up", "removed", "ended"]


PEOPLE = ("Li", "Wang")
Answers = Callable[[Incident, str, float], Incident]
"""What somebody does with an incident."""

ANSWERS: dict[str, Answers] = {
    "taken": lambda one, who, now: answered.taken(one, who, "here", now=now, time=now),
    "silenced": lambda one, who, now: answered.silenced(one, who, "here", 16 * TICK, now=now, time=now),
    "done": lambda one, who, now: answered.done(one, who, "here", now=now, time=now),
    "undone": lambda one, who, now: answered.undone(one, who, "here", now=now, time=now) if one.answers.now else one,
}

COUNTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(KEYS)),
        st.integers(1, 3),
        st.booleans(),
        st.sampled_from(["", "", "e", "f"]),
        st.booleans(),
        st.sampled_from(["", "", "amy", "bob", "安"]),
    ),
    min_size=1,
    max_size=3,
)
Drawn = list[tuple[str, int, bool, str, bool, str]]
SOME_KEYS = st.sets(st.sampled_from(sorted(KEYS)), max_size=2)


class Lives(RuleBasedStateMachine):
    """Three processes that share one store."""

    def __init__(self, opened: AbstractContextManager[Rig]) -> None:
        super().__init__()
        self.opened = opened
        self.rig = opened.__enter__()
        self.reference = Reference()
        self.in_hand: list[InHand] = []
        self.owned = self.ended = NOTHING
        self.time = 0.0

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)

    @property
    def now(self) -> float:
        return self.rig.now

    def near(self, found: float, meant: float) -> bool:
        return found == self.rig.near(meant)

    def marks_of(self, who: str) -> tuple[int, ...]:
        """What a store may know of a process. One that wrote nothing for `KEEP_S` may be forgotten."""
        mark = self.reference.marks.get(who, 0)
        return (mark, 0) if self.now - self.reference.marked_at.get(who, self.now) >= KEEP_S else (mark,)

    @rule(who=st.sampled_from(PROCESSES), drawn=COUNTS, again=st.booleans())
    def adds(self, who: str, drawn: Drawn, again: bool) -> None:
        self.add(who, drawn, again)

    def add(self, who: str, drawn: Drawn, again: bool) -> None:
        counts = []
        for key, number, opens, event, has_sample, name in drawn:
            self.time += 1
            level, audience = KEYS[key]
            own = NOTHING if self.rig.is_shared or event else Own(0, number)
            samples = (Sample(self.time, f"{who} {key}"),) if has_sample and not opens else ()
            variants = (Variant(name, number, f"{who} {name}", self.time, has_sample),) if name and not opens else ()
            more: dict[str, Any] = {
                "variants": variants,
                "level": level,
                "audience": audience,
                "window_s": WINDOW,
                "last": self.time,
            }
            more["cause"], more["steps"] = CAUSES[key], STEPS[key]
            make = first if opens else later
            counts.append(make(key, number, own=own, samples=samples, event=event if opens else "", **more))
        number = self.reference.marks.get(who, 0) + 1
        for _ in range(1 + again):
            before, known = self.reference.marks.get(who, 0), self.marks_of(who)
            meant = self.reference.add(who, number, counts, self.now)
            found = self.rig.batch(*counts, who=who, number=number)
            assert found.before in known
            assert list(found.told) == meant
            if before < number:
                for one, told in zip(counts, meant, strict=True):
                    self.owned += one.own if told is not None else NOTHING

    @rule(
        who=st.sampled_from(PROCESSES),
        waits=st.sampled_from([False, True, True]),
        most=st.sampled_from([1, 2, 9]),
        lease=st.sampled_from([4, 20]),
        blocked=st.sampled_from([(), (), ("x",), ("",)]),
        audience=st.sampled_from([None, None, None, *AUDIENCES]),
        cause=st.sampled_from(["", "", "refused", "another"]),
        then=st.lists(st.sampled_from(MOSTLY), min_size=1, max_size=3),
        more=st.integers(0, 2),
    )
    def claims(
        self,
        who: str,
        waits: bool,
        most: int,
        lease: int,
        blocked: tuple[str, ...],
        audience: str | None,
        cause: str,
        then: list[str],
        more: int,
    ) -> None:
        """``waits`` for the moment at which something is due, is over, or a lease ends. What is claimed is told,
        released, or kept in hand for later; ``more`` of it comes before."""
        due = min(map(life.due_at, self.reference.rows.values()), default=self.now)
        self.rig.pass_time(max(due - self.now, 0.0) * waits)
        if audience is None:
            cause = ""
        if cause:
            blocked = ()
        found = self.claim(who, most, lease, blocked=blocked, audience=audience, cause=cause)
        for one, verb in zip(found, itertools.cycle(then)):
            for other in PROCESSES[:more]:
                self.add(other, [(one.given.key, 1, False, "", True, "amy")], False)
                self.rig.pass_time(TICK)
            if verb:
                self.settle(one, verb)

    @rule(who=st.sampled_from(PROCESSES), urgent=SOME_KEYS, then=st.sampled_from(MOSTLY))
    def hurries(self, who: str, urgent: set[str], then: str) -> None:
        """With all that is due: what is urgent and not taken then may stay due, or not."""
        for one in self.claim(who, 9, 4, urgent=urgent):
            if then:
                self.settle(one, then)

    def claim(
        self,
        who: str,
        most: int,
        lease: int,
        *,
        urgent: Collection[str] = (),
        blocked: Collection[str] = (),
        audience: str | None = None,
        cause: str = "",
    ) -> list[InHand]:
        until = self.now + lease * TICK
        due = self.reference.due(self.now, urgent, blocked, audience, cause)[:most]
        found = self.rig.claim(
            who, most=most, lease_s=lease * TICK, urgent=urgent, blocked=blocked, audience=audience, cause=cause
        )
        rows = [self.reference.rows[one.key] for one in found]
        assert [(one.rank, one.untold_at) for one in rows] == [(one.rank, one.untold_at) for one in due]
        assert len({one.key for one in found}) == len(found)
        for given in found:
            version = self.reference.next_version()
            meant = stored.claimed(self.reference.rows[given.key], owner=who, until=until, version=version)
            self.reference.rows[given.key] = meant
            self.in_hand.append(InHand(given, meant))
            self.compare(given, meant)
            assert (given.owner, self.near(given.until, until)) == (who, True)
            assert self.near(given.counted_at, meant.counted_at)
            assert not meant.untold or self.near(given.untold_at, meant.untold_at)
            assert not meant.told or self.near(given.told_at, meant.told_at)
            assert self.near(max(given.not_before - self.now, 0.0), max(meant.not_before - self.now, 0.0))
            assert self.near(given.held_until, meant.held_until)
            for name in ("steps_from", "step_at", "stepping_at"):
                assert self.near(getattr(given, name), getattr(meant, name))
            assert life.alone(given, self.now).count == life.alone(meant, self.now).count
        return self.in_hand[len(self.in_hand) - len(found) :]

    @precondition(lambda self: self.in_hand)
    @rule(place=st.integers(0, 99), verb=st.sampled_from(sorted(VERBS)), keeps=st.booleans())
    def settles(self, place: int, verb: str, keeps: bool) -> None:
        """In time or too late. ``keeps``: who has done it does it again."""
        self.settle(self.in_hand[place % len(self.in_hand)], verb, keeps=keeps)

    def settle(self, one: InHand, verb: str, *, keeps: bool = False) -> None:
        if not keeps:
            self.in_hand.remove(one)
        (own,) = swap_lent(self.rig.store, CHANNEL, [Swap(*VERBS[verb](one.given, self.now))], self.now)
        assert (own is not None) == self.reference.settle(*VERBS[verb](one.meant, self.now))
        self.ended += own or NOTHING

    @precondition(lambda self: self.reference.rows)
    @rule(place=st.integers(0, 9), who=st.sampled_from(PEOPLE), verb=st.sampled_from(sorted(ANSWERS)))
    def answers(self, place: int, who: str, verb: str) -> None:
        """A person does something with an incident, lent or not."""
        rows = self.reference.rows
        key = sorted(rows)[place % len(rows)]
        other = answered.in_the_way(rows[key], verb, who, self.now)
        # Each time on one clock, so that the text of what was done is the same.
        now = self.now
        found = answer(
            self.rig.store,
            CHANNEL,
            key,
            lambda one: ANSWERS[verb](one, who, now),
            lambda one: answered.in_the_way(one, verb, who, now),
            now,
        )
        assert found is not None
        assert found.other == other
        if other is None:
            before = rows[key]
            after = ANSWERS[verb](before, who, now)
            assert after is before or self.reference.swap(before, after, "")

    @rule(ticks=st.sampled_from([1, 2, 4, 7, 8, 9, 16, 20, 79, 80, 81, 450]))
    def pass_time(self, ticks: int) -> None:
        self.rig.pass_time(ticks * TICK)

    @precondition(lambda self: self.rig.is_shared)
    @rule()
    def open_again(self) -> None:
        self.rig.store = self.rig.again()

    @precondition(lambda self: self.rig.is_shared and self.reference.dead)
    @rule(keys=SOME_KEYS)
    def requeue(self, keys: set[str]) -> None:
        assert self.rig.store.requeue(keys, self.now) == self.reference.requeue(keys, self.now)

    @precondition(lambda self: self.rig.is_shared and self.reference.dead)
    @rule(keys=SOME_KEYS)
    def discard(self, keys: set[str]) -> None:
        assert self.rig.store.discard(keys) == self.reference.discard(keys)

    def compare(self, found: Incident, meant: Incident) -> None:
        same = {name: getattr(meant, name) for name in SAME}
        assert {name: getattr(found, name) for name in SAME} == same
        assert (found.samples, found.variants, found.rates) == (meant.samples, meant.variants, meant.rates)
        assert found.first.alert == meant.first.alert

    @invariant()
    def what_is_open_is_what_the_rules_say(self) -> None:
        rows = self.reference.rows
        found = {one.key: one for one in self.rig.store.open(CHANNEL, 99)}
        assert found.keys() == rows.keys()
        for key, one in found.items():
            self.compare(one, rows[key])
            assert rows[key].until <= self.now or one.owner == rows[key].owner
            assert bool(one.held_until) == bool(rows[key].held_until)
        assert len({one.short_id for one in found.values()}) == len(found)

    @invariant()
    def it_is_due_when_the_rules_say(self) -> None:
        due = min(map(life.due_at, self.reference.rows.values()), default=float("inf"))
        assert self.near(self.rig.due(), max(due - self.now, 0.0))

    @invariant()
    def it_knows_who_is_of_one_cause(self) -> None:
        for audience in AUDIENCES:
            meant = {key: one for key, one in self.reference.rows.items() if one.audience == audience and one.cause}
            found = {
                one.key: one for one in self.rig.store.related(CHANNEL, audience, ["refused", "another"], self.now)
            }
            assert found.keys() == meant.keys()
            for key, one in found.items():
                assert self.near(one.told_at, meant[key].told_at if meant[key].told else 0.0)
                assert not meant[key].untold or self.near(one.untold_at, meant[key].untold_at)

    @invariant()
    def it_knows_what_is_untold(self) -> None:
        number, untold, held = self.rig.store.untold(CHANNEL, "one", sorted(KEYS))
        assert number in self.marks_of("one")
        rows = {key: one for key, one in self.reference.rows.items() if one.untold}
        assert sorted(untold) == sorted(rows)
        assert sorted(held) == sorted(key for key, one in rows.items() if one.held_until)

    @invariant()
    def the_books_balance(self) -> None:
        if not self.rig.is_shared:
            left = sum((one.own for one in self.rig.store.open(CHANNEL, 99)), NOTHING)
            assert self.owned == self.ended + left
            return
        waiting = sum(one.untold for one in self.reference.rows.values())
        numbers = (self.reference.told, waiting, self.reference.given_up, self.reference.discarded)
        assert self.rig.counters() == (sum(numbers), *numbers)
        assert self.reference.counted == sum(numbers)
        held = [(one.key, one.count, one.why) for one in self.rig.store.held(99)]
        meant = [(key, one.untold, "") for key, one in self.reference.rows.items() if one.untold]
        meant += [(one.key, one.untold, why) for one, why in self.reference.dead]
        assert sorted(held) == sorted(meant)


@pytest.mark.parametrize("kind", STORES)
def test_whatever_several_processes_do_it_lives_as_the_rules_say(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escalation, "STEP_S", 8 * TICK)

    def server() -> Server:
        empty: Server = request.getfixturevalue("server")
        with empty.client() as client:
            client.flushall()
        return empty

    run_state_machine_as_test(
        lambda: Lives(rig_of(kind, server)),
        settings=settings(max_examples=EXAMPLES[kind], stateful_step_count=40, phases=[Phase.generate]),
    )
